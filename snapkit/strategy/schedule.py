"""When to take snapshots: ``every ...``, and ``rate(...)`` and ``cron(...)`` as AWS reads them."""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from snapkit.errors import InvalidRequest, StrategyError
from snapkit.strategy.blackout import Blackout
from snapkit.strategy.cadence import Cadence, Calendar, Elapsed, EveryDays, lattice
from snapkit.strategy.cron import Cron
from snapkit.strategy.window import Window
from snapkit.strategy.zones import epoch_of, instant, seconds_of_day, utc_day, zone_named
from snapkit.units import DAY, HOUR, MINUTE, to_seconds

# Occurrences end where the years of AWS cron do, so that every search ends; dates are ordinals.
_DATES = range(date(1900, 1, 1).toordinal(), date(2200, 1, 1).toordinal())
_MOMENTS = range(*((day - utc_day(0)) * DAY for day in (_DATES.start, _DATES.stop)))
# A zone, or a window that opens once a week, may move an occurrence out of those years by this much [s]; blackout days
# end with them.
_MARGIN = 10 * DAY

_RATE = re.compile(r"rate\(([0-9]{1,9}) (minute|hour|day)(s?)\)")
_EVERY = re.compile(r"every (?:([0-9]{1,9}) ?)?([a-z]+)(?: at (.+))?", re.IGNORECASE)
_UNEVEN = re.compile(r"mo|months?|y|yrs?|years?", re.IGNORECASE)
_FORMS = "write 'every 6h', 'rate(6 hours)' or 'cron(0 3 * * ? *)'"


