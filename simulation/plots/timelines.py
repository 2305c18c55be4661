"""When snapshots were pending: one by one, and counted by region."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from simulation.plots.canvas import LINES, date_axis, grid, legend, note, panels, theme_of
from snapkit import rules
from snapkit._picture import Picture
from snapkit.strategy.zones import epoch_of
from snapkit.units import DAY, Duration, seconds_text, to_seconds

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.fleet_outcome import Outcomes
    from simulation.outcome import Outcome

Floats = NDArray[np.float64]

_SHOWN = 60
"""So many snapshots the stretch shown of a long run has on average; shorter runs are shown as a whole."""
_BINS = 600
"""A count of pending snapshots is drawn at so many moments at most: about one for each dot across."""


def timeline(
    outcome: "Outcome", begin: datetime | None = None, length: Duration | None = None, *, theme: str = "light"
) -> Picture:
    """Draw each snapshot as a bar from start to completion; those that overlap stand above each other.

    Snapshots that ended in error are hatched, those still pending at the end of the run are pale, and due times that
    were missed are crossed. Unless a beginning is given, the stretch is shown in which most went wrong (due times
    missed, snapshots in error) and, of those, snapshots were pending longest in all.

    Args:
        outcome: of a run.
        begin: where the stretch begins, with a time zone.
        length: how long it is; by default so long that it has about sixty snapshots.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        InvalidRequest: the beginning has no time zone, or the length is no time span.
    """
    picture = Picture(10, 3.6, theme)
    (axes,) = panels(picture)
    scenario = outcome.scenario
    title = f"When snapshots are pending: {scenario.strategy.name}"
    runs, missed = _runs(outcome), outcome.missed
    low, high = _stretch(outcome, runs, missed, begin, length)
    shown = runs[(runs["start"] <= high) & (runs["end"] >= low)]
    crossed = missed[(missed >= low) & (missed <= high)]
    picture.alt = f"{len(shown):,} snapshots from start to completion, {len(crossed):,} due times missed"
    if not len(shown) and not len(crossed):
        note(axes, "no snapshot was pending and no due time was missed", title)
        return picture
    rows = _rows(shown["start"], shown["end"])
    _bars(axes, shown, rows, _dates(outcome, shown["start"]))
    colours = theme_of(axes)
    if len(crossed):
        axes.plot(
            _dates(outcome, crossed), np.zeros(len(crossed)), "x", color=colours.limit, label="due time missed"
        )  # fmt: skip
    limit, most = rules.pending_limit(scenario.volume_type), rows.max(initial=0) + 1
    if most >= limit:
        axes.axhline(limit + 0.5, color=colours.limit, linestyle="--", label=f"limit of {limit} for a volume")
    lowest = -0.6 if len(crossed) else 0.3
    axes.set(title=title, ylabel="pending at once", xlim=_dates(outcome, [low, high]), ylim=(lowest, most + 0.9))
    axes.set_yticks(range(1, most + 1, max(1, most // 6)))
    date_axis(axes)
    grid(axes, "x")
    legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=6)
    return picture


def pending(outcomes: "Outcomes", *, theme: str = "light") -> Picture:
    """Draw how many snapshots are pending in each region over time, and how many may be.

    Of a long run the most at once in each short while is drawn.

    Args:
        outcomes: of a run of many volumes.
        theme: ``"light"`` or ``"dark"``.
    """
    picture = Picture(9, 3.6, theme)
    (axes,) = panels(picture)
    counts = outcomes.pending
    title = "Pending snapshots by region"
    highest = int(counts.to_numpy().max(initial=0))
    picture.alt = f"pending snapshots of {len(outcomes):,} volumes over time, at most {highest:,} in a region"
    if not highest:
        note(axes, "no snapshot was ever pending", title)
        return picture
    colours = theme_of(axes)
    limits = {each.scenario.conditions.region: each.scenario.conditions.pending for each in outcomes.values()}
    first = next(iter(outcomes.values())).scenario
    end = pd.Timestamp(first.start) + pd.Timedelta(seconds=first.horizon_seconds)
    what = "pending snapshots"
    for number, region in enumerate(counts.columns):
        series = pd.concat([counts[region], pd.Series([counts[region].iloc[-1]], [end.tz_convert("UTC")])])
        label = region if len(set(limits.values())) == 1 else f"{region} (limit of {limits[region]:,})"
        if len(series) > _BINS:
            # What is pending when a while begins counts there as well.
            every = (series.index[-1] - series.index[0]) / _BINS
            steps = series.resample(every)
            what = f"pending, the most in {seconds_text(every.total_seconds())}"
            series = np.maximum(steps.max().fillna(0), steps.last().ffill().shift(fill_value=0))
        axes.step(
            series.index, series, where="post", color=colours.shades[number % 4],
            linestyle=LINES[number % len(LINES)], linewidth=1.1, label=label,
        )  # fmt: skip
    axes.yaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    _limit_lines(axes, sorted(set(limits.values())), highest)
    axes.set(title=title, ylabel=what)
    date_axis(axes)
    grid(axes)
    legend(axes, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=4)
    return picture


def _limit_lines(axes: "Axes", limits: list[int], highest: int) -> None:
    """Draw each limit that is near enough to be seen, and say of the others that they are far above."""
    theme = theme_of(axes)
    near = [limit for limit in limits if limit <= 5 * highest]
    for limit in near:
        axes.axhline(limit, color=theme.limit, linewidth=1)
        axes.annotate(
            f"limit of {limit:,}", (0.995, limit), (0, 2), xycoords=("axes fraction", "data"),
            textcoords="offset points", ha="right", color=theme.limit, fontsize="small",
        )  # fmt: skip
    axes.set_ylim(0, 1.12 * max([highest, *near]))
    if far := [f"{limit:,}" for limit in limits if limit not in near]:
        words = f"limit of {' and '.join(far)}: far above"
        axes.annotate(words, (0.99, 0.97), xycoords="axes fraction", ha="right", va="top", color=theme.limit)


def _runs(outcome: "Outcome") -> pd.DataFrame:
    """Tabulate when each snapshot was started and ended [s since the start], its state and its tiers."""
    log, horizon = outcome.log, outcome.scenario.horizon_seconds
    runs = pd.DataFrame({"start": log.started, "end": log.completed, "tiers": [", ".join(each) for each in log.tiers]})
    runs["state"] = np.where(np.isfinite(runs["end"]), "completed", "pending")
    for number, moment in log.failed.items():
        runs.loc[number, ["end", "state"]] = moment, "error"
    runs["end"] = runs["end"].clip(upper=horizon)
    return runs


def _stretch(
    outcome: "Outcome", runs: pd.DataFrame, missed: Floats, begin: datetime | None, length: Duration | None
) -> tuple[float, float]:
    """Choose from when to when to draw [s since the start]."""
    scenario = outcome.scenario
    horizon = scenario.horizon_seconds
    long = min(1.0, _SHOWN / max(len(runs), 1)) * horizon if length is None else to_seconds(length, "length")
    if begin is not None:
        low = epoch_of(begin, "begin") - epoch_of(scenario.start, "start")
        return low, low + long
    if long >= horizon:
        return 0.0, horizon
    wrong = np.sort(np.concatenate([missed, runs["start"][runs["state"] == "error"]]))
    edges = np.sort(np.concatenate([runs["start"], runs["end"]]))
    begun, ended = (np.searchsorted(np.sort(runs[name]), edges, "right") for name in ("start", "end"))
    waited = np.append(0.0, np.cumsum((begun - ended)[:-1] * np.diff(edges)))
    lows = np.clip(np.append(0.0, np.concatenate([runs["start"], wrong]) - 0.02 * long), 0.0, horizon - long)
    faults = np.searchsorted(wrong, lows + long, "right") - np.searchsorted(wrong, lows)
    busy = np.interp(lows + long, edges, waited) - np.interp(lows, edges, waited)
    low = float(lows[np.lexsort((-lows, busy, faults))[-1]])
    return low, low + long


def _rows(starts: Iterable[float], ends: Iterable[float]) -> NDArray[np.int64]:
    """Number the lowest row for each bar in which no other is in its way."""
    free: list[float] = []
    rows = []
    for start, end in zip(starts, ends, strict=True):
        row = next((row for row, moment in enumerate(free) if moment <= start), len(free))
        free[row : row + 1] = [end]
        rows.append(row)
    return np.array(rows, np.int64)


def _bars(axes: "Axes", shown: pd.DataFrame, rows: NDArray[np.int64], left: list[float]) -> None:
    theme = theme_of(axes)
    names = list(dict.fromkeys(shown["tiers"]))
    looks = {name: theme.shades[min(number, 3)] for number, name in enumerate(names)}
    shown = shown.assign(row=rows + 1, left=left, days=(shown["end"] - shown["start"]) / DAY)
    for key, part in shown.groupby(["tiers", "state"], sort=False):
        tiers, state = map(str, key)
        bars = axes.barh(part["row"], part["days"], 0.8, part["left"], label=_TOLD[state].format(tiers))
        for bar in bars:
            if state == "completed":
                bar.set(facecolor=looks[tiers], edgecolor=looks[tiers])
            elif state == "error":
                bar.set(facecolor=theme.paper, edgecolor=theme.limit, hatch="xxxx")
            else:
                bar.set(facecolor=theme.paper, edgecolor=looks[tiers], hatch="....")
    failed = shown[shown["state"] == "error"]
    # A bar may be too narrow for its hatch to be seen.
    middles = failed["left"] + failed["days"] / 2
    axes.plot(middles, failed["row"] + 0.55, linestyle="", marker="v", markersize=5, color=theme.limit)


_TOLD = {"completed": "{}", "error": "{}: ended in error", "pending": "{}: pending at the end"}


def _dates(outcome: "Outcome", seconds: Iterable[float]) -> list[float]:
    """Give moments as matplotlib counts them [days since 1970]."""
    start = epoch_of(outcome.scenario.start, "start")
    return [(start + each) / DAY for each in seconds]
