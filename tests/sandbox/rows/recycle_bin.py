"""Rules about the recycle bin."""

from datetime import timedelta
from functools import partial
from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EBS user guide, Recycle Bin, "
API = "Recycle Bin API reference, "
EC2 = "EC2 API reference, "
UNKNOWN = "snap-0123456789abcdef0"
IN_BIN = {"Key": "aws:recycle-bin:resource-in-bin", "Value": "true"}


def rule(ground: Ground, days: int = 7, kind: str = "EBS_SNAPSHOT", **more: Any) -> str:
    """Make a rule and let it become active; returns its identifier."""
    period = {"RetentionPeriodValue": days, "RetentionPeriodUnit": "DAYS"}
    made = ground.client("rbin").create_rule(ResourceType=kind, RetentionPeriod=period, **more)
    ground.clock.advance("30min")
    return str(made["Identifier"])


def tags(**pairs: str) -> list[dict[str, str]]:
    """Write tags as rules want them."""
    return [{"ResourceTagKey": key, "ResourceTagValue": value} for key, value in pairs.items()]


def binned(ground: Ground, **asked: Any) -> list[str]:
    """List what is in the bin."""
    return [each["SnapshotId"] for each in ground.ec2().list_snapshots_in_recycle_bin(**asked)["Snapshots"]]


def tagged(ground: Ground, **pairs: str) -> str:
    """Take a snapshot with tags."""
    given = [{"Key": key, "Value": value} for key, value in pairs.items()]
    specification = [{"ResourceType": "snapshot", "Tags": given}] if given else []
    return ground.snapshot(TagSpecifications=specification)


def deleted(ground: Ground, **pairs: str) -> str:
    """Take a snapshot with tags and delete it."""
    snapshot = tagged(ground, **pairs)
    ground.ec2().delete_snapshot(SnapshotId=snapshot)
    return snapshot


def delay(days: int) -> dict[str, Any]:
    """Write a lock configuration."""
    return {"UnlockDelay": {"UnlockDelayValue": days, "UnlockDelayUnit": "DAYS"}}


# -- the bin


@ROWS.row(GUIDE + "overview")
def without_a_rule_a_deletion_is_final(ground: Ground) -> None:
    snapshot = deleted(ground)
    assert binned(ground) == []
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(snapshot))


@ROWS.row(GUIDE + "Recover snapshots")
def a_deleted_snapshot_stays_in_the_bin_as_long_as_its_rule_says(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground, 7)
    volume = ground.volume()
    snapshot = ground.snapshot(volume, Description="nightly")
    now = ground.clock.now()
    ec2.delete_snapshot(SnapshotId=snapshot)
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(snapshot))
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
    assert ec2.list_snapshots_in_recycle_bin()["Snapshots"] == [
        {
            "SnapshotId": snapshot,
            "RecycleBinEnterTime": now,
            "RecycleBinExitTime": now + timedelta(days=7),
            "Description": "nightly",
            "VolumeId": volume,
        }
    ]
    ground.clock.advance("6d 23h")
    assert binned(ground) == [snapshot]
    ground.clock.advance("1h")
    assert binned(ground) == []
    refused("InvalidSnapshot.NotFound", lambda: ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot), snapshot)


@ROWS.row(GUIDE + "Recover snapshots")
def a_restored_snapshot_is_what_it_was(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground)
    snapshot, later = tagged(ground, keep="yes"), tagged(ground)
    before = ground.shown(snapshot)
    ec2.delete_snapshot(SnapshotId=snapshot)
    ground.clock.advance("1d")
    answer = ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot)
    assert (answer["SnapshotId"], answer["State"], answer["Progress"]) == (snapshot, "completed", "100%")
    assert (answer["VolumeId"], answer["VolumeSize"]) == (before["VolumeId"], 10)
    assert ground.shown(snapshot) == before
    assert binned(ground) == []
    found = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert [each["SnapshotId"] for each in found] == [snapshot, later]
    assert ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot)["SnapshotId"] == snapshot
    ground.clock.advance("30d")
    assert ground.shown(snapshot) == before


