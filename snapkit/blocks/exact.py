"""Exact footprints of a trace: which touch of a block came before which."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np

Ints: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]
Flags: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]

_CHUNK = 2**16


class TraceIndex:
    """For every touch of a block, its time and the number of the touch of the same block before it.

    A block that was touched in (a, b] has exactly one touch there whose predecessor lies at or before a, so
    counting those counts distinct blocks, for any a and b. Twelve bytes a touch; sorted once.

    Attributes:
        span_us: how long the recording lasted [microseconds].
        distinct: how many different blocks were touched in it.
        following: the share of touches that went to the block right behind the one touched before.
    """

    __slots__ = ("_previous", "_times", "distinct", "following", "span_us")

    def __init__(self, times: Ints, blocks: Ints, span_us: int) -> None:
        """Index touches in order of time; the array of blocks is used up.

        Args:
            times: when each touch came [microseconds], none after the span. Shape: (touches,).
            blocks: what it touched; overwritten. Shape: (touches,).
            span_us: how long the recording lasted [microseconds].
        """
        self.span_us = span_us
        self._times = times
        self.following = _following(blocks)
        self._previous = _previous(blocks)
        self.distinct = len(times) - int(np.count_nonzero(self._previous))

    @property
    def times(self) -> Ints:
        """When each touch came [microseconds], in order. Shape: (touches,)."""
        return self._times

    def windows(self, starts: Floats, length: float) -> tuple[Ints, Ints]:
        """Count what was touched after each of some moments, up to and including a time later.

        Args:
            starts: the moments [s]. Shape: (windows,).
            length: the time [s].

        Returns:
            The touches, and the distinct blocks among them. Shape: (windows,) each.
        """
        first = self._times.searchsorted(np.rint(starts * 1e6).astype(np.int64), "right")
        last = self._times.searchsorted(np.rint((starts + length) * 1e6).astype(np.int64), "right")
        distinct = np.zeros(len(starts), dtype=np.int64)
        for window in np.flatnonzero(last > first).tolist():
            start = int(first[window])
            distinct[window] = np.count_nonzero(self._previous[start : int(last[window])] <= start)
        return np.asarray(last - first, np.int64), distinct

    def touches_by_block(self, wanted: Flags) -> Ints:
        """Count how often each block was touched by some of the touches.

        Args:
            wanted: which touches count. Shape: (touches,).

        Returns:
            The counts, of the blocks that have one above 0.
        """
        first = np.where(self._previous > 0, self._previous.astype(np.int64) - 1, np.arange(len(self._previous)))
        # Each jump doubles the distance, until every touch knows the first one of its block.
        while not np.array_equal(further := first[first], first):
            first = further
        counts = np.bincount(first[wanted], minlength=1)
        return np.asarray(counts[counts > 0])

    def between(self, a: float, b: float) -> int:
        """Count the distinct blocks touched after a [s], up to and including b [s]."""
        times = self._times
        # As Python ints, so that comparing with one does not widen the array of 32-bit numbers.
        start = int(times.searchsorted(round(a * 1e6), "right"))
        stop = int(times.searchsorted(round(b * 1e6), "right"))
        return int(np.count_nonzero(self._previous[start:stop] <= start))

    def changed(self, interval_us: int) -> tuple[int, int]:
        """Add up the distinct blocks of the full windows [k * interval, (k + 1) * interval) laid end to end from 0.

        Args:
            interval_us: the length of a window [microseconds].

        Returns:
            The sum, and the number of windows.
        """
        windows = self.span_us // interval_us
        end = int(self._times.searchsorted(windows * interval_us, "left"))
        total = 0
        for times, before in self._chunks(end):
            total += int(np.count_nonzero(before < times // interval_us * interval_us))
        return total, windows

    def working_set(self, lengths: Floats) -> Floats:
        """Average the distinct blocks touched in a window of a length over all windows of that length in the span.

        A window of length d misses a block while it fits into a gap between two of its touches, so
        F(d) = sum over blocks of (T - d - sum over gaps of max(0, gap - d)) / (T - d).

        Args:
            lengths: ascending, up to the span [microseconds]. Shape: (lengths,).

        Returns:
            The mean distinct blocks for each. Shape: (lengths,).

        Source:
            Denning and Schwartz, "Properties of the working-set model", CACM 15(3), 1972.
        """
        counts, sums = np.zeros(len(lengths) + 1), np.zeros(len(lengths) + 1)
        for gaps in self._gaps():
            shorter = np.searchsorted(lengths, gaps)
            counts += np.bincount(shorter, minlength=len(counts))
            sums += np.bincount(shorter, weights=gaps, minlength=len(sums))
        longer, total = (np.cumsum(each[:0:-1])[::-1] for each in (counts, sums))
        missed, room = total - longer * lengths, self.span_us - lengths
        # Of windows as long as the span there is one, and it sees every block.
        mean_missed = np.divide(missed, room, out=np.zeros(len(lengths)), where=room > 0)
        return np.asarray(self.distinct - mean_missed)

    def _chunks(self, end: int) -> Iterator[tuple[Ints, Ints]]:
        """Yield the times of the first touches, and of their predecessors, or -1 where there is none."""
        for start in range(0, end, _CHUNK):
            part = slice(start, min(start + _CHUNK, end))
            previous = self._previous[part].astype(np.int64)
            yield self._times[part], np.where(previous > 0, self._times[previous - 1], -1)

    def _gaps(self) -> Iterator[Ints]:
        """Yield the time from 0 to a block's first touch, between its touches, and from its last one to the span."""
        touched_again = np.zeros(len(self._times) + 1, dtype=np.bool_)
        for start in range(0, len(self._times), _CHUNK):
            touched_again[self._previous[start : start + _CHUNK]] = True
        for times, before in self._chunks(len(self._times)):
            yield times - np.maximum(before, 0)
        for start in range(0, len(self._times), _CHUNK):
            last = ~touched_again[start + 1 : start + 1 + _CHUNK]
            yield self.span_us - self._times[start : start + _CHUNK][last]


def _following(blocks: Ints) -> float:
    """Return the share of touches that went to the block right behind the one touched before."""
    count = 0
    for start in range(0, len(blocks) - 1, _CHUNK):
        count += int(np.count_nonzero(np.diff(blocks[start : start + _CHUNK + 1]) == 1))
    return count / max(len(blocks) - 1, 1)


def _previous(blocks: Ints) -> np.ndarray[Any, np.dtype[np.uint32]]:
    """Number, from 1, the touch of the same block before each touch; 0 where there is none. Overwrites its input."""
    count = len(blocks)
    width = max(count - 1, 1).bit_length()
    if int(blocks.max(initial=0)).bit_length() + width > 63:
        blocks[:] = np.searchsorted(np.unique(blocks), blocks)
    # Block and number share one 64-bit key, so that a plain sort, the fastest there is, also keeps them in order.
    blocks <<= width
    for start in range(0, count, _CHUNK):
        blocks[start : start + _CHUNK] |= np.arange(start, min(start + _CHUNK, count))
    blocks.sort()
    previous = np.zeros(count, dtype=np.uint32)
    for start in range(0, count - 1, _CHUNK):
        keys = blocks[start : start + _CHUNK + 1]
        numbers = keys & ((1 << width) - 1)
        same_block = (keys[1:] ^ keys[:-1]) < (1 << width)
        previous[numbers[1:]] = (numbers[:-1] + 1) * same_block
    return previous
