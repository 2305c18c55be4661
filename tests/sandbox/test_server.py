"""A sandbox over HTTP answers whatever comes, as AWS would, and only here."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from snapkit import InvalidRequest, Sandbox, SnapkitError
from snapkit.clock import RemoteClock
from snapkit.sandbox.call import OPERATIONS
from tests.sandbox.ground import refused
from tests.sandbox.wire import JSON, Wire, json_error, plain, xml_error

ACCOUNTS = ["111122223333", "444455556666"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(accounts=ACCOUNTS) as sandbox:
        yield sandbox


@pytest.fixture
def url(sandbox: Sandbox) -> str:
    return sandbox.serve()


@pytest.fixture
def wire(sandbox: Sandbox, url: str) -> Wire:
    return Wire(url, sandbox.credentials()["aws_access_key_id"])


# -- the CLI of AWS


@pytest.fixture
def cli(sandbox: Sandbox, url: str, tmp_path: Path) -> Any:
    program = shutil.which("aws")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no aws on the path: install the AWS CLI")
        pytest.skip("no aws on the path")
    keys = {name.upper(): value for name, value in sandbox.credentials().items()}
    environment = os.environ | keys | {
        "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_PAGER": "", "HOME": str(tmp_path), "AWS_MAX_ATTEMPTS": "1",
    }  # fmt: skip
    # The test runs in an environment of its own, and so does a version manager's aws.
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "VIRTUAL_ENV", "PYTHONPATH"):
        environment.pop(name, None)
    if subprocess.run([program, "--version"], env=environment, capture_output=True, check=False).returncode:  # noqa: S603
        if os.environ.get("CI"):
            pytest.fail("the aws on the path does not run")
        pytest.skip("the aws on the path does not run")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [program, *words, "--output", "json"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603

    return run


def test_the_cli_creates_waits_lists_and_is_refused(sandbox: Sandbox, cli: Any) -> None:
    made = cli("ec2", "create-volume", "--availability-zone", "us-east-1a", "--size", "8", "--volume-type", "gp3")
    assert made.returncode == 0, made.stderr
    volume = json.loads(made.stdout)["VolumeId"]
    taken = json.loads(cli("ec2", "create-snapshot", "--volume-id", volume, "--description", "by hand").stdout)
    assert taken["State"] == "pending"
    sandbox.clock.advance("1h")
    waited = cli("ec2", "wait", "snapshot-completed", "--snapshot-ids", taken["SnapshotId"])
    assert (waited.returncode, waited.stderr) == (0, "")
    listed = json.loads(cli("ec2", "describe-snapshots", "--owner-ids", "self").stdout)["Snapshots"]
    assert [(each["SnapshotId"], each["Description"]) for each in listed] == [(taken["SnapshotId"], "by hand")]
    assert listed[0]["CompletionTime"].startswith("2026-01-05T00:03:00")
    failed = cli("ec2", "delete-snapshot", "--snapshot-id", "snap-00000000000000000")
    assert failed.returncode in (254, 255)
    assert "(InvalidSnapshot.NotFound) when calling the DeleteSnapshot operation: The snapshot" in failed.stderr
    assert json.loads(cli("sts", "get-caller-identity").stdout)["Account"] == "111122223333"


# -- what is asked


@pytest.mark.parametrize(
    ("body", "code", "words"),
    [
        (b"", "MissingAction", "Action"),
        (None, "MissingAction", "Action"),
        (b"Action=", "MissingAction", "Action"),
        (b"\x00\xff\xfe garbage", "MissingAction", "Action"),
        (b'{"json": true}', "MissingAction", "Action"),
        (b"Action=Banana&Version=2016-11-15", "InvalidAction", "Banana"),
        (b"Action=describe_snapshots", "InvalidAction", "describe_snapshots"),
        (b"Action=../../etc", "InvalidAction", "etc"),
        (b"Action=<b>&Version=1", "InvalidAction", "<b>"),
        (b"Action=CreateSnapshot", "MissingParameter", "volumeId"),
        (b"Action=CreateSnapshot&VolumeId=", "InvalidVolumeID.Malformed", "vol-"),
        (b"Action=CreateSnapshot&VolumeId.1=vol-1", "MissingParameter", "volumeId"),
        (b"Action=CreateSnapshots", "MissingParameter", "instanceSpecification"),
        (b"Action=RunInstances", "MissingParameter", "maxCount"),
        (b"Action=DescribeSnapshots&Banana=1", "UnknownParameter", "Banana"),
        (b"Action=DescribeInstances&Banana=1", "UnknownParameter", "Banana"),
        (b"Action=DescribeSnapshots&MaxResults=many", "InvalidParameterValue", "Value (many) for parameter MaxResults"),
        (b"Action=DescribeInstances&MaxResults=many", "InvalidParameterValue", "Value (many) for parameter MaxResults"),
        (b"Action=DescribeSnapshots&Filter.1.Name=banana&Filter.1.Value.1=x", "InvalidParameterValue", "banana"),
        (b"Action=CreateVolume&Size=big&AvailabilityZone=us-east-1a", "InvalidParameterValue", "Value (big) for"),
        (b"Action=DescribeOutpostLags", "UnsupportedOperation", "The sandbox does not provide ec2 DescribeOutpostLags"),
        (b"Action=CreateSnapshot&VolumeId=" + b"v" * 10**6, "InvalidVolumeID.Malformed", "expecting"),
    ],
)
def test_ec2_refuses_what_makes_no_sense_in_its_own_xml(wire: Wire, body: bytes | None, code: str, words: str) -> None:
    given, message = xml_error(wire.ask(body))
    assert given == code
    assert words in message


@pytest.mark.parametrize(
    ("service", "asked", "code"),
    [
        ("ebs", {"method": "GET", "path": "/snapshots/snap-1/banana"}, "UnknownOperationException"),
        ("ebs", {"body": b"not json", "path": "/snapshots", "Content_Type": JSON}, "ValidationException"),
        ("ebs", {"body": b"[]", "path": "/snapshots", "Content_Type": JSON}, "ValidationException"),
        ("ebs", {"body": b"{}", "path": "/snapshots", "Content_Type": JSON}, "ValidationException"),
        ("ebs", {"body": b'{"VolumeSize": "x"}', "path": "/snapshots", "Content_Type": JSON}, "ValidationException"),
        ("ebs", {"body": b"\xff\xfe", "path": "/%ff%fe"}, "UnknownOperationException"),
        ("dlm", {"body": b"{}", "path": "/"}, "UnknownOperationException"),
        ("kms", {"body": b"{}"}, "UnknownOperationException"),
        ("kms", {"body": b"{}", "X_Amz_Target": "TrentService.Banana"}, "UnknownOperationException"),
        ("kms", {"body": b"{", "X_Amz_Target": "TrentService.CreateKey"}, "InvalidParameterValue"),
    ],
)  # fmt: skip
def test_other_services_refuse_in_their_json(wire: Wire, service: str, asked: dict[str, Any], code: str) -> None:
    given, message = json_error(wire.ask(asked.pop("body", None), service=service, **asked))
    assert given == code
    assert message


def test_an_unknown_service_is_named(wire: Wire) -> None:
    code, told = xml_error(wire.ask(b"Action=X", service="banana"))
    assert (code, told) == ("UnsupportedOperation", "The sandbox does not provide the service 'banana'.")


def test_a_presigned_request_is_answered(url: str) -> None:
    presigned = plain(url).generate_presigned_url("describe_snapshots")
    with urllib.request.urlopen(presigned) as answer:  # noqa: S310 - of the sandbox
        assert b"<DescribeSnapshotsResponse" in answer.read()


def test_a_service_without_a_double_says_so(url: str) -> None:
    error = refused("UnsupportedOperation", plain(url, "outposts").list_sites, "does not provide outposts ListSites")
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_what_moto_trips_over_is_refused_and_not_a_failure(url: str) -> None:
    with pytest.raises(ClientError) as caught:
        plain(url).describe_instances(
            InstanceIds=["i-00000000000000000"], Filters=[{"Name": "banana", "Values": ["x"]}]
        )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "PATCH", "HEAD"])
def test_other_methods_are_answered(wire: Wire, method: str) -> None:
    status, kind, _ = wire.ask(method=method)
    assert (status, kind) == (400, "text/xml")


def test_an_action_may_stand_in_the_query(wire: Wire) -> None:
    status, _, body = wire.ask(method="GET", path="/?Action=DescribeSnapshots&Version=2016-11-15")
    assert status == 200
    assert b"<snapshotSet/>" in body


def test_a_huge_body_is_answered(wire: Wire) -> None:
    huge = b"x" * 30 * 2**20
    assert json_error(wire.ask(huge, method="PUT", path="/snapshots/snap-1/banana", service="ebs"))[0]
    assert xml_error(wire.ask(b"Action=Banana&Padding=" + huge))[0] == "InvalidAction"


def test_a_failure_of_the_sandbox_itself_is_an_error_of_aws(
    wire: Wire, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: object) -> None:
        raise KeyError("banana")

    monkeypatch.setitem(OPERATIONS, ("ec2", "DescribeSnapshots"), broken)
    monkeypatch.setitem(OPERATIONS, ("ebs", "ListSnapshotBlocks"), broken)
    assert xml_error(wire.ask(b"Action=DescribeSnapshots")) == (
        "InternalError",
        "The sandbox has failed: KeyError: 'banana'",
    )
    found = wire.ask(method="GET", path="/snapshots/snap-0123456789abcdef0/blocks", service="ebs", Content_Type=JSON)
    assert json_error(found) == ("InternalError", "The sandbox has failed: KeyError: 'banana'")
    assert "banana" in caplog.text
    caplog.clear()
    with pytest.raises(ClientError, match="InternalError"):
        sandbox.client("ec2").describe_snapshots()
    assert "banana" in caplog.text


def test_a_failure_while_time_passes_is_an_error_too(
    wire: Wire, sandbox: Sandbox, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise KeyError("banana")

    clock, told = sandbox.clock, "The sandbox has failed: KeyError: 'banana'"
    clock.after(60, broken)
    with pytest.raises(InvalidRequest, match=f"was refused .500.; {told}"):
        RemoteClock(url).advance("1h")
    clock.after(60, broken)
    clock.live(1e9)
    found = wire.ask(b"Action=DescribeSnapshots")
    clock.pause()
    assert xml_error(found) == ("InternalError", told)
    assert "banana" in caplog.text


@pytest.mark.parametrize("asked", [{"NextToken": True}, {"NextToken": "MQ=="}, {"MaxResults": "abc"}, []])
def test_a_value_of_the_wrong_type_is_refused(wire: Wire, asked: Any) -> None:
    answer = wire.ask(
        json.dumps(asked).encode(), service="organizations", X_Amz_Target="AWSOrganizationsV20161128.ListAccounts",
        Content_Type="application/x-amz-json-1.1",
    )  # fmt: skip
    code, message = json_error(answer)
    assert code in ("ValidationException", "InvalidInputException"), answer
    assert "Error" not in message


def test_a_character_that_xml_cannot_carry_is_refused(wire: Wire) -> None:
    asked = b"Action=CreateSnapshot&VolumeId=vol-ffffffff&Description=%00"
    assert xml_error(wire.ask(asked))[0] == "InvalidCharacter"


def test_a_service_that_cannot_be_one_is_refused(wire: Wire) -> None:
    assert wire.ask(b"Action=DescribeSnapshots", service="..")[0] == 403


# -- where


def test_another_name_in_the_host_header_is_turned_away(wire: Wire, sandbox: Sandbox) -> None:
    for host in (
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "[::2]:1",
        "ec2.amazonaws.com",
    ):
        status, _, body = wire.ask(b"Action=DescribeSnapshots", Host=host)
        assert (status, body) == (421, b"this sandbox answers to its own address only")
        assert (
            wire.ask(b'{"advance": 60}', path="/_snapkit/clock", Host=host, Content_Type="application/json")[0] == 421
        )
    assert sandbox.clock.seconds() == 0
    for host in ("localhost", "localhost:1234", "127.0.0.1", "127.0.0.1:1", "[::1]:99"):
        assert wire.ask(b"Action=DescribeSnapshots", Host=host)[0] == 200


def test_it_listens_on_the_loopback_address_only(url: str) -> None:
    parts = urlsplit(url)
    assert parts.hostname == "127.0.0.1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outward:
        try:
            outward.connect(("192.0.2.1", 9))
            address = outward.getsockname()[0]
        except OSError:
            pytest.skip("this machine has no other address")
    if address.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, parts.port or 0), timeout=5).close()


def test_close_frees_the_port_and_leaves_no_thread() -> None:
    before = set(threading.enumerate())
    with Sandbox(accounts=ACCOUNTS) as sandbox:
        url = sandbox.serve()
        plain(url).describe_snapshots()
        port = urlsplit(url).port or 0
    assert set(threading.enumerate()) == before
    with pytest.raises(EndpointConnectionError):
        plain(url).describe_snapshots()
    with Sandbox(accounts=ACCOUNTS) as again:
        assert again.serve(port=port) == url
        plain(url).describe_snapshots()


def test_close_may_come_twice_and_without_a_server() -> None:
    sandbox = Sandbox()
    sandbox.close()
    sandbox.close()


def test_a_closed_sandbox_is_not_served_again(sandbox: Sandbox) -> None:
    sandbox.close()
    with pytest.raises(SnapkitError, match="the sandbox was closed; make a new one to serve"):
        sandbox.serve()


@pytest.mark.parametrize("port", [-1, 65536, 10**9, True, "80", None])
def test_what_is_no_port_is_refused(sandbox: Sandbox, port: Any) -> None:
    with pytest.raises(InvalidRequest, match="is no number of a port"):
        sandbox.serve(port=port)


def test_a_port_that_is_taken_is_refused(sandbox: Sandbox, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InvalidRequest, match="cannot be served on"):
        sandbox.serve(port=urlsplit(url).port or 0)
    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "")


def test_serving_at_a_speed_lets_the_clock_run(sandbox: Sandbox) -> None:
    sandbox.serve(speed=600)
    assert sandbox.clock.speed == 600
    with pytest.raises(InvalidRequest, match="speed"):
        sandbox.serve(speed=0)


def test_what_is_done_in_process_and_over_http_is_one_world(sandbox: Sandbox, url: str) -> None:
    made = sandbox.client("ec2").create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    taken = plain(url).create_snapshot(VolumeId=made)["SnapshotId"]
    sandbox.clock.advance("1h")
    assert sandbox.client("ec2").describe_snapshots()["Snapshots"][0]["SnapshotId"] == taken
    assert plain(url).describe_snapshots()["Snapshots"][0]["State"] == "completed"


def test_nothing_is_written_on_the_screen(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    plain(url).describe_snapshots()
    refused("InvalidSnapshot.NotFound", lambda: plain(url).delete_snapshot(SnapshotId="snap-00000000000000000"))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("path", ["/", "/_snapkit/clock"])
def test_a_client_that_dies_in_the_middle_of_a_request_leaves_no_trace(
    url: str, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {JSON}\r\nContent-Length: 1000\r\n\r\n"
    before = threading.active_count()
    with socket.create_connection(("127.0.0.1", urlsplit(url).port or 0), timeout=60) as dying:
        dying.sendall(head.encode() + b"Action=")
        dying.shutdown(socket.SHUT_WR)
        dying.recv(1)
    while threading.active_count() > before:
        time.sleep(0.01)
    assert caplog.text == ""
    plain(url).describe_snapshots()


def test_many_clients_at_once_are_served(url: str) -> None:
    def work(_: int) -> str:
        ec2 = plain(url)
        made = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
        return str(ec2.describe_volumes(VolumeIds=[made])["Volumes"][0]["VolumeId"])

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(work, range(16)))) == 16
