"""What forms have in common that do what they do by a plan: it is shown, approved and applied."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from snapkit.errors import StalePlan
from snapkit.forms.fields import Confirmation
from snapkit.forms.form import Form
from snapkit.plan import Applied, Deed, Plan

if TYPE_CHECKING:
    from snapkit.ebs import Region

MOST_TOLD = 20
"""So many sentences are shown of each kind; a page with more is read by nobody."""


class PlannedForm(Form):
    """Applies a plan; the result is what came of each step, as `Applied`.

    The plan that is shown is the one that is approved; where the account has changed meanwhile, it is refused and made
    anew, to be approved again.

    Attributes:
        plan: what is shown.
        by: who approves it.
    """

    def __init__(self, plan: Plan, region: "Region", title: str, verb: str) -> None:
        """Show a plan.

        Args:
            plan: what is to be done.
            region: in which it is done; the person there is proposed to approve it.
            title: the heading.
            verb: what it does, for its button.
        """
        self.plan = plan
        self._applied = 0
        user = region.access.user if region.access else ""
        self.by = Confirmation("Approved by", user, hint="Required: who agrees to what is told below.")
        super().__init__(region, title, verb)

    @abstractmethod
    def _planned(self) -> Plan:
        """Make the plan anew."""

    def deed(self) -> Callable[[], Applied]:
        """Bind the plan, approved; one that does not fit any more is made anew, to be approved again."""
        self._applied = 0
        apply = partial(self.plan.apply, self.plan.approve(self.by.value), self._tell)

        def applied() -> Applied:
            try:
                return apply()
            except StalePlan:
                self.plan = self._planned()
                raise

        return applied

    def told(self, result: Applied) -> str:
        """Say what came of each, first of those that were not done."""
        ordered = sorted(result, key=lambda each: each.good)
        each = [f"{one.step.name}: {one.result}{f', {one.told}' if one.told else ''}" for one in ordered]
        return "; ".join([repr(result).strip("<>"), *some(each)])

    def _tell(self, deed: Deed) -> None:
        self._applied += 1
        percent = 100 * self._applied // len(self.plan)
        self._layout.tell(f"{self._applied:,} of {len(self.plan):,}, {deed.step.name}: {deed.result}", percent=percent)


def some(sentences: Sequence[str]) -> Iterator[str]:
    """Leave out most of very many, and say so."""
    yield from islice(sentences, MOST_TOLD)
    if len(sentences) > MOST_TOLD:
        yield f"... and {len(sentences) - MOST_TOLD:,} more"
