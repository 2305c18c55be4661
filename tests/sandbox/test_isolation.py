"""A sandbox depends on nothing around it, disturbs nothing, and leads nowhere."""

import gc
import os
import socket
import subprocess
import sys
import weakref
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from snapkit import Sandbox, SnapkitError
from tests.sandbox.ground import refused

ACCOUNTS = ["111122223333", "444455556666"]
ZONE = "us-east-1a"


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """See that no socket is connected and no name looked up, in whichever thread."""
    tried: list[object] = []

    def refuse(*given: object, **_: object) -> Any:
        tried.append(given)
        raise AssertionError(f"tried to reach {given}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    yield tried
    assert tried == []


def volume(ec2: Any, size: int = 1) -> str:
    return str(ec2.create_volume(AvailabilityZone=ZONE, Size=size)["VolumeId"])


def volumes(ec2: Any) -> list[str]:
    return [each["VolumeId"] for each in ec2.describe_volumes()["Volumes"]]


# -- the environment

STORY = """
import os, sys
from snapkit import Sandbox
sandbox = Sandbox(seed=5, accounts=["111122223333", "444455556666"])
ec2 = sandbox.client("ec2")
volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=3)["VolumeId"]
snapshot = ec2.create_snapshot(VolumeId=volume)
ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[snapshot["SnapshotId"]])
for page in ec2.get_paginator("describe_snapshots").paginate(PaginationConfig={"PageSize": 5}):
    for each in page["Snapshots"]:
        print(each["SnapshotId"], each["OwnerId"], each["State"], each["CompletionTime"])
run = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, InstanceType="m5.large", KeyName="nobody")
print(run["Instances"][0]["InstanceId"], run["OwnerId"])
print(len(ec2.describe_images()["Images"]), len(ec2.describe_snapshots()["Snapshots"]), len(sandbox.regions))
print(sandbox.client("sts").get_caller_identity()["Account"])
print(sandbox.client("kms", account="444455556666").create_key()["KeyMetadata"]["AWSAccountId"])
print(sandbox.client("iam").list_policies(Scope="AWS")["Policies"] == [])
try:
    ec2.describe_snapshots(SnapshotIds=["snap-00000000000000000"])
except Exception as refusal:
    print(refusal, refusal.response["ResponseMetadata"].get("RetryAttempts"))
sandbox.faults.add("DescribeVolumes", throttle=2)
print(ec2.describe_volumes()["ResponseMetadata"]["RetryAttempts"], sandbox.clock.now(), ec2.meta.endpoint_url)
with sandbox:
    from snapkit.clock import RemoteClock
    print(RemoteClock(sandbox.serve()).advance("1h"))
print(sorted(os.listdir(".")))
"""


def told(folder: Path, environment: dict[str, str]) -> str:
    command = [sys.executable, "-W", "error", "-c", STORY]
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
    run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    assert (run.returncode, run.stderr) == (0, ""), run.stderr
    return run.stdout


HOSTILE = {
    "AWS_PROFILE": "nonexistent",
    "AWS_DEFAULT_PROFILE": "nonexistent",
    "AWS_REGION": "mars-north-1",
    "AWS_DEFAULT_REGION": "mars-north-1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:9",
    "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
    "AWS_MAX_ATTEMPTS": "1",
    "AWS_RETRY_MODE": "adaptive",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_STS_REGIONAL_ENDPOINTS": "nonsense",
    "AWS_DEFAULTS_MODE": "nonsense",
    "AWS_CA_BUNDLE": "/nonexistent",
    "AWS_DATA_PATH": "/nonexistent",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "required",
    "AWS_SIGV4A_SIGNING_REGION_SET": "nonsense",
    "AWS_AUTH_SCHEME_PREFERENCE": "nonsense",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_SDK_UA_APP_ID": "x" * 60,
    "AWS_EC2_METADATA_DISABLED": "nonsense",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/nonexistent",
    "AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/none",
    "BOTO_CONFIG": "/nonexistent",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "http_proxy": "http://127.0.0.1:9",
    "https_proxy": "http://127.0.0.1:9",
    "ALL_PROXY": "http://127.0.0.1:9",
    "MOTO_ACCOUNT_ID": "999999999999",
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "true",
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    "MOTO_ENABLE_AMI_VALIDATION": "true",
    "MOTO_ENABLE_KEYPAIR_VALIDATION": "true",
    "MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION": "true",
    "MOTO_ENABLE_ISO_REGIONS": "true",
    "MOTO_ALLOW_NONEXISTENT_REGION": "true",
    "MOTO_ENABLE_RECORDING": "true",
    "MOTO_PRETTIFY_RESPONSES": "true",
    "MOTO_AMIS_PATH": "/nonexistent",
    "INITIAL_NO_AUTH_ACTION_COUNT": "0",
    "TEST_SERVER_MODE": "true",
    "TZ": "Pacific/Kiritimati",
    "LANG": "C",
    "LC_ALL": "C",
}


def test_neither_environment_nor_files_of_the_user_change_anything(tmp_path: Path) -> None:
    bare, here, home = tmp_path / "bare", tmp_path / "here", tmp_path / "home"
    for folder in (bare, here, home / ".aws"):
        folder.mkdir(parents=True)
    for name in (".aws/config", ".aws/credentials", ".boto"):
        (home / name).write_text("not an ini file")
    alone = told(bare, {})
    assert len(alone.splitlines()) == 10
    assert told(here, HOSTILE | {"HOME": str(home)}) == alone


# -- the guard


@pytest.mark.usefixtures("no_network")
def test_no_client_opens_a_socket_while_the_sandbox_lives() -> None:
    sandbox = Sandbox(accounts=ACCOUNTS)
    ec2 = sandbox.client("ec2")
    made = volume(ec2)
    taken = ec2.create_snapshot(VolumeId=made)["SnapshotId"]
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[taken])
    assert len(list(ec2.get_paginator("describe_snapshots").paginate())) == 1
    for service in ("sts", "iam", "kms", "ebs", "s3", "organizations", "cloudwatch", "dynamodb", "account", "pricing"):
        client = sandbox.client(service)
        assert client.meta.endpoint_url.endswith(".sandbox.invalid")
    refused("UnsupportedOperation", lambda: sandbox.client("ec2").describe_outpost_lags())


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(("service", "method"), [("snowball", "list_clusters"), ("outposts", "list_sites")])
def test_a_service_that_is_not_there_is_refused_and_not_looked_for(service: str, method: str) -> None:
    refused("UnsupportedOperation", getattr(Sandbox().client(service), method), f"does not provide {service}")


