"""Many volumes together: what they share, what goes wrong, and the textbook model beside it."""

from datetime import timedelta
from math import inf
from typing import Any

import numpy as np
import pandas as pd
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation import Conditions, Fleet, Scenario, Workload, simulate
from simulation.chances import Chances
from simulation.model import VolumeModel
from simulation.region import Region
from snapkit.errors import InvalidRequest
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.oracle import textbook_fleet
from tests.simulation.linear import linear
from tests.snapshots import START

STEADY = Timing(latency=60, rate=1e6, spread=0)
BLOCK = 524288


def one(schedule: str, **rules: Any) -> Strategy:
    return Strategy("one", [Tier(Schedule(schedule), Retention(**(rules or {"last": "all"})), "tier")])


def fleet(many: int, horizon: str = "12h", *, schedule: str = "every 1h", **options: Any) -> Fleet:
    """Make volumes that change more and more blocks."""
    options = {"timing": STEADY} | options
    return Fleet(
        {f"v{each}": Scenario(one(schedule), linear("1 GiB", 1 + each), horizon, **options) for each in range(many)}
    )


def seconds(moments: "pd.Series[Any]") -> list[float]:
    return [(moment - START) / timedelta(seconds=1) for moment in moments]


def test_volumes_that_share_nothing_are_as_if_alone() -> None:
    together = fleet(3, timing=Timing())
    outcomes = simulate(together, seed=4)
    for name, scenario in together.volumes.items():
        pd.testing.assert_frame_equal(outcomes[name].snapshots, simulate(scenario, seed=4).snapshots)


def test_uploads_of_a_region_share_its_bandwidth() -> None:
    # Two full snapshots of 1 GiB at 1 MB/s together take as long as one of 2 GiB, and another region is not touched.
    slow, free = Conditions(bandwidth=1e6), Conditions("eu-west-1")
    volumes = {
        name: Scenario(one("every 12h"), linear("1 GiB"), "12h", timing=STEADY, conditions=conditions)
        for name, conditions in {"a": slow, "b": slow, "far": free}.items()
    }
    first = simulate(Fleet(volumes)).snapshots.groupby("volume")["duration_s"].first()
    assert first["a"] == first["b"] == pytest.approx(60 + 2 * 2**30 / 1e6)
    assert first["far"] == pytest.approx(60 + 2**30 / 1e6)


def test_no_more_snapshots_of_an_account_are_pending_than_aws_allows_first_come_first_served() -> None:
    timing = Timing(latency=600, rate=inf, spread=0)
    rows = simulate(fleet(5, "1h", timing=timing, conditions=Conditions(pending=2))).snapshots
    assert list(zip(rows["volume"], seconds(rows["started"]), strict=True))[:5] == [
        ("v0", 0), ("v1", 0), ("v2", 600), ("v3", 600), ("v4", 1200),
    ]  # fmt: skip


def test_a_hundred_creations_at_once_and_five_a_second_from_then_on() -> None:
    rows = simulate(fleet(130, "1h", conditions=Conditions(pending=1000))).snapshots
    starts = np.array(sorted(seconds(rows["started"])))
    assert (starts[:100] == 0).all()
    np.testing.assert_allclose(starts[100:130], np.arange(1, 31) / 5)


def test_the_pending_snapshots_of_each_region_are_counted() -> None:
    timing = Timing(latency=600, rate=inf, spread=0)
    outcomes = simulate(fleet(3, "1h", schedule="every 30min", timing=timing))
    counted = outcomes.pending["us-east-1"]
    assert dict(zip(seconds(counted.index.to_series()), counted, strict=True)) == {
        0: 3, 600: 0, 1800: 3, 2400: 0, 3600: 3,
    }  # fmt: skip


def test_a_snapshot_that_fails_is_tried_again_as_the_strategy_says_and_then_given_up() -> None:
    tier = Tier(Schedule("every 1h"), Retention(last=3), "tier", retries=2, retry_delay="10min")
    timing = Timing(latency=300, rate=inf, spread=0)
    outcome = simulate(
        Scenario(Strategy("s", [tier]), linear("1 TiB"), "2h", timing=timing, conditions=Conditions(failing=1.0))
    )
    frame = outcome.snapshots
    assert seconds(frame["started"]) == [0, 600, 1200, 3600, 4200, 4800, 7200]
    assert frame["state"].tolist() == ["error"] * 6 + ["pending"]
    assert frame["reason"].tolist() == ["ended in error"] * 6 + ["still pending"]
    assert (frame["changed_bytes"] == 2**40).all()  # nothing is there to be compared with
    assert frame["source"].tolist() == ["assumed"] * 7
    figures = outcome.summary()
    assert (figures["failed"], figures["kept"], figures["missed"]) == (6, 0, 2)
    assert outcome.stored.iloc[-1] == 2**40


