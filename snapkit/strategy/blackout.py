"""Blackout days, on which no snapshot is started."""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from snapkit.errors import StrategyError
from snapkit.strategy.zones import instant

_YEARS = range(1900, 2200)
_REMEDY = "write dates as in '2026-12-24', or the first and the last of several days as in '2026-12-24/2027-01-01'"


class Blackout:
    """Days of a zone on which nothing is started, each from its midnight to the next.

    Attributes:
        days: the days as text, ascending: those in a row as the first and the last of them.
    """

    def __init__(self, days: Sequence[date | str], zone: ZoneInfo) -> None:
        """Read the days.

        Args:
            days: dates, as ISO 8601 text or not, or text of two dates with a slash between them: both and all days
                between.
            zone: whose midnights count.

        Raises:
            StrategyError: one is no day, or lies outside the years 1900 to 2199.
        """
        if isinstance(days, str) or not isinstance(days, Iterable):
            raise StrategyError("blackout", days, "is no list of days", f"list them; {_REMEDY}")
        runs: list[list[int]] = []
        for first, last in sorted(map(_run, days)):
            if runs and first <= runs[-1][1] + 1:
                runs[-1][1] = max(runs[-1][1], last)
            else:
                runs.append([first, last])
        self.days = tuple("/".join(date.fromordinal(day).isoformat() for day in dict.fromkeys(run)) for run in runs)
        self._begins = [instant(first, 0, zone) for first, _ in runs]
        self._ends = [instant(last + 1, 0, zone) for _, last in runs]

    def __str__(self) -> str:
        return ", ".join(days.replace("/", " to ") for days in self.days)

    def next_opening(self, epoch: float) -> float:
        """Find the end [s since 1970] of the days in a row on which a moment lies; without any, the moment itself."""
        place = bisect_right(self._begins, epoch) - 1
        return max(epoch, self._ends[place]) if place >= 0 else epoch

    def last_open(self, epoch: int) -> int:
        """Find the last second [s since 1970] before the days in a row on which a moment lies, or the moment itself."""
        place = bisect_right(self._begins, epoch) - 1
        return self._begins[place] - 1 if place >= 0 and epoch < self._ends[place] else epoch


def _run(days: object) -> tuple[int, int]:
    """Read one day or several in a row: the first and the last, as ordinals."""
    first, slash, last = days.partition("/") if isinstance(days, str) else (days, "", "")
    begin = _ordinal(first, days)
    end = _ordinal(last, days) if slash else begin
    if end < begin:
        raise StrategyError("blackout", days, "ends before it begins", "write the first day, a slash, and the last")
    return begin, end


def _ordinal(day: object, days: object) -> int:
    try:
        read = date.fromisoformat(day) if isinstance(day, str) else day
    except ValueError:
        read = None
    if not isinstance(read, date) or isinstance(read, datetime):
        raise StrategyError("blackout", days, "is no day", _REMEDY)
    if read.year not in _YEARS:
        raise StrategyError("blackout", days, "lies outside the years 1900 to 2199 that schedules cover", _REMEDY)
    return read.toordinal()
