"""How volumes stand under their strategies: what was taken last, what is due next, what was missed, and what fails."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any

from snapkit.automation.assigning import Assignment, assignments, doubly
from snapkit.automation.deciding import Deciding, Protected
from snapkit.automation.managed import STRATEGY, Managed
from snapkit.ebs import Estate, Region, Server, Volume
from snapkit.ebs.estate import EstateListing
from snapkit.ebs.listing import Column
from snapkit.errors import AwsError
from snapkit.strategy import Decision, Strategy

MOST_MISSED = 1000
"""So many missed due times of a tier are counted at most."""
_NAMED = 5
"""So many of them are named in words."""


@dataclass(frozen=True, repr=False)
class Protection:
    """A volume and the strategy that protects it; a strategy that protects nothing has no volume.

    Attributes:
        region: where it is; of a strategy that protects nothing, the first region that was asked.
        at: the moment that it is told of.
        strategy: which; None where it was not given, or there are two.
        names: its name, or those of both.
        volume: which, if any.
        server: the server through which it is protected, if any.
        last: the snapshot that was taken last, if any.
        missed: due times that passed without a snapshot since the last one that did not end in error; the one that can
            still be met is not among them.
        recovery: how its recovery volume stands; empty where none is wanted.
        decision: what the strategy wants now.
        wrong: what is wrong with the protection itself, and what to do; empty if nothing.
    """

    region: Region
    at: datetime
    strategy: Strategy | None
    names: tuple[str, ...]
    volume: Volume | None = None
    server: Server | None = None
    last: Managed | None = None
    missed: tuple[datetime, ...] = ()
    recovery: str = ""
    decision: Decision[Managed] | None = None
    wrong: str = ""

    @property
    def called(self) -> str:
        """The name of the strategy, or of both."""
        return " and ".join(self.names)

    @property
    def id(self) -> str:
        """The id of the volume; of a strategy that protects nothing, its name."""
        return self.volume.id if self.volume else f"strategy {self.called}"

    @property
    def name(self) -> str:
        """The name of the volume, or nothing."""
        return self.volume.name if self.volume else ""

    @property
    def raw(self) -> Mapping[str, Any]:
        """What AWS said of the volume; nothing where there is none."""
        return self.volume.raw if self.volume else {}

    @property
    def target(self) -> Volume | Server | None:
        """What is protected: the server, or else the volume."""
        return self.server or self.volume

    @property
    def due(self) -> datetime | None:
        """When something is due next; before now where it is due already; None for never."""
        if self.decision is None:
            return None
        return self.decision.take.due if self.decision.take else self.decision.next_due

    @property
    def state(self) -> str:
        """How it stands, in a word or two."""
        if self.volume is None:
            return "protects nothing"
        if self.decision is None:
            return "unclear"
        if self.last is not None and self.last.state == "error":
            return "failing"
        if self.missed:
            return "missed"
        if self.decision.take:
            return "due"
        return "pending" if self.last is not None and self.last.state == "pending" else "protected"

    @property
    def told(self) -> str:
        """Why it stands so, and what to do; nothing where all is well."""
        if self.wrong or self.decision is None:
            return self.wrong
        parts = [f"{self.last.id} ended in error: {self.last.error}"] if self.last and self.last.error else []
        if self.missed:
            parts.append(self._told_missed())
        if self.decision.take:
            parts.append(str(self.decision.take))
        return "; ".join(parts)

    def _told_missed(self) -> str:
        many = len(self.missed)
        count = f"{many:,} or more" if many >= MOST_MISSED else f"{many:,}"
        named = [f"{each:%Y-%m-%d %H:%M}" for each in self.missed[-_NAMED:]]
        which = f"{', '.join(named)} UTC"
        last = f", the last {len(named)} of them {which}" if many > len(named) else f": {which}"
        return f"{count} due time{'' if many == 1 else 's'} missed{last}"

    def __repr__(self) -> str:
        return f"<Protection of {self.volume!r} by {self.called!r}: {self.state}>"


def protections(
    strategies: Strategy | Assignment | Iterable[Strategy | Assignment], where: Region | Estate
) -> EstateListing[Protection]:
    """List which strategy protects which volume, and how each stands; nothing is done.

    Among them are strategies that protect nothing, and volumes whose tag ``snapkit:strategy`` names a strategy that
    was not given, or that two strategies protect: what is wrong is told in `Protection.wrong`.

    Args:
        strategies: those that are run; a strategy protects what is tagged with its name, see `Assignment`.
        where: a region, or an estate of several.

    Returns:
        The listing, by the name of the strategy; regions of an estate that refused are named in `failed`.

    Raises:
        InvalidRequest: two strategies have one name, or the clock is wrong.
        StrategyError: the names of a strategy do not fit in tags.
        AwsError: the one region refuses.
    """
    given = assignments(strategies)
    failed, found = dict[str, AwsError](), list[Protection]()
    if isinstance(where, Region):
        answered, found = [where], _of(where, given)
    else:
        answered = []
        for region, label, answer in where._ask(lambda region: _of(region, given)):
            if isinstance(answer, AwsError):
                failed[label] = answer
            else:
                answered.append(region)
                found += answer
    working = {name for each in found for name in each.names}
    for first in answered[:1]:
        idle = [each for each in given if each.strategy.name not in working]
        found += [
            Protection(first, first.clock.now(), each.strategy, (each.strategy.name,), wrong=_idle(each, failed))
            for each in idle
        ]
    found.sort(key=lambda each: (each.called, each.name, each.id))
    return EstateListing(found, COLUMNS if isinstance(where, Region) else IN_ESTATE, noun="protection", failed=failed)


def _of(region: Region, given: Sequence[Assignment]) -> list[Protection]:
    """Look at one region."""
    matching = [each for assignment in given for each in assignment.matching(region)]
    twice = doubly(matching)
    deciding = Deciding(region, [each for each in matching if each.volume.id not in twice], whole=True)
    deciding.read()
    now = deciding.now
    found = [_protection(each, deciding) for each in deciding.protected]
    for volume_id, error in twice.items():
        both = [each for each in matching if each.volume.id == volume_id]
        names = tuple(each.strategy.name for each in both)
        found.append(Protection(region, now, None, names, both[0].volume, wrong=str(error)))
    return found + _strange(region, now, {each.strategy.name for each in given})


def _protection(each: Protected, deciding: Deciding) -> Protection:
    mine = deciding.held[each.volume.id]
    return Protection(
        deciding.region,
        deciding.now,
        each.strategy,
        (each.strategy.name,),
        each.volume,
        each.server,
        mine[-1] if mine else None,
        _missed(each.strategy, mine, deciding.now),
        deciding.recovering.told(each.volume.id),
        deciding.decisions[each.volume.id],
    )


def _missed(strategy: Strategy, mine: Sequence[Managed], now: datetime) -> tuple[datetime, ...]:
    """List the due times, each of any tier, that passed since the last good snapshot of the tier, without the last."""
    found = set[float]()
    for tier in strategy.tiers:
        good = [each.taken_at for each in mine if tier.name in each.tiers and each.state != "error"]
        if good:
            slots = takewhile(lambda slot: slot <= now.timestamp(), tier.schedule.epochs(max(good).timestamp()))
            found.update(list(islice(slots, MOST_MISSED + 1))[:-1])
    return tuple(datetime.fromtimestamp(slot, UTC) for slot in sorted(found))


def _strange(region: Region, now: datetime, known: set[str]) -> list[Protection]:
    """List the volumes that are tagged with the name of a strategy that was not given."""
    servers = [each for each in region.servers.find(tags={STRATEGY: "*"}) if each.tags[STRATEGY] not in known]
    volumes = [each for each in region.volumes.find(tags={STRATEGY: "*"}) if each.tags[STRATEGY] not in known]
    found = [(server.tags[STRATEGY], volume, server) for server in servers for volume in server.volumes()]
    several = {volume.id for _, volume, _ in found}
    alone = [(volume.tags[STRATEGY], volume, None) for volume in volumes if volume.id not in several]
    return [
        Protection(
            region, now, None, (called,), volume, server,
            wrong=f"no strategy {called!r} was given, so that nothing runs here; give it, or let it leave",
        )
        for called, volume, server in [*found, *alone]
    ]  # fmt: skip


def _idle(each: Assignment, failed: Mapping[str, AwsError]) -> str:
    unread = ", as far as the regions that answer tell" if failed else ""
    return f"the strategy {each}, protects no volume{unread}; let it protect one"


def _at(read: Any, title: str, name: str) -> Column[Protection]:
    def shown(each: Protection) -> str:
        found = read(each)
        return f"{found:%Y-%m-%d %H:%M}" if found else ""

    return Column(title, shown, name, read, "datetime64[ms, UTC]")


def _text(read: Any, title: str, name: str) -> Column[Protection]:
    return Column(title, read, name, read)


COLUMNS: tuple[Column[Protection], ...] = (
    _text(lambda each: each.volume.id if each.volume else "no volume", "volume", "volume"),
    _text(lambda each: each.name, "name", "name"),
    _text(lambda each: (each.server.name or each.server.id) if each.server else "", "server", "server"),
    _text(lambda each: each.called, "strategy", "strategy"),
    _at(lambda each: each.last and each.last.due, "last due, UTC", "last_due"),
    _at(lambda each: each.last and each.last.snapshot.completed_at, "complete, UTC", "completed_at"),
    _at(lambda each: each.due, "next due, UTC", "next_due"),
    Column("missed", lambda each: str(len(each.missed)), "missed", lambda each: len(each.missed), "int64"),
    _text(lambda each: each.state, "state", "state"),
    _text(lambda each: each.told, "because", "because"),
    _text(lambda each: each.recovery, "recovery volume", "recovery"),
)
"""Which strategy protects what, and how that stands."""
IN_ESTATE = (
    *COLUMNS[:2],
    _text(lambda each: each.region.account if each.volume else "", "account", "account"),
    _text(lambda each: each.region.name if each.volume else "", "region", "region"),
    *COLUMNS[2:],
)
