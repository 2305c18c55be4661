"""A footprint table: power laws between points and beyond them."""

import math
import pickle

import pytest

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
