"""What came of one run: one row per snapshot, and the figures that decide between strategies."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit.prices import MONTH
from snapkit.strategy import Ledger
from snapkit.strategy.zones import epoch_of
from snapkit.units import HOUR, bytes_text, seconds_text

if TYPE_CHECKING:
    from simulation.model import Scenario

Floats = NDArray[np.float64]
_LATER = float("inf")


class Log:
    """What happened in a run, column by column; times are seconds from the scenario's start.

    Attributes:
        started: when each snapshot was started: the moment whose data it holds [s].
        due: the due time that it serves [s since 1970].
        tiers: the tiers it was taken for.
        changed: the blocks that it copies.
        completed: when it completed [s]; infinity while pending.
        deleted: when it was deleted [s]; infinity while it is kept.
        stored_at: when the stored amount changed [s].
        stored: blocks stored from each of those moments on; a snapshot's count from its start.
        chain: what each snapshot stores that is there at the end, by its start: the first all its blocks, every other
            those changed since the one before it.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.started: list[float] = []
        self.due: list[float] = []
        self.tiers: list[tuple[str, ...]] = []
        self.changed: list[float] = []
        self.completed: list[float] = []
        self.deleted: list[float] = []
        self.stored_at: list[float] = []
        self.stored: list[float] = []
        self.chain: dict[float, float] = {}

    def take(self, now: float, due: float, tiers: tuple[str, ...], changed: float, stored: float) -> int:
        """Note that a snapshot was started, and give it a number."""
        self.started.append(now)
        self.due.append(due)
        self.tiers.append(tiers)
        self.changed.append(changed)
        self.completed.append(_LATER)
        self.deleted.append(_LATER)
        self.stored_at.append(now)
        self.stored.append(stored)
        return len(self.started) - 1

    def store(self, now: float, blocks: float) -> None:
        """Note how many blocks are stored from now on."""
        self.stored_at.append(now)
        self.stored.append(blocks)


