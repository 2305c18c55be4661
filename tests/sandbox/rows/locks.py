"""Rules about locks on snapshots."""

from datetime import timedelta
from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
LOCK = "EBS user guide, Amazon EBS snapshot lock, "
API = "EC2 API reference, LockSnapshot"
UNKNOWN = "snap-0123456789abcdef0"


def locked(ground: Ground, snapshot_id: str) -> dict[str, Any]:
    """Describe the lock of one snapshot."""
    found = ground.ec2().describe_locked_snapshots(SnapshotIds=[snapshot_id])["Snapshots"]
    return dict(found[0])


def lock(ground: Ground, snapshot_id: str, mode: str = "governance", **more: Any) -> dict[str, Any]:
    """Lock a snapshot, for ten days where nothing is said."""
    until = {} if "ExpirationDate" in more or "LockDuration" in more else {"LockDuration": 10}
    return dict(ground.ec2().lock_snapshot(SnapshotId=snapshot_id, LockMode=mode, **until, **more))


def deletion_is_refused(ground: Ground, snapshot_id: str) -> None:
    refused("SnapshotLocked", lambda: ground.ec2().delete_snapshot(SnapshotId=snapshot_id), snapshot_id)
    assert ground.shown(snapshot_id)["State"] == "completed"


@ROWS.row("AWS CLI reference, lock-snapshot, example 1")
def governance_shows_duration_start_and_end(ground: Ground) -> None:
    snapshot, now = ground.snapshot(), ground.clock.now()
    answer = lock(ground, snapshot)
    del answer["ResponseMetadata"]
    assert answer == {
        "SnapshotId": snapshot,
        "LockState": "governance",
        "LockDuration": 10,
        "LockCreatedOn": now,
        "LockDurationStartTime": now,
        "LockExpiresOn": now + timedelta(days=10),
    }
    assert locked(ground, snapshot) == {"OwnerId": ground.accounts[0], **answer}


@ROWS.row("AWS CLI reference, lock-snapshot, example 2")
def compliance_begins_with_its_cooling_off_period(ground: Ground) -> None:
    snapshot, now = ground.snapshot(), ground.clock.now()
    answer = lock(ground, snapshot, "compliance", CoolOffPeriod=24)
    assert (answer["LockState"], answer["CoolOffPeriod"]) == ("compliance-cooloff", 24)
    assert answer["CoolOffPeriodExpiresOn"] == now + timedelta(days=1)
    ground.clock.advance("23h 59min")
    assert locked(ground, snapshot)["LockState"] == "compliance-cooloff"
    ground.clock.advance("1min")
    assert locked(ground, snapshot)["LockState"] == "compliance"
    ground.clock.advance("9d")
    assert locked(ground, snapshot)["LockState"] == "expired"


@ROWS.row(LOCK + "cooling-off period")
def compliance_without_a_cooling_off_period_holds_at_once(ground: Ground) -> None:
    snapshot = ground.snapshot()
    assert lock(ground, snapshot, "compliance")["LockState"] == "compliance"
    refused("OperationNotPermitted", lambda: ground.ec2().unlock_snapshot(SnapshotId=snapshot), "compliance")
    assert locked(ground, snapshot)["LockState"] == "compliance"


@ROWS.row(LOCK + "lock mode")
def a_locked_snapshot_is_deleted_only_when_the_lock_has_expired(ground: Ground) -> None:
    governed, complying, cooling = ground.snapshot(), ground.snapshot(), ground.snapshot()
    lock(ground, governed)
    lock(ground, complying, "compliance")
    lock(ground, cooling, "compliance", CoolOffPeriod=72)
    for snapshot in (governed, complying, cooling):
        deletion_is_refused(ground, snapshot)
    ground.clock.advance("9d 23h")
    for snapshot in (governed, complying, cooling):
        deletion_is_refused(ground, snapshot)
    ground.clock.advance("1h")
    for snapshot in (governed, complying, cooling):
        ground.ec2().delete_snapshot(SnapshotId=snapshot)
    assert ground.ec2().describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    assert ground.ec2().describe_locked_snapshots()["Snapshots"] == []


