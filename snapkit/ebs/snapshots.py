"""Snapshots as objects."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from snapkit.ebs import (
    archiving,
    changes,
    copy_preview,
    copying,
    deleting,
    describing,
    estimating,
    keeping,
    restoring,
    share_plan,
    shareable,
    sharing,
    waiting,
)
from snapkit.ebs._resource import Resource, check_id
from snapkit.ebs.block_lists import BlockLists
from snapkit.ebs.blockers import Blocker, blockers
from snapkit.ebs.columns import COLUMNS
from snapkit.ebs.estimating import Durations
from snapkit.ebs.finding import Wanted
from snapkit.ebs.listing import Listing
from snapkit.ebs.rows import Rows
from snapkit.plan import Plan
from snapkit.units import GIB, Size, bytes_text

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.volumes import Volume


class Snapshot(Resource):
    """A snapshot: what was last read of it, and what can be done with it.

    Attributes:
        known_shares: with whom it is shared, as a listing or `shared_with` told last: accounts, ``"all"`` for everyone,
            ``"self"`` for this account. None where nobody looked, or it was changed since.
    """

    kind = "snapshot"
    id_key = "SnapshotId"

    def __init__(self, region: "Region", raw: Mapping[str, Any], known_shares: tuple[str, ...] | None = None) -> None:
        super().__init__(region, raw)
        self.known_shares = known_shares

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
    def account(self) -> str:
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

    estimate = estimating.estimate
    follow = waiting.follow
    wait = waiting.wait
    await_completion = waiting.await_completion

    can_share = shareable.can_share
    share = sharing.share
    unshare = sharing.unshare
    shared_with = sharing.shared_with
    share_publicly = sharing.share_publicly
    make_private = sharing.make_private
    plan_share = share_plan.plan_share

    copy_preview = copy_preview.copy_preview
    copy_to = copying.copy_to

    changes_preview = changes.changes_preview
    changed_blocks = changes.changed_blocks
    blocks_preview = changes.blocks_preview
    blocks = changes.blocks

    lock = keeping.lock
    unlock = keeping.unlock
    lock_state = keeping.lock_state
    restore_from_recycle_bin = keeping.restore_from_recycle_bin

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
        self.durations = Durations(region)

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
        shares: bool = False,
        **wanted: Any,
    ) -> Listing[Snapshot]:
        """List snapshots of this account, newest first.

        Args:
            ids: these only; what is not there is left out and named in `Listing.dropped`.
            shared_with_me: those that others share with this account as well.
            public: those that others share with everyone as well.
            shares: whether to look up with whom each of this account is shared, one call each.
            wanted: see `snapkit.ebs.finding.Wanted`.

        Raises:
            InvalidRequest: a filter cannot be.
            AwsError: AWS refuses.
        """
        want = Wanted.of(self._region, wanted)
        filters = want.filters("snapshot")
        if ids is not None:
            told = describing.by_ids(self._region, ids, filters)
        else:
            told = describing.of_account(self._region, filters, shared_with_me=shared_with_me, public=public)
        found = want.among(told.newest_first(), Snapshot)
        if shares:
            describing.look_up_shares(self._region, told, found)
        rows = Rows(Snapshot, [self._region] * len(found), found, told.shares_of(found))
        return Listing(rows, COLUMNS, noun="snapshot", dropped=told.dropped)

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

    plan_share = share_plan.plan_shares
    plan_share_publicly = share_plan.plan_share_publicly
    plan_make_private = share_plan.plan_make_private
    plan_expire = share_plan.plan_expire

    def in_recycle_bin(self) -> Listing[keeping.Binned]:
        """List the deleted snapshots that can still be restored, those that go first at the top."""
        return keeping.in_bin(self._region)

    def restore_from_recycle_bin(self, snapshot_id: str) -> Snapshot:
        """Make a deleted snapshot again what it was; see `snapkit.ebs.keeping.from_bin`."""
        return keeping.from_bin(self._region, snapshot_id)
