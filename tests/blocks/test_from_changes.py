"""A workload from what changed between snapshots."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.units import DAY, GIB, HOUR


def history(*rows: tuple[float, float], **attrs: Any) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["interval_s", "changed_blocks"])
    frame.attrs.update(attrs)
    return frame


def test_rows_of_about_equal_interval_are_averaged() -> None:
    workload = Workload.from_changes(history((HOUR, 10), (1.05 * HOUR, 20), (DAY, 100), (DAY, 120)))
    assert workload.footprint(1.025 * HOUR) == pytest.approx(15)
    assert workload.footprint("1d") == pytest.approx(110)


@given(st.floats(0.2, 0.9), st.floats(1, 100))
def test_the_law_that_made_the_table_is_found_between_its_rows(power: float, blocks: float) -> None:
    rows = [(hours * HOUR, blocks * hours**power) for hours in (1, 4, 24)]
    workload = Workload.from_changes(history(*rows), size="64 TiB")
    for hours in (2, 10, 20):
        assert workload.footprint(hours * HOUR) == pytest.approx(blocks * hours**power, rel=1e-6)


def test_it_is_what_from_table_makes_of_the_same_points() -> None:
    table = Workload.from_table({"1h": 10, "4h": 25, "1d": 60}, None, "10 GiB")
    workload = Workload.from_changes(history((DAY, 60), (HOUR, 10), (4 * HOUR, 25)), size="10 GiB")
    intervals = np.geomspace(60, 10 * DAY, 30)
    assert [workload.footprint(each) for each in intervals] == [table.footprint(each) for each in intervals]
    assert workload.span == table.span


def test_provenance_is_measured_within_the_intervals_and_modelled_beyond() -> None:
    workload = Workload.from_changes(history((HOUR, 10), (DAY, 100)))
    assert workload.provenance(0, "2h") == "measured"
    assert workload.provenance(0, "2d") == "modelled"
    assert workload.provenance(0, "10min") == "modelled"


def test_estimated_changes_make_a_modelled_workload() -> None:
    frame = history((HOUR, 10), (DAY, 100)).assign(source=["measured", "modelled"])
    workload = Workload.from_changes(frame)
    assert workload.provenance(0, "2h") == "modelled"
    assert "Some of the changes were estimated from a sample of the blocks." in workload.assumptions
    assert set(workload.curve()["source"]) == {"modelled"}


def test_size_is_given_or_what_the_history_says_or_assumed() -> None:
    rows = ((HOUR, 10), (DAY, 3000))
    assert Workload.from_changes(history(*rows), size="5 GiB").size == 5 * GIB
    assert Workload.from_changes(history(*rows, size_bytes=7 * GIB)).size == 7 * GIB
    assumed = Workload.from_changes(history(*rows))
    assert assumed.size == 2 * GIB
    assert any("give size=" in each for each in assumed.assumptions)


def test_it_tells_where_its_figures_come_from() -> None:
    workload = Workload.from_changes(history((HOUR, 10), (DAY, 100), volume="vol-1", size_bytes=GIB))
    assert workload.source == "changed blocks of 2 pairs of snapshots over 25 h"
    assert workload.name == "changes of vol-1"


@pytest.mark.parametrize("rows", [(), ((HOUR, 10),), ((HOUR, 10), (HOUR, 12), (1.05 * HOUR, 9))])
def test_fewer_than_two_intervals_are_refused_with_the_remedy(rows: tuple[tuple[float, float], ...]) -> None:
    with pytest.raises(InvalidRequest, match="add snapshots that lie further apart"):
        Workload.from_changes(history(*rows))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"interval_s": [1, 2]}), "has no column changed_blocks"),
        ({"interval_s": 1}, "has no column interval_s"),
        (history((HOUR, -1), (DAY, 1)), "changed_blocks -1.0 is below 0"),
        (history((0, 1), (DAY, 1)), "interval_s 0.0 is not above 0"),
        (history((HOUR, float("nan")), (DAY, 1)), "is no number"),
        (pd.DataFrame({"interval_s": ["x", "y"], "changed_blocks": [1, 2]}), "interval_s 'x' is no number"),
    ],
)
def test_tables_that_cannot_be_are_refused(frame: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        Workload.from_changes(frame)


def test_a_size_that_holds_less_than_changed_is_refused() -> None:
    frame = history((HOUR, 10), (DAY, 5000))
    with pytest.raises(InvalidRequest, match=r"size '1 GiB' is less than the 2\.44 GiB that changed in one interval"):
        Workload.from_changes(frame, size="1 GiB")
    assert Workload.from_changes(frame, size="3 GiB").changed("30d") <= 6144


def hourly(rows: int, each: float = 10.0) -> pd.DataFrame:
    return history(*[(HOUR, each)] * rows)


def test_one_interval_is_enough_where_its_rows_tell_how_it_goes_on() -> None:
    workload = Workload.from_changes(hourly(168), size="64 TiB")
    assert workload.footprint_band("1h") == (10, 10, 10)
    low, likely, high = workload.footprint_band("100h")
    assert likely == pytest.approx(10 * 100**0.5676)
    assert likely / low == pytest.approx(high / likely) == pytest.approx(100 ** (1.2815515655446004 * 0.1196))
    assert workload.footprint("100h") == likely
    assert workload.footprint("15min") == pytest.approx(10 / 4**0.5676)
    assert [workload.provenance(0, each) for each in ("15min", "1h", "100h")] == ["modelled", "measured", "modelled"]


def test_a_workload_says_how_it_goes_on_where_its_rows_tell() -> None:
    assert Workload.from_changes(hourly(168), size="1 TiB").assumptions[-1] == (
        "Beyond 1 h the changed blocks grow with the interval to the power 0.57 (80 % band 0.41 to 0.72), "
        "judged by 54 real disks."
    )
    assert len(Workload.from_changes(history((HOUR, 10), (DAY, 100)), size="1 TiB").assumptions) == 1


def test_writes_tell_more_of_how_it_goes_on() -> None:
    rows = hourly(168)
    for writes, power in ((10, 0.6245), (20, 0.6245 - 0.0587 * np.log(2)), (1e9, 0.6245 - 0.0587 * np.log(8.2501))):
        workload = Workload.from_changes(rows.assign(written_blocks=writes), size="64 TiB")
        assert workload.footprint("100h") == pytest.approx(10 * 100**power)


def test_the_longest_interval_with_rows_enough_tells_how_it_goes_on() -> None:
    even, uneven = [(HOUR, 10.0)] * 168, [(2 * HOUR, 2.0), (2 * HOUR, 34.0)] * 84
    day = [(DAY, 100.0)]
    known = Workload.from_changes(history(*even, *uneven, *day), size="64 TiB")
    slope = np.log(100 / known.footprint("6h")) / np.log(4)
    rows = 0.5676 + 0.0921 * np.log(1 + (16 / 18) ** 2)
    assert known.footprint("10d") == pytest.approx(100 * 10 ** ((slope + rows) / 2))


def test_without_rows_enough_the_last_slope_goes_on_with_a_wider_band() -> None:
    few = Workload.from_changes(history((HOUR, 10), (4 * HOUR, 20)), size="64 TiB")
    low, likely, high = few.footprint_band("400h")
    assert likely == pytest.approx(200)
    assert high / likely == pytest.approx(likely / low) == pytest.approx(100 ** (1.2815515655446004 * 0.1597))


def test_a_band_never_exceeds_the_volume() -> None:
    assert Workload.from_changes(hourly(168), size="1 GiB").footprint_band("99999d") == (2048, 2048, 2048)


@pytest.mark.parametrize("rows", [1, 23])
def test_one_interval_with_few_rows_is_refused(rows: int) -> None:
    with pytest.raises(InvalidRequest, match="nothing follows for others unless one has 24 rows"):
        Workload.from_changes(hourly(rows).assign(written_blocks=100))


def test_one_interval_in_which_nothing_ever_changed_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="nothing follows"):
        Workload.from_changes(hourly(168, each=0.0))


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (float("nan"), "is no number; give a frame such as volume.change_history()"),
        (-3, "written_blocks -3.0 is below 0"),
        (9, "'1,512 in all' are fewer than the 1,680 changed ones, and each was written once at least"),
    ],
)
def test_writes_that_cannot_be_are_refused(written: float, words: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        Workload.from_changes(hourly(168).assign(written_blocks=written))
    assert words in str(refused.value)


@pytest.mark.parametrize("interval", [float("nan"), -1, "soon"])
def test_a_band_of_no_interval_is_refused(interval: Any) -> None:
    with pytest.raises(InvalidRequest, match="interval"):
        Workload.profile("workstation").footprint_band(interval)


def test_every_workload_has_a_band() -> None:
    profile = Workload.profile("workstation")
    assert profile.footprint_band("96h") == (221, 221, 221)
    low, likely, high = profile.footprint_band("1w")
    assert 221 < low < likely == profile.footprint("1w") < high < 639
