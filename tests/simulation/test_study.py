import re
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from simulation import Choice, Conditions, Scenario, Study, Workload, plots, simulate, study
from simulation.assumptions import Leveled
from snapkit.errors import InvalidRequest
from snapkit.strategy import Copy, Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing

WORKLOAD = Workload.profile("workstation", size="100 GiB")


def strategy(name: str, schedule: str, **keep: Any) -> Strategy:
    return Strategy(name, [Tier(Schedule(schedule), Retention(**keep))])


HOURLY = strategy("hourly", "every 1h", last=24)
HOURLY_DEEP = strategy("hourly, deep", "every 1h", last=24, daily=30)
DAILY = strategy("daily", "every 1d", daily=60)
STRATEGIES = [HOURLY, HOURLY_DEEP, DAILY]


@pytest.fixture(scope="module")
def compared() -> Study:
    return study(STRATEGIES, WORKLOAD, horizon="60d", replications=3, seed=4)


def figures(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {str(name): {str(key): float(value) for key, value in row.items()} for name, row in frame.iterrows()}


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


def test_the_answers_are_the_same_on_any_executor(compared: Study) -> None:
    for make in (lambda: ThreadPoolExecutor(3), lambda: ProcessPoolExecutor(2, get_context("spawn"))):
        with make() as executor:
            again = study(STRATEGIES, WORKLOAD, horizon="60d", replications=3, seed=4, executor=executor)
        pd.testing.assert_frame_equal(again.runs, compared.runs, check_exact=True)


def test_a_run_of_a_study_can_be_looked_at_alone(compared: Study) -> None:
    alone = simulate(Scenario(HOURLY, WORKLOAD, "60d"), 4, replication=2).summary()
    assert alone.tolist() == compared.runs.iloc[2].tolist()


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
        match=r"RPO '5min' is met by no strategy: the nearest, hourly.*, loses up to 1.02 h .*; allow a larger",
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


def test_a_budget_far_above_the_costs_leaves_them_apart(compared: Study) -> None:
    assert compared.plot(rpo="2h", monthly_cost=10_000).axes[1].get_yscale() == "log"


def test_a_limit_within_the_noise_is_said_to_be(compared: Study) -> None:
    edge = figures(compared.frame)["hourly, deep"]["rpo_p95_s"]
    assert "closer to the limit than chance allows to tell" in compared.best(rpo=edge + 1e-6).why


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


def test_names_with_markup_show_literally() -> None:
    evil = strategy("<img src=x onerror=alert(1)>", "every 1h", last=2)
    shown = study([evil, HOURLY], WORKLOAD, horizon="2d", replications=1)
    choice = shown.best(rpo="2h")
    assert "<img" not in shown._repr_html_() + choice._repr_html_()
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown._repr_html_()


def test_reprs_are_stable_and_have_units(compared: Study) -> None:
    lines = repr(compared).splitlines()
    assert len(lines) == 4
    assert re.fullmatch(r"hourly 4\.1\d min 5\.\d+ min 1\.0\d h 24 .*", " ".join(lines[1].split()))
    again = study(STRATEGIES, WORKLOAD, horizon="60d", replications=3, seed=4)
    assert repr(again) == repr(compared)
    assert again._repr_html_() == compared._repr_html_()
    assert repr(compared.best(rpo="2h")).startswith("chosen  hourly, deep  loses at most ")


def test_pictures_show_what_they_should(compared: Study) -> None:
    picture = compared.plot(rpo="2h", monthly_cost=20)
    durations, costs = picture.axes
    assert [label.get_text() for label in durations.get_yticklabels()] == ["hourly", "hourly, deep", "daily"]
    bars = [bar for bar in durations.patches if isinstance(bar, Rectangle)]
    assert [bar.get_width() for bar in bars[:3]] == pytest.approx(compared.frame["duration_p95_s"] / 60)
    labels = costs.get_legend_handles_labels()[1]
    assert set(labels) == {"hourly", "hourly, deep", "daily", "RPO 2 h", "budget $20.00"}
    assert picture._repr_png_().startswith(b"\x89PNG")
    assert picture._repr_png_() == picture._repr_png_()


def test_the_curve_tells_measured_from_modelled() -> None:
    lines = plots.curve(Workload.profile("workstation")).axes[0].get_lines()
    assert [line.get_label() for line in lines] == ["modelled", "measured"]
    assert np.max(lines[1].get_xdata()) <= 96 * 3600 < np.max(lines[0].get_xdata())


def test_the_stored_picture_is_never_blank() -> None:
    picture = plots.stored(simulate(Scenario(HOURLY, WORKLOAD, "3d", timing=Timing(spread=0))))
    assert picture.axes[0].get_lines()[0].get_ydata().max() > 100  # type: ignore[union-attr]


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


def test_a_loss_that_may_be_chance_is_told_as_such(compared: Study) -> None:
    runs = compared.runs.copy()
    runs.loc["hourly", "monthly_cost_usd"] = [30.0, 31.0, 32.5]
    runs.loc["hourly, deep", "monthly_cost_usd"] = [31.0, 30.5, 32.5]
    runs["history_s"] = 1.0
    choice = replace(compared, runs=runs).best(rpo="2h")
    assert choice.strategy is HOURLY
    assert choice.losers["hourly, deep"].endswith("reaches back no longer (closer than chance allows to tell)")


def test_a_precision_is_reached_and_the_frame_tells_at_what_price() -> None:
    rough = study([HOURLY, DAILY], WORKLOAD, horizon="10d", replications=4, timing=Timing(spread=1.5))
    wanted = 0.01
    assert (rough.margins["rpo_p95_s"] > wanted * rough.frame["rpo_p95_s"]).any()
    fine = study(
        [HOURLY, DAILY],
        WORKLOAD,
        horizon="10d",
        replications=4,
        timing=Timing(spread=1.5),
        precision=wanted,
        race=False,
    )
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


VOLUMES = {"db": Workload.profile("workstation", size="50 GiB"), "web": Workload.profile("workstation")}


@pytest.fixture(scope="module")
def fleet() -> Study:
    return study(STRATEGIES, VOLUMES, horizon="20d", replications=2, seed=4)


def test_many_volumes_add_up_and_the_worst_rpo_counts(fleet: Study) -> None:
    db, web = fleet.volumes["db"], fleet.volumes["web"]
    for figure in ("monthly_cost_usd", "copied_bytes", "snapshots", "kept"):
        assert fleet.runs[figure].tolist() == pytest.approx((db.runs[figure] + web.runs[figure]).tolist())
    assert fleet.runs["rpo_p95_s"].tolist() == np.maximum(db.runs["rpo_p95_s"], web.runs["rpo_p95_s"]).tolist()
    assert fleet.runs["history_s"].tolist() == np.minimum(db.runs["history_s"], web.runs["history_s"]).tolist()
    weighed = (db.runs["copied_modelled_share"] * db.runs["copied_bytes"]).sum()
    assert (fleet.runs["copied_modelled_share"] * fleet.runs["copied_bytes"]).sum() == pytest.approx(
        weighed + (web.runs["copied_modelled_share"] * web.runs["copied_bytes"]).sum()
    )
    assert fleet.best(rpo="2h").strategy is HOURLY_DEEP
    assert db.best(rpo="2h").strategy is HOURLY_DEEP


def test_what_chance_has_for_a_volume_does_not_depend_on_the_others(fleet: Study) -> None:
    alone = study(STRATEGIES, {"web": VOLUMES["web"]}, horizon="20d", replications=2, seed=4)
    pd.testing.assert_frame_equal(alone.volumes["web"].runs, fleet.volumes["web"].runs, check_exact=True)


def test_volumes_of_a_list_go_by_their_names() -> None:
    assert list(study([DAILY], [VOLUMES["db"]], horizon="3d", replications=1).volumes) == ["workstation"]


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


def test_a_cost_that_chance_has_a_part_in_shows_its_margin(compared: Study) -> None:
    runs = compared.runs.copy()
    runs.loc["daily", "monthly_cost_usd"] = [30.0, 31.0, 32.5]
    assert " ± 3.13 " in repr(replace(compared, runs=runs))


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


@pytest.mark.parametrize("seed", [np.int64(1), np.int32(1)])
def test_a_seed_of_numpy_is_the_same_seed(seed: Any) -> None:
    scenario = Scenario(HOURLY, WORKLOAD, "1d")
    assert simulate(scenario, seed).summary().equals(simulate(scenario, 1).summary())
