"""Build a workload from a long trace: time against a plain sort of its keys, and memory.

Run by ``make bench``: ``python -m tests.bench.bench_blocks [writes]``.
"""

import sys
import time
import tracemalloc
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from snapkit.blocks import Workload

WRITES = 50_000_000
ROUNDS = 3
BLOCK = 524288
BLOCKS = 2**21  # a volume of 1 TiB


def trace(writes: int) -> pd.DataFrame:
    """Thirty days of single-block writes, spread evenly over a volume: no order that a sort could profit from."""
    random = np.random.default_rng(0)
    columns = {
        "t_us": np.sort(random.integers(0, 30 * 86400 * 10**6, writes)),
        "op": pd.Categorical.from_codes(np.ones(writes, dtype=np.int8), pd.Index(["R", "W"])),
        "off": random.integers(0, BLOCKS, writes) * BLOCK,
        "len": np.full(writes, 4096),
    }
    return pd.DataFrame(columns, copy=False)


def keys(frame: pd.DataFrame) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Pack block and time into one number: what any exact count has to sort at the least."""
    blocks = frame["off"].to_numpy() // BLOCK
    return np.asarray((blocks << 42) | frame["t_us"].to_numpy())


def main(writes: int = WRITES) -> None:
    """Interleave the two, so that a busy machine slows both, then measure memory apart, since tracing costs time."""
    frame = trace(writes)
    sorts, builds = [], []
    for _ in range(ROUNDS):
        unsorted = keys(frame)
        start = time.perf_counter()
        unsorted.sort()
        sorts.append(time.perf_counter() - start)
        del unsorted
        start = time.perf_counter()
        workload = Workload.from_trace(frame)
        builds.append(time.perf_counter() - start)
        del workload
    print(f"{writes:,} writes: sort {median(sorts):.2f} s, build {median(builds):.2f} s")
    print(f"ratio {median(builds) / median(sorts):.2f} (limit 10)")
    tracemalloc.start()
    workload = Workload.from_trace(frame)
    resident, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"bytes a write: {resident / writes:.1f} resident, {peak / writes:.1f} peak (limit 24)")
    start = time.perf_counter()
    hourly = workload.changed("1h")
    print(f"changed('1h') {hourly:,.1f} blocks in {time.perf_counter() - start:.2f} s")
    start = time.perf_counter()
    weekly = workload.footprint("7d")
    print(f"footprint('7d') {weekly:,.1f} blocks in {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
