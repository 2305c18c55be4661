"""Workloads from how many bytes were written per period, as monitoring shows it."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snapkit.blocks.exact import Floats, Ints
from snapkit.blocks.profiles import load
from snapkit.blocks.write_clock import Job, WriteModel
from snapkit.errors import InvalidRequest
from snapkit.rules import BLOCK
from snapkit.units import DAY, HOUR, KIB, MIB, Size, bytes_text, seconds_text, to_bytes

if TYPE_CHECKING:
    from snapkit.blocks.classes import Classes
    from snapkit.blocks.fitted import FittedWorkload
    from snapkit.blocks.workload import Workload

_PER_SECOND = {"bytes/s": 1, "KB/s": 1000, "KiB/s": KIB, "MB/s": 10**6, "MiB/s": MIB}
_FASTEST = 4000 * MIB
"""The most that any volume takes [bytes/s]: io2 Block Express.

Source: EBS user guide, "Provisioned IOPS SSD volumes".
"""
_STEP = 60.0
_EVEN = 0.05
"""How long a step of the clock is at most [s], and how far rows may lie from where they should."""
_EXACT = 1024.0


@dataclass(frozen=True)
class MeasuredClock:
    """Writes as they were measured, and then days drawn from those: weekdays for weekdays, weekends for weekends.

    Attributes:
        measured: touches in each step of each day, NaN before the measurement and after it. Shape: (days, steps).
        whole: the numbers of the days that were measured from end to end.
        weekday: of the first day, from 0 for Monday.
        midnight: how long after midnight the measurement begins [s].
    """

    measured: Floats
    whole: tuple[int, ...]
    weekday: int
    midnight: float
    jobs: tuple[Job, ...] = ()
    steady: float = 0.0

    @property
    def bursts_a_day(self) -> float:
        """How many steps a day has."""
        return float(self.measured.shape[1])

    def within(self, span: float) -> "MeasuredClock":  # noqa: ARG002 - it was measured on just that
        """Stay as it is."""
        return self

    def draw(self, days: Ints, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw the writes of some days; those that were measured are as they were."""
        steps = self.measured.shape[1]
        drawn = np.stack([self._day(day, random) for day in days.tolist()])
        step = DAY / steps
        times = days[:, None] * float(DAY) - self.midnight + step * np.arange(1, steps + 1)
        return times[drawn > 0], drawn[drawn > 0]

    def _day(self, day: int, random: np.random.Generator) -> Floats:
        weekend = (self.weekday + day) % 7 >= 5
        alike = [each for each in self.whole if ((self.weekday + each) % 7 >= 5) == weekend] or list(self.whole)
        drawn: Floats = self.measured[alike[int(random.integers(len(alike)))]]
        if not 0 <= day < len(self.measured):
            return drawn
        known: Floats = self.measured[day]
        return np.where(np.isnan(known), drawn, known)


def from_rates(
    _cls: "type[Workload]",
    series: "pd.DataFrame | pd.Series[Any]",
    size: Size,
    like: "str | Workload" = "workstation",
    unit: str = "bytes",
    block_size: Size = BLOCK,
) -> "FittedWorkload":
    """Know how much was written when, such as CloudWatch's VolumeWriteBytes; which blocks is taken from another disk.

    Within the series the writes come as measured, spread evenly over a period. Beyond it, days are drawn from the
    measured ones: weekdays for weekdays, weekends for weekends.

    Args:
        series: a time and a value in each row, or values with the times as index; times as text, timestamps, or numbers
            of seconds since 1970, ascending. A value counts from its time on. Times with a time zone count in UTC, with
            days as long and begun as the first one. Without one, rows that bear the same time because a clock was put
            forward are spread over the hour that it skipped.
        size: of the data on the volume [bytes].
        like: whose shape of the footprint to assume: a profile, or a workload that was fitted or traced. It is scaled
            to the size: as many writes per GiB hit as large a share.
        unit: of the values: ``"bytes"`` in each period, as the statistic Sum gives, or ``"bytes/s"``, ``"KB/s"``,
            ``"KiB/s"``, ``"MB/s"``, ``"MiB/s"``.
        block_size: the unit to count in [bytes], that of the disk whose shape is assumed.

    Raises:
        InvalidRequest: a row is missing, negative, not later than the one before, or more than any volume takes; the
            series is shorter than a day or writes nothing; or the shape is not known in writes.
    """
    from snapkit.blocks.fitted import FittedWorkload

    volume, blocks_of = to_bytes(size), to_bytes(block_size, "block_size")
    times, values = _rows(series)
    seconds = (times - times[0]) / np.timedelta64(1, "s")
    period = _period(series, seconds)
    rates = _checked(values, unit, period)
    name, shape, write_size, following = _shape(like, volume, blocks_of)
    clock, gaps = _clock(pd.Timestamp(times[0]), seconds, rates / write_size, period)
    span = float(seconds[-1]) + period
    told = [f"Which blocks are hit is assumed to be as on {name}, as many writes per GiB hitting as large a share."]
    told.append("After the series, days are like the measured ones: weekdays as weekdays, weekends as weekends.")
    if gaps:
        told.append(f"{gaps} gap{'' if gaps == 1 else 's'} in the series: between the values on both sides.")
    return FittedWorkload(
        WriteModel(clock, shape, (), following, write_size),
        name="rates",
        source=f"{len(values):,} values of written bytes every {seconds_text(period)} over {seconds_text(span)}",
        span=span,
        size=volume,
        block_size=blocks_of,
        assumptions=tuple(told),
        footprint_known="assumed",
    )


