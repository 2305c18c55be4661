"""What snapshots that were taken missed, and what failures lose, simulated or real: one definition for both."""

from collections.abc import Mapping, Sequence
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from snapkit.strategy.strategy import Strategy

Floats = NDArray[np.float64]


def missed(
    strategy: Strategy, start: float, horizon: float, started: Sequence[float], tiers: Sequence[Sequence[str]]
) -> Floats:
    """List the due times of each tier after which none of its snapshots was started before the next [s], in order.

    Args:
        strategy: by whose schedules.
        start: from when on [s since 1970].
        horizon: how long [s].
        started: when each snapshot was started, those that ended in error left out [s from the start], ascending.
        tiers: for which each was taken.
    """
    found: list[float] = []
    for tier in strategy.tiers:
        epochs = takewhile(lambda slot: slot <= start + horizon, tier.schedule.epochs(start - 1))
        slots = np.array(list(epochs)) - start
        starts = [at for at, names in zip(started, tiers, strict=True) if tier.name in names]
        found += slots[:-1][np.diff(np.searchsorted(starts, slots)) == 0].tolist()
    return np.sort(np.array(found))


def exposure(
    started: Floats, completed: Floats, horizon: float, by_hand: Mapping[int, float]
) -> tuple[float, Floats, Floats]:
    """Cut the time after the first completion where the newest complete snapshot changes.

    Retention never lets the newest one go. Where somebody deletes it, the one before counts from then on; while none is
    left, nothing does.

    Args:
        started: when each snapshot was started [s].
        completed: when it was complete [s]; infinity while it is not.
        horizon: until when [s].
        by_hand: when those were deleted that retention did not delete [s], by number.

    Returns:
        The first completion [s], and for each cut what a failure at its beginning and at its end loses [s].
    """
    order = np.argsort(completed, kind="stable")
    order = order[completed[order] <= horizon]
    begin = completed[order]
    first = float(begin[0]) if len(begin) else float("inf")
    if by_hand:
        gone = np.full(len(started), np.inf)
        gone[list(by_hand)] = list(by_hand.values())
        begin = np.unique(np.concatenate([begin, gone[gone <= horizon]]))
        left = [started[(completed <= at) & (at < gone)].max(initial=-np.inf) for at in begin.tolist()]
        newest = np.array(left, np.float64)
    else:
        newest = np.maximum.accumulate(started[order])
    end = np.append(begin[1:], horizon)
    lasting = (end > begin) & np.isfinite(newest)
    return first, (begin - newest)[lasting], (end - newest)[lasting]


def mean_loss(lost_from: Floats, lost_to: Floats) -> float:
    """Average the losses over all moments; NaN where there are none."""
    weights = lost_to - lost_from
    return float(np.average((lost_from + lost_to) / 2, weights=weights)) if weights.sum() else float("nan")


def loss_quantile(lost_from: Floats, lost_to: Floats, share: float) -> float:
    """Find the loss that a share of the moments does not exceed; within a cut every loss is equally likely."""
    if not len(lost_from):
        return float("nan")
    edges = np.concatenate([lost_from, lost_to])
    order = np.argsort(edges, kind="stable")
    slopes = np.cumsum(np.concatenate([np.ones_like(lost_from), -np.ones_like(lost_to)])[order])
    edges = edges[order]
    below = np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(edges))])
    wanted = share * (lost_to - lost_from).sum()
    place = int(np.searchsorted(below, wanted))
    if below[place] == wanted or place == 0:
        return float(edges[place])
    return float(edges[place - 1] + (wanted - below[place - 1]) / slopes[place - 1])
