"""Long lists of blocks: complete, paced, resumable, and within what the preview says."""

import logging
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit import AwsError, InvalidRequest, Sandbox, Throttled
from snapkit.ebs import Reading
from snapkit.ebs.block_lists import RATE, Pacer
from tests.ebs.direct import BLOCK, A, B, Direct, pair, taken
from tests.ebs.ground import Field


def test_long_lists_are_complete_and_ask_for_few_more_pages_than_there_are(field: Field) -> None:
    volume = field.new_volume(200, written=120_000)
    first = taken(volume)
    field.sandbox.write(volume.id, 60_000, 115_000)
    second = taken(volume)
    found = second.changed_blocks(since=first)
    assert found.blocks.tolist() == list(range(60_000, 175_000))
    assert found.new.tolist() == list(range(120_000, 175_000))
    assert 12 <= found.requests <= second.changes_preview(first).requests


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_changed_is_found_once_within_the_preview(data: st.DataObject) -> None:
    gib = data.draw(st.sampled_from([1, 8, 100, 4096]))
    runs = data.draw(st.lists(st.tuples(st.integers(0, gib * 2048 - 1), st.integers(1, 40_000)), max_size=6))
    changed = sorted({each for start, many in runs for each in range(start, min(start + many, gib * 2048))})
    direct = Direct(changed)
    direct.empty_every = data.draw(st.sampled_from([0, 2, 3]))
    first, second = pair(direct, gib)
    found = second.changed_blocks(since=first)
    assert found.blocks.tolist() == changed
    assert found.requests == len(direct.asked)
    if not direct.empty_every:
        first.raw = {**first.raw, "FullSnapshotSizeInBytes": 0}
        second.raw = {**second.raw, "FullSnapshotSizeInBytes": len(changed) * BLOCK}
        assert found.requests <= second.changes_preview(first).requests


def test_requests_keep_below_the_quota_on_the_clock_of_the_region(field: Field) -> None:
    pacer, begin = Pacer(field.clock), field.clock.now()
    for _ in range(101):
        pacer.wait()
    elapsed = (field.clock.now() - begin).total_seconds()
    assert 100 / RATE <= elapsed <= 1.1 * 100 / RATE


def test_a_clock_that_is_set_back_keeps_nobody_waiting() -> None:
    class Jumping:
        slept = 0.0
        times = iter([datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 11, tzinfo=UTC)])

        def now(self) -> datetime:
            return next(self.times)

        def sleep(self, duration: Any) -> None:
            self.slept += float(duration)

        async def asleep(self, duration: Any) -> None: ...

    clock = Jumping()
    pacer = Pacer(clock)
    pacer.wait()
    pacer.wait()
    assert clock.slept < 0.1


def test_nothing_is_throttled_where_the_limits_of_aws_hold() -> None:
    sandbox = Sandbox(limits="aws")
    region = sandbox.region()
    volume = region.volumes.create("us-east-1a", "1 TiB")
    sandbox.write(volume.id, 0, 1)
    first = taken(volume)
    sandbox.write(volume.id, 0, 600_000)
    found = taken(volume).changed_blocks(since=first)
    assert (found.count, found.requests > 60) == (600_000, True)


def test_equal_sandboxes_take_equal_time_whatever_thread_comes_first() -> None:
    def run() -> tuple[int, datetime]:
        sandbox = Sandbox()
        volume = sandbox.region().volumes.create("us-east-1a", "1 TiB")
        first = taken(volume)
        sandbox.write(volume.id, 1000, 60_000)
        return taken(volume).changed_blocks(since=first).requests, sandbox.clock.now()

    assert run() == run()


def test_throttled_lists_are_asked_for_again(field: Field) -> None:
    volume = field.new_volume(written=4)
    first, second = taken(volume), taken(volume)
    field.faults("ListChangedBlocks", throttle=4)
    assert second.changed_blocks(since=first).count == 0
    field.faults("ListChangedBlocks", throttle=100)
    with pytest.raises(Throttled):
        second.changed_blocks(since=first)


def test_empty_pages_are_no_end() -> None:
    direct = Direct(list(range(0, 200_000, 7)), page=1000)
    direct.empty_every = 2
    first, second = pair(direct, 100)
    assert second.changed_blocks(since=first).blocks.tolist() == direct.changed.tolist()


def test_what_was_read_before_an_interruption_is_not_asked_for_again() -> None:
    direct = Direct(list(range(0, 800_000, 2)))
    direct.failing_from = 15
    first, second = pair(direct, 400)
    progress = Reading()
    with pytest.raises(AwsError, match="broken"):
        second.changed_blocks(since=first, progress=progress)
    assert progress.requests == 14
    assert re.fullmatch(rf"<Reading of {A} and {B}: \d\d % listed, 14 requests>", repr(progress))
    assert 0 < progress.share < 1
    assert not progress.done
    direct.failing_from = 0
    before = len(direct.asked)
    direct.expired = True
    found = second.changed_blocks(since=first, progress=progress)
    assert found.blocks.tolist() == direct.changed.tolist()
    assert progress.done
    assert progress.share == 1
    assert found.requests == progress.requests <= second.changes_preview(first).requests
    continued = [asked["StartingBlockIndex"] for asked in direct.asked[before:] if "NextToken" not in asked]
    assert 0 not in continued
    again = len(direct.asked)
    assert second.changed_blocks(since=first, progress=progress).count == found.count
    assert len(direct.asked) == again


def test_progress_of_another_pair_is_refused() -> None:
    first, second = pair(Direct([1]), 8)
    progress = Reading()
    second.changed_blocks(since=first, progress=progress)
    with pytest.raises(InvalidRequest, match=rf"belongs to {A} and {B}, not to {B} and {A}; give a new Reading"):
        first.changed_blocks(since=second, progress=progress)


def test_progress_of_a_whole_list_is_none_of_a_sample() -> None:
    first, second = pair(Direct([1]), 8)
    progress = Reading()
    assert repr(progress) == "<Reading: not begun>"
    second.changed_blocks(since=first, progress=progress)
    assert repr(progress) == f"<Reading of {A} and {B}: 100 % listed, 1 request>"
    with pytest.raises(InvalidRequest, match="belongs to the whole list, not to a sample of one range in 10"):
        second.changed_blocks(since=first, sample=0.1, progress=progress)


def test_other_users_of_the_client_get_what_they_always_got(field: Field) -> None:
    volume = field.new_volume(written=2)
    snapshot = taken(volume)
    client = field.client("ebs")
    snapshot.blocks()
    assert [each["BlockIndex"] for each in client.list_snapshot_blocks(SnapshotId=snapshot.id)["Blocks"]] == [0, 1]


def test_no_more_connections_are_opened_than_the_client_keeps(field: Field, caplog: pytest.LogCaptureFixture) -> None:
    volume = field.new_volume(1024, written=1)
    first = taken(volume)
    field.sandbox.write(volume.id, 0, 60_000)
    second = taken(volume)
    with caplog.at_level(logging.WARNING):
        assert second.changed_blocks(since=first).count == 60_000
    assert "pool is full" not in caplog.text
