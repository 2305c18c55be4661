from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle

from simulation import Choice, Scenario, Study, Workload, plots, simulate, study
from snapkit.errors import InvalidRequest
from snapkit.strategy import Retention, Schedule, Strategy, Tier
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
    assert compared.runs.shape == (9, len(compared.frame.columns))


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
        "daily": "loses up to 22.9 h (p95), more than 2 h",
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
        ({"horizon": "soon"}, "horizon 'soon' is not a time span"),
    ],
)
def test_studies_that_cannot_be_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        study(**{"strategies": STRATEGIES, "workload": WORKLOAD, **change})


@pytest.mark.parametrize(
    ("limit", "message"), [({"rpo": "soon"}, "RPO 'soon'"), ({"rpo": "2h", "monthly_cost": "x"}, "budget 'x'")]
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
    assert lines[1].split()[:5] == ["hourly", "4.13", "min", "5.68", "min"]
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
