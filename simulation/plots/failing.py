"""What failures lose, and how long it takes to be back, over many of them."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulation.plots.canvas import LINES, grid, legend, note, panels, theme_of, time_scale
from snapkit._picture import Picture
from snapkit.units import seconds_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def losses(struck: pd.DataFrame, *, theme: str = "light") -> Picture:
    """Draw the distributions of RPO and RTO: which share of the failures loses, or lasts, at most so long.

    The thick line holds all failures, with its median and 95th percentile; where nothing is left of the data it ends
    below 100 %. The thin ones hold those that were made good from one source each.

    Args:
        struck: what `simulation.failures.strike` gives.
        theme: ``"light"`` or ``"dark"``.
    """
    picture = Picture(10, 4, theme)
    left, right = panels(picture, 1, 2)
    picture.alt = f"distributions of RPO and RTO over {len(struck):,} failures"
    lost = int(struck["rpo_s"].isna().sum())
    if lost == len(struck):
        words = "no failure struck" if not len(struck) else f"all {lost:,} failures leave nothing to restore"
        note(left, words, "RPO: data lost")
        note(right, words, "RTO: time until it serves again")
        return picture
    colours = theme_of(left)
    sources = struck["by"][struck["rpo_s"].notna()].value_counts()
    for number, (source, count) in enumerate(sources.items()):
        if len(sources) > 1:
            part = struck["rpo_s"][struck["by"] == source]
            _curve(
                left, part, len(part), f"by {source} ({count:,})", LINES[1 + number % 4], colours.shades[1 + number % 3]
            )
    whole = f"all {len(struck):,}" if len(sources) > 1 else f"all {len(struck):,}, by {sources.index[0]}"
    _curve(left, struck["rpo_s"], len(struck), whole, "-", colours.ink, width=2.2)
    _curve(right, struck["rto_s"], len(struck), "serves again", "-", colours.ink, width=2.2)
    _curve(right, struck["warm_s"], len(struck), "at full speed", "--", colours.shades[1])
    for axes, title, columns in (
        (left, "RPO: data lost", ["rpo_s"]),
        (right, "RTO: time until it serves again", ["rto_s", "warm_s"]),
    ):
        longest = float(struck[columns].max().max())
        _quantiles(axes, struck[columns[0]], longest)
        _finish(axes, longest, title, lost / len(struck))
    return picture


def _curve(
    axes: "Axes", seconds: pd.Series, count: int, label: str, line: object, colour: str, *, width: float = 1.3
) -> None:
    """Draw the share of so many failures that does not exceed each time."""
    known = np.sort(seconds.dropna().to_numpy(np.float64))
    shares = np.arange(len(known) + 1) / count
    axes.step([0.0, *known], shares, where="post", color=colour, linewidth=width, linestyle=line, label=label)


def _quantiles(axes: "Axes", seconds: pd.Series, longest: float) -> None:
    """Mark the median and the 95th percentile, where so many failures leave anything."""
    theme = theme_of(axes)
    known = np.sort(seconds.fillna(np.inf).to_numpy(np.float64))
    for share, name in ((0.5, "median"), (0.95, "95th percentile")):
        at = float(known[int(np.ceil(share * len(known))) - 1])
        if not np.isfinite(at):
            axes.annotate(f"{name}: all is lost", (0.02, share), xycoords=("axes fraction", "data"), color=theme.limit)
            continue
        axes.plot(at, share, "o", color=theme.limit, markeredgecolor=theme.paper, markersize=7, zorder=5)
        left = at < 0.55 * longest
        axes.annotate(
            f"{name} {seconds_text(at)}", (at, share), (9 if left else -9, -4), textcoords="offset points",
            ha="left" if left else "right", va="top" if left else "bottom", color=theme.text, fontsize="small",
        )  # fmt: skip


def _finish(axes: "Axes", longest: float, title: str, lost: float) -> None:
    axes.set(title=title, xlabel="at most so long", ylabel="share of the failures", ylim=(0, 1.06))
    axes.set_xlim(0, 1.08 * longest or 1)
    time_scale(axes.xaxis, 1.08 * longest)
    axes.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.0f} %")
    if lost:
        axes.axhline(1 - lost, color=theme_of(axes).limit, linestyle=":", label=f"{lost:.1%} leave nothing")
    grid(axes)
    legend(axes, loc="lower right")
