"""Rules about taking, listing and deleting snapshots."""

from functools import partial
from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EBS user guide, "
API = "EC2 API reference, "
MIB_512 = 1024
GIB = 2048


@ROWS.row(GUIDE + "Create Amazon EBS snapshots")
def a_snapshot_is_pending_until_its_blocks_are_copied(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume(written=GIB)
    taken = ec2.create_snapshot(VolumeId=volume, Description="before the upgrade")
    assert (taken["State"], taken["Progress"], taken["Description"]) == ("pending", "", "before the upgrade")
    ground.clock.advance("100s")
    shown = ground.shown(taken["SnapshotId"])
    assert shown["Progress"] == "48%"
    assert "CompletionTime" not in shown
    ground.clock.advance("2h")
    shown = ground.shown(taken["SnapshotId"])
    assert (shown["State"], shown["Progress"], shown["VolumeSize"]) == ("completed", "100%", 10)
    assert (shown["CompletionTime"] - shown["StartTime"]).total_seconds() == round(180 + 2**30 / 43.6e6, 3)


@ROWS.row(GUIDE + "How Amazon EBS snapshots work (15 GiB volume: 10, 4 and 2 GiB)")
def a_snapshot_copies_what_changed_since_the_one_before(ground: Ground) -> None:
    volume = ground.volume(15, written=10 * GIB)
    durations, sizes = [], []
    for first, count in ((0, 0), (0, 4 * GIB), (10 * GIB, 2 * GIB)):
        if count:
            ground.sandbox.write(volume, first, count)
        shown = ground.shown(ground.snapshot(volume))
        durations.append((shown["CompletionTime"] - shown["StartTime"]).total_seconds())
        sizes.append(shown["FullSnapshotSizeInBytes"])
    assert sizes == [10 * 2**30, 10 * 2**30, 12 * 2**30]
    assert durations == [round(180 + gib * 2**30 / 43.6e6, 3) for gib in (10, 4, 2)]


@ROWS.row(GUIDE + "Create Amazon EBS snapshots: a snapshot captures the data at the time of the request")
def later_writes_do_not_change_a_pending_snapshot(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume(written=GIB)
    taken = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ground.sandbox.write(volume, GIB, GIB)
    ground.clock.advance("1d")
    assert ground.shown(taken)["FullSnapshotSizeInBytes"] == 2**30


@ROWS.row(GUIDE + "Delete an Amazon EBS snapshot: data that other snapshots need stays")
def a_deleted_snapshot_leaves_the_next_one_incremental_to_what_remains(ground: Ground) -> None:
    volume = ground.volume(15, written=10 * GIB)
    ground.snapshot(volume)
    ground.sandbox.write(volume, 0, 4 * GIB)
    second = ground.snapshot(volume)
    ground.ec2().delete_snapshot(SnapshotId=second)
    ground.sandbox.write(volume, 10 * GIB, GIB)
    shown = ground.shown(ground.snapshot(volume))
    assert (shown["CompletionTime"] - shown["StartTime"]).total_seconds() == round(180 + 5 * 2**30 / 43.6e6, 3)


@ROWS.row(GUIDE + "Delete an Amazon EBS snapshot")
def without_any_snapshot_left_the_next_one_is_full(ground: Ground) -> None:
    volume = ground.volume(15, written=10 * GIB)
    ground.ec2().delete_snapshot(SnapshotId=ground.snapshot(volume))
    shown = ground.shown(ground.snapshot(volume))
    assert (shown["CompletionTime"] - shown["StartTime"]).total_seconds() == round(180 + 10 * 2**30 / 43.6e6, 3)


@ROWS.row(GUIDE + "How Amazon EBS snapshots work: a volume made from a snapshot")
def a_restored_volume_continues_the_lineage(ground: Ground) -> None:
    first = ground.snapshot(ground.volume(15, written=10 * GIB))
    restored = ground.volume(20, SnapshotId=first)
    ground.sandbox.write(restored, 0, GIB)
    shown = ground.shown(ground.snapshot(restored))
    assert shown["FullSnapshotSizeInBytes"] == 10 * 2**30
    assert (shown["CompletionTime"] - shown["StartTime"]).total_seconds() == round(180 + 2**30 / 43.6e6, 3)


@ROWS.row(API + "error codes, SnapshotCreationPerVolumeRateExceeded")
def two_snapshots_of_a_volume_are_15_seconds_apart(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    ec2.create_snapshot(VolumeId=volume)
    ground.clock.advance("14s")
    refused("SnapshotCreationPerVolumeRateExceeded", lambda: ec2.create_snapshot(VolumeId=volume), "per volume")
    ec2.create_snapshot(VolumeId=ground.volume())
    ground.clock.advance("1s")
    ec2.create_snapshot(VolumeId=volume)


@ROWS.row(GUIDE + "Quotas for Amazon EBS: concurrent snapshots per volume")
def five_snapshots_of_a_volume_may_be_pending_and_one_of_st1(ground: Ground) -> None:
    for kind, most in (("gp3", 5), ("st1", 1)):
        volume = ground.volume(125, written=100 * GIB, VolumeType=kind)
        for _ in range(most):
            ground.ec2().create_snapshot(VolumeId=volume)
            ground.clock.advance("15s")
        refused("ConcurrentSnapshotLimitExceeded", partial(ground.ec2().create_snapshot, VolumeId=volume))
        ground.clock.advance("2h")
        ground.ec2().create_snapshot(VolumeId=volume)


@ROWS.row("AWS re:Post, knowledge center, ebs-snapshot-stuck")
def newer_snapshots_of_a_volume_remain_pending_until_the_oldest_is_complete(ground: Ground) -> None:
    volume, taken = ground.volume(written=10 * GIB), []
    for _ in range(3):
        taken.append(ground.ec2().create_snapshot(VolumeId=volume)["SnapshotId"])
        ground.clock.advance("30s")
    ground.clock.advance("5min")
    assert [ground.shown(each)["Progress"] for each in taken[1:]] == ["99%", "99%"]
    ground.clock.advance("1h")
    done = [ground.shown(each)["CompletionTime"] for each in taken]
    assert done == [done[0]] * 3


@ROWS.row("Service Quotas, L-94D7AB7D, concurrent snapshots per account")
def a_hundred_snapshots_of_an_account_may_be_pending(ground: Ground) -> None:
    volumes = [ground.volume(1) for _ in range(21)]
    for _ in range(5):
        for volume in volumes[:20]:
            ground.ec2().create_snapshot(VolumeId=volume)
        ground.clock.advance("15s")
    refused("PendingSnapshotLimitExceeded", lambda: ground.ec2().create_snapshot(VolumeId=volumes[20]))
    ground.ec2(1).create_snapshot(VolumeId=ground.volume(account=1))


@ROWS.row(API + "DescribeSnapshots, VolumeSize")
def a_snapshot_keeps_the_size_that_its_volume_had(ground: Ground) -> None:
    volume = ground.volume(10)
    snapshot = ground.snapshot(volume)
    ground.ec2().modify_volume(VolumeId=volume, Size=50)
    ground.clock.advance("1d")
    assert ground.shown(snapshot)["VolumeSize"] == 10
    assert ground.shown(ground.snapshot(volume))["VolumeSize"] == 50


@ROWS.row(GUIDE + "Delete an Amazon EBS snapshot: pending snapshots")
def a_snapshot_deleted_while_pending_goes_when_it_is_complete(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume(written=GIB)
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert ground.shown(snapshot)["State"] == "pending"
    ground.clock.advance("1h")
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(snapshot))


@ROWS.row(API + "DeleteSnapshot; DescribeTags")
def a_deleted_snapshot_is_gone_with_its_tags(ground: Ground) -> None:
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "Name", "Value": "nightly"}]}]
    snapshot = ground.snapshot(TagSpecifications=tags)
    of_it = [{"Name": "resource-id", "Values": [snapshot]}]
    assert [tag["Value"] for tag in ground.ec2().describe_tags(Filters=of_it)["Tags"]] == ["nightly"]
    ground.ec2().delete_snapshot(SnapshotId=snapshot)
    assert ground.ec2().describe_tags(Filters=of_it)["Tags"] == []
    refused("InvalidSnapshot.NotFound", lambda: ground.ec2().delete_snapshot(SnapshotId=snapshot), snapshot)


