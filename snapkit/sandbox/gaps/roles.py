"""Roles that can be assumed: those of the accounts of the sandbox.

moto answers AssumeRole; it takes any text for the ARN of a role, in any account. Trust policies are not evaluated.

Source: AWS STS API reference, AssumeRole; IAM user guide, "IAM identifiers".
"""

import re

from snapkit.sandbox.call import Call, preparation
from snapkit.sandbox.refusal import Refusal

_ROLE = re.compile(r"arn:aws:iam::(\d{12}):role/[\w+=,.@/-]+", re.ASCII)


@preparation("sts")
def check_role(call: Call) -> None:
    """Refuse to assume what is no role, or one of an account that is not there."""
    if call.operation != "AssumeRole":
        return
    arn = call.get("RoleArn", "")
    role = _ROLE.fullmatch(arn)
    if role is None:
        raise Refusal("ValidationError", f"{arn} is invalid")
    if role[1] not in call.world.accounts:
        told = f"User: arn:aws:iam::{call.account}:root is not authorized to perform: sts:AssumeRole on resource: {arn}"
        raise Refusal("AccessDenied", told, 403)
