"""A forecast and what happened, laid side by side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isnan, nan
from typing import TYPE_CHECKING, Any

import pandas as pd

from snapkit import _html
from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.rules import BLOCK
from snapkit.timing import Timing
from snapkit.units import bytes_text, seconds_text, usd_text

if TYPE_CHECKING:
    from snapkit._picture import Picture

_count: Callable[[float], str] = "{:,.0f}".format

TOLD: Mapping[str, tuple[str, Callable[[float], str], float]] = {
    "snapshots": ("snapshots without error", _count, 1.0),
    "failed": ("failed", _count, 0.0),
    "missed": ("due times missed", _count, 0.0),
    "full_duration_s": ("the first one takes", seconds_text, 1.0),
    "full_bytes": ("the first one copies", bytes_text, BLOCK),
    "duration_mean_s": ("a later one takes", seconds_text, 1.0),
    "duration_p95_s": ("at p95", seconds_text, 1.0),
    "copied_mean_bytes": ("a later one copies", bytes_text, BLOCK),
    "rpo_mean_s": ("RPO mean", seconds_text, 1.0),
    "rpo_p95_s": ("RPO p95", seconds_text, 1.0),
    "rpo_max_s": ("RPO at worst", seconds_text, 1.0),
    "kept": ("kept", _count, 1.0),
    "stored_bytes": ("stored", bytes_text, BLOCK),
    "stored_usd": ("storing that a month", usd_text, 0.0001),
    "copied_score": ("score of what they copy", "{:.3f}".format, 0.001),
    "score": ("score of the durations", "{:.3f}".format, 0.001),
}
"""Each figure in words, how it is written, and what is no difference.

