"""Changes of a volume that take AWS some seconds: asked for once, then looked at until they hold."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from snapkit.ebs._aws import repeated
from snapkit.errors import AwsError, WaitTimeout
from snapkit.units import seconds_text

if TYPE_CHECKING:
    from snapkit.ebs.volumes import Volume

SETTLES_IN = 300.0
"""How long such a change is waited for [s]; *assumed*: AWS says "a few seconds", and names no bound."""

_PAUSES = (1.0, 2.0, 4.0)


def bring_about(
    volume: "Volume", operation: str, *, asked: Callable[[], bool], holds: Callable[[], bool], way: str, **params: Any
) -> "Volume":
    """Ask for a change of a volume; returns the volume, read again, as soon as the change holds.

    Args:
        volume: which.
        operation: such as ``"AttachVolume"``.
        asked: tells whether the call took effect, where its answer was lost; the volume is read before.
        holds: tells whether the change is complete, likewise.
        way: what to do where that takes too long, for the error.
        params: of the operation.

    Raises:
        WaitTimeout: it does not hold after 5 minutes; it goes on by itself.
        AwsError: AWS refuses.
    """
    try:
        volume.region.aws.call(operation, volume.id, VolumeId=volume.id, **params)
    except AwsError as error:
        if not repeated(error):
            raise
        volume.refresh()
        if not asked():
            raise
    return wait_until(volume, holds, way)


def wait_until(volume: "Volume", holds: Callable[[], bool], way: str) -> "Volume":
    """Read a volume again and again until something holds of it; returns it. Arguments are those of `bring_about`.

    Raises:
        WaitTimeout: it does not hold after 5 minutes.
    """
    clock, waited, looks = volume.region.clock, 0.0, 0
    while not (volume.refresh() and holds()):
        if waited >= SETTLES_IN:
            raise WaitTimeout(volume.id, f"is {state_of(volume)} still after {seconds_text(SETTLES_IN)}; {way}")
        pause = _PAUSES[min(looks, len(_PAUSES) - 1)]
        clock.sleep(pause)
        waited, looks = waited + pause, looks + 1
    return volume


def state_of(volume: "Volume") -> str:
    """Tell the state of a volume, or what is happening to its attachment."""
    states = [str(each.get("State", "")) for each in volume.raw.get("Attachments", [])]
    return next((each for each in states if each not in ("", "attached")), volume.state)
