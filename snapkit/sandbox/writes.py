"""What writes to the disks of a sandbox as its clock moves."""

import math
from bisect import bisect_right

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit.blocks import Workload
from snapkit.blocks.growing import Growing
from snapkit.blocks.recording import Recording
from snapkit.blocks.rewriting import Rewritten
from snapkit.blocks.together import Together
from snapkit.errors import InvalidRequest
from snapkit.rules import BLOCK, LARGEST_VOLUME
from snapkit.sandbox.disk import Blocks, Writer, union
from snapkit.units import DAY, GIB, Duration

_STEPS = 48


def writer_of(workload: Workload, blocks: int, chance: np.random.Generator) -> Writer:
    """Make what writes to a disk as a workload says, new data and rewrites included.

    Args:
        workload: of one volume.
        blocks: how many the disk has; what the workload reaches beyond them is left out.
        chance: draws which blocks are written.

    Raises:
        InvalidRequest: it stands for several volumes, or counts in other blocks than EBS does.
    """
    if isinstance(workload, Together):
        rule = "stands for writes to several volumes"
        raise InvalidRequest("workload", workload.name, rule, "run each of its members on a volume of its own")
    if isinstance(workload, Growing):
        return Appending(writer_of(workload.original, blocks, chance), workload)
    if isinstance(workload, Rewritten):
        return Rewriting(writer_of(workload.original, blocks, chance), workload, blocks)
    return Steady(workload, blocks, chance)


