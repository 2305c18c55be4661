"""How well a fit tells what it has not seen."""

import math
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd

from snapkit.blocks.exact import Floats, TraceIndex
from snapkit.blocks.fitted import FittedWorkload
from snapkit.blocks.fitting import Stretch, lengths_for, measured, of_regime, part_of, stretches, window_starts
from snapkit.blocks.moments import Moments
from snapkit.blocks.workload import Workload
from snapkit.blocks.write_clock import WriteClock
from snapkit.errors import InvalidRequest
from snapkit.units import DAY, HOUR, WEEK, Duration, seconds_text, to_seconds

_KINDS = ("measured", "fitted", "poisson")
_WEEKS = 200
_BURSTS = 1_000_000
_SHAPE, _LEVEL, _TAIL, _ZERO = 0.2, 1.6, 1.5, 0.05
"""How far off a good fit may be: the shape as a share, level and tail as factors, the share of empty windows."""
_P95 = 1.645
"""The 95th percentile of a normal distribution, in standard deviations."""


def judge(
    workload: Workload, folds: int = 3, pieces: Duration = 4 * HOUR, start: datetime | None = None
) -> pd.DataFrame:
    """Fit to a part of a trace, compare on the rest, and so in turn with each part.

    Pieces of the days are dealt out to the parts in turn, one further each day, so that every part has other hours on
    other days. Beside the fit stands the plain Poisson model: every block is written at random, as often as it was in
    the part that was fitted.

    Args:
        workload: made by `from_trace`.
        folds: how many parts, from 2 up.
        pieces: the length of a piece.
        start: as for `Workload.fit`.

    Returns:
        One row for each part left out, regime and length of windows. For the mean blocks a window changes, the 95th
        percentile over the mean (``tail``) and the share of windows that change nothing (``zero``): what was
        ``measured``, ``fitted``, and what ``poisson`` says. ``level`` is the ratio of a mean to the measured one;
        ``shape`` is that ratio over the same for the longest windows; ``windows`` is how many were measured.

    Raises:
        InvalidRequest: the workload is not known from a trace, or there are no two parts.
    """
    length = to_seconds(pieces, "pieces")
    if folds < 2 or workload.span < folds * length:
        raise InvalidRequest("folds", folds, f"of {seconds_text(length)} do not fit into the trace", "give 2 or more")
    tables = []
    for fold in range(folds):
        left_out = _pieces(workload.span, length, folds, fold)
        fitted = Workload.fit(workload, start, left_out)
        tables.append(compare(fitted, workload, left_out).assign(fold=fold))
    return pd.concat(tables).set_index("fold", append=True).reorder_levels(["fold", "regime", "interval"])


def pooled(table: pd.DataFrame) -> pd.DataFrame:
    """Average over the parts left out, each window as told by the fit that has not seen it.

    A part left out is as far above the mean of the trace as what remains is below it, so that a single part shows the
    noise of both; here most of it cancels.

    Args:
        table: made by `judge`.

    Returns:
        One row for each regime and length of windows, with the columns of `judge`.
    """
    keys = ["regime", "interval"]
    weighed = table[["windows"]].copy()
    for kind in _KINDS:
        weighed[f"mean_{kind}"] = table[f"mean_{kind}"]
        weighed[f"tail_{kind}"] = (table[f"tail_{kind}"] * table[f"mean_{kind}"]).fillna(0.0)
        weighed[f"zero_{kind}"] = table[f"zero_{kind}"]
    told = weighed.columns.drop("windows")
    weighed[told] = weighed[told].mul(weighed["windows"], axis=0)
    frame = weighed.groupby(level=keys, sort=False).sum()
    frame[told] = frame[told].div(frame["windows"], axis=0)
    for kind in _KINDS:
        frame[f"tail_{kind}"] /= frame[f"mean_{kind}"].where(frame[f"mean_{kind}"] > 0)
    return _with_ratios(frame.reset_index()).set_index(keys)


def held(table: pd.DataFrame, kind: str = "fitted") -> pd.DataFrame:
    """Tell which figures are near enough: shape within 20 %, level a factor 1.6, tail a factor 1.5, zero within 0.05.

    Args:
        table: made by `judge`, `compare` or `pooled`.
        kind: ``"fitted"`` or ``"poisson"``.

    Returns:
        Whether each is. The rows are those of the table; columns ``shape, level, tail, zero``.
    """

    def near(what: str, factor: float) -> pd.Series:
        # Windows of which hardly one changes anything have a tail of 0: two such tails are alike.
        one, other = (table[f"{what}_{each}"].fillna(0.0) for each in (kind, "measured"))
        return (one <= factor * other) & (other <= factor * one)

    shape = (table[f"shape_{kind}"] - 1).abs() <= _SHAPE
    zero = (table[f"zero_{kind}"] - table["zero_measured"]).abs() <= _ZERO
    return pd.DataFrame({"shape": shape, "level": near("mean", _LEVEL), "tail": near("tail", _TAIL), "zero": zero})


