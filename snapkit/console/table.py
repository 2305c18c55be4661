"""The rows of a page: filtered, sorted and cut into pages on the side of Python, so that the browser holds few."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, lru_cache
from typing import Any, Generic, TypeVar

from snapkit.ebs._resource import Resource
from snapkit.ebs.listing import Column
from snapkit.ebs.rows import Raw, Rows
from snapkit.units import bytes_text

Item = TypeVar("Item", bound=Resource)

_BLOCK = 1000
"""How many rows are read column by column at a time, so that what AWS said of them is still in the cache."""


class Table(Generic[Item]):
    """Resources that were found, with the columns in which a page shows them.

    Attributes:
        items: the resources, newest first.
        columns: the columns.
    """

    def __init__(self, items: Sequence[Item], columns: Sequence[Column[Item]]) -> None:
        self.items = items
        self.columns = tuple(columns)
        self._orders: dict[int, list[int]] = {}
        self._texts: list[str] = []

    def __len__(self) -> int:
        return len(self.items)

    def found(self, text: str, column: int, *, down: bool) -> list[int]:
        """Tell which rows have every word of a text somewhere, in any case.

        Args:
            text: the words; none of them for all rows.
            column: by which they are sorted.
            down: whether the largest comes first; what is equal stays newest first.

        Returns:
            The places of the rows in `items`, in order.
        """
        rows: Sequence[int] = self._order(column, down=down)
        words = text.casefold().split()
        texts = self.texts if words else []
        for word in words:
            rows = [row for row in rows if word in texts[row]]
        return list(rows)

    def cells(self, rows: Sequence[int]) -> list[list[str]]:
        """Write what stands in rows."""
        return [[column.shown(self.items[row]) for column in self.columns] for row in rows]

    def again(self) -> "Table[Item]":
        """Make one of the same objects, read anew."""
        return Table(self.items[:], self.columns)

    @cached_property
    def ids(self) -> dict[str, int]:
        """The places of all rows by id."""
        if isinstance(self.items, Rows):
            return {raw[self.items[0].id_key]: row for row, raw in enumerate(self.raws)}
        return {item.id: row for row, item in enumerate(self.items)}

    @property
    def raws(self) -> Sequence[Raw]:
        """What AWS said of each, last."""
        return self.items[:].raws if isinstance(self.items, Rows) else [item.raw for item in self.items]

    @property
    def texts(self) -> list[str]:
        """What the filter looks at, of each row: what its columns say, its description and its tags but the token."""
        for _ in self.prepare():
            pass
        return self._texts

    def prepare(self) -> Iterator[None]:
        """Write `texts` in small steps, so that somebody else can do something in between."""
        # What stands in a tag is written with the tags.
        columns = [column for column in self.columns if column.name not in _TAGS]
        regions = self.items.regions if isinstance(self.items, Rows) else [item.region for item in self.items]
        # A token is made up of letters that somebody may look for.
        tokens = {region.tag_keys.token for region in set(regions)}
        while len(self._texts) < len(self):
            start = len(self._texts)
            block = self.items[start : start + _BLOCK]
            raws = block.raws if isinstance(block, Rows) else [item.raw for item in block]
            said = [map(_WRITTEN.get(column.dtype, _written), column.read(block)) for column in columns]
            tags = (
                " ".join([pair["Value"] for pair in raw.get("Tags", ()) if pair["Key"] not in tokens]) for raw in raws
            )
            told = (raw.get("Description") or "" for raw in raws)
            self._texts += [" ".join(each).casefold() for each in zip(tags, told, *said, strict=True)]
            yield

    def _order(self, column: int, *, down: bool) -> Sequence[int]:
        key = column if down else ~column
        if key not in self._orders:
            values = [_sortable(value) for value in self.columns[column].read(self.items)]
            self._orders[key] = sorted(range(len(self)), key=values.__getitem__, reverse=down)
        return self._orders[key]


def _written(value: str | None) -> str:
    return value or ""


@lru_cache(1000)
def _size(size: int | None) -> str:
    return "" if size is None else bytes_text(size)


_WRITTEN: Mapping[str, Callable[[Any], str]] = {
    "int64": _size,
    # AWS tells moments in UTC.
    "datetime64[ms, UTC]": str,
}
_TAGS = ("name", "owner", "group", "billing_code")


def _sortable(value: Any) -> Any:
    # What is not known comes before all that is.
    return (value is not None, value.casefold() if isinstance(value, str) else value)