class Steady:
    """Writes that change as many blocks per interval as a workload says, whichever blocks these are.

    Every block is written at the events of a Poisson process of its own. How many blocks have which rate is fitted, so
    that the expected number of distinct blocks per interval, the sum of 1 - exp(-rate * interval), follows the curve of
    the workload. What is drawn for two intervals that do not overlap is independent, as such processes are, so the
    truth does not depend on how often it is looked at.

    Attributes:
        extent: how many blocks hold data from the beginning.
    """

    def __init__(self, workload: Workload, blocks: int, chance: np.random.Generator) -> None:
        """Fit the rates.

        Args:
            workload: known from a trace, a table or a profile.
            blocks: how many the disk has; what the workload reaches beyond them is left out.
            chance: draws which blocks are written.

        Raises:
            InvalidRequest: it counts in other blocks than EBS does.
        """
        from scipy.optimize import nnls

        if workload.block_size != BLOCK:
            rule = "is not that of EBS, in which the sandbox counts"
            raise InvalidRequest("block size of the workload", workload.block_size, rule, f"count in {BLOCK} bytes")
        self._chance = chance
        reach = -(-workload.size // BLOCK)
        self.extent = min(blocks, reach)
        shortest = min(60.0, workload.span / _STEPS)
        intervals = np.geomspace(shortest, workload.span, _STEPS)
        scale = self.extent / reach
        wanted = np.maximum([workload.footprint(float(each)) * scale for each in intervals], 1e-9)
        # From often to seldom: where the fit has more blocks than there are, the seldom written ones are cut off.
        rates = np.geomspace(10 / shortest, 0.5 / workload.span, _STEPS)
        touched = 1.0 - np.exp(-np.outer(intervals, rates))
        counts, _ = nnls(touched / wanted[:, None], np.ones(_STEPS))
        whole = np.floor(np.cumsum(counts) + 0.5).astype(np.int64)
        numbers = np.diff(np.minimum(whole, self.extent), prepend=0)
        places = chance.choice(self.extent, int(numbers.sum()), replace=False).astype(np.uint32)
        ends = np.cumsum(numbers)
        self._classes: list[tuple[float, NDArray[np.uint32]]] = [
            (float(rate), places[end - number : end])
            for rate, number, end in zip(rates, numbers, ends, strict=True)
            if number
        ]
        self._rate = sum(rate * len(each) for rate, each in self._classes)

    def between(self, a: float, b: float) -> Blocks:
        """Draw which blocks are written after moment a, up to and including b [s since it began]; asked in order."""
        parts = []
        for rate, places in self._classes:
            number = int(self._chance.binomial(len(places), -np.expm1(-rate * (b - a))))
            parts.append(places if number == len(places) else self._chance.choice(places, number, replace=False))
        return np.sort(np.concatenate(parts)) if parts else np.empty(0, np.uint32)

    def bytes_between(self, a: float, b: float) -> float:
        """Tell how much is written [bytes] after a, up to and including b: what is expected, in blocks of 512 KiB."""
        return self._rate * (b - a) * BLOCK


class Appending:
    """What another one writes, and new blocks one after the other, at an even rate.

    Attributes:
        extent: how many blocks hold data from the beginning; the new ones follow.
    """

    def __init__(self, original: Writer, workload: Growing) -> None:
        """Append to what the original fills as much as the workload grows."""
        self.extent = original.extent
        self._original = original
        self._rate = workload.per_day / DAY / BLOCK

    def between(self, a: float, b: float) -> Blocks:
        """Tell which blocks are written after moment a, up to and including b [s since it began]; asked in order."""
        new = np.arange(self._end(a), self._end(b), dtype=np.uint32)
        return union([self._original.between(a, b), new])

    def bytes_between(self, a: float, b: float) -> float:
        """Tell how much is written [bytes] after a, up to and including b."""
        return self._original.bytes_between(a, b) + self._rate * (b - a) * BLOCK

    def _end(self, moment: float) -> int:
        """Tell where the next new block comes to lie; none lies beyond the largest volume of EBS."""
        return min(self.extent + math.floor(self._rate * moment), LARGEST_VOLUME // BLOCK)


class Rewriting:
    """What another one writes, and at some moments the first part of all that holds data.

    Attributes:
        extent: how many blocks hold data from the beginning.
    """

    def __init__(self, original: Writer, workload: Rewritten, blocks: int) -> None:
        """Rewrite, of a disk of so many blocks, the share that the workload says."""
        self.extent = original.extent
        self._original = original
        self._moments = workload.moments
        self._ends = [
            math.floor(workload.share * min(blocks, workload.allocated(moment)) + 0.5) for moment in workload.moments
        ]

    def between(self, a: float, b: float) -> Blocks:
        """Tell which blocks are written after moment a, up to and including b [s since it began]; asked in order."""
        rewritten = (np.arange(end, dtype=np.uint32) for end in self._rewrites(a, b))
        return union([self._original.between(a, b), *rewritten])

    def bytes_between(self, a: float, b: float) -> float:
        """Tell how much is written [bytes] after a, up to and including b."""
        return self._original.bytes_between(a, b) + sum(self._rewrites(a, b)) * BLOCK

    def _rewrites(self, a: float, b: float) -> list[int]:
        """List how far each rewrite between two moments reaches [blocks]."""
        return self._ends[bisect_right(self._moments, a) : bisect_right(self._moments, b)]


class Replay:
    """The writes of a recording, one by one; after its end it begins again.

    Attributes:
        extent: how many blocks hold data from the beginning: as far as the requests reach, in whole GiB, as for a
            `Workload` of the same trace.
    """

    def __init__(self, frame: pd.DataFrame, device: object = None, span: Duration | None = None) -> None:
        """Read a recording.

        Args:
            frame: as for `Workload.from_trace`.
            device: which of several devices.
            span: how long the recording lasted, by default until its last record.

        Raises:
            InvalidRequest: the frame is no block trace, the device is not in it, or nothing is written in the span.
        """
        recording = Recording.of(frame, device, span)
        self._span = recording.span_us
        times, blocks = recording.touches(BLOCK)
        self._times = np.asarray(times, np.int64)
        self._blocks = np.asarray(blocks, np.uint32)
        self.extent = -(-recording.extent // GIB) * (GIB // BLOCK)

    def between(self, a: float, b: float) -> Blocks:
        """Tell which blocks are written after moment a, up to and including b [s since it began]."""
        return union([np.unique(self._blocks[start:stop]) for start, stop in self._stretches(a, b)])

    def bytes_between(self, a: float, b: float) -> float:
        """Tell how much is written [bytes] after a, up to and including b, in whole blocks of 512 KiB."""
        return float(sum(stop - start for start, stop in self._stretches(a, b)) * BLOCK)

    def _stretches(self, a: float, b: float) -> list[tuple[int, int]]:
        """Cut (a, b] where the recording begins again; returns the touches of each part, from and up to."""
        start, end = round(a * 1e6), round(b * 1e6)
        parts = []
        while start < end:
            lap, offset = divmod(start, self._span)
            stop = min(end - lap * self._span, self._span)
            # What comes at the very beginning belongs to a later lap, but lies before (0, b] of the first.
            first = self._times.searchsorted(offset, "left" if start and not offset else "right")
            parts.append((int(first), int(self._times.searchsorted(stop, "right"))))
            start = lap * self._span + stop
        return parts
