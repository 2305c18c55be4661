"""The role that Data Lifecycle Manager runs a policy under, and how the policy describes itself."""

import re
from collections.abc import Mapping
from typing import Any

from snapkit.strategy import Strategy

SERVICE_ROLE = "service-role/AWSDataLifecycleManagerServiceRole"
"""The managed policy of AWS for it. Source: EBS user guide, "Control access to Amazon DLM using IAM"."""

_KEY_ACTIONS = ("kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*",
                "kms:ReEncrypt*")  # fmt: skip
"""What it takes to copy under a key. Source: likewise, "IAM service roles for Amazon Data Lifecycle Manager"."""

_NOT_IN_DESCRIPTIONS = re.compile(r"[^0-9A-Za-z _-]+")
_LONGEST = 500
"""Source: Amazon Data Lifecycle Manager API reference, CreateLifecyclePolicy, Description."""


def description(strategy: Strategy) -> str:
    """Write the name of a strategy as a policy's description, less the characters that DLM does not take."""
    return " ".join(_NOT_IN_DESCRIPTIONS.sub(" ", f"Strategy {strategy.name}").split())[:_LONGEST]


def trust(service: str) -> dict[str, Any]:
    """Write who may take a role: a service of AWS."""
    statement = {"Action": "sts:AssumeRole", "Effect": "Allow", "Principal": {"Service": service}}
    return {"Version": "2012-10-17", "Statement": [statement]}


def key_statement(details: Mapping[str, Any]) -> dict[str, Any] | None:
    """Write what lets the role copy under the keys that PolicyDetails name; None where they name none."""
    rules = (rule for schedule in details["Schedules"] for rule in schedule.get("CrossRegionCopyRules") or [])
    keys = sorted({rule["CmkArn"] for rule in rules if rule.get("CmkArn")})
    return {"Action": list(_KEY_ACTIONS), "Effect": "Allow", "Resource": keys} if keys else None
