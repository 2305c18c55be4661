"""Plans that share snapshots, by a copy under another key where that takes one, and plans that end shares.

Each is shown and approved first, and may be applied again after it was broken off: what is done is not done twice.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, ClassVar

from snapkit.access import Tagged
from snapkit.ebs._resource import Resource, check_id
from snapkit.ebs.accounts import check_accounts
from snapkit.ebs.blockers import if_allowed
from snapkit.ebs.deleting import same_region
from snapkit.ebs.exposure import shares_of
from snapkit.ebs.share_copy import SharedCopy
from snapkit.ebs.shareable import Preflight, foreign, others
from snapkit.ebs.sharing import Term, lack_of_room, make_private, moment, share, share_publicly, terms, unshare
from snapkit.errors import InvalidRequest
from snapkit.plan import Plan, State, Step
from snapkit.tags import TERM
from snapkit.units import Duration

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot, Snapshots


def plan_share(
    snapshot: "Snapshot", *accounts: str, kms_key: str | None = None, until: datetime | Duration | None = None
) -> Plan:
    """Plan to share a snapshot with accounts, so that they can use it; see `plan_shares`."""
    return Sharing(snapshot.region, [snapshot], accounts, kms_key, until).plan()


def plan_shares(
    here: "Snapshots",
    snapshots: "Sequence[Snapshot | str]",
    accounts: Sequence[str],
    *,
    kms_key: str | None = None,
    until: datetime | Duration | None = None,
) -> Plan:
    """Plan to share snapshots with accounts, so that they can use them; nothing is done before it is applied.

    What can be shared as it is, is. What cannot, or what the others could not use as the policy of its key is, is
    copied under another key, and the copy is shared when it is complete; such a copy that is there already is taken.

    Args:
        here: the snapshots of the region.
        snapshots: which, or their ids.
        accounts: with whom.
        kms_key: under which to copy, where it takes a copy: a key of your own that the accounts may use.
        until: when the shares end: a moment with a time zone, or how long from now, such as ``"30d"``.

    Raises:
        InvalidRequest: an account or the end cannot be, or a snapshot is in another region or an id is none.
        AwsError: AWS refuses.
    """
    return Sharing(here._region, snapshots, accounts, kms_key, until).plan()


def plan_share_publicly(here: "Snapshots", snapshots: "Sequence[Snapshot | str]") -> Plan:
    """Plan to share snapshots with everyone in AWS; approving the plan stands for typing their ids.

    Raises:
        InvalidRequest: one is in another region, or an id is none.
        AwsError: AWS refuses.
    """
    return _Opening(here._region, snapshots).plan()


def plan_make_private(here: "Snapshots", snapshots: "Sequence[Snapshot | str]") -> Plan:
    """Plan to share snapshots with nobody any more, neither publicly nor privately.

    Raises:
        InvalidRequest: one is in another region, or an id is none.
        AwsError: AWS refuses.
    """
    return _Closing(here._region, snapshots).plan()


def plan_expire(here: "Snapshots", now: datetime | None = None) -> Plan:
    """Plan to end the shares of this account whose end has come; see `snapkit.ebs.sharing`.

    Args:
        here: the snapshots of the region.
        now: by which moment, with a time zone; by default what the clock of the region tells.

    Raises:
        InvalidRequest: the moment has no time zone.
        AwsError: AWS refuses.
    """
    region = here._region
    at = region.clock.now() if now is None else now
    if at.tzinfo is None:
        raise InvalidRequest("now", now, "has no time zone", "give datetime(..., tzinfo=UTC)")
    tagged = [{"Name": "tag-key", "Values": [f"{TERM}*"]}]
    listed = region.aws.pages("DescribeSnapshots", "Snapshots", OwnerIds=["self"], Filters=tagged)
    due = [raw["SnapshotId"] for raw in listed if _due({pair["Key"]: pair["Value"] for pair in raw["Tags"]}, at)]
    return _Expiring(region, due, at).plan()


class _Reading(ABC):
    """Reads what a plan rests on, as often as it is called.

    Attributes:
        region: where.
        ids: which snapshots.
        there: those that exist, by id.
        shares: with whom they are shared; None where this account may not look.
        preflight: tells whether they can be shared, as of the last reading.
    """

    what: ClassVar[str]

    def __init__(self, region: "Region", snapshots: "Sequence[Snapshot | str]", accounts: Sequence[str] = ()) -> None:
        for each in snapshots:
            if not isinstance(each, str) and not same_region(each.region, region):
                rule = f"is not one of this {region!r}"
                raise InvalidRequest("snapshot", each.id, rule, "plan each region by itself")
        self.region = region
        self.ids = list(dict.fromkeys(check_id("snapshot", getattr(each, "id", each)) for each in snapshots))
        self.there: dict[str, Snapshot] = {}
        self.shares: Mapping[str, Sequence[str]] | None = None
        self.preflight = Preflight(region, accounts)

    def plan(self) -> Plan:
        state = self()
        # The first steps of all go first: copies are begun before any of them is waited for.
        together = zip_longest(*(self._steps_of(each) for each in self.ids))
        steps = [step for row in together for step in row if step is not None]
        return Plan(steps, state, reread=self, clock=self.region.clock)

    def _steps_of(self, snapshot_id: str) -> list[Step]:
        if snapshot_id in self.there:
            return self.steps(self.there[snapshot_id])
        gone = ("it is gone, or never was: leave it out",)
        return [Step(what=self.what, on=snapshot_id, reason="it is not there", blockers=gone)]

    def __call__(self) -> State:
        found = {snapshot.id: snapshot for snapshot in self.region.snapshots.find(self.ids)}
        self.there = {each: found[each] for each in self.ids if each in found}
        mine = [snapshot.id for snapshot in self.there.values() if not foreign(snapshot)]
        self.shares = if_allowed(lambda: shares_of(self.region, mine))
        self.preflight = Preflight(self.region, self.preflight.accounts)
        gone = {each: {"state": "gone"} for each in self.ids if each not in self.there}
        return gone | {
            each: {"state": snapshot.state, "name": snapshot.name, **self.told(snapshot)}
            for each, snapshot in self.there.items()
        }

    def users(self, snapshot_id: str) -> set[str]:
        """Tell with whom a snapshot was shared at the last reading, as far as is known."""
        return set((self.shares or {}).get(snapshot_id, ()))

    @abstractmethod
    def told(self, snapshot: "Snapshot") -> Mapping[str, str]:
        """Tell what else the plan rests on."""

    @abstractmethod
    def steps(self, snapshot: "Snapshot") -> list[Step]:
        """Plan what is to be done with a snapshot."""


class Sharing(_Reading):
    """What a plan to share with accounts rests on.

    Attributes:
        accounts: with whom.
        kms_key: under which to copy, where it takes a copy.
        until: when the shares end; None for never.
    """

    what = "share"

    def __init__(
        self,
        region: "Region",
        snapshots: "Sequence[Snapshot | str]",
        accounts: Sequence[str],
        kms_key: str | None,
        until: datetime | Duration | None,
    ) -> None:
        super().__init__(region, snapshots, check_accounts(accounts))
        self.accounts = self.preflight.accounts
        self.kms_key = kms_key
        self.until = None if until is None else moment(region, until)

    def told(self, snapshot: "Snapshot") -> Mapping[str, str]:
        """Tell whether it can be shared, and used."""
        return {"sharing": str(self.preflight.privately(snapshot))}

    def steps(self, snapshot: "Snapshot") -> list[Step]:
        """Plan to share it, or a copy."""
        others(snapshot, self.accounts)
        can = self.preflight.privately(snapshot)
        key = self.preflight.key(self.kms_key) if self.kms_key else None
        another = key is not None and key.arn != snapshot.raw.get("KmsKeyId")
        if can.by_copy and (another or not can.privately):
            return SharedCopy(self, snapshot, key).steps(can)
        warnings = (*can.reasons, *(each.told for each in can.accounts if not each.able))
        if can.by_copy:
            warnings += ("with kms_key=... a copy under another key is shared instead",)
        return [
            Step(
                what=self.what,
                on=snapshot.id,
                reason=self.with_whom(),
                blockers=(*self.hindered(snapshot, snapshot), *(() if can.privately else can.reasons)),
                warnings=warnings if can.privately else (),
                do=partial(share, snapshot, *self.accounts, until=self.until),
                done=lambda: self.holds(self.there.get(snapshot.id, snapshot), self.users(snapshot.id)),
            )
        ]

    def holds(self, snapshot: "Snapshot", users: set[str]) -> bool:
        """Tell whether a snapshot is shared as planned, with the same end."""
        held = terms(snapshot.tags)
        ends = {None if term is None else term.until for term in (held.get(each) for each in self.accounts)}
        return users.issuperset(self.accounts) and ends == {self.until}

    def with_whom(self) -> str:
        """Tell with whom they are shared, and until when."""
        return f"with {', '.join(self.accounts)} {f'until {_shown(self.until)}' if self.until else 'for good'}"

    def hindered(self, snapshot: "Snapshot", about: Resource | Tagged) -> tuple[str, ...]:
        """Tell why a share would be refused, whatever the key: for a missing right, or for want of room for its end."""
        room = lack_of_room(snapshot, self.accounts) if self.until else ""
        return (
            *self.region.barred("Snapshot", "ShareLocal", about),
            *((f"the accounts {room}; share with fewer",) if room else ()),
        )


class _Opening(_Reading):
    what = "share publicly"

    def told(self, snapshot: "Snapshot") -> Mapping[str, str]:
        return {"sharing": str(self.preflight.publicly(snapshot))}

    def steps(self, snapshot: "Snapshot") -> list[Step]:
        can = self.preflight.publicly(snapshot)
        return [
            Step(
                what=self.what,
                on=snapshot.id,
                reason=f"taken {_shown(snapshot.taken_at)}; everyone in AWS can then read it",
                blockers=(
                    *self.region.barred("Snapshot", "SharePublic", snapshot),
                    *(() if can.publicly else can.reasons),
                ),
                warnings=can.reasons if can.publicly else (),
                do=partial(share_publicly, snapshot, confirm=snapshot.id),
                done=lambda: "all" in self.users(snapshot.id),
            )
        ]


class _Closing(_Reading):
    what = "make private"

    def told(self, snapshot: "Snapshot") -> Mapping[str, str]:
        users = sorted("everyone" if each == "all" else each for each in self.users(snapshot.id))
        unknown = "whom this account may not look up"
        return {"shared with": unknown if self.shares is None else ", ".join(users) or "nobody"}

    def steps(self, snapshot: "Snapshot") -> list[Step]:
        return [
            Step(
                what=self.what,
                on=snapshot.id,
                reason=f"shared with {self.told(snapshot)['shared with']}",
                blockers=(*self.region.barred("Snapshot", "ShareLocal", snapshot), *foreign(snapshot)),
                do=partial(make_private, snapshot),
                done=lambda: self.shares is not None and not self.users(snapshot.id),
            )
        ]


class _Expiring(_Reading):
    what = "unshare"

    def __init__(self, region: "Region", snapshots: Sequence[str], at: datetime) -> None:
        super().__init__(region, snapshots)
        self._at = at

    def told(self, snapshot: "Snapshot") -> Mapping[str, str]:
        due = _due(snapshot.tags, self._at)
        return {"due": "; ".join(f"{account} {term or 'unreadable'}" for account, term in due.items()) or "nothing"}

    def _steps_of(self, snapshot_id: str) -> list[Step]:
        # What another run has ended or deleted since it was listed needs nothing.
        return super()._steps_of(snapshot_id) if snapshot_id in self.there else []

    def steps(self, snapshot: "Snapshot") -> list[Step]:
        due = _due(snapshot.tags, self._at)
        if not due:
            return []
        ends = {account: term.until for account, term in due.items() if term is not None}
        unreadable = tuple(
            f"until when {account} has it the tag {TERM}{account} does not tell: share it anew with until=..."
            for account in due
            if account not in ends
        )
        return [
            Step(
                what=self.what,
                on=snapshot.id,
                reason="; ".join(f"shared with {account} until {_shown(end)}" for account, end in ends.items())
                or "shared until nobody knows when",
                blockers=(*self.region.barred("Snapshot", "ShareLocal", snapshot), *(() if ends else unreadable)),
                warnings=unreadable if ends else (),
                do=partial(unshare, snapshot, *ends),
                done=lambda: bool(ends) and not ends.keys() & (self.users(snapshot.id) | self._held(snapshot.id)),
            )
        ]

    def _held(self, snapshot_id: str) -> set[str]:
        return set(terms(self.there[snapshot_id].tags)) if snapshot_id in self.there else set()


def _due(tags: Mapping[str, str], at: datetime) -> dict[str, Term | None]:
    """Find the accounts whose share ought to have ended by a moment, or whose end cannot be read."""
    return {account: term for account, term in terms(tags).items() if term is None or term.until <= at}


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
