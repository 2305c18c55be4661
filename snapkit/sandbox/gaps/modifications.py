"""Volumes that change: ModifyVolume, DescribeVolumesModifications.

Replaces moto's, which are complete at once, shrink, take any value and never refuse a fifth time.

Source: EC2 API reference of the operations; EBS user guide, "Monitor the progress of Amazon EBS volume modifications".
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from snapkit.rules import BLOCK, IOPS_LIMITS, MODIFICATIONS_PER_DAY
from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.ec2 import BLOCKS_PER_GIB
from snapkit.sandbox.filters import select, text
from snapkit.sandbox.gaps.volume_types import Kind
from snapkit.sandbox.gaps.volumes import kind_of, listed
from snapkit.sandbox.paging import page
from snapkit.sandbox.refusal import Refusal
from snapkit.sandbox.volume import Volume
from snapkit.units import DAY, HOUR, MINUTE, TIB

MODIFYING = 5.0
"""How long a modification stays in its first state [s]; the new size holds from its end.

The user guide says "a few seconds", 5 is *assumed*.

Source: EBS user guide, "Monitor the progress of Amazon EBS volume modifications".
"""

OPTIMIZING = 6.0 * HOUR
"""How long a modification stays in its second state for each TiB that was written to the volume [s].

The user guide says that a fully used 1-TiB volume typically takes about 6 hours; that the time grows with the data, and
that a mere change of size takes as long, is *assumed*.

