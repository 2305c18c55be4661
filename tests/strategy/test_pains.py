"""What hurts users of other tools about retention and schedules, and what comes of it here."""

from datetime import timedelta

from snapkit.strategy import Retention, Schedule, Strategy, Tier
from tests.snapshots import START, Plain, at


def test_pain_16_retention_surprises_every_snapshot_has_a_reason_to_stay_or_go() -> None:
    snapshots = [at(24 * day) for day in range(10)]
    verdicts = Retention(last=2, daily=4).keep(snapshots)
    assert [verdict.keep for verdict in verdicts] == [True] * 4 + [False] * 6
    assert all(verdict.reasons and all(verdict.reasons) for verdict in verdicts)
    assert len(verdicts[-1].reasons) == 2


def test_pain_16_retention_surprises_a_day_is_one_of_the_zone_that_was_named() -> None:
    # 22:30 and 23:30 in UTC are one day there, and two in Berlin.
    noon, late, later = (START + timedelta(hours=hours) for hours in (-12, 22.5, 23.5))
    snapshots = [Plain(each) for each in (noon, late, later)]
    for zone, expected in (("UTC", [later, noon]), ("Europe/Berlin", [later, late])):
        verdicts = Retention(daily=2, timezone=zone).keep(snapshots)
        assert [each.snapshot.taken_at for each in verdicts if each.keep] == expected


def test_pain_16_retention_surprises_when_nothing_is_taken_any_more_nothing_goes() -> None:
    snapshots = [at(24 * day) for day in range(5)]
    strategy = Strategy("daily", [Tier(Schedule("every 1d"), Retention(within="10d"), "daily")])
    taken = [Plain(each.taken_at, tiers=["daily"]) for each in snapshots]
    # A year after the last one: ages are counted from the newest, not from now.
    assert strategy.decide(taken, START + timedelta(days=365)).delete == ()


def test_pain_17_schedule_drift_a_daily_schedule_fires_daily_however_long_each_one_takes() -> None:
    strategy = Strategy("daily", [Tier(Schedule("every 1d at 03:00"), Retention(last=7), "daily")])
    taken: list[Plain] = []
    now = START
    # Each run comes 40 minutes late: counted from the last one, it would take one every other day.
    for _ in range(20):
        decision = strategy.decide(taken, now)
        assert decision.next_due is not None
        if decision.take is not None:
            taken.append(Plain(now, tiers=["daily"]))
        now = decision.next_due + timedelta(minutes=40)
    days = [each.taken_at.date() for each in taken[1:]]
    assert days == [START.date() + timedelta(days=number) for number in range(len(days))]
    assert len(days) == 19


def test_pain_17_pile_up_what_is_still_pending_fills_its_slot() -> None:
    strategy = Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=7), "hourly")])
    pending = at(1, state="pending", tiers=["hourly"])
    decision = strategy.decide([pending], START + timedelta(hours=1.9))
    assert decision.take is None
    assert decision.next_due == START + timedelta(hours=2)


def test_pain_17_gaps_after_an_outage_one_snapshot_is_taken_at_once() -> None:
    strategy = Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=7), "hourly")])
    decision = strategy.decide([at(0, tiers=["hourly"])], START + timedelta(hours=9.5))
    assert decision.take is not None
    assert decision.take.due == START + timedelta(hours=9)
    assert decision.next_due == START + timedelta(hours=10)
