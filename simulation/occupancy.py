"""For how long which gaps lie between neighbours in a chain of snapshots: all that its mean storage depends on.

A chain stores the full volume and, for every gap between neighbours, the blocks changed in it. So what is stored over
time is the full volume times the time, plus the hours for which each length of gap is there times what a gap of that
length changes: an occupancy of the strategy alone, and a footprint of the workload alone.

A snapshot that goes does so when a later one completes, not when that starts; what lies between, the duration of the
later one, depends on the workload. So the blocks that go with it are kept apart, by what the duration follows from:
the gap before the later one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulation.lifetimes import Floats, Lifetimes, Numbers


@dataclass(frozen=True)
class Delay:
    """What leaves the chain with the completion of some snapshots, all after an equal gap.

    Attributes:
        gap: which gap the completing snapshots come after, by its number.
        low: what part of their duration lies before the stretch of time looked at [s].
        high: by when after their start that stretch ends [s]; infinity for long after.
        numbers: which gaps go (or come, where the count is negative).
        counts: how many of each.
    """

    gap: int
    low: float
    high: float
    numbers: Numbers
    counts: Floats


@dataclass(frozen=True)
class Stay:
    """For how long each gap is there in a stretch of time.

    Attributes:
        numbers: which gaps.
        seconds: for how long in all [s], as if every snapshot completed as it starts.
        delays: what stays for as long as snapshots take.
    """

    numbers: Numbers
    seconds: Floats
    delays: list[Delay]


@dataclass(frozen=True)
class Occupancy:
    """One strategy, as far as what it stores and loses goes, whatever the workload.

    Attributes:
        gaps: all lengths of gaps that ever lie between neighbours [s], ascending.
        whole: how long each is there until the horizon.
        tail: how long each is there in the last stretch before it.
        first: when the first snapshot is started [s].
        before: the number of the gap before each snapshot but the first.
        spare: time from the start of the last snapshot to the horizon [s].
        kept: how many snapshots are kept at the horizon, once the last one is complete, and until then.
        history: how far back the oldest of them reaches [s], likewise.
    """

    gaps: Floats
    whole: Stay
    tail: Stay
    first: float
    before: Numbers
    spare: float
    kept: tuple[int, int]
    history: tuple[float, float]


def occupancy(lifetimes: Lifetimes, horizon: float, tail: float) -> Occupancy:
    """Add up how long which gaps are there.

    Args:
        lifetimes: when the snapshots are taken and deleted.
        horizon: until when [s].
        tail: how long the last stretch before it is that is looked at besides [s].
    """
    times, ends = lifetimes.times, lifetimes.ends
    older, newer, since, until, merged = _neighbours(ends)
    gaps, number = _distinct(times[newer] - times[older])
    before = number[: len(times) - 1]
    chain = _Chain(times, len(gaps), number, since, until, merged, before)
    last = len(times) - 1
    alive = np.flatnonzero(ends > last), np.flatnonzero(ends >= last)
    # Before the last one is complete, it neither counts nor has deleted any.
    kept = len(alive[0]), len(alive[1]) - 1
    oldest = float(times[alive[0][0]]), float(times[alive[1][0]]) if kept[1] else float("nan")
    return Occupancy(
        gaps,
        chain.stay(0.0, horizon),
        chain.stay(horizon - tail, horizon),
        float(times[0]),
        before,
        horizon - float(times[-1]),
        kept,
        (horizon - oldest[0], horizon - oldest[1]),
    )


@dataclass(frozen=True)
class _Chain:
    """The gaps of a chain: which length each has, from and until which snapshot it is there."""

    times: Floats
    lengths: int
    number: Numbers
    since: Numbers
    until: Numbers
    merged: NDArray[np.bool_]
    before: Numbers

    def stay(self, begin: float, horizon: float) -> Stay:
        """Add up a stretch of time [s]."""
        edges = np.clip(np.append(self.times, horizon), begin, None)
        lasting = edges[self.until] - edges[self.since]
        seconds = np.bincount(self.number, lasting, self.lengths).astype(np.float64)
        used = np.flatnonzero(seconds)
        return Stay(used, seconds[used], self._delays(begin, horizon) if self.lengths else [])

    def _delays(self, begin: float, horizon: float) -> list[Delay]:
        """Sort what goes and comes with the completions by what their durations follow from."""
        times, last = self.times, len(self.times) - 1
        straddler = int(np.searchsorted(times, begin)) - 1  # the last one started before the stretch begins
        usual = int(self.before.max(initial=0)) + 1
        # What kind of completion each is: after which gap, one cut by either end of the stretch, or outside of it.
        kinds = np.concatenate([[usual], self.before, [usual]])
        kinds[: max(straddler, 0)] = usual
        cut = {usual + 1: straddler, usual + 2: last}
        for kind, event in cut.items():
            if event > 0:
                kinds[event] = kind
        within = np.flatnonzero(self.until >= straddler) if straddler > 0 else slice(None)
        number, width = self.number[within], self.lengths
        merged = np.flatnonzero(self.merged[within])
        counts = np.bincount(kinds[self.until[within]] * width + number, minlength=(usual + 3) * width)
        counts -= np.bincount(kinds[self.since[within][merged]] * width + number[merged], minlength=len(counts))
        delays = []
        for kind, row in enumerate(counts.reshape(-1, width)):
            if kind == usual or not len(used := np.flatnonzero(row)):
                continue
            cause, low, high = kind, 0.0, float("inf")
            if event := cut.get(kind, 0):
                cause = int(self.before[event - 1])
                low, high = max(begin - float(times[event]), 0.0), horizon - float(times[event])
            delays.append(Delay(cause, low, high, used, row[used].astype(np.float64)))
        return delays


def _neighbours(ends: Numbers) -> tuple[Numbers, Numbers, Numbers, Numbers, NDArray[np.bool_]]:
    """List all that are ever neighbours, and from when until when.

    Two are neighbours once all between them are gone, until the first of them goes. So seen from the one that goes
    first, the other is the nearest that outlives it, on either side.

    Returns:
        The older, the newer, the number of the snapshot from which on, and of the one until which, and whether they
        become neighbours by its completion rather than by the start of the newer one.
    """
    count = len(ends)
    later = np.arange(1, count)
    left, left_between = _nearest(ends, strict=False)
    right, right_between = _nearest(ends[::-1], strict=True)
    wide_left = np.flatnonzero((left >= 0) & (left < np.arange(-1, count - 1)))
    wide_right = np.flatnonzero((right >= 0) & (right < np.arange(-1, count - 1)))
    backwards = count - 1 - wide_right
    older = np.concatenate([later - 1, left[wide_left], backwards])
    newer = np.concatenate([later, wide_left, count - 1 - right[wide_right]])
    between = np.concatenate([left_between[wide_left], right_between[wide_right]])
    until = np.minimum(ends[older], ends[newer])
    since = newer.copy()
    np.maximum(since[count - 1 :], between, out=since[count - 1 :])
    merged = np.append(np.zeros(count - 1, np.bool_), between >= newer[count - 1 :])
    real = np.flatnonzero((since < until) | ((since == until) & ~merged))
    return older[real], newer[real], since[real], until[real], merged[real]


def _nearest(ends: Numbers, *, strict: bool) -> tuple[Numbers, Numbers]:
    """Find, for each, the nearest before it that goes no earlier, or later if strict.

    Returns:
        Its number, -1 for none, and the last end of those between the two, -1 where there are none.
    """
    passed = np.less_equal if strict else np.less
    # Of a run in which each passes over the one before, the last passes over all, and its neighbour is the last to go.
    runs = passed(ends[:-1], ends[1:])
    places = np.arange(len(ends))
    nearest = np.append(0, np.where(runs, 0, places[1:]))
    np.maximum.accumulate(nearest, out=nearest)
    nearest -= 1
    between = np.append(-1, np.where(runs, ends[:-1], -1))
    active = jumping = np.flatnonzero((nearest >= 0) & passed(ends[nearest], ends))
    while len(active):
        # Each passes over all between itself and its nearest; if over that one too, then over all that one passes.
        there = nearest[nearest[active]]
        nearest[active] = there
        active = active[(there >= 0) & passed(ends[there], ends[active])]
    between[jumping] = _latest_between(ends, nearest[jumping], jumping)
    return nearest, between


def _latest_between(ends: Numbers, older: Numbers, newer: Numbers) -> Numbers:
    """Find the last end of those between two that are not neighbours by number."""
    width = newer - older - 1
    level = np.frexp(width)[1] - 1
    latest = np.empty(len(older), np.int64)
    table = ends
    for each in range(int(level.max(initial=-1)) + 1):
        if each:
            table = np.maximum(table[: -(1 << each - 1)], table[1 << each - 1 :])
        own = np.flatnonzero(level == each)
        latest[own] = np.maximum(table[older[own] + 1], table[newer[own] - (1 << each)])
    return latest


def _distinct(lengths: Floats) -> tuple[Floats, Numbers]:
    """List the different lengths, ascending, and which of them each is."""
    step = _step(lengths)
    if step and float(lengths.max()) / step <= 4 * len(lengths):
        units = np.rint(lengths / step).astype(np.int64)
        there = np.bincount(units) > 0
        return step * np.flatnonzero(there).astype(np.float64), (np.cumsum(there) - 1)[units]
    found, number = np.unique(lengths, return_inverse=True)
    return found, number.astype(np.int64)


def _step(lengths: Floats) -> float:
    """Find the largest step of whole seconds that all lengths are multiples of; 0 if there is none."""
    if not len(lengths) or np.any(lengths != np.floor(lengths)):
        return 0.0
    return float(np.gcd.reduce(lengths.astype(np.int64)))
