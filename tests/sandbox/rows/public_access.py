"""Rules about blocking public access to snapshots."""

from tests.sandbox.ground import Ground, Table, refused

ROWS = Table()
GUIDE = "EBS user guide, Block public access for Amazon EBS snapshots"
API = "EC2 API reference, "


def _publish(ground: Ground, snapshot_id: str) -> None:
    ground.ec2().modify_snapshot_attribute(
        SnapshotId=snapshot_id, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )


def _visible(ground: Ground, snapshot_id: str) -> bool:
    found = ground.ec2(1).describe_snapshots(OwnerIds=[ground.accounts[0]])["Snapshots"]
    return snapshot_id in [each["SnapshotId"] for each in found]


@ROWS.row(API + "GetSnapshotBlockPublicAccessState")
def nothing_is_blocked_at_first(ground: Ground) -> None:
    state = ground.ec2().get_snapshot_block_public_access_state()
    assert (state["State"], state["ManagedBy"]) == ("unblocked", "account")


@ROWS.row(API + "EnableSnapshotBlockPublicAccess")
def the_state_is_one_of_an_account_and_a_region(ground: Ground) -> None:
    ec2 = ground.ec2()
    assert ec2.enable_snapshot_block_public_access(State="block-new-sharing")["State"] == "block-new-sharing"
    assert ec2.get_snapshot_block_public_access_state()["State"] == "block-new-sharing"
    assert ground.ec2(1).get_snapshot_block_public_access_state()["State"] == "unblocked"
    assert ground.ec2(region="eu-west-1").get_snapshot_block_public_access_state()["State"] == "unblocked"
    assert ec2.disable_snapshot_block_public_access()["State"] == "unblocked"
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"


@ROWS.row(GUIDE)
def block_new_sharing_refuses_to_share_and_hides_nothing(ground: Ground) -> None:
    public, other = ground.snapshot(), ground.snapshot()
    _publish(ground, public)
    ground.ec2().enable_snapshot_block_public_access(State="block-new-sharing")
    assert _visible(ground, public)
    refused("OperationNotPermitted", lambda: _publish(ground, other), "block-new-sharing")
    assert not _visible(ground, other)


@ROWS.row(GUIDE)
def block_all_sharing_hides_public_snapshots_but_leaves_their_attribute(ground: Ground) -> None:
    ec2, public = ground.ec2(), ground.snapshot()
    _publish(ground, public)
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")
    assert not _visible(ground, public)
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(public, account=1), public)
    refused(
        "InvalidSnapshot.NotFound",
        lambda: ground.ec2(1).copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=public),
    )
    attribute = ec2.describe_snapshot_attribute(SnapshotId=public, Attribute="createVolumePermission")
    assert attribute["CreateVolumePermissions"] == [{"Group": "all"}]
    refused("OperationNotPermitted", lambda: _publish(ground, ground.snapshot()), "block-all-sharing")


@ROWS.row(GUIDE)
def hidden_snapshots_are_public_again_when_only_new_sharing_is_blocked(ground: Ground) -> None:
    ec2, public = ground.ec2(), ground.snapshot()
    _publish(ground, public)
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")
    ec2.enable_snapshot_block_public_access(State="block-new-sharing")
    assert _visible(ground, public)


@ROWS.row(API + "DisableSnapshotBlockPublicAccess")
def hidden_snapshots_are_public_again_when_nothing_is_blocked(ground: Ground) -> None:
    ec2, public = ground.ec2(), ground.snapshot()
    _publish(ground, public)
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")
    ec2.disable_snapshot_block_public_access()
    assert _visible(ground, public)
    _publish(ground, ground.snapshot())


@ROWS.row(GUIDE)
def private_sharing_is_not_blocked(ground: Ground) -> None:
    ec2, snapshot = ground.ec2(), ground.snapshot()
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission={"Add": [{"UserId": ground.accounts[1]}]})
    assert _visible(ground, snapshot)


@ROWS.row(GUIDE)
def a_public_snapshot_can_be_made_private_while_sharing_is_blocked(ground: Ground) -> None:
    ec2, public = ground.ec2(), ground.snapshot()
    _publish(ground, public)
    ec2.enable_snapshot_block_public_access(State="block-new-sharing")
    ec2.modify_snapshot_attribute(SnapshotId=public, CreateVolumePermission={"Remove": [{"Group": "all"}]})
    assert not _visible(ground, public)


@ROWS.row(GUIDE)
def what_one_account_blocks_does_not_hide_the_snapshots_of_others_from_it(ground: Ground) -> None:
    public = ground.snapshot()
    _publish(ground, public)
    ground.ec2(1).enable_snapshot_block_public_access(State="block-all-sharing")
    assert _visible(ground, public)


for _name, _state in (("unblocked is no state to enable", "unblocked"), ("an unknown state is refused", "closed")):
    ROWS.refusal(
        _name,
        API + "EnableSnapshotBlockPublicAccess",
        "InvalidParameterValue",
        lambda ground, state=_state: ground.ec2().enable_snapshot_block_public_access(State=state),  # type: ignore[misc]
        _state,
    )


@ROWS.row(API + "EnableSnapshotBlockPublicAccess")
def a_dry_run_blocks_nothing(ground: Ground) -> None:
    ec2 = ground.ec2()
    refused(
        "DryRunOperation",
        lambda: ec2.enable_snapshot_block_public_access(State="block-all-sharing", DryRun=True),
    )
    assert ec2.get_snapshot_block_public_access_state()["State"] == "unblocked"
