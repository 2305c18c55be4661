"""What strategies protect in the demo of the console, as if they had been run there for a while."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from snapkit.automation import protect
from snapkit.automation.managed import STRATEGY, mark
from snapkit.sandbox.demo import EU, PRODUCTION, STAGING, US
from snapkit.strategy import RecoveryVolume, Retention, Schedule, Strategy, Tier

if TYPE_CHECKING:
    from snapkit import Sandbox
    from snapkit.ebs import Region

HOURLY = Strategy("hourly", [Tier(Schedule("every 1h"), Retention(last=24, daily=7), "hourly")])
DAILY = Strategy("daily", [Tier(Schedule("every 1d at 23:30"), Retention(last=10), "daily")])
CRITICAL = Strategy(
    "critical",
    [Tier(Schedule("every 15min"), Retention(last=16), "often"), *DAILY.tiers],
    RecoveryVolume(schedule=Schedule("every 1d at 04:00"), zone=f"{US}a"),
)


def assign(sandbox: "Sandbox", folder: Path) -> None:
    """Write strategies into a folder, and let them protect volumes of the demo estate.

    Snapshots that there are of these volumes are marked as taken by them: of one all, of another all but the newest, so
    that some were missed. One server is new to its strategy, and one volume carries the name of one that nobody knows.
    """
    for each in (HOURLY, DAILY, CRITICAL):
        each.save(folder / f"{each.name}.toml")
    us, eu = sandbox.region(US, PRODUCTION), sandbox.region(EU, PRODUCTION)
    _adopt(us, "db-1 data", HOURLY)
    _adopt(us, "files-1 archive", DAILY)
    _adopt(eu, "app-eu root", DAILY, missed=3)
    protect(us.servers.find(name="web-2")[0], DAILY)
    sandbox.region(US, STAGING).volumes.find(name="test-1 root")[0].tag({STRATEGY: "nightly"})


def _adopt(region: "Region", name: str, strategy: Strategy, missed: int = 0) -> None:
    (volume,), (tier,) = region.volumes.find(name=name), strategy.tiers
    protect(volume, strategy)
    found = region.snapshots.find(volume=volume.id, name=f"{name}, {strategy.name}")
    for snapshot in islice(found, missed, None):
        due = tier.schedule.latest(snapshot.taken_at)
        if due is not None:
            snapshot.tag(mark(strategy, [tier.name], due))
