"""How much a snapshot copies and how long it takes, against the time since the one before."""

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulation.plots.canvas import (
    grid,
    legend,
    log_axis,
    note,
    panels,
    theme_of,
    time_axis,
    time_labels,
    time_scale,
)
from snapkit._picture import Picture
from snapkit.timing import Doubt, Timing
from snapkit.units import GIB, MINUTE, WEEK

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from snapkit.blocks import Workload

Floats = NDArray[np.float64]

_INTERVALS = np.geomspace(MINUTE, 4 * WEEK, 60).tolist()
_DRAWS = 100
"""So many timings, and so many hours of each, make up a band."""
_WIDE = 10
"""Times that differ by more than this factor need a logarithmic axis."""
_NOTHING = 1e-6
"""Fewer blocks than this are none: a table of zeros is a power law close to it."""


def curve(workload: "Workload", *, theme: str = "light") -> Picture:
    """Draw how much a snapshot copies [GiB] against the time since the one before, measured and modelled.

    Beyond what was measured a band tells where 80 % of disks would go on; see `Workload.footprint_band`.

    Args:
        workload: how the volume's blocks are written.
        theme: ``"light"`` or ``"dark"``.
    """
    picture = Picture(7, 4, theme)
    (axes,) = panels(picture)
    axes.set_title(f"What a snapshot copies: {workload.name}")
    _copied(axes, workload, workload.curve(_INTERVALS))
    picture.alt = f"changed bytes against the interval between snapshots, workload {workload.name}"
    return picture


def duration(
    workload: "Workload",
    timing: Timing = Timing(),  # noqa: B008 - it is frozen
    *,
    theme: str = "light",
) -> Picture:
    """Draw how long a snapshot takes against the time since the one before, and below it what it copies [GiB].

    The band reaches from the 10th to the 90th percentile, of the timing's spread from one hour to another and of the
    doubt in it.
    Above the line of equal times a snapshot outlasts the interval, so that snapshots overlap.

    Args:
        workload: how the volume's blocks are written.
        timing: changed bytes to seconds.
        theme: ``"light"`` or ``"dark"``.
    """
    picture = Picture(7, 6.2, theme)
    above, below = panels(picture, 2, 1, height_ratios=[3, 2])
    picture.alt = f"duration of a snapshot against the interval between snapshots, workload {workload.name}"
    points = workload.curve(_INTERVALS)
    _copied(below, workload, points)
    below.set_title("What it copies")
    title = f"How long a snapshot takes: {workload.name}"
    seconds = pd.Series([timing.seconds(size) for size in points["changed_bytes"]], points.index)
    if seconds.max() == 0:
        note(above, "under this timing every snapshot completes at once", title)
        return picture
    above.set_title(title)
    _durations(above, points, seconds.replace(0, np.nan), timing)
    return picture


def _durations(axes: "Axes", points: pd.DataFrame, seconds: pd.Series, timing: Timing) -> None:
    theme, intervals = theme_of(axes), points["interval_s"]
    low, high = _band(timing, points["changed_bytes"].tolist())
    if np.any(high > low):
        told = "80 % of the hours" if timing.doubt == Doubt() else "80 %, with the doubt in the timing"
        axes.fill_between(intervals, low, high, color=theme.pale, alpha=0.35, linewidth=0, label=told)
    _known_and_modelled(axes, points, seconds)
    if seconds.max() > _WIDE * seconds.min():
        time_labels(axes)
    else:
        axes.set_ylim(bottom=0)
        time_scale(axes.yaxis, axes.get_ylim()[1])
    axes.set_ylim(axes.get_ylim())  # the line of equal times must not stretch it
    axes.plot(intervals, intervals, color=theme.limit, linestyle=":", label="as long as the interval: overlap above")
    axes.set(xlabel="time since the one before", ylabel="from start to completion")
    time_axis(axes)
    grid(axes)
    legend(axes)


def _band(timing: Timing, sizes: list[float]) -> tuple[Floats, Floats]:
    """Find the 10th and 90th percentile of the durations [s] of snapshots of some sizes [bytes]."""
    timings = [timing.sampled(0, number) for number in range(1 if timing.doubt == Doubt() else _DRAWS)]
    scores = [timing.spread * NormalDist().inv_cdf(share) for share in (np.arange(_DRAWS) + 0.5) / _DRAWS]
    seconds = np.array([[each.seconds(size) for size in sizes] for each in timings])
    durations = seconds[:, None, :] * np.exp(scores)[None, :, None]
    low, high = np.quantile(durations.reshape(-1, len(sizes)), [0.1, 0.9], axis=0)
    return low, high


def _copied(axes: "Axes", workload: "Workload", points: pd.DataFrame) -> None:
    theme = theme_of(axes)
    copied = (points["changed_bytes"] / GIB).where(points["changed_blocks"] > _NOTHING)
    if copied.isna().all():
        note(axes, "nothing is ever written: a snapshot copies nothing", axes.get_title())
        return
    beyond = points["source"] == "modelled"
    bands = [workload.footprint_band(interval) for interval in points["interval_s"][beyond]]
    if bands and bands[-1].low < bands[-1].high:
        low, high = ([getattr(band, side) * workload.block_size / GIB for band in bands] for side in ("low", "high"))
        axes.fill_between(
            points["interval_s"][beyond], low, high, color=theme.pale, alpha=0.35, linewidth=0, label="80 % of disks"
        )
    _known_and_modelled(axes, points, copied)
    axes.set(xlabel="time since the one before", ylabel="copied [GiB]")
    time_axis(axes)
    log_axis(axes)
    grid(axes)
    legend(axes)


def _known_and_modelled(axes: "Axes", points: pd.DataFrame, values: pd.Series) -> None:
    """Draw a line of dashes, and over it with points the part that is not modelled."""
    theme, beyond = theme_of(axes), points["source"] == "modelled"
    if beyond.any():
        axes.plot(points["interval_s"], values, color=theme.ink, linestyle="--", linewidth=1, label="modelled")
    if not beyond.all():
        known = str(points["source"][~beyond].iloc[0])
        axes.plot(points["interval_s"][~beyond], values[~beyond], color=theme.ink, marker=".", label=known)
