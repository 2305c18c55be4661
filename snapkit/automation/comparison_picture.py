"""A picture of forecast and fact: how long snapshots took, in the range that was forecast."""

from datetime import UTC
from typing import TYPE_CHECKING

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import LogLocator, NullLocator

from snapkit._picture import Picture
from snapkit.units import HOUR, MINUTE

if TYPE_CHECKING:
    from snapkit.automation.comparison import Comparison

_UNITS = {"h": HOUR, "min": MINUTE, "s": 1}


def draw(comparison: "Comparison", theme: str) -> Picture:
    """Draw the range of each duration that was forecast, and a point for each that happened.

    Args:
        comparison: what to draw.
        theme: ``"light"`` or ``"dark"``.
    """
    picture = Picture(9, 4, theme)
    usual = comparison.snapshots["fact_s"].median()
    unit = next((name for name, length in _UNITS.items() if usual >= length), "s")
    rows = comparison.snapshots[["forecast_s", "low_s", "high_s", "fact_s"]] / _UNITS[unit]
    colours = picture.theme
    axes = picture.subplots()
    axes.set_facecolor(colours.paper)
    ranged = rows["low_s"].notna().any()
    if ranged:
        band = axes.fill_between(rows.index, rows["low_s"], rows["high_s"], step="mid", label="forecast, eight in ten")
        band.set(color=colours.pale, alpha=0.6, linewidth=0)
    axes.step(rows.index, rows["forecast_s"], where="mid", color=colours.ink, linewidth=1, label="forecast")
    beyond = comparison.beyond
    for these, name, marker, colour in (
        (~beyond, "fact", "o", colours.text),
        (beyond, "fact, beyond the range", "^", colours.limit),
    ):
        if these.any():
            axes.plot(rows.index[these], rows["fact_s"][these], marker, markersize=4, color=colour, label=name)
    # Names are what users wrote, and no formulas.
    title = f"{comparison.strategy} on {comparison.volume}: how long snapshots took"
    axes.set_title(title, color=colours.text, parse_math=False)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter("{x:g}")
    locator = AutoDateLocator(tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, tz=UTC))  # type: ignore[no-untyped-call]
    axes.set_xlabel("due [UTC]", color=colours.text)
    axes.set_ylabel(f"took [{unit}]", color=colours.text)
    axes.tick_params(which="both", colors=colours.text)
    axes.xaxis.get_offset_text().set_color(colours.text)
    for spine in axes.spines.values():
        spine.set_color(colours.line)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, color=colours.line, alpha=0.5)
    if len(rows):
        look = {"facecolor": colours.paper, "edgecolor": "none", "labelcolor": colours.text}
        picture.legend(loc="outside lower center", ncols=4, **look)
    told = f", {beyond.sum():,} of them beyond the range that was forecast" if ranged else ""
    picture.alt = f"how long {len(rows):,} snapshots of {comparison.volume} took{told}"
    return picture
