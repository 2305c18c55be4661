"""Whatever can go wrong goes wrong when it is told to, for plain clients in process and over HTTP."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError, WaiterError

from snapkit import InvalidRequest, Sandbox
from tests.sandbox.ground import Ground, refused

LOST = (HTTPClientError, ConnectionError)


@pytest.fixture(params=["in process", "served"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    with Sandbox(accounts=["111122223333", "444455556666"]) as sandbox:
        yield Ground(sandbox.serve() if request.param == "served" else None, sandbox)


def once(kind: str, times: int = 1) -> dict[str, Any]:
    """So many faults of a kind, as `Faults.add` takes them."""
    return {kind: times}


def snapshots(ground: Ground, **more: Any) -> list[dict[str, Any]]:
    return list(ground.ec2(**more).describe_snapshots(OwnerIds=["self"])["Snapshots"])


def test_so_many_calls_are_throttled_and_then_no_more(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    ground.sandbox.faults.add("CreateSnapshot", throttle=3)
    for _ in range(3):
        error = refused("RequestLimitExceeded", lambda: ec2.create_snapshot(VolumeId=volume), "Request limit exceeded.")
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 503
        assert snapshots(ground) == []
    ec2.create_snapshot(VolumeId=volume)
    assert len(snapshots(ground)) == 1


@pytest.mark.parametrize(
    ("kind", "code", "status"), [("internal", "InternalError", 500), ("unavailable", "Unavailable", 503)]
)
def test_aws_fails_before_anything_is_done(ground: Ground, kind: str, code: str, status: int) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    ground.sandbox.faults.add("CreateSnapshot", **once(kind))
    error = refused(code, lambda: ec2.create_snapshot(VolumeId=volume))
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert snapshots(ground) == []
    ec2.create_snapshot(VolumeId=volume)


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("ebs", "ListSnapshotBlocks", {"SnapshotId": "snap-00000000000000000"}, "RequestThrottledException"),
        ("sts", "GetCallerIdentity", {}, "ThrottlingException"),
        ("kms", "ListKeys", {}, "ThrottlingException"),
    ],
)
def test_other_services_throttle_in_their_own_words(
    ground: Ground, service: str, operation: str, parameters: dict[str, str], code: str
) -> None:
    ground.sandbox.faults.add(operation, throttle=1)
    client = ground.client(service)
    method = {"ListSnapshotBlocks": "list_snapshot_blocks", "GetCallerIdentity": "get_caller_identity"}
    refused(code, lambda: getattr(client, method.get(operation, "list_keys"))(**parameters))


def test_other_services_fail_in_their_own_words(ground: Ground) -> None:
    for operation in ("ListSnapshotBlocks", "GetCallerIdentity", "GetResources"):
        ground.sandbox.faults.add(operation, internal=1, unavailable=1)
    ebs = ground.client("ebs")
    for code in ("InternalServerException", "ServiceUnavailable"):
        refused(code, lambda: ebs.list_snapshot_blocks(SnapshotId="snap-00000000000000000"))
    for code, status in (("InternalFailure", 500), ("ServiceUnavailable", 503)):
        for call in (ground.client("sts").get_caller_identity, ground.client("resourcegroupstaggingapi").get_resources):
            error = refused(code, call)
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_call_that_never_arrives_leaves_nothing_behind(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    ground.sandbox.faults.add("CreateSnapshot", unreachable=1)
    with pytest.raises(LOST):
        ec2.create_snapshot(VolumeId=volume)
    assert snapshots(ground) == []
    ec2.create_snapshot(VolumeId=volume)
    assert len(snapshots(ground)) == 1


def test_a_call_whose_answer_is_lost_has_taken_effect(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume()
    ground.sandbox.faults.add("CreateSnapshot", lost=1)
    with pytest.raises(LOST):
        ec2.create_snapshot(VolumeId=volume)
    (left,) = snapshots(ground)
    assert left["VolumeId"] == volume
    refused("SnapshotCreationPerVolumeRateExceeded", lambda: ec2.create_snapshot(VolumeId=volume))
    ground.clock.advance("15s")
    ec2.create_snapshot(VolumeId=volume)
    assert len(snapshots(ground)) == 2


@pytest.mark.parametrize("kind", ["unreachable", "lost"])
def test_calls_that_moto_answers_are_lost_likewise(ground: Ground, kind: str) -> None:
    kms = ground.client("kms")
    ground.sandbox.faults.add("CreateKey", **once(kind))
    with pytest.raises(LOST):
        kms.create_key()
    assert len(kms.list_keys()["Keys"]) == (kind == "lost")


def test_what_is_refused_is_not_lost(ground: Ground) -> None:
    ground.sandbox.faults.add("DeleteSnapshot", lost=1)
    ground.sandbox.faults.add("DisableKey", lost=1)
    refused("InvalidSnapshot.NotFound", lambda: ground.ec2().delete_snapshot(SnapshotId="snap-00000000000000000"))
    refused("NotFoundException", lambda: ground.client("kms").disable_key(KeyId="none"))
    assert [fault.operation for fault in ground.sandbox.faults.pending()] == ["DeleteSnapshot", "DisableKey"]


@pytest.mark.parametrize("kind", ["throttle", "internal", "unavailable", "unreachable"])
def test_a_client_that_retries_gets_over_two_of_them(kind: str) -> None:
    sandbox = Sandbox()
    ec2, start = sandbox.client("ec2"), sandbox.clock.now()
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    sandbox.faults.add("CreateSnapshot", **once(kind, 2))
    taken = ec2.create_snapshot(VolumeId=volume)
    assert taken["ResponseMetadata"]["RetryAttempts"] == 2
    assert [each["SnapshotId"] for each in ec2.describe_snapshots()["Snapshots"]] == [taken["SnapshotId"]]
    assert (sandbox.clock.now() - start).total_seconds() == 3


def test_a_client_gives_up_after_its_tries() -> None:
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    sandbox.faults.add("DescribeVolumes", throttle=3)
    refused("RequestLimitExceeded", ec2.describe_volumes)
    ec2.describe_volumes()


def test_as_many_tries_are_made_as_the_config_says() -> None:
    sandbox = Sandbox()
    sandbox.faults.add("DescribeVolumes", throttle=9)
    sandbox.client("ec2", config=Config(retries={"total_max_attempts": 10})).describe_volumes()
    sandbox.faults.add("DescribeVolumes", throttle=9)
    sandbox.client("ec2", config=Config(retries={"max_attempts": 9, "mode": "standard"})).describe_volumes()
    sandbox.faults.add("DescribeVolumes", throttle=1)
    one_try = sandbox.client("ec2", config=Config(retries={"total_max_attempts": 1}))
    refused("RequestLimitExceeded", one_try.describe_volumes)


def test_botocores_retry_after_a_lost_answer_meets_the_rule_of_15_seconds() -> None:
    """The script sees a refusal, although its snapshot exists."""
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    sandbox.faults.add("CreateSnapshot", lost=1)
    refused("SnapshotCreationPerVolumeRateExceeded", lambda: ec2.create_snapshot(VolumeId=volume))
    assert len(ec2.describe_snapshots()["Snapshots"]) == 1


def test_botocores_retry_after_a_lost_answer_makes_a_duplicate_of_a_copy() -> None:
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    original = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    sandbox.clock.advance("1h")
    sandbox.faults.add("CopySnapshot", lost=1)
    there = sandbox.client("ec2", "eu-west-1")
    there.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=original)
    assert len(there.describe_snapshots()["Snapshots"]) == 2


def test_failing_snapshots_end_in_error_with_their_message(ground: Ground) -> None:
    ec2, volume, other = ground.ec2(), ground.volume(), ground.volume()
    ground.sandbox.faults.add("CreateSnapshot", failing=1, message="The key is disabled.")
    bad = ec2.create_snapshot(VolumeId=volume)
    good = ec2.create_snapshot(VolumeId=other)["SnapshotId"]
    assert bad["State"] == "pending"
    ground.clock.advance("1h")
    shown = ground.shown(bad["SnapshotId"])
    assert (shown["State"], shown["StateMessage"]) == ("error", "The key is disabled.")
    assert "CompletionTime" not in shown
    assert shown["Progress"] != "100%"
    assert ground.shown(good)["State"] == "completed"
    with pytest.raises(WaiterError, match="terminal failure state"):
        ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[bad["SnapshotId"]])


def test_a_failing_snapshot_says_why_by_default(ground: Ground) -> None:
    ground.sandbox.faults.add("CreateSnapshot", failing=1)
    bad = ground.ec2().create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    ground.clock.advance("1h")
    assert "internal error" in ground.shown(bad)["StateMessage"]


def test_after_a_failure_the_next_snapshot_copies_what_it_would_have(ground: Ground) -> None:
    ec2, volume = ground.ec2(), ground.volume(written=200)
    ground.sandbox.faults.add("CreateSnapshot", failing=1)
    ec2.create_snapshot(VolumeId=volume)
    ground.clock.advance("1h")
    again = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ground.clock.advance("1h")
    shown = ground.shown(again)
    assert (shown["CompletionTime"] - shown["StartTime"]).total_seconds() == round(180 + 200 * 2**19 / 43.6e6, 3)
    assert shown["FullSnapshotSizeInBytes"] == 200 * 2**19


def test_if_one_of_a_set_fails_all_do(ground: Ground) -> None:
    ec2 = ground.ec2()
    instance = ground.instance()
    extra = ground.volume()
    ec2.attach_volume(VolumeId=extra, InstanceId=instance, Device="/dev/sdf")
    ground.sandbox.faults.add("CreateSnapshots", failing=1, message="Something broke.")
    taken = ec2.create_snapshots(InstanceSpecification={"InstanceId": instance})["Snapshots"]
    assert len(taken) == 2
    ground.clock.advance("12h")
    for each in taken:
        shown = ground.shown(each["SnapshotId"])
        assert (shown["State"], shown["StateMessage"]) == ("error", "Something broke.")


def test_a_new_id_is_unknown_to_the_first_look_ups(ground: Ground) -> None:
    ec2 = ground.ec2()
    ground.sandbox.faults.add("CreateSnapshot", hidden=3)
    taken = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    refused("InvalidSnapshot.NotFound", lambda: ec2.describe_snapshots(SnapshotIds=[taken]), taken)
    assert snapshots(ground) == []
    refused("InvalidSnapshot.NotFound", lambda: ec2.delete_snapshot(SnapshotId=taken))
    assert ground.shown(taken)["SnapshotId"] == taken
    assert [each["SnapshotId"] for each in snapshots(ground)] == [taken]


def test_a_new_id_cannot_be_tagged_at_once(ground: Ground) -> None:
    ec2, tags = ground.ec2(), [{"Key": "Name", "Value": "nightly"}]
    ground.sandbox.faults.add("CreateSnapshot", hidden=1)
    taken = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    refused("InvalidSnapshot.NotFound", lambda: ec2.create_tags(Resources=[taken], Tags=tags), taken)
    ec2.create_tags(Resources=[taken], Tags=tags)
    assert ground.shown(taken)["Tags"] == tags


def test_only_the_next_call_hides_what_it_makes(ground: Ground) -> None:
    ec2 = ground.ec2()
    ground.sandbox.faults.add("CreateSnapshot", hidden=1)
    first = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    second = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    assert ground.shown(second)["SnapshotId"] == second
    refused("InvalidSnapshot.NotFound", lambda: ec2.describe_snapshots(SnapshotIds=[first]))


def test_a_fault_is_for_one_account_or_region_where_it_says_so(ground: Ground) -> None:
    faults = ground.sandbox.faults
    faults.add("DescribeVolumes", throttle=1, account=ground.accounts[1])
    ground.ec2(0).describe_volumes()
    refused("RequestLimitExceeded", ground.ec2(1).describe_volumes)
    faults.add("DescribeVolumes", throttle=1, region="eu-west-1")
    ground.ec2(0).describe_volumes()
    refused("RequestLimitExceeded", ground.ec2(0, "eu-west-1").describe_volumes)
    ground.ec2(0, "eu-west-1").describe_volumes()


def test_kinds_come_in_the_order_of_the_parameters(ground: Ground) -> None:
    ground.sandbox.faults.add("DescribeVolumes", unavailable=1, internal=1, throttle=1)
    ec2 = ground.ec2()
    for code in ("RequestLimitExceeded", "InternalError", "Unavailable"):
        refused(code, ec2.describe_volumes)
    ec2.describe_volumes()


def test_pending_lists_what_is_still_to_come(ground: Ground) -> None:
    faults = ground.sandbox.faults
    faults.add("DescribeVolumes", throttle=2, internal=1)
    refused("RequestLimitExceeded", ground.ec2().describe_volumes)
    assert [(fault.operation, fault.kind, fault.left) for fault in faults.pending()] == [
        ("DescribeVolumes", "throttle", 1),
        ("DescribeVolumes", "internal", 1),
    ]


def test_clear_ends_faults_and_hiding_but_mends_nothing(ground: Ground) -> None:
    ec2, faults = ground.ec2(), ground.sandbox.faults
    faults.add("CreateSnapshot", failing=1, hidden=100)
    bad = ec2.create_snapshot(VolumeId=ground.volume())["SnapshotId"]
    faults.add("DescribeSnapshots", throttle=100)
    faults.clear()
    assert faults.pending() == []
    ground.clock.advance("1h")
    assert ground.shown(bad)["State"] == "error"


def test_a_dry_run_begins_nothing_that_could_fail(ground: Ground) -> None:
    ground.sandbox.faults.add("CreateSnapshot", failing=1)
    volume = ground.volume()
    with pytest.raises(ClientError, match="DryRunOperation"):
        ground.ec2().create_snapshot(VolumeId=volume, DryRun=True)
    assert [fault.kind for fault in ground.sandbox.faults.pending()] == ["failing"]


@pytest.mark.parametrize(
    ("operation", "counts", "words"),
    [
        ("CreateSnapshot", {}, "never happens"),
        ("CreateSnapshot", {"throttle": 0}, "never happens"),
        ("CreateSnapshot", {"throttle": -1}, "is no number of calls"),
        ("CreateSnapshot", {"throttle": 1.5}, "is no number of calls"),
        ("CreateSnapshot", {"throttle": True}, "is no number of calls"),
        ("CreateSnapshot", {"lost": "3"}, "is no number of calls"),
        ("DeleteSnapshot", {"failing": 1}, "begins no snapshot"),
        ("DescribeSnapshots", {"hidden": 1}, "begins no snapshot"),
        ("create_snapshot", {"throttle": 1}, "write it as in 'CreateSnapshot'"),
        ("", {"throttle": 1}, "is no operation of EC2"),
        (None, {"throttle": 1}, "is no operation of EC2"),
        (["CreateSnapshot"], {"throttle": 1}, "is no operation of EC2"),
        ("CreateSnapshot", {"failing": 1, "message": ""}, "fault message '' is no text"),
        ("CreateSnapshot", {"failing": 1, "message": None}, "fault message None is no text"),
        ("CreateSnapshot", {"failing": 1, "message": 5}, "fault message 5 is no text"),
    ],
)
def test_what_could_never_go_wrong_is_refused(operation: Any, counts: dict[str, Any], words: str) -> None:
    faults = Sandbox().faults
    with pytest.raises(InvalidRequest, match=words):
        faults.add(operation, **counts)
    assert faults.pending() == []
