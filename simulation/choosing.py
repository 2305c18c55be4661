"""The choice of one strategy for a stated RPO, RTO and budget, and the reason why each of the others lost."""

from dataclasses import dataclass
from math import isnan
from typing import TYPE_CHECKING, NoReturn

import pandas as pd

from simulation.compared import AS_LONG, means
from snapkit import _html
from snapkit.errors import InvalidRequest
from snapkit.strategy import Strategy
from snapkit.units import Duration, seconds_text, to_seconds, to_usd, usd_text

if TYPE_CHECKING:
    from simulation.study import Study

_CHEAPEST = ("monthly_cost_usd", "rpo_p95_s")
_FIELDS = {"rpo_p95_s": "RPO", "rto_p95_s": "RTO", "monthly_cost_usd": "budget"}
_FAILS = {
    "rpo_p95_s": lambda value, limit: f"loses up to {seconds_text(value)} (p95), more than {seconds_text(limit)}",
    "rto_p95_s": lambda value, limit: f"takes up to {seconds_text(value)} (p95), more than {seconds_text(limit)}",
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


def limits(
    rpo: Duration, rto: Duration | None, monthly_cost: float | str | None
) -> tuple[dict[str, float], dict[str, object]]:
    """Read the limits: by the figure that each holds for, as a number and as given.

    Raises:
        InvalidRequest: one is no time span, or no amount.
    """
    given: dict[str, object] = {"rpo_p95_s": rpo}
    numbers = {"rpo_p95_s": to_seconds(rpo, "RPO")}
    if rto is not None:
        given["rto_p95_s"] = rto
        numbers["rto_p95_s"] = to_seconds(rto, "RTO")
    if monthly_cost is not None:
        given["monthly_cost_usd"] = monthly_cost
        numbers["monthly_cost_usd"] = to_usd(monthly_cost, "budget")
    return numbers, given


class Judge:
    """What is chosen among the strategies of a study, and why.

    Of the strategies that meet all limits, those that reach back longest (within 10 %) come first, and of these the
    cheapest is chosen.
    """

    def __init__(self, study: "Study", limits: dict[str, float], given: dict[str, object]) -> None:
        """Hold a study against limits.

        Args:
            study: the strategies with their figures.
            limits: by the figure that each holds for.
            given: the same as the user gave them.
        """
        self._study = study
        self._limits = limits
        self._given = given
        self._alike = study.alike
        self._means = _plain(means(self._alike))
        self._margins = _plain(study.margins)

    def choice(self) -> Choice:
        """Choose.

        Raises:
            InvalidRequest: no strategy meets all limits; names the one that comes nearest.
        """
        known = self._means
        able = list(known)
        for figure, limit in self._limits.items():
            meeting = [name for name in able if known[name][figure] <= limit]
            if not meeting:
                self._refuse(figure, able)
            able = meeting
        longest = max(known[name]["history_s"] for name in able)
        as_long = [name for name in able if known[name]["history_s"] >= AS_LONG * longest]
        # Of equally cheap ones the better in all else, so that none on the Pareto front beats it.
        order = {name: (*(known[name][key] for key in _CHEAPEST), -known[name]["history_s"]) for name in as_long}
        chosen = min(as_long, key=lambda name: order[name])
        losers = {name: self._why_not(name, chosen) for name in known if name != chosen}
        losers |= dict.fromkeys(self._study.beaten, "another is surely better in all that decides")
        losers |= dict.fromkeys(self._study.missing, f"was not run: {self._study.stopped}")
        strategy = next(strategy for strategy in self._study.strategies if strategy.name == chosen)
        return Choice(strategy, self._why(chosen), losers)

    def _why(self, name: str) -> str:
        figures = self._means[name]
        words = [f"loses at most {seconds_text(figures['rpo_p95_s'])} 95 times in 100"]
        if "rto_p95_s" in self._limits:
            words.append(f"is back within {seconds_text(figures['rto_p95_s'])}")
        words.append(f"reaches back {seconds_text(figures['history_s'])}")
        words.append(f"costs {usd_text(figures['monthly_cost_usd'])} a month")
        near = {self._close(name, figure) for figure in self._limits}
        return ", ".join(words) + "".join(near) + self._missed(name)

    def _missed(self, name: str) -> str:
        """Tell in how many runs a strategy misses limits that it meets on average."""
        runs = self._alike.loc[[name]]
        counts = {figure: int((~(runs[figure] <= limit)).sum()) for figure, limit in self._limits.items()}
        told = [f"the {_FIELDS[figure]} in {count} of {len(runs)} runs" for figure, count in counts.items() if count]
        return f"; misses {' and '.join(told)}" if told else ""

    def _why_not(self, name: str, chosen: str) -> str:
        figures, best = self._means[name], self._means[chosen]
        words = []
        for figure, limit in self._limits.items():
            if isnan(figures[figure]):
                words.append("has no complete snapshot in some of the runs")
            elif not figures[figure] <= limit:
                words.append(f"{_FAILS[figure](figures[figure], limit)}{self._close(name, figure)}")
        if not words and figures["history_s"] < AS_LONG * best["history_s"]:
            words.append(f"reaches back {seconds_text(figures['history_s'])}, not {seconds_text(best['history_s'])}")
        if not words:
            costs = usd_text(figures["monthly_cost_usd"]), usd_text(best["monthly_cost_usd"])
            words.append(f"costs {costs[0]} a month, not {costs[1]}, and reaches back no longer")
            differences = self._study.against(chosen).loc[name]
            if abs(differences["monthly_cost_usd"]) < differences["monthly_cost_usd_margin"]:
                words[-1] += " (closer than chance allows to tell)"
        return " and ".join(words)

    def _close(self, name: str, figure: str) -> str:
        near = abs(self._means[name][figure] - self._limits[figure]) <= self._margins[name][figure]
        return " (closer to the limit than chance allows to tell)" if near else ""

    def _refuse(self, figure: str, able: list[str]) -> NoReturn:
        """Say which limit no strategy meets of those that meet the ones before it, and which comes nearest."""
        figures, given, field = self._means, self._given[figure], _FIELDS[figure]
        known = [name for name in able if not isnan(figures[name][figure])]
        if not known:
            rule = "is met by no strategy: none has a complete snapshot in time"
            raise InvalidRequest(field, given, rule, "simulate a longer horizon, or let fewer snapshots fail")
        nearest = min(known, key=lambda name: figures[name][figure])
        value = figures[nearest][figure]
        if figure == "monthly_cost_usd":
            raise InvalidRequest(
                field,
                given,
                f"pays for no strategy that meets an RPO of {seconds_text(self._limits['rpo_p95_s'])}: the cheapest, "
                f"{nearest}, costs {usd_text(value)} a month",
                "allow a larger budget or RPO, or add a strategy that keeps less",
            )
        verb = "loses up to" if figure == "rpo_p95_s" else "takes up to"
        more = "snapshots more often" if figure == "rpo_p95_s" else "keeps a recovery volume"
        raise InvalidRequest(
            field,
            given,
            f"is met by no strategy: the nearest, {nearest}, {verb} {seconds_text(value)} (95th percentile)",
            f"allow a larger {field}, or add a strategy that {more}",
        )


def _plain(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {str(name): dict(zip(frame.columns, figures.tolist(), strict=True)) for name, figures in frame.iterrows()}
