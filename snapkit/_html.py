"""Plain values in, stable escaped HTML out."""

from collections.abc import Iterable, Sequence
from html import escape


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table; cells that begin with a number are set to the right, all others to the left."""
    head = "".join(f'<th style="text-align: left">{escape(column)}</th>' for column in columns)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: object) -> str:
    text = str(value)
    side = "right" if text[:1].isdigit() or text[:1] in "$-" else "left"
    return f'<td style="text-align: {side}">{escape(text)}</td>'
