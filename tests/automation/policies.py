"""Policies of Data Lifecycle Manager for tests, as AWS takes them."""

from typing import Any

MONTHLY = "cron(0 3 1 * ? *)"
DAYS_90 = {"Interval": 90, "IntervalUnit": "DAYS"}
KEY = "arn:aws:kms:eu-west-1:111122223333:key/abc"
ROLE = "arn:aws:iam::111122223333:role/dlm"


def schedule(**how: Any) -> dict[str, Any]:
    """Write a schedule, every day at 03:00 with the last 7 kept; None leaves a member out."""
    asked = {
        "Name": "daily",
        "CreateRule": {"Interval": 24, "IntervalUnit": "HOURS", "Times": ["03:00"]},
        "RetainRule": {"Count": 7},
    } | how
    return {name: value for name, value in asked.items() if value is not None}


def details(*schedules: dict[str, Any], **how: Any) -> dict[str, Any]:
    """Write PolicyDetails, by default with the schedule above; None leaves a member out."""
    asked = {
        "PolicyType": "EBS_SNAPSHOT_MANAGEMENT",
        "ResourceTypes": ["VOLUME"],
        "TargetTags": [{"Key": "backup", "Value": "yes"}],
        "Schedules": list(schedules) or [schedule()],
    } | how
    return {name: value for name, value in asked.items() if value is not None}


def archived(**tier: Any) -> dict[str, Any]:
    """Write a monthly schedule that archives."""
    rule = {"RetainRule": {"RetentionArchiveTier": tier}}
    return schedule(CreateRule={"CronExpression": MONTHLY}, RetainRule={"Count": 1}, ArchiveRule=rule)


def copied(days: int | None = 7, **how: Any) -> dict[str, Any]:
    """Write a copy to Ireland."""
    kept = {"RetainRule": {"Interval": days, "IntervalUnit": "DAYS"}} if days else {}
    return {"Target": "eu-west-1", "Encrypted": False, **kept, **how}
