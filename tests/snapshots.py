"""Plain snapshots for tests: what a strategy asks of one, and nothing more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, tzinfo=UTC)


@dataclass(frozen=True)
class Plain:
    taken_at: datetime
    state: str = "completed"
    tiers: Sequence[str] = ()


def at(hours: float, *, state: str = "completed", tiers: Sequence[str] = ()) -> Plain:
    """Take a snapshot so many hours after the start."""
    return Plain(START + timedelta(hours=hours), state, tiers)
