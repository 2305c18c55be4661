"""What AWS is asked in order to list snapshots: in pages, by their ids, and with whom they are shared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import eq, itemgetter
from typing import TYPE_CHECKING, Any

from snapkit.ebs._aws import IDS
from snapkit.ebs._resource import check_id
from snapkit.ebs.exposure import shares_of
from snapkit.ebs.sharing import EVERYONE
from snapkit.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from snapkit.ebs.region import Region

ME = "self"
"""This account, as one that may restore a snapshot. Source: EC2 API reference, DescribeSnapshots."""

Filters = Sequence[Mapping[str, Any]]

_BY_ID = {
    "snapshot": ("DescribeSnapshots", "SnapshotIds", "Snapshots"),
    "volume": ("DescribeVolumes", "VolumeIds", "Volumes"),
    "server": ("DescribeInstances", "InstanceIds", "Reservations"),
}


@dataclass
class Described:
    """What AWS said of snapshots.

    Attributes:
        raws: of each.
        shares: with whom they are shared, by id, as far as that came along; nothing for those where it did not.
        dropped: ids that were asked for and are not there, each with the reason.
        account: the one that asked, where its own snapshots tell that.
    """

    raws: list[dict[str, Any]]
    shares: dict[str, tuple[str, ...]] = field(default_factory=dict)
    dropped: dict[str, str] = field(default_factory=dict)
    account: str | None = None

    def newest_first(self) -> list[dict[str, Any]]:
        """Put what AWS said in order of time and id, the newest first."""
        moment, snapshot_id = itemgetter("StartTime"), itemgetter("SnapshotId")
        ordered = sorted(self.raws, key=moment, reverse=True)
        moments = list(map(moment, ordered))
        if any(map(eq, moments, moments[1:])):
            # Twice by one key costs half as much as once by two.
            ordered = sorted(sorted(self.raws, key=snapshot_id, reverse=True), key=moment, reverse=True)
        return ordered

    def shares_of(self, raws: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...] | None]:
        """Tell of each with whom it is shared; None where that is not known."""
        return [self.shares.get(raw["SnapshotId"]) for raw in raws] if self.shares else [None] * len(raws)


def of_account(region: "Region", filters: Filters, *, shared_with_me: bool, public: bool) -> Described:
    """Ask for the snapshots of this account, and on request for those that others share.

    Raises:
        AwsError: AWS refuses.
    """

    def listed(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
        return list(region.aws.pages("DescribeSnapshots", "Snapshots", Filters=filters or None, **asked))

    own = listed({"OwnerIds": ["self"]})
    told = Described(own, account=own[0]["OwnerId"] if own else "")
    for asked, user in ((shared_with_me, ME), (public, EVERYONE)):
        if asked:
            _add(told, listed({"RestorableByUserIds": [user]}), user)
    return told


def _add(told: Described, restorable: Sequence[dict[str, Any]], user: str) -> None:
    there = {raw["SnapshotId"] for raw in told.raws}
    for raw in restorable:
        # What belongs to this account it may always restore; that is no share.
        if user == EVERYONE or raw["OwnerId"] != told.account:
            told.shares[raw["SnapshotId"]] = (*told.shares.get(raw["SnapshotId"], ()), user)
    told.raws += [raw for raw in restorable if raw["SnapshotId"] not in there]


def by_ids(region: "Region", ids: Sequence[str], filters: Filters) -> Described:
    """Ask for snapshots by their ids, of whichever account they are; those that are not there are dropped.

    Raises:
        InvalidRequest: it is one text, not a list of ids.
        AwsError: AWS refuses.
    """
    told = Described([])
    told.raws += in_batches(region, "snapshot", ids, filters, told.dropped)
    return told


def in_batches(
    region: "Region", kind: str, ids: Sequence[str], filters: Filters, dropped: dict[str, str]
) -> Iterator[dict[str, Any]]:
    """Ask for snapshots, volumes or servers in batches of ids; one with a bad id is halved until that is alone.

    Args:
        region: where.
        kind: snapshot, volume or server.
        ids: of them.
        filters: what else has to hold.
        dropped: gets the ids that are not there, each with the reason.

    Raises:
        InvalidRequest: it is one text, not a list of ids.
        AwsError: AWS refuses.
    """
    if isinstance(ids, str):
        raise InvalidRequest("ids", ids, "is one text", f"give a list: [{ids!r}]")
    operation, key, answers = _BY_ID[kind]
    ids = [each for each in dict.fromkeys(ids) if _can_be(kind, each, dropped)]
    batches = [ids[start : start + IDS] for start in range(0, len(ids), IDS)]
    while batches:
        batch = batches.pop(0)
        try:
            asked: dict[str, Any] = {key: batch, "Filters": filters or None}
            answer = region.aws.call(operation, **asked)
        except NotFound as error:
            if len(batch) == 1:
                dropped[batch[0]] = error.told
            else:
                half = len(batch) // 2
                batches[:0] = [batch[:half], batch[half:]]
        else:
            yield from answer[answers]


def _can_be(kind: str, given: object, dropped: dict[str, str]) -> bool:
    try:
        check_id(kind, given)
    except InvalidRequest as error:
        dropped[str(given)] = error.rule
        return False
    return True


def look_up_shares(region: "Region", told: Described, raws: Sequence[Mapping[str, Any]]) -> None:
    """Look up with whom those that belong to this account are shared: one call each, several at a time.

    Raises:
        AwsError: AWS refuses.
    """
    account = region.account if told.account is None else told.account
    own = [raw["SnapshotId"] for raw in raws if raw["OwnerId"] == account]
    told.shares |= dict.fromkeys(own, ()) | shares_of(region, own)
