from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit import Sandbox
from snapkit.automation import dlm
from snapkit.errors import StrategyError
from snapkit.strategy import Archive, Copy, RecoveryVolume, Retention, Schedule, Strategy, Tier, Window
from tests.automation.policies import KEY, MONTHLY, ROLE
from tests.snapshots import Plain

START = datetime(2026, 1, 5, 1, 17, tzinfo=UTC)


def of(*tiers: Tier) -> Strategy:
    return Strategy("db", list(tiers))


def tier(text: str = "every 1d", retention: Retention | None = None, **how: Any) -> Tier:
    parts = {name: how.pop(name) for name in ("timezone", "anchor", "window", "blackout") if name in how}
    return Tier(Schedule(text, **parts), retention or Retention(last=7), **how)


def create_rule(text: str, **how: Any) -> Any:
    return dlm.export(of(tier(text, **how)))["Schedules"][0]["CreateRule"]


def test_a_strategy_is_one_policy_with_a_schedule_for_each_tier() -> None:
    strategy = of(
        tier("every 6h", Retention(last=28), name="often", copies=[Copy("eu-west-1", Retention(within="2m"), KEY)]),
        tier(MONTHLY, Retention(last=1), archive=Archive(Retention(monthly=12))),
    )
    assert dlm.export(strategy, target_tags={"team": "db", "backup": "yes"}) == {
        "PolicyType": "EBS_SNAPSHOT_MANAGEMENT",
        "ResourceTypes": ["VOLUME"],
        "Schedules": [
            {
                "CopyTags": True,
                "CreateRule": {"Interval": 6, "IntervalUnit": "HOURS", "Times": ["00:00"]},
                "CrossRegionCopyRules": [
                    {
                        "CmkArn": KEY,
                        "CopyTags": True,
                        "Encrypted": True,
                        "RetainRule": {"Interval": 2, "IntervalUnit": "MONTHS"},
                        "Target": "eu-west-1",
                    }
                ],
                "Name": "often",
                "RetainRule": {"Count": 28},
            },
            {
                "ArchiveRule": {"RetainRule": {"RetentionArchiveTier": {"Count": 12}}},
                "CopyTags": True,
                "CreateRule": {"CronExpression": MONTHLY},
                "Name": "cron 0 3 1",
                "RetainRule": {"Count": 1},
            },
        ],
        "TargetTags": [{"Key": "backup", "Value": "yes"}, {"Key": "team", "Value": "db"}],
    }


def test_without_tags_a_volume_is_chosen_by_the_name_of_the_strategy() -> None:
    assert dlm.export(of(tier()))["TargetTags"] == [{"Key": "snapkit:policy", "Value": "db"}]
    with pytest.raises(StrategyError, match="TargetTags"):
        dlm.export(of(tier()), target_tags={})


@pytest.mark.parametrize(
    ("text", "how", "rule"),
    [
        ("every 1h", {}, {"Interval": 1, "IntervalUnit": "HOURS", "Times": ["00:00"]}),
        ("every 8h", {"anchor": "2026-01-05T21:30:00Z"}, {"Interval": 8, "IntervalUnit": "HOURS", "Times": ["05:30"]}),
        ("rate(1 day)", {}, {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["00:00"]}),
        ("every 1d at 23:05", {}, {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["23:05"]}),
        ("every 1w at 04:30", {}, {"CronExpression": "cron(30 4 ? * THU *)"}),
        ("every 7d", {"anchor": "2026-01-05T02:00:00+00:00"}, {"CronExpression": "cron(0 2 ? * MON *)"}),
        ("cron(0 3 ? * sun *)", {}, {"CronExpression": "cron(0 3 ? * SUN *)"}),
    ],
)  # fmt: skip
def test_due_times_are_written_as_an_interval_or_as_cron(text: str, how: dict[str, Any], rule: dict[str, Any]) -> None:
    assert create_rule(text, **how) == rule


