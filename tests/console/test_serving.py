"""What the console refuses, and how the kernel of a page finds what it is to show."""

import json
from socket import create_server

import pytest

from snapkit import InvalidRequest, Sandbox
from snapkit.console import serving


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])  # noqa: S104 - refused
def test_other_machines_are_refused_with_the_reason(host: str) -> None:
    with pytest.raises(InvalidRequest, match="acts with the credentials of the process that serves it"):
        serving.check_host(host)
    serving.check_host("127.0.0.1")


@pytest.mark.parametrize("port", [-1, 70_000, True, "http"])
def test_what_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(InvalidRequest, match="is no number of a port"):
        serving.serve({}, print, port=port)


def test_a_port_that_is_taken_is_refused() -> None:
    with create_server(("127.0.0.1", 0)) as taken, pytest.raises(InvalidRequest, match="cannot be served on"):
        serving.serve({}, print, port=taken.getsockname()[1])


def test_a_kernel_sees_the_sandbox_on_its_clock_whatever_the_user_has_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with Sandbox(accounts=["111122223333", "444455556666"]) as sandbox:
        volume = sandbox.region().volumes.create("us-east-1a", "8 GiB")
        monkeypatch.setenv("SNAPKIT_CONSOLE", json.dumps(serving.of_sandbox(sandbox, 60)))
        for name, value in {"AWS_PROFILE": "nobody", "AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:9"}.items():
            monkeypatch.setenv(name, value)
        for name in ("AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            monkeypatch.setenv(name, "")
        estate = serving.served_estate()
        assert [each.id for each in estate.volumes.find()] == [volume.id]
        assert {(each.account, each.name) for each in estate.regions} == {
            (account, name) for account in sandbox.accounts for name in ("us-east-1", "eu-west-1")
        }
        assert getattr(estate.regions[0].clock, "speed", None) == 60
        before = sandbox.clock.now()
        assert before <= estate.regions[0].clock.now() <= sandbox.clock.now()


def test_a_kernel_sees_a_real_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAPKIT_CONSOLE", json.dumps({"profile": None, "region": "eu-west-1"}))
    (region,) = serving.served_estate().regions
    assert region.name == "eu-west-1"


def test_a_kernel_is_told_where_the_strategies_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for place, told in (({"strategies": "/strategies"}, "/strategies"), ({"strategies": ""}, ()), ({}, ())):
        monkeypatch.setenv("SNAPKIT_CONSOLE", json.dumps(place))
        assert serving.served_strategies() == told


def test_another_kernel_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SNAPKIT_CONSOLE", raising=False)
    with pytest.raises(InvalidRequest, match="run `snapkit console`"):
        serving.served_estate()
