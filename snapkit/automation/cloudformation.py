"""A strategy as a CloudFormation template: a policy of Data Lifecycle Manager, and the role that it runs under."""

from collections.abc import Mapping
from typing import Any

from snapkit.automation import dlm
from snapkit.automation.dlm_role import SERVICE_ROLE, description, key_statement, trust
from snapkit.strategy import Strategy


def export(strategy: Strategy, *, target_tags: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Write a strategy as a template of CloudFormation.

    Args:
        strategy: what to run; see `dlm.export` for what DLM can.
        target_tags: a volume with any of these tags is snapshotted; by default the tag ``snapkit:policy`` with the
            strategy's name.

    Returns:
        The template, plain values for ``json.dumps``. Volumes that are encrypted under a key of one's own need that key
        in the role too: it has those of the copies only.

    Raises:
        StrategyError: DLM cannot express it; the message has the reason, and the nearest that it can.

    Source:
        AWS CloudFormation template reference, AWS::DLM::LifecyclePolicy, AWS::IAM::Role.
    """
    details = dlm.export(strategy, target_tags=target_tags)
    role: dict[str, Any] = {
        "AssumeRolePolicyDocument": trust("dlm.amazonaws.com"),
        "ManagedPolicyArns": [{"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/{SERVICE_ROLE}"}],
    }
    keys = key_statement(details)
    if keys:
        document = {"Version": "2012-10-17", "Statement": [keys]}
        role["Policies"] = [{"PolicyDocument": document, "PolicyName": "keys-of-copies"}]
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": description(strategy),
        "Resources": {
            "LifecyclePolicy": {
                "Properties": {
                    "Description": description(strategy),
                    "ExecutionRoleArn": {"Fn::GetAtt": ["LifecycleRole", "Arn"]},
                    "PolicyDetails": details,
                    "State": "ENABLED",
                },
                "Type": "AWS::DLM::LifecyclePolicy",
            },
            "LifecycleRole": {"Properties": role, "Type": "AWS::IAM::Role"},
        },
    }
