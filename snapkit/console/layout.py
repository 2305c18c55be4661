"""The widgets of a page and how they lie; what they do is up to the page."""

from collections.abc import Sequence
from html import escape
from typing import Any

import ipywidgets

from snapkit.console.grid import Grid
from snapkit.ebs.listing import Column

SIZES = (10, 25, 50, 100)
"""How many rows a page may have; the original's "Show N entries" had most of them."""
EVERYWHERE = ""
"""The value of a switch that leaves nothing out."""
_NUMBERS = ("int64", "Int64")
_OWN_WIDTH = {"style": {"description_width": "auto"}, "layout": {"width": "auto", "max_width": "100%"}}


class Layout:
    """The widgets of a page.

    Attributes:
        box: all of them.
    """

    def __init__(self, noun: str, columns: Sequence[Column[Any]], sorted_by: str, meter: str) -> None:
        """Lay them out.

        Args:
            noun: what the rows are.
            columns: of the grid.
            sorted_by: name of the column by which it is sorted in the beginning; what is no text, the largest first.
            meter: name of the column in which it is shown how far something is.
        """
        everywhere = [("all", EVERYWHERE)]
        self.account = ipywidgets.Dropdown(options=everywhere, description="Account", **_OWN_WIDTH)
        self.place = ipywidgets.Dropdown(options=everywhere, description="Region", **_OWN_WIDTH)
        self.filter = ipywidgets.Text(description="Filter", placeholder="words of any column or tag", **_OWN_WIDTH)
        self.filter.layout.width = "320px"
        self.size = ipywidgets.Dropdown(options=SIZES, value=25, description="Rows", **_OWN_WIDTH)
        self.again, self.clear = button("Refresh"), button("Clear selection")
        self.back, self.forth = button("\u2039 Previous"), button("Next \u203a")
        self.count, self.ticked = ipywidgets.Label(), ipywidgets.Label()
        self.bulk, self.deeds, self.form = _row(), _row(), ipywidgets.VBox()
        self.status, self.alert, self.facts, self.title = (ipywidgets.HTML() for _ in range(4))
        self.grid = Grid(
            label=f"{noun.capitalize()}s",
            columns=[
                {"title": each.title, "right": each.dtype in _NUMBERS, "down": each.dtype != "string",
                 "meter": each.name == meter} for each in columns
            ],
        )  # fmt: skip
        first = [each.name for each in columns].index(sorted_by)
        self.grid.order = {"column": first, "down": self.grid.columns[first]["down"]}
        self.detail = ipywidgets.VBox([self.title, self.deeds, self.form, self.facts])
        show(self.detail, shown=False)
        top = _row(self.filter, self.account, self.place, self.again)
        pager = _row(self.bulk, self.count, self.back, self.forth, self.size)
        self.box = ipywidgets.VBox([top, pager, self.grid, self.status, self.alert, self.detail])
        for each, name in ((self.box, ""), (self.count, "-counted"), (self.detail, "-detail"), (self.deeds, "-deeds")):
            each.add_class(f"snapkit-page{name}")

    def switch(self, control: Any, choices: Sequence[tuple[str, str]]) -> None:
        """Offer the choices of a switch; where there is only one there is nothing to switch."""
        control.options = [("all", EVERYWHERE), *choices]
        show(control, shown=len(choices) > 1)


def button(title: str) -> Any:
    """Make a button that is as wide as it has to be."""
    return ipywidgets.Button(description=title, layout={"width": "auto"})


def show(widget: Any, *, shown: bool) -> None:
    """Show or hide a widget."""
    widget.layout.display = None if shown else "none"


def alert(error: Exception) -> str:
    """Write what went wrong."""
    return f'<div role="alert" class="snapkit-page-alert">{escape(str(error) or repr(error))}</div>'


def status(text: str) -> str:
    """Write what goes on."""
    return f'<div role="status">{escape(text)}</div>'


def heading(text: str) -> str:
    """Write what a detail is of."""
    return f"<h3>{escape(text)}</h3>"


def facts(told: dict[str, str]) -> str:
    """Write what is known, by name; what is not known is left out."""
    rows = "".join(f"<div><dt>{escape(a)}</dt><dd>{escape(b)}</dd></div>" for a, b in told.items() if b)
    return f"<dl>{rows}</dl>"


def absent(why: dict[str, str]) -> list[Any]:
    """Make what tells, on request, why actions are missing; nothing where none is."""
    if not why:
        return []
    rows = "".join(f"<li>{escape(title)}: {escape(told)}</li>" for title, told in why.items())
    return [ipywidgets.HTML(f"<details><summary>Why is something missing?</summary><ul>{rows}</ul></details>")]


def _row(*children: Any) -> Any:
    return ipywidgets.HBox(children, layout={"flex_flow": "row wrap"})
