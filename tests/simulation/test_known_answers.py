"""Answers that others computed or measured, reproduced by the model."""

import numpy as np
import pytest

from simulation import Scenario, Workload, simulate
from simulation.losses import loss_quantile, mean_loss
from snapkit.blocks import read_trace
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.data import data_path, known

INSTANT = Timing(latency=0, rate=float("inf"), spread=0)


@pytest.fixture(scope="module")
def workstation() -> Workload:
    frame = read_trace(data_path("workstation-root-disk-96h.csv.gz"))
    return Workload.from_trace(frame, device=0, span="96h")


@pytest.mark.parametrize(
    ("tiers", "kept", "blocks"),
    [
        ([("every 1h", Retention(last="all"))], 97, 1556),
        ([("every 1h", Retention(last=24))], 24, 983),
        ([("every 1h", Retention(last=24)), ("every 1d", Retention(last="all"))], 28, 1145),
        ([("every 1d", Retention(last="all"))], 5, 376),
        ([("every 4h", Retention(last="all"))], 25, 834),
    ],
    ids=["hourly", "last 24", "last 24 and midnights", "daily", "every 4 h"],
)
def test_workstation_chains(workstation: Workload, tiers: list[tuple[str, Retention]], kept: int, blocks: int) -> None:
    strategy = Strategy("any", [Tier(Schedule(text), retention) for text, retention in tiers])
    scenario = Scenario(strategy, workstation, "96h", timing=INSTANT)
    outcome = simulate(scenario)
    assert outcome.summary()["kept"] == kept
    assert outcome.log.stored[-1] - workstation.allocated(0.0) == blocks
    assert outcome.summary()["copied_modelled_share"] == 0
    assert outcome.summary()["stored_modelled_share"] == 0


def test_rpo_of_regular_snapshots() -> None:
    for row in known("known-answers.json")["rpo"]["rows"]:
        interval, duration = row["interval_s"], row["duration_s"]
        strategy = Strategy("any", [Tier(Schedule(f"every {interval // 60}min"), Retention(last=2))])
        workload = Workload.from_table({1: 1.0, 10 * interval: 1.0}, None, "1 GiB")
        timing = Timing(latency=duration, rate=float("inf"), spread=0)
        # A whole number of intervals after the first completion, so that every age is met equally often.
        figures = simulate(Scenario(strategy, workload, 50 * interval + duration, timing=timing)).summary()
        assert figures["rpo_mean_s"] == pytest.approx(row["mean"])
        assert figures["rpo_p95_s"] == pytest.approx(row["p95"])
        assert figures["rpo_max_s"] == row["max"]


def test_rpo_of_irregular_snapshots() -> None:
    # Spacing uniform from half an hour to one and a half: mean loss E[X^2] / 2E[X], here by a million spacings.
    spacing = np.random.default_rng(7).uniform(1800, 5400, 1_000_000)
    assert mean_loss(np.zeros_like(spacing), spacing) == pytest.approx(
        known("known-answers.json")["rpo"]["renewal_uniform_0.5_1.5h"]["exact"], rel=2e-3
    )


def test_quantile_of_mixed_losses_against_sampling() -> None:
    stream = np.random.default_rng(11)
    low = stream.uniform(0, 100, 40)
    high = low + stream.uniform(0, 50, 40)
    chosen = stream.choice(40, 400_000, p=(high - low) / (high - low).sum())
    sampled = stream.uniform(low[chosen], high[chosen])
    for share in (0.05, 0.5, 0.95):
        assert loss_quantile(low, high, share) == pytest.approx(np.quantile(sampled, share), abs=0.5)


def test_one_pending_snapshot_at_a_time_waits_by_hand() -> None:
    """Every hour one is due, and each takes two: every second due time is skipped."""
    strategy = Strategy("any", [Tier(Schedule("every 1h"), Retention(last=2))])
    workload = Workload.from_table({1: 1.0, 86400: 1.0}, None, "1 GiB")
    timing = Timing(latency=2 * 3600, rate=float("inf"), spread=0)
    outcome = simulate(Scenario(strategy, workload, "2d", timing=timing, volume_type="sc1"))
    assert np.diff(outcome.log.started).tolist() == [7200.0] * 24
    assert outcome.log.due == [outcome.scenario.start.timestamp() + 7200 * k for k in range(25)]


def test_default_timing_was_computed_from_the_measured_rows() -> None:
    rows = known("ebs-measured.json")["full_snapshot_gp3"]["rows"]
    rates = np.log([row["data_GB"] * 1e9 / (row["backup_min"] * 60 - Timing().latency) for row in rows])
    assert Timing().rate == pytest.approx(np.exp(rates.mean()), rel=0.01)
    assert Timing().spread == pytest.approx(rates.std(ddof=1), rel=0.05)
