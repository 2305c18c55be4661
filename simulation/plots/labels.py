"""Names beside points, none over another; numbers and a list where there is no room."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.transforms import Bbox

from simulation.plots.canvas import picture_of, theme_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

Point = tuple[float, float]
Line = tuple[Point, Point]

_PLACES = tuple(
    (across * far, up * far)
    for far in (10, 17, 26)
    for across, up in ((1, 0), (1, 0.9), (1, -0.9), (-1, 0), (-1, 0.9), (-1, -0.9), (0, 1), (0, -1))
)
"""Where a name may be, from its point [points]; the first that is free is taken."""
_MARKER = 5.0
"""How far a marker reaches around its point [points]."""


def name_points(
    axes: "Axes", points: Sequence[Point], names: Sequence[str], others: Sequence[Point], lines: Sequence[Line]
) -> None:
    """Write each name beside its point; if not all find a place, number those that do and list them at the right.

    Args:
        axes: with everything else drawn already.
        points: to be named, in data coordinates, the most important first.
        names: as many.
        others: points that are not to be written over.
        lines: upright and level lines that are written over only where there is no other place, by their two ends.
    """
    picture_of(axes).draw_without_rendering()  # so that the layout is settled
    made = _written(axes, points, names)
    if all(_arrange(axes, points, made, others, lines)):
        return
    for each in made:
        each.remove()
    numbered = _written(axes, points, [str(number) for number in range(1, len(points) + 1)])
    listed = []
    placed = _arrange(axes, points, numbered, others, ())
    for text, name, found in zip(numbered, names, placed, strict=True):
        if found:
            listed.append(name)
            text.set_text(str(len(listed)))
        else:
            text.remove()
    axes.annotate(
        "\n".join(f"{number}.  {name}" for number, name in enumerate(listed, 1)),
        (1.02, 1),
        xycoords="axes fraction",
        va="top",
        fontsize="small",
        linespacing=1.5,
        color=theme_of(axes).text,
        parse_math=False,
    )


def _written(axes: "Axes", points: Sequence[Point], names: Sequence[str]) -> "list[Annotation]":
    theme = theme_of(axes)
    look: dict[str, Any] = {"fontsize": "small", "color": theme.text, "parse_math": False, "zorder": 6}
    look["arrowprops"] = {"arrowstyle": "-", "color": theme.line, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 4}
    pairs = zip(points, names, strict=True)
    return [axes.annotate(name, point, (0, 0), textcoords="offset points", **look) for point, name in pairs]


def _arrange(
    axes: "Axes",
    points: Sequence[Point],
    names: "Sequence[Annotation]",
    others: Sequence[Point],
    lines: Sequence[Line],
) -> list[bool]:
    """Move each name to a place that is free; tell which of them found one."""
    scale = picture_of(axes).dpi / 72
    inside = axes.get_window_extent()
    reach = _MARKER * scale
    centres = axes.transData.transform([*points, *others])
    taken = [Bbox.from_bounds(x - reach, y - reach, 2 * reach, 2 * reach) for x, y in centres]
    drawn = [Bbox(np.sort(axes.transData.transform(line), axis=0)).padded(1) for line in lines]
    found = []
    for centre, name in zip(centres, names, strict=False):
        box = name.get_window_extent()
        places = [(place, _moved(box, centre, place, scale)) for place in _PLACES]
        free = [each for each in places if _within(each[1], inside) and not each[1].count_overlaps(taken)]
        clear = [each for each in free if not each[1].count_overlaps(drawn)]
        found.append(bool(free))
        if free:
            place, there = (clear or free)[0]
            taken.append(there)
            name.set_position(place)
            across, up = place
            name.set_horizontalalignment("left" if across > 0 else "right" if across < 0 else "center")
            name.set_verticalalignment("bottom" if up > 0 else "top" if up < 0 else "center")
    return found


def _moved(box: Bbox, centre: Point, place: Point, scale: float) -> Bbox:
    """Tell where a name would be."""
    (x, y), (across, up) = centre, place
    left = x + across * scale - (0 if across > 0 else box.width if across < 0 else box.width / 2)
    bottom = y + up * scale - (0 if up > 0 else box.height if up < 0 else box.height / 2)
    return Bbox.from_bounds(left, bottom, box.width, box.height)


def _within(box: Bbox, other: Bbox) -> bool:
    return bool(other.x0 <= box.x0 and box.x1 <= other.x1 and other.y0 <= box.y0 and box.y1 <= other.y1)
