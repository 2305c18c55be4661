"""What the editor of strategies says in HTML: a tier in words, its next runs, a document, a calendar."""

from collections.abc import Iterator
from datetime import datetime
from html import escape
from itertools import islice
from zoneinfo import ZoneInfo

from snapkit import _html
from snapkit.strategy import Schedule, Tier
from snapkit.strategy.kept import KeptDays, Place

RUNS = 5
"""So many next runs are told."""
_SHADES = (1.0, 0.68, 0.46, 0.3, 0.18)
"""How strong the colours are of what keeps the snapshots of a day, the first reason strongest."""
_SIDE, _LEFT, _TOP = 20, 64, 18
_TEXT = "var(--jp-ui-font-color1, #222)"
_GROUND = "var(--jp-layout-color1, #fff)"
_FAINT = "var(--jp-border-color2, #ccc)"
_INK = "var(--jp-brand-color1, #1976d2)"
_FONT = "display: block; font-family: var(--jp-ui-font-family, sans-serif); font-size: 11px"
_RULES = """
.snapkit-form .snapkit-parts, .snapkit-form .snapkit-part { overflow: visible; }
.snapkit-form .snapkit-part { border-left: 3px solid var(--jp-border-color2, #bdbdbd); padding: 2px 0 4px 14px;
  margin: 4px 0 14px; }
.snapkit-form .snapkit-counts { display: grid; grid-template-columns: repeat(auto-fit, minmax(72px, 1fr));
  column-gap: 10px; row-gap: 2px; min-height: 100px; align-content: start; overflow: visible; }
.snapkit-form .snapkit-counts > .snapkit-field:not(.snapkit-hidden) { display: contents; }
.snapkit-form .snapkit-counts > .snapkit-field > .snapkit-note { grid-column: 1 / -1; order: 1; min-height: 0;
  padding: 0; }
.snapkit-form .snapkit-counts > .snapkit-field > .snapkit-control { align-self: end; }
.snapkit-form .snapkit-counts input { width: 100%; min-width: 0; }
.snapkit-form .snapkit-wordy > .snapkit-note { min-height: 76px; }
.snapkit-form .snapkit-said { font-size: 13px; }
.snapkit-form .snapkit-said p { margin: 4px 0; min-height: 38px; }
.snapkit-form .snapkit-said table { border-collapse: collapse; font-size: 12px; font-variant-numeric: tabular-nums; }
.snapkit-form .snapkit-said td, .snapkit-form .snapkit-said th { padding: 1px 18px 1px 0; text-align: left !important; }
.snapkit-form .snapkit-toml { margin: 0; padding: 8px 12px; overflow: auto; white-space: pre; font-size: 12px;
  line-height: 1.45; font-family: var(--jp-code-font-family, monospace);
  background: var(--jp-layout-color2, #eeeeee); color: inherit; }
.snapkit-form .snapkit-before { opacity: 0.55; }
"""
STYLE = f"<style>{_RULES}</style>"
"""Of the editor of strategies, besides that of all forms."""


def tier(made: Tier, now: datetime) -> str:
    """Write a tier in words, and its next runs after a moment."""
    words = made.describe()
    runs = list(islice(_runs(made.schedule, now), RUNS))
    zones = dict.fromkeys([made.schedule.timezone, "UTC"])
    rows = [[_wall(run.astimezone(ZoneInfo(zone))) for zone in zones] for run in runs]
    told = _html.table([f"next, {zone}" for zone in zones], rows) if runs else _html.note("It is never due again.")
    return f'<div role="status" class="snapkit-said">{_html.note(words[:1].upper() + words[1:])}{told}</div>'


def document(text: str) -> str:
    """Write a document as it is."""
    return f'<pre class="snapkit-toml" tabindex="0">{escape(text)}</pre>'


