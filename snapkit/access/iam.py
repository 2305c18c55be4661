"""The rules of an access as IAM policies, because what a client checks is advice and IAM is the wall.

GROUP, BILLING and MINE compare the tags of a thing with tags of the principal, so that one policy serves many people:

    snapkit:user = ada    snapkit:groups = :db:web:    snapkit:billing-codes = :CC-42:

`principal_tags` writes them; set them on the IAM user or as session tags, and let nobody set their own. THIS_GROUP
names the groups in the policy itself. The tags of things that these rules rest on can only be set while a thing is
made.

Source: IAM user guide, "Policy elements: variables and tags", "Condition operators"; service authorization reference,
"Actions, resources, and condition keys for Amazon EC2": ec2:Add/group, ec2:Add/userId and their Remove twins of
ModifySnapshotAttribute, ec2:ParentSnapshot of CreateVolume, ec2:CreateAction of CreateTags.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from snapkit.access.rights import Access, Qualifier
from snapkit.errors import InvalidRequest
from snapkit.tags import STANDARD, TERM, TagKeys

LONGEST = 6144
"""Most characters of a managed policy, white space not counted. Source: IAM user guide, "IAM and AWS STS quotas"."""

USER, GROUPS, BILLING_CODES = "snapkit:user", "snapkit:groups", "snapkit:billing-codes"
"""The tags of the principal."""

_NAME = re.compile(r"[\w ./=+\-@]+")
"""What IAM lets stand in the value of a tag, less the colon. Source: IAM user guide, "Tags for IAM resources"."""

LONGEST_TAG = 256
"""Most characters of a principal tag's value. Source: IAM user guide, "Tags for IAM resources"."""


@dataclass(frozen=True)
class _Grant:
    """Operations on one kind of thing that a right allows.

    Attributes:
        operations: of EC2.
        on: the kind of thing.
        tags: whose tags the qualifier looks at: of the thing, of the request that makes it, or of neither.
        only: further conditions.
    """

    operations: tuple[str, ...]
    on: str
    tags: str = "aws:ResourceTag"
    only: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


_NEITHER = ""
_NEW = "aws:RequestTag"
"""The tags that something new gets: it may not be given to a group in which the right does not hold."""
_TERMS = {"ForAllValues:StringLike": {"aws:TagKeys": f"{TERM}*"}, "Null": {"aws:TagKeys": "false"}}
"""The tags that say until when a snapshot is shared, and no others."""
_PLACES = {
    "snapshot": "ec2:*::snapshot/*",
    # In CopySnapshot both ends are snapshots: the one that is made has a literal asterisk for an id.
    # Source: AWS storage blog, "Enhancing resource-level permissions for copying Amazon EBS snapshots" (2025).
    "source": "ec2:*::snapshot/snap-*",
    "copy": "ec2:*::snapshot/${*}",
    "volume": "ec2:*:*:volume/*",
    "instance": "ec2:*:*:instance/*",
}
_GRANTS: Mapping[tuple[str, str], tuple[_Grant, ...]] = MappingProxyType(
    {
        ("Snapshot", "CreateVolume"): (
            _Grant(("CreateVolume", "DisableFastSnapshotRestores", "EnableFastSnapshotRestores"), "snapshot"),
            _Grant(("CreateVolume",), "volume", _NEW, {"Null": {"ec2:ParentSnapshot": "false"}}),
            _Grant(("CopySnapshot",), "source"),
            _Grant(("CopySnapshot",), "copy", _NEW),
        ),
        ("Snapshot", "Delete"): (
            _Grant(
                (
                    "DeleteSnapshot",
                    "LockSnapshot",
                    "ModifySnapshotTier",
                    "RestoreSnapshotFromRecycleBin",
                    "RestoreSnapshotTier",
                    "UnlockSnapshot",
                ),
                "snapshot",
            ),
        ),
        ("Snapshot", "ShareLocal"): (
            _Grant(("ModifySnapshotAttribute",), "snapshot", only={"Null": {"ec2:Add/group": "true"}}),
            _Grant(("ResetSnapshotAttribute",), "snapshot"),
            _Grant(("CreateTags", "DeleteTags"), "snapshot", only=_TERMS),
        ),
        ("Snapshot", "SharePublic"): (
            _Grant(
                ("ModifySnapshotAttribute",),
                "snapshot",
                only={
                    "StringEquals": {"ec2:Add/group": "all"},
                    "Null": {"ec2:Add/userId": "true", "ec2:Remove/group": "true", "ec2:Remove/userId": "true"},
                },
            ),
        ),
        ("Volume", "Attach"): (
            _Grant(("AttachVolume",), "volume"),
            _Grant(("AttachVolume",), "instance", _NEITHER),
        ),
        ("Volume", "Create"): (
            _Grant(("CreateVolume",), "volume", _NEW),
            _Grant(("ModifyVolume",), "volume"),
        ),
        ("Volume", "Delete"): (_Grant(("DeleteVolume",), "volume"),),
        ("Volume", "Detach"): (
            _Grant(("DetachVolume",), "volume"),
            _Grant(("DetachVolume",), "instance", _NEITHER),
        ),
        ("Volume", "Snapshot"): (
            _Grant(("CreateSnapshot",), "volume"),
            _Grant(("CreateSnapshot",), "snapshot", _NEW),
        ),
        ("Server", "Image"): (
            _Grant(("CreateSnapshots",), "instance"),
            _Grant(("CreateSnapshots",), "volume", _NEITHER),
            _Grant(("CreateSnapshots",), "snapshot", _NEW),
        ),
    }
)
"""What each right means to EC2.

What a right of 2012 does not name goes with the one that it is nearest to: a copy and fast restores with CreateVolume,
since all three read the snapshot; locks, the archive and the recycle bin with Delete; a larger volume with Create.
"""

