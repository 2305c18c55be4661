"""The explorer: what the controls say, in closed form while one drags, simulated once one lets go."""

import asyncio
from dataclasses import replace
from html import escape
from math import isnan, nan
from typing import Any, Unpack

import ipywidgets
import numpy as np
import pandas as pd

from simulation.explorer import drawing
from simulation.explorer.closed import Figures, caveats, closed_form, kept_ages
from simulation.explorer.controls import Controls, explored
from simulation.model import simulate
from simulation.racing import CONFIDENCE, half_width
from simulation.scenario import Scenario, ScenarioOptions
from snapkit import _html
from snapkit.blocks import Workload
from snapkit.strategy import Strategy
from snapkit.units import HOUR, Duration, bytes_text, seconds_text, to_seconds, to_usd, usd_text

PAUSE = 0.5
"""How long the controls rest before what they say is simulated [s]."""
RUNS = 5
"""How often it is."""
_ROUNDING = 0.005
"""A difference of so small a share hardly shows in three digits."""
_SHAPE = "width: 600px; max-width: 100%; table-layout: fixed; margin: 0 !important"
_STYLE = f"<style>.snapkit-figures table {{ {_SHAPE} }}</style>"
_ALERT = "color: var(--jp-error-color1, #b03a2e); line-height: 1.5"
_FIGURES = {
    "duration_mean_s": ("a snapshot takes", seconds_text),
    "duration_p95_s": ("at p95", seconds_text),
    "rpo_p95_s": ("RPO p95", seconds_text),
    "rto_p95_s": ("RTO p95", seconds_text),
    "kept": ("kept", "{:,.0f}".format),
    "history_s": ("reaches back", seconds_text),
    "stored_mean_bytes": ("stored on average", bytes_text),
    "monthly_cost_usd": ("a month", usd_text),
}