@ROWS.row(GUIDE + "Recover snapshots")
def a_snapshot_deleted_once_more_stays_as_long_once_more(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground, 2)
    snapshot = deleted(ground)
    ground.clock.advance("1d")
    ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot)
    ec2.delete_snapshot(SnapshotId=snapshot)
    ground.clock.advance("1d 23h")
    assert binned(ground) == [snapshot]
    ground.clock.advance("1h")
    assert binned(ground) == []


@ROWS.row(GUIDE + "considerations: only view, restore and tag")
def what_is_in_the_bin_cannot_be_used(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground)
    snapshot = deleted(ground)
    for use in (
        lambda: ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=snapshot),
        lambda: ec2.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot),
        lambda: ec2.delete_snapshot(SnapshotId=snapshot),
        lambda: ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=1),
        lambda: ec2.modify_snapshot_tier(SnapshotId=snapshot),
        lambda: ec2.restore_snapshot_tier(SnapshotId=snapshot),
    ):
        refused("InvalidSnapshot.NotFound", use)
    assert binned(ground) == [snapshot]


@ROWS.row(GUIDE + "considerations: the tag of what is in the bin")
def what_is_in_the_bin_has_a_tag_that_says_so(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground)
    snapshot = deleted(ground, keep="yes")
    only = [{"Name": "resource-id", "Values": [snapshot]}]

    def shown() -> list[dict[str, str]]:
        return [{"Key": each["Key"], "Value": each["Value"]} for each in ec2.describe_tags(Filters=only)["Tags"]]

    assert IN_BIN in shown()
    ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot)
    assert shown() == [{"Key": "keep", "Value": "yes"}]
    ec2.delete_snapshot(SnapshotId=snapshot)
    ground.clock.advance("7d")
    assert shown() == []


@ROWS.row(GUIDE + "considerations: sharing")
def a_snapshot_is_unshared_in_the_bin_and_shared_again_afterwards(ground: Ground) -> None:
    ec2, other = ground.ec2(), ground.ec2(account=1)
    rule(ground)
    snapshot = ground.snapshot()
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=[ground.accounts[1]]
    )
    ec2.delete_snapshot(SnapshotId=snapshot)
    refused("InvalidSnapshot.NotFound", lambda: other.describe_snapshots(SnapshotIds=[snapshot]))
    assert other.list_snapshots_in_recycle_bin()["Snapshots"] == []
    refused("InvalidSnapshot.NotFound", lambda: other.restore_snapshot_from_recycle_bin(SnapshotId=snapshot))
    ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot)
    assert ground.shown(snapshot, account=1)["OwnerId"] == ground.accounts[0]


@ROWS.row("EBS user guide, Delete an Amazon EBS snapshot: it takes effect when it is complete")
def a_snapshot_deleted_while_pending_enters_when_it_is_complete(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground)
    snapshot = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert (ground.shown(snapshot)["State"], binned(ground)) == ("pending", [])
    ground.clock.advance("12h")
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(snapshot))
    assert binned(ground) == [snapshot]
    assert ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot)["State"] == "completed"
    assert ground.shown(snapshot)["State"] == "completed"


@ROWS.row(GUIDE + "overview")
def a_failed_snapshot_is_restored_as_failed(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground)
    ground.sandbox.faults.add("CreateSnapshot", failing=1)
    snapshot = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    ground.clock.advance("12h")
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot)["State"] == "error"


@ROWS.row("EBS user guide, Archive Amazon EBS snapshots: Recycle Bin")
def an_archived_snapshot_is_kept_archived(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground)
    snapshot, going = ground.snapshot(), ground.snapshot()
    ec2.modify_snapshot_tier(SnapshotId=snapshot)
    ground.clock.advance("12h")
    ec2.modify_snapshot_tier(SnapshotId=going)
    for each in (snapshot, going):
        ec2.delete_snapshot(SnapshotId=each)
    ground.clock.advance("1d")
    for each in (snapshot, going):
        ec2.restore_snapshot_from_recycle_bin(SnapshotId=each)
        assert ground.shown(each)["StorageTier"] == "archive"


@ROWS.row("EBS user guide, Amazon EBS snapshot lock")
def a_locked_snapshot_does_not_get_into_the_bin(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground)
    snapshot = ground.snapshot()
    ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=1)
    refused("SnapshotLocked", lambda: ec2.delete_snapshot(SnapshotId=snapshot))
    assert (binned(ground), ground.shown(snapshot)["State"]) == ([], "completed")
    ground.clock.advance("1d")
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert binned(ground) == [snapshot]


