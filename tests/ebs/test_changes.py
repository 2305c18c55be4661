"""Changed blocks: complete, paced, resumable, priced beforehand, and told apart from estimates."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit import AwsError, InvalidRequest, Sandbox, Throttled
from snapkit.blocks import Workload
from snapkit.ebs import Region, Snapshot, Volume
from snapkit.ebs.block_lists import RATE, Pacer, Reading
from tests.ebs.ground import Field

BLOCK = 524288
A, B = "snap-0000000000000000a", "snap-0000000000000000b"


class Direct:
    """A stand-in for the EBS direct APIs that knows what changed: small pages, empty ones, tokens that expire."""

    def __init__(self, changed: list[int], page: int = 10_000) -> None:
        self.changed = np.array(changed, np.int64)
        self.page = page
        self.asked: list[dict[str, Any]] = []
        self.empty_every = 0
        self.failing_from = 0
        self.expired = False

    def list_changed_blocks(self, **asked: Any) -> dict[str, Any]:
        assert asked["MaxResults"] == 10_000
        self.asked.append(asked)
        number = len(self.asked)
        if self.failing_from and number >= self.failing_from:
            raise ClientError({"Error": {"Code": "InternalServerException", "Message": "broken"}}, "ListChangedBlocks")
        if "NextToken" in asked and self.expired:
            error = {"Error": {"Code": "ValidationException", "Message": "expired"}, "Reason": "INVALID_PAGE_TOKEN"}
            raise ClientError(error, "ListChangedBlocks")
        start = int(asked["NextToken"]) if "NextToken" in asked else asked["StartingBlockIndex"]
        if self.empty_every and number % self.empty_every == 0:
            return {"ChangedBlocks": [], "NextToken": str(start)}
        first = int(np.searchsorted(self.changed, start))
        page = self.changed[first : first + self.page].tolist()
        listed = [{"BlockIndex": each, "FirstBlockToken": "a", "SecondBlockToken": "b"} for each in page]
        more = first + self.page < len(self.changed)
        return {"ChangedBlocks": listed} | ({"NextToken": str(page[-1] + 1)} if more else {})


def pair(direct: Direct, gib: int) -> tuple[Snapshot, Snapshot]:
    sandbox = Sandbox()
    region = Region(sandbox.client("ec2"), clock=sandbox.clock, clients=lambda _: direct)
    raw = {"VolumeId": "vol-1", "VolumeSize": gib, "State": "completed", "StartTime": datetime(2026, 1, 1, tzinfo=UTC)}
    first, second = (Snapshot(region, raw | {"SnapshotId": each}) for each in (A, B))
    return first, second


@cache
def demo() -> tuple[Sandbox, Volume]:
    sandbox = Sandbox.demo()
    (volume,) = sandbox.region().volumes.find(name="db-1 data")
    return sandbox, volume


@cache
def demo_history() -> pd.DataFrame:
    return demo()[1].change_history()


def taken(volume: Volume) -> Snapshot:
    return volume.take_snapshot().wait()


def test_changed_new_and_gone_blocks_are_told_apart(field: Field) -> None:
    volume = field.new_volume(written=4)
    first = taken(volume)
    field.sandbox.write(volume.id, 3, 2)
    second = taken(volume)
    forth, back = second.changed_blocks(since=first), first.changed_blocks(since=second.id)
    assert (forth.blocks.tolist(), forth.new.tolist(), forth.gone.tolist()) == ([3, 4], [4], [])
    assert (back.blocks.tolist(), back.new.tolist(), back.gone.tolist()) == ([3, 4], [], [4])
    assert forth.blocks.dtype == np.uint32
    assert (forth.count, forth.band, forth.source, forth.bytes) == (2, (2, 2), "measured", 2 * BLOCK)
    frame = back.to_frame()
    assert frame.to_dict("list") == {
        "block": [3, 4],
        "offset_bytes": [3 * BLOCK, 4 * BLOCK],
        "kind": ["changed", "gone"],
    }
    assert repr(forth) == f"<Changes of {second.id} since {first.id}: 2 blocks, 1 MiB; 1 request, under $0.0001>"
    assert f"of {second.id} since {first.id}: 2 blocks" in forth._repr_html_()


def test_the_blocks_of_one_snapshot_are_listed(field: Field) -> None:
    volume = field.new_volume(written=4)
    field.sandbox.write(volume.id, 70, 2)
    found = taken(volume).blocks()
    assert found.blocks.tolist() == [0, 1, 2, 3, 70, 71]
    assert found.to_frame().columns.tolist() == ["block", "offset_bytes"]
    assert len(found) == 6


def test_an_unchanged_volume_has_no_changes(field: Field) -> None:
    volume = field.new_volume(written=4)
    first, second = taken(volume), taken(volume)
    found = second.changed_blocks(since=first)
    assert (found.count, len(found), found.to_frame().empty) == (0, 0, True)


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


def test_measuring_with_ebs_direct_is_priced_first_and_takes_no_request() -> None:
    direct = Direct(list(range(5)))
    first, second = pair(direct, 100)
    unknown = second.changes_preview(first)
    assert not direct.asked
    assert (unknown.known, unknown.requests) == (False, 27)
    assert unknown.price_usd == pytest.approx(27 * 0.0006 / 1000)
    assert str(unknown) == "1 to 27 requests, under $0.0001 at most (assumed: every block of the volume)"
    first.raw = {**first.raw, "FullSnapshotSizeInBytes": 5 * BLOCK}
    second.raw = {**second.raw, "FullSnapshotSizeInBytes": 7 * BLOCK}
    known = second.changes_preview(first)
    assert (known.known, known.requests) == (True, 1)
    assert "1 request," in known._repr_html_()
    assert second.changed_blocks(since=first).requests == 1


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
    with pytest.raises(InvalidRequest, match=r"belongs to .*; give a new Reading"):
        first.changed_blocks(since=second, progress=progress)


def test_a_sample_is_labelled_and_its_band_holds_the_truth() -> None:
    random = np.random.default_rng(0)
    held = 0
    for _ in range(20):
        changed = np.sort(random.choice(2**20, 150_000, replace=False)).tolist()
        first, second = pair(Direct(changed), 512)
        found = second.changed_blocks(since=first, sample=0.1)
        assert found.source == "modelled"
        assert set(found.blocks.tolist()) < set(changed)
        assert found.count == pytest.approx(150_000, rel=0.05)
        low, high = found.band
        held += low <= 150_000 <= high
        assert "modelled from a sample" in repr(found)
        assert found.requests <= second.changes_preview(first, sample=0.1).requests
    assert held >= 17


def test_a_sample_takes_fewer_requests() -> None:
    first, second = pair(Direct(list(range(0, 8_000_000, 2))), 4096)
    assert second.changed_blocks(since=first, sample=0.01).requests < 50 < second.changed_blocks(since=first).requests


def test_a_sample_without_a_change_does_not_say_that_there_is_none() -> None:
    first, second = pair(Direct(list(range(20_000))), 4096)
    found = second.changed_blocks(since=first, sample=0.01)
    assert found.count == 0
    assert found.band[1] > 0


def test_a_list_of_one_page_is_read_whole_even_where_a_sample_would_do() -> None:
    first, second = pair(Direct(list(range(9_000))), 4096)
    found = second.changed_blocks(since=first, sample=0.1)
    assert (found.count, found.source, found.requests) == (9_000, "measured", 1)


@pytest.mark.parametrize("sample", [0, -1, 2, True, "0.1", float("nan")])
def test_a_sample_that_is_no_share_is_refused(sample: Any) -> None:
    direct = Direct([1])
    first, second = pair(direct, 8)
    with pytest.raises(InvalidRequest, match="is no share"):
        second.changed_blocks(since=first, sample=sample)
    assert not direct.asked


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"State": "pending"}, "is pending, not completed; wait"),
        ({"State": "error"}, "is error, not completed; choose a complete one"),
        ({"StorageTier": "archive"}, "is archived; restore it from the archive first"),
    ],
)
def test_what_cannot_be_read_is_refused_before_any_call(change: dict[str, str], words: str) -> None:
    direct = Direct([1])
    first, second = pair(direct, 8)
    first.raw = {**first.raw, **change}
    calls: list[Callable[[], object]] = [
        lambda: second.changed_blocks(since=first),
        lambda: first.changed_blocks(since=second),
        lambda: second.changes_preview(first),
        first.blocks,
    ]
    for call in calls:
        with pytest.raises(InvalidRequest, match=words):
            call()
    assert not direct.asked


def test_a_snapshot_is_not_compared_with_itself_or_across_regions(field: Field) -> None:
    snapshot = taken(field.new_volume(written=1))
    with pytest.raises(InvalidRequest, match="is the snapshot itself"):
        snapshot.changed_blocks(since=snapshot)
    there = Snapshot(field.region("eu-west-1"), {**snapshot.raw, "SnapshotId": A})
    with pytest.raises(InvalidRequest, match="is in eu-west-1, not in us-east-1"):
        snapshot.changed_blocks(since=there)


def test_unrelated_snapshots_are_refused_in_plain_words(field: Field) -> None:
    first, second = taken(field.new_volume(written=1)), taken(field.new_volume(written=1))
    with pytest.raises(AwsError, match="compare snapshots of one volume") as caught:
        second.changed_blocks(since=first)
    assert first.id in str(caught.value)
    assert second.id in str(caught.value)


def test_a_public_snapshot_is_refused_with_the_way_out(field: Field) -> None:
    volume = field.new_volume(written=1)
    first, second = taken(volume), taken(volume)
    field.ec2().modify_snapshot_attribute(
        SnapshotId=first.id, Attribute="createVolumePermission", CreateVolumePermission={"Add": [{"Group": "all"}]}
    )
    with pytest.raises(AwsError, match=r"make_private\(\)"):
        second.changed_blocks(since=first)


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


def test_a_history_has_a_row_for_each_two_consecutive_snapshots(field: Field) -> None:
    volume = field.new_volume(written=10)
    first = taken(volume)
    field.sandbox.write(volume.id, 0, 3)
    field.clock.advance("1h")
    second = taken(volume)
    field.sandbox.write(volume.id, 2, 5)
    field.clock.advance("4h")
    third = taken(volume)
    frame = volume.change_history()
    assert frame.columns.tolist() == ["from", "to", "interval_s", "changed_blocks", "changed_bytes", "source"]
    assert frame["from"].tolist() == [first.id, second.id]
    assert frame["to"].tolist() == [second.id, third.id]
    assert frame["changed_blocks"].tolist() == [3, 5]
    assert frame["changed_bytes"].tolist() == [3 * BLOCK, 5 * BLOCK]
    assert frame["interval_s"].tolist() == [
        (after.taken_at - before.taken_at).total_seconds() for before, after in ((first, second), (second, third))
    ]
    assert set(frame["source"]) == {"measured"}
    assert volume.change_history_preview().requests == 2
    assert volume.change_history([third, first])["changed_blocks"].tolist() == [7]


def test_a_history_of_one_snapshot_or_of_another_volume_is_refused(field: Field) -> None:
    volume = field.new_volume(written=1)
    snapshot = taken(volume)
    with pytest.raises(InvalidRequest, match=f"are not two or more complete snapshots of {volume.id}"):
        volume.change_history()
    other = taken(field.new_volume(written=1))
    with pytest.raises(InvalidRequest, match=f"give those of {volume.id}"):
        volume.change_history([snapshot, other])


@pytest.mark.parametrize("interval", ["1h", "1d"])
def test_a_workload_fitted_to_the_demos_history_is_the_one_that_wrote_it(interval: str) -> None:
    fitted = Workload.from_changes(demo_history())
    wrote = Workload.profile("workstation", "40 GiB")
    assert fitted.footprint(interval) == pytest.approx(wrote.footprint(interval), rel=0.25)
    assert fitted.size == wrote.size
    assert fitted.provenance(0, interval) == "measured"


def test_a_sampled_history_says_so() -> None:
    _, volume = demo()
    chosen = list(volume.region.snapshots.find(volume=volume.id, state="completed", group="db"))[-3:]
    frame = volume.change_history(chosen, sample=0.1)
    assert set(frame["source"]) == {"modelled"}
