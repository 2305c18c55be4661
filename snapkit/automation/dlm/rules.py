"""What Data Lifecycle Manager accepts as a policy: AWS's own model of it, and the rules that stand in words only.

A later rule rests on the earlier ones: of the faults only the first is to be read.

Source: Amazon Data Lifecycle Manager API reference; EBS user guide, "Default policies vs custom policies",
"Create Amazon Data Lifecycle Manager event-based policies".
"""

from collections.abc import Iterator

from botocore.validate import ParamValidator

from snapkit.automation.dlm.faults import Fault, clashing, lacking, model_faults, model_of
from snapkit.automation.dlm.schedule_rules import Details, copy_faults, counted, schedule_faults
from snapkit.errors import InvalidRequest

CREATE_INTERVALS, RETAIN_INTERVALS = range(1, 8), range(2, 15)
"""Of default policies [days]. Source: Amazon Data Lifecycle Manager API reference, CreateLifecyclePolicy."""

SIMPLE = ("CreateInterval", "RetainInterval", "CopyTags", "ExtendDeletion", "CrossRegionCopyTargets", "Exclusions")
"""The members of a default policy. Source: likewise."""

CUSTOM = ("ResourceTypes", "TargetTags", "Schedules")
ON_EVENT = ("EventSource", "Actions")


def check(details: Details, region: str | None = None) -> None:
    """Refuse PolicyDetails that AWS would not accept; public linters let most of them through.

    Args:
        details: of a custom policy, of a default policy, or of one on events.
        region: where it is to run, if that is known.

    Raises:
        InvalidRequest: they cannot be; the message names the place in the document, the rule and the remedy.
    """
    fault = first_fault(details, region)
    if fault is not None:
        raise fault.error()


def first_fault(details: Details, region: str | None = None) -> Fault | None:
    """Find the first rule that PolicyDetails break, or nothing."""
    shape = model_of("dlm").shape_for("PolicyDetails")
    wrong = ParamValidator().validate(details, shape).generate_report()
    if wrong:
        said = "; ".join(dict.fromkeys(wrong.splitlines()))
        return Fault("PolicyDetails", said, "is what AWS's model says against them", "write them as in its reference")
    return next(model_faults(shape, details), None) or next(policy_faults(details, region), None)


def policy_faults(details: Details, region: str | None = None, after: float = 0.0) -> Iterator[Fault]:
    """Go through what is wrong with PolicyDetails by the rules that AWS's model does not have.

    Args:
        details: of a policy.
        region: where it is to run, if that is known.
        after: from when on cron expressions are looked at [s since 1970].
    """
    if details.get("PolicyLanguage") == "SIMPLIFIED":
        yield from _default_faults(details)
    else:
        yield from _custom_faults(details, region, after)


def _default_faults(details: Details) -> Iterator[Fault]:
    create, retain = details.get("CreateInterval", 1), details.get("RetainInterval", 7)
    regions = [target.get("TargetRegion") for target in details.get("CrossRegionCopyTargets") or []]
    exclusions = details.get("Exclusions") or {}
    of_volumes = [name for name in ("ExcludeBootVolumes", "ExcludeVolumeTypes") if exclusions.get(name)]
    custom = [name for name in (*CUSTOM, *ON_EVENT, "Parameters") if details.get(name)]
    if details.get("ResourceType") is None:
        yield lacking("PolicyDetails", "PolicyDetails.ResourceType")
    if custom:
        yield clashing("PolicyDetails of a default policy", "ResourceType", *custom)
    if create not in CREATE_INTERVALS:
        yield Fault("CreateInterval", create, "is no number of days that it can run at", "give 1 to 7")
    if retain not in RETAIN_INTERVALS:
        yield Fault("RetainInterval", retain, "is no number of days that it can keep for", "give 2 to 14")
    if retain <= create:
        yield Fault("RetainInterval", retain, "is no longer than CreateInterval", f"give more than {create}")
    if None in regions:
        yield lacking("CrossRegionCopyTargets", "CrossRegionCopyTargets.TargetRegion")
    if len(set(regions)) < len(regions):
        yield Fault("CrossRegionCopyTargets", regions, "names a region twice", "copy to each once")
    if details["ResourceType"] == "INSTANCE" and of_volumes:
        remedy = "leave it out, or write a default policy of volumes"
        yield Fault("Exclusions", ", ".join(of_volumes), "is for default policies of volumes", remedy)


