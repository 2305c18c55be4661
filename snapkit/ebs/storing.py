"""How much each snapshot stores, as far as AWS tells: between which bounds what it adds to those before it lies.

AWS bills the blocks that the snapshots of a volume keep together, and tells of each only the size of all its blocks.
The snapshots of a volume are looked at in order of time, and each is charged with the blocks that those before it lack,
so that the sum is what AWS bills.

- The first one of a volume that was made empty, or from a snapshot of somebody else, stores all its blocks.
- A later one stores at least the blocks by which it is larger than the one before it, and at most all of its own.
- The first one of a volume that was made from a snapshot of this account, under the same key, builds on that one.
- Where it cannot be told what a volume was made from, its first snapshot may share everything with others under the
  same key: it stores from nothing to all its blocks. Data keys that differ show that it shares nothing.
- A copy within its region under the same key stores nothing while its source is there; without it, it may share
  everything with others.
- A copy from elsewhere whose tags name the source volume stores at least the blocks by which it is larger than any
  before it, and at most all of its own. That copies of different volumes share nothing is *assumed*.
- A copy whose tags do not, and what was written through the EBS direct APIs, may share everything with others under the
  same key.

The bounds hold also where snapshots in between were deleted, whose blocks move to the ones that need them. Within them
nothing is assumed, but where the size of a snapshot is not told: then that of its volume stands for it.

Source:
    EBS user guide, "How snapshots work": incremental for one owner and one key only; a snapshot of a volume made from
    one of another account is full. "Delete an Amazon EBS snapshot": blocks that others need stay. "Copy an Amazon EBS
    snapshot": no data is copied within an account, region and key. EC2 API reference, Snapshot: FullSnapshotSizeInBytes
    is no incremental size; DataEncryptionKeyId is inherited within a lineage.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from snapkit.ebs.blockers import NO_VOLUME, is_copy
from snapkit.ebs.deleting import full_size

if TYPE_CHECKING:
    from snapkit.ebs.snapshots import Snapshot
    from snapkit.ebs.volumes import Volume

Basis: TypeAlias = Literal["measured", "modelled", "assumed"]
"""What a figure rests on: what AWS tells or counted blocks; a sample of them; or something that nobody told."""

Key: TypeAlias = str | None
"""The key of KMS under which a snapshot is, or None."""

NOT_TOLD = "AWS does not tell its full size, so that of its volume stands for it"
_FAILED = "it ended in error, and AWS does not tell whether anything of it is stored"
_OTHER_COPIES = "a first copy, which shares nothing with copies of other volumes"
_UNKNOWN_ORIGIN = "it is not known what its volume was made from, so it may share everything with others"
_UNKNOWN_SOURCE = "it is not known what it is a copy of, so it may share everything with others"


@dataclass(frozen=True)
class Stored:
    """How much a snapshot in the standard tier stores besides those before it.

    Attributes:
        snapshot: which.
        low: at least [bytes].
        high: at most [bytes].
        basis: what the bounds rest on.
        why: what is assumed, or why the bounds are wide, as a sentence about the snapshot; or nothing.
        before: the one that it builds on, with which it can be compared block by block.
    """

    snapshot: "Snapshot"
    low: float
    high: float
    basis: Basis = "measured"
    why: str = ""
    before: "Snapshot | None" = None

    def narrowed(self, low: float, high: float, basis: Basis, why: str = "") -> "Stored":
        """Return it with bounds that were counted, as far as they fit to those that are known."""
        least, most = (min(self.high, max(self.low, each)) for each in (low, high))
        return replace(self, low=least, high=most, basis=basis, why=why)


def stored(
    snapshots: "Sequence[Snapshot]", volumes: "Mapping[str, Volume] | None", foreign: Collection[str] = ()
) -> list[Stored]:
    """Bound how much each snapshot in the standard tier stores besides those before it.

    Args:
        snapshots: all that an account has in a region, in any order and tier.
        volumes: all its volumes there, by id; None where they are not known.
        foreign: ids of snapshots that are known to belong to other accounts.

    Returns:
        One for each in the standard tier: those of a volume in order of time, copies last.
    """
    reading = _Reading(snapshots, volumes, foreign)
    return [*reading.of_volumes(), *reading.of_copies()]


class _Reading:
    """The snapshots of a region by what they can share blocks with."""

    def __init__(
        self, snapshots: "Sequence[Snapshot]", volumes: "Mapping[str, Volume] | None", foreign: Collection[str]
    ) -> None:
        standard = sorted(
            (each for each in snapshots if each.tier == "standard"), key=lambda each: (each.taken_at, each.id)
        )
        self._mine = {each.id: each for each in snapshots}
        self._volumes = volumes or {}
        self._foreign = foreign
        self._own: dict[tuple[str, Key], list[Snapshot]] = defaultdict(list)
        self._copies: dict[tuple[str, Key], list[Snapshot]] = defaultdict(list)
        for each in standard:
            if is_copy(each):
                self._copies[_source_volume(each), _key(each)].append(each)
            else:
                self._own[each.volume_id, _key(each)].append(each)
        # How many snapshots are under each key; how many of those taken of volumes tell their data key, and which.
        self._under = Counter(_key(each) for each in standard)
        taken = [each for of_volume in self._own.values() for each in of_volume]
        self._telling = Counter(_key(each) for each in taken if _data_key(each))
        self._data_keys = Counter((_key(each), _data_key(each)) for each in taken)
        self._copied = Counter(key for volume_id, key in self._copies if volume_id)

    def of_volumes(self) -> Iterator[Stored]:
        """Go through those that were taken of volumes, one volume after the other."""
        for (volume_id, _), lineage in self._own.items():
            origin, shared, why = self._origin(volume_id, lineage)
            yield from _in_order(lineage, origin, shared, why)

    def of_copies(self) -> Iterator[Stored]:
        """Go through the copies, by what they are copies of."""
        for (volume_id, key), lineage in self._copies.items():
            if volume_id:
                yield from self._of_volume(volume_id, key, lineage)
            else:
                yield from (self._untold(each) for each in lineage)

    def _origin(self, volume_id: str, lineage: "list[Snapshot]") -> "tuple[Snapshot | None, float, str]":
        """Find what the first snapshot of a volume builds on, how much it can share with it [bytes], and the doubt."""
        volume = self._volumes.get(volume_id)
        if volume is not None and not volume.raw.get("SourceVolumeId"):
            made_from = self._mine.get(volume.snapshot_id)
            if made_from is not None:
                # Under another key, or of another account, the first snapshot of a volume is full.
                return (made_from, full_size(made_from), "") if _key(made_from) == _key(lineage[0]) else (None, 0, "")
            if not volume.snapshot_id or volume.snapshot_id in self._foreign:
                return None, 0, ""
        return (None, math.inf, _UNKNOWN_ORIGIN) if self._has_kin(lineage) else (None, 0, "")

    def _has_kin(self, lineage: "list[Snapshot]") -> bool:
        """Tell whether there is anything outside a lineage with which it could share blocks."""
        key, data_key = _key(lineage[0]), _data_key(lineage[0])
        strangers = self._telling[key] - self._data_keys[key, data_key] if data_key else 0
        return self._under[key] > len(lineage) + strangers

    def _of_volume(self, volume_id: str, key: Key, lineage: "list[Snapshot]") -> Iterator[Stored]:
        """Go through the copies of the snapshots of one volume."""
        before = self._own.get((volume_id, key), [])
        largest = max((full_size(each) for each in before), default=0)
        lonely, first = self._copied[key] == 1, not before
        for each in lineage:
            if each.state == "error":
                yield _failed(each)
                continue
            if self._is_twin(each):
                yield Stored(each, 0, 0)
            elif first and _region(each) == each.region.name:
                yield self._untold(each)
            elif first and not lonely and each.full_size is not None:
                yield Stored(each, each.full_size, each.full_size, "assumed", _OTHER_COPIES)
            else:
                yield _bounded(each, largest)
            largest, first = max(largest, full_size(each)), False

    def _is_twin(self, copy: "Snapshot") -> bool:
        """Tell whether a copy lies beside its source, under the same key."""
        source = self._mine.get(copy.tags.get(copy.region.tag_keys.source, "").partition("/")[2])
        return (
            source is not None
            and _region(copy) == copy.region.name
            and (source.tier, source.state) == ("standard", "completed")
            and _key(source) == _key(copy)
        )

    def _untold(self, copy: "Snapshot") -> Stored:
        if copy.state == "error":
            return _failed(copy)
        alone = self._under[_key(copy)] == 1
        return _bounded(copy, 0 if alone else math.inf, "" if alone else _UNKNOWN_SOURCE)


def _in_order(lineage: "list[Snapshot]", origin: "Snapshot | None", shared: float, why: str) -> Iterator[Stored]:
    """Go through the snapshots of one volume, of which the first shares at most so many bytes with its origin."""
    before, doubt = origin, why
    for each in lineage:
        if each.state == "error":
            yield _failed(each)
            continue
        bounded = _bounded(each, shared, doubt)
        yield replace(bounded, before=before) if before is not None else bounded
        before, shared, doubt = each, full_size(each), ""


def _bounded(snapshot: "Snapshot", shared: float, why: str = "") -> Stored:
    """Bound what a snapshot stores that shares at most so many bytes with those before it."""
    if snapshot.full_size is None:
        return Stored(snapshot, 0, snapshot.size, "assumed", NOT_TOLD)
    return Stored(snapshot, max(0, snapshot.full_size - shared), snapshot.full_size, why=why)


def _failed(snapshot: "Snapshot") -> Stored:
    return Stored(snapshot, 0, full_size(snapshot), "assumed", _FAILED)


def _source_volume(copy: "Snapshot") -> str:
    """Return the volume that a copy names as its source, or nothing: a copy of an untold copy names none either."""
    volume_id = copy.tags.get(copy.region.tag_keys.source_volume, "")
    return "" if volume_id == NO_VOLUME else volume_id


def _region(copy: "Snapshot") -> str:
    """Return the region from which a copy was made, or nothing."""
    return copy.tags.get(copy.region.tag_keys.source, "").partition("/")[0]


def _key(snapshot: "Snapshot") -> Key:
    return str(snapshot.raw["KmsKeyId"]) if snapshot.raw.get("KmsKeyId") else None


def _data_key(snapshot: "Snapshot") -> str:
    return str(snapshot.raw.get("DataEncryptionKeyId") or "")
