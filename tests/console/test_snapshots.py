"""Snapshots in progress move by themselves on their page."""

import asyncio
from typing import Any

import pytest

from snapkit.console import SnapshotsPage, live
from snapkit.console.pending import Pending
from snapkit.ebs import Region
from snapkit.ebs.waiting import Progress
from snapkit.sandbox.clock import SimulatedClock
from tests.ebs.ground import Field


class Passing:
    """The clock of a sandbox, of which one thinks that its time passes by itself, as fast as anything."""

    speed = 1e9

    def __init__(self, clock: SimulatedClock) -> None:
        self.now, self.sleep, self.asleep = clock.now, clock.sleep, clock.asleep


@pytest.fixture
def region(ground: Field, monkeypatch: pytest.MonkeyPatch) -> Region:
    """A region in which twenty seconds pass between two looks, however long they take."""
    look = Pending.look

    def later(pending: Pending) -> dict[str, Progress]:
        ground.sandbox.clock.advance("20s")
        return look(pending)

    monkeypatch.setattr(live, "TICK", 0.0)
    monkeypatch.setattr(Pending, "look", later)
    region = ground.region()
    region.clock = Passing(ground.sandbox.clock)
    return region


async def passes(page: SnapshotsPage, state: str) -> None:
    """Return when the first row is in a state."""
    async with asyncio.timeout(20):
        while page.grid.rows[0][-1] != state:
            await asyncio.sleep(0.01)


def test_a_page_opened_anew_goes_along_until_it_is_complete(ground: Field, region: Region) -> None:
    taken = ground.new_volume(written=2000).take_snapshot()
    seen = []

    async def main() -> None:
        page = SnapshotsPage(region)
        page.grid.current = taken.id
        page.grid.observe(lambda change: seen.append(change["new"]), "meters")
        await passes(page, "completed")
        assert page.facts(page.current)["state"] == "completed"
        page.filter.value = "completed"
        assert page.grid.ids == [taken.id]

    asyncio.run(main())
    assert seen[-1] == {}
    moved = [meters[taken.id] for meters in seen[:-1]]
    assert moved == sorted(moved)
    assert len(moved) > 1


def test_one_that_fails_ends_as_an_error(ground: Field, region: Region) -> None:
    ground.faults("CreateSnapshot", failing=1)
    ground.new_volume(written=2000).take_snapshot()

    async def main() -> None:
        page = SnapshotsPage(region)
        await passes(page, "error")
        page.grid.current = page.grid.ids[0]
        assert page.facts(page.current)["reason"] == "An internal error occurred while the snapshot was being created."

    asyncio.run(main())


def test_a_clock_that_stands_is_not_moved(ground: Field) -> None:
    ground.new_volume(written=2000).take_snapshot()
    before = ground.sandbox.clock.now()

    async def main() -> None:
        page = SnapshotsPage(ground.region())
        await asyncio.sleep(0.1)
        assert page.grid.rows[0][-1] == "pending"

    asyncio.run(main())
    assert ground.sandbox.clock.now() == before


def test_a_look_that_fails_is_told_and_made_again(ground: Field, region: Region) -> None:
    ground.new_volume(written=2000).take_snapshot()

    async def main() -> None:
        page = SnapshotsPage(region)
        ground.faults("DescribeSnapshots", unavailable=8)
        async with asyncio.timeout(20):
            while "is not known just now" not in page._layout.status.value:
                await asyncio.sleep(0)
        await passes(page, "completed")
        assert page._layout.status.value == '<div role="status"></div>'

    asyncio.run(main())


def test_one_call_looks_at_all_that_are_in_progress(ground: Field, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ground.new_volume().take_snapshot().wait()
    gone.delete()
    taken = [ground.new_volume(written=2000).take_snapshot() for _ in range(2)]
    region = taken[0].region
    pending = Pending([*taken, gone])
    asked: list[str] = []
    call = region.aws.call

    def counted(operation: str, *words: Any, **options: Any) -> Any:
        asked.append(operation)
        return call(operation, *words, **options)

    monkeypatch.setattr(region.aws, "call", counted)
    pending.look()
    asked.clear()
    ground.sandbox.clock.advance("10s")
    told = pending.look()
    assert sorted(told) == sorted(each.id for each in taken)
    assert asked == ["DescribeSnapshots"]
    ground.sandbox.clock.advance("1d")
    assert {step.state for step in pending.look().values()} == {"completed"}
    assert pending.snapshots == {}
    assert pending.look() == {}


def test_a_new_listing_ends_the_watch_of_the_old_one(ground: Field, region: Region) -> None:
    ground.new_volume(written=2000).take_snapshot()

    async def main() -> None:
        page = SnapshotsPage(region)
        old = page._pending
        await page.refresh()
        assert page._pending is not old
        await passes(page, "completed")
        async with asyncio.timeout(5):
            while page._tasks:
                await asyncio.sleep(0.01)

    asyncio.run(main())
