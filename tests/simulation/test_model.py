from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation import Outcome, Scenario, Workload, simulate
from simulation.chances import Chances
from simulation.model import VolumeModel
from simulation.region import Region
from snapkit import rules
from snapkit.errors import InvalidRequest
from snapkit.prices import Prices
from snapkit.strategy import Retention, Schedule, Strategy, Tier, Window
from snapkit.timing import Timing
from tests.oracle import textbook
from tests.simulation.linear import linear
from tests.snapshots import START

STEADY = Timing(latency=60, rate=1e9, spread=0)


LINEAR = linear("1 TiB")


def one(schedule: str | Schedule, **rules_: Any) -> Strategy:
    when = schedule if isinstance(schedule, Schedule) else Schedule(schedule)
    return Strategy("one", [Tier(when, Retention(**(rules_ or {"last": "all"})), "tier")])


def hours(moments: Any) -> list[float]:
    return [round((moment - START) / timedelta(hours=1), 6) for moment in moments.dropna()]


def test_the_whole_timeline_of_a_small_run() -> None:
    timing = Timing(latency=60, rate=1e6, spread=0)
    outcome = simulate(Scenario(one("every 2h", last=2), linear("1 GiB"), "6h", timing=timing))
    full = 60 + 2048 * 524288 / 1e6
    later = 60 + 120 * 524288 / 1e6
    frame = outcome.snapshots
    assert hours(frame["due"]) == hours(frame["started"]) == [0, 2, 4, 6]
    assert frame["changed_bytes"].tolist() == [2**30, *[120 * 524288] * 3]
    assert frame["duration_s"].round(6).tolist()[:3] == [round(full, 6), round(later, 6), round(later, 6)]
    assert np.isnan(frame["duration_s"][3])
    assert hours(frame["deleted_at"]) == [round(4 + later / 3600, 6)]
    assert frame["reason"].tolist() == ["not among the last 2", "last snapshot", "last snapshot", "still pending"]
    assert frame["source"].tolist() == ["assumed", "measured", "measured", "measured"]


def test_a_failure_loses_what_came_after_the_newest_complete_snapshot() -> None:
    # By hand: started at 0, 1, 2 h, each 15 min pending; from 0:15 to 3:00 a failure loses what came since the start.
    timing = Timing(latency=900, rate=float("inf"), spread=0)
    figures = simulate(Scenario(one("every 1h"), LINEAR, "3h", timing=timing)).summary()
    assert figures["unprotected_s"] == 900
    assert figures["rpo_max_s"] == 4500
    assert figures["rpo_mean_s"] == pytest.approx((2 * 3600 * 2700 + 2700 * 2250) / 9900)


def test_no_more_are_pending_than_aws_allows_and_none_is_taken_twice() -> None:
    slow = Timing(latency=4 * 3600, rate=float("inf"), spread=0)
    hdd = simulate(Scenario(one("every 1h"), LINEAR, "12h", timing=slow, volume_type="st1"))
    assert hours(hdd.snapshots["started"]) == [0, 4, 8, 12]
    assert hdd.summary()["missed"] == 9
    ssd = simulate(Scenario(one("every 30min"), LINEAR, "12h", timing=slow))
    frame = ssd.snapshots
    starts = frame["started"]
    pending = [(starts <= at) & ~(frame["completed"] <= at) for at in starts]
    assert max(map(sum, pending)) == 5
    assert hours(starts)[:7] == [0, 0.5, 1, 1.5, 2, 4, 4.5]
    assert hours(frame["due"])[:7] == [0, 0.5, 1, 1.5, 2, 4, 4.5]


def test_two_creations_are_at_least_fifteen_seconds_apart() -> None:
    # The first is taken at once, ten seconds before one is due.
    start = START - timedelta(seconds=10)
    outcome = simulate(Scenario(one("every 1h"), LINEAR, "1h", start=start, timing=STEADY))
    assert [(moment - start).total_seconds() for moment in outcome.snapshots["started"]] == [0, 15]


