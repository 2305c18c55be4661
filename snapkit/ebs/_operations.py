"""What can be done with a snapshot besides taking, sharing and deleting it: copy, lock, archive, restore fast."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, cast

import pandas as pd

from snapkit.ebs import archiving, copy_preview, copying, keeping, restoring
from snapkit.ebs._resource import Resource
from snapkit.ebs.listing import Listing
from snapkit.units import Duration, Size

if TYPE_CHECKING:
    from snapkit.ebs.region import Region
    from snapkit.ebs.snapshots import Snapshot


class Operations(Resource):
    """The part of `Snapshot` whose rules stand in rooms of their own."""

    @property
    def _snapshot(self) -> "Snapshot":
        return cast("Snapshot", self)

    # -- copying

    def copy_preview(
        self, to: "Region | str", *, kms_key: str | None = None, duration: Duration | None = None
    ) -> copy_preview.CopyPreview:
        """Say beforehand whether a copy will be full, and what it costs; see `snapkit.ebs.copy_preview`."""
        return copy_preview.preview(self._snapshot, to, kms_key=kms_key, duration=duration)

    def copy_to(
        self,
        to: "Region | str",
        *,
        name: str | None = None,
        kms_key: str | None = None,
        duration: Duration | None = None,
        tags: Mapping[str, str | None] | None = None,
    ) -> "Snapshot":
        """Begin a copy in a region, and return it; see `snapkit.ebs.copying.copy`."""
        return copying.copy(self._snapshot, to, name=name, kms_key=kms_key, duration=duration, tags=tags)

    # -- keeping

    def lock(
        self,
        mode: str = "governance",
        *,
        duration: Duration | None = None,
        until: datetime | None = None,
        cool_off: Duration | None = None,
        confirm: str | None = None,
    ) -> keeping.Lock:
        """Lock it, so that it cannot be deleted; see `snapkit.ebs.keeping.lock`."""
        return keeping.lock(self._snapshot, mode, duration=duration, until=until, cool_off=cool_off, confirm=confirm)

    def unlock(self) -> None:
        """Take its lock off; see `snapkit.ebs.keeping.unlock`."""
        keeping.unlock(self._snapshot)

    def lock_state(self) -> keeping.Lock | None:
        """Return its lock, an expired one too, or None."""
        return keeping.lock_state(self._snapshot)

    def restore_from_recycle_bin(self) -> "Snapshot":
        """Make it a snapshot again after it was deleted; returns itself."""
        self.raw = keeping.from_bin(self.region, self.id).raw
        return self._snapshot

    # -- archiving

    def archive_preview(self, own: Size | None = None) -> archiving.ArchivePreview:
        """Say beforehand what archiving it would cost and save; see `snapkit.ebs.archiving.preview`."""
        return archiving.preview(self._snapshot, own)

    def archive(self, *, confirm: str) -> "Snapshot":
        """Begin to archive it; returns itself.

        Args:
            confirm: its id, typed once more.
        """
        return archiving.archive(self._snapshot, confirm)

    def restore_from_archive(self, days: int | None = None, *, permanent: bool = False) -> "Snapshot":
        """Begin to restore it from the archive; returns itself, see `snapkit.ebs.archiving.restore`."""
        return archiving.restore(self._snapshot, days, permanent=permanent)

    def tier_status(self) -> archiving.TierStatus:
        """Tell where it lies, and on its way where to."""
        return archiving.tier_status(self._snapshot)

    # -- restoring fast

    def enable_fast_restore(self, zones: Sequence[str]) -> Listing[restoring.FastRestore]:
        """Begin to enable fast snapshot restore in zones; see `snapkit.ebs.restoring`."""
        return restoring.enable(self._snapshot, zones)

    def disable_fast_restore(self, zones: Sequence[str] | None = None) -> Listing[restoring.FastRestore]:
        """Begin to disable fast snapshot restore, by default wherever it is enabled."""
        return restoring.disable(self._snapshot, zones)

    def fast_restore_state(self) -> Listing[restoring.FastRestore]:
        """List where fast snapshot restore is enabled or was, with credits and price."""
        return restoring.state(self._snapshot)

    def restore_options(self, size: Size | None = None, *, volume_type: str = "gp3") -> pd.DataFrame:
        """Compare the ways to make a volume of it: time until full speed, and price; see `snapkit.ebs.restoring`."""
        return restoring.options(self._snapshot, size, volume_type=volume_type)
