"""Pictures of workloads, outcomes and studies, readable in grey."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter

from snapkit._picture import Picture
from snapkit.units import DAY, GIB, HOUR, MINUTE, WEEK, seconds_text, usd_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.outcome import Outcome
    from simulation.study import Study
    from snapkit.blocks import Workload

_INK = "#1f4e79"
_PALE = "#8fb4d9"
_LIMIT = "#b03a2e"
_MARKERS = "osD^vPX<>"
_TICKS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY, WEEK, 30 * DAY)


def curve(workload: "Workload") -> Picture:
    """Draw how much a snapshot copies against the time since the one before, measured and modelled."""
    picture = Picture(7, 4)
    axes = picture.subplots()
    points = workload.curve(np.geomspace(MINUTE, 4 * WEEK, 60).tolist())
    copied = points["changed_bytes"] / GIB
    modelled = points["source"] == "modelled"
    known = str(points["source"].iloc[0])
    axes.plot(points["interval_s"], copied, color=_PALE, linestyle="--", label="modelled")
    if not modelled.all():
        axes.plot(points["interval_s"][~modelled], copied[~modelled], color=_INK, marker=".", label=known)
    axes.set(
        title=f"What a snapshot copies: {workload.name}", xlabel="time since the one before", ylabel="copied [GiB]"
    )
    _time_axis(axes)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda size, _: f"{size:g}"))
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    return picture


def study(compared: "Study", rpo: float | None = None, monthly_cost: float | None = None) -> Picture:
    """Draw how long each strategy's snapshots take, and what each costs against what a failure loses.

    Args:
        compared: the study.
        rpo: limit on the RPO [s].
        monthly_cost: limit on the cost [USD a month].
    """
    picture = Picture(12, 4.5)
    left, right = picture.subplots(1, 2)
    _durations(left, compared.frame)
    strategies = zip(compared.frame.iterrows(), compared.margins.iterrows(), strict=True)
    for number, ((name, figures), (_, margins)) in enumerate(strategies):
        right.errorbar(
            figures["rpo_p95_s"],
            figures["monthly_cost_usd"],
            xerr=np.nan_to_num(margins["rpo_p95_s"]),
            yerr=np.nan_to_num(margins["monthly_cost_usd"]),
            fmt=_MARKERS[number % len(_MARKERS)],
            color=_INK,
            markersize=8,
            label=str(name),
        )
    if rpo is not None:
        right.axvline(rpo, color=_LIMIT, linestyle="--", label=f"RPO {seconds_text(rpo)}")
    if monthly_cost is not None:
        right.axhline(monthly_cost, color=_LIMIT, linestyle=":", label=f"budget {usd_text(monthly_cost)}")
    _time_axis(right)
    if monthly_cost is not None and monthly_cost > 3 * compared.frame["monthly_cost_usd"].max():
        right.set_yscale("log")
    else:
        right.set_ylim(bottom=0)
    right.set(title="Cost against RPO", xlabel="lost at a failure, 95th percentile", ylabel="cost [USD a month]")
    right.grid(visible=True, alpha=0.3)
    right.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    return picture


def stored(outcome: "Outcome") -> Picture:
    """Draw what one run's snapshots store over time."""
    picture = Picture(7, 3.5)
    axes = picture.subplots()
    series = outcome.stored
    axes.step(series.index, series.to_numpy() / GIB, where="post", color=_INK, linewidth=0.6)
    axes.set(title=f"Stored by snapshots: {outcome.scenario.strategy.name}", ylabel="stored [GiB]")
    axes.set_ylim(bottom=0)
    axes.grid(visible=True, alpha=0.3)
    picture.autofmt_xdate()
    return picture


def _durations(axes: "Axes", frame: pd.DataFrame) -> None:
    longest = frame["duration_p95_s"].max()
    unit, length = next(
        ((unit, length) for unit, length in (("h", HOUR), ("min", MINUTE)) if longest > 2 * length), ("s", 1)
    )
    places = np.arange(len(frame))
    axes.barh(places, frame["duration_p95_s"] / length, color=_PALE, height=0.7, label="95th percentile")
    axes.barh(places, frame["duration_mean_s"] / length, color=_INK, height=0.35, label="mean")
    axes.set_yticks(places, [str(name) for name in frame.index])
    axes.invert_yaxis()
    axes.set(title="How long a snapshot takes", xlabel=f"from start to completion [{unit}]")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2, frameon=False)


def _time_axis(axes: "Axes") -> None:
    axes.set_xscale("log")
    axes.margins(x=0.1)
    shortest, longest = axes.get_xlim()
    ticks = [tick for tick in _TICKS if shortest <= tick <= longest]
    axes.set_xticks(ticks, [seconds_text(tick) for tick in ticks], rotation=30)
    axes.minorticks_off()