def test_equal_seeds_give_equal_bytes_and_other_seeds_do_not() -> None:
    scenario = Scenario(one("every 1h", last=24), LINEAR, "30d")
    first, again, other = (simulate(scenario, seed).snapshots.to_csv() for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert simulate(scenario, 1, replication=1).snapshots.to_csv() != first


def test_strategies_meet_the_same_chances() -> None:
    often, seldom = (
        simulate(Scenario(one(every), linear("100 GiB"), "2d", timing=Timing()), 5).snapshots.set_index("started")
        for every in ("every 1h", "every 4h")
    )

    def slowness(frame: pd.DataFrame) -> pd.Series:
        return frame["duration_s"] / frame["changed_bytes"].map(Timing().seconds)

    both = pd.concat([slowness(often), slowness(seldom)], axis=1, join="inner").dropna()
    assert len(both) == 12
    assert np.allclose(both.iloc[:, 0], both.iloc[:, 1])


def test_a_snapshot_costs_two_events() -> None:
    scenario = Scenario(one("every 1h", last=24, daily=30), LINEAR, "30d", timing=STEADY)
    env = simpy.Environment()
    volume = VolumeModel(env, scenario, Region(env, scenario.conditions), Chances(), {})
    env.process(volume.protect())
    env.run(until=scenario.horizon_seconds)
    events = next(env._eid)  # the number of the next event is the count of those before
    assert len(volume.log.started) == 720
    assert events == 2 * 720 + 3  # the start of the process, and two with which SimPy ends the run


def test_a_volume_never_changes_more_blocks_than_it_has() -> None:
    outcome = simulate(Scenario(one("every 4w"), linear("1 GiB"), "60d", timing=STEADY))
    assert outcome.snapshots["changed_bytes"].max() == 2**30


def test_bytes_copied_are_the_sum_of_increments_and_stored_never_below_full() -> None:
    outcome = simulate(Scenario(one("every 1h", last=5, daily=3), linear("2 GiB"), "10d"))
    figures = outcome.summary()
    assert figures["copied_bytes"] == outcome.snapshots["changed_bytes"].sum()
    assert outcome.stored.min() >= 2**31
    assert figures["stored_end_bytes"] == outcome.stored.iloc[-1]
    assert figures["cost_usd"] == pytest.approx(figures["stored_byte_hours"] * 3600 / 2**30 / (30 * 86400) * 0.05)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"horizon": "-3h"}, "horizon '-3h' is not a time span"),
        ({"horizon": float("nan")}, "horizon nan is not a positive, finite time span"),
        ({"horizon": "30min"}, "horizon '30min' ends before every hour comes due; simulate a longer time"),
        ({"volume_type": "gp4"}, "volume type 'gp4' is no EBS volume type; choose one of gp2, gp3"),
        ({"size": "0 GiB"}, "size '0 GiB' is not a positive size"),
        ({"size": "1 GiB"}, "size '1 GiB' is less than the workload reaches, 1 TiB; give the volume's real size"),
        ({"timing": 4}, "scenario 4 is no part of one; give timing=Timing"),
        ({"prices": 4}, "scenario 4 is no part of one; give timing=Timing"),
        ({"size": "65 TiB"}, "size '65 TiB' is more than EBS allows, 64 TiB; give the volume's real size"),
        ({"strategy": "hourly"}, "scenario 'hourly' is no part of one; give Scenario"),
        ({"workload": None}, "scenario None is no part of one"),
        ({"start": START.replace(tzinfo=None)}, r"start .* is not a moment with a time zone"),
    ],
)
def test_scenarios_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        Scenario(**{"strategy": one("every 1h"), "workload": LINEAR, **change})


@pytest.mark.parametrize("seed", [-1, 1.5, None, "x", True])
def test_seeds_that_cannot_be_are_refused(seed: Any) -> None:
    scenario = Scenario(one("every 1h"), LINEAR, "1d")
    with pytest.raises(InvalidRequest, match=r"seed .* is not a whole number of at least 0"):
        simulate(scenario, seed)
    with pytest.raises(InvalidRequest, match=r"replication .* is not a whole number of at least 0"):
        simulate(scenario, replication=seed)


@pytest.mark.parametrize("price", [-1, float("nan"), "", None, True])
def test_prices_that_cannot_be_are_refused(price: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"price of snapshot storage .* amount of money"):
        Prices(snapshot_storage=price)


def test_a_strategy_whose_times_are_over_takes_one_snapshot_and_ends() -> None:
    schedule = Schedule("cron(0 3 5 1 ? 2026)")
    outcome = simulate(Scenario(one(schedule), LINEAR, "30d"))
    assert hours(outcome.snapshots["started"]) == [3]
    assert repr(outcome).startswith("Outcome('one', 1 snapshots, duration unknown mean")