@pytest.mark.usefixtures("no_network")
def test_after_close_every_client_fails_with_a_sentence() -> None:
    sandbox = Sandbox()
    before = sandbox.client("ec2")
    sandbox.close()
    for client in (before, sandbox.client("ec2")):
        with pytest.raises(SnapkitError, match=r"the sandbox of this ec2 client was closed; make a new Sandbox"):
            client.describe_volumes()
    with pytest.raises(SnapkitError, match="was closed"):
        list(before.get_paginator("describe_snapshots").paginate())
    with pytest.raises(SnapkitError, match="was closed"):
        before.get_waiter("snapshot_completed").wait()


@pytest.mark.usefixtures("no_network")
def test_a_client_whose_sandbox_nobody_holds_any_more_still_works() -> None:
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    made = volume(ec2)
    del sandbox
    gc.collect()
    taken = ec2.create_snapshot(VolumeId=made)["SnapshotId"]
    ec2.get_waiter("snapshot_completed").wait(SnapshotIds=[taken])
    assert ec2.describe_snapshots()["Snapshots"][0]["SnapshotId"] == taken


@pytest.mark.parametrize("used", [False, True], ids=["never used", "used"])
def test_a_sandbox_that_nobody_holds_goes(used: bool) -> None:
    sandbox = Sandbox(accounts=ACCOUNTS)
    if used:
        ec2 = sandbox.client("ec2")
        ec2.create_snapshot(VolumeId=volume(ec2))
        ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)
        sandbox.client("kms").create_key()
        del ec2
    world = weakref.ref(sandbox._world)
    del sandbox
    gc.collect()
    assert world() is None


def test_a_deleted_snapshot_goes() -> None:
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    taken = ec2.create_snapshot(VolumeId=volume(ec2))["SnapshotId"]
    sandbox.clock.advance("1h")
    snapshot = weakref.ref(sandbox._world.ec2(sandbox.accounts[0], "us-east-1").snapshots[taken])
    ec2.delete_snapshot(SnapshotId=taken)
    gc.collect()
    assert snapshot() is None


@pytest.mark.usefixtures("no_network")
def test_a_client_works_in_another_thread() -> None:
    ec2 = Sandbox().client("ec2")
    made: list[str] = []
    thread = Thread(target=lambda: made.append(volume(ec2)))
    thread.start()
    thread.join()
    assert volumes(ec2) == made


def test_presigned_urls_lead_nowhere() -> None:
    sandbox = Sandbox()
    urls = [
        sandbox.client("ec2").generate_presigned_url("describe_snapshots"),
        sandbox.client("s3").generate_presigned_url("get_object", {"Bucket": "bucket", "Key": "key"}),
        sandbox.client("sts").generate_presigned_url("get_caller_identity"),
    ]
    for url in urls:
        host = url.split("/")[2]
        assert host.endswith(".sandbox.invalid"), url


@pytest.mark.usefixtures("no_network")
def test_copying_a_snapshot_across_regions_presigns_nothing_real() -> None:
    sandbox = Sandbox()
    ec2 = sandbox.client("ec2")
    taken = ec2.create_snapshot(VolumeId=volume(ec2))["SnapshotId"]
    sandbox.clock.advance("1h")
    sent: list[Any] = []
    there = sandbox.client("ec2", "eu-west-1")
    there.meta.events.register("before-send.ec2.CopySnapshot", lambda request, **_: sent.append(request.body))
    there.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=taken)
    assert sent
    assert "amazonaws.com" not in str(sent[0])


# -- where it runs


def test_it_works_in_main_as_in_a_cell_of_a_notebook(tmp_path: Path) -> None:
    script = tmp_path / "cell.py"
    script.write_text(
        "from snapkit import Sandbox\n"
        "class Mine(Sandbox):\n"
        "    pass\n"
        "ec2 = Mine().client('ec2')\n"
        "print(ec2.create_volume(AvailabilityZone='us-east-1a', Size=1)['Size'])\n"
    )
    command = [sys.executable, "-W", "error", str(script)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    assert (run.stdout, run.stderr) == ("1\n", "")


def test_it_runs_in_an_event_loop() -> None:
    import asyncio

    async def cell() -> str:
        sandbox = Sandbox()
        ec2 = sandbox.client("ec2")
        made = volume(ec2)
        await sandbox.clock.asleep("1h")
        return made

    assert asyncio.run(cell()).startswith("vol-")


def test_it_forks_nothing_and_starts_no_thread() -> None:
    import threading

    before = threading.active_count()
    sandbox = Sandbox(limits="aws")
    sandbox.clock.live(1000)
    volume(sandbox.client("ec2"))
    assert threading.active_count() == before
