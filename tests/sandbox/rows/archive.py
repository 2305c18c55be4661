"""Rules about the archive."""

from datetime import timedelta
from functools import partial
from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EBS user guide, Archive Amazon EBS snapshots, "
API = "EC2 API reference, "
UNKNOWN = "snap-0123456789abcdef0"
DAY = timedelta(days=1)


def status(ground: Ground, snapshot_id: str) -> dict[str, Any]:
    """Describe the tier of one snapshot."""
    only = [{"Name": "snapshot-id", "Values": [snapshot_id]}]
    return dict(ground.ec2().describe_snapshot_tier_status(Filters=only)["SnapshotTierStatuses"][0])


def archived(ground: Ground, **more: Any) -> str:
    """Take a snapshot and let it be archived."""
    snapshot = ground.snapshot(**more)
    ground.ec2().modify_snapshot_tier(SnapshotId=snapshot, StorageTier="archive")
    ground.clock.advance("12h")
    assert ground.shown(snapshot)["StorageTier"] == "archive"
    return snapshot


def usable(ground: Ground, snapshot_id: str) -> bool:
    """Tell whether a volume can be made of a snapshot."""
    make = partial(ground.ec2().create_volume, AvailabilityZone="us-east-1a", SnapshotId=snapshot_id)
    if ground.shown(snapshot_id)["StorageTier"] == "archive":
        refused("IncorrectState", make, "archive")
        return False
    return bool(make()["VolumeId"])


@ROWS.row(GUIDE + "Archive a snapshot")
def a_snapshot_can_be_used_until_it_is_archived(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), ground.snapshot(ground.volume(written=2048))
    before = status(ground, snapshot)
    assert before["StorageTier"] == "standard"
    assert "LastTieringOperationStatus" not in before
    began = ground.clock.now()
    answer = ec2.modify_snapshot_tier(SnapshotId=snapshot, StorageTier="archive")
    assert (answer["SnapshotId"], answer["TieringStartTime"]) == (snapshot, began)
    ground.clock.advance("100s")
    going = status(ground, snapshot)
    assert (going["LastTieringOperationStatus"], going["StorageTier"]) == ("archival-in-progress", "standard")
    assert (going["LastTieringStartTime"], going["LastTieringProgress"]) == (began, 48)
    assert "ArchivalCompleteTime" not in going
    assert usable(ground, snapshot)
    ground.clock.advance("2h")
    done = status(ground, snapshot)
    assert (done["LastTieringOperationStatus"], done["StorageTier"]) == ("archival-completed", "archive")
    assert (done["LastTieringProgress"], done["Status"], done["VolumeId"]) == (100, "completed", before["VolumeId"])
    assert began < done["ArchivalCompleteTime"] < ground.clock.now()
    assert ground.shown(snapshot)["FullSnapshotSizeInBytes"] == 2**30
    assert not usable(ground, snapshot)


@ROWS.row(GUIDE + "considerations: an archived snapshot is always full")
def archiving_takes_longer_for_a_full_snapshot_than_the_increment_took(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume(100, written=2048 * 50)
    ground.snapshot(volume)
    second = ground.snapshot(volume)
    ec2.modify_snapshot_tier(SnapshotId=second)
    ground.clock.advance("15min")
    assert status(ground, second)["LastTieringOperationStatus"] == "archival-in-progress"
    ground.clock.advance("15min")
    assert ground.shown(second)["StorageTier"] == "archive"
    assert ground.shown(second)["FullSnapshotSizeInBytes"] == 50 * 2**30


@ROWS.row(GUIDE + "limitations: no archived snapshot is shared or copied")
def an_archived_snapshot_is_shared_and_copied_no_more(ground: Ground) -> None:
    ec2, other, snapshot = ground.ec2(), ground.ec2(account=1), ground.snapshot()
    share = partial(
        ec2.modify_snapshot_attribute,
        SnapshotId=snapshot,
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=[ground.accounts[1]],
    )
    share()
    assert ground.shown(snapshot, account=1)["OwnerId"] == ground.accounts[0]
    ec2.modify_snapshot_tier(SnapshotId=snapshot)
    assert ground.shown(snapshot, account=1)["OwnerId"] == ground.accounts[0]
    ground.clock.advance("12h")
    refused("InvalidSnapshot.NotFound", lambda: other.describe_snapshots(SnapshotIds=[snapshot]))
    attribute = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert attribute["CreateVolumePermissions"] == []
    refused("IncorrectState", share, "archived")
    refused(
        "IncorrectState", lambda: ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot), "archived"
    )
    ec2.restore_snapshot_tier(SnapshotId=snapshot, PermanentRestore=True)
    ground.clock.advance("72h")
    refused("InvalidSnapshot.NotFound", lambda: other.describe_snapshots(SnapshotIds=[snapshot]))
    share()
    assert ground.shown(snapshot, account=1)["State"] == "completed"