def _custom_faults(details: Details, region: str | None, after: float) -> Iterator[Fault]:
    simple = [name for name in ("ResourceType", *SIMPLE) if details.get(name) is not None]
    if simple:
        rule, remedy = "is for default policies", "leave it out, or set PolicyLanguage to SIMPLIFIED"
        yield Fault("PolicyDetails", ", ".join(simple), rule, remedy, exclusive=("PolicyLanguage", *simple))
    on_event = details.get("PolicyType") == "EVENT_BASED_POLICY"
    wanted, unwanted = (ON_EVENT, CUSTOM) if on_event else (CUSTOM, ON_EVENT)
    missing = [name for name in wanted if not details.get(name)]
    if missing:
        yield lacking("PolicyDetails", *(f"PolicyDetails.{name}" for name in missing))
    extra = [name for name in unwanted if details.get(name)]
    if extra:
        yield clashing("PolicyDetails", "PolicyType", *extra)
    if on_event:
        for number, action in enumerate(details["Actions"]):
            for place, rule in enumerate(action["CrossRegionCopy"]):
                path = f"Actions[{number}].CrossRegionCopy[{place}]"
                yield from copy_faults(rule.get("RetainRule"), rule["EncryptionConfiguration"], path)
        return
    yield from _parameter_faults(details)
    for number, schedule in enumerate(details["Schedules"]):
        yield from schedule_faults(schedule, details, f"Schedules[{number}]", region, after)
    yield from _common_faults(details)


def _parameter_faults(details: Details) -> Iterator[Fault]:
    images, kind = details.get("PolicyType") == "IMAGE_MANAGEMENT", details["ResourceTypes"][0]
    parameters = details.get("Parameters") or {}
    of_sets = [name for name in ("ExcludeBootVolume", "ExcludeDataVolumeTags") if parameters.get(name)]
    if images and kind != "INSTANCE":
        yield Fault("ResourceTypes", [kind], "is no target of a policy of images", "target INSTANCE")
    if parameters.get("NoReboot") is not None and not images:
        yield Fault("Parameters", "NoReboot", "is for policies of images", "leave it out")
    if of_sets and (images or kind != "INSTANCE"):
        rule = "is for snapshot policies that target INSTANCE"
        yield Fault("Parameters", ", ".join(of_sets), rule, "leave it out, or target INSTANCE")


def _common_faults(details: Details) -> Iterator[Fault]:
    """Check what the schedules of a policy have in common."""
    schedules = details["Schedules"]
    names = [schedule["Name"] for schedule in schedules if schedule.get("Name")]
    ways = {counted(schedule["RetainRule"]) for schedule in schedules}
    archiving = [schedule for schedule in schedules if schedule.get("ArchiveRule")]
    if len(set(names)) < len(names):
        yield Fault("Schedules", names, "have the same Name", "give each a Name of its own")
    if len(ways) > 1:
        rules = [schedule["RetainRule"] for schedule in schedules]
        remedy = "retain by count in all, or by age in all, or write two policies"
        yield Fault("Schedules", rules, "retain by count and by age in one policy", remedy)
    if len(archiving) > 1:
        names = [str(schedule.get("Name")) for schedule in archiving]
        yield Fault("Schedules", names, "archive both, and only one of a policy can", "write two policies")


def details_of(policy: Details) -> Details:
    """Find the PolicyDetails in what GetLifecyclePolicy answers, in its Policy, or in PolicyDetails themselves.

    Raises:
        InvalidRequest: it is none of these.
    """
    found = policy
    for name in ("Policy", "PolicyDetails"):
        found = found.get(name, found) if isinstance(found, dict) else found
    if not isinstance(found, dict):
        raise InvalidRequest("policy", policy, "is no lifecycle policy", "give what GetLifecyclePolicy answers")
    return found
