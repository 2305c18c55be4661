"""A file system that is frozen for snapshots: what that costs, and when it is worth it."""

from math import inf, sqrt

import pytest

from simulation import Outcome, Scenario, simulate
from simulation.freezing import CALL, Freeze, WriteTime
from snapkit.errors import InvalidRequest
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.simulation.linear import BLOCK, linear


def run(freeze: Freeze | str, seconds: float, every: str = "1h", horizon: str = "6h") -> Outcome:
    strategy = Strategy("frozen", [Tier(Schedule(f"every {every}"), Retention(last=2))])
    timing = Timing(latency=seconds, rate=inf, spread=0)
    return simulate(Scenario(strategy, linear("10 GiB"), horizon, timing=timing, freeze=freeze))


def test_what_is_frozen_until_the_call_returns_is_hardly_missed() -> None:
    outcome = run(Freeze.CALL, 600)
    assert outcome.summary()["frozen_s"] == pytest.approx(6 * CALL)  # the seventh freezes at the very end
    assert outcome.snapshots["changed_bytes"][1:].tolist() == pytest.approx([(3600 - CALL) / 60 * BLOCK] * 6)


def test_what_is_frozen_until_a_snapshot_is_complete_is_not_written() -> None:
    outcome = run("complete", 600)
    assert outcome.summary()["frozen_s"] == pytest.approx(6 * 600)
    assert outcome.snapshots["changed_bytes"][1:].tolist() == pytest.approx([50 * BLOCK] * 6)
    assert run(Freeze.NO, 600).summary()["frozen_s"] == 0


def test_snapshots_that_overlap_keep_it_frozen_until_the_last_is_complete() -> None:
    outcome = run("complete", 5400)
    assert outcome.log.frozen == [(0.0, inf)]
    assert set(outcome.snapshots["changed_bytes"][1:]) == {0}


def test_the_interval_that_loses_least_is_that_of_young() -> None:
    """Known answer: with a cost of C for each and failures M apart on average, the best interval is sqrt(2 C M).

    Source: J. W. Young, "A first order approximation to the optimum checkpoint interval", CACM 17 (9), 1974.
    """
    cost, between_failures = 300, 21_600
    best = sqrt(2 * cost * between_failures)
    assert best == 3600
    lost = {}
    for minutes in (15, 30, 45, 60, 90, 120, 240):
        figures = run("complete", cost, f"{minutes}min", "30d").summary()
        lost[minutes] = figures["frozen_s"] / (30 * 86_400) + figures["rpo_mean_s"] / between_failures
        interval = minutes * 60
        assert lost[minutes] == pytest.approx(cost / interval + (cost + interval / 2) / between_failures, rel=2e-3)
    assert min(lost, key=lost.__getitem__) * 60 == best


def test_write_time_stands_still_while_it_is_frozen() -> None:
    time = WriteTime()
    time.freeze(10)
    time.freeze(12)  # it is already
    assert (time.at(5), time.at(11), time.at(99)) == (5, 10, 10)
    time.thaw(20)
    time.freeze(30)
    time.thaw(31)
    assert [time.at(t) for t in (9, 15, 20, 25, 30.5, 40)] == [9, 10, 10, 15, 20, 29]


def test_write_time_never_goes_back() -> None:
    """Not by rounding either, where a snapshot that failed is tried again at once: one spell follows the other."""
    time, now = WriteTime(), 0.1
    for number in range(1000):
        time.freeze(now)
        now += 900 * sqrt(number + 0.1)
        time.thaw(now)
    assert {time.at(begin) for begin, _ in time.spells} == {0.1}


def test_a_freeze_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="freeze 'always' is unknown; use one of no, call, complete"):
        run("always", 60)
