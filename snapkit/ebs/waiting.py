"""How far a snapshot is, and how long it will still take."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from snapkit.units import seconds_text

POLL = 15.0
"""Time between two looks at a snapshot [s]; longer where an estimate says that the end is far."""

_FEWEST = 3


@dataclass(frozen=True)
class Estimate:
    """How long snapshots like this one took.

    Attributes:
        low: one in ten took less [s].
        likely: half of them took less [s].
        high: nine in ten took less [s].
        basis: which snapshots.
    """

    low: float
    likely: float
    high: float
    basis: str

    @classmethod
    def of(cls, durations: Sequence[float], basis: str) -> "Estimate | None":
        """Estimate from what earlier ones took [s]; None from fewer than three."""
        if len(durations) < _FEWEST:
            return None
        low, likely, high = (float(each) for each in np.quantile(durations, [0.1, 0.5, 0.9]))
        return cls(low, likely, high, f"{len(durations)} earlier snapshots of {basis}")

    def __str__(self) -> str:
        return f"{seconds_text(self.low)} to {seconds_text(self.high)}, from {self.basis}"


@dataclass(frozen=True)
class Progress:
    """How far a snapshot is.

    Attributes:
        snapshot_id: which.
        state: pending, completed or error.
        percent: what AWS reports; it may jump.
        elapsed: since it was begun [s].
        estimate: of the whole duration, if there is one.
        again_in: when to look again [s].
    """

    snapshot_id: str
    state: str
    percent: int
    elapsed: float
    estimate: Estimate | None
    again_in: float

    @property
    def remaining(self) -> tuple[float, float] | None:
        """Between which bounds the rest will last [s], if there is an estimate."""
        if self.estimate is None:
            return None
        return max(0.0, self.estimate.low - self.elapsed), max(0.0, self.estimate.high - self.elapsed)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))

    def __str__(self) -> str:
        told = f"{self.snapshot_id}: {self.state}, {self.percent} %, {seconds_text(self.elapsed)} so far"
        if self.state != "pending":
            return told
        if self.estimate is None:
            return f"{told}; no estimate yet"
        if self.elapsed > self.estimate.high:
            return f"{told}; longer than usual ({self.estimate})"
        return f"{told}; usually {self.estimate}"


def progress(raw: "dict[str, object]", now: datetime, estimate: Estimate | None, begun: datetime) -> Progress:
    """Tell how far a snapshot is from what AWS says of it."""
    elapsed = max(timedelta(), now - begun).total_seconds()
    text = str(raw.get("Progress") or "0%").rstrip("%")
    rest = (estimate.low - elapsed) / 4 if estimate else 0.0
    return Progress(
        snapshot_id=str(raw["SnapshotId"]),
        state=str(raw["State"]),
        percent=int(text) if text.isdigit() else 0,
        elapsed=elapsed,
        estimate=estimate,
        again_in=max(POLL, min(rest, 20 * POLL)),
    )
