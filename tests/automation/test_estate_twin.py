"""The twin of the simulator for whole estates, run as a timer would; test_runner_twin.py has one volume."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from math import sqrt

import numpy as np
import pandas as pd

from simulation import Conditions, Fleet, Scenario, Workload, simulate
from snapkit import Sandbox, Timing
from snapkit.automation import Run, compare, run
from snapkit.automation.managed import STRATEGY as PROTECTED_BY
from snapkit.automation.managed import TIERS
from snapkit.ebs import Estate, Region, Volume
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from tests.ebs.ground import OTHER, OWN, ZONE, Field
from tests.simulation.test_twin import POLL, STRATEGY, TIMING, writes

AWAY = "eu-west-1"
TRACED = "30d"


def days_of(
    strategy: Strategy, estate: Estate, days: float, before: Callable[[], object] = lambda: None
) -> Iterator[Run]:
    """Run a strategy when something is due, and every few minutes while something is pending."""
    clock = estate.regions[0].clock
    end = clock.now() + timedelta(days=days)
    while (now := clock.now()) <= end:
        before()
        ran = run(strategy, estate, apply=True)
        yield ran
        pending = ran.pending or any(step.what == "take" for step in ran.plan)
        due = ran.next_due or end
        wake = min(due, now + POLL) if pending else due
        clock.sleep(max(0.0, (wake - clock.now()).total_seconds()))


def protected(sandbox: Sandbox, region: Region, frame: pd.DataFrame, strategy: Strategy) -> Volume:
    volume = region.volumes.create(f"{region.name}a", "2 GiB", tags={PROTECTED_BY: strategy.name})
    sandbox.replay(volume.id, frame, span=TRACED)
    return volume


def last(moments: "pd.Series[pd.Timestamp]") -> object:
    """Tell when all of them had come; not yet where one has not."""
    return pd.NaT if moments.isna().any() else moments.max()


def test_days_of_an_estate_are_those_of_the_simulator() -> None:
    days, traces = 2, {name: writes(seed) for seed, name in enumerate(("db", "logs", "far", "one", "two"), 1)}
    with Sandbox(accounts=[OWN, OTHER], timing=TIMING) as sandbox:
        home, away = sandbox.region(), sandbox.region(AWAY, OTHER)
        owner = {
            protected(sandbox, where, traces[name], STRATEGY).id: name
            for name, where in (("db", home), ("logs", home), ("far", away))
        }
        server = Field(None, sandbox).new_server(ZONE)
        for name in ("one", "two"):
            volume = home.volumes.create(ZONE, "2 GiB")
            sandbox.replay(volume.id, traces[name], span=TRACED)
            volume.attach(server)
        server.refresh().tag({PROTECTED_BY: STRATEGY.name})
        owner |= dict.fromkeys(server.refresh().devices.values(), "server")
        start, estate, seen = home.clock.now(), Estate([home, away]), dict[str, dict[str, object]]()
        for ran in days_of(STRATEGY, estate, days):
            for deed in ran.applied or ():
                if deed.step.what == "delete" and deed.good:
                    seen[deed.step.on]["deleted_at"] = home.clock.now()
            for each in estate.snapshots.find():
                known = {"volume": owner[each.volume_id], "started": each.taken_at}
                known["tiers"] = ", ".join(json.loads(each.tags[TIERS]))
                seen.setdefault(each.id, known)["completed"] = each.completed_at
    frame = pd.DataFrame(seen.values())
    for column in ("completed", "deleted_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    sets = frame.groupby(["volume", "started"])
    happened = sets.agg({"completed": last, "deleted_at": last, "tiers": "unique"}).reset_index()
    traced = {name: Workload.from_trace(trace, span=TRACED) for name, trace in traces.items()}
    workloads = {name: traced[name] for name in ("db", "logs", "far")}
    workloads["server"] = Workload.together({name: traced[name] for name in ("one", "two")})
    fleet = Fleet(
        {
            name: Scenario(
                STRATEGY,
                workload,
                f"{days}d",
                start=start,
                timing=TIMING,
                size=None if name == "server" else "2 GiB",
                conditions=Conditions(AWAY if name == "far" else home.name),
            )
            for name, workload in workloads.items()
        }
    )
    outcomes = simulate(fleet)
    for name, outcome in outcomes.items():
        simulated, fact = outcome.snapshots, happened[happened["volume"] == name].reset_index()
        assert len(simulated) > 20
        for column, within in {"started": "0s", "completed": "1ms", "deleted_at": "4min"}.items():
            ours, theirs = pd.to_datetime(simulated[column]), fact[column]
            assert ours.isna().tolist() == theirs.isna().tolist(), (name, column)
            assert (theirs - ours).dropna().between(pd.Timedelta("-1ms"), pd.Timedelta(within)).all(), (name, column)
        assert [[each] for each in simulated["tiers"]] == fact["tiers"].map(list).tolist()


def test_with_failures_and_throttles_an_estate_does_as_often_and_as_well_as_the_simulator_says() -> None:
    """Within four standard deviations of the mean: a false alarm once in 16,000, and never with these seeds."""
    failing, days, seeds = 0.2, 1, 3
    tier = Tier(Schedule("every 1h"), Retention(last=6), "often", retries=1, retry_delay="20min")
    hourly, timing = Strategy("hourly", [tier]), Timing(latency=300, rate=20e6, spread=0.2)
    scenario = Scenario(
        hourly,
        Workload.from_trace(trace := writes(7), span=TRACED),
        f"{days}d",
        timing=timing,
        size="2 GiB",
        conditions=Conditions(failing=failing),
    )
    asked = ["failed", "missed", "duration_mean_s", "rpo_mean_s"]
    runs = [simulate(scenario, replication=number) for number in range(200)]
    simulated = pd.DataFrame([run.summary()[asked] for run in runs])
    facts = []
    for seed in range(seeds):
        chance = np.random.default_rng(seed)
        with Sandbox(seed=seed, accounts=[OWN], timing=timing) as sandbox:
            regions = [sandbox.region(), sandbox.region(AWAY)]
            volumes = [protected(sandbox, each, trace, hourly) for each in regions]

            def disturb(sandbox: Sandbox = sandbox, chance: np.random.Generator = chance) -> None:
                sandbox.faults.clear()
                for name in ("us-east-1", AWAY):
                    sandbox.faults.add("DescribeSnapshots", throttle=2, region=name)
                    if chance.random() < 0.3:
                        sandbox.faults.add("CreateSnapshot", throttle=2, region=name)
                    if chance.random() < failing:
                        sandbox.faults.add("CreateSnapshot", failing=1, region=name)

            log = list(days_of(hourly, Estate(regions), days, disturb))
            sandbox.faults.clear()
            compared = [compare(runs[:9], volume, log=log).to_frame()["fact"] for volume in volumes]
            facts += [each[asked] for each in compared]
    happened = pd.DataFrame(facts)
    assert happened["failed"].sum() > 15
    assert happened["missed"].sum() > 0
    for name in asked:
        margin = 4 * simulated[name].std() * sqrt(1 / len(happened) + 1 / len(simulated))
        assert abs(happened[name].mean() - simulated[name].mean()) < margin, name
