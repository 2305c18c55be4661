"""A region asks nothing of AWS until it is used, and says what is missing."""

import socket
from pathlib import Path
from typing import Any

import pytest

import snapkit
from snapkit import AccessDenied, InvalidRequest, Sandbox
from snapkit.clock import SystemClock
from snapkit.ebs import Region, connect
from tests.ebs.ground import OTHER, OWN, Field


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine without credentials and without a network."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    (tmp_path / "config").write_text("[profile prod]\nregion = eu-west-1\n")

    def no_network(*_: Any, **__: Any) -> None:
        raise AssertionError("a connection was made")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    monkeypatch.setattr(socket, "getaddrinfo", no_network)


def test_connect_makes_no_call_and_needs_no_credentials_until_used(nobody: None) -> None:
    region = connect("eu-west-1")
    assert repr(region) == "<Region eu-west-1>"
    with pytest.raises(AccessDenied, match="there are no credentials; run `aws configure`"):
        region.snapshots.find()


def test_an_unknown_profile_is_refused_with_those_that_there_are(nobody: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidRequest, match=r"profile 'dev' is not in the AWS configuration; known: prod"):
        snapkit.connect("eu-west-1", profile="dev")
    monkeypatch.setenv("AWS_PROFILE", "test")
    with pytest.raises(InvalidRequest, match=r"profile 'test' is not in the AWS configuration; known: prod"):
        snapkit.connect("eu-west-1")


@pytest.mark.parametrize("name", ["", "mars", "us-east-1a", "EU-WEST-1", None, 1])
def test_what_is_no_name_of_a_region_is_refused(name: Any) -> None:
    with pytest.raises(InvalidRequest, match="is no name of a region; give one such as 'eu-west-1'"):
        connect(name)


@pytest.mark.parametrize("name", ["eu-west-1", "us-gov-east-1", "ap-southeast-5", "us-isob-east-1", "mx-central-1"])
def test_regions_of_all_partitions_are_names(name: str, nobody: None) -> None:
    assert connect(name).name == name


def test_the_account_and_the_zones_are_asked_for_once(field: Field) -> None:
    region = field.region("eu-west-1", account=1)
    assert (region.account, region.name) == (OTHER, "eu-west-1")
    assert region.zones == ("eu-west-1a", "eu-west-1b", "eu-west-1c")
    field.faults("DescribeAvailabilityZones", throttle=1000)
    assert region.zones[0] == "eu-west-1a"
    assert field.region().account == OWN


def test_a_region_of_an_ec2_client_only_says_what_it_lacks(field: Field) -> None:
    region = Region(field.ec2())
    assert len(region.snapshots.find()) == 0
    with pytest.raises(InvalidRequest, match="service 'sts' has no client here; make the region with connect"):
        _ = region.account


def test_pending_lists_what_is_in_progress_only(field: Field) -> None:
    volume = field.new_volume()
    volume.take_snapshot().wait()
    pending = volume.take_snapshot()
    assert [each.id for each in field.region().pending()] == [pending.id]


def test_a_region_beside_is_the_same_object_each_time_and_follows_the_clock() -> None:
    with Sandbox() as sandbox:
        region = sandbox.region()
        other = region.beside("eu-west-1")
        region.clock = SystemClock()
        assert region.beside("eu-west-1") is other
        assert other.clock is region.clock


@pytest.mark.parametrize("endpoint", ["nonsense", "ftp://127.0.0.1", "http://", "http://127.0.0.1:x"])
def test_an_endpoint_is_a_url(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    with pytest.raises(InvalidRequest, match=f"endpoint '{endpoint}' is no URL; give one such as"):
        connect("eu-west-1", endpoint=endpoint)
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(InvalidRequest, match=f"endpoint '{endpoint}' is no URL; give one such as"):
        connect("eu-west-1")
