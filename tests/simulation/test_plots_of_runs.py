"""What the pictures of runs hold: a bar, a step or an area for all that happened, and words where nothing did."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from simulation import Conditions, Fleet, Outcome, Scenario, Workload, plots, simulate
from simulation.failures import strike
from snapkit.strategy import RecoveryVolume, Schedule, Strategy
from snapkit.timing import Timing
from tests.simulation.pictured import HOURLY, TWO_TIERS, WORKLOAD, bars, strategy, words


def run(chosen: Strategy = TWO_TIERS, horizon: str = "3d", **options: Any) -> Outcome:
    return simulate(Scenario(chosen, options.pop("workload", WORKLOAD), horizon, **options), 3)


def test_a_short_run_has_a_bar_for_each_snapshot_from_start_to_completion() -> None:
    outcome = run(HOURLY, "1d", timing=Timing(latency=5400, spread=0))
    (axes,) = plots.timeline(outcome).axes
    frame = outcome.snapshots
    assert len(bars(axes)) == len(frame)
    done = frame["state"] == "completed"
    hours = sorted(bar.get_width() * 24 for bar in bars(axes))
    ended = frame["completed"].fillna(frame["started"].min() + pd.Timedelta("24h"))
    assert hours == pytest.approx(sorted((ended - frame["started"]).dt.total_seconds() / 3600), abs=1e-3)
    assert done.sum() < len(frame)
    assert any("pending at the end" in str(label) for label in axes.get_legend_handles_labels()[1])
    # They last longer than an hour, so neighbours stand above each other and none is drawn over another.
    spans = [(bar.get_y(), bar.get_x(), bar.get_x() + bar.get_width()) for bar in bars(axes)]
    assert len({row for row, *_ in spans}) > 1
    for row, left, right in spans:
        others = [each for each in spans if each != (row, left, right) and each[0] == row]
        assert all(right <= begin + 1e-9 or end <= left + 1e-9 for _, begin, end in others)


def test_snapshots_in_error_are_hatched_and_missed_due_times_crossed() -> None:
    outcome = run(HOURLY, "12h", conditions=Conditions(failing=1.0))
    (axes,) = plots.timeline(outcome).axes
    failed = [bar for bar in bars(axes) if bar.get_hatch() == "xxxx"]
    assert len(failed) == outcome.summary()["failed"] > 0
    (crosses,) = (line for line in axes.get_lines() if line.get_marker() == "x")
    assert len(np.asarray(crosses.get_xdata())) == outcome.summary()["missed"]


def test_as_many_snapshots_as_a_volume_may_have_pending_reach_a_line() -> None:
    large = Workload.profile("workstation", size="4 TiB")
    picture = plots.timeline(run(strategy("often", "every 15min", last=6), "8h", workload=large))
    assert "limit of 5 for a volume" in words(picture)
    assert max(bar.get_y() + bar.get_height() for bar in bars(picture.axes[0])) == pytest.approx(5.4)


def test_of_a_long_run_the_stretch_is_shown_in_which_most_went_wrong() -> None:
    outcome = run(HOURLY, "60d", conditions=Conditions(failing=0.01))
    (axes,) = plots.timeline(outcome).axes
    low, high = axes.get_xlim()
    starts = pd.Series(outcome.log.started).iloc[list(outcome.log.failed)] / 86400
    origin = outcome.scenario.start.timestamp() / 86400
    here = ((starts + origin >= low) & (starts + origin <= high)).sum()
    every = [((starts >= begin) & (starts <= begin + high - low)).sum() for begin in np.arange(0, 57.5, 0.25)]
    assert here >= max(every) - 1
    assert high - low == pytest.approx(60 * 60 / len(outcome.snapshots))


def test_a_stretch_that_is_given_is_the_one_shown_and_may_be_empty() -> None:
    outcome = run(strategy("daily", "every 1d", last=3), "5d", timing=Timing(spread=0))
    begin = datetime(2026, 1, 7, 6, tzinfo=UTC)
    picture = plots.timeline(outcome, begin, "2d")
    assert len(bars(picture.axes[0])) == 2
    assert "no snapshot was pending" in words(plots.timeline(outcome, begin, "2h"))


def test_pending_snapshots_are_counted_by_region_below_the_limit() -> None:
    def scenario(region: str) -> Scenario:
        return Scenario(HOURLY, WORKLOAD, "1d", conditions=Conditions(region, pending=2))

    outcomes = simulate(Fleet({f"{region} {k}": scenario(region) for region in ("here", "there") for k in range(3)}))
    picture = plots.pending(outcomes)
    here, there, limit = picture.axes[0].get_lines()
    assert (here.get_label(), there.get_label()) == ("here", "there")
    assert np.max(np.asarray(here.get_ydata())) == 2 == np.max(np.asarray(limit.get_ydata()))
    assert "limit of 2" in words(picture)


def test_a_long_count_keeps_its_peaks_and_a_far_limit_is_told() -> None:
    outcomes = simulate(Fleet({"one": Scenario(HOURLY, WORKLOAD, "30d"), "two": Scenario(HOURLY, WORKLOAD, "30d")}))
    picture = plots.pending(outcomes)
    drawn = np.asarray(picture.axes[0].get_lines()[0].get_ydata())
    assert len(drawn) < len(outcomes.pending)
    assert drawn.max() == outcomes.pending.to_numpy().max()
    assert "limit of 100: far above" in words(picture)


def test_a_run_without_snapshots_is_told_in_words() -> None:
    late = strategy("late", "cron(58 0 5 1 ? 2026)", last=2)
    scenario = Scenario(late, WORKLOAD, "1h", start_within="1h")
    outcome = simulate(scenario)
    assert not outcome.log.started
    assert "nothing is stored" in words(plots.stored(outcome))
    assert "no snapshot was pending and no due time was missed" in words(plots.timeline(outcome))
    assert "no snapshot was ever pending" in words(plots.pending(simulate(Fleet({"one": scenario}))))


def areas(axes: Axes) -> dict[str, float]:
    """Measure how high each area is at its end [GiB]."""
    heights = {}
    for each in axes.collections:
        points = np.asarray(each.get_paths()[0].vertices)
        last = points[points[:, 0] == points[:, 0].max()]
        heights[str(each.get_label())] = float(np.ptp(last[:, 1]))
    return heights


@pytest.mark.parametrize("failing", [0.0, 0.1])
def test_the_areas_of_what_is_stored_add_up_to_the_total(failing: float) -> None:
    outcome = run(TWO_TIERS, "20d 30min", conditions=Conditions(failing=failing))
    above, below = plots.stored(outcome).axes
    total = float(outcome.stored.iloc[-1]) / 2**30
    assert areas(above)["by the oldest"] == pytest.approx(100)
    assert sum(areas(below).values()) == pytest.approx(total - 100)
    assert set(areas(below)) == {
        "hourly", "hourly, deleted later", "hourly, nightly", "hourly, nightly, deleted later",
    } - ({"hourly, nightly, deleted later"} if not failing else set())  # fmt: skip


def test_a_few_snapshots_have_an_area_each() -> None:
    outcome = run(strategy("six-hourly", "every 6h", last=4), "30h")
    _, below = plots.stored(outcome).axes
    assert list(areas(below))[:2] == ["of 05 Jan 06:00", "of 05 Jan 12:00"]
    increments = outcome.snapshots["changed_bytes"].iloc[-1] / 2**30
    assert areas(below)["of 06 Jan 00:00"] == pytest.approx(increments)


def test_storing_nothing_or_in_one_snapshot_alone_is_told_in_words() -> None:
    alone = run(strategy("weekly", "every 7d", last=2), "8d", timing=Timing(latency=1e9))
    lonely = run(strategy("once", "cron(0 3 5 1 ? 2026)", last=2), "2d")
    assert "the oldest snapshot holds all that is stored" in words(plots.stored(lonely))
    assert "stored [GiB]" in words(plots.stored(alone))


def test_losses_are_distributions_with_median_and_95th_percentile() -> None:
    recovery = RecoveryVolume(schedule=Schedule("every 6h"), zone="us-east-1a")
    struck = strike(run(replace(HOURLY, recovery=recovery), "2d"))
    picture = plots.losses(struck)
    rpo, rto = picture.axes
    marks = [line.get_xdata()[0] for line in rpo.get_lines() if line.get_marker() == "o"]  # type: ignore[index]
    assert marks == pytest.approx(np.quantile(struck["rpo_s"], [0.5, 0.95], method="inverted_cdf").tolist())
    counts = struck["by"].value_counts()
    labels = rpo.get_legend_handles_labels()[1]
    assert labels == [*(f"by {by} ({count:,})" for by, count in counts.items()), "all 1,000"]
    assert rto.get_legend_handles_labels()[1] == ["serves again", "at full speed"]


def test_failures_that_leave_nothing_bound_the_share_that_is_back() -> None:
    some = strike(run(strategy("hourly", "every 1h", last=2), "3d"), "data", noticed_after="1h")
    some.loc[:199, ["rpo_s", "rto_s", "warm_s"]] = np.nan
    told = words(plots.losses(some))
    assert "leave nothing" in told
    assert "95th percentile: all is lost" in told
    nothing = strike(run(HOURLY, "3d"), "region")
    assert "all 1,000 failures leave nothing to restore" in words(plots.losses(nothing))
