import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulation import Scenario, Study, simulate, study
from snapkit.errors import InvalidRequest
from snapkit.timing import Timing
from tests.simulation.studied import (
    DAILY,
    HOURLY,
    HOURLY_DEEP,
    STRATEGIES,
    VOLUMES,
    WORKLOAD,
    figures,
    strategy,
)


def test_the_frame_has_a_row_for_each_strategy_and_units_in_its_names(compared: Study) -> None:
    assert list(compared.frame.index) == ["hourly", "hourly, deep", "daily"]
    assert {"duration_mean_s", "rpo_p95_s", "stored_byte_hours", "monthly_cost_usd"} <= set(compared.frame.columns)
    assert compared.runs.shape == (9, len(compared.frame.columns) - 1)
    assert compared.frame["replications"].tolist() == [3, 3, 3]


def test_frequent_snapshots_are_quicker_but_copy_more_in_all(compared: Study) -> None:
    means = figures(compared.frame)
    assert means["hourly"]["duration_mean_s"] < means["daily"]["duration_mean_s"]
    assert means["hourly"]["copied_bytes"] > means["daily"]["copied_bytes"]


def test_longer_retention_stores_no_less_and_takes_no_longer(compared: Study) -> None:
    means = figures(compared.frame)
    assert means["hourly, deep"]["stored_byte_hours"] > means["hourly"]["stored_byte_hours"]
    assert means["hourly, deep"]["duration_mean_s"] == means["hourly"]["duration_mean_s"]


def test_margins_are_those_of_student(compared: Study) -> None:
    runs = compared.runs["rpo_p95_s"].to_numpy()[:3]
    expected = 4.302652729749462 * runs.std(ddof=1) / 3**0.5  # t at 0.975 with 2 degrees of freedom, from tables
    assert figures(compared.margins)["hourly"]["rpo_p95_s"] == pytest.approx(expected)


def test_one_replication_has_no_margin() -> None:
    single = study([HOURLY], WORKLOAD, horizon="2d", replications=1)
    assert single.margins.isna().all(axis=None)
    assert "±" not in repr(single)


def test_ranges_hold_one_more_run_eight_times_in_ten(compared: Study) -> None:
    """Nine runs are the fewest: a tenth is the least with a chance of one tenth, or the most."""
    runs = pd.concat([compared.runs.loc[["daily"]]] * 3)
    runs.index = pd.MultiIndex.from_product([["daily"], range(9)], names=["strategy", "replication"])
    runs["duration_mean_s"] = [960.0, 1500, 720, 1200, 660, 780, 840, 900, 1080]
    runs["unprotected_s"] = np.inf
    nine = replace(compared, runs=runs)
    assert nine.ranges["duration_mean_s"].to_dict() == {("daily", 0.1): 660, ("daily", 0.9): 1500}
    assert nine.ranges["unprotected_s"].isna().all()
    assert nine.table["a snapshot takes"].item() == "16 min (11-25)"
    assert replace(compared, runs=runs * 60).table["a snapshot takes"].item() == "16 h (11-25)"
    assert replace(compared, runs=runs * 4).table["a snapshot takes"].item() == "1.07 h (44 min-1.67 h)"
    eight = replace(compared, runs=runs.iloc[:8])
    assert eight.ranges.isna().all(axis=None)
    assert eight.table["a snapshot takes"].item() == "15.8 min"


def test_a_range_that_is_narrow_is_not_shown() -> None:
    calm = study([HOURLY], WORKLOAD, horizon="2d", replications=9, timing=Timing(spread=0.01))
    low, high = calm.ranges["duration_mean_s"].tolist()
    assert low < calm.frame["duration_mean_s"].item() < high
    assert "(" not in calm.table["a snapshot takes"].item()


def test_the_answers_are_the_same_on_any_executor(compared: Study) -> None:
    for make in (lambda: ThreadPoolExecutor(3), lambda: ProcessPoolExecutor(2, get_context("spawn"))):
        with make() as executor:
            again = study(STRATEGIES, WORKLOAD, horizon="60d", replications=3, seed=4, executor=executor)
        pd.testing.assert_frame_equal(again.runs, compared.runs, check_exact=True)


