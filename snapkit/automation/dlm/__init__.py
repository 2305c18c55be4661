"""Data Lifecycle Manager: strategies as its policies, its policies as strategies, and what is wrong with a policy."""

from snapkit.automation.dlm.exporting import export
from snapkit.automation.dlm.reading import NotRead, read
from snapkit.automation.dlm.rules import check
from snapkit.automation.dlm.traps import Trap, lint

__all__ = ["NotRead", "Trap", "check", "export", "lint", "read"]
