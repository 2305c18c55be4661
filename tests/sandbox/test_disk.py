"""The truth about blocks, against sets of Python."""

import gc
import tracemalloc
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit import InvalidRequest, Sandbox
from snapkit.rules import BLOCK
from snapkit.sandbox.disk import Disk, Layer, Serials, union

SIZE = 24


@dataclass
class Image:
    """What a snapshot should hold: the version of each block that was ever written, and its content where given."""

    versions: dict[int, int]
    data: dict[int, bytes]


@dataclass
class Model:
    """A disk, as a dict from block to version, each write being a version of its own."""

    versions: dict[int, int] = field(default_factory=dict)
    data: dict[int, bytes] = field(default_factory=dict)

    def image(self) -> Image:
        return Image(dict(self.versions), dict(self.data))


WRITES = st.tuples(st.just("write"), st.integers(0, SIZE - 1), st.integers(1, SIZE))
PUTS = st.tuples(st.just("put"), st.integers(0, SIZE - 1), st.integers(0, 255))
SEALS = st.tuples(st.just("seal"), st.just(0), st.just(0))
RESTORES = st.tuples(st.just("restore"), st.integers(0, 10), st.just(0))
SWITCHES = st.tuples(st.just("switch"), st.integers(0, 5), st.just(0))
STORY = st.lists(st.one_of(WRITES, WRITES, PUTS, SEALS, SEALS, RESTORES, SWITCHES), max_size=40)


def content(byte: int) -> bytes:
    return bytes([byte]) * BLOCK


def play(story: list[tuple[str, int, int]]) -> list[tuple[Layer, Image]]:
    """Write, seal, restore and go on with other disks; returns every image with what it should hold."""
    serials = Serials()
    disks, here = [(Disk(SIZE, serials), Model())], 0
    sealed: list[tuple[Layer, Image]] = []
    for version, (verb, first, second) in enumerate(story):
        disk, model = disks[here]
        if verb == "write":
            count = min(second, SIZE - first)
            disk.write(first, count)
            for block in range(first, first + count):
                model.versions[block] = version
                model.data.pop(block, None)
        elif verb == "put":
            disk.put(first, content(second))
            model.versions[first], model.data[first] = version, content(second)
        elif verb == "seal":
            sealed.append((disk.seal(0.0), model.image()))
        elif verb == "restore" and sealed:
            layer, image = sealed[first % len(sealed)]
            disks.append((Disk(SIZE, serials, layer), Model(dict(image.versions), dict(image.data))))
            here = len(disks) - 1
        elif verb == "switch":
            here = first % len(disks)
    return sealed


@given(STORY)
def test_images_hold_what_was_written_before_them(story: list[tuple[str, int, int]]) -> None:
    for layer, image in play(story):
        blocks, serials = layer.contents()
        assert blocks.tolist() == sorted(image.versions)
        assert blocks.dtype == np.uint32
        assert layer.full == len(image.versions)
        assert len(serials) == len(blocks)
        assert layer.since(None).tolist() == sorted(image.versions)


@given(STORY)
def test_what_changed_since_an_ancestor_is_what_has_another_version(story: list[tuple[str, int, int]]) -> None:
    sealed = play(story)
    for layer, image in sealed:
        ancestors = list(layer.chain())
        for base, older in sealed:
            if any(base is each for each in ancestors):
                changed = {block for block, version in image.versions.items() if older.versions.get(block) != version}
                assert layer.since(base).tolist() == sorted(changed)


@given(STORY)
def test_serials_are_equal_exactly_where_versions_are(story: list[tuple[str, int, int]]) -> None:
    """Lists of changed blocks rely on it: images share a block exactly if nothing was written to it between."""
    sealed = play(story)
    for layer, image in sealed:
        ours = dict(zip(*(each.tolist() for each in layer.contents()), strict=True))
        for other, theirs in sealed:
            serials = dict(zip(*(each.tolist() for each in other.contents()), strict=True))
            for block in set(ours) & set(serials):
                assert (image.versions[block] == theirs.versions[block]) == (ours[block] == serials[block])


@given(STORY)
def test_blocks_read_as_they_were_written(story: list[tuple[str, int, int]]) -> None:
    for layer, image in play(story)[-3:]:
        for block in range(SIZE):
            read = layer.read(block)
            if block not in image.versions:
                assert read is None
            elif block in image.data:
                assert read == image.data[block]
            else:
                assert read is not None
                assert len(read) == BLOCK


def test_a_block_reads_the_same_until_it_is_written_again() -> None:
    disk = Disk(8, Serials())
    disk.write(0, 4)
    first = disk.seal(0)
    disk.write(1)
    second = disk.seal(0)
    assert first.read(0) == second.read(0)
    assert first.read(1) != second.read(1)
    assert first.read(0) != first.read(2)
    disk.put(0, content(7))
    disk.write(0)
    assert disk.seal(0).read(0) != content(7)


