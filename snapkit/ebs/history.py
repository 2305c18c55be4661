"""How much a volume changed from each of its snapshots to the next."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING

import pandas as pd

from snapkit.ebs import changes
from snapkit.errors import InvalidRequest
from snapkit.rules import BLOCK

if TYPE_CHECKING:
    from snapkit.ebs.snapshots import Snapshot
    from snapkit.ebs.volumes import Volume

_THREADS = 10


def change_history_preview(
    volume: "Volume", snapshots: "Sequence[Snapshot] | None" = None, *, sample: float | None = None
) -> changes.Preview:
    """Tell how many requests `change_history` takes at most, and what they cost; lists no blocks yet."""
    pairs = pairwise(_chosen(volume, snapshots))
    return changes.together([changes.preview(pair, sample) for pair in pairs])


def change_history(
    volume: "Volume", snapshots: "Sequence[Snapshot] | None" = None, *, sample: float | None = None
) -> pd.DataFrame:
    """Count the blocks that changed from each snapshot of a volume to the next; see `change_history_preview` first.

    Args:
        volume: which volume.
        snapshots: by default all complete ones in the standard tier that this account owns.
        sample: as for `snapkit.ebs.changes.changed_blocks`.

    Returns:
        What `snapkit.blocks.Workload.from_changes` reads: a row for each two consecutive snapshots, with the columns
        ``from``, ``to``, ``interval_s``, ``changed_blocks``, ``changed_bytes`` and ``source``.

    Raises:
        InvalidRequest: there are fewer than two, or one is not of this volume or cannot be read.
        AwsError: AWS refuses.
    """
    chosen = _chosen(volume, snapshots)
    pairs = list(pairwise(chosen))
    for pair in pairs:  # refused before the first request rather than in between
        changes.preview(pair, sample)
    with ThreadPoolExecutor(_THREADS, "snapkit-history") as pool:
        found = list(pool.map(lambda pair: changes.changed_blocks(pair[1], pair[0], sample=sample), pairs))
    frame = pd.DataFrame(
        {
            "from": pd.Series([each.since for each in found], dtype="string"),
            "to": pd.Series([each.snapshot_id for each in found], dtype="string"),
            "interval_s": [(after.taken_at - before.taken_at).total_seconds() for before, after in pairs],
            "changed_blocks": [each.count for each in found],
            "changed_bytes": [each.bytes for each in found],
            "source": pd.Series([each.source for each in found], dtype="string"),
        }
    )
    if all(each.source == "measured" for each in found):
        frame = frame.astype({"changed_blocks": "int64", "changed_bytes": "int64"})
    frame.attrs = {"volume": volume.id, "size_bytes": chosen[-1].full_size or volume.size, "block_bytes": BLOCK}
    return frame


def _chosen(volume: "Volume", snapshots: "Sequence[Snapshot] | None") -> "list[Snapshot]":
    """Put the snapshots in order of time.

    Raises:
        InvalidRequest: there are fewer than two, or one is not of this volume.
    """
    if snapshots is None:
        found = volume.region.snapshots.find(volume=volume.id, state="completed")
        chosen = [each for each in found if each.tier == "standard"]
    else:
        chosen = list({each.id: each for each in snapshots}.values())
    for each in chosen:
        if each.volume_id != volume.id:
            raise InvalidRequest("snapshots", each.id, f"is of {each.volume_id}", f"give those of {volume.id}")
    if len(chosen) < 2:
        rule = f"are not two or more complete snapshots of {volume.id}"
        raise InvalidRequest("snapshots", [each.id for each in chosen], rule, "take another one, and wait for it")
    return sorted(chosen, key=lambda each: (each.taken_at, each.id))
