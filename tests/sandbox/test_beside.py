"""Sandboxes beside each other, and beside a mock of moto's, leave each other alone."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest
from moto import mock_aws

from snapkit import Sandbox, SnapkitError, Timing
from snapkit.blocks import Workload
from tests.sandbox.ground import refused

ACCOUNTS = ["111122223333", "444455556666"]


def volume(ec2: Any, size: int = 1) -> str:
    return str(ec2.create_volume(AvailabilityZone="us-east-1a", Size=size)["VolumeId"])


def volumes(ec2: Any) -> list[str]:
    return [each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]]


def test_two_sandboxes_of_a_seed_have_the_same_ids_and_do_not_see_each_other() -> None:
    one, other = Sandbox(seed=4), Sandbox(seed=4)
    here, there = one.client("ec2"), other.client("ec2")
    first = volume(here)
    assert volumes(there) == []
    assert volume(there) == first
    here.create_snapshot(VolumeId=first)
    one.clock.advance("1h")
    assert there.describe_snapshots()["Snapshots"] == []
    here.delete_volume(VolumeId=first)
    assert (volumes(here), volumes(there)) == ([], [first])


def test_sandboxes_made_in_a_row_before_use_keep_apart() -> None:
    sandboxes = [Sandbox(accounts=ACCOUNTS) for _ in range(4)]
    for number, sandbox in enumerate(sandboxes, 1):
        for _ in range(number):
            volume(sandbox.client("ec2"), number)
    for number, sandbox in enumerate(sandboxes, 1):
        shown = sandbox.client("ec2").describe_volumes()["Volumes"]
        assert [each["Size"] for each in shown] == [number] * number


def test_services_that_know_each_others_accounts_keep_apart_too() -> None:
    for _ in range(2):
        s3 = Sandbox().client("s3")
        s3.create_bucket(Bucket="the-same-name")
        assert [each["Name"] for each in s3.list_buckets()["Buckets"]] == ["the-same-name"]
        organizations = Sandbox().client("organizations")
        assert organizations.describe_organization()["Organization"]["MasterAccountId"] == "111122223333"


def test_clients_made_before_and_after_are_of_one_world() -> None:
    sandbox = Sandbox(accounts=ACCOUNTS)
    before = sandbox.client("ec2")
    made = volume(before)
    assert volumes(sandbox.client("ec2")) == [made]
    assert volumes(sandbox.client("ec2", account=ACCOUNTS[1])) == []
    assert volumes(sandbox.client("ec2", "eu-west-1")) == []


def test_two_servers_at_once_are_two_worlds() -> None:
    with Sandbox(accounts=ACCOUNTS) as one, Sandbox(accounts=ACCOUNTS) as other:
        clients = [
            boto3.client("ec2", "us-east-1", endpoint_url=each.serve(), **each.credentials()) for each in (one, other)
        ]
        made = volume(clients[0])
        assert [volumes(client) for client in clients] == [[made], []]
        one.clock.advance("1h")
        assert one.clock.now() != other.clock.now()


def test_one_sandbox_may_be_served_twice() -> None:
    with Sandbox() as sandbox:
        clients = [
            boto3.client("ec2", "us-east-1", endpoint_url=sandbox.serve(), **sandbox.credentials()) for _ in range(2)
        ]
        made = volume(clients[0])
        assert volumes(clients[1]) == [made]


def test_eight_threads_create_and_list_at_once() -> None:
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")

    def work(_: int) -> list[str]:
        made = []
        for _ in range(50):
            made.append(volume(ec2))
            assert ec2.describe_volumes(VolumeIds=made[-1:])["Volumes"][0]["Size"] == 1
        return made

    with ThreadPoolExecutor(8) as pool:
        made = list(itertools.chain.from_iterable(pool.map(work, range(8))))
    assert len(set(made)) == 400
    assert set(volumes(ec2)) == set(made)


def test_threads_of_several_sandboxes_do_not_wait_for_each_other_for_ever() -> None:
    sandboxes = [Sandbox(seed=seed, accounts=ACCOUNTS) for seed in range(3)]

    def work(number: int) -> None:
        sandbox = sandboxes[number % 3]
        ec2 = sandbox.client("ec2", account=ACCOUNTS[number % 2])
        for _ in range(15):
            made = volume(ec2)
            sandbox.write(made, 0, 1)
            ec2.create_snapshot(VolumeId=made)
            sandbox.clock.advance("1h")
            ec2.describe_instances()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6), timeout=120))
    for sandbox in sandboxes:
        shown = [sandbox.client("ec2", account=each).describe_snapshots()["Snapshots"] for each in ACCOUNTS]
        assert [len(each) for each in shown] == [15, 15]


# -- the same again


def story(seed: int) -> list[Any]:
    """Everything that chance decides, told."""
    sandbox = Sandbox(seed=seed, accounts=ACCOUNTS, timing=Timing(), workload=Workload.profile("workstation"))
    ec2, log = sandbox.client("ec2"), list[Any]()
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    made = volume(ec2, 100)
    key = sandbox.client("kms").create_key()["KeyMetadata"]
    log += [instance, made, key["KeyId"], key["CreationDate"].isoformat()]
    for _ in range(5):
        sandbox.clock.advance("6h")
        log.append(ec2.create_snapshot(VolumeId=made)["ResponseMetadata"]["RequestId"])
    log.append(
        [
            each["SnapshotId"]
            for each in ec2.create_snapshots(InstanceSpecification={"InstanceId": instance})["Snapshots"]
        ]
    )
    sandbox.clock.advance("2d")
    for each in ec2.describe_snapshots()["Snapshots"]:
        log += [each["SnapshotId"], each["StartTime"], each["CompletionTime"], each["FullSnapshotSizeInBytes"]]
    return log


def test_the_same_seed_tells_the_same_story() -> None:
    assert story(7) == story(7)


def test_the_same_story_is_told_beside_others() -> None:
    alone = story(7)
    Sandbox(seed=8).client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
    with mock_aws():
        boto3.client("ec2", "us-east-1").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
        assert story(7) == alone


def test_another_seed_tells_another_story() -> None:
    one, other = story(7), story(8)
    assert all(
        a != b
        for a, b in zip(one, other, strict=True)
        if isinstance(a, str) and "-" in a and "T" not in a and len(a) < 30
    )
    assert one != other


# -- beside a mock of moto's


def mocked_volume() -> str:
    return volume(boto3.client("ec2", "us-east-1"), 77)


@pytest.mark.parametrize("sandbox_first", [False, True])
@pytest.mark.parametrize("sandbox_ends_first", [False, True])
def test_a_mock_and_a_sandbox_leave_each_other_alone(sandbox_first: bool, sandbox_ends_first: bool) -> None:
    mock = mock_aws()
    if sandbox_first:
        sandbox = Sandbox()
        early = volume(sandbox.client("ec2"))
        mock.start()
    else:
        mock.start()
        sandbox = Sandbox()
        early = volume(sandbox.client("ec2"))
    try:
        ec2 = sandbox.client("ec2")
        plain = boto3.client("ec2", "us-east-1")
        theirs = mocked_volume()
        late = volume(ec2)
        assert volumes(plain) == [theirs]
        assert volumes(ec2) == [early, late]
        refused("InvalidVolume.NotFound", lambda: plain.describe_volumes(VolumeIds=[late]))
        refused("InvalidVolume.NotFound", lambda: ec2.describe_volumes(VolumeIds=[theirs]))
        assert sandbox.client("sts").get_caller_identity()["Account"] == "111122223333"
        assert boto3.client("sts", "us-east-1").get_caller_identity()["Account"] == "123456789012"
        if sandbox_ends_first:
            sandbox.close()
            assert volumes(plain) == [theirs]
            with pytest.raises(SnapkitError, match="was closed"):
                ec2.describe_volumes()
    finally:
        mock.stop()
    if not sandbox_ends_first:
        assert volumes(ec2) == [early, late]
        assert volume(ec2) in volumes(ec2)


def test_a_mock_started_again_and_again_does_not_touch_the_sandbox() -> None:
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    made = [volume(ec2)]
    for _ in range(3):
        with mock_aws():
            assert volumes(boto3.client("ec2", "us-east-1")) == []
            mocked_volume()
            made.append(volume(ec2))
            with mock_aws():
                made.append(volume(ec2))
        assert volumes(ec2) == made


def test_the_settings_of_a_mock_are_not_those_of_the_sandbox() -> None:
    sandbox = Sandbox()
    with mock_aws(config={"core": {"service_whitelist": ["s3"], "passthrough": {"services": ["kms"], "urls": [".*"]}}}):
        assert sandbox.client("kms").create_key()["KeyMetadata"]["AWSAccountId"] == "111122223333"
        assert sandbox.client("ec2").describe_instances()["Reservations"] == []


def test_a_mock_keeps_its_own_time_and_chance() -> None:
    from moto.moto_api._internal import mock_random

    def ids() -> list[str]:
        mock_random.seed(42)
        with mock_aws():
            return [mocked_volume(), mocked_volume()]

    alone = ids()
    sandbox = Sandbox(start="2001-01-01")
    mock_random.seed(42)
    with mock_aws():
        beside = []
        for _ in range(2):
            beside.append(mocked_volume())
            sandbox.client("kms").create_key()
            sandbox.client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
        created = boto3.client("ec2", "us-east-1").describe_volumes()["Volumes"][0]["CreateTime"]
    assert beside == alone
    assert created.year > 2001


def test_a_client_in_the_style_of_aws_stays_mocked_beside_a_sandbox() -> None:
    with mock_aws():
        plain = boto3.client("ec2", "us-east-1")
        Sandbox().client("ec2").describe_volumes()
        made = volume(plain)
        assert volumes(plain) == [made]
