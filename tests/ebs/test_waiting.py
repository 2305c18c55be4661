"""A wait lasts as long as it takes, says how far it is, and can be picked up again."""

import asyncio
from datetime import timedelta

import pytest

from snapkit import AwsError, NotFound, SnapshotFailed, WaitTimeout
from snapkit.ebs.waiting import Estimate, Progress
from tests.ebs.ground import Field


def test_a_wait_ends_with_the_complete_snapshot(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    assert snapshot.wait() is snapshot
    assert snapshot.state == "completed"
    assert snapshot.completed_at is not None


def test_pain_1_ten_minute_waiter_a_wait_has_no_limit_of_its_own(field: Field) -> None:
    snapshot = field.new_volume(500, written=800_000).take_snapshot()
    snapshot.wait()
    assert snapshot.completed_at is not None
    assert snapshot.completed_at - snapshot.taken_at > timedelta(hours=2)


def test_a_wait_that_is_too_long_says_that_the_snapshot_goes_on(field: Field) -> None:
    region = field.region()
    snapshot = field.new_volume(written=16_000).take_snapshot()
    start = region.clock.now()
    with pytest.raises(WaitTimeout, match=r"is still pending at \d+ %; it goes on by itself") as caught:
        snapshot.wait("100s")
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.snapshot_id == snapshot.id
    assert timedelta(seconds=100) <= region.clock.now() - start < timedelta(seconds=102)
    assert snapshot.wait().state == "completed"


def test_no_time_at_all_is_a_look(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    with pytest.raises(WaitTimeout):
        snapshot.wait(0)
    field.clock.advance("1h")
    assert snapshot.wait(0).state == "completed"


def test_a_wait_that_was_killed_is_picked_up_by_a_new_region(field: Field) -> None:
    snapshot = field.new_volume(written=16_000).take_snapshot("big")
    seen: list[Progress] = []

    def killed(step: Progress) -> None:
        seen.append(step)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        snapshot.wait(on_progress=killed)
    (again,) = field.region().pending()
    assert (again.id, again.name) == (snapshot.id, "big")
    assert again.wait().state == "completed"
    assert len(field.region().pending()) == 0


def test_error_raises_with_the_reason_of_aws(field: Field) -> None:
    volume = field.new_volume()
    field.faults("CreateSnapshot", failing=1, message="The key is disabled.")
    snapshot = volume.take_snapshot()
    with pytest.raises(SnapshotFailed, match="The key is disabled; let its maker use the keys") as caught:
        snapshot.wait()
    assert (caught.value.snapshot_id, caught.value.reason) == (snapshot.id, "The key is disabled.")


def test_asyncio_waits_for_several_at_once(field: Field) -> None:
    taken = [field.new_volume(written=count).take_snapshot() for count in (100, 8000)]
    steps: list[Progress] = []

    async def main() -> None:
        await asyncio.gather(*(each.await_completion(on_progress=steps.append) for each in taken))

    asyncio.run(main())
    assert [each.state for each in taken] == ["completed", "completed"]
    assert {step.snapshot_id for step in steps} == {each.id for each in taken}


def test_asyncio_has_the_same_timeout(field: Field) -> None:
    snapshot = field.new_volume(written=16_000).take_snapshot()
    with pytest.raises(WaitTimeout):
        asyncio.run(snapshot.await_completion("1min"))


def test_a_new_id_that_is_hidden_does_not_end_a_wait(field: Field) -> None:
    volume = field.new_volume()
    field.faults("CreateSnapshot", hidden=3)
    assert volume.take_snapshot().wait().state == "completed"


def test_throttles_and_lost_answers_do_not_end_a_wait(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    field.faults("DescribeSnapshots", throttle=3, internal=2, unavailable=1, unreachable=2, lost=1)
    assert snapshot.wait().state == "completed"


def test_an_outage_ends_a_wait(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    field.faults("DescribeSnapshots", unreachable=1000)
    with pytest.raises(AwsError, match=r"DescribeSnapshots .*failed .NoAnswer.: no answer came"):
        snapshot.wait()


def test_a_snapshot_that_is_deleted_ends_a_wait(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    steps = snapshot.follow()
    next(steps)
    field.clock.advance("1h")
    field.ec2().delete_snapshot(SnapshotId=snapshot.id)
    with pytest.raises(NotFound):
        list(steps)


def test_pain_2_progress_jumps_no_estimate_is_said_without_a_history(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    step = next(snapshot.follow())
    assert (step.estimate, step.remaining) == (None, None)
    assert str(step) == f"{snapshot.id}: pending, {step.percent} %, 0 s so far; no estimate yet"


def test_pain_2_progress_jumps_the_estimate_comes_from_this_regions_history(field: Field) -> None:
    volume = field.new_volume()
    field.sandbox.fill(volume.id, 5)
    step = next(volume.take_snapshot().follow())
    assert step.estimate is not None
    assert step.estimate.basis == f"5 earlier snapshots of {volume.id}"
    assert step.remaining is not None
    assert 0 <= step.remaining[0] <= step.remaining[1]
    assert "; usually " in str(step)


def test_another_volume_is_estimated_from_the_region() -> None:
    assert Estimate.of([60, 120], "this region") is None
    estimate = Estimate.of([60, 120, 180], "this region")
    assert estimate is not None
    assert (estimate.low, estimate.likely, estimate.high) == (72, 120, 168)
    step = Progress("snap-1", "pending", 99, 200, estimate, 15)
    assert step.remaining == (0, 0)
    assert "longer than usual" in str(step)


def test_looks_are_rare_where_the_end_is_far(field: Field) -> None:
    volume = field.new_volume(100, written=160_000)
    first = volume.take_snapshot().wait()
    assert first.completed_at is not None
    for _ in range(2):
        field.sandbox.write(volume.id, 0, 160_000)
        volume.take_snapshot().wait()
    field.sandbox.write(volume.id, 0, 160_000)
    looks: list[Progress] = []
    last = volume.take_snapshot().wait(on_progress=looks.append)
    assert last.completed_at is not None
    assert len(looks) < (last.completed_at - last.taken_at).total_seconds() / 15 / 2