Clocks are read to the second, AWS counts in blocks, and a runner takes and deletes when it looks for the next time.
"""

_MEANS = ("full_bytes", "copied_mean_bytes", "stored_bytes", "stored_usd", "copied_score")
"""What all runs tell alike if their workload is known as a mean: that is no range then."""


@dataclass(frozen=True)
class Figure:
    """One figure, forecast and fact.

    Attributes:
        name: which; its unit is the end of it.
        forecast: the middle of the runs; NaN where they have none.
        low: one more run would be below that one time in ten; NaN for fewer than nine runs.
        high: one more run would be above that one time in ten; likewise.
        fact: what happened, at least; NaN where it was not seen.
        fact_high: what happened, at most.
        basis: of the fact: measured; bounded, where AWS tells bounds only; modelled from a sample; assumed; or not
            seen. The forecast is always modelled.
    """

    name: str
    forecast: float
    low: float
    high: float
    fact: float
    fact_high: float
    basis: str

    @property
    def ratio(self) -> float:
        """What happened in units of the forecast; NaN where that is nothing, or only bounds are known."""
        known = self.fact == self.fact_high and self.forecast
        return self.fact / self.forecast if known else nan

    @property
    def verdict(self) -> str:
        """Whether it came as forecast, or more or less of it: beyond what eight in ten runs say."""
        if isnan(self.fact):
            return "not seen"
        if isnan(self.low) or (self.low == self.high and self.name in _MEANS):
            return "no range"
        if self._above(self.fact, self.high):
            return "more"
        if self._above(self.low, self.fact_high):
            return "less"
        return "open" if self._above(self.low, self.fact) or self._above(self.fact_high, self.high) else "as forecast"

    def _above(self, value: float, other: float) -> bool:
        """Tell whether a value is above another by more than is no difference, and by what people can see."""
        _, text, slack = TOLD[self.name]
        return value > other + slack and text(value) != text(other)

    def told(self) -> tuple[str, ...]:
        """Write it for people."""
        words, text, _ = TOLD[self.name]
        fact = "" if isnan(self.fact) else _band(self.fact, self.fact_high, text)
        ratio = "" if isnan(self.ratio) else f"{self.ratio:.2f}"
        forecast = "" if isnan(self.forecast) else text(self.forecast)
        band = "" if self.verdict == "no range" or isnan(self.low) else _band(self.low, self.high, text)
        return words, forecast, band, fact, ratio, self.verdict, self.basis


@dataclass(frozen=True, eq=False, repr=False)
class Comparison:
    """A forecast of a strategy on a volume, and what happened.

    Attributes:
        strategy: its name.
        volume: the id of the volume.
        runs: of how many runs the forecast is.
        figures: one by one.
        snapshots: one row for each due time (UTC) of which both know how long its snapshot took, the first, full one
            left out: ``forecast_s`` in the middle, ``low_s`` and ``high_s`` for eight in ten, ``fact_s``; and
            ``forecast_bytes`` and ``fact_bytes`` that it copied, NaN where nobody counted.
        notes: what else to know, a sentence each.
        history: the changed blocks that were counted, if any.
        timed: how much snapshots copied [bytes] and how long they took [s], where both were measured.
    """

    strategy: str
    volume: str
    runs: int
    figures: tuple[Figure, ...]
    snapshots: pd.DataFrame
    notes: tuple[str, ...] = ()
    history: pd.DataFrame | None = None
    timed: tuple[tuple[float, float], ...] = field(default=(), repr=False)

    @property
    def score(self) -> float:
        """How far the durations lie from the forecast: 0 is perfect, 0.1 about 10 % off.

        See `snapkit.automation.scoring`, also for what they copied, which is another of the figures.
        """
        return self._durations.fact

    @property
    def expected(self) -> tuple[float, float]:
        """Where the score would lie eight times in ten were what happened one more run; NaN for fewer than nine."""
        return self._durations.low, self._durations.high

    @property
    def held(self) -> float:
        """Which share of the durations lies where eight in ten should; NaN for fewer than nine runs."""
        ranged = self.snapshots["low_s"].notna()
        return 1 - float(self.beyond[ranged].mean()) if ranged.any() else nan

    @property
    def beyond(self) -> "pd.Series[bool]":
        """Which snapshots took less or more than eight in ten should, by their due times."""
        rows, slack = self.snapshots, TOLD["duration_mean_s"][2]
        return (rows["fact_s"] < rows["low_s"] - slack) | (rows["fact_s"] > rows["high_s"] + slack)

    def refit(self) -> tuple[Timing, Workload]:
        """Fit timing and workload to what happened, for a new study.

        The timing is fitted to snapshots whose copied bytes were counted, and that did not wait for the one before
        them; the workload is what `Workload.from_changes` reads of the history.

        Raises:
            InvalidRequest: no changed blocks were counted, or they are too few to fit to.
        """
        if self.history is None:
            rule = "is not given, and durations alone do not tell what was written"
            remedy = "look at volume.change_history_preview(), then give compare(..., history=volume.change_history())"
            raise InvalidRequest("history", None, rule, remedy)
        copied, seconds = [each for each, _ in self.timed], [each for _, each in self.timed]
        return Timing.fit(copied, seconds), Workload.from_changes(self.history)

    def to_frame(self) -> pd.DataFrame:
        """Make a frame, one row for each figure: forecast, low, high, fact, fact_high, ratio, verdict and basis."""
        columns = ["forecast", "low", "high", "fact", "fact_high", "ratio", "verdict", "basis"]
        rows = [[getattr(each, name) for name in columns] for each in self.figures]
        return pd.DataFrame(rows, pd.Index([each.name for each in self.figures], name="figure"), columns)

    def plot(self, *, theme: str = "light") -> "Picture":
        """Draw how long snapshots took against how long they were forecast to take.

        Args:
            theme: ``"light"`` or ``"dark"``.
        """
        from snapkit.automation.comparison_picture import draw  # matplotlib loads only when something is drawn

        return draw(self, theme)

    @property
    def _durations(self) -> Figure:
        return next(each for each in self.figures if each.name == "score")

    def _summed(self) -> str:
        if self.snapshots.empty:
            return "no snapshot to score yet: none but the first is complete"
        low, high = self.expected
        runs = "one run" if self.runs == 1 else f"{self.runs} runs"
        told = f"score {self.score:.3f} over {len(self.snapshots):,} snapshots"
        if isnan(low):
            return f"{told}, by {runs}: nine or more tell ranges"
        held = f"{self.held:.0%} of the durations in a range for 80 %"
        return f"{told}, {_band(low, high, '{:.3f}'.format)} expected by {runs}; {held}"

    def __repr__(self) -> str:
        return f"<Comparison of {self.strategy!r} on {self.volume}: {self._summed()}>"

    def __str__(self) -> str:
        rows = [_HEAD, *(each.told() for each in self.figures)]
        widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, self._summed(), *self.notes])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002, FBT001 - IPython's protocol
        printer.text(str(self))

    def _repr_html_(self) -> str:
        notes = "".join(map(_html.note, (f"{self.strategy} on {self.volume}: {self._summed()}", *self.notes)))
        return _html.table(_HEAD, [each.told() for each in self.figures]) + notes


_HEAD = ("figure", "forecast", "eight in ten", "fact", "fact / forecast", "verdict", "basis of the fact")


def _band(low: float, high: float, text: Callable[[float], str]) -> str:
    """Write a band, or one value where both read the same."""
    return " to ".join(dict.fromkeys((text(low), text(high))))
