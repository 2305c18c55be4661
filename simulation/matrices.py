"""The figures of all strategies on all volumes at once, as matrices: what `simulation.screening` ranks."""

from collections.abc import Sequence
from dataclasses import replace
from math import exp
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from simulation.lifetimes import Floats
from simulation.occupancy import Occupancy, Stay
from snapkit.blocks import Workload
from snapkit.prices import MONTH, Prices
from snapkit.timing import Doubt, Timing

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_ROUNDING = 1e-9


class Matrices:
    """All strategies at once: how long each has each gap, how often it copies after one, and what is delayed."""

    def __init__(self, plans: Sequence[Occupancy], horizon: float) -> None:
        self.plans = plans
        self.horizon = horizon
        self.gaps = np.unique(np.concatenate([plan.gaps for plan in plans]))
        self._places = [np.searchsorted(self.gaps, plan.gaps) for plan in plans]
        counts = [np.bincount(plan.before, minlength=len(plan.gaps)) for plan in plans]
        self.taken = self._sparse(list(zip(self._places, counts, strict=True)))
        self.whole = _Stays([plan.whole for plan in plans], self._places, self)
        self.tail = _Stays([plan.tail for plan in plans], self._places, self)

    def _sparse(self, rows: Sequence[tuple[NDArray[np.int64], NDArray[np.generic]]]) -> "csr_array":
        from scipy.sparse import csr_array  # slow to import, and of use only here

        ends = np.cumsum([0, *(len(places) for places, _ in rows)])
        values = np.concatenate([values for _, values in rows] or [np.zeros(0)]).astype(np.float64)
        columns = np.concatenate([places for places, _ in rows] or [np.zeros(0, np.int64)])
        return csr_array((values, columns, ends), shape=(len(rows), len(self.gaps)))

    def figures(self, volumes: Sequence[Workload], timing: Timing, prices: Prices) -> dict[str, Floats]:
        """Give the figures of every strategy (rows) on some volumes (columns)."""
        changed = np.column_stack([self._changed(each) for each in volumes])
        data = np.array([each.allocated(0.0) * each.block_size for each in volumes], np.float64)
        growth = np.array([self._growth(each) for each in volumes])
        begun = np.array([plan.first for plan in self.plans])[:, None]
        full = data + begun * growth
        # What weather and doubt make of durations on average: the mean of a lognormal with median 1.
        weather, doubt = float(np.exp(timing.spread**2 / 2)), timing.doubt
        latency, rate = timing.latency * exp(doubt.latency**2 / 2), timing.rate / exp(doubt.rate**2 / 2)
        timing = replace(timing, latency=latency, rate=rate, doubt=Doubt())
        seconds, first = _seconds(timing, changed) * weather, _seconds(timing, full) * weather
        for place, volume in enumerate(volumes):
            if len(volume.members) > 1:
                # Those of a set finish together, with the slowest.
                each = volume.members.values()
                seconds[:, place] = weather * np.max([_seconds(timing, self._changed(one)) for one in each], 0)
                first[:, place] = weather * np.max([_seconds(timing, self._full(one)) for one in each], 0)
        count = np.array([len(plan.before) + 1.0 for plan in self.plans])[:, None]
        spare = np.array([plan.spare for plan in self.plans])[:, None]
        last = np.vstack(
            [
                seconds[places[plan.before[-1]]] if len(plan.before) else full_seconds
                for plan, places, full_seconds in zip(self.plans, self._places, first, strict=True)
            ]
        )
        done = last <= spare
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (self.taken @ seconds - np.where(done, 0.0, last)) / (count - 1 - ~done)
        losses = self._losses(seconds, first, last, done)
        varying = np.array([not each.stationary for each in volumes])
        np.maximum(losses["approximate"], self._swells(changed) | varying, out=losses["approximate"])
        tail = min(MONTH, self.horizon)
        # What was added until the newest snapshot is stored once, whichever snapshots go; the gaps hold the rest.
        rewritten = changed - np.outer(self.gaps, growth)
        stored = data * (self.horizon - begun) + self.whole.byte_seconds(rewritten, seconds)
        late = data * np.minimum(tail, self.horizon - begun) + self.tail.byte_seconds(rewritten, seconds)
        if growth.any():
            stored += self._newest(self.horizon) * growth
            late += self._newest(tail) * growth
        ones = np.ones_like(last)
        figures = {
            "snapshots": count * ones,
            "kept": self._either(done, "kept"),
            "full_duration_s": first,
            "duration_mean_s": np.where(count > 1, mean, np.nan),
            **losses,
            "history_s": self._either(done, "history"),
            "copied_bytes": full + self.taken @ changed,
            "stored_mean_bytes": stored / self.horizon,
            "cost_usd": stored * prices.stored(1.0),
            "monthly_cost_usd": late * (prices.stored(1.0) * MONTH / tail),
        }
        # Each builds on the first: while that is pending nothing is complete, and others wait.
        gaps = np.array([plan.gaps[plan.before[0]] if len(plan.before) else np.inf for plan in self.plans])
        np.maximum(figures["approximate"], first > gaps[:, None], out=figures["approximate"])
        never = first > self.horizon - begun
        for name in ("full_duration_s", "duration_mean_s", "rpo_mean_s", "rpo_p95_s", "history_s"):
            figures[name] = np.where(never, np.nan, figures[name])
        figures["kept"] = np.where(never, 0.0, figures["kept"])
        return figures

    def _changed(self, volume: Workload) -> Floats:
        """Tell what each gap changes on a volume [bytes]."""
        return np.minimum(volume.footprints(self.gaps), volume.allocated(self.horizon)) * volume.block_size

    def _full(self, volume: Workload) -> Floats:
        """Tell how much the first snapshot of each strategy copies of a volume [bytes]."""
        return np.array([volume.allocated(plan.first) * volume.block_size for plan in self.plans], np.float64)

    def _growth(self, volume: Workload) -> float:
        """Tell how much is added to a volume, which is at an even rate [bytes/s]."""
        return (volume.allocated(self.horizon) - volume.allocated(0.0)) * volume.block_size / self.horizon

    def _newest(self, lasting: float) -> Floats:
        """Integrate when the newest snapshot was taken, over the last stretch of time [s^2]: a row per strategy."""
        sums = []
        for plan in self.plans:
            times = plan.first + np.cumsum(np.append(0.0, plan.gaps[plan.before]))
            sums.append(times @ np.diff(np.append(times, self.horizon).clip(self.horizon - lasting)))
        return np.array(sums)[:, None]

    def _swells(self, changed: Floats) -> NDArray[np.bool_]:
        """Tell on which volumes some gap changes more blocks in a time than a shorter one does."""
        waited = self.gaps > 0
        rates = changed[waited] / self.gaps[waited, None]
        return np.asarray(np.any(rates[1:] > rates[:-1] * (1 + _ROUNDING), axis=0))

    def _either(self, done: NDArray[np.bool_], name: str) -> Floats:
        """Choose a figure by whether the last snapshot is complete at the horizon."""
        after, until = np.array([getattr(plan, name) for plan in self.plans], np.float64).T[:, :, None]
        return np.asarray(np.where(done, after, until))

    def _losses(self, seconds: Floats, first: Floats, last: Floats, done: NDArray[np.bool_]) -> dict[str, Floats]:
        """Find what a failure at a random moment loses, and where a snapshot lasts until the next one starts."""
        mean, high, overlapping = np.empty_like(last), np.empty_like(last), np.zeros_like(last)
        for row, (plan, places) in enumerate(zip(self.plans, self._places, strict=True)):
            before = places[plan.before]
            pairs, counts = _pairs(before, len(self.gaps))
            gaps = self.gaps[before]
            # Cuts of time in which the newest complete snapshot stays the same: from when it completes (the loss is
            # its duration then) until the next one does. The first and the last two are by themselves.
            low, top = [*seconds[pairs[:, 0]]], [*(self.gaps[pairs[:, 1], None] + seconds[pairs[:, 1]])]
            overlapping[row] = np.any(seconds[pairs[:, 0]] > self.gaps[pairs[:, 1], None], axis=0)
            ages = [first[row], *seconds[before[[0, -1]]]] if len(before) else [first[row]]
            if len(before) > 1:
                low.append(first[row])
                top.append(gaps[0] + ages[1])
            if len(before):
                previous = seconds[before[-2]] if len(before) > 1 else first[row]
                low.append(previous)
                top.append(np.where(done[row], gaps[-1] + last[row], gaps[-1] + plan.spare))
            low.append(last[row])
            top.append(np.where(done[row], plan.spare, last[row]))
            weights = np.append(counts, np.ones(len(low) - len(counts)))
            mean[row], high[row] = _mixture(np.array(low), np.array(top), weights)
        return {"rpo_mean_s": mean, "rpo_p95_s": high, "approximate": overlapping}


