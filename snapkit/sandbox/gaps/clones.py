"""Copies of volumes: CopyVolumes.

moto has none. Volumes that others share through AWS RAM cannot be copied, as moto's RAM shares no volumes.

AWS does not say how much the first snapshot of a copy holds. Here the copy has a history of its own, so that it holds
everything, as is so for any volume of which no snapshot exists yet.

Source: EBS user guide, "Copy an Amazon EBS volume"; EC2 API reference, CopyVolumes.
"""

from datetime import timedelta
from typing import Any

from snapkit.rules import BLOCK, VOLUME_COPIES
from snapkit.sandbox.call import Answer, Call, operation
from snapkit.sandbox.gaps.encryption import key_for_new_volume
from snapkit.sandbox.gaps.modifications import changes
from snapkit.sandbox.gaps.volume_making import add
from snapkit.sandbox.gaps.volume_types import kind_wanted
from snapkit.sandbox.gaps.volumes import once, shown
from snapkit.sandbox.refusal import Refusal
from snapkit.sandbox.volume import Volume
from snapkit.units import HOUR, TIB

FIRST_TIB = 6.0 * HOUR
"""How long the first TiB of written blocks takes [s]; "up to", so that less data takes less time is *assumed*.

Source: EBS user guide, "Copy an Amazon EBS volume", Initialization duration.
"""

NEXT_TIB = 1.2 * HOUR
"""How long each further TiB takes [s]. Source: as for `FIRST_TIB`."""

LONGEST = 24.0 * HOUR
"""How long more than 16 TiB take [s]. Source: as for `FIRST_TIB`."""


@operation("ec2", "CopyVolumes")
def copy_volumes(call: Call) -> Answer:
    """Copy a volume as it is now, in its zone."""
    answer: dict[str, Any] = shown(once(call, lambda: _copy(call)))
    del answer["Attachments"], answer["FastRestored"]
    return {"Volumes": [{**answer, "State": "creating"}]}


def seconds_to_copy(written: int) -> float:
    """Estimate how long a copy of so many bytes takes to initialize [s]."""
    tib = written / TIB
    return min(LONGEST, FIRST_TIB * min(1.0, tib) + NEXT_TIB * max(0.0, tib - 1.0))


def _copy(call: Call) -> Volume:
    source = call.ec2.volume(call.get("SourceVolumeId"))
    size = call.get("Size", source.size)
    if size < source.size:
        raise Refusal(
            "InvalidParameterValue",
            f"The size of the volume copy, {size} GiB, cannot be smaller than the {source.size} GiB of {source.id}.",
        )
    kind = kind_wanted(call, size)
    tags = call.tags("volume")
    _check_source(call, source)
    given = call.get("KmsKeyId")
    if source.encrypted and given is None:
        key = source.kms_key_id
    else:
        key = key_for_new_volume(call, None, True if given else call.get("Encrypted"), given)
    image = source.disk.seal(call.world.clock.seconds())
    copy = add(call, kind, source.zone.name, key, base=image.alone())
    copy.source_volume_id = source.id
    copy.initialized = call.now + timedelta(seconds=seconds_to_copy(image.full * BLOCK))
    if tags:
        call.ec2.tags[copy.id] = tags
    return copy


def _check_source(call: Call, source: Volume) -> None:
    now = call.now
    going = [each for each in call.ec2.volumes.values() if each.source_volume_id and each.initialized > now]
    if source in going:
        raise Refusal("IncorrectState", f"The volume '{source.id}' is a volume copy that is still being initialized.")
    past = changes(source)
    if past and past[-1].state(now) == "modifying":
        raise Refusal("IncorrectState", f"The volume '{source.id}' is in the modification state 'modifying'.")
    if any(each.source_volume_id == source.id for each in going):
        raise Refusal(
            "ConcurrentCopyVolumeLimitExceeded",
            f"A copy of the volume '{source.id}' is still being initialized. One volume can have one such copy.",
        )
    if len(going) >= VOLUME_COPIES:
        raise Refusal(
            "CopyVolumesLimitExceeded",
            f"You have reached the maximum number of {VOLUME_COPIES} in-progress volume copies in this Region.",
        )
