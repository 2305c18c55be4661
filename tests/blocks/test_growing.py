"""Workloads that grow: what is added comes on top of what is rewritten, in counts and block by block."""

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

from snapkit.blocks import Lineage, Workload
from snapkit.errors import InvalidRequest
from snapkit.units import DAY, GIB, HOUR

BLOCK = 524288


def rates() -> Workload:
    """100 MB an hour, every day, on a volume of 1 GiB."""
    times = pd.date_range("2026-03-02", periods=3 * 24, freq="h")
    return Workload.from_rates(pd.Series(1e8, index=times), "1 GiB")


def test_new_blocks_come_on_top_of_what_is_rewritten() -> None:
    disk = Workload.profile("workstation", "1 GiB")
    workload = disk.growing("12 GiB")
    assert workload.changed_between("5h", "7h") == pytest.approx(disk.changed("2h") + 2048)
    assert workload.changed("2h") == pytest.approx(disk.changed("2h") + 2048)
    assert workload.footprints(np.array([7200.0])).tolist() == [workload.footprint("2h")]
    assert workload.stationary
    assert (workload.size, workload.allocated(0), workload.allocated("1d")) == (GIB, 2048, 13 * 2048)


def test_its_band_is_that_of_what_is_rewritten_and_as_much_wide() -> None:
    disk = Workload.profile("workstation", "1 GiB")
    before, after = disk.footprint_band("30d"), disk.growing("1 GiB").footprint_band("30d")
    assert np.subtract(after, before).tolist() == pytest.approx([30 * 2048] * 3)


def test_nothing_is_counted_twice_and_nothing_is_lost_when_snapshots_go() -> None:
    still = Workload.from_table({"1h": 0.0, "1d": 0.0}, None, "10 GiB")
    workload = still.growing("1 GiB")
    lineage = Lineage(workload.changed_between, workload.allocated)
    for day in range(30):
        lineage.add(float(day * DAY))
    for day in (0, 3, 7, 1, 28):
        lineage.delete(float(day * DAY))
        assert lineage.stored == pytest.approx(39 * 2048)


def test_never_more_changes_than_is_there() -> None:
    workload = Workload.profile("workstation").growing("1 GiB")
    for days in (1, 100, 10_000):
        assert workload.changed_between(0.0, days * float(DAY)) <= workload.allocated(days * float(DAY))


def test_growth_is_assumed_and_says_so() -> None:
    disk = Workload.profile("workstation")
    workload = disk.growing("500 MiB")
    assert workload.provenance(0, "1h") == "assumed"
    assert set(workload.curve()["source"]) == set(workload.table["source"]) == {"assumed"}
    assert workload.source == disk.source
    assert workload.assumptions[:-1] == disk.assumptions
    assert workload.assumptions[-1].startswith("500 MiB of new data a day are appended evenly")
    shown = "<Workload 'workstation, growing by 500 MiB a day': 4,221 distinct blocks of 512 KiB in 4 d>"
    assert repr(workload) == repr(pickle.loads(pickle.dumps(workload))) == shown  # noqa: S301 - our own bytes


def test_paths_are_those_of_what_is_rewritten() -> None:
    fitted = rates()
    workload, new = fitted.growing("1 GiB"), 2048 / DAY
    a, b = 5.0 * DAY, 9.0 * DAY
    assert not workload.stationary
    path = workload.sampled(7, 3)
    assert path.changed_between(a, b) == fitted.sampled(7, 3).changed_between(a, b) + new * (b - a)
    assert path.allocated(a) == workload.allocated(a)
    disk = Workload.profile("workstation").growing("1 GiB")
    assert disk.sampled(7, 3) is disk


def test_new_blocks_are_written_down_behind_the_others() -> None:
    frame = rates().growing("24 GiB").to_trace("2d")
    new = frame[frame["off"] >= GIB]
    assert (new["off"] // BLOCK).tolist() == list(range(2048, 2048 + 48 * 2048))
    assert (new["len"] == BLOCK).all()
    assert (new["t_us"] <= HOUR * 10**6).sum() == 2048
    assert frame["t_us"].is_monotonic_increasing
    assert frame["op"].iloc[-1] == "R"


@pytest.mark.parametrize(
    ("grow", "message"),
    [
        (lambda disk: disk.growing(0), "per_day 0 is not a positive size"),
        (lambda disk: disk.growing("-1 GiB"), "per_day '-1 GiB' is not a size"),
        (lambda disk: disk.growing(True), "per_day True is not a size"),
        (lambda disk: disk.growing("1 GiB").growing("1 GiB"), "which grows already; add the two up"),
        (lambda disk: disk.growing("1 GiB").allocated(-1.0), "t -1.0 is not a moment from 0 up"),
        (lambda disk: disk.allocated(float("nan")), "t nan is not a moment"),
        (lambda disk: disk.growing("1 GiB").changed_between(2.0, 1.0), "b 1.0 is before a, 2.0"),
        (
            lambda disk: disk.growing("1 GiB").to_trace("1d"),
            "workload 'workstation' tells how many .*; use Workload.fit",
        ),
    ],
)
def test_growth_that_cannot_be_is_refused(grow: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        grow(Workload.profile("workstation"))
