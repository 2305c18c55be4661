"""Policies of Data Lifecycle Manager, which moto lacks: they are checked, kept and shown.

They do not run: no snapshot is taken or deleted by them.

*Assumed*, as AWS does not say: an update replaces those members of PolicyDetails that it gives, and leaves the others.

Source: Amazon Data Lifecycle Manager API reference; EBS user guide, "Amazon Data Lifecycle Manager", "Quotas".
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.core.utils import get_service_model
from moto.utilities.utils import get_partition

from snapkit.automation.dlm.faults import Fault, clashing, lacking, model_faults
from snapkit.automation.dlm.rules import SIMPLE, policy_faults
from snapkit.automation.dlm.schedule_rules import Details
from snapkit.rules import MOST_TAGS
from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.refusal import Refusal

MOST_POLICIES = 100
"""Per region. Source: EBS user guide, "Quotas for Amazon Data Lifecycle Manager"."""


@dataclass
class Policy:
    """A lifecycle policy; see the API reference for its members."""

    policy_id: str
    arn: str
    role: str
    description: str
    state: str
    created: datetime
    modified: datetime
    details: dict[str, Any]
    tags: dict[str, str]

    @property
    def default(self) -> bool:
        """Whether it is a default policy."""
        return bool(self.details["PolicyLanguage"] == "SIMPLIFIED")

    @property
    def kind(self) -> str:
        """What a default policy is for: VOLUME or INSTANCE."""
        return str(self.details.get("ResourceType"))


@operation("dlm", "CreateLifecyclePolicy")
def create_lifecycle_policy(call: Call) -> Answer:
    """Keep a new policy."""
    _check_model(call)
    details, policies = _given(call), _policies(call)
    _check(call, details)
    tags = dict(call.get("Tags", {}))
    _check_tags(tags)
    if len(policies) >= MOST_POLICIES:
        raise _too_many(f"At most {MOST_POLICIES} policies are allowed in a region.")
    default = details["PolicyLanguage"] == "SIMPLIFIED"
    if default and any(each.default and each.kind == details["ResourceType"] for each in policies.values()):
        raise _too_many(f"There is a default policy for {details['ResourceType']} in this region already.")
    policy_id = call.world.new_id("policy")
    policies[policy_id] = Policy(
        policy_id=policy_id,
        arn=f"arn:{get_partition(call.region)}:dlm:{call.region}:{call.account}:policy/{policy_id}",
        role=call.get("ExecutionRoleArn"),
        description=call.get("Description"),
        state=call.get("State"),
        created=call.now,
        modified=call.now,
        details=details,
        tags=tags,
    )
    return {"PolicyId": policy_id}


@operation("dlm", "GetLifecyclePolicy")
def get_lifecycle_policy(call: Call) -> Answer:
    """Show a policy, with the defaults filled in."""
    policy = _policy(call)
    return {
        "Policy": {
            "PolicyId": policy.policy_id,
            "PolicyArn": policy.arn,
            "Description": policy.description,
            "State": policy.state,
            "StatusMessage": policy.state,
            "ExecutionRoleArn": policy.role,
            "DateCreated": policy.created,
            "DateModified": policy.modified,
            "PolicyDetails": policy.details,
            "Tags": policy.tags or None,
            "DefaultPolicy": policy.default,
        }
    }


@operation("dlm", "GetLifecyclePolicies")
def get_lifecycle_policies(call: Call) -> Answer:
    """List policies in short, those that pass all filters."""
    _check_model(call)
    policies = _policies(call)
    unknown = [policy_id for policy_id in call.get("PolicyIds", []) if policy_id not in policies]
    if unknown:
        raise _unknown(unknown)
    return {
        "Policies": [
            {
                "PolicyId": policy.policy_id,
                "Description": policy.description,
                "State": policy.state,
                "Tags": policy.tags or None,
                "PolicyType": policy.details["PolicyType"],
                "DefaultPolicy": policy.default,
            }
            for policy in policies.values()
            if _passes(call, policy)
        ]
    }


@operation("dlm", "UpdateLifecyclePolicy")
def update_lifecycle_policy(call: Call) -> Answer:
    """Change a policy, but not what kind it is."""
    policy = _policy(call)
    _check_model(call)
    simple = {name: call.get(name) for name in SIMPLE if call.get(name) is not None}
    given = call.get("PolicyDetails", {})
    if simple and given:
        raise _refused_for(clashing("request", "PolicyDetails", *simple))
    if simple and not policy.default:
        raise _refused(f"{', '.join(simple)} are for default policies.")
    changed = deepcopy({**policy.details, **given, **simple})
    for name in ("PolicyType", "PolicyLanguage", "ResourceTypes", "ResourceType"):
        if changed.get(name) != policy.details.get(name):
            raise _refused(f"{name} of a policy cannot be changed.")
    _fill_in(changed)
    _check(call, changed)
    policy.details = changed
    policy.role = call.get("ExecutionRoleArn", policy.role)
    policy.description = call.get("Description", policy.description)
    policy.state = call.get("State", policy.state)
    policy.modified = call.now
    return None


@operation("dlm", "DeleteLifecyclePolicy")
def delete_lifecycle_policy(call: Call) -> Answer:
    """Forget a policy."""
    del _policies(call)[_policy(call).policy_id]
    return None


@operation("dlm", "TagResource")
def tag_resource(call: Call) -> Answer:
    """Add tags to a policy, or change their values."""
    policy = _by_arn(call)
    tags = {**policy.tags, **call.get("Tags")}
    _check_tags(tags)
    policy.tags = tags
    return None


@operation("dlm", "UntagResource")
def untag_resource(call: Call) -> Answer:
    """Take tags off a policy."""
    policy, keys = _by_arn(call), call.get("TagKeys")
    policy.tags = {key: value for key, value in policy.tags.items() if key not in keys}
    return None


@operation("dlm", "ListTagsForResource")
def list_tags_for_resource(call: Call) -> Answer:
    """List the tags of a policy."""
    return {"Tags": _by_arn(call).tags}


def _given(call: Call) -> dict[str, Any]:
    """Read the details of a new policy, wherever they were given, and fill in the defaults."""
    kind, details = call.get("DefaultPolicy"), call.get("PolicyDetails")
    simple = {name: call.get(name) for name in SIMPLE if call.get(name) is not None}
    if details is not None and (kind or simple):
        raise _refused_for(clashing("request", "PolicyDetails", *(["DefaultPolicy"] if kind else []), *simple))
    if details is None and not kind:
        raise _refused_for(lacking("request", "DefaultPolicy" if simple else "PolicyDetails"))
    found = deepcopy(dict(details)) if details is not None else {"PolicyLanguage": "SIMPLIFIED", "ResourceType": kind}
    found |= simple
    _fill_in(found)
    return found


def _fill_in(details: dict[str, Any]) -> None:
    """Fill in the defaults that AWS shows when a policy is read.

    Source: Amazon Data Lifecycle Manager API reference, PolicyDetails; for CreateRule.Location and RetainRule.Interval,
        policies read back, github.com/go-to-k/cdk-real-drift, issue 475.
    """
    if details.setdefault("PolicyLanguage", "STANDARD") == "SIMPLIFIED":
        of_volumes = details.setdefault("ResourceType", None) != "INSTANCE"
        details.setdefault("PolicyType", "EBS_SNAPSHOT_MANAGEMENT" if of_volumes else "IMAGE_MANAGEMENT")
        for name, value in {
            "CreateInterval": 1,
            "RetainInterval": 7,
            "CopyTags": False,
            "ExtendDeletion": False,
        }.items():
            details.setdefault(name, value)
        return
    details.setdefault("PolicyType", "EBS_SNAPSHOT_MANAGEMENT")
    if details["PolicyType"] == "EVENT_BASED_POLICY":
        return
    details.setdefault("ResourceLocations", ["CLOUD"])
    for schedule in details.get("Schedules") or []:
        schedule.setdefault("CopyTags", False)
        create, retain = schedule.get("CreateRule"), schedule.get("RetainRule")
        if create is not None and details["PolicyType"] == "EBS_SNAPSHOT_MANAGEMENT":
            create.setdefault("Location", "CLOUD")
        if retain is not None and retain.get("Count") is not None:
            retain.setdefault("Interval", 0)


def _check(call: Call, details: Details) -> None:
    for fault in policy_faults(details, call.region, call.now.timestamp()):
        raise _refused_for(fault)


def _check_model(call: Call) -> None:
    """Refuse what the service's model does not allow."""
    shape = get_service_model("dlm").operation_model(call.operation).input_shape
    # A list that is not in the query string is read as an empty one.
    given = {name: value for name, value in call.params.items() if value != []}
    for fault in model_faults(shape, given) if shape else ():
        raise _refused_for(fault)


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > MOST_TAGS:
        raise _refused(f"A policy has at most {MOST_TAGS} tags.")
    for key in tags:
        if key.lower().startswith("aws:"):
            raise _refused(f"The tag key {key} begins with aws:, which is reserved.")


