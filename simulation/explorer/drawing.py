"""Small pictures as SVG: drawn in a few milliseconds, in the colours of the notebook's theme, light or dark."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from math import ceil, floor, isfinite, log, log10
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulation.explorer.closed import Figures
from snapkit.units import DAY, HOUR, MINUTE, WEEK, seconds_text, usd_text

Point: TypeAlias = tuple[float, float]

_WIDTH, _HEIGHT = 340, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 36, 40
_TEXT = "var(--jp-ui-font-color1, #222)"
_GROUND = "var(--jp-layout-color0, #fff)"
_FAINT = "var(--jp-border-color2, #ccc)"
_INK = "var(--jp-brand-color1, #1f4e79)"
_LIMIT = "var(--jp-error-color1, #b03a2e)"
_FONT = "font-family: var(--jp-ui-font-family, sans-serif); font-size: 11px"
_TIMES = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR, DAY, WEEK, 30 * DAY, 90 * DAY, 360 * DAY, 1800 * DAY)
_STEPS = (
    1,
    2,
    5,
    10,
    15,
    30,
    *(MINUTE * each for each in (1, 2, 5, 10, 15, 30)),
    *(HOUR * each for each in (1, 2, 4, 6, 12)),
)
_APART = 42
"""The least distance of two ticks [px]."""


def duration(rows: Mapping[str, Figures], chosen: str) -> str:
    """Draw how long a snapshot takes against the time between two: mean, and up to the 95th percentile.

    Args:
        rows: by the interval, as `closed_form` gives them, with ``interval_s`` besides.
        chosen: the interval that is.
    """
    title = "How long a snapshot takes"
    shown = {name: each for name, each in rows.items() if isfinite(each["duration_mean_s"])}
    if not shown:
        return _words(title, "no second snapshot before the horizon")
    lines = {figure: [(each["interval_s"], each[figure]) for each in shown.values() if isfinite(each[figure])]
             for figure in ("duration_mean_s", "duration_p95_s")}  # fmt: skip
    mean, high = lines.values()
    heights = [0.0, *(height for _, height in mean + high)]
    panel = _Panel(title, "time between snapshots", [at for at, _ in mean], heights, seconds_text)
    panel.area([*high, *reversed(mean)] if high else [])
    panel.line(mean)
    if chosen in shown:
        figures = shown[chosen]
        panel.dot(figures["interval_s"], figures["duration_mean_s"], seconds_text(figures["duration_mean_s"]))
    return panel.svg("mean (line) and up to the 95th percentile (band)" if high else "mean")


def cost(
    rows: Mapping[str, Figures],
    chosen: str,
    simulated: Mapping[str, Point],
    *,
    rpo: float | None,
    monthly_cost: float | None,
) -> str:
    """Draw what a month costs against what a failure loses, for every interval.

    Args:
        rows: by the interval, as `closed_form` gives them.
        chosen: the interval that is.
        simulated: mean and margin of the figures of that one, where it was simulated.
        rpo: the limit of the one [s].
        monthly_cost: the limit of the other [USD].
    """
    shown = {name: each for name, each in rows.items() if isfinite(each["rpo_p95_s"])}
    if not shown:
        return _words("Cost against RPO", "no snapshot is complete before the horizon")
    points = {name: (each["rpo_p95_s"], each["monthly_cost_usd"]) for name, each in shown.items()}
    times, costs = [time for time, _ in points.values()], [usd for _, usd in points.values()]
    # A budget far above all would press them to the floor.
    near = monthly_cost is not None and monthly_cost <= 3 * max(costs)
    heights = [0.0, *costs, *([monthly_cost] if near and monthly_cost else [])]
    panel = _Panel("Cost against RPO", "lost at a failure, p95", times + ([rpo] if rpo else []), heights, usd_text)
    if rpo:
        panel.upright(rpo, f"RPO {seconds_text(rpo)}")
    if near and monthly_cost:
        panel.level(monthly_cost, f"budget {usd_text(monthly_cost)}")
    panel.line(list(points.values()), faint=True)
    for name, point in points.items():
        panel.ring(*point, name)
    panel.dot(*points[chosen], f"{chosen}, {usd_text(points[chosen][1])}")
    if simulated:
        panel.cross(simulated["rpo_p95_s"], simulated["monthly_cost_usd"])
    return panel.svg("a month, at every interval" + ("; cross: simulated" if simulated else ""))


def kept(ages: NDArray[np.float64], horizon: float) -> str:
    """Draw how old the snapshots are that are kept at the horizon.

    Args:
        ages: of each [s].
        horizon: how old one can be [s].
    """
    title = "What stays"
    old = [float(age) for age in ages if age > 0]
    if not old:
        return _words(title, "no snapshot")
    panel = _Panel(title, "age at the end", [min(old), max(*old, min(horizon, 2 * max(old)))], [0, 1], None)
    panel.strokes(old)
    return panel.svg(f"{len(ages):,} snapshots, the oldest {seconds_text(max(old))} old")


class _Panel:
    """One picture: times along a logarithmic axis, something from 0 up on the other."""

    def __init__(
        self,
        title: str,
        along: str,
        times: Iterable[float],
        heights: Iterable[float],
        told: Callable[[float], str] | None,
    ) -> None:
        """Set up the axes.

        Args:
            title: what is shown.
            along: what the times are.
            times: all that are to be seen [s].
            heights: likewise.
            told: how a height is written; None for none.
        """
        self._title, self._along = title, along
        low, high = min(times := list(times)), max(times)
        low, high = (low, high) if high > 2 * low else (low / 2, high * 2)
        edge = (high / low) ** 0.06
        self._low, self._span = low / edge, log(high / low) + 2 * log(edge)
        top = max(heights)
        step = _step(top, seconds=told is seconds_text)
        self._top = step * ceil(top * 1.05 / step) if top else 1.0
        self._marks: list[str] = []
        self._axes = [self._time_tick(at) for at in self._times()]
        if told is not None:
            heights = [step * number for number in range(floor(self._top / step * 1.0001) + 1)]
            self._axes += [self._height_tick(each, told(each)) for each in heights]

    def line(self, points: Sequence[Point], *, faint: bool = False) -> None:
        """Join points."""
        look = f'stroke="{_FAINT}" stroke-width="1"' if faint else f'stroke="{_INK}" stroke-width="1.8"'
        self._marks.append(f'<polyline points="{self._path(points)}" fill="none" {look}/>')

    def area(self, points: Sequence[Point]) -> None:
        """Fill what points go around."""
        self._marks.append(f'<polygon points="{self._path(points)}" fill="{_INK}" opacity="0.2"/>')

    def ring(self, time: float, height: float, name: str) -> None:
        """Draw one of many; its name shows where one points at it."""
        place = f'cx="{self._x(time):.1f}" cy="{self._y(height):.1f}"'
        look = f'fill="none" stroke="{_INK}" opacity="0.6"'
        self._marks.append(f'<circle {place} r="3.5" {look}><title>{escape(name)}</title></circle>')

    def dot(self, time: float, height: float, label: str) -> None:
        """Draw the one that is chosen, with its label."""
        x, y = self._x(time), self._y(height)
        self._marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{_INK}"/>')
        above = y - 10 if y > _TOP + 24 else y + 18
        self._marks.append(_text(x, above, label, anchor=self._side(x), bold=True))

    def cross(self, time: Point, height: Point) -> None:
        """Draw what was simulated: mean and margin of both."""
        x, y = self._x(time[0]), self._y(height[0])
        wide = max(self._x(time[0] + time[1]) - x if isfinite(time[1]) else 0.0, 9)
        high = max(y - self._y(height[0] + height[1]) if isfinite(height[1]) else 0.0, 9)
        path = f"M{x - wide:.1f} {y:.1f}h{2 * wide:.1f}M{x:.1f} {y - high:.1f}v{2 * high:.1f}"
        self._marks.append(f'<path d="{path}" stroke="{_TEXT}" stroke-width="1.2"/>')

    def upright(self, time: float, label: str) -> None:
        """Draw a limit on the time."""
        x = self._x(time)
        self._marks.append(_rule(x, _TOP, x, _HEIGHT - _BOTTOM, f'stroke="{_LIMIT}" stroke-dasharray="5 3"'))
        side = "start" if x < (_LEFT + _WIDTH) / 2 else "end"
        self._marks.append(_text(x + (4 if side == "start" else -4), _TOP + 9, label, anchor=side, fill=_LIMIT))

    def level(self, height: float, label: str) -> None:
        """Draw a limit on the height."""
        y = self._y(height)
        self._marks.append(_rule(_LEFT, y, _WIDTH - _RIGHT, y, f'stroke="{_LIMIT}" stroke-dasharray="2 3"'))
        self._marks.append(_text(_LEFT + 4, y - 4, label, anchor="start", fill=_LIMIT))

    def strokes(self, times: Iterable[float]) -> None:
        """Draw a stroke for each time."""
        path = "".join(f"M{self._x(time):.1f} {_TOP + 20}V{_HEIGHT - _BOTTOM}" for time in times)
        self._marks.append(f'<path d="{path}" stroke="{_INK}" stroke-width="1.5" opacity="0.8"/>')

    def svg(self, caption: str) -> str:
        """Write it down."""
        return _svg(
            self._title, f"{caption}; {self._along}", "".join([*self._axes, *self._marks]), self._along, caption
        )

    def _times(self) -> list[float]:
        """Choose ticks that are far enough apart."""
        chosen: list[float] = []
        for tick in _TIMES:
            there = _LEFT <= self._x(tick) <= _WIDTH - _RIGHT
            if there and (not chosen or self._x(tick) - self._x(chosen[-1]) >= _APART):
                chosen.append(tick)
        return chosen

    def _time_tick(self, time: float) -> str:
        x, foot = self._x(time), _HEIGHT - _BOTTOM
        return _rule(x, _TOP, x, foot, f'stroke="{_FAINT}"') + _text(x, foot + 13, seconds_text(time))

    def _height_tick(self, height: float, told: str) -> str:
        y = self._y(height)
        rule = _rule(_LEFT, y, _WIDTH - _RIGHT, y, f'stroke="{_FAINT}"')
        return rule + _text(_LEFT - 5, y + 4, told, anchor="end")

    def _path(self, points: Sequence[Point]) -> str:
        return " ".join(f"{self._x(time):.1f},{self._y(height):.1f}" for time, height in points)

    def _x(self, time: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * log(time / self._low) / self._span

    def _y(self, height: float) -> float:
        return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * height / self._top

    def _side(self, x: float) -> str:
        third = (_WIDTH - _LEFT - _RIGHT) / 3
        return "start" if x < _LEFT + third else "middle" if x < _LEFT + 2 * third else "end"


def _step(top: float, *, seconds: bool) -> float:
    """Choose a round step of which at most five lead to the top."""
    least = top / 5 or 1.0
    if seconds:
        return next((step for step in _STEPS if step >= least), ceil(least / DAY) * DAY)
    power = 10.0 ** floor(log10(least))
    return next(times * power for times in (1, 2, 5, 10) if times * power >= least)


def _words(title: str, told: str) -> str:
    return _svg(title, told, _text(_WIDTH / 2, _HEIGHT / 2, told), "", "")


def _svg(title: str, told: str, inside: str, along: str, caption: str) -> str:
    name = escape(f"{title}: {told}")
    head = _text(_LEFT, 14, title, anchor="start", bold=True) + _text(_LEFT, 26, caption, anchor="start", opacity=0.7)
    foot = _text(_WIDTH - _RIGHT, _HEIGHT - 8, along, anchor="end", opacity=0.7)
    size = f'viewBox="0 0 {_WIDTH} {_HEIGHT}" style="width: {_WIDTH}px; max-width: 100%; {_FONT}"'
    return f'<svg role="img" aria-label="{name}" {size}>{head}{inside}{foot}</svg>'


def _rule(x: float, y: float, to_x: float, to_y: float, look: str) -> str:
    return f'<path d="M{x:.1f} {y:.1f}L{to_x:.1f} {to_y:.1f}" {look}/>'


def _text(
    x: float, y: float, text: str, *, anchor: str = "middle", fill: str = _TEXT, bold: bool = False, opacity: float = 1
) -> str:
    # A rim in the colour of the ground keeps letters apart from what they lie on.
    look = f'fill="{fill}" text-anchor="{anchor}" paint-order="stroke" stroke="{_GROUND}" stroke-width="3"'
    look += ' font-weight="600"' * bold
    look += f' opacity="{opacity}"' * (opacity < 1)
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{escape(text)}</text>'
