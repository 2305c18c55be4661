"""A snapshot is begun once, whatever happens on the way."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest

from snapkit import AwsError, OutcomeUnknown, Throttled
from snapkit.ebs.taking import HIDDEN_FOR, PATIENCE
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
