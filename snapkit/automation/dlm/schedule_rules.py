"""What Data Lifecycle Manager accepts as a schedule of a policy.

A later rule rests on the earlier ones: of the faults only the first is to be read.

Source: Amazon Data Lifecycle Manager API reference; EBS user guide, "Considerations for snapshot lifecycle policies",
"Create Amazon Data Lifecycle Manager custom policy for EBS snapshots".
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, pairwise
from typing import Any, TypeAlias

from snapkit.automation.dlm.faults import Fault, clashing, lacking
from snapkit.errors import StrategyError
from snapkit.prices import ARCHIVE_LEAST
from snapkit.strategy import Schedule
from snapkit.units import DAY, HOUR, WEEK

Details: TypeAlias = Mapping[str, Any]

INTERVALS = (1, 2, 3, 4, 6, 8, 12, 24)
"""How often a schedule without cron can run [h]. Source: Amazon Data Lifecycle Manager API reference, CreateRule."""

UNITS = {"DAYS": DAY, "WEEKS": WEEK, "MONTHS": 30 * DAY, "YEARS": 365 * DAY}
"""What a unit stands for where periods are compared [s]. *Assumed*, as AWS does not say."""

LONGEST = {"DAYS": 36_500, "WEEKS": 5_200, "MONTHS": 1_200, "YEARS": 100}
"""Longest retention, by unit. Source: Amazon Data Lifecycle Manager API reference, RetainRule."""

ARCHIVE_PERIOD = 28 * DAY
"""Least time between snapshots that are archived [s].

