"""Whether another account can use a key of KMS, as far as the key and its policy tell.

Only the policy is read. Grants are not, and what the administrators of the other account allow nobody here can see.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from snapkit.errors import AwsError, InvalidRequest

if TYPE_CHECKING:
    from snapkit.ebs.region import Region

ACTIONS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "kms:DescribeKey": ("kms:DescribeKey",),
        "kms:CreateGrant": ("kms:CreateGrant",),
        "kms:GenerateDataKey": ("kms:GenerateDataKey",),
        "kms:GenerateDataKeyWithoutPlaintext": ("kms:GenerateDataKeyWithoutPlaintext",),
        "kms:ReEncrypt*": ("kms:ReEncryptFrom", "kms:ReEncryptTo"),
        "kms:Decrypt": ("kms:Decrypt",),
    }
)
"""What an account has to be allowed to do with the key of a snapshot that is shared with it, as a policy writes it.

Source: EBS user guide, "Share the KMS key used to encrypt a shared Amazon EBS snapshot", names these six; KMS developer
guide, "KMS permissions": ReEncrypt takes kms:ReEncryptFrom and kms:ReEncryptTo.
"""

_GRANT = "kms:grantisforawsresource"
_COMPARED = ("Bool", "StringEquals", "StringLike")


@dataclass(frozen=True)
class Use:
    """Whether an account can use a key, or what is encrypted under it.

    Attributes:
        account: which.
        able: whether it can; None where that is not known.
        told: in words, and what to do.
    """

    account: str
    able: bool | None
    told: str


class Key:
    """A key of KMS, looked up as far as this account may, when something is asked of it.

    Attributes:
        id: as it was given: an id, an alias or an ARN.
    """

    def __init__(self, region: "Region", key_id: str) -> None:
        self.id = key_id
        self._region = region

    @property
    def arn(self) -> str | None:
        """Its ARN; None where that is not known."""
        found = self._described.get("Arn") or (self.id if ":key/" in self.id else None)
        return None if found is None else str(found)

    @property
    def default(self) -> bool | None:
        """Whether AWS manages it, as it does aws/ebs; None where that is not known."""
        manager = self._described.get("KeyManager")
        return None if manager is None else bool(manager == "AWS")

    @property
    def enabled(self) -> bool:
        """Whether it can be used at present, as far as is known."""
        return bool(self._described.get("KeyState", "Enabled") == "Enabled")

    @property
    def unknown(self) -> str:
        """Why it could not be looked up, or nothing."""
        return str(self._described.get("unknown", ""))

    def use(self, account: str) -> Use:
        """Tell whether an account can use it."""
        if not self.enabled:
            told = f"the key {self.id} is in state {self._described['KeyState']}"
            return Use(account, able=False, told=f"{account} cannot use it: {told}; enable it")
        policy = self._policy
        if isinstance(policy, str):
            told = f"is not known: the policy of the key {self.id} could not be read ({policy}); it has to allow"
            return Use(account, able=None, told=f"whether {account} can use it {told} {', '.join(ACTIONS)}")
        missing, unsure = lacking(policy, account, self._region.name, self.arn or self.id)
        if missing:
            partition = self.id.split(":")[1] if self.id.startswith("arn:") else "aws"
            told = f"{account} cannot use it: the policy of the key {self.id} does not allow {', '.join(missing)}"
            return Use(account, able=False, told=f"{told}; add that for arn:{partition}:iam::{account}:root")
        if unsure:
            told = f"the policy of the key {self.id} allows {', '.join(unsure)} only under conditions or to some there"
            return Use(account, able=None, told=f"whether {account} can use it is not known: {told}; ask them to try")
        told = f"{account} can use it by the policy of the key {self.id}, as far as its own administrators let it"
        return Use(account, able=True, told=told)

    @cached_property
    def _described(self) -> Mapping[str, Any]:
        answer = self._ask("DescribeKey", KeyId=self.id)
        known: Mapping[str, Any] = {"unknown": answer} if isinstance(answer, str) else answer["KeyMetadata"]
        return known

    @cached_property
    def _policy(self) -> Mapping[str, Any] | str:
        """Its policy, or why that could not be read."""
        # An alias has no policy, so that what it stands for has to be known.
        answer = self._ask("GetKeyPolicy", KeyId=self.arn or self.id, PolicyName="default")
        policy: Mapping[str, Any] | str = answer if isinstance(answer, str) else json.loads(answer["Policy"])
        return policy

    def _ask(self, operation: str, **params: Any) -> Mapping[str, Any] | str:
        """Return what KMS answers, or why it does not."""
        try:
            return self._region.service("kms").call(operation, self.id, **params)
        except InvalidRequest:
            return "there is no client of KMS here"
        except AwsError as error:
            return f"{error.operation}: {error.code}"


def lacking(policy: Mapping[str, Any], account: str, region: str, arn: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Tell what of `ACTIONS` a policy does not let an account do, and what perhaps, when EC2 asks on its behalf.

    Args:
        policy: of a key, as JSON has it.
        account: its id.
        region: where EC2 asks.
        arn: of the key.

    Returns:
        What is not allowed; and what is allowed only to some of the account, or under conditions that only KMS knows.

    Source: IAM user guide, "Policy evaluation logic"; KMS developer guide, "Condition keys for AWS KMS".
    """
    given = policy.get("Statement", [])
    statements = [given] if isinstance(given, Mapping) else list(given)
    known = {
        "kms:calleraccount": account,
        "aws:principalaccount": account,
        "kms:viaservice": f"ec2.{region}.amazonaws.com",
        _GRANT: "true",
    }
    judged = {
        name: {_allowed(statements, action, account, arn, known) for action in actions}
        for name, actions in ACTIONS.items()
    }
    missing = tuple(name for name, verdicts in judged.items() if False in verdicts)
    return missing, tuple(name for name, verdicts in judged.items() if None in verdicts and name not in missing)


