"""What studies and screenings have in common: what is compared, volumes taken together, and who is beaten by nobody."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.strategy import Strategy

AS_LONG = 0.9
"""A history of at least this share of the longest counts as equally long."""

LESS_IS_BETTER = ("rpo_p95_s", "rto_p95_s", "monthly_cost_usd")
"""The figures that decide, besides how far back the history reaches."""

_FEWEST = 9
"""So many runs an 80 % range takes: of ten, each is the least or the most with a chance of one tenth."""


def named_strategies(strategies: object) -> list[Strategy]:
    """List what is to be compared.

    Raises:
        InvalidRequest: there is nothing to compare, one is no strategy, or two have one name.
    """
    if isinstance(strategies, Strategy) or not isinstance(strategies, Iterable):
        raise InvalidRequest("strategies", strategies, "is no list of strategies", "give a list of Strategy")
    listed = list(strategies)
    if not listed:
        raise InvalidRequest("strategies", [], "leave nothing to compare", "give at least one Strategy")
    seen: set[str] = set()
    for each in listed:
        if not isinstance(each, Strategy):
            raise InvalidRequest("strategies", each, "is no strategy", "give a list of Strategy")
        if each.name in seen:
            raise InvalidRequest(
                "strategy name", each.name, "stands twice in one study", "give each strategy its own name"
            )
        seen.add(each.name)
    return listed


def named_workloads(workloads: object) -> dict[str, Workload]:
    """Name the volumes: by the keys of a mapping, or by the names of the workloads of a list.

    Raises:
        InvalidRequest: there is none, one is no workload, or two have one name.
    """
    if isinstance(workloads, Workload):
        return {workloads.name: workloads}
    if isinstance(workloads, Mapping):
        pairs = list(workloads.items())
    elif isinstance(workloads, Iterable) and not isinstance(workloads, str):
        pairs = [(getattr(each, "name", ""), each) for each in workloads]
    else:
        raise InvalidRequest("workload", workloads, "is none", "give a Workload, or a mapping of names to them")
    if not pairs:
        raise InvalidRequest("workload", workloads, "leaves no volume", "give at least one Workload")
    named: dict[str, Workload] = {}
    for name, each in pairs:
        if not isinstance(each, Workload) or not isinstance(name, str):
            raise InvalidRequest("workload", each, "is none", "give a Workload, or a mapping of names to them")
        if name in named:
            raise InvalidRequest("workload name", name, "stands twice in one study", "give a mapping with other names")
        named[name] = each
    return named


def together(volumes: NDArray[np.float64], names: Sequence[str]) -> NDArray[np.float64]:
    """Reduce the figures of many volumes (rows) under one strategy to those of the strategy.

    Amounts are added up. Of times the worst counts: the longest, but of histories the shortest; means are averaged.
    Shares are weighted by the bytes that they are shares of.
    """
    figures = np.array(volumes[0], np.float64)
    if len(volumes) == 1:
        return figures
    for place, name in enumerate(names):
        if name in _SHARES_OF:
            weights = volumes[:, names.index(_SHARES_OF[name])]
            figures[place] = np.average(volumes[:, place], weights=weights) if weights.sum() else 0.0
        else:
            figures[place] = getattr(volumes[:, place], together_by(name))()
    return figures


def together_by(figure: str) -> str:
    """Tell how a figure of many volumes is reduced to one."""
    if figure == "history_s":
        return "min"
    if figure.endswith("_mean_s"):
        return "mean"
    return "max" if figure.endswith("_s") else "sum"


_SHARES_OF = {"copied_unmeasured_share": "copied_bytes", "stored_unmeasured_share": "stored_end_bytes"}


def means(runs: pd.DataFrame) -> pd.DataFrame:
    """Average each figure of each strategy; one that a run does not have, such as an RPO, has no mean either."""
    averages = {name: each.mean(skipna=False) for name, each in runs.groupby("strategy", sort=False)}
    return pd.DataFrame(averages).T.rename_axis("strategy")


def ranges(runs: pd.DataFrame) -> pd.DataFrame:
    """Tell between which values each figure of each strategy lies eight times in ten: quantiles 0.1 and 0.9.

    One more run is as likely to be below or above them as they say. That takes nine runs, of which the least and the
    most are the range; NaN for fewer.
    """
    rows: dict[tuple[object, float], NDArray[np.float64]] = {}
    for name, each in runs.groupby("strategy", sort=False):
        figures = each.to_numpy(np.float64)
        for quantile in (0.1, 0.9):
            with np.errstate(invalid="ignore"):  # of a figure that is infinite in some of the runs
                row = np.quantile(figures, quantile, axis=0, method="weibull")
            rows[name, quantile] = row if len(figures) >= _FEWEST else np.full(len(row), np.nan)
    index = pd.MultiIndex.from_tuples(rows, names=["strategy", "quantile"])
    return pd.DataFrame(list(rows.values()), index, runs.columns)


def front(figures: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which strategies are on the Pareto front.

    Those are the ones that no other beats: none loses no more, takes no longer to be back, costs no more and reaches
    back no less, and is better in one of these.
    """
    worse = [figures[name] for name in LESS_IS_BETTER if name in figures.columns] + [-figures["history_s"]]
    points = np.column_stack([each.to_numpy(np.float64) for each in worse])
    points = np.where(np.isnan(points), np.inf, points)
    order = np.lexsort(points.T[::-1])  # nobody is beaten by one that comes later
    on_front = np.zeros(len(points), np.bool_)
    unbeaten = np.empty_like(points)
    count = 0
    for place in order.tolist():
        point, others = points[place], unbeaten[:count]
        if np.any(np.all(others <= point, axis=1) & np.any(others < point, axis=1)):
            continue
        unbeaten[count] = point
        count += 1
        on_front[place] = True
    return on_front
