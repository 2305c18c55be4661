"""What a run loses and stores over time, read off its log."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from simulation.copies import CopyLog
    from simulation.log import Log

Floats = NDArray[np.float64]


def stored_between(log: "Log | CopyLog", begin: float, end: float) -> float:
    """Integrate stored blocks from one moment to another [block seconds]."""
    # No scalar product: its library may use as many threads as there are processors, which the workers of a study need,
    # and add up in another order then.
    return float((np.diff(np.clip([*log.stored_at, end], begin, end)) * np.array(log.stored)).sum())


def moments(seconds: Floats, start: datetime) -> pd.DatetimeIndex:
    """Turn seconds from a start into moments (UTC); what is not finite into NaT."""
    moments = [start + timedelta(seconds=second) if np.isfinite(second) else pd.NaT for second in seconds.tolist()]
    return pd.DatetimeIndex(moments, tz="UTC").as_unit("ms")


def exposure(log: "Log", horizon: float) -> tuple[float, Floats, Floats]:
    """Cut the time after the first completion where the newest complete snapshot changes.

    Retention never lets the newest one go. Where a process of the user's deletes it, the one before counts from then
    on; while none is left, nothing does.

    Returns:
        The first completion [s], and for each cut what a failure at its beginning and at its end loses [s].
    """
    started, completed = np.array(log.started), np.array(log.completed)
    gone = np.full(len(started), np.inf)
    by_hand = [which for *_, which in log.incidents if not isinstance(which, str)]
    gone[by_hand] = np.array(log.deleted)[by_hand]
    order = np.argsort(completed, kind="stable")
    order = order[completed[order] <= horizon]
    begin = completed[order]
    first = float(begin[0]) if len(begin) else float("inf")
    if by_hand:
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
