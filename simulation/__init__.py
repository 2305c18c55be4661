"""A SimPy model of differential snapshots: what a strategy will cost, and lose, before it is automated."""

from simulation.choosing import Choice
from simulation.fleet_outcome import Outcomes
from simulation.model import simulate
from simulation.outcome import Outcome
from simulation.scenario import Conditions, Fleet, Scenario
from simulation.screening import Screening, screen
from simulation.study import Study, study
from snapkit.blocks import Workload

__all__ = [
    "Choice",
    "Conditions",
    "Fleet",
    "Outcome",
    "Outcomes",
    "Scenario",
    "Screening",
    "Study",
    "Workload",
    "screen",
    "simulate",
    "study",
]
