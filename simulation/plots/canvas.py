"""What the pictures have in common: panels in the colours of their theme, axes of time and size, words for nothing."""

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from snapkit._picture import Picture, Theme
from snapkit.units import DAY, HOUR, MINUTE, WEEK, seconds_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

HATCHES = ("", "////", "....", "\\\\\\\\", "xxxx")
"""One for each shade of a theme, so that areas are told apart without colours."""
LINES = ("-", "--", "-.", ":", (0, (6, 1, 1, 1, 1, 1)))

_COARSE = (1, 10, MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY, WEEK, 30 * DAY, 90 * DAY, 365 * DAY)
_FINE = (2, 5, 20, 30, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 8 * HOUR, 12 * HOUR, 2 * DAY, 14 * DAY, 60 * DAY)


def panels(picture: Picture, rows: int = 1, columns: int = 1, **options: Any) -> "list[Axes]":
    """Lay out empty panels, row by row, in the colours of the picture's theme."""
    made = picture.subplots(rows, columns, squeeze=False, **options)
    for axes in made.flat:
        _dress(axes)
    return list(made.flat)


def _dress(axes: "Axes") -> None:
    """Give axes the colours of their picture's theme; what users wrote is shown as it is, not as formulas."""
    theme = theme_of(axes)
    axes.set_facecolor(theme.paper)
    axes.set_axisbelow(True)
    for spine in axes.spines.values():
        spine.set_color(theme.line)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(which="both", color=theme.line, labelcolor=theme.text)
    for text in (axes.title, axes.xaxis.label, axes.yaxis.label):
        text.set_color(theme.text)
        text.set_parse_math(False)
    for offset in (axes.xaxis.get_offset_text(), axes.yaxis.get_offset_text()):
        offset.set_color(theme.text)


def picture_of(axes: "Axes") -> Picture:
    """Find the picture that some axes are in."""
    return cast("Picture", axes.get_figure(root=True))


def theme_of(axes: "Axes") -> Theme:
    """Find the colours of the picture that some axes are in."""
    return picture_of(axes).theme


def grid(axes: "Axes", which: str = "both") -> None:
    """Draw a faint grid."""
    axes.grid(visible=True, axis=which, color=theme_of(axes).line, alpha=0.5, linewidth=0.6)  # type: ignore[arg-type]


def legend(axes: "Axes", **options: Any) -> None:
    """Name what is drawn, in the theme's colours."""
    handles, _ = axes.get_legend_handles_labels()
    if "handles" not in options and not handles:
        return
    theme = theme_of(axes)
    look = {"frameon": True, "framealpha": 0.85, "facecolor": theme.paper, "edgecolor": "none", "fontsize": "small"}
    made = axes.legend(**{**look, "labelcolor": theme.text, **options})
    made.get_title().set(color=theme.text, fontsize="small")
    for text in made.get_texts():
        text.set_parse_math(False)


def note(axes: "Axes", words: str, title: str = "") -> None:
    """Say in words why there is nothing to draw, instead of blank axes."""
    theme = theme_of(axes)
    axes.set_title(title)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(False)
    axes.text(
        0.5, 0.5, words, transform=axes.transAxes, ha="center", va="center", color=theme.text, wrap=True,
        parse_math=False,
    )  # fmt: skip


def time_axis(axes: "Axes") -> None:
    """Write lengths of time along the x axis, which is logarithmic [s]."""
    axes.set_xscale("log")
    axes.margins(x=0.1)
    shortest, longest = axes.get_xlim()
    ticks = _spaced(shortest, longest)
    axes.set_xticks(ticks, [seconds_text(tick) for tick in ticks])
    axes.minorticks_off()


def time_labels(axes: "Axes") -> None:
    """Write lengths of time along the y axis, which is logarithmic [s]."""
    axes.set_yscale("log")
    ticks = _spaced(*axes.get_ylim())
    axes.set_yticks(ticks, [seconds_text(tick) for tick in ticks])
    axes.yaxis.set_minor_locator(NullLocator())


def time_scale(axis: "Axis", longest: float) -> None:
    """Write lengths of time along an axis that is not logarithmic, from 0 to one [s]."""
    unit, length = unit_of(longest)
    values = np.asarray(MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(0, longest / length))
    ticks = values[(values >= 0) & (values <= longest / length)]
    axis.set_ticks(ticks * length, [f"{tick:g} {unit}" for tick in ticks])


def date_axis(axes: "Axes") -> None:
    """Write dates (UTC) along the x axis, as briefly as they can be told apart."""
    locator = AutoDateLocator(minticks=3, maxticks=8)  # type: ignore[no-untyped-call] # matplotlib.dates has no types
    formatter = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call] # likewise
    formatter.zero_formats[3] = "%d %b"
    formatter.offset_formats = ["", "%Y", "%b %Y", "%d %b %Y", "%d %b %Y", "%d %b %Y"]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
    axes.set_xlabel("UTC")


def log_axis(axes: "Axes") -> None:
    """Make the y axis logarithmic, with numbers written in full, not as powers."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 1000 * low else (1.0,)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def unit_of(longest: float) -> tuple[str, int]:
    """Choose the unit for times up to one [s]: its name and its length [s]."""
    units = (("d", DAY), ("h", HOUR), ("min", MINUTE))
    return next((unit for unit in units if longest > 2 * unit[1]), ("s", 1))


def _spaced(shortest: float, longest: float) -> list[float]:
    """Choose lengths of time to write at a logarithmic axis [s]: round ones, or a few between where those are rare."""
    for choice in (_COARSE, (*_COARSE, *_FINE)):
        ticks = [float(tick) for tick in sorted(choice) if shortest <= tick <= longest]
        if len(ticks) > 3:
            return ticks
    return ticks if len(ticks) > 1 else [float(tick) for tick in np.geomspace(shortest, longest, 5)[1:-1]]
