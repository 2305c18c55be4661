"""The shared link, against hand-made answers, a fluid that is worked out step by step, and theory."""

from collections.abc import Generator
from functools import partial
from math import inf

import numpy as np
import pytest
import simpy
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.link import Link
from tests.simulation.test_queues import Services, assert_mean, drawn

Jobs = list[tuple[float, float, float, float]]
"""When each is handed over [s], its delay [s], its size [bytes] and its own rate [bytes/s]."""


def ends(capacity: float, jobs: Jobs) -> list[float]:
    """Run uploads through a link, and tell when each ended."""
    env = simpy.Environment()
    link, ended = Link(env, capacity), [inf] * len(jobs)

    def hand_over(number: int) -> Generator[simpy.Event, None, None]:
        at, delay, size, rate = jobs[number]
        yield env.timeout(at)
        link.send(size, rate, lambda: ended.__setitem__(number, env.now), delay=delay)

    for number in range(len(jobs)):
        env.process(hand_over(number))
    env.run()
    assert link.busy == 0
    assert link.sent == pytest.approx(sum(size for _, _, size, _ in jobs))
    return ended


def fluid(capacity: float, jobs: Jobs) -> list[float]:
    """The same, with every upload's rest worked out anew at every event."""
    rests, ended = [size for _, _, size, _ in jobs], [inf] * len(jobs)
    begins, now = [at + delay for at, delay, _, _ in jobs], 0.0
    while inf in ended:
        active = [each for each in range(len(jobs)) if ended[each] == inf and begins[each] <= now]
        for each in [each for each in active if rests[each] <= 1e-9 * jobs[each][2]]:
            ended[each] = now
            active.remove(each)
        paces, rest = dict[int, float](), capacity
        for place, each in enumerate(sorted(active, key=lambda each: jobs[each][3])):
            paces[each] = min(jobs[each][3], rest / (len(active) - place))
            rest -= paces[each]
        coming = [begins[each] for each in range(len(jobs)) if begins[each] > now]
        moments = coming + [now + rests[each] / paces[each] for each in active]
        if not moments:
            break
        after = max(min(moments), now + 1e-9)
        for each in active:
            rests[each] -= paces[each] * (after - now)
        now = after
    return ended


def test_one_upload_alone_goes_at_its_own_rate() -> None:
    assert ends(100.0, [(0.0, 0.0, 500.0, 50.0)]) == [10.0]


def test_two_uploads_share_equally_until_the_smaller_one_ends() -> None:
    # Both at 50 until the small one is done at 4; the other has 100 left, at 100 from then on.
    assert ends(100.0, [(0.0, 0.0, 200.0, inf), (0.0, 0.0, 300.0, inf)]) == [4.0, 5.0]


def test_what_a_slow_upload_leaves_over_goes_to_the_others() -> None:
    assert ends(100.0, [(0.0, 0.0, 100.0, 10.0), (0.0, 0.0, 900.0, inf)]) == [10.0, 10.0]


def test_an_upload_that_waits_slows_nobody_down_before_it_begins() -> None:
    # Alone until 5 with 500 sent; then both at 50.
    assert ends(100.0, [(0.0, 0.0, 600.0, inf), (0.0, 5.0, 100.0, inf)]) == [7.0, 7.0]


def test_nothing_to_send_ends_when_it_begins() -> None:
    assert ends(100.0, [(1.0, 2.0, 0.0, 5.0)]) == [3.0]


@settings(max_examples=100)
@given(
    st.floats(1, 1e9),
    st.lists(
        st.tuples(
            st.floats(0, 1e4), st.floats(0, 300), st.floats(0, 1e9), st.sampled_from([1.0, 1e3, 4e4, 1e6, inf])
        ),
        min_size=1,
        max_size=20,
    ),
)  # fmt: skip
def test_the_clocks_agree_with_the_fluid(capacity: float, jobs: Jobs) -> None:
    np.testing.assert_allclose(ends(capacity, jobs), fluid(capacity, jobs), rtol=1e-6, atol=1e-5)


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(0, 1e3), st.floats(0, 300), st.floats(1, 1e6), st.floats(10, 1e4)), max_size=12),
    st.floats(10, 1e4),
    st.floats(1, 10),
)  # fmt: skip
def test_more_bandwidth_ends_nothing_later(jobs: Jobs, capacity: float, more: float) -> None:
    before, after = np.array(ends(capacity, jobs)), np.array(ends(capacity * more, jobs))
    assert (after <= before * (1 + 1e-9) + 1e-6).all()


