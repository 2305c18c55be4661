"""Strategies side by side: the same volume, the same chances, and the choice for a stated RPO and budget."""

from collections.abc import Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from math import isnan
from numbers import Integral
from typing import TYPE_CHECKING, NoReturn, TypedDict, Unpack

import pandas as pd

from simulation.model import Scenario, simulate
from snapkit import _html
from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.prices import Prices
from snapkit.strategy import Strategy
from snapkit.timing import Timing
from snapkit.units import Duration, Size, bytes_text, seconds_text, to_seconds, to_usd, usd_text

if TYPE_CHECKING:
    from simulation.plots import Picture

CONFIDENCE = 0.95
_AS_LONG = 0.9
"""A history of at least this share of the longest counts as equally long."""


class ScenarioOptions(TypedDict, total=False):
    """What the scenarios of a study share besides workload and horizon; see `Scenario`."""

    start: datetime
    size: Size | None
    volume_type: str
    timing: Timing
    prices: Prices


def study(
    strategies: Iterable[Strategy],
    workload: Workload,
    *,
    horizon: Duration = "90d",
    replications: int = 10,
    seed: int = 0,
    executor: Executor | None = None,
    **options: Unpack[ScenarioOptions],
) -> "Study":
    """Simulate several strategies on one volume, each a number of times, under common random numbers.

    Args:
        strategies: what to compare; their names must differ.
        workload: how the volume's blocks are written.
        horizon: how long each run lasts.
        replications: how many runs of each strategy; the k-th runs of all strategies meet the same chances.
        seed: root of all random streams.
        executor: where the runs are computed; here and now unless given. The answers are the same on any.
        options: what else the scenarios share, see `Scenario`.

    Raises:
        InvalidRequest: nothing to compare, two strategies of one name, or no replication.
    """
    if isinstance(strategies, Strategy) or not isinstance(strategies, Iterable):
        raise InvalidRequest("strategies", strategies, "is no list of strategies", "give a list of Strategy")
    scenarios = [Scenario(strategy, workload, horizon, **options) for strategy in strategies]
    names = [scenario.strategy.name for scenario in scenarios]
    if not names:
        raise InvalidRequest("strategies", [], "leave nothing to compare", "give at least one Strategy")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidRequest("strategy name", twice, "stands twice in one study", "give each strategy its own name")
    if isinstance(replications, bool) or not isinstance(replications, Integral) or replications < 1:
        raise InvalidRequest("replications", replications, "is not a whole number of at least 1", "try 10")
    if executor is not None and not isinstance(executor, Executor):
        raise InvalidRequest("executor", executor, "is none", "give a concurrent.futures.Executor, or leave it out")
    runs = [(scenario, seed, replication) for scenario in scenarios for replication in range(replications)]
    if executor is None:
        summaries = [_summary(*run) for run in runs]
    else:
        futures = [executor.submit(_summary, *run) for run in runs]
        summaries = [future.result() for future in futures]
    index = pd.MultiIndex.from_product([names, range(replications)], names=["strategy", "replication"])
    return Study(
        tuple(scenarios), pd.DataFrame([summary.to_numpy() for summary in summaries], index, summaries[0].index)
    )


def _summary(scenario: Scenario, seed: int, replication: int) -> pd.Series:
    return simulate(scenario, seed, replication=replication).summary()


