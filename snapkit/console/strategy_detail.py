"""What the page of strategies shows of one in HTML: what it wants now, its next runs, what it would keep."""

from datetime import datetime
from html import escape

from snapkit import _html
from snapkit.automation import Protection
from snapkit.automation.managed import Managed
from snapkit.forms import markup, strategy_markup
from snapkit.strategy import Decision, Strategy
from snapkit.strategy.kept import kept_days

_MOST = 20
"""So many snapshots are named that are to go; the plan has all of them."""


def detail(item: Protection) -> str:
    """Write what is wanted now and why, and the next runs of each tier."""
    parts = [f"<h4>Wanted now</h4>{_wanted(item.decision)}"] if item.decision else []
    tiers = item.strategy.tiers if item.strategy else ()
    parts += [f"<h4>Tier {escape(each.name)}</h4>{strategy_markup.tier(each, item.at)}" for each in tiers]
    return _room("".join(parts)) if parts else ""


def calendar(strategy: Strategy, now: datetime) -> str:
    """Draw of which days the strategy would keep snapshots."""
    return _room(f"<h4>What it would keep now</h4>{strategy_markup.calendar(kept_days(strategy, now))}")


def _wanted(decision: Decision[Managed]) -> str:
    take = [("take", ", ".join(decision.take.tiers), decision.take.reason)] if decision.take else []
    going = [*decision.archive, *decision.delete]
    rows = [*take, *(each.words() for each in going[:_MOST])]
    table = f'<div class="snapkit-said">{_html.table(["what", "which", "because"], rows)}</div>' if rows else ""
    told = [f"{len(going) - _MOST:,} more are to go"] if len(going) > _MOST else [] if rows else ["nothing"]
    many = len(decision.kept)
    told.append("1 snapshot stays" if many == 1 else f"{many:,} snapshots stay")
    sentence = "; ".join(told)
    return f"{table}<div>{escape(f'{sentence[:1].upper()}{sentence[1:]}.')}</div>"


def _room(inside: str) -> str:
    """Make room in which the looks of forms hold."""
    style = "border: 0; padding: 0; max-width: none; line-height: 1.45"
    return f'{markup.STYLE}{strategy_markup.STYLE}<div class="snapkit-form" style="{style}">{inside}</div>'
