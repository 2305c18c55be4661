"""Rules about sharing snapshots."""

from collections.abc import Callable
from typing import Any

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EBS user guide, Share an Amazon EBS snapshot with other AWS accounts"
API = "EC2 API reference, "
UNKNOWN = "snap-0123456789abcdef0"


def _change(ground: Ground, snapshot_id: str, *, account: int = 0, **what: Any) -> None:
    ground.ec2(account).modify_snapshot_attribute(SnapshotId=snapshot_id, **what)


def _share(ground: Ground, snapshot_id: str, **what: Any) -> None:
    users = [{"UserId": account} for account in what.pop("accounts", [ground.accounts[1]])]
    groups = [{"Group": group} for group in what.pop("groups", [])]
    _change(ground, snapshot_id, CreateVolumePermission={"Add": users + groups}, **what)


def _permissions(ground: Ground, snapshot_id: str) -> list[dict[str, str]]:
    found = ground.ec2().describe_snapshot_attribute(SnapshotId=snapshot_id, Attribute="createVolumePermission")
    return list(found["CreateVolumePermissions"])


def _seen(ground: Ground, **how: Any) -> list[str]:
    """Return what the other account is shown."""
    return [each["SnapshotId"] for each in ground.ec2(1).describe_snapshots(**how)["Snapshots"]]


def _under_own_key(ground: Ground) -> str:
    """Make a snapshot that is encrypted under a key of the account."""
    key = ground.client("kms").create_key()["KeyMetadata"]["Arn"]
    copy = ground.ec2().copy_snapshot(
        SourceRegion="us-east-1", SourceSnapshotId=ground.snapshot(), Encrypted=True, KmsKeyId=key
    )["SnapshotId"]
    ground.clock.advance("1h")
    return str(copy)


def _under_default_key(ground: Ground) -> str:
    """Make a snapshot that is encrypted under the key that AWS manages."""
    copy = ground.ec2().copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=ground.snapshot(), Encrypted=True)
    ground.clock.advance("1h")
    return str(copy["SnapshotId"])


@ROWS.row(API + "ModifySnapshotAttribute")
def a_snapshot_is_shared_in_the_form_with_an_operation_type(ground: Ground) -> None:
    snapshot = ground.snapshot()
    assert _permissions(ground, snapshot) == []
    _change(
        ground,
        snapshot,
        Attribute="createVolumePermission",
        OperationType="add",
        UserIds=[ground.accounts[1], "999999999999"],
    )
    assert _permissions(ground, snapshot) == [{"UserId": ground.accounts[1]}, {"UserId": "999999999999"}]
    assert _seen(ground) == [snapshot]
    _change(ground, snapshot, Attribute="createVolumePermission", OperationType="remove", UserIds=["999999999999"])
    assert _permissions(ground, snapshot) == [{"UserId": ground.accounts[1]}]


@ROWS.row(API + "ModifySnapshotAttribute, CreateVolumePermission")
def a_snapshot_is_shared_in_the_form_with_permissions(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot, accounts=["999999999999", ground.accounts[1]], groups=["all"])
    assert _permissions(ground, snapshot) == [
        {"Group": "all"},
        {"UserId": "999999999999"},
        {"UserId": ground.accounts[1]},
    ]
    _change(ground, snapshot, CreateVolumePermission={"Remove": [{"Group": "all"}, {"UserId": "999999999999"}]})
    assert _permissions(ground, snapshot) == [{"UserId": ground.accounts[1]}]
    assert _seen(ground) == [snapshot]


@ROWS.row(API + "ModifySnapshotAttribute")
def what_was_shared_twice_is_listed_once_and_taken_away_at_once(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot, accounts=[ground.accounts[1]] * 2)
    _share(ground, snapshot)
    assert _permissions(ground, snapshot) == [{"UserId": ground.accounts[1]}]
    for _ in range(2):
        _change(ground, snapshot, CreateVolumePermission={"Remove": [{"UserId": ground.accounts[1]}]})
        assert _permissions(ground, snapshot) == []
        assert _seen(ground) == []


