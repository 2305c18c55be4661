"""cfn-lint over CloudFormation templates."""

import json
from collections.abc import Mapping
from typing import Any

from cfnlint.api import lint
from cfnlint.config import ManualArgs


def complaints(*policies: Mapping[str, Any]) -> list[str]:
    """Lint PolicyDetails, each as a policy of one template."""
    how = {"Description": "d", "ExecutionRoleArn": "arn:aws:iam::111122223333:role/dlm", "State": "ENABLED"}
    resources = {
        f"Policy{number}": {"Type": "AWS::DLM::LifecyclePolicy", "Properties": how | {"PolicyDetails": policy}}
        for number, policy in enumerate(policies)
    }
    return lint_template({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources})


def lint_template(template: Mapping[str, Any]) -> list[str]:
    """Lint a template for one region."""
    return [str(match) for match in lint(json.dumps(template), config=ManualArgs(regions=["us-east-1"]))]
