"""The footprint of a workload as a table: how many distinct blocks an interval of a given length changes."""

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate, pairwise
from math import log

import numpy as np
from numpy.typing import NDArray

from snapkit.blocks.extrapolation import SPREAD_OF_ALL, Band, Growth
from snapkit.errors import InvalidRequest
from snapkit.units import seconds_text

STATIONARY = "Every moment is like every other: what changes depends on how long one waits, not on when."
"""What a table assumes."""
_REMEMBERED = 4096
"""A schedule leaves few different gaps: 53 to 314 over a year of common retention rules."""
_FLAT = 1e-3
"""A power law below this changes nothing that could be counted."""
_NONE = 1e-9
"""Stands for no block at all, so that a logarithm exists."""
_LEAST = 1e-6
"""Fewer blocks than this are none."""


class Table:
    """Changed blocks per interval, interpolated between points by power laws.

    Below the shortest interval the first power law goes on; beyond the longest one T, the slope between T/4 and T, or
    its mean with the growth where that is known. A single point goes on with the growth both ways.
    All these slopes lie within [0, 1], for more time changes no fewer blocks, and twice the time at most twice as many.
    A dip among the points, which only chance makes, is levelled.
    """

    __slots__ = ("_anchors", "_beyond", "_blocks", "_intervals", "_most", "_seen", "_slopes")

    def __init__(
        self, points: Iterable[tuple[float, float]], most: float = float("inf"), growth: Growth | None = None
    ) -> None:
        """Lay power laws through pairs of an interval [s] and its blocks.

        Args:
            points: the pairs.
            most: all the blocks that there are; beyond the table no interval changes more.
            growth: what is known of how it goes on.

        Raises:
            InvalidRequest: there are fewer than two different intervals, or none where the growth is known.
        """
        ordered = sorted(points)
        intervals = [interval for interval, _ in ordered]
        if len(intervals) < (1 if growth else 2) or any(longer <= shorter for shorter, longer in pairwise(intervals)):
            raise InvalidRequest("intervals", intervals, "are not two or more different ones", "add points")
        blocks = list(accumulate((max(count, _NONE) for _, count in ordered), max))
        laws = [log(after / before) for before, after in pairwise(blocks)]
        laws = [law / log(after / before) for law, (before, after) in zip(laws, pairwise(intervals), strict=True)]
        self._intervals = intervals
        self._anchors = [intervals[0], *intervals]
        self._blocks = [blocks[0], *blocks]
        self._slopes = [min(laws[0], 1.0) if laws else 0.0, *laws, 0.0]
        self._seen: dict[float, float] = {}
        self._most = max(most, blocks[-1])
        self._beyond = self._going_on(growth).band
        self._slopes[-1] = self._beyond.likely
        if not laws:
            self._slopes[0] = self._beyond.likely

    @property
    def shortest(self) -> float:
        """The first interval of the table [s]."""
        return self._intervals[0]

    @property
    def longest(self) -> float:
        """The last interval of the table [s]."""
        return self._intervals[-1]

    def __call__(self, interval: float) -> float:
        """Return the distinct blocks that an interval [s] changes."""
        seen = self._seen.get(interval)
        return self._look_up(interval) if seen is None else seen

    def many(self, intervals: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the distinct blocks that each of many intervals [s] changes."""
        law = np.searchsorted(self._intervals, intervals, side="right")
        anchors, blocks, slopes = (np.asarray(each)[law] for each in (self._anchors, self._blocks, self._slopes))
        counts = np.minimum(blocks * (intervals / anchors) ** slopes, self._most)
        return np.where((intervals > 0) & (counts >= _LEAST), counts, 0.0)

    @property
    def beyond(self) -> Band:
        """The powers of the interval with which it goes on beyond the longest one, an 80 % band."""
        return self._beyond

    @property
    def beyond_text(self) -> str:
        """How it goes on beyond the longest interval, for people."""
        low, likely, high = (f"{power:.2f}" for power in self._beyond)
        grown = f"grow with the interval to the power {likely} (80 % band {low} to {high})"
        return f"Beyond {seconds_text(self.longest)} the changed blocks {grown}, judged by 54 real disks."

    def band(self, interval: float) -> Band:
        """Return the distinct blocks that an interval [s] changes, as an 80 % band: up to the longest one, a point."""
        likely, longer = self(interval), interval / self.longest
        if longer <= 1:
            return Band(likely, likely, likely)
        low, high = (_counted(min(self._blocks[-1] * longer**power, self._most)) for power in self._beyond[::2])
        return Band(min(low, likely), likely, max(high, likely))

    def joined(self, before: float, after: float) -> float:
        """Return the distinct blocks of two stretches laid end to end, given those of each.

        What they have in common follows the last power law, t^p: (before^(1/p) + after^(1/p))^p. So the whole never
        changes fewer blocks than a part, nor more than its parts together.
        """
        less, more = sorted((before, after))
        law = self._slopes[-1]
        if less <= 0 or law < _FLAT:
            return more
        return float(min(more * (1 + (less / more) ** (1 / law)) ** law, max(more, self._most)))

    def _going_on(self, growth: Growth | None) -> Growth:
        if growth and len(self._intervals) == 1:
            return growth
        slope = min(log(self._blocks[-1] / max(self(self.longest / 4), _NONE)) / log(4), 1.0)
        return growth.between(slope) if growth else Growth(slope, SPREAD_OF_ALL)

    def _look_up(self, interval: float) -> float:
        if interval <= 0.0:
            return 0.0
        law = bisect_right(self._intervals, interval)
        power = float((interval / self._anchors[law]) ** self._slopes[law])
        blocks = _counted(min(self._blocks[law] * power, self._most))
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen[interval] = blocks
        return blocks


def _counted(blocks: float) -> float:
    return blocks if blocks >= _LEAST else 0.0
