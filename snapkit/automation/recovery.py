"""Recovering a lost volume: by itself where it survives, else by its recovery volume, else from its newest snapshot.

Source: enStratus, "Auto-recovery" and launch configurations (2012): after the recovery delay the orphaned volume of a
dead server is attached to the one that takes its place.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial

from snapkit.automation.managed import MOMENT, STRATEGY, text
from snapkit.automation.recovery_volumes import RECOVERED, RECOVERS, Built, build, built, lacking, price, release
from snapkit.automation.rights import refused
from snapkit.ebs import Region, Server, Snapshot, Volume
from snapkit.ebs._resource import check_id
from snapkit.ebs.attaching import ATTACHABLE, DEVICES
from snapkit.ebs.blockers import is_copy
from snapkit.errors import InvalidRequest
from snapkit.plan import Plan, State, Step
from snapkit.rules import INITIALIZATION_RATES
from snapkit.strategy import RecoveryVolume, Strategy
from snapkit.strategy.zones import epoch_of
from snapkit.units import seconds_text, to_seconds

_SERVING = ("pending", "running")
"""The states of a server on which a volume serves."""


def recover(
    volume: Volume | str,
    server: Server | str | None = None,
    strategy: Strategy | None = None,
    *,
    region: Region | None = None,
    seen: datetime | None = None,
) -> Plan:
    """Plan to let a server have a lost volume again; nothing is done before the plan is approved and applied.

    After the recovery delay, in this order: the volume itself is attached where it survives in the zone of the server,
    taken off a server that no longer runs first; else the newest recovery volume that is ready there; else one that is
    made there of the newest complete snapshot. The plan tells of which moment the data are, what is lost, and why each
    way that goes before was passed over. What was broken off is gone on with by another plan.

    What takes the place of the volume names it in the tag ``snapkit:recovered``, and is protected by the same strategy
    from then on, unless the server itself is tagged with one.

    Args:
        volume: which, or its id where it may be gone.
        server: that is to have it, running or stopped; by default the one that it is attached to.
        strategy: that protects it, whose recovery delay holds; without one 10 minutes.
        region: where, if neither the volume nor the server tells.
        seen: when the loss was seen, with a time zone; by default now. Give it where the plan is looked at in one
            process and applied in another, so that it stays the same.

    Returns:
        The plan. Where there is nothing to recover from, its step is blocked.

    Raises:
        InvalidRequest: an argument cannot be, the volume serves on a running server, or the server cannot have it.
        NotFound: there is no such server.
        AwsError: AWS refuses.
    """
    where = next((each.region for each in (volume, server) if isinstance(each, Volume | Server)), region)
    if not isinstance(where, Region):
        raise InvalidRequest("region", where, "is not known", "give region=, or a volume or server as an object")
    if not isinstance(strategy, Strategy | None):
        raise InvalidRequest("strategy", strategy, "is no strategy", "give the one that protects the volume, or none")
    now = where.clock.now()
    since = now if seen is None else seen
    if epoch_of(since, "seen") > now.timestamp():
        raise InvalidRequest("seen", since, "lies in the future", "give when the loss was seen, or leave it out")
    volume_id = volume.id if isinstance(volume, Volume) else check_id("volume", volume)
    lost = _Lost(where, volume_id, server.id if isinstance(server, Server) else server, strategy, since)
    steps = lost.steps()
    return Plan(steps, lost.state(), reread=lost, clock=where.clock)


class _Lost:
    """What there is of a lost volume, read as often as it is called."""

    def __init__(
        self, region: Region, volume_id: str, server_id: str | None, strategy: Strategy | None, seen: datetime
    ) -> None:
        self._region = region
        self._id = volume_id
        self._server_id = server_id
        self._strategy = strategy
        self._recovery = strategy.recovery if strategy else None
        self._seen = seen
        self._chosen: set[str] = set()
        self._new: Volume | None = None
        self._read()

    def __call__(self) -> State:
        """Read again what the plan rests on."""
        self._read()
        return self.state()

    def state(self) -> State:
        """Tell what the plan rests on, as it was read last."""
        original, server = self._original, self._server
        told = {
            self._id: {"state": self._fate, "server": original.server_id if original else ""},
            server.id: {"state": server.state, "zone": server.zone},
        }
        there = {one.volume.id: one.told for one in self._built} | {each.id: each.state for each in self._snapshots}
        return told | {each: {"state": there[each]} for each in sorted(self._chosen & there.keys())}

    def _read(self) -> None:
        region = self._region
        found = list(region.volumes.find([self._id]))
        self._fate = found[0].state if found else "gone"
        self._original = found[0] if self._fate in ("creating", "available", "in-use") else None
        holder = self._original.server_id if self._original else ""
        self._server_id = self._server_id or holder
        if not self._server_id:
            remedy = f"{self._id} is attached to none: name the one that is to have it"
            raise InvalidRequest("server", None, "is not named", remedy)
        self._server = region.servers.get(self._server_id)
        if self._server.state not in ATTACHABLE:
            remedy = f"name the one that takes its place, {' or '.join(ATTACHABLE)}"
            raise InvalidRequest("server", self._server.id, f"is {self._server.state}", remedy)
        holders = region.servers.find([holder]) if holder not in ("", self._server.id) else ()
        if any(each.state in _SERVING for each in holders):
            remedy = "it is not lost; stop that server or detach() the volume there first"
            raise InvalidRequest("volume", self._id, f"is attached to {holder}, which is running", remedy)
        waited = {self._strategy.name} if self._strategy and self._recovery and self._recovery.initialized else set()
        self._built = built(region, self._id, waited)
        self._taken_over = list(region.volumes.find(tags={RECOVERED: self._id}))
        self._snapshots = [each for each in region.snapshots.find(volume=self._id) if not is_copy(each)]

    def steps(self) -> list[Step]:
        """List what is to be done."""
        serving = self._serving()
        if serving is not None:
            reason = f"{serving.id} is attached to {self._server.id} as {serving.device} already"
            return [self._attaching(serving, reason)]
        passed: list[str] = []
        ways = (self._by_itself, self._by_recovery_volume, self._by_snapshot)
        found = next((steps for way in ways if (steps := way(passed))), None)
        if found is None:
            reason = f"there is nothing to make a volume of for {self._server.id}"
            remedy = "look for copies in other regions, and in the recycle bin"
            return [Step(what="restore", on=self._id, reason=reason, blockers=("; ".join((*passed, remedy)),))]
        self._chosen = {step.on for step in found} - {self._id}
        return [self._waiting(), *found]

    def _waiting(self) -> Step:
        clock = self._region.clock
        delay = to_seconds(self._recovery.delay if self._recovery else RecoveryVolume.delay)
        until = self._seen + timedelta(seconds=delay)
        return Step(
            what="wait",
            on=f"until {until:%Y-%m-%d %H:%M:%S} UTC",
            reason=f"the loss was seen at {self._seen:%Y-%m-%d %H:%M:%S} UTC; for {seconds_text(delay)} it may pass",
            do=lambda: clock.sleep(max(0.0, (until - clock.now()).total_seconds())),
            done=lambda: clock.now() >= until,
        )

    def _by_itself(self, passed: list[str]) -> list[Step]:
        """Attach the volume itself."""
        volume, server = self._original, self._server
        if volume is None:
            passed.append(f"{self._id} is {'gone' if self._fate == 'gone' else f'in state {self._fate}'}")
            return []
        if volume.zone != server.zone:
            way = "a snapshot of it that is taken now would lose nothing"
            passed.append(f"{self._id} survives in {volume.zone}, where {server.id} is not; {way}")
            return []
        holder, device = volume.server_id, volume.device
        reason = f"it survives in {volume.zone}: nothing that was written to it is lost"
        attach = self._attaching(volume, reason, device="" if device in server.devices else device)
        if not holder:
            return [attach]
        detach = Step(
            what="detach",
            on=self._id,
            reason=f"{holder}, which it is attached to as {device}, does not run",
            blockers=self._lacking("Detach", volume, {}),
            do=partial(self._detach, volume),
            done=lambda: self._original is not None and self._original.server_id != holder,
        )
        return [detach, attach]

    def _by_recovery_volume(self, passed: list[str]) -> list[Step]:
        """Attach the newest recovery volume that is ready in the zone of the server."""
        zone = self._server.zone
        for one in sorted(self._built, key=lambda one: one.moment, reverse=True):
            if one.volume.zone != zone:
                passed.append(f"the recovery volume {one.volume.id} is in {one.volume.zone}, not in {zone}")
            elif one.volume.server_id:
                passed.append(f"the recovery volume {one.volume.id} is attached to {one.volume.server_id}")
            elif not one.ready:
                passed.append(f"the recovery volume {one.volume.id} is not ready: {one.told}")
            else:
                reason = f"it is ready in {zone}, {self._cost(one.moment)}"
                newer = next((each for each in self._complete() if each.taken_at > one.moment), None)
                if newer is not None:
                    passed.append(f"{newer.id}, of {newer.taken_at:%Y-%m-%d %H:%M} UTC, is newer, but no volume yet")
                return [self._attaching(one.volume, reason, warnings=passed)]
        if not self._built:
            passed.append("it has no recovery volume")
        return []

    def _by_snapshot(self, passed: list[str]) -> list[Step]:
        """Make a volume of the newest snapshot that can be used now, and attach it."""
        for each in self._snapshots:
            if each.state == "pending":
                passed.append(f"{each.id}, of {each.taken_at:%Y-%m-%d %H:%M} UTC, is pending still")
            elif each.state == "completed" and each.tier != "standard":
                passed.append(f"{each.id}, of {each.taken_at:%Y-%m-%d %H:%M} UTC, has to be restored from the archive")
        snapshot = next(iter(self._complete()), None)
        if snapshot is None:
            passed.append(f"no complete snapshot of it is in {self._region.name}")
            return []
        zone, tags = self._server.zone, {RECOVERS: self._id, MOMENT: text(snapshot.taken_at)}
        rate = INITIALIZATION_RATES[1] if self._recovery and self._recovery.initialized else None
        once, monthly = price(snapshot, self._original, rate=rate)
        slow = () if rate else ("its blocks are loaded when they are first read, so that it is slow at first",)
        restore = Step(
            what="restore",
            on=snapshot.id,
            reason=f"newest complete snapshot, in {zone}, {self._cost(snapshot.taken_at)}",
            price_usd=once,
            monthly_usd=monthly,
            blockers=lacking(snapshot, zone, self._original, tags, rate=rate),
            warnings=(*passed, *slow),
            do=partial(self._restore, snapshot, tags, rate),
            done=lambda: self._serving() is not None or any(self._made(snapshot)),
        )
        return [restore, self._attaching(snapshot, f"the volume that is made of {snapshot.id}")]

    def _attaching(
        self, what: Volume | Snapshot, reason: str, *, device: str = "", warnings: Sequence[str] = ()
    ) -> Step:
        """Attach a volume, or the one that is made of a snapshot by then."""
        find: Callable[[], Volume]
        name, server, on = self._protection(), self._server, self._id
        barred: tuple[str, ...] = ()
        if isinstance(what, Snapshot):
            find = partial(self._found, what)
        else:
            find, on = what.refresh, what.id
            if not what.server_id:
                barred = self._lacking("Attach", what, {"InstanceId": server.id, "Device": DEVICES[0]})
        protected = f"; {name!r} protects it from then on" if name and what.id != self._id else ""
        return Step(
            what="attach",
            on=on,
            reason=f"to {server.id}: {reason}{protected}",
            blockers=barred,
            warnings=tuple(warnings),
            waits_for=(f"restore {what.id}",) if isinstance(what, Snapshot) else (),
            do=partial(self._attach, find, device),
            done=lambda: (serving := self._serving()) is not None and RECOVERS not in serving.tags,
        )

    def _attach(self, find: Callable[[], Volume], device: str) -> None:
        """Attach a volume, unless it is; from then on it is no recovery volume."""
        volume = find()
        if volume.server_id != self._server.id:
            self._still_lost()
            if volume.id != self._id:
                # Before it is attached, so that another plan knows why it is.
                name = self._protection()
                volume.tag({RECOVERED: self._id, **({STRATEGY: name} if name else {})})
            volume.attach(self._server, device or None)
        if RECOVERS in volume.tags:
            release(volume)

    def _still_lost(self) -> None:
        """Return only if nothing took the place of the volume while the recovery delay passed."""
        self._read()
        serving = self._serving()
        if serving is not None:
            rule = f"is not lost any more: {serving.id} is attached to {self._server.id}"
            raise InvalidRequest("volume", self._id, rule, "nothing has to be done")

    def _serving(self) -> Volume | None:
        """Find what is attached to the server: the volume, or one that took its place."""
        mine = [self._original, *self._taken_over] if self._original else self._taken_over
        return next((each for each in mine if each.server_id == self._server.id), None)

    def _complete(self) -> Iterator[Snapshot]:
        return (each for each in self._snapshots if each.state == "completed" and each.tier == "standard")

    def _made(self, snapshot: Snapshot) -> Iterator[Built]:
        """Find what was made of a snapshot to be attached, newest first."""
        zone = self._server.zone
        found = (one for one in reversed(self._built) if one.volume.snapshot_id == snapshot.id)
        return (one for one in found if one.volume.zone == zone and one.volume.state in ("creating", "available"))

    def _detach(self, volume: Volume) -> None:
        self._still_lost()
        volume.detach()

    def _restore(self, snapshot: Snapshot, tags: dict[str, str], rate: int | None) -> None:
        self._still_lost()
        self._new = build(snapshot, self._server.zone, self._original, tags, rate=rate)

    def _found(self, snapshot: Snapshot) -> Volume:
        if self._new is not None:
            # Not looked up again: a new id may be hidden for a while.
            return self._new
        self._read()
        one = next(self._made(snapshot), None)
        if one is None:
            remedy = "make the plan anew"
            raise InvalidRequest("volume", self._id, f"has no volume made of {snapshot.id} to take its place", remedy)
        return one.volume

    def _protection(self) -> str:
        """Name the strategy that is to protect what takes the place of the volume; nothing where the server tells."""
        if STRATEGY in self._server.tags:
            return ""
        named = [self._original.tags.get(STRATEGY, "")] if self._original else []
        named += [self._strategy.name] if self._strategy else []
        if self._original is None:
            named += [one.strategy for one in self._built] + [each.tags.get(STRATEGY, "") for each in self._snapshots]
        return next(filter(None, named), "")

    def _cost(self, moment: datetime) -> str:
        """Say of which moment data are, and what is lost with them."""
        gap = seconds_text(max(0.0, (self._seen - moment).total_seconds()))
        return f"with the data of {moment:%Y-%m-%d %H:%M:%S} UTC: {gap} of writes are lost"

    def _lacking(self, action: str, volume: Volume, given: dict[str, str]) -> tuple[str, ...]:
        """Tell which right is missing, by the roles of the person and a dry run."""
        if barred := self._region.barred("Volume", action, volume):
            return barred
        told = refused(self._region, f"{action}Volume", volume.id, {"VolumeId": volume.id, **given})
        return (told,) if told else ()
