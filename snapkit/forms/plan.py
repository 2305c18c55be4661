"""What a strategy wants of volumes now: shown, approved and applied."""

from collections.abc import Callable, Iterator, Sequence

from snapkit import automation
from snapkit.ebs import Server, Volume
from snapkit.errors import InvalidRequest
from snapkit.forms.options import named
from snapkit.forms.planned import PlannedForm, some
from snapkit.plan import Plan, Step
from snapkit.plan.step import amount_text
from snapkit.strategy import Strategy


class PlanForm(PlannedForm):
    """Shows what a strategy wants now, at which price, and applies it; the result is what came of each step.

    Where the account has changed since, the plan is refused and made anew, to be approved again.
    """

    def __init__(self, target: Volume | Server | Sequence[Volume | Server], strategy: Strategy) -> None:
        """Plan; nothing is done before the plan is approved.

        Args:
            target: a volume; a server, whose volumes are taken at one and the same moment; or several of either.
            strategy: what to do.

        Raises:
            InvalidRequest: there is no volume, or the clock is wrong.
            StrategyError: the names of the strategy do not fit in tags.
            AwsError: AWS refuses to say what there is.
        """
        asked = [target] if isinstance(target, Volume | Server) else list(target)
        if not asked:
            raise InvalidRequest("target", (), "is no volume", "give at least one")
        self._asked, self._strategy = asked, strategy
        title = named(asked[0]) if len(asked) == 1 else f"{len(asked):,} volumes and servers"
        super().__init__(self._planned(), asked[0].region, f"{title}: Plan of {strategy.name}", "Approve and apply")

    def checks(self) -> Iterator[Callable[[], object]]:
        """List what the plan wants: something that can be done, and somebody who approves it."""
        yield self._check_any
        yield lambda: self.plan.approve(self.by.value)

    def consequences(self) -> Iterator[str]:
        """Say what stands in the way, what is done and why, and at which price."""
        plan = self.plan
        yield from some([f"Not done, {step.name}: {each}." for step in plan for each in step.blockers])
        going = [step for step in plan if not step.blockers]
        yield from some([_said(step) for step in going])
        yield from some([f"Warning, {step.name}: {each}." for step in going for each in step.warnings])
        if going:
            once, monthly = amount_text(plan.total_usd), amount_text(plan.monthly_usd)
            yield f"All of it costs {once} once, and what it changes a month: {monthly}."

    def _planned(self) -> Plan:
        return automation.plan(self._asked, self._strategy)

    def _check_any(self) -> None:
        if all(step.blockers for step in self.plan):
            told = "every step is blocked" if self.plan else f"{self._strategy.name} wants nothing now"
            remedy = "see what is in the way" if self.plan else "look again when something is due"
            raise InvalidRequest("by", self.by.value, f"has nothing to approve: {told}", remedy)


def _said(step: Step) -> str:
    costs = [f"{amount_text(step.price_usd)} once"] if step.price_usd != 0 else []
    costs += [f"{amount_text(step.monthly_usd)} a month"] if step.monthly_usd != 0 else []
    return f"{step.name[:1].upper()}{step.name[1:]}: {step.reason}{''.join(f'; {each}' for each in costs)}."
