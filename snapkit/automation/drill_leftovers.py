"""What drills make, told by its tag, and what is left of those that were killed.

The tag names the drill, and says by when it is over:

    snapkit:drill = 5f0c31d2/2026-01-05T09:00:00Z

Until then it may still go on; what carries the tag afterwards was left behind, and a later drill deletes it.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from snapkit.automation.managed import moment, text
from snapkit.ebs import Region, Snapshot, Volume
from snapkit.plan import Step

DRILL = "snapkit:drill"
"""The tag."""


@dataclass(frozen=True)
class Leftover:
    """A volume or snapshot that a drill made.

    Attributes:
        thing: which.
        until: when the drill is over.
    """

    thing: Volume | Snapshot
    until: datetime

    @property
    def server(self) -> str:
        """The server that it was attached to by somebody, or nothing."""
        return self.thing.server_id if isinstance(self.thing, Volume) else ""

    @property
    def over(self) -> bool:
        """Whether its drill is over, so that nobody will clean it up any more."""
        return self.until <= self.thing.region.clock.now()

    def step(self, gone: Callable[[], bool]) -> Step:
        """Make the step that deletes it, unless it is gone by then."""
        used = f"it is attached to {self.server}; detach it, or take the tag {DRILL} off to keep it"
        return Step(
            what="delete",
            on=self.thing.id,
            reason=f"left behind by a drill that was to be over at {self._until}",
            blockers=(used,) if self.server else (),
            do=self.thing.delete,
            done=gone,
        )

    def __str__(self) -> str:
        return f"{self.thing.id} is of another drill, which may go on until {self._until}; later ones delete it"

    @property
    def _until(self) -> str:
        return f"{self.until:%Y-%m-%d %H:%M} UTC"


def new_tag(until: datetime) -> dict[str, str]:
    """Write the tag of a new drill that is over at some moment."""
    return {DRILL: f"{secrets.token_hex(4)}/{text(until.replace(microsecond=0))}"}


def is_of_drill(volume: Volume) -> bool:
    """Tell whether a drill made a volume and will delete it, so that it is not to be protected."""
    return _until(volume) is not None and not volume.server_id


def made(region: Region, tag: str = "*") -> dict[str, Volume | Snapshot]:
    """List what a drill made, or all of them: snapshots first, by id.

    Raises:
        AwsError: AWS refuses.
    """
    tags = {DRILL: tag}
    found: tuple[Volume | Snapshot, ...] = (*region.snapshots.find(tags=tags), *region.volumes.find(tags=tags))
    return {thing.id: thing for thing in sorted(found, key=lambda thing: thing.id)}


def leftovers(region: Region) -> dict[str, Leftover]:
    """List what drills made in a region and is still there; a tag that somebody else wrote is not read.

    Raises:
        AwsError: AWS refuses.
    """
    read = {each: (thing, _until(thing)) for each, thing in made(region).items()}
    return {each: Leftover(thing, until) for each, (thing, until) in read.items() if until is not None}


def _until(thing: Volume | Snapshot) -> datetime | None:
    """Read when the drill that made something is over; None where none made it, or somebody else wrote the tag."""
    return moment(thing.tags.get(DRILL, "").partition("/")[2])
