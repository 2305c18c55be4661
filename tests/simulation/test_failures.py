"""Failures: what each loses, and how long it takes to be back, against answers by hand."""

from math import inf
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulation import Scenario, Workload, simulate
from simulation.failures import Restore, strike
from simulation.outcome import Outcome
from snapkit.errors import InvalidRequest
from snapkit.strategy import Archive, Copy, RecoveryVolume, Retention, Schedule, Strategy, Tier
from snapkit.timing import LAZY_RATE, Timing
from snapkit.units import MIB
from tests.simulation.linear import linear

GIB = 2**30
LINEAR = linear("100 GiB")
SLOW = Timing(latency=900, rate=inf, spread=0)
"""Every snapshot is complete after 15 minutes."""


def run(last: int = 24, horizon: str = "10d", recovery: RecoveryVolume | None = None) -> Outcome:
    tier = Tier(Schedule("every 1h"), Retention(last=last), "tier")
    return simulate(Scenario(Strategy("s", [tier], recovery), LINEAR, horizon, timing=SLOW))


def test_a_lost_volume_loses_what_came_after_the_newest_complete_snapshot() -> None:
    outcome = run()
    struck = strike(outcome, times=4000)
    assert (struck["by"] == "snapshot").all()
    # Between a snapshot's completion and the next one's: 15 minutes to an hour and a quarter.
    assert struck["rpo_s"].between(900, 4500).all()
    exact = outcome.summary()
    margin = 4 * 3600 / 12**0.5 / 4000**0.5
    assert abs(struck["rpo_s"].mean() - exact["rpo_mean_s"]) < margin
    assert abs(struck["rpo_s"].quantile(0.95) - exact["rpo_p95_s"]) < 100


def test_a_restored_volume_serves_soon_and_is_warm_when_all_its_data_are_there() -> None:
    outcome, served = run(), 660.0
    assert strike(outcome)["rto_s"].eq(served).all()
    lazy, rated = (strike(outcome, restore=restore)["warm_s"] for restore in (Restore(), Restore(rate=300)))
    assert lazy.to_numpy() == pytest.approx(served + 100 * GIB / LAZY_RATE)
    assert rated.to_numpy() == pytest.approx(served + 100 * GIB / (300 * MIB))


def fast(hours: int, size: str | None = None, kind: str = "volume", **options: Any) -> pd.DataFrame:
    """Let failures strike where fast snapshot restore is enabled for each snapshot as it completes."""
    tier = Tier(Schedule(f"every {hours}h"), Retention(last=24), "tier", copies=[Copy("eu-west-1", Retention(last=9))])
    outcome = simulate(Scenario(Strategy("s", [tier]), LINEAR, "20d", timing=SLOW, size=size))
    return strike(outcome, kind, restore=Restore(fast=True), times=4000, **options)


@pytest.mark.parametrize(("size", "hours"), [("128 GiB", 0.125 + 0.125), ("1 TiB", 2.0), ("2 TiB", 4.0)])
def test_fast_snapshot_restore_helps_once_it_is_enabled_and_has_a_credit(size: str, hours: float) -> None:
    """60 minutes a TiB to enable it, and 1024 / GiB credits an hour, as the EBS user guide says."""
    struck = fast(6, size)
    at_once = struck["warm_s"] == struck["rto_s"]
    # A volume is made ten minutes after the failure, of a snapshot that was complete up to six hours before.
    assert (at_once == (struck["rpo_s"] - 900 + 600 >= hours * 3600)).all()
    assert abs(at_once.mean() - (1 - (hours - 1 / 6) / 6)) < 4 * 0.5 / 4000**0.5
    assert struck["warm_s"][~at_once].to_numpy() == pytest.approx(660 + 100 * GIB / LAZY_RATE)


def test_fast_snapshot_restore_of_hourly_snapshots_of_more_than_a_tebibyte_is_never_ready() -> None:
    struck = fast(1, "1100 GiB")
    assert (struck["warm_s"] > struck["rto_s"]).all()


