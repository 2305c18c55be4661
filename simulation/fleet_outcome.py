"""What came of one run of many volumes."""

from collections.abc import Iterator, Mapping
from datetime import UTC
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulation.losses import moments
from simulation.outcome import TOLD, Outcome
from snapkit import _html

if TYPE_CHECKING:
    from snapkit._picture import Picture


_SHOWN = 20
"""So many volumes a table shows."""


class Outcomes(Mapping[str, Outcome]):
    """One run of many volumes together: the outcome of each, by its name."""

    def __init__(self, outcomes: Mapping[str, Outcome]) -> None:
        """Hold the outcomes of one run."""
        self._outcomes = dict(outcomes)

    def __getitem__(self, name: str) -> Outcome:
        return self._outcomes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._outcomes)

    def __len__(self) -> int:
        return len(self._outcomes)

    @cached_property
    def snapshots(self) -> pd.DataFrame:
        """One row per snapshot of any volume, as they were started: ``volume``, ``region``, and `Outcome.snapshots`."""
        frames = []
        for name, outcome in self.items():
            frame = outcome.snapshots.copy()
            frame.insert(0, "volume", name)
            frame.insert(1, "region", outcome.scenario.conditions.region)
            frames.append(frame)
        return pd.concat(frames, ignore_index=True).sort_values("started", kind="stable", ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """The figures of each volume, one row each: see `Outcome.summary`."""
        rows = pd.DataFrame([outcome.summary() for outcome in self.values()])
        return rows.set_index(pd.Index(list(self), name="volume"))

    @cached_property
    def pending(self) -> pd.DataFrame:
        """Count the pending snapshots of each region, at each moment (UTC) at which that changes, from then on."""
        columns: dict[str, list[pd.Series]] = {}
        for outcome in self.values():
            log, start = outcome.log, outcome.scenario.start.astimezone(UTC)
            ends = [*(end for end in log.completed if end < float("inf")), *log.failed.values()]
            changes_at = moments(np.array([*log.started, *ends]), start)
            steps = np.ones(len(changes_at), dtype=int)
            steps[len(log.started) :] = -1
            columns.setdefault(outcome.scenario.conditions.region, []).append(pd.Series(steps, changes_at))
        changes = {region: pd.concat(each).groupby(level=0).sum() for region, each in columns.items()}
        return pd.DataFrame(changes).fillna(0).cumsum().astype(int)

    def plot(self, *, theme: str = "light") -> "Picture":
        """Draw how many snapshots are pending in each region."""
        from simulation import plots  # matplotlib loads only when something is drawn

        return plots.pending(self, theme=theme)

    def _repr_html_(self) -> str:
        shown = list(self.items())[:_SHOWN]
        rows = [
            (name, *(told(each) for (_, told), each in zip(TOLD.values(), one.told, strict=True)))
            for name, one in shown
        ]
        more = f"and {len(self) - _SHOWN:,} more volumes" if len(self) > _SHOWN else ""
        return _html.table(["volume", *(name for name, _ in TOLD.values())], rows) + (_html.note(more) if more else "")

    def __repr__(self) -> str:
        taken = sum(len(outcome.log.started) for outcome in self.values())
        volumes = "1 volume" if len(self) == 1 else f"{len(self):,} volumes"
        return f"<Outcomes: {volumes}, {taken:,} snapshots>"
