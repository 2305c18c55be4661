"""A strategy: one or more tiers, each a schedule with its retention, and what they decide."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from numbers import Integral
from os import PathLike
from typing import Any, Generic

from snapkit import _html
from snapkit.errors import StrategyError
from snapkit.strategy.archive import Archive, ArchiveLedger, in_archive
from snapkit.strategy.copies import Copy
from snapkit.strategy.ledger import Lane, Ledger
from snapkit.strategy.retention import NOT_COMPLETE, AnySnapshot, Retention, Told, Verdict, checked_epoch
from snapkit.strategy.schedule import Schedule
from snapkit.strategy.zones import epoch_of
from snapkit.units import Duration, seconds_text, to_seconds

_IN_ARCHIVE: Told = (True, ("in the archive, and none of its tiers archives any more",))


@dataclass(frozen=True)
class Tier:
    """One schedule with its retention.

    Attributes:
        schedule: when snapshots are due.
        retention: which of this tier's snapshots to keep.
        name: how its snapshots are marked; the schedule's text unless given. Renaming a tier orphans its snapshots:
            a strategy never deletes one that carries no tier of its own.
        retries: how often a due time whose snapshot ended in error is tried again.
        retry_delay: how long after the start of a failed snapshot the next try may start.
        copies: where else its snapshots go, each region once.
        archive: where its snapshots go when its retention lets them go; without it they are deleted.
    """

    schedule: Schedule
    retention: Retention
    name: str = ""
    retries: int = 2
    retry_delay: Duration = "15min"
    copies: Sequence[Copy] = ()
    archive: Archive | None = None

    def __post_init__(self) -> None:
        """Name the tier after its schedule, and refuse retries that cannot be."""
        if not isinstance(self.schedule, Schedule) or not isinstance(self.retention, Retention):
            wrong = self.retention if isinstance(self.schedule, Schedule) else self.schedule
            raise StrategyError(
                "tier", wrong, "is no part of one", "give Tier(Schedule('every 1h'), Retention(last=24))"
            )
        if not self.name:
            object.__setattr__(self, "name", self.schedule.text)
        if not isinstance(self.name, str):
            raise StrategyError("tier name", self.name, "is no name", "give it a short text, such as 'hourly'")
        if isinstance(self.retries, bool) or not isinstance(self.retries, Integral) or self.retries < 0:
            raise StrategyError(
                "tier retries", self.retries, "is not a whole number of at least 0", "write 0 to try a due time once"
            )
        _settle_seconds(self, "retry_delay", "tier retry_delay")
        if isinstance(self.copies, Iterable):
            object.__setattr__(self, "copies", tuple(self.copies))
        if not isinstance(self.copies, tuple) or not all(isinstance(copy, Copy) for copy in self.copies):
            raise StrategyError("tier copies", self.copies, "is no list of copies", "give a list of Copy")
        regions = [copy.region for copy in self.copies]
        for region in regions:
            if regions.count(region) > 1:
                raise StrategyError("copy region", region, "stands twice in one tier", "copy to each region once")
        if not isinstance(self.archive, Archive | None):
            remedy = "give Archive(Retention(within='1y')), say, or leave it out"
            raise StrategyError("tier archive", self.archive, "is no Archive", remedy)

    @property
    def retry_seconds(self) -> float:
        """The retry delay [s]."""
        return to_seconds(self.retry_delay)

    def describe(self) -> str:
        """Say in words when it snapshots, what it keeps and what else it does."""
        parts = [self.schedule.describe(), self.retention.describe(), *(copy.describe() for copy in self.copies)]
        if self.archive:
            parts.append(self.archive.describe())
        if (self.retries, self.retry_seconds) != (Tier.retries, to_seconds(Tier.retry_delay)):
            parts.append(self.describe_retries())
        return ", ".join(parts)

    def describe_retries(self) -> str:
        """Say in words how often a due time is tried again."""
        if not self.retries:
            return "no retries"
        return f"{self.retries} {'retry' if self.retries == 1 else 'retries'} after {seconds_text(self.retry_seconds)}"


@dataclass(frozen=True, kw_only=True)
class RecoveryVolume:
    """A volume made from the newest complete snapshot on a schedule, ready to attach.

    Attributes:
        schedule: when a new one is made.
        zone: the availability zone it is made in.
        initialized: whether every block is loaded before it counts as ready.
        delay: how long to wait before a lost volume is recovered.

    Source:
        enStratus, "Snapshots" (recovery volumes on a schedule) and launch configurations (recovery delay 10 minutes).
    """

    schedule: Schedule
    zone: str
    initialized: bool = False
    delay: Duration = "10min"

    def __post_init__(self) -> None:
        """Refuse a recovery volume without a zone, or with a delay that is no time span."""
        if not self.zone or not isinstance(self.zone, str):
            raise StrategyError("recovery zone", self.zone, "is no availability zone", "name one, such as 'us-east-1a'")
        if not isinstance(self.initialized, bool):
            raise StrategyError(
                "recovery initialized", self.initialized, "is neither true nor false", "write true or false"
            )
        _settle_seconds(self, "delay", "recovery delay")


@dataclass(frozen=True)
class Take:
    """The snapshot that is wanted now: for which due time, for which tiers, and why."""

    due: datetime
    tiers: tuple[str, ...]
    reason: str

    def __str__(self) -> str:
        return f"take for {', '.join(self.tiers)}: {self.reason}"


@dataclass(frozen=True)
class Decision(Generic[AnySnapshot]):
    """What a strategy wants now, with a reason on every line.

    Attributes:
        take: the snapshot to take; None for none.
        delete: the verdicts on the snapshots to delete, newest first.
        next_due: when to ask again, given that `take` is taken now; None for never.
        kept: the verdicts on all others, newest first.
        archive: the verdicts on the snapshots to archive, newest first.
    """

    take: Take | None
    delete: tuple[Verdict[AnySnapshot], ...]
    next_due: datetime | None
    kept: tuple[Verdict[AnySnapshot], ...] = ()
    archive: tuple[Verdict[AnySnapshot], ...] = ()

    def __str__(self) -> str:
        take = str(self.take) if self.take else "take nothing"
        return "\n".join([take, *map(str, self._verdicts()), self._next()])

    def _verdicts(self) -> Iterable[Verdict[AnySnapshot]]:
        return (*self.archive, *self.delete, *self.kept)

    def _next(self) -> str:
        return f"ask again at {self.next_due:%Y-%m-%d %H:%M:%S} UTC" if self.next_due else "never ask again"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))

    def _repr_html_(self) -> str:
        take = ("take", ", ".join(self.take.tiers), self.take.reason) if self.take else ("take nothing", "", "")
        verdicts = (verdict.words() for verdict in self._verdicts())
        return _html.table(["what", "which", "because"], [take, *verdicts, (self._next(), "", "")])


@dataclass(frozen=True)
class Strategy:
    """When to snapshot a volume and what to keep: the object that is simulated, run, and exported.

    Attributes:
        name: what it is called.
        tiers: its schedules with their retentions; two that are due at once share one snapshot.
        recovery: the recovery volume to keep ready, if any.
    """

    name: str
    tiers: Sequence[Tier]
    recovery: RecoveryVolume | None = None

    def __post_init__(self) -> None:
        """Refuse a strategy without a name or tiers, and tiers that cannot be told apart."""
        if isinstance(self.tiers, Iterable):
            object.__setattr__(self, "tiers", tuple(self.tiers))
        if not isinstance(self.tiers, tuple) or not all(isinstance(tier, Tier) for tier in self.tiers):
            raise StrategyError("strategy tiers", self.tiers, "is no list of tiers", "give a list of Tier")
        if not isinstance(self.recovery, RecoveryVolume | None):
            raise StrategyError("strategy recovery", self.recovery, "is no RecoveryVolume", "give one, or leave it out")
        if not self.name or not isinstance(self.name, str):
            raise StrategyError("strategy name", self.name, "is no name", "give it a short text, such as 'hourly'")
        if not self.tiers:
            raise StrategyError("strategy tiers", [], "has nothing to do", "give it at least one Tier")
        names = [tier.name for tier in self.tiers]
        for name in names:
            if names.count(name) > 1:
                raise StrategyError(
                    "tier name", name, "stands twice in one strategy", "give each tier a name of its own"
                )

    @property
    def copy_regions(self) -> tuple[str, ...]:
        """The regions to which any of its tiers is copied."""
        return tuple(dict.fromkeys(copy.region for tier in self.tiers for copy in tier.copies))

    @property
    def archives(self) -> bool:
        """Whether any of its tiers archives."""
        return any(tier.archive for tier in self.tiers)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> "Strategy":
        """Read a strategy from a TOML file.

        Raises:
            StrategyError: the file cannot be read, has an unknown key, or says what cannot be; the message names the
                file, the key, the rule and the remedy.
        """
        from snapkit.strategy.document import load  # the document knows the strategy, not the other way round

        return load(path)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the strategy to a TOML file, whole or not at all."""
        from snapkit.strategy.document import save  # the document knows the strategy, not the other way round

        save(self, path)

    def describe(self) -> str:
        """Say in words when it snapshots and what it keeps."""
        return "; ".join(tier.describe() for tier in self.tiers)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text("\n".join([self.name, *(f"  {tier.name}: {tier.describe()}" for tier in self.tiers)]))

    def _repr_html_(self) -> str:
        rows = [
            (
                self.name,
                tier.name,
                tier.schedule.describe(),
                tier.retention.describe(),
                tier.describe_retries(),
                "; ".join(each.describe() for each in (*tier.copies, tier.archive) if each),
            )
            for tier in self.tiers
        ]
        return _html.table(["strategy", "tier", "when", "what stays", "after an error", "what else"], rows)

    def decide(self, taken: Iterable[AnySnapshot], now: datetime) -> Decision[AnySnapshot]:
        """Decide for one volume what to take, what to archive and what to delete.

        Pure: nothing is done. A due time is met by any snapshot of its tier that was started since and did not end
        in error; one that was missed is made up for once, as soon as a window allows. Only complete snapshots
        protect: the newest complete one of a tier always stays, pending ones always stay, and so do snapshots that
        carry a tier which this strategy does not have. One that ended in error goes when each of its tiers has a
        younger complete one; until then it counts for the retry rule.

        One that no tier keeps any more is archived if one of its tiers archives and keeps it there, counted with
        those that are there already; otherwise it is deleted. One in the archive (see `Taken`) is deleted when no tier
        keeps it there; it stays if none of its tiers archives any more.

        Args:
            taken: the volume's snapshots, in any order.
            now: the moment of the decision, with a time zone.

        Raises:
            InvalidRequest: a moment has no time zone, or a state is unknown.
        """
        moment = epoch_of(now, "now")
        newest_first = sorted(taken, key=checked_epoch, reverse=True)
        ledger = Ledger(self, moment)
        oldest_first = range(len(newest_first))[::-1]
        for number in oldest_first:
            snapshot = newest_first[number]
            lanes = [ledger.lanes[name] for name in snapshot.tiers if name in ledger.lanes]
            ledger.start(number, snapshot.taken_at.timestamp(), lanes)
            if snapshot.state == "error":
                ledger.fail(number)
        ledger.complete_all(
            number
            for number in oldest_first
            if newest_first[number].state == "completed" and not in_archive(newest_first[number])
        )
        verdicts = self._verdicts(newest_first, ledger)
        wanted = ledger.due(moment)
        next_due = ledger.next_due(moment)
        return Decision(
            take=self._take(wanted) if wanted else None,
            delete=tuple(verdict for verdict in verdicts if not verdict.keep and not verdict.archive),
            next_due=datetime.fromtimestamp(next_due, UTC) if isfinite(next_due) else None,
            kept=tuple(verdict for verdict in verdicts if verdict.keep),
            archive=tuple(verdict for verdict in verdicts if verdict.archive),
        )

    def _take(self, lanes: list[Lane]) -> Take:
        due = datetime.fromtimestamp(max(lane.slot for lane in lanes), UTC)
        return Take(due, tuple(lane.tier.name for lane in lanes), "; ".join(map(_why_now, lanes)))

    def _verdicts(self, newest_first: list[AnySnapshot], ledger: Ledger) -> list[Verdict[AnySnapshot]]:
        own = {tier.name for tier in self.tiers}
        told = ledger.verdicts()
        archived = self._archived(newest_first, told)
        complete: set[str] = set()
        verdicts = []
        for number, snapshot in enumerate(newest_first):
            strange = [name for name in snapshot.tiers if name not in own]
            archive, verdict = False, NOT_COMPLETE.get(snapshot.state, _IN_ARCHIVE)
            if strange or not snapshot.tiers:
                verdict = True, (f"not of this strategy: {', '.join(strange) or 'no tier'}",)
            elif snapshot.state == "completed":
                complete.update(snapshot.tiers)
                verdict = told.get(number, verdict)
                if number in archived:
                    keep, why = archived[number]
                    leaves = not in_archive(snapshot)
                    archive, verdict = keep and leaves, (keep and not leaves, (*verdict[1], *why) if leaves else why)
            elif snapshot.state == "error" and not complete.issuperset(snapshot.tiers):
                verdict = True, ("ended in error: counts as a try until a younger one is complete",)
            verdicts.append(Verdict(snapshot, *verdict, archive))
        return verdicts

    def _archived(self, newest_first: list[AnySnapshot], told: Mapping[int, Told]) -> dict[int, Told]:
        """Judge the snapshots that lie in the archive, or leave the standard tier for it, by the retentions there."""
        archiving = {tier.name for tier in self.tiers if tier.archive}
        if not archiving:
            return {}
        own = {tier.name for tier in self.tiers}
        ledger = ArchiveLedger(self)
        there = [
            number
            for number, snapshot in enumerate(newest_first)
            if archiving.intersection(snapshot.tiers)
            and snapshot.state == "completed"
            and (in_archive(snapshot) or (not told[number][0] and own.issuperset(snapshot.tiers)))
        ]
        ledger.add_all(
            (number, snapshot.taken_at.timestamp(), snapshot.tiers)
            for number, snapshot in reversed([(number, newest_first[number]) for number in there])
        )
        return ledger.verdicts()


def _settle_seconds(made: object, name: str, field: str) -> None:
    """Check a time span, and write one that is a timedelta as seconds, which a document can hold."""
    value = getattr(made, name)
    seconds = to_seconds(value, field)
    if isinstance(value, timedelta):
        object.__setattr__(made, name, seconds)


def _why_now(lane: Lane) -> str:
    slot = datetime.fromtimestamp(lane.slot, UTC)
    due = f"{lane.tier.schedule.describe()} was due at {slot:%Y-%m-%d %H:%M:%S} UTC"
    if tries := len(lane.tries()):
        after = seconds_text(lane.tier.retry_seconds)
        return f"{due} and ended in error, try {tries + 1} of {lane.tier.retries + 1} after {after}"
    return due
