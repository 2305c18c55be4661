"""Plain values in, stable escaped HTML out."""

import re
from collections.abc import Sequence
from html import escape

_NUMBER = re.compile(r"-?\$?\d")
_SHORT = 24
_WHOLE = "; white-space: nowrap"
"""So that ids and times are not broken in two."""


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Write a table; columns of numbers, with or without unit, are set to the right, all others to the left."""
    cells = [[str(value) for value in row] for row in rows]
    numeric = [all(_NUMBER.match(row[place]) for row in cells) for place in range(len(columns))]
    sides = ["right" if each else "left" for each in numeric]
    body = "".join(_row("td", row, sides) for row in cells)
    return f"<table><thead>{_row('th', columns, sides)}</thead><tbody>{body}</tbody></table>"


def note(text: str) -> str:
    """Write a line of text."""
    return f"<p>{escape(text)}</p>"


def _row(tag: str, cells: Sequence[str], sides: Sequence[str]) -> str:
    written = (
        f'<{tag} style="text-align: {side}{_WHOLE if len(cell) <= _SHORT else ""}">{escape(cell)}</{tag}>'
        for cell, side in zip(cells, sides, strict=True)
    )
    return f"<tr>{''.join(written)}</tr>"
