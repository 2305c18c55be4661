"""Read a block trace from a CSV file."""

import csv
import gzip
import zlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd

from snapkit.blocks.records import Place, check_columns, sound, typed
from snapkit.errors import InvalidRequest

_CHUNK = 2**20
_ENCODING = "utf-8-sig"
_FORMAT = "a trace is CSV text, plain or compressed as .gz, with the columns t_us, op, off, len and optionally dev"


def read_trace(path: str | PathLike[str]) -> pd.DataFrame:
    """Read a block trace.

    Args:
        path: a CSV file, compressed when its name ends in ``.gz``, with the columns ``t_us`` (microseconds since the
            start of the recording), ``op`` (R or W, in either case), ``off`` [bytes], ``len`` [bytes] and optionally
            ``dev``; other columns are left out.

    Returns:
        One row a record: the numbers as int64, ``op`` and ``dev`` as categoricals.

    Raises:
        InvalidRequest: the file cannot be read, or is no block trace; names the line and the column at fault.
    """
    file = Path(path)
    # A number too large for 64 bits is refused with its line, so that NumPy need not warn of it first.
    with _readable(file), np.errstate(invalid="ignore"):
        header, record = _first_two(file)
        check_columns(header, Place(str(file)))
        # Given a first record with more fields than names, pandas would take its first fields for an index.
        rows = _parsed(file) if len(record) in (0, len(header)) else _as_text(file, header)
        try:
            frame = pd.concat(rows, ignore_index=True)
        except InvalidRequest:
            raise
        except (ValueError, OverflowError):
            frame = pd.concat(_as_text(file, header), ignore_index=True)
    if "dev" in frame.columns:
        frame["dev"] = _numbered(pd.Categorical(frame["dev"]))
    return sound(frame, Place(str(file), "line", 2))


def _parsed(file: Path) -> Iterator[pd.DataFrame]:
    numbers = dict.fromkeys(("t_us", "off", "len"), "int64")
    # Without usecols, which would let a record with too many fields pass.
    chunks = pd.read_csv(
        file,
        dtype=defaultdict(lambda: "category", numbers),
        compression="gzip" if file.suffix == ".gz" else None,
        encoding=_ENCODING,
        index_col=False,
        na_filter=False,
        skip_blank_lines=False,
        chunksize=_CHUNK,
    )
    with chunks:
        for chunk in chunks:
            yield _typed(chunk, file, int(chunk.index[0]) if len(chunk) else 0)


def _as_text(file: Path, header: list[str]) -> Iterator[pd.DataFrame]:
    """Read again, slowly, and name the line at which the fast parser gave up."""
    with _open_text(file) as text:
        rows = csv.reader(text)
        next(rows)
        # Even a file without records gives a frame, which is then refused for that.
        yield _typed(pd.DataFrame(columns=header, dtype=object), file, 0)
        first = 0
        while chunk := list(islice(rows, _CHUNK)):
            while len(chunk) < _CHUNK and chunk and not chunk[-1]:
                del chunk[-1]
            for row, fields in enumerate(chunk):
                if len(fields) != len(header):
                    place, rule = f"{file} line {2 + first + row}", f"has {len(fields)} of the {len(header)} fields"
                    raise InvalidRequest(place, ",".join(fields), f"{rule} that the header names", "repair the line")
            yield _typed(pd.DataFrame(chunk, columns=header, dtype=object), file, first)
            first += len(chunk)


def _typed(rows: pd.DataFrame, file: Path, first: int) -> pd.DataFrame:
    frame = typed(rows, Place(str(file), "line", 2 + first))
    if "dev" in frame.columns:
        # As text, because one chunk may hold only numbers and the next one names.
        frame["dev"] = frame["dev"].cat.rename_categories(str)
    return frame


def _numbered(devices: pd.Categorical) -> pd.Categorical:
    names = devices.categories.tolist()
    numbers = {name: int(name) for name in names if name.isdecimal() and name.isascii()}
    return devices.rename_categories(numbers) if [str(number) for number in numbers.values()] == names else devices


def _first_two(file: Path) -> tuple[list[str], list[str]]:
    with _open_text(file) as text:
        rows = csv.reader(text)
        header, record = next(rows, []), next(rows, [])
    if not header:
        raise InvalidRequest("trace file", str(file), "begins with a blank line" if record else "is empty", _FORMAT)
    return header, record


def _open_text(file: Path) -> IO[str]:
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding=_ENCODING, newline="")
    return file.open(encoding=_ENCODING, newline="")


@contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Say in one sentence why a file cannot be read."""
    try:
        yield
    except FileNotFoundError:
        rule = "does not exist"
    except IsADirectoryError:
        rule = "is a directory"
    except (EOFError, zlib.error):
        rule = "is a broken gzip file, cut short or damaged"
    except gzip.BadGzipFile as error:
        no_gzip = str(error).startswith("Not a gzipped file")
        rule = "is no gzip file although its name says so" if no_gzip else "is a broken gzip file, cut short or damaged"
    except OSError as error:
        rule = f"cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        rule = "is not text"
    except csv.Error as error:
        rule = f"is not CSV ({error})"
    else:
        return
    raise InvalidRequest("trace file", str(file), rule, _FORMAT)
