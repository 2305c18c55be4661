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
from snapkit.rules import (
    FAST_RESTORE_LARGEST,
    FAST_RESTORE_OPTIMIZING,
    INITIALIZATION_RATES,
    LONGEST_RETRIEVAL,
    credit_rate,
)
from snapkit.strategy import RecoveryVolume
from snapkit.strategy.zones import epoch_of
from snapkit.timing import LAZY_RATE
from snapkit.units import HOUR, MIB, Duration, bytes_text, to_seconds

if TYPE_CHECKING:
    from simulation.archives import ArchiveLog
    from simulation.copies import CopyLog
    from simulation.log import Log
    from simulation.outcome import Outcome

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

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
        fast: whether fast snapshot restore is enabled for each snapshot as it completes, in place of the one before.
            A volume has its full speed at once if its snapshot is enabled by then and has gathered a credit; otherwise
            blocks are loaded when they are read. Copies in other regions are not enabled.

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
        """Tell how long a volume with so much data takes to its full speed once it is there, if it is loaded [s].

        Without a rate, all of it is taken to be read at once: the least time that anybody has seen.
        """
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
    Where no snapshot is as new, or the region is lost, the newest copy in another region is restored. Where there is
    neither, the newest archived one is, which takes up to 72 hours: they are counted in full.

    Args:
        outcome: of a run.
        kind: what is lost; see `Kind`.
        noticed_after: how long wrong data stay unnoticed.
        restore: how the volume is restored; the strategy's recovery delay holds where it has one.
        zone: the availability zone of the volume; without it a recovery volume is taken to be in another one.
        times: how many failures.
        seed: of the moments.

    Returns:
        One row per failure: ``at`` (UTC), ``by`` (orphan, recovery volume, snapshot, copy, archive or nothing),
        ``rpo_s`` (how far back the data reach that one has again; NaN for nothing), ``rto_s`` (until a volume serves
        again), ``warm_s`` (until that has its full speed as well). Of wrong data ``at`` is when they went wrong, and
        ``rpo_s`` counts back from there: what was written from then until they are noticed is lost besides.

    Raises:
        InvalidRequest: an argument cannot be, no snapshot was complete before the end, or the volume is larger than
            fast snapshot restore allows.
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
        number = np.full(times, -1) if kind is Kind.REGION else _newest(log, at, at + unnoticed)
        here = _of(log.started, number)
        copies = (_of(each.started, _newest(each, at, at + unnoticed)) for each in log.copies.values())
        since = np.fmax.reduce([nothing, here, *copies])
        by = np.where(np.isnan(since), "nothing", np.where(since == here, "snapshot", "copy"))
        warm = np.array([restore.warming(scenario.largest(moment)) for moment in at.tolist()])
        if kind is not Kind.REGION:
            archived = _of(log.archive.started, _newest(log.archive, at, at + unnoticed))
            retrieved = np.isnan(since) & ~np.isnan(archived)
            by, since = np.where(retrieved, "archive", by), np.fmax(since, np.where(retrieved, archived, np.nan))
            served[retrieved] += LONGEST_RETRIEVAL
        if restore.fast:
            warm[(by == "snapshot") & _is_enabled(outcome, number, at + unnoticed, at + unnoticed + delay)] = 0.0
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
    warming = restore.warming(scenario.largest(scenario.horizon_seconds))
    recovery, attach = scenario.strategy.recovery, to_seconds(restore.attach)
    if recovery is None:
        return to_seconds(restore.delay) + attach + warming
    served = to_seconds(recovery.delay) + attach
    _, ready, *_ = _ready(outcome, recovery, restore)
    without = (min(ready.min(initial=inf), scenario.horizon_seconds) - first) / (scenario.horizon_seconds - first)
    return served + (0.0 if recovery.initialized and without <= 1 - share else warming)


def recovery_seconds(outcome: "Outcome", begin: float) -> float:
    """Add up for how long recovery volumes are there from a moment to the horizon [s].

    Each is there from when it is made until the next one is ready, with `Restore` as it is by default.
    """
    recovery, end = outcome.scenario.strategy.recovery, outcome.scenario.horizon_seconds
    if recovery is None:
        return 0.0
    made, ready, *_ = _ready(outcome, recovery, Restore())
    return replaced_seconds(made, ready, begin, end)


