"""Copies: what is said beforehand, what they carry, that each is begun once, and how they fail."""

from typing import Any

import pytest

from snapkit import Sandbox
from snapkit.ebs import Region, Snapshot
from snapkit.ebs.copy_preview import RATE, least_duration
from snapkit.errors import InvalidRequest, OutcomeUnknown, SnapshotFailed
from snapkit.units import GIB, MIB, MINUTE
from tests.ebs.ground import OTHER, Field

AWAY = "eu-west-1"


def taken(field: Field, gib: int = 8, written: int = 2048, **options: Any) -> Snapshot:
    return field.new_volume(gib, written=written).take_snapshot(**options).wait()


def copies(field: Field, region: str = AWAY) -> int:
    field.sandbox.faults.clear()
    return len(field.sandbox.client("ec2", region).describe_snapshots(OwnerIds=["self"])["Snapshots"])


def new_key(field: Field, region: str = AWAY) -> str:
    return str(field.client("kms", region=region).create_key()["KeyMetadata"]["Arn"])


def test_copy_is_complete_at_its_destination(field: Field) -> None:
    snapshot = taken(field)
    copy = snapshot.copy_to(field.region(AWAY)).wait()
    assert (copy.region.name, copy.state, copy.size) == (AWAY, "completed", snapshot.size)
    assert field.region(AWAY).snapshots.get(copy.id).state == "completed"


def test_copy_goes_to_a_region_by_its_name() -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        volume = region.volumes.create("us-east-1a", "1 GiB")
        copy = volume.take_snapshot().wait().copy_to(AWAY)
        assert copy.region.name == AWAY
        assert copy.region.account == region.account


def test_copy_carries_tags_and_names_its_source_and_volume(field: Field) -> None:
    snapshot = taken(field, name="before upgrade", group="db", billing_code="CC-42", tags={"team": "blue"})
    copy = snapshot.copy_to(field.region(AWAY)).wait()
    assert (copy.name, copy.group, copy.billing_code, copy.tags["team"]) == ("before upgrade", "db", "CC-42", "blue")
    assert copy.tags["snapkit:source"] == f"us-east-1/{snapshot.id}"
    assert copy.tags["snapkit:source-volume"] == snapshot.volume_id
    assert copy.tags["snapkit:token"] != snapshot.tags["snapkit:token"]


def test_copy_of_a_copy_names_the_first_volume_and_the_nearest_source(field: Field) -> None:
    snapshot = taken(field)
    copy = snapshot.copy_to(field.region(AWAY)).wait()
    again = copy.copy_to(field.region("us-west-2")).wait()
    assert again.tags["snapkit:source"] == f"{AWAY}/{copy.id}"
    assert again.tags["snapkit:source-volume"] == snapshot.volume_id


def test_copy_leaves_out_tags_of_aws(field: Field) -> None:
    snapshot = taken(field, tags={"team": "blue"})
    # Only AWS itself can set such a tag.
    field.sandbox._volume(snapshot.volume_id).ec2_backend.tags[snapshot.id]["aws:dlm:managed"] = "true"
    assert "aws:dlm:managed" in snapshot.refresh().tags
    copy = snapshot.copy_to(field.region(AWAY))
    assert "team" in copy.tags
    assert not any(key.startswith("aws:") for key in copy.tags)


def test_copy_has_other_tags_where_asked(field: Field) -> None:
    snapshot = taken(field, name="one", tags={"team": "blue", "keep": "yes"})
    copy = snapshot.copy_to(field.region(AWAY), name="two", tags={"team": "red", "keep": None})
    assert (copy.name, copy.tags["team"]) == ("two", "red")
    assert "keep" not in copy.tags


def test_copy_does_not_carry_until_when_its_source_is_shared(field: Field) -> None:
    snapshot = taken(field, tags={"snapkit:shared-until": "2026-02-01"})
    assert "snapkit:shared-until" not in snapshot.copy_to(field.region(AWAY)).tags


def test_copy_with_too_many_tags_says_how_to_leave_some_out(field: Field) -> None:
    snapshot = taken(field, tags={f"t{number}": "x" for number in range(48)})
    with pytest.raises(InvalidRequest, match="None"):
        snapshot.copy_to(field.region(AWAY))
    assert copies(field) == 0


