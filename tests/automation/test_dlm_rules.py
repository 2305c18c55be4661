from typing import Any

import pytest

from snapkit.automation import dlm
from snapkit.errors import InvalidRequest
from tests.automation.linting import complaints
from tests.automation.policies import DAYS_90, KEY, MONTHLY, archived, copied, details, schedule

WEEK = {"Interval": 1, "IntervalUnit": "WEEKS"}
ZONES = {"AvailabilityZones": ["us-east-1a"]}
SHARED = {"TargetAccounts": ["444455556666"]}
EVENT = {
    "PolicyType": "EVENT_BASED_POLICY",
    "EventSource": {
        "Type": "MANAGED_CWE",
        "Parameters": {"EventType": "shareSnapshot", "SnapshotOwner": ["444455556666"], "DescriptionRegex": ".*"},
    },
}
DEFAULT: dict[str, Any] = {"PolicyLanguage": "SIMPLIFIED", "ResourceType": "VOLUME"}


def on_event(**copy: Any) -> dict[str, Any]:
    asked = {"Target": "eu-west-1", "EncryptionConfiguration": {"Encrypted": True}} | copy
    return EVENT | {"Actions": [{"Name": "copy", "CrossRegionCopy": [asked]}]}


ACCEPTED = [
    details(),
    details(archived(Count=4)),
    details(schedule(RetainRule={"Count": 7, "Interval": 0})),
    details(schedule(CrossRegionCopyRules=[copied()], ShareRules=[SHARED], FastRestoreRule={"Count": 1, **ZONES})),
    details(PolicyType="IMAGE_MANAGEMENT", ResourceTypes=["INSTANCE"], Parameters={"NoReboot": True}),
    on_event(),
    DEFAULT,
    DEFAULT | {"CreateInterval": 3, "RetainInterval": 4, "CrossRegionCopyTargets": [{"TargetRegion": "eu-west-1"}]},
]

LET_THROUGH = [
    (details(schedule(CreateRule={"Interval": 5, "IntervalUnit": "HOURS"})), "Schedules[0].CreateRule.Interval 5"),
    (
        details(schedule(CreateRule={"CronExpression": "cron(0/30 * * * ? *)"})),
        "Schedules[0].CreateRule.CronExpression",
    ),
    (details(schedule(CreateRule={"CronExpression": "cron(0 3 * * * *)"})), "Schedules[0].CreateRule.CronExpression"),
    (details(schedule(CreateRule={})), "'Interval or CronExpression' is required"),
    (details(schedule(RetainRule={})), "'Count or Interval' is required"),
    (details(schedule(RetainRule={"Count": 0})), "keeps nothing"),
    (details(schedule(RetainRule={"Interval": 101, "IntervalUnit": "YEARS"})), "at most 100 YEARS"),
    (details(schedule(RetainRule={"Count": 1, **WEEK})), "mutually exclusive"),
    (details(schedule(RetainRule=None)), "'RetainRule' is required"),
    (details(schedule(), schedule()), "same Name"),
    (details(schedule(), schedule(Name="b", RetainRule=WEEK)), "by count and by age"),
    (details(archived(Count=2)), "before 90 days"),
    (details(archived(**DAYS_90)), "another measure"),
    (details(archived(Count=3) | {"CreateRule": {"Interval": 24, "IntervalUnit": "HOURS"}}), "every 28 days"),
    (details(archived(Count=3), ResourceTypes=["INSTANCE"]), "target VOLUME"),
    (details(schedule(CrossRegionCopyRules=[copied(CmkArn=KEY)])), "set Encrypted to true"),
    (details(schedule(CrossRegionCopyRules=[copied(), copied()])), "target twice"),
    (details(schedule(FastRestoreRule={"Count": 8, **ZONES})), "longer than RetainRule"),
    (details(schedule(FastRestoreRule={"Count": 1})), "'AvailabilityZones' is required"),
    (
        details(schedule(RetainRule=WEEK, ShareRules=[SHARED | {"UnshareInterval": 8, "UnshareIntervalUnit": "DAYS"}])),
        "shorter than RetainRule",
    ),
    (details(schedule(DeprecateRule={"Count": 1})), "policies of images"),
    (details(schedule(VariableTags=[{"Key": "id", "Value": "$(instance-id)"}])), "target INSTANCE"),
    (details(Parameters={"ExcludeBootVolume": True}), "target INSTANCE"),
    (details(TargetTags=None), "'TargetTags' is required"),
    (details(CreateInterval=1), "for default policies"),
    (on_event() | {"Schedules": [schedule()]}, "mutually exclusive"),
    (DEFAULT | {"CreateInterval": 5, "RetainInterval": 5}, "give more than 5"),
    (DEFAULT | {"RetainInterval": 15}, "give 2 to 14"),
    (DEFAULT | {"CrossRegionCopyTargets": [{}]}, "'TargetRegion' is required"),
]

OTHERS = [
    (details(schedule(RetainRule={"Count": 5000})), "RetainRule.Count 5000 is out of bounds; give 0 to 1000"),
    (details(schedule(Name="what?")), "Schedules[0].Name 'what?' does not match"),
    (details(ResourceTypes=["BUCKET"]), "choose one of VOLUME, INSTANCE"),
    (details(schedule(RetainRule={"Count": "7"})), "RetainRule.Count"),
    (details(schedule(RetainRule={"Count": True})), "Count True is no number"),
    (details(schedule(RetainRule={"Interval": 7})), "'IntervalUnit' is required"),
    (details(schedule(Retain={"Count": 7})), "Unknown parameter"),
    (details(*(schedule(Name=str(number)) for number in range(5))), "as a number of entries; give 1 to 4"),
]  # fmt: skip


def refusal(policy: dict[str, Any], region: str | None = None) -> str:
    with pytest.raises(InvalidRequest) as caught:
        dlm.check(policy, region)
    assert caught.value.remedy
    return str(caught.value)


@pytest.mark.parametrize("policy", ACCEPTED)
def test_what_aws_documents_is_accepted(policy: dict[str, Any]) -> None:
    dlm.check(policy)


@pytest.mark.parametrize(("policy", "told"), LET_THROUGH + OTHERS)
def test_what_aws_documents_as_wrong_is_refused_with_place_and_remedy(policy: dict[str, Any], told: str) -> None:
    assert told in refusal(policy)


def test_cfn_lint_lets_these_rules_through() -> None:
    assert complaints(*(policy for policy, _ in LET_THROUGH)) == []
    assert len(complaints(OTHERS[0][0])) == 1


def test_a_zone_lies_in_the_region_where_it_is_known() -> None:
    fast = details(schedule(FastRestoreRule={"Count": 1, **ZONES}))
    dlm.check(fast, "us-east-1")
    assert "does not lie in eu-west-1" in refusal(fast, "eu-west-1")


def test_a_cron_that_cannot_be_read_says_why() -> None:
    told = refusal(details(schedule(CreateRule={"CronExpression": "cron(0 3 * * 1 *)"})))
    assert "both set" in told
    assert "write cron(0 3 ? * 1 *)" in told
    assert MONTHLY not in told
