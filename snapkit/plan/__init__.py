"""Plans: steps that are shown, approved, and then applied, for anything that deletes, shares or spends."""

from snapkit.plan.applied import Applied, Approval, Deed
from snapkit.plan.plan import Plan, State
from snapkit.plan.step import Band, Step

__all__ = ["Applied", "Approval", "Band", "Deed", "Plan", "State", "Step"]
