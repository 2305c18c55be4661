"""AWS cron expressions: six fields, minutes first and year last, and the days that they name.

Source:
    AWS, "Schedule types on EventBridge Scheduler", cron-based schedules,
    https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
"""

import re
from calendar import monthrange
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import product
from typing import TypeAlias

from snapkit.errors import StrategyError
from snapkit.units import HOUR, MINUTE

_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_WORKDAYS = range(2, 7)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_ITEM = re.compile(r"(?:\*|([0-9]{1,4}|[A-Z]{3})(?:-([0-9]{1,4}|[A-Z]{3}))?)(?:/([0-9]{1,4}))?")
_NEAR = re.compile(r"([0-9]{1,4})W")
_ONE_WEEKDAY = re.compile(r"([0-9]{1,4}|[A-Z]{3})(?:L|#([0-9]{1,4}))")
_ALONE = re.compile(f"L|LW|{_NEAR.pattern}|{_ONE_WEEKDAY.pattern}")
_ALONE_REMEDY = "write L, LW or 15W alone in day-of-month, or L, FRIL or TUE#2 alone in day-of-week"
_UNIX_DAY = re.compile(r"(?<![/#0-9])[0-7](?![0-9])")

# All that decides which days of a month fire is its first weekday and its length: 28 shapes.
# A month is written as the weekday numbers of its days, SUN = 1; the calendar module counts from Monday = 0.
_Month: TypeAlias = Sequence[int]
_DayRule: TypeAlias = Callable[[_Month], Sequence[int]]
_SHAPES: tuple[_Month, ...] = tuple(
    [(first + day) % 7 + 1 for day in range(1, length + 1)] for length in range(28, 32) for first in range(7)
)


@dataclass(frozen=True)
class Cron:
    """A cron expression, read: when in the day, and on which days.

    Attributes:
        expression: the six fields, in upper case.
        minutes: minutes of the hour, ascending.
        hours: hours of the day, ascending.
        months: months of the year, ascending.
        years: years, ascending.
        shapes: the days that fire in each of the 28 shapes that a month can have.
    """

    expression: str
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    months: tuple[int, ...]
    years: tuple[int, ...]
    shapes: tuple[tuple[int, ...], ...]

    @classmethod
    def parse(cls, expression: str) -> "Cron":
        """Read six fields, as they stand between the brackets of ``cron(...)``.

        Raises:
            StrategyError: AWS would refuse a field, or no day from 1970 to 2199 fits all of them.
        """
        fields = expression.upper().split()
        _check_shape(expression, fields)
        minutes, hours, day_of_month, month, day_of_week, year = fields
        rule = _day_rule(day_of_month, day_of_week)
        cron = cls(
            " ".join(fields),
            _MINUTES.values(minutes),
            _HOURS.values(hours),
            _MONTH.values(month),
            _YEAR.values(year),
            tuple(tuple(rule(shape)) for shape in _SHAPES),
        )
        if not any(cron.days(*month) for month in product(cron.years, cron.months)):
            raise StrategyError(
                "schedule",
                f"cron({expression})",
                "never fires: no month that it names has such a day",
                "choose a day that the months have, such as L for the last",
            )
        return cron

    @cached_property
    def seconds(self) -> tuple[int, ...]:
        """Times of day [s after midnight], ascending."""
        return tuple(hour * HOUR + minute * MINUTE for hour in self.hours for minute in self.minutes)

    def days(self, year: int, month: int) -> tuple[int, ...]:
        """Days of a month that fire, ascending, whether or not the month and the year do."""
        first, length = monthrange(year, month)
        return self.shapes[(length - 28) * 7 + first]

    def walk(self, start: int, way: int) -> Iterator[int]:
        """Walk the days that fire, month by month so that rare ones are found quickly.

        Args:
            start: the first day that may come, as a date's ordinal.
            way: 1 for later days, -1 for earlier ones.
        """
        start_year = date.fromordinal(start).year
        for year in self.years[::way]:
            if (year - start_year) * way < 0:
                continue
            for month in self.months[::way]:
                before_first = date(year, month, 1).toordinal() - 1
                for day in self.days(year, month)[::way]:
                    if (before_first + day - start) * way >= 0:
                        yield before_first + day

    def describe(self) -> str:
        """Say it in plain words, to be read inside a sentence."""
        from cron_descriptor import Options, get_description  # has no py.typed

        # cron-descriptor 2.2 stumbles over steps in a list and over L as a weekday, and ends open years at 9999.
        *others, day_of_week, year = (
            ",".join(map(str, field.values(text))) if "," in text and "/" in text else text
            for field, text in zip(_FIELDS, self.expression.split(), strict=True)
        )
        fields = [*others, "7" if day_of_week == "L" else day_of_week, re.sub(r"^([0-9]+)/", r"\1-2199/", year)]
        options = Options(day_of_week_start_index_zero=False, use_24hour_time_format=True, locale_code="en_US")
        words = str(get_description(" ".join(fields), options))
        return words[0].lower() + words[1:]


