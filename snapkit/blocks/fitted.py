"""A workload that was fitted: a write clock times a footprint in writes."""

import math
import zlib
from collections.abc import Iterable
from copy import copy
from dataclasses import replace
from functools import cached_property
from numbers import Integral
from typing import Any, Self

import numpy as np
import pandas as pd

from snapkit.blocks import generation
from snapkit.blocks.exact import Floats
from snapkit.blocks.footprint import Table
from snapkit.blocks.workload import Provenance, Workload, window
from snapkit.blocks.write_clock import Clock, Path, WriteClock, WriteModel, of_jobs
from snapkit.errors import InvalidRequest
from snapkit.units import DAY, WEEK, Duration, to_seconds

_BURSTS = 300_000
_DAYS = 1400
_SHORTEST = 10.0
_POINTS = 40
_WINDOWS = 20_000
_MEANS = 7
"""The purpose of the chances behind means, in the key of a stream; the paths have others."""


class FittedWorkload(Workload):
    """When writes come, by a clock, and how many distinct blocks they hit, by classes.

    It answers as any other workload does, along one path that its seed and replication choose: the same windows always
    change the same numbers of blocks. Those are means over which blocks are hit; when they are hit is drawn. So a
    window never changes less than a part of it, nor more than its parts together.

    Make one with `Workload.fit` or `Workload.from_rates`.

    Attributes:
        model: when writes come, and which blocks they hit.
        footprint_known: where its counts of blocks come from: ``"modelled"`` after the volume itself, or ``"assumed"``
            to be as on another one.
    """

    def __init__(
        self,
        model: WriteModel,
        *,
        name: str,
        source: str,
        span: float,
        size: int,
        block_size: int,
        assumptions: tuple[str, ...],
        footprint_known: Provenance = "modelled",
    ) -> None:
        super().__init__(
            None,
            name=name,
            source=source,
            span=span,
            size=size,
            block_size=block_size,
            assumptions=assumptions,
        )
        self.model = model
        self.footprint_known = footprint_known
        self.write_size = model.write_size
        self._classes, self._jobs = model.classes, model.clock.jobs
        self._key = (0, zlib.crc32(name.encode()), 0)

    def sampled(self, seed: int, replication: int = 0) -> Self:
        """Take another path of the same clock.

        Args:
            seed: from 0 up.
            replication: from 0 up; the numbers of one seed give independent paths.

        Raises:
            InvalidRequest: one of them is below 0, or no whole number.
        """
        for field, value in (("seed", seed), ("replication", replication)):
            if not isinstance(value, Integral) or isinstance(value, bool) or value < 0:
                raise InvalidRequest(field, value, "is no whole number from 0 up", "give one, say 0")
        other = copy(self)
        other._key = (int(seed), self._key[1], int(replication))
        other.__dict__.pop("_path", None)
        return other

    def only(self, regime: str) -> Self:
        """Make every day one of a regime, such as ``"weekday"`` or ``"weekend"``.

        Raises:
            InvalidRequest: the clock has no such regime.
        """
        clock, regimes = self.model.clock, self.model.regimes
        if regime not in regimes or not isinstance(clock, WriteClock):
            remedy = f"choose one of {', '.join(regimes)}" if regimes else "fit a trace"
            raise InvalidRequest("regime", regime, "is not one of this workload", remedy)
        other = self.sampled(self._key[0], self._key[2])
        other.model = replace(self.model, clock=clock.only(regimes.index(regime)), regimes=(regime,))
        other.name = f"{self.name}, {regime}"
        for name in ("_table", "_within_span"):
            other.__dict__.pop(name, None)
        return other

    def changed_between(self, a: Duration, b: Duration) -> float:
        """Return the distinct blocks written after moment a, up to and including moment b, on this path.

        Args:
            a: since the start [s], or text such as ``"1h"``.
            b: likewise, not before a.

        Raises:
            InvalidRequest: a is before the start, b is before a, or one of them is no moment.
        """
        if not (isinstance(a, float) and isinstance(b, float) and 0.0 <= a <= b < math.inf):
            a, b = window(a, b)
        blocks = self._classes(self._path.between(a, b))
        for job in self._jobs:
            if (b - job.phase) // job.every > (a - job.phase) // job.every:
                blocks += job.blocks
        return min(blocks, self._classes.most)

    def changed_within(self, starts: Iterable[float], ends: Iterable[float]) -> Floats:
        """Return the distinct blocks of many windows at once, as `changed_between` does of one.

        Args:
            starts: of the windows [s]. Shape: (windows,).
            ends: likewise.

        Returns:
            The blocks. Shape: (windows,).

        Raises:
            InvalidRequest: a window ends before it begins, or begins before the start.
        """
        first, last = (np.asarray(each, np.float64) for each in (starts, ends))
        if not (np.isfinite(last).all() and (first >= 0).all() and (last >= first).all()):
            raise InvalidRequest("starts", len(first), "windows do not all begin from 0 up and end later", "sort each")
        writes = self._path.writes(last) - self._path.writes(first)
        return np.minimum(self._classes.of(writes) + of_jobs(self._jobs, first, last), self._classes.most)

    def to_trace(self, span: Duration) -> pd.DataFrame:
        """Write the path down block by block, in runs as real ones come.

        Where blocks lie is the same on every path: in extents all over the volume, *assumed* to be as on the disks that
        `snapkit.blocks.generation.EXTENT` cites.

        Its last record is a read of the end of the volume when the span is over, so that whoever reads it knows both.

        Args:
            span: how long [s].

        Returns:
            Columns ``t_us, op, off, len``, as for `Workload.from_trace` and for `Sandbox.replay`.

        Raises:
            InvalidRequest: nothing is written in the span.
        """
        seconds = to_seconds(span, "span")
        random = np.random.default_rng([*self._key, generation.PURPOSE])
        layout = generation.Layout.of(self._classes, self._jobs, self.model.following)
        times, sizes = self._path.bursts(seconds)
        steady = random.random(random.poisson(self.model.clock.steady * seconds)) * seconds
        bursts = np.concatenate([times, steady]), np.concatenate([sizes, np.ones(len(steady))])
        return layout.trace(bursts, seconds, self.block_size, self.size, random)

    @property
    def stationary(self) -> bool:
        """Never: what changes depends on when one looks."""
        return False

    def provenance(self, a: Duration, b: Duration) -> Provenance:
        """Return what `footprint_known` says, for any window.

        Raises:
            InvalidRequest: a is before the start, b is before a, or one of them is no moment.
        """
        window(a, b)
        return self.footprint_known

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the path, which draws itself anew."""
        return {name: value for name, value in self.__dict__.items() if name != "_path"}

    def _provenance_of(self, interval: float) -> Provenance:  # noqa: ARG002 - all intervals are alike
        return self.footprint_known

    def _mean(self, interval: float) -> tuple[float, int]:
        """Return the mean over the days of the span, or over weeks for an interval that is longer."""
        return (self._within_span if interval <= self.span else self._table)(interval), 0

    @cached_property
    def _path(self) -> Path:
        return Path(self.model.clock, self._key)

    @cached_property
    def _table(self) -> Table:
        return self._means(self.model.clock, 4.0 * WEEK)

    @cached_property
    def _within_span(self) -> Table:
        return self._means(self.model.clock.within(self.span), max(self.span, 10 * _SHORTEST))

    def _means(self, clock: Clock, longest: float) -> Table:
        """Average over a long course, drawn at once."""
        days = int(min(max(_BURSTS / max(clock.bursts_a_day, 1e-9), 7), _DAYS)) // 7 * 7
        random = np.random.default_rng([self._key[1], _MEANS])
        times, sizes = clock.draw(np.arange(-1, days), random)
        order = np.argsort(times)
        times, sums = times[order], np.concatenate([[0.0], np.cumsum(sizes[order])])
        until = days * float(DAY) - clock.midnight
        shortest = min(_SHORTEST, self.span / 50)
        lengths = np.geomspace(shortest, longest, _POINTS).tolist()
        return Table([(length, self._mean_of(times, sums, until, length)) for length in lengths], self._classes.most)

    def _mean_of(self, times: Floats, sums: Floats, until: float, length: float) -> float:
        """Average the blocks of windows of a length."""
        if length > until / 4:
            # Over so long a time the writes are nearly as many as their mean says.
            writes = np.array([sums[-1] * length / until])
            return float(self._blocks(writes, np.zeros(1), length)[0])
        if until / length <= _WINDOWS:
            starts = (until - length) * np.arange(_WINDOWS) / (_WINDOWS - 1)
            writes = sums[times.searchsorted(starts + length)] - sums[times.searchsorted(starts)]
            return float(self._blocks(writes, starts, length).mean())
        # Of so many windows laid end to end only those with a session are looked at one by one.
        windows = int(until // length)
        number = np.unique((times[times.searchsorted(0.0) :] // length).astype(np.int64))
        number = number[number < windows]
        starts = number.astype(np.float64) * length
        writes = sums[times.searchsorted(starts + length)] - sums[times.searchsorted(starts)]
        nothing = np.zeros(len(starts))
        more = self._blocks(writes, starts, length) - self._blocks(nothing, starts, length)
        every = np.floor((windows - 1) * np.arange(_WINDOWS) / (_WINDOWS - 1)) * length
        return float(self._blocks(np.zeros(_WINDOWS), every, length).mean() + more.sum() / windows)

    def _blocks(self, writes: Floats, starts: Floats, length: float) -> Floats:
        """Return the distinct blocks of windows in which sessions touch so many."""
        hit = self._classes.of(writes + self.model.clock.steady * length)
        return np.asarray(np.minimum(hit + of_jobs(self._jobs, starts, starts + length), self._classes.most))