@ROWS.row(API + "DescribeSnapshots: the snapshots available to you")
def an_account_sees_its_own_snapshots_in_a_region_only(ground: Ground) -> None:
    mine, theirs = ground.snapshot(), ground.snapshot(account=1)
    assert [each["SnapshotId"] for each in ground.ec2().describe_snapshots()["Snapshots"]] == [mine]
    assert ground.ec2(region="eu-west-1").describe_snapshots()["Snapshots"] == []
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(theirs), theirs)
    refused("InvalidSnapshot.NotFound", lambda: ground.ec2().delete_snapshot(SnapshotId=theirs))


@ROWS.row(API + "DescribeSnapshots, OwnerIds and RestorableByUserIds")
def snapshots_are_narrowed_down_by_owner_and_by_who_may_restore(ground: Ground) -> None:
    mine, shared, public = ground.snapshot(), ground.snapshot(account=1), ground.snapshot(account=1)
    theirs, ec2 = ground.ec2(1), ground.ec2()
    allow = {"Attribute": "createVolumePermission", "OperationType": "add"}
    theirs.modify_snapshot_attribute(SnapshotId=shared, UserIds=[ground.accounts[0]], **allow)
    theirs.modify_snapshot_attribute(SnapshotId=public, GroupNames=["all"], **allow)

    def listed(**asked: Any) -> set[str]:
        return {each["SnapshotId"] for each in ec2.describe_snapshots(**asked)["Snapshots"]}

    assert listed() == {mine, shared, public}
    assert listed(OwnerIds=["self"]) == {mine}
    assert listed(OwnerIds=[ground.accounts[1]]) == {shared, public}
    assert listed(OwnerIds=["amazon"]) == set()
    assert listed(RestorableByUserIds=["self"]) == {mine, shared}
    assert listed(RestorableByUserIds=["all"]) == {public}
    assert listed(OwnerIds=["self"], RestorableByUserIds=["all"]) == set()


