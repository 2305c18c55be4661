"""The speed of the runner: an estate of 200 volumes, daily with the last seven kept, for thirty simulated days.

Run by ``make bench``: ``python -m tests.bench.bench_automation [volumes] [days]``.
"""

import sys
from time import perf_counter

from snapkit import Sandbox
from snapkit.automation import run
from snapkit.automation.managed import STRATEGY
from snapkit.strategy import Retention, Schedule, Strategy, Tier

DAILY = Strategy("daily", [Tier(Schedule("every 1d"), Retention(last=7), "daily")])
LONGEST = 60  # [s]


def main(volumes: int = 200, days: int = 30) -> None:
    """Print the time that it takes beside its limit; what is left is asserted."""
    with Sandbox() as sandbox:
        region = sandbox.region()
        for _ in range(volumes):
            region.volumes.create("us-east-1a", "2 GiB", tags={STRATEGY: DAILY.name})
        begin = perf_counter()
        for _ in range(days):
            ran = run(DAILY, region, apply=True)
            assert ran.status == 0
            assert ran.next_due is not None
            region.clock.sleep((ran.next_due - region.clock.now()).total_seconds())
        took = perf_counter() - begin
        kept = len(region.snapshots.find())
        # The last seven complete ones of each, and that which was taken in the same step in which the oldest went.
        assert kept == volumes * min(days, 8), kept
    print(f"automation: {days} days of {volumes} volumes, {kept:,} snapshots left, in {took:.0f} s (limit {LONGEST})")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
