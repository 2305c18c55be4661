"""Sessions whose simulated moments are those that were measured."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from snapkit.blocks.classes import Classes
from snapkit.blocks.exact import Floats
from snapkit.blocks.write_clock import Job, Sessions, of_jobs
from snapkit.units import DAY, HOUR

_SESSIONS = 1024
_BURSTS = 20_000
_DAYS = 400
_POOL = 2**16
_EVALUATIONS = (220, 120)
_MOST_BURSTS_A_DAY = 43_200
"""One in two seconds: closer than any two snapshots of a volume, and still drawn in no time."""
_JOB_WINDOWS = 2048
_MOST_WRITES = 1e9


@dataclass(frozen=True)
class Moments:
    """What windows of one length were found to change.

    Attributes:
        length: of the windows [s].
        mean: of the changed blocks.
        median: likewise.
        p95: the 95th percentile, likewise.
        zero: the share of windows that change nothing.
        hit: how many windows changed something; the fewer, the less is known.
    """

    length: float
    mean: float
    median: float
    p95: float
    zero: float
    hit: float

    @classmethod
    def of(cls, length: float, blocks: Floats, weights: Floats | None = None) -> "Moments":
        """Take the moments of the changed blocks of windows, each with the weight 1 if none are given."""
        if weights is None:
            median, p95 = np.quantile(blocks, [0.5, 0.95])
            hit = float((blocks >= 0.5).sum())
            return cls(length, float(blocks.mean()), float(median), float(p95), 1 - hit / len(blocks), hit)
        order = np.argsort(blocks)
        share = np.cumsum(weights[order])
        total = float(share[-1])
        at = order[np.minimum(np.searchsorted(share, [0.5 * total, 0.95 * total]), len(order) - 1)]
        median, p95 = blocks[at]
        hit = float(weights[blocks >= 0.5].sum())
        # Not as a product of vectors: BLAS would start threads for it, which costs more than the sum.
        return cls(length, float((blocks * weights).sum()) / total, float(median), float(p95), 1 - hit / total, hit)


class Simulation:
    """Draws sessions with the same chances for any parameters, so that their moments change smoothly with these."""

    def __init__(self, lengths: Sequence[float], classes: Classes, jobs: Sequence[Job], steady: float) -> None:
        """Prepare.

        Args:
            lengths: of the windows whose moments are wanted [s].
            classes: the footprint in writes.
            jobs: what comes besides the sessions.
            steady: touches a second that never cease.
        """
        self.lengths, self.steady = list(lengths), steady
        self._jobs = jobs
        top = max(_MOST_WRITES, 2 * steady * max(lengths))
        self._writes = np.concatenate([np.arange(64.0), np.geomspace(64.0, top, 1500)])
        self._blocks = classes.of(self._writes)
        self._alone = [self._quiet(length) for length in lengths]

    def moments(self, sessions: Sessions) -> list[Moments]:
        """Simulate windows of every length."""
        times, sizes, horizon = _drawn(sessions)
        order = np.argsort(times)
        times, sizes = times[order], sizes[order]
        return [
            self._moments(times, sizes, horizon, length, alone)
            for length, alone in zip(self.lengths, self._alone, strict=True)
        ]

    def _moments(
        self, times: Floats, sizes: Floats, horizon: float, length: float, alone: tuple[Floats, Floats]
    ) -> Moments:
        windows = max(int(horizon // length), 1)
        number = (times[: int(times.searchsorted(windows * length))] / length).astype(np.int64)
        first = np.flatnonzero(np.diff(number, prepend=-1))
        writes = np.add.reduceat(sizes[: len(number)], first) if len(first) else np.empty(0)
        writes = writes + self.steady * length
        starts = number[first].astype(np.float64) * length
        blocks = np.interp(writes, self._writes, self._blocks) + self._of_jobs(starts, length)
        quiet, share = alone
        weights = np.concatenate([np.ones(len(writes)), share * (windows - len(writes))])
        return Moments.of(length, np.concatenate([blocks, quiet]), weights)

    def _of_jobs(self, starts: Floats, length: float) -> Floats:
        return of_jobs(self._jobs, starts, starts + length)

    def _quiet(self, length: float) -> tuple[Floats, Floats]:
        """Return what windows change in which no session writes: the numbers of blocks, and how frequent each is."""
        starts = np.arange(_JOB_WINDOWS, dtype=np.float64) * length
        blocks, counts = np.unique(self._of_jobs(starts, length), return_counts=True)
        return blocks + np.interp(self.steady * length, self._writes, self._blocks), counts / _JOB_WINDOWS


def sessions_of(point: Floats, largest: float, hours: tuple[float, float]) -> Sessions:
    """Read the parameters of sessions from logarithms, held to what can be drawn.

    Args:
        point: see `matched`. Shape: (6,).
        largest: the most writes of a burst.
        hours: when sessions begin; see `Sessions`.
    """
    per_day, more, lasting, size, spread, unlike = np.exp(np.clip(point, -30.0, 30.0)).tolist()
    bursts = min(1.0 + more, 2000.0)
    per_day, lasting = min(per_day, _MOST_BURSTS_A_DAY / bursts), min(lasting, 6.0 * HOUR)
    size = min(max(size, 0.5), largest)
    return Sessions(per_day, bursts, lasting, size, min(spread, 2.5), min(unlike, 2.0), largest, hours)


def matched(
    simulation: Simulation,
    sessions: Callable[[Floats], Sessions],
    wanted: Sequence[Moments],
    near: tuple[Floats, Floats],
) -> tuple[Floats, float]:
    """Find the logarithms of the parameters of sessions whose moments are the wanted ones.

    Args:
        simulation: turns sessions into moments.
        sessions: reads them from the logarithms.
        wanted: what was measured.
        near: the logarithms to begin from: sessions a day, further bursts of each, their duration [s], the median size,
            and both spreads; and how far the result may lie from those, as a standard deviation. Shape: (6,) each.

    Returns:
        The logarithms, and how far they are from what was wanted, the less the better. Shape: (6,).

    Source:
        McFadden, "A Method of Simulated Moments", Econometrica 57(5), 1989; Nelder and Mead, Computer Journal 7, 1965.
    """
    from scipy.optimize import minimize

    guess, trust = near
    target, weight = _residuals_of(wanted)

    def loss(point: Floats) -> float:
        found, _ = _residuals_of(simulation.moments(sessions(point)))
        far = (point - guess) / trust
        return float((np.minimum(np.abs((found - target) * weight), 20.0) ** 2).sum() + far @ far)

    best, least, steps = guess, math.inf, np.array([0.7, 0.7, 0.7, 0.7, 0.4, 0.4])
    for sign, evaluations in zip((1.0, -0.5), _EVALUATIONS, strict=True):
        simplex = np.vstack([best, best + np.diag(steps * sign)])
        found = minimize(
            loss,
            best,
            method="Nelder-Mead",
            options={"maxfev": evaluations, "initial_simplex": simplex, "xatol": 0.01, "fatol": 0.02},
        )
        best, least = found.x, float(found.fun)
    return np.asarray(best), least


def _residuals_of(moments: Sequence[Moments]) -> tuple[Floats, Floats]:
    """Return what is compared, on scales where a difference of 1 / weight is a standard error, and the weights."""
    values, weights = [], []
    for each in moments:
        few = 1.0 / max(each.hit, 1.0)
        values += [np.log(each.mean + 1e-6), np.log1p(each.median), np.log1p(each.p95), each.zero]
        weights += [1 / (0.03 + few), 1 / (0.3 + few), 1 / (0.15 + 3 * few**0.5 * 0.5), 1 / (0.015 + few)]
    return np.array(values), np.array(weights)


def _drawn(sessions: Sessions) -> tuple[Floats, Floats, float]:
    """Draw bursts from the pools: when [s], how many writes, and how long all of it takes [s]."""
    per_session, per_burst = _pools()
    gaps, number, lasting, unlike = per_session
    count = min(_SESSIONS, max(int(_DAYS * sessions.per_day), 16))
    if sessions.bursts > 1:
        bursts = np.ceil(np.log(number[:count]) / np.log1p(-1 / sessions.bursts)).astype(np.int64).clip(1)
    else:
        bursts = np.ones(count, np.int64)
    count = max(int(np.searchsorted(np.cumsum(bursts), _BURSTS)), 16)
    bursts = bursts[:count]
    opens, open_for = sessions.hours
    worked = np.cumsum(-np.log(gaps[: len(bursts)])) * open_for / sessions.per_day
    begin = worked // open_for * DAY + opens + worked % open_for
    session = np.repeat(np.arange(len(bursts)), bursts)
    within = np.arange(len(session)) - np.repeat(np.cumsum(bursts) - bursts, bursts)
    at = (session * 977 + within * 31) % _POOL
    long = np.minimum(-np.log(lasting[: len(bursts)]) * sessions.lasting, DAY)
    after = np.where(within == 0, 0.0, per_burst[0][at]) * long[session]
    sizes = sessions.sizes(unlike[session] * sessions.unlike + per_burst[1][at] * sessions.spread)
    return begin[session] + after, sizes, math.ceil(float(worked[-1]) / open_for) * float(DAY)


@cache
def _pools() -> tuple[tuple[Floats, ...], tuple[Floats, ...]]:
    """Draw the chances once: of sessions and of bursts, spread evenly over every stretch of 64."""
    from scipy.special import ndtri

    random = np.random.default_rng(20)

    def even(count: int) -> Floats:
        strata = random.permuted(np.tile(np.arange(64.0), (count // 64, 1)), axis=1)
        return np.asarray((strata + random.random(strata.shape)) / 64).ravel().clip(1e-9, 1 - 1e-9)

    return (
        (even(_SESSIONS), even(_SESSIONS), even(_SESSIONS), ndtri(even(_SESSIONS))),
        (even(_POOL), ndtri(even(_POOL))),
    )
