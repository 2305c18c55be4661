"""A strategy as a policy of Data Lifecycle Manager, or the reason why it cannot be one."""

import re
from collections.abc import Mapping
from itertools import islice
from math import ceil
from typing import Any

from snapkit.automation.dlm.rules import first_fault
from snapkit.automation.dlm.schedule_rules import INTERVALS, Gaps
from snapkit.errors import InvalidRequest, StrategyError
from snapkit.strategy import Copy, Retention, Schedule, Strategy, Tier
from snapkit.strategy.keeper import Rule
from snapkit.strategy.spans import CalendarSpan
from snapkit.strategy.zones import wall_text
from snapkit.tags import to_aws
from snapkit.units import DAY, HOUR, MINUTE, WEEK, seconds_text

TARGET_TAG = "snapkit:policy"
"""The tag of a volume that names the strategy which DLM runs for it."""

_NOT_IN_NAMES = re.compile(r"[^0-9A-Za-z _-]+")
"""What no name of a schedule holds. Source: Amazon Data Lifecycle Manager API reference, Schedule, Name."""

_WEEKDAYS = ("THU", "FRI", "SAT", "SUN", "MON", "TUE", "WED")
"""The days of the week, from that of 1970-01-01 on."""

_LOOKED_AT = 1000
"""How many due times are looked at to tell whether each has an hour, day, week, month or year of its own."""