@ROWS.row(API + "DescribeSnapshots")
def a_shared_snapshot_is_shown_to_the_other_account_however_it_asks(ground: Ground) -> None:
    snapshot, private = ground.snapshot(), ground.snapshot()
    owner, me = ground.accounts
    _share(ground, snapshot)
    assert _seen(ground) == [snapshot]
    assert _seen(ground, SnapshotIds=[snapshot]) == [snapshot]
    assert _seen(ground, OwnerIds=[owner]) == [snapshot]
    assert _seen(ground, OwnerIds=["self"]) == []
    assert _seen(ground, RestorableByUserIds=["self"]) == [snapshot]
    assert _seen(ground, RestorableByUserIds=[me]) == [snapshot]
    assert _seen(ground, RestorableByUserIds=["all"]) == []
    assert _seen(ground, Filters=[{"Name": "owner-id", "Values": [owner]}]) == [snapshot]
    assert ground.shown(snapshot, account=1)["OwnerId"] == owner
    refused("InvalidSnapshot.NotFound", lambda: _seen(ground, SnapshotIds=[private]), private)


@ROWS.row(API + "DescribeSnapshots, RestorableByUserIds")
def the_owner_finds_what_another_account_may_restore(ground: Ground) -> None:
    shared, private, public = ground.snapshot(), ground.snapshot(), ground.snapshot()
    _share(ground, shared)
    _share(ground, public, accounts=[], groups=["all"])

    def found(user: str) -> list[str]:
        rows = ground.ec2().describe_snapshots(OwnerIds=["self"], RestorableByUserIds=[user])["Snapshots"]
        return [each["SnapshotId"] for each in rows]

    assert found(ground.accounts[1]) == [shared]
    assert found("all") == [public]
    assert found("self") == [shared, private, public]


@ROWS.row(API + "DescribeSnapshots")
def a_public_snapshot_is_shown_to_every_account(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot, accounts=[], groups=["all"])
    assert _seen(ground, RestorableByUserIds=["all"]) == [snapshot]
    assert _seen(ground, SnapshotIds=[snapshot]) == [snapshot]
    _change(ground, snapshot, OperationType="remove", GroupNames=["all"])
    assert _seen(ground) == []


@ROWS.row(API + "DescribeSnapshots")
def own_and_shared_snapshots_come_page_by_page(ground: Ground) -> None:
    volume, mine = ground.volume(), ground.volume(account=1)
    expected = []
    for _ in range(4):
        expected += [ground.snapshot(volume), ground.snapshot(mine, account=1)]
        _share(ground, expected[-2])
    pages = ground.ec2(1).get_paginator("describe_snapshots").paginate(PaginationConfig={"PageSize": 5})
    assert [[each["SnapshotId"] for each in page["Snapshots"]] for page in pages] == [expected[:5], expected[5:]]


@ROWS.row(GUIDE)
def a_snapshot_is_shared_in_its_region_only(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot)
    elsewhere = ground.ec2(1, "eu-west-1")
    assert elsewhere.describe_snapshots()["Snapshots"] == []
    refused("InvalidSnapshot.NotFound", lambda: elsewhere.describe_snapshots(SnapshotIds=[snapshot]))


@ROWS.row("EBS user guide, Use Amazon EBS snapshots that are shared with you")
def tags_are_not_shared(ground: Ground) -> None:
    tags = [{"Key": "team", "Value": "data"}]
    snapshot = ground.snapshot(TagSpecifications=[{"ResourceType": "snapshot", "Tags": tags}])
    _share(ground, snapshot)
    assert ground.shown(snapshot)["Tags"] == tags
    assert "Tags" not in ground.shown(snapshot, account=1)


@ROWS.row(GUIDE)
def a_pending_snapshot_can_be_shared(ground: Ground) -> None:
    snapshot = ground.ec2().create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    _share(ground, snapshot)
    assert ground.shown(snapshot, account=1)["State"] == "pending"
    ground.clock.advance("1h")
    assert ground.shown(snapshot, account=1)["State"] == "completed"


@ROWS.row(GUIDE)
def a_deleted_snapshot_is_shared_no_more(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot)
    ground.ec2().delete_snapshot(SnapshotId=snapshot)
    assert _seen(ground) == []
    refused("InvalidSnapshot.NotFound", lambda: _seen(ground, SnapshotIds=[snapshot]))


@ROWS.row("EBS user guide, Use Amazon EBS snapshots that are shared with you")
def a_shared_snapshot_can_be_copied_until_it_is_shared_no_more(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot)
    source = {"SourceRegion": "us-east-1", "SourceSnapshotId": snapshot}
    copy = ground.ec2(1).copy_snapshot(**source)["SnapshotId"]
    ground.clock.advance("1h")
    shown = ground.shown(copy, account=1)
    assert (shown["OwnerId"], shown["State"]) == (ground.accounts[1], "completed")
    _change(ground, snapshot, OperationType="remove", UserIds=[ground.accounts[1]])
    refused("InvalidSnapshot.NotFound", lambda: ground.ec2(1).copy_snapshot(**source), snapshot)
    assert ground.shown(copy, account=1)["State"] == "completed"