@ROWS.row(API + "DescribeSnapshots, OwnerIds and RestorableByUserIds; error codes, InvalidUserID.Malformed")
def owners_and_users_that_are_none_are_refused(ground: Ground) -> None:
    for parameter in ("OwnerIds", "RestorableByUserIds"):
        ask = {parameter: ["self", "banana"]}
        refused("InvalidUserID.Malformed", partial(ground.ec2().describe_snapshots, **ask), "banana")


@ROWS.row("EC2 user guide, Tag your Amazon EC2 resources: tags of shared resources")
def each_account_sees_and_finds_a_shared_snapshot_by_its_own_tags_only(ground: Ground) -> None:
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "secret", "Value": "x"}]}]
    snapshot = ground.snapshot(TagSpecifications=tags)
    ground.ec2().modify_snapshot_attribute(
        SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": ground.accounts[1]}]}
    )
    theirs = ground.ec2(1)
    for key in ("tag:secret", "tag-key"):
        probe = [{"Name": key, "Values": ["x", "secret"]}]
        assert theirs.describe_snapshots(Filters=probe)["Snapshots"] == []
        assert len(ground.ec2().describe_snapshots(Filters=probe)["Snapshots"]) == 1
    theirs.create_tags(Resources=[snapshot], Tags=[{"Key": "from", "Value": "them"}])
    assert ground.shown(snapshot, account=1)["Tags"] == [{"Key": "from", "Value": "them"}]
    assert ground.shown(snapshot)["Tags"] == tags[0]["Tags"]
    ground.ec2().delete_snapshot(SnapshotId=snapshot)
    assert theirs.describe_tags(Filters=[{"Name": "resource-id", "Values": [snapshot]}])["Tags"] == []


