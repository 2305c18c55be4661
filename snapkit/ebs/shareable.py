"""Whether a snapshot can be shared, and whether those it is shared with can then use it: said beforehand, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from snapkit.ebs.accounts import check_accounts
from snapkit.ebs.blockers import account_of, if_allowed
from snapkit.ebs.key_use import Key, Use
from snapkit.errors import InvalidRequest

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot


@dataclass(frozen=True)
class Shareable:
    """Whether a snapshot can be shared, and with whom it would work.

    Attributes:
        privately: with named accounts.
        publicly: with everyone.
        reasons: why not, what is not known of it, and what to do, a sentence each.
        accounts: whether each of the accounts that were asked about could use it.
        by_copy: whether a copy under another key gets around what hinders it.
    """

    privately: bool
    publicly: bool
    reasons: tuple[str, ...]
    accounts: tuple[Use, ...] = ()
    by_copy: bool = False

    @property
    def usable(self) -> bool | None:
        """Whether all accounts that were asked about could use it; None where that is not known, or none were."""
        able = {each.able for each in self.accounts}
        if not self.privately or False in able:
            return False
        return True if able == {True} else None

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))

    def __str__(self) -> str:
        able = [word for word, can in (("privately", self.privately), ("publicly", self.publicly)) if can]
        told = f"can be shared {' and '.join(able)}" if able else "cannot be shared"
        return "; ".join((told, *self.reasons, *(each.told for each in self.accounts)))


def can_share(snapshot: "Snapshot", *accounts: str) -> Shareable:
    """Tell beforehand whether a snapshot can be shared, and whether others could then use it.

    What this account may not look up is said, and hinders nothing. A lock is no obstacle.

    Args:
        snapshot: which.
        accounts: whom to look at; for each the policy of the key is read.

    Raises:
        InvalidRequest: an account is no id of twelve digits, or the owner itself.
        NotFound: the snapshot is gone.
        AwsError: AWS refuses to say, other than for a missing permission.

    Source: EBS user guide, "Share an Amazon EBS snapshot", "Share the KMS key used to encrypt a shared Amazon EBS
        snapshot".
    """
    named = others(snapshot, accounts) if accounts else ()
    preflight = Preflight(snapshot.region, named)
    snapshot.refresh()
    return preflight.told(snapshot)


def others(snapshot: "Snapshot", accounts: Sequence[str]) -> tuple[str, ...]:
    """Return the accounts to share a snapshot with, each once.

    Raises:
        InvalidRequest: one is no id of twelve digits, or the owner itself, or there are none.
    """
    named = check_accounts(accounts)
    if snapshot.account in named:
        raise InvalidRequest("account", snapshot.account, "owns the snapshot", "share it with another one")
    return named


class Preflight:
    """Tells of the snapshots of a region whether they can be shared; what several have in common is looked up once.

    Attributes:
        region: where they are.
        accounts: with whom.
    """

    def __init__(self, region: "Region", accounts: Sequence[str] = ()) -> None:
        self.region = region
        self.accounts = accounts
        self._keys: dict[str, Key] = {}

    def key(self, key_id: str) -> Key:
        """Return a key; it is looked up once."""
        return self._keys.setdefault(key_id, Key(self.region, key_id))

    def told(self, snapshot: "Snapshot") -> Shareable:
        """Tell whether a snapshot can be shared, in both ways."""
        private, public = self.privately(snapshot), self.publicly(snapshot)
        reasons = tuple(dict.fromkeys((*public.reasons, *private.reasons)))
        return Shareable(private.privately, public.publicly, reasons, private.accounts, private.by_copy)

    def privately(self, snapshot: "Snapshot") -> Shareable:
        """Tell whether a snapshot can be shared with accounts, and whether these could use it."""
        refused = self._refused(snapshot)
        if refused:
            return Shareable(privately=False, publicly=False, reasons=refused)
        key = self.key(str(snapshot.raw["KmsKeyId"])) if snapshot.encrypted else None
        if self.under_default(snapshot):
            told = (
                "it is encrypted under the default key aws/ebs, which other accounts cannot use: copy it under a key"
                " of your own and share the copy, which plan_share(..., kms_key=...) does"
            )
            return Shareable(privately=False, publicly=False, reasons=(told,), by_copy=True)
        uses = tuple(self._use(snapshot, key, account) for account in self.accounts)
        # What lies under a key that is disabled cannot be copied either.
        by_copy = any(each.able is False for each in uses) and key is not None and key.enabled
        hints = tuple(self._hints(snapshot, key))
        return Shareable(privately=True, publicly=False, reasons=hints, accounts=uses, by_copy=by_copy)

    def under_default(self, snapshot: "Snapshot") -> bool:
        """Tell whether a snapshot is known to be under the default key, and under no other besides."""
        key = str(snapshot.raw.get("KmsKeyId", ""))
        return snapshot.encrypted and not _associated(snapshot) and bool(self.key(key).default)

    def publicly(self, snapshot: "Snapshot") -> Shareable:
        """Tell whether a snapshot can be shared with everyone."""
        where, blocked = self.region.name, self._blocked
        refused = [*self._refused(snapshot)]
        if snapshot.encrypted:
            refused.append("an encrypted snapshot cannot be public")
        if blocked not in (None, "unblocked"):
            refused.append(f"{where} blocks public sharing ({blocked})")
        unknown = [] if blocked else [f"whether {where} blocks public sharing this account may not look up"]
        return Shareable(privately=False, publicly=not refused, reasons=(*refused, *unknown))

    @cached_property
    def _blocked(self) -> str | None:
        return block_public_access(self.region)

    def _refused(self, snapshot: "Snapshot") -> tuple[str, ...]:
        """Tell what hinders both ways."""
        archived = ("it is archived: restore it first",) if snapshot.tier == "archive" else ()
        return foreign(snapshot) or archived

    def _hints(self, snapshot: "Snapshot", key: Key | None) -> Iterator[str]:
        if snapshot.state != "completed":
            yield f"it is {snapshot.state}: nobody can use it unless it is complete"
        if key is not None and key.default is None:
            yield f"whether it is under the default key aws/ebs, which cannot be shared, is not known ({key.unknown})"
        if key is not None and not self.accounts:
            yield f"the other account also needs the use of the key {key.id}"
        if self.accounts:
            yield f"others find it in {self.region.name} only"

    def _use(self, snapshot: "Snapshot", key: Key | None, account: str) -> Use:
        if key is None:
            return Use(account, able=True, told=f"{account} can use it")
        associated = _associated(snapshot)
        if associated:
            told = f"its data can be had by other keys as well ({', '.join(associated)}), which are not judged here"
            return Use(account, able=None, told=f"whether {account} can use it is not known: {told}")
        return key.use(account)


def foreign(snapshot: "Snapshot") -> tuple[str, ...]:
    """Tell that a snapshot belongs to another account, where it does."""
    if account_of(snapshot.region) in (None, snapshot.account):
        return ()
    return (f"it belongs to {snapshot.account}, and only the owner can share it",)


def block_public_access(region: "Region") -> str | None:
    """Look up whether a region blocks public sharing: unblocked, block-new-sharing or block-all-sharing.

    Returns:
        The state; None where this account may not look.

    Raises:
        AwsError: AWS refuses, other than for a missing permission.
    """
    return if_allowed(lambda: str(region.aws.call("GetSnapshotBlockPublicAccessState")["State"]))


def _associated(snapshot: "Snapshot") -> list[str]:
    """List the keys by which a snapshot can be used besides its own. Source: EC2 API reference, AssociatedKmsKey."""
    return [str(each["KmsKeyId"]) for each in snapshot.raw.get("AssociatedKmsKeys") or ()]
