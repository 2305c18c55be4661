"""What a failure would lose, and how long it would take to be back: read off a run at random moments.

A failure does not disturb the run: at each moment it is asked what would be lost if it struck just then. So one run
answers for thousands of failures, and a strategy meets them where they are rare in life.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile
from math import inf
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit.errors import InvalidRequest
from snapkit.rules import INITIALIZATION_RATES
from snapkit.strategy import RecoveryVolume
from snapkit.strategy.zones import epoch_of
from snapkit.timing import LAZY_RATE
from snapkit.units import MIB, Duration, to_seconds

if TYPE_CHECKING:
    from simulation.copies import CopyLog
    from simulation.log import Log
    from simulation.outcome import Outcome

Floats = NDArray[np.float64]

_MOMENTS = 4
"""The purpose of the random stream that says when failures strike."""


class Kind(StrEnum):
    """What is lost.

    Attributes:
        SERVER: the server; its volume is left, an orphan that another server can take over.
        VOLUME: the volume.
        ZONE: the availability zone with the volume in it.
        REGION: the region with all that is in it; copies in others are left.
        DATA: the data: they are wrong from some moment on, in the volume and in every later snapshot.
    """

    SERVER = "server"
    VOLUME = "volume"
    ZONE = "zone"
    REGION = "region"
    DATA = "data"


@dataclass(frozen=True, kw_only=True)
class Restore:
    """How a volume is made of a snapshot, and how long that takes.

    Attributes:
        delay: from the failure until somebody acts.
        attach: to make a volume and attach it, or to attach one that is there.
        rate: the provisioned initialization rate [MiB/s]; without it blocks are loaded when they are read.
        fast: whether fast snapshot restore is enabled for it, so that it has its full speed at once.

    Source:
        delay: enStratus, launch configurations, recovery delay: 10 minutes. attach: *assumed*; AWS publishes no figure.
    """

    delay: Duration = "10min"
    attach: Duration = "1min"
    rate: int | None = None
    fast: bool = False

    def __post_init__(self) -> None:
        """Refuse times that are none, and a rate that AWS does not provision."""
        for name in ("delay", "attach"):
            to_seconds(getattr(self, name), f"restore {name}", zero=True)
        low, high = INITIALIZATION_RATES
        if not isinstance(self.fast, bool):
            raise InvalidRequest("restore fast", self.fast, "is neither true nor false", "give True or False")
        number = isinstance(self.rate, Real) and not isinstance(self.rate, bool)
        if self.rate is not None and not (number and low <= self.rate <= high):
            rule = f"is not between {low} and {high} MiB/s"
            raise InvalidRequest("restore rate", self.rate, rule, "give one, such as 300, or leave it out")
        if self.fast and self.rate is not None:
            remedy = "leave one of them out"
            raise InvalidRequest("restore rate", self.rate, "is of no use with fast snapshot restore", remedy)

    def warming(self, size: float) -> float:
        """Tell how long a volume with so much data takes to its full speed once it is there [s].

        Without a rate, all of it is taken to be read at once: the least time that anybody has seen.
        """
        if self.fast:
            return 0.0
        return size / (LAZY_RATE if self.rate is None else self.rate * MIB)


def strike(
    outcome: "Outcome",
    kind: Kind | str = Kind.VOLUME,
    *,
    noticed_after: Duration = 0.0,
    restore: Restore | None = None,
    zone: str = "",
    times: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Let failures strike at random moments after the first snapshot was complete.

    A lost server leaves its volume, which is attached again. Otherwise the recovery volume of the strategy is attached
    if there is one in a zone that is left, and a snapshot is restored if not: the newest that was complete, or, where
    data are wrong, the newest that was taken before, if it is still there when that is noticed.
    Where no snapshot is as new, or the region is lost, the newest copy in another region is restored.

    Args:
        outcome: of a run.
        kind: what is lost; see `Kind`.
        noticed_after: how long wrong data stay unnoticed.
        restore: how the volume is restored; the strategy's recovery delay holds where it has one.
        zone: the availability zone of the volume; without it a recovery volume is taken to be in another one.
        times: how many failures.
        seed: of the moments.

    Returns:
        One row per failure: ``at`` (UTC), ``by`` (orphan, recovery volume, snapshot, copy or nothing), ``rpo_s`` (how
        far back the data reach that one has again; NaN for nothing), ``rto_s`` (until a volume serves again),
        ``warm_s`` (until that has its full speed as well).

    Raises:
        InvalidRequest: an argument cannot be, or no snapshot was complete before the end.
    """
    kind, restore = _kind(kind), restore or Restore()
    unnoticed = to_seconds(noticed_after, "noticed_after", zero=True)
    if unnoticed and kind is not Kind.DATA:
        raise InvalidRequest("noticed_after", noticed_after, f"makes no sense for a lost {kind}", "leave it out")
    if isinstance(times, bool) or not isinstance(times, Integral) or times < 1:
        raise InvalidRequest("times", times, "is not a whole number of at least 1", "try 1000")
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise InvalidRequest("seed", seed, "is not a whole number of at least 0", "give one, such as 1")
    if not isinstance(restore, Restore):
        raise InvalidRequest("restore", restore, "is no way to restore", "give Restore(rate=300), say")
    scenario, log = outcome.scenario, outcome.log
    first, last = min(log.completed, default=inf), scenario.horizon_seconds - unnoticed
    if first >= last:
        rule = "is so short that no failure falls between its first complete snapshot and its end"
        raise InvalidRequest("horizon", scenario.horizon, rule, "simulate a longer time")
    stream = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_MOMENTS,)))
    at = first + (last - first) * stream.random(times)
    recovery = scenario.strategy.recovery
    delay = to_seconds(restore.delay if recovery is None else recovery.delay, zero=True)
    served = np.full(times, delay + to_seconds(restore.attach, zero=True))
    if kind is Kind.SERVER:
        by, since, warm = np.full(times, "orphan"), at, np.zeros(times)
    else:
        nothing = np.full(times, np.nan)
        here = nothing if kind is Kind.REGION else _newest(log, at, at + unnoticed)
        away = np.fmax.reduce([nothing, *(_newest(each, at, at + unnoticed) for each in log.copies.values())])
        since = np.fmax(here, away)
        by = np.where(np.isnan(since), "nothing", np.where(since == here, "snapshot", "copy"))
        warm = np.full(times, restore.warming(scenario.full_blocks * scenario.workload.block_size))
        survives = kind is Kind.VOLUME or (kind is Kind.ZONE and zone != recovery.zone) if recovery else False
        if recovery is not None and survives:
            ready, cold = _recovery_volumes(outcome, recovery, restore, at)
            there = ~np.isnan(ready)
            by, since = np.where(there, "recovery volume", by), np.where(there, ready, since)
            warm = np.where(there, cold, warm)
    lost = np.isnan(since)
    start = pd.Timestamp(scenario.start).tz_convert("UTC")
    return pd.DataFrame(
        {
            "at": (start + pd.to_timedelta(at, unit="s")).as_unit("ms"),
            "by": pd.Series(by, dtype="string"),
            "rpo_s": at - since,
            "rto_s": np.where(lost, np.nan, served),
            "warm_s": np.where(lost, np.nan, served + warm),
        }
    )


