"""What a strategy keeps, day by day."""

import math
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from matplotlib.collections import PolyCollection
from matplotlib.patches import Patch, Rectangle

from simulation.plots.canvas import HATCHES, legend, note, panels, theme_of
from snapkit._picture import Picture, Theme
from snapkit.errors import InvalidRequest
from snapkit.strategy import Ledger, Strategy
from snapkit.strategy.ledger import Lane
from snapkit.strategy.zones import epoch_of
from snapkit.units import DAY, HOUR

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_YEAR = 366 * DAY
_LENGTHS = {"hourly": HOUR, "daily": DAY, "weekly": 7 * DAY, "monthly": 31 * DAY, "yearly": _YEAR}
_LONGEST = 5
"""So many years a strategy is followed at most."""
_MONTHS = 24
"""So many months are drawn day by day; what reaches back longer is drawn month by month."""
_NAMES = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True)
class _Kept:
    """One snapshot that is kept, on a day where the strategy counts days, and what keeps it."""

    day: date
    by: str


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
            least and five at most.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        InvalidRequest: a moment has no time zone, or the strategy took over after it.
    """
    now = epoch_of(at, "at")
    begin = now - _reach(strategy, now) if since is None else epoch_of(since, "since")
    if begin > now:
        raise InvalidRequest("since", since, f"is after {at}", "give an earlier moment, or leave it out")
    zone = ZoneInfo(strategy.tiers[0].retention.timezone)
    held = _held(strategy, begin, now, zone)
    today = datetime.fromtimestamp(now, zone).date()
    taken_over = datetime.fromtimestamp(begin, zone).date()
    oldest = min((each.day for each in held), default=today)
    months = 12 * (today.year - oldest.year) + today.month - oldest.month + 1
    by_day = months <= _MONTHS
    rows = months if by_day else today.year - oldest.year + 1
    picture = Picture(8.4, 1.0 + max(1.0, (0.197 if by_day else 0.45) * rows), theme)
    (axes,) = panels(picture)
    title = f"What {strategy.name} keeps on {today:%d %B %Y}"
    picture.alt = f"{len(held):,} snapshots that {strategy.name} keeps on {today}, the oldest of {oldest}"
    if not held:
        note(axes, f"nothing was due since {taken_over}: nothing is kept", title)
        return picture
    order = [name for name in _names(strategy) if any(each.by == name for each in held)]
    if by_day:
        _by_day(axes, held, order, (taken_over, today), rows)
    else:
        _by_month(axes, held, order, (taken_over, today), rows)
    axes.set_title(f"{title}: {len(held):,} snapshots")
    return picture


def _reach(strategy: Strategy, now: float) -> float:
    """Tell how far back it may keep snapshots [s], a year at least and five at most."""
    longest = float(_YEAR)
    for tier in strategy.tiers:
        upcoming = [*islice(tier.schedule.epochs(now), 2)]
        lengths = {**_LENGTHS, "last": upcoming[-1] - upcoming[0] if upcoming else 0.0}
        for rule in tier.retention.rules():
            if rule.span is not None:
                longest = max(longest, rule.span.about)
            elif not math.isinf(rule.limit):
                longest = max(longest, rule.limit * lengths[rule.bucket])
    return min(longest, _LONGEST * _YEAR)


def _held(strategy: Strategy, begin: float, now: float, zone: ZoneInfo) -> list[_Kept]:
    """Take a snapshot whenever one is due, and list those that are kept at the end, oldest first."""
    ledger = Ledger(strategy, begin)
    wanted: dict[float, list[Lane]] = {}
    for lane in ledger.lanes.values():
        schedule = lane.tier.schedule
        for slot in takewhile(lambda slot: slot <= now, schedule.epochs(begin - 1)):
            lanes = wanted.setdefault(schedule.next_opening(slot), [])
            # Two due times between windows share the snapshot that the next one allows.
            if lane not in lanes:
                lanes.append(lane)
    starts = sorted(moment for moment in wanted if moment <= now)
    for number, moment in enumerate(starts):
        ledger.start(number, moment, wanted[moment])
    ledger.complete_all(range(len(starts)))
    held = []
    for number, moment in enumerate(starts):
        keeping = [lane.tier.name for lane in wanted[moment] if lane.keeper.keeps(number)]
        if keeping:
            by = keeping[0] if len(ledger.lanes) > 1 else ledger.verdict(number)[1][0].removeprefix("oldest ")
            held.append(_Kept(datetime.fromtimestamp(moment, zone).date(), by))
    return held


def _names(strategy: Strategy) -> list[str]:
    """List what may keep a snapshot, in the order in which it is asked."""
    if len(strategy.tiers) > 1:
        return [tier.name for tier in strategy.tiers]
    return [rule.reason() for rule in strategy.tiers[0].retention.rules()]


def _by_day(axes: "Axes", held: list[_Kept], order: list[str], span: tuple[date, date], rows: int) -> None:
    first, today = span
    newest = 12 * today.year + today.month - 1

    def place(day: date) -> tuple[int, int]:
        return day.day - 1, newest - (12 * day.year + day.month - 1)

    begin = max(first, date(*_month(newest - rows + 1), 1))
    every = (begin + timedelta(days) for days in range((today - begin).days + 1))
    _cells(axes, {place(day) for day in every}, [(place(each.day), each.by) for each in held], order)
    _outline(axes, place(today))
    months = [_month(newest - row) for row in range(rows)]
    labels = [
        f"{_NAMES[month - 1]} {year}" if month in (1, 12) or not row else _NAMES[month - 1]
        for row, (year, month) in enumerate(months)
    ]
    axes.set_xticks([0, *range(4, 31, 5)], ["1", *map(str, range(5, 31, 5))])
    axes.set_yticks(range(rows), labels)
    _finish(axes, 31, rows, "day of the month")


def _by_month(axes: "Axes", held: list[_Kept], order: list[str], span: tuple[date, date], rows: int) -> None:
    first, today = span

    def place(day: date) -> tuple[int, int]:
        return day.month - 1, today.year - day.year

    last = 12 * today.year + today.month - 1
    begin = max(12 * first.year + first.month - 1, 12 * (today.year - rows + 1))
    every = {place(date(*_month(number), 1)) for number in range(begin, last + 1)}
    _cells(axes, every, [(place(each.day), each.by) for each in held], order)
    _outline(axes, place(today))
    axes.set_xticks(range(12), _NAMES)
    axes.set_yticks(range(rows), [str(today.year - row) for row in range(rows)])
    _finish(axes, 12, rows, "month")


def _cells(
    axes: "Axes", every: set[tuple[int, int]], kept: list[tuple[tuple[int, int], str]], order: list[str]
) -> None:
    """Draw a frame for every cell, and fill those of which something is kept."""
    theme = theme_of(axes)
    counts = Counter(cell for cell, _ in kept)
    looks = {name: _look(theme, number) for number, name in enumerate(order)}
    by: dict[tuple[int, int], str] = {}
    for cell, name in kept:
        by[cell] = min(by.get(cell, name), name, key=order.index)
    empty = [_cell(*cell) for cell in sorted(every - set(by))]
    axes.add_collection(PolyCollection(empty, facecolor="none", edgecolor=theme.line, linewidth=0.5, alpha=0.6))
    for name, look in looks.items():
        cells = [_cell(*cell) for cell, other in sorted(by.items()) if other == name]
        axes.add_collection(PolyCollection(cells, label=name, linewidth=0.5, **look))
    for cell, count in counts.items():
        if count > 1:
            _write(axes, cell, count, hatched=bool(looks[by[cell]]["hatch"]))
    handles = [Patch(label=name, linewidth=0.5, **look) for name, look in looks.items() if name in by.values()]
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


def _outline(axes: "Axes", cell: tuple[int, int]) -> None:
    """Mark the day, or the month, of the moment itself."""
    column, row = cell
    corner = (column - 0.5, row - 0.5)
    axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=theme_of(axes).limit, linewidth=1.5))


def _month(number: int) -> tuple[int, int]:
    """Tell year and month from the number of months since the year 0."""
    return number // 12, number % 12 + 1


def _finish(axes: "Axes", columns: int, rows: int, unit: str) -> None:
    axes.set(xlim=(-0.6, columns - 0.4), ylim=(rows - 0.4, -0.6), aspect="equal", xlabel=unit)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