SIZES: dict[str, Services] = {
    "exponential": lambda stream, uploads: stream.exponential(1.0, uploads),
    "equal": lambda _, uploads: np.ones(uploads),
    "lognormal": lambda stream, uploads: stream.lognormal(-0.5, 1.0, uploads),
}
"""Sizes with a mean of 1, of which theory says that for equal sharing nothing but the mean matters."""


def sojourns(rate: float, capacity: float, arrivals: float, sizes: Services, seed: int) -> np.ndarray:
    """Send uploads that arrive at random, and list how long each took; 30,000 of them."""
    env = simpy.Environment()
    gaps, amounts = drawn(arrivals, sizes, 30_000, seed)
    link, took = Link(env, capacity), np.zeros(len(gaps))

    def note(number: int, came: float) -> None:
        took[number] = env.now - came

    def door() -> Generator[simpy.Event, None, None]:
        for number, (gap, size) in enumerate(zip(gaps.tolist(), amounts.tolist(), strict=True)):
            yield env.timeout(gap)
            link.send(size, rate, partial(note, number, env.now))

    env.process(door())
    env.run()
    return took


@pytest.mark.parametrize("sizes", SIZES)
def test_equal_sharing_takes_as_long_as_theory_says(sizes: str) -> None:
    """M/G/1-PS: 1 / (mu - lambda), whatever the sizes; a false alarm once in a million."""
    assert_mean(sojourns(inf, 1.0, 0.5, SIZES[sizes], seed=1), 2.0)


@pytest.mark.parametrize("sizes", SIZES)
def test_sharing_with_a_rate_of_ones_own_is_erlang_c(sizes: str) -> None:
    """With at most a quarter of the link each it takes as long on average as M/M/4: 1 + C / (4 - lambda).

    Whatever the sizes, a false alarm once in a million.

    Source: J. W. Cohen, "The multiple phase service network with generalized processor sharing", Acta Informatica 12,
    1979.
    """
    arrivals, servers = 3.2, 4
    offered = [1.0]
    for place in range(1, servers + 1):
        offered.append(offered[-1] * arrivals / place)
    full = offered[servers] / (1 - arrivals / servers)
    erlang = full / (sum(offered[:servers]) + full)
    assert_mean(sojourns(1.0, 4.0, arrivals, SIZES[sizes], seed=2), 1 + erlang / (servers - arrivals))


def test_a_large_upload_takes_longer_in_proportion() -> None:
    """M/G/1-PS: x / (1 - rho) for one of size x, whatever the others; a false alarm once in a million."""

    def both(stream: np.random.Generator, uploads: int) -> np.ndarray:
        return np.where(stream.random(uploads) < 0.5, 0.25, 1.75)

    took = sojourns(inf, 1.0, 0.5, both, seed=3)
    _, sizes = drawn(0.5, both, len(took), seed=3)
    for size in (0.25, 1.75):
        assert_mean(took[sizes == size], size / (1 - 0.5))


@pytest.mark.parametrize("volumes", [10, 500])
def test_a_herd_costs_one_wake_up_for_each_upload(volumes: int) -> None:
    env = simpy.Environment()
    link = Link(env, 1e6)
    for number in range(volumes):
        link.send(1e6 + number, 1e5, lambda: None, delay=180.0)
    env.run()
    # One more where they slow each other down: the first is set as if its upload were alone.
    assert next(env._eid) == volumes + (volumes * 1e5 > link.capacity)
