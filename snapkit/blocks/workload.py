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
from snapkit.blocks import fitting, history, profiles, rates, recording
from snapkit.blocks.exact import TraceIndex
from snapkit.blocks.extrapolation import Band
from snapkit.blocks.footprint import STATIONARY, Table
from snapkit.errors import InvalidRequest
from snapkit.rules import BLOCK
from snapkit.units import (
    DAY,
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
Provenance: TypeAlias = Literal["measured", "scaled", "modelled", "assumed"]
"""Where a count of blocks comes from, the best first."""

_CURVE: tuple[Duration, ...] = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY, WEEK)


class Workload:
    """Which blocks of a volume are written when, known from a trace or from a table of its footprint.

    Make one with `from_trace`, `from_table`, `from_changes`, `from_rates`, `fit` or `profile`, and others from it with
    `growing`, `rewritten` and `together`.

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

    from_trace = classmethod(recording.from_trace)

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
            InvalidRequest: there are fewer than two different intervals, or a count is negative, no number, or more
                than the volume has.
        """
        volume, unit = to_bytes(size), to_bytes(block_size, "block_size")
        most = -(-volume // unit)
        for interval, blocks in points.items():
            if isinstance(blocks, bool) or not (isinstance(blocks, Real) and 0 <= blocks < math.inf):
                raise InvalidRequest(f"blocks per {interval}", blocks, "are no number from 0 up", "correct the table")
            if blocks > most:
                rule = f"are more than the volume of {bytes_text(volume)} has, {most:,}"
                raise InvalidRequest(f"blocks per {interval}", blocks, rule, "give its real size, or correct the table")
        pairs = [(to_seconds(interval, "interval"), float(blocks)) for interval, blocks in points.items()]
        table = Table(pairs, most)
        return cls(
            table,
            name=name,
            source=source,
            span=table.longest if span is None else to_seconds(span, "span"),
            size=volume,
            block_size=unit,
            assumptions=(STATIONARY,),
        )

    from_changes = classmethod(history.from_changes)
    from_rates = classmethod(rates.from_rates)
    profile = classmethod(profiles.profile)
    fit = classmethod(fitting.fit)

    @staticmethod
    def together(volumes: Mapping[str, "Workload"]) -> "Workload":
        """Take the volumes of a server as one, for snapshots of all of them at once.

        What changes and what is allocated adds up; `members` are the volumes.

        Args:
            volumes: the workload of each, by name.

        Raises:
            InvalidRequest: there is none, one is no workload of a single volume, or they count in different blocks.
        """
        from snapkit.blocks.together import Together

        return Together(volumes)

    def growing(self, per_day: Size) -> "Workload":
        """Append new data steadily, on top of all that it writes already.

        New blocks are filled one after the other at an even rate, and not written again: assumed. Let it grow first
        and be `rewritten` then, if rewrites are to reach the new blocks too.

        Args:
            per_day: how much is added in a day [bytes].

        Raises:
            InvalidRequest: that is no size, or it grows already, or has several volumes.
        """
        from snapkit.blocks.growing import Growing

        return Growing(self, per_day)

    def rewritten(self, at: Duration | Iterable[Duration], share: float = 1.0) -> "Workload":
        """Write a share of all allocated blocks anew at some moments, as defragmentation or encrypting anew does.

        It is the same share of the volume at each of the moments. The other changes are taken to fall inside and
        outside of it alike: assumed, as the rewrite itself is.

        Args:
            at: one moment since the start [s], or several.
            share: of the blocks that are allocated then, above 0 and up to 1.

        Raises:
            InvalidRequest: there is no moment, one is none, the share cannot be, or it has several volumes.
        """
        from snapkit.blocks.rewriting import Rewritten

        return Rewritten(self, at, share)

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

    def allocated(self, t: Duration) -> int | float:
        """Count the blocks that hold data at a moment, which a full snapshot then copies.

        Args:
            t: since the start [s].

        Raises:
            InvalidRequest: it is no moment.
        """
        if not (isinstance(t, float) and 0.0 <= t < math.inf):
            moment(t, "t")
        return -(-self.size // self.block_size)

    @property
    def members(self) -> Mapping[str, "Workload"]:
        """The volumes that are snapshotted together, by name: itself alone, unless made by `together`."""
        return {"": self}

    def sampled(self, seed: int, replication: int = 0) -> "Workload":  # noqa: ARG002 - one has many paths, see FittedWorkload
        """Take one of the ways in which it may be written: itself, where there is but one."""
        return self

    @property
    def stationary(self) -> bool:
        """Whether what changes depends on how long one waits only, not on when."""
        return self._trace is None

    def to_trace(self, span: Duration) -> pd.DataFrame:  # noqa: ARG002 - see FittedWorkload, which can
        """Write it down block by block, where single writes can be made.

        Args:
            span: how long [s].

        Returns:
            Columns ``t_us, op, off, len``, as for `Workload.from_trace` and for `Sandbox.replay`. Its last record is a
            read, when the span is over.

        Raises:
            InvalidRequest: it makes no single writes, or none in the span.
        """
        rule = "tells how many blocks are written, not which"
        raise InvalidRequest("workload", self.name, rule, "use Workload.fit(a trace), or replay a trace itself")

    def provenance(self, a: Duration, b: Duration) -> Provenance:
        """Tell where the count of blocks changed between two moments comes from.

        Returns:
            ``"measured"`` on the volume itself, ``"scaled"`` from a disk of another size, ``"modelled"`` beyond what
            was measured, or ``"assumed"`` where growth or a rewrite is part of it, or the footprint is
            that of another disk.

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
        return self._table(moment(interval, "interval"))

    def footprints(self, intervals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the footprint of each of many intervals [s]."""
        return self._table.many(intervals)

    def footprint_band(self, interval: Duration) -> Band:
        """Return the footprint with an 80 % band: the blocks ``low``, ``likely`` and ``high``.

        Up to the longest measured interval the three are one. Beyond it they are modelled, and drift apart by a factor
        that grows with the interval to a constant power; see `snapkit.blocks.extrapolation`.
        """
        return self._table.band(moment(interval, "interval"))

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
            rows.append((interval, blocks, blocks * self.block_size, self._provenance_of(interval), windows))
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
        if source == "scaled" and self._scale != 1:
            return f"measured x {self._scale:,.3g}"
        return f"{source} ({windows} {'window' if windows == 1 else 'windows'})" if windows else source

    def __repr__(self) -> str:
        blocks = f"{self._distinct:,.0f} distinct blocks of {bytes_text(self.block_size)}"
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

    @property
    def _distinct(self) -> float:
        """The blocks that it changes in the span."""
        return self._trace.distinct if self._trace else self.footprint(self.span)

    def _provenance_of(self, interval: float) -> Provenance:
        if self._trace:
            return "measured" if 1e-6 <= interval <= self.span else "modelled"
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
    start, end = moment(a, "a"), moment(b, "b")
    if end < start:
        raise InvalidRequest("b", b, f"is before a, {a!r}", "give the earlier moment first")
    return start, end


def moment(value: Duration, field: str) -> float:
    """Read a moment since the start [s].

    Raises:
        InvalidRequest: it is none.
    """
    return to_seconds(value, field, zero=True)
