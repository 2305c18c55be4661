"""Sharing is checked beforehand, in words, and can be undone."""

from typing import Any

import pytest

from snapkit import InvalidRequest, NotShareable
from snapkit.ebs import Snapshot
from tests.ebs.ground import OTHER, OWN, Field

THIRD = "999900001111"


@pytest.fixture
def snapshot(field: Field) -> Snapshot:
    return field.new_volume(name="v").take_snapshot().wait()


def encrypted(field: Field, **options: Any) -> Snapshot:
    return field.new_volume(encrypted=True, **options).take_snapshot().wait()


def own_key(field: Field) -> str:
    return str(field.client("kms").create_key()["KeyMetadata"]["Arn"])


def test_a_shared_snapshot_appears_in_the_other_accounts_listing(field: Field, snapshot: Snapshot) -> None:
    there = field.region(account=1)
    assert len(there.snapshots.find(shared_with_me=True)) == 0
    snapshot.share(OTHER)
    (seen,) = there.snapshots.find(shared_with_me=True)
    assert (seen.id, seen.owner) == (snapshot.id, OWN)
    assert seen.create_volume("us-east-1a").snapshot_id == snapshot.id
    snapshot.unshare(OTHER)
    assert len(there.snapshots.find(shared_with_me=True)) == 0


def test_several_accounts_at_once_and_none_of_them_twice(field: Field, snapshot: Snapshot) -> None:
    snapshot.share(OTHER, THIRD, OTHER)
    assert sorted(snapshot.shared_with()) == [OTHER, THIRD]
    snapshot.unshare(THIRD)
    assert snapshot.shared_with() == (OTHER,)


@pytest.mark.parametrize(
    ("accounts", "words"),
    [
        ((OWN,), "owns the snapshot; share it with another one"),
        ((OTHER, OWN), "owns the snapshot"),
        (("12345",), "is no id of an account; give twelve digits, as text"),
        (("12345678901a",), "is no id of an account"),
        (("١٢٣٤٥٦٧٨٩٠١٢",), "is no id of an account"),
        ((111122223333,), "is no id of an account"),
        (("all",), "is no id of an account"),
        ((), "are none"),
    ],
)
def test_who_cannot_be_shared_with_is_refused_before_any_call(
    field: Field, snapshot: Snapshot, accounts: tuple[Any, ...], words: str
) -> None:
    for operation in ("GetCallerIdentity", "GetSnapshotBlockPublicAccessState", "ModifySnapshotAttribute"):
        field.faults(operation, throttle=1)
    with pytest.raises(InvalidRequest, match=words):
        snapshot.share(*accounts)
    assert len(field.sandbox.faults.pending()) == 3


def test_pain_20_exposure_a_public_share_wants_the_id_typed(field: Field, snapshot: Snapshot) -> None:
    with pytest.raises(InvalidRequest, match=f"is not {snapshot.id}, whose data everyone in AWS could then read"):
        snapshot.share_publicly(confirm="yes")
    assert snapshot.shared_with() == ()
    snapshot.share_publicly(confirm=snapshot.id)
    assert snapshot.shared_with() == ("all",)


def test_make_private_undoes_both_kinds(field: Field, snapshot: Snapshot) -> None:
    snapshot.share(OTHER)
    snapshot.share_publicly(confirm=snapshot.id)
    snapshot.make_private()
    assert snapshot.shared_with() == ()


def test_a_public_share_of_an_encrypted_snapshot_is_refused_before_aws_does(field: Field) -> None:
    snapshot = encrypted(field, kms_key_id=own_key(field))
    field.faults("ModifySnapshotAttribute", throttle=1)
    with pytest.raises(NotShareable, match="an encrypted snapshot cannot be public"):
        snapshot.share_publicly(confirm=snapshot.id)
    assert len(field.sandbox.faults.pending()) == 1


def test_pain_8_default_key_cannot_be_shared_and_the_way_out_is_told(field: Field) -> None:
    snapshot = encrypted(field)
    can = snapshot.can_share()
    assert (can.privately, can.publicly) == (False, False)
    with pytest.raises(NotShareable, match="the default key aws/ebs, which other accounts cannot use: copy it under"):
        snapshot.share(OTHER)
    assert snapshot.shared_with() == ()


def test_pain_8_a_key_of_ones_own_can_be_shared_and_has_to_be(field: Field) -> None:
    key = own_key(field)
    snapshot = encrypted(field, kms_key_id=key)
    can = snapshot.can_share()
    assert (can.privately, can.publicly) == (True, False)
    assert f"the other account also needs the use of the key {key}" in str(can)
    snapshot.share(OTHER)
    assert snapshot.shared_with() == (OTHER,)


@pytest.mark.parametrize("state", ["block-all-sharing", "block-new-sharing"])
def test_pain_20_exposure_a_region_that_blocks_public_sharing_says_so(
    field: Field, snapshot: Snapshot, state: str
) -> None:
    field.ec2().enable_snapshot_block_public_access(State=state)
    assert str(snapshot.can_share()) == f"can be shared privately; us-east-1 blocks public sharing ({state})"
    with pytest.raises(NotShareable, match="us-east-1 blocks public sharing"):
        snapshot.share_publicly(confirm=snapshot.id)


def test_only_the_owner_shares(field: Field, snapshot: Snapshot) -> None:
    snapshot.share(OTHER)
    seen = field.region(account=1).snapshots.get(snapshot.id)
    assert not seen.can_share().privately
    with pytest.raises(NotShareable, match=f"it belongs to {OWN}, and only the owner can share it"):
        seen.share(THIRD)


def test_throttles_and_lost_answers_share_once(field: Field, snapshot: Snapshot) -> None:
    field.faults("ModifySnapshotAttribute", lost=1)
    try:
        snapshot.share(OTHER)
    except Exception:  # noqa: BLE001 - a client of one try; the second share finds the first one done
        snapshot.share(OTHER)
    assert snapshot.shared_with() == (OTHER,)