def test_a_run_of_a_study_can_be_looked_at_alone(compared: Study) -> None:
    alone = simulate(Scenario(HOURLY, WORKLOAD, "60d"), 4, replication=2).summary()
    assert alone.tolist() == compared.runs.iloc[2].tolist()


def test_a_budget_far_above_the_costs_leaves_them_apart(compared: Study) -> None:
    assert compared.plot(rpo="2h", monthly_cost=10_000).axes[1].get_yscale() == "log"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategies": []}, r"strategies \[\] leave nothing to compare"),
        ({"strategies": [HOURLY, HOURLY]}, "strategy name 'hourly' stands twice in one study"),
        ({"strategies": HOURLY}, "strategies Strategy.* is no list of strategies; give a list"),
        ({"executor": 5}, "executor 5 is none; give a concurrent.futures.Executor"),
        ({"replications": 0}, "replications 0 is not a whole number of at least 1"),
        ({"replications": 1, "precision": 0.1}, "replications 1 leave no margin to judge a precision by"),
        ({"precision": 0}, "precision 0 is no share between 0 and 1"),
        ({"precision": True}, "precision True is no share"),
        ({"precision": 0.1, "most": 5}, "most 5 is less than the 10 replications"),
        ({"most": 0}, "most 0 is not a whole number"),
        ({"strategies": [5]}, "strategies 5 is no strategy"),
        ({"strategies": [strategy("never", "cron(0 3 1 1 ? 2030)", last=2)]}, "horizon '90d' ends before at 03:00"),
        ({"workload": {}}, "workload {} leaves no volume"),
        ({"workload": [WORKLOAD, WORKLOAD]}, "workload name 'workstation' stands twice"),
        ({"workload": "db"}, "workload 'db' is none; give a Workload"),
        ({"horizon": "soon"}, "horizon 'soon' is not a time span"),
    ],
)
def test_studies_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        study(**{"strategies": STRATEGIES, "workload": WORKLOAD, **change})


def test_names_with_markup_show_literally() -> None:
    evil = strategy("<img src=x onerror=alert(1)>", "every 1h", last=2)
    shown = study([evil, HOURLY], WORKLOAD, horizon="2d", replications=1)
    choice = shown.best(rpo="2h")
    assert "<img" not in shown._repr_html_() + choice._repr_html_()
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown._repr_html_()


def test_reprs_are_stable_and_have_units(compared: Study) -> None:
    lines = repr(compared).splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r"hourly [4-6]\.\d+ min [5-8]\.\d+ min 1\.0\d h 24 .*", " ".join(lines[1].split()))
    again = study(STRATEGIES, WORKLOAD, horizon="60d", replications=3, seed=4)
    assert repr(again) == repr(compared)
    assert again._repr_html_() == compared._repr_html_()
    assert repr(compared.best(rpo="2h")).startswith("chosen  hourly, deep  loses at most ")


def test_the_front_holds_whom_nobody_beats(compared: Study) -> None:
    worse = strategy("hourly, dear", "every 1h", last=25)
    dear = strategy("every 2 h, dear", "every 2h", last=300)
    more = study([*STRATEGIES, worse, dear], WORKLOAD, horizon="60d", replications=3, seed=4)
    assert list(more.front.index) == ["hourly", "hourly, deep", "daily", "hourly, dear"]
    assert list(compared.front.columns) == list(compared.frame.columns)


def test_differences_under_common_chances_are_told_apart_sooner_than_means(compared: Study) -> None:
    against = compared.against("hourly")
    assert (against.loc["hourly"] == 0).all()
    mean = float(compared.frame["rpo_p95_s"]["daily"] - compared.frame["rpo_p95_s"]["hourly"])
    assert against["rpo_p95_s"]["daily"] == pytest.approx(mean)
    assert against["duration_mean_s_margin"]["hourly, deep"] == 0
    assert compared.margins["duration_mean_s"]["hourly, deep"] > 0
    with pytest.raises(
        InvalidRequest, match="strategy 'weekly' is not in the study; choose one of hourly, hourly, deep"
    ):
        compared.against("weekly")