_CREATIONS = ("CopySnapshot", "CreateSnapshot", "CreateSnapshots", "CreateVolume")
_READING = ("ebs:ListChangedBlocks", "ebs:ListSnapshotBlocks", "ec2:Describe*",
            "ec2:GetSnapshotBlockPublicAccessState", "ec2:ListSnapshotsInRecycleBin", "ec2:ListVolumesInRecycleBin",
            "kms:DescribeKey", "kms:GetKeyPolicy", "sts:GetCallerIdentity")  # fmt: skip
"""What looks at things, but at no data: which blocks changed, not what is in them."""


def to_iam(
    access: Access, role: str | None = None, *, keys: TagKeys = STANDARD, partition: str = "aws"
) -> dict[str, Any]:
    """Write the rights of a role, or of all roles that the person has, as one IAM policy.

    THIS_GROUP becomes the groups through which this person has the role.

    Args:
        access: the roles, and the groups that give them.
        role: which; by default all that the groups give.
        keys: the tags of things, those of `Region.tag_keys`.
        partition: of the ARNs, such as ``"aws-cn"``.

    Raises:
        InvalidRequest: there is no such role, or the policy is longer than IAM takes.
    """
    parts = policies(access, role, keys=keys, partition=partition)
    if len(parts) > 1:
        rule = f"needs more than the {LONGEST} characters of a managed policy"
        raise InvalidRequest("role", role, rule, f"take the {len(parts)} parts that snapkit.access.policies gives")
    return parts[0]


def policies(
    access: Access, role: str | None = None, *, keys: TagKeys = STANDARD, partition: str = "aws"
) -> list[dict[str, Any]]:
    """Write the same as as many policies as it takes; attach all of them.

    Raises:
        InvalidRequest: there is no such role.
    """
    if role is not None and role not in access.roles:
        raise InvalidRequest("role", role, "is not known", f"use one of {', '.join(access.roles) or 'none is there'}")
    merged: dict[str, tuple[str, Mapping[str, Any], set[str]]] = {}
    for name in [role] if role is not None else sorted(set(access.groups.values()) - {""}):
        through = sorted(group for group, given in access.groups.items() if given == name)
        for asked, qualifier in _least((pair, right.qualifier) for right in access.roles[name].rights
                                       for pair in right.covers()):  # fmt: skip
            if qualifier is Qualifier.THIS_GROUP and not through:
                continue
            for grant in _GRANTS[asked]:
                condition = _both(_condition(qualifier, grant.tags, keys, through) if grant.tags else {}, grant.only)
                place = f"arn:{partition}:{_PLACES[grant.on]}"
                known = merged.setdefault(json.dumps([place, condition]), (place, condition, set()))
                known[2].update(grant.operations)
    statements = [_statement("Allow", sorted(f"ec2:{each}" for each in operations), place, condition)
                  for place, condition, operations in merged.values()]  # fmt: skip
    made = {operation for _, _, operations in merged.values() for operation in operations}
    first = [_statement("Allow", list(_READING), "*", {}), *_tagging(made, keys, partition)]
    if not any(
        ("Snapshot", "SharePublic") in right.covers() for each in access.roles.values() for right in each.rights
    ):
        first.append(
            _statement(
                "Deny",
                ["ec2:ModifySnapshotAttribute"],
                f"arn:{partition}:{_PLACES['snapshot']}",
                {"StringEquals": {"ec2:Add/group": "all"}},
            )
        )
    return _parts([*first, *statements])