@ROWS.row(GUIDE + "considerations: a restore takes up to 72 hours, depending on the size")
def a_permanent_restore_takes_its_time_and_stays(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), archived(ground)
    began = ground.clock.now()
    answer = ec2.restore_snapshot_tier(SnapshotId=snapshot, PermanentRestore=True)
    assert (answer["IsPermanentRestore"], answer["RestoreStartTime"]) == (True, began)
    assert "RestoreDuration" not in answer
    ground.clock.advance("12h")
    going = status(ground, snapshot)
    assert going["LastTieringOperationStatus"] == "permanent-restore-in-progress"
    assert (going["StorageTier"], going["LastTieringProgress"]) == ("archive", 50)
    assert not usable(ground, snapshot)
    ground.clock.advance("60h")
    done = status(ground, snapshot)
    assert (done["LastTieringOperationStatus"], done["StorageTier"]) == ("permanent-restore-completed", "standard")
    assert "RestoreExpiryTime" not in done
    assert usable(ground, snapshot)
    ground.clock.advance("200d")
    assert usable(ground, snapshot)


@ROWS.row(GUIDE + "Restore an archived snapshot")
def a_temporary_restore_is_archived_again(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), archived(ground)
    first = status(ground, snapshot)["ArchivalCompleteTime"]
    began = ground.clock.now()
    answer = ec2.restore_snapshot_tier(SnapshotId=snapshot, TemporaryRestoreDays=5)
    assert (answer["IsPermanentRestore"], answer["RestoreDuration"]) == (False, 5)
    assert status(ground, snapshot)["LastTieringOperationStatus"] == "temporary-restore-in-progress"
    ground.clock.advance("24h")
    restored = status(ground, snapshot)
    assert (restored["LastTieringOperationStatus"], restored["StorageTier"]) == (
        "temporary-restore-completed",
        "standard",
    )
    assert restored["RestoreExpiryTime"] == began + 6 * DAY == ground.shown(snapshot)["RestoreExpiryTime"]
    assert usable(ground, snapshot)
    ground.clock.advance("4d 23h")
    assert usable(ground, snapshot)
    ground.clock.advance("1h")
    after = status(ground, snapshot)
    assert (after["LastTieringOperationStatus"], after["ArchivalCompleteTime"]) == ("archival-completed", first)
    assert "RestoreExpiryTime" not in after
    assert "RestoreExpiryTime" not in ground.shown(snapshot)
    assert not usable(ground, snapshot)


@ROWS.row(GUIDE + "Restore an archived snapshot: one day where nothing is said")
def a_restore_without_a_period_is_for_a_day(ground: Ground) -> None:
    answer = ground.ec2().restore_snapshot_tier(SnapshotId=archived(ground))
    assert (answer["IsPermanentRestore"], answer["RestoreDuration"]) == (False, 1)


@ROWS.row(GUIDE + "Modify the restore period")
def the_period_of_a_temporary_restore_counts_from_its_change(ground: Ground) -> None:
    ec2, longer, shorter = ground.ec2(), archived(ground), archived(ground)
    for snapshot in (longer, shorter):
        ec2.restore_snapshot_tier(SnapshotId=snapshot, TemporaryRestoreDays=5)
    ground.clock.advance("2d")
    now = ground.clock.now()
    assert ec2.restore_snapshot_tier(SnapshotId=longer, TemporaryRestoreDays=10)["RestoreDuration"] == 10
    ec2.restore_snapshot_tier(SnapshotId=shorter, TemporaryRestoreDays=1)
    assert ground.shown(longer)["RestoreExpiryTime"] == now + 10 * DAY
    ground.clock.advance("1d")
    assert (usable(ground, longer), usable(ground, shorter)) == (True, False)
    ground.clock.advance("8d 23h")
    assert usable(ground, longer)
    ground.clock.advance("1h")
    assert not usable(ground, longer)


@ROWS.row(GUIDE + "Modify the restore type")
def a_temporary_restore_can_be_made_permanent(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), archived(ground)
    ec2.restore_snapshot_tier(SnapshotId=snapshot, TemporaryRestoreDays=1)
    ground.clock.advance("1d")
    assert ec2.restore_snapshot_tier(SnapshotId=snapshot, PermanentRestore=True)["IsPermanentRestore"]
    assert status(ground, snapshot)["LastTieringOperationStatus"] == "permanent-restore-completed"
    assert "RestoreExpiryTime" not in ground.shown(snapshot)
    ground.clock.advance("30d")
    assert usable(ground, snapshot)
    ec2.modify_snapshot_tier(SnapshotId=snapshot)
    ground.clock.advance("1d")
    assert not usable(ground, snapshot)


