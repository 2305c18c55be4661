"""Thousands of strategies on thousands of volumes, in closed form: no run, no chance, means only.

What a chain stores on average is linear in how long each length of gap lies between neighbours (see
`simulation.occupancy`): a matrix of strategies by gaps, times one of gaps by workloads.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from simulation.compared import AS_LONG, front, named_strategies, named_workloads, together_by
from simulation.lifetimes import Calendar, Floats
from simulation.matrices import Matrices
from simulation.occupancy import Occupancy, occupancy
from simulation.scenario import Scenario
from snapkit import _html
from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.prices import MONTH, Prices
from snapkit.strategy import Strategy
from snapkit.strategy.zones import epoch_of
from snapkit.timing import PUBLISHED, Timing
from snapkit.units import Duration, bytes_text, seconds_text, to_seconds, to_usd, usd_text

if TYPE_CHECKING:
    from snapkit._picture import Picture

_AT_ONCE = 1 << 23
"""So many footprints are held at once: 64 MiB."""
_SHOWN = 20
"""So many strategies a table shows."""


def screen(
    strategies: Iterable[Strategy],
    workload: Workload | Iterable[Workload] | Mapping[str, Workload],
    *,
    horizon: Duration = "90d",
    start: datetime = datetime(2026, 1, 5, tzinfo=UTC),
    timing: Timing = PUBLISHED,
    prices: Prices = Prices(),  # noqa: B008 - it is frozen
) -> "Screening":
    """Rank many strategies on one or many volumes in closed form, to choose which ones to simulate.

    The figures are means over all chances. They are those of `simulate` where every snapshot completes before the next
    one starts and what changes depends only on how long one waits (see `Workload.stationary`), also where data are
    added; a workload whose hours differ counts with its footprint, its mean over all moments, without any rewrite.
    Volumes meet no limit here and share nothing; those of one server, joined by `Workload.together`, finish with the
    slowest. A first, full snapshot that outlasts the next ones counts as if these did not wait for it.

    Args:
        strategies: what to compare; their names must differ.
        workload: how the volume's blocks are written; for many volumes a mapping of names, or a list.
        horizon: for how long each strategy is followed, from a volume without snapshots on.
        start: when that begins.
        timing: changed bytes to seconds.
        prices: what AWS charges.

    Raises:
        InvalidRequest: nothing to compare, two of one name, or a strategy that does not come due before the horizon.
    """
    listed, volumes = named_strategies(strategies), named_workloads(workload)
    # All that a pair is refused for lies with one of the two.
    first = next(iter(volumes.values()))
    pairs = [*((each, first) for each in listed), *((listed[0], each) for each in volumes.values())]
    for pair in pairs:
        end = Scenario(*pair, horizon, start=start, timing=timing, prices=prices).horizon_seconds
    calendar = Calendar(epoch_of(start, "start"), end)
    plans = [occupancy(calendar.lifetimes(each), end, min(MONTH, end)) for each in listed]
    return Screening(listed, volumes, end, timing, prices, _plans=plans)


@dataclass(frozen=True)
class Screening:
    """Strategies ranked in closed form.

    Attributes:
        strategies: what was compared.
        workloads: the volumes, by name.
        horizon: for how long each strategy was followed [s].
        timing: changed bytes to seconds.
        prices: what AWS charges.
    """

    strategies: Sequence[Strategy]
    workloads: Mapping[str, Workload]
    horizon: float
    timing: Timing
    prices: Prices
    _plans: Sequence[Occupancy] = field(repr=False)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One row per strategy: first those on the Pareto front (``front``), each group by its cost.

        Columns as those of `Outcome.summary`, and ``stored_mean_bytes`` over the horizon; over many volumes amounts
        are added up and of times the worst counts, means are averaged. ``approximate`` counts the volumes for
        which only a simulation tells exactly: a snapshot lasts until the next one starts, hours differ or there is a
        rewrite, the footprint says that a longer gap changes more blocks than all its parts together, or the strategy
        keeps copies, an archive or a recovery volume, which are left out here.
        """
        figures = pd.DataFrame(self._figures(), pd.Index([each.name for each in self.strategies], name="strategy"))
        for each in self.strategies:
            if each.copy_regions or each.recovery or each.archives:
                figures.loc[each.name, "approximate"] = len(self.workloads)
        figures.insert(0, "front", front(figures))
        return figures.sort_values(["front", "monthly_cost_usd"], ascending=[False, True], kind="stable")

    def of(self, volume: str) -> "Screening":
        """Rank them for one of the volumes alone.

        Raises:
            InvalidRequest: there is no volume of that name.
        """
        if volume not in self.workloads:
            raise InvalidRequest("volume", volume, "was not screened", f"choose one of {', '.join(self.workloads)}")
        alone = {volume: self.workloads[volume]}
        return Screening(self.strategies, alone, self.horizon, self.timing, self.prices, _plans=self._plans)

    def shortlist(
        self, *, rpo: Duration | None = None, monthly_cost: float | str | None = None, most: int = 10
    ) -> list[Strategy]:
        """List the most promising strategies that meet the limits, to be simulated.

        Those come first that `Study.best` would choose: of those that meet the limits and reach back longest (within
        10 %) the cheapest, then of the rest likewise.

        Args:
            rpo: what a failure at a random moment may lose, at its 95th percentile.
            monthly_cost: what stored snapshots may cost a month [USD].
            most: how many at the most.

        Raises:
            InvalidRequest: none meets them, or ``most`` is no whole number from 1.
        """
        if isinstance(most, bool) or not isinstance(most, Integral) or most < 1:
            raise InvalidRequest("most", most, "is no whole number from 1", "say how many to list at the most")
        able = self.frame
        if rpo is not None:
            able = able[able["rpo_p95_s"] <= to_seconds(rpo, "RPO")]
        if not len(able):
            nearest = seconds_text(float(self.frame["rpo_p95_s"].min()))
            raise InvalidRequest("RPO", rpo, f"is met by none: the best loses {nearest}", "allow a larger RPO")
        if monthly_cost is not None:
            cheapest = usd_text(float(able["monthly_cost_usd"].min()))
            able = able[able["monthly_cost_usd"] <= to_usd(monthly_cost, "budget")]
            if not len(able):
                rule = f"pays for none that meets the RPO: the cheapest costs {cheapest} a month"
                raise InvalidRequest("budget", monthly_cost, rule, "allow a larger budget or RPO")
        able = able.sort_values("monthly_cost_usd", kind="stable")
        named = {each.name: each for each in self.strategies}
        chosen: list[Strategy] = []
        while len(able) and len(chosen) < most:
            as_long = able[able["history_s"] >= AS_LONG * able["history_s"].max()]
            chosen += [named[str(name)] for name in as_long.index]
            able = able.drop(as_long.index)
        return chosen[:most]

    @property
    def table(self) -> pd.DataFrame:
        """The first strategies of the frame, written for people."""
        rows = self.frame.iloc[:_SHOWN]
        return pd.DataFrame(
            {
                "front": np.where(rows["front"], "yes", ""),
                "a snapshot takes": rows["duration_mean_s"].map(seconds_text),
                "RPO p95": rows["rpo_p95_s"].map(seconds_text),
                "kept": rows["kept"].map("{:,.0f}".format),
                "reaches back": rows["history_s"].map(seconds_text),
                "stored on average": rows["stored_mean_bytes"].map(bytes_text),
                "a month": rows["monthly_cost_usd"].map(usd_text),
                "approximate": rows["approximate"].map(lambda count: f"{count:,.0f}" if count else ""),
            },
            rows.index,
        )

    def plot(
        self, *, rpo: Duration | None = None, monthly_cost: float | str | None = None, theme: str = "light"
    ) -> "Picture":
        """Draw cost against RPO, with the Pareto front and the limits where they are given."""
        from simulation import plots  # matplotlib loads only when something is drawn

        return plots.front(self, rpo, monthly_cost, theme=theme)

    def __repr__(self) -> str:
        return f"{self.table.reset_index().to_string(index=False)}\n{self._told}"

    def _repr_html_(self) -> str:
        table = self.table.reset_index()
        return _html.table(list(table.columns), table.to_numpy().tolist())

    @property
    def _told(self) -> str:
        front = int(self.frame["front"].sum())
        volumes = f"{len(self.workloads):,} {'volume' if len(self.workloads) == 1 else 'volumes'}"
        return f"{len(self.strategies):,} strategies on {volumes} in closed form, {front:,} on the Pareto front"

    def _figures(self) -> dict[str, Floats]:
        """Reduce the figures of all volumes to one for each strategy."""
        matrices = Matrices(self._plans, self.horizon)
        totals: dict[str, Floats] = {}
        for volumes in self._chunks(len(matrices.gaps)):
            for name, values in matrices.figures(volumes, self.timing, self.prices).items():
                how = together_by(name)
                reduced = values.sum(1) if how in ("sum", "mean") else getattr(values, how)(1)
                if name in totals and how in ("sum", "mean"):
                    reduced = reduced + totals[name]
                elif name in totals:
                    reduced = (np.maximum if how == "max" else np.minimum)(reduced, totals[name])
                totals[name] = reduced
        count = len(self.workloads)
        return {name: each / count if together_by(name) == "mean" else each for name, each in totals.items()}

    def _chunks(self, gaps: int) -> Iterator[list[Workload]]:
        volumes, size = list(self.workloads.values()), max(_AT_ONCE // max(gaps, 1), 1)
        for begin in range(0, len(volumes), size):
            yield volumes[begin : begin + size]
