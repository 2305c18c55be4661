"""What a strategy keeps, as a calendar; its pictures are tested where they are drawn."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.strategy.kept import Cell, kept_days

AT = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)


def one(schedule: str, **keep: Any) -> Strategy:
    return Strategy("one", [Tier(Schedule(schedule), Retention(**keep))])


def test_days_and_months_have_their_places() -> None:
    kept = kept_days(one("every 1d at 03:00", last=3, monthly=2), AT)
    assert kept.cells == {
        (22, 0): Cell("last snapshot", 1),
        (21, 0): Cell("last snapshot", 1),
        (20, 0): Cell("last snapshot", 1),
        (30, 1): Cell("monthly snapshot", 1),
    }
    assert (kept.rows, kept.columns[22], kept.by_day) == (("Nov 2026", "Oct"), "23", True)
    assert (19, 0) in kept.empty
    assert kept.place(date(2026, 10, 31)) == (30, 1)
    years = kept_days(one("every 1d at 03:00", yearly=4), AT)
    assert years.cells == {(10, 0): Cell("yearly snapshot", 1)} | {
        (11, row): Cell("yearly snapshot", 1) for row in (1, 2, 3)
    }
    assert (years.rows, years.columns[11], years.by_day) == (("2026", "2025", "2024", "2023"), "Dec", False)


def test_the_first_tier_names_a_shared_snapshot_and_each_day_counts_all() -> None:
    tiers = [
        Tier(Schedule("every 12h"), Retention(last=2), "often"),
        Tier(Schedule("every 1d"), Retention(last=2), "daily"),
    ]
    kept = kept_days(Strategy("two", tiers), AT)
    assert kept.names == ("often", "daily")
    assert kept.cells == {(22, 0): Cell("often", 2), (21, 0): Cell("daily", 1)}


@pytest.mark.parametrize(
    ("strategy", "count"),
    [
        # Sixty days that have a snapshot are sixty weeks.
        (one("cron(0 3 ? * SUN *)", daily=60), 60),
        # Two years, and the oldest of 520 days.
        (one("every 15min", yearly=7), 3),
        (one("every 1min", last="all"), 50_001),
    ],
    ids=["rarer than the rule", "too often for five years", "all of many"],
)
def test_it_reaches_back_as_far_as_something_is_kept_but_not_beyond_50000_due_times(
    strategy: Strategy, count: int
) -> None:
    assert len(kept_days(strategy, AT).snapshots) == count


def test_what_it_tells_names_since_when() -> None:
    kept = kept_days(one("every 1d", last=2), AT, datetime(2026, 11, 1, tzinfo=UTC))
    assert str(kept) == ("2 snapshots on 23 November 2026, had it been run since 2026-11-01; the oldest of 2026-11-22")
    nothing = kept_days(one("cron(0 3 1 1 ? 2030)", last=2), AT)
    assert str(nothing) == "0 snapshots on 23 November 2026, had it been run since 2025-11-22"
