"""Which blocks of a volume change, and what a chain of its snapshots stores."""

from snapkit.blocks.lineage import Lineage
from snapkit.blocks.trace import read_trace
from snapkit.blocks.workload import Workload

__all__ = ["Lineage", "Workload", "read_trace"]
