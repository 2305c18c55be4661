"""What a strategy keeps, day by day."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch, Rectangle

from simulation.plots.canvas import HATCHES, legend, note, panels, theme_of
from snapkit._picture import Picture, Theme
from snapkit.strategy import Strategy
from snapkit.strategy.kept import KeptDays, kept_days

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def calendar(
    strategy: Strategy,
    at: datetime,
    *,
    since: datetime | None = None,
    theme: str = "light",
) -> Picture:
    """Draw of which days a strategy has snapshots at a moment, how many, and what keeps them.

    Every due time since the strategy took over is taken to have its snapshot, started and completed at once. A row is a
    month, the newest on top; beyond two years a row is a year and a cell a month. A cell has the colour and hatch of
    what keeps its snapshots: of several the one that is named first, rules of a retention or tiers of a strategy.
    Days are those of the first tier's retention. Archived snapshots and copies are left out.

    Args:
        strategy: when to snapshot, what to keep.
        at: the moment, with a time zone.
        since: when the strategy took over; by default long enough ago that all that it keeps is there, a year at
            least, but five years and 50,000 due times at most.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        InvalidRequest: a moment has no time zone, or the strategy took over after it.
    """
    kept = kept_days(strategy, at, since)
    picture = Picture(8.4, 1.0 + max(1.0, (0.197 if kept.by_day else 0.45) * len(kept.rows)), theme)
    (axes,) = panels(picture)
    title = f"What {strategy.name} keeps on {kept.today:%d %B %Y}"
    count = f"{len(kept.snapshots):,} snapshots"
    picture.alt = f"{count} that {strategy.name} keeps on {kept.today}, the oldest of {kept.oldest}"
    if not kept.snapshots:
        note(axes, f"nothing was due since {kept.since}: nothing is kept", title)
        return picture
    _cells(axes, kept)
    _outline(axes, kept)
    _frame(axes, kept)
    axes.set_title(f"{title}: {count}")
    return picture


def _cells(axes: "Axes", kept: KeptDays) -> None:
    """Draw a frame for every cell, and fill those of which something is kept."""
    theme = theme_of(axes)
    looks = {name: _look(theme, number) for number, name in enumerate(kept.names)}
    empty = [_cell(*place) for place in kept.empty]
    axes.add_collection(PolyCollection(empty, facecolor="none", edgecolor=theme.line, linewidth=0.5, alpha=0.6))
    filled = sorted(kept.cells.items())
    for name, look in looks.items():
        cells = [_cell(*place) for place, cell in filled if cell.by == name]
        axes.add_collection(PolyCollection(cells, label=name, linewidth=0.5, **look))
    for place, cell in kept.cells.items():
        if cell.count > 1:
            _write(axes, place, cell.count, hatched=bool(looks[cell.by]["hatch"]))
    seen = {cell.by for cell in kept.cells.values()}
    handles = [Patch(label=name, linewidth=0.5, **look) for name, look in looks.items() if name in seen]
    legend(axes, handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1.02), borderaxespad=0, title="kept as")


def _write(axes: "Axes", cell: tuple[int, int], count: int, *, hatched: bool) -> None:
    """Write how many snapshots a cell stands for, on paper where a hatch would make it hard to read."""
    theme = theme_of(axes)
    box = {"boxstyle": "round,pad=0.12", "facecolor": theme.paper, "edgecolor": "none", "alpha": 0.85}
    axes.text(
        *cell,
        f"{count}",
        ha="center",
        va="center_baseline",
        fontsize="x-small",
        color=theme.text if hatched else theme.paper,
        bbox=box if hatched else None,
    )


def _look(theme: Theme, number: int) -> dict[str, Any]:
    turn = number + number // len(theme.shades)
    hatch = HATCHES[turn % len(HATCHES)]
    return {
        "facecolor": theme.shades[number % len(theme.shades)],
        "edgecolor": theme.paper,
        "hatch": hatch,
        "hatch_linewidth": 0.6,
    }


def _cell(column: int, row: int) -> list[tuple[float, float]]:
    half = 0.44
    return [(column + x, row + y) for x, y in ((-half, -half), (half, -half), (half, half), (-half, half))]


def _outline(axes: "Axes", kept: KeptDays) -> None:
    """Mark the day, or the month, of the moment itself."""
    column, row = kept.place(kept.today)
    corner = (column - 0.5, row - 0.5)
    axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=theme_of(axes).limit, linewidth=1.5))


def _frame(axes: "Axes", kept: KeptDays) -> None:
    """Label columns and rows."""
    columns, rows = kept.columns, kept.rows
    ticks = [0, *range(4, 31, 5)] if kept.by_day else range(len(columns))
    axes.set_xticks(ticks, [columns[tick] for tick in ticks])
    axes.set_yticks(range(len(rows)), rows)
    axes.set(xlim=(-0.6, len(columns) - 0.4), ylim=(len(rows) - 0.4, -0.6), aspect="equal")
    axes.set_xlabel("day of the month" if kept.by_day else "month")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