@dataclass(frozen=True)
class _Field:
    """What one field may hold."""

    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()

    def values(self, text: str) -> tuple[int, ...]:
        """Numbers that a list of ``*``, ``a``, ``a-b``, each with or without ``/step``, stands for, ascending."""
        return tuple(sorted({value for item in text.split(",") for value in self._item(item, text)}))

    def number(self, token: str, text: str) -> int:
        if token in self.names:
            return self.first + self.names.index(token)
        if not token.isdecimal() or not self.first <= int(token) <= self.last:
            raise self._refusal(text, f"holds {token}, outside {self._range}")
        return int(token)

    def _item(self, item: str, text: str) -> range:
        match = _ITEM.fullmatch(item)
        if match is None:
            raise self._misplaced(item, text)
        low, high, step = match.groups()
        first = self.number(low, text) if low else self.first
        last = self.number(high, text) if high else first if low and not step else self.last
        if last < first:
            both = f"{self._span(first, self.last)},{self._span(self.first, last)}"
            raise self._refusal(text, f"holds {item}, a range that runs backwards", f"list its parts: {both}")
        if step and not 1 <= int(step) <= self.last - self.first:
            steps = f"1-{self.last - self.first}"
            raise self._refusal(text, f"holds the step {step}, outside {steps}", f"write a step of {steps}")
        return range(first, last + 1, int(step or 1))

    def _misplaced(self, item: str, text: str) -> StrategyError:
        if item == "?":
            return self._refusal(text, "holds ?, which only a day field may be", "write * for every value")
        if _ALONE.fullmatch(item):
            return self._refusal(text, f"holds {item}, which cannot stand here or in a list", _ALONE_REMEDY)
        return self._refusal(text, f"holds {item!r}, which is no value" if item else "holds an empty item")

    def _refusal(self, text: str, rule: str, remedy: str = "") -> StrategyError:
        remedy = remedy or f"write *, values of {self._range}, a-b, a/step, or a list of them"
        return StrategyError(self.name, text, rule, remedy)

    @property
    def _range(self) -> str:
        named = f" or {self.names[0]}-{self.names[-1]}" if self.names else ""
        return f"{self.first}-{self.last}{named}"

    def _span(self, first: int, last: int) -> str:
        low, high = (self.names[n - self.first] if self.names else str(n) for n in (first, last))
        return low if first == last else f"{low}-{high}"


_FIELDS = (
    _Field("minutes", 0, 59),
    _Field("hours", 0, 23),
    _Field("day-of-month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day-of-week", 1, 7, _WEEKDAYS),
    _Field("year", 1970, 2199),
)
_MINUTES, _HOURS, _DAY_OF_MONTH, _MONTH, _DAY_OF_WEEK, _YEAR = _FIELDS


