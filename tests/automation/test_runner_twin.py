"""The twin of the simulator, run as a timer would: tests/simulation/test_twin.py has thirty days of it."""

import json
from datetime import timedelta

import pandas as pd

from simulation import Scenario, Workload, simulate
from snapkit import Sandbox
from snapkit.automation import run
from snapkit.automation.managed import STRATEGY as PROTECTED_BY
from snapkit.automation.managed import TIERS
from tests.ebs.ground import OWN, ZONE
from tests.simulation.test_twin import POLL, STRATEGY, TIMING, writes

DAYS = 4


def test_days_of_the_runner_are_those_of_the_simulator() -> None:
    frame, span = writes(1), "30d"
    with Sandbox(accounts=[OWN], timing=TIMING) as sandbox:
        region = sandbox.region()
        volume = region.volumes.create(ZONE, "2 GiB", tags={PROTECTED_BY: STRATEGY.name})
        sandbox.replay(volume.id, frame, span=span)
        start = region.clock.now()
        seen: dict[str, dict[str, object]] = {}
        while (now := region.clock.now()) <= start + timedelta(days=DAYS):
            ran = run(STRATEGY, region, apply=True)
            for deed in ran.applied or ():
                if deed.step.what == "delete" and deed.good:
                    seen[deed.step.on]["deleted_at"] = now
            for each in region.snapshots.find(volume=volume.id):
                known = {"started": each.taken_at, "tiers": ", ".join(json.loads(each.tags[TIERS]))}
                seen.setdefault(each.id, known)["completed"] = each.completed_at
            assert ran.next_due is not None
            pending = ran.pending or any(step.what == "take" for step in ran.plan)
            wake = min(ran.next_due, now + POLL) if pending else ran.next_due
            region.clock.sleep((wake - now).total_seconds())
        happened = pd.DataFrame(seen.values())
    workload = Workload.from_trace(frame, span=span)
    scenario = Scenario(STRATEGY, workload, f"{DAYS}d", start=start, timing=TIMING, size="2 GiB")
    simulated = simulate(scenario).snapshots
    assert len(simulated) > 50
    for column, within in {"started": "0s", "completed": "1ms", "deleted_at": "4min"}.items():
        ours, theirs = pd.to_datetime(simulated[column]), pd.to_datetime(happened[column])
        assert ours.isna().tolist() == theirs.isna().tolist(), column
        assert (theirs - ours).dropna().between(pd.Timedelta("-1ms"), pd.Timedelta(within)).all(), column
    assert simulated["tiers"].tolist() == happened["tiers"].tolist()
