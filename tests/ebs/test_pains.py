"""What hurts users of other tools, and what comes of it here: a test for each that has none elsewhere.

The numbers are those of our list of 25 pains. 1 to 8, 13, 14, 20, 21 and 24 stand with the operations that they are
about, 16 and 17 in tests/strategy.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from snapkit import AccessDenied, AwsError, NotFound, SnapshotFailed
from snapkit.access import Access, Role, to_iam
from snapkit.ebs import Region, Snapshot, Volume
from snapkit.errors import InUse, NotPermitted
from snapkit.units import DAY, GIB
from tests.ebs.ground import OTHER, ZONE, Field

AWAY = "eu-west-1"


def taken(field: Field, volume: Volume | None = None, **options: Any) -> Snapshot:
    return (volume or field.new_volume(**options)).take_snapshot().wait()


@contextmanager
def direct_calls(region: Region) -> Iterator[list[str]]:
    """Note what is asked of the EBS direct APIs."""
    asked: list[str] = []

    def note(model: Any, **_: Any) -> None:
        asked.append(model.name)

    events = region.service("ebs").client.meta.events
    events.register("before-call.ebs", note)
    yield asked
    events.unregister("before-call.ebs", note)


# -- 9: copies fail silently


def test_pain_9_copies_fail_silently_a_key_that_cannot_be_used_is_told_with_what_it_takes(field: Field) -> None:
    key = field.client("kms").create_key()["KeyMetadata"]["Arn"]
    source = taken(field, encrypted=True, kms_key_id=key)
    source.share(OTHER)
    # The other account cannot look the key up: AWS takes the copy on, and fails it later.
    field.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    theirs = field.region(account=1).snapshots.get(source.id)
    copy = theirs.copy_to(field.region(AWAY, account=1))
    assert copy.state == "pending"
    with pytest.raises(SnapshotFailed, match="Given key ID is not accessible; let its maker use the keys") as caught:
        copy.wait()
    assert caught.value.snapshot_id == copy.id
    assert caught.value.reason == "Given key ID is not accessible"
    for permission in ("kms:CreateGrant", "kms:Decrypt", "kms:ReEncrypt"):
        assert permission in str(caught.value)


def test_pain_9_copies_fail_silently_six_of_seven_are_not_a_success(field: Field) -> None:
    sources = [taken(field) for _ in range(7)]
    field.faults("CopySnapshot", failing=6)
    ended = []
    for copy in [source.copy_to(field.region(AWAY)) for source in sources]:
        try:
            ended.append(copy.wait().state)
        except SnapshotFailed as error:
            ended.append(f"{error.snapshot_id == copy.id}, {error.reason}")
    assert ended == ["True, An internal error occurred while the snapshot was being created."] * 6 + ["completed"]


def test_pain_9_copies_fail_silently_completion_is_seen_where_the_copy_is(field: Field) -> None:
    source = taken(field, gib=100, written=40_000)
    copy = source.copy_to(field.region(AWAY))
    assert (source.state, copy.state, copy.region.name) == ("completed", "pending", AWAY)
    copy.wait()
    assert field.shown(copy.id, region=AWAY)["State"] == "completed"
    with pytest.raises(NotFound):
        source.region.snapshots.get(copy.id)


# -- 10: full instead of incremental copies


def test_pain_10_full_copies_are_flagged_before_they_are_begun(field: Field) -> None:
    volume, away = field.new_volume(written=4096), field.region(AWAY)
    first = taken(field, volume)
    assert first.copy_preview(away).full
    first.copy_to(away).wait()
    field.sandbox.write(volume.id, 0, 10)
    second = taken(field, volume)
    incremental = second.copy_preview(away)
    assert (incremental.full, incremental.low) == (False, 0)
    other_key = str(field.client("kms", region=AWAY).create_key()["KeyMetadata"]["Arn"])
    broken = second.copy_preview(away, kms_key=other_key)
    assert broken.full
    assert str(broken).startswith("this copy will be full because the earlier copy snap-")
    assert "is under another key" in broken.reason
    assert broken.low == broken.high == 4096 * 512 * 1024
    assert broken.price_low == pytest.approx(2 * away.prices.transfer)


def test_pain_10_full_copies_a_chain_broken_by_a_deleted_copy_is_told(field: Field) -> None:
    volume, away = field.new_volume(), field.region(AWAY)
    taken(field, volume).copy_to(away).wait().delete()
    told = taken(field, volume).copy_preview(away)
    assert told.full
    assert f"no copy of {volume.id} made with snapkit was found in {AWAY}" in str(told)


# -- 12: measuring with the EBS direct APIs is heavy


def test_pain_12_ebs_direct_is_heavy_nothing_is_asked_before_it_is_priced(field: Field) -> None:
    volume = field.new_volume(written=3000)
    before = taken(field, volume)
    field.sandbox.write(volume.id, 0, 700)
    after = taken(field, volume)
    with direct_calls(volume.region) as asked:
        preview = after.changes_preview(before)
        volume.change_history_preview()
        assert asked == []
        found = after.changed_blocks(before)
    assert 1 <= len(asked) == found.requests <= preview.requests
    assert found.count == 700
    assert found.price_usd <= preview.price_usd


def test_pain_12_ebs_direct_is_heavy_taking_waiting_and_listing_never_use_it(field: Field) -> None:
    region = field.region()
    volume = field.new_volume(region=region)
    with direct_calls(region) as asked:
        snapshot = taken(field, volume)
        region.snapshots.find()
        region.orphans()
        snapshot.copy_preview(AWAY if field.endpoint is None else field.region(AWAY))
        snapshot.archive_preview()
        snapshot.restore_options()
        snapshot.estimate()
    assert asked == []


def test_pain_12_ebs_direct_is_heavy_snapshots_that_are_not_related_are_said_to_be(field: Field) -> None:
    one, other = taken(field), taken(field)
    with pytest.raises(AwsError, match="have no common ancestor"):
        one.changed_blocks(other)


# -- 15: DLM leaves snapshots behind


def test_pain_15_dlm_leaves_snapshots_behind_when_their_volume_is_gone_and_they_are_found(field: Field) -> None:
    volume = field.new_volume()
    ids = field.sandbox.fill(volume.id, 3)
    for each in ids:
        # Only AWS itself can set such a tag.
        field.sandbox._volume(volume.id).ec2_backend.tags.setdefault(each, {})["aws:dlm:lifecycle-policy-id"] = (
            "policy-1"
        )
    volume.delete()
    # A policy keeps the last ones by their count, which stops growing with the volume: they stay for ever.
    field.clock.advance("400d")
    orphans = field.region().orphans()
    assert {each.snapshot.id for each in orphans} == set(ids)
    assert {each.manager for each in orphans} == {"Data Lifecycle Manager (policy-1)"}
    assert all("managed by Data Lifecycle Manager (policy-1)" in each.evidence for each in orphans)


# -- 18: the archive: does it save?


def test_pain_18_archive_break_even_is_told_with_the_ninety_days_and_the_full_size(field: Field) -> None:
    volume = field.new_volume(100, written=100 * 2048)
    snapshot = taken(field, volume)
    told = snapshot.archive_preview()
    assert told.size == 100 * GIB
    assert told.least == pytest.approx(90 / 30 * 1.25)
    assert told.restore == pytest.approx(3.0)
    assert told.break_even(100 * GIB, restores=1) == pytest.approx(40.5 * DAY)
    assert "at least $3.75 for 90 days, and $3.00 for each restore" in str(told)


def test_pain_18_archive_break_even_of_an_incremental_one_is_never(field: Field) -> None:
    volume = field.new_volume(100, written=100 * 2048)
    taken(field, volume)
    field.sandbox.write(volume.id, 0, 2048)
    told = taken(field, volume).archive_preview(own="1 GiB")
    assert "it never pays off" in str(told)
    assert told.break_even_size == pytest.approx(25 * GIB)
    assert told.monthly > told.standard[1]


# -- 19: slow first reads after a restore


def test_pain_19_slow_first_reads_the_ways_to_restore_are_compared_by_time_and_price(field: Field) -> None:
    frame = taken(field, gib=100, written=100 * 2048).restore_options().to_frame().set_index("option")
    slow, rated, fast = (
        frame.loc[each] for each in ("default", "initialization rate 300 MiB/s", "fast snapshot restore")
    )
    assert slow["seconds_high"] > 800
    assert 340 < rated["seconds_high"] < 350
    assert fast["seconds_high"] == 0
    assert slow["price_usd"] == 0 < rated["price_usd"] < fast["price_usd"] == pytest.approx(540)
    assert slow["notes"] == "if all of it is read at once, else no bound"
    assert "10 volumes at once" in fast["notes"]
    assert set(frame["basis"]) == {"measured by others on gp3", "documented"}


# -- 22: which permissions?


def test_pain_22_which_permissions_a_missing_right_is_named_before_any_call(field: Field) -> None:
    snapshot = taken(field)
    snapshot.region.access = Access("ada", {"db": "reader"}, [Role("reader", ["Snapshot: CreateVolume: ANY"])])
    with pytest.raises(NotPermitted, match="your roles do not allow Snapshot: Delete for snap-") as caught:
        snapshot.delete()
    assert (caught.value.right, caught.value.about) == ("Snapshot: Delete", snapshot.id)
    assert field.shown(snapshot.id)["State"] == "completed"


def test_pain_22_which_permissions_a_role_writes_the_policy_that_it_takes() -> None:
    role = Role("operator", ["Volume: Snapshot: GROUP", "Snapshot: ShareLocal: GROUP"])
    statements = to_iam(Access("ada", {"db": "operator"}, [role]))["Statement"]
    allowed = {action for each in statements if each["Effect"] == "Allow" for action in each["Action"]}
    assert {"ec2:CreateSnapshot", "ec2:CreateTags", "ec2:ModifySnapshotAttribute"} <= allowed
    assert not {"ec2:DeleteSnapshot", "ec2:DeleteVolume"} & allowed
    # Privately, that is, and never with everyone.
    everyone = {"StringEquals": {"ec2:Add/group": "all"}}
    refused = [each["Action"] for each in statements if each["Effect"] == "Deny" and each["Condition"] == everyone]
    assert refused == [["ec2:ModifySnapshotAttribute"]]


def test_pain_22_which_permissions_a_denial_of_aws_keeps_what_it_says_is_missing(field: Field) -> None:
    volume = field.new_volume()
    told = "User: arn:aws:iam::111122223333:user/ada is not authorized to perform: ec2:CreateSnapshot"

    def denied(model: Any, **_: Any) -> None:
        raise ClientError({"Error": {"Code": "UnauthorizedOperation", "Message": told}}, model.name)

    volume.region.aws.client.meta.events.register("before-call.ec2.CreateSnapshot", denied)
    with pytest.raises(AccessDenied, match=rf"CreateSnapshot of {volume.id} was refused .*: {told}; ask for") as caught:
        volume.take_snapshot()
    assert (caught.value.operation, caught.value.about) == ("CreateSnapshot", volume.id)
    assert field.count() == 0


# -- 25: what moto lacks


def test_pain_25_moto_gaps_locks_bins_archives_and_blocks_can_be_tried_out(field: Field) -> None:
    region = field.region()
    field.client("rbin").create_rule(
        ResourceType="EBS_SNAPSHOT", RetentionPeriod={"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    )
    field.clock.advance("1h")
    snapshot = taken(field)
    snapshot.lock(duration="1d")
    with pytest.raises(InUse, match="lock"):
        snapshot.delete()
    snapshot.unlock()
    assert snapshot.enable_fast_restore([ZONE])[0].state == "enabling"
    field.clock.advance("2h")
    assert snapshot.fast_restore_state()[0].state == "enabled"
    snapshot.disable_fast_restore()
    field.clock.advance("1h")
    snapshot.delete()
    assert [each.id for each in region.snapshots.in_recycle_bin()] == [snapshot.id]
    assert region.snapshots.restore_from_recycle_bin(snapshot.id).state == "completed"
    snapshot.refresh().archive(confirm=snapshot.id)
    field.clock.advance("3d")
    assert snapshot.refresh().tier == "archive"
    field.ec2().enable_snapshot_block_public_access(State="block-all-sharing")
    assert region.exposure().block_public_access == "block-all-sharing"


def test_pain_25_moto_gaps_snapshots_take_their_time_and_complete_by_the_clock(field: Field) -> None:
    snapshot = field.new_volume(written=16_000).take_snapshot()
    assert snapshot.refresh().state == "pending"
    field.clock.advance("1min")
    assert 0 < int(snapshot.refresh().raw["Progress"].rstrip("%")) < 100
    field.clock.advance("1h")
    assert snapshot.refresh().state == "completed"