@ROWS.row(GUIDE + "limitations: it cannot be cancelled")
def what_is_under_way_is_not_asked_for_again(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), ground.snapshot()
    ec2.modify_snapshot_tier(SnapshotId=snapshot)
    refused("IncorrectState", lambda: ec2.modify_snapshot_tier(SnapshotId=snapshot), "archival-in-progress")
    refused("IncorrectState", lambda: ec2.restore_snapshot_tier(SnapshotId=snapshot), "archival-in-progress")
    ground.clock.advance("12h")
    refused("IncorrectState", lambda: ec2.modify_snapshot_tier(SnapshotId=snapshot), "already")
    ec2.restore_snapshot_tier(SnapshotId=snapshot)
    refused("IncorrectState", lambda: ec2.restore_snapshot_tier(SnapshotId=snapshot), "temporary-restore-in-progress")
    ground.clock.advance("24h")
    refused("IncorrectState", lambda: ec2.modify_snapshot_tier(SnapshotId=snapshot), "already")


@ROWS.row(GUIDE + "limitations: completed ones only")
def a_pending_or_failed_snapshot_is_not_archived(ground: Ground) -> None:
    ec2 = ground.ec2()
    ground.sandbox.faults.add("CreateSnapshot", failing=1)
    failed = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    refused("IncorrectState", lambda: ec2.modify_snapshot_tier(SnapshotId=failed), "pending")
    ground.clock.advance("12h")
    refused("IncorrectState", lambda: ec2.modify_snapshot_tier(SnapshotId=failed), "error")


@ROWS.row(GUIDE + "limitations: not those of an image")
def a_snapshot_of_an_image_is_not_archived(ground: Ground) -> None:
    ec2 = ground.ec2()
    image = ec2.create_image(InstanceId=ground.instance(), Name="held")["ImageId"]
    ground.clock.advance("12h")
    mapping = ec2.describe_images(ImageIds=[image])["Images"][0]["BlockDeviceMappings"][0]
    snapshot = mapping["Ebs"]["SnapshotId"]
    refused("InvalidSnapshot.InUse", lambda: ec2.modify_snapshot_tier(SnapshotId=snapshot), image)
    ec2.modify_snapshot_tier(SnapshotId=ground.snapshot())
    ec2.deregister_image(ImageId=image)
    assert ec2.modify_snapshot_tier(SnapshotId=snapshot)["SnapshotId"] == snapshot


@ROWS.row(GUIDE + "limitations: one's own only")
def a_shared_snapshot_is_not_archived_by_others(ground: Ground) -> None:
    snapshot, other = ground.snapshot(), ground.ec2(account=1)
    ground.ec2().modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[ground.accounts[1]]
    )
    refused("InvalidSnapshot.NotFound", lambda: other.modify_snapshot_tier(SnapshotId=snapshot))
    refused("InvalidSnapshot.NotFound", lambda: other.restore_snapshot_tier(SnapshotId=snapshot))
    assert other.describe_snapshot_tier_status()["SnapshotTierStatuses"] == []


