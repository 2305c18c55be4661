"""Servers as objects: EC2 instances, as far as their volumes go."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from snapkit.ebs._resource import Resource, check_id
from snapkit.ebs.columns import COLUMNS as SNAPSHOT_COLUMNS
from snapkit.ebs.describing import in_batches
from snapkit.ebs.finding import Wanted
from snapkit.ebs.listing import Column, Listing
from snapkit.ebs.snapshots import Snapshot
from snapkit.ebs.volumes import COLUMNS as VOLUME_COLUMNS
from snapkit.ebs.volumes import Volume, check_description
from snapkit.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    from snapkit.ebs.region import Region


class Server(Resource):
    """A server: what was last read of it, and what can be done with its volumes."""

    kind = "server"
    id_key = "InstanceId"

    @property
    def state(self) -> str:
        """Its state, such as running."""
        return str(self.raw["State"]["Name"])

    @property
    def zone(self) -> str:
        """The availability zone."""
        return str(self.raw["Placement"]["AvailabilityZone"])

    @property
    def created_at(self) -> datetime:
        """When it was launched."""
        launched: datetime = self.raw["LaunchTime"]
        return launched

    @property
    def devices(self) -> Mapping[str, str]:
        """The ids of its volumes by device name."""
        return {each["DeviceName"]: each["Ebs"]["VolumeId"] for each in self.raw["BlockDeviceMappings"]}

    @property
    def root_volume_id(self) -> str:
        """The volume that it starts from, or nothing."""
        return self.devices.get(str(self.raw.get("RootDeviceName")), "")

    def refresh(self) -> "Server":
        """Read it again; returns itself.

        Raises:
            NotFound: it is gone.
        """
        self.raw = self.region.servers.get(self.id).raw
        return self

    def volumes(self) -> Listing[Volume]:
        """List the volumes that it had when it was last read, in order of their devices.

        Raises:
            AwsError: AWS refuses.
        """
        ids = [self.devices[device] for device in sorted(self.devices)]
        raws = self.region.aws.call("DescribeVolumes", self.id, VolumeIds=ids)["Volumes"] if ids else []
        by_id = {raw["VolumeId"]: raw for raw in raws}
        found = [Volume(self.region, by_id[volume_id]) for volume_id in ids if volume_id in by_id]
        return Listing(found, VOLUME_COLUMNS, noun="volume")

    def take_snapshots(
        self,
        name: str | None = None,
        *,
        group: str | None = None,
        billing_code: str | None = None,
        description: str = "",
        tags: Mapping[str, str] | None = None,
        root: bool = True,
        leave_out: Sequence[str] = (),
    ) -> Listing[Snapshot]:
        """Begin snapshots of all its volumes, of one and the same moment.

        They are consistent among each other as after a power failure, complete together, and fail together.

        Args:
            name: of the snapshots, by default that of the server.
            group: that they belong to, by default that of the server.
            billing_code: that pays for them, by default that of the server.
            description: of them.
            tags: besides.
            root: whether the volume that it starts from is among them.
            leave_out: ids of data volumes that are not.

        Raises:
            InvalidRequest: the tags or the description cannot be, or a volume to leave out is not attached.
            OutcomeUnknown: no answer came, and nothing was found.
            AwsError: AWS refuses.
        """
        self.region.allow("Server", "Image", self)
        check_description(description)
        attached = set(self.devices.values())
        for volume_id in leave_out:
            if volume_id not in attached or volume_id == self.root_volume_id:
                remedy = "name data volumes of this server only; root=False leaves out the root volume"
                raise InvalidRequest("leave_out", volume_id, f"is no data volume of {self.id}", remedy)
        taken = attached - set(leave_out) - (set() if root else {self.root_volume_id})
        if not taken:
            raise InvalidRequest("server", self.id, "has no volume left to take a snapshot of", "leave out fewer")
        written = self.region.tag_keys.tags(
            name or self.name, group or self.group, billing_code or self.billing_code, tags
        )
        self.region.allow("Server", "Image", self.region.belonging(self.region.owned(written)))
        self.region.charging.charge_snapshots(
            written, lambda: [each.size for each in self.volumes() if each.id in taken]
        )
        begun = self.region.taking.begin(
            "CreateSnapshots",
            self.id,
            written,
            tuple(sorted(taken)),
            InstanceSpecification={
                "InstanceId": self.id,
                "ExcludeBootVolume": not root,
                **({"ExcludeDataVolumeIds": list(leave_out)} if leave_out else {}),
            },
            Description=description or None,
        )
        # Not looked up again: a new id may be hidden for a while.
        found = sorted((Snapshot(self.region, each) for each in begun), key=lambda each: each.volume_id)
        return Listing(found, SNAPSHOT_COLUMNS, noun="snapshot")

    def __repr__(self) -> str:
        count = len(self.devices)
        return f"<Server {self._named()}: {self.state} in {self.zone}, {count} volume{'' if count == 1 else 's'}>"


class Servers:
    """The servers of a region."""

    def __init__(self, region: "Region") -> None:
        self._region = region

    def get(self, server_id: str) -> Server:
        """Return one server.

        Raises:
            NotFound: there is none of that id in this account and region.
        """
        check_id("server", server_id)
        parts = self._region.aws.call("DescribeInstances", server_id, InstanceIds=[server_id])["Reservations"]
        found = [Server(self._region, raw) for part in parts for raw in part["Instances"]]
        if not found:
            raise NotFound("InvalidInstanceID.NotFound", "DescribeInstances", "there is no such server", server_id)
        return found[0]

    def find(self, ids: Sequence[str] | None = None, **wanted: Any) -> Listing[Server]:
        """List servers, newest first.

        Args:
            ids: these only; what is not there is left out and named in `Listing.dropped`.
            wanted: see `snapkit.ebs.finding.Wanted`.

        Raises:
            InvalidRequest: a filter cannot be.
            AwsError: AWS refuses.
        """
        want = Wanted.of(self._region, wanted, "server")
        filters, dropped = want.filters("server"), dict[str, str]()
        if ids is None:
            parts = self._region.aws.pages("DescribeInstances", "Reservations", Filters=filters or None)
        else:
            parts = in_batches(self._region, "server", ids, filters, dropped)
        made = (Server(self._region, raw) for part in parts for raw in part["Instances"])
        found = [server for server in made if want.meets(server)]
        found.sort(key=lambda server: (server.created_at, server.id), reverse=True)
        return Listing(found, COLUMNS, noun="server", dropped=dropped)


COLUMNS: tuple[Column[Server], ...] = (
    Column("ID", lambda each: each.id, "id", lambda each: each.id),
    Column("name", lambda each: each.name, "name", lambda each: each.name),
    Column("zone", lambda each: each.zone, "zone", lambda each: each.zone),
    Column("volumes", lambda each: str(len(each.devices)), "volumes", lambda each: len(each.devices), "int64"),
    Column("group", lambda each: each.group, "group", lambda each: each.group),
    Column("billing code", lambda each: each.billing_code, "billing_code", lambda each: each.billing_code),
    Column("state", lambda each: each.state, "state", lambda each: each.state),
)
"""What one looks for when a volume is to be attached."""
