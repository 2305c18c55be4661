"""A workload that is simple enough to reckon with by hand."""

from simulation import Workload
from snapkit.units import to_bytes

BLOCK = 524288


def linear(size: str, a_minute: float = 1) -> Workload:
    """So many new blocks a minute, never the same twice until all are written, on a volume of so much data."""
    minutes = int(to_bytes(size) // BLOCK / a_minute)
    return Workload.from_table({"1s": a_minute / 60, f"{minutes}min": a_minute * minutes}, None, size)