@pytest.mark.parametrize("fault", ["lost", "unreachable"])
def test_copy_whose_answer_is_lost_is_never_doubled(field: Field, fault: str) -> None:
    snapshot = taken(field)
    field.faults("CopySnapshot", **{fault: 1})
    if fault == "lost":
        snapshot.copy_to(field.region(AWAY)).wait()
    else:
        with pytest.raises(OutcomeUnknown):
            snapshot.copy_to(field.region(AWAY))
    assert copies(field) == (1 if fault == "lost" else 0)


def test_copy_that_is_hidden_for_a_while_is_found(field: Field) -> None:
    snapshot = taken(field)
    field.faults("CopySnapshot", hidden=3)
    assert snapshot.copy_to(field.region(AWAY)).wait().state == "completed"
    assert copies(field) == 1


def test_copy_that_fails_says_why_and_what_to_do(field: Field) -> None:
    snapshot = taken(field)
    field.faults("CopySnapshot", failing=1, message="Given key ID is not accessible")
    copy = snapshot.copy_to(field.region(AWAY))
    with pytest.raises(SnapshotFailed, match="kms:CreateGrant") as caught:
        copy.wait()
    assert caught.value.snapshot_id == copy.id
    assert caught.value.reason == "Given key ID is not accessible"


def test_copy_under_a_key_is_encrypted_under_it(field: Field) -> None:
    key = new_key(field)
    copy = taken(field).copy_to(field.region(AWAY), kms_key=key).wait()
    assert copy.encrypted
    assert copy.raw["KmsKeyId"] == key


def test_copy_under_a_key_that_is_not_there_is_refused_before(field: Field) -> None:
    snapshot, key = taken(field), new_key(field, "us-west-2")
    with pytest.raises(InvalidRequest, match="is no key in eu-west-1"):
        snapshot.copy_to(field.region(AWAY), kms_key=key.rpartition("/")[2])
    assert copies(field) == 0


def test_copy_under_a_disabled_key_is_refused_before(field: Field) -> None:
    snapshot, key = taken(field), new_key(field)
    field.client("kms", region=AWAY).disable_key(KeyId=key.rpartition("/")[2])
    with pytest.raises(InvalidRequest, match="is in state Disabled"):
        snapshot.copy_to(field.region(AWAY), kms_key=key)
    assert copies(field) == 0


