"""Roles that can be assumed, those of the accounts of the sandbox, and sessions of the caller itself.

moto answers AssumeRole; it takes any text for the ARN of a role, in any account. Trust policies are not evaluated.
Replaces GetSessionToken, with which moto gives everyone the same key, that of no account.

Source: AWS STS API reference, AssumeRole and GetSessionToken; IAM user guide, "IAM identifiers".
"""

import re
from datetime import UTC, timedelta

from snapkit.sandbox.call import Answer, Call, operation, preparation
from snapkit.sandbox.client import account_credentials, session_key
from snapkit.sandbox.place import session_token
from snapkit.sandbox.refusal import Refusal

SHORTEST, USUAL, LONGEST = 900, 43_200, 129_600
"""How long a session of the caller may last [s]. Source: AWS STS API reference, GetSessionToken, DurationSeconds."""

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


@operation("sts", "GetSessionToken")
def get_session_token(call: Call) -> Answer:
    """Give temporary credentials of the account that asks; a device and its code are taken as they are."""
    seconds = call.get("DurationSeconds", USUAL)
    if not SHORTEST <= seconds <= LONGEST:
        rule = f"must be between {SHORTEST} and {LONGEST}"
        raise Refusal("ValidationError", f"Value '{seconds}' at 'durationSeconds' {rule}")
    return {
        "Credentials": {
            "AccessKeyId": session_key(call.account),
            "SecretAccessKey": account_credentials(call.account)["aws_secret_access_key"],
            "SessionToken": session_token(),
            "Expiration": (call.world.place.session_begins() + timedelta(seconds=seconds)).replace(tzinfo=UTC),
        }
    }
