"""Plans of what strategies want now: shown, approved and applied as every other plan."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeAlias

from snapkit.automation.deciding import Deciding, Protected
from snapkit.automation.drill_leftovers import DRILL, is_of_drill
from snapkit.automation.managed import check_marks
from snapkit.automation.recovery_volumes import RECOVERS, is_recovery_volume
from snapkit.ebs import Estate, Listing, Region, Server, Volume
from snapkit.ebs.deleting import same_region
from snapkit.ebs.estate import EstateListing
from snapkit.errors import AwsError, InvalidRequest
from snapkit.plan import Plan, State, Step
from snapkit.strategy import Strategy

Target: TypeAlias = Volume | Server | Region | Estate | Listing[Volume] | Listing[Server] | Sequence[Volume | Server]
"""What a plan can be for: a volume, the volumes of a server at one moment, several of either, or all volumes."""


def plan(target: Target, strategy: Strategy, now: datetime | None = None) -> Plan:
    """Plan what a strategy wants of volumes now; nothing is done before the plan is approved and applied.

    Snapshots to take come first, then copies to begin in other regions and recovery volumes to build, snapshots to
    archive, shares to end, and snapshots, copies and recovery volumes to delete. What already carries the mark of a due
    time is not taken or built again, so that a plan that was broken off anywhere is gone on with by applying it again,
    or by the next plan. Only what the strategy itself has taken is archived or deleted, never the last complete
    snapshot of a volume, and nothing that AWS Backup or Data Lifecycle Manager manages.

    Args:
        target: a volume; a server, whose volumes are taken at one and the same moment; a listing of either; a region or
            an estate, for all volumes in it. Recovery volumes in it and those of drills are left out.
        strategy: what to do.
        now: the moment to decide for, with a time zone; by default what the clock tells.

    Returns:
        The plan. A region that does not answer is a step that is blocked, with the reason.

    Raises:
        InvalidRequest: the target or the strategy is none, two regions are the same, or the clock is behind AWS.
        StrategyError: the names of the strategy or its tiers do not fit in tags.
        AwsError: the one region of the target refuses.
    """
    check_marks(strategy)
    volumes, failed = _volumes(target)
    protected = [Protected(volume, strategy, server) for volume, server in volumes]
    decidings = [Deciding(region, mine, now) for region, mine in by_region(protected)]
    steps, answered = read(decidings, strict=len(decidings) == 1 and not failed)

    def state() -> State:
        return {on: told for deciding in answered for on, told in deciding().items()}

    known = {on: told for deciding in answered for on, told in deciding.state.items()}
    clock = decidings[0].region.clock if decidings else None
    return Plan(in_order([*failed, *steps]), known, reread=state, clock=clock)


def read(decidings: Sequence[Deciding], *, strict: bool = False) -> tuple[list[Step], list[Deciding]]:
    """List what is wanted in several regions, and the regions that answered.

    Args:
        decidings: of each region.
        strict: whether one that refuses is an error, and not a blocked step.
    """
    steps, answered = list[Step](), list[Deciding]()
    for deciding in decidings:
        try:
            steps += deciding.steps()
        except AwsError as error:
            if strict:
                raise
            steps.append(unread(deciding.region.name, error))
        else:
            answered.append(deciding)
    return steps, answered


def unread(label: str, error: AwsError) -> Step:
    """Stand for a region of which nothing is known."""
    return Step(what="look at", on=label, reason="a region that cannot be read", blockers=(str(error),))


def by_region(protected: Iterable[Protected]) -> list[tuple[Region, list[Protected]]]:
    """Put what is in one region of one account together, each volume once.

    Raises:
        InvalidRequest: one region of one account is reached in two ways.
    """
    found: list[tuple[Region, list[Protected]]] = []
    for each in protected:
        region = each.volume.region
        mine = next((mine for other, mine in found if other is region), None)
        if mine is None:
            check_once(region, [other for other, _ in found])
            found.append((region, mine := []))
        if all(other.volume.id != each.volume.id for other in mine):
            mine.append(each)
    return found


def check_once(region: Region, others: Iterable[Region]) -> None:
    """Refuse a region of an account that is among others already.

    Raises:
        InvalidRequest: it is, as when two profiles lead to one account.
    """
    if any(same_region(region, other) for other in others):
        rule = f"of account {region.account} is reached in two ways"
        raise InvalidRequest("region", region.name, rule, "name one profile for each account")


def _volumes(target: Target) -> tuple[list[tuple[Volume, Server | None]], list[Step]]:
    """List the volumes of a target, and what stands for regions that did not answer."""
    if isinstance(target, Volume):
        if is_recovery_volume(target):
            rule = f"is a recovery volume of {target.tags[RECOVERS]}"
            raise InvalidRequest("target", target.id, rule, "plan for that one, which replaces this one in time")
        if is_of_drill(target):
            remedy = f"plan for that of its snapshot, or take the tag {DRILL} off to keep it"
            raise InvalidRequest("target", target.id, "is of a drill, which deletes it", remedy)
        return [(target, None)], []
    if isinstance(target, Server):
        return [(volume, target) for volume in target.volumes()], []
    if isinstance(target, Region | Estate):
        target = target.volumes.find()
    if isinstance(target, str) or not isinstance(target, Sequence):
        raise InvalidRequest("target", target, "is nothing to protect", "give a volume, a server, or what find() gave")
    failed = target.failed if isinstance(target, EstateListing) else {}
    found = list[tuple[Volume, Server | None]]()
    for each in target:
        if not isinstance(each, Volume | Server):
            raise InvalidRequest("target", each, "is no volume or server", "give volumes or servers")
        if not (isinstance(each, Volume) and (is_recovery_volume(each) or is_of_drill(each))):
            found += _volumes(each)[0]
    return found, [unread(label, error) for label, error in failed.items()]


def in_order(steps: Iterable[Step]) -> list[Step]:
    """Put the steps of all regions in order: what takes first, what deletes last.

    What is blocked under one name in several, such as one region of two accounts, is told once with all reasons.
    """
    ranks = {"look at": 0, "take": 1, "archive": 3, "unshare": 4, "delete": 5}
    told: dict[tuple[str, int], Step] = {}
    for number, step in enumerate(steps, 1):
        key = step.name, 0 if step.blockers else number
        reasons = (*told[key].blockers, *step.blockers) if key in told else step.blockers
        told[key] = replace(told.get(key, step), blockers=tuple(dict.fromkeys(reasons)))
    return sorted(told.values(), key=lambda step: ranks.get(step.what, 2))
