"""Thousands of strategies on thousands of volumes, in closed form: no run, no chance, means only.

What a chain stores on average is linear in how long each length of gap lies between neighbours (see
`simulation.occupancy`): a matrix of strategies by gaps, times one of gaps by workloads.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from simulation.compared import AS_LONG, front, named_strategies, named_workloads, together_by
from simulation.lifetimes import Calendar, Floats
from simulation.occupancy import Occupancy, Stay, occupancy
from simulation.scenario import Scenario
from snapkit import _html
from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.prices import MONTH, Prices
from snapkit.strategy import Strategy
from snapkit.strategy.zones import epoch_of
from snapkit.timing import Timing
from snapkit.units import Duration, bytes_text, seconds_text, to_seconds, to_usd, usd_text

if TYPE_CHECKING:
    from scipy.sparse import csr_array

_AT_ONCE = 1 << 23
"""So many footprints are held at once: 64 MiB."""
_ROUNDING = 1e-9
_SHOWN = 20
"""So many strategies a table shows."""


def screen(
    strategies: Iterable[Strategy],
    workload: Workload | Iterable[Workload] | Mapping[str, Workload],
    *,
    horizon: Duration = "90d",
    start: datetime = datetime(2026, 1, 5, tzinfo=UTC),
    timing: Timing = Timing(),  # noqa: B008 - it is frozen
    prices: Prices = Prices(),  # noqa: B008 - it is frozen
) -> "Screening":
    """Rank many strategies on one or many volumes in closed form, to choose which ones to simulate.

    The figures are means over all chances. They are those of `simulate` where every snapshot completes before the next
    one starts and what changes depends only on how long one waits (see `Workload.stationary`); a workload whose hours
    differ counts with its footprint, its mean over all moments. Volumes meet no limit here and share nothing.

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
        which only a simulation tells exactly: a snapshot lasts until the next one starts, the footprint says that a
        longer gap changes more blocks than all its parts together, or the strategy keeps copies or a recovery volume,
        which are left out here.
        """
        figures = pd.DataFrame(self._figures(), pd.Index([each.name for each in self.strategies], name="strategy"))
        for each in self.strategies:
            if each.copy_regions or each.recovery:
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
            InvalidRequest: none meets them.
        """
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
        matrices = _Matrices(self._plans, self.horizon)
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