def _allowed(
    statements: list[Mapping[str, Any]], action: str, account: str, arn: str, known: Mapping[str, str]
) -> bool | None:
    # Only a grant can be for a resource of AWS; to all else that condition is unknown.
    context = known if action == "kms:CreateGrant" else {**known, _GRANT: ""}
    verdicts: dict[str, set[bool | None]] = {"Allow": set(), "Deny": set()}
    for statement in statements:
        if _names(statement, action, arn):
            parts = (_whom(statement, account), *_conditions(statement, context))
            verdicts[statement["Effect"]].add(False if False in parts else None if None in parts else True)
    allow, deny = verdicts["Allow"], verdicts["Deny"]
    if True in deny or not allow & {True, None}:
        return False
    return True if True in allow and None not in deny else None


def _names(statement: Mapping[str, Any], action: str, arn: str) -> bool:
    """Tell whether a statement is about an action on a key."""
    if not any(fnmatchcase(arn, each) for each in _many(statement.get("Resource", "*"))):
        return False
    excluded = "NotAction" in statement
    listed = _many(statement["NotAction" if excluded else "Action"])
    return any(fnmatchcase(action.casefold(), each.casefold()) for each in listed) != excluded


def _whom(statement: Mapping[str, Any], account: str) -> bool | None:
    """Tell whether a statement is about an account; None where it is about some of its users, or that is not told."""
    if "NotPrincipal" in statement:
        return None
    principal = statement.get("Principal", {})
    named = _many(principal.get("AWS", [])) if isinstance(principal, Mapping) else _many(principal)
    if any(each in ("*", account) or each.endswith(f"::{account}:root") for each in named):
        return True
    return None if any(f"::{account}:" in each for each in named) else False


def _conditions(statement: Mapping[str, Any], context: Mapping[str, str]) -> Iterator[bool | None]:
    """Judge the conditions of a statement one by one; None where only KMS can."""
    for operator, keys in statement.get("Condition", {}).items():
        plain = operator.removesuffix("IfExists")
        for name, wanted in keys.items():
            value = context.get(name.casefold())
            if value is None or plain not in _COMPARED:
                yield None
            elif not value:
                yield plain != operator
            elif plain == "StringLike":
                yield any(fnmatchcase(value, each) for each in _many(wanted))
            else:
                yield value in [str(each).lower() if plain == "Bool" else each for each in _many(wanted)]


def _many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [value]
