"""Who else may restore a snapshot.

Private: with named accounts, for good or until a moment. Public: with everyone in AWS, which exposes what is on it.

AWS knows no end of a share. It is kept in a tag of the snapshot, one for each account, and `snapkit.ebs.share_plan`
ends what is overdue:

    snapkit:shared-444455556666 = 2026-01-05T00:00:00Z/2026-02-04T00:00:00Z

The key names the account, the value an ISO 8601 interval: since when, and until when. A share for good has no tag.
"""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from snapkit.ebs._aws import unanswered
from snapkit.ebs.accounts import check_accounts, is_account
from snapkit.ebs.shareable import Preflight, Shareable, others
from snapkit.errors import AwsError, InvalidRequest, NotShareable
from snapkit.rules import MOST_TAGS
from snapkit.tags import TERM, to_aws
from snapkit.units import Duration, to_seconds

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot

EVERYONE = "all"
"""Everyone, as those who may restore a snapshot. Source: EC2 API reference, DescribeSnapshots."""

MOST_AT_ONCE = 500
"""How many accounts one call may add or remove. Source: EC2 API reference, ModifySnapshotAttribute."""


@dataclass(frozen=True)
class Term:
    """For how long an account has a share, as a tag keeps it.

    Attributes:
        since: when it was shared.
        until: when that is to end.
    """

    since: datetime
    until: datetime

    @classmethod
    def read(cls, text: str) -> "Term | None":
        """Read the value of a tag; None where somebody else wrote something else."""
        try:
            since, until = (datetime.fromisoformat(part) for part in text.split("/"))
        except ValueError:
            return None
        return cls(since, until) if since.tzinfo and until.tzinfo else None

    def __str__(self) -> str:
        return "/".join(f"{each.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for each in (self.since, self.until))


def terms(tags: Mapping[str, str]) -> dict[str, Term | None]:
    """Read from tags for how long each account has a share; None where its tag cannot be read."""
    told = {key.removeprefix(TERM): value for key, value in tags.items() if key.startswith(TERM)}
    return {account: Term.read(value) for account, value in told.items() if is_account(account)}


def moment(region: "Region", until: datetime | Duration) -> datetime:
    """Return when a share is to end, in whole seconds.

    Raises:
        InvalidRequest: that is no moment with a time zone, no time span, or not in the future.
    """
    remedy = "give '30d', or a moment in the future: 2026-02-01T00:00Z, in Python datetime(..., tzinfo=UTC)"
    now = region.clock.now()
    try:
        end = until if isinstance(until, datetime) else now + timedelta(seconds=to_seconds(until, "until"))
    except OverflowError:
        raise InvalidRequest("until", until, "is beyond all calendars", remedy) from None
    if end.tzinfo is None:
        raise InvalidRequest("until", until, "has no time zone", remedy)
    if end <= now:
        raise InvalidRequest("until", end.isoformat(), "is not in the future", remedy)
    return end.replace(microsecond=0)


def share(snapshot: "Snapshot", *accounts: str, until: datetime | Duration | None = None) -> None:
    """Share a snapshot with accounts, for good or until a moment.

    The end is written to tags before anything is shared, so that no share is without the end that it was to have.
    Without one a share is for good, also where it had an end before.

    Args:
        snapshot: which.
        accounts: with whom.
        until: when the share ends: a moment with a time zone, or how long from now, such as ``"30d"``. AWS does not end
            it: `region.snapshots.plan_expire()` does.

    Raises:
        InvalidRequest: an account is no id of twelve digits, or the owner itself; the end is not in the future, or
            there is no room for its tags. Nothing was done.
        NotShareable: AWS does not let it be shared.
        AwsError: AWS refuses.
    """
    region = snapshot.region
    region.allow("Snapshot", "ShareLocal", snapshot)
    named = others(snapshot, accounts)
    end = None if until is None else moment(region, until)
    can = Preflight(region).privately(snapshot.refresh())
    _refuse(snapshot, can, can=can.privately)
    if end is None:
        _modify(snapshot, "add", named)
        _forget(snapshot, named)
        return
    room = lack_of_room(snapshot, named)
    if room:
        raise InvalidRequest("accounts", len(named), room, "share with fewer, or without an end")
    before, held, now = snapshot.tags, terms(snapshot.tags), region.clock.now()
    since = {account: term.since for account, term in held.items() if term is not None}
    snapshot.tag({f"{TERM}{account}": str(Term(since.get(account, now), end)) for account in named})
    try:
        _modify(snapshot, "add", named)
    except AwsError as error:
        # Without an answer it may well be shared, and then needs its end; that of no share does no harm.
        if not unanswered(error):
            with suppress(AwsError):
                _put_back(snapshot, before, named)
        raise


def unshare(snapshot: "Snapshot", *accounts: str) -> None:
    """Share a snapshot with these accounts no more; volumes that they made of it stay.

    Args:
        snapshot: which.
        accounts: with whom; ``"all"`` makes it public no more, and leaves the accounts that have it besides.

    Raises:
        InvalidRequest: an account is no id of twelve digits; nothing was done.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "ShareLocal", snapshot)
    everyone = EVERYONE in accounts
    named = () if set(accounts) == {EVERYONE} else check_accounts([each for each in accounts if each != EVERYONE])
    snapshot.refresh()
    _modify(snapshot, "remove", named, everyone=everyone)
    _forget(snapshot, named)


def shared_with(snapshot: "Snapshot") -> tuple[str, ...]:
    """List the accounts with which a snapshot is shared, and ``"all"`` if it is public."""
    snapshot.known_shares = permitted(snapshot.region, snapshot.id)
    return snapshot.known_shares


def permitted(region: "Region", snapshot_id: str) -> tuple[str, ...]:
    """Look up who may restore a snapshot besides its owner, everyone being ``"all"``.

    Raises:
        NotFound: there is no such snapshot of this account.
        AwsError: AWS refuses.
    """
    answer = region.aws.call(
        "DescribeSnapshotAttribute", snapshot_id, SnapshotId=snapshot_id, Attribute="createVolumePermission"
    )
    return tuple(each.get("UserId") or each["Group"] for each in answer["CreateVolumePermissions"])


def share_publicly(snapshot: "Snapshot", *, confirm: str) -> None:
    """Share a snapshot with everyone in AWS.

    Raises:
        InvalidRequest: the confirmation is not its id.
        NotShareable: AWS does not let it be public.
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "SharePublic", snapshot)
    check_confirmation(snapshot, confirm)
    can = Preflight(snapshot.region).publicly(snapshot.refresh())
    _refuse(snapshot, can, can=can.publicly)
    _modify(snapshot, "add", (), everyone=True)


