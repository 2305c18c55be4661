"""The speed of the sandbox: listings against those of stock moto, filling, the clock, and memory.

Run by ``make bench``: ``python -m tests.bench.bench_sandbox [snapshots]``.
"""

import sys
import tracemalloc
from statistics import mean, median
from time import perf_counter
from typing import Any

import boto3
import numpy as np
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ec2.models import ec2_backends

from snapkit import Sandbox

SNAPSHOTS = 10_000
TAGS = {"team": "storage", "stage": "production", "policy": "hourly"}
ROUNDS = 3
ZONE = "us-east-1a"
BLOCKS = 2**21  # a volume of 1 TiB


def main(snapshots: int = SNAPSHOTS) -> None:
    """Print every figure beside its limit; what is compared was measured in turns."""
    theirs, ours, filling = [], [], []
    with mock_aws():
        stock = boto3.client("ec2", "us-east-1")
        fill_moto(stock, snapshots)
        for _ in range(ROUNDS):
            client, seconds = filled(snapshots)
            filling.append(seconds)
            theirs.append(listing(stock, snapshots))
            ours.append(listing(client, snapshots))
    ratio = median(ours) / median(theirs)
    print(f"sandbox: {snapshots:,} snapshots of 3 tags listed in {ratio:.2f} of moto's time untagged (limit 1.3)")
    print(f"sandbox: filled in {median(filling) / median(theirs):.3f} of moto's time (limit 0.1)")
    many, _ = filled(10 * snapshots)
    # As many pages of both: the garbage collector comes by once or twice in 10 pages, and goes through the whole heap.
    before = [listing(client, snapshots) for _ in range(5)]
    long = listing(many, 10 * snapshots)
    after = [listing(client, snapshots) for _ in range(5)]
    print(f"sandbox: 10 times as many listed in {long / mean(before + after):.1f} times (limit 11)")
    del client, many
    print(
        f"sandbox: a month of the demo, with hourly snapshots, passes {speed():,.0f} times as fast (at least 100,000)"
    )
    print(f"sandbox: bytes a snapshot: {memory_filled(snapshots):,.0f} with 3 tags and no changes")
    print(f"sandbox: bytes a snapshot: {memory_changed():,.0f} where 1 % of 1 TiB changed (limit {128 * 1024:,})")


def volume(client: Any, gib: int = 8) -> str:
    """Create a volume; returns its id."""
    return str(client.create_volume(AvailabilityZone=ZONE, Size=gib, VolumeType="gp3")["VolumeId"])


def fill_moto(client: Any, snapshots: int) -> None:
    """Give moto a past without its API, which takes 2 ms a call."""
    made = volume(client)
    backend = ec2_backends[DEFAULT_ACCOUNT_ID]["us-east-1"]
    for _ in range(snapshots):
        backend.create_snapshot(made, "")


def filled(snapshots: int) -> tuple[Any, float]:
    """Make a sandbox with a past; returns a client of it, and how long [s] the filling took."""
    sandbox = Sandbox()
    client = sandbox.client("ec2")
    made = volume(client)
    begin = perf_counter()
    sandbox.fill(made, snapshots, every="10min", tags=TAGS)
    return client, perf_counter() - begin


def listing(client: Any, snapshots: int) -> float:
    """Time one listing in pages of 1,000 [s]."""
    pages = client.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], PaginationConfig={"PageSize": 1000})
    begin = perf_counter()
    found = sum(each["State"] == "completed" for page in pages for each in page["Snapshots"])
    elapsed = perf_counter() - begin
    # moto lists the snapshots of other owners' images too.
    assert found >= snapshots, found
    return elapsed


def speed() -> float:
    """Tell how many seconds pass in the demo to one outside, while a volume of it is backed up every hour."""
    sandbox = Sandbox.demo()
    client = sandbox.client("ec2")
    volumes = client.describe_volumes()["Volumes"]
    hours = 30 * 24
    begin = perf_counter()
    for hour in range(hours):
        client.create_snapshot(VolumeId=volumes[hour % len(volumes)]["VolumeId"])
        sandbox.clock.advance("1h")
    return hours * 3600 / (perf_counter() - begin)


def memory_filled(snapshots: int) -> float:
    """Tell what a snapshot of an unchanged volume takes [bytes]."""
    sandbox = Sandbox()
    made = volume(sandbox.client("ec2"))
    tracemalloc.start()
    sandbox.fill(made, snapshots, every="10min", tags=TAGS)
    resident, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return resident / snapshots


def memory_changed(snapshots: int = 10) -> float:
    """Tell what a snapshot takes [bytes] where 1 % of a TiB changed, in runs of 64 MiB."""
    sandbox, random = Sandbox(), np.random.default_rng(0)
    client = sandbox.client("ec2")
    made = volume(client, 1024)
    sandbox.write(made, 0, BLOCKS)
    before = 0
    for number in range(snapshots + 1):
        for run in random.choice(BLOCKS // 128, BLOCKS // 100 // 128, replace=False).tolist():
            sandbox.write(made, run * 128, 128)
        client.create_snapshot(VolumeId=made)
        sandbox.clock.advance("12h")
        if number == 0:
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
    resident, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (resident - before) / snapshots


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
