"""What Data Lifecycle Manager accepts as a schedule of a policy.

Source: Amazon Data Lifecycle Manager API reference; EBS user guide, "Considerations for snapshot lifecycle policies",
"Create Amazon Data Lifecycle Manager custom policy for EBS snapshots".
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any, TypeAlias

from snapkit.errors import StrategyError
from snapkit.sandbox.refusal import Refusal
from snapkit.strategy import Schedule

Details: TypeAlias = Mapping[str, Any]

INTERVALS = (1, 2, 3, 4, 6, 8, 12, 24)
"""In hours. Source: Amazon Data Lifecycle Manager API reference, CreateRule."""

DAYS = {"DAYS": 1, "WEEKS": 7, "MONTHS": 30, "YEARS": 365}
"""The days that a unit stands for where periods are compared. *Assumed*, as AWS does not say."""

LONGEST = {"DAYS": 36_500, "WEEKS": 5_200, "MONTHS": 1_200, "YEARS": 100}
"""Longest retention, by unit. Source: Amazon Data Lifecycle Manager API reference, RetainRule."""

LEAST_ARCHIVE = timedelta(days=90)
"""How long a snapshot stays in the archive at least.

Source: Amazon Data Lifecycle Manager API reference, RetentionArchiveTier.
"""

LEAST_ARCHIVE_PERIOD = timedelta(days=28)
"""Least time between snapshots that are archived.

