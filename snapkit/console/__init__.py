"""Pages of snapshots and volumes: in a notebook, or served to a browser on this machine."""

from snapkit.console.pages import Pages
from snapkit.console.snapshots import SnapshotsPage
from snapkit.console.volumes import VolumesPage

__all__ = ["Pages", "SnapshotsPage", "VolumesPage"]
