"""The speed of the runner: an estate of 200 volumes, daily with the last seven kept, for thirty simulated days.

Run by ``make bench``: ``python -m tests.bench.bench_automation [volumes] [days]``.
"""

import sys
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from time import perf_counter
from typing import Any

from snapkit import Sandbox
from snapkit.automation import Run, run
from snapkit.automation.managed import STRATEGY
from snapkit.ebs import Region
from snapkit.strategy import Retention, Schedule, Strategy, Tier

KEPT = 7
DAILY = Strategy("daily", [Tier(Schedule("every 1d"), Retention(last=KEPT), "daily")])
LONGEST = 60  # [s]


def main(volumes: int = 200, days: int = 30) -> None:
    """Print what it takes beside a loop by hand, measured in turns, and beside its limit."""
    with Sandbox() as sandbox, Sandbox() as other:
        region, there = filled(sandbox, volumes), filled(other, volumes)
        ours = theirs = 0.0
        for _ in range(days):
            ours += seconds(lambda: a_day(region))
            theirs += seconds(lambda: a_day_by_hand(there))
        # The last seven complete ones of each, and that which was taken in the same step in which the oldest went.
        assert [len(each.snapshots.find()) for each in (region, there)] == [volumes * min(days, KEPT + 1)] * 2
    print(f"automation: {days} days of {volumes} volumes in {ours / theirs:.2f} of a loop's time by hand (limit 2)")
    print(f"automation: that was {ours:.0f} s (limit {LONGEST} for 30 days of 200 volumes)")


def filled(sandbox: Sandbox, volumes: int) -> Region:
    """Make volumes to protect."""
    region = sandbox.region()
    for _ in range(volumes):
        region.volumes.create("us-east-1a", "2 GiB", tags={STRATEGY: DAILY.name})
    return region


def a_day(region: Region) -> Run:
    """Run the strategy, and let time pass until it is due again."""
    ran = run(DAILY, region, apply=True)
    assert (ran.status, ran.next_due is None) == (0, False)
    region.clock.sleep((ran.next_due or region.clock.now()) - region.clock.now())
    return ran


def a_day_by_hand(region: Region) -> None:
    """Do the same with boto3 alone, as a script does that checks nothing, and let a day pass."""
    client = region.aws.client
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": STRATEGY, "Value": DAILY.name}]}]
    mine = [{"Name": f"tag:{STRATEGY}", "Values": [DAILY.name]}]
    protected, taken = listed(client, "volumes", Filters=mine), defaultdict[str, list[Any]](list)
    for each in listed(client, "snapshots", Filters=mine, OwnerIds=["self"]):
        taken[each["VolumeId"]].append(each)
    for volume in protected:
        while True:
            try:
                client.create_snapshot(VolumeId=volume["VolumeId"], TagSpecifications=tags)
                break
            except client.exceptions.ClientError:  # as many are pending as AWS allows
                region.clock.sleep("30s")
        for each in sorted(taken[volume["VolumeId"]], key=lambda each: each["StartTime"])[:-KEPT]:
            client.delete_snapshot(SnapshotId=each["SnapshotId"])
    region.clock.sleep(timedelta(days=1))


def listed(client: Any, noun: str, **asked: Any) -> list[dict[str, Any]]:
    """List all pages."""
    pages = client.get_paginator(f"describe_{noun}").paginate(**asked, PaginationConfig={"PageSize": 1000})
    return [each for page in pages for each in page[noun.capitalize()]]


def seconds(what: Callable[[], object]) -> float:
    """Time one run [s]."""
    begin = perf_counter()
    what()
    return perf_counter() - begin


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
