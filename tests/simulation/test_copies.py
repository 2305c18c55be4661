"""Copies in another region: what each copies, which stay, what they cost, and what they are good for."""

from datetime import timedelta
from math import inf
from typing import Any, Literal, TypeAlias

import numpy as np
import pytest

from simulation import Conditions, Fleet, Outcome, Scenario, simulate
from simulation.failures import Kind, strike
from snapkit.errors import InvalidRequest
from snapkit.prices import MONTH, Prices
from snapkit.strategy import Copy, RecoveryVolume, Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.simulation.linear import linear
from tests.snapshots import START

BLOCK, GIB = 524288, 2**30
Last: TypeAlias = int | Literal["all"]
SLOW = Timing(latency=900, rate=inf, spread=0)
LINEAR = linear("1 GiB")
EU = "eu-west-1"


def run(*tiers: Tier, horizon: str = "6h", recovery: RecoveryVolume | None = None, **options: Any) -> Outcome:
    return simulate(Scenario(Strategy("s", tiers, recovery), LINEAR, horizon, timing=SLOW, **options))


def tier(every: str = "1h", last: Last = "all", copies: Last | None = "all") -> Tier:
    kept = [] if copies is None else [Copy(EU, Retention(last=copies))]
    return Tier(Schedule(f"every {every}"), Retention(last=last), every, copies=kept)


def hours(moments: Any) -> list[float]:
    return [round((moment - START) / timedelta(hours=1), 6) for moment in moments.dropna()]


def test_each_complete_snapshot_is_copied_the_first_in_full() -> None:
    copies = run(tier()).copies
    assert copies["snapshot"].tolist() == [0, 1, 2, 3, 4, 5]
    assert hours(copies["started"]) == [0, 1, 2, 3, 4, 5]
    assert hours(copies["begun"]) == [0.25, 1.25, 2.25, 3.25, 4.25, 5.25]
    assert hours(copies["completed"]) == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5]
    assert copies["full"].tolist() == [True] + [False] * 5
    assert copies["copied_bytes"].tolist() == [GIB] + [60 * BLOCK] * 5
    assert set(copies["region"]) == {EU}


def test_the_copies_have_a_retention_of_their_own() -> None:
    outcome = run(tier(last=1, copies=2))
    assert hours(outcome.copies["deleted_at"]) == [2.5, 3.5, 4.5, 5.5]
    # Once the first is gone, two are left: all the data, and what changed between them.
    assert outcome.log.copies[EU].stored[-1] == 2048 + 60


def test_only_the_tiers_with_copies_are_copied_and_gaps_between_copies_are_whole() -> None:
    copies = run(tier("1h", copies=None), tier("3h", copies="all")).copies
    assert hours(copies["started"]) == [0, 3]
    assert copies["copied_bytes"].tolist() == [GIB, 180 * BLOCK]


def test_a_copy_kept_by_another_tier_stays() -> None:
    outcome = run(tier("1h", copies=1), tier("2h", copies="all"))
    deleted = outcome.copies.set_index("snapshot")["deleted_at"]
    assert deleted[[1, 3]].notna().all()
    assert deleted[[0, 2, 4]].isna().all()


def test_at_most_twenty_are_copied_to_a_region_at_once() -> None:
    strategy = Strategy("s", [tier()])
    volumes = {f"v{each}": Scenario(strategy, LINEAR, "1h", timing=SLOW) for each in range(30)}
    outcomes = simulate(Fleet(volumes))
    begun = sorted(hour for outcome in outcomes.values() for hour in hours(outcome.copies["begun"]))
    assert begun == [0.25] * 20 + [0.5] * 10


def test_copies_are_paid_for_where_they_lie_and_on_the_way() -> None:
    prices = Prices()
    alone, copied = run(tier(copies=None), prices=prices).summary(), run(tier(), prices=prices).summary()
    assert alone["copies_cost_usd"] == 0
    stored, moment = 0.0, np.array([0.25, 1.25, 2.25, 3.25, 4.25, 5.25])
    for number, begun in enumerate(moment):
        stored += (GIB if number == 0 else 60 * BLOCK) * (6 - begun) * 3600
    expected = prices.stored(stored) + prices.transferred(GIB + 5 * 60 * BLOCK)
    assert copied["copies_cost_usd"] == pytest.approx(expected)
    assert copied["cost_usd"] == pytest.approx(alone["cost_usd"] + expected)
    # The full copy is sent once, and is no part of what a month costs from now on.
    running = copied["cost_usd"] - prices.transferred(GIB)
    assert copied["monthly_cost_usd"] == pytest.approx(running * MONTH / (6 * 3600))


def test_a_recovery_volume_is_paid_for_from_when_it_can_be_made() -> None:
    recovery = RecoveryVolume(schedule=Schedule("every 2h"), zone="us-east-1b")
    figures = run(tier(copies=None), recovery=recovery).summary()
    # Made after 2, 4 and 6 h; the first stays for the minute in which the second is made.
    assert figures["recovery_cost_usd"] == pytest.approx(Prices().gp3(GIB, 4 * 3600 + 60))
    assert figures["cost_usd"] > figures["recovery_cost_usd"]


def test_a_lost_region_leaves_its_copies() -> None:
    outcome = run(tier(), horizon="10d")
    struck = strike(outcome, Kind.REGION, times=2000)
    # A copy is complete half an hour after the moment that it holds; before the first one nothing is left.
    left = struck[struck["by"] == "copy"]
    assert len(left) > 1900
    assert left["rpo_s"].between(1800, 5400).all()
    assert struck[struck["by"] == "nothing"]["rto_s"].isna().all()
    without = strike(run(tier(copies=None), horizon="10d"), "region")
    assert without["by"].eq("nothing").all()


def test_copies_that_cannot_be_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="copy region"):
        Scenario(Strategy("s", [tier()]), LINEAR, "6h", conditions=Conditions(EU))


def test_wrong_data_are_restored_from_a_copy_that_was_kept_longer() -> None:
    outcome = run(tier(last=24, copies="all"), horizon="10d")
    struck = strike(outcome, "data", noticed_after="5d")
    assert struck["by"].eq("copy").all()
    assert struck["rpo_s"].max() <= 3600 + 1800