def calendar(kept: KeptDays) -> str:
    """Draw of which days there are snapshots."""
    wide = _LEFT + _SIDE * len(kept.columns) + 2
    high = _TOP + _SIDE * len(kept.rows) + 2
    marks = [*_labels(kept), _empty(kept), *_cells(kept), _today(kept)]
    size = f'viewBox="0 0 {wide} {high}" style="width: {wide}px; max-width: 100%; {_FONT}"'
    drawn = f'<svg role="img" aria-label="{escape(str(kept))}" {size}>{"".join(marks)}</svg>'
    return f"{STYLE}{drawn}{_legend(kept)}<div>{escape(f'{kept}.')}</div>"


def _runs(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    run = schedule.next_after(now)
    while run is not None:
        yield run
        run = schedule.next_after(run)


def _wall(run: datetime) -> str:
    return f"{run:%a %d %b %Y %H:%M}{f':{run:%S}' if run.second else ''} {run:%Z}"


def _labels(kept: KeptDays) -> Iterator[str]:
    for column, label in enumerate(kept.columns):
        if not kept.by_day or column == 0 or (column + 1) % 5 == 0:
            yield _text(_LEFT + _SIDE * (column + 0.5), _TOP - 5, label)
    for row, label in enumerate(kept.rows):
        yield _text(_LEFT - 6, _TOP + _SIDE * (row + 0.5) + 4, label, anchor="end")


def _empty(kept: KeptDays) -> str:
    path = "".join(f"M{x} {y}h{_SIDE - 2}v{_SIDE - 2}h{2 - _SIDE}z" for x, y in map(_corner, kept.empty))
    return f'<path d="{path}" fill="none" stroke="{_FAINT}"/>'


def _cells(kept: KeptDays) -> Iterator[str]:
    for place, cell in sorted(kept.cells.items()):
        number = kept.names.index(cell.by)
        x, y = _corner(place)
        named = f"{kept.rows[place[1]]}, {kept.columns[place[0]]}: {cell.count} kept, {cell.by}"
        label = ""
        if cell.count > 1:
            fill = _TEXT if number % len(_SHADES) else _GROUND
            label = _text(x + _SIDE / 2 - 1, y + _SIDE / 2 + 3, f"{cell.count}", fill=fill)
        yield f"<g><title>{escape(named)}</title>{_square(kept, cell.by, x, y)}{label}</g>"


def _today(kept: KeptDays) -> str:
    x, y = _corner(kept.place(kept.today))
    side = f'width="{_SIDE}" height="{_SIDE}"'
    return f'<rect x="{x - 1}" y="{y - 1}" {side} fill="none" stroke="{_TEXT}" stroke-width="1.5"/>'


def _legend(kept: KeptDays) -> str:
    side = f'width="{_SIDE}" height="{_SIDE}" style="vertical-align: middle"'
    items = [
        f'<span style="margin-right: 16px; white-space: nowrap"><svg aria-hidden="true" {side}>'
        f"{_square(kept, name, 1, 1)}</svg> {escape(name)}</span>"
        for name in kept.names
    ]
    return f'<div style="margin: 6px 0 2px">{"".join(items)}</div>'


def _square(kept: KeptDays, name: str, x: float, y: float) -> str:
    """Draw the cell of what keeps snapshots; shades that come again are struck through once more."""
    turn, shade = divmod(kept.names.index(name), len(_SHADES))
    # Few are set as far apart as they can be.
    strong = _SHADES[shade * max(1, (len(_SHADES) - 1) // max(1, len(kept.names) - 1))]
    look = f'fill="{_INK}" fill-opacity="{strong}" stroke="{_INK}"'
    strokes = "".join(
        f'<path d="M{x} {y + _SIDE - 2 - 5 * each}L{x + _SIDE - 2 - 5 * each} {y}" stroke="{_TEXT}"/>'
        for each in range(turn)
    )
    return f'<rect x="{x}" y="{y}" width="{_SIDE - 2}" height="{_SIDE - 2}" {look}/>{strokes}'


def _corner(place: Place) -> Place:
    column, row = place
    return _LEFT + _SIDE * column + 1, _TOP + _SIDE * row + 1


def _text(x: float, y: float, text: str, *, anchor: str = "middle", fill: str = _TEXT) -> str:
    return f'<text x="{x:g}" y="{y:g}" fill="{fill}" text-anchor="{anchor}">{escape(text)}</text>'
