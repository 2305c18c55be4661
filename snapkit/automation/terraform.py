"""A strategy as Terraform configuration, in its JSON syntax: a policy of Data Lifecycle Manager, and its role."""

import json
import re
from collections.abc import Mapping
from typing import Any

from snapkit.automation import dlm
from snapkit.automation.dlm_role import SERVICE_ROLE, description, key_statement, trust
from snapkit.strategy import Strategy

_TAGS = ("TargetTags",)
_BLOCKS = {
    "ArchiveRule": "archive_rule",
    "CreateRule": "create_rule",
    "CrossRegionCopyRules": "cross_region_copy_rule",
    "RetainRule": "retain_rule",
    "RetentionArchiveTier": "retention_archive_tier",
    "Schedules": "schedule",
}
"""Members that are blocks, which the JSON syntax writes as lists."""

_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")


def export(strategy: Strategy, *, target_tags: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Write a strategy as configuration for Terraform and OpenTofu: save it as ``snapshots.tf.json``.

    Args:
        strategy: what to run; see `dlm.export` for what DLM can. An archive wants version 6.62 of the AWS provider, or
            a later one.
        target_tags: a volume with any of these tags is snapshotted; by default the tag ``snapkit:policy`` with the
            strategy's name.

    Returns:
        The configuration, plain values for ``json.dumps``. The resources are named after the strategy. Volumes that are
        encrypted under a key of one's own need that key in the role too: it has those of the copies only.

    Raises:
        StrategyError: DLM cannot express it; the message has the reason, and the nearest that it can.

    Source:
        Terraform Registry, hashicorp/aws 6.62, aws_dlm_lifecycle_policy; Terraform language, "JSON Configuration
        Syntax", and "Strings and Templates" for what is escaped.
    """
    details = dlm.export(strategy, target_tags=target_tags)
    label = _label(strategy.name)
    resources: dict[str, Any] = {
        "aws_dlm_lifecycle_policy": {
            "description": description(strategy),
            "execution_role_arn": f"${{aws_iam_role.{label}.arn}}",
            "policy_details": [_escaped(_block(details))],
            "state": "ENABLED",
        },
        "aws_iam_role": {"assume_role_policy": _document(trust("dlm.amazonaws.com")), "name_prefix": "snapkit-dlm-"},
        "aws_iam_role_policy_attachment": {
            "policy_arn": f"arn:${{data.aws_partition.{label}.partition}}:iam::aws:policy/{SERVICE_ROLE}",
            "role": f"${{aws_iam_role.{label}.name}}",
        },
    }
    keys = key_statement(details)
    if keys:
        document = _document({"Version": "2012-10-17", "Statement": [keys]})
        resources["aws_iam_role_policy"] = {"policy": document, "role": f"${{aws_iam_role.{label}.id}}"}
    named = {kind: {label: resources[kind]} for kind in sorted(resources)}
    return {"data": {"aws_partition": {label: {}}}, "resource": named}


def _label(name: str) -> str:
    """Write a name as Terraform takes it for a resource."""
    label = re.sub(r"[^0-9A-Za-z_-]+", "_", name)
    return label if re.match(r"[A-Za-z_]", label) else f"_{label}"


def _block(members: Mapping[str, Any]) -> dict[str, Any]:
    """Write members of AWS's API as arguments and blocks of the provider."""
    block: dict[str, Any] = {}
    for name, value in members.items():
        if name in _TAGS:
            block["target_tags"] = {tag["Key"]: tag["Value"] for tag in value}
        elif name == "RetainRule" and "RetentionArchiveTier" in value:
            block["archive_retain_rule"] = [_block(value)]
        elif name in _BLOCKS:
            block[_BLOCKS[name]] = [_block(each) for each in (value if isinstance(value, list) else [value])]
        else:
            block[_HUMP.sub("_", name).lower()] = value
    return dict(sorted(block.items()))


def _document(policy: Mapping[str, Any]) -> str:
    return str(_escaped(json.dumps(policy, sort_keys=True)))


def _escaped(value: Any) -> Any:
    """Keep Terraform from reading what is in a text as a template of its own."""
    if isinstance(value, str):
        return value.replace("${", "$${").replace("%{", "%%{")
    if isinstance(value, list):
        return [_escaped(each) for each in value]
    if isinstance(value, dict):
        return {_escaped(name): _escaped(each) for name, each in value.items()}
    return value