@dataclass(frozen=True)
class Study:
    """Strategies compared.

    Attributes:
        scenarios: what was simulated, one for each strategy.
        runs: the figures of every run (see `Outcome.summary`), by strategy and replication.
    """

    scenarios: Sequence[Scenario]
    runs: pd.DataFrame

    @cached_property
    def frame(self) -> pd.DataFrame:
        """The mean of every figure over the replications, one row per strategy."""
        return self.runs.groupby("strategy", sort=False).mean()

    @cached_property
    def margins(self) -> pd.DataFrame:
        """Half the width of the 95 % confidence interval of every mean, by Student's t; NaN for one replication."""
        from scipy.stats import t  # slow to import, and of use only here

        runs = self.runs.groupby("strategy", sort=False)
        count = len(self.runs) // len(self.scenarios)
        return runs.sem() * (t.ppf((1 + CONFIDENCE) / 2, count - 1) if count > 1 else float("nan"))

    @cached_property
    def table(self) -> pd.DataFrame:
        """The figures that decide, written for people."""
        rows = {name: self._line(name) for name in self._means}
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("strategy")

    def _line(self, name: str) -> dict[str, str]:
        mean, margin = self._means[name], self._margins[name]
        cost = usd_text(mean["monthly_cost_usd"])
        if margin["monthly_cost_usd"] >= 0.005:  # half a cent: what is smaller would show as 0.00
            cost += f" ± {margin['monthly_cost_usd']:.2f}"
        return {
            "a snapshot takes": seconds_text(mean["duration_mean_s"]),
            "at p95": seconds_text(mean["duration_p95_s"]),
            "RPO p95": seconds_text(mean["rpo_p95_s"]),
            "kept": f"{mean['kept']:.0f}",
            "reaches back": seconds_text(mean["history_s"]),
            "stored": bytes_text(mean["stored_end_bytes"]),
            "a month": cost,
            "copied modelled": f"{mean['copied_modelled_share']:.0%}",
            "stored modelled": f"{mean['stored_modelled_share']:.0%}",
        }

    def __repr__(self) -> str:
        return str(self.table.reset_index().to_string(index=False))

    def _repr_html_(self) -> str:
        table = self.table.reset_index()
        return _html.table(list(table.columns), table.to_numpy().tolist())

    def best(self, *, rpo: Duration, monthly_cost: float | str | None = None) -> "Choice":
        """Choose the strategy for an RPO and a budget.

        The RPO says how often to snapshot, the budget how much to keep: of the strategies that meet both, those that
        reach back longest (within 10 %) come first, and of these the cheapest is chosen.

        Args:
            rpo: what a failure at a random moment may lose, at its 95th percentile.
            monthly_cost: what stored snapshots may cost a month [USD]; without it money is no object.

        Raises:
            InvalidRequest: no strategy meets both; names the one that comes nearest.
        """
        limits = {"rpo_p95_s": to_seconds(rpo, "RPO")}
        if monthly_cost is not None:
            limits["monthly_cost_usd"] = to_usd(monthly_cost, "budget")
        able = {name: mean for name, mean in self._means.items() if all(mean[key] <= limits[key] for key in limits)}
        if not able:
            self._refuse(rpo, monthly_cost, limits)
        longest = max(mean["history_s"] for mean in able.values())
        as_long = [name for name, mean in able.items() if mean["history_s"] >= _AS_LONG * longest]
        chosen = min(as_long, key=lambda name: able[name]["monthly_cost_usd"])
        losers = {name: self._why_not(name, chosen, limits) for name in self._means if name != chosen}
        strategy = next(scenario.strategy for scenario in self.scenarios if scenario.strategy.name == chosen)
        return Choice(strategy, self._why(chosen, limits), losers)

    def plot(self, *, rpo: Duration | None = None, monthly_cost: float | str | None = None) -> "Picture":
        """Draw how long snapshots take, and cost against RPO with the limits where they are given."""
        from simulation import plots  # matplotlib loads only when something is drawn

        limit = None if rpo is None else to_seconds(rpo, "RPO")
        return plots.study(self, limit, None if monthly_cost is None else to_usd(monthly_cost, "budget"))

    def _why(self, name: str, limits: dict[str, float]) -> str:
        figures = self._means[name]
        words = [f"loses at most {seconds_text(figures['rpo_p95_s'])} 95 times in 100"]
        words.append(f"reaches back {seconds_text(figures['history_s'])}")
        words.append(f"costs {usd_text(figures['monthly_cost_usd'])} a month")
        near = {self._close(name, figure, limit) for figure, limit in limits.items()}
        return ", ".join(words) + "".join(near)

    def _why_not(self, name: str, chosen: str, limits: dict[str, float]) -> str:
        figures, best = self._means[name], self._means[chosen]
        words = []
        for figure, limit in limits.items():
            if not figures[figure] <= limit:
                words.append(f"{_FAILS[figure](figures[figure], limit)}{self._close(name, figure, limit)}")
        if not words and figures["history_s"] < _AS_LONG * best["history_s"]:
            words.append(f"reaches back {seconds_text(figures['history_s'])}, not {seconds_text(best['history_s'])}")
        if not words:
            costs = usd_text(figures["monthly_cost_usd"]), usd_text(best["monthly_cost_usd"])
            words.append(f"costs {costs[0]} a month, not {costs[1]}, and reaches back no longer")
        return " and ".join(words)

    def _close(self, name: str, figure: str, limit: float) -> str:
        near = abs(self._means[name][figure] - limit) <= self._margins[name][figure]
        return " (closer to the limit than chance allows to tell)" if near else ""

    def _refuse(self, rpo: Duration, monthly_cost: float | str | None, limits: dict[str, float]) -> NoReturn:
        means = self._means
        able = [name for name in means if means[name]["rpo_p95_s"] <= limits["rpo_p95_s"]]
        if all(isnan(mean["rpo_p95_s"]) for mean in means.values()):
            raise InvalidRequest(
                "RPO", rpo, "is met by no strategy: none has a complete snapshot in time", "simulate a longer horizon"
            )
        if not able:
            complete = [name for name in means if not isnan(means[name]["rpo_p95_s"])]
            nearest = min(complete, key=lambda name: means[name]["rpo_p95_s"])
            raise InvalidRequest(
                "RPO",
                rpo,
                f"is met by no strategy: the nearest, {nearest}, loses up to "
                f"{seconds_text(means[nearest]['rpo_p95_s'])} (95th percentile)",
                "allow a larger RPO, or add a strategy that snapshots more often",
            )
        cheapest = min(able, key=lambda name: means[name]["monthly_cost_usd"])
        raise InvalidRequest(
            "budget",
            monthly_cost,
            f"pays for no strategy that meets an RPO of {seconds_text(limits['rpo_p95_s'])}: the cheapest, {cheapest}, "
            f"costs {usd_text(means[cheapest]['monthly_cost_usd'])} a month",
            "allow a larger budget or RPO, or add a strategy that keeps less",
        )

    @cached_property
    def _means(self) -> dict[str, dict[str, float]]:
        return _plain(self.frame)

    @cached_property
    def _margins(self) -> dict[str, dict[str, float]]:
        return _plain(self.margins)