def principal_tags(access: Access) -> dict[str, str]:
    """Write who a person is as tags of the principal, for the policies of `to_iam`.

    Raises:
        InvalidRequest: a name has characters that IAM does not take there, or there are too many.
    """
    tags = {USER: access.user}
    for field_, key, names in (
        ("group", GROUPS, access.groups),
        ("billing code", BILLING_CODES, access.billing_codes),
    ):
        for name in names:
            if not _NAME.fullmatch(name):
                remedy = "use letters, digits, spaces and _ . / = + - @ only"
                raise InvalidRequest(field_, name, "cannot stand in a tag of IAM", remedy)
        if names:
            tags[key] = f":{':'.join(names)}:"
    if not re.fullmatch(r"[\w ./=+\-@:]+", access.user):
        raise InvalidRequest(
            "user", access.user, "cannot stand in a tag of IAM", "use letters, digits and _ . / = + - @"
        )
    for key, value in tags.items():
        if len(value) > LONGEST_TAG:
            rule = f"is longer than the {LONGEST_TAG} characters of a principal tag"
            raise InvalidRequest(key, value, rule, "use shorter names, or fewer")
    return tags


def size(policy: Mapping[str, Any]) -> int:
    """Count the characters of a policy as IAM does, at most: white space inside texts counts here too."""
    return len(json.dumps(policy, separators=(",", ":"), ensure_ascii=False))


def _least(
    pairs: Iterable[tuple[tuple[str, str], Qualifier]],
) -> list[tuple[tuple[str, str], Qualifier]]:
    """Leave out what ANY covers anyway, and what is said twice."""
    unique = dict.fromkeys(pairs)
    return [pair for pair in unique if pair[1] is Qualifier.ANY or (pair[0], Qualifier.ANY) not in unique]


def _condition(qualifier: Qualifier, tags: str, keys: TagKeys, through: list[str]) -> dict[str, Any]:
    """Write a qualifier as a condition.

    The list in a principal tag is searched for the value of the thing's tag, between colons. A value that itself has
    colons or wildcards would be found where it is not, so such values never match.
    """
    match qualifier:
        case Qualifier.ANY:
            return {}
        case Qualifier.MINE:
            return {"StringEquals": {f"{tags}/{keys.owner}": f"${{aws:PrincipalTag/{USER}}}"}}
        case Qualifier.THIS_GROUP:
            return {"StringEquals": {f"{tags}/{keys.group}": through}}
    own, key = (GROUPS, keys.group) if qualifier is Qualifier.GROUP else (BILLING_CODES, keys.billing_code)
    return {
        "StringLike": {f"aws:PrincipalTag/{own}": f"*:${{{tags}/{key}}}:*"},
        "StringNotLike": {f"{tags}/{key}": ["*:*", "*${*}*", "*${?}*"]},
    }


def _both(one: Mapping[str, Any], other: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    return {operator: {**one.get(operator, {}), **other.get(operator, {})} for operator in sorted({*one, *other})}


def _tagging(made: set[str], keys: TagKeys, partition: str) -> list[dict[str, Any]]:
    """Let tags be set while a thing is made, with the person itself as the owner, and stay afterwards.

    Condition keys do not tell cases apart in the name of a tag, so neither do these comparisons.
    """
    decisive = [keys.billing_code, keys.group, keys.owner]
    places = [f"arn:{partition}:{_PLACES[on]}" for on in ("snapshot", "volume")]
    creating = sorted(made.intersection(_CREATIONS))
    allowed = [_statement("Allow", ["ec2:CreateTags"], places, {"StringEquals": {"ec2:CreateAction": creating}})]
    return (allowed if creating else []) + [
        _statement(
            "Deny",
            ["ec2:CreateTags", "ec2:DeleteTags"],
            "*",
            {
                "ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": decisive},
                "Null": {"ec2:CreateAction": "true"},
            },
        ),
        # Without keys DeleteTags removes all tags. Source: EC2 API reference, DeleteTags.
        _statement("Deny", ["ec2:DeleteTags"], "*", {"Null": {"aws:TagKeys": "true"}}),
        _statement(
            "Deny",
            ["ec2:CreateTags"],
            "*",
            {
                "StringNotEquals": {f"aws:RequestTag/{keys.owner}": f"${{aws:PrincipalTag/{USER}, 'nobody'}}"},
                "Null": {f"aws:RequestTag/{keys.owner}": "false"},
            },
        ),
    ]


def _statement(
    effect: str, actions: list[str], resource: str | list[str], condition: Mapping[str, Any]
) -> dict[str, Any]:
    statement: dict[str, Any] = {"Effect": effect, "Action": actions, "Resource": resource}
    return {**statement, "Condition": dict(condition)} if condition else statement


def _parts(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Fill policies with statements, one after the other."""
    parts: list[list[dict[str, Any]]] = [[]]
    for statement in statements:
        if size(_policy([statement])) > LONGEST:
            rule = f"of one role take more than the {LONGEST} characters of a managed policy"
            raise InvalidRequest("groups", "THIS_GROUP", rule, "use GROUP, which compares with tags, or fewer groups")
        if parts[-1] and size(_policy([*parts[-1], statement])) > LONGEST:
            parts.append([])
        parts[-1].append(statement)
    return [_policy(part) for part in parts]


def _policy(statements: list[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}