def check_confirmation(snapshot: "Snapshot", confirm: str) -> None:
    """Refuse to make a snapshot public before its id was typed.

    Raises:
        InvalidRequest: the confirmation is not its id.
    """
    if confirm != snapshot.id:
        rule = f"is not {snapshot.id}, whose data everyone in AWS could then read"
        raise InvalidRequest("confirmation", confirm, rule, "type the id of the snapshot to confirm")


def make_private(snapshot: "Snapshot") -> None:
    """Share a snapshot with nobody any more, neither publicly nor privately.

    Raises:
        AwsError: AWS refuses.
    """
    snapshot.region.allow("Snapshot", "ShareLocal", snapshot)
    snapshot.refresh()
    snapshot.known_shares = None
    snapshot.region.aws.call(
        "ResetSnapshotAttribute", snapshot.id, SnapshotId=snapshot.id, Attribute="createVolumePermission"
    )
    _forget(snapshot, terms(snapshot.tags))


def lack_of_room(snapshot: "Snapshot", accounts: Sequence[str]) -> str:
    """Tell why the ends of shares with accounts cannot be kept, as the rest of a sentence, or nothing."""
    kept = {key for key in snapshot.tags if not key.startswith("aws:")}
    over = len(kept | {f"{TERM}{account}" for account in accounts}) - MOST_TAGS
    return f"need a tag each for their end, {over} more than {snapshot.id} has room for" if over > 0 else ""


def _refuse(snapshot: "Snapshot", told: Shareable, *, can: bool) -> None:
    if not can:
        reasons, remedy = "; ".join(told.reasons), "see snapshot.can_share() and plan_share()"
        raise NotShareable("NotShareable", "ModifySnapshotAttribute", reasons, snapshot.id, remedy)


def _modify(snapshot: "Snapshot", how: str, accounts: Sequence[str], *, everyone: bool = False) -> None:
    asked: dict[str, Any] = {"SnapshotId": snapshot.id, "Attribute": "createVolumePermission", "OperationType": how}
    call = snapshot.region.aws.call
    snapshot.known_shares = None
    if everyone:
        call("ModifySnapshotAttribute", snapshot.id, **asked, GroupNames=[EVERYONE])
    for start in range(0, len(accounts), MOST_AT_ONCE):
        part = list(accounts[start : start + MOST_AT_ONCE])
        call("ModifySnapshotAttribute", snapshot.id, **asked, UserIds=part)


def _forget(snapshot: "Snapshot", accounts: Iterable[str]) -> None:
    """Take off the tags that say until when accounts have a share, where there are any."""
    keys = [f"{TERM}{account}" for account in accounts if f"{TERM}{account}" in snapshot.tags]
    if not keys:
        return
    named = [{"Key": key} for key in keys]
    snapshot.region.aws.call("DeleteTags", snapshot.id, Resources=[snapshot.id], Tags=named)
    kept = {key: value for key, value in snapshot.tags.items() if key not in keys}
    snapshot.raw = {**snapshot.raw, "Tags": to_aws(kept)}


def _put_back(snapshot: "Snapshot", before: Mapping[str, str], accounts: Sequence[str]) -> None:
    """Let the tags of accounts be again what they were."""
    had = {key: before[key] for key in (f"{TERM}{account}" for account in accounts) if key in before}
    _forget(snapshot, [account for account in accounts if f"{TERM}{account}" not in had])
    if had:
        snapshot.tag(had)
