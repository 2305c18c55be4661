"""Volumes on servers: attached, and taken off again."""

import re
from typing import TYPE_CHECKING

from snapkit.ebs._resource import Resource
from snapkit.ebs.settling import bring_about, state_of, wait_until
from snapkit.errors import InvalidRequest

if TYPE_CHECKING:
    from snapkit.ebs.servers import Server
    from snapkit.ebs.volumes import Volume

DEVICES = tuple(f"/dev/sd{letter}" for letter in "fghijklmnop")
"""The names that data volumes get. Source: EC2 user guide, "Device names for volumes": /dev/sd[f-p] recommended."""

_DEVICE = re.compile(r"(/dev/)?(sd[a-z]|xvd[a-z]{1,2}|hd[a-z])[0-9]{0,2}")
"""What a device name looks like. Source: EC2 user guide, "Device names for volumes"; xvdf is one of Windows."""

ATTACHABLE = ("running", "stopped")
"""The states of a server that volumes can be attached to. Source: EC2 API reference, AttachVolume."""


def attach(volume: "Volume", server: "Server | str", device: str | None = None) -> "Volume":
    """Attach a volume to a server in its zone; returns itself when it is attached.

    A volume that is still being created is waited for. The server is read again, so that a device name which was taken
    meanwhile is not chosen.

    Args:
        volume: one that is attached to no server.
        server: a server, or its id.
        device: the device name, by default the first free one.

    Raises:
        InvalidRequest: the server is in another zone or neither running nor stopped, the device name is none or taken,
            or none is free, or the volume is attached already; nothing was done.
        WaitTimeout: it is not attached after 5 minutes; it goes on by itself.
        AwsError: AWS refuses.
    """
    region = volume.region
    region.allow("Volume", "Attach", volume)
    if not isinstance(server, str | Resource):
        raise InvalidRequest("server", server, "is no server", "give one of region.servers.find(), or its id")
    target = region.servers.get(server) if isinstance(server, str) else server.refresh()
    check_server(volume, target)
    free = choose_device(target, device)
    _check_free(volume)
    return bring_about(
        volume,
        "AttachVolume",
        asked=lambda: _on(volume, target.id) is not None,
        holds=lambda: _on(volume, target.id) == "attached",
        way="it goes on by itself: see volume.refresh()",
        InstanceId=target.id,
        Device=free,
    )


def detach(volume: "Volume") -> "Volume":
    """Take a volume off its server; returns itself when it is free. Unmount its file systems first.

    Raises:
        InvalidRequest: it is attached to no server; nothing was done.
        WaitTimeout: it is not free after 5 minutes, mostly because the server still uses it; it goes on by itself.
        AwsError: AWS refuses, for instance because a running server started from it.
    """
    volume.region.allow("Volume", "Detach", volume)
    if not volume.server_id:
        check_attached(volume.refresh())
    server = volume.server_id
    return bring_about(
        volume,
        "DetachVolume",
        asked=lambda: state_of(volume) != "in-use",
        holds=lambda: volume.state == "available",
        way=f"unmount its file systems on {server}; then it goes on by itself: see volume.refresh()",
    )


def check_server(volume: "Volume", server: "Server") -> None:
    """Refuse a server, as it was last read, that a volume cannot be attached to.

    Raises:
        InvalidRequest: it is in another zone, or neither running nor stopped.
    """
    if server.zone != volume.zone:
        remedy = f"choose a server in {volume.zone}, or make a volume in {server.zone} from a snapshot"
        raise InvalidRequest("server", server.id, f"is in {server.zone}, not in {volume.zone}", remedy)
    if server.state not in ATTACHABLE:
        raise InvalidRequest("server", server.id, f"is {server.state}", f"choose one that is {' or '.join(ATTACHABLE)}")


def free_devices(server: "Server") -> tuple[str, ...]:
    """List the device names for data volumes that were free on a server when it was last read."""
    return tuple(each for each in DEVICES if each not in server.devices)


def choose_device(server: "Server", device: str | None) -> str:
    """Return the device name that a volume gets on a server, as it was last read: that one, or the first free one.

    Raises:
        InvalidRequest: it is no device name, or taken; or none is free.
    """
    if device and not (isinstance(device, str) and _DEVICE.fullmatch(device)):
        remedy = f"leave it out, or give one of {DEVICES[0]} to {DEVICES[-1]}"
        raise InvalidRequest("device", device, "is no device name", remedy)
    free = device or next(iter(free_devices(server)), None)
    if free is None:
        raise InvalidRequest("server", server.id, "has no free device name", "name one with device=")
    if free in server.devices:
        rule = f"is taken on {server.id} by {server.devices[free]}"
        raise InvalidRequest("device", free, rule, "leave it out for the first free one")
    return free


def check_attached(volume: "Volume") -> None:
    """Refuse a volume that was attached to no server when it was last read.

    Raises:
        InvalidRequest: it was not.
    """
    if not volume.server_id:
        raise InvalidRequest("volume", volume.id, "is attached to no server", "nothing has to be done")


def check_unattached(volume: "Volume") -> None:
    """Refuse a volume that was attached to a server when it was last read, unless it may be on several.

    Raises:
        InvalidRequest: it was.

    Source: EBS user guide, "Attach an Amazon EBS volume to multiple instances": only where that was enabled.
    """
    if volume.server_id and not volume.raw.get("MultiAttachEnabled"):
        rule = f"is attached to {volume.server_id} as {volume.device}"
        raise InvalidRequest("volume", volume.id, rule, "detach() it there first")


def _on(volume: "Volume", server_id: str) -> str | None:
    """Tell the state of its attachment to a server, if there is one."""
    found = (each for each in volume.raw.get("Attachments", []) if each["InstanceId"] == server_id)
    return next((str(each["State"]) for each in found), None)


def _check_free(volume: "Volume") -> None:
    """Refuse a volume that is attached already; one that is still being created is waited for."""
    if volume.state == "creating":
        wait_until(volume, lambda: volume.state != "creating", "it goes on by itself: try again later")
    if volume.state == "error":
        raise InvalidRequest("volume", volume.id, "could not be created", "delete it, and make another one")
    check_unattached(volume.refresh() if volume.server_id else volume)
