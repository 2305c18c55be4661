"""What writes by itself writes as much as it should, however often somebody looks."""

import itertools
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit import InvalidRequest, Sandbox
from snapkit.blocks import Workload
from snapkit.rules import BLOCK
from snapkit.sandbox.disk import Disk, Serials
from snapkit.sandbox.writes import Replay, Steady, writer_of
from snapkit.units import DAY, GIB, HOUR, MINUTE

TABLE = Workload.from_table({"1min": 40, "1h": 900, "6h": 3000, "1d": 7000, "7d": 20_000}, "7d", "100 GiB")


def steady(workload: Workload, seed: int = 0, blocks: int | None = None) -> Steady:
    return Steady(workload, blocks or -(-workload.size // BLOCK), np.random.default_rng(seed))


# -- as much as the workload says


@pytest.mark.parametrize("interval", [5 * MINUTE, HOUR, 4 * HOUR, DAY])
@pytest.mark.parametrize("make", [lambda: TABLE, lambda: Workload.profile("workstation")], ids=["table", "profile"])
def test_the_mean_number_of_blocks_per_interval_is_the_footprint(make: Callable[[], Workload], interval: float) -> None:
    workload = make()
    counts = []
    for seed in range(6):
        writer = steady(workload, seed)
        counts += [len(writer.between(number * interval, (number + 1) * interval)) for number in range(40)]
    assert np.mean(counts) == pytest.approx(workload.footprint(interval), rel=0.04)


@pytest.mark.parametrize("interval", [HOUR, DAY])
def test_it_does_not_matter_whether_one_looks_once_or_24_times(interval: float) -> None:
    def drawn(looks: int, seed: int) -> int:
        writer, seen = steady(TABLE, seed), np.zeros(200_000 + 4_800, np.bool_)
        edges = np.linspace(0, interval, looks + 1)
        for a, b in itertools.pairwise(edges):
            seen[writer.between(float(a), float(b))] = True
        return int(seen.sum())

    once = np.array([drawn(1, seed) for seed in range(80)])
    often = np.array([drawn(24, 1000 + seed) for seed in range(80)])
    error = np.hypot(once.std(), often.std()) / np.sqrt(80)
    assert abs(once.mean() - often.mean()) < 4 * error
    assert 0.6 < once.std() / often.std() < 1 / 0.6


def test_the_same_chance_writes_the_same_blocks() -> None:
    one, other = steady(TABLE, 3), steady(TABLE, 3)
    for hour in range(5):
        assert (one.between(hour * HOUR, (hour + 1) * HOUR) == other.between(hour * HOUR, (hour + 1) * HOUR)).all()
    assert steady(TABLE, 4).between(0, HOUR).tolist() != steady(TABLE, 3).between(0, HOUR).tolist()


@pytest.mark.parametrize("blocks", [1, 100, 2048, 10**6])
def test_blocks_lie_on_the_disk_ascending_and_distinct(blocks: int) -> None:
    writer = steady(TABLE, blocks=blocks)
    assert writer.extent == min(blocks, 100 * GIB // BLOCK)
    for a, b in ((0, 1), (1, HOUR), (HOUR, 365 * DAY)):
        written = writer.between(a, b)
        assert written.dtype == np.uint32
        assert (np.diff(written.astype(np.int64)) > 0).all()
        assert len(written) == 0 or written[-1] < writer.extent


def test_a_smaller_disk_is_written_to_in_proportion() -> None:
    half = TABLE.size // BLOCK // 2
    counts = [len(steady(TABLE, seed, half).between(0, HOUR)) for seed in range(30)]
    assert np.mean(counts) == pytest.approx(TABLE.footprint(HOUR) / 2, rel=0.05)


def test_in_no_time_nothing_is_written() -> None:
    writer = steady(TABLE)
    assert len(writer.between(5, 5)) == 0
    assert writer.bytes_between(5, 5) == 0


def test_bytes_written_are_at_least_the_blocks_that_they_touch_and_add_up() -> None:
    writer = steady(TABLE)
    assert writer.bytes_between(0, HOUR) >= TABLE.footprint(HOUR) * BLOCK * 0.9
    assert writer.bytes_between(0, DAY) == pytest.approx(24 * writer.bytes_between(DAY, DAY + HOUR))


def test_a_workload_in_other_blocks_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="block size of the workload 4096"):
        steady(Workload.from_table({"1h": 9, "1d": 99}, None, "1 GiB", 4096))


def test_snapshots_of_a_running_volume_copy_what_the_workload_says() -> None:
    sandbox = Sandbox(workload=TABLE)
    ec2 = sandbox.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=100)["VolumeId"]
    world = sandbox._world.ec2(sandbox.accounts[0], "us-east-1")
    copied = []
    for _ in range(60):
        taken = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
        copied.append(world.snapshots[taken].changed)
        sandbox.clock.advance("6h")
    assert copied[0] == 100 * GIB // BLOCK
    assert np.mean(copied[1:]) == pytest.approx(TABLE.footprint(6 * HOUR), rel=0.05)


# -- growth and rewrites


def sizes(workload: Workload, days: int, gib: int = 200) -> tuple[list[int], list[int]]:
    """Run it, with a snapshot at the start and after every day: what each copied, and its full size [blocks]."""
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=gib)["VolumeId"]
    sandbox.run(volume, workload)
    world = sandbox._world.ec2(sandbox.accounts[0], "us-east-1")
    taken = []
    for _ in range(days + 1):
        taken.append(world.snapshots[ec2.create_snapshot(VolumeId=volume)["SnapshotId"]])
        sandbox.clock.advance("1d")
    return [each.changed for each in taken], [each.image.full for each in taken if each.image]


