"""Sharing of snapshots: ModifySnapshotAttribute, ResetSnapshotAttribute, DescribeSnapshotAttribute.

Replaces moto's, which ignore the form CreateVolumePermission={Add, Remove}, take anything for an account, share what
AWS does not allow to share, show nothing to those with whom a snapshot is shared, and cannot reset.

Only the owner may look at the permissions and change them; to all others there is no such snapshot, shared or not.

Source: EBS user guide, "Share an Amazon EBS snapshot with other AWS accounts"; EC2 API reference of the three
operations.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.gaps.encryption import is_default_key
from snapkit.sandbox.gaps.public_access import check_public
from snapkit.sandbox.refusal import Refusal, combination, invalid, missing
from snapkit.sandbox.snapshot import Snapshot

MOST_MODIFICATIONS = 500
"""Source: EC2 API reference, ModifySnapshotAttribute."""

PERMISSION = "createVolumePermission"


@dataclass(frozen=True, kw_only=True)
class _Change:
    """What is asked for.

    Attributes:
        adds: whether the permission is given, not taken.
        accounts: to whom.
        groups: likewise.
    """

    adds: bool
    accounts: tuple[str, ...]
    groups: tuple[str, ...]


@operation("ec2", "ModifySnapshotAttribute")
def modify_snapshot_attribute(call: Call) -> Answer:
    """Let others restore a snapshot, or no longer."""
    change = _read(call)
    snapshot = call.ec2.snapshot(call.get("SnapshotId"))
    if change.adds:
        _check(call, snapshot, change)
    shares = snapshot.shares
    if change.groups:
        shares.public = change.adds
    # The owner has the permission anyway, and is not listed.
    given = [account for account in change.accounts if account != snapshot.owner_id]
    if change.adds:
        shares.accounts = list(dict.fromkeys([*shares.accounts, *given]))
    else:
        taken = set(given)
        shares.accounts = [account for account in shares.accounts if account not in taken]
    call.world.publish(snapshot)
    return None


@operation("ec2", "ResetSnapshotAttribute")
def reset_snapshot_attribute(call: Call) -> Answer:
    """Share a snapshot with nobody any more."""
    if call.get("Attribute") != PERMISSION:
        raise invalid("Attribute", call.get("Attribute"), f"Only {PERMISSION} can be reset.")
    snapshot = call.ec2.snapshot(call.get("SnapshotId"))
    snapshot.shares.accounts = []
    snapshot.shares.public = False
    call.world.publish(snapshot)
    return None


@operation("ec2", "DescribeSnapshotAttribute")
def describe_snapshot_attribute(call: Call) -> Answer:
    """Tell with whom a snapshot is shared, in the order in which it was."""
    attribute = call.get("Attribute")
    if attribute not in (PERMISSION, "productCodes"):
        raise invalid("Attribute", attribute, f"Valid values: productCodes, {PERMISSION}.")
    snapshot = call.ec2.snapshot(call.get("SnapshotId"))
    if attribute == "productCodes":
        return {"SnapshotId": snapshot.id, "ProductCodes": []}
    everybody = [{"Group": "all"}] if snapshot.shares.public else []
    return {
        "SnapshotId": snapshot.id,
        "CreateVolumePermissions": everybody + [{"UserId": account} for account in snapshot.shares.accounts],
    }


def _read(call: Call) -> _Change:
    """Read either form of the request."""
    attribute = call.get("Attribute", PERMISSION)
    if attribute != PERMISSION:
        raise invalid("Attribute", attribute, "Only volume creation permissions can be modified.")
    permission = call.get("CreateVolumePermission", {})
    added, removed = permission.get("Add") or [], permission.get("Remove") or []
    accounts, groups = call.get("UserIds", []), call.get("GroupNames", [])
    kind = call.get("OperationType")
    if (added or removed) and (kind or accounts or groups):
        raise combination(
            "The parameter CreateVolumePermission cannot be used with OperationType, UserId and UserGroup"
        )
    if added and removed:
        raise combination("Permissions can be added or removed, but not both in one request")
    if added or removed:
        accounts, groups = _named(added or removed, "UserId"), _named(added or removed, "Group")
        kind = "add" if added else "remove"
    if not accounts and not groups:
        raise combination("No accounts or groups were given to modify the permissions of")
    if kind is None:
        raise missing("OperationType")
    if kind not in ("add", "remove"):
        raise invalid("OperationType", kind, "Valid values: add, remove.")
    _check_names(accounts, groups)
    return _Change(adds=kind == "add", accounts=tuple(accounts), groups=tuple(groups))


def _named(permissions: Iterable[Mapping[str, str]], member: str) -> list[str]:
    return [permission[member] for permission in permissions if permission.get(member) is not None]


def _check_names(accounts: list[str], groups: list[str]) -> None:
    if len(accounts) + len(groups) > MOST_MODIFICATIONS:
        raise Refusal(
            "InvalidParameterValue",
            f"One request makes at most {MOST_MODIFICATIONS} modifications, not {len(accounts) + len(groups)}.",
        )
    for account in accounts:
        if not re.fullmatch(r"[0-9]{12}", account):
            raise Refusal("InvalidUserID.Malformed", f"Invalid user id: '{account}' (expecting twelve digits)")
    for group in groups:
        if group != "all":
            raise Refusal("InvalidAMIAttributeItemValue", f"Invalid user group: '{group}' (expecting 'all')")


def _check(call: Call, snapshot: Snapshot, change: _Change) -> None:
    """Refuse to share what cannot be shared.

    Source: EBS user guide, "Share an Amazon EBS snapshot with other AWS accounts", "Archive Amazon EBS snapshots".
    """
    if snapshot.tiering.tier != "standard":
        raise Refusal(
            "IncorrectState", f"Snapshot '{snapshot.id}' is archived. Restore it before it is shared with others."
        )
    if snapshot.encrypted and is_default_key(call.world, snapshot.kms_key_id):
        raise Refusal("OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be shared")
    if change.groups:
        if snapshot.encrypted:
            raise Refusal("OperationNotPermitted", "Encrypted snapshots cannot be made public")
        check_public(call.ec2)
