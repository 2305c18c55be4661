"""What the tests of the SDK stand on: regions of a sandbox, in process or behind HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest

from snapkit import Sandbox
from snapkit.clock import RemoteClock
from snapkit.ebs import Region, Server, Volume
from tests.sandbox.ground import Ground

OWN, OTHER = "111122223333", "444455556666"
ZONE = "us-east-1a"
HOSTILE = "<img src=x onerror=alert(1)>"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;"


class Field(Ground):
    """A ground on which regions stand."""

    def region(self, name: str = "us-east-1", account: int = 0) -> Region:
        """Look at a region anew, as after a restart."""
        if self.endpoint is None:
            return self.sandbox.region(name, self.accounts[account])
        return Region(
            self.ec2(account, name),
            clock=RemoteClock(self.endpoint),
            clients=lambda service: self.client(service, account, name),
        )

    def new_volume(self, gib: int = 8, *, written: int = 100, region: Region | None = None, **options: Any) -> Volume:
        """Create a volume, with so many blocks written from its beginning."""
        volume = (region or self.region()).volumes.create(ZONE, f"{gib} GiB", **options)
        self.sandbox.write(volume.id, 0, written)
        return volume

    def new_server(self, zone: str = ZONE, data_volumes: int = 0) -> Server:
        """Run a server, with so many volumes besides the one that it starts from."""
        server_id = self.instance(zone=zone)
        for _ in range(data_volumes):
            self.new_volume().attach(server_id)
        return self.region().servers.get(server_id)

    def faults(self, operation: str, **counts: Any) -> None:
        """Let the next calls of an operation go wrong."""
        self.sandbox.faults.add(operation, **counts)

    def count(self) -> int:
        """Count the snapshots that there really are."""
        self.sandbox.faults.clear()
        return len(self.sandbox.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"])


@pytest.fixture(params=["in process", "served"])
def field(request: pytest.FixtureRequest) -> Iterator[Field]:
    with Sandbox(accounts=[OWN, OTHER]) as sandbox:
        yield Field(sandbox.serve() if request.param == "served" else None, sandbox)