def _rows(series: "pd.DataFrame | pd.Series[Any]") -> tuple[Any, Floats]:
    """Read times, as datetime64, and values."""
    remedy = "give a frame of times and values, or a series with the times as index"
    if isinstance(series, pd.Series):
        series = series.reset_index()
    if not isinstance(series, pd.DataFrame) or series.shape[1] != 2:
        shown = list(series.columns) if isinstance(series, pd.DataFrame) else type(series).__name__
        raise InvalidRequest("series", shown, "is not a column of times and one of values", remedy)
    if len(series) < 2:
        raise InvalidRequest("series", len(series), "is the number of its rows", "give at least a day")
    stamps, numbers = series.iloc[:, 0], pd.to_numeric(series.iloc[:, 1], errors="coerce").to_numpy(np.float64)
    times = _moments(stamps)
    if times.isna().any():
        row = int(times.isna().to_numpy().argmax())
        raise InvalidRequest(f"series row {row}", stamps.iloc[row], "has no time", "write seconds since 1970 or a date")
    truths = series.iloc[:, 1].map(lambda value: isinstance(value, bool | np.bool_)).to_numpy(np.bool_)
    for bad, rule in ((truths | ~np.isfinite(numbers), "is no number"), (numbers < 0, "is negative")):
        if bad.any():
            row = int(bad.argmax())
            raise InvalidRequest(f"series row {row}", series.iloc[row, 1], rule, "leave the row out, or correct it")
    stamped = _clock_put_forward(times.to_numpy("datetime64[ns]"))
    if (late := stamped[1:] <= stamped[:-1]).any():
        row = int(late.argmax()) + 1
        raise InvalidRequest(f"series row {row}", stamps.iloc[row], "is not later than the row before", "sort by time")
    return stamped, numbers


def _moments(stamps: "pd.Series[Any]") -> "pd.Series[Any]":
    """Read times; those with a time zone on a clock that keeps the offset of the first one, and so never jumps."""
    if pd.api.types.is_numeric_dtype(stamps):
        return pd.to_datetime(stamps, errors="coerce", unit="s")
    first = pd.to_datetime(stamps.iloc[:1], errors="coerce")
    if first.dt.tz is None:
        return pd.to_datetime(stamps, errors="coerce")
    offset = first.iloc[0].utcoffset() or pd.Timedelta(0)
    return pd.to_datetime(stamps, errors="coerce", utc=True).dt.tz_localize(None) + offset


def _clock_put_forward(times: Any) -> Any:
    """Spread rows that bear the same time over the gap around them, where they fill it at the usual distance.

    Exports in local time stamp the hour that a clock skips with its end.
    """
    usual = np.median(np.diff(times))
    begins = np.flatnonzero(np.diff(times, prepend=times[0] - usual) != np.timedelta64(0))
    counts = np.diff(np.append(begins, len(times)))
    spread = times.copy()
    for begin, count in zip(begins[counts > 1].tolist(), counts[counts > 1].tolist(), strict=True):
        if begin > 0 and begin + count < len(times):
            step = (times[begin + count] - times[begin - 1]) / (count + 1)
            if abs(step / usual - 1) <= _EVEN:
                spread[begin : begin + count] = times[begin - 1] + step * np.arange(1, count + 1)
    return spread