@ROWS.row(EC2 + "ListSnapshotsInRecycleBin")
def the_bin_is_listed_in_pages(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground, 100)
    snapshots = [ground.snapshot() for _ in range(7)]
    for snapshot in reversed(snapshots):
        ec2.delete_snapshot(SnapshotId=snapshot)
    first = ec2.list_snapshots_in_recycle_bin(MaxResults=5)
    second = ec2.list_snapshots_in_recycle_bin(MaxResults=5, NextToken=first["NextToken"])
    assert [each["SnapshotId"] for each in first["Snapshots"] + second["Snapshots"]] == snapshots
    assert second.get("NextToken") is None
    assert binned(ground, SnapshotIds=[snapshots[3]]) == [snapshots[3]]
    refused("InvalidParameterValue", lambda: ec2.list_snapshots_in_recycle_bin(NextToken="nonsense"))
    refused("InvalidSnapshot.NotFound", lambda: ec2.list_snapshots_in_recycle_bin(SnapshotIds=[UNKNOWN]), UNKNOWN)
    refused("InvalidSnapshotID.Malformed", lambda: ec2.list_snapshots_in_recycle_bin(SnapshotIds=["x"]))
    refused("DryRunOperation", lambda: ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshots[0], DryRun=True))
    assert len(binned(ground)) == 7
    assert ground.ec2(region="eu-west-1").list_snapshots_in_recycle_bin()["Snapshots"] == []


@ROWS.row(GUIDE + "Recover volumes")
def a_deleted_volume_can_be_restored_within_days(ground: Ground) -> None:
    ec2 = ground.ec2()
    rule(ground, 7, "EBS_VOLUME", ResourceTags=tags(keep="yes"))
    kept, gone, left, last = (ground.volume(20) for _ in range(4))
    ec2.create_tags(Resources=[kept, left], Tags=[{"Key": "keep", "Value": "yes"}])
    now = ground.clock.now()
    for volume in (kept, gone, left):
        ec2.delete_volume(VolumeId=volume)
    found = ec2.list_volumes_in_recycle_bin()["Volumes"]
    assert [each["VolumeId"] for each in found] == [kept, left]
    assert (found[0]["Size"], found[0]["VolumeType"], found[0]["AvailabilityZone"]) == (20, "gp3", "us-east-1a")
    assert found[0]["RecycleBinExitTime"] == now + timedelta(days=7)
    refused("InvalidVolume.NotFound", lambda: ec2.describe_volumes(VolumeIds=[kept]))
    refused("InvalidVolume.NotFound", lambda: ec2.restore_volume_from_recycle_bin(VolumeId=gone), gone)
    assert ec2.restore_volume_from_recycle_bin(VolumeId=kept)["Return"]
    shown = ec2.describe_volumes()["Volumes"]
    assert [each["VolumeId"] for each in shown] == [kept, last]
    assert (shown[0]["State"], shown[0]["Tags"]) == ("available", [{"Key": "keep", "Value": "yes"}])
    assert ground.snapshot(kept)
    ground.clock.advance("6d 12h")
    assert ec2.list_volumes_in_recycle_bin()["Volumes"] == []
    refused("InvalidVolume.NotFound", lambda: ec2.list_volumes_in_recycle_bin(VolumeIds=[left]), left)
    refused("InvalidVolumeID.Malformed", lambda: ec2.restore_volume_from_recycle_bin(VolumeId=UNKNOWN))
    refused("InvalidVolumeID.Malformed", lambda: ec2.list_volumes_in_recycle_bin(VolumeIds=[UNKNOWN]))
    assert ec2.describe_volumes(VolumeIds=[kept])["Volumes"]


@ROWS.row(EC2 + "ListImagesInRecycleBin")
def rules_for_images_are_kept_and_images_are_not(ground: Ground) -> None:
    rule(ground, 365, "EC2_IMAGE")
    ec2 = ground.ec2()
    image = ec2.create_image(InstanceId=ground.instance(), Name="gone")["ImageId"]
    ec2.deregister_image(ImageId=image)
    assert ec2.list_images_in_recycle_bin()["Images"] == []