def replaced_seconds(made: Floats, ready: Floats, begin: float, end: float) -> float:
    """Add up for how long volumes are there of which each stays until the next one is ready [s].

    Args:
        made: when each is made [s], in order of time.
        ready: when each is ready [s].
        begin: from when to count [s].
        end: until when [s].
    """
    gone = np.append(ready[1:], np.inf)[: len(made)]
    return float(np.maximum(0.0, np.minimum(gone, end) - np.maximum(made, begin)).sum())


def _kind(given: Kind | str) -> Kind:
    try:
        return Kind(given)
    except ValueError:
        raise InvalidRequest("kind", given, "is no kind of failure", f"use one of {', '.join(Kind)}") from None


def _newest(log: "Log | CopyLog | ArchiveLog", before: Floats, there_at: Floats) -> Numbers:
    """Find the number of the newest snapshot that began before one moment and can be restored at another; -1: none."""
    started, completed, deleted = (np.array(column) for column in (log.started, log.completed, log.deleted))
    newest = np.full(len(before), -1)
    for number in np.argsort(started, kind="stable"):
        newest[(started[number] <= before) & (completed[number] <= there_at) & (there_at < deleted[number])] = number
    return newest


def _of(column: list[float], numbers: Numbers) -> Floats:
    """Look snapshots up in a column; NaN for none."""
    return np.append(column, np.nan)[numbers]


def _is_enabled(outcome: "Outcome", numbers: Numbers, chosen_at: Floats, made_at: Floats) -> NDArray[np.bool_]:
    """Tell whether a volume made of a snapshot has its full speed by fast snapshot restore.

    Args:
        outcome: of a run.
        numbers: of the snapshots, -1 for none.
        chosen_at: by when a newer snapshot takes the place of each, if it completes [s].
        made_at: when each volume is made [s].

    Raises:
        InvalidRequest: the volume, or the largest of several, is larger than fast snapshot restore allows.
    """
    size = max(outcome.scenario.sizes)
    if size > FAST_RESTORE_LARGEST:
        rule = f"is more than fast snapshot restore allows, {bytes_text(FAST_RESTORE_LARGEST)}"
        raise InvalidRequest("size", bytes_text(size), rule, "give Restore(rate=300), say, instead")
    ready = _of(outcome.log.completed, numbers) + size * FAST_RESTORE_OPTIMIZING + HOUR / credit_rate(size)
    return np.asarray((numbers == _newest(outcome.log, chosen_at, chosen_at)) & (ready <= made_at))


def _recovery_volumes(
    outcome: "Outcome", recovery: RecoveryVolume, restore: Restore, at: Floats
) -> tuple[Floats, Floats]:
    """Find of which moment the data are on the recovery volume that is ready [s], and how long it takes to be warm."""
    _, ready, source, warming = _ready(outcome, recovery, restore)
    place = np.searchsorted(ready, at, side="right")
    # One that was not initialized stays as cold as it was made: blocks are loaded when they are read.
    cold = np.zeros(len(at)) if recovery.initialized else np.append(0.0, warming)[place]
    return np.append(np.nan, source)[place], cold


def _ready(outcome: "Outcome", recovery: RecoveryVolume, restore: Restore) -> tuple[Floats, Floats, Floats, Floats]:
    """List when each recovery volume is made and ready, of which moment its data are, and how long to be warm [s]."""
    scenario = outcome.scenario
    start, horizon = epoch_of(scenario.start, "start"), scenario.horizon_seconds
    if min(outcome.log.completed, default=inf) > horizon:
        return np.empty(0), np.empty(0), np.empty(0), np.empty(0)
    due = np.array([*takewhile(lambda moment: moment <= start + horizon, recovery.schedule.epochs(start))]) - start
    number = _newest(outcome.log, due, due)
    due, number = due[number >= 0], number[number >= 0]
    warming = np.array([restore.warming(scenario.largest(moment)) for moment in due.tolist()])
    if restore.fast:
        warming[_is_enabled(outcome, number, due, due)] = 0.0
    ready = due + to_seconds(restore.attach, zero=True) + (warming if recovery.initialized else 0.0)
    # One that is ready only after a newer one never serves.
    ready = np.minimum.accumulate(ready[::-1])[::-1]
    return due, ready, _of(outcome.log.started, number), warming