def warm_again(outcome: "Outcome", share: float) -> float:
    """Tell within which time a lost volume is replaced, at its full speed, in a share of the moments [s].

    As `strike` does it, with `Restore` as it is by default.
    """
    scenario, restore = outcome.scenario, Restore()
    first = min(outcome.log.completed, default=inf)
    if first >= scenario.horizon_seconds:
        return float("nan")
    warming = restore.warming(scenario.full_blocks * scenario.workload.block_size)
    recovery, attach = scenario.strategy.recovery, to_seconds(restore.attach)
    if recovery is None:
        return to_seconds(restore.delay) + attach + warming
    served = to_seconds(recovery.delay) + attach
    ready, _ = _ready(outcome, recovery, restore)
    without = (min(ready.min(initial=inf), scenario.horizon_seconds) - first) / (scenario.horizon_seconds - first)
    return served + (0.0 if recovery.initialized and without <= 1 - share else warming)


def _kind(given: Kind | str) -> Kind:
    try:
        return Kind(given)
    except ValueError:
        raise InvalidRequest("kind", given, "is no kind of failure", f"use one of {', '.join(Kind)}") from None


def _newest(log: "Log | CopyLog", before: Floats, there_at: Floats) -> Floats:
    """Find when the newest snapshot was started [s] that began before one moment and can be restored at another."""
    started, completed, deleted = (np.array(column) for column in (log.started, log.completed, log.deleted))
    newest = np.full(len(before), np.nan)
    for number in np.argsort(started, kind="stable"):
        fits = (started[number] <= before) & (completed[number] <= there_at) & (there_at < deleted[number])
        newest[fits] = started[number]
    return newest


def _recovery_volumes(
    outcome: "Outcome", recovery: RecoveryVolume, restore: Restore, at: Floats
) -> tuple[Floats, Floats]:
    """Find of which moment the data are on the recovery volume that is ready [s], and how long it takes to be warm."""
    warming = restore.warming(outcome.scenario.full_blocks * outcome.scenario.workload.block_size)
    ready, source = _ready(outcome, recovery, restore)
    place = np.searchsorted(ready, at, side="right")
    # One that was not initialized stays as cold as it was made: blocks are loaded when they are read.
    return np.append(np.nan, source)[place], np.full(len(at), 0.0 if recovery.initialized else warming)


def _ready(outcome: "Outcome", recovery: RecoveryVolume, restore: Restore) -> tuple[Floats, Floats]:
    """List when each recovery volume is ready, and of which moment its data are [s]."""
    scenario = outcome.scenario
    start, horizon = epoch_of(scenario.start, "start"), scenario.horizon_seconds
    if min(outcome.log.completed, default=inf) > horizon:
        return np.empty(0), np.empty(0)
    due = np.array([*takewhile(lambda moment: moment <= start + horizon, recovery.schedule.epochs(start))]) - start
    source = _newest(outcome.log, due, due)
    warming = restore.warming(scenario.full_blocks * scenario.workload.block_size)
    ready = due + to_seconds(restore.attach, zero=True) + (warming if recovery.initialized else 0.0)
    return ready[~np.isnan(source)], source[~np.isnan(source)]