# -- which rule


@ROWS.row(GUIDE + "considerations: up to 30 minutes for the first rule")
def the_first_rule_takes_half_an_hour_and_the_next_none(ground: Ground) -> None:
    rbin, ec2 = ground.client("rbin"), ground.ec2()
    early, late = ground.snapshot(), ground.snapshot()
    week = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    first = rbin.create_rule(ResourceType="EBS_SNAPSHOT", RetentionPeriod=week)
    assert first["Status"] == "pending"
    ec2.delete_snapshot(SnapshotId=early)
    ground.clock.advance("30min")
    assert rbin.get_rule(Identifier=first["Identifier"])["Status"] == "available"
    ec2.delete_snapshot(SnapshotId=late)
    assert binned(ground) == [late]
    assert rbin.create_rule(ResourceType="EBS_VOLUME", RetentionPeriod=week)["Status"] == "available"


@ROWS.row(GUIDE + "How does it work: tag-level rules")
def a_tag_level_rule_keeps_what_has_one_of_its_tags(ground: Ground) -> None:
    rule(ground, 300, ResourceTags=[*tags(team="db", stage="prod"), {"ResourceTagKey": "hold"}])
    one, other = deleted(ground, team="db", more="x"), deleted(ground, stage="prod")
    held = deleted(ground, hold="anything")
    deleted(ground, team="web")
    deleted(ground)
    deleted(ground, prod="stage")
    assert binned(ground) == [one, other, held]


@ROWS.row(GUIDE + "Region-level rules and their exclusion tags")
def a_region_level_rule_keeps_all_but_what_is_excluded(ground: Ground) -> None:
    rule(ground, 300, ExcludeResourceTags=tags(scratch="yes"))
    kept, other = deleted(ground), deleted(ground, scratch="no")
    deleted(ground, scratch="yes", team="db")
    assert binned(ground) == [kept, other]


@ROWS.row(GUIDE + "How does it work: the resource type")
def a_rule_keeps_one_kind_of_resource(ground: Ground) -> None:
    rule(ground, 7, "EBS_VOLUME")
    rule(ground, 365, "EC2_IMAGE")
    snapshot = deleted(ground)
    assert binned(ground) == []
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(snapshot))


@ROWS.row(GUIDE + "considerations: the longest retention period takes precedence")
def the_longest_of_the_matching_rules_wins(ground: Ground) -> None:
    rule(ground, 30)
    rule(ground, 5, ResourceTags=tags(team="db"))
    rule(ground, 90, ResourceTags=tags(stage="prod"))
    rule(ground, 7, "EBS_VOLUME")
    short, long = deleted(ground, team="db"), deleted(ground, team="db", stage="prod")
    stays = {
        each["SnapshotId"]: (each["RecycleBinExitTime"] - each["RecycleBinEnterTime"]).days
        for each in ground.ec2().list_snapshots_in_recycle_bin()["Snapshots"]
    }
    assert stays == {short: 30, long: 90}


@ROWS.row(GUIDE + "Create a retention rule: a rule functions in its region only")
def a_rule_is_of_one_account_and_region(ground: Ground) -> None:
    known = rule(ground)
    for client in (ground.client("rbin", 1), ground.client("rbin", 0, "eu-west-1")):
        assert client.list_rules(ResourceType="EBS_SNAPSHOT")["Rules"] == []
        refused("ResourceNotFoundException", partial(client.get_rule, Identifier=known), known)
    snapshot = ground.snapshot(region="eu-west-1")
    ground.ec2(region="eu-west-1").delete_snapshot(SnapshotId=snapshot)
    assert ground.ec2(region="eu-west-1").list_snapshots_in_recycle_bin()["Snapshots"] == []


@ROWS.row(GUIDE + "Update and delete retention rules")
def changes_of_a_rule_are_for_later_deletions(ground: Ground) -> None:
    rbin, known = ground.client("rbin"), rule(ground, 10)
    first = deleted(ground)
    week = {"RetentionPeriodValue": 1, "RetentionPeriodUnit": "DAYS"}
    rbin.update_rule(Identifier=known, RetentionPeriod=week)
    second = deleted(ground)
    rbin.delete_rule(Identifier=known)
    deleted(ground)
    assert binned(ground) == [first, second]
    ground.clock.advance("1d")
    assert binned(ground) == [first]
    refused("ResourceNotFoundException", lambda: rbin.delete_rule(Identifier=known), known)


