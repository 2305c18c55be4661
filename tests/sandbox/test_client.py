"""The clients of a sandbox are boto3's, except that their network is the sandbox and their time its clock."""

import base64
import hashlib
import io
import re
import time
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError, WaiterError

from snapkit import InvalidRequest, Sandbox, SnapkitError
from snapkit.sandbox.client import account_credentials, account_key
from tests.sandbox.ground import ONE_TRY, refused


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(accounts=["111122223333", "444455556666"])


@pytest.fixture
def ec2(sandbox: Sandbox) -> Any:
    return sandbox.client("ec2")


@pytest.fixture
def never_sleeping(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(seconds: float) -> None:
        assert seconds == 0, f"slept {seconds} s of the world outside"

    monkeypatch.setattr(time, "sleep", sleep)


def volume(ec2: Any, size: int = 1) -> str:
    return str(ec2.create_volume(AvailabilityZone="us-east-1a", Size=size)["VolumeId"])


@pytest.mark.usefixtures("never_sleeping")
def test_a_waiter_waits_on_the_clock_of_the_sandbox(sandbox: Sandbox, ec2: Any) -> None:
    taken = ec2.create_snapshot(VolumeId=volume(ec2))
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[taken["SnapshotId"]])
    assert sandbox.clock.seconds() == 180
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[taken["SnapshotId"]])
    assert sandbox.clock.seconds() == 180


@pytest.mark.usefixtures("never_sleeping")
def test_a_waiter_gives_up_after_its_tries_as_on_aws(sandbox: Sandbox, ec2: Any) -> None:
    """Ten minutes, which is too short for many a real snapshot."""
    made = volume(ec2, 100)
    sandbox.write(made, 0, 200_000)
    taken = ec2.create_snapshot(VolumeId=made)["SnapshotId"]
    with pytest.raises(WaiterError, match="Max attempts exceeded"):
        ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[taken])
    assert sandbox.clock.seconds() == 39 * 15


@pytest.mark.usefixtures("never_sleeping")
def test_a_waiter_keeps_the_delay_and_the_tries_that_it_is_given(sandbox: Sandbox, ec2: Any) -> None:
    taken = ec2.create_snapshot(VolumeId=volume(ec2))["SnapshotId"]
    waiter = ec2.get_waiter("snapshot_completed")
    with pytest.raises(WaiterError):
        waiter.wait(SnapshotIds=[taken], WaiterConfig={"Delay": 7, "MaxAttempts": 3})
    assert sandbox.clock.seconds() == 14
    waiter.wait(SnapshotIds=[taken], WaiterConfig={"Delay": 100})
    assert sandbox.clock.seconds() == 214


@pytest.mark.usefixtures("never_sleeping")
def test_a_waiter_may_be_used_twice_and_beside_another(sandbox: Sandbox, ec2: Any) -> None:
    first, second = (ec2.create_snapshot(VolumeId=volume(ec2))["SnapshotId"] for _ in range(2))
    one, other = ec2.get_waiter("snapshot_completed"), ec2.get_waiter("volume_available")
    one.wait(SnapshotIds=[first])
    other.wait()
    one.wait(SnapshotIds=[second])
    assert sandbox.clock.seconds() == 180


def test_a_waiter_that_waits_for_nothing_to_be_there_says_so(ec2: Any) -> None:
    with pytest.raises(WaiterError, match=r"InvalidSnapshot\.NotFound"):
        ec2.get_waiter("snapshot_completed").wait(SnapshotIds=["snap-00000000000000000"])


def test_an_unknown_waiter_is_refused_by_boto3(ec2: Any) -> None:
    with pytest.raises(ValueError, match="Waiter does not exist"):
        ec2.get_waiter("banana")
    assert "snapshot_completed" in ec2.waiter_names


def test_a_waiter_on_a_running_clock_waits_outside(sandbox: Sandbox, ec2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    outside, slept = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        outside[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: outside[0])
    monkeypatch.setattr(time, "sleep", sleep)
    sandbox.clock.live(600)
    taken = ec2.create_snapshot(VolumeId=volume(ec2))["SnapshotId"]
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[taken])
    assert [each for each in slept if each] == [15 / 600] * 12
    assert sandbox.clock.seconds() == pytest.approx(180, abs=0.1)


@pytest.mark.usefixtures("never_sleeping")
def test_pauses_between_tries_double_and_pass_on_the_clock(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2", config=Config(retries={"total_max_attempts": 8, "mode": "standard"}))
    sandbox.faults.add("DescribeVolumes", throttle=7)
    ec2.describe_volumes()
    assert sandbox.clock.seconds() == 1 + 2 + 4 + 8 + 16 + 20 + 20


@pytest.mark.usefixtures("never_sleeping")
@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_whatever_the_mode_of_retries_it_is_the_standard_one(sandbox: Sandbox, mode: str) -> None:
    ec2 = sandbox.client("ec2", config=Config(retries={"mode": mode}))
    sandbox.faults.add("DescribeVolumes", throttle=1, unavailable=1)
    assert ec2.describe_volumes()["ResponseMetadata"]["RetryAttempts"] == 2
    assert sandbox.clock.seconds() == 3


def test_what_cannot_get_better_is_not_tried_again(sandbox: Sandbox, ec2: Any) -> None:
    error = refused("InvalidVolume.NotFound", lambda: ec2.create_snapshot(VolumeId="vol-00000000000000000"))
    assert error.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert sandbox.clock.seconds() == 0


def test_a_lost_connection_is_a_time_out_of_botocore(sandbox: Sandbox) -> None:
    sandbox.faults.add("DescribeVolumes", unreachable=1)
    with pytest.raises(ReadTimeoutError, match=r"sandbox\.invalid"):
        sandbox.client("ec2", config=ONE_TRY).describe_volumes()


def test_pages_come_one_by_one(ec2: Any) -> None:
    made = volume(ec2)
    for _ in range(7):
        taken = ec2.create_snapshot(VolumeId=made)
        ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[taken["SnapshotId"]])
    pages = list(ec2.get_paginator("describe_snapshots").paginate(PaginationConfig={"PageSize": 5}))
    assert [len(page["Snapshots"]) for page in pages] == [5, 2]
    found = ec2.get_paginator("describe_snapshots").paginate().search("Snapshots[].SnapshotId")
    assert len(set(found)) == 7