def test_a_precision_is_reached_and_the_frame_tells_at_what_price() -> None:
    options: dict[str, Any] = {"horizon": "10d", "replications": 4, "timing": Timing(spread=1.0)}
    rough = study([HOURLY, DAILY], WORKLOAD, **options)
    wanted = 0.01
    assert (rough.margins["rpo_p95_s"] > wanted * rough.frame["rpo_p95_s"]).any()
    fine = study([HOURLY, DAILY], WORKLOAD, **options, precision=wanted, race=False)
    for figure in ("rpo_p95_s", "monthly_cost_usd"):
        assert (fine.margins[figure] <= wanted * fine.frame[figure]).all()
    assert fine.frame["replications"].max() > 4
    pd.testing.assert_frame_equal(fine.runs.loc[rough.runs.index], rough.runs, check_exact=True)


def test_no_strategy_is_run_more_often_than_allowed() -> None:
    options: dict[str, Any] = {"horizon": "5d", "replications": 2, "precision": 1e-6, "timing": Timing(spread=1.0)}
    assert study([HOURLY], WORKLOAD, **options, most=7).frame["replications"].item() == 7


def test_a_strategy_that_is_surely_beaten_gets_few_runs_and_the_choice_stays() -> None:
    poor = strategy("every 2 h, dear", "every 2h", last=100)
    options: dict[str, Any] = {"horizon": "10d", "replications": 4, "precision": 0.004, "timing": Timing(spread=1.0)}
    raced = study([HOURLY_DEEP, poor], WORKLOAD, **options, most=32)
    counts = raced.frame["replications"]
    assert raced.beaten == ["every 2 h, dear"]
    assert counts["every 2 h, dear"] == 4 < counts["hourly, deep"]
    assert "runs" in raced.table.columns
    full = study([HOURLY_DEEP, poor], WORKLOAD, **options, most=32, race=False)
    assert full.frame["replications"]["every 2 h, dear"] > 4
    assert full.best(rpo="1d").strategy is raced.best(rpo="1d").strategy


@pytest.fixture(scope="module")
def fleet() -> Study:
    return study(STRATEGIES, VOLUMES, horizon="20d", replications=2, seed=4)


def test_many_volumes_add_up_and_the_worst_rpo_counts(fleet: Study) -> None:
    db, web = fleet.volumes["db"], fleet.volumes["web"]
    for figure in ("monthly_cost_usd", "copied_bytes", "snapshots", "kept"):
        assert fleet.runs[figure].tolist() == pytest.approx((db.runs[figure] + web.runs[figure]).tolist())
    assert fleet.runs["rpo_p95_s"].tolist() == np.maximum(db.runs["rpo_p95_s"], web.runs["rpo_p95_s"]).tolist()
    assert fleet.runs["history_s"].tolist() == np.minimum(db.runs["history_s"], web.runs["history_s"]).tolist()
    weighed = (db.runs["copied_unmeasured_share"] * db.runs["copied_bytes"]).sum()
    assert (fleet.runs["copied_unmeasured_share"] * fleet.runs["copied_bytes"]).sum() == pytest.approx(
        weighed + (web.runs["copied_unmeasured_share"] * web.runs["copied_bytes"]).sum()
    )
    assert fleet.best(rpo="2h").strategy is HOURLY_DEEP
    assert db.best(rpo="2h").strategy is HOURLY_DEEP


def test_what_chance_has_for_a_volume_does_not_depend_on_the_others(fleet: Study) -> None:
    alone = study(STRATEGIES, {"web": VOLUMES["web"]}, horizon="20d", replications=2, seed=4)
    pd.testing.assert_frame_equal(alone.volumes["web"].runs, fleet.volumes["web"].runs, check_exact=True)


def test_volumes_of_a_list_go_by_their_names() -> None:
    assert list(study([DAILY], [VOLUMES["db"]], horizon="3d", replications=1).volumes) == ["workstation"]


def test_a_cost_that_chance_has_a_part_in_shows_its_margin(compared: Study) -> None:
    runs = compared.runs.copy()
    runs.loc["daily", "monthly_cost_usd"] = [30.0, 31.0, 32.5]
    assert " ± 3.13 " in repr(replace(compared, runs=runs))


@pytest.mark.parametrize("seed", [np.int64(1), np.int32(1)])
def test_a_seed_of_numpy_is_the_same_seed(seed: Any) -> None:
    scenario = Scenario(HOURLY, WORKLOAD, "1d")
    assert simulate(scenario, seed).summary().equals(simulate(scenario, 1).summary())