Source: EBS user guide, "Considerations for snapshot lifecycle policies".
"""

_LOCATIONS = {"OUTPOST_LOCAL": "OUTPOST", "LOCAL_ZONE": "LOCAL_ZONE"}


def refused(message: str, *, required: Sequence[str] = (), exclusive: Sequence[str] = ()) -> Refusal:
    """Make an InvalidRequestException."""
    refusal = Refusal("InvalidRequestException", message)
    if required:
        refusal.members["RequiredParameters"] = list(required)
    if exclusive:
        refusal.members["MutuallyExclusiveParameters"] = list(exclusive)
    return refusal


def lacking(*names: str) -> Refusal:
    """Say what is missing."""
    return refused(f"The following parameter(s) are required: {', '.join(names)}.", required=names)


def clashing(*names: str) -> Refusal:
    """Say what cannot be given together."""
    return refused(f"The following parameters are mutually exclusive: {', '.join(names)}.", exclusive=names)


def check(*rules: tuple[object, str]) -> None:
    """Refuse by the first rule that is broken: what is wrong if it is true, and the message."""
    for broken, message in rules:
        if broken:
            raise refused(message)


def counted(rule: Details) -> bool:
    """Tell whether a rule goes by number; one that is read back has an Interval of 0 besides."""
    return rule.get("Count") is not None and not rule.get("Interval")


def check_schedule(schedule: Details, details: Details, region: str, now: datetime) -> None:
    """Refuse a schedule that cannot be.

    Args:
        schedule: with the defaults filled in.
        details: of its policy, likewise.
        region: where it is to run.
        now: from when on its cron expression is looked at.
    """
    missing = [name for name in ("CreateRule", "RetainRule") if schedule.get(name) is None]
    if missing:
        raise lacking(*(f"PolicyDetails.Schedules.{name}" for name in missing))
    create, retain = schedule["CreateRule"], schedule["RetainRule"]
    gaps = _check_create(create, now)
    check_period(retain, "RetainRule")
    _check_kind(schedule, details)
    _check_place(schedule, details["ResourceLocations"][0])
    _check_copies(schedule.get("CrossRegionCopyRules") or [])
    for name in ("DeprecateRule", "FastRestoreRule"):
        if schedule.get(name):
            check_within(schedule[name], retain, name)
    if schedule.get("FastRestoreRule"):
        _check_zones(schedule["FastRestoreRule"], region)
    for rule in schedule.get("ShareRules") or []:
        _check_share(rule, retain)
    if schedule.get("ArchiveRule"):
        _check_archive(schedule["ArchiveRule"]["RetainRule"]["RetentionArchiveTier"], create, retain, gaps)


def _check_kind(schedule: Details, details: Details) -> None:
    """Check what is for snapshots or images, volumes or instances only."""
    images, volumes = details["PolicyType"] == "IMAGE_MANAGEMENT", details["ResourceTypes"][0] == "VOLUME"
    of_snapshots = [name for name in ("FastRestoreRule", "ShareRules", "ArchiveRule") if schedule.get(name)]
    copies, keeps = schedule.get("CrossRegionCopyRules") or [], _keeps(schedule["RetainRule"])
    deprecates = schedule.get("DeprecateRule") or any(rule.get("DeprecateRule") for rule in copies)
    check(
        (images and of_snapshots, f"{', '.join(of_snapshots)} are for snapshot policies."),
        (deprecates and not images, "DeprecateRule is for policies of images."),
        (
            schedule["CreateRule"].get("Scripts") and (images or volumes),
            "Scripts are for snapshot policies that target INSTANCE.",
        ),
        (schedule.get("VariableTags") and volumes, "VariableTags are for policies that target INSTANCE."),
        (schedule.get("ArchiveRule") and not volumes, "ArchiveRule is for policies that target VOLUME."),
        (
            not keeps and not schedule.get("ArchiveRule"),
            "RetainRule has to keep at least 1, unless there is an ArchiveRule.",
        ),
        (
            not keeps and (copies or len(of_snapshots) > 1),
            "Copies, sharing and fast restore need a RetainRule of at least 1.",
        ),
    )


def _keeps(rule: Details) -> bool:
    return bool(rule.get("Count") or rule.get("Interval"))


def _check_place(schedule: Details, local: str) -> None:
    """Check what depends on where the resources are, and where the snapshots go."""
    location = schedule["CreateRule"].get("Location")
    stays = location in _LOCATIONS
    check(
        (stays and _LOCATIONS.get(location) != local, f"Snapshots of resources in {local} cannot go to {location}."),
        (stays and schedule.get("CrossRegionCopyRules"), f"Snapshots in {location} are not copied across regions."),
        (stays and schedule.get("FastRestoreRule"), f"Snapshots in {location} are not restored fast."),
    )


@dataclass(frozen=True)
class Gaps:
    """The time between two snapshots: the least, and the mean, which 90 days in the archive are counted by."""

    least: timedelta
    mean: timedelta


def _check_create(rule: Details, now: datetime) -> Gaps:
    """Check when snapshots are taken."""
    interval, cron = rule.get("Interval"), rule.get("CronExpression")
    if cron is not None:
        also = [name for name in ("Interval", "IntervalUnit", "Times") if rule.get(name)]
        if also:
            raise clashing("CronExpression", *also)
        return _check_cron(cron, now)
    if interval is None:
        raise lacking("CreateRule.Interval", "CreateRule.CronExpression")
    if rule.get("IntervalUnit") is None:
        raise lacking("CreateRule.IntervalUnit")
    check((interval not in INTERVALS, f"CreateRule.Interval is {interval}; choose one of {INTERVALS} hours."))
    return Gaps(timedelta(hours=interval), timedelta(hours=interval))


def _check_cron(expression: str, now: datetime) -> Gaps:
    """Check a cron expression."""
    try:
        runs = Schedule(expression).epochs(now.timestamp())
    except StrategyError as error:
        raise refused(f"CronExpression is not valid: {error}") from None
    gaps = [timedelta(seconds=later - earlier) for earlier, later in pairwise(islice(runs, 2000))]
    if not gaps or min(gaps) < timedelta(hours=1) or max(gaps) > timedelta(days=366):
        raise refused(f"CronExpression {expression} has to run every hour to every year.")
    return Gaps(min(gaps), sum(gaps, timedelta()) / len(gaps))


def check_period(rule: Details, name: str) -> None:
    """Refuse a rule that does not go by exactly one of count and age, or for too long."""
    count, interval, unit = rule.get("Count"), rule.get("Interval"), rule.get("IntervalUnit")
    if count is not None and (interval or unit):
        raise clashing(f"{name}.Count", f"{name}.Interval")
    if count is not None:
        return
    if interval is None:
        raise lacking(f"{name}.Count", f"{name}.Interval")
    if unit is None:
        raise lacking(f"{name}.IntervalUnit")
    check((interval > LONGEST[unit], f"{name} is {interval} {unit}; the most is {LONGEST[unit]} {unit}."))


def check_within(rule: Details, retain: Details, name: str) -> None:
    """Refuse a rule that goes on for longer than snapshots or images are retained."""
    check_period(rule, name)
    _check_same(rule, retain, name)
    longer = rule["Count"] > retain["Count"] if counted(rule) else _age(rule) > _age(retain)
    check((longer, f"{name} cannot be longer than RetainRule."))


def _check_same(rule: Details, retain: Details, name: str) -> None:
    differs = counted(rule) != counted(retain)
    check((differs, f"{name} has to go by count if RetainRule does, and by age if it does."))


def _age(rule: Details, prefix: str = "") -> timedelta:
    return timedelta(days=rule[f"{prefix}Interval"] * DAYS[rule[f"{prefix}IntervalUnit"]])


def _check_copies(rules: Sequence[Details]) -> None:
    targets = []
    for rule in rules:
        if rule.get("Target") and rule.get("TargetRegion"):
            raise clashing("CrossRegionCopyRules.Target", "CrossRegionCopyRules.TargetRegion")
        if not (rule.get("Target") or rule.get("TargetRegion")):
            raise lacking("CrossRegionCopyRules.Target")
        targets.append(rule.get("Target") or rule.get("TargetRegion"))
        check_copy(rule.get("RetainRule"), rule, "CrossRegionCopyRules")
    check((len(set(targets)) < len(targets), "A target is named twice in CrossRegionCopyRules."))


def check_copy(retain: Details | None, encryption: Details, name: str) -> None:
    """Refuse a copy that is retained for too long, or has a key without being encrypted."""
    keyed = encryption.get("CmkArn") and not encryption.get("Encrypted")
    check((keyed, f"{name} has a CmkArn, but the copies are not Encrypted."))
    if retain:
        check_period(retain, f"{name}.RetainRule")


def _check_zones(rule: Details, region: str) -> None:
    zones, ids = rule.get("AvailabilityZones") or [], rule.get("AvailabilityZoneIds")
    if zones and ids:
        raise clashing("FastRestoreRule.AvailabilityZones", "FastRestoreRule.AvailabilityZoneIds")
    if not zones and not ids:
        raise lacking("FastRestoreRule.AvailabilityZones")
    check(*((zone[:-1] != region, f"The zone {zone} does not lie in {region}.") for zone in zones))


def _check_share(rule: Details, retain: Details) -> None:
    given = [name for name in ("UnshareInterval", "UnshareIntervalUnit") if rule.get(name)]
    if len(given) == 1:
        raise lacking("ShareRules.UnshareInterval", "ShareRules.UnshareIntervalUnit")
    accounts = rule["TargetAccounts"]
    late = given and not counted(retain) and _age(rule, "Unshare") >= _age(retain)
    check(
        (len(set(accounts)) < len(accounts), "An account is named twice in ShareRules."),
        (late, "Snapshots have to be unshared before they are deleted: UnshareInterval is too long."),
    )


def _check_archive(rule: Details, create: Details, retain: Details, gaps: Gaps) -> None:
    check(
        (
            not create.get("CronExpression") or gaps.least < LEAST_ARCHIVE_PERIOD,
            "A schedule with an ArchiveRule needs a CronExpression that runs every 28 days or more rarely.",
        )
    )
    check_period(rule, "RetentionArchiveTier")
    _check_same(rule, retain, "RetentionArchiveTier")
    stays = gaps.mean * rule["Count"] if counted(rule) else _age(rule)
    check((stays < LEAST_ARCHIVE, "Snapshots have to stay in the archive for at least 90 days."))
