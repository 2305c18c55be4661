"""The index of a trace against sets, on small random traces."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit.blocks import Workload
from snapkit.blocks.exact import TraceIndex

SPAN = 40
Touches = list[tuple[int, int]]
touches = st.lists(st.tuples(st.integers(0, SPAN), st.integers(0, 6)), min_size=1, max_size=40).map(sorted)


def index(found: Touches, factor: int = 1) -> TraceIndex:
    times, blocks = (np.array(column, dtype=np.int64) for column in zip(*found, strict=True))
    return TraceIndex(times, blocks * factor, SPAN)


def distinct(found: Touches, a: int, b: int) -> int:
    return len({block for t, block in found if a < t <= b})


@given(touches, st.integers(0, SPAN), st.integers(0, SPAN), st.sampled_from([1, 2**60 + 1]))
def test_distinct_blocks_equal_those_of_sets(found: Touches, a: int, b: int, factor: int) -> None:
    a, b = min(a, b), max(a, b)
    assert index(found, factor).between(a / 1e6, b / 1e6) == distinct(found, a, b)
    assert index(found).distinct == len({block for _, block in found})


@given(touches, st.integers(1, SPAN))
def test_windows_laid_end_to_end_equal_those_of_sets(found: Touches, interval: int) -> None:
    windows = SPAN // interval
    seen = {(t // interval, block) for t, block in found if t < windows * interval}
    assert index(found).changed(interval) == (len(seen), windows)


@given(touches)
def test_the_working_set_is_the_mean_over_all_windows(found: Touches) -> None:
    lengths = np.arange(1.0, SPAN + 1)
    mean = index(found).working_set(lengths)
    for length in range(1, SPAN):
        # Between whole microseconds nothing enters or leaves a window of whole length.
        windows = [distinct(found, start, start + length) for start in range(SPAN - length)]
        assert mean[length - 1] == pytest.approx(np.mean(windows), abs=1e-9)
    assert mean[-1] == len({block for _, block in found})


writes = st.lists(st.tuples(st.integers(0, SPAN), st.integers(0, 300), st.integers(1, 100)), min_size=1).map(sorted)


@settings(max_examples=50)
@given(writes, st.integers(0, SPAN), st.integers(1, 64))
def test_writes_across_blocks_touch_each_of_them(found: list[tuple[int, int, int]], a: int, unit: int) -> None:
    frame = pd.DataFrame(found, columns=["t_us", "off", "len"]).assign(op="W")
    workload = Workload.from_trace(frame, block_size=unit, span=SPAN / 1e6)
    seen = {byte // unit for t, off, length in found if t > a for byte in range(off, off + length)}
    assert workload.changed_between(a / 1e6, workload.span) == len(seen)


def test_chunks_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(3)
    times, lengths = np.sort(random.integers(0, 10**6, 5000)), random.integers(1, 3000, 5000)
    columns = {"t_us": times, "op": random.choice(["R", "W"], 5000), "off": random.integers(0, 10**5, 5000)}
    frame = pd.DataFrame({**columns, "len": lengths})

    def answers() -> list[float]:
        workload = Workload.from_trace(frame, block_size=512)
        return [workload.changed(0.01), workload.changed_between(0.2, 0.7), workload.footprint(0.05)]

    whole = answers()
    # Small chunks, so that few touches already cross from one to the next.
    monkeypatch.setattr("snapkit.blocks.exact._CHUNK", 64)
    monkeypatch.setattr("snapkit.blocks.recording._CHUNK", 64)
    assert answers() == pytest.approx(whole, rel=1e-12)
