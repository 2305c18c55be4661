"""Pages of snapshots, volumes and strategies: in a notebook, or served to a browser on this machine."""

from snapkit.console.pages import Pages
from snapkit.console.snapshots import SnapshotsPage
from snapkit.console.strategies import StrategiesPage
from snapkit.console.volumes import VolumesPage

__all__ = ["Pages", "SnapshotsPage", "StrategiesPage", "VolumesPage"]