@ROWS.row(API + "DescribeSnapshots, Filters")
def every_filter_of_snapshots_selects(ground: Ground) -> None:
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "Name", "Value": "a*b"}, {"Key": "env", "Value": "prod"}]}]
    first = ground.snapshot(Description="nightly of db", TagSpecifications=tags)
    second = ground.snapshot(ground.volume(20), Description="by hand")
    shown = ground.shown(first)
    begun = shown["StartTime"].strftime("%Y-%m-%dT%H:%M:%S.000Z")
    ec2 = ground.ec2()
    for name, value, expected in (
        ("description", "nightly*", [first]),
        ("description", "NIGHTLY*", []),
        ("encrypted", "false", [first, second]),
        ("owner-id", ground.accounts[0], [first, second]),
        ("owner-alias", "amazon", []),
        ("progress", "100%", [first, second]),
        ("snapshot-id", first, [first]),
        ("start-time", begun, [first]),
        ("start-time", begun[:10] + "T*", [first, second]),
        ("status", "completed", [first, second]),
        ("status", "pending", []),
        ("storage-tier", "standard", [first, second]),
        ("transfer-type", "time-based", []),
        ("volume-id", shown["VolumeId"], [first]),
        ("volume-size", "20", [second]),
        ("tag:env", "pro?", [first]),
        ("tag:Name", "a\\*b", [first]),
        ("tag:Name", "a\\?b", []),
        ("tag-key", "env", [first]),
    ):
        found = ec2.describe_snapshots(Filters=[{"Name": name, "Values": [value]}])["Snapshots"]
        assert sorted(each["SnapshotId"] for each in found) == sorted(expected), (name, value)
    both = [{"Name": "encrypted", "Values": ["false"]}, {"Name": "volume-size", "Values": ["20", "30"]}]
    assert [each["SnapshotId"] for each in ec2.describe_snapshots(Filters=both)["Snapshots"]] == [second]


ROWS.refusal(
    "an_unknown_filter_is_refused_even_where_there_is_nothing_to_filter", API + "DescribeSnapshots, Filters",
    "InvalidParameterValue",
    lambda ground: ground.ec2().describe_snapshots(Filters=[{"Name": "colour", "Values": ["red"]}]), "'colour'",
)  # fmt: skip
ROWS.refusal(
    "a_filter_without_values_is_refused", API + "DescribeSnapshots, Filters", "InvalidParameterValue",
    lambda ground: ground.ec2().describe_snapshots(Filters=[{"Name": "status", "Values": []}]),
)  # fmt: skip
ROWS.refusal(
    "more_than_200_filter_values_are_refused", "EC2 user guide, List and filter using the CLI and API",
    "FilterLimitExceeded",
    lambda ground: ground.ec2().describe_snapshots(
        Filters=[{"Name": "volume-id", "Values": [f"vol-{number:08x}" for number in range(201)]}]
    ),
)  # fmt: skip


@ROWS.row(API + "Query requests: pagination")
def snapshots_are_paged_and_none_is_skipped_when_one_is_deleted(ground: Ground) -> None:
    volume = ground.volume()
    expected = ground.sandbox.fill(volume, 13)
    ec2 = ground.ec2()
    page = ec2.describe_snapshots(MaxResults=5)
    assert [each["SnapshotId"] for each in page["Snapshots"]] == expected[:5]
    ec2.delete_snapshot(SnapshotId=expected[2])
    page = ec2.describe_snapshots(MaxResults=5, NextToken=page["NextToken"])
    assert [each["SnapshotId"] for each in page["Snapshots"]] == expected[5:10]
    page = ec2.describe_snapshots(MaxResults=5, NextToken=page["NextToken"])
    assert [each["SnapshotId"] for each in page["Snapshots"]] == expected[10:]
    assert "NextToken" not in page
    paged = ec2.get_paginator("describe_snapshots").paginate(PaginationConfig={"PageSize": 5})
    assert len([each for page in paged for each in page["Snapshots"]]) == 12


