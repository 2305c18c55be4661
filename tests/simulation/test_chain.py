"""Snapshots of one volume that are pending together: each builds on the one before it."""

from datetime import timedelta
from math import inf
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation import Conditions, Scenario, simulate
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.simulation.linear import BLOCK, linear
from tests.snapshots import START

GIB = 2**30


def strategy(every: str = "1h", last: int = 9, retries: int = 0) -> Strategy:
    return Strategy("chain", [Tier(Schedule(f"every {every}"), Retention(last=last), "tier", retries)])


def hours(moments: Any) -> list[float]:
    return [round((moment - START) / timedelta(hours=1), 6) for moment in moments]


def test_a_snapshot_is_complete_only_when_the_one_that_it_builds_on_is() -> None:
    # The full first one takes 3 h, those of what an hour changes minutes: they wait for it.
    timing = Timing(latency=60, rate=GIB / (3 * 3600 - 60), spread=0)
    frame = simulate(Scenario(strategy(last=1), linear("1 GiB"), "6h", timing=timing)).snapshots
    alone = (60 + 60 * BLOCK / timing.rate) / 3600
    assert hours(frame["completed"][:5]) == pytest.approx([3, 3, 3, 3 + alone, 4 + alone])
    assert hours(frame["deleted_at"][:4]) == pytest.approx([3, 3, 3 + alone, 4 + alone])


def test_while_the_first_is_pending_no_more_than_five_are_and_nothing_has_a_duration() -> None:
    timing = Timing(latency=60, rate=GIB / (9 * 3600), spread=0)
    outcome = simulate(Scenario(strategy(), linear("1 GiB"), "6h", timing=timing))
    assert hours(outcome.snapshots["started"]) == [0, 1, 2, 3, 4]
    figures = outcome.summary()
    assert np.isnan(figures["full_duration_s"])
    assert np.isnan(figures["duration_mean_s"])
    assert figures["missed"] == 1  # that of five o'clock; the next one after six is still to come


def test_what_a_failed_snapshot_has_not_sent_the_next_one_sends() -> None:
    """The full first one fails after 2 h: the second, long sent by then, sends all the rest from then on."""
    timing = Timing(latency=0, rate=GIB / 7200, spread=0)
    conditions = Conditions(failing=0.5)
    scenario = Scenario(strategy(), linear("1 GiB"), "6h", timing=timing, conditions=conditions)
    outcome = next(
        each
        for each in (simulate(scenario, seed) for seed in range(99))
        if each.snapshots["state"].tolist()[:3] == ["error", "completed", "completed"]
    )
    frame = outcome.snapshots
    assert outcome.log.failed[0] == 7200
    assert frame["changed_bytes"].tolist()[:3] == [GIB, GIB, 60 * BLOCK]
    missing = 7200 * (GIB - 60 * BLOCK) / GIB
    assert hours(frame["completed"][1:3]) == pytest.approx([(7200 + missing) / 3600] * 2)
    assert frame["source"].tolist()[:3] == ["assumed", "assumed", "measured"]


@settings(max_examples=60, deadline=None)
@given(
    every=st.sampled_from(["5min", "20min", "1h"]),
    full=st.floats(0.1, 5),
    failing=st.floats(0, 0.6),
    retries=st.integers(0, 2),
    bandwidth=st.sampled_from([inf, 1e5]),
    seed=st.integers(0, 1000),
)
def test_chains_hold_whatever_fails(
    every: str, full: float, failing: float, retries: int, bandwidth: float, seed: int
) -> None:
    timing = Timing(latency=30, rate=GIB / (full * 3600), spread=0.3)
    conditions = Conditions(failing=failing, bandwidth=bandwidth)
    scenario = Scenario(strategy(every, 3, retries), linear("1 GiB"), "12h", timing=timing, conditions=conditions)
    outcome = simulate(scenario, seed)
    log = outcome.log
    sound = [number for number in range(len(log.started)) if number not in log.failed]
    ends = [log.completed[number] for number in sound]
    assert ends == sorted(ends)
    since = None
    for number in sound:
        if log.completed[number] < inf:
            # What a complete one sent is all that changed since the one that it builds on.
            changed = 2048 if since is None else min(2048, (log.started[number] - since) / 60)
            assert log.changed[number] == pytest.approx(changed)
            since = log.started[number]
    kept = [number for number in sound if log.deleted[number] == inf]
    pending = [number for number in kept if log.completed[number] == inf]
    assert len(pending) <= 5
    assert len(kept) - len(pending) <= 3
    gaps = np.minimum(np.diff([log.started[number] for number in kept]) / 60, 2048)
    assert log.stored[-1] == pytest.approx(2048 * bool(kept) + gaps.sum())
