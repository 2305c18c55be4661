"""A believable estate: what somebody might find who opens the snapshots page of a company for the first time.

It is made through the operations that AWS has, in the order in which it might have come about, so that nothing in it
breaks a rule. Everything in it is made up.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.tags import STANDARD, to_aws

if TYPE_CHECKING:
    from snapkit.sandbox.sandbox import Sandbox

ACCOUNTS: Mapping[str, str] = {"111122223333": "production", "444455556666": "staging", "777788889999": "audit"}
PRODUCTION, STAGING, AUDIT = ACCOUNTS
US, EU = "us-east-1", "eu-west-1"

_DAY = timedelta(days=1)
_HISTORIES: Mapping[str, tuple[timedelta, int]] = {
    "weekly": (7 * _DAY, 8),
    "daily": (_DAY, 13),
    "hourly": (timedelta(hours=1), 23),
}
_LENGTH = 62 * _DAY


@dataclass(frozen=True)
class _Volume:
    """A volume, how much of it is in use, and how often snapshots of it were taken."""

    name: str
    size: int
    data: str
    histories: tuple[str, ...]
    kind: str = "gp3"
    encrypted: bool = False


@dataclass(frozen=True)
class _Server:
    """A server with its volumes, the first of which it starts from."""

    name: str
    account: str
    zone: str
    group: str
    billing_code: str
    volumes: tuple[_Volume, ...]

    @property
    def region(self) -> str:
        return self.zone[:-1]

    def tags(self, name: str) -> list[dict[str, str]]:
        return _tags(name, self.group, self.billing_code)


_ALL = ("weekly", "daily", "hourly")
_SERVERS = (
    _Server("db-1", PRODUCTION, f"{US}a", "db", "CC-42", (
        _Volume("db-1 root", 20, "8 GiB", ("weekly",)),
        _Volume("db-1 data", 200, "40 GiB", _ALL),
    )),
    _Server("db-2", PRODUCTION, f"{US}b", "db", "CC-42", (
        _Volume("db-2 root", 20, "8 GiB", ("weekly",)),
        _Volume("db-2 data", 200, "40 GiB", ("weekly", "daily")),
    )),
    _Server("web-1", PRODUCTION, f"{US}a", "web", "CC-17", (_Volume("web-1 root", 20, "6 GiB", ("weekly",)),)),
    _Server("web-2", PRODUCTION, f"{US}b", "web", "CC-17", (_Volume("web-2 root", 20, "6 GiB", ("weekly",)),)),
    _Server("files-1", PRODUCTION, f"{US}a", "files", "CC-23", (
        _Volume("files-1 root", 20, "6 GiB", ()),
        _Volume("files-1 archive", 500, "100 GiB", ("daily",), kind="st1"),
    )),
    _Server("pay-1", PRODUCTION, f"{US}c", "payments", "CC-42", (
        _Volume("pay-1 root", 20, "6 GiB", ("weekly",)),
        _Volume("pay-1 ledger", 50, "10 GiB", ("weekly", "daily"), encrypted=True),
    )),
    _Server("app-eu", PRODUCTION, f"{EU}a", "app", "CC-31", (
        _Volume("app-eu root", 40, "12 GiB", ("weekly", "daily")),
    )),
    _Server("test-1", STAGING, f"{US}a", "test", "CC-90", (_Volume("test-1 root", 30, "10 GiB", ("daily",)),)),
    _Server("test-2", STAGING, f"{EU}a", "test", "CC-90", (_Volume("test-2 root", 30, "10 GiB", ("weekly",)),)),
    _Server("vault", AUDIT, f"{US}a", "audit", "CC-77", (_Volume("vault root", 20, "6 GiB", ("weekly",)),)),
)  # fmt: skip


def begin(start: datetime) -> datetime:
    """Tell when the history of an estate begins that is handed over at a moment.

    Raises:
        InvalidRequest: that would be before the year 1.
    """
    try:
        return start - _LENGTH
    except OverflowError:
        remedy = f"leave {_LENGTH.days} days for the history"
        raise InvalidRequest("start", str(start), "is too early for a demo", remedy) from None


def build(sandbox: "Sandbox", start: datetime) -> None:
    """Make the estate in an empty sandbox, and move its clock to the moment at which it is handed over."""
    _Builder(sandbox, start).build()


class _Builder:
    def __init__(self, sandbox: "Sandbox", start: datetime) -> None:
        self._sandbox = sandbox
        self._start = start
        self._clients: dict[tuple[str, str, str], Any] = {}
        self._due: list[tuple[datetime, int, Callable[[], object]]] = []
        self._newest: dict[str, str] = {}

    def build(self) -> None:
        for server in _SERVERS:
            self._launch(server)
        self._leave_orphans()
        self._at(40 * _DAY, self._make_image)
        self._at(6 * _DAY, self._copy_abroad)
        self._at(3 * _DAY, self._share)
        self._at(1.3 * _DAY, self._fail)
        self._at(timedelta(minutes=2), self._begin)
        for moment, _, action in sorted(self._due, key=lambda due: due[:2]):
            self._sandbox.clock.advance_to(moment)
            action()
        self._sandbox.clock.advance_to(self._start)

    def _at(self, ago: timedelta, action: Callable[[], object]) -> None:
        self._due.append((self._start - ago, len(self._due), action))

    def _client(self, account: str, region: str, service: str = "ec2") -> Any:
        key = (account, region, service)
        if key not in self._clients:
            self._clients[key] = self._sandbox.client(service, region, account)
        return self._clients[key]

    def _launch(self, server: _Server) -> None:
        ec2 = self._client(server.account, server.region)
        run = ec2.run_instances(
            ImageId="ami-0c0ffee0c0ffee000",
            InstanceType="m7i.large",
            MinCount=1,
            MaxCount=1,
            Placement={"AvailabilityZone": server.zone},
            BlockDeviceMappings=[
                {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": server.volumes[0].size, "VolumeType": "gp3"}}
            ],
            TagSpecifications=[{"ResourceType": "instance", "Tags": server.tags(server.name)}],
        )["Instances"][0]
        for number, volume in enumerate(server.volumes):
            if number == 0:
                volume_id = run["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]
                ec2.create_tags(Resources=[volume_id], Tags=server.tags(volume.name))
            else:
                volume_id = self._create(server, volume)
                ec2.attach_volume(
                    VolumeId=volume_id, InstanceId=run["InstanceId"], Device=f"/dev/sd{chr(ord('e') + number)}"
                )
            self._sandbox.run(volume_id, Workload.profile("workstation", volume.data))
            for history in volume.histories:
                self._keep_taking(server, volume, volume_id, history)

    def _create(self, server: _Server, volume: _Volume) -> str:
        more: dict[str, Any] = {}
        if volume.encrypted:
            key = self._client(server.account, server.region, "kms").create_key(Description=f"key of {volume.name}")
            more = {"Encrypted": True, "KmsKeyId": key["KeyMetadata"]["Arn"]}
        made = self._client(server.account, server.region).create_volume(
            AvailabilityZone=server.zone,
            Size=volume.size,
            VolumeType=volume.kind,
            TagSpecifications=[{"ResourceType": "volume", "Tags": server.tags(volume.name)}],
            **more,
        )
        return str(made["VolumeId"])

    def _keep_taking(self, server: _Server, volume: _Volume, volume_id: str, history: str) -> None:
        interval, count = _HISTORIES[history]

        def take() -> None:
            self._newest[volume.name] = self._client(server.account, server.region).create_snapshot(
                VolumeId=volume_id,
                Description=f"{history} snapshot of {volume.name}",
                TagSpecifications=[{"ResourceType": "snapshot", "Tags": server.tags(f"{volume.name}, {history}")}],
            )["SnapshotId"]

        offset = timedelta(minutes=20 + 7 * sorted(_HISTORIES).index(history))
        for back in range(count):
            self._at(back * interval + offset, take)

    def _leave_orphans(self) -> None:
        """Leave snapshots whose volume is gone."""
        ec2 = self._client(PRODUCTION, US)
        old = _Server("legacy", PRODUCTION, f"{US}a", "legacy", "CC-08", ())
        volume = _Volume("legacy data", 80, "20 GiB", ())
        volume_id = self._create(old, volume)
        self._sandbox.run(volume_id, Workload.profile("workstation", volume.data))
        for back in range(6):
            self._keep(old, volume, volume_id, timedelta(days=50 - back))
        self._at(timedelta(days=44), lambda: ec2.delete_volume(VolumeId=volume_id))

    def _keep(self, server: _Server, volume: _Volume, volume_id: str, ago: timedelta) -> None:
        self._at(
            ago,
            lambda: self._client(server.account, server.region).create_snapshot(
                VolumeId=volume_id,
                Description="before the migration",
                TagSpecifications=[{"ResourceType": "snapshot", "Tags": server.tags(volume.name)}],
            ),
        )

    def _make_image(self) -> None:
        """Make an image, which holds a snapshot."""
        ec2 = self._client(PRODUCTION, US)
        found = ec2.describe_instances(Filters=[{"Name": "tag:Name", "Values": ["web-1"]}])
        instance = found["Reservations"][0]["Instances"][0]
        ec2.create_image(
            InstanceId=instance["InstanceId"], Name="web-golden", Description="what web servers start from"
        )

    def _copy_abroad(self) -> None:
        """Copy the newest database snapshot to the other region."""
        self._client(PRODUCTION, EU).copy_snapshot(
            SourceRegion=US,
            SourceSnapshotId=self._newest["db-2 data"],
            Description="db-2 data, for disaster recovery",
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": _tags("db-2 data, copy", "db", "CC-42")}],
        )

    def _share(self) -> None:
        """Share between accounts, and once with everyone."""
        for account, region, name, grant in (
            (STAGING, US, "test-1 root", [{"UserId": PRODUCTION}]),
            (PRODUCTION, US, "db-1 data", [{"UserId": AUDIT}]),
            (STAGING, EU, "test-2 root", [{"Group": "all"}]),
        ):
            self._client(account, region).modify_snapshot_attribute(
                SnapshotId=self._newest[name],
                Attribute="createVolumePermission",
                CreateVolumePermission={"Add": grant},
            )

    def _begin(self) -> None:
        """Leave a snapshot in progress."""
        ec2 = self._client(PRODUCTION, US)
        volumes = ec2.describe_volumes(Filters=[{"Name": "tag:Name", "Values": ["web-2 root"]}])["Volumes"]
        ec2.create_snapshot(
            VolumeId=volumes[0]["VolumeId"],
            Description="by hand, before the update",
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": _tags("web-2 root, by hand", "web", "CC-17")}],
        )

    def _fail(self) -> None:
        """Let one snapshot end in error."""
        ec2 = self._client(PRODUCTION, EU)
        volumes = ec2.describe_volumes(Filters=[{"Name": "tag:Name", "Values": ["app-eu root"]}])["Volumes"]
        self._sandbox.faults.add("CreateSnapshot", failing=1)
        ec2.create_snapshot(
            VolumeId=volumes[0]["VolumeId"],
            Description="by hand, before the update",
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": _tags("app-eu root, by hand", "app", "CC-31")}],
        )


def _tags(name: str, group: str, billing_code: str) -> list[dict[str, str]]:
    return to_aws(STANDARD.tags(name, group, billing_code))
