"""Strategies side by side: the same volumes, the same chances, and the choice for a stated RPO and budget."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from functools import cached_property
from numbers import Integral, Real
from typing import TYPE_CHECKING, Unpack

import numpy as np
import pandas as pd

from simulation import assumptions
from simulation.choosing import Choice, Judge, limits
from simulation.compared import LESS_IS_BETTER, front, means, named_strategies, named_workloads, ranges, together
from simulation.progress import Progress
from simulation.racing import CONFIDENCE, Plan, Results, half_width, raced
from simulation.scenario import Fleet, Scenario, ScenarioOptions
from snapkit import _html
from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.strategy import Strategy
from snapkit.units import Duration, bytes_text, seconds_text, usd_text

if TYPE_CHECKING:
    from snapkit._picture import Picture


_NARROW = 0.1
"""A range narrower than this share of the mean is not shown in the table."""


def study(  # noqa: PLR0913 - each is a choice of its own, and has a default
    strategies: Iterable[Strategy],
    workload: Workload | Iterable[Workload] | Mapping[str, Workload],
    *,
    horizon: Duration = "90d",
    replications: int = 10,
    seed: int = 0,
    executor: Executor | None = None,
    precision: float | None = None,
    most: int = 1000,
    race: bool = True,
    progress: bool = False,
    **options: Unpack[ScenarioOptions],
) -> "Study":
    """Simulate several strategies on one volume or many, each a number of times, under common random numbers.

    Many volumes are simulated together, each under the strategy: they share what their region has. What chance has in
    store follows from the seed, the volume, the replication and the purpose, never from the strategy or from who
    computes it.

    A study that is interrupted, or whose executor fails, returns what was computed, marked as partial, with a warning.

    Args:
        strategies: what to compare; their names must differ.
        workload: how the volume's blocks are written; for many volumes a mapping of names, or a list.
        horizon: how long each run lasts.
        replications: how many runs of each strategy; the k-th runs of all strategies meet the same chances.
        seed: root of all random streams.
        executor: where the runs are computed; here unless given, in several processes if it takes long. The answers
            are the same on any.
        precision: run each strategy as often as it takes, until half the width of the 95 % confidence interval of its
            RPO (p95) and of its monthly cost is at most this share of the mean; replications are then the fewest.
        most: the most replications of a strategy that a precision may take.
        race: with a precision, run strategies no more that another surely beats in all that decides.
        progress: whether to show how far it is, on the standard error stream.
        options: what else the scenarios share, see `Scenario`.

    Raises:
        InvalidRequest: nothing to compare, two strategies or volumes of one name, no replication or no precision, or an
            executor that is none or fails before the first run is done.
    """
    listed = named_strategies(strategies)
    scenarios: list[Scenario | Fleet] = []
    if isinstance(workload, Workload):
        scenarios += [Scenario(each, workload, horizon, **options) for each in listed]
    else:
        volumes = named_workloads(workload)
        scenarios += [
            Fleet({name: Scenario(each, volume, horizon, **options) for name, volume in volumes.items()})
            for each in listed
        ]
    plan = _plan(replications, precision, most, race=race)
    if executor is not None and not isinstance(executor, Executor):
        raise InvalidRequest("executor", executor, "is none", "give a concurrent.futures.Executor, or None")
    return _run(scenarios, plan, seed, executor, Progress(shown=progress))


def _plan(replications: int, precision: float | None, most: int, *, race: bool) -> Plan:
    for name, value in (("replications", replications), ("most", most)):
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
            raise InvalidRequest(name, value, "is not a whole number of at least 1", "try 10")
    if precision is None:
        return Plan(int(replications))
    if isinstance(precision, bool) or not isinstance(precision, Real) or not 0 < precision < 1:
        raise InvalidRequest("precision", precision, "is no share between 0 and 1", "try 0.05")
    if replications < 2:
        raise InvalidRequest("replications", replications, "leave no margin to judge a precision by", "give 2 or more")
    if most < replications:
        raise InvalidRequest(
            "most", most, f"is less than the {replications} replications", "give more, or fewer of those"
        )
    return Plan(int(replications), float(precision), int(most), race)


def _run(
    scenarios: Sequence[Scenario | Fleet], plan: Plan, seed: int, executor: Executor | None, progress: Progress
) -> "Study":
    """Simulate all, and tell if it is not all."""
    results = raced(scenarios, plan, seed, executor, progress)
    if results.cause is not None:
        if not results.rows:
            if isinstance(results.cause, Exception):
                rule = f"failed before the first run was done: {results.cause!r}"
                raise InvalidRequest("executor", executor, rule, "give one that works, or none") from results.cause
            raise results.cause
        warnings.warn(f"the study is partial: {results.stopped}", RuntimeWarning, stacklevel=3)
    return Study._of(scenarios, results, seed)


@dataclass(frozen=True)
class Study:
    """Strategies compared.

    Attributes:
        scenarios: what was simulated, one for each strategy; a `Fleet` for many volumes.
        runs: the figures of every run (see `Outcome.summary`), by strategy and replication. Of many volumes amounts are
            added up, and of times the worst counts; means are averaged.
        volumes: for many volumes, the study of each, by name.
        seed: root of all random streams.
        stopped: why not all runs were done, in words; empty if they were.
        planned: how many runs there were to be.
        beaten: the strategies that were run no more because another surely beats them, by name.
    """

    scenarios: Sequence[Scenario | Fleet]
    runs: pd.DataFrame
    volumes: Mapping[str, "Study"] = field(default_factory=dict, repr=False)
    seed: int = 0
    stopped: str = ""
    planned: int = 0
    beaten: Sequence[str] = ()

    @classmethod
    def _of(cls, scenarios: Sequence[Scenario | Fleet], results: Results, seed: int) -> "Study":
        names = [_strategy(scenario).name for scenario in scenarios]
        keys = sorted(results.rows)
        index = pd.MultiIndex.from_tuples([(names[place], k) for place, k in keys], names=["strategy", "replication"])
        beaten = [names[place] for place in sorted(results.beaten)]
        planned = sum(results.wanted.values())

        def part(scenarios: Sequence[Scenario | Fleet], rows: list[np.ndarray], volumes: "dict[str, Study]") -> "Study":
            frame = pd.DataFrame(rows, index, list(results.names))
            return cls(scenarios, frame, volumes, seed, results.stopped, planned, beaten)

        first, volumes = scenarios[0], {}
        if isinstance(first, Fleet):
            for place, name in enumerate(first):
                alone = [fleet.volumes[name] for fleet in scenarios if isinstance(fleet, Fleet)]
                volumes[name] = part(alone, [results.rows[key][place] for key in keys], {})
        return part(scenarios, [together(results.rows[key], results.names) for key in keys], volumes)

    @property
    def strategies(self) -> tuple[Strategy, ...]:
        """The strategies that were compared, those of which no run was done left out."""
        there = set(self.runs.index.get_level_values("strategy"))
        return tuple(each for each in map(_strategy, self.scenarios) if each.name in there)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the strategies of which no run was done."""
        there = set(self.runs.index.get_level_values("strategy"))
        return tuple(name for name in (_strategy(each).name for each in self.scenarios) if name not in there)

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The mean of every figure over the replications, one row per strategy, and how many ``replications``."""
        frame = means(self.runs)
        frame["replications"] = self.runs.groupby("strategy", sort=False).size()
        return frame

    @property
    def common(self) -> int:
        """How many replications every strategy has that was not beaten."""
        return int(self.frame.drop(index=list(self.beaten))["replications"].min())

    @property
    def alike(self) -> pd.DataFrame:
        """The runs that can be compared: of strategies that were not beaten, under the same chances."""
        left = self.runs.drop(index=list(self.beaten), level="strategy")
        return left[left.index.get_level_values("replication") < self.common]

    @cached_property
    def margins(self) -> pd.DataFrame:
        """Half the width of the 95 % confidence interval of every mean, by Student's t; NaN for one replication."""
        return pd.DataFrame(
            {name: _margin(each) for name, each in self.runs.groupby("strategy", sort=False)}
        ).T.rename_axis("strategy")

    @cached_property
    def ranges(self) -> pd.DataFrame:
        """Between which values every figure lies eight times in ten: rows by strategy and ``quantile``, 0.1 and 0.9.

        Runs differ by weather, by writes and by what is in doubt of the timing. The margins of means shrink with more
        of them, the ranges do not. NaN for fewer than nine replications, which tell no such range.
        """
        return ranges(self.runs)

    @property
    def front(self) -> pd.DataFrame:
        """The rows of the frame on the Pareto front: none other is as good in all that decides and better in something.

        What decides are RPO and RTO (p95), the monthly cost, and how far back the history reaches.
        """
        compared = means(self.alike)
        return self.frame.loc[compared.index[front(compared)]]

    def against(self, name: str) -> pd.DataFrame:
        """Compare every strategy with one, run by run: the k-th runs of both met the same chances.

        Returns:
            One row per strategy: the mean difference of each figure that decides, and beside it (``..._margin``) half
            the width of its 95 % confidence interval, NaN for one replication. A difference smaller than its margin may
            be chance.

        Raises:
            InvalidRequest: there is no strategy of that name.
        """
        if name not in self.frame.index:
            raise InvalidRequest(
                "strategy", name, "is not in the study", f"choose one of {', '.join(self.frame.index)}"
            )
        figures = [*(each for each in LESS_IS_BETTER if each in self.runs.columns), "history_s", "duration_mean_s"]
        rows = {}
        for other in self.frame.index:
            differences = self._differences(other, name)[figures]
            row = {}
            for figure, margin in _margin(differences).items():
                row[str(figure)] = float(differences[figure].mean())
                row[f"{figure}_margin"] = margin
            rows[other] = row
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")

    def _differences(self, name: str, other: str) -> pd.DataFrame:
        of = self.runs.index.get_level_values("strategy")
        mine, theirs = (self.runs[of == each].droplevel("strategy") for each in (name, other))
        common = mine.index.intersection(theirs.index)
        return mine.loc[common] - theirs.loc[common]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The figures that decide, written for people: a time with its range, where that is not narrow."""
        rows = {str(name): self._line(str(name)) for name in self.frame.index}
        table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")
        counts = self.frame["replications"]
        if counts.min() < counts.max():
            table["runs"] = counts.map("{:,}".format)
        return table

    def _line(self, name: str) -> dict[str, str]:
        mean, margin = (frame.loc[name].to_dict() for frame in (self.frame, self.margins))
        cost = usd_text(mean["monthly_cost_usd"])
        if margin["monthly_cost_usd"] >= 0.005:  # half a cent: what is smaller would show as 0.00
            cost += f" ± {margin['monthly_cost_usd']:.2f}"
        low, high = (self.ranges.xs(quantile, level="quantile").loc[name].to_dict() for quantile in (0.1, 0.9))

        def seconds(figure: str) -> str:
            return _with_range(mean[figure], low[figure], high[figure])

        return {
            "a snapshot takes": seconds("duration_mean_s"),
            "at p95": seconds("duration_p95_s"),
            "RPO p95": seconds("rpo_p95_s"),
            "kept": f"{mean['kept']:.0f}",
            "reaches back": seconds_text(mean["history_s"]),
            "stored": bytes_text(mean["stored_end_bytes"]),
            "a month": cost,
            "copied unmeasured": f"{mean['copied_unmeasured_share']:.0%}",
            "stored unmeasured": f"{mean['stored_unmeasured_share']:.0%}",
        }

    def __repr__(self) -> str:
        return str(self.table.reset_index().to_string(index=False)) + (f"\n{self._told}" if self.stopped else "")

    def _repr_html_(self) -> str:
        table = self.table.reset_index()
        shown = _html.table(list(table.columns), table.to_numpy().tolist())
        return shown + (_html.table(["partial"], [(self._told,)]) if self.stopped else "")

    @property
    def _told(self) -> str:
        none = f", none of {', '.join(self.missing)}" if self.missing else ""
        return f"partial, {len(self.runs):,} of {self.planned:,} runs{none}: {self.stopped}"

    def best(self, *, rpo: Duration, rto: Duration | None = None, monthly_cost: float | str | None = None) -> "Choice":
        """Choose the strategy for an RPO, an RTO and a budget.

        The RPO says how often to snapshot, the budget how much to keep: of the strategies that meet all, those that
        reach back longest (within 10 %) come first, and of these the cheapest is chosen.

        Args:
            rpo: what a failure at a random moment may lose, at its 95th percentile.
            rto: how long it may take until the volume serves again, at its 95th percentile.
            monthly_cost: what stored snapshots may cost a month [USD]; without it money is no object.

        Raises:
            InvalidRequest: no strategy meets them all; names the one that comes nearest.
        """
        return Judge(self, *limits(rpo, rto, monthly_cost)).choice()

    def sensitivity(
        self,
        *,
        rpo: Duration,
        rto: Duration | None = None,
        monthly_cost: float | str | None = None,
        factor: float = 2.0,
        executor: Executor | None = None,
        progress: bool = False,
    ) -> pd.DataFrame:
        """Ask whether the choice stands if an assumption is wrong: make the study again with each of them changed.

        One at a time is multiplied and divided by a factor: rate, latency and spread of the timing, and how much is
        written. Everything else, the chances included, stays as it was.

        Args:
            rpo: see `best`.
            rto: see `best`.
            monthly_cost: see `best`.
            factor: by how much.
            executor: where the runs are computed.
            progress: whether to show how far it is.

        Returns:
            One row per change: ``assumption``, ``times``, which strategy is then ``chosen`` (None if none meets the
            limits), whether that ``flips`` the choice, what the choice made before would then lose and cost
            (``rpo_p95_s``, ``monthly_cost_usd``), and ``because``, why that one is no longer chosen.

        Raises:
            InvalidRequest: no strategy meets the limits as it is, or the factor is not above 1.
        """
        if isinstance(factor, bool) or not isinstance(factor, Real) or not factor > 1:
            raise InvalidRequest("factor", factor, "is not above 1", "try 2")
        before = self.best(rpo=rpo, rto=rto, monthly_cost=monthly_cost).strategy.name
        plan = Plan(self.common)
        rows = []
        for name, times, scenarios in assumptions.varied(self.scenarios, float(factor)):
            changed = _run(scenarios, plan, self.seed, executor, Progress(shown=progress))
            try:
                choice = changed.best(rpo=rpo, rto=rto, monthly_cost=monthly_cost)
                chosen, because = choice.strategy.name, choice.losers.get(before, "")
            except InvalidRequest as error:
                chosen, because = None, str(error)
            figures = changed.frame.loc[before]
            row = (name, times, chosen, chosen != before, figures["rpo_p95_s"], figures["monthly_cost_usd"], because)
            rows.append(row)
        columns = ["assumption", "times", "chosen", "flips", "rpo_p95_s", "monthly_cost_usd", "because"]
        return pd.DataFrame(rows, columns=columns)

    def plot(
        self, *, rpo: Duration | None = None, monthly_cost: float | str | None = None, theme: str = "light"
    ) -> "Picture":
        """Draw how long snapshots take, and cost against RPO with the limits where they are given."""
        from simulation import plots  # matplotlib loads only when something is drawn

        return plots.study(self, rpo, monthly_cost, theme=theme)


def _strategy(scenario: Scenario | Fleet) -> Strategy:
    return next(iter(scenario.volumes.values())).strategy if isinstance(scenario, Fleet) else scenario.strategy


def _margin(runs: pd.DataFrame) -> pd.Series:
    """Give half the width of the 95 % confidence interval of every mean; NaN for one replication."""
    return pd.Series(half_width(runs.to_numpy(np.float64), CONFIDENCE), runs.columns)


def _with_range(mean: float, low: float, high: float) -> str:
    """Write a time, and where it is not narrow its range: ``"16 min (11-25)"``."""
    text = seconds_text(mean)
    if not high - low > _NARROW * mean:
        return text
    first, last = seconds_text(low), seconds_text(high)
    unit = text.partition(" ")[2]
    if all(each.partition(" ")[2] == unit for each in (first, last)):
        first, last = first.partition(" ")[0], last.partition(" ")[0]
    return f"{text} ({first}-{last})"