def test_after_a_failed_snapshot_the_next_copies_what_changed_since_the_one_before() -> None:
    tier = Tier(Schedule("every 1h"), Retention(last=9), "tier", retries=0)
    timing, conditions = Timing(latency=300, rate=inf, spread=0), Conditions(failing=0.3)
    scenario = Scenario(Strategy("s", [tier]), linear("1 TiB"), "20h", timing=timing, conditions=conditions)
    frame = simulate(scenario, seed=2).snapshots
    states = frame["state"].tolist()
    assert 0 < states.count("error") < 20
    newest = None
    for started, state, changed in zip(seconds(frame["started"]), states, frame["changed_bytes"], strict=True):
        assert changed == (2**40 if newest is None else pytest.approx((started - newest) / 60 * BLOCK))
        newest = newest if state == "error" else started


def test_the_share_of_failures_is_what_was_asked_for() -> None:
    """Within four standard deviations: a false alarm once in 16,000, and never with this seed."""
    conditions = Conditions(failing=0.2)
    frame = simulate(fleet(20, "20d", conditions=conditions), seed=3).snapshots
    share = (frame["state"] == "error").mean()
    assert abs(share - 0.2) < 4 * (0.2 * 0.8 / len(frame)) ** 0.5


def test_snapshots_start_within_the_hour_that_data_lifecycle_manager_takes() -> None:
    frame = simulate(fleet(10, "20d", start_within="1h"), seed=3).snapshots
    late = (frame["started"] - frame["due"]).dt.total_seconds()[10:]
    assert late.min() >= 0
    assert late.max() < 3600
    assert abs(late.mean() - 1800) < 4 * 3600 / 12**0.5 / len(late) ** 0.5


def test_strategies_meet_the_same_lateness_and_the_same_failures() -> None:
    def first_tries(schedule: str) -> pd.DataFrame:
        conditions = Conditions(failing=0.3)
        strategy = Strategy("s", [Tier(Schedule(schedule), Retention(last=9), "tier", retries=0)])
        scenario = Scenario(strategy, linear("1 GiB"), "10d", timing=STEADY, start_within="1h", conditions=conditions)
        return simulate(scenario, seed=8).snapshots.set_index("due")

    both = first_tries("every 6h").join(first_tries("every 1h").add_suffix("_often"))
    assert len(both) == 40
    assert (both["state"] == "error").sum() > 5
    assert (both["started"] == both["started_often"]).all()
    assert (both["state"] == both["state_often"]).all()


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.sampled_from(["every 1h", "every 2h", "every 90min"]), st.floats(0.1, 50), st.integers(1, 30)),
        min_size=1,
        max_size=6,
    ),
    st.floats(2e5, 5e7),
    st.sampled_from([Timing(latency=60, rate=1e6, spread=0), Timing()]),
)  # fmt: skip
def test_it_agrees_with_the_textbook_model(
    volumes: list[tuple[str, float, int]], bandwidth: float, timing: Timing
) -> None:
    conditions = Conditions(bandwidth=bandwidth)
    together = Fleet(
        {
            f"v{number}": Scenario(one(schedule, last=last), linear("10 GiB", rate), "36h", timing=timing,
                                   conditions=conditions)
            for number, (schedule, rate, last) in enumerate(volumes)
        }
    )  # fmt: skip
    outcomes, logs = simulate(together), textbook_fleet(together)
    for name, log in logs.items():
        ours = outcomes[name].log
        for column in ("started", "completed", "deleted", "changed"):
            np.testing.assert_allclose(getattr(ours, column), getattr(log, column), rtol=1e-9, atol=1e-5)


