"""A footprint table: power laws between points and beyond them."""

import math
import pickle
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.blocks.extrapolation import SPREAD_OF_ALL, Band, Growth
from snapkit.blocks.footprint import Table
from snapkit.errors import InvalidRequest


def test_a_power_law_is_kept_between_and_beyond_the_points() -> None:
    table = Table((d, 3 * d**0.7) for d in (1.0, 10.0, 300.0, 4000.0))
    for interval in (0.01, 1.0, 5.0, 77.7, 4000.0, 1e6):
        assert table(interval) == pytest.approx(3 * interval**0.7, rel=1e-12)
    assert (table.shortest, table.longest) == (1.0, 4000.0)


def test_points_are_met_exactly_and_nothing_changes_in_no_time() -> None:
    table = Table([(60.0, 1.04), (3600.0, 16.21), (86400.0, 94.0)])
    assert [table(d) for d in (0.0, 60.0, 3600.0, 86400.0)] == [0.0, 1.04, 16.21, 94.0]


def test_beyond_the_points_the_slope_of_the_last_quarter_goes_on() -> None:
    table = Table([(1.0, 1.0), (4.0, 4.0), (16.0, 4.0), (64.0, 8.0)])
    assert table(256.0) == pytest.approx(16.0)


def test_slopes_beyond_the_points_stay_within_what_sets_allow() -> None:
    steep = Table([(1.0, 1.0), (2.0, 8.0)])
    assert steep(0.5) == 0.5
    assert steep(4.0) == 16.0
    flat = Table([(1.0, 5.0), (100.0, 5.0)])
    assert flat(1e9) == 5.0


def test_a_dip_is_levelled_and_none_is_as_good_as_nothing() -> None:
    table = Table([(1.0, 0.0), (2.0, 3.0), (3.0, 2.0)])
    assert table(1.0) < 1e-6
    assert table(3.0) == table(2.5) == 3.0


def test_remembered_answers_are_bounded_and_equal() -> None:
    table = Table([(1.0, 1.0), (2.0, 2.0)])
    first = [table(1 + n / 10_000) for n in range(10_000)]
    assert [table(1 + n / 10_000) for n in range(10_000)] == first
    assert math.isclose(pickle.loads(pickle.dumps(table))(1.5), 1.5)  # noqa: S301 - our own bytes


@pytest.mark.parametrize("points", [[], [(1.0, 1.0)], [(1.0, 1.0), (1.0, 2.0)]])
def test_fewer_than_two_intervals_are_refused(points: list[tuple[float, float]]) -> None:
    with pytest.raises(InvalidRequest, match="two or more"):
        Table(points)


def test_two_stretches_laid_end_to_end_follow_the_last_power_law() -> None:
    table = Table([(1.0, 1.0), (100.0, 10.0)])  # the square root of the time
    assert table.joined(table(64.0), table(36.0)) == pytest.approx(10.0)
    assert table.joined(0.0, 7.0) == table.joined(7.0, 0.0) == 7.0
    assert Table([(1.0, 5.0), (100.0, 5.0)]).joined(5.0, 3.0) == 5.0


def test_up_to_the_longest_interval_the_band_is_a_point() -> None:
    table = Table([(1.0, 2.0), (100.0, 40.0)])
    assert [table.band(d) for d in (0.0, 1.0, 100.0)] == [Band(n, n, n) for n in (0.0, 2.0, 40.0)]
    assert len(set(table.band(0.1))) == len(set(table.band(33.0))) == 1


def test_beyond_it_the_band_opens_with_the_factor_by_which_the_interval_is_longer() -> None:
    table = Table([(1.0, 10.0), (100.0, 100.0)])  # the square root of the time
    off = 1.2815515655446004 * SPREAD_OF_ALL
    for longer in (1.5, 10.0, 1000.0):
        expected = [100 * longer**power for power in (0.5 - off, 0.5, 0.5 + off)]
        assert list(table.band(100.0 * longer)) == pytest.approx(expected)


def test_the_growth_that_rows_tell_counts_as_much_as_the_slope() -> None:
    table = Table([(36.0, 10.0), (3600.0, 100.0)], growth=Growth(0.7, 0.0))
    assert table(360_000.0) == pytest.approx(100 * 100**0.6)
    assert table.beyond == pytest.approx((0.6, 0.6, 0.6))
    assert table.beyond_text == (
        "Beyond 1 h the changed blocks grow with the interval to the power 0.60 (80 % band 0.60 to 0.60), "
        "judged by 54 real disks."
    )


def test_a_single_point_goes_on_with_the_growth_both_ways() -> None:
    table = Table([(100.0, 8.0)], most=50.0, growth=Growth(0.5, 0.0))
    assert [table(d) for d in (25.0, 100.0, 400.0, 1e9)] == pytest.approx([4.0, 8.0, 16.0, 50.0])
    assert (table.shortest, table.longest) == (100.0, 100.0)
    with pytest.raises(InvalidRequest, match="two or more"):
        Table([], growth=Growth(0.5, 0.0))


POINTS = st.lists(st.tuples(st.floats(1, 1e5), st.floats(0, 1e4)), min_size=2, max_size=6, unique_by=lambda p: p[0])
GROWTHS = st.none() | st.builds(Growth, st.floats(-0.5, 1.5), st.floats(0, 0.5))


@given(POINTS, GROWTHS, st.floats(1, 1e5), st.lists(st.floats(1, 1e4), min_size=2, max_size=5).map(sorted))
def test_a_band_is_ordered_grows_with_time_and_never_exceeds_the_volume(
    points: list[tuple[float, float]], growth: Growth | None, most: float, longer: list[float]
) -> None:
    table = Table(points, most, growth)
    bands = [table.band(table.longest * each) for each in (1.0, *longer)]
    for low, likely, high in bands:
        assert low <= likely <= high <= max(most, *(count for _, count in points), 1e-9)
        assert likely >= bands[0].likely * (1 - 1e-9)
    for before, after in pairwise(bands):
        assert all(now <= then * (1 + 1e-9) for now, then in zip(before, after, strict=True))


@given(POINTS, GROWTHS, st.floats(1, 1e3))
def test_beyond_the_longest_interval_twice_the_time_changes_at_most_twice_as_much(
    points: list[tuple[float, float]], growth: Growth | None, longer: float
) -> None:
    table = Table(points, growth=growth)
    once, twice = table.band(table.longest * longer), table.band(2 * table.longest * longer)
    assert all(then <= 2 * now * (1 + 1e-9) for now, then in zip(once, twice, strict=True))


@given(POINTS, GROWTHS)
def test_the_band_begins_where_the_measured_range_ends(
    points: list[tuple[float, float]], growth: Growth | None
) -> None:
    table = Table(points, growth=growth)
    just_beyond = table.band(table.longest * (1 + 1e-12))
    assert list(just_beyond) == pytest.approx([table(table.longest)] * 3, rel=1e-9)