def ceiling(
    fitted: FittedWorkload,
    paths: int = 20,
    folds: int = 3,
    pieces: Duration = 4 * HOUR,
    start: datetime | None = None,
) -> pd.DataFrame:
    """Judge fits to paths of a model, which is the truth there: a fit to as much of a real disk can hardly do better.

    Args:
        fitted: the model.
        paths: how many; each has the span of the trace that the model was fitted to.
        folds: as for `judge`.
        pieces: likewise.
        start: likewise.

    Returns:
        The share of parts left out in which each figure is near enough, as `held` tells; one row for each regime and
        length of windows.

    Raises:
        InvalidRequest: there is no path, or there are no two parts.

    Source:
        Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 6.5: the parametric bootstrap.
    """
    if paths < 1:
        raise InvalidRequest("paths", paths, "is below 1", "give 20 or so")
    tables = []
    for path in range(1, paths + 1):
        trace = fitted.sampled(path).to_trace(fitted.span)
        workload = Workload.from_trace(trace, block_size=fitted.block_size, span=fitted.span)
        tables.append(held(judge(workload, folds, pieces, start)))
    return pd.concat(tables).groupby(level=["regime", "interval"], sort=False).mean()


def compare(fitted: FittedWorkload, traced: Workload, part: Sequence[Stretch]) -> pd.DataFrame:
    """Compare a fit with a part of a trace [s], by regime and length of windows; see `judge` for the columns.

    Raises:
        InvalidRequest: the workload is not known from a trace.
    """
    trace, clock = traced._known, fitted.model.clock
    if not isinstance(trace, TraceIndex) or not isinstance(clock, WriteClock):
        raise InvalidRequest("workload", traced.name, "is not known from a trace", "compare a fit with its trace")
    others = stretches(traced.span, part) or list(part)
    rows = []
    for number, regime in enumerate(fitted.model.regimes):
        here, there = (of_regime(each, clock.week, clock.midnight, number) for each in (part, others))
        rates = _rates(trace, there or others)
        for real in measured(trace, here, lengths_for(traced.span)):
            starts = window_starts(here, real.length, real.length)
            model = Moments.of(real.length, _on_path(fitted, starts, real.length))
            values = [each for kind in (real, model, _poisson(rates, real.length)) for each in _told(kind)]
            rows.append((regime, seconds_text(real.length), len(starts), *values))
    told = (f"{what}_{kind}" for kind in _KINDS for what in ("mean", "tail", "zero"))
    frame = pd.DataFrame(rows, columns=["regime", "interval", "windows", *told])
    return _with_ratios(frame).set_index(["regime", "interval"])


def _with_ratios(frame: pd.DataFrame) -> pd.DataFrame:
    """Add the level and the shape of both models."""
    for kind in _KINDS[1:]:
        frame[f"level_{kind}"] = frame[f"mean_{kind}"] / frame["mean_measured"].where(frame["mean_measured"] > 0)
        frame[f"shape_{kind}"] = frame[f"level_{kind}"] / frame.groupby("regime")[f"level_{kind}"].transform("last")
    return frame


def _told(moments: Moments) -> tuple[float, float, float]:
    tail = moments.p95 / moments.mean if moments.mean > 0 else math.nan
    return moments.mean, tail, moments.zero


def _pieces(span: float, length: float, folds: int, fold: int) -> list[Stretch]:
    """Deal out pieces: the i-th one of day d goes to part (i + d) modulo their number."""
    a_day = max(math.floor(DAY / length), 1)
    found = []
    for number in range(math.ceil(span / length)):
        day, piece = divmod(number, a_day)
        if (day + piece) % folds == fold:
            found.append((number * length, min((number + 1) * length, span)))
    return found


def _on_path(fitted: FittedWorkload, starts: Floats, length: float) -> Floats:
    """Return what the model changes in windows at the same hours of the same days of many weeks."""
    count = int(min(max(_BURSTS / max(7 * fitted.model.clock.bursts_a_day, 1.0), 4), _WEEKS))
    weeks = np.arange(1, count + 1) * float(WEEK)
    begins = (weeks[:, None] + starts).ravel()
    return fitted.changed_within(begins, begins + length)


def _rates(trace: TraceIndex, part: Sequence[Stretch]) -> Floats:
    """Return how often a second each block was touched in stretches."""
    wanted = np.zeros(len(trace.times), np.bool_)
    for a, b in part:
        wanted[part_of(trace.times, round(a * 1e6), round(b * 1e6))] = True
    return trace.touches_by_block(wanted) / sum(b - a for a, b in part)


def _poisson(rates: Floats, length: float) -> Moments:
    """Take the moments of windows when every block is written at random at its own rate."""
    hit = -np.expm1(-rates * length)
    mean, deviation = float(hit.sum()), math.sqrt(float((hit * (1 - hit)).sum()))
    return Moments(length, mean, mean, mean + _P95 * deviation, math.exp(-float(rates.sum()) * length), math.nan)
