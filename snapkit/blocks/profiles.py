"""Figures of real disks, recorded with their source."""

import math
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from snapkit.blocks.classes import Classes
from snapkit.blocks.footprint import STATIONARY, Table
from snapkit.errors import InvalidRequest
from snapkit.units import Size, bytes_text, seconds_text, to_bytes, to_seconds

if TYPE_CHECKING:
    from snapkit.blocks.workload import Workload


@dataclass(frozen=True)
class Profile:
    """What was measured on a disk.

    Attributes:
        source: whose disk, how the figures were computed, and when.
        span: how long it was recorded [s].
        size: the size of the disk [bytes].
        block_size: the unit of the counts [bytes].
        changed_blocks: mean blocks changed per interval [s].
        classes: its footprint in writes, or None where that is not known.
        write_size: the bytes that stand for one touch of a block.
        following: the share of touches that went to the block right behind the one touched before.
    """

    source: str
    span: float
    size: int
    block_size: int
    changed_blocks: dict[float, float]
    classes: Classes | None
    write_size: float
    following: float


def load(name: str) -> Profile:
    """Look a profile up.

    Raises:
        InvalidRequest: there is none of that name; the message lists them.
    """
    profiles = tomllib.loads(files("snapkit.blocks").joinpath("profiles.toml").read_text("utf-8"))
    if name not in profiles:
        raise InvalidRequest("profile", name, "is not known", f"choose one of {', '.join(sorted(profiles))}")
    disk = profiles[name]
    writes = disk.get("writes", {})
    return Profile(
        source=f"{disk['source']}; {disk['method']}; computed {disk['computed']}",
        span=to_seconds(disk["span"]),
        size=disk["size"],
        block_size=disk["block_size"],
        changed_blocks={to_seconds(interval): blocks for interval, blocks in disk["changed_blocks"].items()},
        classes=_classes(writes, disk) if writes else None,
        write_size=writes.get("write_size", math.nan),
        following=writes.get("following", 0.0),
    )


def profile(_cls: "type[Workload]", name: str, size: Size | None = None) -> "Workload":
    """Use the figures of a real disk that come with snapkit.

    Args:
        name: such as ``"workstation"``; an unknown one is answered with the list.
        size: the size of the volume [bytes], by default that of the disk. Another size scales the blocks in
            proportion: an assumption, listed as such, and nothing is called measured any more.

    Raises:
        InvalidRequest: there is no such profile.
    """
    disk = load(name)
    volume = disk.size if size is None else to_bytes(size)
    assumptions = [
        STATIONARY,
        f"Beyond {seconds_text(disk.span)} the changed blocks go on as the power law that leads there.",
    ]
    if volume != disk.size:
        scaled = f"{bytes_text(volume)} change as many blocks per GiB as the disk of {bytes_text(disk.size)} did"
        assumptions.append(f"{scaled}: assumed, not measured.")
    pairs = [(interval, blocks * volume / disk.size) for interval, blocks in disk.changed_blocks.items()]
    return _cls(
        Table(pairs, -(-volume // disk.block_size)),
        name=name,
        source=disk.source,
        span=disk.span,
        size=volume,
        block_size=disk.block_size,
        assumptions=tuple(assumptions),
        scale=volume / disk.size,
    )


def _classes(writes: dict[str, Any], disk: dict[str, Any]) -> Classes:
    random, sweeps = (tuple((share, room) for share, room in writes[kind]) for kind in ("random", "sweeps"))
    return Classes(random, sweeps, writes["ramp"], -(-disk["size"] // disk["block_size"]))
