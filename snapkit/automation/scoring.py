"""How well a forecast of several runs foretold what happened.

The score is the continuous ranked probability score of the logarithms of durations, averaged over snapshots; that of
what they copied likewise. It is proper: no forecast does better on average than the one that says what it believes. 0
is perfect, and of a forecast without any spread it is how far off the logarithms are: 0.1 is about 10 %. Each run of
the forecast is scored against the others in the same way: so high is the score where what happened is like one more
run, and a score far above that says that the forecast no longer holds.

Source:
    T. Gneiting, A. Raftery, "Strictly proper scoring rules, prediction, and estimation", JASA 102 (2007), section 4.2:
    the score as E|X - y| - E|X - X'| / 2. C. Ferro, "Fair scores for ensemble forecasts", QJRMS 140 (2014): X and X'
    two different runs, so that few runs are not at a disadvantage. N. Bosse et al., "Scoring epidemiological forecasts
    on transformed scales", PLoS Computational Biology 19 (2023): on the logarithms it stays proper.
"""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_FEWEST = 9
"""From so many runs on, the least and the most of them hold eight in ten of others: 1 / (9 + 1) lie beyond each."""


def crps(runs: Floats, fact: Floats, least: float) -> tuple[float, Floats]:
    """Score what happened against the runs of a forecast, and each run against the others.

    Args:
        runs: durations or sizes by run and snapshot, NaN where a run has none; shape ``(runs, snapshots)``.
        fact: what happened; shape ``(snapshots,)``.
        least: what is smaller counts as that: nobody looks closer.

    Returns:
        The score, NaN without snapshots; and that of each run, of which no run knows anything where it is alone;
        shape ``(runs,)``.
    """
    logs, fact = np.log(np.maximum(runs, least)), np.log(np.maximum(fact, least))
    known = np.isfinite(logs)
    many = known.sum(axis=0).astype(np.float64)
    off = np.array([np.nansum(np.abs(logs - one), axis=0) for one in logs])  # of each run from all others
    pairs = off.sum(axis=0, where=known) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        apart = np.where(many > 1, pairs / (many * (many - 1)), 0.0)
        own_apart = np.where(many > 2, (pairs - off) / ((many - 1) * (many - 2)), 0.0)
        own = np.where(known, off / (many - 1) - own_apart, np.nan)
        score = np.nansum(np.abs(logs - fact), axis=0) / many - apart
    return _mean(score), np.array([_mean(each) for each in own])


def _mean(scores: Floats) -> float:
    scores = scores[np.isfinite(scores)]
    return float(scores.mean()) if len(scores) else float("nan")


def ranges(runs: Floats) -> tuple[Floats, Floats]:
    """Tell between which values one more run would lie eight times in ten; NaN for fewer than nine runs.

    Args:
        runs: values by run and whatever else, NaN where a run has none; shape ``(runs, ...)``.
    """
    low, high = np.full((2, *runs.shape[1:]), np.nan)
    for place in np.ndindex(*runs.shape[1:]):
        known = runs[(slice(None), *place)]
        known = known[~np.isnan(known)]
        if len(known) >= _FEWEST:
            low[place], high[place] = np.quantile(known, (0.1, 0.9), method="weibull")
    return low, high


def medians(runs: Floats) -> Floats:
    """Give the middle of the runs; NaN where none has a value, shape as for `ranges`."""
    known = np.isnan(runs).sum(axis=0) < len(runs)
    filled = np.where(known, runs, 0.0)
    return np.where(known, np.nanmedian(filled, axis=0), np.nan)
