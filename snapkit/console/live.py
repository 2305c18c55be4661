"""A page some of whose rows are about snapshots in progress, which move by themselves."""

import asyncio
from abc import abstractmethod
from collections.abc import Iterable

from snapkit.console.page import Page, running_loop
from snapkit.console.pending import Pending
from snapkit.ebs import Snapshot
from snapkit.ebs.waiting import POLL, Progress
from snapkit.errors import SnapkitError

TICK = 1.0
"""Shortest time between two looks [s], of the world outside."""


class LivePage(Page):
    """A page that looks how far snapshots are, as long as time passes by itself on the region's clock."""

    @abstractmethod
    def _moved(self, told: dict[str, Progress]) -> None:
        """Show how far they are, and what has ended."""

    def _go_along(self, snapshots: Iterable[Snapshot]) -> dict[str, int]:
        """Go along with snapshots, in place of those of the listing before; gives how far they are now [%], by id."""
        pending = self._pending = Pending(snapshots)
        if pending.snapshots and running_loop() is not None:
            self._begin(self._watch(pending))
        return {each.id: _percent(each) for each in pending.snapshots.values()}

    async def _watch(self, pending: Pending) -> None:
        """Look again and again, until none is in progress or there is another listing."""
        blind, wait = False, TICK
        while pending.snapshots and pending is self._pending:
            try:
                # As with a bar: a clock that stands is not moved by somebody who looks.
                pace = await asyncio.to_thread(pending.pace)
                if not pace:
                    return
                wait = max(TICK, POLL / pace)
                told = await asyncio.to_thread(pending.look)
            except SnapkitError as error:
                blind = True
                self._tell(f"How far snapshots are is not known just now: {error}")
            else:
                if pending is not self._pending:
                    return
                if blind:
                    self._tell("")
                blind = False
                self._moved(told)
            await asyncio.sleep(wait)


def _percent(snapshot: Snapshot) -> int:
    return int(str(snapshot.raw.get("Progress") or "0").rstrip("%") or 0)