class _Stays:
    """How long each strategy has each gap in a stretch of time, and what is delayed by the duration of a snapshot."""

    def __init__(self, stays: Sequence[Stay], places: Sequence[NDArray[np.int64]], matrices: Matrices) -> None:
        delays = [(row, each) for row, stay in enumerate(stays) for each in stay.delays]
        self._seconds = matrices._sparse(
            [(own[stay.numbers], stay.seconds) for stay, own in zip(stays, places, strict=True)]
        )
        self._counts = matrices._sparse([(places[row][each.numbers], each.counts) for row, each in delays])
        self._causes = np.array([places[row][each.gap] for row, each in delays], np.int64)
        self._low = np.array([each.low for _, each in delays])[:, None]
        self._high = np.array([each.high for _, each in delays])[:, None]
        self._rows = np.array([row for row, _ in delays], np.int64)

    def byte_seconds(self, changed: Floats, seconds: Floats) -> Floats:
        """Integrate what is stored besides the full volume [byte seconds]: strategies by volumes.

        Args:
            changed: what each gap changes [bytes], gaps by volumes.
            seconds: how long a snapshot after it takes [s], likewise.
        """
        stored = np.asarray(self._seconds @ changed)
        if len(self._rows):
            delayed = np.clip(seconds[self._causes], self._low, np.maximum(self._high, self._low)) - self._low
            delayed *= self._counts @ changed
            np.add.at(stored, self._rows, delayed)
        return stored


