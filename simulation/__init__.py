"""A SimPy model of differential snapshots: what a strategy will cost, and lose, before it is automated."""

from simulation.model import Scenario, simulate
from simulation.outcome import Outcome
from simulation.study import Choice, Study, study
from snapkit.blocks import Workload

__all__ = ["Choice", "Outcome", "Scenario", "Study", "Workload", "simulate", "study"]
