"""A timing fitted to how long snapshots took."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snapkit import InvalidRequest, Timing
from snapkit.timing import PUBLISHED, Doubt

SIZES = [50e9, 200e9, 1024e9]
SECONDS = [20 * 60.0, 100 * 60.0, 350 * 60.0]


def test_the_published_points_give_back_the_defaults() -> None:
    fitted = Timing.fit(SIZES, SECONDS, latency=180)
    assert fitted.latency == 180
    assert fitted.rate == pytest.approx(Timing().rate, rel=0.03)
    assert fitted.spread == pytest.approx(Timing().spread, abs=0.02)


@settings(deadline=None, max_examples=50)
@given(st.floats(10, 900), st.floats(1e7, 5e8), st.integers(0, 2**32))
def test_what_made_the_durations_is_found(latency: float, rate: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    sizes = np.concatenate([latency * rate * 10 ** random.uniform(-2, 2, 200)])
    seconds = (latency + sizes / rate) * np.exp(0.1 * random.standard_normal(200))
    fitted = Timing.fit(sizes, seconds)
    assert fitted.latency == pytest.approx(latency, rel=0.15)
    assert fitted.rate == pytest.approx(rate, rel=0.15)
    assert fitted.spread == pytest.approx(0.1, rel=0.3)


def test_exact_durations_leave_no_spread() -> None:
    truth = Timing(latency=60, rate=1e8, spread=0)
    sizes = [1e9, 1e10, 1e11]
    fitted = Timing.fit(sizes, [truth.seconds(each) for each in sizes])
    assert fitted.latency == pytest.approx(60, rel=1e-3)
    assert fitted.rate == pytest.approx(1e8, rel=1e-3)
    assert fitted.spread < 1e-3


def test_one_snapshot_that_hung_for_a_day_changes_little() -> None:
    truth = Timing(latency=60, rate=1e8)
    sizes = np.geomspace(1e8, 1e12, 30)
    seconds = np.array([truth.seconds(each) for each in sizes])
    seconds[3] = 86400
    fitted = Timing.fit(sizes, seconds)
    assert fitted.latency == pytest.approx(60, rel=0.15)
    assert fitted.rate == pytest.approx(1e8, rel=0.15)


def test_snapshots_of_one_size_keep_the_default_latency_and_say_so() -> None:
    fitted = Timing.fit([1e9] * 3, [400, 410, 420])
    assert fitted.latency == Timing().latency
    assert fitted.seconds(1e9) == pytest.approx(410, rel=1e-3)
    assert fitted.basis.endswith("latency and rate cannot be told apart: the latency is the default")


def test_tiny_snapshots_of_one_size_keep_the_default_rate_and_say_so() -> None:
    fitted = Timing.fit([1e6] * 3, [40, 41, 42])
    assert fitted.rate == Timing().rate
    assert fitted.seconds(1e6) == pytest.approx(41, rel=1e-3)
    assert "the rate is the default" in fitted.basis


def test_one_size_that_was_faster_than_both_defaults_has_no_latency() -> None:
    fitted = Timing.fit([43.6e9] * 3, [100, 100, 100])
    assert fitted.latency == 0
    assert fitted.rate == pytest.approx(43.6e7)
    assert "the latency is taken to be none" in fitted.basis


def test_empty_snapshots_with_a_known_latency_keep_the_default_rate() -> None:
    fitted = Timing.fit([0, 0, 0], [100, 100, 100], latency="100s")
    assert (fitted.latency, fitted.rate) == (100, Timing().rate)
    assert fitted.spread == pytest.approx(0)
    assert "the rate is the default" in fitted.basis


def test_neither_latency_nor_rate_is_ever_negative() -> None:
    faster_when_larger = Timing.fit([1e9, 1e10, 1e11], [1000, 500, 100])
    assert faster_when_larger.latency >= 0
    assert faster_when_larger.rate > 0
    assert math.isfinite(faster_when_larger.seconds(1e12))
    proportional = Timing.fit([1e9, 1e10, 1e11], [1, 20, 400])
    assert proportional.latency >= 0


@pytest.mark.parametrize("seconds", [[300, 200, 100], [100, 100, 100], [205, 190, 195]])
def test_larger_ones_that_took_no_longer_have_an_infinite_rate_and_it_says_so(seconds: list[float]) -> None:
    fitted = Timing.fit([1e9, 2e9, 3e9], seconds)
    assert fitted.rate == math.inf
    assert fitted.latency == pytest.approx(np.exp(np.log(seconds).mean()), rel=0.1)
    assert fitted.seconds(1e12) == fitted.latency
    assert fitted.sampled(1).rate == math.inf
    assert fitted.basis == "fitted to 3 snapshots; larger ones took no longer: the rate is infinite"


def test_snapshots_faster_than_a_known_latency_say_so() -> None:
    fitted = Timing.fit([1e9, 2e9, 3e9], [50, 60, 70], latency="100s")
    assert (fitted.latency, fitted.rate) == (100, math.inf)
    assert fitted.basis.endswith("latency given as 1.67 min, and they took no longer: the rate is infinite")


def test_a_large_snapshot_that_took_a_little_longer_has_a_rate() -> None:
    fitted = Timing.fit([1e9, 2e9, 3e9], [100, 100.01, 100.02])
    assert fitted.rate == pytest.approx(1e11, rel=0.01)
    assert fitted.basis == "fitted to 3 snapshots"


@pytest.mark.parametrize("wrong", [-1, -1e-9, math.nan, math.inf, np.int64(-5), np.float32("nan")])
def test_sizes_that_cannot_be_are_refused(wrong: float) -> None:
    with pytest.raises(InvalidRequest, match=r"changed_bytes .* cannot be; give a number of bytes from 0 up"):
        Timing().seconds(wrong)


def test_arrays_of_sizes_are_timed_at_once() -> None:
    sizes: Any = np.array([0.0, 43.6e6])
    assert Timing().seconds(sizes).tolist() == [180.0, 181.0]  # type: ignore[attr-defined] # of an array


def test_two_timings_are_equal_whatever_they_rest_on() -> None:
    assert Timing(basis="a guess") == Timing()
    assert "basis" not in repr(Timing())


@pytest.mark.parametrize(
    ("sizes", "seconds", "words"),
    [
        ([1e9, 2e9], [1, 2], "are too few snapshots"),
        ([], [], "are too few snapshots"),
        (SIZES, [1, 2], "are not as many as the 3"),
        (SIZES, [1, 2, 0], r"seconds 0.0 cannot be"),
        ([1e9, -1, 2e9], SECONDS, "changed_bytes -1.0 cannot be"),
        ([1e9, math.nan, 2e9], SECONDS, "cannot be"),
        (["a", 1, 2], SECONDS, "are not all numbers"),
        ([[1, 2, 3]], SECONDS, "are no list of numbers"),
    ],
)
def test_what_cannot_be_fitted_is_refused(sizes: Any, seconds: Any, words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        Timing.fit(sizes, seconds)


def test_a_fit_does_not_depend_on_how_its_figures_add_up() -> None:
    draws = np.random.default_rng(4)
    sizes = draws.integers(1, 64, 40) * 2.0**28
    seconds = (50 + sizes / 2e6) * draws.lognormal(0, 0.2, 40)
    order = draws.permutation(40)
    assert repr(Timing.fit(sizes[order], seconds[order])) == repr(Timing.fit(sizes, seconds))


def test_generators_are_read_too() -> None:
    fitted = Timing.fit((each for each in SIZES), iter(SECONDS), latency=180)
    assert fitted == Timing.fit(SIZES, SECONDS, latency=180)


def test_a_timing_given_by_hand_is_certain() -> None:
    timing = Timing(latency=60, rate=1e8)
    assert timing.doubt == Doubt()
    assert timing.sampled(3, 4) is timing


def test_draws_are_certain_seeded_and_follow_the_doubt() -> None:
    doubtful = Timing(latency=60, rate=1e8, doubt=Doubt(latency=0.5, rate=0.2, correlation=0.8))
    draws = [doubtful.sampled(7, each) for each in range(2000)]
    assert draws[3] == doubtful.sampled(7, 3) != doubtful.sampled(8, 3)
    assert all(each.doubt == Doubt() and each.spread == doubtful.spread for each in draws)
    logs = np.log([(each.latency / 60, each.rate / 1e8) for each in draws])
    # Four standard errors of 2,000 draws: fewer than one seed in ten thousand is off by more.
    assert (np.abs(logs.mean(0)) < np.array([0.5, 0.2]) * 4 / 2000**0.5).all()
    assert logs.std(0) == pytest.approx([0.5, 0.2], rel=4 / 4000**0.5)
    assert np.corrcoef(logs.T)[0, 1] == pytest.approx(0.8, abs=4 * 0.36 / 2000**0.5)


def test_the_doubt_of_a_fit_holds_the_truth_eight_times_in_ten() -> None:
    random, held = np.random.default_rng(1), []
    for _ in range(100):
        sizes = 60e8 * 10 ** random.uniform(-2, 1, 8)
        fitted = Timing.fit(sizes, (60 + sizes / 1e8) * np.exp(0.2 * random.standard_normal(8)))
        off = math.log(fitted.latency / 60), math.log(fitted.rate / 1e8)
        held.append([abs(off[0]) < 1.2816 * fitted.doubt.latency, abs(off[1]) < 1.2816 * fitted.doubt.rate])
    assert np.mean(held, axis=0) == pytest.approx([0.8, 0.8], abs=0.12)


def test_more_snapshots_leave_less_doubt_and_exact_ones_none() -> None:
    random = np.random.default_rng(2)
    sizes = np.geomspace(1e8, 1e11, 400)
    seconds = (60 + sizes / 1e8) * np.exp(0.2 * random.standard_normal(400))
    few, many = Timing.fit(sizes[::40], seconds[::40]).doubt, Timing.fit(sizes, seconds).doubt
    assert many.rate < few.rate / 3
    assert many.latency < few.latency / 3
    exact = Timing.fit(sizes, 60 + sizes / 1e8).doubt
    assert max(exact.latency, exact.rate) < 1e-3


def test_what_keeps_its_default_keeps_the_doubt_of_it() -> None:
    one_size = Timing.fit([1e9] * 3, [400, 410, 420])
    assert one_size.doubt.latency == pytest.approx(PUBLISHED.doubt.latency, rel=0.05)
    # A longer latency would leave less time for the bytes: the two are known only together.
    assert one_size.doubt.correlation > 0.99
    known = Timing.fit(SIZES, SECONDS, latency=180)
    assert known.doubt.latency == 0
    assert known.doubt.rate == pytest.approx(PUBLISHED.doubt.rate, rel=0.05)
    assert Timing.fit([0, 0, 0], [60, 61, 62], latency=60).doubt == Doubt(rate=PUBLISHED.doubt.rate)


@pytest.mark.parametrize(
    "wrong", [{"latency": -1}, {"rate": math.inf}, {"rate": math.nan}, {"correlation": 1.5}, {"rate": True}]
)
def test_a_doubt_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=f"doubt {next(iter(wrong))}"):
        Doubt(**wrong)


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 0, "replication": -1}])
def test_draws_are_counted_from_0(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="is below 0"):
        PUBLISHED.sampled(**wrong)


def test_a_doubt_must_be_one() -> None:
    with pytest.raises(InvalidRequest, match=r"timing doubt 0\.2 is none; give Doubt"):
        Timing(doubt=0.2)  # type: ignore[arg-type]
