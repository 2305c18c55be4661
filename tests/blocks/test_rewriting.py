"""Workloads that are rewritten at some moments: by hand, by the laws of sets, and block by block."""

import pickle
from functools import cache
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.units import DAY, GIB, HOUR

BLOCK = 524288
MOMENTS = st.lists(st.floats(0, 60.0 * DAY), min_size=3, max_size=3).map(sorted)


@cache
def disk() -> Workload:
    return Workload.profile("workstation", "1 GiB")


@cache
def trace() -> Workload:
    """A write every minute of an hour, of two blocks in turn."""
    times = [minute * 60 * 10**6 for minute in range(1, 61)]
    frame = pd.DataFrame({"t_us": times, "op": "W", "off": [0, BLOCK] * 30, "len": 512})
    return Workload.from_trace(frame, span="1h")


def test_all_blocks_change_where_all_are_rewritten() -> None:
    workload = disk().rewritten("2d")
    assert workload.changed_between("1d", "2d") == 2048
    assert workload.changed_between("2d", "3d") == disk().changed("1d")
    assert workload.changed_between("47h", "49h") == 2048
    assert workload.changed_between("2d", "2d") == 0
    assert workload.allocated("3d") == 2048
    assert not workload.stationary


def test_of_the_rest_changes_what_changes_otherwise() -> None:
    usual = disk().changed("4h")
    for moments in ("2d", ["2d", "50h"], (1, "49h", 48 * HOUR)):
        workload = disk().rewritten(moments, share=0.25)
        # The same quarter at each of the moments.
        assert workload.changed_between("47h", "51h") == pytest.approx(512 + 0.75 * usual)


def test_what_was_added_before_is_rewritten_and_what_is_added_later_is_new() -> None:
    still = Workload.from_table({"1h": 0.0, "1d": 0.0}, None, "10 GiB")
    workload = still.growing("1 GiB").rewritten("10d")
    assert workload.changed_between("9d", "10d") == pytest.approx(20 * 2048)
    assert workload.changed_between("9d", "12d") == pytest.approx(22 * 2048)
    assert workload.changed_between("10d", "12d") == pytest.approx(2 * 2048)
    # The other way round only what was there from the beginning is rewritten.
    assert still.rewritten("10d").growing("1 GiB").changed_between("9d", "12d") == pytest.approx(13 * 2048)


@given(MOMENTS, st.sampled_from([0.2, 1.0]), st.lists(st.floats(1, 60.0 * DAY), min_size=1, max_size=3), st.booleans())
def test_counts_obey_the_laws_of_sets(moments: list[float], share: float, at: list[float], grows: bool) -> None:
    for known in (disk(), trace()):
        workload = (known.growing("100 MiB") if grows else known).rewritten(at, share)
        a, b, c = moments
        changed, enough = workload.changed_between, 1 + 1e-9
        whole, before, after = changed(a, c), changed(a, b), changed(b, c)
        assert max(before, after) <= whole * enough
        assert whole <= (before + after) * enough
        assert whole <= workload.allocated(c) * enough


def test_the_mean_over_a_trace_counts_the_rewrites_in_it() -> None:
    workload = trace().rewritten(["20min", "25min", "70min"])
    # Of six windows of ten minutes one has two rewrites in it: 2,048 blocks instead of 2.
    assert trace().changed("10min") == 2
    assert workload.changed("10min") == pytest.approx((5 * 2 + 2048) / 6)
    assert workload.footprint("10min") == trace().footprint("10min")
    assert workload.changed("2h") == trace().changed("2h")
    curve = workload.curve(["10min", "2h"])
    assert curve["source"].tolist() == ["assumed", "modelled"]
    assert curve["windows"].tolist() == [6, 0]


def test_only_windows_with_a_rewrite_are_assumed() -> None:
    workload = trace().rewritten("30min", 0.5)
    assert workload.provenance("0min", "29min") == "measured"
    assert workload.provenance("29min", "30min") == "assumed"
    assert workload.provenance("30min", "1h") == "measured"
    assert workload.provenance("1h", "2h") == "modelled"
    assert "0.5 of the allocated blocks are written at once at 30 min" in workload.assumptions[-1]
    shown = "<Workload 'trace, rewritten': 1,025 distinct blocks of 512 KiB in 1 h>"
    assert repr(workload) == repr(pickle.loads(pickle.dumps(workload))) == shown  # noqa: S301 - our own bytes


def test_it_is_written_down_block_by_block() -> None:
    fitted = Workload.from_rates(pd.Series(1e7, index=pd.date_range("2026-03-02", periods=48, freq="h")), "10 GiB")
    workload = fitted.growing("1 GiB").rewritten(["36h", "3d"], share=0.5)
    counted = Workload.from_trace(workload.to_trace("2d"), span="2d")
    for a, b in ((0, 35 * HOUR), (35 * HOUR, 36 * HOUR), (30 * HOUR, 42 * HOUR), (36 * HOUR, 37 * HOUR)):
        assert counted.changed_between(a, b) == pytest.approx(workload.changed_between(a, b), rel=0.1)
    # The minute that ends with the rewrite writes some blocks outside of it, too.
    assert counted.changed_between(36 * HOUR - 1, 36 * HOUR) == pytest.approx(11.5 * GIB / BLOCK / 2, abs=30)


def test_paths_are_those_of_what_is_rewritten() -> None:
    fitted = Workload.from_rates(pd.Series(1e7, index=pd.date_range("2026-03-02", periods=48, freq="h")), "10 GiB")
    path = fitted.rewritten("9d", 0.5).sampled(4, 2)
    assert path.changed_between("3d", "4d") == fitted.sampled(4, 2).changed_between("3d", "4d")
    once = disk().rewritten("9d")
    assert once.sampled(4, 2) is once


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([],), r"at \[\] names no moment; give one, such as '30d'"),
        ((None,), "at None is not a time span"),
        ((["1d", "soon"],), "at 'soon' is not a time span"),
        ((0,), "at 0 is not a positive, finite time span"),
        (("1d", 0), "share 0 is no share above 0 and up to 1; give 1 for all"),
        (("1d", 1.01), "share 1.01 is no share"),
        (("1d", float("nan")), "share nan is no share"),
        (("1d", True), "share True is no share"),
        (("1d", "half"), "share 'half' is no share"),
    ],
)
def test_rewrites_that_cannot_be_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        disk().rewritten(*arguments)


def test_what_is_added_lies_behind_the_part_that_is_rewritten() -> None:
    """By hand: of 200 blocks half are rewritten at noon, and 200 are added in the day, of which none lies there."""
    still = Workload.from_table({"1h": 0, "1d": 0}, None, "100 MiB")
    assert still.growing("100 MiB").rewritten("12h", share=0.5).changed_between("0s", "24h") == 150 + 200
