"""Strategies on regions: plans of what they want now, the step that a timer runs, and AWS's own engines."""

from snapkit.automation import cloudformation, dlm, restore_testing, terraform
from snapkit.automation.assigning import Assignment
from snapkit.automation.planner import plan
from snapkit.automation.ran import Run
from snapkit.automation.runner import run

__all__ = ["Assignment", "Run", "cloudformation", "dlm", "plan", "restore_testing", "run", "terraform"]
