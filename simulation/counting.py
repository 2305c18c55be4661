"""The blocks of a volume, counted for a chain of snapshots."""

from collections.abc import Callable
from typing import TypeAlias

from simulation.freezing import WriteTime
from snapkit.blocks import Workload

Changed: TypeAlias = Callable[[float, float], float]
"""Counts the distinct blocks written after one moment [s], up to and including another."""

Full: TypeAlias = Callable[[float], float]
"""Counts the blocks that hold data at a moment [s]."""


def counts(workload: Workload, most: float, write_time: WriteTime | None) -> tuple[Changed, Full]:
    """Count what changes and what holds data: never more blocks than there are, and nothing while writes stand still.

    Args:
        workload: how the blocks are written.
        most: the blocks of the volume.
        write_time: when its file system is frozen; None for never.
    """
    changed, full = _changed(workload, most), workload.allocated
    if write_time is None:
        return changed, full
    at = write_time.at
    return (lambda a, b: changed(at(a), at(b))), (lambda t: full(at(t)))


def _changed(workload: Workload, most: float) -> Changed:
    changed_between = workload.changed_between
    if not workload.stationary:
        return lambda a, b: min(changed_between(a, b), most)
    known: dict[float, float] = {}

    def changed(a: float, b: float) -> float:
        gap = b - a
        count = known.get(gap)
        if count is None:
            count = known[gap] = min(changed_between(0.0, gap), most)
        return count

    return changed