@dataclass(frozen=True)
class Outcome:
    """One run of one scenario.

    Attributes:
        scenario: what was simulated.
        log: what happened.
    """

    scenario: "Scenario"
    log: Log

    @cached_property
    def snapshots(self) -> pd.DataFrame:
        """One row per snapshot.

        Columns: ``due``, ``started``, ``completed``, ``deleted_at`` (UTC), ``tiers``, ``changed_bytes``,
        ``duration_s``, ``source`` (where the changed blocks come from, see `Workload.provenance`; ``assumed`` for the
        first, full one) and ``reason`` (why it was deleted, or stays).
        """
        start = self.scenario.start.astimezone(UTC)
        log = self.log
        started, completed = np.array(log.started), np.array(log.completed)
        return pd.DataFrame(
            {
                "due": _moments(np.array(log.due) - epoch_of(start, "start"), start),
                "started": _moments(started, start),
                "completed": _moments(completed, start),
                "deleted_at": _moments(np.array(log.deleted), start),
                "tiers": list(map(", ".join, log.tiers)),
                "changed_bytes": np.array(log.changed) * self.scenario.workload.block_size,
                "duration_s": np.where(np.isfinite(completed), completed - started, np.nan),
                "source": self._sources(),
                "reason": self._reasons(),
            }
        )

    @cached_property
    def stored(self) -> pd.Series:
        """Bytes stored, at each moment (UTC) at which they changed, from then on."""
        index = _moments(np.array(self.log.stored_at), self.scenario.start.astimezone(UTC))
        stored = np.array(self.log.stored, dtype=float) * self.scenario.workload.block_size
        return pd.Series(stored, index=index, name="stored_bytes")

    def summary(self) -> pd.Series:
        """Reduce the run to the figures that decide.

        - ``snapshots`` taken, ``missed`` due times (no snapshot of that tier before the next), ``kept`` at the end.
        - ``full_duration_s`` of the first snapshot; ``duration_mean_s``, ``duration_p95_s`` of the differential ones.
        - ``rpo_mean_s``, ``rpo_p95_s``, ``rpo_max_s``: what a failure at a random moment after the first complete
          snapshot loses: the time back to the start of the newest complete one. ``unprotected_s``: time until the
          first one is complete.
        - ``history_s``: how far back the oldest complete snapshot reaches at the end.
        - ``copied_bytes`` in all; ``copied_modelled_share``, what share of the differential ones' bytes lies beyond
          what was measured.
        - ``stored_byte_hours`` over the horizon; ``stored_end_bytes``; ``stored_modelled_share`` of the latter: blocks
          changed in gaps between snapshots that lie beyond what was measured.
        - ``cost_usd`` over the horizon; ``monthly_cost_usd``, what its last 30 days (or all of it, if shorter) cost a
          month.
        """
        scenario = self.scenario
        block, horizon = scenario.workload.block_size, scenario.horizon_seconds
        log = self.log
        started, completed, deleted = (np.array(column) for column in (log.started, log.completed, log.deleted))
        changed = np.array(log.changed, dtype=float) * block
        seconds = np.where(np.isfinite(completed), completed - started, np.nan)
        differential = seconds[1:][np.isfinite(completed[1:])]
        kept = np.isinf(deleted) & np.isfinite(completed)
        since, lost_from, lost_to = _exposure(started, completed, horizon)
        tail = min(MONTH, horizon)
        byte_seconds, tail_byte_seconds = (self._stored_between(begin) * block for begin in (0.0, horizon - tail))
        copied_later = changed[1:].sum()
        modelled = changed[1:][np.array(self._sources()[1:], dtype=str) == "modelled"].sum()
        return pd.Series(
            {
                "snapshots": float(len(started)),
                "missed": float(self._missed()),
                "kept": float(kept.sum()),
                "full_duration_s": seconds[0],
                "duration_mean_s": differential.mean() if len(differential) else np.nan,
                "duration_p95_s": np.quantile(differential, 0.95) if len(differential) else np.nan,
                "rpo_mean_s": _mean(lost_from, lost_to),
                "rpo_p95_s": _quantile(lost_from, lost_to, 0.95),
                "rpo_max_s": lost_to.max() if len(lost_to) else np.nan,
                "unprotected_s": since,
                "history_s": horizon - started[kept].min() if kept.any() else np.nan,
                "copied_bytes": changed.sum(),
                "copied_modelled_share": modelled / copied_later if copied_later else 0.0,
                "stored_byte_hours": byte_seconds / HOUR,
                "stored_end_bytes": log.stored[-1] * block,
                "stored_modelled_share": self._stored_modelled() / log.stored[-1],
                "cost_usd": scenario.prices.stored(byte_seconds),
                "monthly_cost_usd": scenario.prices.stored(tail_byte_seconds) * MONTH / tail,
            },
            name=scenario.strategy.name,
        )

    def __repr__(self) -> str:
        figures = self.summary()
        return (
            f"Outcome({self.scenario.strategy.name!r}, {figures['snapshots']:.0f} snapshots, "
            f"duration {seconds_text(figures['duration_mean_s'])} mean, RPO {seconds_text(figures['rpo_p95_s'])} p95, "
            f"{bytes_text(figures['stored_end_bytes'])} stored)"
        )

    def _sources(self) -> list[str]:
        return ["assumed", *(self.scenario.workload.provenance(a, b) for a, b in pairwise(self.log.started))]

    def _stored_modelled(self) -> float:
        """Add up the blocks stored at the end whose number was modelled."""
        provenance, chain = self.scenario.workload.provenance, self.log.chain
        return sum(chain[b] for a, b in pairwise(chain) if provenance(a, b) == "modelled")

    def _missed(self) -> int:
        """Count the due times of each tier after which none of its snapshots was started before the next one."""
        start, horizon = epoch_of(self.scenario.start, "start"), self.scenario.horizon_seconds
        missed = 0
        for tier in self.scenario.strategy.tiers:
            slots = list(takewhile(lambda slot: slot <= start + horizon, tier.schedule.epochs(start - 1)))
            starts = [
                start + at for at, tiers in zip(self.log.started, self.log.tiers, strict=True) if tier.name in tiers
            ]
            served = np.searchsorted(starts, [*slots, float("inf")])
            missed += int(np.count_nonzero(np.diff(served) == 0))
        return missed

    def _stored_between(self, begin: float) -> float:
        """Integrate the stored blocks from a moment to the horizon [block seconds]."""
        edges = np.clip([*self.log.stored_at, self.scenario.horizon_seconds], begin, None)
        return float(np.dot(np.diff(edges), self.log.stored))

    def _reasons(self) -> list[str]:
        """Tell why each snapshot was deleted or stays, by going through the run once more."""
        start, log = epoch_of(self.scenario.start, "start"), self.log
        ledger = Ledger(self.scenario.strategy, start)
        completions = ((at, 1, number) for number, at in enumerate(log.completed) if at < _LATER)
        reasons = ["still pending"] * len(log.started)
        for at, completes, number in sorted(
            [*((at, 0, number) for number, at in enumerate(log.started)), *completions]
        ):
            if not completes:
                ledger.start(number, start + at, [ledger.lanes[name] for name in log.tiers[number]])
                continue
            for other in ledger.complete(number):
                reasons[other] = "; ".join(ledger.verdict(other)[1])
                ledger.delete(other)
        for number, (_, why) in ledger.verdicts().items():
            reasons[number] = "; ".join(why)
        return reasons


def _moments(seconds: Floats, start: datetime) -> pd.DatetimeIndex:
    moments = [start + timedelta(seconds=second) if np.isfinite(second) else pd.NaT for second in seconds.tolist()]
    return pd.DatetimeIndex(moments, tz="UTC").as_unit("ms")


def _exposure(started: Floats, completed: Floats, horizon: float) -> tuple[float, Floats, Floats]:
    """Cut the time after the first completion where the newest complete snapshot changes.

    Returns:
        The first completion [s], and for each cut what a failure at its beginning and at its end loses [s].
    """
    order = np.argsort(completed, kind="stable")
    order = order[completed[order] <= horizon]
    newest = np.maximum.accumulate(started[order])
    begin = completed[order]
    end = np.append(begin[1:], horizon)
    lasting = end > begin
    first = float(begin[0]) if len(begin) else float("inf")
    return first, (begin - newest)[lasting], (end - newest)[lasting]


def _mean(lost_from: Floats, lost_to: Floats) -> float:
    weights = lost_to - lost_from
    return float(np.average((lost_from + lost_to) / 2, weights=weights)) if weights.sum() else float("nan")


def _quantile(lost_from: Floats, lost_to: Floats, share: float) -> float:
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
