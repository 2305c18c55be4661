"""Recovery volumes: how they are marked, made, found and put to use.

A recovery volume is marked in the call that makes it:

    snapkit:recovers = vol-0123456789abcdef0
    snapkit:recovery = hourly
    snapkit:due      = 2026-01-05T06:00:00Z
    snapkit:moment   = 2026-01-05T05:00:00Z

It carries no ``snapkit:strategy``, which would protect it, and is left out of what other tags protect. Once it is
attached it serves: it loses the first three, so that nobody deletes it even when it is detached again.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from snapkit.automation.managed import DUE, MOMENT, moment
from snapkit.automation.rights import refused
from snapkit.ebs import Region, Snapshot, Volume
from snapkit.ebs.deleting import full_size
from snapkit.ebs.initializing import progress
from snapkit.ebs.volume_kinds import kind_of
from snapkit.errors import InvalidRequest
from snapkit.plan import Band
from snapkit.prices import MONTH
from snapkit.tags import to_aws

RECOVERS = "snapkit:recovers"
"""The tag of a recovery volume that names the volume whose place it can take."""

RECOVERY = "snapkit:recovery"
"""The tag that names the strategy which wanted it."""

RECOVERED = "snapkit:recovered"
"""The tag of a volume that took the place of another one, which it names."""

_THERE = ("creating", "available", "in-use", "error")


@dataclass(frozen=True)
class Built:
    """A recovery volume.

    Attributes:
        volume: the volume itself.
        of: the id of the volume whose place it can take.
        strategy: the name of the strategy that wanted it; nothing where `snapkit.automation.recover` made it.
        due: the due time for which it was built; None where there was none.
        moment: the moment whose data it holds.
        progress: how far it is initialized, where that is waited for; else 100 [percent].
    """

    volume: Volume
    of: str
    strategy: str
    due: datetime | None
    moment: datetime
    progress: int

    @property
    def ready(self) -> bool:
        """Whether it can be attached, with all its blocks where that is waited for."""
        return self.volume.state == "available" and self.progress == 100

    @property
    def told(self) -> str:
        """How far it is, in words."""
        return f"{self.progress} % initialized" if self.volume.state == "available" else self.volume.state


def built(region: Region, of: str = "*", initialized: Collection[str] = ()) -> list[Built]:
    """List the recovery volumes of a region, in the order in which they were made.

    Args:
        region: where.
        of: id of the volume whose place they can take; ``*`` for any.
        initialized: names of strategies whose volumes have to be initialized, besides those that have a rate for it.

    Raises:
        AwsError: AWS refuses.
    """
    found = [each for each in region.volumes.find(tags={RECOVERS: of}) if each.state in _THERE]
    found.sort(key=lambda volume: (volume.created_at, volume.id))
    waited = [
        each.id
        for each in found
        if each.state == "available"
        and (each.raw.get("VolumeInitializationRate") or each.tags.get(RECOVERY) in initialized)
    ]
    loaded = progress(region, waited)
    return [_built(each, loaded.get(each.id, 100)) for each in found]


def _built(volume: Volume, loaded: int) -> Built:
    tags = volume.tags
    since = moment(tags.get(MOMENT, "")) or volume.created_at
    return Built(volume, tags[RECOVERS], tags.get(RECOVERY, ""), moment(tags.get(DUE, "")), since, loaded)


def is_recovery_volume(volume: Volume) -> bool:
    """Tell whether a volume stands by to take the place of another one, and so is not to be protected itself."""
    return RECOVERS in volume.tags and not volume.server_id


def release(volume: Volume) -> None:
    """Take the marks off a recovery volume that serves, so that nobody deletes it.

    Raises:
        AwsError: AWS refuses.
    """
    volume.untag({key: volume.tags[key] for key in (RECOVERS, RECOVERY, DUE) if key in volume.tags})


def build(
    snapshot: Snapshot, zone: str, original: Volume | None, tags: Mapping[str, str], *, rate: int | None = None
) -> Volume:
    """Make a recovery volume, with the name, group and billing code of the original, as large and of its kind.

    Args:
        snapshot: to begin with.
        zone: where.
        original: whose place it can take; None where it is gone, and only the snapshot tells of it.
        tags: its marks.
        rate: at which it is initialized [MiB/s]; None to load blocks when they are read.

    Raises:
        InvalidRequest: there cannot be such a volume.
        AwsError: AWS refuses.
    """
    return snapshot.create_volume(zone, tags=tags, **_options(snapshot, original, rate))


def lacking(
    snapshot: Snapshot, zone: str, original: Volume | None, tags: Mapping[str, str], *, rate: int | None = None
) -> tuple[str, ...]:
    """Tell which right is missing for `build`, by the roles of the person and a dry run; the arguments are the same."""
    region, given = snapshot.region, _options(snapshot, original, rate)
    named = (given["name"], given["group"] or snapshot.group, given["billing_code"] or snapshot.billing_code)
    written = region.owned(region.tag_keys.tags(*named, tags))
    if barred := region.barred("Snapshot", "CreateVolume", snapshot, region.belonging(written)):
        return barred
    asked = {
        "AvailabilityZone": zone,
        "SnapshotId": snapshot.id,
        "VolumeType": given.get("volume_type", "gp3"),
        "TagSpecifications": [{"ResourceType": "volume", "Tags": to_aws(written)}],
    }
    told = refused(region, "CreateVolume", snapshot.id, asked)
    return (told,) if told else ()


def price(snapshot: Snapshot, original: Volume | None, *, rate: int | None = None) -> tuple[Band, float | None]:
    """Price what `build` makes: once, at least and at most, and a month [USD]; the arguments are those of `build`."""
    prices = snapshot.region.prices
    most = 0.0 if rate is None else prices.initialized(full_size(snapshot), rate)
    once = (most if snapshot.full_size is not None else 0.0, most)
    if original is None:
        return once, prices.gp3(snapshot.size, MONTH)
    return once, monthly_usd(original)


def _options(snapshot: Snapshot, original: Volume | None, rate: int | None) -> dict[str, Any]:
    source = snapshot if original is None else original
    given: dict[str, Any] = {} if original is None else {"size": original.size, **kind_of(original)}
    given |= {"name": source.name or snapshot.name, "group": source.group, "billing_code": source.billing_code}
    return given if rate is None else {**given, "initialization_rate": rate}


def monthly_usd(volume: Volume) -> float | None:
    """Price a volume a month [USD]; None where there is no price for its type."""
    kind = kind_of(volume)
    try:
        return volume.region.prices.volume(kind.pop("volume_type"), volume.size, MONTH, **kind)
    except InvalidRequest:
        return None
