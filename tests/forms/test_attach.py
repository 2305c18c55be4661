"""Attach and detach: only servers that will do, free devices, and what is refused."""

import asyncio

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, Role
from snapkit.errors import NotPermitted
from snapkit.forms import AttachForm, DetachForm
from tests.ebs.ground import Field


def test_only_servers_of_the_zone_are_offered(ground: Field) -> None:
    near, far = ground.new_server(), ground.new_server(zone="us-east-1b")
    form = AttachForm(ground.new_volume())
    assert form.server._options == [("choose one", None), (f"{near.id}, running", near.id)]
    with pytest.raises(InvalidRequest, match=f"'{far.id}' is not offered here"):
        form.server.value = far.id


def test_a_free_device_is_proposed_and_taken(ground: Field) -> None:
    server = ground.new_server(data_volumes=1)
    form = AttachForm(ground.new_volume())
    form.server.value = server.id
    (box,) = form.device._inputs
    assert box.placeholder == "/dev/sdg"
    assert "/dev/sdf" not in box.options
    assert f"as {box.placeholder}." in repr(form)
    volume = form.submit()
    assert (volume.server_id, volume.device, volume.state) == (server.id, "/dev/sdg", "in-use")


def test_a_device_of_choice(ground: Field) -> None:
    server = ground.new_server(data_volumes=1)
    form = AttachForm(ground.new_volume())
    form.server.value, form.device.value = server.id, "/dev/sdf"
    assert form.problems["device"].startswith(f"Device is taken on {server.id} by vol-")
    form.device.value = "banana"
    assert form.problems["device"] == "Device is no device name; leave it out, or give one of /dev/sdf to /dev/sdp"
    form.device.value = "/dev/sdk"
    assert form.submit().device == "/dev/sdk"


def test_a_server_is_required(ground: Field) -> None:
    form = AttachForm(ground.new_volume())
    assert form.server._inputs[0].label == "none in us-east-1a"
    assert form.problems == {"server": "Server is missing; start one in us-east-1a first"}
    with pytest.raises(InvalidRequest, match="server"):
        form.submit()


def test_a_volume_that_is_attached_is_not_attached_again(ground: Field) -> None:
    server = ground.new_server(data_volumes=1)
    (volume,) = (each for each in server.volumes() if each.device == "/dev/sdf")
    form = AttachForm(volume)
    assert f"is attached to {server.id} as /dev/sdf; detach() it there first" in form.problems["volume"]


def test_detach_and_what_is_said_before(ground: Field) -> None:
    server = ground.new_server(data_volumes=1)
    volume = ground.region().volumes.get(server.devices["/dev/sdf"])
    form = DetachForm(volume)
    assert f"Takes {volume.id} off {server.id}, where it is /dev/sdf." in repr(form)
    assert asyncio.run(form.run()).state == "available"
    again = DetachForm(volume)
    assert again.problems == {"volume": f"volume '{volume.id}' is attached to no server; nothing has to be done"}
    with pytest.raises(InvalidRequest, match="attached to no server"):
        again.submit()


@pytest.mark.parametrize("form", [AttachForm, DetachForm])
def test_roles_decide(ground: Field, form: type[AttachForm | DetachForm]) -> None:
    volume = ground.new_volume()
    volume.region.access = Access("ada", {"db": "viewer"}, [Role("viewer", [])])
    assert "your roles do not allow Volume: " in form(volume).problems["right"]
    with pytest.raises((NotPermitted, InvalidRequest)):
        form(volume).submit()
