"""Which snapshots others can restore, and what the region lets be public."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from snapkit.ebs.accounts import organization
from snapkit.ebs.blockers import if_allowed
from snapkit.ebs.listing import Column, Listing
from snapkit.ebs.shareable import Preflight, block_public_access
from snapkit.ebs.sharing import Term, permitted, terms
from snapkit.errors import AwsError, InvalidRequest, NotFound

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot

AT_ONCE = 8
"""How many permission look-ups are under way at once: below botocore's ten connections to one endpoint."""

HIDDEN = "block-all-sharing"
"""The state in which nobody can use what is public. Source: EBS user guide, "Block public access for snapshots"."""


@dataclass(frozen=True)
class Exposure:
    """A snapshot that others can restore.

    Attributes:
        snapshot: which.
        public: whether it is shared with everyone.
        hidden: whether the region hides that at present; as soon as it no longer does, the snapshot is public again.
        accounts: with which accounts it is shared.
        outside: those of them that do not belong to the user; None where nobody knows.
        now: when that was looked up.
    """

    snapshot: "Snapshot"
    public: bool
    hidden: bool
    accounts: tuple[str, ...]
    outside: tuple[str, ...] | None
    now: datetime

    @property
    def terms(self) -> Mapping[str, Term]:
        """Since when and until when accounts have a share that is to end; see `snapkit.ebs.sharing`."""
        held = terms(self.snapshot.tags)
        return {account: term for account in self.accounts if (term := held.get(account)) is not None}

    @property
    def since(self) -> datetime | None:
        """Since when the first of the shares that are to end has been there."""
        return min((term.since for term in self.terms.values()), default=None)

    @property
    def until(self) -> datetime | None:
        """When the first of them is to end."""
        return min((term.until for term in self.terms.values()), default=None)

    @property
    def overdue(self) -> tuple[str, ...]:
        """The accounts whose share ought to have ended; `region.snapshots.plan_expire()` ends it."""
        return tuple(account for account, term in self.terms.items() if term.until <= self.now)

    @property
    def told(self) -> str:
        """How far it is exposed, in words."""
        parts = []
        if self.public:
            parts.append("public, hidden by the region's block" if self.hidden else "public: everyone in AWS")
        if self.accounts:
            known = "" if self.outside is None else f", {len(self.outside)} outside the organization"
            overdue = f", {len(self.overdue)} longer than it ought to be" if self.overdue else ""
            shared = f"shared with {len(self.accounts)} account{'' if len(self.accounts) == 1 else 's'}"
            parts.append(f"{shared}{known}{overdue}")
        return "; ".join(parts)


class Exposures(Listing[Exposure]):
    """The exposed snapshots of a region, the farthest first.

    Attributes:
        block_public_access: unblocked, block-new-sharing or block-all-sharing.
        note: what could not be looked up, or nothing.
    """

    def __init__(self, items: Sequence[Exposure], block_public_access: str, where: str, note: str = "") -> None:
        super().__init__(items, COLUMNS, noun="exposed snapshot")
        self.block_public_access = block_public_access
        self.note = note
        self._where = where

    def _counted(self) -> str:
        blocks = {
            "unblocked": f"{self._where} lets snapshots be made public",
            "block-new-sharing": f"{self._where} lets no more snapshots be made public, those that are stay so",
            HIDDEN: f"{self._where} blocks all public sharing",
        }
        note = f"; {self.note}" if self.note else ""
        told = blocks.get(self.block_public_access, f"whether {self._where} blocks public sharing is not known")
        return f"{super()._counted()}; {told}{note}"


