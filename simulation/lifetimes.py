"""When a strategy takes and deletes its snapshots where nothing gets in its way: a year of them at once.

What the model does event by event, `Ledger` and `Keeper` one snapshot at a time, is done here for whole columns: every
snapshot starts when it is due, and completes before the next one does. What columns cannot tell (spans of months that
step back, tiers that are due within seconds of each other) is gone through by the ledger itself.
"""

from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from math import ceil, floor
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from snapkit import rules
from snapkit.strategy import Ledger, Retention, Schedule, Strategy
from snapkit.strategy.keeper import Rule
from snapkit.strategy.zones import zone_named
from snapkit.units import DAY, HOUR

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]


@dataclass(frozen=True)
class Lifetimes:
    """The snapshots of one strategy from its start on.

    Attributes:
        times: when each is started [s since the start], ascending.
        ends: the number of the snapshot whose completion deletes it; as many as there are snapshots for none.
    """

    times: Floats
    ends: Numbers


class Calendar:
    """What the strategies of one screening have in common, looked up once: due times, buckets and spans."""

    def __init__(self, start: float, horizon: float) -> None:
        """Cover a stretch of time.

        Args:
            start: when the strategies begin [s since 1970].
            horizon: how long they last [s].
        """
        self.start = start
        self.horizon = horizon
        self._due: dict[Schedule, Floats] = {}
        self._ends: dict[tuple[Schedule, Retention], tuple[Numbers, Numbers] | None] = {}
        self._buckets: dict[tuple[Schedule, str, str], tuple[Numbers, Numbers]] = {}
        self._offsets: dict[str, tuple[Floats, Floats]] = {}

    def lifetimes(self, strategy: Strategy) -> Lifetimes:
        """Tell when a strategy takes and deletes its snapshots; all of its tiers come due before the horizon."""
        lanes = [(self.due(tier.schedule), tier.schedule, tier.retention) for tier in strategy.tiers]
        alone = len(lanes) == 1
        times = lanes[0][0] if alone else np.unique(np.concatenate([lane[0] for lane in lanes]))
        apart = len(times) < 2 or float(np.diff(times).min()) >= rules.CREATE_GAP
        ends, spans = np.zeros(len(times), np.int64), list[tuple[Numbers, Numbers]]()
        for due, schedule, retention in lanes:
            own = self._ended(schedule, retention) if apart else None
            if own is None:
                return walked(strategy, self.start, self.horizon)
            if alone:
                return Lifetimes(times, own[0])
            places = np.searchsorted(times, due)
            lasting, within = (np.append(places, len(times))[each] for each in own)
            ends[places] = np.maximum(ends[places], lasting)
            spans.append((places, within))
        # What another tier keeps may outlive all those before it.
        if any(_is_renewed(ends[places], within) for places, within in spans):
            return walked(strategy, self.start, self.horizon)
        return Lifetimes(times, ends)

    def due(self, schedule: Schedule) -> Floats:
        """List when a tier's snapshots start [s since the start]: the overdue one at once, the others when due."""
        due = self._due.get(schedule)
        if due is None:
            end = self.start + self.horizon
            slots = list(takewhile(lambda slot: slot <= end, schedule.epochs(self.start)))
            times = np.asarray(slots, np.float64)
            if schedule.latest_epoch(self.start) is not None:
                first = schedule.next_opening(self.start)
                times = np.append(first, times[times > first])
            due = self._due[schedule] = times - self.start
        return due

    def _ended(self, schedule: Schedule, retention: Retention) -> tuple[Numbers, Numbers] | None:
        """Number, for each snapshot of a tier, the later one that makes the tier let go; None if columns cannot.

        The second numbers are those of the ones from which on no span of its retention reaches it.
        """
        key = schedule, retention
        if key not in self._ends:
            self._ends[key] = self._let_go(schedule, retention)
        return self._ends[key]

    def _let_go(self, schedule: Schedule, retention: Retention) -> tuple[Numbers, Numbers] | None:
        count = len(self.due(schedule))
        ends = np.arange(1, count + 1)
        # How long a tier that is not filled, or whose span reaches there, spares its oldest snapshot.
        spared, within = 0, np.zeros(count, np.int64)
        for rule in retention.rules():
            # What it holds: the newest of each bucket. All others make way for the next one.
            opening, newest = self._buckets_of(schedule, rule, retention.timezone)
            if rule.span is None:
                limit = int(min(rule.limit, len(newest)))
                held = np.full(len(newest), count)
                held[: len(newest) - limit] = opening[limit:]
                spared = max(spared, int(opening[limit - 1]) if limit == rule.limit else count)
            else:
                reach = self._reach(schedule, rule, retention.timezone)
                if reach is None:
                    return None
                covered = np.maximum(np.searchsorted(reach, self.due(schedule)), np.arange(1, count + 1))
                held = covered[newest]
                within = np.maximum(within, covered)
            ends[newest] = np.maximum(ends[newest], held)
        ends[0] = max(ends[0], spared, within[0])
        return None if _is_renewed(ends, within) else (ends, within)

    def _buckets_of(self, schedule: Schedule, rule: Rule, zone: str) -> tuple[Numbers, Numbers]:
        """Tell which snapshots open the buckets of a rule, and which are the newest of them."""
        times = self.due(schedule)
        if rule.bucket == "last":
            everyone = np.arange(len(times))
            return everyone, everyone
        key = schedule, rule.bucket, zone
        if key not in self._buckets:
            numbers = self._numbered(self.start + times, rule.bucket, zone)
            opening = np.append(0, np.flatnonzero(numbers[1:] != numbers[:-1]) + 1)
            self._buckets[key] = opening, np.append(opening[1:] - 1, len(times) - 1)
        return self._buckets[key]

    def _numbered(self, epochs: Floats, bucket: str, zone: str) -> Numbers:
        """Number the hour, day, ISO week, month or year of each moment, as `Keeper` does."""
        offsets = self._offset(epochs, zone)
        if bucket == "hourly":
            return np.asarray((epochs + offsets % HOUR) // HOUR, np.int64)
        days = np.asarray((epochs + offsets) // DAY, np.int64)
        if bucket == "daily":
            return days
        if bucket == "weekly":
            return (days + 3) // 7
        unit = "datetime64[M]" if bucket == "monthly" else "datetime64[Y]"
        return days.astype("datetime64[D]").astype(unit).astype(np.int64)

    def _offset(self, epochs: Floats, zone: str) -> Floats:
        """Look up by how much a zone is ahead of UTC at each moment [s]."""
        if zone == "UTC":
            return np.zeros_like(epochs)
        if zone not in self._offsets:
            self._offsets[zone] = _offsets(zone_named(zone), self.start, self.start + self.horizon)
        changes, offsets = self._offsets[zone]
        return offsets[np.searchsorted(changes, epochs, side="right") - 1]

    def _reach(self, schedule: Schedule, rule: Rule, zone: str) -> Floats | None:
        """List how far back a rule's span reaches from each snapshot [s since the start]; None if it steps back."""
        span = rule.span
        assert span is not None  # noqa: S101 - for the type checker: only rules with a span are asked
        times = self.due(schedule)
        known = None if zone == "UTC" else zone_named(zone)
        if not (span.years or span.months) and (known is None or not span.days):
            return times - span.hours * HOUR - span.days * DAY
        reach = np.array([span.back_from(at, known) for at in (self.start + times).tolist()]) - self.start
        return None if np.any(reach[1:] < reach[:-1]) else reach


def _is_renewed(ends: Numbers, within: Numbers) -> bool:
    """Tell whether one may be the oldest once those before it are gone, and stay for that.

    It is in a bucket that another stands for then, but within a span.
    """
    gone = np.maximum.accumulate(ends)[:-1] <= ends[1:]
    return bool(np.any(gone & (within[1:] > ends[1:])))


def walked(strategy: Strategy, start: float, horizon: float) -> Lifetimes:
    """Go through a strategy's snapshots one by one: slower, and the measure of what is done by columns.

    Args:
        strategy: whose snapshots.
        start: when it begins [s since 1970].
        horizon: how long it lasts [s].
    """
    ledger = Ledger(strategy, start)
    times: list[float] = []
    ends: list[int] = []
    now, last = start, -rules.CREATE_GAP
    while now <= start + horizon:
        if lanes := ledger.due(now):
            if now - last < rules.CREATE_GAP:
                now = last + rules.CREATE_GAP
                continue
            last = now
            number = len(times)
            times.append(now - start)
            ends.append(-1)
            ledger.start(number, now, lanes)
            for other in ledger.complete(number):
                ends[other] = number
                ledger.delete(other)
        now = ledger.next_due(now)
    numbers = np.asarray(ends, np.int64)
    return Lifetimes(np.asarray(times), np.where(numbers < 0, len(times), numbers))


def _offsets(zone: ZoneInfo, start: float, end: float) -> tuple[Floats, Floats]:
    """List when a zone's distance from UTC changes, to the second, and what it is from then on [s]."""
    days = [*range(floor(start / DAY) * DAY, ceil(end) + 2 * DAY, DAY)]
    known = [_ahead(zone, day) for day in days]
    changes, offsets = [float("-inf")], [known[0]]
    for number in range(1, len(days)):
        if known[number] != known[number - 1]:
            low, high = days[number - 1], days[number]
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _ahead(zone, middle) == known[number - 1] else (low, middle)
            changes.append(high)
            offsets.append(known[number])
    return np.array(changes), np.array(offsets)


def _ahead(zone: ZoneInfo, epoch: float) -> float:
    ahead = datetime.fromtimestamp(epoch, zone).utcoffset()
    return ahead.total_seconds() if ahead else 0.0