@ROWS.row("EC2 API reference, UnlockSnapshot")
def governance_can_be_unlocked_at_any_time(ground: Ground) -> None:
    snapshot = ground.snapshot()
    lock(ground, snapshot)
    assert ground.ec2().unlock_snapshot(SnapshotId=snapshot)["SnapshotId"] == snapshot
    assert ground.ec2().describe_locked_snapshots()["Snapshots"] == []
    ground.ec2().delete_snapshot(SnapshotId=snapshot)
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(snapshot))


@ROWS.row("EC2 API reference, UnlockSnapshot")
def compliance_can_be_unlocked_only_while_cooling_off(ground: Ground) -> None:
    ec2, early, late = ground.ec2(), ground.snapshot(), ground.snapshot()
    for snapshot in (early, late):
        lock(ground, snapshot, "compliance", CoolOffPeriod=2)
    ground.clock.advance("1h 59min")
    ec2.unlock_snapshot(SnapshotId=early)
    ground.clock.advance("1min")
    refused("OperationNotPermitted", lambda: ec2.unlock_snapshot(SnapshotId=late), "compliance")
    assert [each["SnapshotId"] for each in ec2.describe_locked_snapshots()["Snapshots"]] == [late]


@ROWS.row(LOCK + "lock duration")
def a_lock_can_end_at_a_date(ground: Ground) -> None:
    snapshot, until = ground.snapshot(), ground.clock.now() + timedelta(days=3)
    answer = lock(ground, snapshot, ExpirationDate=until)
    assert answer["LockExpiresOn"] == until
    assert "LockDuration" not in answer
    deletion_is_refused(ground, snapshot)
    ground.clock.advance("3d")
    assert locked(ground, snapshot)["LockState"] == "expired"


@ROWS.row(LOCK + "considerations")
def the_duration_of_a_pending_snapshot_begins_when_it_is_complete(ground: Ground) -> None:
    ec2 = ground.ec2()
    snapshot = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    answer = lock(ground, snapshot, LockDuration=1)
    assert answer["LockState"] == "governance"
    assert "LockExpiresOn" not in answer
    assert "LockDurationStartTime" not in answer
    refused("SnapshotLocked", lambda: ec2.delete_snapshot(SnapshotId=snapshot))
    ground.clock.advance("12h")
    done, found = ground.shown(snapshot)["CompletionTime"], locked(ground, snapshot)
    assert found["LockDurationStartTime"] == done
    assert found["LockExpiresOn"] == done + timedelta(days=1)
    ground.clock.advance("13h")
    ec2.delete_snapshot(SnapshotId=snapshot)


@ROWS.row(LOCK + "considerations")
def a_lock_until_a_date_holds_for_a_pending_snapshot_at_once(ground: Ground) -> None:
    snapshot = ground.ec2().create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    until = ground.clock.now() + timedelta(days=1)
    assert lock(ground, snapshot, ExpirationDate=until)["LockExpiresOn"] == until
    ground.clock.advance("12h")
    assert locked(ground, snapshot)["LockExpiresOn"] == until


@ROWS.row(LOCK + "considerations")
def a_failed_snapshot_loses_its_lock_and_takes_none(ground: Ground) -> None:
    ground.sandbox.faults.add("CreateSnapshot", failing=1)
    ec2 = ground.ec2()
    snapshot = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    lock(ground, snapshot)
    ground.clock.advance("12h")
    assert ec2.describe_locked_snapshots()["Snapshots"] == []
    refused("IncorrectState", lambda: lock(ground, snapshot), snapshot)
    ec2.delete_snapshot(SnapshotId=snapshot)


@ROWS.row(LOCK + "update settings")
def governance_can_be_made_shorter_longer_and_compliance(ground: Ground) -> None:
    snapshot, began = ground.snapshot(), ground.clock.now()
    lock(ground, snapshot)
    ground.clock.advance("1d")
    for days in (2, 30):
        found = lock(ground, snapshot, LockDuration=days)
        assert found["LockCreatedOn"] == began
        assert found["LockExpiresOn"] == began + timedelta(days=1 + days)
    assert lock(ground, snapshot, "compliance", CoolOffPeriod=1)["LockState"] == "compliance-cooloff"