# -- rules


@ROWS.row(API + "CreateRule, GetRule")
def a_rule_shows_what_it_was_made_with(ground: Ground) -> None:
    rbin = ground.client("rbin")
    week = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    made = rbin.create_rule(
        ResourceType="EBS_SNAPSHOT",
        RetentionPeriod=week,
        Description="keep a week",
        Tags=[{"Key": "owner", "Value": "me"}],
        ResourceTags=tags(team="db"),
    )
    assert made["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert made["RuleArn"] == f"arn:aws:rbin:us-east-1:{ground.accounts[0]}:rule/{made['Identifier']}"
    assert (len(made["Identifier"]), made["Tags"]) == (11, [{"Key": "owner", "Value": "me"}])
    shown = rbin.get_rule(Identifier=made["Identifier"])
    assert (shown["Description"], shown["RetentionPeriod"], shown["ResourceType"]) == (
        "keep a week",
        week,
        "EBS_SNAPSHOT",
    )
    assert shown["ResourceTags"] == tags(team="db")
    for absent in ("LockState", "LockConfiguration", "LockEndTime"):
        assert absent not in shown


@ROWS.row(API + "UpdateRule")
def an_update_changes_what_it_names(ground: Ground) -> None:
    rbin, known = ground.client("rbin"), rule(ground, 7, Description="old", ResourceTags=tags(team="db"))
    assert rbin.update_rule(Identifier=known, Description="new")["Description"] == "new"
    answer = rbin.update_rule(Identifier=known, ResourceTags=tags(team="web"))
    assert (answer["Description"], answer["ResourceTags"]) == ("new", tags(team="web"))
    kept = deleted(ground, team="web")
    deleted(ground, team="db")
    assert binned(ground) == [kept]
    whole = rule(ground, 7)
    assert rbin.update_rule(Identifier=whole, ExcludeResourceTags=tags(a="b"))["ExcludeResourceTags"] == tags(a="b")
    assert rbin.update_rule(Identifier=whole, ExcludeResourceTags=[])["ExcludeResourceTags"] == []
    changes: list[dict[str, Any]] = [
        {"ResourceType": "EBS_VOLUME"},
        {"ResourceTags": tags(a="b")},
        {"RetentionPeriod": {"RetentionPeriodValue": 366, "RetentionPeriodUnit": "DAYS"}},
    ]
    for change in changes:
        refused("ValidationException", partial(rbin.update_rule, Identifier=whole, **change))
    refused("ValidationException", lambda: rbin.update_rule(Identifier=known, ExcludeResourceTags=tags(a="b")))
    refused("ValidationException", lambda: rbin.update_rule(Identifier=known, ResourceTags=[]))
    assert rbin.get_rule(Identifier=known)["ResourceTags"] == tags(team="web")


@ROWS.row(API + "ListRules")
def rules_are_listed_by_kind_tags_and_lock_in_pages(ground: Ground) -> None:
    rbin = ground.client("rbin")
    all_of_it = rule(ground, 1, LockConfiguration=delay(7))
    db, both = (rule(ground, 2, ResourceTags=tags(**each)) for each in ({"t": "db"}, {"t": "db", "s": "p"}))
    excluding = rule(ground, 3, ExcludeResourceTags=tags(x="y"))
    rule(ground, 4, "EBS_VOLUME")

    def listed(**asked: Any) -> list[str]:
        return [each["Identifier"] for each in rbin.list_rules(ResourceType="EBS_SNAPSHOT", **asked)["Rules"]]

    assert listed() == [all_of_it, db, both, excluding]
    assert listed(ResourceTags=tags(t="db")) == [db, both]
    assert listed(ResourceTags=tags(s="p")) == [both]
    assert listed(ExcludeResourceTags=tags(x="y")) == [excluding]
    assert listed(LockState="locked") == [all_of_it]
    assert listed(LockState="unlocked") == []
    first = rbin.list_rules(ResourceType="EBS_SNAPSHOT", MaxResults=3)
    assert len(first["Rules"]) == 3
    assert listed(MaxResults=3, NextToken=first["NextToken"]) == [excluding]
    error = refused("ValidationException", lambda: listed(NextToken="nonsense"))
    assert error.response["Reason"] == "INVALID_PAGE_TOKEN"
    refused("ValidationException", lambda: rbin.list_rules(ResourceType="EBS"), "EBS_SNAPSHOT")
    refused("ValidationException", lambda: listed(LockState="open"), "unlocked")
    refused("ValidationException", lambda: listed(MaxResults=1001), "1000")


@ROWS.row(API + "TagResource, UntagResource, ListTagsForResource")
def rules_have_tags(ground: Ground) -> None:
    rbin, known = ground.client("rbin"), rule(ground)
    arn = rbin.get_rule(Identifier=known)["RuleArn"]
    rbin.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    rbin.tag_resource(ResourceArn=arn, Tags=[{"Key": "a", "Value": "3"}])
    assert rbin.list_tags_for_resource(ResourceArn=arn)["Tags"] == [
        {"Key": "a", "Value": "3"},
        {"Key": "b", "Value": "2"},
    ]
    rbin.untag_resource(ResourceArn=arn, TagKeys=["a", "never"])
    assert rbin.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    long = [{"Key": "k" * 129, "Value": ""}]
    refused("ValidationException", lambda: rbin.tag_resource(ResourceArn=arn, Tags=long), "128")
    many = [{"Key": f"k{number}", "Value": ""} for number in range(200)]
    refused("ValidationException", lambda: rbin.tag_resource(ResourceArn=arn, Tags=many), "200")
    assert rbin.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "b", "Value": "2"}]
    other = arn[:-11] + "abcdefghijk"
    refused("ResourceNotFoundException", lambda: rbin.tag_resource(ResourceArn=other, Tags=[]), other)
    refused("ResourceNotFoundException", lambda: rbin.list_tags_for_resource(ResourceArn=other), other)


