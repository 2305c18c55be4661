"""What came of one step of strategies."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from snapkit import _html
from snapkit.automation.alerts import Alert
from snapkit.plan import Applied, Deed, Plan, Step

DONE, FAILED, REFUSED, ALERT = 0, 1, 2, 3
"""Exit statuses: all is well, something was not done, nothing was begun, no volume of a group could be snapshotted."""


@dataclass(frozen=True, repr=False)
class Run:
    """What strategies wanted at a moment, and what came of it.

    Attributes:
        plan: the steps.
        applied: what came of each; None where they were only shown.
        alerts: which groups began to fail, or no longer do.
        troubles: what is wrong besides, a sentence each: with it the status is not 0.
        notes: what else to know, a sentence each.
        next_due: when something is due next; None for never.
        pending: how many snapshots were in progress when it began.
    """

    plan: Plan
    applied: Applied | None
    alerts: tuple[Alert, ...]
    troubles: tuple[str, ...]
    notes: tuple[str, ...]
    next_due: datetime | None
    pending: int

    @property
    def status(self) -> int:
        """The exit status: 3 where a group began to fail, 1 where a step failed or something is wrong, else 0.

        A step that is blocked is told, and fails but where it would have deleted or archived: what cannot go yet, as it
        is locked or stands under an image, does no harm. Where the right is missing, a trouble tells.
        """
        if any(alert.failing for alert in self.alerts):
            return ALERT
        blocked = any(step.what not in ("delete", "archive") for step in self.plan.blocked)
        failed = any(deed.result in ("failed", "skipped") for deed in self.applied or ())
        return FAILED if blocked or failed or self.troubles else DONE

    def rows(self) -> list[tuple[str, str, str, str]]:
        """List the steps: what, on what, the result and why."""
        if self.applied is None:
            return [_row(step, *_shown(step)) for step in self.plan]
        return [_row(deed.step, deed.result, deed.told) for deed in self.applied]

    def lines(self) -> list[str]:
        """Write it as lines of JSON: one for each step that was only shown, alert, trouble and note, then the end."""
        steps = [line(step, *_shown(step)) for step in self.plan] if self.applied is None else []
        told = [json.dumps({"trouble": each}, ensure_ascii=False) for each in self.troubles]
        told += [json.dumps({"note": each}, ensure_ascii=False) for each in self.notes]
        end = {
            "status": self.status,
            "applied": self.applied is not None,
            "next_due": self.next_due.isoformat() if self.next_due else None,
            "pending": self.pending,
        }
        return [*steps, *(alert.to_json() for alert in self.alerts), *told, json.dumps(end)]

    def to_frame(self) -> pd.DataFrame:
        """Make a frame, one row for each step."""
        return pd.DataFrame(self.rows(), columns=["what", "on", "result", "why"]).astype("string")

    def _told(self) -> list[str]:
        return [*map(str, self.alerts), *self.troubles, *self.notes]

    def _summed(self) -> str:
        done = "shown only" if self.applied is None else "applied"
        due = f", next due {self.next_due:%Y-%m-%d %H:%M:%S} UTC" if self.next_due else ""
        count = f"{len(self.plan):,} step{'' if len(self.plan) == 1 else 's'}"
        return f"{count}, {done}{due}; status {self.status}"

    def __repr__(self) -> str:
        return f"<Run: {self._summed()}>"

    def __str__(self) -> str:
        rows = [("step", "on", "result", "why"), *self.rows()]
        widths = [max(len(row[place]) for row in rows) for place in range(3)]
        table = ["  ".join(cell.ljust(width) for cell, width in zip(row, (*widths, 0), strict=True)) for row in rows]
        shown = [row.rstrip() for row in table] if len(rows) > 1 else []
        return "\n".join([*shown, *self._told(), self._summed()])

    def _repr_html_(self) -> str:
        notes = "".join(_html.note(each) for each in (*self._told(), self._summed()))
        return _html.table(("step", "on", "result", "why"), self.rows()) + notes


def line(step: Step, result: str, told: str) -> str:
    """Write one step as a line of JSON."""
    known: dict[str, Any] = {"what": step.what, "on": step.on, "result": result, "reason": step.reason}
    known |= ({"told": told} if told else {}) | ({"record": dict(step.record)} if step.record else {})
    return json.dumps(known, ensure_ascii=False, default=datetime.isoformat)


def deed_line(deed: Deed) -> str:
    """Write what came of a step as a line of JSON."""
    return line(deed.step, deed.result, deed.told)


def _shown(step: Step) -> tuple[str, str]:
    return ("blocked", "; ".join(step.blockers)) if step.blockers else ("planned", "")


def _row(step: Step, result: str, told: str) -> tuple[str, str, str, str]:
    return step.what, step.on, result, told or step.reason
