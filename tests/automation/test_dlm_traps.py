from typing import Any

import pytest

from snapkit.automation import dlm
from snapkit.errors import InvalidRequest
from snapkit.units import TIB
from tests.automation.policies import KEY, archived, copied, details, schedule

HOURLY = {"CreateRule": {"Interval": 1, "IntervalUnit": "HOURS", "Times": ["00:00"]}}
AGED = {"RetainRule": {"Interval": 14, "IntervalUnit": "DAYS"}}
OTHER_KEY = KEY.replace("abc", "xyz")


def found(policy: dict[str, Any], **how: Any) -> list[tuple[str, str]]:
    traps = dlm.lint(policy, **how)
    assert all(trap.why and trap.remedy for trap in traps)
    return [(trap.path, trap.trap) for trap in traps]


def fast(count: int, **how: Any) -> dict[str, Any]:
    return details(schedule(**how, FastRestoreRule={"Count": count, "AvailabilityZones": ["us-east-1a"]}))


def days(number: int) -> dict[str, Any]:
    return {"Interval": number, "IntervalUnit": "DAYS"}


def encrypted(key: str) -> dict[str, Any]:
    return copied(Encrypted=True, CmkArn=key)


def test_a_daily_policy_by_age_has_no_trap() -> None:
    policy = details(schedule(**AGED, CrossRegionCopyRules=[copied()]))
    assert found(policy, previous=policy, regions=["eu-west-1"]) == []


def test_what_is_counted_outlives_its_volume() -> None:
    (trap,) = dlm.lint(details())
    assert str(trap) == (
        "Schedules[0].RetainRule: the snapshots of a deleted volume stay for ever, and cost, because DLM counts while "
        "the volume is there; look for them with region.orphans(), or retain by age, which leaves only the last"
    )


def test_hourly_can_lose_two_hours_and_more() -> None:
    ((path, trap),) = found(details(schedule(**AGED, **HOURLY)))
    assert path == "Schedules[0].CreateRule"
    assert "every 1 h can lose 2 h of writes, and more" in trap


def test_an_age_shorter_than_the_time_between_runs_keeps_one() -> None:
    weekly = {"CreateRule": {"CronExpression": "cron(0 3 ? * SUN *)"}}
    ((_, trap),) = found(details(schedule(**weekly, RetainRule=days(3))))
    assert trap == "an age of 3 d keeps one snapshot for 7 d, until the next"
    assert found(details(schedule(**weekly, RetainRule=days(7)))) == []


def test_copies_that_are_gone_before_the_next_are_full() -> None:
    for kept, trapped in ((1, True), (2, False)):
        traps = found(details(schedule(**AGED, CrossRegionCopyRules=[copied(kept)])))
        assert any("are full ones" in trap for _, trap in traps) is trapped
    assert found(details(schedule(**AGED, CrossRegionCopyRules=[copied(None)]))) == []


def test_copies_under_two_keys_are_full() -> None:
    rules = [schedule(Name=key[-3:], **AGED, CrossRegionCopyRules=[encrypted(key)]) for key in (KEY, OTHER_KEY)]
    assert [path for path, _ in found(details(*rules))] == ["Schedules[1].CrossRegionCopyRules[0]"]
    assert found(details(rules[0], rules[0] | {"Name": "b"})) == []


@pytest.mark.parametrize(
    ("policy", "size", "trapped"),
    [
        (fast(1), None, False),
        (fast(1, **HOURLY), None, True),
        (fast(1, **HOURLY), "1 TiB", True),
        (fast(1, **HOURLY), TIB - 1, False),
        (fast(2, **HOURLY), "1 TiB", False),
    ],
)
def test_fast_restore_that_ends_before_it_is_optimised_is_never_fast(policy: Any, size: Any, trapped: Any) -> None:
    traps = [trap for path, trap in found(policy, volume_size=size) if path.endswith("FastRestoreRule")]
    assert bool(traps) is trapped
    assert all("1 TiB or more never restores fast" in trap for trap in traps)


def test_archived_snapshots_are_paid_for_90_days_and_limited_in_number() -> None:
    def of_archive(policy: dict[str, Any]) -> list[str]:
        return [trap for path, trap in found(policy) if path == "Schedules[0].ArchiveRule"]

    # From 1 February to 1 May there are 89 days.
    assert of_archive(details(archived(Count=3))) == [
        "some snapshots stay 89 d in the archive, and are paid for 90 days"
    ]
    assert of_archive(details(archived(Count=4))) == []
    assert of_archive(details(archived(Count=26))) == [
        "about 26 archived snapshots of a volume are more than the quota of 25"
    ]
    shared = archived(Count=4) | {"ShareRules": [{"TargetAccounts": ["444455556666"]}]}
    assert of_archive(details(shared)) == ["ShareRules end when a snapshot is archived"]


def test_regions_where_copies_are_required_are_named() -> None:
    policy = details(schedule(**AGED, CrossRegionCopyRules=[copied()]))
    assert found(policy, regions=["us-west-2", "eu-west-1"]) == [("Schedules", "nothing is copied to us-west-2")]
    default = {"PolicyLanguage": "SIMPLIFIED", "ResourceType": "VOLUME"}
    assert found(default, regions=["us-west-2"]) == [("Schedules", "nothing is copied to us-west-2")]


def test_a_policy_that_does_not_run_deletes_nothing() -> None:
    assert [path for path, _ in found({"State": "ERROR", "PolicyDetails": details(schedule(**AGED))})] == ["State"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"Name": "nightly"}, "the snapshots of schedule 'daily' are left behind"),
        ({"RetainRule": days(7)}, "keep the age that they were taken with"),
        ({"RetainRule": {"Count": 7}}, "the change is refused"),
        ({"CrossRegionCopyRules": [encrypted(OTHER_KEY)]}, "the next copy to eu-west-1 is a full one"),
    ],
)
def test_what_a_change_breaks_is_told_with_the_policy_before_it(changed: dict[str, Any], told: str) -> None:
    before = schedule(**AGED, CrossRegionCopyRules=[encrypted(KEY)])
    after = details(before | changed)
    traps = [trap for _, trap in found(after, previous=details(before)) if trap not in {t for _, t in found(after)}]
    assert len(traps) == 1
    assert told in traps[0]


def test_volumes_whose_tag_is_dropped_are_told() -> None:
    before, after = details(schedule(**AGED)), details(schedule(**AGED), TargetTags=[{"Key": "a", "Value": "b"}])
    assert found(after, previous={"Policy": {"PolicyDetails": before}}) == [
        ("TargetTags", "volumes with backup=yes get no more snapshots, and lose none")
    ]


def test_what_aws_would_not_take_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="before 90 days"):
        dlm.lint(details(archived(Count=1)))
