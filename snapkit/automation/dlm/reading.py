"""A policy of Data Lifecycle Manager as a strategy, so that what already runs can be simulated."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from snapkit.automation.dlm.rules import check, details_of
from snapkit.automation.dlm.schedule_rules import Details, counted
from snapkit.errors import StrategyError
from snapkit.strategy import Archive, Copy, Retention, Schedule, Strategy, Tier
from snapkit.units import DAY

_SPANS = {"DAYS": (1, "d"), "WEEKS": (7, "d"), "MONTHS": (1, "m"), "YEARS": (1, "y")}
"""How a unit of DLM is written in a retention. *Assumed*: months and years are those of the calendar."""


class NotRead(UserWarning):
    """What a policy does and a strategy cannot say, or what had to be assumed."""


def read(policy: Details) -> Strategy:
    """Read a policy as a strategy, with a tier for each schedule.

    What has no counterpart in a strategy is not lost silently: each is a `NotRead` warning. Simulate the strategy with
    ``start_within="1h"``, as DLM starts a run within one hour after its due time. *Assumed*: a failed snapshot is tried
    again as a tier does by default, since AWS does not say; snapshots of several schedules are counted by each of them,
    and kept by the longest.

    Args:
        policy: what GetLifecyclePolicy answers, its Policy, or PolicyDetails. The defaults that AWS fills in may be
            there or not.

    Raises:
        InvalidRequest: AWS would not accept it; see `check`.
        StrategyError: it takes no snapshots on a schedule.

    Source:
        Amazon Data Lifecycle Manager API reference, PolicyDetails; EBS user guide, "Default policies vs custom
        policies".
    """
    details = details_of(policy)
    check(details)
    kind = details.get("PolicyType", "EBS_SNAPSHOT_MANAGEMENT")
    if kind != "EBS_SNAPSHOT_MANAGEMENT" or details.get("ResourceType") == "INSTANCE":
        rule = "makes images, or copies what others share, and a strategy takes snapshots"
        raise StrategyError("policy type", kind, rule, "read a policy of EBS_SNAPSHOT_MANAGEMENT")
    default = details.get("PolicyLanguage") == "SIMPLIFIED"
    for told in (*_state(policy), *(_left_of_default(details) if default else _left(details))):
        warnings.warn_explicit(told, NotRead, "snapkit", 1)
    tiers = [_default_tier(details)] if default else list(map(_tier, _named(details["Schedules"])))
    return Strategy(_name(policy, details), tiers)


def _name(policy: Details, details: Details) -> str:
    inner = policy.get("Policy", policy)
    tags = details.get("TargetTags") or [{}]
    return str(inner.get("Description") or inner.get("PolicyId") or tags[0].get("Value") or "lifecycle policy")


def _named(schedules: Iterable[Details]) -> Iterator[tuple[str, Details]]:
    for number, schedule in enumerate(schedules, 1):
        yield schedule.get("Name") or f"Schedule {number}", schedule


def _tier(named: tuple[str, Details]) -> Tier:
    name, schedule = named
    archive = schedule.get("ArchiveRule")
    return Tier(
        schedule_of(schedule["CreateRule"]),
        _retention(schedule["RetainRule"]),
        name,
        copies=[
            Copy(rule.get("Target") or rule["TargetRegion"], _copy_retention(rule), rule.get("CmkArn"))
            for rule in schedule.get("CrossRegionCopyRules") or []
            if not _on_outpost(rule)
        ],
        archive=Archive(_retention(archive["RetainRule"]["RetentionArchiveTier"])) if archive else None,
    )


def _default_tier(details: Details) -> Tier:
    schedule = Schedule(f"every {details.get('CreateInterval', 1)}d")
    kept = Retention(within=f"{details.get('RetainInterval', 7)}d")
    copies = [Copy(target["TargetRegion"], kept) for target in details.get("CrossRegionCopyTargets") or []]
    return Tier(schedule, kept, "default", copies=copies)


def schedule_of(rule: Details) -> Schedule:
    """Read a CreateRule as a schedule; one without Times runs from midnight."""
    if rule.get("CronExpression"):
        return Schedule(rule["CronExpression"])
    hours, (time,) = rule["Interval"], rule.get("Times") or ["00:00"]
    if hours * 3600 == DAY:
        return Schedule(f"every 1d at {time}")
    return Schedule(f"every {hours}h", anchor=None if time == "00:00" else f"1970-01-01T{time}:00+00:00")


def _retention(rule: Details) -> Retention:
    if counted(rule) or not rule.get("Interval"):
        return Retention(last=rule.get("Count") or 1)
    number, unit = _SPANS[rule["IntervalUnit"]]
    return Retention(within=f"{rule['Interval'] * number}{unit}")


def _copy_retention(rule: Details) -> Retention:
    return _retention(rule["RetainRule"]) if rule.get("RetainRule") else Retention(last="all")


def _on_outpost(rule: Details) -> bool:
    return str(rule.get("Target")).startswith("arn:")


def _state(policy: Details) -> Iterator[str]:
    state = policy.get("Policy", policy).get("State", "ENABLED")
    if state != "ENABLED":
        yield f"State is {state}: the policy does not run, and the strategy is what it would do"


def _left(details: Details) -> Iterator[str]:
    if len(details["TargetTags"]) > 1:
        yield f"TargetTags are {len(details['TargetTags'])}: the strategy is for one volume, whichever of them it has"
    if details["ResourceTypes"] == ["INSTANCE"]:
        yield "ResourceTypes is INSTANCE: the volumes of a server are snapshotted at once; see Workload.together"
    for name in ("Parameters", "ResourceLocations"):
        if details.get(name) not in (None, {}, ["CLOUD"]):
            yield f"{name} is {details[name]}: a strategy does not choose volumes by that"
    for name, schedule in _named(details["Schedules"]):
        for told in _left_of_schedule(schedule):
            yield f"schedule {name!r}: {told}"


def _left_of_schedule(schedule: Details) -> Iterator[str]:
    create, retain, archive = schedule["CreateRule"], schedule["RetainRule"], schedule.get("ArchiveRule")
    if not create.get("CronExpression") and not create.get("Times"):
        yield "CreateRule has no Times: DLM chooses the time of day, and midnight is assumed"
    if create.get("Scripts"):
        yield "Scripts run before and after: not read"
    if create.get("Location", "CLOUD") != "CLOUD":
        yield f"Location is {create['Location']}: not read"
    if archive and not (retain.get("Count") or retain.get("Interval")):
        yield "RetainRule is 0: DLM archives at once, and the strategy keeps the newest in the standard tier"
    for name in ("FastRestoreRule", "ShareRules", "VariableTags", "TagsToAdd"):
        if schedule.get(name):
            yield f"{name} has no counterpart: {_short(schedule[name])} not read"
    for rule in schedule.get("CrossRegionCopyRules") or []:
        yield from _left_of_copy(rule)


def _left_of_copy(rule: Details) -> Iterator[str]:
    copy = f"the copy to {rule.get('Target') or rule['TargetRegion']}"
    if _on_outpost(rule):
        yield f"{copy} goes to an Outpost: not read"
    elif not rule.get("RetainRule"):
        yield f"{copy} has no RetainRule: that it stays for ever is assumed"
    if rule.get("Encrypted") and not rule.get("CmkArn"):
        yield f"{copy} is encrypted under the default key there, and the strategy leaves that open"


def _left_of_default(details: Details) -> Iterator[str]:
    days = details.get("CreateInterval", 1)
    yield (
        f"a default policy takes a snapshot of a volume only if the last one is older than {days} d, at a time that DLM"
        " chooses: midnight, and no other backups, are assumed"
    )
    if details.get("ExtendDeletion"):
        yield "ExtendDeletion is true: it keeps deleting when a volume or the policy is gone, which is not read"
    if any((details.get("Exclusions") or {}).values()):
        yield f"Exclusions are {_short(details['Exclusions'])}: a strategy does not choose volumes by that"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