@dataclass(frozen=True, init=False, repr=False)
class Schedule:
    """When snapshots are due, in the words of people or of AWS.

    | text | meaning |
    | --- | --- |
    | ``every 6h``, ``every 15 min``, ``every hour`` | elapsed time |
    | ``every 1d at 03:00``, ``every 2 weeks``, ``every day`` | calendar days at a time on the wall |
    | ``rate(6 hours)``, ``rate(1 day)`` | elapsed time, as AWS writes it; its day is always 24 hours |
    | ``cron(0 3 ? * SUN *)`` | minutes, hours, day-of-month, month, day-of-week, year, as AWS reads them |

    ``every`` and ``rate`` count from an anchor, midnight of 1970-01-01 (a Thursday) in the zone unless given. It is
    a phase and no start: occurrences lie on both sides of it, in the years 1900 to 2199. ``every`` wants at least
    one minute, a rule of snapkit: EBS refuses snapshots of one volume within 15 seconds of each other.

    Where daylight saving moves the clock,

    - elapsed time takes no notice, so its time on the wall moves;
    - ``every 1d at 02:30`` keeps every day: a time left out counts as later by the gap (03:30), one that comes
      twice fires the first time;
    - ``cron`` skips a time left out, and fires once, the first time, for one that comes twice. An hourly cron
      therefore pauses for two hours on the night when clocks go back: use ``every 1h`` instead.

    Attributes:
        text: the schedule as written, spaces settled.
        timezone: IANA name of the zone of its times on the wall.
        anchor: from where ``every`` and ``rate`` count, in UTC; None is the default above.
        window: the window that holds it, if any.
        blackout: days of its zone on which none fires, as ISO 8601 text: an occurrence waits until they are over, and
            until the window is open.

    Source:
        AWS, "Schedule types on EventBridge Scheduler", rate-based schedules and daylight savings time,
        https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html; for the 15 seconds, "Error codes
        for the Amazon EC2 API", SnapshotCreationPerVolumeRateExceeded.
    """

    text: str
    timezone: str
    anchor: datetime | None
    window: Window | None
    blackout: tuple[str, ...]
    _zone: ZoneInfo = field(compare=False)
    _cadence: "Cadence" = field(compare=False)
    _blackout: Blackout = field(compare=False)

    def __init__(
        self,
        text: str,
        timezone: str = "UTC",
        anchor: datetime | str | None = None,
        window: Window | None = None,
        blackout: Sequence[date | str] = (),
    ) -> None:
        """Read the schedule.

        Args:
            text: ``every ...``, ``rate(...)`` or ``cron(...)``.
            timezone: IANA name such as ``"Europe/Berlin"``.
            anchor: an aware datetime or ISO 8601 text with its offset, in whole seconds.
            window: hours to which occurrences are held.
            blackout: days over which they are held: dates or text such as ``"2026-12-24"``, or the first and the last
                of several days as in ``"2026-12-24/2027-01-01"``.

        Raises:
            StrategyError: one of them cannot be.
        """
        zone = zone_named(timezone)
        settled = " ".join(text.split()) if isinstance(text, str) else ""
        origin = None if anchor is None else _read_anchor(anchor)
        if not settled:
            raise StrategyError("schedule", text, "is no schedule", _FORMS)
        if window is not None and not isinstance(window, Window):
            raise StrategyError("window", window, "is no window", "give Window(start='04:00', end='09:00')")
        cadence, closed = _read(settled, zone, origin), Blackout(blackout, zone)
        parts = (settled, timezone, origin, window, closed.days, zone, cadence, closed)
        for name, part in zip(self.__dataclass_fields__, parts, strict=True):
            object.__setattr__(self, name, part)

    def __repr__(self) -> str:
        given = [repr(self.text)]
        if self.timezone != "UTC":
            given.append(f"timezone={self.timezone!r}")
        if self.anchor is not None:
            given.append(f"anchor={self.anchor.isoformat()!r}")
        if self.window is not None:
            given.append(f"window={self.window!r}")
        if self.blackout:
            given.append(f"blackout={list(self.blackout)}")
        return f"Schedule({', '.join(given)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return Schedule, (self.text, self.timezone, self.anchor, self.window, self.blackout)

    def next_after(self, t: datetime) -> datetime | None:
        """Find the first occurrence later than a moment; None where there is no more.

        Raises:
            InvalidRequest: the moment has no time zone.
        """
        return next(map(_moment, self.epochs(epoch_of(t, "t"))), None)

    def between(self, a: datetime, b: datetime) -> list[datetime]:
        """List the occurrences later than a, up to and with b.

        Raises:
            InvalidRequest: a or b has no time zone.
        """
        end = epoch_of(b, "b")
        return [_moment(epoch) for epoch in takewhile(lambda epoch: epoch <= end, self.epochs(epoch_of(a, "a")))]

    def latest(self, t: datetime) -> datetime | None:
        """Find the last occurrence up to and with a moment; None where there was none.

        Raises:
            InvalidRequest: the moment has no time zone.
        """
        epoch = self.latest_epoch(epoch_of(t, "t"))
        return None if epoch is None else _moment(epoch)

    def epochs(self, after: float) -> Iterator[int]:
        """Walk the occurrences [s since 1970] later than a moment, without end until the years end."""
        second = _whole(after)
        since = self._last_open(second)
        waiting = self._cadence.after(since)
        if self.window is not None:
            waiting = self.window.hold(waiting, since, self._zone)
        return self._sit_out(waiting, second) if self.blackout else waiting

    def latest_epoch(self, t: float) -> int | None:
        """Find the last occurrence [s since 1970] up to and with a moment; None where there was none."""
        waiting = self._cadence.latest(self._last_open(_whole(t)))
        return None if waiting is None else int(self.next_opening(waiting))

    @property
    def held(self) -> bool:
        """Whether a window or blackout days may hold an occurrence back."""
        return self.window is not None or bool(self.blackout)

    def next_opening(self, t: float) -> float:
        """Find the first moment [s since 1970] at or after another at which nothing holds it back."""
        while (at := self._blackout.next_opening(self._in_window(t))) > t:
            t = at
        return t

    def _in_window(self, t: float) -> float:
        return t if self.window is None else self.window.next_opening(t, self._zone)

    def _last_open(self, second: int) -> int:
        """Find the last whole second at or before another at which nothing holds it back.

        The mirror of ``next_opening``: ``next_opening(a) <= b`` holds exactly when ``a <= _last_open(b)``.
        """
        while True:
            at = second if self.window is None else self.window.last_open(second, self._zone)
            at = self._blackout.last_open(at)
            if at == second:
                return second
            second = at

    def _sit_out(self, waiting: Iterable[int], latest: int) -> Iterator[int]:
        """Hold ascending occurrences, each in the window, over the blackout days: those that then come later."""
        for occurrence in waiting:
            held = occurrence
            if self._blackout.next_opening(occurrence) > occurrence:
                held = int(self.next_opening(occurrence))
            if held > latest:
                yield held
                latest = held

    def describe(self) -> str:
        """Say it in plain words, to be read inside a sentence."""
        words = self._cadence.describe()
        if self.anchor is not None:
            words += f", counted from {self.anchor:%Y-%m-%d %H:%M:%S} UTC"
        if self.window is not None:
            words += f", held to {self.window}"
        if self.blackout:
            words += f", held over {self._blackout}"
        on_the_wall = self.held or isinstance(self._cadence, Calendar)
        said = self.anchor is not None and self.timezone == "UTC"
        return f"{words} ({self.timezone})" if on_the_wall and not said else words


