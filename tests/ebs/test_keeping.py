"""Locks and the recycle bin."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from snapkit.access import Access
from snapkit.ebs import Snapshot
from snapkit.errors import AwsError, InUse, InvalidRequest, NotFound, NotPermitted, Throttled
from tests.ebs.ground import ESCAPED, HOSTILE, ZONE, Field


def taken(field: Field, **options: Any) -> Snapshot:
    return field.new_volume().take_snapshot(**options).wait()


def binned(field: Field, **options: Any) -> Snapshot:
    field.client("rbin").create_rule(
        ResourceType="EBS_SNAPSHOT", RetentionPeriod={"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    )
    field.clock.advance("1h")
    snapshot = taken(field, **options)
    snapshot.region.aws.call("DeleteSnapshot", snapshot.id, SnapshotId=snapshot.id)
    return snapshot


def test_governance_lock_holds_until_it_is_taken_off(field: Field) -> None:
    snapshot = taken(field)
    lock = snapshot.lock(duration="30d")
    assert lock.state == "governance"
    assert str(lock).endswith("in governance mode: whoever has the permission can take the lock off")
    assert lock.expires_at == field.clock.now() + timedelta(days=30)
    assert repr(lock) == f"<Lock: {lock}>"
    with pytest.raises(InUse):
        field.region().aws.call("DeleteSnapshot", snapshot.id, SnapshotId=snapshot.id)
    snapshot.unlock()
    assert snapshot.lock_state() is None


def test_lock_until_a_moment_ends_then(field: Field) -> None:
    snapshot = taken(field)
    until = field.clock.now() + timedelta(days=3)
    assert snapshot.lock(until=until).expires_at == until
    field.clock.advance("4d")
    held = snapshot.lock_state()
    assert held is not None
    assert not held.holds
    assert "expired" in str(held)


def test_lock_on_a_pending_snapshot_begins_when_it_is_complete(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    lock = snapshot.lock(duration="1d")
    assert lock.expires_at is None
    assert "begins when it is complete" in str(lock)
    snapshot.wait()
    held = snapshot.lock_state()
    assert held is not None
    assert snapshot.completed_at is not None
    assert held.expires_at == snapshot.completed_at + timedelta(days=1)


@pytest.mark.parametrize("confirm", [None, "yes", "snap-00000000000000000"])
def test_compliance_lock_needs_the_id_typed_once_more(field: Field, confirm: str | None) -> None:
    snapshot = taken(field)
    with pytest.raises(InvalidRequest, match="type the id"):
        snapshot.lock("compliance", duration="1d", confirm=confirm)
    assert snapshot.lock_state() is None


def test_compliance_lock_comes_off_only_while_it_cools_off(field: Field) -> None:
    snapshot = taken(field)
    lock = snapshot.lock("compliance", duration="30d", cool_off="24h", confirm=snapshot.id)
    assert lock.state == "compliance-cooloff"
    assert "never after" in str(lock)
    snapshot.unlock()
    snapshot.lock("compliance", duration="30d", cool_off="24h", confirm=snapshot.id)
    field.clock.advance("25h")
    with pytest.raises(InvalidRequest, match="nobody can take the lock off"):
        snapshot.unlock()


def test_compliance_lock_can_only_be_extended(field: Field) -> None:
    snapshot = taken(field)
    snapshot.lock("compliance", duration="30d", confirm=snapshot.id)
    with pytest.raises(InvalidRequest, match="no later end"):
        snapshot.lock("compliance", duration="29d", confirm=snapshot.id)
    with pytest.raises(InvalidRequest, match="cannot replace compliance"):
        snapshot.lock("governance", duration="90d")
    with pytest.raises(InvalidRequest, match="cannot be given once more"):
        snapshot.lock("compliance", duration="90d", cool_off="1h", confirm=snapshot.id)
    lock = snapshot.lock("compliance", duration="90d", confirm=snapshot.id)
    assert lock.expires_at == field.clock.now() + timedelta(days=90)


def test_the_end_of_a_lock_is_told_in_utc_whatever_zone_it_was_given_in(field: Field) -> None:
    snapshot = taken(field)
    snapshot.lock("compliance", duration="30d", confirm=snapshot.id)
    early = datetime(2026, 1, 20, 1, tzinfo=timezone(timedelta(hours=5)))
    with pytest.raises(InvalidRequest, match="end '2026-01-19 20:00 UTC' is no later end"):
        snapshot.lock("compliance", until=early, confirm=snapshot.id)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "both missing"),
        ({"duration": "1d", "until": datetime(2030, 1, 1, tzinfo=UTC)}, "both given"),
        ({"duration": "12h"}, "whole days"),
        ({"duration": "36501d"}, "whole days"),
        ({"until": datetime(2030, 1, 1)}, "time zone"),  # noqa: DTZ001 - what is refused
        ({"until": datetime(2020, 1, 1, tzinfo=UTC)}, "not in the future"),
        ({"mode": "strict", "duration": "1d"}, "is not known"),
        ({"duration": "1d", "cool_off": "1h"}, "not for governance"),
        ({"mode": "compliance", "duration": "1d", "cool_off": "73h"}, "whole hours"),
        ({"mode": "compliance", "duration": "1d", "cool_off": "90min"}, "whole hours"),
    ],
)
def test_lock_that_cannot_be_is_refused_before(field: Field, given: dict[str, Any], told: str) -> None:
    snapshot = taken(field)
    with pytest.raises(InvalidRequest, match=told):
        snapshot.lock(**given)
    assert snapshot.lock_state() is None


def test_unlocking_what_is_not_locked_is_refused_before(field: Field) -> None:
    with pytest.raises(InvalidRequest, match="is not locked"):
        taken(field).unlock()


def test_lock_on_a_failed_snapshot_is_refused_before(field: Field) -> None:
    field.faults("CreateSnapshot", failing=1)
    snapshot = field.new_volume().take_snapshot()
    field.clock.advance("12h")
    snapshot.refresh()
    with pytest.raises(InvalidRequest, match="in state error"):
        snapshot.lock(duration="1d")


def test_deleted_snapshot_comes_back_from_the_recycle_bin(field: Field) -> None:
    snapshot = binned(field, name="gold")
    bin_ = field.region().snapshots.in_recycle_bin()
    assert [each.id for each in bin_] == [snapshot.id]
    assert bin_[0].leaves_at == bin_[0].entered_at + timedelta(days=7)
    told = f"of {snapshot.volume_id}, gone at {bin_[0].leaves_at:%Y-%m-%d %H:%M} UTC"
    assert repr(bin_[0]) == f"<Binned {snapshot.id} {told}>"
    assert snapshot.restore_from_recycle_bin() is snapshot
    assert (snapshot.state, snapshot.name) == ("completed", "gold")
    assert len(field.region().snapshots.in_recycle_bin()) == 0


def test_recycle_bin_restores_by_id_and_from_its_listing(field: Field) -> None:
    snapshot = binned(field)
    assert field.region().snapshots.restore_from_recycle_bin(snapshot.id).state == "completed"
    snapshot.region.aws.call("DeleteSnapshot", snapshot.id, SnapshotId=snapshot.id)
    assert field.region().snapshots.in_recycle_bin()[0].restore().id == snapshot.id


def test_recycle_bin_says_when_it_does_not_have_a_snapshot(field: Field) -> None:
    snapshot = taken(field)
    with pytest.raises(NotFound, match=r"not in the Recycle Bin; see region.snapshots.in_recycle_bin\(\) for what"):
        field.region().snapshots.restore_from_recycle_bin(snapshot.id)
    with pytest.raises(InvalidRequest, match="'gold' is no id of a snapshot"):
        field.region().snapshots.restore_from_recycle_bin("gold")


def test_a_restore_whose_answer_was_lost_is_done(field: Field) -> None:
    snapshot = binned(field)
    field.faults("RestoreSnapshotFromRecycleBin", lost=1)
    assert snapshot.restore_from_recycle_bin().state == "completed"


def test_a_restore_that_aws_refuses_stays_in_the_bin(field: Field) -> None:
    snapshot = binned(field)
    field.faults("RestoreSnapshotFromRecycleBin", throttle=20)
    with pytest.raises(Throttled):
        snapshot.restore_from_recycle_bin()
    field.sandbox.faults.clear()
    field.faults("RestoreSnapshotFromRecycleBin", unreachable=20)
    with pytest.raises(AwsError, match="no answer came"):
        snapshot.restore_from_recycle_bin()
    field.sandbox.faults.clear()
    assert len(field.region().snapshots.in_recycle_bin()) == 1


def test_what_one_may_not_delete_one_may_not_bring_back(field: Field) -> None:
    snapshot = binned(field)
    snapshot.region.access = Access("bob", {"web": ""}, [])
    with pytest.raises(NotPermitted, match="Snapshot: Delete"):
        snapshot.restore_from_recycle_bin()
    assert len(field.region().snapshots.in_recycle_bin()) == 1


def test_recycle_bin_shows_descriptions_literally(field: Field) -> None:
    binned(field, description=HOSTILE)
    listing = field.region().snapshots.in_recycle_bin()
    assert ESCAPED in listing._repr_html_()
    assert HOSTILE not in listing._repr_html_()
    frame = listing.to_frame()
    assert frame["description"][0] == HOSTILE
    assert str(frame["leaves_at"].dtype) == "datetime64[ms, UTC]"


def test_a_lost_answer_to_a_change_that_took_effect_is_no_refusal(field: Field) -> None:
    volume = field.new_volume()
    snapshot = volume.take_snapshot().wait()
    volume.take_snapshot().wait()
    snapshot.lock(duration="1d")
    field.faults("UnlockSnapshot", lost=1)
    snapshot.unlock()
    assert snapshot.lock_state() is None
    snapshot.enable_fast_restore([ZONE])
    field.faults("DisableFastSnapshotRestores", lost=1)
    snapshot.disable_fast_restore()
    field.sandbox.clock.advance("1d")
    field.faults("ModifySnapshotTier", lost=1)
    assert snapshot.archive(confirm=snapshot.id).tier_status().moving
    field.sandbox.clock.advance("4d")
    field.faults("RestoreSnapshotTier", lost=1)
    assert snapshot.restore_from_archive(3).tier_status().moving
