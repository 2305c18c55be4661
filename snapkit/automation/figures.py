"""What a forecast and what happened come to, figure by figure: one reckoning for both."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import nan

import numpy as np
import pandas as pd

from snapkit.automation.happened import Course, Floats, Forecast
from snapkit.automation.scoring import crps, medians, ranges
from snapkit.rules import BLOCK
from snapkit.strategy import Strategy
from snapkit.strategy.losses import exposure, loss_quantile, mean_loss, missed
from snapkit.strategy.zones import epoch_of


class Paired:
    """The snapshots that both the forecast and the fact have complete, by due time, the full ones left out.

    Attributes:
        dues: their due times [s since 1970].
        left_out: how many that happened no run has.
    """

    def __init__(self, courses: Sequence[Course], fact: Course, since: float, until: float) -> None:
        """Pair them.

        Args:
            courses: of the runs.
            fact: what happened.
            since: from when on all of that is known [s].
            until: which snapshots count: those complete by then [s].
        """
        full = {due for course in courses for due in course.due[: _first(course) + 1].tolist()}
        full |= set(fact.due[: _first(fact) + 1].tolist()) if since == 0 else set()
        earliest = min(float(course.due[0]) for course in courses)
        took = {due: each for due, each in fact.durations(until).items() if due >= earliest and due not in full}
        runs = [course.durations(until) for course in courses]
        self.dues = sorted(due for due in took if any(due in run for run in runs))
        self.left_out = len(took) - len(self.dues)
        self._seconds = _by_due(self.dues, [took, *runs])
        copied = [dict(zip(each.due.tolist(), each.copied.tolist(), strict=True)) for each in (fact, *courses)]
        self._copied = _by_due(self.dues, copied)
        self._counted = ~np.isnan(self._copied[0])
        self._scores = [
            (name, crps(values[1:, these], values[0, these], least))
            for name, values, these, least in (
                ("copied_score", self._copied, self._counted, BLOCK),
                ("score", self._seconds, slice(None), 1.0),
            )
        ]

    def facts(self) -> dict[str, float]:
        """Reduce what happened to figures."""
        return self._reduced(0) | {name: score for name, (score, _) in self._scores}

    def forecast(self, place: int) -> dict[str, float]:
        """Reduce a run to figures: what it copies over the snapshots of which that is known, or all."""
        return self._reduced(place + 1) | {name: float(own[place]) for name, (_, own) in self._scores}

    def frame(self) -> pd.DataFrame:
        """Write them down snapshot by snapshot, see `Comparison.snapshots`."""
        low, high = ranges(self._seconds[1:])
        return pd.DataFrame(
            {
                "forecast_s": medians(self._seconds[1:]),
                "low_s": low,
                "high_s": high,
                "fact_s": self._seconds[0],
                "forecast_bytes": medians(self._copied[1:]),
                "fact_bytes": self._copied[0],
            },
            pd.DatetimeIndex(pd.to_datetime(self.dues, unit="s", utc=True), name="due"),
        )

    def _reduced(self, row: int) -> dict[str, float]:
        seconds, copied = self._seconds[row], self._copied[row]
        seconds = seconds[~np.isnan(seconds)]
        copied = copied[self._counted] if self._counted.any() else copied
        copied = copied[~np.isnan(copied)]
        return {
            "duration_mean_s": float(seconds.mean()) if len(seconds) else nan,
            "duration_p95_s": float(np.quantile(seconds, 0.95)) if len(seconds) else nan,
            "copied_mean_bytes": float(copied.mean()) if len(copied) else nan,
        }


def _by_due(dues: Sequence[float], rows: Sequence[Mapping[float, float]]) -> Floats:
    return np.array([[row.get(due, nan) for due in dues] for row in rows], np.float64)


def judged(course: Course, strategy: Strategy, start: datetime, since: float, until: float) -> dict[str, float]:
    """Count what was taken, failed and missed from one moment to another [s], and what a failure would have lost."""
    inside = (course.started >= since) & (course.started <= until)
    good = inside & ~course.failed
    tiers = [course.tiers[place] for place in np.flatnonzero(good).tolist()]
    begin = epoch_of(start, "start") + since
    lacking = missed(strategy, begin, until - since, (course.started[good] - since).tolist(), tiers)
    by_hand = {
        place: course.by_hand[number]
        for place, number in enumerate(np.flatnonzero(inside).tolist())
        if number in course.by_hand
    }
    _, lost_from, lost_to = exposure(course.started[inside], course.completed[inside], until, by_hand)
    return {
        "snapshots": float(good.sum()),
        "failed": float((inside & course.failed).sum()),
        "missed": float(len(lacking)),
        "rpo_mean_s": mean_loss(lost_from, lost_to),
        "rpo_p95_s": loss_quantile(lost_from, lost_to, 0.95),
        "rpo_max_s": float(lost_to.max(initial=0.0)) or nan,
    }


def firsts(course: Course, until: float) -> dict[str, float]:
    """Tell what the first snapshot that is no failure took and copied."""
    place = _first(course)
    took = float(course.completed[place] - course.started[place]) if course.completed[place] <= until else nan
    return {"full_duration_s": took, "full_bytes": float(course.copied[place])}


def at_end(course: Course, run: Forecast, until: float) -> dict[str, float]:
    """Tell what a run keeps and stores at a moment [s]."""
    scenario, place = run.scenario, bisect_right(run.log.stored_at, until) - 1
    stored = run.log.stored[place] * scenario.workload.block_size if place >= 0 else 0.0
    kept = (course.completed <= until) & (course.deleted > until)
    return {"kept": float(kept.sum()), "stored_bytes": stored, "stored_usd": scenario.prices.monthly(stored)}


def gone(course: Course, until: float) -> float:
    """Tell from when on nothing was deleted by a moment, and one more was not, in case one less has to be kept [s]."""
    gone = np.flatnonzero(course.deleted <= until)
    if not len(gone):
        return 0.0
    return float(course.started[min(int(gone.max()) + 2, len(course.started) - 1)])


def _first(course: Course) -> int:
    """Number the first snapshot that is no failure: those up to it are full."""
    return int(np.argmin(course.failed))
