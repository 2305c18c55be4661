"""A wait lasts as long as it takes, says how far it is, and can be picked up again."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from IPython.lib import pretty

from snapkit import AccessDenied, AwsError, NotFound, Sandbox, SnapshotFailed, WaitTimeout
from snapkit.ebs import Region, Snapshot
from snapkit.ebs.estimating import Estimate
from snapkit.ebs.waiting import Progress
from tests.ebs.ground import Field
from tests.ebs.test_blockers import calls_of

GOES_ON = "it goes on by itself: wait again, or see region.pending()"


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


def test_an_outage_ends_a_wait_after_half_an_hour_and_says_that_the_snapshot_goes_on(field: Field) -> None:
    snapshot = field.new_volume(100, written=160_000).take_snapshot()
    field.faults("DescribeSnapshots", unreachable=1000)
    with pytest.raises(AwsError, match=r"DescribeSnapshots .*failed .NoAnswer.: no answer came") as caught:
        snapshot.wait()
    assert caught.value.__notes__ == [f"{snapshot.id}: {GOES_ON}"]
    assert timedelta(minutes=25) < field.region().clock.now() - snapshot.taken_at < timedelta(minutes=45)
    field.sandbox.faults.clear()
    assert snapshot.wait().state == "completed"


def test_throttles_do_not_end_a_wait_however_long_they_last(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    field.faults("DescribeSnapshots", throttle=60)
    steps: list[Progress] = []
    assert snapshot.wait(on_progress=steps.append).state == "completed"
    assert [step.unseen for step in steps[:3]] == [1, 2, 3]
    assert [step.again_in for step in steps[:6]] == [30, 60, 120, 240, 300, 300]
    assert ", 2 looks failed; no estimate yet" in str(steps[1])
    assert ", 1 look failed; " in str(steps[0])


def test_throttles_do_not_hold_up_a_timeout(field: Field) -> None:
    snapshot = field.new_volume(written=16_000).take_snapshot()
    field.faults("DescribeSnapshots", throttle=1000)
    start = field.region().clock.now()
    with pytest.raises(WaitTimeout, match=r"is still pending at 0 %; it goes on by itself"):
        snapshot.wait("10min")
    assert timedelta(minutes=10) <= field.region().clock.now() - start < timedelta(minutes=12)


def test_a_login_that_ran_out_says_that_the_snapshot_goes_on() -> None:
    region = Sandbox().region()
    snapshot = region.volumes.create("us-east-1a", "8 GiB").take_snapshot()

    def expired(*_: Any, **__: Any) -> Any:
        raise AccessDenied("RequestExpired", "DescribeSnapshots", "Request has expired.", snapshot.id)

    region.aws.call = expired  # type: ignore[method-assign]
    with pytest.raises(AccessDenied, match="Request has expired") as caught:
        snapshot.wait()
    assert caught.value.__notes__ == [f"{snapshot.id}: {GOES_ON}"]


def test_a_snapshot_that_is_deleted_ends_a_wait_and_says_so(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    steps = snapshot.follow()
    next(steps)
    field.clock.advance("1h")
    field.ec2().delete_snapshot(SnapshotId=snapshot.id)
    with pytest.raises(NotFound, match=r"it was deleted, .*; see region\.snapshots\.in_recycle_bin\(\)") as caught:
        list(steps)
    assert caught.value.about == snapshot.id


def test_a_snapshot_that_was_deleted_long_ago_is_not_waited_for(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot().wait()
    field.ec2().delete_snapshot(SnapshotId=snapshot.id)
    start = field.region().clock.now()
    with pytest.raises(NotFound, match="it was deleted") as caught:
        snapshot.wait()
    assert field.region().clock.now() == start
    assert not hasattr(caught.value, "__notes__")


def test_a_snapshot_that_lies_in_the_recycle_bin_is_not_waited_for() -> None:
    region = Sandbox().region()
    snapshot = region.volumes.create("us-east-1a", "8 GiB").take_snapshot()
    raw = {**snapshot.raw, "State": "recoverable"}
    region.aws.call = lambda *_, **__: {"Snapshots": [raw]}  # type: ignore[method-assign]
    with pytest.raises(NotFound, match="it lies in the recycle bin; it was deleted"):
        snapshot.wait()


def test_a_complete_snapshot_is_looked_at_once_and_not_estimated(field: Field) -> None:
    volume = field.new_volume()
    field.sandbox.fill(volume.id, 5)
    snapshot = field.region().snapshots.find()[0]
    with calls_of(snapshot.region) as calls:
        snapshot.wait()
    assert len(calls) == 1


def test_a_wait_asks_for_its_estimate_once(field: Field) -> None:
    volume = field.new_volume(written=16_000)
    field.sandbox.fill(volume.id, 5)
    field.sandbox.write(volume.id, 0, 16_000)
    snapshot = volume.take_snapshot()
    with calls_of(snapshot.region) as calls:
        for _ in range(3):
            with pytest.raises(WaitTimeout):
                snapshot.wait("1min")
        snapshot.wait()
    assert sum("SnapshotIds" not in params for _, params in calls) <= 2
    assert len(calls) > 10


def test_a_wait_goes_on_where_nothing_may_be_listed() -> None:
    region = Sandbox().region()
    snapshot = region.volumes.create("us-east-1a", "8 GiB").take_snapshot()
    call = region.aws.call

    def one_only(operation: str, about: str = "", **params: Any) -> dict[str, Any]:
        if "SnapshotIds" not in params:
            raise AccessDenied("UnauthorizedOperation", operation, "no")
        return call(operation, about, **params)

    region.aws.call = one_only  # type: ignore[method-assign]
    assert next(snapshot.follow()).estimate is None
    assert snapshot.wait().state == "completed"


# -- a clock that is wrong


class Behind:
    """The clock of a sandbox, of which somebody sets what it tells back while one sleeps."""

    def __init__(self, sandbox: Sandbox, back: timedelta) -> None:
        self.sandbox, self.back, self.told = sandbox, back, timedelta()

    def now(self) -> datetime:
        return self.sandbox.clock.now() - self.told

    def sleep(self, duration: Any) -> None:
        self.sandbox.clock.sleep(duration)
        self.told = self.back

    async def asleep(self, duration: Any) -> None:
        self.sleep(duration)


def behind(back: timedelta, written: int = 16_000) -> tuple[Sandbox, Behind, Snapshot]:
    sandbox = Sandbox()
    volume = sandbox.region().volumes.create("us-east-1a", "8 GiB")
    sandbox.write(volume.id, 0, written)
    clock = Behind(sandbox, back)
    region = Region(sandbox.client("ec2"), clock=clock, clients=sandbox.client)
    return sandbox, clock, region.volumes.get(volume.id).take_snapshot()


def test_a_clock_that_is_set_back_does_not_lengthen_a_wait() -> None:
    sandbox, _, snapshot = behind(timedelta(hours=5))
    start = sandbox.clock.now()
    with pytest.raises(WaitTimeout):
        snapshot.wait("100s")
    assert timedelta(seconds=100) <= sandbox.clock.now() - start < timedelta(seconds=116)
    steps: list[Progress] = []
    assert snapshot.wait(on_progress=steps.append).state == "completed"
    assert {step.elapsed for step in steps} == {0.0}


def test_a_clock_that_is_behind_does_not_wait_for_ever_for_what_is_gone() -> None:
    sandbox, clock, snapshot = behind(timedelta(hours=5), written=100)
    sandbox.clock.advance("1h")
    sandbox.client("ec2").delete_snapshot(SnapshotId=snapshot.id)
    clock.told = clock.back
    start = sandbox.clock.now()
    with pytest.raises(NotFound, match="it was deleted"):
        snapshot.wait()
    assert sandbox.clock.now() - start < timedelta(minutes=5)


# -- an interrupted wait


def test_an_interrupted_wait_says_how_to_go_on_and_can_be_picked_up() -> None:
    _, clock, snapshot = behind(timedelta())

    def interrupted(duration: Any) -> None:
        raise KeyboardInterrupt

    sleep = clock.sleep
    clock.sleep = interrupted  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt) as caught:
        snapshot.wait()
    assert caught.value.__notes__ == [f"{snapshot.id}: {GOES_ON}"]
    clock.sleep = sleep  # type: ignore[method-assign]
    (again,) = snapshot.region.pending()
    assert again.wait().state == "completed"


def test_a_task_that_is_cancelled_says_how_to_go_on() -> None:
    _, clock, snapshot = behind(timedelta())

    async def asleep(duration: Any) -> None:
        await asyncio.sleep(3600)

    clock.asleep = asleep  # type: ignore[method-assign]

    async def main() -> list[str]:
        task = asyncio.create_task(snapshot.await_completion())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        return list(caught.value.__notes__)

    assert asyncio.run(main()) == [f"{snapshot.id}: {GOES_ON}"]


# -- the estimate


def test_pain_2_progress_jumps_no_estimate_is_said_without_a_history(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    step = next(snapshot.follow())
    assert (step.estimate, step.remaining) == (None, None)
    assert str(step) == f"{snapshot.id}: pending, {step.percent} %, 0 s so far; no estimate yet"


def test_pain_2_progress_jumps_the_rest_has_a_band_from_this_regions_history(field: Field) -> None:
    volume = field.new_volume()
    field.sandbox.fill(volume.id, 5)
    snapshot = volume.take_snapshot()
    steps = list[Progress]()
    snapshot.wait(on_progress=steps.append)
    first = steps[0]
    assert first.estimate is not None
    assert first.estimate.basis == f"on 4 earlier snapshots of {volume.id}"
    assert first.remaining is not None
    assert 0 < first.remaining[0] <= first.remaining[1]
    assert str(first).endswith(f" to go, modelled on 4 earlier snapshots of {volume.id}")
    assert str(steps[-1]) == f"{snapshot.id}: completed, 100 %, {steps[-1].elapsed / 60:.2f} min so far"


def test_a_step_and_an_estimate_show_themselves_in_words(field: Field) -> None:
    volume = field.new_volume()
    field.sandbox.fill(volume.id, 6)
    step = next(volume.take_snapshot().follow())
    write: Any = pretty.pretty
    assert write(step) == str(step)
    assert write(step.estimate) == str(step.estimate)
    assert str(step.estimate).endswith(f", modelled on 5 earlier snapshots of {volume.id}")


def test_what_takes_longer_than_nine_in_ten_is_said_to() -> None:
    guess = Estimate(60, 120, 180, "on 9 earlier snapshots of vol-1")
    step = Progress("snap-1", "pending", 99, 200, guess, 15)
    assert str(step) == (
        "snap-1: pending, 99 %, 3.33 min so far; longer than usual "
        "(1 min to 3 min, modelled on 9 earlier snapshots of vol-1)"
    )
    assert step.remaining is not None
    assert 0 < step.remaining[0] < step.remaining[1] < 180


def test_looks_are_rare_where_the_end_is_far(field: Field) -> None:
    volume = field.new_volume(100, written=160_000)
    first = volume.take_snapshot().wait()
    assert first.completed_at is not None
    for _ in range(3):
        field.sandbox.write(volume.id, 0, 160_000)
        volume.take_snapshot().wait()
    field.sandbox.write(volume.id, 0, 160_000)
    looks: list[Progress] = []
    last = volume.take_snapshot().wait(on_progress=looks.append)
    assert last.completed_at is not None
    assert len(looks) < (last.completed_at - last.taken_at).total_seconds() / 15 / 2