@pytest.mark.parametrize(
    ("refused", "reason", "nearest"),
    [
        (tier("every 15min"), "runs every 15 min", "'every 1h'"),
        (tier("every 5h"), "runs every 5 h", "'every 4h' or 'every 6h'"),
        (tier("every 90min"), "runs every 1.5 h", "'every 1h' or 'every 2h'"),
        (tier("every 2d at 04:05"), "runs every 2 d", "'every 1d at 04:05'"),
        (tier("cron(0/30 * * * ? *)"), "no more often than every hour", "cron(0 3 * * ? *)"),
        (tier("every 1h", anchor="2026-01-05T00:00:30+00:00"), "has seconds", "whole minute"),
        (tier("every 1d", timezone="Europe/Berlin"), "is not UTC", "in UTC"),
        (tier("every 1d", window=Window(start="22:00", end="23:00")), "holds runs back", "'every 1d at 22:00'"),
        (tier("every 1d", blackout=["2026-12-24"]), "holds runs back", "leave it out"),
        (tier(retention=Retention(last=7, monthly=12)), "thins snapshots", "a tier of its own"),
        (tier("every 1h", Retention(daily=7)), "picks some", "runs daily, with last=7"),
        (tier("every 1h", Retention(within_daily="7d")), "picks some", "runs daily"),
        (tier(retention=Retention(last="all")), "never deletes", "last=1000"),
        (tier(retention=Retention(last=1001)), "out of bounds", "0 to 1000"),
        (tier(retention=Retention(within="36h")), "counts hours", "within='2d'"),
        (tier(retention=Retention(within="1m3d")), "mixes units", "within='33d'"),
        (tier(retention=Retention(within="7d", timezone="Asia/Tokyo")), "is not UTC", "in UTC"),
        (tier(archive=Archive(Retention(last=120))), "more often than every 28 days", MONTHLY),
        (tier(MONTHLY, archive=Archive(Retention(last=2))), "before 90 days", "90 days"),
        (tier(MONTHLY, archive=Archive(Retention(within="1y"))), "another measure", "by count"),
        (tier("every 6h", copies=[Copy("eu-west-1", Retention(last=30))]), "copies by age", "within='8d'"),
        (tier(copies=[Copy(f"eu-west-{n}", Retention(within="7d")) for n in range(1, 5)]), "entries", "0 to 3"),
        (tier(copies=[Copy("eu-west-1", Retention(within="7d"), "alias/mine")]), "does not match arn:aws", "CmkArn"),
        (tier(retries=5), "cannot be told to DLM", "leave retries"),
    ],
)
def test_what_dlm_cannot_express_is_refused_with_the_nearest_that_it_can(
    refused: Tier, reason: str, nearest: str
) -> None:
    with pytest.raises(StrategyError) as caught:
        dlm.export(of(refused))
    assert reason in str(caught.value)
    assert nearest in str(caught.value)


def test_a_policy_has_four_schedules_of_one_kind_and_makes_no_volumes() -> None:
    hours = [tier(f"every {hours}h") for hours in (1, 2, 3, 4, 6)]
    assert len(dlm.export(of(*hours[:4]))["Schedules"]) == 4
    with pytest.raises(StrategyError, match="1 to 4"):
        dlm.export(of(*hours))
    with pytest.raises(StrategyError, match=r"by count and by age.*two policies"):
        dlm.export(of(hours[0], tier(retention=Retention(within="30d"))))
    archiving = [tier(MONTHLY, name=name, archive=Archive(Retention(last=12))) for name in "ab"]
    with pytest.raises(StrategyError, match="only one of a policy can"):
        dlm.export(of(*archiving))
    with pytest.raises(StrategyError, match="fast snapshot restore"):
        dlm.export(Strategy("db", hours[:1], RecoveryVolume(schedule=Schedule("every 1d"), zone="us-east-1a")))
    with pytest.raises(StrategyError, match="same Name"):
        dlm.export(of(tier("every 1d", name="day!"), tier("every 1h", name="day?")))


EQUAL_TO_A_COUNT = [
    ("every 1h", "hourly"),
    ("every 1d at 23:59", "daily"),
    ("every 1w", "weekly"),
    ("cron(0 3 ? * SUN *)", "weekly"),
    (MONTHLY, "monthly"),
    ("cron(0 3 L * ? *)", "monthly"),
    ("cron(0 3 ? * FRI#1 *)", "monthly"),
    ("cron(0 0 1 1 ? *)", "yearly"),
    ("cron(0 0 1 1,7 ? *)", "monthly"),
]
NOT_A_COUNT = [
    ("every 12h", "daily"),
    ("cron(0 3 ? * SUN,MON *)", "weekly"),
    ("cron(0 3 1,31 * ? *)", "monthly"),
    ("cron(0 3 ? * FRI *)", "monthly"),
    (MONTHLY, "yearly"),
]


@pytest.mark.parametrize(("text", "bucket"), EQUAL_TO_A_COUNT)
def test_a_rule_that_keeps_what_a_count_keeps_is_a_count(text: str, bucket: str) -> None:
    rule = Retention(**{bucket: 3})  # type: ignore[arg-type]
    assert dlm.export(of(tier(text, rule)))["Schedules"][0]["RetainRule"] == {"Count": 3}
    for due in taken(Schedule(text)):
        assert kept(rule, due) == kept(Retention(last=3), due)


@pytest.mark.parametrize(("text", "bucket"), NOT_A_COUNT)
def test_a_rule_that_keeps_other_snapshots_than_a_count_is_none(text: str, bucket: str) -> None:
    rule = Retention(**{bucket: 3})  # type: ignore[arg-type]
    with pytest.raises(StrategyError, match="picks some"):
        dlm.export(of(tier(text, rule)))
    assert any(kept(rule, due) != kept(Retention(last=3), due) for due in taken(Schedule(text)))


