"""What the text of a schedule comes down to: moments equally far apart, or times on the wall of some days."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from snapkit.strategy.zones import DAY_NAMES, comes, instant, utc_day, wall_text
from snapkit.units import DAY, HOUR, MINUTE


class Cadence(Protocol):
    """What a schedule's text comes down to; moments are whole seconds since 1970."""

    def after(self, epoch: int) -> Iterator[int]:
        """Walk the occurrences later than a moment."""

    def latest(self, epoch: int) -> int | None:
        """Find the last occurrence up to and with a moment."""

    def describe(self) -> str:
        """Say it in plain words."""


@dataclass(frozen=True)
class Elapsed:
    """Moments equally far apart."""

    moments: range

    def after(self, epoch: int) -> Iterator[int]:  # noqa: D102 - see Cadence
        return iter(self.moments[bisect_right(self.moments, epoch) :])

    def latest(self, epoch: int) -> int | None:  # noqa: D102 - see Cadence
        passed = self.moments[: bisect_right(self.moments, epoch)]
        return passed[-1] if passed else None

    def describe(self) -> str:  # noqa: D102 - see Cadence
        names = {HOUR: "hour", MINUTE: "minute", 1: "second"}
        unit = next(unit for unit in names if self.moments.step % unit == 0)
        return _every(self.moments.step // unit, names[unit])


class DayRule(Protocol):
    """Which days, and when in the day."""

    @property
    def seconds(self) -> tuple[int, ...]:
        """Times of day [s after midnight], ascending."""

    def walk(self, start: int, way: int) -> Iterable[int]:
        """Walk the days that fire, as ordinals of dates, from one on: later ones (1) or earlier ones (-1)."""

    def describe(self) -> str:
        """Say it in plain words."""


@dataclass(frozen=True)
class Calendar:
    """Times on the wall of a zone."""

    rule: DayRule
    zone: ZoneInfo
    skips_gaps: bool

    def after(self, epoch: int) -> Iterator[int]:  # noqa: D102 - see Cadence
        # Local dates are at most one off those of UTC; a clock set back over midnight, or a zone that leaves out a
        # whole day, makes it two.
        for day in self.rule.walk(utc_day(epoch) - 2, 1):
            for moment in self._on(day):
                if moment > epoch:
                    yield moment
                    epoch = moment

    def latest(self, epoch: int) -> int | None:  # noqa: D102 - see Cadence
        days = self.rule.walk(utc_day(epoch) + 2, -1)
        return next((moment for day in days for moment in reversed(self._on(day)) if moment <= epoch), None)

    def describe(self) -> str:  # noqa: D102 - see Cadence
        return self.rule.describe()

    def _on(self, day: int) -> list[int]:
        midnight = instant(day, 0, self.zone)
        if instant(day + 1, 0, self.zone) - midnight == DAY:
            return [midnight + second for second in self.rule.seconds]
        seconds = (s for s in self.rule.seconds if not self.skips_gaps or comes(day, s, self.zone))
        return [instant(day, second, self.zone) for second in seconds]


@dataclass(frozen=True)
class EveryDays:
    """Days equally far apart, once a day."""

    days: range
    seconds: tuple[int, ...]

    def walk(self, start: int, way: int) -> range:  # noqa: D102 - see DayRule
        if way > 0:
            return self.days[bisect_left(self.days, start) :]
        return self.days[: bisect_right(self.days, start)][::-1]

    def describe(self) -> str:  # noqa: D102 - see DayRule
        number, time = self.days.step, wall_text(self.seconds[0])
        if number % 7:
            return f"{_every(number, 'day')} at {time}"
        return f"{_every(number // 7, 'week')} on {DAY_NAMES[(self.days.start - 1) % 7]} at {time}"


def lattice(bounds: range, phase: int, step: int) -> range:
    """List the points of a range that lie a multiple of step away from a phase."""
    return range(bounds.start + (phase - bounds.start) % step, bounds.stop, step)


def _every(number: int, unit: str) -> str:
    return f"every {unit}" if number == 1 else f"every {number} {unit}s"
