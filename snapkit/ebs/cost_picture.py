"""A picture of costs: bars with bands, readable in grey."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.ticker import FuncFormatter

from snapkit._picture import Picture

if TYPE_CHECKING:
    from snapkit.ebs.costs import CostRow, Costs

_MOST = 20
_LONGEST = 40


def draw(costs: "Costs", keys: Sequence[str]) -> Picture:
    """Draw each row as a bar: dark what it costs at least, pale up to what it may cost, hatched what is assumed.

    Args:
        costs: the rows, the dearest first; beyond twenty the rest is one bar.
        keys: what the rows have in common.
    """
    bars = _bars(list(costs), keys)
    picture = Picture(8, 1.2 + 0.32 * max(1, len(bars)))
    axes = picture.subplots()
    for place, (_, low, high, assumed) in enumerate(bars):
        look: dict[str, Any] = {"height": 0.7, "hatch": "///" if assumed else None, "edgecolor": "white"}
        axes.barh(place, low, color=picture.theme.ink, **look)
        axes.barh(place, high - low, left=low, color=picture.theme.pale, **look)
    # Names are what users wrote, and no formulas.
    axes.set_yticks(range(len(bars)), [label for label, *_ in bars], parse_math=False)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(FuncFormatter(lambda usd, _: rf"\${usd:,g}"))
    axes.set(title="At least (dark), up to (pale), assumed (hatched)", xlabel="costs [USD a month]")
    axes.set_xlim(0, 1.05 * max((high for _, _, high, _ in bars), default=0) or 1)
    axes.grid(visible=True, axis="x", alpha=0.3)
    return picture


def _bars(rows: "list[CostRow]", keys: Sequence[str]) -> list[tuple[str, float, float, bool]]:
    bars = [(_label(row, keys), row.low, row.high, row.basis == "assumed") for row in rows[:_MOST]]
    rest = rows[_MOST:]
    if rest:
        low, high = (math.fsum(getattr(row, side) for row in rest) for side in ("low", "high"))
        bars.append((f"{len(rest)} more", low, high, all(row.basis == "assumed" for row in rest)))
    return bars


def _label(row: "CostRow", keys: Sequence[str]) -> str:
    text = ", ".join(row.keys[key] or f"no {key.replace('_', ' ')}" for key in keys) or "all"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}\N{HORIZONTAL ELLIPSIS}"
