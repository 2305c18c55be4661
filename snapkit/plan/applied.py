"""What came of the steps of a plan."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, overload

import pandas as pd

from snapkit import _html
from snapkit.errors import SnapkitError
from snapkit.plan.step import Step

_SHOWN = 50


@dataclass(frozen=True)
class Approval:
    """That somebody agreed to a plan.

    Attributes:
        by: who.
        fingerprint: of the plan.
        at: when, where the plan has a clock.
        text: the plan as it was agreed to.
    """

    by: str
    fingerprint: str
    at: datetime | None = None
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class Deed:
    """What came of a step.

    Attributes:
        step: which.
        result: done, already done, failed, blocked, or skipped because a step that it waits for was not done.
        told: why, where it was not done.
    """

    step: Step
    result: str
    told: str = ""

    @property
    def good(self) -> bool:
        """Whether the step is done."""
        return self.result in ("done", "already done")


class Applied(Sequence[Deed]):
    """What came of each step of a plan.

    Attributes:
        approval: by which it was run.
    """

    def __init__(self, deeds: Sequence[Deed], approval: Approval) -> None:
        self._deeds = tuple(deeds)
        self.approval = approval

    @property
    def complete(self) -> bool:
        """Whether every step is done."""
        return all(deed.good for deed in self)

    @property
    def failed(self) -> tuple[Deed, ...]:
        """The deeds of the steps that are not done."""
        return tuple(deed for deed in self if not deed.good)

    def to_frame(self) -> pd.DataFrame:
        """Make a frame, one row for each step."""
        rows = [(each.step.what, each.step.on, each.result, each.told) for each in self]
        return pd.DataFrame(rows, columns=["what", "on", "result", "told"]).astype("string")

    @overload
    def __getitem__(self, index: int) -> Deed: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Deed]: ...

    def __getitem__(self, index: int | slice) -> Deed | Sequence[Deed]:
        return self._deeds[index]

    def __len__(self) -> int:
        return len(self._deeds)

    def _told(self) -> str:
        results = ("done", "already done", "failed", "blocked", "skipped")
        counts = {result: sum(each.result == result for each in self) for result in results}
        counted = ", ".join(f"{count:,} {result}" for result, count in counts.items() if count)
        return f"{counted or 'no steps'}, approved by {self.approval.by}"

    def __repr__(self) -> str:
        return f"<Applied: {self._told()}>"

    def __str__(self) -> str:
        lines = (f"  {each.step.name}: {each.result}{f', {each.told}' if each.told else ''}" for each in self)
        return "\n".join([f"Applied: {self._told()}", *lines])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))

    def _repr_html_(self) -> str:
        ordered = sorted(self, key=lambda each: each.good)
        rows = [(each.step.what, each.step.on, each.result, each.told) for each in ordered[:_SHOWN]]
        more = f"; {_SHOWN} shown, what was not done first" if len(self) > _SHOWN else ""
        return _html.table(("step", "on", "result", "why"), rows) + _html.note(f"{self._told()}{more}.")


def run(step: Step, failed: set[str]) -> Deed:
    """Run a step, unless it is done, is blocked, or waits for one that was not done."""
    try:
        if step.done():
            return Deed(step, "already done")
        if step.blockers:
            return Deed(step, "blocked", "; ".join(step.blockers))
        if missing := [name for name in step.waits_for if name in failed]:
            return Deed(step, "skipped", f"waits for what was not done: {', '.join(missing)}")
        step.do()
    except SnapkitError as error:
        return Deed(step, "failed", str(error))
    return Deed(step, "done")
