"""Whoever asks a served sandbox is of the account that its keys name."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest

from snapkit import Sandbox
from tests.sandbox.ground import refused
from tests.sandbox.wire import Wire, plain, xml_error

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


def test_twelve_digits_name_the_account(url: str) -> None:
    for account in ACCOUNTS:
        assert plain(url, "sts", account).get_caller_identity()["Account"] == account
    made = plain(url, key=ACCOUNTS[1]).create_volume(AvailabilityZone="us-east-1a", Size=1)
    assert plain(url, key=ACCOUNTS[0]).describe_volumes()["Volumes"] == []
    assert plain(url, key=ACCOUNTS[1]).describe_volumes()["Volumes"][0]["VolumeId"] == made["VolumeId"]


@pytest.mark.parametrize("key", ["test", "testing", "foobar_key", "FOOBARKEY", "mock"])
def test_a_key_like_none_of_awss_is_the_first_accounts(url: str, key: str) -> None:
    assert plain(url, "sts", key).get_caller_identity()["Account"] == ACCOUNTS[0]


@pytest.mark.parametrize("key", ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "999988887777"])
def test_an_unknown_key_in_the_style_of_aws_is_refused(url: str, key: str) -> None:
    message = "AWS was not able to validate the provided access credentials"
    error = refused("AuthFailure", plain(url, key=key).describe_snapshots, message)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 401
    for service, call in (("sts", "get_caller_identity"), ("iam", "list_users")):
        refused("InvalidClientTokenId", getattr(plain(url, service, key), call), "security token")
    for service, call in (("kms", "list_keys"), ("rbin", "list_tags_for_resource")):
        parameters = (
            {"ResourceArn": "arn:aws:rbin:us-east-1:111122223333:rule/abcdefghijk"} if service == "rbin" else {}
        )
        refused("UnrecognizedClientException", lambda: getattr(plain(url, service, key), call)(**parameters))  # noqa: B023


def test_keys_of_a_user_are_of_its_account(url: str) -> None:
    iam = plain(url, "iam", ACCOUNTS[1])
    iam.create_user(UserName="robot")
    key = iam.create_access_key(UserName="robot")["AccessKey"]["AccessKeyId"]
    assert plain(url, "sts", key).get_caller_identity()["Account"] == ACCOUNTS[1]


@pytest.mark.parametrize("served", [False, True], ids=["in process", "served"])
def test_an_assumed_role_is_of_its_account(sandbox: Sandbox, served: bool) -> None:
    url = sandbox.serve()
    sts = plain(url, "sts", ACCOUNTS[0]) if served else sandbox.client("sts")
    role = f"arn:aws:iam::{ACCOUNTS[1]}:role/backup"
    given = sts.assume_role(RoleArn=role, RoleSessionName="night")["Credentials"]
    keys = {"secret": given["SecretAccessKey"], "aws_session_token": given["SessionToken"]}
    ec2 = plain(url, key=given["AccessKeyId"], **keys)
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    assert ec2.create_snapshot(VolumeId=volume)["OwnerId"] == ACCOUNTS[1]
    assert plain(url, "sts", given["AccessKeyId"], **keys).get_caller_identity()["Account"] == ACCOUNTS[1]
    assert sandbox.client("ec2", account=ACCOUNTS[1]).describe_volumes()["Volumes"][0]["VolumeId"] == volume


def test_an_unknown_region_is_refused(url: str) -> None:
    refused("SignatureDoesNotMatch", plain(url, region="mars-north-1").describe_snapshots, "'mars-north-1'")


def test_an_unsigned_request_is_refused(wire: Wire) -> None:
    for body in (b"Action=DescribeSnapshots", b"", None):
        assert xml_error(wire.ask(body, signed=False))[0] == "MissingAuthenticationToken"
    assert xml_error(wire.ask(b"", signed=False, Authorization="Basic dGVzdDp0ZXN0"))[0] == "MissingAuthenticationToken"
    assert xml_error(wire.ask(method="GET", path="/favicon.ico", signed=False))[0] == "MissingAuthenticationToken"


def test_a_session_token_is_of_the_account_that_asked(url: str) -> None:
    given = plain(url, "sts", ACCOUNTS[1]).get_session_token()["Credentials"]
    keys = {"secret": given["SecretAccessKey"], "aws_session_token": given["SessionToken"]}
    assert plain(url, "sts", given["AccessKeyId"], **keys).get_caller_identity()["Account"] == ACCOUNTS[1]


CONFIG = """
[profile main]
region = us-east-1
endpoint_url = {url}
aws_access_key_id = {aws_access_key_id}
aws_secret_access_key = {aws_secret_access_key}
[profile backup]
region = us-east-1
endpoint_url = {url}
role_arn = arn:aws:iam::{account}:role/backup
source_profile = main
"""


def test_a_profile_assumes_its_role(
    sandbox: Sandbox, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "config"
    config.write_text(CONFIG.format(url=url, account=ACCOUNTS[1], **sandbox.credentials()))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    for profile, account in zip(("main", "backup"), ACCOUNTS, strict=True):
        assert boto3.Session(profile_name=profile).client("sts").get_caller_identity()["Account"] == account


def test_a_session_ends_by_the_clock_of_whoever_holds_it(sandbox: Sandbox, url: str) -> None:
    role = {"RoleArn": f"arn:aws:iam::{ACCOUNTS[1]}:role/backup", "RoleSessionName": "night", "DurationSeconds": 900}
    inside = sandbox.client("sts").assume_role(**role)["Credentials"]["Expiration"]
    assert inside == sandbox.clock.now() + timedelta(minutes=15)
    served = plain(url, "sts").assume_role(**role)["Credentials"]["Expiration"]
    assert abs(served - datetime.now(UTC) - timedelta(minutes=15)) < timedelta(minutes=1)
    sandbox.clock.advance("36500d")
    later = plain(url, "sts").assume_role(**role)["Credentials"]["Expiration"]
    assert later == sandbox.clock.now() + timedelta(minutes=15)
