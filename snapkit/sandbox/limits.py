"""How many requests AWS takes in a time: token buckets, refilled as the clock of the sandbox moves."""

from typing import NamedTuple

from snapkit.rules import COPYINGS, CREATIONS, DELETIONS
from snapkit.sandbox.call import Call
from snapkit.sandbox.refusal import Refusal


class Rate(NamedTuple):
    """A bucket: how many requests at once, and how many a second from then on."""

    size: float
    refill: float


READING = Rate(100, 20)
"""Describe*, List* and Get*. Source: EC2 Developer Guide, "Request throttling", non-mutating actions."""

LISTING_ALL = Rate(50, 10)
"""Some of them without filter and pages. Source: the same, unfiltered and unpaginated non-mutating actions."""

CHANGING = Rate(50, 5)
"""Everything else that has no bucket of its own. Source: the same, mutating actions."""

UNFILTERED = ("DescribeInstances", "DescribeSnapshots", "DescribeVolumes")
"""Source: the same, the list of those actions, as far as it is about storage."""

CHANGES = {
    **dict.fromkeys(
        (
            "CreateSnapshots",
            "CreateVolume",
            "DeleteVolume",
            "DeregisterImage",
            "ModifySnapshotAttribute",
        ),
        Rate(100, 5),
    ),
    "CreateSnapshot": Rate(*CREATIONS),
    "DeleteSnapshot": Rate(*DELETIONS),
    "CopySnapshot": Rate(*COPYINGS),
    "CopyImage": Rate(100, 1),
    "CreateTags": Rate(100, 10),
    "DeleteTags": Rate(100, 10),
    "DisableSnapshotBlockPublicAccess": Rate(1, 0.1),
    "EnableSnapshotBlockPublicAccess": Rate(1, 0.1),
    "RunInstances": Rate(5, 2),
}
"""Source: the same, uncategorized actions."""

DIRECT = {
    "CompleteSnapshot": Rate(10, 10),
    "GetSnapshotBlock": Rate(1000, 1000),
    "ListChangedBlocks": Rate(50, 50),
    "ListSnapshotBlocks": Rate(50, 50),
    "PutSnapshotBlock": Rate(1000, 1000),
    "StartSnapshot": Rate(10, 10),
}
"""The EBS direct APIs. Their quotas are rates per account; that a whole second's worth may come at once is *assumed*.

Source: Service Quotas, Amazon EBS, L-1D4D9345, L-C125AE42, L-DB2FBAA1, L-18E976AB, L-AFAE1BE8 and L-AFEBDF7A.
"""


def throttled(service: str) -> Refusal:
    """Refuse a request that comes too soon, as the service does.

    Source: EC2 Developer Guide, "Request throttling"; the model of the EBS direct APIs, RequestThrottledException.
    """
    if service == "ec2":
        return Refusal("RequestLimitExceeded", "Request limit exceeded.", 503)
    if service == "ebs":
        return Refusal("RequestThrottledException", "Rate exceeded", Reason="ACCOUNT_THROTTLED")
    return Refusal("ThrottlingException", "Rate exceeded")


class Buckets:
    """The token buckets of a sandbox made with ``limits="aws"``: one per account, region and action."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str, str, str, Rate], tuple[float, float]] = {}

    def take(self, call: Call) -> None:
        """Take a token for a request.

        Raises:
            Refusal: there is none left.
        """
        rate = _rate(call)
        if rate is None:
            return
        bucket = (call.account, call.region, call.service, call.operation, rate)
        now = call.world.clock.seconds()
        left, then = self._left.get(bucket, (rate.size, now))
        left = min(rate.size, left + (now - then) * rate.refill)
        enough = left >= 1 - 1e-9  # ten times 0.1 is a token
        self._left[bucket] = (left - 1 if enough else left, now)
        if not enough:
            raise throttled(call.service)


def _rate(call: Call) -> Rate | None:
    """Find the bucket of a request; a service whose rates AWS does not publish has none."""
    name = call.operation
    if call.service == "ebs":
        return DIRECT.get(name)
    if call.service != "ec2":
        return None
    if name in UNFILTERED and not any(call.get(given) for given in ("Filters", "MaxResults", "NextToken")):
        return LISTING_ALL
    if name.startswith(("Describe", "Get", "List")):
        return READING
    return CHANGES.get(name, CHANGING)
