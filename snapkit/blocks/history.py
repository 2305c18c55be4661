"""Reading a table of how many blocks a volume changed between its snapshots."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit.blocks.extrapolation import FEWEST, Growth, growth_of
from snapkit.blocks.footprint import STATIONARY, Table
from snapkit.errors import InvalidRequest
from snapkit.rules import BLOCK
from snapkit.units import GIB, Size, bytes_text, seconds_text, to_bytes

if TYPE_CHECKING:
    from snapkit.blocks.workload import Workload

ALIKE = 1.1
"""Intervals up to this many times the shortest of them count as one: a schedule never hits the second."""


@dataclass(frozen=True)
class History:
    """How many blocks changed in intervals of each length.

    Attributes:
        points: mean blocks per mean interval [s] of rows of about equal interval.
        growth: how the footprint goes on, by the longest interval with enough rows to tell.
        rows: how many rows there are.
        total: of all their intervals [s].
        measured: whether every row was counted, and none estimated.
        size: of the data on the volume [bytes].
        size_known: whether somebody said so.
    """

    points: dict[float, float]
    growth: Growth | None
    rows: int
    total: float
    measured: bool
    size: int
    size_known: bool

    @classmethod
    def of(cls, frame: pd.DataFrame, size: int | None, block_size: int) -> "History":
        """Read a table.

        Raises:
            InvalidRequest: a column is missing or holds what cannot be, more changed than the size, or fewer than two
                intervals differ and no interval has rows enough to tell how it goes on.
        """
        intervals, blocks = (_numbers(frame, name) for name in ("interval_s", "changed_blocks"))
        written = _numbers(frame, "written_blocks") if "written_blocks" in frame else None
        _check(intervals, blocks, written)
        order = np.argsort(intervals, kind="stable")
        points, growth, start = {}, None, 0
        for end in range(1, len(order) + 1):
            if end == len(order) or intervals[order[end]] > ALIKE * intervals[order[start]]:
                alike = order[start:end]
                points[float(intervals[alike].mean())] = float(blocks[alike].mean())
                growth = growth_of(blocks[alike], None if written is None else written[alike]) or growth
                start = end
        if len(points) < (1 if growth else 2):
            raise _too_few(list(points))
        told = size if size is not None else frame.attrs.get("size_bytes")
        least_size = max(1, -(-int(blocks.max() * block_size) // GIB)) * GIB
        if size is not None and blocks.max() > -(-size // block_size):
            rule = f"is less than the {bytes_text(blocks.max() * block_size)} that changed in one interval"
            raise InvalidRequest("size", bytes_text(size), rule, "give the size of the data, or leave it out")
        return cls(
            points=points,
            growth=growth,
            rows=len(order),
            total=float(intervals.sum()),
            measured="source" not in frame or bool((frame["source"] == "measured").all()),
            size=int(told) if told else least_size,
            size_known=bool(told),
        )


def from_changes(
    _cls: "type[Workload]", frame: pd.DataFrame, size: Size | None = None, block_size: Size = BLOCK
) -> "Workload":
    """Know what changed between the snapshots of a volume; every moment is taken to be like every other.

    Rows of about equal interval are averaged; between the intervals it goes on as `from_table` does. Beyond the
    longest one the variation of 24 rows or more tells how it goes on, see `snapkit.blocks.extrapolation`.

    Args:
        frame: such as `Volume.change_history` gives: columns ``interval_s`` and ``changed_blocks``, and optionally
            ``source``, where anything but ``"measured"`` makes the workload a modelled one, and
            ``written_blocks``, the writes of each row, one counting once for each block that it touches.
        size: of the data on the volume [bytes], which a full snapshot copies; by default what the history says.
        block_size: the unit of the counts [bytes].

    Raises:
        InvalidRequest: a column is missing or holds what cannot be, more changed than the size given, or fewer than
            two intervals differ and no interval has 24 rows.
    """
    unit = to_bytes(block_size, "block_size")
    history = History.of(frame, None if size is None else to_bytes(size), unit)
    assumptions = [STATIONARY]
    if not history.measured:
        assumptions.append("Some of the changes were estimated from a sample of the blocks.")
    if not history.size_known:
        assumptions.append(f"The data take {bytes_text(history.size)}, as much as ever changed: give size= if not.")
    table = Table(history.points.items(), -(-history.size // unit), history.growth)
    if history.growth:
        assumptions.append(table.beyond_text)
    volume = frame.attrs.get("volume")
    made = _cls(
        table,
        name=f"changes of {volume}" if volume else "changes",
        source=f"changed blocks of {history.rows:,} pairs of snapshots over {seconds_text(history.total)}",
        span=table.longest,
        size=history.size,
        block_size=unit,
        assumptions=tuple(assumptions),
    )
    made._counted = history.measured
    return made


def _check(intervals: NDArray[np.float64], blocks: NDArray[np.float64], written: NDArray[np.float64] | None) -> None:
    for name, values, good in (("interval_s", intervals, intervals > 0), ("changed_blocks", blocks, blocks >= 0)):
        if not good.all():
            least = "not above 0" if name == "interval_s" else "below 0"
            raise InvalidRequest(name, values[~good][0].item(), f"is {least}", "leave the row out")
    if written is None:
        return
    if (written < 0).any():
        raise InvalidRequest("written_blocks", written[written < 0][0].item(), "is below 0", "leave the row out")
    if written.sum() < blocks.sum():
        rule = f"are fewer than the {blocks.sum():,.0f} changed ones, and each was written once at least"
        remedy = "count a write once for each block that it touches: about VolumeWriteOps + VolumeWriteBytes / block"
        raise InvalidRequest("written_blocks", f"{written.sum():,.0f} in all", rule, f"{remedy} size")


def _too_few(intervals: list[float]) -> InvalidRequest:
    found = [seconds_text(each) for each in intervals]
    rule = f"has {len(found)} interval{'' if len(found) == 1 else 's'}, and from fewer than 2 different ones "
    rule += f"nothing follows for others unless one has {FEWEST} rows or more"
    remedy = "add snapshots that lie further apart: volume.change_history(snapshots[::4]) compares every fourth one"
    return InvalidRequest("history", found, rule, remedy)


def _numbers(frame: pd.DataFrame, name: str) -> NDArray[np.float64]:
    remedy = "give a frame such as volume.change_history()"
    if not isinstance(frame, pd.DataFrame) or name not in frame:
        columns = list(frame.columns) if isinstance(frame, pd.DataFrame) else type(frame).__name__
        raise InvalidRequest("history", columns, f"has no column {name}", remedy)
    values = np.asarray(pd.to_numeric(frame[name], errors="coerce").to_numpy(np.float64, na_value=np.nan))
    if not np.isfinite(values).all():
        bad = frame[name].iloc[int(np.flatnonzero(~np.isfinite(values))[0])]
        raise InvalidRequest(name, bad, "is no number", remedy)
    return values
