"""Answers that others computed or measured, reproduced by the model."""

from collections.abc import Generator
from datetime import UTC, datetime

import numpy as np
import pytest
import simpy

from simulation import Outcome, Scenario, Workload, simulate
from simulation.freezing import Freeze
from snapkit.blocks import read_trace
from snapkit.blocks.classes import Classes
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.strategy.losses import loss_quantile, mean_loss
from snapkit.timing import Timing
from tests.data import data_path, known
from tests.simulation.test_queues import assert_mean

INSTANT = Timing(latency=0, rate=float("inf"), spread=0)
HOURS_A_YEAR = 365.25 * 24
START = datetime(2026, 1, 1, tzinfo=UTC)
REPEATED = 20


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
    assert outcome.summary()["copied_unmeasured_share"] == 0
    assert outcome.summary()["stored_unmeasured_share"] == 0


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


def zipf(power: float) -> Classes:
    """Write the k-th block with a share of 1 / k^power: 1,000 one by one, the others in ever larger groups."""
    edges = np.unique(np.rint(np.geomspace(1000, 1e9, 1400)))
    # Sums of powers by the rule of Euler and Maclaurin.
    beyond = edges ** (1 - power) / (power - 1) - edges**-power / 2 + power * edges ** (-power - 1) / 12
    firsts = np.arange(1.0, 1001) ** -power
    sums, rooms = np.append(firsts, -np.diff(beyond)), np.append(np.ones(1000), np.diff(edges))
    total = firsts.sum() + beyond[0]
    random = tuple(zip((sums / total).tolist(), rooms.tolist(), strict=True))
    return Classes(random, (), float(beyond[-1] / total), np.inf)


@pytest.mark.parametrize("place", range(3))
def test_distinct_blocks_of_a_law_of_zipf_without_end(place: int) -> None:
    row = known("known-answers.json")["zipf_infinite_asymptotic"]["rows"][place]
    classes, slope = zipf(row["s"]), 1 / row["s"]
    assert classes(row["n"]) == pytest.approx(row["E_exact"], rel=1e-4)
    assert classes(row["n"]) == pytest.approx(row["asymptotic"], rel=1e-3)
    # One write a second: beyond its points a table goes on as the law does, with this slope.
    points = {seconds: classes(seconds) for seconds in np.geomspace(1e4, row["n"], 20).tolist()}
    workload = Workload.from_table(points, None, "64 TiB")
    for times in (10, 100):
        assert workload.footprint(times * row["n"]) == pytest.approx(row["asymptotic"] * times**slope, rel=0.02)


def regular(interval: int, lasting: float, freeze: Freeze = Freeze.NO) -> Outcome:
    """Simulate snapshots at an interval from the start on, for whole intervals after the first completion [s].

    So every age of the newest one is met equally often.
    """
    schedule = Schedule(f"every {interval}s", anchor=START)
    strategy = Strategy("any", [Tier(schedule, Retention(last=2))])
    workload = Workload.from_table({"1s": 1.0, "365d": 1.0}, None, "1 GiB")
    timing = Timing(latency=lasting, rate=float("inf"), spread=0)
    horizon = REPEATED * interval + lasting
    outcome = simulate(Scenario(strategy, workload, horizon, timing=timing, freeze=freeze, start=START))
    assert outcome.log.started == [number * interval for number in range(REPEATED + 1)]
    return outcome


def blocking(interval: float, lasting: float) -> tuple[float, float, float]:
    """Freeze the file system until each snapshot is complete.

    Returns:
        How long it is written and how long frozen for each snapshot, and how much a failure loses on average [s].
    """
    figures = regular(round(interval), lasting, Freeze.COMPLETE).summary()
    frozen = (figures["frozen_s"] - lasting) / REPEATED
    return round(interval) - frozen, frozen, figures["rpo_mean_s"]


@pytest.mark.parametrize("place", range(8))
def test_young_and_daly(place: int) -> None:
    row = known("known-answers.json")["young_daly"]["rows"][place]
    between = row["M_s"]

    def first_order(interval: float) -> float:
        written, frozen, lost = blocking(interval, row["delta_s"])
        return float(frozen / (written + frozen) + lost / between)

    def overhead(writing: float) -> float:
        written, frozen, _ = blocking(writing + row["delta_s"], row["delta_s"])
        return float(between * np.expm1((written + frozen) / between) / written - 1)

    # Young: from one start to the next, where few failures hit a snapshot or more than one interval.
    best = row["young"]
    assert first_order(best) < min(first_order(best * 0.9), first_order(best * 1.1))
    # Daly: of writing between two snapshots, with whatever a failure hits begun anew.
    best = row["exact_lambertw"]
    assert overhead(best) == pytest.approx(row["overhead_at_exact"], rel=1e-4)
    assert overhead(row["young"]) == pytest.approx(row["overhead_at_young"], rel=1e-3)
    assert overhead(best) < min(overhead(best * 0.9), overhead(best * 1.1))


def test_work_that_failures_throw_back_takes_as_long_as_daly_says() -> None:
    """Failures at random, by SimPy, interrupt the writing and the snapshots of a simulated schedule.

    A failure throws back to the last complete snapshot, and while things are put right the next one may strike.

    Source: J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", FGCS 22, 2006.
    """
    answer = known("known-answers.json")["young_daly"]["des_check"]
    written, frozen, _ = blocking(answer["tau"] + answer["delta"], answer["delta"])
    env, stream, took = simpy.Environment(), np.random.default_rng(4), list[float]()

    def work() -> Generator[simpy.Event, None, None]:
        for _ in range(20_000):
            begun, putting_right = env.now, 0.0
            while True:
                try:
                    yield env.timeout(putting_right + written + frozen)
                    break
                except simpy.Interrupt:
                    putting_right = answer["R"]
            took.append((env.now - begun) / written)

    def fail() -> Generator[simpy.Event, None, None]:
        while working.is_alive:
            yield env.timeout(stream.exponential(answer["M"]))
            if working.is_alive:
                working.interrupt()

    working = env.process(work())
    env.process(fail())
    env.run()
    assert_mean(np.array(took), answer["formula"])
    assert np.mean(took) == pytest.approx(answer["sim"], rel=0.02)


def test_the_interval_that_costs_least() -> None:
    """A snapshot has its price, and so has each hour that a failure loses."""
    answer = known("known-answers.json")["snapshot_cost_optimum"]["example"]
    failures, best = answer["failures_per_year"] / HOURS_A_YEAR, answer["D_star_h"]

    def dollars_an_hour(hours: float) -> float:
        outcome = regular(round(hours * 3600), 600)
        snapshots = (len(outcome.log.started) - 1) / (outcome.log.started[-1] / 3600)
        lost = outcome.summary()["rpo_mean_s"] / 3600
        return float(answer["c"] * snapshots + failures * answer["v_per_hour_lost"] * lost)

    spent = {share: dollars_an_hour(share * best) for share in (0.5, 0.8, 0.95, 1.0, 1.05, 1.25, 2.0)}
    assert min(spent, key=spent.__getitem__) == 1.0
    expected = (2 * answer["c"] * failures * answer["v_per_hour_lost"]) ** 0.5
    assert spent[1.0] == pytest.approx(expected + failures * answer["v_per_hour_lost"] / 6, rel=1e-3)


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
