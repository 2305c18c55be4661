"""What `find` gives: a sequence that shows itself as a table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

import numpy as np
import pandas as pd

from snapkit import _html
from snapkit.ebs.rows import Rows
from snapkit.errors import InvalidRequest

if TYPE_CHECKING:
    from ipywidgets import VBox

Item = TypeVar("Item")
_SHOWN = 50
_IN_WIDGET = 10_000
_BLOCK = 1000
"""How many rows are read column by column at a time, so that what AWS said of them is still in the cache."""


@dataclass(frozen=True)
class Column(Generic[Item]):
    """A column of a listing.

    Attributes:
        title: its heading for people.
        shown: the value as people read it.
        name: its name in a frame, with the unit.
        value: the value itself.
        dtype: of pandas.
        values: the same values, read from many `Rows` at once, where that is much quicker.
    """

    title: str
    shown: Callable[[Item], str]
    name: str
    value: Callable[[Item], Any]
    dtype: str = "string"
    values: Callable[[Rows[Any]], Sequence[Any]] | None = None

    def read(self, items: Sequence[Item]) -> Sequence[Any]:
        """Read the values of many."""
        if self.values is not None and isinstance(items, Rows):
            return self.values(items)
        return list(map(self.value, items))


class Listing(Sequence[Item]):
    """Resources that were found, in order.

    Attributes:
        items: the resources.
        dropped: ids that were asked for and are not there, each with the reason.
    """

    def __init__(
        self,
        items: Sequence[Item],
        columns: Sequence[Column[Item]],
        *,
        noun: str,
        dropped: Mapping[str, str] | None = None,
    ) -> None:
        self.items: Sequence[Item] = items if isinstance(items, Rows) else tuple(items)
        self._columns = tuple(columns)
        self._noun = noun
        self._shown = _SHOWN
        self.dropped = dict(dropped or {})

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> "Listing[Item]": ...

    def __getitem__(self, index: int | slice) -> "Item | Listing[Item]":
        if isinstance(index, slice):
            return Listing(self.items[index], self._columns, noun=self._noun, dropped=self.dropped)
        return self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def to_frame(self) -> pd.DataFrame:
        """Make a frame, one row each; columns that hold a quantity have its unit in their name."""
        values = [np.empty(len(self), dtype=object) for _ in self._columns]
        for start in range(0, len(self), _BLOCK):
            block = self.items[start : start + _BLOCK]
            for column, of_column in zip(self._columns, values, strict=True):
                of_column[start : start + _BLOCK] = column.read(block)
        made = {column.name: _array(values.pop(0), column.dtype) for column in self._columns}
        return pd.DataFrame(made, copy=False)

    def widget(self, rows: int = _IN_WIDGET) -> "VBox":
        """Make a table for a notebook that can be sorted, searched and paged.

        Args:
            rows: how many it has at most, from the first; how many there are stands below it.

        Raises:
            InvalidRequest: itables is not installed, or it is no number of rows.
        """
        if isinstance(rows, bool) or not isinstance(rows, int) or rows < 1:
            raise InvalidRequest("rows", rows, "is no number from 1 up", f"give one, say {_IN_WIDGET}")
        from snapkit.ebs.table_widget import table_widget

        whole = copy(self)
        whole._shown = rows
        return table_widget(whole._titles(), whole._rows(), self[:rows].to_frame(), whole._counted())

    def _titles(self) -> list[str]:
        return [column.title for column in self._columns]

    def _rows(self) -> list[tuple[str, ...]]:
        return [tuple(column.shown(item) for column in self._columns) for item in self.items[: self._shown]]

    def _counted(self) -> str:
        found = f"{len(self):,} {self._noun}{'' if len(self) == 1 else 's'}"
        more = f", the first {self._shown:,} shown" if len(self) > self._shown else ""
        dropped = "".join(f"; {resource}: {reason}" for resource, reason in self.dropped.items())
        return f"{found}{more}{dropped}"

    def __repr__(self) -> str:
        return f"<{self._counted()}>"

    def _repr_html_(self) -> str:
        return _html.table(self._titles(), self._rows()) + _html.note(self._counted())


def _array(values: "np.ndarray[Any, Any]", dtype: str) -> Any:
    """Make what a column of a frame is made of, in the way of pandas that is the quickest."""
    if dtype.startswith("datetime64"):
        return pd.to_datetime(values, utc=True).astype(dtype)
    if dtype == "Int64":
        missing = pd.isna(values)
        values[missing] = 0
        return pd.arrays.IntegerArray(values.astype("int64"), missing)
    if dtype == "string":
        return pd.array(values, dtype=pd.StringDtype(), copy=False)
    return values.astype(dtype) if dtype in ("int64", "float64") else pd.Series(values, dtype=dtype).array
