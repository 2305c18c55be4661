"""Figures of real disks, recorded with their source."""

import tomllib
from dataclasses import dataclass
from importlib.resources import files

from snapkit.errors import InvalidRequest
from snapkit.units import to_seconds


@dataclass(frozen=True)
class Profile:
    """What was measured on a disk.

    Attributes:
        source: whose disk, how the figures were computed, and when.
        span: how long it was recorded [s].
        size: the size of the disk [bytes].
        block_size: the unit of the counts [bytes].
        changed_blocks: mean blocks changed per interval [s].
    """

    source: str
    span: float
    size: int
    block_size: int
    changed_blocks: dict[float, float]


def load(name: str) -> Profile:
    """Look a profile up.

    Raises:
        InvalidRequest: there is none of that name; the message lists them.
    """
    profiles = tomllib.loads(files("snapkit.blocks").joinpath("profiles.toml").read_text("utf-8"))
    if name not in profiles:
        raise InvalidRequest("profile", name, "is not known", f"choose one of {', '.join(sorted(profiles))}")
    disk = profiles[name]
    return Profile(
        source=f"{disk['source']}; {disk['method']}; computed {disk['computed']}",
        span=to_seconds(disk["span"]),
        size=disk["size"],
        block_size=disk["block_size"],
        changed_blocks={to_seconds(interval): blocks for interval, blocks in disk["changed_blocks"].items()},
    )
