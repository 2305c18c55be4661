"""The window of the week in which snapshots may be taken."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from zoneinfo import ZoneInfo

from snapkit.errors import StrategyError
from snapkit.strategy.zones import DAY_NAMES, instant, seconds_of_day, utc_day, wall_text
from snapkit.units import DAY, HOUR, MINUTE

_WEEK = tuple(name[:3].lower() for name in DAY_NAMES)


@dataclass(frozen=True, init=False, repr=False)
class Window:
    """Hours of some days, in which a schedule may fire: ``Window(["sat", "sun"], "22:00", "06:00")``.

    A window holds a schedule: an occurrence inside it stays, one outside waits for the next opening, and several
    that wait for one opening become one. Times are those of the schedule's zone, the end not included; an end that
    is not after the start lies on the next day, and the window belongs to the day on which it opens.

    A window opens and closes when the wall first shows its start and its end. Where daylight saving leaves a time
    out, it counts as that much later (02:30 as 03:30); a window that is left nothing by that stays shut for the day.

    Attributes:
        days: names out of "mon" to "sun" on which it opens, Monday first.
        start: when it opens, as HH:MM.
        end: when it closes, as HH:MM; "24:00" is midnight.

    Source:
        enStratus took its daily backups in a window that was 04:00-09:00 on every day unless changed.
    """

    days: tuple[str, ...]
    start: str
    end: str

    def __init__(self, days: Sequence[str] | None = None, start: str = "04:00", end: str = "09:00") -> None:
        """Check and settle the window.

        Args:
            days: English names of days, in full or their first three letters; None is every day.
            start: when it opens, as HH:MM.
            end: when it closes, as HH:MM; "24:00" is midnight.

        Raises:
            StrategyError: a name or a time is none, there are no days, or start and end are equal.
        """
        opens = seconds_of_day(start, "window start")
        closes = DAY if end == "24:00" else seconds_of_day(end, "window end")
        if opens == closes:
            raise StrategyError(
                "window end", end, "is also the start", "give different times; the whole day is 00:00 to 24:00"
            )
        object.__setattr__(self, "days", _WEEK if days is None else _in_week_order(days))
        object.__setattr__(self, "start", wall_text(opens))
        object.__setattr__(self, "end", wall_text(closes))

    def __repr__(self) -> str:
        days = "" if self.days == _WEEK else f"{list(self.days)}, "
        return f"Window({days}start={self.start!r}, end={self.end!r})"

    def __str__(self) -> str:
        names = ", ".join(name for name in DAY_NAMES if name[:3].lower() in self.days)
        return f"{self.start}-{self.end} {'every day' if self.days == _WEEK else f'on {names}'}"

    def contains(self, epoch: float, zone: ZoneInfo) -> bool:
        """Tell whether the window is open at a moment [s since 1970]."""
        return self.next_opening(epoch, zone) == epoch

    def next_opening(self, epoch: float, zone: ZoneInfo) -> float:
        """Find the first moment [s since 1970] at or after another at which it is open."""
        opens, _ = next(self.spells(epoch, zone))
        return max(epoch, opens)

    def last_open(self, epoch: int, zone: ZoneInfo) -> int:
        """Find the last whole second [s since 1970] at or before another at which it is open.

        The mirror of ``next_opening``: ``next_opening(a) <= b`` holds exactly when ``a <= last_open(b)``.
        """
        # Local dates are at most one off those of UTC; a clock set back over midnight makes it two.
        days = count(utc_day(epoch) + 2, -1)
        closes = next(closes for opens, closes in self._open_on(days, zone) if opens <= epoch)
        return min(epoch, closes - 1)

    def spells(self, epoch: float, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
        """Walk the spells in which it is open, (opening, closing) [s since 1970], closings later than a moment."""
        # One day for the date in UTC, one for a window past midnight, one for a zone that leaves out a whole day.
        days = count(utc_day(epoch) - 3)
        return (spell for spell in self._open_on(days, zone) if spell[1] > epoch)

    def hold(self, waiting: Iterable[int], epoch: int, zone: ZoneInfo) -> Iterator[int]:
        """Hold ascending occurrences, all later than ``last_open(epoch)``: those that then come later than epoch."""
        spells = self.spells(epoch, zone)
        opens, closes = next(spells)
        latest = epoch
        for occurrence in waiting:
            while occurrence >= closes:
                opens, closes = next(spells)
            held = max(occurrence, opens)
            if held > latest:
                yield held
                latest = held

    def _open_on(self, days: Iterable[int], zone: ZoneInfo) -> Iterator[tuple[int, int]]:
        start, end = (int(text[:2]) * HOUR + int(text[3:]) * MINUTE for text in (self.start, self.end))
        for day in days:
            if _WEEK[(day - 1) % 7] in self.days:  # the first of all dates, ordinal 1, is a Monday
                opens, closes = instant(day, start, zone), instant(day, end if end > start else end + DAY, zone)
                if opens < closes:
                    yield opens, closes


def _in_week_order(days: Sequence[str]) -> tuple[str, ...]:
    remedy = "list days such as ['sat', 'sun'], or leave days out for every day"
    if isinstance(days, str) or not isinstance(days, Iterable) or not days:
        raise StrategyError("window days", days, "is no list of days", remedy)
    known = {form: name[:3].lower() for name in DAY_NAMES for form in (name.lower(), name[:3].lower())}
    for day in days:
        if str(day).lower() not in known:
            raise StrategyError("window days", day, "is no day of the week", remedy)
    return tuple(sorted({known[day.lower()] for day in days}, key=_WEEK.index))