def test_fast_snapshot_restore_of_a_server_takes_as_long_as_that_of_its_largest_volume() -> None:
    server = Workload.together({name: linear("1 TiB") for name in ("a", "b", "c")})
    every = Strategy("s", [Tier(Schedule("every 6h"), Retention(last=24))])
    alone, together = (simulate(Scenario(every, each, "20d", timing=SLOW)) for each in (linear("1 TiB"), server))
    fast = Restore(fast=True)
    pd.testing.assert_frame_equal(strike(alone, restore=fast), strike(together, restore=fast))


def test_fast_snapshot_restore_is_of_no_use_for_older_snapshots_and_copies() -> None:
    assert (fast(6, kind="data", noticed_after="7h")["warm_s"] > 660).all()
    abroad = fast(6, kind="region")
    copied = abroad[abroad["by"] == "copy"]
    assert len(copied) > 3900  # there is none before the first one is complete
    assert (copied["warm_s"] > copied["rto_s"]).all()


def test_fast_snapshot_restore_above_16_tib_is_refused() -> None:
    assert fast(24, "16 TiB")["warm_s"].gt(660).all()
    with pytest.raises(
        InvalidRequest, match=r"size '17 TiB' is more than fast snapshot restore allows, 16 TiB; give R"
    ):
        fast(24, "17 TiB")


def test_the_volume_of_a_lost_server_is_attached_again_and_loses_nothing() -> None:
    struck = strike(run(), "server", restore=Restore(delay="5min", attach="30s"))
    assert struck["by"].eq("orphan").all()
    assert struck["rpo_s"].eq(0).all()
    assert struck["rto_s"].eq(330).all()
    assert struck["warm_s"].eq(330).all()


def test_data_noticed_wrong_too_late_are_gone() -> None:
    """With the last 24 of hourly ones there is no older one than 24 hours and a quarter."""
    outcome = run(last=24)
    soon, late = (strike(outcome, "data", noticed_after=after) for after in ("12h", "2d"))
    assert soon["by"].eq("snapshot").all()
    assert soon["rpo_s"].between(0, 3600).all()
    assert late["by"].eq("nothing").all()
    assert late[["rpo_s", "rto_s", "warm_s"]].isna().all(axis=None)


def test_wrong_data_are_restored_from_a_snapshot_taken_before() -> None:
    """That it was not complete yet when they went wrong does no harm: it is by the time that is noticed."""
    struck = strike(run(), "data", noticed_after="6h", times=500)
    assert struck["rpo_s"].max() <= 3600
    assert struck["rpo_s"].min() < 900


def daily(zone: str = "us-east-1b", *, initialized: bool = False) -> RecoveryVolume:
    return RecoveryVolume(schedule=Schedule("every 1d"), zone=zone, initialized=initialized, delay="2min")


@pytest.mark.parametrize("initialized", [False, True])
def test_a_recovery_volume_is_attached_and_has_the_data_of_its_day(initialized: bool) -> None:
    struck = strike(run(recovery=daily(initialized=initialized)), times=2000)
    attached = struck[struck["by"] == "recovery volume"]
    # The first is made after a day; before that a snapshot is restored.
    assert 0.8 < len(attached) / len(struck) < 0.95
    warming = 0.0 if initialized else 100 * GIB / LAZY_RATE
    making = 60 + (100 * GIB / LAZY_RATE if initialized else 0.0)
    # The one of midnight has the data of 23:00, and serves until the next one is ready.
    assert attached["rpo_s"].between(3600 + making, 3600 + making + 86_400).all()
    assert attached["rto_s"].eq(180).all()
    assert attached["warm_s"].to_numpy() == pytest.approx(180 + warming)


def test_a_recovery_volume_is_ready_at_once_by_fast_snapshot_restore() -> None:
    outcome = run(recovery=daily(initialized=True))
    struck = strike(outcome, restore=Restore(fast=True), times=2000)
    attached = struck[struck["by"] == "recovery volume"]
    assert attached["rpo_s"].between(3600 + 60, 3600 + 60 + 86_400).all()
    assert attached["warm_s"].eq(180).all()


