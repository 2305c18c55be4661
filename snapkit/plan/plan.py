"""Plans: steps that are shown, approved, and then applied, for anything that deletes, shares or spends.

A plan says what it would do, on what, why, at which price, and what stands in the way. An approval is bound to its
fingerprint: that of the steps and of the state on which they rest. Where either is another one by then, the plan is
refused and the difference named.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, TypeAlias, overload

import pandas as pd

from snapkit import _html
from snapkit.clock import Clock
from snapkit.errors import InvalidRequest, StalePlan
from snapkit.plan.applied import Applied, Approval, Deed, run
from snapkit.plan.step import Band, Step, amount_text, band, total

State: TypeAlias = Mapping[str, Mapping[str, str]]
"""What a plan rests on: by resource, the properties that matter, as text."""

_SHOWN = 50
_LEAST = 12
"""Digits of a fingerprint that tell a plan from others: 48 bits."""

_FINGERPRINT = re.compile(f"[0-9a-fA-F]{{{_LEAST},64}}")


class Plan(Sequence[Step]):
    """Steps to approve and to apply.

    Attributes:
        steps: in the order in which they are run.
        state: what they rest on.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        state: State,
        *,
        reread: Callable[[], State] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make a plan; nothing is done yet.

        Args:
            steps: what to do; those that wait for others are put behind them.
            state: what they rest on, as it was read when they were decided.
            reread: reads it again; by default it is taken not to change.
            clock: tells when the plan is approved.

        Raises:
            InvalidRequest: two steps have one name, a step waits for one that there is not, or steps wait for each
                other.
        """
        self.steps = _in_order(steps)
        self.state: State = {on: dict(known) for on, known in state.items()}
        self._reread = reread
        self._clock = clock

    @property
    def fingerprint(self) -> str:
        """What an approval is bound to: the SHA-256 of the steps and of the state."""
        return sha256(self.to_json().encode()).hexdigest()

    @property
    def total_usd(self) -> Band:
        """The least and the most that the steps cost once; blocked ones and those of unknown price left out."""
        return total(step.price_usd for step in self.steps if not step.blockers)

    @property
    def monthly_usd(self) -> Band:
        """The least and the most that the steps change a month from then on, likewise; below zero they save."""
        return total(step.monthly_usd for step in self.steps if not step.blockers)

    @property
    def blocked(self) -> tuple[Step, ...]:
        """The steps that cannot be run."""
        return tuple(step for step in self.steps if step.blockers)

    def approve(self, by: str, fingerprint: str | None = None) -> Approval:
        """Agree to the plan as it is.

        Args:
            by: who agrees.
            fingerprint: of the plan that was looked at, or its first 12 digits or more, where that was in another
                process; by default it is this very object.

        Raises:
            InvalidRequest: nobody is named, or it is no fingerprint.
            StalePlan: the plan that was looked at is another one.
        """
        if not isinstance(by, str) or not by.strip():
            raise InvalidRequest("by", by, "names nobody", "say who approves the plan")
        if fingerprint is not None:
            if not (isinstance(fingerprint, str) and _FINGERPRINT.fullmatch(fingerprint)):
                rule = f"is not {_LEAST} to 64 hexadecimal digits"
                raise InvalidRequest("fingerprint", fingerprint, rule, "give that of the plan that you looked at")
            if not self.fingerprint.startswith(fingerprint.lower()):
                looked, this = fingerprint[:_LEAST], self.fingerprint[:_LEAST]
                raise StalePlan((f"{looked} was looked at, and the plan is {this} by now: {self._told()}",))
        return Approval(by, self.fingerprint, self._clock.now() if self._clock else None, self.to_json())

    def apply(self, approval: Approval, on_deed: Callable[[Deed], object] | None = None) -> Applied:
        """Run the steps; a failed one does not stop the others, and what has been done already is not done again.

        Args:
            approval: of this very plan.
            on_deed: called with each deed as it is known.

        Raises:
            StalePlan: the approval is of another plan, or the state is another one by now; nothing was done.
            SnapkitError: the state cannot be read; nothing was done.
        """
        if not isinstance(approval, Approval):
            raise InvalidRequest("approval", approval, "is none", "give what plan.approve(by=...) returns")
        if approval.fingerprint != self.fingerprint:
            raise StalePlan(_other_plan(approval, self))
        now = self._reread() if self._reread else self.state
        # What the plan itself has changed, in a run that was broken off, does not make it stale.
        begun = {step.on for step in self.steps if step.done()}
        differences = _differences(self.state, now, begun)
        if differences:
            raise StalePlan(differences)
        deeds: list[Deed] = []
        failed: set[str] = set()
        for step in self.steps:
            deed = run(step, failed)
            if not deed.good:
                failed.add(step.name)
            deeds.append(deed)
            if on_deed:
                on_deed(deed)
        return Applied(deeds, approval)

    def to_json(self) -> str:
        """Write it as JSON, always in the same order."""
        content = {"steps": [step.to_dict() for step in self.steps], "state": self.state}
        return json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    def to_frame(self) -> pd.DataFrame:
        """Make a frame, one row for each step."""
        rows = [
            {
                "what": step.what,
                "on": step.on,
                "reason": step.reason,
                "price_low_usd": band(step.price_usd)[0],
                "price_high_usd": band(step.price_usd)[1],
                "monthly_low_usd": band(step.monthly_usd)[0],
                "monthly_high_usd": band(step.monthly_usd)[1],
                "blockers": "; ".join(step.blockers),
                "warnings": "; ".join(step.warnings),
                "waits_for": ", ".join(step.waits_for),
            }
            for step in self.steps
        ]
        money = ("price_low_usd", "price_high_usd", "monthly_low_usd", "monthly_high_usd")
        text = ("what", "on", "reason", "blockers", "warnings", "waits_for")
        frame = pd.DataFrame(rows, columns=[*text[:3], *money, *text[3:]])
        return frame.astype(dict.fromkeys(money, "float64") | dict.fromkeys(text, "string"))

    @overload
    def __getitem__(self, index: int) -> Step: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Step]: ...

    def __getitem__(self, index: int | slice) -> Step | Sequence[Step]:
        return self.steps[index]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __repr__(self) -> str:
        return f"<Plan of {self._told()}>"

    def __str__(self) -> str:
        return "\n".join([f"Plan of {self._told()}", *(f"  {_line(step)}" for step in self.steps)])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))

    def _told(self) -> str:
        count = f"{len(self.steps):,} step{'' if len(self.steps) == 1 else 's'}"
        blocked = f", {len(self.blocked):,} blocked" if self.blocked else ""
        return f"{count}{blocked}; {_money(self)}"

    def _repr_html_(self) -> str:
        rows = [
            (
                step.what, step.on, step.reason, amount_text(step.price_usd), amount_text(step.monthly_usd),
                "; ".join(step.blockers), "; ".join(step.warnings), ", ".join(step.waits_for),
            )
            for step in self.steps[:_SHOWN]
        ]  # fmt: skip
        titles = ("step", "on", "reason", "price", "a month", "blocked by", "warning", "after")
        more = f"; the first {_SHOWN} shown" if len(self) > _SHOWN else ""
        return _html.table(titles, rows) + _html.note(f"Plan of {self._told()}{more}.")


def _in_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Put steps behind those that they wait for, and else leave them as they are."""
    by_name = {step.name: step for step in steps}
    if len(by_name) < len(steps):
        twice = next(step.name for step in steps if by_name[step.name] is not step)
        raise InvalidRequest("steps", twice, "is in the plan twice", "plan each thing once")
    ordered: dict[str, Step] = {}
    waiting = list(steps)
    while waiting:
        before = len(ordered)
        for step in waiting:
            if all(name in ordered for name in step.waits_for):
                ordered[step.name] = step
        if len(ordered) == before:
            raise _never_ready(waiting, by_name)
        waiting = [step for step in waiting if step.name not in ordered]
    return tuple(ordered.values())