ROWS.refusal(
    "a_made_up_token_is_refused", API + "Query requests: pagination", "InvalidParameterValue",
    lambda ground: ground.ec2().describe_snapshots(MaxResults=5, NextToken="made up"), "token",
)  # fmt: skip
ROWS.refusal(
    "pages_of_less_than_5_are_refused", API + "DescribeSnapshots, MaxResults", "InvalidParameterValue",
    lambda ground: ground.ec2().describe_snapshots(MaxResults=4), "maxResults",
)  # fmt: skip


@ROWS.row(API + "DescribeSnapshots, MaxResults")
def pages_and_ids_cannot_be_asked_for_together(ground: Ground) -> None:
    snapshot = ground.snapshot()
    ask = {"SnapshotIds": [snapshot], "MaxResults": 5}
    refused("InvalidParameterCombination", lambda: ground.ec2().describe_snapshots(**ask), "maxResults")


@ROWS.row(API + "DescribeSnapshots, SnapshotIds")
def an_unknown_id_among_known_ones_is_named(ground: Ground) -> None:
    known = ground.snapshot()
    ask = {"SnapshotIds": [known, "snap-0123456789abcdef0"]}
    refused("InvalidSnapshot.NotFound", lambda: ground.ec2().describe_snapshots(**ask), "snap-0123456789abcdef0")
    assert len(ground.ec2().describe_snapshots(SnapshotIds=[known, known])["Snapshots"]) == 1


@ROWS.row(API + "error codes")
def ids_that_are_none_and_ids_of_nothing_are_told_apart(ground: Ground) -> None:
    for code, snapshot in (
        ("InvalidSnapshotID.Malformed", "banana"),
        ("InvalidSnapshotID.Malformed", "vol-0123456789abcdef0"),
        ("InvalidSnapshot.NotFound", "snap-0123456789abcdef0"),
    ):
        refused(code, partial(ground.ec2().delete_snapshot, SnapshotId=snapshot), snapshot)
        refused(code, partial(ground.ec2().describe_snapshots, SnapshotIds=[snapshot]), snapshot)


ROWS.refusal(
    "a_snapshot_of_an_unknown_volume_is_refused", API + "error codes", "InvalidVolume.NotFound",
    lambda ground: ground.ec2().create_snapshot(VolumeId="vol-0123456789abcdef0"), "'vol-0123456789abcdef0'",
)  # fmt: skip
ROWS.refusal(
    "a_snapshot_of_no_volume_is_refused", API + "error codes", "InvalidVolumeID.Malformed",
    lambda ground: ground.ec2().create_snapshot(VolumeId="banana"), "banana",
)  # fmt: skip
ROWS.refusal(
    "a_dry_run_tells_that_it_would_have_succeeded", API + "CreateSnapshot, DryRun", "DryRunOperation",
    lambda ground: ground.ec2().create_snapshot(VolumeId=ground.volume(), DryRun=True),
)  # fmt: skip
ROWS.refusal(
    "a_description_of_more_than_255_characters_is_refused", API + "CreateSnapshot, Description",
    "InvalidParameterValue",
    lambda ground: ground.ec2().create_snapshot(VolumeId=ground.volume(), Description="x" * 256), "255",
)  # fmt: skip


