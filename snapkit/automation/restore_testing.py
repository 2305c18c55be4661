"""A restore-testing plan of AWS Backup as a CloudFormation template: it restores, measures, and cleans up."""

import re
from collections.abc import Iterable
from typing import Any

from snapkit.automation.dlm.exporting import create_rule
from snapkit.automation.dlm_role import trust
from snapkit.ebs import Snapshot
from snapkit.ebs.blockers import managed_by
from snapkit.errors import InvalidRequest, StrategyError
from snapkit.strategy import Schedule

MOST_VOLUMES = 30
"""Most resources that one selection names. Source: AWS Backup API reference, RestoreTestingSelectionForCreate."""

RESTORES = "service-role/AWSBackupServiceRolePolicyForRestores"
"""The managed policy of AWS for restores. Source: AWS Backup developer guide, "IAM service roles"."""

_NAME = re.compile(r"\w{1,50}", re.ASCII)


def export(snapshots: Iterable[Snapshot], name: str, schedule: Schedule) -> dict[str, Any]:
    """Write a plan that restores the newest backup of each volume whose snapshots are given, on a schedule.

    Args:
        snapshots: of AWS Backup, such as a listing; others are in no vault, and it restores from vaults only.
        name: of the plan: letters, digits and underscores, at most 50.
        schedule: when to restore; in any time zone.

    Returns:
        The template, plain values for ``json.dumps``.

    Raises:
        InvalidRequest: a snapshot is not of AWS Backup, there are none, or they are of more volumes or accounts than
            one selection takes; or the name cannot be.
        StrategyError: the schedule cannot be written as cron.

    Source:
        AWS CloudFormation template reference, AWS::Backup::RestoreTestingPlan, AWS::Backup::RestoreTestingSelection.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InvalidRequest("name", name, "is no name of a plan", "use letters, digits and underscores, at most 50")
    volumes = _volumes(snapshots)
    plan: dict[str, Any] = {
        "RecoveryPointSelection": {
            "Algorithm": "LATEST_WITHIN_WINDOW",
            "IncludeVaults": ["*"],
            "RecoveryPointTypes": ["SNAPSHOT"],
        },
        "RestoreTestingPlanName": name,
        "ScheduleExpression": _cron(schedule),
        "ScheduleExpressionTimezone": schedule.timezone,
    }
    selection = {
        "IamRoleArn": {"Fn::GetAtt": ["RestoreRole", "Arn"]},
        "ProtectedResourceArns": volumes,
        "ProtectedResourceType": "EBS",
        "RestoreTestingPlanName": {"Ref": "RestoreTestingPlan"},
        "RestoreTestingSelectionName": name,
    }
    role = {
        "AssumeRolePolicyDocument": trust("backup.amazonaws.com"),
        "ManagedPolicyArns": [{"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/{RESTORES}"}],
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Resources": {
            "RestoreRole": {"Properties": role, "Type": "AWS::IAM::Role"},
            "RestoreTestingPlan": {"Properties": plan, "Type": "AWS::Backup::RestoreTestingPlan"},
            "RestoreTestingSelection": {"Properties": selection, "Type": "AWS::Backup::RestoreTestingSelection"},
        },
    }


def _volumes(snapshots: Iterable[Snapshot]) -> list[Any]:
    given = list(snapshots)
    for snapshot in given:
        manager = managed_by(snapshot)
        if manager != "AWS Backup":
            rule = f"is of {manager or 'no service'}, and AWS Backup restores only what lies in its own vaults"
            raise InvalidRequest("snapshot", snapshot.id, rule, "let AWS Backup make it, or drill with snapkit")
    volumes = sorted({snapshot.volume_id for snapshot in given})
    if not 1 <= len(volumes) <= MOST_VOLUMES:
        rule = f"are not of 1 to {MOST_VOLUMES} volumes, as many as one selection names"
        raise InvalidRequest("snapshots", volumes, rule, "give fewer, and make several plans")
    return [{"Fn::Sub": f"arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:${{AWS::AccountId}}:volume/{volume}"}
            for volume in volumes]  # fmt: skip


def _cron(schedule: Schedule) -> str:
    """Write a schedule as cron, in its own time zone."""
    on_the_wall = Schedule(schedule.text, anchor=schedule.anchor, window=schedule.window, blackout=schedule.blackout)
    rule = create_rule(on_the_wall, "restore testing")
    elapsed = rule.get("Interval", 24) < 24 or schedule.text.startswith("rate(") or schedule.anchor is not None
    if elapsed and schedule.timezone != "UTC":
        told = f"counts elapsed time or from an anchor, and cron in {schedule.timezone} counts neither"
        raise StrategyError("restore testing schedule", schedule.text, told, "write it as cron(...), or in UTC")
    if "CronExpression" in rule:
        return str(rule["CronExpression"])
    hour, minute = map(int, rule["Times"][0].split(":"))
    hours = "*" if rule["Interval"] == 1 else str(hour) if rule["Interval"] == 24 else f"{hour}/{rule['Interval']}"
    return f"cron({minute} {hours} * * ? *)"
