"""Time zones, instants, and what the clock on the wall shows."""

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from snapkit.errors import InvalidRequest, StrategyError
from snapkit.units import DAY, HOUR, MINUTE

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")
_EPOCH_DAY = date(1970, 1, 1).toordinal()


def zone_named(name: str) -> ZoneInfo:
    """Look up a time zone by its IANA name.

    Raises:
        StrategyError: there is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise StrategyError(
            "timezone", name, "is no time zone", "use an IANA name such as 'UTC' or 'Europe/Berlin'"
        ) from None


def epoch_of(moment: datetime, field: str) -> float:
    """Count the seconds [s] from 1970-01-01 UTC to a moment.

    Raises:
        InvalidRequest: it is no datetime, or has no time zone.
    """
    if isinstance(moment, datetime):
        try:
            if moment.utcoffset() is not None:
                return moment.timestamp()
        except ValueError:  # pandas' NaT is a datetime, but no moment
            pass
    raise InvalidRequest(
        field, moment, "is not a moment with a time zone", "give a datetime such as datetime(2026, 1, 5, tzinfo=UTC)"
    )


def seconds_of_day(text: str, field: str) -> int:
    """Read a time of day such as ``"03:00"`` [s after midnight].

    Raises:
        StrategyError: it is none, from 00:00 to 23:59.
    """
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    if match is None or int(match[1]) > 23 or int(match[2]) > 59:
        raise StrategyError(field, text, "is no time of day", "write HH:MM from 00:00 to 23:59")
    return int(match[1]) * HOUR + int(match[2]) * MINUTE


def wall_text(second: int) -> str:
    """Write a time of day [s after midnight] as a clock shows it, with seconds only where there are some."""
    text = f"{second // HOUR:02}:{second % HOUR // MINUTE:02}"
    return f"{text}:{second % MINUTE:02}" if second % MINUTE else text


# A simulation asks for the same few hundred days over and over.
@lru_cache(maxsize=4096)
def instant(day: int, second: int, zone: ZoneInfo) -> int:
    """Find when [s since 1970] the wall shows a time [s after midnight] of a day, a date's ordinal.

    A time that comes twice is the first one; a time left out counts as later by the gap.

    Source:
        PEP 495, on fold=0, https://peps.python.org/pep-0495/
    """
    wall = datetime.fromordinal(day) + timedelta(seconds=second)
    ahead = zone.utcoffset(wall) or timedelta()
    return (day - _EPOCH_DAY) * DAY + second - int(ahead.total_seconds())


def comes(day: int, second: int, zone: ZoneInfo) -> bool:
    """Tell whether the wall ever shows a time [s after midnight] of a day, a date's ordinal."""
    wall = datetime.fromordinal(day).replace(tzinfo=zone) + timedelta(seconds=second)
    return wall.astimezone(UTC).astimezone(zone) == wall


def utc_day(epoch: float) -> int:
    """Find the date in UTC, as its ordinal, of a moment [s since 1970]."""
    return int(epoch // DAY) + _EPOCH_DAY