@ROWS.row("EC2 user guide, Tag restrictions")
def the_tags_of_a_new_snapshot_are_checked(ground: Ground) -> None:
    volume = ground.volume()

    def take(tags: list[tuple[str, str]], kind: str = "snapshot") -> dict[str, Any]:
        pairs = [{"Key": key, "Value": value} for key, value in tags]
        return dict(
            ground.ec2().create_snapshot(VolumeId=volume, TagSpecifications=[{"ResourceType": kind, "Tags": pairs}])
        )

    refused("TagLimitExceeded", lambda: take([(f"k{number}", "v") for number in range(51)]))
    refused("InvalidParameterValue", lambda: take([("aws:mine", "v")]), "reserved")
    refused("InvalidParameterValue", lambda: take([("k", "v")], kind="volume"), "'volume'")
    refused("InvalidParameterValue", lambda: take([("k" * 128, "v")]))
    refused("InvalidParameterValue", lambda: take([("k", "v" * 256)]))
    hostile = "<img src=x onerror=alert(1)> 'quoted' \u202e\U0001f600"
    assert take([("Name", hostile)])["Tags"] == [{"Key": "Name", "Value": hostile}]
    assert len(ground.ec2().describe_snapshots()["Snapshots"]) == 1


@ROWS.row(GUIDE + "Create multi-volume snapshots; AWS re:Post, EBS snapshot or AMI creation is slow")
def the_snapshots_of_an_instance_wait_for_the_slowest_at_99_percent(ground: Ground) -> None:
    ec2, instance = ground.ec2(), ground.instance()
    data = ground.volume(100, written=50 * GIB)
    ec2.attach_volume(VolumeId=data, InstanceId=instance, Device="/dev/sdf")
    taken = ec2.create_snapshots(InstanceSpecification={"InstanceId": instance}, Description="set")["Snapshots"]
    assert [each["State"] for each in taken] == ["pending", "pending"]
    assert len({each["StartTime"] for each in taken}) == 1
    small, large = sorted(taken, key=lambda each: each["VolumeSize"])
    ground.clock.advance("10min")
    assert (ground.shown(small["SnapshotId"])["State"], ground.shown(small["SnapshotId"])["Progress"]) == (
        "pending", "99%",
    )  # fmt: skip
    ground.clock.advance("1h")
    ends = {ground.shown(each["SnapshotId"])["CompletionTime"] for each in (small, large)}
    assert len(ends) == 1


@ROWS.row(API + "CreateSnapshots, InstanceSpecification and CopyTagsFromSource")
def volumes_of_an_instance_are_left_out_and_tags_are_carried(ground: Ground) -> None:
    ec2, instance = ground.ec2(), ground.instance()
    data, scratch = ground.volume(20), ground.volume(30)
    ec2.create_tags(Resources=[data], Tags=[{"Key": "Name", "Value": "data"}, {"Key": "env", "Value": "prod"}])
    for device, volume in (("/dev/sdf", data), ("/dev/sdg", scratch)):
        ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=device)
    specification = {"InstanceId": instance, "ExcludeBootVolume": True, "ExcludeDataVolumeIds": [scratch]}
    taken = ec2.create_snapshots(
        InstanceSpecification=specification,
        CopyTagsFromSource="volume",
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": "env", "Value": "test"}]}],
    )["Snapshots"]
    assert [each["VolumeId"] for each in taken] == [data]
    tags = {tag["Key"]: tag["Value"] for tag in ground.shown(taken[0]["SnapshotId"])["Tags"]}
    assert tags == {"Name": "data", "env": "test"}


@ROWS.row(API + "CreateSnapshots, ExcludeDataVolumeIds")
def the_root_volume_and_strangers_cannot_be_named_among_the_data_volumes(ground: Ground) -> None:
    ec2, instance, stranger = ground.ec2(), ground.instance(), ground.volume()
    mappings = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"][0]["BlockDeviceMappings"]
    root = mappings[0]["Ebs"]["VolumeId"]
    for volume in (root, stranger):
        specification = {"InstanceId": instance, "ExcludeDataVolumeIds": [volume]}
        refused(
            "InvalidParameterValue",
            partial(ec2.create_snapshots, InstanceSpecification=specification),
            volume,
        )


