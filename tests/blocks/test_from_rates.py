"""Workloads from series of written bytes: real CloudWatch and VM series, known sums, and what is refused."""

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from snapkit.blocks import Workload
from snapkit.blocks.fitted import FittedWorkload
from snapkit.errors import InvalidRequest
from snapkit.units import DAY, GIB, HOUR
from tests.data import data_path

FIVE = 300.0


def series(values: list[float], start: str = "2026-03-02 00:00", every: str = "5min") -> pd.DataFrame:
    return pd.DataFrame({"timestamp": pd.date_range(start, periods=len(values), freq=every), "value": values})


def office(days: int) -> list[float]:
    """From 9 to 17 o'clock on weekdays 100 MB every five minutes, from a Monday on."""
    hours = np.arange(days * 288) / 12
    busy = (hours % 24 >= 9) & (hours % 24 < 17) & (hours // 24 % 7 < 5)
    return [1e8 if each else 0.0 for each in busy.tolist()]


def writes(workload: FittedWorkload, a: float, b: float) -> float:
    """Return the bytes that the clock of a workload says were written."""
    return workload._path.between(a, b) * workload.write_size


def test_a_cloudwatch_file_keeps_its_bytes_and_its_moments() -> None:
    frame = pd.read_csv(data_path("ec2-disk-write-bytes-16d.csv.gz"))
    workload = Workload.from_rates(frame, "100 GiB")
    assert workload.source == "4,730 values of written bytes every 5 min over 16.4 d"
    assert writes(workload, 0.0, workload.span) == pytest.approx(frame["value"].sum(), rel=1e-6)
    # Row 4000 lies 4000 periods after the first one, although a clock was put forward in between.
    for row in (100, 4000):
        begin = row * FIVE
        expected = frame["value"].iloc[row : row + 12].sum()
        assert writes(workload, begin, begin + 12 * FIVE) == pytest.approx(expected, rel=0.2, abs=1e5)


def test_a_file_of_rates_keeps_its_bytes() -> None:
    frame = pd.read_csv(data_path("vm-write-rate-30d.csv.gz"))
    workload = Workload.from_rates(frame, "100 GiB", unit="KB/s")
    expected = frame["write_KBps"].sum() * 1000 * FIVE
    assert writes(workload, 0.0, workload.span) == pytest.approx(expected, rel=0.01)
    assert "13 gaps in the series" in workload.assumptions[-1]


def test_days_after_the_series_are_like_the_measured_ones() -> None:
    workload = Workload.from_rates(series(office(14)), "100 GiB")
    for day in range(14, 42):
        total = writes(workload, day * float(DAY), (day + 1) * float(DAY))
        assert total == pytest.approx(96 * 1e8 if day % 7 < 5 else 0, rel=1e-6)
        assert workload.changed_between(day * float(DAY), day * DAY + 8.0 * HOUR) == 0
    assert workload.changed_between(0.0, 9.0 * HOUR) == 0
    assert workload.changed_between(9.0 * HOUR, 10.0 * HOUR) > 0


def test_a_series_that_begins_in_the_middle_of_a_day_keeps_its_hours() -> None:
    values = office(14)[12 * 12 :]
    workload = Workload.from_rates(series(values, "2026-03-02 12:00"), "100 GiB")
    assert writes(workload, 0.0, 5.0 * HOUR) == pytest.approx(60 * 1e8, rel=1e-6)
    assert writes(workload, 5.0 * HOUR, 21.0 * HOUR) == 0
    later = 20 * DAY - 12.0 * HOUR
    assert writes(workload, later, later + 9 * HOUR) == 0


def test_paths_differ_after_the_series_only() -> None:
    values = (np.random.default_rng(1).lognormal(15, 2, 10 * 288)).tolist()
    one = Workload.from_rates(series(values), "1 TiB")
    other = one.sampled(7, 3)
    assert one.changed_between(0.0, 10.0 * DAY) == other.changed_between(0.0, 10.0 * DAY)
    assert one.changed_between(10.0 * DAY, 20.0 * DAY) != other.changed_between(10.0 * DAY, 20.0 * DAY)


def test_the_shape_is_assumed_and_says_so() -> None:
    workload = Workload.from_rates(series(office(2)), "100 GiB")
    assert "Which blocks are hit is assumed to be as on workstation" in workload.assumptions[0]
    assert workload.provenance(0, "1h") == "assumed"
    assert set(workload.curve()["source"]) == {"assumed"}
    assert not workload.stationary
    assert workload.size == 100 * GIB


def test_another_disk_lends_its_shape() -> None:
    random = np.random.default_rng(4)
    frame = pd.DataFrame({"t_us": np.sort(random.integers(0, DAY * 10**6, 3000)), "op": "W"})
    frame = frame.assign(off=random.integers(0, 20, 3000) * 524288, len=4096)
    traced = Workload.from_trace(frame, span="1d")
    for like in (traced, Workload.fit(traced)):
        workload = Workload.from_rates(series(office(2)), traced.size, like=like)
        # 100 MB are 24,414 writes of 4 KiB, which hit each of the 20 blocks.
        assert workload.changed_between(10.0 * HOUR, 10.0 * HOUR + FIVE) == pytest.approx(20, rel=0.05)
    table = Workload.from_table({"1h": 5, "2h": 8}, None, "1 GiB")
    with pytest.raises(InvalidRequest, match="is not known from a trace"):
        Workload.from_rates(series(office(2)), "1 GiB", like=table)


def test_a_series_with_its_times_as_index_is_the_same() -> None:
    frame = series(office(2))
    plain = Workload.from_rates(frame, "10 GiB")
    indexed = Workload.from_rates(frame.set_index("timestamp")["value"], "10 GiB")
    zoned = Workload.from_rates(frame.assign(timestamp=frame["timestamp"].dt.tz_localize("UTC")), "10 GiB")
    text = Workload.from_rates(frame.astype({"timestamp": str}), "10 GiB")
    for other in (indexed, zoned, text):
        assert other.changed_between(0.0, 1.5 * DAY) == plain.changed_between(0.0, 1.5 * DAY)


@pytest.mark.parametrize(("start", "hours"), [("2026-10-23", 97), ("2026-03-27", 95)])
def test_times_with_a_zone_do_not_jump_with_its_clock(start: str, hours: int) -> None:
    times = pd.date_range(start, periods=4 * 288 + 1, freq="5min", tz="UTC").tz_convert("Europe/Berlin").normalize()
    times = pd.date_range(times[0], times[0].normalize() + pd.Timedelta(hours=hours), freq="5min", inclusive="left")
    values = pd.Series(np.random.default_rng(3).lognormal(15, 2, len(times)), index=times)
    plain = Workload.from_rates(values.set_axis(pd.date_range(start, periods=len(times), freq="5min")), "100 GiB")
    for index in (times, times.astype(str), times.astype(object)):
        workload = Workload.from_rates(values.set_axis(index), "100 GiB")
        assert workload.span == hours * HOUR
        # Midnight lies where it lay at the start, so days after the series are the same ones as well.
        for day in (0, 2, 3, 9):
            a, b = day * float(DAY), day * float(DAY) + 9 * HOUR
            assert workload.changed_between(a, b) == plain.changed_between(a, b)


def broken(row: int, value: Any) -> pd.DataFrame:
    frame = series(office(2))
    frame.loc[row, "value"] = value
    return frame


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (broken(7, float("nan")), {}, "series row 7 .*nan.* is no number"),
        (broken(9, float("inf")), {}, "series row 9 .*inf.* is no number"),
        (series([True] * 600).astype({"value": object}), {}, "series row 0 True is no number"),
        (series(office(2)).assign(value=True), {}, "series row 0 .*True.* is no number"),
        (series(office(2)).assign(timestamp=True), {}, "series row 0 .*True.* has no time"),
        (broken(8, -1.0), {}, "series row 8 .*-1.0.* is negative"),
        (series(office(2)).iloc[::-1], {}, "series row 1 .* is not later than the row before"),
        (series(office(2)).iloc[[0, 1, 1, 2]], {}, "series row 2 .* is not later than the row before"),
        (series(office(2)).assign(timestamp="soon"), {}, "series row 0 'soon' has no time"),
        (broken(5, 1e13), {}, "series row 5 10000000000000.0 is 31 GiB a second in bytes, more than any volume takes"),
        (series(office(2)), {"unit": "MB/s"}, "series row 108 1.*in MB/s, more than any volume takes"),
        (series(office(2)), {"unit": "furlongs"}, "unit 'furlongs' is not known; choose one of bytes, bytes/s"),
        (series(office(1)[:100]), {}, "series 100 rows span less than a day"),
        (series([0.0] * 600), {}, "nothing is written"),
        (series([1.0]), {}, "series 1 is the number of its rows"),
        (series(office(2), every="7h"), {}, "is the usual time between two rows"),
        ([1, 2, 3], {}, "is not a column of times and one of values"),
        (series(office(2)).assign(more=1), {}, "is not a column of times and one of values"),
        (series(office(2)), {"like": "laptop"}, "profile 'laptop' is not known"),
        (series(office(2)), {"block_size": "4 KiB"}, "block_size 4096 is not that of the assumed shape"),
        (series(office(2)), {"size": 0}, "size 0 is not a positive size"),
    ],
)
def test_a_series_that_cannot_be_is_refused_with_its_row(given: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Workload.from_rates(given, **{"size": "10 GiB", **options})
    assert re.search(message, str(caught.value)), str(caught.value)


def test_milliseconds_are_told_from_seconds() -> None:
    frame = series(office(2))
    stamps = (frame["timestamp"] - pd.Timestamp(0)) // pd.Timedelta("1ms")
    with pytest.raises(InvalidRequest, match="in seconds since 1970"):
        Workload.from_rates(frame.assign(timestamp=stamps), "10 GiB")
    seconds = Workload.from_rates(frame.assign(timestamp=stamps // 1000), "10 GiB")
    dated = Workload.from_rates(frame, "10 GiB")
    assert seconds.changed_between(0.0, 1.0 * DAY) == dated.changed_between(0.0, 1.0 * DAY)
