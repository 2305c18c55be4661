"""What AWS keeps, as objects: snapshots, volumes and servers of one account in one region."""

from snapkit.ebs.block_lists import Reading
from snapkit.ebs.changes import Changes
from snapkit.ebs.connecting import connect
from snapkit.ebs.estate import Estate
from snapkit.ebs.listing import Listing
from snapkit.ebs.region import Region
from snapkit.ebs.servers import Server
from snapkit.ebs.snapshots import Snapshot
from snapkit.ebs.volumes import Volume

__all__ = ["Changes", "Estate", "Listing", "Reading", "Region", "Server", "Snapshot", "Volume", "connect"]