class StrategyExplorer(Controls):
    """Sliders and choices for a strategy, with what it takes, loses, keeps and costs on one volume.

    While one drags, the figures and pictures are those of the closed form: means over all chances, within milliseconds.
    Once the controls rest for half a second, the same strategy is simulated a few times in a thread, so that the kernel
    stays free; the means then stand beside those of the closed form, with their margins. A change begins anew.

    Without a browser: ``explorer.interval.value = "6 h"``, then `figures`, and ``await explorer.confirm()`` to have it
    simulated. What cannot be is told below the figures, and raised where a control is set in Python.

    Attributes:
        workload: how the volume's blocks are written.
        error: where it is told what cannot be; its ``value`` is empty if nothing.
    """

    def __init__(
        self,
        workload: Workload,
        *,
        strategy: Strategy | None = None,
        horizon: Duration = "90d",
        rpo: Duration | None = None,
        monthly_cost: float | str | None = None,
        **options: Unpack[ScenarioOptions],
    ) -> None:
        """Begin with a strategy.

        Args:
            workload: how the volume's blocks are written.
            strategy: what to begin with: one tier at one of the intervals of the slider; hourly unless given.
            horizon: for how long each strategy is followed.
            rpo: what a failure may lose, at its 95th percentile: the figures are held against it.
            monthly_cost: what it may cost a month [USD]: likewise.
            options: what else the scenario has, see `Scenario`; ``start_within`` is one of two choices then.

        Raises:
            InvalidRequest: the controls cannot express the strategy, or a scenario cannot be.
        """
        self.workload = workload
        self.error = ipywidgets.HTML()
        self._limits = {
            "rpo_p95_s": None if rpo is None else to_seconds(rpo, "RPO"),
            "monthly_cost_usd": None if monthly_cost is None else to_usd(monthly_cost, "budget"),
        }
        self._base = base = Scenario(strategy or explored(), workload, horizon, **options)
        super().__init__(base.strategy, base.horizon_seconds, base.conditions.region, base.start_within)
        self._waiting: asyncio.Task[None] | None = None
        self._simulation: asyncio.Task[None] | None = None
        self._table, self._status, self._pictures = (ipywidgets.HTML() for _ in range(3))
        # So that the notebook's own style for tables holds.
        self._table.add_class("jp-RenderedHTMLCommon").add_class("snapkit-figures")
        results = ipywidgets.VBox([self._table, self._status, self.error], layout={"flex": "1 1 380px"})
        top = ipywidgets.HBox([self._arrange(), results], layout={"flex_flow": "row wrap"})
        # So that nothing moves where there is nothing to draw.
        self._pictures.layout.min_height = "240px"
        self._box = ipywidgets.VBox([top, self._pictures])
        self._compute()
        for control in self.controls:
            control.observe(self._changed, "value")

    @property
    def scenario(self) -> Scenario:
        """What is simulated: the strategy that the controls make up, on the volume.

        Raises:
            StrategyError: they make up none, such as one that keeps nothing.
            InvalidRequest: it cannot be, such as a copy to where the volume itself is.
        """
        return replace(self._base, strategy=self.strategy, start_within=self.start_within.value)

    @property
    def figures(self) -> pd.DataFrame:
        """What decides, one row per figure: ``closed_form``, the mean ``simulated``, and its 95 % ``margin``.

        The rows are those of `Outcome.summary`, and ``stored_mean_bytes`` over the horizon. NaN stands for what is not
        known, such as what is not simulated yet.
        """
        known = self._simulated()
        rows = [(self._closed(each), *known.get(each, (nan, nan))) for each in _FIGURES]
        return pd.DataFrame(rows, pd.Index(list(_FIGURES), name="figure"), ["closed_form", "simulated", "margin"])

    async def confirm(self) -> pd.DataFrame:
        """Simulate the strategy that the controls make up; begin anew if they change meanwhile.

        Returns:
            The `figures`.
        """
        while len(self._runs) < RUNS:
            if self._simulation is None or self._simulation.done():
                self._simulation = asyncio.create_task(self._simulate())
            await self._simulation
        return self.figures

    def __repr__(self) -> str:
        lines = [f"{name:19}{told}" for name, told in self._saved()]
        return "\n".join([f"StrategyExplorer of {self.workload.name!r}, in closed form", *lines])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Show the widget and, where there are none, what the controls say in closed form: the same each time."""
        self._confirm_soon()
        saved = _html.table(["", "closed form"], self._saved())
        return {**self._box._repr_mimebundle_(), "text/plain": repr(self), "text/html": saved}

    def _saved(self) -> list[tuple[str, str]]:
        if self._refused:
            return [("refused", self._refused)]
        figures = [(name, _told(each, self._closed(each))) for each, (name, _) in _FIGURES.items()]
        return [("strategy", self.strategy.describe()), *figures]

    def _changed(self, _: object) -> None:
        self._compute()
        self._confirm_soon()

    def _compute(self) -> None:
        """Answer in closed form, or tell why there is no answer."""
        self._runs: list[Figures] = []
        self._rows: dict[str, Figures] = {}
        self._refused = ""
        self._enable()
        try:
            chosen = self.scenario
            # The others are only there to compare with, and may be more often than starts may be late.
            on_time = {
                each: replace(self._base, strategy=self.strategy_at(each), start_within=0.0)
                for each in self.interval.options
            }
            self._rows = closed_form(on_time)
        except Exception as error:
            self._refuse(error)
            raise
        for name, each in self._rows.items():
            each["interval_s"] = to_seconds(name)
        figures = self._rows[self.interval.value]
        self._caveats = list(caveats(chosen, figures))
        self._kept = drawing.kept(kept_ages(chosen, figures), chosen.horizon_seconds)
        self._show()

    def _confirm_soon(self) -> None:
        """Have it simulated after a pause, where there is an event loop to do so: in a notebook, not in a script."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if self._refused:
            return
        self._waiting = loop.create_task(self._after_pause(self._runs))

    async def _after_pause(self, runs: list[Figures]) -> None:
        await asyncio.sleep(PAUSE)
        # A change since then has made a new list, and waits for itself.
        if runs is self._runs:
            await self.confirm()

    async def _simulate(self) -> None:
        """Add one run after the other, as long as the controls stay as they are."""
        runs = self._runs
        try:
            scenario = self.scenario
            while len(runs) < RUNS:
                self._show()
                run = await asyncio.to_thread(_run, scenario, len(runs))
                if runs is not self._runs:
                    return
                runs.append(run)
        except Exception as error:
            if runs is not self._runs:
                return
            self._refuse(error)
            raise
        self._show()

    def _simulated(self) -> dict[str, tuple[float, float]]:
        """Give mean and margin of each figure once all runs are done."""
        if len(self._runs) < RUNS:
            return {}
        runs = np.array([[run[each] for each in _FIGURES] for run in self._runs])
        return dict(
            zip(_FIGURES, zip(runs.mean(0).tolist(), half_width(runs, CONFIDENCE).tolist(), strict=True), strict=True)
        )

    def _closed(self, figure: str) -> float:
        return self._rows[self.interval.value][figure] if self._rows else nan

    def _refuse(self, error: Exception) -> None:
        """Show what went wrong, and no figures that belong to something else."""
        self._runs, self._rows, self._refused = [], {}, str(error) or repr(error)
        self._status.value = self._pictures.value = ""
        self.error.value = f'<div role="alert" style="{_ALERT}">{escape(self._refused)}</div>'
        self._tabulate([(name, "", "", "") for name, _ in _FIGURES.values()])

    def _show(self) -> None:
        """Redraw all, from what is there."""
        known, chosen = self._simulated(), self.interval.value
        self.error.value = ""
        self._tabulate([self._line(each, known.get(each)) for each in _FIGURES])
        told = [f"Closed form: {'; '.join(self._caveats) or 'means over all chances'}.", self._progress(known)]
        self._status.value = f'<div role="status" style="line-height: 1.5">{"<br>".join(map(escape, told))}</div>'
        rpo, monthly_cost = self._limits.values()
        cost = drawing.cost(self._rows, chosen, known, rpo=rpo, monthly_cost=monthly_cost)
        pictures = drawing.duration(self._rows, chosen), cost, self._kept
        self._pictures.value = f'<div style="display: flex; flex-wrap: wrap; gap: 16px">{"".join(pictures)}</div>'

    def _tabulate(self, rows: list[tuple[str, str, str, str]]) -> None:
        columns = ["", "closed form", "simulated", *(["limit"] if any(self._limits.values()) else [])]
        self._table.value = _STYLE + _html.table(columns, [row[: len(columns)] for row in rows])

    def _line(self, figure: str, known: tuple[float, float] | None) -> tuple[str, str, str, str]:
        """Write one row of the table."""
        closed, limit = self._closed(figure), self._limits.get(figure)
        best, simulated = closed, ""
        if known:
            best, margin = known
            shown = margin >= _ROUNDING * abs(best)
            simulated = _told(figure, best) + (f" ± {_told(figure, margin)}" if shown else "")
        verdict = "" if limit is None else f"{'meets' if best <= limit else 'misses'} {_told(figure, limit)}"
        return _FIGURES[figure][0], _told(figure, closed), simulated, verdict

    def _progress(self, known: dict[str, tuple[float, float]]) -> str:
        """Tell how far the simulation is, or what came of it."""
        if not known:
            return f"Simulation: {len(self._runs)} of {RUNS} runs, begun once the controls rest."
        apart = [
            _FIGURES[each][0]
            for each, (mean, margin) in known.items()
            if abs(self._closed(each) - mean) > max(margin, _ROUNDING * abs(mean))
        ]
        if not apart:
            return f"Simulated {RUNS} times: agrees with the closed form within the margins."
        return f"Simulated {RUNS} times: differs from the closed form by more than the margin in {'; '.join(apart)}."


def _told(figure: str, value: float) -> str:
    return "unknown" if isnan(value) else _FIGURES[figure][1](value)


def _run(scenario: Scenario, replication: int) -> Figures:
    """Simulate once."""
    figures = simulate(scenario, replication=replication).summary()
    figures["stored_mean_bytes"] = figures["stored_byte_hours"] * HOUR / scenario.horizon_seconds
    return {each: float(figures[each]) for each in _FIGURES}