ROWS.refusal(
    "snapshots_of_an_unknown_instance_are_refused", API + "error codes", "InvalidInstanceID.NotFound",
    lambda ground: ground.ec2().create_snapshots(InstanceSpecification={"InstanceId": "i-0123456789abcdef0"}),
    "i-0123456789abcdef0",
)  # fmt: skip
ROWS.refusal(
    "snapshots_of_no_instance_are_refused", API + "error codes", "InvalidInstanceID.Malformed",
    lambda ground: ground.ec2().create_snapshots(InstanceSpecification={"InstanceId": "banana"}), "banana",
)  # fmt: skip


@ROWS.row(GUIDE + "How Amazon EBS snapshots work (one owner only)")
def every_volume_of_anothers_snapshot_begins_with_a_full_one(ground: Ground) -> None:
    own = ground.snapshot(ground.volume(written=GIB))
    _share(ground, own, with_=1)
    theirs = [ground.snapshot(ground.volume(SnapshotId=own, account=1), account=1) for _ in range(2)]
    _share(ground, theirs[0], owner=1, with_=0)
    back = ground.snapshot(ground.volume(SnapshotId=theirs[0]))
    full = round(180 + 2**30 / 43.6e6, 3)
    assert [_seconds(ground, each, 1) for each in theirs] == [full, full]
    assert _seconds(ground, back) == full
    again = ground.ec2(1).describe_snapshots(SnapshotIds=[theirs[1]])["Snapshots"][0]["VolumeId"]
    assert _seconds(ground, ground.snapshot(again, account=1), 1) == 180


@ROWS.row(GUIDE + "Amazon EBS encryption (the first snapshot under another key is full)")
def every_volume_under_another_key_begins_with_a_full_one(ground: Ground) -> None:
    plain = ground.snapshot(ground.volume(written=GIB))
    full = round(180 + 2**30 / 43.6e6, 3)
    for _ in range(2):
        encrypted = ground.volume(SnapshotId=plain, Encrypted=True)
        assert _seconds(ground, ground.snapshot(encrypted)) == full
        assert _seconds(ground, ground.snapshot(encrypted)) == 180


@ROWS.row(API + "CreateSnapshots (a refused request begins nothing)")
def a_set_with_too_many_tags_begins_no_snapshot(ground: Ground) -> None:
    ec2, instance = ground.ec2(), ground.instance()
    volume = ground.volume()
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device="/dev/sdf")
    ec2.create_tags(Resources=[volume], Tags=[{"Key": str(number), "Value": ""} for number in range(50)])
    asked: dict[str, Any] = {
        "InstanceSpecification": {"InstanceId": instance},
        "CopyTagsFromSource": "volume",
        "TagSpecifications": [{"ResourceType": "snapshot", "Tags": [{"Key": "one more", "Value": ""}]}],
    }
    refused("TagLimitExceeded", lambda: ec2.create_snapshots(**asked))
    assert ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


@ROWS.row("EC2 user guide, List and filter using the CLI and API")
def many_wildcards_in_a_filter_take_no_time(ground: Ground) -> None:
    snapshot = ground.snapshot(Description="a" * 255)
    ec2 = ground.ec2()
    for value, found in (("*a" * 90 + "b", []), ("*a" * 90, [snapshot]), ("a*a?a*", [snapshot])):
        listed = ec2.describe_snapshots(Filters=[{"Name": "description", "Values": [value]}])["Snapshots"]
        assert [each["SnapshotId"] for each in listed] == found


def _share(ground: Ground, snapshot: str, *, with_: int, owner: int = 0) -> None:
    ground.ec2(owner).modify_snapshot_attribute(
        SnapshotId=snapshot,
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=[ground.accounts[with_]],
    )


def _seconds(ground: Ground, snapshot: str, account: int = 0) -> float:
    shown = ground.shown(snapshot, account=account)
    return float((shown["CompletionTime"] - shown["StartTime"]).total_seconds())
