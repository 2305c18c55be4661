"""The changed blocks of a pair of snapshots, against a loop over boto3's pages.

A volume of 4 TiB with 2,000,000 changes, at an endpoint that answers after 200 ms with 10,000 blocks a page. Run by
``make bench``: ``python -m tests.bench.bench_changes [changes]``.
"""

import sys
import time
from bisect import bisect_left
from datetime import UTC, datetime
from io import BytesIO
from threading import Lock
from time import perf_counter
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import numpy as np
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from snapkit.ebs import Region
from snapkit.ebs.snapshots import Snapshot

CHANGES = 2_000_000
GIB = 4096
BLOCKS = GIB * 2048
LATENCY = 0.2
PAGE = 10_000
TOKEN = "AAUBAfy0Bm2Kk0dIfd8OFMzAd9fEfu3cbnd4mVPbXLBaZaJVjlDnMcoOCDIa"  # noqa: S105 - as long as those of AWS
KEYS = {"aws_access_key_id": "AKIAIOSFODNN7EXAMPLE", "aws_secret_access_key": "none"}
PAIR = {"FirstSnapshotId": "snap-0000000000000000a", "SecondSnapshotId": "snap-0000000000000000b"}


class Endpoint:
    """Answers ListChangedBlocks of real boto3 clients, each request a fifth of a second after it was sent."""

    def __init__(self, changed: list[int]) -> None:
        self._changed = changed
        self._lock = Lock()
        self.sent: list[float] = []

    def client(self, service: str) -> Any:
        """Make a client whose network this is."""
        made = boto3.client(service, "us-east-1", **KEYS)
        made.meta.events.register("before-send.*.*", self._answer)
        return made

    def most_in_a_second(self) -> int:
        """Count the requests in the fullest second."""
        sent = np.sort(self.sent)
        return int((np.searchsorted(sent, sent + 1.0, "left") - np.arange(len(sent))).max())

    def _answer(self, request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        with self._lock:
            self.sent.append(perf_counter())
        asked = {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}
        start = int(asked.get("pageToken") or asked.get("startingBlockIndex") or 0)
        first = bisect_left(self._changed, start)
        page = self._changed[first : first + PAGE]
        tokens = f'"FirstBlockToken":"{TOKEN}","SecondBlockToken":"{TOKEN}"}}'
        listed = ",".join([f'{{"BlockIndex":{block},{tokens}' for block in page])
        more = "" if first + PAGE >= len(self._changed) else f',"NextToken":"{page[-1] + 1}"'
        head = f'"ExpiryTime":1.8e9,"VolumeSize":{GIB},"BlockSize":524288'
        time.sleep(LATENCY)
        return AWSResponse(request.url, 200, {}, _Body(f'{{{head},"ChangedBlocks":[{listed}]{more}}}'.encode()))


class _Body(BytesIO):
    def stream(self, **_: Any) -> Any:
        yield self.read()


def main(changes: int = CHANGES) -> None:
    """Print how much faster it is, and whether it kept within the rate."""
    random = np.random.default_rng(0)
    changed = np.sort(random.choice(BLOCKS, changes, replace=False)).tolist()
    for name, blocks in (("spread evenly", changed), ("in one row", list(range(changes)))):
        endpoint = Endpoint(blocks)
        begin = perf_counter()
        found = snapshot(endpoint, "b").changed_blocks(since=snapshot(endpoint, "a"))
        ours = perf_counter() - begin
        fullest, sent = endpoint.most_in_a_second(), len(endpoint.sent)
        begin = perf_counter()
        looped = loop(endpoint.client("ebs"))
        theirs = perf_counter() - begin
        assert found.blocks.tolist() == looped == blocks
        print(f"changes: {changes:,} {name} in {ours:.1f} s, {theirs / ours:.1f} times as fast as a loop (at least 7)")
        print(f"changes: {sent} requests for {-(-changes // PAGE)} pages, {fullest} in the fullest second (limit 50)")


def snapshot(endpoint: Endpoint, letter: str) -> Snapshot:
    """Make a complete snapshot of the volume."""
    raw = {"SnapshotId": f"snap-0000000000000000{letter}", "VolumeId": "vol-1", "VolumeSize": GIB, "State": "completed"}
    region = Region(endpoint.client("ec2"), clients=endpoint.client)
    return Snapshot(region, raw | {"StartTime": datetime(2026, 1, 1, tzinfo=UTC), "OwnerId": "1", "Encrypted": False})


def loop(ebs: Any) -> list[int]:
    """List the changed blocks as boto3's users do: page by page."""
    found: list[int] = []
    token: dict[str, str] = {}
    while True:
        page = ebs.list_changed_blocks(**PAIR, **token, MaxResults=PAGE)
        found += [each["BlockIndex"] for each in page["ChangedBlocks"]]
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
