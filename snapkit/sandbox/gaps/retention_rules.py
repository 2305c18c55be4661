"""Retention rules of the recycle bin: the service ``rbin``, which moto lacks altogether.

The first rule of an account in a region starts to retain after 30 minutes, as AWS says it may take; later ones do at
once.
Rules for images are kept, but have no effect.

*Assumed*, as AWS does not say: that a rule's tag without a value means any value; that a rule stays of its kind,
tag-level or region-level.

Source: EBS user guide, "Recycle Bin": considerations, "Lock a Recycle Bin retention rule", "Unlock a Recycle Bin
retention rule"; Recycle Bin API reference.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.ec2 import Ec2
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import Refusal

RULES_PER_REGION = 250
"""Source: EBS user guide, "Recycle Bin quotas"."""

LONGEST_RETENTION: Mapping[str, int] = {"EBS_SNAPSHOT": 365, "EC2_IMAGE": 365, "EBS_VOLUME": 7}
"""By resource type [days]. Source: Recycle Bin API reference, RetentionPeriod."""

MOST_TAGS: Mapping[str, int] = {"ResourceTags": 50, "ExcludeResourceTags": 5}
"""Source: Recycle Bin API reference, CreateRule."""

MOST_OWN_TAGS = 200
"""Source: Recycle Bin API reference, TagResource."""

FIRST_RULE_DELAY = timedelta(minutes=30)
"""Source: EBS user guide, "Considerations for Recycle Bin": up to 30 minutes."""

UNLOCK_DELAYS = range(7, 31)
"""Source: Recycle Bin API reference, UnlockDelay [days]."""


@dataclass(kw_only=True)
class Rule:
    """A retention rule.

    Attributes:
        ordinal: its place in listings.
        arn: its name in AWS.
        resource_type: what it retains.
        days: for how long.
        description: what its maker says about it.
        wanted: the tags of what it retains, or none for everything.
        excluded: the tags of what it does not retain, where it retains everything else.
        active: from when on it retains.
        tags: its own.
        delay_days: how long after it was unlocked it stays as it is.
        locked: whether it is; None where it never was.
        unlocks: when it can be changed again.
    """

    ordinal: int
    arn: str
    resource_type: str
    days: int
    description: str | None
    wanted: list[dict[str, str]]
    excluded: list[dict[str, str]]
    active: datetime
    tags: dict[str, str] = field(default_factory=dict)
    delay_days: int | None = None
    locked: bool | None = None
    unlocks: datetime | None = None

    def lock_state(self, now: datetime) -> str | None:
        """Tell whether it is locked, and so cannot be changed."""
        if self.locked is None:
            return None
        if self.locked:
            return "locked"
        return "pending_unlock" if self.unlocks is not None and now < self.unlocks else "unlocked"

    def retains(self, resource_type: str, tags: Mapping[str, str], now: datetime) -> bool:
        """Tell whether it keeps what is deleted now."""
        if self.resource_type != resource_type or now < self.active:
            return False
        return _tagged(tags, self.wanted) if self.wanted else not _tagged(tags, self.excluded)

    def summary(self, now: datetime) -> dict[str, Any]:
        """Return it as ListRules does."""
        return {
            "Identifier": self.arn.rpartition("/")[2],
            "Description": self.description,
            "RetentionPeriod": {"RetentionPeriodValue": self.days, "RetentionPeriodUnit": "DAYS"},
            "LockState": self.lock_state(now),
            "RuleArn": self.arn,
        }

    def detail(self, now: datetime) -> dict[str, Any]:
        """Return it as GetRule does."""
        state = self.lock_state(now)
        delay = {"UnlockDelay": {"UnlockDelayValue": self.delay_days, "UnlockDelayUnit": "DAYS"}}
        return self.summary(now) | {
            "ResourceType": self.resource_type,
            "ResourceTags": self.wanted,
            "ExcludeResourceTags": self.excluded,
            "Status": "pending" if now < self.active else "available",
            "LockConfiguration": delay if self.delay_days else None,
            "LockEndTime": self.unlocks if state == "pending_unlock" else None,
        }


@operation("rbin", "CreateRule")
def create_rule(call: Call) -> Answer:
    """Make a rule; the first one takes a while to work."""
    resource_type = _resource_type(call)
    wanted, excluded = _resource_tags(call, "ResourceTags"), _resource_tags(call, "ExcludeResourceTags")
    if wanted and excluded:
        raise _not_valid("A tag-level rule, one with ResourceTags, cannot have ExcludeResourceTags.")
    days, description, delay = _days(call, resource_type), _description(call), _delay(call)
    if delay and (wanted or excluded):
        raise _not_valid("Only region-level rules without exclusion tags can be locked.")
    rules = _rules(call.ec2)
    if len(rules) >= RULES_PER_REGION:
        message = f"There are {RULES_PER_REGION} retention rules in this region already."
        raise Refusal("ServiceQuotaExceededException", message, 402, Reason="SERVICE_QUOTA_EXCEEDED")
    active = call.ec2.settings.setdefault("recycle bin active", call.now + FIRST_RULE_DELAY)
    identifier = call.world.new_id("rule")[-11:]
    rule = Rule(
        ordinal=call.world.next_ordinal(),
        arn=f"arn:aws:rbin:{call.region}:{call.account}:rule/{identifier}",
        resource_type=resource_type,
        days=days,
        description=description,
        wanted=wanted,
        excluded=excluded,
        active=max(active, call.now),
        tags=_own_tags(call),
        delay_days=delay,
        locked=True if delay else None,
    )
    rules[identifier] = rule
    return {**rule.detail(call.now), "Tags": _pairs(rule)}


@operation("rbin", "GetRule")
def get_rule(call: Call) -> Answer:
    """Show a rule."""
    return _rule(call).detail(call.now)


@operation("rbin", "UpdateRule")
def update_rule(call: Call) -> Answer:
    """Change a rule that is not locked; what is in the bin already stays as long as it was to."""
    rule = _rule(call)
    _check_unlocked(call, rule)
    if call.get("ResourceType", rule.resource_type) != rule.resource_type:
        raise _not_valid("The resource type of a rule cannot be changed.")
    wanted, excluded = _resource_tags(call, "ResourceTags"), _resource_tags(call, "ExcludeResourceTags")
    if call.get("ResourceTags") is not None and bool(wanted) != bool(rule.wanted):
        raise _not_valid("A tag-level rule needs ResourceTags, and a region-level rule cannot have any.")
    if excluded and rule.wanted:
        raise _not_valid("A tag-level rule, one with ResourceTags, cannot have ExcludeResourceTags.")
    days, description = _days(call, rule.resource_type, rule.days), _description(call)
    rule.days = days
    rule.description = rule.description if description is None else description
    rule.wanted = wanted or rule.wanted
    rule.excluded = rule.excluded if call.get("ExcludeResourceTags") is None else excluded
    return rule.detail(call.now)


@operation("rbin", "DeleteRule")
def delete_rule(call: Call) -> Answer:
    """Forget a rule that is not locked; what is in the bin stays there."""
    rule = _rule(call)
    _check_unlocked(call, rule)
    del _rules(call.ec2)[call.get("Identifier")]
    return None


@operation("rbin", "ListRules")
def list_rules(call: Call) -> Answer:
    """List the rules for one kind of resource."""
    resource_type, now = _resource_type(call), call.now
    wanted, excluded = _resource_tags(call, "ResourceTags"), _resource_tags(call, "ExcludeResourceTags")
    if call.get("LockState") not in (None, "locked", "pending_unlock", "unlocked"):
        raise _not_valid(f"'{call.get('LockState')}' is no lock state. Valid values: locked, pending_unlock, unlocked.")
    if call.get("MaxResults", 1) not in range(1, 1001):
        raise _not_valid("MaxResults: give 1 to 1000.")
    found = [
        rule
        for rule in _rules(call.ec2).values()
        if rule.resource_type == resource_type
        and all(tag in rule.wanted for tag in wanted)
        and all(tag in rule.excluded for tag in excluded)
        and call.get("LockState") in (None, rule.lock_state(now))
    ]
    try:
        shown, token = page(call, found, lambda rule: rule.ordinal, least=1)
    except Refusal as refusal:
        raise Refusal("ValidationException", refusal.message, Reason="INVALID_PAGE_TOKEN") from None
    return {"Rules": [rule.summary(now) for rule in shown], "NextToken": token}


@operation("rbin", "LockRule")
def lock_rule(call: Call) -> Answer:
    """Lock a rule, or lock it again while it is being unlocked."""
    rule, delay = _rule(call), _delay(call)
    if rule.wanted or rule.excluded:
        raise _not_valid("Only region-level rules without exclusion tags can be locked.")
    state = rule.lock_state(call.now)
    if state == "locked" or (state == "pending_unlock" and delay != rule.delay_days):
        message = f"The rule is {state}. Its unlock delay cannot be changed."
        raise Refusal("ConflictException", message, 409, Reason="INVALID_RULE_STATE")
    rule.locked, rule.delay_days, rule.unlocks = True, delay, None
    return rule.detail(call.now)


@operation("rbin", "UnlockRule")
def unlock_rule(call: Call) -> Answer:
    """Let a rule be changed again once its delay is over."""
    rule = _rule(call)
    if not rule.locked:
        raise Refusal("ConflictException", "The rule is not locked.", 409, Reason="INVALID_RULE_STATE")
    rule.locked, rule.unlocks = False, call.now + timedelta(days=rule.delay_days or 0)
    return rule.detail(call.now)


@operation("rbin", "TagResource")
def tag_resource(call: Call) -> Answer:
    """Add tags to a rule, or change them."""
    tags = _by_arn(call).tags
    tags.update(_own_tags(call, len(tags)))
    return None


@operation("rbin", "UntagResource")
def untag_resource(call: Call) -> Answer:
    """Take tags off a rule."""
    rule = _by_arn(call)
    for key in call.get("TagKeys", []):
        rule.tags.pop(key, None)
    return None


@operation("rbin", "ListTagsForResource")
def list_tags_for_resource(call: Call) -> Answer:
    """List the tags of a rule."""
    return {"Tags": _pairs(_by_arn(call))}


def retention(ec2: Ec2, resource_type: str, tags: Mapping[str, str], now: datetime) -> timedelta | None:
    """Tell how long what is deleted now is kept, by the longest of the rules that match, or None.

    Source: EBS user guide, "Considerations for Recycle Bin".
    """
    days = [rule.days for rule in _rules(ec2).values() if rule.retains(resource_type, tags, now)]
    return timedelta(days=max(days)) if days else None


def _rules(ec2: Ec2) -> dict[str, Rule]:
    rules: dict[str, Rule] = ec2.settings.setdefault("retention rules", {})
    return rules


def _rule(call: Call) -> Rule:
    identifier = call.get("Identifier")
    if not re.fullmatch(r"[0-9a-zA-Z]{11}", identifier):
        raise _not_valid(f"'{identifier}' is no identifier of a rule.")
    if identifier not in _rules(call.ec2):
        message = f"There is no retention rule '{identifier}'."
        raise Refusal("ResourceNotFoundException", message, 404, Reason="RULE_NOT_FOUND")
    return _rules(call.ec2)[identifier]


def _by_arn(call: Call) -> Rule:
    arn = call.get("ResourceArn")
    for rule in _rules(call.ec2).values():
        if rule.arn == arn:
            return rule
    raise Refusal("ResourceNotFoundException", f"There is no retention rule '{arn}'.", 404, Reason="RULE_NOT_FOUND")


def _pairs(rule: Rule) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in rule.tags.items()]


def _not_valid(message: str) -> Refusal:
    return Refusal("ValidationException", message, Reason="INVALID_PARAMETER_VALUE")


def _resource_type(call: Call) -> str:
    given = call.get("ResourceType")
    if given not in LONGEST_RETENTION:
        raise _not_valid(f"'{given}' is no resource type. Valid values: {', '.join(LONGEST_RETENTION)}.")
    return str(given)


def _resource_tags(call: Call, name: str) -> list[dict[str, str]]:
    given = call.get(name, [])
    if len(given) > MOST_TAGS[name]:
        raise _not_valid(f"{name} can have {MOST_TAGS[name]} tags, not {len(given)}.")
    for tag in given:
        if not 1 <= len(tag.get("ResourceTagKey") or "") <= 128 or len(tag.get("ResourceTagValue") or "") > 256:
            raise _not_valid(f"{name}: a key has 1 to 128 characters and a value up to 256.")
    return [dict(tag) for tag in given]


def _own_tags(call: Call, known: int = 0) -> dict[str, str]:
    given = {tag.get("Key") or "": tag.get("Value") for tag in call.get("Tags", [])}
    for key, value in given.items():
        if not 1 <= len(key) <= 128 or value is None or len(value) > 256:
            raise _not_valid("Tags: a key has 1 to 128 characters and a value up to 256.")
    if known + len(given) > MOST_OWN_TAGS:
        raise _not_valid(f"Tags: a rule can have {MOST_OWN_TAGS} tags.")
    return given


def _days(call: Call, resource_type: str, known: int | None = None) -> int:
    period = call.get("RetentionPeriod")
    if period is None and known is not None:
        return known
    days, most = period.get("RetentionPeriodValue"), LONGEST_RETENTION[resource_type]
    if period.get("RetentionPeriodUnit") != "DAYS" or days is None or not 1 <= days <= most:
        raise _not_valid(f"RetentionPeriod: {resource_type} is retained for 1 to {most} DAYS.")
    return int(days)


def _description(call: Call) -> str | None:
    given = call.get("Description")
    if given is not None and not re.fullmatch(r"[\S ]{0,255}", given):
        raise _not_valid("A description has up to 255 characters, on one line.")
    return given  # type: ignore[no-any-return] # a string, by the model


def _delay(call: Call) -> int | None:
    if call.get("LockConfiguration") is None:
        return None
    delay = call.get("LockConfiguration").get("UnlockDelay") or {}
    days: int | None = delay.get("UnlockDelayValue")
    if delay.get("UnlockDelayUnit") != "DAYS" or days is None or days not in UNLOCK_DELAYS:
        raise _not_valid("UnlockDelay: give 7 to 30 DAYS.")
    return days


def _check_unlocked(call: Call, rule: Rule) -> None:
    if (state := rule.lock_state(call.now)) in ("locked", "pending_unlock"):
        message = f"The rule is {state}. It cannot be changed or deleted."
        raise Refusal("ConflictException", message, 409, Reason="INVALID_RULE_STATE")


def _tagged(tags: Mapping[str, str], wanted: list[dict[str, str]]) -> bool:
    return any(
        tag["ResourceTagKey"] in tags and tag.get("ResourceTagValue") in (None, tags[tag["ResourceTagKey"]])
        for tag in wanted
    )
