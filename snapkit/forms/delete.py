"""Delete snapshots, one or many, by a plan that is shown and approved."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice

from snapkit.ebs import Snapshot
from snapkit.errors import InvalidRequest
from snapkit.forms.fields import Choices, Text
from snapkit.forms.form import Form
from snapkit.forms.options import named
from snapkit.plan import Applied, Deed
from snapkit.plan.step import amount_text

MOST_TOLD = 20
"""So many sentences are shown of each kind; a page with more is read by nobody."""


class DeleteForm(Form):
    """Deletes snapshots; the result is what came of each, as `Applied`.

    What is in the way of each is looked up when the form is made: those that something needs stay, and the others go.
    The plan that is shown is the one that is approved; where the account has changed meanwhile, it is refused.

    Attributes:
        snapshots: which; those that go are ticked, and no choice is left.
        by: who approves the plan.
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
        self._asked, region, access = asked, asked[0].region, asked[0].region.access
        # With whom each is shared costs a call, so that it is looked up of a single one only.
        self._plan = region.snapshots.plan_delete(asked, shares=len(asked) == 1)
        self._applied = 0
        names = {each.id: named(each) for each in asked}
        self._going = [step.on for step in self._plan if not step.blockers]
        self.snapshots = Choices(
            "Snapshots",
            [(f"{names[step.on]}: {'stays' if step.blockers else 'goes'}", step.on) for step in self._plan],
            self._going,
        )
        self.snapshots.fixed = True
        self.by = Text("Approved by", access.user if access else "", hint="Required: who agrees to what is told below.")
        several = f"{len(asked):,} snapshots"
        title = named(asked[0]) if len(asked) == 1 else several
        verb = "Delete snapshot" if len(asked) == 1 else f"Delete {len(self._going):,} of {several}"
        super().__init__(region, f"{title}: Delete", verb)

    def checks(self) -> Iterator[Callable[[], object]]:
        """List what the plan wants: something that can be done, and somebody who approves it."""
        if not any(self.region.can("Snapshot", "Delete", each) for each in self._asked):
            yield partial(self.region.allow, "Snapshot", "Delete", self._asked[0])
        yield self._check_any
        yield lambda: self._plan.approve(self.by.value)

    def consequences(self) -> Iterator[str]:
        """Say what stays and why, what goes, what to know of it, and what that saves."""
        plan = self._plan
        yield from _some([f"{step.on} stays: {each}." for step in plan for each in step.blockers])
        yield from _some([f"Deletes {step.on}: {step.reason}." for step in plan if not step.blockers])
        yield from _some(
            [f"Warning, {step.on}: {each}." for step in plan if not step.blockers for each in step.warnings]
        )
        if self._going:
            yield f"What it changes a month: {amount_text(plan.monthly_usd)}."
            yield "What is deleted cannot come back, unless a rule of the recycle bin keeps it for a while."

    def deed(self) -> Callable[[], Applied]:
        """Bind the plan, approved."""
        self._applied = 0
        return partial(self._plan.apply, self._plan.approve(self.by.value), self._tell)

    def told(self, result: Applied) -> str:
        """Say what came of each, first of those that are there still."""
        ordered = sorted(result, key=lambda each: each.good)
        each = [f"{one.step.name}: {one.result}{f', {one.told}' if one.told else ''}" for one in ordered]
        return "; ".join([repr(result).strip("<>"), *_some(each)])

    def _tell(self, deed: Deed) -> None:
        self._applied += 1
        percent = 100 * self._applied // len(self._plan)
        self._layout.tell(f"{self._applied:,} of {len(self._plan):,}, {deed.step.name}: {deed.result}", percent=percent)

    def _check_any(self) -> None:
        if not self._going:
            reasons = list(dict.fromkeys(each for step in self._plan for each in step.blockers))
            rule, _, remedy = reasons[0].partition("; ")
            raise InvalidRequest("snapshots", tuple(step.on for step in self._plan), f"cannot go: {rule}", remedy)


def _some(sentences: Sequence[str]) -> Iterator[str]:
    """Leave out most of very many, and say so."""
    yield from islice(sentences, MOST_TOLD)
    if len(sentences) > MOST_TOLD:
        yield f"... and {len(sentences) - MOST_TOLD:,} more"
