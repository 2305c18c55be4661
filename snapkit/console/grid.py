"""The table of a page, in the browser: one page of rows, whose headings and rows can be clicked.

It is ours because the table of itables takes 140 ms to show other rows, for it makes itself anew, and keeps to itself
by which column somebody sorts. This one holds rows as text only, and what it shows of them is text, never HTML.
"""

from pathlib import Path
from typing import Any, ClassVar

import traitlets

try:
    import anywidget
except ImportError as error:
    told = "the pages of snapkit.console stand on anywidget; install it with: pip install 'snapkit[lab]'"
    raise ImportError(told) from error

_HERE = Path(__file__).parent


class Grid(anywidget.AnyWidget):
    """What the browser shows of a `Table`.

    Attributes:
        label: what it is, for those who hear it.
        columns: each with its ``title``, whether it is to the ``right``, sorts ``down`` first, and has the ``meter``.
        order: by which ``column`` the rows are sorted, and whether ``down``; a click on a heading sets it.
        ids: of the rows shown.
        rows: what stands in them, as text.
        nothing: what stands there where there are no rows.
        checked: which of them are ticked; a click sets it.
        current: the id of the row that was clicked last, or nothing.
        meters: how far those in progress are [%], by id.
    """

    _esm: ClassVar[Path] = _HERE / "grid.js"
    _css: ClassVar[Path] = _HERE / "grid.css"

    label: Any = traitlets.Unicode().tag(sync=True)
    columns: Any = traitlets.List().tag(sync=True)
    order: Any = traitlets.Dict().tag(sync=True)
    ids: Any = traitlets.List().tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    nothing: Any = traitlets.Unicode().tag(sync=True)
    checked: Any = traitlets.List().tag(sync=True)
    current: Any = traitlets.Unicode().tag(sync=True)
    meters: Any = traitlets.Dict().tag(sync=True)