class _Matrices:
    """All strategies at once: how long each has each gap, how often it copies after one, and what is delayed."""

    def __init__(self, plans: Sequence[Occupancy], horizon: float) -> None:
        self.plans = plans
        self.horizon = horizon
        self.gaps = np.unique(np.concatenate([plan.gaps for plan in plans]))
        self._places = [np.searchsorted(self.gaps, plan.gaps) for plan in plans]
        counts = [np.bincount(plan.before, minlength=len(plan.gaps)) for plan in plans]
        self.taken = self._sparse(list(zip(self._places, counts, strict=True)))
        self.whole = _Stays([plan.whole for plan in plans], self._places, self)
        self.tail = _Stays([plan.tail for plan in plans], self._places, self)

    def _sparse(self, rows: Sequence[tuple[NDArray[np.int64], NDArray[np.generic]]]) -> "csr_array":
        from scipy.sparse import csr_array  # slow to import, and of use only here

        ends = np.cumsum([0, *(len(places) for places, _ in rows)])
        values = np.concatenate([values for _, values in rows] or [np.zeros(0)]).astype(np.float64)
        columns = np.concatenate([places for places, _ in rows] or [np.zeros(0, np.int64)])
        return csr_array((values, columns, ends), shape=(len(rows), len(self.gaps)))

    def figures(self, volumes: Sequence[Workload], timing: Timing, prices: Prices) -> dict[str, Floats]:
        """Give the figures of every strategy (rows) on some volumes (columns)."""
        sizes = [each.block_size for each in volumes]
        full = np.array([-(-each.size // size) * size for each, size in zip(volumes, sizes, strict=True)], np.float64)
        changed = np.column_stack(
            [each.footprints(self.gaps) * size for each, size in zip(volumes, sizes, strict=True)]
        )
        np.minimum(changed, full, out=changed)
        # What the weather makes of durations on average: the mean of a lognormal with median 1.
        weather = float(np.exp(timing.spread**2 / 2))
        seconds, first = (_seconds(timing, each) * weather for each in (changed, full))
        count = np.array([len(plan.before) + 1.0 for plan in self.plans])[:, None]
        spare = np.array([plan.spare for plan in self.plans])[:, None]
        last = np.vstack(
            [
                seconds[places[plan.before[-1]]] if len(plan.before) else first
                for plan, places in zip(self.plans, self._places, strict=True)
            ]
        )
        done = last <= spare
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = (self.taken @ seconds - np.where(done, 0.0, last)) / (count - 1 - ~done)
        losses = self._losses(seconds, first, last, done)
        np.maximum(losses["approximate"], self._swells(changed), out=losses["approximate"])
        begun = np.array([plan.first for plan in self.plans])[:, None]
        stored = full * (self.horizon - begun) + self.whole.byte_seconds(changed, seconds)
        tail = min(MONTH, self.horizon)
        late = full * np.minimum(tail, self.horizon - begun) + self.tail.byte_seconds(changed, seconds)
        ones = np.ones_like(last)
        return {
            "snapshots": count * ones,
            "kept": self._either(done, "kept"),
            "full_duration_s": first * ones,
            "duration_mean_s": np.where(count > 1, mean, np.nan),
            **losses,
            "history_s": self._either(done, "history"),
            "copied_bytes": full + self.taken @ changed,
            "stored_mean_bytes": stored / self.horizon,
            "cost_usd": stored * prices.stored(1.0),
            "monthly_cost_usd": late * (prices.stored(1.0) * MONTH / tail),
        }

    def _swells(self, changed: Floats) -> NDArray[np.bool_]:
        """Tell on which volumes some gap changes more blocks in a time than a shorter one does."""
        waited = self.gaps > 0
        rates = changed[waited] / self.gaps[waited, None]
        return np.asarray(np.any(rates[1:] > rates[:-1] * (1 + _ROUNDING), axis=0))

    def _either(self, done: NDArray[np.bool_], name: str) -> Floats:
        """Choose a figure by whether the last snapshot is complete at the horizon."""
        after, until = np.array([getattr(plan, name) for plan in self.plans], np.float64).T[:, :, None]
        return np.asarray(np.where(done, after, until))

    def _losses(self, seconds: Floats, first: Floats, last: Floats, done: NDArray[np.bool_]) -> dict[str, Floats]:
        """Find what a failure at a random moment loses, and where a snapshot lasts until the next one starts."""
        mean, high, overlapping = np.empty_like(last), np.empty_like(last), np.zeros_like(last)
        for row, (plan, places) in enumerate(zip(self.plans, self._places, strict=True)):
            before = places[plan.before]
            pairs, counts = _pairs(before, len(self.gaps))
            gaps = self.gaps[before]
            # Cuts of time in which the newest complete snapshot stays the same: from when it completes (the loss is
            # its duration then) until the next one does. The first and the last two are by themselves.
            low, top = [*seconds[pairs[:, 0]]], [*(self.gaps[pairs[:, 1], None] + seconds[pairs[:, 1]])]
            overlapping[row] = np.any(seconds[pairs[:, 0]] > self.gaps[pairs[:, 1], None], axis=0)
            ages = [first, *seconds[before[[0, -1]]]] if len(before) else [first]
            if len(before) > 1:
                low.append(first)
                top.append(gaps[0] + ages[1])
            if len(before):
                previous = seconds[before[-2]] if len(before) > 1 else first
                low.append(previous)
                top.append(np.where(done[row], gaps[-1] + last[row], gaps[-1] + plan.spare))
            low.append(last[row])
            top.append(np.where(done[row], plan.spare, last[row]))
            weights = np.append(counts, np.ones(len(low) - len(counts)))
            mean[row], high[row] = _mixture(np.array(low), np.array(top), weights)
        return {"rpo_mean_s": mean, "rpo_p95_s": high, "approximate": overlapping}


class _Stays:
    """How long each strategy has each gap in a stretch of time, and what is delayed by the duration of a snapshot."""

    def __init__(self, stays: Sequence[Stay], places: Sequence[NDArray[np.int64]], matrices: _Matrices) -> None:
        delays = [(row, each) for row, stay in enumerate(stays) for each in stay.delays]
        self._seconds = matrices._sparse(
            [(own[stay.numbers], stay.seconds) for stay, own in zip(stays, places, strict=True)]
        )
        self._counts = matrices._sparse([(places[row][each.numbers], each.counts) for row, each in delays])
        self._causes = np.array([places[row][each.gap] for row, each in delays], np.int64)
        self._low = np.array([each.low for _, each in delays])[:, None]
        self._high = np.array([each.high for _, each in delays])[:, None]
        self._rows = np.array([row for row, _ in delays], np.int64)

    def byte_seconds(self, changed: Floats, seconds: Floats) -> Floats:
        """Integrate what is stored besides the full volume [byte seconds]: strategies by volumes.

        Args:
            changed: what each gap changes [bytes], gaps by volumes.
            seconds: how long a snapshot after it takes [s], likewise.
        """
        stored = np.asarray(self._seconds @ changed)
        if len(self._rows):
            delayed = np.clip(seconds[self._causes], self._low, np.maximum(self._high, self._low)) - self._low
            delayed *= self._counts @ changed
            np.add.at(stored, self._rows, delayed)
        return stored


def _seconds(timing: Timing, sizes: Floats) -> Floats:
    """Tell how long snapshots of some sizes [bytes] take [s]."""
    return np.asarray(timing.seconds(sizes))  # type: ignore[arg-type] # its formula takes arrays as well


def _pairs(before: NDArray[np.int64], gaps: int) -> tuple[NDArray[np.int64], Floats]:
    """Count which gap follows which, but for the last one."""
    if len(before) < 3:
        return np.zeros((0, 2), np.int64), np.zeros(0)
    keys, counts = np.unique(before[:-2] * gaps + before[1:-1], return_counts=True)
    return np.column_stack([keys // gaps, keys % gaps]), counts.astype(np.float64)


def _mixture(low: Floats, high: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Give mean and 95th percentile of losses that are equally likely within each of some cuts.

    Args:
        low: the loss at the beginning of each cut [s], cuts by volumes.
        high: at its end; a cut that ends before it begins never is.
        weights: how often each cut is there.
    """
    high = np.maximum(low, high)
    total = weights @ (high - low)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = weights @ (high**2 - low**2) / 2 / total
    edges = np.concatenate([low, high]).T
    order = np.argsort(edges, axis=1)
    edges = np.take_along_axis(edges, order, 1)
    slopes = np.cumsum(np.append(weights, -weights)[order], axis=1)
    below = np.zeros_like(edges)
    np.cumsum(slopes[:, :-1] * np.diff(edges, axis=1), axis=1, out=below[:, 1:])
    wanted = 0.95 * total
    # The first edge up to which at least so many moments lose less.
    place = np.clip(np.sum(below < wanted[:, None], axis=1), 1, edges.shape[1] - 1)
    rows = np.arange(len(edges))
    slope = slopes[rows, place - 1]
    with np.errstate(invalid="ignore", divide="ignore"):
        loss = edges[rows, place - 1] + (wanted - below[rows, place - 1]) / slope
    return mean, np.where(total > 0, loss, np.nan)