def test_handlers_of_the_user_see_what_is_sent_and_received(ec2: Any) -> None:
    seen: list[str] = []
    ec2.meta.events.register("before-send.ec2", lambda request, **_: seen.append(request.url))
    ec2.meta.events.register("after-call.ec2", lambda model, **_: seen.append(model.name))
    ec2.describe_volumes()
    assert seen == ["https://ec2.us-east-1.sandbox.invalid/", "DescribeVolumes"]


def test_clients_of_every_service_carry_the_account_and_region(sandbox: Sandbox) -> None:
    for account in sandbox.accounts:
        assert sandbox.client("sts", account=account).get_caller_identity()["Account"] == account
        key = sandbox.client("kms", "eu-west-1", account).create_key()["KeyMetadata"]
        assert key["Arn"].startswith(f"arn:aws:kms:eu-west-1:{account}:key/")


def test_bodies_may_be_bytes_or_files(sandbox: Sandbox) -> None:
    ebs, block = sandbox.client("ebs"), bytes(range(256)) * 2048
    checksum = base64.b64encode(hashlib.sha256(block).digest()).decode()
    started = ebs.start_snapshot(VolumeSize=1)["SnapshotId"]
    for index, body in enumerate((block, bytearray(block), io.BytesIO(block))):
        put = ebs.put_snapshot_block(
            SnapshotId=started, BlockIndex=index, BlockData=body, DataLength=len(block), Checksum=checksum,
            ChecksumAlgorithm="SHA256",
        )  # fmt: skip
        assert put["Checksum"] == checksum


def test_the_config_given_adds_to_ours(sandbox: Sandbox) -> None:
    ec2 = sandbox.client("ec2", config=Config(user_agent_extra="mine", retries={"total_max_attempts": 1}))
    assert "mine" in ec2.meta.config.user_agent_extra
    assert ec2.meta.config.retries["total_max_attempts"] == 1
    assert ec2.meta.endpoint_url == "https://ec2.us-east-1.sandbox.invalid"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"region": "mars-north-1"}, "region 'mars-north-1' is no region of AWS; choose one of "),
        ({"region": ""}, "is no region of AWS"),
        ({"region": None}, "is no region of AWS"),
        ({"account": "999988887777"}, "account '999988887777' is not in this sandbox; choose one of 111122223333"),
        ({"account": 111122223333}, "is not in this sandbox"),
    ],
)
def test_what_the_sandbox_does_not_have_is_refused(sandbox: Sandbox, arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        sandbox.client("ec2", **arguments)
    if "account" in arguments:
        with pytest.raises(InvalidRequest, match="is not in this sandbox"):
            sandbox.credentials(**arguments)


def test_credentials_look_like_awss_and_are_nobodys(sandbox: Sandbox) -> None:
    keys = [sandbox.credentials(account) for account in sandbox.accounts]
    assert keys[0] == sandbox.credentials() == account_credentials("111122223333")
    assert keys[0]["aws_access_key_id"] == account_key("111122223333") != keys[1]["aws_access_key_id"]
    assert all(re.fullmatch(r"AKIA[A-Z2-7]{16}", each["aws_access_key_id"]) for each in keys)
    assert all(len(each["aws_secret_access_key"]) == 40 for each in keys)
    sandbox.credentials().clear()
    assert sandbox.credentials()


def test_after_close_nothing_is_tried_again(sandbox: Sandbox, ec2: Any) -> None:
    sandbox.close()
    with pytest.raises(SnapkitError, match="was closed"):
        ec2.describe_volumes()
    assert sandbox.clock.seconds() == 0


def test_errors_are_those_of_the_client(ec2: Any) -> None:
    with pytest.raises(ec2.exceptions.ClientError):
        ec2.delete_snapshot(SnapshotId="snap-00000000000000000")
    with pytest.raises(ClientError) as caught:
        ec2.delete_snapshot(SnapshotId="snap-00000000000000000")
    metadata = caught.value.response["ResponseMetadata"]
    assert metadata["HTTPStatusCode"] == 400
    assert metadata["RequestId"]


def test_client_tokens_are_the_same_in_every_sandbox_of_a_seed() -> None:
    def token() -> str:
        run = Sandbox().client("ec2").run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
        return str(run["Instances"][0]["ClientToken"])

    assert token() == token()
