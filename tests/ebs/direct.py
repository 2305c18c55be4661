"""What the tests of block lists stand on: a stand-in for the EBS direct APIs."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
from botocore.exceptions import ClientError

from snapkit import Sandbox
from snapkit.ebs import Region, Snapshot, Volume

BLOCK = 524288
A, B = "snap-0000000000000000a", "snap-0000000000000000b"


class Direct:
    """A stand-in for the EBS direct APIs that knows what changed: small pages, empty ones, tokens that expire."""

    def __init__(self, changed: list[int], page: int = 10_000) -> None:
        self.changed = np.array(changed, np.int64)
        self.page = page
        self.asked: list[dict[str, Any]] = []
        self.empty_every = 0
        self.failing_from = 0
        self.expired = False

    def list_changed_blocks(self, **asked: Any) -> dict[str, Any]:
        assert asked["MaxResults"] == 10_000
        self.asked.append(asked)
        number = len(self.asked)
        if self.failing_from and number >= self.failing_from:
            raise ClientError({"Error": {"Code": "InternalServerException", "Message": "broken"}}, "ListChangedBlocks")
        if "NextToken" in asked and self.expired:
            error = {"Error": {"Code": "ValidationException", "Message": "expired"}, "Reason": "INVALID_PAGE_TOKEN"}
            raise ClientError(error, "ListChangedBlocks")
        start = int(asked["NextToken"]) if "NextToken" in asked else asked["StartingBlockIndex"]
        if self.empty_every and number % self.empty_every == 0:
            return {"ChangedBlocks": [], "NextToken": str(start)}
        first = int(np.searchsorted(self.changed, start))
        page = self.changed[first : first + self.page].tolist()
        listed = [{"BlockIndex": each, "FirstBlockToken": "a", "SecondBlockToken": "b"} for each in page]
        more = first + self.page < len(self.changed)
        return {"ChangedBlocks": listed} | ({"NextToken": str(page[-1] + 1)} if more else {})


def pair(direct: Direct, gib: int) -> tuple[Snapshot, Snapshot]:
    sandbox = Sandbox()
    region = Region(sandbox.client("ec2"), clock=sandbox.clock, clients=lambda _: direct)
    raw = {"VolumeId": "vol-1", "VolumeSize": gib, "State": "completed", "StartTime": datetime(2026, 1, 1, tzinfo=UTC)}
    first, second = (Snapshot(region, raw | {"SnapshotId": each}) for each in (A, B))
    return first, second


def taken(volume: Volume) -> Snapshot:
    return volume.take_snapshot().wait()