@ROWS.row("EBS user guide, Use Amazon EBS snapshots that are shared with you")
def a_shared_snapshot_can_be_restored_until_it_is_shared_no_more(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot)

    def restore() -> Any:
        return ground.ec2(1).create_volume(SnapshotId=snapshot, AvailabilityZone="us-east-1a", VolumeType="gp3")

    assert restore()["Size"] == 10
    ground.ec2().reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    refused("InvalidSnapshot.NotFound", restore, snapshot)


@ROWS.row(API + "ResetSnapshotAttribute")
def a_reset_takes_all_permissions_away(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot, groups=["all"])
    ground.ec2().reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert _permissions(ground, snapshot) == []
    assert _seen(ground) == []


@ROWS.row(API + "DescribeSnapshotAttribute")
def product_codes_are_no_permissions(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot)
    found = ground.ec2().describe_snapshot_attribute(SnapshotId=snapshot, Attribute="productCodes")
    assert (found["SnapshotId"], found["ProductCodes"]) == (snapshot, [])
    assert "CreateVolumePermissions" not in found


@ROWS.row(API + "ModifySnapshotAttribute")
def five_hundred_modifications_are_made_at_once_and_no_more(ground: Ground) -> None:
    snapshot = ground.snapshot()
    accounts = [f"{number:012}" for number in range(501)]
    refused("InvalidParameterValue", lambda: _share(ground, snapshot, accounts=accounts), "500")
    assert _permissions(ground, snapshot) == []
    _share(ground, snapshot, accounts=accounts[:500])
    assert [each["UserId"] for each in _permissions(ground, snapshot)] == accounts[:500]


@ROWS.row(GUIDE)
def the_owner_is_not_listed(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot, accounts=[ground.accounts[0]])
    assert _permissions(ground, snapshot) == []
    assert ground.shown(snapshot)["SnapshotId"] == snapshot


@ROWS.row(GUIDE)
def only_the_owner_looks_at_permissions_changes_them_and_deletes(ground: Ground) -> None:
    snapshot = ground.snapshot()
    _share(ground, snapshot)
    other, attribute = ground.ec2(1), {"SnapshotId": snapshot, "Attribute": "createVolumePermission"}
    for call in (
        lambda: other.describe_snapshot_attribute(**attribute),
        lambda: other.reset_snapshot_attribute(**attribute),
        lambda: other.modify_snapshot_attribute(**attribute, OperationType="add", UserIds=["999999999999"]),
        lambda: other.delete_snapshot(SnapshotId=snapshot),
    ):
        refused("InvalidSnapshot.NotFound", call, snapshot)
    assert _permissions(ground, snapshot) == [{"UserId": ground.accounts[1]}]


@ROWS.row(GUIDE + ", Before you share a snapshot")
def a_snapshot_under_a_key_of_the_account_is_shared_but_not_with_everybody(ground: Ground) -> None:
    snapshot = _under_own_key(ground)
    _share(ground, snapshot)
    assert ground.shown(snapshot, account=1)["Encrypted"] is True
    refused("OperationNotPermitted", lambda: _share(ground, snapshot, accounts=[], groups=["all"]), "public")
    assert _permissions(ground, snapshot) == [{"UserId": ground.accounts[1]}]


@ROWS.row(GUIDE + ", Before you share a snapshot")
def a_snapshot_under_the_key_that_aws_manages_is_not_shared(ground: Ground) -> None:
    snapshot = _under_default_key(ground)
    for to in ({"accounts": [ground.accounts[1]]}, {"accounts": [], "groups": ["all"]}):
        refused("OperationNotPermitted", lambda to=to: _share(ground, snapshot, **to), "EBS default key")  # type: ignore[misc]
    assert _permissions(ground, snapshot) == []
    _change(ground, snapshot, OperationType="remove", UserIds=[ground.accounts[1]])


@ROWS.row(GUIDE + ", Before you share a snapshot")
def a_key_of_the_account_can_be_shared_under_even_if_it_is_taken_by_default(ground: Ground) -> None:
    snapshot = _under_own_key(ground)
    ground.ec2().modify_ebs_default_kms_key_id(KmsKeyId=ground.shown(snapshot)["KmsKeyId"])
    _share(ground, snapshot)
    assert _seen(ground) == [snapshot]