@ROWS.row(GUIDE + "Lock a retention rule")
def a_locked_rule_is_changed_only_after_its_delay(ground: Ground) -> None:
    rbin, known = ground.client("rbin"), rule(ground)
    locked = rbin.lock_rule(Identifier=known, LockConfiguration=delay(10))
    assert (locked["LockState"], locked["LockConfiguration"]) == ("locked", delay(10))
    change = partial(rbin.update_rule, Identifier=known, Description="new")
    error = refused("ConflictException", change, "locked")
    assert error.response["Reason"] == "INVALID_RULE_STATE"
    refused("ConflictException", lambda: rbin.delete_rule(Identifier=known), "locked")
    refused("ConflictException", lambda: rbin.lock_rule(Identifier=known, LockConfiguration=delay(7)))
    now = ground.clock.now()
    unlocked = rbin.unlock_rule(Identifier=known)
    assert unlocked["LockState"] == "pending_unlock"
    assert unlocked["LockEndTime"] == now + timedelta(days=10)
    refused("ConflictException", change, "pending_unlock")
    refused("ConflictException", lambda: rbin.unlock_rule(Identifier=known))
    ground.clock.advance("10d")
    shown = rbin.get_rule(Identifier=known)
    assert shown["LockState"] == "unlocked"
    assert "LockEndTime" not in shown
    assert change()["Description"] == "new"
    rbin.delete_rule(Identifier=known)


@ROWS.row(GUIDE + "Lock a retention rule: relocking resets the unlock delay")
def a_rule_can_be_locked_again_while_it_is_being_unlocked(ground: Ground) -> None:
    rbin, known = ground.client("rbin"), rule(ground, LockConfiguration=delay(7))
    rbin.unlock_rule(Identifier=known)
    ground.clock.advance("6d")
    refused("ConflictException", lambda: rbin.lock_rule(Identifier=known, LockConfiguration=delay(8)), "delay")
    assert rbin.lock_rule(Identifier=known, LockConfiguration=delay(7))["LockState"] == "locked"
    ground.clock.advance("6d")
    assert rbin.get_rule(Identifier=known)["LockState"] == "locked"
    rbin.unlock_rule(Identifier=known)
    ground.clock.advance("6d")
    refused("ConflictException", lambda: rbin.delete_rule(Identifier=known), "pending_unlock")


