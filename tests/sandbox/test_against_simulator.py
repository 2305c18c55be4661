"""Simulator and sandbox reckon by different means, and have to agree."""

import numpy as np
import pandas as pd
import pytest

from simulation import Scenario, Workload, simulate
from snapkit import Sandbox, Timing
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from tests.sandbox.ground import Ground

HOURS = 12
TIMING = Timing(spread=0.0)


def trace(seed: int) -> pd.DataFrame:
    """Make up writes of 8 KiB over twelve hours, some places much more often than others."""
    chance = np.random.default_rng(seed)
    times = np.sort(chance.integers(1, HOURS * 3600 * 10**6, 4000))
    return pd.DataFrame({"t_us": times, "op": "W", "off": chance.zipf(1.3, 4000) % 2000 * 2**18, "len": 8192})


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_same_trace_copies_the_same_blocks_in_both(seed: int) -> None:
    frame = trace(seed)
    strategy = Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=48))])
    scenario = Scenario(strategy, Workload.from_trace(frame, span=f"{HOURS}h"), horizon=f"{HOURS}h", timing=TIMING)
    simulated = simulate(scenario, seed=1).snapshots

    with Sandbox(timing=TIMING) as sandbox:
        ground = Ground(None, sandbox)
        volume = ground.volume(1)
        sandbox.replay(volume, frame, span=f"{HOURS}h")
        taken = []
        for _ in range(HOURS):
            taken.append(ground.ec2().create_snapshot(VolumeId=volume)["SnapshotId"])
            sandbox.clock.advance("1h")
        shown = [ground.shown(snapshot) for snapshot in taken]

    lasted = [(each["CompletionTime"] - each["StartTime"]).total_seconds() for each in shown]
    assert lasted == pytest.approx(simulated["duration_s"].dropna().tolist(), abs=0.001)
    assert shown[0]["FullSnapshotSizeInBytes"] == simulated["changed_bytes"].iloc[0]


def test_changed_blocks_listed_by_the_direct_apis_are_those_the_simulator_counts() -> None:
    frame = trace(4)
    workload = Workload.from_trace(frame, span=f"{HOURS}h")
    with Sandbox(timing=TIMING) as sandbox:
        ground = Ground(None, sandbox)
        volume = ground.volume(1)
        sandbox.replay(volume, frame, span=f"{HOURS}h")
        sandbox.clock.advance("2h")
        first = ground.ec2().create_snapshot(VolumeId=volume)["SnapshotId"]
        sandbox.clock.advance("5h")
        second = ground.ec2().create_snapshot(VolumeId=volume)["SnapshotId"]
        sandbox.clock.advance("1h")
        listed = ground.client("ebs").list_changed_blocks(
            FirstSnapshotId=first, SecondSnapshotId=second, MaxResults=10_000
        )
    assert len(listed["ChangedBlocks"]) == workload.changed_between("2h", "7h")