def _day_rule(day_of_month: str, day_of_week: str) -> _DayRule:
    """Choose what picks the days of a month; one of the fields is ``?``."""
    if day_of_month == "?":
        return _by_weekday(day_of_week)
    if day_of_month == "L":
        return lambda month: [len(month)]
    if day_of_month == "LW":
        return lambda month: _falling_on(_WORKDAYS, month)[-1:]
    if near := _NEAR.fullmatch(day_of_month):
        wanted = _DAY_OF_MONTH.number(near[1], day_of_month)
        return lambda month: [_nearest_workday(wanted, month)] if wanted <= len(month) else []
    dates = _DAY_OF_MONTH.values(day_of_month)
    return lambda month: [day for day in dates if day <= len(month)]


def _by_weekday(text: str) -> _DayRule:
    if one_of_them := _ONE_WEEKDAY.fullmatch(text):
        weekday = (_DAY_OF_WEEK.number(one_of_them[1], text),)
        if one_of_them[2] is None:
            return lambda month: _falling_on(weekday, month)[-1:]
        nth = int(one_of_them[2])
        if not 1 <= nth <= 5:
            raise StrategyError(
                "day-of-week", text, f"holds #{nth}, outside #1-#5", "write #1 to #5, or L for the last"
            )
        return lambda month: _falling_on(weekday, month)[nth - 1 : nth]
    weekdays = (7,) if text == "L" else _DAY_OF_WEEK.values(text)
    return lambda month: _falling_on(weekdays, month)


def _falling_on(weekdays: Collection[int], month: _Month) -> list[int]:
    return [day for day, weekday in enumerate(month, 1) if weekday in weekdays]


def _nearest_workday(wanted: int, month: _Month) -> int:
    return min(_falling_on(_WORKDAYS, month), key=lambda day: abs(day - wanted))


def _check_shape(expression: str, fields: list[str]) -> None:
    """Refuse what has not six fields with ``?`` for exactly one of the days, and show how it should look."""
    if len(fields) == 5:
        corrected = _from_unix(fields)
        raise StrategyError(
            "schedule",
            f"cron({expression})",
            "has five fields, and AWS cron has six, minutes first and year last",
            f"{f'write cron({corrected})' if corrected else 'append * for the year and write ? for one of the days'}"
            "; unix day numbers 0-6 are SUN-SAT, or 1-7, in AWS",
        )
    if len(fields) != 6:
        raise StrategyError(
            "schedule",
            f"cron({expression})",
            f"has {len(fields)} fields, and AWS cron has six",
            "write cron(minutes hours day-of-month month day-of-week year), such as cron(0 3 * * ? *)",
        )
    if (fields[2] == "?") == (fields[4] == "?"):
        both = "?" if fields[4] == "?" else "set"
        corrected = _settle_days(fields)
        raise StrategyError(
            "day-of-week",
            fields[4],
            f"and day-of-month {fields[2]!r} are both {both}, and AWS wants ? in exactly one of them",
            f"write cron({corrected})" if corrected else "write ? in one, and a second schedule for the other's days",
        )


def _settle_days(fields: list[str]) -> str | None:
    """Write six fields with ``?`` in exactly one of the days, where only one reading makes sense."""
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if day_of_month == day_of_week == "?":
        day_of_month = "*"
    elif "?" not in (day_of_month, day_of_week):
        if day_of_week == "*":
            day_of_week = "?"
        elif day_of_month == "*":
            day_of_month = "?"
        else:
            return None
    return " ".join((minutes, hours, day_of_month, month, day_of_week, year))


def _from_unix(fields: list[str]) -> str | None:
    """Translate five unix fields, where AWS has an expression that means the same."""
    day_of_week = _UNIX_DAY.sub(lambda day: _WEEKDAYS[int(day[0]) % 7], fields[4])
    corrected = _settle_days([*fields[:4], day_of_week, "*"])
    try:
        return Cron.parse(corrected).expression if corrected else None
    except StrategyError:
        return None
