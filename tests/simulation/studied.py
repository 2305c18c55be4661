"""The strategies and the volume that the tests of studies compare."""

from typing import Any

import pandas as pd

from simulation import Workload
from snapkit.strategy import Retention, Schedule, Strategy, Tier

WORKLOAD = Workload.profile("workstation", size="100 GiB")


def strategy(name: str, schedule: str, **keep: Any) -> Strategy:
    """Make one of one tier."""
    return Strategy(name, [Tier(Schedule(schedule), Retention(**keep))])


HOURLY = strategy("hourly", "every 1h", last=24)
HOURLY_DEEP = strategy("hourly, deep", "every 1h", last=24, daily=30)
DAILY = strategy("daily", "every 1d", daily=60)
STRATEGIES = [HOURLY, HOURLY_DEEP, DAILY]
VOLUMES = {"db": Workload.profile("workstation", size="50 GiB"), "web": Workload.profile("workstation")}


def figures(frame: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Give the figures of each strategy by name."""
    return {str(name): {str(key): float(value) for key, value in row.items()} for name, row in frame.iterrows()}