def _seconds(timing: Timing, sizes: Floats) -> Floats:
    """Tell how long snapshots of some sizes [bytes] take [s]."""
    return np.asarray(timing.seconds(sizes))  # type: ignore[arg-type] # its formula takes arrays as well


def _pairs(before: NDArray[np.int64], gaps: int) -> tuple[NDArray[np.int64], Floats]:
    """Count which gap follows which, but for the last one."""
    if len(before) < 3:
        return np.zeros((0, 2), np.int64), np.zeros(0)
    keys, counts = np.unique(before[:-2] * gaps + before[1:-1], return_counts=True)
    return np.column_stack([keys // gaps, keys % gaps]), counts.astype(np.float64)


def _mixture(low: Floats, high: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Give mean and 95th percentile of losses that are equally likely within each of some cuts.

    Args:
        low: the loss at the beginning of each cut [s], cuts by volumes.
        high: at its end; a cut that ends before it begins never is.
        weights: how often each cut is there.
    """
    high = np.maximum(low, high)
    total = weights @ (high - low)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = weights @ (high**2 - low**2) / 2 / total
    edges = np.concatenate([low, high]).T
    order = np.argsort(edges, axis=1)
    edges = np.take_along_axis(edges, order, 1)
    slopes = np.cumsum(np.append(weights, -weights)[order], axis=1)
    below = np.zeros_like(edges)
    np.cumsum(slopes[:, :-1] * np.diff(edges, axis=1), axis=1, out=below[:, 1:])
    wanted = 0.95 * total
    # The first edge up to which at least so many moments lose less.
    place = np.clip(np.sum(below < wanted[:, None], axis=1), 1, edges.shape[1] - 1)
    rows = np.arange(len(edges))
    slope = slopes[rows, place - 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = edges[rows, place - 1] + (wanted - below[rows, place - 1]) / slope
    return mean, np.where(total > 0, loss, np.nan)