@ROWS.row("Service Quotas, L-E20676C1, L-3A0E616D")
def there_is_an_end_to_archiving_at_once_and_of_one_volume(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    of_one = [ground.snapshot(volume) for _ in range(27)]
    other = ground.snapshot()
    for snapshot in of_one[:25]:
        ec2.modify_snapshot_tier(SnapshotId=snapshot)
    refused("ResourceLimitExceeded", lambda: ec2.modify_snapshot_tier(SnapshotId=other), "at once")
    ground.clock.advance("12h")
    refused("ResourceLimitExceeded", lambda: ec2.modify_snapshot_tier(SnapshotId=of_one[25]), volume)
    ec2.modify_snapshot_tier(SnapshotId=other)
    ec2.delete_snapshot(SnapshotId=of_one[0])
    ec2.modify_snapshot_tier(SnapshotId=of_one[25])
    ground.clock.advance("12h")
    assert ground.shown(of_one[25])["StorageTier"] == "archive"
    refused("ResourceLimitExceeded", lambda: ec2.modify_snapshot_tier(SnapshotId=of_one[26]), volume)
    ec2.restore_snapshot_tier(SnapshotId=of_one[1], PermanentRestore=True)
    ground.clock.advance("72h")
    ec2.modify_snapshot_tier(SnapshotId=of_one[26])


@ROWS.row("Service Quotas, L-07399329")
def five_snapshots_are_restored_at_once(ground: Ground) -> None:
    ec2 = ground.ec2()
    snapshots = [archived(ground) for _ in range(6)]
    for snapshot in snapshots[:5]:
        ec2.restore_snapshot_tier(SnapshotId=snapshot, PermanentRestore=snapshot == snapshots[0])
    refused("ResourceLimitExceeded", lambda: ec2.restore_snapshot_tier(SnapshotId=snapshots[5]), "5")
    ground.clock.advance("24h")
    ec2.restore_snapshot_tier(SnapshotId=snapshots[5])


@ROWS.row(GUIDE + "considerations: the lineage keeps its data")
def the_next_snapshot_is_incremental_to_what_is_left_in_the_standard_tier(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume(100, written=2048 * 50)
    first, second = ground.snapshot(volume), ground.snapshot(volume)
    ec2.modify_snapshot_tier(SnapshotId=first)
    ground.clock.advance("12h")
    third = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ground.clock.advance("5min")
    assert ground.shown(third)["State"] == "completed"
    assert usable(ground, second)


@ROWS.row(API + "DescribeSnapshotTierStatus")
def tiers_are_listed_by_filter_and_in_pages(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    snapshots = [ground.snapshot(volume) for _ in range(6)] + [ground.snapshot(Description="other")]
    ec2.create_tags(Resources=[snapshots[1]], Tags=[{"Key": "keep", "Value": "yes"}])
    ec2.modify_snapshot_tier(SnapshotId=snapshots[1])

    def listed(**asked: Any) -> list[str]:
        return [each["SnapshotId"] for each in ec2.describe_snapshot_tier_status(**asked)["SnapshotTierStatuses"]]

    going = [{"Name": "last-tiering-operation", "Values": ["archival-in-progress"]}]
    assert listed(Filters=going) == [snapshots[1]]
    assert listed(Filters=[{"Name": "volume-id", "Values": [volume]}]) == snapshots[:6]
    assert listed() == snapshots
    first = ec2.describe_snapshot_tier_status(MaxResults=5)
    second = ec2.describe_snapshot_tier_status(MaxResults=5, NextToken=first["NextToken"])
    assert [each["SnapshotId"] for each in second["SnapshotTierStatuses"]] == snapshots[5:]
    assert status(ground, snapshots[1])["Tags"] == [{"Key": "keep", "Value": "yes"}]
    wrong = [{"Name": "storage-tier", "Values": ["archive"]}]
    refused("InvalidParameterValue", lambda: ec2.describe_snapshot_tier_status(Filters=wrong), "storage-tier")


@ROWS.row(API + "ModifySnapshotTier, RestoreSnapshotTier")
def bad_requests_about_tiers_change_nothing(ground: Ground) -> None:
    ec2, snapshot, kept = ground.ec2(), ground.snapshot(), archived(ground)
    refused(
        "InvalidParameterValue", lambda: ec2.modify_snapshot_tier(SnapshotId=snapshot, StorageTier="cold"), "archive"
    )
    refused("DryRunOperation", lambda: ec2.modify_snapshot_tier(SnapshotId=snapshot, DryRun=True))
    refused("IncorrectState", lambda: ec2.restore_snapshot_tier(SnapshotId=snapshot), "not archived")
    for days in (0, 181, -1):
        refused(
            "InvalidParameterValue",
            partial(ec2.restore_snapshot_tier, SnapshotId=kept, TemporaryRestoreDays=days),
            "180",
        )
    refused(
        "InvalidParameterCombination",
        lambda: ec2.restore_snapshot_tier(SnapshotId=kept, TemporaryRestoreDays=2, PermanentRestore=True),
    )
    assert "LastTieringOperationStatus" not in status(ground, snapshot)
    assert status(ground, kept)["LastTieringOperationStatus"] == "archival-completed"
    ec2.restore_snapshot_tier(SnapshotId=kept, TemporaryRestoreDays=180, PermanentRestore=False)


for _name, _code, _id in (
    ("unknown", "InvalidSnapshot.NotFound", UNKNOWN),
    ("malformed", "InvalidSnapshotID.Malformed", "vol-0123456789abcdef0"),
):
    for _operation in ("modify_snapshot_tier", "restore_snapshot_tier"):
        ROWS.refusal(
            f"no_{_operation}_for_an_id_that_is_{_name}",
            API + _operation,
            _code,
            lambda ground, _id=_id, _operation=_operation: getattr(ground.ec2(), _operation)(SnapshotId=_id),  # type: ignore[misc]
            _id,
        )
