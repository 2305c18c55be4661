"""Strategies compared: how long their snapshots take, and what they cost against what a failure loses."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from simulation.plots.canvas import (
    grid,
    legend,
    log_axis,
    note,
    panels,
    theme_of,
    time_axis,
    unit_of,
)
from simulation.plots.labels import Line, name_points
from snapkit._picture import Picture
from snapkit.errors import InvalidRequest
from snapkit.units import Duration, seconds_text, to_seconds, to_usd, usd_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.screening import Screening
    from simulation.study import Study

_BARS = 30
"""So many strategies have bars."""
_NAMED = 12
"""So many strategies have their names written."""
_FEW = 100
"""Among so many points a name keeps clear of all of them."""


def study(
    compared: "Study",
    rpo: Duration | None = None,
    monthly_cost: float | str | None = None,
    *,
    theme: str = "light",
) -> Picture:
    """Draw how long each strategy's snapshots take, and what each costs against what a failure loses.

    Of more than thirty strategies only the first thirty on the Pareto front have bars.

    Args:
        compared: the study.
        rpo: limit on the RPO.
        monthly_cost: limit on the cost [USD a month].
        theme: ``"light"`` or ``"dark"``.

    Raises:
        InvalidRequest: a limit cannot be.
    """
    frame = compared.frame if len(compared.frame) <= _BARS else compared.front.iloc[:_BARS]
    picture = Picture(12, max(4.5, 1.4 + 0.25 * len(frame)), theme)
    left, right = panels(picture, 1, 2, width_ratios=[2, 3])
    _durations(left, frame)
    alt = _front(right, _points(compared), rpo, monthly_cost)
    picture.alt = f"durations of the snapshots of {len(compared.frame):,} strategies, and {alt}"
    return picture


def front(
    compared: "Study | Screening",
    rpo: Duration | None = None,
    monthly_cost: float | str | None = None,
    *,
    chosen: str = "",
    theme: str = "light",
) -> Picture:
    """Draw what strategies cost against what a failure loses, with the Pareto front.

    Strategies on the front are dark, those that others beat are pale. The line joins those that nobody beats in cost
    and RPO; the others on the front are there for their RTO or history. Up to twelve have their names, with how far
    back they reach: of more those on the front and within the limits, the joined ones and the longest histories first.
    Bars are 95 % confidence intervals of a study. What lies beyond a limit is shaded.

    Args:
        compared: a study, or strategies ranked in closed form.
        rpo: limit on the RPO.
        monthly_cost: limit on the cost [USD a month].
        chosen: the name of a strategy to mark.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        InvalidRequest: a limit cannot be, or the chosen one was not compared.
    """
    if chosen and chosen not in compared.frame.index:
        raise InvalidRequest("chosen", chosen, "was not compared", "name one of the strategies, or leave it out")
    picture = Picture(7.5, 4.8, theme)
    (axes,) = panels(picture)
    picture.alt = _front(axes, _points(compared), rpo, monthly_cost, chosen)
    return picture


def _front(
    axes: "Axes",
    points: pd.DataFrame,
    most_lost: Duration | None,
    budget: float | str | None,
    chosen: str = "",
) -> str:
    """Draw the points, the front and the limits; tell in words what there is to see."""
    rpo = None if most_lost is None else to_seconds(most_lost, "RPO")
    monthly_cost = None if budget is None else to_usd(budget, "budget")
    able = points.dropna(subset=["rpo", "cost"])
    alt = f"monthly cost against RPO of {len(able):,} strategies, {int(able['front'].sum()):,} on the front"
    if not len(able):
        note(axes, "no strategy has a complete snapshot in every run:\nsimulate a longer horizon", "Cost against RPO")
        return alt
    _scatter(axes, able)
    axes.set(title="Cost against RPO", xlabel="lost at a failure, 95th percentile", ylabel="cost [USD a month]")
    _scales(axes, able, rpo, monthly_cost)
    _limits(axes, rpo, monthly_cost)
    colours = theme_of(axes)
    if chosen in able.index:
        at = able.loc[chosen]
        axes.plot(
            at["rpo"], at["cost"], "o", markersize=15, fillstyle="none", color=colours.limit, markeredgewidth=2,
            label="chosen", zorder=4,
        )  # fmt: skip
    if len(able) < len(points):
        axes.plot([], [], " ", label=f"{len(points) - len(able):,} without a complete snapshot")
    grid(axes)
    legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)
    named = _named(able, chosen, rpo, monthly_cost)
    told = [f"{name} ({seconds_text(row['history'])} back)" for name, row in named.iterrows()]
    others = able.drop(named.index) if len(able) <= _FEW else able.iloc[:0]
    name_points(axes, _pairs(named), told, _pairs(others), _lines(axes, able, rpo, monthly_cost))
    return alt


def _lines(axes: "Axes", points: pd.DataFrame, rpo: float | None, monthly_cost: float | None) -> list[Line]:
    """List the lines of the limits and of the front by their ends."""
    steps = _pairs(_joined(points))
    lines = [each for one, two in pairwise(steps) for each in ((one, (two[0], one[1])), ((two[0], one[1]), two))]
    if rpo is not None:
        low, high = axes.get_ylim()
        lines.append(((rpo, low), (rpo, high)))
    if monthly_cost is not None:
        low, high = axes.get_xlim()
        lines.append(((low, monthly_cost), (high, monthly_cost)))
    return lines


def _pairs(points: pd.DataFrame) -> list[tuple[float, float]]:
    return list(zip(points["rpo"], points["cost"], strict=True))


def _named(points: pd.DataFrame, chosen: str, rpo: float | None, monthly_cost: float | None) -> pd.DataFrame:
    """Choose the strategies whose names are written: all, or of many those that matter most."""
    if len(points) <= _NAMED:
        return points
    within = (points["rpo"] <= (rpo or np.inf)) & (points["cost"] <= (monthly_cost or np.inf))
    joined = points.index.isin(_joined(points).index)
    order = points.assign(chosen=points.index == chosen, within=within, joined=joined)
    order = order[order["front"] | order["chosen"]]
    by = ["chosen", "within", "joined", "history"]
    return order.sort_values(by, ascending=False, kind="stable").iloc[:_NAMED]


def _joined(points: pd.DataFrame) -> pd.DataFrame:
    """Choose those that nobody beats in cost and RPO, by RPO."""
    steps = points[points["front"]].sort_values(["rpo", "cost"])
    return steps[steps["cost"] < steps["cost"].cummin().shift(fill_value=np.inf)]


def _points(compared: "Study | Screening") -> pd.DataFrame:
    """Reduce what was compared to the figures drawn, whether on the front, and margins where there are any."""
    frame = compared.frame
    points = pd.DataFrame(
        {"rpo": frame["rpo_p95_s"], "cost": frame["monthly_cost_usd"], "history": frame["history_s"]}, frame.index
    )
    if "front" in frame.columns:
        points = points.assign(front=frame["front"], rpo_margin=0.0, cost_margin=0.0)
    else:
        simulated = cast("Study", compared)
        points["front"] = frame.index.isin(simulated.front.index)
        points["rpo_margin"] = simulated.margins["rpo_p95_s"].fillna(0.0)
        points["cost_margin"] = simulated.margins["monthly_cost_usd"].fillna(0.0)
    return points


def _scatter(axes: "Axes", points: pd.DataFrame) -> None:
    theme = theme_of(axes)
    beaten, best = points[~points["front"]], points[points["front"]]
    small = 24 if len(beaten) <= _FEW else 8
    for part, label, size, colour, marker in (
        (beaten, "beaten", small, theme.pale, "o"),
        (best, "on the front", 40, theme.ink, "D"),
    ):
        if not len(part):
            continue
        across, up = part["rpo_margin"], part["cost_margin"]
        if across.any() or up.any():
            axes.errorbar(part["rpo"], part["cost"], xerr=across, yerr=up, fmt="none", ecolor=colour, elinewidth=1)
        axes.scatter(part["rpo"], part["cost"], s=size, c=colour, marker=marker, label=label, linewidths=0, zorder=3)
    steps = _joined(points)
    if len(steps) > 1:
        axes.step(steps["rpo"], steps["cost"], where="post", color=theme.ink, linewidth=1.2, label="front of both")


def _scales(axes: "Axes", points: pd.DataFrame, rpo: float | None, monthly_cost: float | None) -> None:
    """Choose axes on which points and limits can be seen together."""
    low, high = points["cost"].min(), points["cost"].max()
    highest = max(high, monthly_cost or 0.0)
    losses = [points["rpo"].min(), points["rpo"].max(), *([rpo] if rpo else [])]
    axes.set_xlim(max(min(losses), 1.0) / 1.4, max(*losses, 1.0) * 1.4)
    time_axis(axes)
    if low > 0 and (high > 30 * low or highest > 3 * high):
        axes.set_ylim(low / 1.6, highest * 1.6)
        log_axis(axes)
    else:
        axes.set_ylim(0, 1.15 * highest or 1)


def _limits(axes: "Axes", rpo: float | None, monthly_cost: float | None) -> None:
    theme = theme_of(axes)
    (_, right), (_, top) = axes.get_xlim(), axes.get_ylim()
    shade: dict[str, Any] = {"facecolor": theme.limit, "alpha": 0.07, "linewidth": 0, "zorder": 0}
    if rpo is not None:
        axes.axvline(rpo, color=theme.limit, linestyle="--", linewidth=1.2, label=f"RPO {seconds_text(rpo)}")
        axes.axvspan(rpo, right, **shade)
    if monthly_cost is not None:
        words = f"budget {usd_text(monthly_cost)}"
        axes.axhline(monthly_cost, color=theme.limit, linestyle=":", linewidth=1.5, label=words)
        axes.axhspan(monthly_cost, top, **shade)


def _durations(axes: "Axes", frame: pd.DataFrame) -> None:
    title = "How long a snapshot takes"
    longest = frame["duration_p95_s"].max()
    if not longest > 0:
        note(axes, "no snapshot after the first one\nis complete in time", title)
        return
    theme, (unit, length) = theme_of(axes), unit_of(longest)
    places = np.arange(len(frame))
    axes.barh(places, frame["duration_p95_s"] / length, color=theme.pale, height=0.7, label="95th percentile")
    axes.barh(places, frame["duration_mean_s"] / length, color=theme.ink, height=0.35, label="mean")
    for place in places[frame["duration_p95_s"].isna()]:
        axes.text(0, place, " none after the first complete in time", va="center", fontsize="small", color=theme.text)
    axes.set_yticks(places, [str(name) for name in frame.index], parse_math=False)
    axes.invert_yaxis()
    axes.set(title=title, xlabel=f"from start to completion [{unit}]")
    grid(axes, "x")
    legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=2)
