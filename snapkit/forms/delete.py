"""Delete snapshots, one or many, by a plan that is shown and approved."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from snapkit.ebs import Snapshot
from snapkit.errors import InvalidRequest
from snapkit.forms.fields import Choices
from snapkit.forms.options import named
from snapkit.forms.planned import PlannedForm, some
from snapkit.plan import Plan
from snapkit.plan.step import amount_text


class DeleteForm(PlannedForm):
    """Deletes snapshots; the result is what came of each, as `Applied`.

    What is in the way of each is looked up when the form is made: those that something needs stay, and the others go.
    Where the account has changed since, the plan is refused and made anew, to be approved again.

    Attributes:
        snapshots: which; those that go are ticked, and no choice is left.
    """

    def __init__(self, snapshots: Snapshot | Sequence[Snapshot]) -> None:
        """Make the form.

        Args:
            snapshots: one, or several of one region.

        Raises:
            InvalidRequest: there are none, or they are of several regions.
            AwsError: AWS refuses to say what is in the way.
        """
        asked = [snapshots] if isinstance(snapshots, Snapshot) else list(snapshots)
        if not asked:
            raise InvalidRequest("snapshots", (), "are none", "give at least one")
        self._asked = list({each.id: each for each in asked}.values())
        self.snapshots = Choices("Snapshots", [(named(each), each.id) for each in self._asked])
        self.snapshots.fixed = True
        title = named(asked[0]) if len(self._asked) == 1 else f"{len(self._asked):,} snapshots"
        super().__init__(self._planned(), asked[0].region, f"{title}: Delete", "Delete snapshot")

    def adapt(self) -> None:
        """Show which go by the plan, which is another one where the account has changed."""
        shown = {step.on: "stays" if step.blockers else "goes" for step in self.plan}
        self.snapshots.show(f"{named(each)}: {shown[each.id]}" for each in self._asked)
        self.snapshots.value = self._going
        if len(self._asked) > 1:
            self.verb = f"Delete {len(self._going):,} of {len(self._asked):,} snapshots"
            self._layout.submit.description = self.verb

    def checks(self) -> Iterator[Callable[[], object]]:
        """List what the plan wants: something that can be done, and somebody who approves it."""
        if not any(self.region.can("Snapshot", "Delete", each) for each in self._asked):
            yield partial(self.region.allow, "Snapshot", "Delete", self._asked[0])
        yield self._check_any
        yield lambda: self.plan.approve(self.by.value)

    def consequences(self) -> Iterator[str]:
        """Say what stays and why, what goes, what to know of it, and what that saves."""
        plan = self.plan
        yield from some([f"{step.on} stays: {each}." for step in plan for each in step.blockers])
        yield from some([f"Deletes {step.on}: {step.reason}." for step in plan if not step.blockers])
        yield from some([f"Warning, {', '.join(on)}: {each}." for each, on in self._warned().items()])
        if self._going:
            yield f"What it changes a month: {amount_text(plan.monthly_usd)}."
            yield "What is deleted cannot come back, unless a rule of the recycle bin keeps it for a while."

    def _warned(self) -> dict[str, list[str]]:
        """Tell of which that go there is what to know: many are warned of in the same words."""
        warned: dict[str, list[str]] = {}
        for step in self.plan:
            for each in step.warnings if not step.blockers else ():
                warned.setdefault(each, []).append(step.on)
        return warned

    def _check_any(self) -> None:
        if not self._going:
            reasons = list(dict.fromkeys(each for step in self.plan for each in step.blockers))
            rule, _, remedy = reasons[0].partition("; ")
            raise InvalidRequest("snapshots", tuple(each.id for each in self._asked), f"cannot go: {rule}", remedy)

    @property
    def _going(self) -> list[str]:
        return [step.on for step in self.plan if not step.blockers]

    def _planned(self) -> Plan:
        # With whom each is shared costs a call, so that it is looked up of a single one only.
        return self._asked[0].region.snapshots.plan_delete(self._asked, shares=len(self._asked) == 1)
