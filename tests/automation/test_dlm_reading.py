import warnings
from typing import Any

import pytest

from snapkit.automation import dlm
from snapkit.errors import InvalidRequest, StrategyError
from snapkit.strategy import Archive, Copy, Retention, Schedule, Strategy, Tier
from tests.automation.policies import KEY, MONTHLY, archived, copied, details, schedule

AT_ONCE = archived(Count=3) | {"RetainRule": {"Count": 0}}
OUTPOST = "arn:aws:outposts:us-east-1:111122223333:outpost/op-1"
MATERIALISED = {"Location": "CLOUD", "Interval": 6, "IntervalUnit": "HOURS", "Times": ["02:15"]}


def told(policy: dict[str, Any]) -> tuple[Strategy, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        strategy = dlm.read(policy)
    assert {warning.category for warning in caught} <= {dlm.NotRead}
    return strategy, [str(warning.message) for warning in caught]


def test_a_policy_of_volumes_is_read_whole_with_the_defaults_that_aws_fills_in() -> None:
    asked = details(
        schedule(Name="often", CreateRule=MATERIALISED, RetainRule={"Count": 7, "Interval": 0}, CopyTags=False),
        schedule(Name=None, CrossRegionCopyRules=[copied(Encrypted=True, CmkArn=KEY)]),
        archived(Count=12) | {"Name": "monthly"},
        ResourceLocations=["CLOUD"],
        PolicyLanguage="STANDARD",
    )
    read, left = told({"Policy": {"PolicyId": "policy-1", "Description": "all of it", "PolicyDetails": asked}})
    assert left == []
    assert read == Strategy(
        "all of it",
        [
            Tier(Schedule("every 6h", anchor="1970-01-01T02:15:00+00:00"), Retention(last=7), "often"),
            Tier(
                Schedule("every 1d at 03:00"),
                Retention(last=7),
                "Schedule 2",
                copies=[Copy("eu-west-1", Retention(within="7d"), KEY)],
            ),
            Tier(Schedule(MONTHLY), Retention(last=1), "monthly", archive=Archive(Retention(last=12))),
        ],
    )


@pytest.mark.parametrize(
    ("rule", "within"),
    [
        ({"Interval": 10, "IntervalUnit": "DAYS"}, "10d"),
        ({"Interval": 2, "IntervalUnit": "WEEKS"}, "14d"),
        ({"Interval": 3, "IntervalUnit": "MONTHS"}, "3m"),
        ({"Interval": 1, "IntervalUnit": "YEARS"}, "1y"),
    ],
)
def test_an_age_is_read_in_calendar_units(rule: dict[str, Any], within: str) -> None:
    assert dlm.read(details(schedule(RetainRule=rule))).tiers[0].retention == Retention(within=within)


@pytest.mark.parametrize(
    ("policy", "named"),
    [
        (details(TargetTags=[{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]), "TargetTags are 2"),
        (details(ResourceTypes=["INSTANCE"]), "Workload.together"),
        (details(ResourceTypes=["INSTANCE"], Parameters={"ExcludeBootVolume": True}), "Parameters"),
        (details(ResourceLocations=["OUTPOST"]), "ResourceLocations"),
        (details(schedule(CreateRule={"Interval": 24, "IntervalUnit": "HOURS"})), "has no Times"),
        (details(schedule(FastRestoreRule={"Count": 1, "AvailabilityZones": ["us-east-1a"]})), "FastRestoreRule"),
        (details(schedule(ShareRules=[{"TargetAccounts": ["444455556666"]}])), "ShareRules"),
        (details(schedule(TagsToAdd=[{"Key": "a", "Value": "b" * 99}])), "TagsToAdd"),
        (details(AT_ONCE), "archives at once"),
        (details(schedule(CrossRegionCopyRules=[copied(None)])), "no RetainRule"),
        (details(schedule(CrossRegionCopyRules=[copied(Encrypted=True)])), "the default key there"),
        (details(schedule(CrossRegionCopyRules=[copied(Target=OUTPOST)])), "Outpost"),
        ({"PolicyDetails": details(), "State": "ERROR"}, "does not run"),
    ],
)  # fmt: skip
def test_what_a_strategy_cannot_say_is_told_and_not_lost(policy: dict[str, Any], named: str) -> None:
    read, left = told(policy)
    assert any(named in each for each in left)
    assert len(read.tiers) == 1


def test_scripts_and_local_places_are_told() -> None:
    script = {**MATERIALISED, "Scripts": [{"ExecutionHandler": "AWS_VSS_BACKUP"}]}
    local = {**MATERIALISED, "Location": "LOCAL_ZONE"}
    assert any(
        "Scripts run" in each for each in told(details(schedule(CreateRule=script), ResourceTypes=["INSTANCE"]))[1]
    )
    assert any(
        "LOCAL_ZONE" in each for each in told(details(schedule(CreateRule=local), ResourceLocations=["LOCAL_ZONE"]))[1]
    )


def test_a_copy_to_an_outpost_is_left_out_and_one_without_an_end_stays_for_ever() -> None:
    rules = [copied(None), copied(Target=OUTPOST)]
    (tier,) = told(details(schedule(CrossRegionCopyRules=rules)))[0].tiers
    assert tier.copies == (Copy("eu-west-1", Retention(last="all")),)


def test_a_default_policy_is_read_with_what_is_assumed() -> None:
    policy = {
        "PolicyLanguage": "SIMPLIFIED",
        "ResourceType": "VOLUME",
        "CreateInterval": 2,
        "RetainInterval": 5,
        "ExtendDeletion": True,
        "CrossRegionCopyTargets": [{"TargetRegion": "eu-west-1"}],
        "Exclusions": {"ExcludeBootVolumes": True},
    }
    read, left = told(policy)
    kept = Retention(within="5d")
    assert read.tiers == (Tier(Schedule("every 2d"), kept, "default", copies=[Copy("eu-west-1", kept)]),)
    assert [each.split(" ")[0] for each in left] == ["a", "ExtendDeletion", "Exclusions"]


def test_a_policy_that_takes_no_snapshots_on_a_schedule_is_refused() -> None:
    images = details(PolicyType="IMAGE_MANAGEMENT", ResourceTypes=["INSTANCE"])
    for policy in (images, {"PolicyLanguage": "SIMPLIFIED", "ResourceType": "INSTANCE"}):
        with pytest.raises(StrategyError, match="makes images"):
            dlm.read(policy)


def test_what_aws_would_not_take_is_not_read() -> None:
    nothing: Any = []
    with pytest.raises(InvalidRequest, match="is no lifecycle policy"):
        dlm.read(nothing)
    with pytest.raises(InvalidRequest, match=r"Schedules\[0\]\.CreateRule\.Interval 5"):
        dlm.read(details(schedule(CreateRule={"Interval": 5, "IntervalUnit": "HOURS"})))