@pytest.mark.parametrize("recovery", [None, daily(), daily(initialized=True)])
@pytest.mark.parametrize("horizon", ["3d", "60d"])
def test_the_summary_tells_within_which_time_one_is_back(recovery: RecoveryVolume | None, horizon: str) -> None:
    outcome = run(horizon=horizon, recovery=recovery)
    assert outcome.summary()["rto_p95_s"] == pytest.approx(strike(outcome, times=4000)["warm_s"].quantile(0.95))


def test_a_recovery_volume_in_the_lost_zone_is_lost_with_it() -> None:
    outcome = run(recovery=daily("us-east-1a"))
    assert not (strike(outcome, "zone", zone="us-east-1a")["by"] == "recovery volume").any()
    assert (strike(outcome, "zone", zone="us-east-1b")["by"] == "recovery volume").any()
    assert not (strike(outcome, "data", noticed_after="1h")["by"] == "recovery volume").any()


def test_the_same_seed_strikes_at_the_same_moments_whatever_the_strategy() -> None:
    one, other = strike(run(last=24), seed=3), strike(run(last=48), seed=3)
    assert one["at"].equals(other["at"])
    assert not one["at"].equals(strike(run(), seed=4)["at"])


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"kind": "fire"}, "kind"),
        ({"noticed_after": "1h"}, "noticed_after"),
        ({"kind": "data", "noticed_after": "11d"}, "horizon"),
        ({"times": 0}, "times"),
        ({"times": True}, "times"),
    ],
)
def test_failures_that_cannot_be_are_refused(options: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        strike(run(), **options)


def test_restores_that_cannot_be_are_refused() -> None:
    for options, field in (
        ({"rate": 50}, "restore rate"),
        ({"rate": True}, "restore rate"),
        ({"rate": 300, "fast": True}, "restore rate"),
        ({"delay": "-1min"}, "restore delay"),
        ({"attach": "soon"}, "restore attach"),
    ):
        with pytest.raises(InvalidRequest, match=field):
            Restore(**options)


def test_a_run_without_a_complete_snapshot_has_nothing_to_lose() -> None:
    tier = Tier(Schedule("every 1h"), Retention(last=2), "tier")
    never = Timing(latency=1e9, rate=inf, spread=0)
    outcome = simulate(Scenario(Strategy("s", [tier]), LINEAR, "2h", timing=never))
    with pytest.raises(InvalidRequest, match="horizon"):
        strike(outcome)
    assert np.isnan(outcome.summary()["rpo_mean_s"])


def test_wrong_data_noticed_after_long_are_fetched_from_the_archive() -> None:
    tier = Tier(Schedule("every 1d"), Retention(last=3), "tier", archive=Archive(Retention(last=60)))
    # No more than 25 of a volume can be archived: after four weeks there is still room.
    outcome = simulate(Scenario(Strategy("s", [tier]), LINEAR, "28d", timing=SLOW))
    struck = strike(outcome, "data", noticed_after="10d", times=500)
    fetched = struck[struck["by"] == "archive"]
    assert len(fetched) > 450
    assert fetched["rpo_s"].between(0, 86_400).all()
    assert fetched["rto_s"].eq(660 + 72 * 3600).all()
    assert set(strike(outcome, "region")["by"]) == {"nothing"}


def test_of_a_server_the_largest_volume_takes_longest_to_warm() -> None:
    server = Workload.together({"root": LINEAR, "data": linear("200 GiB")})
    tier = Tier(Schedule("every 1h"), Retention(last=24), "tier")
    outcome = simulate(Scenario(Strategy("s", [tier]), server, "5d", timing=SLOW))
    struck = strike(outcome, times=50)
    assert np.allclose(struck["warm_s"] - struck["rto_s"], 200 * GIB / LAZY_RATE)