Source: EBS user guide, "Considerations for snapshot lifecycle policies".
"""

RARELY = 366 * DAY
"""Most time between two runs [s]. Source: Amazon Data Lifecycle Manager API reference, CreateRule: one year."""

_RUNS = 2000
"""How many runs of a cron expression are looked at."""

_LOCATIONS = {"OUTPOST_LOCAL": "OUTPOST", "LOCAL_ZONE": "LOCAL_ZONE"}


def counted(rule: Details) -> bool:
    """Tell whether a rule goes by number; one that is read back has an Interval of 0 besides."""
    return rule.get("Count") is not None and not rule.get("Interval")


def age(rule: Details, prefix: str = "") -> float:
    """Tell how long a rule that goes by age lasts [s]."""
    return float(rule[f"{prefix}Interval"] * UNITS[rule[f"{prefix}IntervalUnit"]])


@dataclass(frozen=True)
class Gaps:
    """The time between the due times of a schedule [s].

    Attributes:
        each: between one and the next, so many as were looked at.
    """

    each: tuple[float, ...]

    @classmethod
    def of(cls, rule: Details, after: float = 0.0) -> "Gaps":
        """Look at the runs of a CreateRule after a moment [s since 1970].

        Raises:
            StrategyError: its cron expression is none.
        """
        if rule.get("CronExpression") is None:
            return cls((rule["Interval"] * HOUR,))
        runs = Schedule(rule["CronExpression"]).epochs(after)
        return cls(tuple(later - earlier for earlier, later in pairwise(islice(runs, _RUNS))))

    @property
    def least(self) -> float:
        """The shortest [s]."""
        return min(self.each)

    @property
    def most(self) -> float:
        """The longest [s]."""
        return max(self.each)

    @property
    def mean(self) -> float:
        """The mean [s]."""
        return sum(self.each) / len(self.each)


def schedule_faults(
    schedule: Details, details: Details, path: str, region: str | None = None, after: float = 0.0
) -> Iterator[Fault]:
    """Go through what is wrong with a schedule.

    Args:
        schedule: of a policy.
        details: of the policy.
        path: of the schedule in the document.
        region: where it is to run, if that is known.
        after: from when on its cron expression is looked at [s since 1970].
    """
    missing = [name for name in ("CreateRule", "RetainRule") if schedule.get(name) is None]
    if missing:
        yield lacking(path, *(f"PolicyDetails.Schedules.{name}" for name in missing))
    create, retain = schedule["CreateRule"], schedule["RetainRule"]
    yield from _create_faults(create, f"{path}.CreateRule", after)
    yield from _period_faults(retain, f"{path}.RetainRule")
    yield from _kind_faults(schedule, details, path)
    yield from _place_faults(schedule, (details.get("ResourceLocations") or ["CLOUD"])[0], path)
    yield from _copies_faults(schedule.get("CrossRegionCopyRules") or [], f"{path}.CrossRegionCopyRules")
    for name in ("DeprecateRule", "FastRestoreRule"):
        if schedule.get(name):
            yield from _within_faults(schedule[name], retain, f"{path}.{name}")
    if schedule.get("FastRestoreRule"):
        yield from _zone_faults(schedule["FastRestoreRule"], region, f"{path}.FastRestoreRule")
    for number, rule in enumerate(schedule.get("ShareRules") or []):
        yield from _share_faults(rule, retain, f"{path}.ShareRules[{number}]")
    if schedule.get("ArchiveRule"):
        tier = schedule["ArchiveRule"]["RetainRule"]["RetentionArchiveTier"]
        gaps = Gaps.of(create, after)
        if create.get("CronExpression") is None or gaps.least < ARCHIVE_PERIOD:
            rule = "archives what is taken more often than every 28 days, or by no CronExpression"
            yield Fault(f"{path}.CreateRule", create, rule, "write a cron such as cron(0 3 1 * ? *), once a month")
        yield from _archive_faults(tier, retain, gaps, f"{path}.ArchiveRule.RetainRule.RetentionArchiveTier")


def _create_faults(rule: Details, path: str, after: float) -> Iterator[Fault]:
    interval, cron = rule.get("Interval"), rule.get("CronExpression")
    if cron is not None:
        also = [name for name in ("Interval", "IntervalUnit", "Times") if rule.get(name)]
        if also:
            yield clashing(path, "CronExpression", *also)
        yield from _cron_faults(rule, f"{path}.CronExpression", after)
        return
    if interval is None:
        yield lacking(path, "CreateRule.Interval", "CreateRule.CronExpression", one=True)
    if rule.get("IntervalUnit") is None:
        yield lacking(path, "CreateRule.IntervalUnit")
    if interval not in INTERVALS:
        hours = f"choose one of {', '.join(map(str, INTERVALS))}, or write a CronExpression"
        yield Fault(f"{path}.Interval", interval, "is no number of hours that it can run at", hours)


def _cron_faults(rule: Details, path: str, after: float) -> Iterator[Fault]:
    cron = rule["CronExpression"]
    try:
        gaps = Gaps.of(rule, after)
    except StrategyError as error:
        yield Fault(path, cron, f"cannot be read: {error.field} {error.value!r} {error.rule}", error.remedy)
        return
    if not gaps.each or gaps.least < HOUR or gaps.most > RARELY:
        remedy = "write one such as cron(0 3 * * ? *), every day at 03:00"
        yield Fault(path, cron, "does not run as often as every year, and no more often than every hour", remedy)


def _period_faults(rule: Details, path: str) -> Iterator[Fault]:
    """Refuse a rule that does not go by exactly one of count and age, or for too long."""
    name = path.rpartition(".")[2]
    count, interval, unit = rule.get("Count"), rule.get("Interval"), rule.get("IntervalUnit")
    if count is not None:
        if interval or unit:
            yield clashing(path, f"{name}.Count", f"{name}.Interval")
        return
    if interval is None:
        yield lacking(path, f"{name}.Count", f"{name}.Interval", one=True)
        return
    if unit is None:
        yield lacking(path, f"{name}.IntervalUnit")
        return
    if interval > LONGEST[unit]:
        yield Fault(f"{path}.Interval", interval, "is longer than 100 years", f"give at most {LONGEST[unit]} {unit}")


def _kind_faults(schedule: Details, details: Details, path: str) -> Iterator[Fault]:
    """Check what is for snapshots or images, volumes or instances only."""
    images, volumes = details.get("PolicyType") == "IMAGE_MANAGEMENT", details["ResourceTypes"][0] == "VOLUME"
    of_snapshots = [name for name in ("FastRestoreRule", "ShareRules", "ArchiveRule") if schedule.get(name)]
    copies, retain = schedule.get("CrossRegionCopyRules") or [], schedule["RetainRule"]
    keeps, archives = bool(retain.get("Count") or retain.get("Interval")), bool(schedule.get("ArchiveRule"))
    deprecates = bool(schedule.get("DeprecateRule")) or any(rule.get("DeprecateRule") for rule in copies)
    for broken, name, rule in (
        (images and of_snapshots, ", ".join(of_snapshots), "is for snapshot policies, not for images"),
        (deprecates and not images, "DeprecateRule", "is for policies of images"),
        (
            schedule["CreateRule"].get("Scripts") and (images or volumes),
            "CreateRule.Scripts",
            "is for snapshot policies that target INSTANCE",
        ),
        (schedule.get("VariableTags") and volumes, "VariableTags", "is for policies that target INSTANCE"),
        (archives and not volumes, "ArchiveRule", "is for policies that target VOLUME"),
    ):
        if broken:
            yield Fault(path, name, rule, "leave it out, or write another policy for it")
    others = "Copies, sharing and fast restore"
    if not keeps and not archives:
        yield Fault(f"{path}.RetainRule", retain, "keeps nothing", "keep at least 1, or add an ArchiveRule")
    if not keeps and (copies or len(of_snapshots) > 1):
        yield Fault(f"{path}.RetainRule", retain, "archives at once", f"keep at least 1: {others} need it")


def _place_faults(schedule: Details, local: str, path: str) -> Iterator[Fault]:
    """Check what depends on where the resources are, and where the snapshots go."""
    location = schedule["CreateRule"].get("Location")
    if location not in _LOCATIONS:
        return
    where = f"{path}.CreateRule.Location"
    if _LOCATIONS[location] != local:
        yield Fault(where, location, f"takes no snapshots of resources in {local}", "write CLOUD")
    if schedule.get("CrossRegionCopyRules"):
        yield Fault(where, location, "has snapshots that are not copied to other regions", "write CLOUD, or no copies")
    if schedule.get("FastRestoreRule"):
        yield Fault(where, location, "has no fast snapshot restore", "write CLOUD, or no FastRestoreRule")


def _within_faults(rule: Details, retain: Details, path: str) -> Iterator[Fault]:
    """Refuse a rule that goes on for longer than snapshots or images are retained."""
    yield from _period_faults(rule, path)
    yield from _same_faults(rule, retain, path)
    if rule["Count"] > retain["Count"] if counted(rule) else age(rule) > age(retain):
        yield Fault(path, rule, "goes on for longer than RetainRule", "make it no longer")


def _same_faults(rule: Details, retain: Details, path: str) -> Iterator[Fault]:
    if counted(rule) != counted(retain):
        way = "by count" if counted(retain) else "by age"
        yield Fault(path, rule, "goes by another measure than RetainRule", f"let it go {way}, as RetainRule does")


def _copies_faults(rules: Sequence[Details], path: str) -> Iterator[Fault]:
    targets: list[str] = []
    for number, rule in enumerate(rules):
        where = f"{path}[{number}]"
        if rule.get("Target") and rule.get("TargetRegion"):
            yield clashing(where, "CrossRegionCopyRules.Target", "CrossRegionCopyRules.TargetRegion")
        target = rule.get("Target") or rule.get("TargetRegion")
        if not target:
            yield lacking(where, "CrossRegionCopyRules.Target")
        if target in targets:
            yield Fault(where, target, "is a target twice", "copy to each once")
        targets.append(str(target))
        yield from copy_faults(rule.get("RetainRule"), rule, where)


def copy_faults(retain: Details | None, encryption: Details, path: str) -> Iterator[Fault]:
    """Go through what is wrong with a copy: its retention, and a key without encryption."""
    if encryption.get("CmkArn") and not encryption.get("Encrypted"):
        yield Fault(f"{path}.CmkArn", encryption["CmkArn"], "is a key, and Encrypted is false", "set Encrypted to true")
    if retain:
        yield from _period_faults(retain, f"{path}.RetainRule")


def _zone_faults(rule: Details, region: str | None, path: str) -> Iterator[Fault]:
    zones, ids = rule.get("AvailabilityZones") or [], rule.get("AvailabilityZoneIds")
    if zones and ids:
        yield clashing(path, "FastRestoreRule.AvailabilityZones", "FastRestoreRule.AvailabilityZoneIds")
    if not zones and not ids:
        yield lacking(path, "FastRestoreRule.AvailabilityZones")
    for zone in zones:
        if region is not None and zone[:-1] != region:
            yield Fault(f"{path}.AvailabilityZones", zone, f"does not lie in {region}", "name zones of that region")


def _share_faults(rule: Details, retain: Details, path: str) -> Iterator[Fault]:
    given = [name for name in ("UnshareInterval", "UnshareIntervalUnit") if rule.get(name)]
    if len(given) == 1:
        yield lacking(path, "ShareRules.UnshareInterval", "ShareRules.UnshareIntervalUnit")
    accounts = rule["TargetAccounts"]
    if len(set(accounts)) < len(accounts):
        yield Fault(f"{path}.TargetAccounts", accounts, "names an account twice", "name each once")
    if given and not counted(retain) and age(rule, "Unshare") >= age(retain):
        remedy = "make it shorter than RetainRule"
        yield Fault(f"{path}.UnshareInterval", rule["UnshareInterval"], "is as long as the snapshots are kept", remedy)


def _archive_faults(rule: Details, retain: Details, gaps: Gaps, path: str) -> Iterator[Fault]:
    yield from _period_faults(rule, path)
    yield from _same_faults(rule, retain, path)
    stays = gaps.mean * rule["Count"] if counted(rule) else age(rule)
    if stays < ARCHIVE_LEAST:
        yield Fault(path, rule, "deletes before 90 days", "let snapshots stay in the archive for at least 90 days")
