"""What a policy that AWS accepts does otherwise than one would think."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from snapkit.automation.dlm.rules import check, details_of
from snapkit.automation.dlm.schedule_rules import Details, Gaps, age, counted
from snapkit.prices import ARCHIVE_LEAST
from snapkit.rules import ARCHIVED_PER_VOLUME, FAST_RESTORE_LARGEST, FAST_RESTORE_OPTIMIZING
from snapkit.units import DAY, HOUR, Size, bytes_text, seconds_text, to_bytes

LATENESS = HOUR
"""How long after its due time a run starts at the latest [s].

Source: EBS user guide, "Create Amazon Data Lifecycle Manager custom policy for EBS snapshots".
"""


@dataclass(frozen=True)
class Trap:
    """Something that a policy does otherwise than one would think.

    Attributes:
        path: where in the document, such as ``"Schedules[0].RetainRule"``.
        trap: what happens.
        why: the rule of AWS behind it.
        remedy: what to do about it.
    """

    path: str
    trap: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.trap}, because {self.why}; {self.remedy}"


def lint(
    policy: Details, *, previous: Details | None = None, volume_size: Size | None = None, regions: Iterable[str] = ()
) -> tuple[Trap, ...]:
    """Name the traps of a policy, in the order of the document.

    Args:
        policy: what GetLifecyclePolicy answers, its Policy, or PolicyDetails, of a custom snapshot policy.
        previous: the policy that it replaces, of any of these forms: for what a change breaks.
        volume_size: of the largest volume that it is for; without it, the smallest size that is trapped is told.
        regions: where copies are required, such as ``["eu-west-1"]``.

    Raises:
        InvalidRequest: AWS would not accept it; see `check`.

    Source:
        EBS user guide, "Considerations for snapshot lifecycle policies", "View, modify, and delete lifecycle policies",
        "Copy an Amazon EBS snapshot", "Amazon EBS fast snapshot restore", "Archive Amazon EBS snapshots".
    """
    details = details_of(policy)
    check(details)
    size = None if volume_size is None else to_bytes(volume_size, "volume_size")
    found = [*_of_state(policy), *_of_regions(details, regions)]
    for number, schedule in enumerate(details.get("Schedules") or []):
        path, gaps = f"Schedules[{number}]", Gaps.of(schedule["CreateRule"])
        found += _of_schedule(schedule, path, gaps, size)
    found += _of_keys(details)
    return tuple(found if previous is None else [*found, *_of_change(details_of(previous), details)])


def _of_state(policy: Details) -> Iterator[Trap]:
    state = policy.get("Policy", policy).get("State", "ENABLED")
    if state != "ENABLED":
        yield Trap(
            "State",
            f"in state {state} no snapshot is taken; those kept by age stay for ever, those counted stay as they are",
            "a policy that does not run does not delete either",
            "enable it, or delete what it left",
        )


def _of_regions(details: Details, regions: Iterable[str]) -> Iterator[Trap]:
    copied = {
        str(rule.get("Target") or rule.get("TargetRegion"))
        for schedule in details.get("Schedules") or []
        for rule in schedule.get("CrossRegionCopyRules") or []
    } | {str(target.get("TargetRegion")) for target in details.get("CrossRegionCopyTargets") or []}
    for region in sorted({*regions} - copied):
        yield Trap("Schedules", f"nothing is copied to {region}", "no CrossRegionCopyRule names it", "add one")


def _of_schedule(schedule: Details, path: str, gaps: Gaps, size: int | None) -> Iterator[Trap]:
    retain, archive = schedule["RetainRule"], schedule.get("ArchiveRule")
    if gaps.most < DAY:
        yield Trap(
            f"{path}.CreateRule",
            f"every {seconds_text(gaps.most)} can lose {seconds_text(gaps.most + LATENESS)} of writes, and more while a"
            " snapshot is pending",
            "a run starts within one hour after its due time, some early and some late",
            "count with that, or let snapkit run the strategy at its due times",
        )
    if counted(retain):
        yield Trap(
            f"{path}.RetainRule",
            "the snapshots of a deleted volume stay for ever, and cost",
            "DLM counts while the volume is there",
            "look for them with region.orphans(), or retain by age, which leaves only the last",
        )
    elif 0 < age(retain) < gaps.most and not archive:
        yield Trap(
            f"{path}.RetainRule",
            f"an age of {seconds_text(age(retain))} keeps one snapshot for {seconds_text(gaps.most)}, until the next",
            "DLM never deletes the last one before there is another",
            "make it longer than the time between two runs, or write Count 1, which says so",
        )
    for number, rule in enumerate(schedule.get("CrossRegionCopyRules") or []):
        yield from _of_copy(rule, f"{path}.CrossRegionCopyRules[{number}]", gaps)
    if schedule.get("FastRestoreRule"):
        yield from _of_fast_restore(schedule["FastRestoreRule"], f"{path}.FastRestoreRule", gaps, size)
    if archive:
        yield from _of_archive(schedule, archive["RetainRule"]["RetentionArchiveTier"], path, gaps)


def _of_copy(rule: Details, path: str, gaps: Gaps) -> Iterator[Trap]:
    retain = rule.get("RetainRule")
    if retain and age(retain) <= gaps.most:
        yield Trap(
            f"{path}.RetainRule",
            f"copies that stay {seconds_text(age(retain))} are full ones, since the next comes up to"
            f" {seconds_text(gaps.most)} later",
            "a copy is incremental only while the copy before it exists",
            f"keep them longer than {seconds_text(gaps.most + LATENESS)}, and the time that a copy takes",
        )


def _of_keys(details: Details) -> Iterator[Trap]:
    """Look for copies to one place under different keys."""
    keys: dict[str, set[object]] = {}
    for number, schedule in enumerate(details.get("Schedules") or []):
        for place, rule in enumerate(schedule.get("CrossRegionCopyRules") or []):
            target, key = str(rule.get("Target") or rule.get("TargetRegion")), (rule["Encrypted"], rule.get("CmkArn"))
            if keys.setdefault(target, {key}) != {key}:
                yield Trap(
                    f"Schedules[{number}].CrossRegionCopyRules[{place}]",
                    f"copies to {target} are full whenever the key is another than the last time",
                    "a copy is incremental only if all copies there have the same key",
                    "use one key for each region",
                )


def _of_fast_restore(rule: Details, path: str, gaps: Gaps, size: int | None) -> Iterator[Trap]:
    # A snapshot is enabled until so many newer ones have come, or for so long.
    enabled = gaps.least * rule["Count"] if counted(rule) else age(rule)
    trapped = enabled / FAST_RESTORE_OPTIMIZING
    if trapped < FAST_RESTORE_LARGEST and (size is None or size >= trapped):
        yield Trap(
            path,
            f"a volume of {bytes_text(trapped)} or more never restores fast, and is paid for",
            f"optimising takes 60 minutes for each TiB, and after {seconds_text(enabled)} it is disabled again",
            "enable more snapshots at a time, or snapshot more rarely where fast restores are wanted",
        )


def _of_archive(schedule: Details, tier: Details, path: str, gaps: Gaps) -> Iterator[Trap]:
    where = f"{path}.ArchiveRule"
    stays = _shortest(gaps, tier["Count"]) if counted(tier) else age(tier)
    if stays < ARCHIVE_LEAST:
        yield Trap(
            where,
            f"some snapshots stay {seconds_text(stays)} in the archive, and are paid for 90 days",
            "months differ, and 90 days are the least that is paid",
            f"write Count {tier['Count'] + 1}",
        )
    many = tier["Count"] if counted(tier) else age(tier) / gaps.mean
    if many > ARCHIVED_PER_VOLUME:
        yield Trap(
            where,
            f"about {many:.0f} archived snapshots of a volume are more than the quota of {ARCHIVED_PER_VOLUME}",
            "what cannot be archived is tried again for 24 hours, and then stays in the standard tier",
            "ask for a higher quota, or keep fewer",
        )
    lost = [name for name in ("FastRestoreRule", "ShareRules") if schedule.get(name)]
    if lost:
        yield Trap(
            where,
            f"{' and '.join(lost)} end when a snapshot is archived",
            "an archived snapshot can be neither shared nor restored fast",
            "keep it in the standard tier for as long as they are wanted",
        )


def _shortest(gaps: Gaps, count: int) -> float:
    """Tell the shortest time [s] in which so many runs follow one."""
    spans = [sum(gaps.each[start : start + count]) for start in range(len(gaps.each) - count + 1)]
    return min(spans, default=gaps.mean * count)


def _of_change(before: Details, after: Details) -> Iterator[Trap]:
    old, new = _by_name(before), _by_name(after)
    for name in (name for name in old if name not in new):
        yield Trap(
            "Schedules",
            f"the snapshots of schedule {name!r} are left behind: nothing deletes them",
            "DLM knows its snapshots by the name of their schedule",
            "keep the name, or delete them yourself",
        )
    tags = [tag for tag in before.get("TargetTags") or [] if tag not in (after.get("TargetTags") or [])]
    for tag in tags:
        yield Trap(
            "TargetTags",
            f"volumes with {tag['Key']}={tag['Value']} get no more snapshots, and lose none",
            "a policy manages what has its target tags",
            "keep the tag until its snapshots are gone",
        )
    for name, schedule in new.items():
        if name in old:
            yield from _of_changed_schedule(name, old[name], schedule)


def _of_changed_schedule(name: str, before: Details, after: Details) -> Iterator[Trap]:
    was, now = before["RetainRule"], after["RetainRule"]
    if counted(was) != counted(now):
        yield Trap(
            f"schedule {name!r}: RetainRule",
            "the change is refused",
            "a policy cannot go from count to age, or back, once it is made",
            "make a new policy, and delete what the old one leaves",
        )
    elif not counted(was) and age(was) != age(now):
        yield Trap(
            f"schedule {name!r}: RetainRule",
            "snapshots that there are keep the age that they were taken with",
            "a new age is for new snapshots only",
            "delete those that are to go earlier yourself",
        )
    keys = {str(rule.get("Target")): (rule["Encrypted"], rule.get("CmkArn")) for rule in _copies(before)}
    for rule in _copies(after):
        target = str(rule.get("Target"))
        if keys.get(target, (rule["Encrypted"], rule.get("CmkArn"))) != (rule["Encrypted"], rule.get("CmkArn")):
            yield Trap(
                f"schedule {name!r}: CrossRegionCopyRules",
                f"the next copy to {target} is a full one of every volume",
                "a copy is incremental only if all copies there have the same key",
                "count with its time and price, or keep the key",
            )


def _by_name(details: Details) -> dict[str, Details]:
    schedules = details.get("Schedules") or []
    return {schedule.get("Name") or f"Schedule {number}": schedule for number, schedule in enumerate(schedules, 1)}


def _copies(schedule: Details) -> list[Details]:
    return list(schedule.get("CrossRegionCopyRules") or [])
