"""A snapshot is begun once, whatever happens on the way."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from snapkit import AwsError, InvalidRequest, LimitExceeded, OutcomeUnknown, Sandbox, Throttled
from snapkit.ebs import Region, Snapshot, Volume
from snapkit.ebs.taking import HIDDEN_FOR, PATIENCE
from snapkit.units import Duration
from tests.ebs.ground import Field


def test_pain_3_no_idempotency_a_lost_answer_makes_no_second_snapshot(field: Field) -> None:
    volume = field.new_volume()
    field.faults("CreateSnapshot", lost=1)
    snapshot = volume.take_snapshot("nightly")
    assert [each.id for each in field.region().snapshots.find()] == [snapshot.id]
    assert (snapshot.name, snapshot.volume_id) == ("nightly", volume.id)
    assert field.count() == 1


def test_a_lost_answer_is_looked_for_while_the_new_id_is_hidden(field: Field) -> None:
    volume = field.new_volume()
    before = volume.take_snapshot("before")
    field.faults("CreateSnapshot", lost=1, hidden=4)
    snapshot = volume.take_snapshot("after")
    assert snapshot.name == "after"
    assert snapshot.id != before.id
    assert field.count() == 2


def test_a_lost_answer_of_a_set_waits_for_all_of_it(field: Field) -> None:
    server = field.new_server(data_volumes=2)
    field.faults("CreateSnapshots", lost=1, hidden=2)
    assert len(server.take_snapshots("set")) == 3
    assert field.count() == 3


def test_look_ups_that_fail_too_do_not_end_the_look(field: Field) -> None:
    volume = field.new_volume()
    field.faults("CreateSnapshot", lost=1)
    field.faults("DescribeSnapshots", throttle=4)
    assert volume.take_snapshot().volume_id == volume.id
    assert field.count() == 1


@pytest.mark.parametrize("kind", ["unreachable", "internal", "unavailable"])
def test_what_cannot_be_found_out_is_said_and_not_tried_again(field: Field, kind: str) -> None:
    volume, clock = field.new_volume(), field.region().clock
    start = clock.now()
    field.faults("CreateSnapshot", **{kind: 1})
    with pytest.raises(OutcomeUnknown, match=f"what became of CreateSnapshot of {volume.id} is unknown") as caught:
        volume.take_snapshot()
    assert len(caught.value.token) == 16
    assert caught.value.token in str(caught.value)
    assert clock.now() - start >= timedelta(seconds=HIDDEN_FOR)
    assert field.count() == 0


def test_a_refusal_is_passed_on_and_the_volume_need_not_rest(field: Field) -> None:
    volume, clock = field.new_volume(), field.region().clock
    gone = field.region().volumes.get(volume.id)
    volume.delete()
    start = clock.now()
    for _ in range(2):
        with pytest.raises(AwsError, match=r"InvalidVolume.NotFound"):
            gone.take_snapshot()
    assert clock.now() == start


def test_a_throttled_creation_is_tried_again(field: Field) -> None:
    volume = field.new_volume()
    field.faults("CreateSnapshot", throttle=3)
    assert volume.take_snapshot().state == "pending"
    assert field.count() == 1


def test_patience_with_throttling_ends(field: Field) -> None:
    volume, clock = field.new_volume(), field.region().clock
    start = clock.now()
    field.faults("CreateSnapshot", throttle=1000)
    with pytest.raises(Throttled, match="wait a little and try again"):
        volume.take_snapshot()
    assert timedelta(seconds=PATIENCE) < clock.now() - start < timedelta(seconds=PATIENCE + 60)


def test_pain_4_per_volume_rate_snapshots_of_a_volume_are_15_seconds_apart(field: Field) -> None:
    volume, other = field.new_volume(), field.new_volume()
    first, second, elsewhere = volume.take_snapshot(), volume.take_snapshot(), other.take_snapshot()
    assert second.taken_at - first.taken_at == timedelta(seconds=15)
    assert elsewhere.taken_at == second.taken_at


def test_pain_4_per_volume_rate_of_somebody_else_is_waited_for(field: Field) -> None:
    volume = field.new_volume()
    field.ec2().create_snapshot(VolumeId=volume.id)
    taken = volume.take_snapshot()
    newest, oldest = field.region().snapshots.find()
    assert newest == taken or newest.id == taken.id
    assert newest.taken_at - oldest.taken_at >= timedelta(seconds=15)


def test_threads_take_snapshots_of_a_volume_in_turn(field: Field) -> None:
    volume = field.new_volume()
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda number: volume.take_snapshot(str(number)), range(4)))
    times = sorted(each.taken_at for each in taken)
    assert all(later - earlier >= timedelta(seconds=15) for earlier, later in pairwise(times))
    assert field.count() == 4


@pytest.mark.parametrize(("kind", "gib", "most"), [("gp3", 8, 5), ("st1", 125, 1)])
def test_pain_5_concurrency_quotas_one_more_of_a_volume_waits_its_turn(
    field: Field, kind: str, gib: int, most: int
) -> None:
    volume = field.new_volume(gib, written=100, volume_type=kind)
    taken = [volume.take_snapshot() for _ in range(most + 1)]
    first, last = taken[0].refresh(), taken[-1]
    assert first.completed_at is not None
    assert last.taken_at >= first.completed_at
    assert sum(each.refresh().state == "pending" for each in taken) <= most
    assert field.count() == most + 1


def test_pain_5_concurrency_quotas_a_region_full_of_pending_ones_is_waited_for(field: Field) -> None:
    volumes = [field.new_volume(written=100) for _ in range(25)]
    taken = [volume.take_snapshot() for _ in range(4) for volume in volumes]
    assert {each.refresh().state for each in taken} == {"pending"}
    one_more = field.new_volume().take_snapshot()
    first = taken[0].refresh()
    assert first.completed_at is not None
    assert one_more.taken_at >= first.completed_at
    assert field.count() == 101


def test_pain_5_concurrency_quotas_the_21st_copy_waits_its_turn(field: Field) -> None:
    source = field.new_volume().take_snapshot().wait()
    away = field.region("eu-west-1")
    copies = [source.copy_to(away) for _ in range(21)]
    first = copies[0].refresh()
    assert first.completed_at is not None
    assert copies[-1].taken_at >= first.completed_at


def piled_up(field: Field) -> tuple[Volume, list[Snapshot]]:
    """Begin as many snapshots of a volume as may be pending, of hours each."""
    volume, taken = field.new_volume(500), list[Snapshot]()
    for _ in range(5):
        field.sandbox.write(volume.id, 0, 800_000)
        taken.append(volume.take_snapshot())
    return volume, taken


def test_pain_5_concurrency_quotas_what_cannot_be_waited_for_is_told_with_what_is_in_progress(field: Field) -> None:
    volume, taken = piled_up(field)
    region, clock = volume.region, field.region().clock
    start = clock.now()
    with pytest.raises(LimitExceeded, match=r"in-progress snapshots .* exceeded, still after 5 min") as caught:
        volume.take_snapshot()
    assert timedelta(seconds=PATIENCE) < clock.now() - start < timedelta(seconds=PATIENCE + 60)
    assert caught.value.remedy.startswith("in progress: ")
    assert f"{taken[0].id} (" in caught.value.remedy
    assert "region.taking.patience" in caught.value.remedy
    assert field.count() == 5
    region.taking.patience = "12h"
    assert volume.take_snapshot().state == "pending"


def test_of_many_in_progress_five_are_named(field: Field) -> None:
    source = field.new_volume(100, written=160_000).take_snapshot().wait()
    away = field.region("eu-west-1")
    for _ in range(20):
        source.copy_to(away)
    away.taking.patience = 10
    with pytest.raises(LimitExceeded, match=r"still after 10 s; in progress: .*, 15 more; wait for one of them"):
        source.copy_to(away)


def test_a_quota_that_does_not_pass_is_told_at_once() -> None:
    region = Sandbox().region()
    volume = region.volumes.create("us-east-1a", "8 GiB")
    start = region.clock.now()

    def full(operation: str, about: str = "", **_: object) -> dict[str, object]:
        raise LimitExceeded("SnapshotLimitExceeded", operation, "You have too many snapshots", about)

    region.aws.call = full  # type: ignore[method-assign]
    with pytest.raises(LimitExceeded, match="too many snapshots"):
        volume.take_snapshot()
    assert region.clock.now() == start


def test_a_listing_that_fails_does_not_hide_the_quota(field: Field) -> None:
    volume, _ = piled_up(field)
    field.faults("DescribeSnapshots", unreachable=100)
    with pytest.raises(LimitExceeded, match="in progress: nothing that could be listed"):
        volume.take_snapshot()


def test_a_clock_that_is_set_back_does_not_hold_up_a_snapshot() -> None:
    sandbox = Sandbox()
    volume = sandbox.region().volumes.create("us-east-1a", "8 GiB")

    class Back:
        hours = 0

        def now(self) -> datetime:
            return sandbox.clock.now() - timedelta(hours=self.hours)

        def sleep(self, duration: Duration) -> None:
            sandbox.clock.sleep(duration)

        async def asleep(self, duration: Duration) -> None:
            raise NotImplementedError

    clock = Back()
    volume = Region(sandbox.client("ec2"), clock=clock).volumes.get(volume.id)
    volume.take_snapshot()
    clock.hours = 5
    start = sandbox.clock.now()
    volume.take_snapshot()
    assert sandbox.clock.now() - start == timedelta(seconds=15)


def test_without_patience_a_quota_is_told_at_once(field: Field) -> None:
    volume, _ = piled_up(field)
    volume.region.taking.patience = 0
    start = field.region().clock.now()
    with pytest.raises(LimitExceeded, match="still after 0 s"):
        volume.take_snapshot()
    # The volume has to rest between two tries.
    assert field.region().clock.now() - start <= timedelta(seconds=15)
    with pytest.raises(InvalidRequest, match="patience 'long' is not a time span"):
        volume.region.taking.patience = "long"