def test_a_growing_workload_fills_new_blocks_of_the_volume() -> None:
    growing = TABLE.growing("5 GiB")
    changed, full = sizes(growing, 12)
    assert full == [growing.allocated(f"{day}d" if day else 0) for day in range(13)]
    assert np.mean(changed[1:]) == pytest.approx(growing.footprint(DAY), rel=0.05)


def test_growth_ends_where_the_volume_ends() -> None:
    _, full = sizes(TABLE.growing("20 GiB"), 6, gib=150)
    assert [blocks * BLOCK / GIB for blocks in full] == [100, 120, 140, 150, 150, 150, 150]


@pytest.mark.parametrize("workload", [TABLE.growing("20 GiB").rewritten(["36h", "2d"]), TABLE.rewritten("36h", 0.5)])
def test_a_rewrite_changes_its_share_of_what_is_there_by_then(workload: Workload) -> None:
    changed, full = sizes(workload, 3)
    assert full[-1] == workload.allocated("3d")
    for day in range(3):
        expected = workload.changed_between(day * DAY, (day + 1) * DAY)
        assert changed[day + 1] == pytest.approx(expected, rel=0.1)


def test_a_rewrite_on_a_smaller_disk_is_a_share_of_that() -> None:
    changed, _ = sizes(TABLE.rewritten("1h", 0.5), 1, gib=50)
    assert 25 * GIB // BLOCK < changed[1] < 29 * GIB // BLOCK


def test_growth_and_rewrites_count_among_the_bytes_written() -> None:
    plain, other = steady(TABLE), writer_of(TABLE.growing("24 GiB").rewritten("1h"), 400_000, np.random.default_rng(0))
    for a, b, gib in ((0.0, HOUR, 1 + 101), (HOUR, 3 * HOUR, 2)):
        assert other.bytes_between(a, b) - plain.bytes_between(a, b) == pytest.approx(gib * GIB)


def test_the_volumes_of_a_server_are_not_run_on_one() -> None:
    with pytest.raises(InvalidRequest, match="run each of its members"):
        sizes(Workload.together({"root": TABLE, "data": TABLE}), 1)


# -- one by one


def frame(times: list[int], blocks: list[int], lengths: list[int], ops: str | None = None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "t_us": times,
            "op": list(ops or "W" * len(times)),
            "off": [block * BLOCK for block in blocks],
            "len": [length * BLOCK for length in lengths],
        }
    )