@ROWS.row("EBS user guide, Archive Amazon EBS snapshots")
def an_archived_snapshot_is_not_shared(ground: Ground) -> None:
    snapshot = ground.snapshot()
    ground.ec2().modify_snapshot_tier(SnapshotId=snapshot, StorageTier="archive")
    ground.clock.advance("100h")
    assert ground.shown(snapshot)["StorageTier"] == "archive"
    refused("IncorrectState", lambda: _share(ground, snapshot), "archived")


@ROWS.row(API + "DryRun")
def a_dry_run_shares_nothing(ground: Ground) -> None:
    snapshot = ground.snapshot()
    refused("DryRunOperation", lambda: _share(ground, snapshot, DryRun=True))
    assert _permissions(ground, snapshot) == []


def _bad(name: str, code: str, message: str, **what: Any) -> None:
    """Add a row about a change that is refused and changes nothing."""

    def check(ground: Ground) -> None:
        snapshot = ground.snapshot()
        refused(code, lambda: _change(ground, snapshot, **what), message)
        assert _permissions(ground, snapshot) == []

    check.__name__ = name
    ROWS.row(API + "ModifySnapshotAttribute")(check)


_ONE, _TWO = {"UserId": "444455556666"}, {"UserId": "999999999999"}
_BOTH = {"Add": [_ONE], "Remove": [_TWO]}
_bad("add and remove at once are refused", "InvalidParameterCombination", "both", CreateVolumePermission=_BOTH)
_bad(
    "both forms at once are refused",
    "InvalidParameterCombination",
    "CreateVolumePermission",
    CreateVolumePermission={"Add": [_ONE]},
    OperationType="add",
    UserIds=["999999999999"],
)
_bad("no account and no group is refused", "InvalidParameterCombination", "No accounts", OperationType="add")
_bad("an empty permission is refused", "InvalidParameterCombination", "No accounts", CreateVolumePermission={"Add": []})
_bad("accounts without an operation are refused", "MissingParameter", "OperationType", UserIds=["444455556666"])
_bad("an unknown operation is refused", "InvalidParameterValue", "steal", OperationType="steal", GroupNames=["all"])
_bad("a word is no account", "InvalidUserID.Malformed", "banana", OperationType="add", UserIds=["banana"])
_bad("eleven digits are no account", "InvalidUserID.Malformed", "1" * 11, OperationType="add", UserIds=["1" * 11])
_bad(
    "other digits than those of ASCII are no account",
    "InvalidUserID.Malformed",
    "expecting",
    OperationType="add",
    UserIds=["\u0661" * 12],
)
_bad(
    "an account of the other form is checked too",
    "InvalidUserID.Malformed",
    "4444-5555-6666",
    CreateVolumePermission={"Add": [_ONE, {"UserId": "4444-5555-6666"}]},
)
_bad("the only group is all", "InvalidAMIAttributeItemValue", "friends", OperationType="add", GroupNames=["friends"])
_bad(
    "product codes cannot be modified",
    "InvalidParameterValue",
    "productCodes",
    Attribute="productCodes",
    OperationType="add",
    UserIds=["444455556666"],
)


_ASKED: tuple[tuple[str, Callable[[Ground, str], object]], ...] = (
    ("modify", _share),
    (
        "describe",
        lambda ground, snapshot_id: ground.ec2().describe_snapshot_attribute(
            SnapshotId=snapshot_id, Attribute="createVolumePermission"
        ),
    ),
    (
        "reset",
        lambda ground, snapshot_id: ground.ec2().reset_snapshot_attribute(
            SnapshotId=snapshot_id, Attribute="createVolumePermission"
        ),
    ),
)
for _verb, _call in _ASKED:
    for _kind, _code, _id in (
        ("an unknown", "InvalidSnapshot.NotFound", UNKNOWN),
        ("a malformed", "InvalidSnapshotID.Malformed", "snap-banana"),
    ):
        ROWS.refusal(
            f"{_verb} refuses {_kind} id",
            API + "error codes",
            _code,
            lambda ground, call=_call, snapshot_id=_id: call(ground, snapshot_id),  # type: ignore[misc]
            _id,
        )


@ROWS.row(API + "ResetSnapshotAttribute, DescribeSnapshotAttribute")
def an_unknown_attribute_is_refused(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), ground.snapshot()
    for call in (ec2.describe_snapshot_attribute, ec2.reset_snapshot_attribute):
        refused("InvalidParameterValue", lambda call=call: call(SnapshotId=snapshot, Attribute="colour"), "colour")  # type: ignore[misc]
    refused(
        "InvalidParameterValue",
        lambda: ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="productCodes"),
        "productCodes",
    )
