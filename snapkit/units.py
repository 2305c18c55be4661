"""Text to base units and back: "6h" is 21600 seconds, "100 GiB" is 107374182400 bytes.

Everywhere inside snapkit a time span is seconds, a size bytes and a price US dollars; text is for the edge.
"""

import math
import re
from datetime import timedelta
from numbers import Real
from typing import TypeAlias

from snapkit.errors import InvalidRequest

MINUTE = 60
HOUR = 3600
DAY = 86400
WEEK = 7 * DAY
KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB
TIB = 1024 * GIB

Duration: TypeAlias = str | float | timedelta
Size: TypeAlias = str | int

_SECONDS = (
    dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1)
    | dict.fromkeys(("m", "min", "mins", "minute", "minutes"), MINUTE)
    | dict.fromkeys(("h", "hr", "hour", "hours"), HOUR)
    | dict.fromkeys(("d", "day", "days"), DAY)
    | dict.fromkeys(("w", "week", "weeks"), WEEK)
)
_BYTES = {
    "b": 1, "byte": 1, "bytes": 1, "kib": KIB, "mib": MIB, "gib": GIB, "tib": TIB,
    "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
}  # fmt: skip
_PART = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([a-zA-Z]+)")
_NUMBER = re.compile(r"\s*[0-9]+(\.[0-9]+)?\s*")
_MOST = 2**62
_DURATION_REMEDY = "write a time such as '15min', '6h', '90d', or a number of seconds"
_SIZE_REMEDY = "write a size such as '100 GiB' or '1 TiB', or a whole number of bytes"


def to_seconds(value: Duration, field: str = "duration", *, zero: bool = False) -> float:
    """Read a time span.

    Args:
        value: text such as ``"15min"``, ``"6h"``, ``"1d 12h"``; a number [s], as text too; or a timedelta.
            In text ``m`` is minutes.
        field: what is being set, for the error.
        zero: whether no time at all will do.

    Returns:
        The span [s], finite and not negative.

    Raises:
        InvalidRequest: it is no time span, or not a positive one.
    """
    if isinstance(value, timedelta):
        seconds = value.total_seconds()
    else:
        seconds = _amount(value, _SECONDS, field, "is not a time span", _DURATION_REMEDY)
    if not 0 <= seconds <= _MOST or (seconds == 0 and not zero):
        rule = "is not a moment from 0 up" if zero else "is not a positive, finite time span"
        raise InvalidRequest(field, value, rule, _DURATION_REMEDY)
    return seconds


def to_bytes(value: Size, field: str = "size") -> int:
    """Read a size.

    Args:
        value: text such as ``"100 GiB"`` (binary units) or ``"100 GB"`` (decimal ones), or a whole number [bytes], as
            text too.
        field: what is being set, for the error.

    Returns:
        The size [bytes], greater than zero.

    Raises:
        InvalidRequest: it is no size, or not a positive whole number of bytes.
    """
    size = _amount(value, _BYTES, field, "is not a size", _SIZE_REMEDY)
    if not 1 <= size <= _MOST or size != int(size):
        raise InvalidRequest(field, value, "is not a positive size in whole bytes", _SIZE_REMEDY)
    return int(size)


def to_usd(value: str | float, field: str = "price") -> float:
    """Read an amount of money [USD]: ``40``, ``"40"``, ``"$40"`` or ``"40 USD"``.

    Raises:
        InvalidRequest: it is no amount, or not a positive one.
    """
    remedy = "write an amount in US dollars such as '40' or '12.50'"
    text = value.strip().removeprefix("$").removesuffix("USD").strip() if isinstance(value, str) else value
    try:
        amount = float(text)
    except (TypeError, ValueError):
        raise InvalidRequest(field, value, "is not an amount of money", remedy) from None
    if isinstance(value, bool) or not math.isfinite(amount) or amount <= 0:
        raise InvalidRequest(field, value, "is not a positive amount of money", remedy)
    return amount


def seconds_text(seconds: float) -> str:
    """Write a time span for people, in the largest unit that it fills: ``"15 min"``, ``"2.5 h"``, ``"30 d"``."""
    if not math.isfinite(seconds):
        return "never" if seconds > 0 else "unknown"
    for unit, length in (("d", DAY), ("h", HOUR), ("min", MINUTE)):
        if abs(seconds) >= (2 * length if unit == "d" else length):
            return f"{_three_digits(seconds / length)} {unit}"
    return f"{_three_digits(seconds)} s"


def bytes_text(size: float) -> str:
    """Write a size for people, in binary units: ``"512 KiB"``, ``"1.5 GiB"``."""
    for unit, length in (("TiB", TIB), ("GiB", GIB), ("MiB", MIB), ("KiB", KIB)):
        if abs(size) >= length:
            return f"{_three_digits(size / length)} {unit}"
    return f"{_three_digits(size)} B"


def usd_text(amount: float) -> str:
    """Write an amount of money for people: ``"$26.31"``; up to four decimals below one dollar."""
    return f"${amount:,.2f}" if abs(amount) >= 1 or amount == 0 else f"${amount:.4f}".removesuffix("00")


def _three_digits(number: float) -> str:
    decimals = 0 if abs(number) >= 99.95 else 1 if abs(number) >= 9.995 else 2
    text = f"{number:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _amount(value: object, units: dict[str, int], field: str, rule: str, remedy: str) -> float:
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else _sum_of_parts(value, units, field, rule, remedy)
    if isinstance(value, bool) or not isinstance(value, Real):
        raise InvalidRequest(field, value, rule, remedy)
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _sum_of_parts(text: str, units: dict[str, int], field: str, rule: str, remedy: str) -> float:
    total, position = 0.0, 0
    for part in _PART.finditer(text):
        if part.start() != position or part[2].lower() not in units:
            raise InvalidRequest(field, text, rule, remedy)
        total += float(part[1]) * units[part[2].lower()]
        position = part.end()
    if position == 0 or text[position:].strip():
        raise InvalidRequest(field, text, rule, remedy)
    return total
