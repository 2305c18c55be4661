"""Waiting until all blocks of a volume have arrived."""

from collections.abc import Iterator

import pytest

from snapkit import Sandbox
from snapkit.ebs import Volume
from snapkit.ebs.initializing import await_initialized
from snapkit.ebs.waiting import Progress
from snapkit.errors import AwsError, NotFound, WaitTimeout
from tests.ebs.ground import OWN, ZONE


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(accounts=[OWN]) as made:
        yield made


@pytest.fixture
def volume(sandbox: Sandbox) -> Volume:
    """A volume that takes 100 s to load its 10,000 MiB."""
    source = sandbox.region().volumes.create(ZONE, "16 GiB")
    sandbox.write(source.id, 0, 20_000)
    return source.take_snapshot().wait().create_volume(ZONE, initialization_rate=100)


def test_it_returns_soon_after_all_blocks_are_there(sandbox: Sandbox, volume: Volume) -> None:
    begun, seen = sandbox.clock.now(), list[Progress]()
    await_initialized(volume, on_progress=seen.append)
    assert 100 <= (sandbox.clock.now() - begun).total_seconds() <= 115
    assert [each.state for each in seen] == ["initializing"] * 7 + ["completed"]
    assert [each.percent for each in seen] == [0, 15, 30, 45, 60, 75, 90, 100]


def test_a_timeout_says_how_far_it_is_and_that_it_goes_on(volume: Volume) -> None:
    with pytest.raises(WaitTimeout, match=rf"{volume.id} is initialized to 50 % only after 50 s; it goes on by itself"):
        await_initialized(volume, "50s")


def test_throttles_and_lost_answers_pass(sandbox: Sandbox, volume: Volume) -> None:
    sandbox.faults.add("DescribeVolumeStatus", throttle=3, lost=3)
    assert await_initialized(volume) is volume


def test_it_ends_where_nothing_answers(sandbox: Sandbox, volume: Volume) -> None:
    sandbox.faults.add("DescribeVolumeStatus", unavailable=99)
    with pytest.raises(AwsError, match="DescribeVolumeStatus"):
        await_initialized(volume)


def test_a_volume_that_is_deleted_meanwhile_is_told(volume: Volume) -> None:
    volume.delete()
    with pytest.raises(NotFound):
        await_initialized(volume)
