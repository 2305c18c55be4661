"""The page of snapshots."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from snapkit.console.actions import Action
from snapkit.console.live import LivePage
from snapkit.console.page import moment
from snapkit.ebs import Estate, Region, Snapshot
from snapkit.ebs.columns import COLUMNS, WHERE, shares_text
from snapkit.ebs.keeping import Lock, check_unlockable, lock_state
from snapkit.ebs.listing import Column, Listing
from snapkit.ebs.waiting import Progress
from snapkit.errors import AwsError, InvalidRequest
from snapkit.forms import (
    ArchiveForm,
    CopyForm,
    CreateVolumeForm,
    DeleteForm,
    LockForm,
    RestoreFromArchiveForm,
    ShareForm,
    UnlockForm,
)
from snapkit.units import bytes_text, seconds_text

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


class SnapshotsPage(LivePage):
    """The snapshots of a region or an estate: found, looked into, restored, shared, copied, kept and deleted.

    Those in progress move by themselves, in a notebook, as long as time passes by itself on the region's clock.

    Attributes:
        progress: how far those in progress are, by id, as the last look told.
    """

    noun = "snapshot"
    sorted_by = "taken_at"
    columns = tuple(_columns())
    actions: tuple[Action, ...] = (
        Action("Create volume", CreateVolumeForm, "Snapshot", ("CreateVolume",)),
        Action("Sharing", ShareForm, "Snapshot", ("ShareLocal", "SharePublic")),
        Action("Copy", CopyForm, "Snapshot", ("CreateVolume",)),
        Action("Lock", LockForm, "Snapshot", ("Delete",), _own),
        Action("Archive", ArchiveForm, "Snapshot", ("Delete",), _standard),
        Action("From archive", RestoreFromArchiveForm, "Snapshot", ("Delete",), lambda item: item.tier == "archive"),
        Action("Delete", DeleteForm, "Snapshot", ("Delete",), _own, DeleteForm),
    )

    def __init__(self, of: Region | Estate) -> None:
        """List what there is; regions that refuse are named below the table.

        Args:
            of: where.
        """
        self._locks: dict[str, Lock | None] = {}
        # The last one, so that none moves when it appears: how a snapshot is locked is looked up with its detail.
        self.actions = (*self.actions, Action("Unlock", UnlockForm, "Snapshot", ("Delete",), self._unlockable))
        super().__init__(of)

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
            "lock": str(self._locks.get(item.id) or ""),
        }

    def asked(self, item: Snapshot) -> dict[str, str]:
        """Look up with whom it is shared and how it is locked, which only its account may."""
        if not _own(item):
            return {}
        shared = {"shared": shares_text(item.shared_with())}
        try:
            self._locks[item.id] = lock_state(item)
        except AwsError as error:
            return shared | {"lock": f"not known: {error}"}
        return shared

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

    def _unlockable(self, item: Snapshot) -> bool:
        try:
            check_unlockable(item, self._locks.get(item.id))
        except InvalidRequest:
            return False
        return True

    # -- those in progress

    def _take(self, listing: Listing[Any]) -> None:
        """Go along with those in progress, in place of those of the listing before."""
        self.progress: dict[str, Progress] = {}
        super()._take(listing)
        rows = (row for row, raw in enumerate(self._table.raws) if raw["State"] == "pending")
        self.grid.meters = self._go_along(self._table.items[row] for row in rows)

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


def _took(snapshot: Snapshot, done: datetime) -> float:
    return (done - snapshot.taken_at).total_seconds()