def test_a_due_time_is_missed_only_if_the_next_one_of_its_tier_comes_first() -> None:
    # Each takes 5.8 h and only one may be pending: those of the other tier wait, but are served before their next.
    later = Schedule("every 6h", anchor="1970-01-01T00:30:00+00:00")
    tiers = [Tier(Schedule("every 6h"), Retention(last=9), "a"), Tier(later, Retention(last=9), "b")]
    timing = Timing(latency=5.8 * 3600, rate=float("inf"), spread=0)
    scenario = Scenario(Strategy("two", tiers), LINEAR, "1d", timing=timing, volume_type="st1")
    outcome = simulate(scenario)
    starts = [
        (hour, tiers)
        for hour, tiers in zip(hours(outcome.snapshots["started"]), outcome.snapshots["tiers"], strict=True)
    ]
    assert starts == [(0, "a, b"), (5.8, "b"), (11.6, "a, b"), (17.4, "a, b"), (23.2, "a, b")]
    assert outcome.summary()["missed"] == 0  # the next one of tier a after 24:00 is still to come


def test_what_is_stored_beyond_the_measured_is_said_to_be_modelled() -> None:
    workload = Workload.profile("workstation")
    figures = simulate(Scenario(one("every 1h", last=24, monthly=12), workload, "120d")).summary()
    assert figures["copied_unmeasured_share"] == 0
    assert 0.3 < figures["stored_unmeasured_share"] < 0.9
    weekly = simulate(Scenario(one("every 1w", last=4), workload, "60d")).summary()
    assert weekly["copied_unmeasured_share"] > 0.9


def test_a_timing_that_cannot_be_is_refused() -> None:
    for wrong in ({"rate": "x"}, {"rate": 0.0}, {"latency": -1.0}, {"spread": float("nan")}, {"latency": float("inf")}):
        with pytest.raises(InvalidRequest, match=r"timing .* cannot be; give the latency"):
            Timing(**wrong)


schedules = st.sampled_from(
    [
        Schedule("every 5min"),
        Schedule("every 1h"),
        Schedule("rate(7 hours)"),
        Schedule("every 1d at 02:30", timezone="Europe/Berlin"),
        Schedule("cron(0/30 1-4 ? * MON-FRI *)"),
        Schedule("every 3h", window=Window(None, "22:00", "05:00")),
    ]
)
retentions = st.sampled_from(
    [Retention(last=1), Retention(last=5, daily=2), Retention(within="12h"), Retention(hourly=6, within_daily="2d")]
)


@settings(max_examples=80)
@given(
    st.lists(st.tuples(schedules, retentions), min_size=1, max_size=3, unique_by=lambda pair: pair[0]),
    st.sampled_from(["gp3", "st1"]),
    st.sampled_from([10, 600, 3600, 20_000]),
    st.sampled_from([0.0, 0.3]),
    st.integers(0, 3),
    st.integers(0, 4000),
)
def test_the_textbook_model_gives_equal_answers(
    tiers: list[tuple[Schedule, Retention]], kind: str, latency: float, spread: float, seed: int, late: int
) -> None:
    strategy = Strategy("any", [Tier(schedule, retention) for schedule, retention in tiers])
    scenario = Scenario(
        strategy,
        linear("4 GiB"),
        "4d",
        start=START + timedelta(seconds=late),
        volume_type=kind,
        timing=Timing(latency=latency, rate=1e6, spread=spread),
    )
    fast, slow = simulate(scenario, seed).log, textbook(scenario, seed)
    for column in ("started", "due", "tiers", "changed", "completed", "deleted"):
        assert getattr(fast, column) == getattr(slow, column), column
    assert fast.stored[-1] == pytest.approx(slow.stored[-1], rel=1e-9)
    hours = [Outcome(scenario, log).summary()["stored_byte_hours"] for log in (fast, slow)]
    assert hours[0] == pytest.approx(hours[1], rel=1e-9)


def test_the_textbook_model_gives_equal_answers_over_a_year() -> None:
    scenario = Scenario(one("every 1h", last=24, daily=30, monthly=12), linear("4 GiB"), "365d", timing=Timing())
    fast, slow = simulate(scenario).log, textbook(scenario)
    assert (fast.started, fast.completed, fast.deleted) == (slow.started, slow.completed, slow.deleted)
    assert len(fast.started) == 8761


def test_rules_of_pending_snapshots() -> None:
    assert [rules.pending_limit(kind) for kind in ("gp3", "io2", "st1", "sc1")] == [5, 5, 1, 1]