def _passes(call: Call, policy: Policy) -> bool:
    details = policy.details
    schedules = details.get("Schedules") or []
    added = (tag for schedule in schedules for tag in schedule.get("TagsToAdd") or [])
    kind, ids = call.get("DefaultPolicyType"), call.get("PolicyIds")
    return (
        (not ids or policy.policy_id in ids)
        and call.get("State") in (None, policy.state)
        and _share(call.get("ResourceTypes"), details.get("ResourceTypes") or [])
        and _share(call.get("TargetTags"), _written(details.get("TargetTags") or []))
        and _share(call.get("TagsToAdd"), _written(added))
        and (kind is None or (policy.default and kind in ("ALL", policy.kind)))
    )


def _share(wanted: Iterable[str] | None, there: Iterable[str]) -> bool:
    return not wanted or not set(wanted).isdisjoint(there)


def _written(tags: Iterable[Mapping[str, str]]) -> list[str]:
    return [f"{tag['Key']}={tag['Value']}" for tag in tags]


def _policy(call: Call) -> Policy:
    policy_id = call.get("PolicyId")
    if policy_id not in _policies(call):
        raise _unknown([policy_id])
    return _policies(call)[policy_id]


def _by_arn(call: Call) -> Policy:
    _check_model(call)
    arn = call.get("ResourceArn")
    for policy in _policies(call).values():
        if policy.arn == arn:
            return policy
    raise _unknown([arn.rpartition("/")[2]])


def _unknown(ids: list[str]) -> Refusal:
    message = f"The following policies do not exist: {', '.join(ids)}."
    return Refusal("ResourceNotFoundException", message, 404, ResourceType="policy", ResourceIds=ids)


def _refused(message: str) -> Refusal:
    return Refusal("InvalidRequestException", message)


def _refused_for(fault: Fault) -> Refusal:
    refusal = _refused(str(fault.error()))
    if fault.required:
        refusal.members["RequiredParameters"] = list(fault.required)
    if fault.exclusive:
        refusal.members["MutuallyExclusiveParameters"] = list(fault.exclusive)
    return refusal


def _too_many(message: str) -> Refusal:
    return Refusal("LimitExceededException", message, 429, ResourceType="policy")


def _policies(call: Call) -> dict[str, Policy]:
    policies: dict[str, Policy] = call.ec2.settings.setdefault("lifecycle policies", {})
    return policies
