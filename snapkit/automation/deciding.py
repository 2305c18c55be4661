"""What strategies want of the volumes of one region: one decision for each volume, and the steps that it takes."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

from snapkit.automation import managed
from snapkit.automation.elsewhere import Elsewhere
from snapkit.automation.managed import DUE, TIERS, Managed
from snapkit.automation.recovering import Recovering
from snapkit.automation.rights import checked
from snapkit.ebs import Region, Server, Snapshot, Volume, blockers, deleting
from snapkit.ebs.archiving import archive, archive_preview
from snapkit.ebs.region import NO_ROLE
from snapkit.errors import AwsError, InvalidRequest
from snapkit.plan import State, Step
from snapkit.strategy import Decision, Strategy, Verdict

SKEW = timedelta(minutes=1)
"""How much later than now a snapshot may have begun before the clock is taken to be wrong.

Source: assumed; AWS itself refuses requests that are 5 minutes off (IAM user guide, "AWS Signature Version 4").
"""

Look: TypeAlias = Callable[[Region, Sequence[str]], Iterator[blockers.Blocker]]
"""Looks for something that stands in the way of deleting snapshots."""


@dataclass(frozen=True)
class Protected:
    """A volume, and the strategy that protects it.

    Attributes:
        volume: which.
        strategy: how.
        server: the server whose volumes are taken at one and the same moment; None to take it by itself.
    """

    volume: Volume
    strategy: Strategy
    server: Server | None = None


class Deciding:
    """Decides for volumes of one region, as often as it is called.

    Attributes:
        region: where.
        protected: the volumes.
        now: the moment to decide for.
        held: by volume, the snapshots that its strategy manages, oldest first.
        decisions: by volume.
        left: what strategies manage of other volumes, or under other names.
        denied: which rights are missing to delete or archive what is due to be, a sentence each.
        state: what the steps rested on when they were first listed.
        recovering: what is wanted of the recovery volumes.
    """

    def __init__(
        self, region: Region, protected: Sequence[Protected], now: datetime | None = None, *, whole: bool = False
    ) -> None:
        """Look at volumes; nothing is asked of AWS yet.

        Args:
            region: where.
            protected: the volumes, each once.
            now: the moment to decide for; by default that of the clock.
            whole: whether shares of all snapshots of the region end, and not only of those that are managed here.
        """
        self._whole = whole
        self.region = region
        self.protected = tuple(protected)
        self.now = region.clock.now() if now is None else now
        self.held: dict[str, list[Managed]] = {}
        self.decisions: dict[str, Decision[Managed]] = {}
        self.left: list[Managed] = []
        self.state: State = {}
        self.recovering = Recovering(region, self.protected, whole=whole)
        self.denied: frozenset[str] = frozenset()
        self._listed = False
        self._ids: set[str] = set()
        self._doubles: dict[str, dict[str, Managed]] = {}
        names = (name for each in self.protected for name in each.strategy.copy_regions)
        self._elsewhere = tuple(Elsewhere(region, name) for name in dict.fromkeys(names))

    def steps(self) -> list[Step]:
        """Read what there is, and list what is wanted: what takes goes first, what deletes goes last.

        Raises:
            InvalidRequest: a snapshot began later than now, so that the clock is wrong.
            AwsError: AWS refuses to list the snapshots.
        """
        self.read()
        steps = [*self._takes(), *self._copies(), *self.recovering.builds(), *self._archives()]
        steps += [*self._ends(), *self._deletions(), *self.recovering.deletions()]
        steps, lacking = checked(self.region, steps)
        self.denied = frozenset(_denied(steps, lacking))
        if not self._listed:
            self.state, self._listed = _state(steps), True
        return steps

    def __call__(self) -> State:
        """Tell what the steps that were first listed rest on now; where AWS does not answer, what it told last."""
        try:
            now = _state(self.steps())
        except AwsError:
            return self.state
        silent = any(there.error is not None for there in self._elsewhere)
        gone = _NOTHING | {"wanted": "not known"} if silent else _NOTHING
        # What is wanted only now does not make the plan stale: the next one has it.
        return {on: now.get(on, gone) for on in self.state}

    def read(self) -> None:
        """Read what there is, and decide for each volume.

        Raises:
            InvalidRequest: a snapshot began later than now, so that the clock is wrong.
            AwsError: AWS refuses to list the snapshots.
        """
        alone = len(self.protected) == 1 and not self._whole
        volume = self.protected[0].volume.id if alone else None
        found = self.region.snapshots.find(tags={TIERS: "*", DUE: "*"}, volume=volume)
        moving = self._moving()
        by_volume: dict[str, list[Managed]] = defaultdict(list)
        names = {each.volume.id: each.strategy.name for each in self.protected}
        self.left = []
        for snapshot in reversed(found):
            each = managed.read(snapshot)
            if each is None:
                continue
            # Read again, it may be later than the moment that was decided for.
            latest = max(self.now, self.region.clock.now()) if self._listed else self.now
            if snapshot.taken_at > latest + SKEW:
                rule = (
                    f"is before {snapshot.id} began, at {snapshot.taken_at:%Y-%m-%d %H:%M:%S} UTC by the clock of AWS"
                )
                raise InvalidRequest("now", f"{latest:%Y-%m-%d %H:%M:%S} UTC", rule, "set the clock, then try again")
            if names.get(snapshot.volume_id) != each.strategy:
                self.left.append(each)
            else:
                by_volume[snapshot.volume_id].append(
                    replace(each, storage_tier="archive") if each.id in moving else each
                )
        self.held = {volume: by_volume.get(volume, []) for volume in names}
        self._ids = {one.id for mine in self.held.values() for one in mine}
        self._doubles = {volume: managed.doubles(mine) for volume, mine in self.held.items()}
        self.decisions = {
            each.volume.id: each.strategy.decide(
                [one for one in self.held[each.volume.id] if one.id not in self._doubles[each.volume.id]], self.now
            )
            for each in self.protected
        }
        for there in self._elsewhere:
            there.read()
        self.recovering.read(self.held, self.now)

    def _moving(self) -> set[str]:
        """List the snapshots on their way to the archive, which look-ups still show in the standard tier."""
        if not any(each.strategy.archives for each in self.protected):
            return set()
        asked = [{"Name": "last-tiering-operation", "Values": ["archival-in-progress"]}]
        listed = self.region.aws.pages("DescribeSnapshotTierStatus", "SnapshotTierStatuses", Filters=asked)
        return {str(raw["SnapshotId"]) for raw in listed}

    def _takes(self) -> Iterator[Step]:
        sets: dict[str, list[Protected]] = defaultdict(list)
        for each in self.protected:
            if self.decisions[each.volume.id].take is not None:
                sets[each.server.id if each.server else each.volume.id].append(each)
        for together in sets.values():
            yield self._take(together)

    def _take(self, together: list[Protected]) -> Step:
        """Take one volume, or those of a server that are due, all for the tiers for which any of them is."""
        strategy, server = together[0].strategy, together[0].server
        takes = [take for each in together if (take := self.decisions[each.volume.id].take) is not None]
        tiers = [tier.name for tier in strategy.tiers if any(tier.name in take.tiers for take in takes)]
        due = max(take.due for take in takes)
        tags = managed.mark(strategy, tiers, due)
        volumes = [each.volume for each in together]
        return Step(
            what="take",
            on=server.id if server else volumes[0].id,
            reason=f"for {', '.join(tiers)}: {takes[0].reason}",
            monthly_usd=(0.0, sum(self.region.prices.monthly(volume.size) for volume in volumes)),
            blockers=self._barred(server or volumes[0]),
            do=partial(_take_set, server, volumes, tags) if server else partial(volumes[0].take_snapshot, tags=tags),
            done=lambda: all(self._has(volume.id, due, tiers) for volume in volumes),
        )

    def _copies(self) -> Iterator[Step]:
        for there in self._elsewhere:
            if there.error is not None:
                yield Step(what="copy to", on=there.name, reason="copies are wanted", blockers=(str(there.error),))
            for each in self.protected:
                yield from there.wanted(each.strategy, self.held[each.volume.id], self.now)

    def _archives(self) -> Iterator[Step]:
        for each in self.protected:
            for verdict in self.decisions[each.volume.id].archive:
                snapshot = verdict.snapshot.snapshot
                preview = archive_preview(snapshot)
                low, high = preview.standard
                yield Step(
                    what="archive",
                    on=snapshot.id,
                    reason="; ".join(verdict.reasons),
                    monthly_usd=(preview.monthly - high, preview.monthly - low),
                    blockers=(*self._barred(snapshot), *(f"it {told}" for told in preview.refusals)),
                    warnings=(*preview.notes, *self._awaited(each, verdict.snapshot)),
                    do=partial(archive, snapshot, confirm=snapshot.id),
                    done=partial(self._archived, each.volume.id, snapshot.id),
                )

    def _deletions(self) -> Iterator[Step]:
        going: dict[str, str] = {}
        blocked: dict[str, tuple[str, ...]] = {}
        snapshots: list[Snapshot] = []
        for each in self.protected:
            mine = list(self._going(each))
            kept = self.held[each.volume.id]
            ids = {one.id for one, _ in mine} | {v.snapshot.id for v in self.decisions[each.volume.id].archive}
            left = any(one.state == "completed" and one.id not in ids for one in kept)
            for one, reason in mine:
                going[one.id] = f"taken {one.taken_at:%Y-%m-%d %H:%M} UTC; {reason}"
                blocked[one.id] = self._awaited(each, one)
                if one.state == "completed" and not left:
                    blocked[one.id] += (f"no complete snapshot of {each.volume.id} would be left; take one first",)
                snapshots.append(one.snapshot)
        hindered = _hindrances(self.region, snapshots)
        for snapshot in snapshots:
            yield self._deletion(snapshot, going[snapshot.id], (*blocked[snapshot.id], *hindered[snapshot.id]))
        for there in self._elsewhere:
            verdicts = [
                verdict
                for each in self.protected
                for verdict in there.unwanted(each.strategy, each.volume.id, self.now)
            ]
            copies = [verdict.snapshot.snapshot for verdict in verdicts]
            try:
                hindered = _hindrances(copies[0].region, copies) if copies else {}
            except AwsError as error:
                yield Step(what="delete from", on=there.name, reason="copies are over", blockers=(str(error),))
                continue
            for verdict, copy in zip(verdicts, copies, strict=True):
                reason = f"copy in {there.name} of {verdict.snapshot.taken_at:%Y-%m-%d %H:%M} UTC; {_why(verdict)}"
                yield self._deletion(copy, reason, tuple(hindered[copy.id]), there)

    def _going(self, each: Protected) -> Iterator[tuple[Managed, str]]:
        """List the snapshots of a volume that are no longer wanted, and why."""
        for verdict in self.decisions[each.volume.id].delete:
            yield verdict.snapshot, _why(verdict)
        doubles = self._doubles[each.volume.id]
        for one in self.held[each.volume.id]:
            # Until the first one is complete the second may still be needed.
            if one.id in doubles and doubles[one.id].state == "completed":
                yield one, f"taken twice for {one.due:%Y-%m-%d %H:%M} UTC: {doubles[one.id].id} has it"

    def _deletion(
        self, snapshot: Snapshot, reason: str, barred: tuple[str, ...], there: Elsewhere | None = None
    ) -> Step:
        return Step(
            what="delete",
            on=snapshot.id,
            reason=reason,
            monthly_usd=(-deleting.most_monthly_usd(snapshot), 0.0),
            blockers=barred,
            record=snapshot.raw,
            do=partial(deleting.call_delete, snapshot),
            done=lambda: snapshot.id not in (self._ids if there is None else there.ids),
        )

    def _ends(self) -> Iterator[Step]:
        """End the shares whose time has come."""
        for step in self.region.snapshots.plan_expire(self.now):
            if self._whole or step.on in self._ids:
                yield step

    def _has(self, volume: str, due: datetime, tiers: Sequence[str]) -> bool:
        return any(
            one.due == due and one.state != "error" and set(one.tiers).issuperset(tiers) for one in self.held[volume]
        )

    def _archived(self, volume: str, snapshot_id: str) -> bool:
        return any(one.id == snapshot_id and one.storage_tier == "archive" for one in self.held[volume])

    def _awaited(self, each: Protected, one: Managed) -> tuple[str, ...]:
        """Tell where a copy needs a snapshot, or may need it for all that is known."""
        told = []
        for there in self._elsewhere:
            if one.id in there.needed:
                told.append(f"its copy to {there.name} is not complete; wait for that")
            elif there.error is not None and there.name in each.strategy.copy_regions:
                told.append(f"whether a copy to {there.name} needs it is not known: {there.error}")
        return tuple(told)

    def _barred(self, thing: Volume | Server | Snapshot) -> tuple[str, ...]:
        """Tell which right of the person is missing."""
        kind, action = {"volume": ("Volume", "Snapshot"), "server": ("Server", "Image")}.get(
            thing.kind, ("Snapshot", "Delete")
        )
        return self.region.barred(kind, action, thing)


_NOTHING = {"wanted": "nothing", "in the way": "nothing"}


def _denied(steps: Sequence[Step], lacking: Collection[str]) -> Iterator[str]:
    """Tell which rights are missing to delete or archive: what waits for those waits for ever."""
    for step in steps:
        if step.what in ("delete", "archive"):
            yield from (told for told in step.blockers if told in lacking or told.startswith(NO_ROLE))


def _state(steps: Sequence[Step]) -> State:
    """Tell what steps rest on."""
    told: dict[str, dict[str, list[str]]] = defaultdict(lambda: {what: [] for what in _NOTHING})
    for step in steps:
        told[step.on]["wanted"].append(f"{step.what} {step.reason}" if step.what == "take" else step.what)
        told[step.on]["in the way"] += step.blockers
    return {
        on: {what: "; ".join(parts) or _NOTHING[what] for what, parts in about.items()} for on, about in told.items()
    }


def _take_set(server: Server, volumes: Sequence[Volume], tags: dict[str, str]) -> None:
    """Take certain volumes of a server at one and the same moment."""
    taken = {volume.id for volume in volumes}
    attached, root = set(server.devices.values()), server.root_volume_id
    server.take_snapshots(tags=tags, root=root in taken, leave_out=sorted(attached - taken - {root}))


def _hindrances(region: Region, snapshots: Sequence[Snapshot]) -> dict[str, tuple[str, ...]]:
    """Tell why snapshots cannot be deleted; what is not looked up here, such as shares, does not hinder it."""
    ids = [snapshot.id for snapshot in snapshots]
    found: dict[str, list[str]] = {each: [] for each in ids}
    for look in (blockers.images, blockers.fast_restores, blockers.locks) if ids else ():
        # Where this account may not look, AWS tells when it is deleted.
        for each in blockers.if_allowed(partial(_listed, look, region, ids)) or ():
            found[each.snapshot_id].append(str(each))
    for snapshot in snapshots:
        if manager := blockers.managed_by(snapshot):
            found[snapshot.id].append(f"{manager} manages it; leave it to that")
        found[snapshot.id].extend(region.barred("Snapshot", "Delete", snapshot))
    return {each: tuple(told) for each, told in found.items()}


def _listed(look: Look, region: Region, ids: Sequence[str]) -> list[blockers.Blocker]:
    return list(look(region, ids))


def _why(verdict: Verdict[Managed]) -> str:
    return "; ".join(verdict.reasons)
