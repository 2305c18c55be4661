"""What `find` gives: a sequence that shows itself as a table."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, Generic, TypeVar, overload

import numpy as np
import pandas as pd
from dateutil.tz import tzutc

from snapkit import _html

Item = TypeVar("Item")
_SHOWN = 50


@dataclass(frozen=True)
class Column(Generic[Item]):
    """A column of a listing.

    Attributes:
        title: its heading for people.
        shown: the value as people read it.
        name: its name in a frame, with the unit.
        value: the value itself.
        dtype: of pandas.
    """

    title: str
    shown: Callable[[Item], str]
    name: str
    value: Callable[[Item], Any]
    dtype: str = "string"


class Listing(Sequence[Item]):
    """Resources that were found, in order.

    Attributes:
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
        self._items = tuple(items)
        self._columns = tuple(columns)
        self._noun = noun
        self.dropped = dict(dropped or {})

    @overload
    def __getitem__(self, index: int) -> Item: ...

    @overload
    def __getitem__(self, index: slice) -> "Listing[Item]": ...

    def __getitem__(self, index: int | slice) -> "Item | Listing[Item]":
        if isinstance(index, slice):
            return Listing(self._items[index], self._columns, noun=self._noun, dropped=self.dropped)
        return self._items[index]

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item]:
        return iter(self._items)

    def to_frame(self) -> pd.DataFrame:
        """Make a frame, one row each; columns that hold a quantity have its unit in their name."""
        return pd.DataFrame(
            {column.name: _series(list(map(column.value, self._items)), column.dtype) for column in self._columns}
        )

    def _rows(self) -> list[tuple[str, ...]]:
        return [tuple(column.shown(item) for column in self._columns) for item in self._items[:_SHOWN]]

    def _counted(self) -> str:
        found = f"{len(self):,} {self._noun}{'' if len(self) == 1 else 's'}"
        more = f", the first {_SHOWN} shown" if len(self) > _SHOWN else ""
        dropped = "".join(f"; {resource}: {reason}" for resource, reason in self.dropped.items())
        return f"{found}{more}{dropped}"

    def __repr__(self) -> str:
        return f"<{self._counted()}>"

    def _repr_html_(self) -> str:
        titles = [column.title for column in self._columns]
        return _html.table(titles, self._rows()) + _html.note(self._counted())


def _series(values: list[Any], dtype: str) -> "pd.Series[Any]":
    if dtype.startswith("datetime64") and None not in values:
        # Without the zone: pandas asks one of dateutil, which boto3 uses, for its offset each time.
        zones = {id(each.tzinfo): each.tzinfo for each in values}
        if not all(zone == UTC or isinstance(zone, tzutc) for zone in zones.values()):
            values = [each.astimezone(UTC) for each in values]
        naive = np.array([each.replace(tzinfo=None) for each in values], dtype="datetime64[ms]")
        return pd.Series(naive).dt.tz_localize("UTC")
    return pd.Series(values, dtype=dtype)