def test_a_snapshot_costs_about_two_events_also_on_a_shared_link() -> None:
    together = fleet(50, "100h", conditions=Conditions(bandwidth=50e6))
    env = simpy.Environment()
    region = Region(env, Conditions(bandwidth=50e6))
    volumes = [VolumeModel(env, scenario, region, Chances(), {}) for scenario in together.volumes.values()]
    for volume in volumes:
        env.process(volume.protect())
    env.run(until=together.horizon_seconds)
    taken = sum(len(volume.log.started) for volume in volumes)
    assert taken == 50 * 100
    assert next(env._eid) / taken <= 2.4


def test_what_is_uploaded_is_what_changed_and_littles_law_holds() -> None:
    outcomes = simulate(fleet(20, "200h", conditions=Conditions(bandwidth=5e6)), seed=1)
    frame = outcomes.snapshots
    done = frame[frame["state"] == "completed"]
    counted = outcomes.pending["us-east-1"]
    moments = np.array(seconds(counted.index.to_series()))
    area = float(np.dot(np.diff([*moments, 200 * 3600]), counted))
    rest = sum(200 * 3600 - started for started in seconds(frame[frame["state"] == "pending"]["started"]))
    assert area == pytest.approx(done["duration_s"].sum() + rest, rel=1e-6)


@settings(max_examples=15)
@given(st.floats(1e5, 1e7), st.floats(1, 5))
def test_more_bandwidth_completes_nothing_later(bandwidth: float, more: float) -> None:
    def ends(bandwidth: float) -> np.ndarray:
        run = simulate(fleet(5, "1h", conditions=Conditions(bandwidth=bandwidth)))
        return np.concatenate([outcome.log.completed for outcome in run.values()])

    assert (ends(bandwidth * more) <= ends(bandwidth) + 1e-6).all()


def test_volumes_with_one_fitted_workload_are_each_written_at_times_of_their_own() -> None:
    strategy, clock = one("every 1h"), Workload.fit(burst_trace())
    volumes = {name: Scenario(strategy, clock, "2d", timing=STEADY) for name in ("a", "b")}
    first, second = (simulate(Fleet(volumes), seed=5, replication=number).snapshots for number in (0, 1))
    changed = {name: rows["changed_bytes"].tolist() for name, rows in first.groupby("volume")}
    assert changed["a"] != changed["b"]
    assert first["changed_bytes"].tolist() != second["changed_bytes"].tolist()
    again = simulate(Fleet(volumes), seed=5).snapshots
    pd.testing.assert_frame_equal(first, again)


def burst_trace() -> Workload:
    """Make up two days of bursts."""
    chance = np.random.default_rng(1)
    bursts = np.sort(chance.uniform(0, 2 * 86_400e6, 400))
    times = np.sort(np.repeat(bursts, chance.geometric(0.1, 400))).astype(int)
    frame = pd.DataFrame({"t_us": times, "op": "W", "off": chance.integers(0, 500, len(times)) * BLOCK, "len": 4096})
    return Workload.from_trace(frame, span="2d")


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"bandwidth": 0.0}, "bandwidth"),
        ({"bandwidth": float("nan")}, "bandwidth"),
        ({"pending": 0}, "pending"),
        ({"pending": float("inf")}, "pending"),
        ({"failing": 1.5}, "failing"),
        ({"failing": True}, "failing"),
    ],
)
def test_conditions_that_cannot_be_are_refused(given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        Conditions(**given)


def test_a_fleet_begins_and_ends_together_and_has_one_set_of_conditions_in_a_region() -> None:
    scenario = fleet(1).volumes["v0"]
    with pytest.raises(InvalidRequest, match="one start and one horizon"):
        Fleet({"a": scenario, "b": Scenario(one("every 1h"), linear("1 TiB"), "9h")})
    other = Scenario(one("every 1h"), linear("1 TiB"), "12h", conditions=Conditions(bandwidth=1e6))
    with pytest.raises(InvalidRequest, match="the same Conditions"):
        Fleet({"a": scenario, "b": other})
    with pytest.raises(InvalidRequest, match="volumes"):
        Fleet({})
    with pytest.raises(InvalidRequest, match="no scenario"):
        Fleet({"a": one("every 1h")})  # type: ignore[dict-item]
    with pytest.raises(InvalidRequest, match="start_within"):
        Scenario(one("every 1h"), linear("1 TiB"), "12h", start_within="-1h")
