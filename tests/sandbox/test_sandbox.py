"""What the sandbox itself is asked for, beside what AWS has."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pandas as pd
import pytest

from snapkit import InvalidRequest, Sandbox, Timing
from snapkit.blocks import Workload
from snapkit.rules import BLOCK
from tests.sandbox.ground import Ground

WRITES = pd.DataFrame({"t_us": [0, 60_000_000], "op": ["W", "W"], "off": [0, 4096], "len": [4096, 4096]})


@pytest.fixture
def ground() -> Iterator[Ground]:
    with Sandbox() as sandbox:
        yield Ground(None, sandbox)


def written(ground: Ground, volume: str, wait: str = "1h") -> float:
    ground.clock.advance(wait)
    now = ground.clock.now()
    points = ground.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/EBS", MetricName="VolumeWriteBytes", Period=3600, Statistics=["Sum"],
        Dimensions=[{"Name": "VolumeId", "Value": volume}], StartTime=now - timedelta(hours=2), EndTime=now,
    )["Datapoints"]  # fmt: skip
    return float(sum(point["Sum"] for point in points))


@pytest.mark.parametrize(
    "arguments",
    [
        {"seed": -1}, {"seed": True}, {"seed": "1"},
        {"accounts": []}, {"accounts": ["1"]}, {"accounts": "111122223333"}, {"accounts": [111122223333]},
        {"accounts": ["111122223333", "111122223333"]}, {"accounts": 3},
        {"start": "yesterday"}, {"start": 3}, {"start": "0001-01-01T00:00+14:00"}, {"start": "9999-12-31T23:59-12:00"},
        {"limits": "none"}, {"timing": 3}, {"workload": "workstation"},
    ],
)  # fmt: skip
def test_what_no_sandbox_can_be_made_of_is_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=rf"^{next(iter(arguments)).rstrip('s')}"):
        Sandbox(**arguments)


@pytest.mark.parametrize(
    ("workload", "words"),
    [
        (Workload.from_trace(WRITES, block_size=4096), "block size of the workload 4096 is not that of EBS"),
        (
            Workload.together(dict.fromkeys(("root", "data"), Workload.profile("workstation"))),
            "stands for writes to several volumes",
        ),
    ],
)
def test_a_workload_that_no_volume_can_run_is_refused_before_the_sandbox_exists(workload: Workload, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        Sandbox(workload=workload)


@pytest.mark.parametrize(
    "use",
    [
        lambda sandbox, volume: sandbox.write("vol-00000000", 0),
        lambda sandbox, volume: sandbox.write(volume, "x"),
        lambda sandbox, volume: sandbox.write(volume, None),
        lambda sandbox, volume: sandbox.write(volume, 0.5, 1.5),
        lambda sandbox, volume: sandbox.write(volume, True),
        lambda sandbox, volume: sandbox.write(volume, 0, 0),
        lambda sandbox, volume: sandbox.write(volume, 2047, 2),
        lambda sandbox, volume: sandbox.put(volume, 0, None),
        lambda sandbox, volume: sandbox.put(volume, 0, "x" * BLOCK),
        lambda sandbox, volume: sandbox.put(volume, 0, b"x"),
        lambda sandbox, volume: sandbox.put(volume, 2048, b"x" * BLOCK),
        lambda sandbox, volume: sandbox.run(volume, None),
        lambda sandbox, volume: sandbox.run(volume, "workstation"),
        lambda sandbox, volume: sandbox.replay(volume, pd.DataFrame({"t_us": [0]})),
        lambda sandbox, volume: sandbox.fill(volume, -1),
        lambda sandbox, volume: sandbox.fill(volume, 1, tags={1: 2}),
        lambda sandbox, volume: sandbox.fill(volume, 1, tags={"a": None}),
        lambda sandbox, volume: sandbox.fill(volume, 1, tags="x"),
        lambda sandbox, volume: sandbox.fill(volume, 1, tags={"aws:x": "y"}),
        lambda sandbox, volume: sandbox.fill(volume, 1, tags={f"k{number}": "v" for number in range(51)}),
        lambda sandbox, volume: sandbox.fill(volume, 10, every="1000000d"),
        lambda sandbox, volume: sandbox.client("ec2", config="x"),
        lambda sandbox, volume: sandbox.client("ec2", region="mars-1"),
        lambda sandbox, volume: sandbox.client("ec2", account="1"),
        lambda sandbox, volume: sandbox.faults.add("CreateSnapshots2", throttle=1),
        lambda sandbox, volume: sandbox.faults.add("CreateSnapshot", throttle=1, region="mars-1"),
        lambda sandbox, volume: sandbox.faults.add("CreateSnapshot", throttle=1, account="1"),
    ],
)
def test_what_cannot_be_done_is_refused_in_words(ground: Ground, use: Callable[[Sandbox, str], object]) -> None:
    volume = ground.volume(1)
    with pytest.raises(InvalidRequest, match="; "):
        use(ground.sandbox, volume)


def test_a_filled_volume_has_a_past(ground: Ground) -> None:
    volume = ground.volume(written=2048)
    ids = ground.sandbox.fill(volume, 3, every="1d", tags={"Name": "nightly"}, description="past")
    shown = ground.ec2().describe_snapshots(SnapshotIds=ids)["Snapshots"]
    now = ground.clock.now()
    assert [now - each["StartTime"] for each in shown] == [timedelta(days=back) for back in (3, 2, 1)]
    assert {each["State"] for each in shown} == {"completed"}
    assert {each["Description"] for each in shown} == {"past"}
    assert shown[0]["Tags"] == [{"Key": "Name", "Value": "nightly"}]
    assert shown[0]["FullSnapshotSizeInBytes"] == 2**30


def test_what_is_written_by_hand_shows_in_the_metrics(ground: Ground) -> None:
    volume = ground.volume()
    ground.clock.advance("6min")
    ground.sandbox.write(volume, 0, 50)
    ground.sandbox.put(volume, 60, b"x" * BLOCK)
    assert written(ground, volume) == 51 * BLOCK


def test_what_is_written_to_a_volume_as_soon_as_it_is_made_shows_in_the_metrics(ground: Ground) -> None:
    volume = ground.volume(written=50)
    assert written(ground, volume) == 50 * BLOCK
    assert written(ground, volume) == 50 * BLOCK


def test_what_was_put_before_the_workload_overwrote_it_is_gone(ground: Ground) -> None:
    volume = ground.volume(1)
    ground.sandbox.put(volume, 0, b"x" * BLOCK)
    frame = pd.DataFrame({"t_us": [60_000_000], "op": ["W"], "off": [0], "len": [4096]})
    ground.sandbox.replay(volume, frame, span="10min")
    ground.clock.advance("5min")
    snapshot = ground.snapshot(volume)
    ebs = ground.client("ebs")
    token = ebs.list_snapshot_blocks(SnapshotId=snapshot)["Blocks"][0]["BlockToken"]
    read = ebs.get_snapshot_block(SnapshotId=snapshot, BlockIndex=0, BlockToken=token)["BlockData"].read()
    assert read != b"x" * BLOCK


def test_an_empty_snapshot_leaves_a_volume_empty_for_a_workload(ground: Ground) -> None:
    volume = ground.volume(2)
    ground.snapshot(volume)
    ground.sandbox.run(volume, Workload.profile("workstation", "1 GiB"))
    assert ground.shown(ground.snapshot(volume))["FullSnapshotSizeInBytes"] == 2**30


def test_a_restored_volume_is_not_filled_again_by_the_workload_of_the_sandbox() -> None:
    with Sandbox(workload=Workload.profile("workstation", "1 GiB"), timing=Timing(spread=0)) as sandbox:
        ground = Ground(None, sandbox)
        first = ground.snapshot(ground.volume(2))
        restored = ground.volume(2, SnapshotId=first)
        shown = ground.shown(ground.snapshot(restored))
    assert shown["FullSnapshotSizeInBytes"] == 2**30
    assert (shown["CompletionTime"] - shown["StartTime"]).total_seconds() < 185


def test_the_sandbox_shows_itself(ground: Ground) -> None:
    assert repr(ground.sandbox) == "<Sandbox of 3 accounts at 2026-01-05 00:00:00 UTC>"
