"""Who else may restore a snapshot.

Private: with named accounts. Public: with everyone in AWS, which exposes what is on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from snapkit.errors import InvalidRequest, NotShareable

if TYPE_CHECKING:
    from snapkit.ebs.snapshots import Snapshot

MOST_AT_ONCE = 500
"""How many accounts one call may add or remove. Source: EC2 API reference, ModifySnapshotAttribute."""

DEFAULT_KEY = "alias/aws/ebs"
"""The key that AWS manages for EBS; what is encrypted under it cannot be shared.

Source: EBS user guide, "Share an Amazon EBS snapshot".
"""


@dataclass(frozen=True)
class Shareable:
    """Whether a snapshot can be shared, and with whom it would work.

    Attributes:
        privately: with named accounts.
        publicly: with everyone.
        reasons: why not, and what to do, a sentence each.
    """

    privately: bool
    publicly: bool
    reasons: tuple[str, ...]

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))

    def __str__(self) -> str:
        able = [word for word, can in (("privately", self.privately), ("publicly", self.publicly)) if can]
        told = f"can be shared {' and '.join(able)}" if able else "cannot be shared"
        return "; ".join((told, *self.reasons))


def can_share(snapshot: "Snapshot") -> Shareable:
    """Tell beforehand whether a snapshot can be shared.

    Raises:
        AwsError: AWS refuses to say.
    """
    region = snapshot.region
    if snapshot.owner != region.account:
        told = f"it belongs to {snapshot.owner}, and only the owner can share it"
        return Shareable(privately=False, publicly=False, reasons=(told,))
    reasons, privately, publicly = [], True, True
    if snapshot.encrypted:
        publicly = False
        reasons.append("an encrypted snapshot cannot be public")
        if _under_default_key(snapshot):
            privately = False
            reasons.append(
                "it is encrypted under the default key aws/ebs, which other accounts cannot use: copy it under a key of"
                " your own with copy_to(kms_key=...), and share the copy"
            )
        else:
            reasons.append(f"the other account also needs the use of the key {snapshot.raw['KmsKeyId']}")
    blocked = region.aws.call("GetSnapshotBlockPublicAccessState")["State"]
    if blocked != "unblocked":
        publicly = False
        reasons.append(f"{region.name} blocks public sharing ({blocked})")
    if snapshot.tier == "archive":
        privately = publicly = False
        reasons.append("it is archived: restore it first")
    return Shareable(privately, publicly, tuple(reasons))


def share(snapshot: "Snapshot", *accounts: str) -> None:
    """Share a snapshot with accounts.

    Raises:
        InvalidRequest: an account is no id of twelve digits, or the owner itself; nothing was done.
        NotShareable: AWS does not let it be shared.
    """
    snapshot.region.allow("Snapshot", "ShareLocal", snapshot)
    named = _accounts(accounts)
    if snapshot.owner in named:
        raise InvalidRequest("account", snapshot.owner, "owns the snapshot", "share it with another one")
    can = can_share(snapshot)
    if not can.privately:
        raise NotShareable("NotShareable", "ModifySnapshotAttribute", "; ".join(can.reasons), snapshot.id)
    _modify(snapshot, "add", named)


def unshare(snapshot: "Snapshot", *accounts: str) -> None:
    """Share a snapshot with these accounts no more; volumes that they made of it stay.

    Raises:
        InvalidRequest: an account is no id of twelve digits; nothing was done.
    """
    snapshot.region.allow("Snapshot", "ShareLocal", snapshot)
    _modify(snapshot, "remove", _accounts(accounts))


def shared_with(snapshot: "Snapshot") -> tuple[str, ...]:
    """List the accounts with which a snapshot is shared, and ``"all"`` if it is public."""
    answer = snapshot.region.aws.call(
        "DescribeSnapshotAttribute", snapshot.id, SnapshotId=snapshot.id, Attribute="createVolumePermission"
    )
    return tuple(each.get("UserId") or each["Group"] for each in answer["CreateVolumePermissions"])


def share_publicly(snapshot: "Snapshot", *, confirm: str) -> None:
    """Share a snapshot with everyone in AWS.

    Raises:
        InvalidRequest: the confirmation is not its id.
        NotShareable: AWS does not let it be public.
    """
    snapshot.region.allow("Snapshot", "SharePublic", snapshot)
    if confirm != snapshot.id:
        rule = f"is not {snapshot.id}, whose data everyone in AWS could then read"
        raise InvalidRequest("confirmation", confirm, rule, "type the id of the snapshot to confirm")
    can = can_share(snapshot)
    if not can.publicly:
        raise NotShareable("NotShareable", "ModifySnapshotAttribute", "; ".join(can.reasons), snapshot.id)
    _modify(snapshot, "add", (), everyone=True)


def make_private(snapshot: "Snapshot") -> None:
    """Share a snapshot with nobody any more, neither publicly nor privately."""
    snapshot.region.allow("Snapshot", "ShareLocal", snapshot)
    snapshot.region.aws.call(
        "ResetSnapshotAttribute", snapshot.id, SnapshotId=snapshot.id, Attribute="createVolumePermission"
    )


def _accounts(accounts: Sequence[str]) -> tuple[str, ...]:
    if not accounts:
        raise InvalidRequest("accounts", accounts, "are none", "give ids of twelve digits")
    for account in accounts:
        if not (isinstance(account, str) and len(account) == 12 and account.isascii() and account.isdigit()):
            raise InvalidRequest("account", account, "is no id of an account", "give twelve digits, as text")
    return tuple(dict.fromkeys(accounts))


def _modify(snapshot: "Snapshot", how: str, accounts: Sequence[str], *, everyone: bool = False) -> None:
    asked: dict[str, Any] = {"SnapshotId": snapshot.id, "Attribute": "createVolumePermission", "OperationType": how}
    call = snapshot.region.aws.call
    if everyone:
        call("ModifySnapshotAttribute", snapshot.id, **asked, GroupNames=["all"])
    for start in range(0, len(accounts), MOST_AT_ONCE):
        part = list(accounts[start : start + MOST_AT_ONCE])
        call("ModifySnapshotAttribute", snapshot.id, **asked, UserIds=part)


def _under_default_key(snapshot: "Snapshot") -> bool:
    key = str(snapshot.raw.get("KmsKeyId", ""))
    described = snapshot.region.service("kms").call("DescribeKey", key, KeyId=key)["KeyMetadata"]
    return bool(described["KeyManager"] == "AWS")
