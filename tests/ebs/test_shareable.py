"""Whether a snapshot can be shared, and used by others, is known beforehand, in words."""

from typing import Any

import pytest
from IPython.lib import pretty as ipython

from snapkit import InvalidRequest, NotFound, NotShareable
from snapkit.ebs import Region, Snapshot
from snapkit.ebs.key_use import ACTIONS
from snapkit.ebs.shareable import Preflight
from tests.ebs.ground import OTHER, OWN, Field
from tests.ebs.share_ground import THIRD, allow, deny, encrypted, own_key


@pytest.fixture
def snapshot(field: Field) -> Snapshot:
    return field.new_volume(name="v").take_snapshot().wait()


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


def test_pain_8_preflight_names_the_actions_that_the_policy_of_the_key_lacks(field: Field) -> None:
    key = own_key(field)
    snapshot = encrypted(field, kms_key_id=key)
    can = snapshot.can_share(OTHER)
    assert (can.privately, can.usable, can.by_copy) == (True, False, True)
    assert str(can) == (
        f"can be shared privately; an encrypted snapshot cannot be public; others find it in us-east-1 only; {OTHER} "
        f"cannot use it: the policy of the key {key} does not allow {', '.join(ACTIONS)}; add that for "
        f"arn:aws:iam::{OTHER}:root"
    )
    allow(field, key, "kms:DescribeKey", "kms:CreateGrant", "kms:GenerateDataKey*", "kms:ReEncryptFrom")
    can = snapshot.can_share(OTHER)
    assert "does not allow kms:ReEncrypt*, kms:Decrypt; add that" in str(can)
    allow(field, key, "kms:*")
    can = snapshot.can_share(OTHER, THIRD)
    assert [(use.account, use.able) for use in can.accounts] == [(OTHER, True), (THIRD, False)]
    assert can.usable is False
    can = snapshot.can_share(OTHER)
    assert (can.usable, can.by_copy) == (True, False)
    assert f"{OTHER} can use it by the policy of the key {key}, as far as its own administrators let it" in str(can)


def test_pain_8_preflight_says_what_it_may_not_look_up_and_shares_all_the_same(field: Field) -> None:
    key = own_key(field)
    snapshot = encrypted(field, kms_key_id=key)
    for operation in ("DescribeKey", "GetKeyPolicy"):
        deny(snapshot.region.service("kms"), "kms", operation)
    deny(snapshot.region.aws, "ec2", "GetSnapshotBlockPublicAccessState")
    told = str(snapshot.can_share(OTHER))
    for part in (
        "can be shared privately",
        "whether it is under the default key aws/ebs, which cannot be shared, is not known (DescribeKey: AccessDenied",
        f"whether {OTHER} can use it is not known: the policy of the key {key} could not be read (GetKeyPolicy: Access",
        f"it has to allow {', '.join(ACTIONS)}",
        "whether us-east-1 blocks public sharing this account may not look up",
    ):
        assert part in told
    assert snapshot.can_share(OTHER).usable is None
    snapshot.share(OTHER)
    assert snapshot.shared_with() == (OTHER,)


def test_pain_8_without_a_client_of_kms_the_default_key_is_left_to_aws(field: Field) -> None:
    snapshot = encrypted(field)
    bare = Region(field.ec2(), clock=field.clock).snapshots.get(snapshot.id)
    assert bare.can_share().privately
    assert "is not known (there is no client of KMS here)" in str(bare.can_share())
    assert "could not be read (there is no client of KMS here)" in str(bare.can_share(OTHER))
    with pytest.raises(NotShareable, match=r"ask snapshot\.can_share\(\) for the reason and the way out"):
        bare.share(OTHER)
    plain = Region(field.ec2(), clock=field.clock).snapshots.get(field.new_volume().take_snapshot().wait().id)
    plain.share(OTHER)
    assert plain.shared_with() == (OTHER,)


def test_pain_8_preflight_leaves_conditions_and_single_users_to_those_there(field: Field) -> None:
    key = own_key(field)
    snapshot = encrypted(field, kms_key_id=key)
    allow(field, key, "kms:*", to="role/backup")
    told = f"the policy of the key {key} allows {', '.join(ACTIONS)} only under conditions or to some there"
    (use,) = snapshot.can_share(OTHER).accounts
    assert (use.able, use.told) == (None, f"whether {OTHER} can use it is not known: {told}; ask them to try")


def test_preflight_of_a_disabled_key_says_to_enable_it(field: Field) -> None:
    key = own_key(field)
    snapshot = encrypted(field, kms_key_id=key)
    allow(field, key, "kms:*")
    field.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    can = snapshot.can_share(OTHER)
    assert (can.usable, can.by_copy) == (False, False)
    assert f"{OTHER} cannot use it: the key {key} is in state Disabled; enable it" in str(can)


def test_preflight_of_what_is_not_encrypted_is_short(field: Field, snapshot: Snapshot) -> None:
    write: Any = ipython.pretty
    assert write(snapshot.can_share(OTHER)) == (
        f"can be shared privately and publicly; others find it in us-east-1 only; {OTHER} can use it"
    )
    assert snapshot.can_share(OTHER).usable is True
    assert snapshot.can_share().usable is None


def test_preflight_leaves_other_keys_of_a_snapshot_to_aws(field: Field) -> None:
    snapshot = encrypted(field)
    other = "arn:aws:kms:us-east-1:111122223333:key/1"
    seen = Snapshot(snapshot.region, {**snapshot.raw, "AssociatedKmsKeys": [{"KmsKeyId": other}]})
    can = Preflight(snapshot.region, (OTHER,)).privately(seen)
    assert (can.privately, can.usable) == (True, None)
    assert f"its data can be had by other keys as well ({other}), which are not judged here" in str(can)


def test_preflight_says_that_a_snapshot_is_not_complete_or_archived_or_gone(field: Field) -> None:
    pending = field.new_volume().take_snapshot()
    assert "it is pending: nobody can use it unless it is complete" in str(pending.can_share())
    archived = pending.wait()
    archived.archive(confirm=archived.id)
    field.clock.advance("1d")
    # The object still says standard.
    assert archived.tier == "standard"
    assert str(archived.can_share()) == "cannot be shared; it is archived: restore it first"
    with pytest.raises(NotShareable, match="it is archived: restore it first"):
        archived.share(OTHER)
    archived.delete()
    with pytest.raises(NotFound):
        archived.can_share()


def test_a_lock_is_no_obstacle_to_sharing(field: Field, snapshot: Snapshot) -> None:
    snapshot.lock(duration="3d")
    assert str(snapshot.can_share()) == "can be shared privately and publicly"
    snapshot.share(OTHER)
    assert snapshot.shared_with() == (OTHER,)


@pytest.mark.parametrize("accounts", [("12345",), (OWN,), (OTHER, "all")])
def test_preflight_refuses_what_is_no_other_account(
    field: Field, snapshot: Snapshot, accounts: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidRequest, match="account"):
        snapshot.can_share(*accounts)
