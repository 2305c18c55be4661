"""Strategies on regions: plans of what they want now, the step that a timer runs, and AWS's own engines."""

from snapkit.automation import cloudformation, dlm, restore_testing, terraform
from snapkit.automation.assigning import Assignment
from snapkit.automation.cloning import clone_for
from snapkit.automation.comparing import compare
from snapkit.automation.comparison import Comparison
from snapkit.automation.drill_report import DrillReport
from snapkit.automation.drilling import Drill, drill
from snapkit.automation.planner import plan
from snapkit.automation.protecting import leave, protect
from snapkit.automation.protections import Protection, protections
from snapkit.automation.ran import Run
from snapkit.automation.recovery import recover
from snapkit.automation.runner import run

__all__ = [
    "Assignment",
    "Comparison",
    "Drill",
    "DrillReport",
    "Protection",
    "Run",
    "clone_for",
    "cloudformation",
    "compare",
    "dlm",
    "drill",
    "leave",
    "plan",
    "protect",
    "protections",
    "recover",
    "restore_testing",
    "run",
    "terraform",
]
