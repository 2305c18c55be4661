"""What a block trace must be, wherever it comes from."""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from snapkit.errors import InvalidRequest

COLUMNS = ("t_us", "op", "off", "len")
_LIMITS = {"t_us": 2**62, "off": 2**62, "len": 2**32 - 1}
"""The largest number in a column: an offset and a length still add up within 64 bits.

Source: Linux counts the bytes of one request in 32 bits (`bi_size` of `struct bvec_iter`, include/linux/bvec.h).
"""

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?\s*", re.ASCII | re.IGNORECASE)
_REAL = (int, float, np.integer, np.floating)
_OPERATIONS = pd.Index(["R", "W"])
_MEANING = {
    "t_us": "t_us is the time since the start of the recording in whole microseconds",
    "off": "off is the distance from the start of the device in whole bytes",
    "len": "len is the length of the request in whole bytes",
    "op": "op is R for a read or W for a write",
    "dev": "dev names the device of every record",
}


@dataclass(frozen=True)
class Place:
    """Where the records of a trace stand, in the words of whoever reads it.

    Attributes:
        source: the file, or ``"trace"`` for a frame.
        unit: what the source calls a record.
        first: the number of the first one.
    """

    source: str = "trace"
    unit: str = "row"
    first: int = 0

    def at(self, row: int, column: str) -> str:
        """Name one cell."""
        return f"{self.source} {self.unit} {self.first + row}, column {column}"


def checked(frame: pd.DataFrame, place: Place) -> pd.DataFrame:
    """Refuse what is no block trace; give what is one its lean types.

    Args:
        frame: columns ``t_us, op, off, len`` and optionally ``dev``; others are left out.
        place: names the cell at fault.

    Returns:
        The numbers as int64, ``op`` as a categorical of R and W, ``dev`` as a categorical. Columns that have these
        types already are shared, not copied.

    Raises:
        InvalidRequest: a column or a cell is missing or is not what its column holds, the records are not in order
            of time, or nothing is written.
    """
    return sound(typed(frame, place), place)


def typed(frame: pd.DataFrame, place: Place) -> pd.DataFrame:
    """Read each cell as what its column holds; what the cells say of each other is for `sound`."""
    if not isinstance(frame, pd.DataFrame):
        raise InvalidRequest(place.source, frame, "is not a data frame", "give a pandas.DataFrame, or use read_trace")
    check_columns(frame.columns, place)
    columns: dict[str, Any] = {name: _numbers(frame[name], place) for name in ("t_us", "off", "len")}
    columns["op"] = _operations(frame["op"], place)
    if "dev" in frame.columns:
        columns["dev"] = _categories(frame["dev"], place)
    order = [*COLUMNS, "dev"][: len(columns)]
    return pd.DataFrame({name: columns[name] for name in order}, copy=False)


def check_columns(found: Iterable[object], place: Place) -> None:
    """Refuse a trace without the four columns, or with two of a name."""
    names = list(found)
    remedy = "a trace has the columns t_us, op, off, len and optionally dev, each once"
    if missing := [name for name in COLUMNS if name not in names]:
        raise InvalidRequest(f"{place.source} columns", names, f"lack {', '.join(missing)}", remedy)
    if twice := [name for name in (*COLUMNS, "dev") if names.count(name) > 1]:
        raise InvalidRequest(f"{place.source} columns", names, f"name {', '.join(twice)} more than once", remedy)


def sound(frame: pd.DataFrame, place: Place) -> pd.DataFrame:
    """Refuse typed records that cannot be those of one recording; return them as they are."""
    if frame.empty:
        raise InvalidRequest(
            place.source,
            len(frame),
            "is the number of its records: there is nothing to read",
            "record at least one write",
        )
    times, lengths = frame["t_us"].to_numpy(), frame["len"].to_numpy()
    if (row := _first(times[1:] < times[:-1])) is not None:
        rule = f"is earlier than {times[row]} on the {place.unit} before"
        raise InvalidRequest(place.at(row + 1, "t_us"), int(times[row + 1]), rule, "sort the records by time")
    writes = is_write(frame)
    if lengths.min() == 0 and (row := _first((lengths == 0) & writes)) is not None:
        raise InvalidRequest(place.at(row, "len"), 0, "is no length for a write", "leave out writes of nothing")
    if not writes.any():
        raise no_writes(place, "R")
    return frame