def find(region: "Region", *, private: bool = True, known: Iterable[str] | None = None) -> Exposures:
    """List the snapshots of this account that are public or shared with other accounts.

    Args:
        region: where.
        private: whether to look up shares with accounts: one call for each snapshot that can be shared at all. Public
            ones take one call for all.
        known: ids of accounts that belong to the user; by default those of the organization, if this account may list
            them.

    Raises:
        AwsError: AWS refuses, other than for a missing permission to look closer.

    Source: EBS user guide, "Share an Amazon EBS snapshot": what is encrypted under the default key cannot be shared;
        DescribeSnapshots: RestorableByUserIds=all lists what is public.
    """
    mine = {snapshot.id: snapshot for snapshot in region.snapshots.find()}
    public = {
        raw["SnapshotId"]
        for raw in region.aws.pages("DescribeSnapshots", "Snapshots", OwnerIds=["self"], RestorableByUserIds=["all"])
    }
    blocked = block_public_access(region) or "unknown"
    shared: dict[str, tuple[str, ...]] = {}
    note = "" if private else "shares with accounts were not looked up"
    if private:
        looked = if_allowed(lambda: shares_of(region, _shareable(region, list(mine.values()))))
        shared = looked or {}
        note = "" if looked is not None else "with which accounts they are shared this account may not look up"
    ours = _organization(region) if known is None else frozenset(known)
    rows, now = [], region.clock.now()
    for snapshot in mine.values():
        users = shared.get(snapshot.id, ())
        accounts = tuple(sorted(user for user in users if user != "all"))
        everyone = "all" in users or snapshot.id in public
        outside = None if ours is None else tuple(account for account in accounts if account not in ours)
        if everyone or accounts:
            rows.append(Exposure(snapshot, everyone, everyone and blocked == HIDDEN, accounts, outside, now))
    rows.sort(key=lambda each: (not each.public, -len(each.accounts if each.outside is None else each.outside)))
    return Exposures(rows, blocked, region.name, note)


def shares_of(region: "Region", ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Look up with whom snapshots are shared, several at a time; those that are gone are left out.

    Raises:
        AwsError: AWS refuses.
    """

    def look(snapshot_id: str) -> tuple[str, ...]:
        try:
            return permitted(region, snapshot_id)
        except NotFound:
            return ()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = zip(ids, pool.map(look, ids), strict=True)
        return {snapshot_id: users for snapshot_id, users in found if users}


def _shareable(region: "Region", snapshots: "Sequence[Snapshot]") -> list[str]:
    """Leave out what is encrypted under the default key: nobody can share that."""
    preflight = Preflight(region)
    # What is not known of a key is looked up like the others.
    return [snapshot.id for snapshot in snapshots if not preflight.under_default(snapshot)]


def _organization(region: "Region") -> frozenset[str] | None:
    """List the accounts of the organization; None where this account may not, or there is none."""
    try:
        return frozenset(str(account["Id"]) for account in organization(region)) or None
    except (AwsError, InvalidRequest):
        return None


def _shown(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else ""


COLUMNS: tuple[Column[Exposure], ...] = (
    Column("ID", lambda each: each.snapshot.id, "id", lambda each: each.snapshot.id),
    Column("name", lambda each: each.snapshot.name, "name", lambda each: each.snapshot.name),
    Column("volume", lambda each: each.snapshot.volume_id, "volume", lambda each: each.snapshot.volume_id),
    Column("exposed", lambda each: each.told, "exposed", lambda each: each.told),
    Column("public", lambda each: "yes" if each.public else "", "public", lambda each: each.public, "boolean"),
    Column("accounts", lambda each: ", ".join(each.accounts), "accounts", lambda each: ", ".join(each.accounts)),
    Column(
        "outside the organization", lambda each: "not known" if each.outside is None else ", ".join(each.outside),
        "outside", lambda each: None if each.outside is None else ", ".join(each.outside),
    ),
    Column("since, UTC", lambda each: _shown(each.since), "since", lambda each: each.since, "datetime64[ms, UTC]"),
    Column("until, UTC", lambda each: _shown(each.until), "until", lambda each: each.until, "datetime64[ms, UTC]"),
    Column("overdue", lambda each: ", ".join(each.overdue), "overdue", lambda each: ", ".join(each.overdue)),
)  # fmt: skip
