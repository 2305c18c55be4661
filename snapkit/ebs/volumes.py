"""Volumes as objects."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from snapkit.ebs import attaching, growing, history, removing
from snapkit.ebs._resource import Resource, check_id
from snapkit.ebs.describing import in_batches
from snapkit.ebs.finding import Wanted
from snapkit.ebs.listing import Column, Listing
from snapkit.ebs.snapshots import Snapshot
from snapkit.ebs.volume_kinds import check_kind, to_gib
from snapkit.errors import InvalidRequest
from snapkit.rules import LONGEST_DESCRIPTION
from snapkit.tags import to_aws
from snapkit.units import GIB, Size, bytes_text

if TYPE_CHECKING:
    from snapkit.ebs.region import Region


class Volume(Resource):
    """A volume: what was last read of it, and what can be done with it."""

    kind = "volume"
    id_key = "VolumeId"

    @property
    def state(self) -> str:
        """Its state, such as available or in-use."""
        return str(self.raw["State"])

    @property
    def size(self) -> int:
        """Its size [bytes]."""
        return int(self.raw["Size"]) * GIB

    @property
    def zone(self) -> str:
        """The availability zone."""
        return str(self.raw["AvailabilityZone"])

    @property
    def volume_type(self) -> str:
        """Its type, such as gp3."""
        return str(self.raw["VolumeType"])

    @property
    def created_at(self) -> datetime:
        """When it was made."""
        created: datetime = self.raw["CreateTime"]
        return created

    @property
    def snapshot_id(self) -> str:
        """The snapshot that it was made from, or nothing."""
        return str(self.raw.get("SnapshotId") or "")

    @property
    def encrypted(self) -> bool:
        """Whether it is encrypted."""
        return bool(self.raw["Encrypted"])

    @property
    def server_id(self) -> str:
        """The server that it is attached to, or nothing."""
        return next((str(each["InstanceId"]) for each in self.raw.get("Attachments", [])), "")

    @property
    def device(self) -> str:
        """The device name on that server, or nothing."""
        return next((str(each["Device"]) for each in self.raw.get("Attachments", [])), "")

    def refresh(self) -> "Volume":
        """Read it again; returns itself.

        Raises:
            NotFound: it is gone.
        """
        self.raw = self.region.volumes.get(self.id).raw
        return self

    def take_snapshot(
        self,
        name: str | None = None,
        *,
        group: str | None = None,
        billing_code: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
    ) -> Snapshot:
        """Begin a snapshot; returns at once, see `Snapshot.wait`.

        Name, group and billing code are by default those of the volume. Where the last snapshot of this volume was
        begun here less than 15 seconds ago, it waits so long first. When the answer of AWS is lost it looks what became
        of the call, and never begins a second one.

        Args:
            name: of the snapshot.
            group: that it belongs to.
            billing_code: that pays for it.
            description: of it.
            tags: besides.

        Raises:
            InvalidRequest: the tags or the description cannot be.
            OutcomeUnknown: no answer came, and nothing was found.
            AwsError: AWS refuses.
        """
        self.region.allow("Volume", "Snapshot", self)
        check_description(description)
        keys = self.region.tag_keys
        written = keys.tags(name or self.name, group or self.group, billing_code or self.billing_code, tags)
        # Who gives it to another group needs the right there as well.
        self.region.allow("Volume", "Snapshot", self.region.belonging(self.region.owned(written)))
        self.region.charging.charge_snapshots(written, lambda: [self.size])
        begun = self.region.taking.begin(
            "CreateSnapshot", self.id, written, (self.id,), VolumeId=self.id, Description=description or None
        )
        return Snapshot(self.region, begun[0])

    # Each operation below is a function of the volume, in the room where its rules stand.

    attach = attaching.attach
    detach = attaching.detach

    resize = growing.resize
    modification = growing.modification
    grow_hint = growing.grow_hint

    evidence = removing.evidence
    delete = removing.delete

    change_history_preview = history.change_history_preview
    change_history = history.change_history

    def __repr__(self) -> str:
        attached = f", on {self.server_id}" if self.server_id else ""
        size = f"{bytes_text(self.size)} {self.volume_type}"
        return f"<Volume {self._named()}: {self.state}, {size} in {self.zone}{attached}>"


class Volumes:
    """The volumes of a region."""

    def __init__(self, region: "Region") -> None:
        self._region = region

    def get(self, volume_id: str) -> Volume:
        """Return one volume.

        Raises:
            NotFound: there is none of that id in this account and region.
        """
        check_id("volume", volume_id)
        answer = self._region.aws.call("DescribeVolumes", volume_id, VolumeIds=[volume_id])
        return Volume(self._region, answer["Volumes"][0])

    def find(self, ids: Sequence[str] | None = None, **wanted: Any) -> Listing[Volume]:
        """List volumes, newest first.

        Args:
            ids: these only; what is not there is left out and named in `Listing.dropped`.
            wanted: see `snapkit.ebs.finding.Wanted`.

        Raises:
            InvalidRequest: a filter cannot be.
            AwsError: AWS refuses.
        """
        want = Wanted.of(self._region, wanted, "volume")
        filters, dropped = want.filters("volume"), dict[str, str]()
        if ids is None:
            raws = self._region.aws.pages("DescribeVolumes", "Volumes", Filters=filters or None)
        else:
            raws = in_batches(self._region, "volume", ids, filters, dropped)
        found = [volume for raw in raws if want.meets(volume := Volume(self._region, raw))]
        found.sort(key=lambda volume: (volume.created_at, volume.id), reverse=True)
        return Listing(found, COLUMNS, noun="volume", dropped=dropped)

    def create(
        self,
        zone: str,
        size: Size | None = None,
        *,
        snapshot: Snapshot | str | None = None,
        name: str | None = None,
        group: str | None = None,
        billing_code: str | None = None,
        volume_type: str = "gp3",
        **options: Any,
    ) -> Volume:
        """Make a volume, empty or from a snapshot.

        Args:
            zone: the availability zone, one of `Region.zones`.
            size: in whole GiB, by default that of the snapshot, and never below it.
            snapshot: to begin with, or its id.
            name: of the volume.
            group: that it belongs to; by default that of the snapshot.
            billing_code: that pays for it; by default that of the snapshot.
            volume_type: such as ``"gp3"``.
            options: ``iops``, ``throughput`` [MiB/s], ``encrypted``, ``kms_key_id``, ``initialization_rate`` [MiB/s],
                ``tags``.

        Raises:
            InvalidRequest: the zone is not in this region, the size is missing or too small, the snapshot is not
                complete or is archived, or there is no volume of that type with that size or an option.
            AwsError: AWS refuses.
        """
        region = self._region
        unknown = sorted(set(options) - set(_OPTIONS) - {"tags"})
        if unknown:
            raise InvalidRequest("option", unknown[0], "is not known", f"use one of {', '.join((*_OPTIONS, 'tags'))}")
        check_zone(region, zone)
        source = region.snapshots.get(snapshot) if isinstance(snapshot, str) else snapshot and snapshot.refresh()
        gib = None if size is None else to_gib(size)
        if source is None and gib is None:
            raise InvalidRequest("size", size, "is missing", "give one, or a snapshot")
        if source is not None:
            if gib is not None:
                check_not_below(source, gib)
            check_source(source)
        check_kind(volume_type, gib or (source.size // GIB if source else 0), options, empty=source is None)
        tags = region.tag_keys.tags(
            name,
            group or (source.group if source else None),
            billing_code or (source.billing_code if source else None),
            options.pop("tags", None),
        )
        tags = region.owned(tags)
        if source is not None:
            region.allow("Snapshot", "CreateVolume", source)
            region.allow("Snapshot", "CreateVolume", region.belonging(tags))
        else:
            region.allow("Volume", "Create", region.belonging(tags))
        whole = source.size if gib is None and source is not None else (gib or 0) * GIB
        with region.charging.hold_volume(tags, volume_type, whole, options):
            made = region.aws.create(
                "CreateVolume",
                source.id if source else "",
                region.clock.sleep,
                AvailabilityZone=zone,
                Size=gib,
                SnapshotId=source.id if source else None,
                VolumeType=volume_type,
                TagSpecifications=[{"ResourceType": "volume", "Tags": to_aws(tags)}] if tags else None,
                **{_OPTIONS[option]: value for option, value in options.items()},
            )
        return Volume(region, made)


def check_zone(region: "Region", zone: object) -> None:
    """Refuse an availability zone that is not in a region, or none at all.

    Raises:
        InvalidRequest: it is not.
    """
    if not zone:
        raise InvalidRequest("zone", zone, "is missing", f"choose one of {', '.join(region.zones)}")
    if zone not in region.zones:
        raise InvalidRequest("zone", zone, f"is not in {region.name}", f"choose one of {', '.join(region.zones)}")


def check_not_below(source: Snapshot, gib: int) -> None:
    """Refuse a size [GiB] for a volume of a snapshot that is below the original's.

    Raises:
        InvalidRequest: it is.
    """
    if gib * GIB < source.size:
        least = bytes_text(source.size)
        raise InvalidRequest("size", f"{gib} GiB", f"is below the {least} of {source.id}", f"give {least} or more")


def check_source(source: Snapshot) -> None:
    """Refuse a snapshot, as it was last read, that no volume can be made of.

    Raises:
        InvalidRequest: it is not complete, or archived.
    """
    if source.state != "completed":
        remedy = "wait() for it" if source.state == "pending" else "choose a complete one"
        raise InvalidRequest("snapshot", source.id, f"is {source.state}, not completed", remedy)
    if source.tier != "standard":
        raise InvalidRequest("snapshot", source.id, "is archived", "restore_from_archive() first, and wait for that")


_OPTIONS: Mapping[str, str] = {
    "iops": "Iops",
    "throughput": "Throughput",
    "encrypted": "Encrypted",
    "kms_key_id": "KmsKeyId",
    "initialization_rate": "VolumeInitializationRate",
}


def check_description(description: str) -> None:
    """Refuse a description that EC2 would refuse.

    Raises:
        InvalidRequest: it is too long.
    """
    if not isinstance(description, str):
        raise InvalidRequest("description", description, "is no text", "give text")
    if len(description) > LONGEST_DESCRIPTION:
        raise InvalidRequest(
            "description", description, f"is longer than {LONGEST_DESCRIPTION} characters", "shorten it"
        )


COLUMNS: tuple[Column[Volume], ...] = (
    Column("ID", lambda each: each.id, "id", lambda each: each.id),
    Column("name", lambda each: each.name, "name", lambda each: each.name),
    Column("device", lambda each: each.device, "device", lambda each: each.device),
    Column("server", lambda each: each.server_id, "server", lambda each: each.server_id),
    Column("size", lambda each: bytes_text(each.size), "size_bytes", lambda each: each.size, "int64"),
    Column("type", lambda each: each.volume_type, "volume_type", lambda each: each.volume_type),
    Column("zone", lambda each: each.zone, "zone", lambda each: each.zone),
    Column("group", lambda each: each.group, "group", lambda each: each.group),
    Column("billing code", lambda each: each.billing_code, "billing_code", lambda each: each.billing_code),
    Column("state", lambda each: each.state, "state", lambda each: each.state),
)
"""The columns of the original's page."""
