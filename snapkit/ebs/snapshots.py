"""Snapshots as objects."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from snapkit.ebs import archiving, changes, copy_preview, copying, deleting, keeping, restoring, sharing
from snapkit.ebs._aws import IDS, unanswered
from snapkit.ebs._resource import Resource, check_id
from snapkit.ebs.block_lists import BlockLists
from snapkit.ebs.blockers import Blocker, blockers
from snapkit.ebs.columns import COLUMNS
from snapkit.ebs.copying import advice
from snapkit.ebs.finding import Wanted
from snapkit.ebs.listing import Listing
from snapkit.ebs.taking import HIDDEN_FOR
from snapkit.ebs.waiting import Estimate, Progress, progress
from snapkit.errors import AwsError, InvalidRequest, NotFound, SnapshotFailed, Throttled, WaitTimeout
from snapkit.plan import Plan
from snapkit.units import GIB, Duration, Size, bytes_text, to_seconds

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.volumes import Volume


_MOST_FAILED_LOOKS = 10


class Snapshot(Resource):
    """A snapshot: what was last read of it, and what can be done with it."""

    kind = "snapshot"
    id_key = "SnapshotId"

    @property
    def state(self) -> str:
        """Its state: pending, completed, error, recoverable or recovering."""
        return str(self.raw["State"])

    @property
    def volume_id(self) -> str:
        """The volume that it was taken of; arbitrary for a copy."""
        return str(self.raw["VolumeId"])

    @property
    def size(self) -> int:
        """The size of the volume when it was taken [bytes]."""
        return int(self.raw["VolumeSize"]) * GIB

    @property
    def full_size(self) -> int | None:
        """The size of all its blocks [bytes], once AWS tells it; what it added to those before is less."""
        size = self.raw.get("FullSnapshotSizeInBytes")
        return None if size is None else int(size)

    @property
    def taken_at(self) -> datetime:
        """The moment that it captures."""
        taken: datetime = self.raw["StartTime"]
        return taken

    @property
    def completed_at(self) -> datetime | None:
        """When it was complete."""
        return self.raw.get("CompletionTime")

    @property
    def description(self) -> str:
        """The description."""
        return str(self.raw.get("Description", ""))

    @property
    def owner(self) -> str:
        """The account that it belongs to."""
        return str(self.raw["OwnerId"])

    @property
    def encrypted(self) -> bool:
        """Whether it is encrypted."""
        return bool(self.raw["Encrypted"])

    @property
    def tier(self) -> str:
        """Where it is stored: standard or archive."""
        return str(self.raw.get("StorageTier", "standard"))

    def refresh(self) -> "Snapshot":
        """Read it again; returns itself.

        Raises:
            NotFound: it is gone.
        """
        self.raw = self.region.snapshots.get(self.id).raw
        return self

    # -- waiting

    def follow(self) -> Iterator[Progress]:
        """Go along with it: each step looks at it once, and none of them waits.

        Between two steps let `Progress.again_in` seconds pass. The last step tells that it is complete.

        Raises:
            SnapshotFailed: it ended in error.
            NotFound: it was deleted.
            AwsError: AWS refused, or could not be reached, many times in a row.
        """
        try:
            estimate = self.region.snapshots.estimate(self)
        except AwsError:
            estimate = None
        failed = 0
        while True:
            failed = self._look(failed)
            if self.state == "error":
                reason = str(self.raw.get("StateMessage") or "AWS gave no reason")
                told = f"ended in error: {reason.rstrip('.')}; {advice(reason)}"
                raise SnapshotFailed(self.id, told, reason)
            yield progress(dict(self.raw), self.region.clock.now(), estimate, self.taken_at)
            if self.state == "completed":
                return

    def _look(self, failed: int) -> int:
        """Read it again; what passes does not end a wait. Counts how often that has failed in a row."""
        try:
            self.refresh()
        except NotFound:
            # A new id may be hidden for a while.
            if (self.region.clock.now() - self.taken_at).total_seconds() > HIDDEN_FOR:
                raise
        except AwsError as error:
            passing = isinstance(error, Throttled) or error.code in ("NotReached", "NoAnswer") or unanswered(error)
            if not passing or failed >= _MOST_FAILED_LOOKS:
                raise
            return failed + 1
        return 0

    def wait(
        self, timeout: Duration | None = None, on_progress: Callable[[Progress], object] | None = None
    ) -> "Snapshot":
        """Return itself when it is complete.

        Args:
            timeout: how long to wait at most [s]; by default as long as it takes.
            on_progress: called with each `Progress`.

        Raises:
            WaitTimeout: it takes longer; it goes on, and `region.pending()` finds it again.
            SnapshotFailed: it ended in error.
            NotFound: it was deleted meanwhile.
        """
        clock = self.region.clock
        end = None if timeout is None else clock.now() + timedelta(seconds=to_seconds(timeout, "timeout", zero=True))
        for step in self.follow():
            clock.sleep(self._pause(step, end, on_progress))
        return self

    async def await_completion(
        self, timeout: Duration | None = None, on_progress: Callable[[Progress], object] | None = None
    ) -> "Snapshot":
        """Likewise, leaving the event loop free meanwhile."""
        clock = self.region.clock
        end = None if timeout is None else clock.now() + timedelta(seconds=to_seconds(timeout, "timeout", zero=True))
        for step in self.follow():
            await clock.asleep(self._pause(step, end, on_progress))
        return self

    def _pause(self, step: Progress, end: datetime | None, on_progress: Callable[[Progress], object] | None) -> float:
        if on_progress:
            on_progress(step)
        if step.state == "completed":
            return 0.0
        if end is None:
            return step.again_in
        rest = (end - self.region.clock.now()).total_seconds()
        if rest <= 0:
            rest_of_it = "it goes on by itself: wait again, or see region.pending()"
            told = f"is still {step.state} at {step.percent} %; {rest_of_it}"
            raise WaitTimeout(self.id, told)
        return min(step.again_in, rest)

    # -- restoring

    def create_volume(
        self,
        zone: str,
        size: Size | None = None,
        *,
        name: str | None = None,
        group: str | None = None,
        billing_code: str | None = None,
        volume_type: str = "gp3",
        **options: Any,
    ) -> "Volume":
        """Make a volume from it; see `Volumes.create`."""
        return self.region.volumes.create(
            zone,
            size,
            snapshot=self,
            name=name,
            group=group,
            billing_code=billing_code,
            volume_type=volume_type,
            **options,
        )

    # Each operation is a function of the snapshot, in the room where its rules stand.

    can_share = sharing.can_share
    share = sharing.share
    unshare = sharing.unshare
    shared_with = sharing.shared_with
    share_publicly = sharing.share_publicly
    make_private = sharing.make_private

    copy_preview = copy_preview.copy_preview
    copy_to = copying.copy_to

    changes_preview = changes.changes_preview
    changed_blocks = changes.changed_blocks
    blocks = changes.blocks

    lock = keeping.lock
    unlock = keeping.unlock
    lock_state = keeping.lock_state

    archive_preview = archiving.archive_preview
    archive = archiving.archive
    restore_from_archive = archiving.restore_from_archive
    tier_status = archiving.tier_status

    enable_fast_restore = restoring.enable_fast_restore
    disable_fast_restore = restoring.disable_fast_restore
    fast_restore_state = restoring.fast_restore_state
    restore_options = restoring.restore_options

    delete = deleting.delete

    def blockers(self) -> tuple[Blocker, ...]:
        """Tell what stands in the way of deleting it, and the way out; see `snapkit.ebs.blockers`."""
        return blockers(self)

    def restore_from_recycle_bin(self) -> "Snapshot":
        """Make it a snapshot again after it was deleted; returns itself."""
        self.raw = keeping.from_bin(self.region, self.id).raw
        return self

    def __repr__(self) -> str:
        return (
            f"<Snapshot {self._named()}: {self.state}, {bytes_text(self.size)} of {self.volume_id}, "
            f"{self.taken_at:%Y-%m-%d %H:%M} UTC>"
        )


class Snapshots:
    """The snapshots of a region."""

    def __init__(self, region: "Region") -> None:
        self._region = region
        self.block_lists = BlockLists(region)

    def get(self, snapshot_id: str) -> Snapshot:
        """Return one snapshot, also one that is shared with this account.

        Raises:
            NotFound: there is none of that id for this account.
        """
        check_id("snapshot", snapshot_id)
        answer = self._region.aws.call("DescribeSnapshots", snapshot_id, SnapshotIds=[snapshot_id])
        return Snapshot(self._region, answer["Snapshots"][0])

    def find(
        self,
        ids: Sequence[str] | None = None,
        *,
        shared_with_me: bool = False,
        public: bool = False,
        **wanted: Any,
    ) -> Listing[Snapshot]:
        """List snapshots of this account, newest first.

        Args:
            ids: these only; what is not there is left out and named in `Listing.dropped`.
            shared_with_me: those that others share with this account as well.
            public: those that others share with everyone as well.
            wanted: see `snapkit.ebs.finding.Wanted`.

        Raises:
            InvalidRequest: a filter cannot be.
            AwsError: AWS refuses.
        """
        want = Wanted.of(self._region, wanted)
        dropped: dict[str, str] = {}
        filters = want.filters("snapshot")
        if ids is not None:
            raws = list(self._by_ids(ids, filters, dropped))
        else:
            raws = self._pages({"OwnerIds": ["self"]}, filters)
            for asked, users in ((shared_with_me, "self"), (public, "all")):
                if asked:
                    raws += self._pages({"RestorableByUserIds": [users]}, filters)
        unique = {raw["SnapshotId"]: raw for raw in raws}
        newest = sorted(unique.values(), key=itemgetter("StartTime", "SnapshotId"), reverse=True)
        found = want.among(Snapshot(self._region, raw) for raw in newest)
        return Listing(found, COLUMNS, noun="snapshot", dropped=dropped)

    def plan_delete(self, snapshots: Sequence[Snapshot | str], *, reason: str = "", shares: bool = False) -> Plan:
        """Plan to delete many at once: approve the plan, then apply it; see `snapkit.ebs.deleting`.

        Args:
            snapshots: which, or their ids.
            reason: why, for all of them; by default when each was taken.
            shares: whether to look up with whom each is shared, one call each.

        Raises:
            InvalidRequest: one is in another region.
            AwsError: AWS refuses.
        """
        return deleting.plan(self._region, snapshots, reason=reason, shares=shares)

    def in_recycle_bin(self) -> Listing[keeping.Binned]:
        """List the deleted snapshots that can still be restored, those that go first at the top."""
        return keeping.in_bin(self._region)

    def restore_from_recycle_bin(self, snapshot_id: str) -> Snapshot:
        """Make a deleted snapshot again what it was; see `snapkit.ebs.keeping.from_bin`."""
        return keeping.from_bin(self._region, snapshot_id)

    def estimate(self, snapshot: Snapshot) -> Estimate | None:
        """Estimate how long a snapshot takes from how long others took: of its volume, or else of the region."""
        done = [each for each in self.find(state="completed") if each.completed_at and each.id != snapshot.id]
        same = [each for each in done if each.volume_id == snapshot.volume_id]
        return Estimate.of(_durations(same), snapshot.volume_id) or Estimate.of(_durations(done), "this region")

    def _pages(self, asked: Mapping[str, Any], filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return list(self._region.aws.pages("DescribeSnapshots", "Snapshots", Filters=filters or None, **asked))

    def _by_ids(
        self, ids: Sequence[str], filters: list[dict[str, Any]], dropped: dict[str, str]
    ) -> Iterator[dict[str, Any]]:
        """Ask for ids in batches; a batch with a bad one is halved until that is alone."""
        good = [each for each in dict.fromkeys(ids) if _can_be(each, dropped)]
        batches = [good[start : start + IDS] for start in range(0, len(good), IDS)]
        while batches:
            batch = batches.pop(0)
            try:
                yield from self._region.aws.call("DescribeSnapshots", SnapshotIds=batch, Filters=filters or None)[
                    "Snapshots"
                ]
            except NotFound as error:
                if len(batch) == 1:
                    dropped[batch[0]] = error.told
                else:
                    half = len(batch) // 2
                    batches[:0] = [batch[:half], batch[half:]]


def _can_be(snapshot_id: object, dropped: dict[str, str]) -> bool:
    try:
        check_id("snapshot", snapshot_id)
    except InvalidRequest as error:
        dropped[str(snapshot_id)] = error.rule
        return False
    return True


def _durations(snapshots: Sequence[Snapshot]) -> list[float]:
    return [(each.completed_at - each.taken_at).total_seconds() for each in snapshots if each.completed_at is not None]
