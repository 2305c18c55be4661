"""The choice of one strategy of a study, and whether it stands."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulation import Choice, Conditions, Scenario, Study, Workload, study
from simulation.assumptions import Leveled, varied
from snapkit.errors import InvalidRequest
from snapkit.strategy import Copy, Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.simulation.studied import HOURLY, HOURLY_DEEP, STRATEGIES, VOLUMES, WORKLOAD, figures, strategy


def test_the_best_meets_both_limits_and_reaches_back_longest(compared: Study) -> None:
    choice = compared.best(rpo="2h", monthly_cost=100)
    assert choice.strategy is HOURLY_DEEP
    assert choice.losers == {
        "hourly": "reaches back 24 h, not 29 d",
        "daily": "loses up to 23 h (p95), more than 2 h",
    }


def test_changing_the_rpo_alone_flips_the_choice(compared: Study) -> None:
    assert compared.best(rpo="2h", monthly_cost=100).strategy.name == "hourly, deep"
    assert compared.best(rpo="2d", monthly_cost=100).strategy.name == "daily"


def test_changing_the_budget_alone_flips_the_choice(compared: Study) -> None:
    assert compared.best(rpo="2h", monthly_cost=100).strategy.name == "hourly, deep"
    assert compared.best(rpo="2h", monthly_cost=15).strategy.name == "hourly"


def test_without_a_budget_money_is_no_object(compared: Study) -> None:
    assert compared.best(rpo="2h").strategy.name == "hourly, deep"


def test_of_equal_histories_the_cheaper_wins() -> None:
    # Twelve tries of the same strategy are no longer a reason to pay for twelve.
    twin = strategy("two hourly tiers", "every 2h", last=13)
    choice = study([strategy("hourly", "every 1h", last=25), twin], WORKLOAD, horizon="10d", replications=1).best(
        rpo="3h"
    )
    assert choice.strategy is twin
    assert "and reaches back no longer" in choice.losers["hourly"]


def test_an_rpo_that_nothing_meets_names_the_nearest(compared: Study) -> None:
    with pytest.raises(
        InvalidRequest,
        match=r"RPO '5min' is met by no strategy: the nearest, hourly.*, loses up to 1.0\d h .*; allow a larger",
    ):
        compared.best(rpo="5min")


def test_a_budget_that_buys_nothing_names_the_cheapest(compared: Study) -> None:
    with pytest.raises(
        InvalidRequest, match=r"budget 1 pays for no strategy that meets an RPO of 2 h: the cheapest, hourly, "
    ):
        compared.best(rpo="2h", monthly_cost=1)


def test_a_study_in_which_nothing_completes_says_so() -> None:
    slow = study([HOURLY], WORKLOAD, horizon="2d", replications=1, timing=Timing(latency=1e9))
    with pytest.raises(InvalidRequest, match="none has a complete snapshot in time; simulate a longer horizon"):
        slow.best(rpo="2h")
    assert "unknown" in repr(slow)


def test_a_limit_within_the_noise_is_said_to_be(compared: Study) -> None:
    edge = figures(compared.frame)["hourly, deep"]["rpo_p95_s"]
    assert "closer to the limit than chance allows to tell" in compared.best(rpo=edge + 1e-6).why


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ({"rpo": "soon"}, "RPO 'soon'"),
        ({"rpo": "2h", "monthly_cost": "x"}, "budget 'x'"),
        ({"rpo": "2h", "rto": "soon"}, "RTO 'soon'"),
        ({"rpo": "2h", "rto": "1min"}, "RTO '1min' is met by no strategy: the nearest, "),
    ],
)
def test_limits_that_cannot_be_are_refused(compared: Study, limit: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        compared.best(**limit)


def test_a_choice_is_the_very_object_that_was_simulated(compared: Study) -> None:
    choice = compared.best(rpo="2h")
    assert isinstance(choice, Choice)
    assert any(choice.strategy is candidate for candidate in STRATEGIES)


def with_rto(compared: Study, **seconds: float) -> Study:
    """Give a study an RTO, which its runs do not tell."""
    names = compared.runs.index.get_level_values("strategy")
    return replace(
        compared, runs=compared.runs.assign(rto_p95_s=[seconds[str(name).replace(", ", "_")] for name in names])
    )


def test_an_rto_is_a_limit_like_the_rpo(compared: Study) -> None:
    timed = with_rto(compared, hourly=600.0, hourly_deep=7200.0, daily=60.0)
    choice = timed.best(rpo="2h", rto="1h")
    assert choice.strategy is HOURLY
    assert "is back within 10 min" in choice.why
    assert choice.losers["hourly, deep"] == "takes up to 2 h (p95), more than 1 h"
    with pytest.raises(
        InvalidRequest, match=r"RTO '5min' is met by no strategy: the nearest, hourly, takes up to 10 min"
    ):
        timed.best(rpo="2h", rto="5min")
    assert list(timed.front.index) == ["hourly", "hourly, deep", "daily"]


def test_a_loss_that_may_be_chance_is_told_as_such(compared: Study) -> None:
    runs = compared.runs.copy()
    runs.loc["hourly", "monthly_cost_usd"] = [30.0, 31.0, 32.5]
    runs.loc["hourly, deep", "monthly_cost_usd"] = [31.0, 30.5, 32.5]
    runs["history_s"] = 1.0
    choice = replace(compared, runs=runs).best(rpo="2h")
    assert choice.strategy is HOURLY
    assert choice.losers["hourly, deep"].endswith("reaches back no longer (closer than chance allows to tell)")


def test_the_choice_is_tried_with_every_assumption_wrong(compared: Study) -> None:
    cost = figures(compared.frame)["hourly, deep"]["monthly_cost_usd"]
    changed = compared.sensitivity(rpo="2h", monthly_cost=1.5 * cost)
    assert changed["assumption"].tolist() == [
        name for name in ("upload rate", "latency", "spread", "write level") for _ in range(2)
    ]
    assert changed["times"].tolist() == [2.0, 0.5] * 4
    flipped = changed[changed["flips"]]
    assert flipped[["assumption", "times", "chosen"]].to_numpy().tolist() == [["write level", 2.0, "hourly"]]
    assert "a month, more than" in flipped["because"].item()
    assert flipped["monthly_cost_usd"].item() > 1.5 * cost
    with pytest.raises(InvalidRequest, match="factor 1 is not above 1"):
        compared.sensitivity(rpo="2h", factor=1)


def test_a_changed_assumption_under_which_nothing_meets_the_limits_says_so() -> None:
    compared = study([HOURLY], VOLUMES, horizon="5d", replications=1)
    edge = compared.frame["rpo_p95_s"].item() + 1
    changed = compared.sensitivity(rpo=edge, factor=4)
    worst = changed[(changed["assumption"] == "latency") & (changed["times"] == 4)]
    assert worst["chosen"].isna().all()
    assert worst["flips"].all()
    assert "is met by no strategy" in worst["because"].item()


def test_a_workload_at_another_level_changes_as_many_times_the_blocks() -> None:
    twice = Leveled(WORKLOAD, 2.0)
    assert twice.changed_between(0.0, 3600.0) == 2 * WORKLOAD.changed_between(0.0, 3600.0)
    assert twice.changed("1h") == 2 * WORKLOAD.changed("1h")
    assert twice.footprint("1h") == 2 * WORKLOAD.footprint("1h")
    assert twice.footprints(np.array([60.0, 1e12])).tolist() == [2 * WORKLOAD.footprint(60.0), 100 * 2048]
    assert twice.stationary
    assert twice.provenance(0.0, 3600.0) == WORKLOAD.provenance(0.0, 3600.0)
    assert twice.sampled(1) is twice


def test_at_another_level_no_volume_of_a_server_changes_more_than_it_has() -> None:
    full, empty = (Workload.from_table({"1h": blocks, "1d": blocks}, None, "1 GiB") for blocks in (2000, 10))
    scenario = Scenario(HOURLY, Workload.together({"full": full, "empty": empty}), "2d")
    twice = next(each for name, times, (each,) in varied([scenario], 2.0) if name == "write level")
    assert isinstance(twice, Scenario)
    assert twice.workload.changed_between(0.0, 3600.0) == 2048 + 20
    assert [each.changed_between(0.0, 3600.0) for each in twice.workload.members.values()] == [2048, 20]


def test_a_strategy_without_a_snapshot_in_some_runs_is_not_chosen() -> None:
    failing = Conditions(failing=0.8)
    seldom = Strategy("seldom", [Tier(Schedule("every 1d"), Retention(last=3), retries=0)])
    often = Strategy("often", [Tier(Schedule("every 10min"), Retention(last=99))])
    compared = study([seldom, often], WORKLOAD, horizon="2d", replications=12, conditions=failing)
    assert figures(compared.frame)["seldom"]["rpo_p95_s"] != figures(compared.frame)["seldom"]["rpo_p95_s"]  # NaN
    choice = compared.best(rpo="3d")
    assert choice.strategy is often
    assert choice.losers == {"seldom": "has no complete snapshot in some of the runs"}


def test_a_strategy_that_was_beaten_is_not_chosen_and_others_are_compared_under_the_same_chances() -> None:
    plain = Tier(Schedule("every 6h"), Retention(last=8), retries=0)
    copied = replace(plain, copies=[Copy("eu-west-1", Retention(last=8))])
    compared = study(
        [Strategy("plain", [plain]), Strategy("copied", [copied])], WORKLOAD, horizon="5d", replications=4,
        precision=0.05, most=64, seed=37, conditions=Conditions(failing=0.2),
    )  # fmt: skip
    choice = compared.best(rpo="12h")
    assert choice.strategy.name == "plain"
    assert list(compared.front.index) == ["plain"]
    assert set(compared.alike.groupby("strategy").size()) == {compared.common}


def test_a_choice_tells_in_how_many_runs_it_misses_a_limit(compared: Study) -> None:
    runs = compared.runs.copy()
    runs.loc["hourly, deep", "rpo_p95_s"] = [3600.0, 3600.0, 7260.0]
    choice = replace(compared, runs=runs).best(rpo="2h", monthly_cost=100)
    assert choice.strategy is HOURLY_DEEP
    assert choice.why.endswith("; misses the RPO in 1 of 3 runs")
    assert "misses" not in compared.best(rpo="2h", monthly_cost=100).why
