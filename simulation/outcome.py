"""What came of one run: one row per snapshot, and the figures that decide between strategies."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulation.failures import recovery_seconds, warm_again
from simulation.log import Log
from simulation.losses import exposure, moments, stored_between
from simulation.reasons import reasons
from snapkit import _html
from snapkit.prices import MONTH
from snapkit.strategy.losses import loss_quantile, mean_loss, missed
from snapkit.strategy.zones import epoch_of
from snapkit.units import HOUR, bytes_text, seconds_text, usd_text

if TYPE_CHECKING:
    from simulation.scenario import Scenario
    from snapkit._picture import Picture

TOLD: dict[str, tuple[str, Callable[[float], str]]] = {
    "snapshots": ("snapshots", "{:,.0f}".format),
    "failed": ("failed", "{:,.0f}".format),
    "missed": ("due times missed", "{:,.0f}".format),
    "full_duration_s": ("the first one takes", seconds_text),
    "duration_mean_s": ("a later one takes", seconds_text),
    "duration_p95_s": ("at p95", seconds_text),
    "rpo_p95_s": ("RPO p95", seconds_text),
    "rto_p95_s": ("RTO p95", seconds_text),
    "kept": ("kept", "{:,.0f}".format),
    "history_s": ("reaches back", seconds_text),
    "stored_end_bytes": ("stored", bytes_text),
    "monthly_cost_usd": ("a month", usd_text),
}
"""The figures that are shown in a notebook, in words."""

Floats = NDArray[np.float64]
_LATER = float("inf")


@dataclass(frozen=True)
class Outcome:
    """One run of one scenario.

    Attributes:
        scenario: what was simulated.
        log: what happened.
    """

    scenario: "Scenario"
    log: Log

    @cached_property
    def snapshots(self) -> pd.DataFrame:
        """One row per snapshot.

        Columns: ``due``, ``started``, ``completed``, ``deleted_at`` (UTC), ``tiers``, ``changed_bytes``,
        ``duration_s``, ``state`` (pending, completed or error, at the end or before it was deleted),
        ``source`` (where the changed blocks come from, see `Workload.provenance`; ``assumed`` for the
        first, full one) and ``reason`` (why it was deleted, or stays).
        """
        start = self.scenario.start.astimezone(UTC)
        log = self.log
        started, completed = np.array(log.started), np.array(log.completed)
        return pd.DataFrame(
            {
                "due": moments(np.array(log.due) - epoch_of(start, "start"), start),
                "started": moments(started, start),
                "completed": moments(completed, start),
                "deleted_at": moments(np.array(log.deleted), start),
                "tiers": list(map(", ".join, log.tiers)),
                "changed_bytes": np.array(log.changed) * self.scenario.workload.block_size,
                "duration_s": np.where(np.isfinite(completed), completed - started, np.nan),
                "state": self._states(),
                "source": self._sources(),
                "reason": reasons(self.scenario, log),
            }
        )

    @cached_property
    def copies(self) -> pd.DataFrame:
        """One row per copy in another region.

        Columns: ``region``, ``snapshot`` (its row in `snapshots`), ``started`` (of the snapshot), ``begun``,
        ``completed``, ``deleted_at`` (UTC), ``full`` and ``copied_bytes``.
        """
        start, frames = self.scenario.start.astimezone(UTC), []
        for region, log in self.log.copies.items():
            seconds = {"started": log.started, "begun": log.begun, "completed": log.completed}
            seconds["deleted_at"] = log.deleted
            columns: dict[str, Any] = {name: moments(np.array(column), start) for name, column in seconds.items()}
            columns |= {"full": log.full, "copied_bytes": np.array(log.copied) * self.scenario.workload.block_size}
            frames.append(pd.DataFrame({"region": region, "snapshot": log.of} | columns))
        names = ["region", "snapshot", "started", "begun", "completed", "deleted_at", "full", "copied_bytes"]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=names)

    @cached_property
    def archived(self) -> pd.DataFrame:
        """One row per snapshot that went to the archive.

        Columns: ``snapshot`` (its row in `snapshots`), ``started`` (of the snapshot), ``begun``, ``archived_at``,
        ``deleted_at`` (UTC) and ``archived_bytes``.
        """
        start, log = self.scenario.start.astimezone(UTC), self.log.archive
        seconds = {"started": log.started, "begun": log.begun, "archived_at": log.completed, "deleted_at": log.deleted}
        columns = {name: moments(np.array(column), start) for name, column in seconds.items()}
        blocks = np.array(log.blocks, dtype=float) * self.scenario.workload.block_size
        return pd.DataFrame({"snapshot": log.of, **columns, "archived_bytes": blocks})

    @cached_property
    def stored(self) -> pd.Series:
        """Bytes stored, at each moment (UTC) at which they changed, from then on."""
        index = moments(np.array(self.log.stored_at), self.scenario.start.astimezone(UTC))
        stored = np.array(self.log.stored, dtype=float) * self.scenario.workload.block_size
        return pd.Series(stored, index=index, name="stored_bytes")

    @cached_property
    def missed(self) -> Floats:
        """The due times of each tier after which none of its snapshots was started before the next [s], in order."""
        log, scenario = self.log, self.scenario
        good = [number for number in range(len(log.started)) if number not in log.failed]
        started, tiers = [log.started[number] for number in good], [log.tiers[number] for number in good]
        start = epoch_of(scenario.start, "start")
        return missed(scenario.strategy, start, scenario.horizon_seconds, started, tiers)

    def plot(self, *, theme: str = "light") -> "Picture":
        """Draw when snapshots are pending, in the worst stretch of the run; see `simulation.plots` for others."""
        from simulation import plots  # matplotlib loads only when something is drawn

        return plots.timeline(self, theme=theme)

    def summary(self) -> pd.Series:
        """Reduce the run to the figures that decide.

        - ``snapshots`` taken, ``failed`` in error, ``missed`` due times (no snapshot of that tier before the next),
          ``kept`` at the end.
        - ``full_duration_s`` of the first, full snapshot that completes; ``duration_mean_s``, ``duration_p95_s`` of the
          differential ones.
        - ``rpo_mean_s``, ``rpo_p95_s``, ``rpo_max_s``: what a failure at a random moment after the first complete
          snapshot loses: the time back to the start of the newest complete one. ``unprotected_s``: time until the
          first one is complete.
        - ``rto_p95_s``: within which time a lost volume is replaced at its full speed, in 95 % of the moments after
          that; see `simulation.failures` for what is assumed.
        - ``history_s``: how far back the oldest complete snapshot reaches at the end.
        - ``copied_bytes`` in all; ``copied_unmeasured_share``, what share of the differential ones' bytes was not
          measured on the volume itself: modelled, scaled or assumed.
        - ``stored_byte_hours`` over the horizon; ``stored_end_bytes``; ``stored_unmeasured_share`` of the latter:
          blocks changed in gaps between snapshots of which that holds.
        - ``copies_cost_usd``: of copies in other regions, their transfer with it, and ``recovery_cost_usd``: of the
          recovery volume, over the horizon.
        - ``cost_usd`` of all that over the horizon; ``monthly_cost_usd``, what its last 30 days (or all of it, if
          shorter) cost a month, without the transfer of full copies, which is paid for once.
        """
        scenario = self.scenario
        block, horizon = scenario.workload.block_size, scenario.horizon_seconds
        log = self.log
        started, completed, deleted = (np.array(column) for column in (log.started, log.completed, log.deleted))
        changed = np.array(log.changed, dtype=float) * block
        seconds = np.where(np.isfinite(completed), completed - started, np.nan)
        later = np.array(self._since) >= 0
        differential, full = seconds[later & np.isfinite(completed)], seconds[~later & np.isfinite(completed)]
        kept = np.isinf(deleted) & np.isfinite(completed)
        since, lost_from, lost_to = exposure(log, horizon)
        tail = min(MONTH, horizon)
        byte_seconds = stored_between(log, 0.0, horizon) * block
        left = log.stored[-1] if log.stored else 0.0
        copies, recovery, archive = self._copies_cost(0.0), self._recovery_cost(0.0), self._archive_cost(0.0)
        begin = horizon - tail
        recent = scenario.prices.stored(stored_between(log, begin, horizon) * block)
        recent += self._copies_cost(begin, monthly=True) + self._recovery_cost(begin) + self._archive_cost(begin)
        copied_later = changed[later].sum()
        unmeasured = changed[later & (np.array(self._sources()) != "measured")].sum()
        return pd.Series(
            {
                "snapshots": float(len(started)),
                "failed": float(len(log.failed)),
                "missed": float(len(self.missed)),
                "kept": float(kept.sum()),
                "full_duration_s": full[0] if len(full) else np.nan,
                "duration_mean_s": differential.mean() if len(differential) else np.nan,
                "duration_p95_s": np.quantile(differential, 0.95) if len(differential) else np.nan,
                "rpo_mean_s": mean_loss(lost_from, lost_to),
                "rpo_p95_s": loss_quantile(lost_from, lost_to, 0.95),
                "rpo_max_s": lost_to.max() if len(lost_to) else np.nan,
                "unprotected_s": since,
                "rto_p95_s": warm_again(self, 0.95),
                "history_s": horizon - min(started[kept].min(), self._oldest_archived) if kept.any() else np.nan,
                "frozen_s": sum(min(end, horizon) - begin for begin, end in log.frozen),
                "copied_bytes": changed.sum(),
                "copied_unmeasured_share": unmeasured / copied_later if copied_later else 0.0,
                "stored_byte_hours": byte_seconds / HOUR,
                "stored_end_bytes": left * block,
                "stored_unmeasured_share": self._stored_unmeasured() / left if left else 0.0,
                "copies_cost_usd": copies,
                "recovery_cost_usd": recovery,
                "archive_cost_usd": archive,
                "cost_usd": scenario.prices.stored(byte_seconds) + copies + recovery + archive,
                "monthly_cost_usd": recent * MONTH / tail,
            },
            name=scenario.strategy.name,
        )

    def __repr__(self) -> str:
        figures = self.summary()
        return (
            f"Outcome({self.scenario.strategy.name!r}, {figures['snapshots']:.0f} snapshots, "
            f"duration {seconds_text(figures['duration_mean_s'])} mean, RPO {seconds_text(figures['rpo_p95_s'])} p95, "
            f"{bytes_text(figures['stored_end_bytes'])} stored)"
        )

    def _repr_html_(self) -> str:
        rows = [(name, told(figure)) for (name, told), figure in zip(TOLD.values(), self.told, strict=True)]
        return _html.table([self.scenario.strategy.name, "of one run"], rows)

    @property
    def told(self) -> list[float]:
        """The figures that are shown."""
        return [float(each) for each in self.summary()[list(TOLD)]]

    def _states(self) -> list[str]:
        states = ["completed" if completed < _LATER else "pending" for completed in self.log.completed]
        for number in self.log.failed:
            states[number] = "error"
        return states

    @cached_property
    def _since(self) -> list[float]:
        """List when the snapshot that each was compared with was started [s]; minus infinity for a full one."""
        log, since, newest = self.log, list[float](), -_LATER
        for number, started in enumerate(log.started):
            since.append(newest)
            # One that ended in error holds nothing to compare with.
            if number not in log.failed:
                newest = started
        return since

    def _sources(self) -> list[str]:
        """Tell where the number of blocks that each snapshot copies comes from."""
        provenance, log = self.scenario.workload.provenance, self.log
        pairs = zip(self._since, log.started, strict=True)
        return ["assumed" if since < 0 else provenance(since, started) for since, started in pairs]

    def _stored_unmeasured(self) -> float:
        """Add up the blocks stored at the end whose number was not measured."""
        provenance, chain = self.scenario.workload.provenance, self.log.chain
        return sum(chain[b] for a, b in pairwise(chain) if provenance(a, b) != "measured")

    def _copies_cost(self, begin: float, *, monthly: bool = False) -> float:
        """Price what copies store and have sent from a moment to the horizon [USD]; monthly, less what is sent once."""
        prices, block, horizon = self.scenario.prices, self.scenario.workload.block_size, self.scenario.horizon_seconds
        cost = 0.0
        for log in self.log.copies.values():
            # The first copy is sent once: it belongs to the whole, not to what a month costs from now on.
            rows = enumerate(zip(log.copied, log.begun, strict=True))
            sent = sum(blocks for number, (blocks, at) in rows if at >= begin and (number or not monthly))
            cost += prices.stored(stored_between(log, begin, horizon) * block) + prices.transferred(sent * block)
        return cost

    def _archive_cost(self, begin: float) -> float:
        """Price what the archive holds from a moment to the horizon [USD]."""
        scenario = self.scenario
        return self.log.archive.cost(scenario.prices, scenario.workload.block_size, begin, scenario.horizon_seconds)

    @property
    def _oldest_archived(self) -> float:
        """When the oldest snapshot was started that is in the archive at the end [s]; infinity where none is."""
        log = self.log.archive
        rows = zip(log.started, log.completed, log.deleted, strict=True)
        return min((at for at, archived, deleted in rows if archived < _LATER <= deleted), default=_LATER)

    def _recovery_cost(self, begin: float) -> float:
        """Price recovery volumes from a moment to the horizon [USD]."""
        scenario = self.scenario
        size = scenario.blocks * scenario.workload.block_size
        return scenario.prices.volume(scenario.volume_type, size, recovery_seconds(self, begin))