def taken(schedule: Schedule) -> list[list[Plain]]:
    due = [Plain(datetime.fromtimestamp(at, UTC)) for at in islice(schedule.epochs(START.timestamp()), 20)]
    return [due[:number] for number in range(1, len(due))]


def kept(retention: Retention, snapshots: list[Plain]) -> list[datetime]:
    return [verdict.snapshot.taken_at for verdict in retention.keep(snapshots) if verdict.keep]


ELAPSED = st.builds(
    lambda hours, minute: Schedule(
        f"every {hours}h", anchor=datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    ),
    st.sampled_from([4, 6, 8, 12, 24]),
    st.integers(0, 1439),
)
ON_DAYS = st.sampled_from(["every 1d at 03:00", "every 1w", "cron(15 4 ? * MON-FRI *)", "cron(0 0/5 * * ? *)", MONTHLY])
SCHEDULES = st.one_of(ELAPSED, ON_DAYS.map(Schedule))
COPIES = st.builds(lambda days: [Copy("eu-west-1", Retention(within=f"{days}d"))], st.integers(1, 40))
ARCHIVES = st.builds(lambda count: Archive(Retention(last=count)), st.integers(3, 24))


@st.composite
def exportable(draw: st.DrawFn) -> Strategy:
    counted, tiers = draw(st.booleans()), []
    for number in range(draw(st.integers(1, 4))):
        schedule = draw(SCHEDULES)
        kept = Retention(last=draw(st.integers(1, 9))) if counted else Retention(within=f"{draw(st.integers(1, 9))}d")
        archive = draw(ARCHIVES) if counted and number == 0 and schedule.text == MONTHLY else None
        copies = draw(st.one_of(st.just([]), COPIES))
        tiers.append(Tier(schedule, kept, f"tier {number}", copies=copies, archive=archive))
    return Strategy("db", tiers)


@settings(max_examples=15, deadline=None)
@given(exportable())
def test_a_policy_that_was_exported_is_read_as_the_same_strategy(strategy: Strategy) -> None:
    again = dlm.read(dlm.export(strategy))
    assert again.name == strategy.name
    for one, other in zip(strategy.tiers, again.tiers, strict=True):
        days = timedelta(days=70)
        assert one.schedule.between(START, START + days) == other.schedule.between(START, START + days)
        assert (one.retention, one.name, one.copies, one.archive) == (
            other.retention,
            other.name,
            other.copies,
            other.archive,
        )
    assert history(strategy) == history(again)
    assert dlm.export(again) == dlm.export(strategy)


def history(strategy: Strategy) -> list[tuple[datetime, tuple[str, ...], list[datetime]]]:
    """What a strategy takes and keeps, for so many due times."""
    now, snapshots, told = START, [], []  # type: ignore[var-annotated]
    for _ in range(20):
        decision = strategy.decide(snapshots, now)
        if decision.take:
            snapshots.append(Plain(now, tiers=decision.take.tiers))
        gone = [verdict.snapshot for verdict in strategy.decide(snapshots, now).delete]
        snapshots = [snapshot for snapshot in snapshots if snapshot not in gone]
        told.append((now, decision.take.tiers if decision.take else (), [each.taken_at for each in snapshots]))
        assert decision.next_due
        now = decision.next_due
    return told


def test_aws_takes_what_is_exported_and_its_answer_is_read_as_the_same() -> None:
    strategy = of(
        tier("every 1h", Retention(last=24), copies=[Copy("eu-west-1", Retention(within="7d"), KEY)]),
        tier("every 1w", Retention(weekly=8), name="weekly"),
        tier(MONTHLY, Retention(last=1), name="monthly", archive=Archive(Retention(last=12))),
    )
    with Sandbox() as sandbox:
        client = sandbox.client("dlm")
        asked = {"ExecutionRoleArn": ROLE, "Description": "db", "State": "ENABLED"}
        policy_id = client.create_lifecycle_policy(**asked, PolicyDetails=dlm.export(strategy))["PolicyId"]
        answer = client.get_lifecycle_policy(PolicyId=policy_id)
    assert answer["Policy"]["PolicyDetails"]["Schedules"][0]["RetainRule"] == {"Count": 24, "Interval": 0}
    assert dlm.read(answer) == dlm.read(answer["Policy"]) == dlm.read(dlm.export(strategy))
    assert dlm.export(dlm.read(answer)) == dlm.export(strategy)


def test_what_is_no_strategy_is_refused() -> None:
    nothing: Any = {"tiers": []}
    with pytest.raises(StrategyError, match=r"snapkit\.strategy\.Strategy"):
        dlm.export(nothing)