def _period(series: "pd.DataFrame | pd.Series[Any]", seconds: Floats) -> float:
    period = float(np.median(np.diff(seconds)))
    if not 1 <= period <= 6 * HOUR:
        rule = "is the usual time between two rows; a daily rhythm needs 1 s to 6 h"
        raise InvalidRequest("series", seconds_text(period), rule, "give times as dates, or in seconds since 1970")
    if seconds[-1] + period < DAY:
        raise InvalidRequest("series", len(series), "rows span less than a day", "give at least a day")
    return period


def _checked(values: Floats, unit: str, period: float) -> Floats:
    """Return bytes a second, or refuse what cannot be."""
    if unit != "bytes" and unit not in _PER_SECOND:
        raise InvalidRequest("unit", unit, "is not known", f"choose one of bytes, {', '.join(_PER_SECOND)}")
    rates = values / period if unit == "bytes" else values * float(_PER_SECOND[unit])
    if (rates > _FASTEST).any():
        row = int((rates > _FASTEST).argmax())
        rule = f"is {bytes_text(rates[row])} a second in {unit}, more than any volume takes, {bytes_text(_FASTEST)}"
        raise InvalidRequest(f"series row {row}", float(values[row]), rule, "give unit= as the values are in")
    if not rates.any():
        raise InvalidRequest("series", 0, "is its sum: nothing is written", "give a series with writes")
    return rates


def _shape(like: "str | Workload", size: int, block_size: int) -> tuple[str, "Classes", float, float]:
    """Find a footprint in writes: whose it is, scaled to the size, the bytes of a touch, and how writes follow."""
    from snapkit.blocks.fitted import FittedWorkload
    from snapkit.blocks.workload import Workload

    if isinstance(like, str):
        disk = load(like)
        if disk.classes is None:
            raise InvalidRequest("like", like, "has no footprint in writes", "fit a trace, and give that")
        known = disk.classes, disk.write_size, disk.size, disk.block_size, disk.following
    else:
        if not isinstance(like, FittedWorkload):
            like = Workload.fit(like)
        model = like.model
        known = model.classes, model.write_size, like.size, like.block_size, model.following
    classes, write_size, of_disk, unit, following = known
    if unit != block_size:
        raise InvalidRequest("block_size", block_size, f"is not that of the assumed shape, {unit}", "count in the same")
    scaled = classes.scaled(size / of_disk, -(-size // block_size))
    return (like if isinstance(like, str) else like.name), scaled, write_size, following


def _clock(start: pd.Timestamp, seconds: Floats, rates: Floats, period: float) -> tuple[MeasuredClock, int]:
    """Lay rates out on steps of whole days; returns the clock, and how many gaps the rates had."""
    wide = np.append(np.diff(seconds), period)
    gap = wide > 1.5 * period
    # A row counts for one period; what lies between it and the next one is between both.
    ends = np.where(gap, seconds + period, seconds + wide)
    between = 0.5 * (rates + np.append(rates[1:], rates[-1]))
    edges = np.concatenate([np.stack([seconds, ends], axis=1).ravel()])
    flows = np.stack([rates, np.where(gap, between, 0.0)], axis=1).ravel()
    written = np.concatenate([[0.0], np.cumsum(flows[:-1] * np.diff(edges))])
    midnight = (start - start.normalize()).total_seconds()
    days = math.ceil((seconds[-1] + period + midnight) / DAY)
    steps = max(round(DAY / min(period, _STEP)), 1) if period < _STEP else round(DAY / _STEP)
    bounds = np.arange(days * steps + 1) * (DAY / steps) - midnight
    counts = np.diff(np.interp(bounds, edges, written))
    seen = (bounds[:-1] >= -1e-6) & (bounds[1:] <= edges[-1] + 1e-6)
    # As multiples of 1/1024 their sums are exact, in whatever order they are added.
    exact = np.round(counts * _EXACT) / _EXACT
    measured = np.where(seen, exact, np.nan).reshape(days, steps)
    whole = tuple(int(day) for day in np.flatnonzero(seen.reshape(days, steps).all(axis=1)))
    if not whole:
        half = np.nanmean(measured, axis=0)
        measured = np.vstack([measured, np.where(np.isnan(half), 0.0, half)])
        whole = (days,)
    return MeasuredClock(measured, whole, int(start.weekday()), midnight), int(gap[:-1].sum())
