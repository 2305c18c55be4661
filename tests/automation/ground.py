"""What the tests of plans and runs stand on: marked snapshots, and runs that are killed or met by others on the way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from snapkit import Sandbox
from snapkit.automation.managed import DUE, STRATEGY, TIERS
from snapkit.ebs import Region, Volume
from snapkit.strategy import Copy, Retention, Schedule, Strategy, Tier
from tests.ebs.ground import OWN, ZONE

AWAY = "eu-west-1"
HOURLY = Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=2), "often")])
COPIED = Strategy(
    "hourly", [Tier(Schedule("every 1h"), Retention(last=2), "often", copies=[Copy(AWAY, Retention(last=1))])]
)

Marks = list[tuple[str, str, str]]


class Killed(BaseException):
    """What a kill -9 is to the process that it ends: nothing can be done about it."""


def protected(region: Region, count: int = 1, **options: Any) -> list[Volume]:
    """Make volumes that the strategy of the tests protects."""
    tags = {STRATEGY: "hourly"}
    return [region.volumes.create(ZONE, "1 GiB", tags=tags, **options) for _ in range(count)]


def marks(region: Region) -> Marks:
    """List the marks of the snapshots of a region that did not end in error: volume or source, due time, tiers."""
    found = [each for each in region.snapshots.find(tags={TIERS: "*"}) if each.state != "error"]
    of = region.tag_keys.source_volume
    return sorted((each.tags.get(of, each.volume_id), each.tags[DUE], each.tags[TIERS]) for each in found)


@contextmanager
def meeting(sandbox: Sandbox, meet: Callable[[int], object]) -> Iterator[None]:
    """Call something after each request that changes what there is, with its number from 1 up."""
    gateway, changes, dead = sandbox._gateway, 0, False
    answer = gateway.answer

    def answered(method: str, target: str, headers: Any, body: bytes) -> Any:
        nonlocal changes, dead
        if dead:
            raise Killed
        reply = answer(method, target, headers, body)
        if b"Action=Describe" not in body and b"Action=Get" not in body and b"DryRun=true" not in body:
            changes += 1
            try:
                meet(changes)
            except Killed:
                dead = True
                raise
        return reply

    gateway.answer = answered  # type: ignore[method-assign]
    try:
        yield
    finally:
        gateway.answer = answer  # type: ignore[method-assign]


def kill_after(number: int) -> Callable[[int], object]:
    """Let the process end after so many changes: nothing that it would do from then on happens."""

    def meet(changes: int) -> None:
        if changes == number:
            raise Killed

    return meet


def alone() -> Sandbox:
    """Make a sandbox of one account."""
    return Sandbox(accounts=[OWN])