def is_write(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Tell the writes among typed records."""
    return np.asarray(frame["op"].cat.codes.to_numpy() == 1)


def no_writes(place: Place, found: str) -> InvalidRequest:
    """Compose the refusal of records among which there is no write."""
    return InvalidRequest(
        f"{place.source} column op", found, "stands for every record: nothing is written", "record writes (W) too"
    )


def _first(mask: np.ndarray[Any, np.dtype[np.bool_]]) -> int | None:
    row = int(mask.argmax()) if mask.size else 0
    return row if mask.size and mask[row] else None


def _numbers(column: "pd.Series[Any]", place: Place) -> np.ndarray[Any, np.dtype[np.int64]]:
    name = str(column.name)
    limit = _LIMITS[name]
    values: np.ndarray[Any, Any] = column.to_numpy()
    if values.dtype.kind == "f" and np.all(np.abs(values) <= limit) and np.all(values == np.rint(values)):
        values = values.astype(np.int64)
    if values.dtype.kind not in "iu":
        cells = [_number(cell, place, row, name) for row, cell in enumerate(column.tolist())]
        values = np.array(cells, dtype=np.int64)
    if values.size and not (values.min() >= 0 and values.max() <= limit):
        row = int(((values < 0) | (values > limit)).argmax())
        rule = "is negative" if values[row] < 0 else f"is more than {limit:,}"
        raise InvalidRequest(place.at(row, name), int(values[row]), rule, _MEANING[name])
    return values.astype(np.int64, copy=False)


def _number(cell: Any, place: Place, row: int, column: str) -> int:
    if _is_missing(cell):
        raise InvalidRequest(place.at(row, column), cell, "is missing", _MEANING[column])
    rule = "is not a whole number"
    number = Decimal(cell) if isinstance(cell, str) and _NUMBER.fullmatch(cell) else cell
    if number is not cell or (isinstance(cell, _REAL) and not isinstance(cell, bool)):
        if abs(number) > _LIMITS[column]:
            rule = f"is more than {_LIMITS[column]:,}"
        elif number == int(number):
            return int(number)
    raise InvalidRequest(place.at(row, column), cell, rule, _MEANING[column])


def _is_missing(cell: Any) -> bool:
    if isinstance(cell, str):
        return not cell.strip()
    return (
        cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, (float, np.floating)) and math.isnan(cell))
    )


def _operations(column: "pd.Series[Any]", place: Place) -> "pd.Categorical[Any]":
    found = _categories(column, place)
    meaning = {"R": 0, "W": 1}
    codes = [meaning.get(str(label).strip().upper(), -1) for label in found.categories]
    for code, label in enumerate(found.categories):
        if codes[code] < 0 and (row := _first(found.codes == code)) is not None:
            raise InvalidRequest(place.at(row, "op"), label, "is neither R nor W", _MEANING["op"])
    if codes == [0, 1]:
        return pd.Categorical.from_codes(found.codes, _OPERATIONS)
    return pd.Categorical.from_codes(np.array([*codes, -1], dtype=np.int8)[found.codes], _OPERATIONS)


def _categories(column: "pd.Series[Any]", place: Place) -> "pd.Categorical[Any]":
    name = str(column.name)
    try:
        found = pd.Categorical(column)
    except (TypeError, ValueError):
        raise InvalidRequest(f"{place.source} column {name}", column.dtype, "holds no labels", _MEANING[name]) from None
    missing = [code for code, label in enumerate(found.categories) if _is_missing(label)]
    if (row := _first(np.isin(found.codes, [-1, *missing]))) is not None:
        raise InvalidRequest(place.at(row, name), column.iloc[[row]].tolist()[0], "is missing", _MEANING[name])
    return found