def _never_ready(waiting: Sequence[Step], by_name: Mapping[str, Step]) -> InvalidRequest:
    for step in waiting:
        for name in step.waits_for:
            if name not in by_name:
                return InvalidRequest("step", step.name, f"waits for {name!r}, which is no step", "plan that as well")
    names = ", ".join(step.name for step in waiting)
    return InvalidRequest("steps", names, "wait for each other", "let one of them go first")


def _differences(before: State, after: State, aside: set[str]) -> tuple[str, ...]:
    """Say what changed, but for certain resources."""
    told = []
    for on in sorted((before.keys() | after.keys()) - aside):
        if on not in after:
            told.append(f"{on} is gone")
        elif on not in before:
            told.append(f"{on} is new")
        else:
            for name in sorted(before[on].keys() | after[on].keys()):
                was, now = before[on].get(name, "nothing"), after[on].get(name, "nothing")
                if was != now:
                    told.append(f"{on}: {name} was {was}, is {now}")
    return tuple(told)


def _other_plan(approval: Approval, plan: Plan) -> tuple[str, ...]:
    """Say how the plan that was approved differs from this one."""
    told = f"the approval by {approval.by} is of another plan"
    try:
        approved = json.loads(approval.text)
        before = {f"{step['what']} {step['on']}": step for step in approved["steps"]}
        state = approved["state"]
    except (ValueError, LookupError, TypeError):
        return (told,)
    after = {step.name: json.loads(json.dumps(step.to_dict())) for step in plan.steps}
    missing = tuple(f"{name!r} is no step of this one" for name in before if name not in after)
    new = tuple(f"{name!r} is a step of this one only" for name in after if name not in before)
    changed = tuple(
        f"{name!r} has another {key.replace('_usd', '')}"
        for name in before
        if name in after
        for key in before[name]
        if before[name][key] != after[name].get(key)
    )
    return (told, *missing, *new, *changed, *_differences(state, plan.state, set()))


def _money(plan: Plan) -> str:
    parts = [f"costs {amount_text(plan.total_usd)}"] if plan.total_usd != (0, 0) else []
    parts += [f"{amount_text(plan.monthly_usd)} a month"] if plan.monthly_usd != (0, 0) else []
    unknown = sum(None in (step.price_usd, step.monthly_usd) for step in plan.steps if not step.blockers)
    parts += [f"the price of {unknown:,} not known"] if unknown else []
    return ", ".join(parts) or "costs nothing"


def _line(step: Step) -> str:
    parts = [f"{step.name}: {step.reason}"]
    parts += [f"{amount_text(step.price_usd)} once"] if step.price_usd != 0 else []
    parts += [f"{amount_text(step.monthly_usd)} a month"] if step.monthly_usd != 0 else []
    parts += [f"after {', '.join(step.waits_for)}"] if step.waits_for else []
    parts += [f"warning: {'; '.join(step.warnings)}"] if step.warnings else []
    parts += [f"BLOCKED: {'; '.join(step.blockers)}"] if step.blockers else []
    return "; ".join(parts)
