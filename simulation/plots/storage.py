"""What the snapshots of a run store over time, and which of them store it."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulation.plots.canvas import date_axis, grid, legend, note, panels, theme_of
from snapkit._picture import Picture
from snapkit.blocks import Lineage
from snapkit.units import GIB

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from simulation.outcome import Outcome

_SINGLE = 12
"""Up to so many snapshots each have an area of their own; more are drawn by tiers."""
_MOMENTS = 400
"""At so many moments the areas are drawn at most."""
_OLDEST = "oldest"
_GONE = ", deleted later"
_TIERS = 3
"""So many combinations of tiers are told apart; the rest are drawn as one."""


def stored(outcome: "Outcome", *, theme: str = "light") -> Picture:
    """Draw which snapshots store how much over time [GiB].

    Above, what the snapshots in the standard tier store together, of which the oldest holds a full volume. Below, what
    each of the others holds: the blocks changed since the one before it. Of more than twelve they are drawn by their
    tiers, and hatched where they are deleted before the end of the run.

    Args:
        outcome: of a run.
        theme: ``"light"`` or ``"dark"``.
    """
    strategy = outcome.scenario.strategy.name
    total = outcome.stored / GIB
    picture = Picture(8, 5, theme)
    picture.alt = f"bytes stored over time by the snapshots of {strategy}, {len(outcome.log.started):,} in all"
    above, below = panels(picture, 2, 1, height_ratios=[2, 3], sharex=True)
    title = f"Stored by snapshots: {strategy}"
    if not len(total) or total.max() == 0:
        note(above, "nothing is stored: no snapshot was taken, or there is no data", title)
        note(below, "")
        return picture
    colours = theme_of(above)
    above.step(total.index, total, where="post", color=colours.ink, linewidth=1, label="all together")
    above.set(title=title, ylabel="stored [GiB]")
    above.set_ylim(0, 1.08 * total.max())
    held = _held(outcome)
    oldest = held.pop(_OLDEST)
    above.fill_between(held.index, 0, oldest, color=colours.pale, linewidth=0, step="post", label="by the oldest")
    below.set(title="Held by the others", ylabel="stored [GiB]")
    # What is there at the last moment only has no width.
    if held[:-1].empty or held[:-1].to_numpy().max() == 0:
        note(below, "the oldest snapshot holds all that is stored")
    else:
        _areas(below, held)
    for axes in (above, below):
        grid(axes)
        legend(axes, loc="upper left", bbox_to_anchor=(1.01, 1.0))
    date_axis(below)
    return picture


def _held(outcome: "Outcome") -> pd.DataFrame:
    """Follow how much each group of snapshots holds [GiB], by moment (UTC): one column each, and one of the oldest."""
    scenario, log = outcome.scenario, outcome.log
    changed, blocks = scenario.workload.changed_between, scenario.blocks
    # The oldest counts for nothing here: it holds what is left of the total.
    lineage = Lineage(lambda a, b: min(changed(a, b), blocks), 0.0)
    starts = [(at, 1, number) for number, at in enumerate(log.started)]
    ends = [(at, 0, number) for number, at in enumerate(log.deleted) if np.isfinite(at)]
    events = sorted([*starts, *ends, *((at, 0, number) for number, at in log.failed.items())])
    groups = _groups(outcome)
    every = max(1, len(events) // _MOMENTS)
    rows, moments = [], []
    for place, (at, begins, number) in enumerate(events):
        if begins:
            lineage.add(at)
        else:
            lineage.delete(log.started[number])
        if place % every == 0 or place == len(events) - 1:
            row = dict.fromkeys(groups.values(), 0.0)
            for time in lineage:
                row[groups[time]] += lineage.increment(time)
            rows.append(row)
            moments.append(at)
    moments.append(scenario.horizon_seconds)
    held = pd.DataFrame([*rows, rows[-1]])
    total = np.array(log.stored, float)[np.searchsorted(log.stored_at, moments, side="right") - 1]
    held[_OLDEST] = np.maximum(total - held.sum(axis=1), 0.0)
    held.index = pd.Timestamp(scenario.start).tz_convert("UTC") + pd.to_timedelta(moments, unit="s")
    return held * (scenario.workload.block_size / GIB)


def _groups(outcome: "Outcome") -> dict[float, str]:
    """Name the area that each snapshot belongs to, by its start [s]: its own, or that of its tiers and its fate."""
    log = outcome.log
    if len(log.started) <= _SINGLE:
        moments = outcome.snapshots["started"]
        return {at: f"of {moment:%d %b %H:%M}" for at, moment in zip(log.started, moments, strict=True)}
    names = [", ".join(tiers) for tiers in log.tiers]
    first = list(dict.fromkeys(names))[:_TIERS]
    gone = np.isfinite(log.deleted)
    gone[list(log.failed)] = True
    return {
        at: (name if name in first else "other tiers") + (_GONE if deleted else "")
        for at, name, deleted in zip(log.started, names, gone, strict=True)
    }


def _areas(axes: "Axes", held: pd.DataFrame) -> None:
    """Stack the areas, those of snapshots that are kept below the others."""
    theme = theme_of(axes)
    shown = sorted(held.columns[held.max() > 0], key=lambda name: str(name).endswith(_GONE))
    names = list(dict.fromkeys(name.removesuffix(_GONE) for name in shown))
    bottom = np.zeros(len(held))
    for name in shown:
        top = bottom + held[name].to_numpy()
        axes.fill_between(
            held.index,
            bottom,
            top,
            step="post",
            facecolor=theme.shades[names.index(name.removesuffix(_GONE)) % 4],
            edgecolor=theme.paper,
            linewidth=0.4,
            hatch="////" if name.endswith(_GONE) else None,
            label=name,
        )
        bottom = top
    axes.set_ylim(0, 1.08 * bottom.max())