def test_sealing_twice_makes_one_layer_where_nothing_was_written() -> None:
    disk = Disk(8, Serials())
    empty = disk.seal(0)
    assert (empty.full, empty.read(0), len(empty.since(None))) == (0, None, 0)
    assert disk.seal(1) is empty
    disk.write(0)
    layer = disk.seal(2)
    assert layer is not empty
    assert disk.seal(3) is layer


def test_a_branch_does_not_touch_the_disk_that_it_came_from() -> None:
    serials = Serials()
    disk = Disk(8, serials)
    disk.write(0, 2)
    layer = disk.seal(0)
    branch = Disk(16, serials, layer)
    branch.write(10)
    disk.write(5)
    assert branch.seal(0).contents()[0].tolist() == [0, 1, 10]
    assert disk.seal(0).contents()[0].tolist() == [0, 1, 5]
    assert layer.contents()[0].tolist() == [0, 1]


def test_a_disk_that_grows_keeps_its_blocks() -> None:
    disk = Disk(8, Serials())
    disk.write(7)
    first = disk.seal(0)
    disk.grow(16)
    disk.write(15)
    second = disk.seal(0)
    assert (second.full, second.since(first).tolist()) == (2, [15])
    with pytest.raises(InvalidRequest, match="16 blocks"):
        disk.write(16)


class Ticking:
    """Writes block n at second n."""

    def __init__(self, extent: int = 0) -> None:
        self.extent = extent
        self.asked: list[tuple[float, float]] = []

    def between(self, a: float, b: float) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
        self.asked.append((a, b))
        return np.arange(int(a) + 1, int(b) + 1, dtype=np.uint32)

    def bytes_between(self, a: float, b: float) -> float:
        return float(int(b) - int(a)) * BLOCK


def test_a_writer_is_asked_for_every_moment_once_and_beyond_the_end_nothing_is_kept() -> None:
    disk, ticking = Disk(10, Serials()), Ticking()
    disk.run(ticking, 100)
    assert disk.seal(103).contents()[0].tolist() == [1, 2, 3]
    assert disk.seal(103).contents()[0].tolist() == [1, 2, 3]
    assert disk.seal(105).since(None).tolist() == [1, 2, 3, 4, 5]
    assert disk.seal(200).full == 9
    assert ticking.asked == [(0, 3), (3, 5), (5, 100)]
    assert disk.bytes_between(0, 101) == BLOCK
    assert disk.bytes_between(101, 103) == 2 * BLOCK
    assert disk.bytes_between(0, 100) == 0
    assert Disk(1, Serials()).bytes_between(0, 100) == 0


def test_another_writer_goes_on_where_the_first_one_ends() -> None:
    disk = Disk(10, Serials())
    disk.run(Ticking(), 0)
    disk.run(Ticking(), 5)
    assert disk.seal(6).contents()[0].tolist() == [1, 2, 3, 4, 5]


def test_an_empty_disk_is_full_as_far_as_its_writer_says_and_another_is_left_as_it_is() -> None:
    disk = Disk(10, Serials())
    disk.run(Ticking(extent=99), 0)
    assert disk.seal(0).full == 10
    written = Disk(10, Serials())
    written.write(3)
    written.run(Ticking(extent=99), 0)
    assert written.seal(0).full == 1


@pytest.mark.parametrize(("first", "count"), [(-1, 1), (0, 0), (0, -1), (0, 9), (8, 1), (10**12, 1)])
def test_blocks_off_the_disk_are_refused(first: int, count: int) -> None:
    disk = Disk(8, Serials())
    with pytest.raises(InvalidRequest, match="do not lie on a disk of 8 blocks"):
        disk.write(first, count)
    if count == 1:
        with pytest.raises(InvalidRequest, match="do not lie on a disk of 8 blocks"):
            disk.put(first, content(1))
    assert disk.seal(0).full == 0


@pytest.mark.parametrize("length", [0, 1, BLOCK - 1, BLOCK + 1])
def test_content_that_is_no_whole_block_is_refused(length: int) -> None:
    with pytest.raises(InvalidRequest, match="is no whole block; give 524288 bytes"):
        Disk(8, Serials()).put(0, b"x" * length)


def test_the_union_of_nothing_is_empty() -> None:
    assert union([]).tolist() == []
    assert union([np.array([3, 5], np.uint32), np.array([1, 3], np.uint32)]).tolist() == [1, 3, 5]


def test_a_snapshot_of_a_tebibyte_of_which_one_percent_changed_takes_little_memory() -> None:
    """The demand of the issue: less than 128 KiB."""
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1024)["VolumeId"]
    sandbox.write(volume, 0, 2**21)

    def take() -> None:
        ec2.create_snapshot(VolumeId=volume)
        sandbox.clock.advance("12h")

    def write(number: int) -> None:
        for block in random.choice(2**21 // 128, 2**21 // 100 // 128, replace=False):
            sandbox.write(volume, int(block) * 128, 128)

    random = np.random.default_rng(0)
    take()
    write(0)
    take()
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(10):
            write(number)
            take()
        gc.collect()
        each = (tracemalloc.get_traced_memory()[0] - before) / 10
    finally:
        tracemalloc.stop()
    assert each < 128 * 1024
