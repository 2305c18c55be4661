"""A snapshot is complete only when the one that it builds on is."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest

from snapkit import Sandbox, Timing
from tests.sandbox.ground import Ground, refused

GIB = 2048
"""Blocks."""

SLOW = Timing(latency=180.0, rate=4.36e6, spread=0.0)
"""So that ten GiB take three quarters of an hour."""

LATENCY, PER_GIB = SLOW.latency, 2**30 / SLOW.rate
FAR = "eu-west-1"


@pytest.fixture
def ground() -> Iterator[Ground]:
    with Sandbox(seed=3, accounts=["111122223333"], timing=SLOW) as sandbox:
        yield Ground(None, sandbox)


def taken(ground: Ground, volume: str, *, failing: bool = False) -> str:
    """Begin a snapshot that may be going to fail."""
    if failing:
        ground.sandbox.faults.add("CreateSnapshot", failing=1)
    return str(ground.ec2().create_snapshot(VolumeId=volume)["SnapshotId"])


def after(ground: Ground, first: int, count: int, volume: str, wait: str = "15min", **more: Any) -> str:
    """Write, and begin a snapshot a while after what was done before."""
    ground.clock.advance(wait)
    ground.sandbox.write(volume, first, count)
    return taken(ground, volume, **more)


def seconds(ground: Ground, snapshot: str, since: str | None = None, **where: Any) -> float:
    """Tell how long after it was begun, or another one was, a snapshot was complete [s]."""
    shown = ground.shown(snapshot, **where)
    begun: datetime = ground.shown(since or snapshot, **where)["StartTime"]
    return float((shown["CompletionTime"] - begun).total_seconds())


def listed(ground: Ground, snapshot: str) -> int:
    """Count the blocks of a snapshot that the EBS direct APIs list."""
    blocks, more = 0, dict[str, Any]()
    while True:
        page = ground.client("ebs").list_snapshot_blocks(SnapshotId=snapshot, MaxResults=10_000, **more)
        blocks += len(page["Blocks"])
        if not page.get("NextToken"):
            return blocks
        more = {"NextToken": page["NextToken"]}


def test_an_incremental_snapshot_completes_with_the_full_one_before_it(ground: Ground) -> None:
    volume = ground.volume(20, written=10 * GIB)
    first = taken(ground, volume)
    second = after(ground, 10 * GIB, 10, volume)
    ground.clock.advance("20min")
    shown = ground.shown(second)
    assert (shown["State"], shown["Progress"]) == ("pending", "99%")
    restore = {"SnapshotId": second, "AvailabilityZone": "us-east-1a", "VolumeType": "gp3"}
    refused("IncorrectState", lambda: ground.ec2().create_volume(**restore), "pending")
    ground.clock.advance("1d")
    assert seconds(ground, first) == round(LATENCY + 10 * PER_GIB, 3)
    assert ground.shown(second)["CompletionTime"] == ground.shown(first)["CompletionTime"]
    assert ground.shown(second)["FullSnapshotSizeInBytes"] == (10 * GIB + 10) * 2**19
    assert listed(ground, second) == 10 * GIB + 10
    assert ground.ec2().create_volume(**restore)["Size"] == 20


def test_snapshots_that_wait_for_one_before_them_count_as_pending(ground: Ground) -> None:
    volume = ground.volume(20, written=10 * GIB)
    taken(ground, volume)
    for _ in range(4):
        after(ground, 0, 1, volume, "5min")
    ground.clock.advance("10min")
    refused("ConcurrentSnapshotLimitExceeded", lambda: taken(ground, volume))


def test_a_snapshot_copies_what_one_before_it_failed_to_copy(ground: Ground) -> None:
    volume = ground.volume(20, written=10 * GIB)
    first = taken(ground, volume, failing=True)
    second = after(ground, 9 * GIB, 2 * GIB, volume, "3min")
    ground.clock.advance("45min")
    assert [ground.shown(each)["State"] for each in (first, second)] == ["error", "pending"]
    ground.clock.advance("2h")
    # It was to copy two GiB, one of which the first one had to copy in an older version.
    assert seconds(ground, second, first) == pytest.approx(LATENCY + 10 * PER_GIB + 9 * PER_GIB, abs=0.002)
    assert ground.shown(second)["FullSnapshotSizeInBytes"] == 11 * 2**30
    assert listed(ground, second) == 11 * GIB


def test_a_failure_during_a_longer_upload_delays_nothing(ground: Ground) -> None:
    volume = ground.volume(20, written=GIB)
    taken(ground, volume, failing=True)
    second = after(ground, GIB, 10 * GIB, volume, "1min")
    ground.clock.advance("1h")
    assert seconds(ground, second) == round(LATENCY + 10 * PER_GIB, 3)


def test_in_a_chain_of_three_the_last_builds_on_the_first_when_the_middle_one_fails(ground: Ground) -> None:
    volume = ground.volume(20, written=10 * GIB)
    first = taken(ground, volume)
    middle = after(ground, 0, GIB, volume, failing=True)
    last = after(ground, 2 * GIB, GIB, volume, "1min")
    ground.clock.advance("20min")
    states = [ground.shown(each)["State"] for each in (first, middle, last)]
    assert states == ["pending", "error", "pending"]
    ground.clock.advance("1d")
    assert ground.shown(last)["CompletionTime"] == ground.shown(first)["CompletionTime"]
    ground.sandbox.write(volume, 0, 1)
    assert seconds(ground, ground.snapshot(volume)) == round(LATENCY + PER_GIB / GIB, 3)


def test_when_one_after_another_fails_the_next_copies_all_of_it(ground: Ground) -> None:
    volume = ground.volume(20, written=10 * GIB)
    taken(ground, volume, failing=True)
    second = after(ground, 10 * GIB, GIB, volume, "1min", failing=True)
    third = after(ground, 12 * GIB, GIB, volume, "1min")
    ground.clock.advance("1d")
    assert ground.shown(second)["State"] == "error"
    # The second fails early, and leaves its GiB; then the first fails, and leaves ten.
    assert seconds(ground, third) == pytest.approx(LATENCY - 120 + (10 + 10) * PER_GIB, abs=0.003)
    assert ground.shown(third)["FullSnapshotSizeInBytes"] == 12 * 2**30


def test_a_snapshot_still_refers_to_a_deleted_one_when_the_one_between_fails(ground: Ground) -> None:
    volume = ground.volume(20, written=10 * GIB)
    oldest = ground.snapshot(volume)
    ground.sandbox.write(volume, 0, GIB)
    middle = taken(ground, volume, failing=True)
    last = after(ground, 2 * GIB, 1, volume, "1min")
    ground.ec2().delete_snapshot(SnapshotId=oldest)
    ground.clock.advance("1d")
    assert ground.shown(middle)["State"] == "error"
    assert seconds(ground, last, middle) == pytest.approx(LATENCY + 2 * PER_GIB, abs=0.002)
    assert listed(ground, last) == 10 * GIB


def test_a_snapshot_completes_with_one_that_is_deleted_while_it_is_pending(ground: Ground) -> None:
    volume = ground.volume(20, written=10 * GIB)
    first = taken(ground, volume)
    begun = ground.shown(first)["StartTime"]
    second = after(ground, 0, 10, volume)
    ground.ec2().delete_snapshot(SnapshotId=first)
    ground.clock.advance("1d")
    refused("InvalidSnapshot.NotFound", lambda: ground.shown(first))
    ended = (ground.shown(second)["CompletionTime"] - begun).total_seconds()
    assert ended == round(LATENCY + 10 * PER_GIB, 3)
    assert listed(ground, second) == 10 * GIB


def test_a_set_waits_for_what_one_of_its_members_builds_on(ground: Ground) -> None:
    instance = ground.instance()
    root = ground.ec2().describe_volumes()["Volumes"][0]["VolumeId"]
    data = ground.volume(20, written=10 * GIB)
    ground.ec2().attach_volume(VolumeId=data, InstanceId=instance, Device="/dev/sdf")
    first = taken(ground, data)
    ground.clock.advance("15min")
    members = ground.ec2().create_snapshots(InstanceSpecification={"InstanceId": instance})["Snapshots"]
    assert {each["VolumeId"] for each in members} == {root, data}
    ground.clock.advance("1d")
    for each in members:
        assert ground.shown(each["SnapshotId"])["CompletionTime"] == ground.shown(first)["CompletionTime"]


def test_a_set_does_not_wait_for_itself_where_two_volumes_hold_the_same(ground: Ground) -> None:
    origin = ground.snapshot(ground.volume(10, written=GIB))
    instance = ground.instance()
    for device in ("/dev/sdf", "/dev/sdg"):
        twin = ground.volume(10, SnapshotId=origin)
        ground.ec2().attach_volume(VolumeId=twin, InstanceId=instance, Device=device)
    ground.ec2().delete_snapshot(SnapshotId=origin)
    members = ground.ec2().create_snapshots(InstanceSpecification={"InstanceId": instance})["Snapshots"]
    ground.clock.advance("1d")
    assert {seconds(ground, each["SnapshotId"]) for each in members} == {round(LATENCY + PER_GIB, 3)}


def test_a_snapshot_does_not_wait_for_a_pending_copy_of_what_is_there(ground: Ground) -> None:
    volume = ground.volume(10, written=GIB)
    ground.ec2().copy_snapshot(
        SourceRegion="us-east-1", SourceSnapshotId=ground.snapshot(volume), CompletionDurationMinutes=2880
    )
    next_one = taken(ground, volume)
    ground.clock.advance("1h")
    assert seconds(ground, next_one) == LATENCY


def test_the_second_copy_brings_everything_if_the_first_fails(ground: Ground) -> None:
    source = ground.snapshot(ground.volume(10, written=GIB))
    copies = []
    ground.sandbox.faults.add("CopySnapshot", failing=1, region=FAR)
    for _ in range(2):
        answer = ground.ec2(region=FAR).copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=source)
        copies.append(answer["SnapshotId"])
    ground.clock.advance("1d")
    assert ground.shown(copies[0], region=FAR)["State"] == "error"
    assert seconds(ground, copies[1], region=FAR) == pytest.approx(2 * (LATENCY + PER_GIB), abs=0.002)


def test_no_snapshot_of_the_past_is_complete_before_the_one_that_it_builds_on(ground: Ground) -> None:
    volume = ground.volume(20, written=10 * GIB)
    past = [ground.shown(each) for each in ground.sandbox.fill(volume, 5, every="15min")]
    done = [each["CompletionTime"] for each in past]
    assert (done[0] - past[0]["StartTime"]).total_seconds() == pytest.approx(LATENCY + 10 * PER_GIB, abs=0.001)
    assert done[1] == done[2] == done[0] < done[3] < done[4]
