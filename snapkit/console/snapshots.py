"""The page of snapshots."""

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from snapkit.console.actions import Action
from snapkit.console.page import Page, moment, running_loop
from snapkit.console.pending import Pending
from snapkit.ebs import Estate, Snapshot
from snapkit.ebs.columns import COLUMNS, WHERE, shares_text
from snapkit.ebs.listing import Column, Listing
from snapkit.ebs.waiting import POLL, Progress
from snapkit.errors import AwsError
from snapkit.forms import (
    ArchiveForm,
    CopyForm,
    CreateVolumeForm,
    DeleteForm,
    LockForm,
    RestoreFromArchiveForm,
    ShareForm,
)
from snapkit.units import bytes_text, seconds_text

TICK = 1.0
"""Shortest time between two looks [s], of the world outside."""
_SHOWN = ("id", "name", "account", "owner", "group", "billing_code", "taken_at", "size_bytes", "shared", "state")


def _columns() -> Iterable[Column[Any]]:
    """Choose those of the original's page; the region stands beside the account."""
    for column in COLUMNS:
        if column.name in _SHOWN:
            yield column
        if column.name == "account":
            yield from (each for each in WHERE if each.name == "region")


def _own(snapshot: Snapshot) -> bool:
    return snapshot.account == snapshot.region.account


def _standard(snapshot: Snapshot) -> bool:
    return _own(snapshot) and snapshot.state == "completed" and snapshot.tier == "standard"


class SnapshotsPage(Page):
    """The snapshots of a region or an estate: found, looked into, restored, shared, copied, kept and deleted.

    Those in progress move by themselves, in a notebook, as long as time passes by itself on the region's clock.

    Attributes:
        progress: how far those in progress are, by id, as the last look told.
    """

    noun = "snapshot"
    sorted_by = "taken_at"
    columns = tuple(_columns())
    actions: ClassVar[tuple[Action, ...]] = (
        Action("Create volume", CreateVolumeForm, "Snapshot", ("CreateVolume",)),
        Action("Sharing", ShareForm, "Snapshot", ("ShareLocal", "SharePublic")),
        Action("Copy", CopyForm, "Snapshot", ("CreateVolume",)),
        Action("Lock", LockForm, "Snapshot", ("Delete",), _own),
        Action("Archive", ArchiveForm, "Snapshot", ("Delete",), _standard),
        Action("From archive", RestoreFromArchiveForm, "Snapshot", ("Delete",), lambda item: item.tier == "archive"),
        Action("Delete", DeleteForm, "Snapshot", ("Delete",), _own, DeleteForm),
    )

    def facts(self, item: Snapshot) -> dict[str, str]:
        """Tell what is known of a snapshot: what it is, where it comes from, how long it took."""
        done = item.completed_at
        step = self.progress.get(item.id)
        keys = item.region.tag_keys
        return {
            "ID": item.id,
            "state": str(step) if step and item.state == "pending" else item.state,
            "reason": str(item.raw.get("StateMessage") or ""),
            "description": item.description,
            "taken": moment(item.taken_at),
            "complete": f"{moment(done)}, after {seconds_text(_took(item, done))}" if done else "",
            "size": bytes_text(item.size)
            + ("" if item.full_size is None else f", {bytes_text(item.full_size)} in use"),
            "stored": f"{item.tier} tier, {'' if item.encrypted else 'not '}encrypted",
            "volume": item.volume_id,
            "copy of": item.tags.get(keys.source, ""),
            "lineage": self._lineage(item),
            "shared": "" if item.known_shares is None else shares_text(item.known_shares),
        }

    def asked(self, item: Snapshot) -> dict[str, str]:
        """Look up with whom it is shared, which only its account may."""
        return {"shared": shares_text(item.shared_with())} if item.account == item.region.account else {}

    def _find(self, estate: Estate) -> Listing[Snapshot]:
        return estate.snapshots.find(shared_with_me=True)

    def _lineage(self, item: Snapshot) -> str:
        """Tell where it stands among the snapshots of its volume."""
        raws, at = self._table.raws, self._table.ids[item.id]
        chain = [row for row, raw in enumerate(raws) if raw["VolumeId"] == item.volume_id]
        place = chain.index(at)
        told = f"number {len(chain) - place:,} of {len(chain):,} of this volume"
        for other, word in ((place + 1, "after"), (place - 1, "before")):
            if 0 <= other < len(chain):
                raw = raws[chain[other]]
                apart = abs((raw["StartTime"] - item.taken_at).total_seconds())
                told += f"; {seconds_text(apart)} {word} {raw['SnapshotId']}"
        return told

    # -- those in progress

    def _take(self, listing: Listing[Any]) -> None:
        """Go along with those in progress, in place of those of the listing before."""
        self.progress: dict[str, Progress] = {}
        super()._take(listing)
        rows = (row for row, raw in enumerate(self._table.raws) if raw["State"] == "pending")
        pending = self._pending = Pending(self._table.items[row] for row in rows)
        self.grid.meters = {each.id: _percent(each) for each in pending.snapshots.values()}
        if pending.snapshots and running_loop() is not None:
            self._begin(self._watch(pending))

    async def _watch(self, pending: Pending) -> None:
        """Look again and again, until none is in progress or there is another listing."""
        blind = False
        while pending.snapshots and pending is self._pending:
            # As with a bar: a clock that stands is not moved by somebody who looks.
            pace = min(float(getattr(each.region.clock, "speed", 1.0)) for each in pending.snapshots.values())
            if not pace:
                return
            try:
                told = await asyncio.to_thread(pending.look)
            except AwsError as error:
                blind = True
                self._tell(f"How far snapshots are is not known just now: {error}")
            else:
                if pending is not self._pending:
                    return
                if blind:
                    self._tell("")
                blind = False
                self._moved(told)
            await asyncio.sleep(max(TICK, POLL / pace))

    def _moved(self, told: dict[str, Progress]) -> None:
        """Show how far they are, and what has ended."""
        self.progress = told
        self.grid.meters = {each: step.percent for each, step in told.items() if step.state == "pending"}
        if any(step.state != "pending" for step in told.values()):
            # What has ended is sorted and found as what it is now.
            self._table = self._table.again()
            self._search()
        if self.current is not None and self.current.id in told:
            self._show_facts()


def _percent(snapshot: Snapshot) -> int:
    return int(str(snapshot.raw.get("Progress") or "0").rstrip("%") or 0)


def _took(snapshot: Snapshot, done: datetime) -> float:
    return (done - snapshot.taken_at).total_seconds()