@ROWS.row(LOCK + "update settings")
def everything_can_be_changed_while_cooling_off(ground: Ground) -> None:
    snapshot, began = ground.snapshot(), ground.clock.now()
    lock(ground, snapshot, "compliance", CoolOffPeriod=24)
    ground.clock.advance("1h")
    assert lock(ground, snapshot, "compliance", LockDuration=1)["CoolOffPeriodExpiresOn"] == began + timedelta(days=1)
    longer = lock(ground, snapshot, "compliance", CoolOffPeriod=48)
    assert longer["CoolOffPeriodExpiresOn"] == began + timedelta(hours=49)
    governed = lock(ground, snapshot)
    assert governed["LockState"] == "governance"
    assert "CoolOffPeriod" not in governed
    ground.ec2().unlock_snapshot(SnapshotId=snapshot)


@ROWS.row(LOCK + "update settings")
def compliance_can_only_be_extended(ground: Ground) -> None:
    snapshot, began = ground.snapshot(), ground.clock.now()
    lock(ground, snapshot, "compliance", CoolOffPeriod=1)
    ground.clock.advance("1h")
    refused("OperationNotPermitted", lambda: lock(ground, snapshot, LockDuration=100), "mode")
    refused("OperationNotPermitted", lambda: lock(ground, snapshot, "compliance", LockDuration=9), "longer")
    sooner = began + timedelta(days=9)
    refused("OperationNotPermitted", lambda: lock(ground, snapshot, "compliance", ExpirationDate=sooner), "longer")
    same = began + timedelta(days=10)
    refused("OperationNotPermitted", lambda: lock(ground, snapshot, "compliance", ExpirationDate=same), "longer")
    refused(
        "InvalidParameterCombination", lambda: lock(ground, snapshot, "compliance", LockDuration=99, CoolOffPeriod=1)
    )
    assert locked(ground, snapshot)["LockExpiresOn"] == same
    longer = lock(ground, snapshot, "compliance", LockDuration=11)
    assert (longer["LockState"], longer["CoolOffPeriod"]) == ("compliance", 1)
    assert longer["LockExpiresOn"] == began + timedelta(days=11, hours=1)


@ROWS.row(LOCK + "update settings")
def compliance_on_a_pending_snapshot_can_only_be_extended(ground: Ground) -> None:
    snapshot = ground.ec2().create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    lock(ground, snapshot, "compliance")
    refused("OperationNotPermitted", lambda: lock(ground, snapshot, "compliance", LockDuration=9))
    lock(ground, snapshot, "compliance", LockDuration=11)
    ground.clock.advance("12h")
    done = ground.shown(snapshot)["CompletionTime"]
    assert locked(ground, snapshot)["LockExpiresOn"] == done + timedelta(days=11)


@ROWS.row(LOCK + "lock state")
def an_expired_lock_can_be_followed_by_any_other(ground: Ground) -> None:
    snapshot = ground.snapshot()
    lock(ground, snapshot, "compliance", LockDuration=1)
    ground.clock.advance("1d")
    refused("IncorrectState", lambda: ground.ec2().unlock_snapshot(SnapshotId=snapshot), "not locked")
    found = lock(ground, snapshot, LockDuration=1)
    assert (found["LockState"], found["LockCreatedOn"]) == ("governance", ground.clock.now())


@ROWS.row("EC2 API reference, DescribeLockedSnapshots")
def locks_are_listed_by_state_and_in_pages(ground: Ground) -> None:
    ec2 = ground.ec2()
    snapshots = [ground.snapshot() for _ in range(7)]
    for snapshot in reversed(snapshots[1:]):
        lock(ground, snapshot)
    lock(ground, snapshots[1], "compliance")
    governed = [{"Name": "lock-state", "Values": ["governance", "expired"]}]
    found = ec2.describe_locked_snapshots(Filters=governed)["Snapshots"]
    assert [each["SnapshotId"] for each in found] == snapshots[2:]
    first = ec2.describe_locked_snapshots(MaxResults=5)
    second = ec2.describe_locked_snapshots(MaxResults=5, NextToken=first["NextToken"])
    shown = [each["SnapshotId"] for each in first["Snapshots"] + second["Snapshots"]]
    assert (shown, second.get("NextToken")) == (snapshots[1:], None)
    assert ec2.describe_locked_snapshots(SnapshotIds=[snapshots[0]])["Snapshots"] == []
    assert ground.ec2(account=1).describe_locked_snapshots()["Snapshots"] == []


