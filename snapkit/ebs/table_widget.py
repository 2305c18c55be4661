"""A table for a notebook that can be sorted, searched and paged; it is made by itables, an extra."""

from collections.abc import Sequence

import pandas as pd
from ipywidgets import HTML, VBox

from snapkit import _html
from snapkit.errors import InvalidRequest


def table_widget(titles: Sequence[str], rows: Sequence[Sequence[str]], values: pd.DataFrame, note: str) -> VBox:
    """Make the widget. Its scripts come with itables, none over the network, and what it shows is text, never HTML.

    Args:
        titles: of the columns.
        rows: what is shown.
        values: what stands behind that, in the same columns and rows; what is no text is sorted by it.
        note: what stands below.

    Raises:
        InvalidRequest: itables is not installed.
    """
    try:
        from itables.widget import ITable
    except ImportError as error:
        remedy = "run pip install 'snapkit[lab]'; a listing shows itself as a plain table without it"
        raise InvalidRequest("widget", "itables", "is not installed", remedy) from error
    shown = pd.DataFrame(list(rows), columns=list(titles), dtype=object)
    sorts = []
    for place, (name, column) in enumerate(values.items()):
        if column.dtype != "string":
            sorts.append({"targets": place, "orderData": len(shown.columns)})
            shown[f"{name}, to sort by"] = column.rank(method="dense", na_option="top").astype("int64").to_numpy()
    hidden = list(range(len(titles), len(shown.columns)))
    table = ITable(
        shown,
        columnDefs=[*sorts, {"targets": hidden, "visible": False, "searchable": False}],
        showIndex=False,
        allow_html=False,
        maxBytes=0,
        maxRows=0,
        maxColumns=0,
        scrollX=True,
        text_in_header_can_be_selected=False,
    )
    # Not as its caption: that is lost as soon as the table is drawn.
    return VBox([table, HTML(_html.note(note))])
