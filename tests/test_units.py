from datetime import timedelta
from typing import Any

import pytest

from snapkit.errors import InvalidRequest
from snapkit.units import bytes_text, seconds_text, to_bytes, to_seconds, to_usd, usd_text


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("6h", 21600),
        ("15 min", 900),
        ("15m", 900),
        ("1d 12h", 129600),
        ("1.5 h", 5400),
        ("2W", 1209600),
        (90, 90),
        ("7200", 7200),
        (0.5, 0.5),
        (timedelta(minutes=2), 120),
        ("3 hours", 10800),
    ],
)
def test_durations(value: Any, seconds: float) -> None:
    assert to_seconds(value) == seconds


@pytest.mark.parametrize("value", ["", "h", "-6", "6 parsecs", "-6h", "6h and", "1d,2h", None, True, "6h!", [1]])
def test_text_that_is_no_duration_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"RPO .* is not a time span; write a time such as '15min', '6h', '90d'"):
        to_seconds(value, "RPO")


@pytest.mark.parametrize(
    "value", [0, -1, float("nan"), float("inf"), "0h", "0", timedelta(0), 10**400, "9999999999999999999d"]
)
def test_durations_that_are_not_positive_are_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest, match="is not a positive, finite time span"):
        to_seconds(value)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ("100 GiB", 100 * 2**30),
        ("1TiB", 2**40),
        ("512 kib", 2**19),
        ("10 GB", 10**10),
        (4096, 4096),
        ("107374182400", 107374182400),
        ("1 GiB 1 MiB", 2**30 + 2**20),
    ],
)
def test_sizes(value: Any, size: int) -> None:
    assert to_bytes(value) == size


@pytest.mark.parametrize("value", ["", "GiB", "-1 GiB", "0 GiB", 0, -5, None, False, float("nan"), 3.5, "1.5", 10**400])
def test_sizes_that_cannot_be_are_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"size .* is not a (positive )?size.*; write a size such as '100 GiB'"):
        to_bytes(value)


@pytest.mark.parametrize(("value", "amount"), [("40", 40), ("$12.50", 12.5), ("40 USD", 40), (7, 7), (0.5, 0.5)])
def test_money(value: Any, amount: float) -> None:
    assert to_usd(value) == amount


@pytest.mark.parametrize("value", ["", "forty", "0", -1, None, True, "nan", "40 EUR"])
def test_money_that_cannot_be_is_refused(value: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"budget .* amount of money; write an amount in US dollars"):
        to_usd(value, "budget")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.25, "0.25 s"),
        (59, "59 s"),
        (60, "1 min"),
        (900, "15 min"),
        (5400, "1.5 h"),
        (86400, "24 h"),
        (2 * 86400, "2 d"),
        (310.04 * 86400, "310 d"),
        (float("inf"), "never"),
        (float("nan"), "unknown"),
        (-7200, "-2 h"),
    ],
)
def test_durations_for_people(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (512 * 1024, "512 KiB"),
        (1.5 * 2**30, "1.5 GiB"),
        (2**40, "1 TiB"),
        (2**50, "1,024 TiB"),
        (1000, "1,000 B"),
    ],
)
def test_sizes_for_people(size: float, text: str) -> None:
    assert bytes_text(size) == text


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "$0.00"), (0.0156, "$0.0156"), (0.8, "$0.80"), (26.306, "$26.31"), (1234.5, "$1,234.50")]
)
def test_money_for_people(amount: float, text: str) -> None:
    assert usd_text(amount) == text
