"""What EC2 keeps for one account in one region: moto's backend, with volumes and snapshots that are ours."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import moto.ec2.urls
from moto.ec2.models import EC2Backend

from snapkit.rules import BLOCK
from snapkit.sandbox.disk import Disk, Layer
from snapkit.sandbox.refusal import check_snapshot_id, check_volume_id, snapshot_not_found, volume_not_found
from snapkit.sandbox.snapshot import Snapshot, to_copy
from snapkit.sandbox.volume import Volume
from snapkit.units import GIB

if TYPE_CHECKING:
    from snapkit.sandbox.world import World

BLOCKS_PER_GIB = GIB // BLOCK

_TICK = 0.001
"""What the clock does not tell apart [s]."""

AFTER_COMPLETION: list[Callable[[Snapshot], None]] = []
"""What else happens when a snapshot ends; the gaps that wait for it add themselves."""


class Ec2(EC2Backend):
    """moto's EC2, whose machines and images stand on our volumes and snapshots.

    moto calls `create_volume`, `delete_volume` and `get_snapshot` itself when it runs instances, so these keep its
    signatures.

    Attributes:
        pending: the snapshots that are not complete yet.
        bin: deleted snapshots that a rule of the recycle bin retains.
        settings: what the gaps keep for this account and region, by the name of the gap.
    """

    snapshots: dict[str, Snapshot]  # type: ignore[assignment] # ours are kept where moto keeps its own
    volumes: dict[str, Volume]  # type: ignore[assignment] # likewise

    def __init__(self, world: "World", region_name: str, account_id: str) -> None:
        self.world = world
        self.pending: dict[str, Snapshot] = {}
        self.bin: dict[str, Snapshot] = {}
        self._followers: dict[str, list[Callable[[], None]]] = {}
        self.settings: dict[str, Any] = {}
        super().__init__(region_name, account_id)

    @property
    def _url_module(self) -> Any:
        """Where moto finds its URLs; it guesses the module by that of the backend's class."""
        return moto.ec2.urls

    def _load_amis(self) -> None:
        """Begin without images, where moto begins with 1,300 of other owners."""

    # -- volumes

    def volume(self, volume_id: str) -> Volume:
        """Return a volume of this account, or refuse as AWS does."""
        check_volume_id(volume_id)
        if volume_id not in self.volumes:
            raise volume_not_found(volume_id)
        return self.volumes[volume_id]

    def add_volume(self, *, size: int, zone: str, base: Layer | None = None, **known: Any) -> Volume:
        """Make a volume; what is allowed was checked before.

        Args:
            size: [GiB].
            zone: name of the availability zone.
            base: the image to begin with.
            known: whatever else moto's volume knows: snapshot_id, encrypted, kms_key_id, volume_type, iops, ...
        """
        volume_id = self.world.new_id("vol")
        volume = Volume(  # type: ignore[abstract] # what is abstract is for CloudFormation
            self,
            volume_id=volume_id,
            ordinal=self.world.next_ordinal(),
            disk=Disk(size * BLOCKS_PER_GIB, self.world.serials, base),
            created=self.world.clock.now(),
            size=size,
            zone=self.get_zone_by_name(zone),
            **known,
        )
        if self.world.workload is not None:
            self.world.run(volume.disk, self.world.workload)
        if volume.encrypted:
            volume.data_key_id = self._data_key(volume)
        self.volumes[volume_id] = volume
        return volume

    def _data_key(self, volume: Volume) -> str:
        """Name the data key of a volume: that of its snapshot, unless the two are under different keys.

        Source: EC2 API reference, Snapshot, DataEncryptionKeyId.
        """
        origin = self.world.visible(self.account_id, self.region_name, volume.snapshot_id or "")
        if origin is not None and origin.data_key_id and origin.kms_key_id == volume.kms_key_id:
            return origin.data_key_id
        return self.world.new_id("key")

    def create_volume(self, size: int, zone_name: str, snapshot_id: str | None = None, **known: Any) -> Volume:  # type: ignore[override]
        """Make a volume for an instance; moto calls this."""
        from snapkit.sandbox.gaps.volume_making import for_machine  # the gaps stand on this module

        return for_machine(self, size=size, zone=zone_name, snapshot_id=snapshot_id, **known)

    def delete_volume(self, volume_id: str) -> Any:
        """Forget a volume and its tags; moto calls this when it terminates an instance."""
        deleted = super().delete_volume(volume_id)
        self.tags.pop(volume_id, None)
        return deleted

    def run_instances(self, image_id: str, *given: Any, **known: Any) -> Any:
        """Run instances on the volumes of their image; moto calls this."""
        from snapkit.sandbox.gaps.image_devices import devices_to_launch  # the gaps stand on this module

        devices = devices_to_launch(self, image_id, known.get("block_device_mappings") or [])
        if devices:
            known["block_device_mappings"] = devices
        return super().run_instances(image_id, *given, **known)

    # -- snapshots

    def snapshot(self, snapshot_id: str) -> Snapshot:
        """Return a snapshot of this account, or refuse as AWS does."""
        check_snapshot_id(snapshot_id)
        if snapshot_id not in self.snapshots or self.world.faults.hides(snapshot_id):
            raise snapshot_not_found(snapshot_id)
        return self.snapshots[snapshot_id]

    def get_snapshot(self, snapshot_id: str) -> Snapshot:
        """Return a snapshot; moto calls this."""
        return self.snapshot(snapshot_id)

    def take(self, volume: Volume, *, description: str = "", moment: datetime | None = None, **known: Any) -> Snapshot:
        """Begin a snapshot of a volume; what is allowed was checked before, and nothing ends it yet.

        It copies what no other snapshot of this account and key in this region holds yet.

        Args:
            volume: what to take it of.
            description: of the snapshot.
            moment: of which moment, by default now.
            known: whatever else a snapshot knows.
        """
        clock = self.world.clock
        moment = moment or clock.now()
        image = volume.disk.seal(clock.seconds_at(moment))
        base = self.newest_holder(image, volume.kms_key_id, volume.id)
        volume.last_snapshot = moment
        snapshot = self.add_snapshot(
            volume_id=volume.id,
            volume_gib=volume.size,
            image=image,
            changed=to_copy(image, base),
            base=base,
            description=description,
            encrypted=volume.encrypted,
            kms_key_id=volume.kms_key_id,
            started=moment,
            **known,
        )
        snapshot.data_key_id = volume.data_key_id
        return snapshot

    def record(self, volume: Volume, moment: datetime, description: str, tags: dict[str, str]) -> Snapshot:
        """Keep a snapshot that was taken and completed in the past."""
        snapshot, now = self.take(volume, description=description, moment=moment), self.world.clock.now()
        self.pending.pop(snapshot.id)
        snapshot.state = "completed"
        snapshot.done = min(moment + timedelta(seconds=snapshot.seconds), now)
        if snapshot.base is not None:
            snapshot.done = max(snapshot.done, snapshot.base.done or now)
            snapshot.base = None
        if tags:
            self.tags[snapshot.id] = dict(tags)
        return snapshot

    def newest_holder(self, image: Layer, kms_key_id: str | None, volume_id: str | None = None) -> Snapshot | None:
        """Find the snapshot of this account and region, under this key, on which one with this image builds.

        It holds the newest layer that any of them holds. Of several, the newest is found; a pending one of another
        volume, or a pending copy, only where there is no other: nothing has to wait for it.

        Args:
            image: of which snapshot.
            kms_key_id: its key.
            volume_id: of which volume it is taken, if of one.

        Source: EBS user guide, "How snapshots work": incremental for one owner and one key only.
        """
        for layer in image.chain():
            found = None
            for holder in reversed(layer.holders):
                if (
                    holder.ec2_backend is self
                    and holder.kms_key_id == kms_key_id
                    and holder.state != "error"
                    and holder.tiering.tier == "standard"
                ):
                    if holder.state != "pending" or holder.source_volume_id == volume_id:
                        return holder
                    found = found or holder
            if found is not None:
                return found
        return None

    def add_snapshot(
        self, *, image: Layer | None, changed: int, started: datetime | None = None, **known: Any
    ) -> Snapshot:
        """Keep a new snapshot, pending; nothing ends it yet."""
        world = self.world
        snapshot = Snapshot(
            self,
            snapshot_id=world.new_id("snap"),
            ordinal=world.next_ordinal(),
            started=started or world.clock.now(),
            seconds=world.duration(changed * BLOCK),
            image=image,
            changed=changed,
            **known,
        )
        if image is not None:
            image.holders[snapshot] = None
        self.snapshots[snapshot.id] = self.pending[snapshot.id] = snapshot
        world.faults.watch(snapshot)
        return snapshot

    def finish_later(self, snapshots: Sequence[Snapshot], reason: str | None = None) -> None:
        """Let snapshots of one moment end together, when all have copied their blocks; if one fails, all do.

        They complete no earlier than what they build on, to whose blocks they refer. AWS says so of the snapshots of
        one volume; that one which is to fail does so without waiting is *assumed*.

        Args:
            snapshots: pending ones.
            reason: why they are to end in error, if they are.

        Source: AWS re:Post, knowledge center, "ebs-snapshot-stuck" (newer ones remain pending until the oldest is
            completed) and "ebs-snapshot-ec2-ami-creation-slow" (sets); EBS user guide, "Multi-volume snapshots".
        """
        clock, faults = self.world.clock, self.world.faults

        def left() -> float:
            ends = (clock.seconds_at(each.start_time) + each.seconds for each in snapshots)
            return max(ends, default=0.0) - clock.seconds()

        def look() -> None:
            # There is more to copy meanwhile where what they build on has failed.
            if (rest := left()) >= _TICK:
                clock.after(rest, look)
                return
            failing = reason or next(filter(None, map(faults.reason_to_fail, snapshots)), None)
            bases = (each.base for each in snapshots if each.base and each.base not in snapshots)
            awaited = next((base for base in bases if base.state == "pending"), None)
            if awaited and not failing:
                self.after_end(awaited, look)
                return
            for snapshot in snapshots:
                self.finish(snapshot, failing)

        clock.after(left(), look)

    def after_end(self, snapshot: Snapshot, action: Callable[[], None]) -> None:
        """Let something happen when a pending snapshot has ended."""
        self._followers.setdefault(snapshot.id, []).append(action)

    def finish(self, snapshot: Snapshot, reason: str | None = None) -> None:
        """End a snapshot: completed, or in error where there is a reason, given or by a fault."""
        if self.pending.pop(snapshot.id, None) is None:
            return
        snapshot.done = self.world.clock.now()
        snapshot.reason = reason or self.world.faults.reason_to_fail(snapshot)
        snapshot.state = "error" if snapshot.reason else "completed"
        if snapshot.reason:
            self._bequeath(snapshot)
        snapshot.base = None
        for follow in AFTER_COMPLETION:
            follow(snapshot)
        if snapshot.doomed:
            self.discard(snapshot)
        for action in self._followers.pop(snapshot.id, ()):
            action()

    def _bequeath(self, failed: Snapshot) -> None:
        """Let those that build on a snapshot which has failed copy what it was to copy and they need: *assumed*."""
        for heir in self.pending.values():
            if heir.base is failed and heir.image is not None:
                changed = to_copy(heir.image, failed.base)
                more = self.world.copying((changed - heir.changed) * BLOCK)
                elapsed = (self.world.clock.now() - heir.start_time).total_seconds()
                heir.seconds = max(heir.seconds, elapsed + more)
                heir.base, heir.changed = failed.base, changed

    def discard(self, snapshot: Snapshot) -> None:
        """Forget a snapshot, its blocks and its tags."""
        self.snapshots.pop(snapshot.id, None)
        self.pending.pop(snapshot.id, None)
        self.world.unpublish(snapshot)
        self.bin.pop(snapshot.id, None)
        for account in self.world.accounts:
            for ec2 in self.world.touched(account):
                ec2.tags.pop(snapshot.id, None)
        if snapshot.image is not None:
            snapshot.image.holders.pop(snapshot, None)
