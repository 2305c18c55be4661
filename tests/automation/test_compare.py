"""Forecast against fact: runs of the simulator beside what the same strategy did on a sandbox."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from math import exp, isnan, pi, sqrt
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
import pytest

from simulation import Conditions, Fleet, Outcome, Scenario, Workload, simulate
from snapkit import InvalidRequest, Sandbox, Timing
from snapkit.automation import Comparison, Run, compare, run
from snapkit.automation.managed import STRATEGY
from snapkit.automation.ran import deed_line
from snapkit.automation.scoring import crps
from snapkit.ebs import Region, Volume
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from tests.automation.ground import alone
from tests.ebs.ground import OWN, ZONE
from tests.simulation.pictured import words

BLOCK = 524288
HOURLY = Strategy(
    "hourly",
    [
        Tier(Schedule("every 1h"), Retention(last=30), "often", retries=0),
        Tier(Schedule("every 1d at 03:00"), Retention(daily=7), "daily", retries=0),
    ],
)
TIMING = Timing(latency=60, rate=1e6, spread=0.1)
CALM = Conditions()
HOURS = 47.5


def writes(per_hour: int, seed: int) -> pd.DataFrame:
    """Make up four days of writes of whole seconds on two GiB."""
    chance = np.random.default_rng(seed)
    count = per_hour * 96
    times, blocks = np.sort(chance.integers(1, 96 * 3600, count)), chance.integers(0, 4096, count)
    return pd.DataFrame({"t_us": times * 10**6, "op": "W", "off": blocks * BLOCK, "len": 4096})


def scenario(
    volume: Volume,
    workload: Workload | pd.DataFrame,
    timing: Timing = TIMING,
    size: str | None = "2 GiB",
    conditions: Conditions = CALM,
) -> Scenario:
    if isinstance(workload, pd.DataFrame):
        workload = Workload.from_trace(workload, span="4d")
    start = pd.Timestamp(volume.raw["CreateTime"]).to_pydatetime()
    return Scenario(HOURLY, workload, "2d", start=start, timing=timing, size=size, conditions=conditions)


def runs(of: Scenario, count: int = 12) -> list[Outcome]:
    return [simulate(of, replication=number) for number in range(count)]


def protect(sandbox: Sandbox, frame: pd.DataFrame) -> Volume:
    volume = sandbox.region().volumes.create(ZONE, "2 GiB", tags={STRATEGY: HOURLY.name})
    sandbox.replay(volume.id, frame, span="4d")
    return volume


def run_on(region: Region, hours: float) -> list[Run]:
    """Run the strategy, as a timer does, at every due time, until between two of them."""
    done, end = list[Run](), region.clock.now() + timedelta(hours=hours)
    while (now := region.clock.now()) < end:
        done.append(run(HOURLY, region, apply=True))
        region.clock.sleep((min(done[-1].next_due or end, end) - now).total_seconds())
    return done


@dataclass
class Told:
    """Two days of a strategy: the truth writes twice as much as was forecast."""

    volume: Volume
    log: list[Run]
    history: pd.DataFrame

    def compared(self, workload: Workload | pd.DataFrame, timing: Timing = TIMING) -> Comparison:
        return compare(runs(scenario(self.volume, workload, timing)), self.volume, history=self.history, log=self.log)


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    with Sandbox(accounts=[OWN], timing=TIMING) as sandbox:
        volume = protect(sandbox, writes(80, 2))
        log = run_on(volume.region, HOURS)
        yield Told(volume, log, volume.change_history())


@pytest.fixture(scope="module")
def drifted(told: Told) -> Comparison:
    return told.compared(writes(40, 1))


def figure(comparison: Comparison, name: str) -> Any:
    return comparison.to_frame().loc[name]


def test_twice_the_writes_score_far_beyond_what_the_forecast_expects_of_itself(drifted: Comparison) -> None:
    assert drifted.score > 2 * drifted.expected[1]
    assert drifted.held < 0.4
    for name in ("duration_mean_s", "score"):
        assert figure(drifted, name)["verdict"] == "more"
    assert figure(drifted, "copied_mean_bytes")["ratio"] == pytest.approx(2, abs=0.1)
    assert figure(drifted, "copied_score")["fact"] == pytest.approx(np.log(2), abs=0.1)


def test_a_refit_mends_the_forecast(told: Told, drifted: Comparison) -> None:
    timing, workload = drifted.refit()
    assert timing.rate == pytest.approx(TIMING.rate, rel=0.2)
    assert timing.latency == pytest.approx(TIMING.latency, rel=0.2)
    mended = told.compared(workload, timing)
    assert mended.score < 1.5 * mended.expected[1] < drifted.score / 2
    assert mended.held > 0.6
    assert figure(mended, "copied_score")["fact"] < figure(drifted, "copied_score")["fact"] / 3


def test_a_forecast_that_holds_scores_as_its_own_runs_do(told: Told) -> None:
    held = told.compared(writes(80, 2))
    assert held.expected[0] <= held.score <= held.expected[1]
    assert set(held.to_frame()["verdict"]) == {"as forecast", "no range"}
    assert held.held == pytest.approx(0.8, abs=0.15)
    assert figure(held, "copied_mean_bytes")["ratio"] == 1
    assert (
        held.snapshots["fact_bytes"].dropna() == held.snapshots["forecast_bytes"][held.snapshots["fact_bytes"].notna()]
    ).all()


def test_without_a_log_only_the_time_counts_in_which_nothing_was_deleted(told: Told, drifted: Comparison) -> None:
    short = compare(runs(scenario(told.volume, writes(40, 1))), told.volume)
    assert figure(short, "snapshots")["fact"] == figure(short, "snapshots")["forecast"] < 30
    assert figure(drifted, "snapshots")["fact"] == 48
    assert "taken, failed, missed and RPO are counted from 2026-01-05 19:00 UTC on, 28.5 h" in short.notes[0]
    assert figure(short, "full_duration_s")["verdict"] == "not seen"
    assert figure(short, "stored_bytes")[["verdict", "basis"]].tolist() == ["no range", "bounded"]
    with pytest.raises(InvalidRequest, match=r"change_history_preview\(\)"):
        short.refit()


def test_the_lines_that_the_command_writes_tell_as_much_as_the_runs(told: Told, tmp_path: Path) -> None:
    path = tmp_path / "snapkit.log"
    lines = [line for each in told.log for line in (*map(deed_line, each.applied or ()), *each.lines())]
    path.write_text("\n".join(lines))
    forecast = runs(scenario(told.volume, writes(40, 1)), 1)
    by_file, by_runs = (compare(forecast, told.volume.region, log=each) for each in (path, told.log))
    pd.testing.assert_frame_equal(by_file.snapshots, by_runs.snapshots)
    assert repr(by_file) == repr(by_runs)
    assert len(by_file.snapshots) == 47


def test_a_log_that_is_none_is_refused_with_its_line(told: Told, tmp_path: Path) -> None:
    forecast = simulate(scenario(told.volume, writes(40, 1)))
    path = tmp_path / "snapkit.log"
    for text in (
        '{"what": "delete"}\nnothing',
        '{}\n{"record": {"SnapshotId": 1, "VolumeId": 1, "StartTime": 1, "State": 1}}',
    ):
        path.write_text(text)
        with pytest.raises(
            InvalidRequest, match=r"snapkit.log line 2 .* is no line that snapkit wrote .*; give a file"
        ):
            compare(forecast, told.volume, log=path)
    with pytest.raises(InvalidRequest, match=r"cannot be read .*; give the path of one"):
        compare(forecast, told.volume, log=tmp_path / "none")
    with pytest.raises(InvalidRequest, match="is no list of runs; give a list"):
        compare(forecast, told.volume, log=told.log[0])  # type: ignore[arg-type]


def test_without_chance_what_happened_is_what_was_forecast() -> None:
    certain = Timing(latency=60, rate=1e6, spread=0.0)
    with Sandbox(accounts=[OWN], timing=certain) as sandbox:
        volume = protect(sandbox, writes(40, 1))
        log = run_on(volume.region, 11.5)
        compared = compare(runs(scenario(volume, writes(40, 1), certain), 9), volume, log=log)
        history = compare(simulate(scenario(volume, writes(40, 1), certain)), volume, history=volume.change_history())
    frame = compared.to_frame()
    seen = frame[frame["basis"] == "measured"]
    assert seen["fact"].tolist() == pytest.approx(seen["forecast"].tolist(), abs=0.01)
    assert set(seen["verdict"]) <= {"as forecast", "no range"}
    assert compared.score == pytest.approx(0, abs=1e-3)
    assert (
        figure(history, "stored_bytes")[["fact", "fact_high"]].tolist()
        == [figure(history, "stored_bytes")["forecast"]] * 2
    )
    assert isnan(figure(history, "score")["low"])
    assert "by one run: nine or more tell ranges" in repr(history)


def test_an_outage_and_a_failure_are_told_as_missed_failed_and_lost() -> None:
    certain = Timing(latency=60, rate=1e6, spread=0.0)
    with Sandbox(accounts=[OWN], timing=certain) as sandbox:
        volume = protect(sandbox, writes(40, 1))
        region = volume.region
        log = run_on(region, 5.5)
        region.clock.sleep("4h")  # nobody runs it at 6, 7 and 8, and at 9 half an hour late
        log += run_on(region, 1)
        sandbox.faults.add("CreateSnapshot", failing=1)
        log += run_on(region, 3)
        forecast = runs(scenario(volume, writes(40, 1), certain), 9)
        compared, unlogged = compare(forecast, region, log=log), compare(forecast, region)
    frame = compared.to_frame()
    assert frame.loc[["snapshots", "failed", "missed"], "fact"].tolist() == [10, 1, 4]  # 6 to 8, and the failed one
    assert frame.loc[["snapshots", "failed", "missed"], "forecast"].tolist() == [14, 0, 0]
    assert frame.loc[["missed", "failed", "rpo_max_s", "rpo_p95_s"], "verdict"].tolist() == ["more"] * 4
    assert frame.loc["rpo_max_s", "fact"] == pytest.approx(4.5 * 3600 + 120, abs=60)
    assert figure(unlogged, "failed")["verdict"] == "not seen"  # the one in error was deleted


def test_where_the_first_one_fails_the_next_one_is_the_full_one_and_not_scored() -> None:
    with Sandbox(accounts=[OWN], timing=Timing(latency=60, rate=1e6, spread=0.0)) as sandbox:
        volume = protect(sandbox, writes(40, 1))
        sandbox.faults.add("CreateSnapshot", failing=1)
        log = run_on(volume.region, 3.5)
        compared = compare(simulate(scenario(volume, writes(40, 1))), volume, log=log)
    assert figure(compared, "failed")["fact"] == 1
    assert len(compared.snapshots) == 2
    assert compared.snapshots["fact_s"].max() < 200
    assert figure(compared, "full_duration_s")["fact"] > 2000
    assert figure(compared, "full_bytes")["fact"] == 2 * 1024**3


def test_a_strategy_that_began_later_is_told_and_its_first_snapshot_not_scored() -> None:
    with Sandbox(accounts=[OWN], timing=TIMING) as sandbox:
        volume = protect(sandbox, writes(40, 1))
        sandbox.clock.sleep("5h")
        run_on(volume.region, 5.5)
        compared = compare(runs(scenario(volume, writes(40, 1)), 9), volume)
    assert "was due at 2026-01-05 05:00 UTC, not when the forecast begins" in compared.notes[0]
    assert figure(compared, "missed")["fact"] == 5  # from 0 to 4
    assert len(compared.snapshots) == 5
    assert compared.snapshots["fact_s"].max() < 200
    assert figure(compared, "full_duration_s")["verdict"] == "not seen"


def test_snapshots_in_progress_and_those_of_others_are_told() -> None:
    with Sandbox(accounts=[OWN], timing=Timing(latency=7200, rate=1e9, spread=0.0)) as sandbox:
        volume = protect(sandbox, writes(40, 1))
        volume.take_snapshot(name="by hand")
        run_on(volume.region, 3.5)
        compared = compare(simulate(scenario(volume, writes(40, 1))), volume)
    assert compared.notes == (
        "1 other snapshots of the volume are there: the next one of the strategy copies less after each",
        "2 pending: how long they take is not known yet",
    )
    # That by hand copied all, and the first one of the strategy what had changed since.
    assert figure(compared, "full_bytes")["verdict"] == "not seen"
    assert len(compared.snapshots) == 1


def test_before_a_second_one_is_complete_there_is_nothing_to_score() -> None:
    with Sandbox(accounts=[OWN], timing=TIMING) as sandbox:
        volume = protect(sandbox, writes(40, 1))
        run_on(volume.region, 0.1)
        compared = compare(runs(scenario(volume, writes(40, 1))), volume)
    assert "no snapshot to score yet" in repr(compared)
    assert isnan(compared.score)
    assert isnan(compared.held)
    assert compared.plot()._repr_png_()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"strategy": Strategy("other", HOURLY.tiers)}, r"'other' has no snapshots of vol-\w+, which has those of 'h"),
        ({"strategy": Strategy("hourly", HOURLY.tiers[:1])}, r"has no tier 'daily', for which .*; give an outcome of"),
        ({"start": "later"}, r"is not when the snapshots of vol-\w+ were taken; simulate from 2026-01-05 00:00:00 UTC"),
        ({"start": "sooner"}, r"outcome from '2025-12-26 00:00' to 2025-12-28 00:00 UTC is not when"),
    ],
)  # fmt: skip
def test_an_outcome_of_something_else_is_refused(told: Told, change: dict[str, Any], sentence: str) -> None:
    given: dict[str, Any] = {"strategy": HOURLY} | change
    moved = {"later": 100, "sooner": -10}.get(given.pop("start", ""), 0)
    base = scenario(told.volume, writes(40, 1))
    other = Scenario(
        given["strategy"], base.workload, base.horizon, start=base.start + timedelta(days=moved), size="2 GiB"
    )
    with pytest.raises(InvalidRequest, match=sentence):
        compare(simulate(other), told.volume)


def test_what_is_no_forecast_of_one_volume_is_refused(told: Told) -> None:
    base = scenario(told.volume, writes(40, 1))
    fleet = simulate(Fleet({"db": base, "logs": base}))
    together = scenario(told.volume, Workload.together({"a": base.workload, "b": base.workload}), size=None)
    longer = scenario(told.volume, base.workload, conditions=Conditions(failing=0.5))
    for outcome, sentence in (
        (fleet, "one volume at a time, such as"),
        ([fleet], "one volume at a time, such as"),
        ([], "has no run; give simulate"),
        (base, "is no run; give simulate"),
        (None, "is no run; give simulate"),
        (simulate(together), "of 2 volumes taken as one; simulate the volume alone"),
        ([simulate(base), simulate(longer)], "has another conditions than the run before it; give runs of one"),
    ):
        with pytest.raises(InvalidRequest, match=sentence):
            compare(outcome, told.volume)  # type: ignore[arg-type]
    with pytest.raises(InvalidRequest, match="where 'vol-1' is no volume and no region; give"):
        compare(simulate(base), "vol-1")  # type: ignore[arg-type]


def test_a_region_with_several_volumes_of_the_strategy_wants_one_named() -> None:
    with alone() as sandbox:
        first, second = (protect(sandbox, writes(40, 1)) for _ in range(2))
        forecast = simulate(scenario(first, writes(40, 1)))
        with pytest.raises(InvalidRequest, match="has none of any strategy"):
            compare(forecast, first.region)
        run_on(first.region, 3)
        with pytest.raises(
            InvalidRequest, match=r"those of 2 volumes by 'hourly'; give one of them: region.volumes.get"
        ):
            compare(forecast, first.region)
        assert compare(forecast, second).volume == second.id


def test_a_history_of_something_else_is_refused(told: Told) -> None:
    forecast = simulate(scenario(told.volume, writes(40, 1)))
    for history, sentence in (
        (told.history.drop(columns="to"), "history 'to' is missing; give what"),
        (told.history.assign(to="snap-1"), r"is not of the snapshots of vol-\w+; give what volume.change_history"),
    ):
        with pytest.raises(InvalidRequest, match=sentence):
            compare(forecast, told.volume, history=history)


def test_a_history_of_a_sample_is_modelled_and_one_of_every_fourth_leaves_the_band(told: Told) -> None:
    forecast = simulate(scenario(told.volume, writes(40, 1)))
    sampled = compare(forecast, told.volume, history=told.history.assign(source="modelled"))
    assert figure(sampled, "copied_mean_bytes")["basis"] == figure(sampled, "stored_bytes")["basis"] == "modelled"
    fourth = told.volume.change_history(told.volume.region.snapshots.find(volume=told.volume.id)[::4])
    apart = compare(forecast, told.volume, history=fourth)
    assert figure(apart, "stored_bytes")["basis"] == "bounded"
    assert isnan(figure(apart, "copied_mean_bytes")["fact"])  # what changed over four intervals none of them copied


def test_what_users_wrote_is_escaped_in_the_table_and_literal_in_the_picture(drifted: Comparison) -> None:
    hostile = Comparison("<b>$x$", "vol-1", drifted.runs, drifted.figures, drifted.snapshots, ("<i>",))
    assert "&lt;b&gt;$x$ on vol-1" in hostile._repr_html_()
    assert "&lt;i&gt;" in hostile._repr_html_()
    picture = hostile.plot(theme="dark")
    assert "<b>$x$ on vol-1: how long snapshots took" in words(picture)
    assert picture._repr_png_()


def test_the_picture_says_how_many_lie_beyond_the_range(told: Told, drifted: Comparison) -> None:
    beyond = int(drifted.beyond.sum())
    assert beyond > 25
    assert (
        drifted.plot().alt
        == f"how long 47 snapshots of {told.volume.id} took, {beyond} of them beyond the range that was forecast"
    )
    alone = compare(simulate(scenario(told.volume, writes(40, 1))), told.volume)
    assert alone.plot().alt.endswith(f"snapshots of {told.volume.id} took")
    with pytest.raises(InvalidRequest, match="theme 'grey' is none"):
        drifted.plot(theme="grey")


def test_the_text_says_each_figure_with_verdict_and_basis(drifted: Comparison) -> None:
    lines = str(drifted).splitlines()
    assert lines[0].split("  ")[0] == "figure"
    assert any(line.startswith("due times missed") and line.endswith("as forecast  measured") for line in lines)
    assert repr(drifted).startswith("<Comparison of 'hourly' on vol-")


def test_the_score_of_many_normal_runs_is_the_one_known_in_closed_form() -> None:
    # Gneiting and Raftery (2007), equation 21, for a forecast that is normal, here in the logarithm.
    middle, spread, happened = 5.0, 0.3, 5.4
    z = (happened - middle) / spread
    density, below = NormalDist().pdf(z), NormalDist().cdf(z)
    known = spread * (z * (2 * below - 1) + 2 * density - 1 / sqrt(pi))
    drawn = np.exp([[NormalDist(middle, spread).inv_cdf((place + 0.5) / 1000)] for place in range(1000)])
    score, own = crps(drawn, np.array([exp(happened)]), 1.0)
    assert score == pytest.approx(known, abs=0.01)
    assert own.mean() == pytest.approx(spread / sqrt(pi), abs=0.01)


def test_the_score_of_few_runs_is_not_at_a_disadvantage_and_leaves_out_what_they_lack() -> None:
    chance = np.random.default_rng(2)
    scores = {
        many: crps(np.exp(chance.normal(5, 0.3, (many, 20_000))), np.exp(chance.normal(5, 0.3, 20_000)), 1.0)[0]
        for many in (2, 30)
    }
    assert scores[2] == pytest.approx(scores[30], abs=0.005)  # Ferro (2014): fair
    lacking = np.array([[100.0, np.nan], [200.0, np.nan], [np.nan, np.nan]])
    score, own = crps(lacking, np.array([100.0, 100.0]), 1.0)
    assert score == pytest.approx(0)  # half of the distance to one run, less half of that between the two
    assert own[:2].tolist() == pytest.approx([np.log(2)] * 2)
    assert isnan(own[2])