def _read(text: str, zone: ZoneInfo, anchor: datetime | None) -> Cadence:
    if text.startswith("cron(") and text.endswith(")"):
        if anchor is not None:
            raise StrategyError(
                "anchor", anchor.isoformat(), "moves no cron, which counts from nothing", "leave it out, or use 'every'"
            )
        return Calendar(Cron.parse(text[5:-1]), zone, skips_gaps=True)
    phase = instant(utc_day(0), 0, zone) if anchor is None else int(anchor.timestamp())
    if text.startswith("rate"):
        return _read_rate(text, phase)
    if text.lower().startswith("every"):
        return _read_every(text, zone, phase)
    raise StrategyError("schedule", text, "is no schedule", _FORMS)


def _read_rate(text: str, phase: int) -> Cadence:
    match = _RATE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        remedy = "write a whole number of at least 1 and minutes, hours or days, such as rate(6 hours)"
        raise StrategyError("schedule", text, "is no rate that AWS takes", remedy)
    number, unit = int(match[1]), match[2]
    plural = "" if number == 1 else "s"
    if match[3] != plural:
        rule = "breaks the grammar of AWS, whose unit is singular for 1 and plural for all else"
        raise StrategyError("schedule", text, rule, f"write rate({number} {unit}{plural})")
    return Elapsed(lattice(_MOMENTS, phase, number * {"minute": MINUTE, "hour": HOUR, "day": DAY}[unit]))


def _read_every(text: str, zone: ZoneInfo, phase: int) -> Cadence:
    match = _EVERY.fullmatch(text)
    if match is None:
        remedy = "write 'every 6h', 'every 15 min' or 'every 1d at 03:00'"
        raise StrategyError("schedule", text, "is not 'every', one whole number and one unit", remedy)
    number, unit, time = match.groups()
    step = int(number or 1) * _unit_seconds(unit, text)
    if step < MINUTE:
        raise StrategyError("schedule", text, "is shorter than 1 minute", "write 'every 1min' or more")
    if _unit_seconds(unit, text) < DAY:
        if time is not None:
            remedy = "leave 'at' out and give an anchor, or write 'every 1d at 03:00'"
            raise StrategyError("schedule", text, "has 'at' with elapsed time, which knows no time of day", remedy)
        return Elapsed(lattice(_MOMENTS, phase, step))
    origin = datetime.fromtimestamp(phase, zone)
    at = origin.hour * HOUR + origin.minute * MINUTE + origin.second
    if time is not None:
        at = seconds_of_day(time, "time of day in the schedule")
    return Calendar(EveryDays(lattice(_DATES, origin.toordinal(), step // DAY), (at,)), zone, skips_gaps=False)


def _unit_seconds(unit: str, text: str) -> int:
    if _UNEVEN.fullmatch(unit):
        remedy = "use cron(...), such as 'cron(0 3 1 * ? *)' for the first of every month"
        raise StrategyError("schedule", text, "counts months or years, which differ in length", remedy)
    try:
        return int(to_seconds(f"1{unit}"))
    except InvalidRequest:
        remedy = "write minutes, hours, days or weeks, such as 'every 6h'"
        raise StrategyError("schedule", text, f"has the unit {unit!r}, which is none", remedy) from None


def _read_anchor(anchor: object) -> datetime:
    moment = anchor
    if isinstance(anchor, str):
        try:
            moment = datetime.fromisoformat(anchor)
        except ValueError:
            moment = None
    if not isinstance(moment, datetime) or moment.utcoffset() is None or moment.microsecond:
        remedy = "write it as in '2026-01-05T03:00:00+00:00'"
        raise StrategyError("anchor", anchor, "is no moment with a time zone, in whole seconds", remedy)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise StrategyError("anchor", anchor, "lies outside the calendar", "give a moment of this century") from None


def _whole(t: float) -> int:
    return math.floor(min(max(t, _MOMENTS.start - _MARGIN), _MOMENTS.stop + _MARGIN))


def _moment(epoch: int) -> datetime:
    return datetime.fromtimestamp(epoch, UTC)
