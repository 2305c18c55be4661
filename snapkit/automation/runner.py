"""One step of strategies on regions, for a timer: cron, systemd, a Kubernetes CronJob, EventBridge.

Whatever happened before, a step reads what there is, and does what is wanted now: it can be run as often as one likes,
after it was killed anywhere, and beside another one. After an outage it takes what is due once, and not all that was
missed.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence, Set
from contextlib import suppress
from datetime import datetime, timedelta

from snapkit.automation import alerts, lease
from snapkit.automation.alerts import Alert, Sender
from snapkit.automation.assigning import Assignment, check_single, check_tags, settled
from snapkit.automation.deciding import Deciding, Protected
from snapkit.automation.managed import Managed
from snapkit.automation.planner import check_once, in_order, read, unread
from snapkit.automation.ran import Run
from snapkit.ebs import Estate, Region, Volume
from snapkit.errors import AwsError, InvalidRequest
from snapkit.plan import Deed, Plan, Step
from snapkit.strategy import Strategy

BY = "snapkit run"
"""Who approves the plans of a timer."""

SKEW = timedelta(minutes=5)
"""How far the clock may be off that of AWS, either way.

Source: IAM user guide, "AWS Signature Version 4": a request has to arrive within five minutes of its time stamp.
"""


def run(
    strategies: Strategy | Assignment | Iterable[Strategy | Assignment],
    where: Region | Estate,
    *,
    apply: bool = False,
    alert: Sender | None = None,
    on_deed: Callable[[Deed], object] | None = None,
) -> Run:
    """Do what strategies want now, or only show it.

    Args:
        strategies: a strategy protects what is tagged ``snapkit:strategy`` with its name; see `Assignment`.
        where: a region, or an estate of several.
        apply: whether to do it; by default it is only shown.
        alert: what an `Alert` is given to.
        on_deed: called with each deed as it is known.

    Returns:
        What was planned and what came of it. A region that does not answer does not keep the others waiting.

    Raises:
        InvalidRequest: a volume is protected by two strategies, or by one and the tag ``snapkit:strategy`` of it or of
            its server names another; a region is reached in two ways; or the clock is wrong. Nothing was done.
        StrategyError: the names of a strategy do not fit in tags.
    """
    assignments = settled(strategies)
    regions = where.regions if isinstance(where, Estate) else (where,)
    found, failed = _found(assignments, regions)
    everything = [each for _, mine in found for each in mine]
    troubles = [] if failed else list(_unmatched(assignments, everything))
    notes, leases = list[str](), list[lease.Lease]()

    def known(deed: Deed) -> None:
        if on_deed:
            on_deed(deed)
        _hold_on(leases)

    try:
        if apply:
            found = [(region, _leased(region, mine, leases, notes)) for region, mine in found]
        away = {each.volume.id for each in everything} - {each.volume.id for _, mine in found for each in mine}
        decidings = [Deciding(region, mine, whole=True) for region, mine in found]
        steps, answered = read(decidings)
        plan = Plan(in_order([*failed, *steps]), {}, clock=regions[0].clock)
        _hold_on(leases)
        applied = plan.apply(plan.approve(BY), known) if apply else None
        bad = {deed.step.on: deed.told for deed in applied or () if not deed.good and deed.step.what == "take"}
        troubles += [told for deciding in answered for told in (*_errors(deciding), *sorted(deciding.denied))]
        notes += [told for deciding in answered for told in (*_left(deciding, away), *deciding.recovering.notes(away))]
        sent = list[Alert]()
        for deciding in answered if apply else ():
            for each, volumes in _alerts(deciding, bad):
                sent.append(each)
                if told := alerts.send(each, volumes, alert):
                    troubles.append(f"the alert could not be sent: {told}")
    finally:
        _release(leases)
    return Run(plan, applied, tuple(sent), tuple(troubles), tuple(notes), *_next(answered))


def _found(
    assignments: Sequence[Assignment], regions: Sequence[Region]
) -> tuple[list[tuple[Region, list[Protected]]], list[Step]]:
    """Find what the strategies protect in each region, and what stands for regions that did not answer."""
    for number, region in enumerate(regions):
        with suppress(AwsError):  # that it does not answer is told below
            check_once(region, regions[:number])
    found, failed = list[tuple[Region, list[Protected]]](), list[Step]()
    for region in regions:
        before = region.clock.now()
        try:
            mine = [each for assignment in assignments for each in assignment.matching(region)]
            _check_clock(region, before)
            check_single(mine)
            check_tags(region, mine)
        except AwsError as error:
            failed.append(unread(region.name, error))
        else:
            found.append((region, mine))
    return found, failed


def _check_clock(region: Region, before: datetime) -> None:
    """Refuse a clock that is not that of AWS, which answered last between a moment and now.

    Raises:
        InvalidRequest: it is off.
    """
    told, after = region.aws.date, region.clock.now()
    if told is not None and not before - SKEW <= told <= after + SKEW:
        rule = f"is not the time of AWS, which is {told:%Y-%m-%d %H:%M:%S} UTC"
        remedy = "set the clock, then try again; to a sandbox that is served connect by --endpoint, which has its time"
        raise InvalidRequest("now", f"{after:%Y-%m-%d %H:%M:%S} UTC", rule, remedy)


def _unmatched(assignments: Sequence[Assignment], protected: Sequence[Protected]) -> Iterable[str]:
    """Name what protects nothing, and volumes that are not there."""
    there = {each.volume.id for each in protected} | {each.server.id for each in protected if each.server}
    for assignment in assignments:
        name = assignment.strategy.name
        if all(each.strategy.name != name for each in protected):
            yield f"the strategy {assignment}, protects no volume; tag one, or name its id"
        for each in (*assignment.volumes, *assignment.servers):
            if each not in there:
                yield f"{each}, named for {name!r}, is in none of the regions, or has no volume; leave it out"


def _leased(
    region: Region, protected: Sequence[Protected], leases: list[lease.Lease], notes: list[str]
) -> list[Protected]:
    """Take the lease of each strategy; leave out what another run has."""
    by_name: dict[str, list[Protected]] = defaultdict(list)
    for each in protected:
        by_name[each.strategy.name].append(each)
    mine = list[Protected]()
    for name, together in by_name.items():
        volumes, now = [each.volume for each in together], region.clock.now()
        try:
            held = lease.take(volumes, now)
        except AwsError as error:
            # It is advice: without one it goes on.
            notes.append(f"no lease for {name!r} in {region.name}: {error}")
            mine += together
            continue
        if held is None:
            until = lease.held_until(volumes, now)
            ends = f" until {until:%H:%M:%S} UTC" if until else ""
            notes.append(f"{name!r} in {region.name} is left to another run, which has the lease{ends}")
            continue
        leases.append(held)
        mine += together
    return mine


def _hold_on(leases: Iterable[lease.Lease]) -> None:
    for each in leases:
        # It is advice: without one it goes on.
        with suppress(AwsError):
            each.hold_on()


def _release(leases: Iterable[lease.Lease]) -> None:
    for each in leases:
        # Where that fails it ends by itself.
        with suppress(AwsError):
            each.release()


def _settled(mine: Iterable[Managed]) -> Managed | None:
    """Find the newest snapshot that is no longer pending."""
    return max((each for each in mine if each.state != "pending"), key=lambda each: each.taken_at, default=None)


def _errors(deciding: Deciding) -> Iterable[str]:
    """Name the volumes whose newest snapshot ended in error."""
    for volume, mine in deciding.held.items():
        newest = _settled(mine)
        if newest is not None and newest.state == "error":
            yield f"{newest.id} of {volume} ended in error: {newest.error}"


def _left(deciding: Deciding, away: Set[str]) -> Iterable[str]:
    """Tell what strategies left behind, or others manage of the same volumes; not of volumes left to another run."""
    left: dict[tuple[str, bool], list[str]] = defaultdict(list)
    for each in deciding.left:
        volume = each.snapshot.volume_id
        if volume not in away:
            left[each.strategy, volume in deciding.held].append(volume)
    for (strategy, held), volumes in sorted(left.items()):
        many, names = len(volumes), sorted(set(volumes))
        of = names[0] if len(names) == 1 else f"{len(names):,} volumes"
        why = "which another strategy protects now, or both do" if held else "which no strategy of this run protects"
        counted, stay = ("1 snapshot", "stays as it is") if many == 1 else (f"{many:,} snapshots", "stay as they are")
        yield f"{counted} by {strategy!r} of {of}, {why}, {stay}"


def _alerts(deciding: Deciding, bad: dict[str, str]) -> Iterable[tuple[Alert, list[Volume]]]:
    """Tell which groups of volumes began to fail or to be snapshotted again."""
    groups: dict[str, list[Protected]] = defaultdict(list)
    for each in deciding.protected:
        groups[each.volume.group].append(each)
    for group, together in groups.items():
        told = [_failing(each, deciding.held[each.volume.id], bad) for each in together]
        failing = True if all(told) else False if "" in told else None
        volumes = [each.volume for each in together]
        changed = alerts.changed(deciding.region, group, volumes, deciding.now, failing=failing, told=told[0] or "")
        if changed is not None:
            yield changed, volumes


def _failing(each: Protected, mine: Sequence[Managed], bad: dict[str, str]) -> str | None:
    """Tell why a volume cannot be snapshotted; nothing where it can, None where nobody has tried."""
    if (told := bad.get(each.server.id if each.server else each.volume.id)) is not None:
        return told
    newest = _settled(mine)
    if newest is None:
        return None
    return f"{newest.id} ended in error: {newest.error}" if newest.state == "error" else ""


def _next(decidings: Sequence[Deciding]) -> tuple[datetime | None, int]:
    """Tell when something is due next, and how many snapshots were pending."""
    due = [each.next_due for deciding in decidings for each in deciding.decisions.values() if each.next_due]
    due += [next_due for deciding in decidings if (next_due := deciding.recovering.next_due())]
    pending = sum(each.state == "pending" for deciding in decidings for mine in deciding.held.values() for each in mine)
    return min(due, default=None), pending
