"""What a row of the conformance suite stands on: a sandbox, in process or behind HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from snapkit import Sandbox
from snapkit.clock import RemoteClock

ONE_TRY = Config(retries={"total_max_attempts": 1, "mode": "standard"})
"""So that a refusal is seen and not tried again."""


class Ground:
    """A sandbox of two accounts, as a script would meet it.

    Attributes:
        sandbox: the object itself, for what only a test may do: writes, faults.
        clock: moves its time; over HTTP where the sandbox is served.
        accounts: the ids of its accounts.
    """

    def __init__(self, endpoint: str | None, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.endpoint = endpoint
        self.clock: Any = RemoteClock(endpoint) if endpoint else sandbox.clock
        self.accounts = sandbox.accounts
        self._clients: dict[tuple[str, int, str], Any] = {}

    def client(self, service: str, account: int = 0, region: str = "us-east-1") -> Any:
        """Make a client: the sandbox's own, or a plain one of boto3 with nothing but an endpoint and keys."""
        key = (service, account, region)
        if key not in self._clients:
            self._clients[key] = self._make(service, self.accounts[account], region)
        return self._clients[key]

    def _make(self, service: str, owner: str, region: str) -> Any:
        if self.endpoint is None:
            return self.sandbox.client(service, region, owner, config=ONE_TRY)
        keys = self.sandbox.credentials(owner)
        return boto3.client(service, region, endpoint_url=self.endpoint, config=ONE_TRY, **keys)

    def ec2(self, account: int = 0, region: str = "us-east-1") -> Any:
        """Make a client of EC2."""
        return self.client("ec2", account, region)

    def volume(
        self, gib: int = 10, *, written: int = 0, account: int = 0, region: str = "us-east-1", **more: Any
    ) -> str:
        """Create a volume, with so many blocks written from its beginning; returns its id."""
        zone = more.pop("AvailabilityZone", f"{region}a")
        made = self.ec2(account, region).create_volume(
            AvailabilityZone=zone, Size=gib, VolumeType=more.pop("VolumeType", "gp3"), **more
        )
        if written:
            self.sandbox.write(made["VolumeId"], 0, written)
        return str(made["VolumeId"])

    def snapshot(
        self, volume_id: str | None = None, *, account: int = 0, region: str = "us-east-1", **more: Any
    ) -> str:
        """Take a snapshot, of a new volume by default, and let it complete; returns its id."""
        volume_id = volume_id or self.volume(account=account, region=region)
        taken = self.ec2(account, region).create_snapshot(VolumeId=volume_id, **more)["SnapshotId"]
        self.clock.advance("12h")
        assert self.shown(taken, account=account, region=region)["State"] == "completed"
        return str(taken)

    def shown(self, snapshot_id: str, *, account: int = 0, region: str = "us-east-1") -> dict[str, Any]:
        """Describe one snapshot."""
        found = self.ec2(account, region).describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"]
        return dict(found[0])

    def instance(self, *, region: str = "us-east-1", account: int = 0, zone: str | None = None, **more: Any) -> str:
        """Run an instance, with its root volume; returns its id."""
        run = self.ec2(account, region).run_instances(
            ImageId="ami-12345678", MinCount=1, MaxCount=1, Placement={"AvailabilityZone": zone or f"{region}a"}, **more
        )
        return str(run["Instances"][0]["InstanceId"])


def refused(code: str, call: Callable[[], object], message: str = "") -> ClientError:
    """See that a call is refused with a code, and with a message that says something, this among it."""
    with pytest.raises(ClientError) as caught:
        call()
    error = caught.value.response["Error"]
    assert error["Code"] == code, error
    assert error["Message"] not in (None, "", "None")
    assert message in error["Message"]
    return caught.value


@dataclass(frozen=True)
class Row:
    """A rule of AWS.

    Attributes:
        name: what the rule is about.
        source: where AWS says so.
        check: sees that the sandbox keeps it.
    """

    name: str
    source: str
    check: Callable[[Ground], None]


class Table(list[Row]):
    """The rules of one gap."""

    def row(self, source: str) -> Callable[[Callable[[Ground], None]], Callable[[Ground], None]]:
        """Add a function as a row; its name says the rule."""

        def add(check: Callable[[Ground], None]) -> Callable[[Ground], None]:
            self.append(Row(check.__name__, source, check))
            return check

        return add

    def refusal(self, name: str, source: str, code: str, call: Callable[[Ground], object], message: str = "") -> None:
        """Add a row about a call that is refused."""

        def check(ground: Ground) -> None:
            refused(code, lambda: call(ground), message)

        self.append(Row(name, source, check))