def export(strategy: Strategy, *, target_tags: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Write a strategy as PolicyDetails for CreateLifecyclePolicy, one schedule for each tier.

    What DLM cannot express is refused. A rule such as ``daily=7`` becomes a count where each due time has a day of its
    own. What DLM does in its own way, whatever a strategy says: a run starts within one hour after its due time; age is
    measured by the clock, so that a schedule that stopped keeps only its last snapshot; and how a failed snapshot is
    tried again is DLM's own affair. Tags of the volume go to its snapshots and their copies, so that name, group and
    billing code stay known.

    Args:
        strategy: what to run.
        target_tags: a volume with any of these tags is snapshotted; by default the tag ``snapkit:policy`` with the
            strategy's name.

    Returns:
        The PolicyDetails, of type EBS_SNAPSHOT_MANAGEMENT: plain values, in the order of their names. A tier's name is
        its schedule's, less the characters that DLM does not take.

    Raises:
        InvalidRequest: the tags are none.
        StrategyError: DLM cannot express it; the message has the reason, and the nearest that it can.

    Source:
        Amazon Data Lifecycle Manager API reference, PolicyDetails; EBS user guide, "Considerations for snapshot
        lifecycle policies".
    """
    if not isinstance(strategy, Strategy):
        raise StrategyError("strategy", strategy, "is none", "give a snapkit.strategy.Strategy")
    if strategy.recovery:
        remedy = "leave recovery out, and let snapkit build them; DLM's nearest is fast snapshot restore"
        raise StrategyError("recovery", strategy.recovery, "asks for volumes, and DLM makes none", remedy)
    if target_tags is not None and not isinstance(target_tags, Mapping):
        raise InvalidRequest(
            "target_tags", target_tags, "are no tags", "give values by key, such as {'backup': 'daily'}"
        )
    tags = {TARGET_TAG: strategy.name} if target_tags is None else dict(target_tags)
    details = {
        "PolicyType": "EBS_SNAPSHOT_MANAGEMENT",
        "ResourceTypes": ["VOLUME"],
        "Schedules": [_schedule(tier) for tier in strategy.tiers],
        "TargetTags": to_aws(dict(sorted(tags.items()))),
    }
    fault = first_fault(details)
    if fault is not None:
        raise StrategyError(f"policy of {strategy.name!r}: {fault.path}", fault.value, fault.rule, fault.remedy)
    return details


def _schedule(tier: Tier) -> dict[str, Any]:
    where = f"tier {tier.name!r}"
    if (tier.retries, tier.retry_seconds) != (Tier.retries, 15 * MINUTE):
        rule = "cannot be told to DLM, which tries again in its own way"
        raise StrategyError(f"{where} retries", tier.describe_retries(), rule, "leave retries and retry_delay out")
    create = create_rule(tier.schedule, where)
    schedule = {
        "CopyTags": True,
        "CreateRule": create,
        "Name": " ".join(_NOT_IN_NAMES.sub(" ", tier.name).split()),
        "RetainRule": _period(tier.retention, tier.schedule, f"{where} retention"),
    }
    if tier.archive:
        stays = _period(tier.archive.retention, tier.schedule, f"{where} archive")
        schedule["ArchiveRule"] = {"RetainRule": {"RetentionArchiveTier": stays}}
    if tier.copies:
        schedule["CrossRegionCopyRules"] = [_copy_rule(copy, tier.schedule, create, where) for copy in tier.copies]
    return dict(sorted(schedule.items()))


def _copy_rule(copy: Copy, schedule: Schedule, create: dict[str, Any], where: str) -> dict[str, Any]:
    field = f"{where} copy to {copy.region}"
    retain = _period(copy.retention, schedule, field)
    if "Count" in retain:
        days = ceil(retain["Count"] * Gaps.of(create).mean / DAY)
        remedy = f"write within='{days}d', which keeps about as many while the schedule runs"
        raise StrategyError(field, copy.retention, "goes by count, and DLM keeps copies by age", remedy)
    rule = {"CopyTags": True, "Encrypted": copy.kms_key is not None, "RetainRule": retain, "Target": copy.region}
    return rule if copy.kms_key is None else {"CmkArn": copy.kms_key, **rule}


def create_rule(schedule: Schedule, where: str) -> dict[str, Any]:
    """Write when snapshots are taken as a CreateRule, its interval at most a day, or else its cron expression.

    Raises:
        StrategyError: DLM cannot express it.
    """
    field = f"{where} schedule"
    if schedule.timezone != "UTC":
        remedy = "give the times in UTC, where they do not move with daylight saving"
        raise StrategyError(field, schedule.timezone, "is not UTC, the only zone that DLM knows", remedy)
    if schedule.window is not None or schedule.blackout:
        held = f"window {schedule.window}" if schedule.window else f"blackout {', '.join(schedule.blackout)}"
        opens = schedule.window.start if schedule.window else "03:00"
        remedy = f"leave it out and name a time, as in 'every 1d at {opens}': DLM starts within the hour that follows"
        raise StrategyError(field, held, "holds runs back, and DLM holds none", remedy)
    if schedule.text.startswith("cron("):
        return {"CronExpression": f"cron({schedule.text[5:-1].upper()})"}
    phase, following = islice(schedule.epochs(0.0), 2)
    step = following - phase
    if phase % MINUTE:
        raise StrategyError(field, schedule.anchor, "has seconds, and DLM has minutes", "anchor it to a whole minute")
    time = wall_text(phase % min(step, DAY))
    if step / HOUR in INTERVALS:
        return {"Interval": step // HOUR, "IntervalUnit": "HOURS", "Times": [time]}
    if step == WEEK:
        return {"CronExpression": f"cron({int(time[3:])} {int(time[:2])} ? * {_WEEKDAYS[phase // DAY % 7]} *)"}
    rule = f"runs every {seconds_text(step)}, and DLM every {', '.join(map(str, INTERVALS))} hours, or by cron"
    raise StrategyError(field, schedule.text, rule, _nearest(step, time))


def _nearest(step: int, time: str) -> str:
    if step > DAY:
        minute, hour = int(time[3:]), int(time[:2])
        return f"write 'every 1d at {time}', 'every 1w', or days of the month as in 'cron({minute} {hour} 1,15 * ? *)'"
    rarer = next(f"{hours}h" for hours in INTERVALS if hours * HOUR > step)
    oftener = [f"{hours}h" for hours in INTERVALS if hours * HOUR < step][-1:]
    return f"write {' or '.join(f'{text!r}' for text in (f'every {each}' for each in (*oftener, rarer)))}"


def _period(retention: Retention, schedule: Schedule, field: str) -> dict[str, Any]:
    """Write a retention as a RetainRule: a count, or an age."""
    rules = retention.rules()
    if len(rules) > 1:
        remedy = "give each rule a tier of its own: 'every 1d' with last=7, and 'every 1w' with last=4, say"
        raise StrategyError(field, retention, "thins snapshots by several rules, and DLM has one", remedy)
    rule = rules[0]
    if retention.timezone != "UTC" and (rule.bucket != "last" or rule.span is not None):
        raise StrategyError(field, retention.timezone, "is not UTC, the only zone that DLM knows", "count in UTC")
    if rule.bucket != "last" and not _one_each(rule.bucket, schedule):
        remedy = f"take a tier of its own for it, whose schedule runs {rule.bucket}, with last={_written(rule)}"
        raise StrategyError(field, retention, "picks some of the snapshots that are taken, and DLM picks none", remedy)
    if rule.span is not None:
        return _age(rule.span, retention, field)
    if rule.limit == float("inf"):
        raise StrategyError(field, retention, "never deletes, and DLM keeps 1000 at most", "write last=1000")
    return {"Count": int(rule.limit)}


def _written(rule: Rule) -> str:
    return "n" if rule.span is not None or rule.limit == float("inf") else f"{rule.limit:.0f}"


def _one_each(bucket: str, schedule: Schedule) -> bool:
    """Tell whether each due time has an hour, day, week, month or year of its own, so that a rule counts snapshots."""
    keeper = Retention(**{bucket: "all"}).keeper()  # type: ignore[arg-type]
    # Under such a rule a snapshot goes when a newer one of its bucket comes, the first of all apart.
    due = enumerate(islice(schedule.epochs(0.0), _LOOKED_AT))
    return not any(keeper.add(number, at) for number, at in due)


def _age(span: CalendarSpan, retention: Retention, field: str) -> dict[str, Any]:
    months, hours = span.years * 12 + span.months, span.days * 24 + span.hours
    if (months and hours) or hours % 24:
        days = max(1, round(span.about / DAY))
        rule = "mixes units, or counts hours, and DLM has one unit of a day or more"
        raise StrategyError(field, retention, rule, f"write within='{days}d'")
    interval, unit = (months, "MONTHS") if months else (hours // 24, "DAYS")
    if unit == "MONTHS" and not months % 12:
        interval, unit = months // 12, "YEARS"
    return {"Interval": interval, "IntervalUnit": unit}
