"""What Data Lifecycle Manager accepts as a policy, beyond what the service's model says.

Source: Amazon Data Lifecycle Manager API reference; EBS user guide, "Default policies vs custom policies",
"Create Amazon Data Lifecycle Manager event-based policies".
"""

from datetime import datetime

from snapkit.sandbox.gaps.lifecycle_schedules import (
    Details,
    check,
    check_copy,
    check_schedule,
    clashing,
    counted,
    lacking,
    refused,
)

CREATE_INTERVALS, RETAIN_INTERVALS = range(1, 8), range(2, 15)
"""Of default policies [days]. Source: Amazon Data Lifecycle Manager API reference, CreateLifecyclePolicy."""

SIMPLE = ("CreateInterval", "RetainInterval", "CopyTags", "ExtendDeletion", "CrossRegionCopyTargets", "Exclusions")
"""The members of a default policy. Source: likewise."""

CUSTOM = ("ResourceTypes", "TargetTags", "Schedules")
ON_EVENT = ("EventSource", "Actions")


def check_default(details: Details) -> None:
    """Refuse a default policy that cannot be; the defaults are filled in."""
    create, retain = details["CreateInterval"], details["RetainInterval"]
    regions = [target.get("TargetRegion") for target in details.get("CrossRegionCopyTargets") or []]
    exclusions = details.get("Exclusions") or {}
    of_volumes = [name for name in ("ExcludeBootVolumes", "ExcludeVolumeTypes") if exclusions.get(name)]
    custom = [name for name in (*CUSTOM, *ON_EVENT, "Parameters") if details.get(name)]
    if custom:
        raise refused(f"A default policy has no {', '.join(custom)}.", exclusive=["ResourceType", *custom])
    check(
        (create not in CREATE_INTERVALS, f"CreateInterval is {create}; it has to be 1 to 7 days."),
        (retain not in RETAIN_INTERVALS, f"RetainInterval is {retain}; it has to be 2 to 14 days."),
        (retain <= create, f"RetainInterval ({retain}) has to be greater than CreateInterval ({create})."),
        (len(set(regions)) < len(regions), "A region is named twice in CrossRegionCopyTargets."),
        (
            details["ResourceType"] == "INSTANCE" and of_volumes,
            f"{', '.join(of_volumes)} are for default policies of volumes.",
        ),
    )


def check_custom(details: Details, region: str, now: datetime) -> None:
    """Refuse a custom policy that cannot be.

    Args:
        details: with the defaults filled in.
        region: where it is to run.
        now: from when on its cron expressions are looked at.
    """
    simple = [name for name in ("ResourceType", *SIMPLE) if details.get(name) is not None]
    if simple:
        raise refused(f"{', '.join(simple)} are for default policies.", exclusive=["PolicyLanguage", *simple])
    on_event = details["PolicyType"] == "EVENT_BASED_POLICY"
    wanted, unwanted = (ON_EVENT, CUSTOM) if on_event else (CUSTOM, ON_EVENT)
    missing = [name for name in wanted if not details.get(name)]
    if missing:
        raise lacking(*(f"PolicyDetails.{name}" for name in missing))
    extra = [name for name in unwanted if details.get(name)]
    if extra:
        raise clashing("PolicyType", *extra)
    if on_event:
        for action in details["Actions"]:
            for rule in action["CrossRegionCopy"]:
                check_copy(rule.get("RetainRule"), rule["EncryptionConfiguration"], "Actions")
        return
    _check_parameters(details)
    for schedule in details["Schedules"]:
        check_schedule(schedule, details, region, now)
    _check_together(details)


def _check_parameters(details: Details) -> None:
    images, kind = details["PolicyType"] == "IMAGE_MANAGEMENT", details["ResourceTypes"][0]
    parameters = details.get("Parameters") or {}
    of_sets = [name for name in ("ExcludeBootVolume", "ExcludeDataVolumeTags") if parameters.get(name)]
    check(
        (images and kind != "INSTANCE", "A policy of images targets INSTANCE."),
        (parameters.get("NoReboot") is not None and not images, "NoReboot is for policies of images."),
        (
            of_sets and (images or kind != "INSTANCE"),
            f"{', '.join(of_sets)} are for snapshot policies that target INSTANCE.",
        ),
    )


def _check_together(details: Details) -> None:
    """Check what the schedules of a policy have in common."""
    schedules = details["Schedules"]
    names = [schedule["Name"] for schedule in schedules if schedule.get("Name")]
    ways = {counted(schedule["RetainRule"]) for schedule in schedules}
    archiving = [schedule for schedule in schedules if schedule.get("ArchiveRule")]
    check(
        (len(set(names)) < len(names), "Two schedules have the same Name."),
        (len(ways) > 1, "All schedules of a policy have to retain by count, or all by age."),
        (len(archiving) > 1, "Only one schedule of a policy can have an ArchiveRule."),
    )