@ROWS.row(GUIDE + "Lock a retention rule: considerations")
def only_region_level_rules_without_exclusions_are_locked(ground: Ground) -> None:
    rbin = ground.client("rbin")
    some: list[dict[str, Any]] = [{"ResourceTags": tags(a="b")}, {"ExcludeResourceTags": tags(a="b")}]
    for more in some:
        known = rule(ground, **more)
        lock = partial(rbin.lock_rule, Identifier=known, LockConfiguration=delay(7))
        refused("ValidationException", lock, "region-level")
        refused("ConflictException", partial(rbin.unlock_rule, Identifier=known), "not locked")
        refused("ValidationException", partial(rule, ground, LockConfiguration=delay(7), **more))
    plain = rule(ground)
    refused("ValidationException", lambda: rbin.lock_rule(Identifier=plain, LockConfiguration=delay(31)), "30")


@ROWS.row(GUIDE + "quotas")
def there_are_250_rules_in_a_region(ground: Ground) -> None:
    rbin = ground.client("rbin")
    day = {"RetentionPeriodValue": 1, "RetentionPeriodUnit": "DAYS"}
    for _ in range(250):
        rbin.create_rule(ResourceType="EBS_SNAPSHOT", RetentionPeriod=day)
    more = partial(rbin.create_rule, ResourceType="EBS_VOLUME", RetentionPeriod=day)
    error = refused("ServiceQuotaExceededException", more, "250")
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 402


@ROWS.row(API + "CreateRule")
def bad_rules_are_refused(ground: Ground) -> None:
    for days, kind in ((366, "EBS_SNAPSHOT"), (8, "EBS_VOLUME"), (366, "EC2_IMAGE")):
        refused("ValidationException", partial(rule, ground, days, kind), str(days - 1))
    refused("ValidationException", lambda: rule(ground, 1, "EBS"), "EBS_SNAPSHOT")
    both = partial(rule, ground, ResourceTags=tags(a="b"), ExcludeResourceTags=tags(c="d"))
    refused("ValidationException", both, "ExcludeResourceTags")
    six = [{"ResourceTagKey": str(number), "ResourceTagValue": ""} for number in range(6)]
    refused("ValidationException", lambda: rule(ground, ExcludeResourceTags=six), "5")
    many = [{"ResourceTagKey": str(number), "ResourceTagValue": ""} for number in range(51)]
    refused("ValidationException", lambda: rule(ground, ResourceTags=many), "50")
    refused("ValidationException", lambda: rule(ground, ResourceTags=[{"ResourceTagKey": "k" * 129}]), "128")
    refused("ValidationException", lambda: rule(ground, Description="x" * 256), "255")
    hours = {"RetentionPeriodValue": 1, "RetentionPeriodUnit": "HOURS"}
    rbin = ground.client("rbin")
    refused("ValidationException", lambda: rbin.create_rule(ResourceType="EBS_SNAPSHOT", RetentionPeriod=hours))
    refused("ValidationException", lambda: rbin.get_rule(Identifier="too-long-an-id"), "too-long-an-id")
    for kind in ("EBS_SNAPSHOT", "EBS_VOLUME", "EC2_IMAGE"):
        assert rbin.list_rules(ResourceType=kind)["Rules"] == []
    rule(ground, 365, ResourceTags=many[:50])


ROWS.refusal(
    "no_restore_of_a_snapshot_that_is_not_in_the_bin",
    EC2 + "RestoreSnapshotFromRecycleBin",
    "InvalidSnapshot.NotFound",
    lambda ground: ground.ec2().restore_snapshot_from_recycle_bin(SnapshotId=ground.snapshot()),
    "Recycle Bin",
)
ROWS.refusal(
    "no_restore_from_the_bin_of_a_malformed_id",
    EC2 + "RestoreSnapshotFromRecycleBin",
    "InvalidSnapshotID.Malformed",
    lambda ground: ground.ec2().restore_snapshot_from_recycle_bin(SnapshotId="snap-xyz"),
    "snap-xyz",
)
ROWS.refusal(
    "no_rule_of_an_unknown_identifier",
    API + "GetRule",
    "ResourceNotFoundException",
    lambda ground: ground.client("rbin").get_rule(Identifier="abcdefghijk"),
    "abcdefghijk",
)
