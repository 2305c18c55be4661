"""The speed of listings: to a frame against a bare paginator, and ten regions against one.

The answers are canned, and made before any clock starts, so that neither the cost of a server nor that of reading what
it sent hides ours. Run by ``make bench``: ``python -m tests.bench.bench_listing [snapshots]``.
"""

import gc
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from statistics import median
from time import perf_counter
from typing import Any

import pandas as pd
from dateutil.tz import tzutc

from snapkit.ebs import Estate, Region
from snapkit.sandbox import Sandbox

PAGE = 1000
ROUNDS = 9
START = datetime(2026, 1, 5, tzinfo=tzutc())
LATENCY = 0.1  # [s]


class Canned:
    """A client that answers at once, or after a while, from what it was given."""

    def __init__(self, real: Any, snapshots: int, latency: float = 0.0) -> None:
        self.meta = real.meta
        described = [snapshot(number) for number in range(snapshots)]
        self._pages = [described[first : first + PAGE] for first in range(0, snapshots, PAGE)]
        self._latency = latency

    def describe_snapshots(self, **asked: Any) -> dict[str, Any]:
        """Give a page."""
        time.sleep(self._latency)
        place = int(asked.get("NextToken") or 0)
        more = {"NextToken": str(place + 1)} if place + 1 < len(self._pages) else {}
        return {"Snapshots": self._pages[place], **more}

    def get_caller_identity(self) -> dict[str, str]:
        """Tell whose they are."""
        time.sleep(self._latency)
        return {"Account": "111122223333"}


def snapshot(number: int) -> dict[str, Any]:
    """Describe a snapshot with the tags that snapkit sets and one more, as boto3 does."""
    begun = START + timedelta(minutes=10 * number)
    names = {"Name": f"nightly {number}", "snapkit:group": "db", "snapkit:billing-code": "CC-42", "stage": "production"}
    return {
        "SnapshotId": f"snap-{number:017x}", "VolumeId": f"vol-{number % 50:017x}", "State": "completed",
        "StartTime": begun, "CompletionTime": begun + timedelta(minutes=5), "Progress": "100%", "VolumeSize": 100,
        "OwnerId": "111122223333", "Description": f"snapshot {number}", "Encrypted": False, "StorageTier": "standard",
        "FullSnapshotSizeInBytes": 50 * 2**30 + number,
        "Tags": [{"Key": f"{key}", "Value": f"{value}"} for key, value in names.items()],
    }  # fmt: skip


def bare(client: Canned) -> pd.DataFrame:
    """List as a script does that knows nothing of us: pages into a frame. boto3's own paginator costs a little more."""
    items: list[dict[str, Any]] = []
    token: dict[str, str] = {}
    while True:
        page = client.describe_snapshots(OwnerIds=["self"], MaxResults=PAGE, **token)
        items += page["Snapshots"]
        if "NextToken" not in page:
            return pd.DataFrame(items)
        token = {"NextToken": page["NextToken"]}


def ours(client: Canned) -> pd.DataFrame:
    """List with snapkit."""
    return Region(client).snapshots.find().to_frame()


def seconds(what: Callable[[], object]) -> float:
    """Time one run [s]."""
    gc.collect()
    begin = perf_counter()
    what()
    return perf_counter() - begin


def peak(what: Callable[[], object]) -> int:
    """Tell how much memory one run takes at most [bytes]."""
    gc.collect()
    tracemalloc.start()
    what()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def main(*sizes: int) -> None:
    """Print every figure beside its limit; what is compared was measured in turns."""
    real = Sandbox(start=datetime(2026, 1, 5, tzinfo=UTC)).client("ec2")
    for count in sizes or (10_000, 100_000):
        client = Canned(real, count)
        pairs = [
            (seconds(lambda: ours(client)), seconds(lambda: bare(client)))  # noqa: B023 - run at once
            for _ in range(ROUNDS)
        ]
        ratio = median(mine / theirs for mine, theirs in pairs)
        print(f"listing: {count:,} snapshots to a frame in {ratio:.2f} of a bare loop's time (limit 1.15)")
        memory = peak(lambda: ours(client)) / peak(lambda: bare(client))  # noqa: B023 - run at once
        print(f"listing: {count:,} snapshots to a frame in {memory:.2f} of its memory (limit 1.2)")
        found = Region(client).snapshots.find()
        print(f"listing: the table of {count:,} snapshots in {seconds(found._repr_html_) * 1000:.0f} ms")
    ten = [_region(client) for client in _slow(real, 10)]
    (one,) = [_region(client) for client in _slow(real, 1)]
    pairs = [(seconds(Estate(ten).snapshots.find), seconds(one.snapshots.find)) for _ in range(ROUNDS)]
    ratio = median(mine / theirs for mine, theirs in pairs)
    print(f"listing: ten regions {LATENCY * 1000:.0f} ms away in {ratio:.2f} of the time of one (limit 1.5)")


def _region(client: Canned) -> Region:
    return Region(client, clients=lambda _: client)


def _slow(real: Any, count: int) -> list[Canned]:
    return [Canned(real, 100, LATENCY) for _ in range(count)]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
