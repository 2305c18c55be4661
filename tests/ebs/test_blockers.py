"""What stands in the way of a deletion is known beforehand, in words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from snapkit import Sandbox
from snapkit.ebs import Region, Snapshot
from snapkit.ebs.blockers import Blocker, blockers
from tests.ebs.ground import OTHER, OWN, ZONE, Field


def reasons(found: tuple[Blocker, ...], *, hard: bool = True) -> list[str]:
    return [each.reason for each in found if each.hard is hard]


def taken(field: Field, count: int = 2, **more: Any) -> list[Snapshot]:
    """Let a volume have complete snapshots; return them newest first."""
    field.sandbox.fill(field.new_volume().id, count, **more)
    return list(field.region().snapshots.find())


@contextmanager
def calls_of(region: Region) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """Record what is asked of EC2."""
    seen: list[tuple[str, dict[str, Any]]] = []

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        seen.append((model.name, dict(params)))

    region.aws.client.meta.events.register("provide-client-params.ec2.*", note)
    yield seen
    region.aws.client.meta.events.unregister("provide-client-params.ec2.*", note)


def image_of(field: Field, snapshot_id: str, name: str = "golden") -> str:
    device = {"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": snapshot_id}}
    made = field.ec2().register_image(Name=name, RootDeviceName="/dev/xvda", BlockDeviceMappings=[device])
    return str(made["ImageId"])


def with_tags(snapshot: Snapshot, **changed: Any) -> Snapshot:
    """Return it as AWS would show it if one of its services had made it: no user can set such tags."""
    return Snapshot(snapshot.region, {**snapshot.raw, **changed})


def test_a_snapshot_that_nothing_needs_has_no_blockers(field: Field) -> None:
    assert taken(field)[0].blockers() == ()


def test_pain_14_an_image_that_stands_on_it_is_named(field: Field) -> None:
    snapshot = taken(field)[0]
    image = image_of(field, snapshot.id)
    (found,) = snapshot.blockers()
    assert str(found) == (f"the image {image} stands on it; deregister {image} first, if nobody starts servers from it")


def test_pain_14_a_disabled_image_still_stands_on_it(field: Field) -> None:
    snapshot = taken(field)[0]
    image = image_of(field, snapshot.id)
    field.ec2().disable_image(ImageId=image)
    region = field.region()
    with calls_of(region) as calls:
        assert reasons(region.snapshots.get(snapshot.id).blockers()) == [f"the image {image} (disabled) stands on it"]
    asked = dict(calls)["DescribeImages"]
    # The sandbox shows disabled images in any case, AWS does not.
    assert asked["IncludeDisabled"] is True


def test_a_lock_is_named_with_its_end_and_gone_when_it_expires(field: Field) -> None:
    snapshot = taken(field)[0]
    field.ec2().lock_snapshot(SnapshotId=snapshot.id, LockMode="governance", LockDuration=3)
    assert reasons(snapshot.blockers()) == ["it is locked (governance) until 2026-01-08 00:00 UTC"]
    field.clock.advance("4d")
    assert reasons(snapshot.blockers()) == []


def test_a_compliance_lock_says_that_nobody_can_undo_it(field: Field) -> None:
    snapshot = taken(field)[0]
    field.ec2().lock_snapshot(SnapshotId=snapshot.id, LockMode="compliance", LockDuration=3)
    (found,) = snapshot.blockers()
    assert found.remedy == "wait until then: nobody can unlock it"


def test_fast_snapshot_restore_is_named_with_its_zones_until_it_is_disabled(field: Field) -> None:
    snapshot = taken(field)[0]
    ec2, asked = field.ec2(), {"SourceSnapshotIds": [snapshot.id], "AvailabilityZones": [ZONE, "us-east-1b"]}
    ec2.enable_fast_snapshot_restores(**asked)
    assert reasons(snapshot.blockers()) == ["fast snapshot restore is on in us-east-1a, us-east-1b"]
    ec2.disable_fast_snapshot_restores(**asked)
    assert reasons(snapshot.blockers()) == []


def test_what_aws_backup_manages_is_known_by_tag_and_by_description(field: Field) -> None:
    snapshot = taken(field)[0]
    tagged = with_tags(snapshot, Tags=[{"Key": "aws:backup:source-resource", "Value": "i-1:vol-1"}])
    described = with_tags(snapshot, Description="This snapshot is created by the AWS Backup service.")
    for each in (tagged, described):
        assert reasons(each.blockers()) == ["AWS Backup manages it"]


def test_what_a_lifecycle_policy_made_is_a_warning_with_the_policy(field: Field) -> None:
    snapshot = taken(field)[0]
    tagged = with_tags(snapshot, Tags=[{"Key": "aws:dlm:lifecycle-policy-id", "Value": "policy-1"}])
    described = with_tags(snapshot, Description="Created for policy: policy-1 schedule: daily")
    for each in (tagged, described):
        assert reasons(each.blockers(), hard=False) == ["Data Lifecycle Manager (policy-1) made it"]
        assert reasons(each.blockers()) == []


def test_a_public_snapshot_is_a_warning_without_a_look_up_each(field: Field) -> None:
    snapshot = taken(field)[0]
    snapshot.share_publicly(confirm=snapshot.id)
    region = field.region()
    with calls_of(region) as calls:
        assert reasons(blockers(region.snapshots.find()[:1]), hard=False) == ["it is public"]
    assert "DescribeSnapshotAttribute" not in dict(calls)


def test_private_shares_are_a_warning_where_they_were_looked_up(field: Field) -> None:
    snapshot = taken(field)[0]
    snapshot.share(OTHER)
    assert reasons(snapshot.blockers(), hard=False) == []
    found = blockers(snapshot, shares={snapshot.id: snapshot.shared_with()})
    assert reasons(found, hard=False) == [f"it is shared with {OTHER}"]


def test_the_last_complete_one_of_a_volume_is_a_warning(field: Field) -> None:
    newest, older = taken(field)
    assert reasons(newest.blockers(), hard=False) == []
    older.delete()
    told = f"no complete snapshot of {newest.volume_id} is left without it"
    assert reasons(newest.blockers(), hard=False) == [told]


def test_snapshots_that_go_together_are_the_last_ones_together(field: Field) -> None:
    found = blockers(taken(field))
    told = [each.reason for each in found if each.reason.endswith("with the others that go")]
    assert len(told) == 2


def test_a_pending_one_does_not_count_as_complete_and_is_a_warning(field: Field) -> None:
    (complete,) = taken(field, 1)
    pending = field.region().volumes.get(complete.volume_id).take_snapshot("now")
    assert reasons(pending.blockers(), hard=False) == ["it is still pending"]
    assert "no complete snapshot" in complete.blockers()[0].reason


def test_a_snapshot_of_another_account_can_be_deleted_by_its_owner_only(field: Field) -> None:
    snapshot = taken(field)[0]
    snapshot.share(OTHER)
    seen = field.region(account=1).snapshots.get(snapshot.id)
    assert reasons(seen.blockers()) == [f"it belongs to {OWN}"]


def test_a_copy_is_not_taken_for_the_last_one_of_a_volume(field: Field) -> None:
    source = taken(field)[0]
    copied = field.ec2().copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=source.id)["SnapshotId"]
    field.clock.advance("12h")
    assert field.region().snapshots.get(copied).blockers() == ()


def test_what_may_not_be_looked_up_is_a_warning_and_no_end() -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        volume = region.volumes.create(ZONE, "8 GiB")
        sandbox.fill(volume.id, 2)

        def deny(**_: Any) -> Any:
            refusal = {"Error": {"Code": "UnauthorizedOperation", "Message": "no"}, "ResponseMetadata": {}}
            response = type("Refused", (), {"status_code": 403})()
            return response, refusal

        region.aws.client.meta.events.register("before-call.ec2.DescribeLockedSnapshots", deny)
        (found,) = region.snapshots.find()[0].blockers()
        assert not found.hard
        assert "whether it is locked could not be looked up" in found.reason


def test_a_thousand_snapshots_take_a_handful_of_calls() -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        volume = region.volumes.create(ZONE, "8 GiB")
        sandbox.fill(volume.id, 1000)
        snapshots = region.snapshots.find()
        with calls_of(region) as calls:
            found = blockers(snapshots)
        assert len(found) == 1000
        assert len(calls) <= 8


def test_no_snapshots_take_no_calls(field: Field) -> None:
    assert blockers([]) == ()
