"""What a strategy keeps, as a calendar of days or months."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import islice, takewhile
from typing import TypeAlias
from zoneinfo import ZoneInfo

from snapkit.errors import InvalidRequest
from snapkit.strategy.ledger import Lane, Ledger
from snapkit.strategy.strategy import Strategy
from snapkit.strategy.zones import epoch_of
from snapkit.units import DAY, HOUR

Place: TypeAlias = tuple[int, int]
"""Column and row of a cell, from 0."""

_YEAR = 366 * DAY
_LENGTHS = {"hourly": HOUR, "daily": DAY, "weekly": 7 * DAY, "monthly": 31 * DAY, "yearly": _YEAR}
_LONGEST = 5
"""So many years a strategy is followed at most."""
_MOST = 50_000
"""So many due times it is followed at most: five years of hours."""
_MONTHS = 24
"""So many months are shown day by day; what reaches back longer is shown month by month."""
_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Cell:
    """A day, or a month, of which there are snapshots.

    Attributes:
        by: what keeps them: of several the one that is named first.
        count: how many there are.
    """

    by: str
    count: int


@dataclass(frozen=True)
class KeptDays:
    """Of which days there are snapshots at a moment.

    A row is a month, the newest on top; beyond two years a row is a year and a column a month.

    Attributes:
        since: the day on which the strategy took over.
        today: that of the moment.
        snapshots: the day of each snapshot that is kept, and what keeps it, oldest first.
        names: what keeps any of them, in the order in which it is asked: rules of a retention, or tiers.
    """

    since: date
    today: date
    snapshots: tuple[tuple[date, str], ...]
    names: tuple[str, ...]

    @property
    def oldest(self) -> date:
        """The day of the oldest snapshot; that of the moment where there is none."""
        return self.snapshots[0][0] if self.snapshots else self.today

    @property
    def by_day(self) -> bool:
        """Whether a cell is a day, and not a month."""
        return _number(self.today) - _number(self.oldest) < _MONTHS

    @property
    def columns(self) -> tuple[str, ...]:
        """The labels of the columns: days of the month, or months."""
        return tuple(map(str, range(1, 32))) if self.by_day else _NAMES

    @property
    def rows(self) -> tuple[str, ...]:
        """The labels of the rows, from the top."""
        if not self.by_day:
            return tuple(str(year) for year in range(self.today.year, self.oldest.year - 1, -1))
        months = [_month(number) for number in range(_number(self.today), _number(self.oldest) - 1, -1)]
        return tuple(
            f"{_NAMES[each.month - 1]} {each.year}" if each.month in (1, 12) or not row else _NAMES[each.month - 1]
            for row, each in enumerate(months)
        )

    def place(self, day: date) -> Place:
        """Find the cell of a day."""
        if self.by_day:
            return day.day - 1, _number(self.today) - _number(day)
        return day.month - 1, self.today.year - day.year

    @cached_property
    def cells(self) -> Mapping[Place, Cell]:
        """The cells of which there are snapshots."""
        by: dict[Place, list[str]] = {}
        for day, name in self.snapshots:
            by.setdefault(self.place(day), []).append(name)
        return {place: Cell(min(names, key=self.names.index), len(names)) for place, names in by.items()}

    @property
    def empty(self) -> list[Place]:
        """The cells since the strategy took over of which there are none."""
        first = date(self.oldest.year, self.oldest.month if self.by_day else 1, 1)
        begin = max(self.since, first)
        days = (begin + timedelta(each) for each in range((self.today - begin).days + 1))
        return sorted({self.place(day) for day in days} - self.cells.keys())

    def __str__(self) -> str:
        words = f"{len(self.snapshots):,} snapshots on {self.today:%d %B %Y}, had it been run since {self.since}"
        return f"{words}; the oldest of {self.oldest}" if self.snapshots else words


def kept_days(strategy: Strategy, at: datetime, since: datetime | None = None) -> KeptDays:
    """Tell of which days a strategy has snapshots at a moment.

    Every due time since it took over is taken to have its snapshot, started and completed at once. Days are those of
    the first tier's retention. Archived snapshots and copies are left out.

    Args:
        strategy: when to snapshot, what to keep.
        at: the moment, with a time zone.
        since: when the strategy took over; by default long enough ago that all that it keeps is there, a year at
            least, but five years and 50,000 due times at most.

    Raises:
        InvalidRequest: a moment has no time zone, or the strategy took over after it.
    """
    now = epoch_of(at, "at")
    begin = now - _reach(strategy, now) if since is None else epoch_of(since, "since")
    if begin > now:
        raise InvalidRequest("since", since, f"is after {at}", "give an earlier moment, or leave it out")
    zone = ZoneInfo(strategy.tiers[0].retention.timezone)

    def day(epoch: float) -> date:
        return datetime.fromtimestamp(epoch, zone).date()

    held = tuple((day(moment), by) for moment, by in _held(strategy, begin, now))
    names = tuple(name for name in _names(strategy) if any(by == name for _, by in held))
    return KeptDays(day(begin), day(now), held, names)


def _reach(strategy: Strategy, now: float) -> float:
    """Tell how far back it may keep snapshots [s]: a year at least, but no more than anybody would wait for."""
    longest, often = float(_YEAR), 0.0
    for tier in strategy.tiers:
        upcoming = [*islice(tier.schedule.epochs(now), 2)]
        apart = upcoming[-1] - upcoming[0] if upcoming else 0
        often += 1 / (apart or _YEAR)
        for rule in tier.retention.rules():
            if rule.span is not None:
                longest = max(longest, rule.span.about)
            elif not math.isinf(rule.limit):
                longest = max(longest, rule.limit * max(apart, _LENGTHS.get(rule.bucket, 0)))
    return min(longest, _LONGEST * _YEAR, _MOST / often)


def _held(strategy: Strategy, begin: float, now: float) -> Iterable[tuple[float, str]]:
    """Take a snapshot whenever one is due, and list those that are kept at the end, and by what, oldest first."""
    lanes = Ledger(strategy, begin).lanes.values()
    taken = [_starts(lane, begin, now) for lane in lanes]
    numbers = {moment: number for number, moment in enumerate(sorted({each for starts in taken for each in starts}))}
    by: dict[float, str] = {}
    for lane, starts in zip(lanes, taken, strict=True):
        lane.keeper.extend((numbers[moment], moment) for moment in starts)
        kept = [moment for moment in starts if lane.keeper.keeps(numbers[moment])]
        reasons = [lane.tier.name] * len(kept) if len(lanes) > 1 else _reasons(lane, [numbers[each] for each in kept])
        by = dict(zip(kept, reasons, strict=True)) | by
    return sorted(by.items())


def _starts(lane: Lane, begin: float, now: float) -> list[float]:
    """List when its snapshots are started: once for two due times between which no window opens."""
    schedule = lane.tier.schedule
    slots = takewhile(lambda slot: slot <= now, schedule.epochs(begin - 1))
    if lane.unhindered:
        return list(slots)
    return [moment for moment in dict.fromkeys(map(schedule.next_opening, slots)) if moment <= now]


def _reasons(lane: Lane, kept: list[int]) -> list[str]:
    """Tell which rule of the retention, the first of several, keeps each."""
    # Of few it is told sooner one by one.
    verdict = lane.keeper.verdicts().__getitem__ if len(kept) > 500 else lane.keeper.verdict
    return [verdict(number)[1][0].removeprefix("oldest ") for number in kept]


def _names(strategy: Strategy) -> list[str]:
    """List what may keep a snapshot, in the order in which it is asked."""
    if len(strategy.tiers) > 1:
        return [tier.name for tier in strategy.tiers]
    return [rule.reason() for rule in strategy.tiers[0].retention.rules()]


def _number(day: date) -> int:
    """Count the months from the year 0 to that of a day."""
    return 12 * day.year + day.month - 1


def _month(number: int) -> date:
    return date(number // 12, number % 12 + 1, 1)
