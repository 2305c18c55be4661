"""Clones of a server's volumes for another one: taken now, at one moment, and attached at the same devices.

What is made carries tags, so that a plan which was broken off anywhere is gone on with by the next one:

    snapkit:clone-for = i-0a1b2c3d4e5f60718      (snapshots and volumes: the server that they are for)
    snapkit:clone-of  = vol-0a1b2c3d4e5f60718    (volumes: what they are clones of)
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from snapkit.automation.rights import checked
from snapkit.ebs import Server, Snapshot, Volume
from snapkit.ebs.attaching import ATTACHABLE, free_devices
from snapkit.ebs.deleting import same_region
from snapkit.ebs.settling import wait_until
from snapkit.ebs.volume_kinds import check_kind
from snapkit.errors import InvalidRequest
from snapkit.plan import Plan, State, Step
from snapkit.prices import MONTH
from snapkit.rules import IOPS_LIMITS
from snapkit.units import GIB, bytes_text

CLONE_FOR = "snapkit:clone-for"
"""The tag that names the server for which something was made."""

CLONE_OF = "snapkit:clone-of"
"""The tag that names the volume that a volume is a clone of."""

_STARTING = ("pending", "stopping")
_GONE = ("deleting", "deleted", "error")


def clone_for(server: Server, of: Server, *, root: bool = False, initialization_rate: int | None = None) -> Plan:
    """Plan to give a server clones of the volumes of another one; nothing is done before it is approved and applied.

    Snapshots of all volumes are taken at one moment. When they are complete, a volume of each is made in the zone of
    the server and attached at the same device. Name, group and billing code, type, IOPS and throughput are those of the
    original; other tags are not carried, so that a clone is protected only if you say so. The snapshots stay.

    A plan for the same two servers goes on with what an earlier one has begun, and does nothing again.

    Args:
        server: the new one.
        of: the one whose volumes are cloned; it may be running.
        root: whether the volume that it starts from is cloned as well; the new server has its own, so that the clone
            gets the first free device.
        initialization_rate: of the new volumes [MiB/s]; by default none is paid for.

    Raises:
        InvalidRequest: the servers are one and the same, or in two regions, the new one is ending, there is nothing to
            clone, or the rate cannot be.
        AwsError: AWS refuses.
    """
    for name, each in (("server", server), ("of", of)):
        if not isinstance(each, Server):
            raise InvalidRequest(name, each, "is no server", "give one of region.servers.find()")
    if not same_region(server.region, of.region):
        rule = f"is in {server.region.name}, and {of.id} in another region or account"
        raise InvalidRequest("server", server.id, rule, "copy or share snapshots, and make volumes of those")
    if server.id == of.id:
        raise InvalidRequest("server", server.id, "has these volumes already", "give another server")
    cloning = _Cloning(server, of, root=root, rate=initialization_rate)
    state = cloning()
    return Plan(cloning.steps(), state, reread=cloning, clock=server.region.clock)


class _Cloning:
    """Reads what there is of a clone, as often as it is called, and does what is missing."""

    def __init__(self, server: Server, of: Server, *, root: bool, rate: int | None) -> None:
        self._region = server.region
        self._server = server
        self._of = of
        self._root = root
        self._rate = rate
        self._volumes: list[Volume] = []
        self._snapshots: dict[str, Snapshot] = {}
        self._clones: dict[str, Volume] = {}
        self._others: list[str] = []

    def __call__(self) -> State:
        """Read the servers, and what was made before."""
        of, server = self._of.refresh(), self._server.refresh()
        if server.state not in (*ATTACHABLE, *_STARTING):
            raise InvalidRequest("server", server.id, f"is {server.state}", "choose one that runs, or will")
        self._volumes = [each for each in of.volumes() if self._root or each.id != of.root_volume_id]
        if not self._volumes:
            without = "" if self._root else "but the one that it starts from; root=True clones that"
            raise InvalidRequest("of", of.id, f"has no volume {without}".rstrip(), "choose a server with volumes")
        mine = {CLONE_FOR: server.id}
        self._snapshots = self._set(self._region.snapshots.find(tags=mine))
        made = [each for each in self._region.volumes.find(tags=mine) if each.state not in _GONE]
        self._clones = self._fitting(made)
        used = {each.id for each in self._clones.values()}
        self._others = [each.id for each in made if each.id not in used]
        devices = ", ".join(f"{device} {volume}" for device, volume in sorted(of.devices.items()))
        return {of.id: {"volumes": devices, "zone": of.zone}, server.id: {"zone": server.zone}}

    def steps(self) -> list[Step]:
        """List what there is to do."""
        steps = [self._taking()]
        for volume in self._volumes:
            steps += [self._making(volume), self._attaching(volume)]
        return checked(self._region, steps)[0]

    def _set(self, found: Sequence[Snapshot]) -> dict[str, Snapshot]:
        """Find the newest snapshots of one moment, by volume, that cover all volumes; nothing where there are none."""
        moments: dict[Any, dict[str, Snapshot]] = defaultdict(dict)
        for each in found:
            if each.state in ("pending", "completed"):
                moments[each.taken_at][each.volume_id] = each
        wanted = {volume.id for volume in self._volumes}
        return next((moments[each] for each in sorted(moments, reverse=True) if wanted <= moments[each].keys()), {})

    def _fitting(self, made: Sequence[Volume]) -> dict[str, Volume]:
        """Find the clones, by what they are clones of: those of the present snapshots, or else a whole set."""
        by_snapshot: dict[str, dict[str, Volume]] = defaultdict(dict)
        for each in made:
            by_snapshot[each.tags.get(CLONE_OF, "")][each.snapshot_id] = each
        if self._snapshots:
            ids = {volume: snapshot.id for volume, snapshot in self._snapshots.items()}
            return {of: clones[ids[of]] for of, clones in by_snapshot.items() if ids.get(of) in clones}
        if all(volume.id in by_snapshot for volume in self._volumes):
            return {of: next(iter(clones.values())) for of, clones in by_snapshot.items()}
        return {}

    def _taking(self) -> Step:
        of, volumes = self._of, self._volumes
        many = f"{len(volumes)} volume{'' if len(volumes) == 1 else 's'}"
        moment = next((f"{each.taken_at:%Y-%m-%d %H:%M} UTC" for each in self._snapshots.values()), "")
        begun = f"goes on with the snapshots of {moment}; delete them to clone what is there now"
        others = f"there are other clones for it already: {', '.join(self._others)}; delete what nobody needs"
        root = "" if self._root or not of.root_volume_id else ", all but the one that it starts from"
        return Step(
            what="take",
            on=of.id,
            reason=f"{many}{root}, at one moment",
            monthly_usd=(0.0, sum(self._region.prices.monthly(each.size) for each in volumes)),
            blockers=(
                *self._barred("Server", "Image", of),
                *(told for each in volumes for told in self._in_the_way(each)),
            ),
            warnings=(*((begun,) if moment else ()), *((others,) if self._others else ())),
            do=self._take,
            done=lambda: bool(self._snapshots or self._clones),
        )

    def _making(self, volume: Volume) -> Step:
        options = _kind(volume) | {"initialization_rate": self._rate}
        check_kind(volume.volume_type, volume.size // GIB, options, empty=False)
        prices, size = self._region.prices, volume.size
        iops, throughput = (int(options.get(each) or 0) for each in ("iops", "throughput"))
        return Step(
            what="clone",
            on=volume.id,
            reason=f"{bytes_text(size)} {volume.volume_type} in {self._server.zone}, when its snapshot is complete",
            price_usd=(0.0, prices.initialized(size, self._rate)) if self._rate else 0.0,
            monthly_usd=prices.volume(volume.volume_type, size, MONTH, iops=iops, throughput=throughput),
            blockers=self._barred("Snapshot", "CreateVolume", volume),
            waits_for=(f"take {self._of.id}",),
            do=partial(self._make, volume, options),
            done=lambda: volume.id in self._clones,
        )

    def _attaching(self, volume: Volume) -> Step:
        device = self._device(volume)
        return Step(
            what="attach the clone of",
            on=volume.id,
            reason=f"to {self._server.id} as {device}",
            blockers=(*self._barred("Volume", "Attach", volume), *self._in_the_way(volume)),
            waits_for=(f"clone {volume.id}",),
            do=partial(self._attach, volume, device),
            done=lambda: self._clone_on(volume) == self._server.id,
        )

    def _in_the_way(self, volume: Volume) -> Iterator[str]:
        """Tell why the clone of a volume cannot be attached."""
        device, on, clone = self._device(volume), self._clone_on(volume), self._clones.get(volume.id)
        if on and on != self._server.id and clone is not None:
            yield f"{clone.id}, its clone, is attached to {on}; detach it there"
        if device is None:
            yield f"{self._server.id} has no free device for it; detach something, or leave it out"
        there = self._server.devices.get(device or "")
        if there is not None and (clone is None or there != clone.id):
            yield f"{device} of {self._server.id} has {there}; detach that first"

    def _device(self, volume: Volume) -> str | None:
        """Tell where the clone of a volume is to be: as the original, but for the one that the original starts from."""
        wanted = {each: device for device, each in self._of.devices.items()}
        if volume.id != self._of.root_volume_id:
            return wanted[volume.id]
        clone = self._clones.get(volume.id)
        free = (each for each in free_devices(self._server) if each not in wanted.values())
        return (clone.device if clone else "") or next(free, None)

    def _clone_on(self, volume: Volume) -> str:
        return self._clones[volume.id].server_id if volume.id in self._clones else ""

    def _barred(self, kind: str, action: str, thing: Server | Volume) -> tuple[str, ...]:
        """Tell which right of the person is missing; what is made belongs to what the original does."""
        return self._region.barred(kind, action, self._region.belonging(self._region.owned(thing.tags)))

    def _take(self) -> None:
        wanted = {each.id for each in self._volumes}
        others = set(self._of.devices.values()) - wanted - {self._of.root_volume_id}
        taken = self._of.take_snapshots(tags={CLONE_FOR: self._server.id}, root=self._root, leave_out=sorted(others))
        self._snapshots = {each.volume_id: each for each in taken}

    def _make(self, volume: Volume, options: dict[str, Any]) -> None:
        clone = (
            self._snapshots[volume.id]
            .wait()
            .create_volume(
                self._server.zone,
                name=volume.name,
                group=volume.group,
                billing_code=volume.billing_code,
                volume_type=volume.volume_type,
                tags={CLONE_FOR: self._server.id, CLONE_OF: volume.id},
                **options,
            )
        )
        self._clones[volume.id] = clone
        wait_until(clone, lambda: clone.state != "creating", "it goes on by itself: apply the plan again")

    def _attach(self, volume: Volume, device: str | None) -> None:
        self._clones[volume.id].attach(self._server, device)


def _kind(volume: Volume) -> dict[str, Any]:
    """Read what a volume of the same kind is asked for with, besides its type and size."""
    wanted = {"iops": volume.volume_type in IOPS_LIMITS, "throughput": volume.volume_type == "gp3"}
    given = {"iops": volume.raw.get("Iops"), "throughput": volume.raw.get("Throughput")}
    return {name: given[name] for name, asked in wanted.items() if asked and given[name] is not None}
