"""How the blocks of a volume are written."""

import math
from collections.abc import Iterable, Mapping
from functools import cached_property
from numbers import Real
from typing import Any, Literal, Self, TypeAlias, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit import _html
from snapkit.blocks import fitting, rates
from snapkit.blocks.exact import TraceIndex
from snapkit.blocks.extrapolation import Band
from snapkit.blocks.footprint import Table
from snapkit.blocks.history import History
from snapkit.blocks.profiles import load
from snapkit.blocks.recording import Recording
from snapkit.errors import InvalidRequest
from snapkit.rules import BLOCK
from snapkit.units import (
    DAY,
    GIB,
    HOUR,
    MINUTE,
    WEEK,
    Duration,
    Size,
    bytes_text,
    seconds_text,
    to_bytes,
    to_seconds,
)

Interval = TypeVar("Interval", bound=Duration)
"""A key of a table, so that one with keys of one type fits too."""
Provenance: TypeAlias = Literal["measured", "scaled", "modelled"]

_CURVE: tuple[Duration, ...] = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY, WEEK)
_STATIONARY = "Every moment is like every other: what changes depends on how long one waits, not on when."


class Workload:
    """Which blocks of a volume are written when, known from a trace or from a table of its footprint.

    Make one with `from_trace`, `from_table`, `from_changes`, `from_rates`, `fit` or `profile`.

    Attributes:
        name: what it is called.
        source: where its figures come from.
        span: how long it was measured [s].
        size: the size of the volume [bytes].
        block_size: the unit of every count of blocks [bytes].
        assumptions: what its figures rest on besides measurement, a sentence each.
        write_size: the mean bytes for one touch of a block, NaN where single writes are not known.
    """

    def __init__(
        self,
        known: TraceIndex | Table | None,
        *,
        name: str,
        source: str,
        span: float,
        size: int,
        block_size: int,
        assumptions: tuple[str, ...] = (),
        scale: float = 1.0,
    ) -> None:
        self.name = name
        self.source = source
        self.span = span
        self.size = size
        self.block_size = block_size
        self.assumptions = assumptions
        self._scale = scale
        self.write_size = math.nan
        self._counted = True
        self._known = known
        self._trace = known if isinstance(known, TraceIndex) else None

    @classmethod
    def from_trace(
        cls,
        frame: pd.DataFrame,
        block_size: Size = BLOCK,
        device: object = None,
        span: Duration | None = None,
    ) -> Self:
        """Know every write of a recording.

        Args:
            frame: columns ``t_us`` (microseconds since the start), ``op`` (R or W), ``off`` [bytes], ``len`` [bytes]
                and optionally ``dev``, in order of time, such as `read_trace` gives.
            block_size: the unit to count in [bytes].
            device: which of several devices.
            span: how long the recording lasted, by default until its last record, on whatever device; later writes
                are left out.

        Raises:
            InvalidRequest: the frame is no block trace, the device is not in it, or nothing is written in the span.
        """
        unit = to_bytes(block_size, "block_size")
        recording = Recording.of(frame, device, span)
        seconds = recording.span_us / 1e6
        size = -(-recording.extent // GIB) * GIB
        times, blocks = recording.touches(unit)
        made = cls(
            TraceIndex(times, blocks, recording.span_us),
            name="trace" if device is None else f"trace of device {device}",
            source=f"block trace with {int(recording.written.sum()):,} writes in {seconds_text(seconds)}",
            span=seconds,
            size=size,
            block_size=unit,
            assumptions=(f"Data lies as far as the requests reach, {bytes_text(size)}: a full snapshot copies that.",),
        )
        made.write_size = int(recording.lengths.sum(where=recording.written)) / len(times)
        return made

    @classmethod
    def from_table(
        cls,
        points: Mapping[Interval, float],
        span: Duration | None,
        size: Size,
        block_size: Size = BLOCK,
        *,
        name: str = "table",
        source: str = "a table of changed blocks per interval",
    ) -> Self:
        """Know the mean number of blocks that intervals change; every moment is taken to be like every other.

        Args:
            points: distinct blocks written per interval; two or more, joined by power laws.
            span: how long that was measured, by default the longest interval; longer ones are modelled.
            size: the size of the volume [bytes].
            block_size: the unit of the counts [bytes].
            name: what to call it.
            source: where the figures come from.

        Raises:
            InvalidRequest: there are fewer than two different intervals, or a count is negative or no number.
        """
        for interval, blocks in points.items():
            if not (isinstance(blocks, Real) and 0 <= blocks < math.inf):
                raise InvalidRequest(f"blocks per {interval}", blocks, "are no number from 0 up", "correct the table")
        volume, unit = to_bytes(size), to_bytes(block_size, "block_size")
        pairs = [(to_seconds(interval, "interval"), float(blocks)) for interval, blocks in points.items()]
        table = Table(pairs, -(-volume // unit))
        return cls(
            table,
            name=name,
            source=source,
            span=table.longest if span is None else to_seconds(span, "span"),
            size=volume,
            block_size=unit,
            assumptions=(_STATIONARY,),
        )

    @classmethod
    def from_changes(cls, frame: pd.DataFrame, size: Size | None = None, block_size: Size = BLOCK) -> Self:
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
            InvalidRequest: a column is missing or holds what cannot be, or fewer than two intervals differ and no
                interval has 24 rows.
        """
        unit = to_bytes(block_size, "block_size")
        history = History.of(frame, None if size is None else to_bytes(size), unit)
        assumptions = [_STATIONARY]
        if not history.measured:
            assumptions.append("Some of the changes were estimated from a sample of the blocks.")
        if not history.size_known:
            assumptions.append(f"The data take {bytes_text(history.size)}, as much as ever changed: give size= if not.")
        table = Table(history.points.items(), -(-history.size // unit), history.growth)
        if history.growth:
            assumptions.append(table.beyond_text)
        volume = frame.attrs.get("volume")
        made = cls(
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

    @classmethod
    def profile(cls, name: str, size: Size | None = None) -> Self:
        """Use the figures of a real disk that come with snapkit.

        Args:
            name: such as ``"workstation"``; an unknown one is answered with the list.
            size: the size of the volume [bytes], by default that of the disk. Another size scales the blocks in
                proportion: an assumption, listed as such, and nothing is called measured any more.

        Raises:
            InvalidRequest: there is no such profile.
        """
        disk = load(name)
        volume = disk.size if size is None else to_bytes(size)
        assumptions = [
            _STATIONARY,
            f"Beyond {seconds_text(disk.span)} the changed blocks go on as the power law that leads there.",
        ]
        if volume != disk.size:
            scaled = f"{bytes_text(volume)} change as many blocks per GiB as the disk of {bytes_text(disk.size)} did"
            assumptions.append(f"{scaled}: assumed, not measured.")
        pairs = [(interval, blocks * volume / disk.size) for interval, blocks in disk.changed_blocks.items()]
        return cls(
            Table(pairs, -(-volume // disk.block_size)),
            name=name,
            source=disk.source,
            span=disk.span,
            size=volume,
            block_size=disk.block_size,
            assumptions=tuple(assumptions),
            scale=volume / disk.size,
        )

    fit = classmethod(fitting.fit)
    from_rates = classmethod(rates.from_rates)

    def changed_between(self, a: Duration, b: Duration) -> int | float:
        """Count the distinct blocks written after moment a, up to and including moment b.

        Args:
            a: since the start [s], or text such as ``"1h"``.
            b: likewise, not before a.

        Returns:
            A whole number where a trace knows it, else a mean; `provenance` tells which.

        Raises:
            InvalidRequest: a is before the start, b is before a, or one of them is no moment.
        """
        if not (isinstance(a, float) and isinstance(b, float) and 0.0 <= a <= b < math.inf):
            a, b = window(a, b)
        trace = self._trace
        if trace is None:
            return self._table(b - a)
        if b <= self.span:
            return trace.between(a, b)
        if a >= self.span:
            return self._table(b - a)
        return self._table.joined(trace.between(a, self.span), self._table(b - self.span))

    def sampled(self, seed: int, replication: int = 0) -> "Workload":  # noqa: ARG002 - one has many paths, see FittedWorkload
        """Take one of the ways in which it may be written: itself, where there is but one."""
        return self

    @property
    def stationary(self) -> bool:
        """Whether what changes depends on how long one waits only, not on when."""
        return self._trace is None

    def provenance(self, a: Duration, b: Duration) -> Provenance:
        """Tell where the count of blocks changed between two moments comes from.

        Returns:
            ``"measured"`` on the volume itself, ``"scaled"`` from a disk of another size, or ``"modelled"`` beyond
            what was measured.

        Raises:
            InvalidRequest: a is before the start, b is before a, or one of them is no moment.
        """
        start, end = window(a, b)
        if self._trace:
            return "measured" if end <= self.span else "modelled"
        return self._provenance_of(end - start)

    def changed(self, interval: Duration) -> float:
        """Average the blocks changed over the full windows [k * interval, (k + 1) * interval) of the span.

        An interval that is longer than the span, or no trace, leaves the footprint.
        """
        return self._mean(to_seconds(interval, "interval"))[0]

    def footprint(self, interval: Duration) -> float:
        """Return the distinct blocks expected in any window of a length, wherever it begins."""
        return self._table(_moment(interval, "interval"))

    def footprints(self, intervals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the footprint of each of many intervals [s]."""
        return self._table.many(intervals)

    def footprint_band(self, interval: Duration) -> Band:
        """Return the footprint with an 80 % band: the blocks ``low``, ``likely`` and ``high``.

        Up to the longest measured interval the three are one. Beyond it they are modelled, and drift apart by a factor
        that grows with the interval to a constant power; see `snapkit.blocks.extrapolation`.
        """
        return self._table.band(_moment(interval, "interval"))

    def curve(self, intervals: Iterable[Duration] = _CURVE) -> pd.DataFrame:
        """Tabulate how many blocks change per interval.

        Args:
            intervals: the lengths to ask for.

        Returns:
            One row per interval, named by it. Columns ``interval_s``, ``changed_blocks``, ``changed_bytes``,
            ``source`` (see `provenance`) and ``windows``, over how many of which a trace was averaged.
        """
        rows = []
        for interval in (to_seconds(each, "interval") for each in intervals):
            blocks, windows = self._mean(interval)
            source = ("measured" if windows else "modelled") if self._trace else self._provenance_of(interval)
            rows.append((interval, blocks, blocks * self.block_size, source, windows))
        names = pd.Index([seconds_text(row[0]) for row in rows], name="interval")
        return pd.DataFrame(rows, names, ["interval_s", "changed_blocks", "changed_bytes", "source", "windows"])

    @property
    def table(self) -> pd.DataFrame:
        """The curve at its usual intervals, written for people: what each adds up to in a day, and what it rests on."""
        curve = self.curve()
        copied, intervals = curve["changed_bytes"], curve["interval_s"]
        return pd.DataFrame(
            {
                "changed blocks": [f"{blocks:,.2f}" for blocks in curve["changed_blocks"]],
                "a snapshot copies": copied.map(bytes_text),
                "in a day": (copied * DAY / intervals).map(bytes_text),
                "source": [self._told(*row) for row in zip(curve["source"], curve["windows"], strict=True)],
            }
        )

    def _told(self, source: str, windows: int) -> str:
        if source == "scaled":
            return f"measured x {self._scale:,.3g}"
        return f"{source} ({windows} {'window' if windows == 1 else 'windows'})" if windows else source

    def __repr__(self) -> str:
        distinct = self._trace.distinct if self._trace else self._table(self.span)
        blocks = f"{distinct:,.0f} distinct blocks of {bytes_text(self.block_size)}"
        return f"<Workload {self.name!r}: {blocks} in {seconds_text(self.span)}>"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        lines = [repr(self), f"source: {self.source}", *(f"assumed: {each}" for each in self.assumptions)]
        printer.text("\n".join(lines))

    def _repr_html_(self) -> str:
        rows = [("workload", repr(self)), ("source", self.source), *(("assumed", each) for each in self.assumptions)]
        return _html.table(["", ""], rows)

    @cached_property
    def _table(self) -> Table:
        if not isinstance(self._known, TraceIndex):
            assert isinstance(self._known, Table)  # noqa: S101 - what is fitted has a table of its own
            return self._known
        lengths = np.geomspace(self._known.span_us * 2.0**-20, self._known.span_us, 64)
        blocks = self._known.working_set(lengths)
        return Table(zip((lengths / 1e6).tolist(), blocks.tolist(), strict=True), -(-self.size // self.block_size))

    def _provenance_of(self, interval: float) -> Provenance:
        table = self._table
        if not self._counted or 0 < interval < table.shortest or interval > min(table.longest, self.span):
            return "modelled"
        return "measured" if self._scale == 1 else "scaled"

    def _mean(self, interval: float) -> tuple[float, int]:
        """Return the mean changed blocks per interval [s], and over how many windows of a trace."""
        if self._trace and 1e-6 <= interval <= self.span:
            blocks, windows = self._trace.changed(round(interval * 1e6))
            return blocks / windows, windows
        return self._table(interval), 0


def window(a: Duration, b: Duration) -> tuple[float, float]:
    """Read two moments since the start [s], the later one second.

    Raises:
        InvalidRequest: a is before the start, b is before a, or one of them is no moment.
    """
    start, end = _moment(a, "a"), _moment(b, "b")
    if end < start:
        raise InvalidRequest("b", b, f"is before a, {a!r}", "give the earlier moment first")
    return start, end


def _moment(value: Duration, field: str) -> float:
    """Read a moment since the start [s]."""
    return to_seconds(value, field, zero=True)