@ROWS.row(LOCK + "considerations")
def a_locked_snapshot_can_be_archived_and_an_archived_one_locked(ground: Ground) -> None:
    ec2, first, second = ground.ec2(), ground.snapshot(), ground.snapshot()
    lock(ground, first)
    for snapshot in (first, second):
        ec2.modify_snapshot_tier(SnapshotId=snapshot)
    ground.clock.advance("72h")
    lock(ground, second)
    for snapshot in (first, second):
        assert ground.shown(snapshot)["StorageTier"] == "archive"
        deletion_is_refused(ground, snapshot)


@ROWS.row(LOCK + "overview")
def a_locked_snapshot_can_be_used(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), ground.snapshot()
    lock(ground, snapshot, "compliance")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)
    assert volume["SnapshotId"] == snapshot


@ROWS.row(API)
def only_the_owner_locks(ground: Ground) -> None:
    snapshot = ground.snapshot()
    ground.ec2().modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[ground.accounts[1]]
    )
    other = ground.ec2(account=1)
    refused(
        "InvalidSnapshot.NotFound",
        lambda: other.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=1),
    )
    refused("InvalidSnapshot.NotFound", lambda: other.unlock_snapshot(SnapshotId=snapshot))
    refused("InvalidSnapshot.NotFound", lambda: other.describe_locked_snapshots(SnapshotIds=[snapshot]))


@ROWS.row("EC2 API reference, DryRun")
def a_dry_run_locks_nothing(ground: Ground) -> None:
    snapshot = ground.snapshot()
    refused("DryRunOperation", lambda: lock(ground, snapshot, DryRun=True))
    assert ground.ec2().describe_locked_snapshots()["Snapshots"] == []


@ROWS.row(API)
def a_snapshot_that_is_being_deleted_takes_no_lock(ground: Ground) -> None:
    snapshot = ground.ec2().create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    ground.ec2().delete_snapshot(SnapshotId=snapshot)
    refused("IncorrectState", lambda: lock(ground, snapshot), snapshot)


@ROWS.row(API)
def bad_locks_are_refused_and_change_nothing(ground: Ground) -> None:
    snapshot, past = ground.snapshot(), ground.clock.now() - timedelta(hours=1)
    ec2 = ground.ec2()
    both = "InvalidParameterCombination"
    refused(both, lambda: ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance"), "LockDuration")
    future = past + timedelta(days=9)
    refused(both, lambda: lock(ground, snapshot, LockDuration=1, ExpirationDate=future), "LockDuration")
    refused(both, lambda: lock(ground, snapshot, CoolOffPeriod=1), "CoolOffPeriod")
    bad = "InvalidParameterValue"
    refused(bad, lambda: lock(ground, snapshot, ExpirationDate=past), "future")
    refused(bad, lambda: lock(ground, snapshot, ExpirationDate=ground.clock.now()), "future")
    refused(bad, lambda: lock(ground, snapshot, LockDuration=36501), "36500")
    refused(bad, lambda: lock(ground, snapshot, "compliance", CoolOffPeriod=73), "72")
    refused(bad, lambda: lock(ground, snapshot, "forever"), "governance")
    assert ec2.describe_locked_snapshots()["Snapshots"] == []
    lock(ground, snapshot, "compliance", LockDuration=36500, CoolOffPeriod=72)


@ROWS.row("EC2 API reference, DescribeLockedSnapshots")
def bad_questions_about_locks_are_refused(ground: Ground) -> None:
    ec2 = ground.ec2()
    wrong = [{"Name": "lock-mode", "Values": ["governance"]}]
    refused("InvalidParameterValue", lambda: ec2.describe_locked_snapshots(Filters=wrong), "lock-mode")
    refused("InvalidParameterValue", lambda: ec2.describe_locked_snapshots(NextToken="nonsense"))
    refused("InvalidSnapshotID.Malformed", lambda: ec2.describe_locked_snapshots(SnapshotIds=["snap-1"]))


ROWS.refusal(
    "no_lock_for_an_unknown_snapshot",
    API,
    "InvalidSnapshot.NotFound",
    lambda ground: lock(ground, UNKNOWN),
    UNKNOWN,
)
ROWS.refusal(
    "no_lock_for_a_malformed_id", API, "InvalidSnapshotID.Malformed", lambda ground: lock(ground, "banana"), "banana"
)
ROWS.refusal(
    "no_unlocking_of_what_is_not_locked",
    "EC2 API reference, UnlockSnapshot",
    "IncorrectState",
    lambda ground: ground.ec2().unlock_snapshot(SnapshotId=ground.snapshot()),
    "not locked",
)
