"""Rules about tags."""

from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
API = "EC2 API reference, "
GUIDE = "EC2 user guide, Tag restrictions"
GONE = {
    "snap-0123456789abcdef0": "InvalidSnapshot.NotFound",
    "vol-0123456789abcdef0": "InvalidVolume.NotFound",
    "i-0123456789abcdef0": "InvalidInstanceID.NotFound",
    "ami-0123456789abcdef0": "InvalidAMIID.NotFound",
    "snap-banana": "InvalidSnapshotID.Malformed",
    "vol-1": "InvalidVolumeID.Malformed",
    "banana": "InvalidID",
}


def tagged(**tags: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def listed(ground: Ground, **filters: list[str]) -> dict[str, dict[str, str]]:
    """Read all tags, by resource."""
    asked = [{"Name": name.replace("_", "-"), "Values": values} for name, values in filters.items()]
    found: dict[str, dict[str, str]] = {}
    for tag in ground.ec2().describe_tags(Filters=asked)["Tags"]:
        found.setdefault(tag["ResourceId"], {})[tag["Key"]] = tag["Value"]
    return found


@ROWS.row(API + "CreateTags")
def tags_are_added_and_overwritten(ground: Ground) -> None:
    ec2, volume, snapshot = ground.ec2(), ground.volume(), ground.snapshot()
    ec2.create_tags(Resources=[volume, snapshot], Tags=tagged(a="1", b="2"))
    ec2.create_tags(Resources=[snapshot], Tags=[{"Key": "b", "Value": "3"}, {"Key": "c"}])
    assert listed(ground) == {volume: {"a": "1", "b": "2"}, snapshot: {"a": "1", "b": "3", "c": ""}}
    assert {tag["Key"]: tag["Value"] for tag in ground.shown(snapshot)["Tags"]} == {"a": "1", "b": "3", "c": ""}


@ROWS.row(API + "CreateTags, taggable resources")
def instances_and_their_kin_have_tags_too(ground: Ground) -> None:
    ec2, instance = ground.ec2(), ground.instance()
    ec2.create_tags(Resources=[instance], Tags=tagged(a="1"))
    (shown,) = ec2.describe_instances(InstanceIds=[instance])["Reservations"][0]["Instances"]
    assert shown["Tags"] == tagged(a="1")
    assert listed(ground, resource_type=["instance"]) == {instance: {"a": "1"}}
    (group, *_) = ec2.describe_security_groups()["SecurityGroups"]
    ec2.create_tags(Resources=[group["GroupId"]], Tags=tagged(b="2"))
    assert listed(ground, resource_type=["security-group"]) == {group["GroupId"]: {"b": "2"}}


@ROWS.row(API + "error codes")
def what_does_not_exist_is_not_tagged(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    for gone, code in GONE.items():
        refused(code, lambda gone=gone: ec2.create_tags(Resources=[volume, gone], Tags=tagged(a="1")), gone)  # type: ignore[misc]
        refused(code, lambda gone=gone: ec2.delete_tags(Resources=[gone]), gone)  # type: ignore[misc]
    assert listed(ground) == {}
    refused("InvalidSnapshot.NotFound", lambda: other_accounts_tag(ground))
    refused("MissingParameter", lambda: ec2.create_tags(Resources=[], Tags=tagged(a="1")))
    refused("MissingParameter", lambda: ec2.create_tags(Resources=[volume], Tags=[]))


def other_accounts_tag(ground: Ground) -> Any:
    return ground.ec2(1).create_tags(Resources=[ground.snapshot()], Tags=tagged(a="1"))


@ROWS.row(GUIDE)
def at_most_50_tags_counting_those_there(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    ec2.create_tags(Resources=[volume], Tags=tagged(**{f"k{number}": "" for number in range(49)}))
    refused("TagLimitExceeded", lambda: ec2.create_tags(Resources=[volume], Tags=tagged(a="", b="")), "50")
    assert len(listed(ground)[volume]) == 49
    ec2.create_tags(Resources=[volume], Tags=tagged(k0="again", last=""))
    refused("TagLimitExceeded", lambda: ec2.create_tags(Resources=[volume], Tags=tagged(more="")))
    other = ground.volume()
    refused("TagLimitExceeded", lambda: ec2.create_tags(Resources=[other, volume], Tags=tagged(more="")))
    assert other not in listed(ground)


@ROWS.row(GUIDE)
def keys_and_values_have_their_lengths_and_aws_its_own_keys(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    for key, value in (("aws:mine", ""), ("AWS:mine", ""), ("k" * 128, ""), ("", ""), ("k", "v" * 256)):
        refused(
            "InvalidParameterValue",
            lambda key=key, value=value: ec2.create_tags(Resources=[volume], Tags=[{"Key": key, "Value": value}]),  # type: ignore[misc]
        )
    twice = [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}]
    refused("InvalidParameterValue", lambda: ec2.create_tags(Resources=[volume], Tags=twice), "Duplicate")
    refused("InvalidParameterValue", lambda: ec2.delete_tags(Resources=[volume], Tags=[{"Key": "aws:a"}]))
    ec2.create_tags(Resources=[volume], Tags=tagged(**{"k" * 127: "v" * 255}))
    assert listed(ground) == {volume: {"k" * 127: "v" * 255}}


@ROWS.row(API + "DeleteTags")
def tags_are_deleted_by_key_or_by_key_and_value_or_all(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    ec2.create_tags(Resources=[volume], Tags=tagged(a="1", b="2", c="", d="4"))
    ec2.delete_tags(Resources=[volume], Tags=[{"Key": "a"}, {"Key": "b", "Value": "other"}, {"Key": "c", "Value": ""}])
    assert listed(ground) == {volume: {"b": "2", "d": "4"}}
    ec2.delete_tags(Resources=[volume], Tags=tagged(b="2"))
    assert listed(ground) == {volume: {"d": "4"}}
    ec2.delete_tags(Resources=[volume])
    assert listed(ground) == {}


@ROWS.row(API + "DescribeTags, filters")
def tags_are_filtered(ground: Ground) -> None:
    ec2, volume, snapshot = ground.ec2(), ground.volume(), ground.snapshot()
    ec2.create_tags(Resources=[volume], Tags=tagged(team="blue", stage="test"))
    ec2.create_tags(Resources=[snapshot], Tags=tagged(team="red"))
    assert listed(ground, key=["team"]) == {volume: {"team": "blue"}, snapshot: {"team": "red"}}
    assert listed(ground, value=["blue", "t*"]) == {volume: {"team": "blue", "stage": "test"}}
    assert listed(ground, resource_id=[snapshot]) == {snapshot: {"team": "red"}}
    assert listed(ground, resource_type=["snapshot"]) == {snapshot: {"team": "red"}}
    assert listed(ground, **{"tag:team": ["blue"]}) == {volume: {"team": "blue"}}
    assert listed(ground, key=["team"], resource_type=["volume"]) == {volume: {"team": "blue"}}
    for unknown in ("tag_key", "banana"):
        refused("InvalidParameterValue", lambda unknown=unknown: listed(ground, **{unknown: ["x"]}), "invalid")  # type: ignore[misc]


@ROWS.row(API + "DescribeTags, paging")
def tags_come_in_pages(ground: Ground) -> None:
    ec2 = ground.ec2()
    volumes = [ground.volume() for _ in range(4)]
    ec2.create_tags(Resources=volumes, Tags=tagged(a="", b="", c=""))
    pages = list(ec2.get_paginator("describe_tags").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["Tags"]) for page in pages] == [5, 5, 2]
    found = {(tag["ResourceId"], tag["Key"]) for page in pages for tag in page["Tags"]}
    assert found == {(volume, key) for volume in volumes for key in "abc"}
    refused("InvalidParameterValue", lambda: ec2.describe_tags(MaxResults=4))
    refused("InvalidParameterValue", lambda: ec2.describe_tags(NextToken="none"))


@ROWS.row(API + "DescribeTags, paging")
def deleting_between_two_pages_skips_nothing(ground: Ground) -> None:
    ec2 = ground.ec2()
    volumes = [ground.volume() for _ in range(4)]
    ec2.create_tags(Resources=volumes, Tags=tagged(a="", b="", c=""))
    first = ec2.describe_tags(MaxResults=5)
    ec2.delete_volume(VolumeId=first["Tags"][0]["ResourceId"])
    rest = ec2.describe_tags(NextToken=first["NextToken"])["Tags"]
    assert len({(tag["ResourceId"], tag["Key"]) for tag in first["Tags"] + rest}) == 12


@ROWS.row(API + "DescribeTags")
def the_tags_of_what_is_deleted_are_gone(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    snapshot = ground.snapshot(volume)
    ec2.create_tags(Resources=[volume, snapshot], Tags=tagged(a="1"))
    ec2.delete_snapshot(SnapshotId=snapshot)
    ec2.delete_volume(VolumeId=volume)
    assert listed(ground) == {}


@ROWS.row(API + "CreateTags, DryRun")
def a_dry_run_changes_nothing(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    refused("DryRunOperation", lambda: ec2.create_tags(Resources=[volume], Tags=tagged(a="1"), DryRun=True))
    ec2.create_tags(Resources=[volume], Tags=tagged(a="1"))
    refused("DryRunOperation", lambda: ec2.delete_tags(Resources=[volume], DryRun=True))
    assert listed(ground) == {volume: {"a": "1"}}


@ROWS.row("EBS user guide, Recycle Bin, tag resources in the bin")
def what_is_in_the_recycle_bin_can_be_tagged(ground: Ground) -> None:
    keep = {"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    ground.client("rbin").create_rule(ResourceType="EBS_SNAPSHOT", RetentionPeriod=keep)
    ground.clock.advance("1h")
    ec2, snapshot = ground.ec2(), ground.snapshot()
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert ec2.list_snapshots_in_recycle_bin()["Snapshots"][0]["SnapshotId"] == snapshot
    ec2.create_tags(Resources=[snapshot], Tags=tagged(a="1"))
    assert listed(ground, key=["a"]) == {snapshot: {"a": "1"}}
    ec2.delete_tags(Resources=[snapshot])
    assert "a" not in listed(ground)[snapshot]
    ec2.restore_snapshot_from_recycle_bin(SnapshotId=snapshot)


ROWS.refusal(
    "more_than_1000_resources_are_refused",
    API + "CreateTags",
    "InvalidParameterValue",
    lambda ground: ground.ec2().create_tags(
        Resources=[f"vol-{number:017x}" for number in range(1001)], Tags=tagged(a="1")
    ),
    "1000",
)