def test_copy_of_a_pending_snapshot_is_refused_before(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    with pytest.raises(InvalidRequest, match=r"still pending; wait for it with snapshot\.wait\(\)"):
        snapshot.copy_to(field.region(AWAY))
    assert "still pending" in snapshot.copy_preview(field.region(AWAY)).refusals[0]


def test_copy_of_a_snapshot_that_completed_since_it_was_read_is_begun(field: Field) -> None:
    snapshot = field.new_volume().take_snapshot()
    field.clock.advance("12h")
    assert snapshot.copy_to(field.region(AWAY)).wait().state == "completed"


def test_copy_of_an_archived_snapshot_is_refused_before(field: Field) -> None:
    snapshot = taken(field)
    snapshot.archive(confirm=snapshot.id)
    field.clock.advance("1d")
    with pytest.raises(InvalidRequest, match=r"is archived; restore it first"):
        snapshot.copy_to(field.region(AWAY))


def test_copy_by_another_account_needs_the_share_first(field: Field) -> None:
    snapshot = taken(field)
    theirs = field.region(AWAY, account=1)
    with pytest.raises(InvalidRequest, match="is not shared with"):
        snapshot.copy_to(theirs)
    snapshot.share(OTHER)
    assert snapshot.copy_to(theirs).wait().account == OTHER


@pytest.mark.parametrize("duration", ["14min", "20min", "0.5min", "49h"])
def test_duration_out_of_steps_is_refused_before(field: Field, duration: str) -> None:
    snapshot = taken(field)
    with pytest.raises(InvalidRequest, match="steps of 15 minutes"):
        snapshot.copy_to(field.region(AWAY), duration=duration)
    assert copies(field) == 0


def test_time_based_copy_is_complete_in_time(field: Field) -> None:
    snapshot = taken(field)
    copy = snapshot.copy_to(field.region(AWAY), duration="30 min").wait()
    assert (copy.raw["TransferType"], copy.raw["CompletionDurationMinutes"]) == ("time-based", 30)
    assert copy.completed_at is not None
    assert (copy.completed_at - copy.taken_at).total_seconds() == 30 * MINUTE


def test_least_duration_matches_the_documented_examples() -> None:
    assert least_duration(900_000 * MIB) == 30 * MINUTE
    assert least_duration(1) == 15 * MINUTE
    # 225,000 MiB in 15 minutes take 250 MiB/s, half of what there is.
    assert 225_000 * MIB / (15 * MINUTE) == 250 * MIB == RATE / 2
    assert least_duration(225_000 * MIB) == 15 * MINUTE


def test_full_copy_too_fast_for_its_size_is_refused_before(field: Field) -> None:
    snapshot = taken(field, 1024, written=900_000 * 2)
    with pytest.raises(InvalidRequest, match="give '30 min'"):
        snapshot.copy_to(field.region(AWAY), duration="15min")
    assert "30 min" in snapshot.copy_preview(field.region(AWAY), duration="15min").refusals[0]


def test_first_copy_is_said_to_be_full_with_its_price(field: Field) -> None:
    snapshot = taken(field, written=2048)
    told = snapshot.copy_preview(field.region(AWAY), duration="15min")
    assert told.full
    assert (told.low, told.high) == (GIB, GIB)
    assert told.price_low == told.price_high == pytest.approx(0.02 + 0.02)
    assert told.monthly_high == pytest.approx(0.05)
    assert str(told).startswith("this copy will be full because no copy of")
    assert "assumed" in str(told)


def test_second_copy_is_said_to_be_incremental_and_is(field: Field) -> None:
    volume, away = field.new_volume(written=2048), field.region(AWAY)
    first = volume.take_snapshot().wait()
    base = first.copy_to(away).wait()
    field.sandbox.write(volume.id, 0, 10)
    second = volume.take_snapshot().wait()
    told = second.copy_preview(away)
    assert told.full is False
    assert base.id in told.reason
    assert (told.low, told.price_low) == (0, 0.0)
    assert told.price_high == pytest.approx(0.02)
    copy = second.copy_to(away).wait()
    assert copy.completed_at is not None
    assert base.completed_at is not None
    assert copy.completed_at - copy.taken_at < base.completed_at - base.taken_at


def test_copy_is_said_to_be_full_after_a_change_of_key(field: Field) -> None:
    snapshot, away = taken(field), field.region(AWAY)
    snapshot.copy_to(away).wait()
    told = snapshot.copy_preview(away, kms_key=new_key(field))
    assert told.full
    assert "under another key" in told.reason


def test_copy_is_said_to_be_full_while_the_last_copy_is_archived(field: Field) -> None:
    snapshot, away = taken(field), field.region(AWAY)
    copy = snapshot.copy_to(away).wait()
    copy.archive(confirm=copy.id)
    field.clock.advance("1d")
    told = snapshot.copy_preview(away)
    assert told.full
    assert "is archived" in told.reason


def test_copy_is_said_to_be_full_while_the_last_copy_is_pending(field: Field) -> None:
    volume, away = field.new_volume(), field.region(AWAY)
    volume.take_snapshot().wait().copy_to(away)
    told = volume.take_snapshot().wait().copy_preview(away)
    assert told.full
    assert "not complete yet" in told.reason


def test_copy_in_place_under_the_same_key_moves_nothing(field: Field) -> None:
    told = taken(field).copy_preview(field.region())
    assert (told.full, told.high, told.price_high) == (False, 0, 0.0)
    key = new_key(field, "us-east-1")
    rekeyed = taken(field).copy_preview(field.region(), kms_key=key)
    assert rekeyed.full
    assert rekeyed.price_high == 0.0


def test_key_is_unknown_where_there_is_no_client_of_kms() -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        snapshot = region.volumes.create("us-east-1a", "1 GiB").take_snapshot().wait()
        bare = Region(sandbox.client("ec2", AWAY), clock=sandbox.clock)
        bare.__dict__["account"] = region.account
        told = snapshot.copy_preview(bare, kms_key="alias/own")
        assert "no client of KMS" in " ".join(told.notes)


def test_region_made_of_a_client_alone_asks_for_a_region() -> None:
    with Sandbox() as sandbox:
        volume_id = sandbox.region().volumes.create("us-east-1a", "1 GiB").id
        bare = Region(sandbox.client("ec2"), clock=sandbox.clock)
        snapshot = bare.volumes.get(volume_id).take_snapshot().wait()
        with pytest.raises(InvalidRequest, match="give a Region"):
            snapshot.copy_to(AWAY)
