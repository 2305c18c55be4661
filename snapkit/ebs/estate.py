"""Several regions, of several accounts, listed as one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, Self, TypeVar

from snapkit.ebs import pricing
from snapkit.ebs._resource import Resource
from snapkit.ebs.columns import COLUMNS as SNAPSHOT_COLUMNS
from snapkit.ebs.columns import WHERE
from snapkit.ebs.connecting import connect
from snapkit.ebs.costs import Costs
from snapkit.ebs.describing import ME
from snapkit.ebs.listing import Column, Listing
from snapkit.ebs.region import Region
from snapkit.ebs.rows import Raw, Rows, Shares
from snapkit.ebs.servers import COLUMNS as SERVER_COLUMNS
from snapkit.ebs.servers import Server
from snapkit.ebs.snapshots import Snapshot
from snapkit.ebs.volumes import COLUMNS as VOLUME_COLUMNS
from snapkit.ebs.volumes import Volume
from snapkit.errors import AwsError, InvalidRequest

AT_ONCE = 16
"""How many regions are asked at once; a pool of boto3 holds 10 connections, and each region has its own."""

Item = TypeVar("Item", bound=Resource)
Told = TypeVar("Told")


class EstateListing(Listing[Told]):
    """What was found in an estate; what the regions that answered have is there also where others refused.

    Attributes:
        failed: the regions that refused, such as ``"444455556666 eu-west-1"``, each with the reason.
    """

    def __init__(
        self,
        items: Sequence[Told],
        columns: Sequence[Column[Told]],
        *,
        noun: str,
        dropped: Mapping[str, str] | None = None,
        failed: Mapping[str, AwsError] | None = None,
    ) -> None:
        super().__init__(items, columns, noun=noun, dropped=dropped)
        self.failed = dict(failed or {})

    def _counted(self) -> str:
        failed = "".join(f"; nothing of {region}: {error}" for region, error in self.failed.items())
        return super()._counted() + failed


class Estate:
    """Several regions, of several accounts.

    Attributes:
        regions: the regions.
        snapshots: the snapshots of all of them.
        volumes: the volumes of all of them.
        servers: the servers of all of them.
    """

    def __init__(self, regions: Iterable[Region], *, at_once: int = AT_ONCE) -> None:
        """Look at regions; nothing is asked of AWS yet.

        Args:
            regions: at least one.
            at_once: how many are asked at the same time.

        Raises:
            InvalidRequest: there are none, or none at once.
        """
        self.regions = tuple(regions)
        if not self.regions:
            raise InvalidRequest("regions", [], "are none", "give at least one")
        if isinstance(at_once, bool) or not isinstance(at_once, int) or at_once < 1:
            raise InvalidRequest("at_once", at_once, "is no number from 1 up", f"give one, say {AT_ONCE}")
        self._at_once = at_once
        self.snapshots = Everywhere(self, lambda region: region.snapshots.find, Snapshot, "StartTime", SNAPSHOT_COLUMNS)
        self.volumes = Everywhere(self, lambda region: region.volumes.find, Volume, "CreateTime", VOLUME_COLUMNS)
        self.servers = Everywhere(self, lambda region: region.servers.find, Server, "LaunchTime", SERVER_COLUMNS)

    @classmethod
    def connect(cls, profiles: Iterable[str | None], regions: Iterable[str], *, at_once: int = AT_ONCE) -> Self:
        """Look at regions of real accounts; no call is made until they are used.

        Args:
            profiles: of the AWS configuration, one for each account.
            regions: such as ``"eu-west-1"``, the same for each account.
            at_once: how many are asked at the same time.

        Raises:
            InvalidRequest: there are none, or a profile or a region cannot be.
        """
        for name, given in (("profiles", profiles), ("regions", regions)):
            if isinstance(given, str):
                raise InvalidRequest(name, given, "is one text", f"give a list: [{given!r}]")
        names = list(regions)
        return cls([connect(name, profile) for profile in profiles for name in names], at_once=at_once)

    def costs(self) -> Costs:
        """Tell what everything in it costs a month; regions that refuse are named; see `snapkit.ebs.pricing.across`."""
        return pricing.across(self)

    def _ask(self, what: Callable[[Region], Any]) -> Iterator[tuple[Region, str, Any]]:
        """Ask all regions, several at once; gives each with its label, and its answer or the error, in order."""

        def tried(ask: Callable[[Region], Any], region: Region) -> Any:
            try:
                return ask(region)
            except AwsError as error:
                return error

        # Who it is and what is there are asked at the same time, so that a slow network is waited for once.
        with ThreadPoolExecutor(2 * min(self._at_once, len(self.regions))) as pool:
            answers = [pool.submit(tried, what, region) for region in self.regions]
            accounts = [pool.submit(tried, lambda each: each.account, region) for region in self.regions]
            for region, answer, account in zip(self.regions, answers, accounts, strict=True):
                owner = account.result()
                if isinstance(owner, AwsError):
                    yield region, f"unknown account {region.name}", owner
                else:
                    yield region, f"{owner} {region.name}", answer.result()

    def __len__(self) -> int:
        return len(self.regions)

    def __repr__(self) -> str:
        return f"<Estate of {len(self)} regions: {', '.join(sorted({region.name for region in self.regions}))}>"


class Everywhere(Generic[Item]):
    """Snapshots, volumes or servers of an estate."""

    def __init__(
        self,
        estate: Estate,
        finder: Callable[[Region], Callable[..., Listing[Item]]],
        kind: type[Item],
        made_key: str,
        columns: Sequence[Column[Item]],
    ) -> None:
        """Say how a kind of resource is found and shown.

        Args:
            estate: where.
            finder: gives the `find` of a region.
            kind: the class of the objects.
            made_key: where AWS says when each was made.
            columns: of a listing.
        """
        self._estate, self._finder, self._kind, self._made_key = estate, finder, kind, made_key
        names = [column.name for column in columns]
        after = names.index("account" if "account" in names else "name") + 1
        where = (column for column in WHERE if column.name not in names)
        self._columns = (*columns[:after], *where, *columns[after:])

    def find(self, **wanted: Any) -> EstateListing[Item]:
        """List them all, newest first.

        What is shared between two accounts of the estate is listed once, as its owner sees it.

        Args:
            wanted: as for a single region.

        Returns:
            The listing; regions that refused are named in `EstateListing.failed`.

        Raises:
            InvalidRequest: a filter cannot be.
        """
        found, dropped, failed = _Found[Item](self._kind), dict[str, str](), dict[str, AwsError]()
        for region, label, answer in self._estate._ask(lambda region: self._finder(region)(**wanted)):
            if isinstance(answer, AwsError):
                failed[label] = answer
            else:
                dropped |= answer.dropped
                found.add(region, answer.items)
        missing = {item_id: reason for item_id, reason in dropped.items() if item_id not in found}
        rows = found.newest_first(self._made_key)
        return EstateListing(rows, self._columns, noun=self._kind.kind, dropped=missing, failed=failed)


def _named(shares: Shares, account: str) -> Shares:
    """Name this account, of which an estate has several."""
    return None if shares is None else tuple(account if user == ME else user for user in shares)


class _Found(Generic[Item]):
    """What regions answered, each resource once."""

    def __init__(self, kind: type[Item]) -> None:
        self._kind = kind
        self._regions: list[Region] = []
        self._raws: list[Raw] = []
        self._shares: list[Shares] = []
        self._places: dict[str, dict[str, int]] = {}

    def add(self, region: Region, items: Sequence[Item]) -> None:
        """Add what a region answered; what is shared is told by its owner."""
        raws = items.raws if isinstance(items, Rows) else [item.raw for item in items]
        places, key, account = self._places.setdefault(region.name, {}), self._kind.id_key, region.account
        for place, raw in enumerate(raws, start=len(self._raws)):
            if places.setdefault(raw[key], place) != place and raw.get("OwnerId") == account:
                places[raw[key]] = place
        self._regions += [region] * len(raws)
        self._raws += raws
        self._shares += (
            [_named(shares, account) for shares in items.shares] if isinstance(items, Rows) else [None] * len(raws)
        )

    def __contains__(self, item_id: object) -> bool:
        return any(item_id in places for places in self._places.values())

    def newest_first(self, made_key: str) -> Rows[Item]:
        """Put them in order of time and id, the newest first."""
        raws, regions, shares, key = self._raws, self._regions, self._shares, self._kind.id_key
        order = [place for places in self._places.values() for place in places.values()]
        order.sort(key=lambda place: raws[place][key])
        order.sort(key=lambda place: raws[place][made_key])
        order.reverse()
        return Rows(
            self._kind,
            [regions[each] for each in order],
            [raws[each] for each in order],
            [shares[each] for each in order],
        )