Source: as for `MODIFYING`.
"""

LEAST_OPTIMIZING = 1.0 * MINUTE
"""How long a modification of an empty volume stays in its second state [s]; *assumed*, see `OPTIMIZING`."""


@dataclass(frozen=True, kw_only=True)
class Modification:
    """One change of a volume.

    Attributes:
        volume: of what.
        before: what it was.
        after: what it is to be.
        started: when it was asked for.
        optimizes: when the new values hold.
        ends: when it is complete.
    """

    volume: Volume
    before: Kind
    after: Kind
    started: datetime
    optimizes: datetime
    ends: datetime

    def state(self, now: datetime) -> str:
        """Tell how far it is."""
        return "modifying" if now < self.optimizes else "optimizing" if now < self.ends else "completed"

    def apply(self) -> None:
        """Let the new values hold."""
        volume, after = self.volume, self.after
        volume.size, volume.volume_type = after.size, after.volume_type
        volume.iops, volume.throughput = after.iops, after.throughput
        volume.multi_attach_enabled = after.multi_attach
        volume.disk.grow(after.size * BLOCKS_PER_GIB)

    def shown(self, now: datetime) -> dict[str, Any]:
        """Return it as DescribeVolumesModifications shows it."""
        state = self.state(now)
        span = (self.ends - self.optimizes).total_seconds()
        done = (now - self.optimizes).total_seconds() / span
        answer: dict[str, Any] = {
            "VolumeId": self.volume.id,
            "ModificationState": state,
            "Progress": {"modifying": 0, "completed": 100}.get(state, int(100 * done)),
            "StartTime": self.started,
        }
        if state == "completed":
            answer["EndTime"] = self.ends
        for side, kind in (("Original", self.before), ("Target", self.after)):
            values = {
                "Size": kind.size,
                "VolumeType": kind.volume_type,
                "Iops": kind.shown_iops,
                "Throughput": kind.throughput,
                "MultiAttachEnabled": kind.multi_attach,
            }
            answer |= {side + name: value for name, value in values.items() if value is not None}
        return answer


FILTERS: Mapping[str, Callable[[Modification], Any]] = {
    "modification-state": lambda each: each.state(each.volume.ec2_backend.world.clock.now()),
    "original-iops": lambda each: text(each.before.shown_iops),
    "original-size": lambda each: text(each.before.size),
    "original-volume-type": lambda each: each.before.volume_type,
    "originalMultiAttachEnabled": lambda each: text(each.before.multi_attach),
    "start-time": lambda each: text(each.started),
    "target-iops": lambda each: text(each.after.shown_iops),
    "target-size": lambda each: text(each.after.size),
    "target-volume-type": lambda each: each.after.volume_type,
    "targetMultiAttachEnabled": lambda each: text(each.after.multi_attach),
    "volume-id": lambda each: each.volume.id,
}
"""Source: EC2 API reference, DescribeVolumesModifications."""


@operation("ec2", "ModifyVolume")
def modify_volume(call: Call) -> Answer:
    """Begin to change a volume; its snapshots keep the size that it had."""
    volume = call.ec2.volume(call.get("VolumeId"))
    now = call.now
    after = _wanted(call, volume)
    past = changes(volume)
    if past and past[-1].state(now) != "completed":
        raise Refusal(
            "IncorrectModificationState",
            f"Volume {volume.id} cannot be modified in modification state {past[-1].state(now).upper()}",
        )
    recent = [each for each in past if each.started > now - timedelta(seconds=DAY)]
    if len(recent) >= MODIFICATIONS_PER_DAY:
        again = recent[-MODIFICATIONS_PER_DAY].started + timedelta(seconds=DAY)
        raise Refusal(
            "VolumeModificationRateExceeded",
            "You've reached the maximum modification rate per volume limit: a volume can be modified "
            f"{MODIFICATIONS_PER_DAY} times within 24 hours. The next modification is possible at {text(again)}.",
        )
    written = volume.disk.seal(call.world.clock.seconds()).full * BLOCK
    optimizes = now + timedelta(seconds=MODIFYING)
    modification = Modification(
        volume=volume,
        before=kind_of(volume),
        after=after,
        started=now,
        optimizes=optimizes,
        ends=optimizes + timedelta(seconds=max(LEAST_OPTIMIZING, OPTIMIZING * written / TIB)),
    )
    past.append(modification)
    call.world.clock.at(optimizes, modification.apply)
    return {"VolumeModification": modification.shown(now)}


@operation("ec2", "DescribeVolumesModifications")
def describe_volumes_modifications(call: Call) -> Answer:
    """Show the newest modification of each volume that was ever modified."""
    volumes = listed(call)
    if call.get("VolumeIds"):
        for volume in volumes:
            if not changes(volume):
                raise Refusal(
                    "InvalidVolumeModification.NotFound", f"Modification for volume '{volume.id}' does not exist."
                )
    newest = [changes(volume)[-1] for volume in volumes if changes(volume)]
    found = select(call, newest, FILTERS)
    shown, token = page(call, found, lambda each: each.volume.ordinal, least=1, most=500, ids="VolumeIds")
    return {"VolumesModifications": [each.shown(call.now) for each in shown], "NextToken": token}


def changes(volume: Volume) -> list[Modification]:
    """List the modifications of a volume, kept where moto keeps its own, oldest first."""
    kept: list[Any] = volume.modifications
    return kept


def _wanted(call: Call, volume: Volume) -> Kind:
    """Read what a volume is to be, and check it.

    Source: EC2 API reference, ModifyVolume, for what holds by default after a change of type.
    """
    names = ("Size", "VolumeType", "Iops", "Throughput", "MultiAttachEnabled")
    if all(call.get(name) is None for name in names):
        raise Refusal(
            "InvalidParameterValue",
            "Invalid input: Must specify at least one of size, type, iops, throughput, multi_attach_enabled",
        )
    before = kind_of(volume)
    size, volume_type = call.get("Size", before.size), call.get("VolumeType", before.volume_type)
    if size < before.size:
        raise Refusal("InvalidParameterValue", "New size cannot be smaller than existing size")
    if volume_type != before.volume_type:
        default = IOPS_LIMITS["gp3"][0] if volume_type in IOPS_LIMITS else None
        before = replace(before, iops=default, throughput=None)
    return Kind(
        size=size,
        volume_type=volume_type,
        iops=call.get("Iops", before.iops),
        throughput=call.get("Throughput", before.throughput),
        multi_attach=call.get("MultiAttachEnabled", before.multi_attach),
    ).checked()