def counted(records: pd.DataFrame, span_us: int, a: float, b: float) -> tuple[set[int], int]:
    """Go through the laps and the records one by one; a record at the very beginning comes just after a lap begins."""
    blocks, touches = set[int](), 0
    writes = records[(records["op"] == "W") & (records["t_us"] <= span_us)]
    for lap in range(int(b * 1e6 // span_us) + 1):
        for time, offset, length in zip(writes["t_us"], writes["off"], writes["len"], strict=True):
            moment = lap * span_us + time + (0.5 if time == 0 and lap else 0)
            if a * 1e6 < moment <= b * 1e6:
                touched = range(offset // BLOCK, (offset + length - 1) // BLOCK + 1)
                blocks |= set(touched)
                touches += len(touched)
    return blocks, touches


RECORDS = st.lists(
    st.tuples(st.integers(0, 20), st.integers(0, 30), st.integers(1, 4), st.sampled_from("WWWR")),
    min_size=1,
    max_size=15,
)


@given(RECORDS, st.integers(0, 90), st.integers(0, 90))
def test_a_replay_writes_what_a_direct_count_says_lap_after_lap(
    records: list[tuple[int, int, int, str]], first: int, second: int
) -> None:
    records = sorted([*records, (1, 0, 1, "W"), (20, 1, 1, "W")])
    given_times, blocks, lengths, ops = zip(*records, strict=True)
    recorded = frame([each * 500_000 for each in given_times], list(blocks), list(lengths), "".join(ops))
    a, b = sorted((first / 2, second / 2))
    replay = Replay(recorded)
    expected, touches = counted(recorded, 10_000_000, a, b)
    assert replay.between(a, b).tolist() == sorted(expected)
    assert replay.bytes_between(a, b) == touches * BLOCK


@given(RECORDS, st.lists(st.integers(0, 100), max_size=8))
def test_a_replay_does_not_depend_on_how_often_one_looks(
    records: list[tuple[int, int, int, str]], looks: list[int]
) -> None:
    given_times, blocks, lengths, ops = zip(*sorted([*records, (20, 1, 1, "W")]), strict=True)
    replay = Replay(frame([each * 500_000 for each in given_times], list(blocks), list(lengths), "".join(ops)))
    edges = [0.0, *sorted(each / 2 for each in looks), 50.0]
    often: set[int] = set()
    for a, b in itertools.pairwise(edges):
        often |= set(replay.between(a, b).tolist())
    assert often == set(replay.between(0.0, 50.0).tolist())


def test_a_replay_reads_a_span_and_a_device() -> None:
    recorded = frame([1_000_000, 2_000_000, 3_000_000], [5, 6, 7], [1, 1, 1])
    recorded["dev"] = pd.Categorical(["a", "b", "a"])
    replay = Replay(recorded, "a", "10s")
    assert replay.between(0, 10).tolist() == [5, 7]
    assert replay.between(0, 2).tolist() == [5]
    assert replay.between(10, 11).tolist() == [5]
    assert Replay(recorded, "a", "2s").between(0, 100).tolist() == [5]
    assert replay.extent == GIB // BLOCK
    with pytest.raises(InvalidRequest, match="device"):
        Replay(recorded)


@pytest.mark.parametrize("bad", [pd.DataFrame(), pd.DataFrame({"t_us": [1]}), frame([1, 2], [0, 0], [1, 1], "RR")])
def test_what_is_no_trace_is_refused(bad: pd.DataFrame) -> None:
    with pytest.raises(InvalidRequest):
        Replay(bad)


def test_a_volume_replays_a_trace_and_its_snapshots_show_it() -> None:
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    recorded = frame([HOUR * 10**6, 2 * HOUR * 10**6], [5, 9], [2, 1])
    sandbox.replay(volume, recorded, span="2h")
    world = sandbox._world.ec2(sandbox.accounts[0], "us-east-1")

    def changed() -> int:
        return world.snapshots[ec2.create_snapshot(VolumeId=volume)["SnapshotId"]].changed

    full = changed()
    sandbox.clock.advance("1h")
    assert changed() == 2
    sandbox.clock.advance("1h")
    assert changed() == 1
    sandbox.clock.advance("1h")
    assert changed() == 2
    assert full == 2048


def test_a_writer_that_reaches_beyond_the_disk_is_cut_off() -> None:
    disk = Disk(6, Serials())
    disk.run(Replay(frame([1_000_000, 2_000_000], [5, 9], [3, 1])), 0)
    assert disk.seal(10).contents()[0].tolist() == [0, 1, 2, 3, 4, 5]


def test_volumes_that_are_not_there_are_named() -> None:
    sandbox = Sandbox()
    for act in (
        lambda: sandbox.run("vol-00000000000000000", TABLE),
        lambda: sandbox.replay("vol-00000000000000000", frame([10**6], [1], [1])),
        lambda: sandbox.write("vol-00000000000000000", 0),
        lambda: sandbox.put("vol-00000000000000000", 0, b"x" * BLOCK),
        lambda: sandbox.fill("vol-00000000000000000", 1),
    ):
        with pytest.raises(InvalidRequest, match="volume 'vol-00000000000000000' is not in this sandbox"):
            act()