def _plain(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {str(name): dict(zip(frame.columns, figures.tolist(), strict=True)) for name, figures in frame.iterrows()}


_FAILS = {
    "rpo_p95_s": lambda value, limit: f"loses up to {seconds_text(value)} (p95), more than {seconds_text(limit)}",
    "monthly_cost_usd": lambda value, limit: f"costs {usd_text(value)} a month, more than {usd_text(limit)}",
}


@dataclass(frozen=True)
class Choice:
    """The strategy chosen, and why the others lost.

    Attributes:
        strategy: the very object that was simulated.
        why: what speaks for it.
        losers: why each of the others lost, by name.
    """

    strategy: Strategy
    why: str
    losers: dict[str, str]

    @property
    def table(self) -> pd.DataFrame:
        """The chosen strategy first, then the others."""
        rows = [(self.strategy.name, "chosen", self.why), *((name, "lost", why) for name, why in self.losers.items())]
        return pd.DataFrame(rows, columns=["strategy", "verdict", "because"])

    def __repr__(self) -> str:
        width = max(map(len, (self.strategy.name, *self.losers)))
        lines = [
            f"chosen  {self.strategy.name:{width}}  {self.why}",
            f"        {'':{width}}  {self.strategy.describe()}",
        ]
        lines += [f"lost    {name:{width}}  {why}" for name, why in self.losers.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return _html.table(list(self.table.columns), self.table.to_numpy().tolist())
