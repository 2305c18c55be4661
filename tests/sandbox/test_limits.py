"""What a sandbox refuses that was made with the limits of AWS; every number is of aws.amazon.com's developer guide."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from snapkit import Sandbox
from snapkit.sandbox.call import Call
from snapkit.sandbox.refusal import Refusal
from tests.sandbox.ground import ONE_TRY, refused


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(accounts=["111122223333", "444455556666"], limits="aws")


def taken(sandbox: Sandbox, operation: str, service: str = "ec2", **more: Any) -> int:
    """Ask until refused; returns how often it was taken."""
    count = 0
    while count < 5000 and not refusal_of(sandbox, operation, service, **more):
        count += 1
    return count


def refusal_of(
    sandbox: Sandbox,
    operation: str,
    service: str = "ec2",
    *,
    account: str = "111122223333",
    region: str = "us-east-1",
    **params: Any,
) -> Refusal | None:
    world = sandbox._world
    assert world.buckets is not None
    call = Call(world=world, account=account, region=region, service=service, operation=operation, params=params)
    try:
        world.buckets.take(call)
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.parametrize(
    ("service", "operation", "params", "size", "refill"),
    [
        ("ec2", "DescribeSnapshotTierStatus", {}, 100, 20),
        ("ec2", "ListSnapshotsInRecycleBin", {}, 100, 20),
        ("ec2", "GetEbsEncryptionByDefault", {}, 100, 20),
        ("ec2", "DescribeSnapshots", {"MaxResults": 1000}, 100, 20),
        ("ec2", "DescribeSnapshots", {"NextToken": "token"}, 100, 20),
        ("ec2", "DescribeSnapshots", {"Filters": [{"Name": "status", "Values": ["pending"]}]}, 100, 20),
        ("ec2", "DescribeSnapshots", {}, 50, 10),
        ("ec2", "DescribeSnapshots", {"OwnerIds": ["self"]}, 50, 10),
        ("ec2", "DescribeVolumes", {}, 50, 10),
        ("ec2", "DescribeInstances", {}, 50, 10),
        ("ec2", "CopySnapshot", {}, 50, 5),
        ("ec2", "LockSnapshot", {}, 50, 5),
        ("ec2", "ModifySnapshotTier", {}, 50, 5),
        ("ec2", "EnableFastSnapshotRestores", {}, 50, 5),
        ("ec2", "CreateSnapshot", {}, 100, 5),
        ("ec2", "CreateSnapshots", {}, 100, 5),
        ("ec2", "DeleteSnapshot", {}, 100, 5),
        ("ec2", "ModifySnapshotAttribute", {}, 100, 5),
        ("ec2", "CreateVolume", {}, 100, 5),
        ("ec2", "DeleteVolume", {}, 100, 5),
        ("ec2", "DeregisterImage", {}, 100, 5),
        ("ec2", "CreateTags", {}, 100, 10),
        ("ec2", "DeleteTags", {}, 100, 10),
        ("ec2", "CopyImage", {}, 100, 1),
        ("ec2", "EnableSnapshotBlockPublicAccess", {}, 1, 0.1),
        ("ec2", "DisableSnapshotBlockPublicAccess", {}, 1, 0.1),
        ("ec2", "RunInstances", {}, 5, 2),
        ("ebs", "ListChangedBlocks", {}, 50, 50),
        ("ebs", "ListSnapshotBlocks", {}, 50, 50),
        ("ebs", "GetSnapshotBlock", {}, 1000, 1000),
        ("ebs", "PutSnapshotBlock", {}, 1000, 1000),
        ("ebs", "StartSnapshot", {}, 10, 10),
        ("ebs", "CompleteSnapshot", {}, 10, 10),
    ],
)
def test_a_bucket_holds_its_size_and_refills_at_its_rate(
    sandbox: Sandbox, service: str, operation: str, params: dict[str, Any], size: float, refill: float
) -> None:
    assert taken(sandbox, operation, service, **params) == size
    assert taken(sandbox, operation, service, **params) == 0
    sandbox.clock.advance(1 / refill)
    assert taken(sandbox, operation, service, **params) == 1
    sandbox.clock.advance(size / refill)
    assert taken(sandbox, operation, service, **params) == size
    sandbox.clock.advance("1d")
    assert taken(sandbox, operation, service, **params) == size


def test_an_empty_bucket_of_100_is_full_again_after_5_seconds_and_not_before(sandbox: Sandbox) -> None:
    assert taken(sandbox, "DescribeRegions") == 100
    sandbox.clock.advance(4.9)
    assert taken(sandbox, "DescribeRegions") == 98
    sandbox.clock.advance(5)
    assert taken(sandbox, "DescribeRegions") == 100


def test_a_thousand_snapshots_take_three_minutes_at_the_least(sandbox: Sandbox) -> None:
    start, begun = sandbox.clock.now(), 0
    while begun < 1000:
        if refusal_of(sandbox, "CreateSnapshot"):
            sandbox.clock.advance(0.2)
        else:
            begun += 1
    assert (sandbox.clock.now() - start).total_seconds() == pytest.approx(180, abs=0.3)


@pytest.mark.parametrize(
    "other", [{"account": "444455556666"}, {"region": "eu-west-1"}, {"operation": "DeleteSnapshot"}, {"service": "ebs"}]
)
def test_accounts_regions_and_actions_have_buckets_of_their_own(sandbox: Sandbox, other: dict[str, str]) -> None:
    assert taken(sandbox, "CreateSnapshot") == 100
    assert refusal_of(sandbox, **{"operation": "CreateSnapshot", **other}) is None


def test_pages_do_not_take_from_the_bucket_of_whole_listings(sandbox: Sandbox) -> None:
    assert taken(sandbox, "DescribeSnapshots") == 50
    assert taken(sandbox, "DescribeSnapshots", MaxResults=5) == 100


def test_other_services_are_not_limited(sandbox: Sandbox) -> None:
    assert taken(sandbox, "GetCallerIdentity", "sts") == 5000


def of_a_client(sandbox: Sandbox, served: bool) -> Callable[[str], Any]:
    if not served:
        return lambda service: sandbox.client(service, config=ONE_TRY)
    import boto3

    endpoint = sandbox.serve()
    return lambda service: boto3.client(
        service, "us-east-1", endpoint_url=endpoint, config=ONE_TRY, **sandbox.credentials()
    )


@pytest.mark.parametrize("served", [False, True], ids=["in process", "served"])
def test_ec2_refuses_with_request_limit_exceeded(sandbox: Sandbox, served: bool) -> None:
    with sandbox:
        ec2 = of_a_client(sandbox, served)("ec2")
        for _ in range(50):
            ec2.describe_snapshots()
        error = refused("RequestLimitExceeded", ec2.describe_snapshots, "Request limit exceeded.")
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        sandbox.clock.advance(0.1)
        ec2.describe_snapshots()


@pytest.mark.parametrize("served", [False, True], ids=["in process", "served"])
def test_the_direct_apis_refuse_with_request_throttled(sandbox: Sandbox, served: bool) -> None:
    with sandbox:
        ebs = of_a_client(sandbox, served)("ebs")
        for _ in range(50):
            with pytest.raises(ClientError, match="Exception"):
                ebs.list_snapshot_blocks(SnapshotId="snap-00000000000000000")
        error = refused(
            "RequestThrottledException", lambda: ebs.list_snapshot_blocks(SnapshotId="snap-00000000000000000")
        )
        assert error.response["Reason"] == "ACCOUNT_THROTTLED"
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_what_moto_answers_is_read_for_pages_and_filters_too(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2", config=ONE_TRY)
    for _ in range(50):
        ec2.describe_instances()
    refused("RequestLimitExceeded", ec2.describe_instances)
    ec2.describe_instances(MaxResults=5)


def test_a_loop_of_calls_succeeds_and_its_pauses_pass_on_the_clock(sandbox: Sandbox) -> None:
    ec2, start = sandbox.client("ec2"), sandbox.clock.now()
    for _ in range(300):
        ec2.describe_snapshots(MaxResults=1000)
    assert (sandbox.clock.now() - start).total_seconds() == 10


def test_without_limits_nothing_is_refused_and_no_time_passes() -> None:
    sandbox = Sandbox()
    ec2, start = sandbox.client("ec2", config=ONE_TRY), sandbox.clock.now()
    for _ in range(150):
        ec2.describe_snapshots()
    assert sandbox.clock.now() == start


def test_faults_are_no_requests_that_count(sandbox: Sandbox) -> None:
    sandbox.faults.add("DescribeSnapshots", throttle=10)
    ec2 = sandbox.client("ec2", config=ONE_TRY)
    for _ in range(10):
        refused("RequestLimitExceeded", ec2.describe_snapshots)
    for _ in range(50):
        ec2.describe_snapshots()
    refused("RequestLimitExceeded", ec2.describe_snapshots)
