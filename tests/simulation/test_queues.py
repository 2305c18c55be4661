"""Queues that theory knows: customers of SimPy wait as it says, and the way these tests judge chance is sound."""

from collections.abc import Callable, Generator

import numpy as np
import pytest
import simpy
from numpy.typing import NDArray
from scipy.stats import t

from tests.data import known

Values = NDArray[np.float64]
BATCHES = 30
FALSE_ALARM = 1e-6
"""Chance that a true answer is refused, for each case."""

Services = Callable[[np.random.Generator, int], Values]
SERVICES: dict[str, Services] = {
    "Wq_MD1": lambda _, customers: np.ones(customers),
    "Wq_ME2_1": lambda stream, customers: stream.gamma(2, 0.5, customers),
    "Wq_MM1": lambda stream, customers: stream.exponential(1.0, customers),
    "Wq_MG1_cv2_4": lambda stream, customers: stream.gamma(0.25, 4, customers),
}


def drawn(arrivals_a_second: float, services: Services, customers: int, seed: int) -> tuple[Values, Values]:
    """Draw how long after the one before each customer comes, and how long each is served [s]."""
    stream = np.random.default_rng(seed)
    return stream.exponential(1 / arrivals_a_second, customers), services(stream, customers)


def waits(gaps: Values, services: Values, servers: int) -> Values:
    """Send customers through one queue and list how long each waited."""
    env, waited = simpy.Environment(), np.zeros(len(gaps))
    counter = simpy.Resource(env, servers)

    def customer(number: int, service: float) -> Generator[simpy.Event, None, None]:
        came = env.now
        with counter.request() as turn:
            yield turn
            waited[number] = env.now - came
            yield env.timeout(service)

    def door() -> Generator[simpy.Event, None, None]:
        for number, (gap, service) in enumerate(zip(gaps.tolist(), services.tolist(), strict=True)):
            yield env.timeout(gap)
            env.process(customer(number, service))

    env.process(door())
    env.run()
    return waited


def lindley(gaps: Values, services: Values) -> Values:
    """Tell how long each waits for one server: as long as the one before was there, less the gap between them.

    Source: D. V. Lindley, "The theory of queues with a single server", Proc. Cambridge Phil. Soc. 48 (2), 1952.
    """
    walk = np.append(0.0, np.cumsum(services[:-1] - gaps[1:]))
    return np.asarray(walk - np.minimum.accumulate(walk))


def assert_mean(waited: Values, expected: float) -> None:
    """Compare a mean of dependent values by the means of long batches, the first left out as warm-up."""
    means = np.array([batch.mean() for batch in np.array_split(waited, BATCHES + 1)[1:]])
    margin = t.ppf(1 - FALSE_ALARM / 2, BATCHES - 1) * means.std(ddof=1) / BATCHES**0.5
    assert abs(means.mean() - expected) < margin
    assert margin < 0.6 * expected  # the interval is narrow enough to say something


@pytest.mark.parametrize("kind", SERVICES)
def test_each_customer_waits_for_one_server_as_lindley_says(kind: str) -> None:
    gaps, services = drawn(0.8, SERVICES[kind], 5000, seed=8)
    assert waits(gaps, services, 1) == pytest.approx(lindley(gaps, services), abs=1e-6)


@pytest.mark.parametrize("kind", SERVICES)
@pytest.mark.parametrize("place", range(6))
def test_one_server_waits_as_pollaczek_and_khinchine_say(kind: str, place: int) -> None:
    row = known("known-answers.json")["queues"]["rows"][place]
    assert_mean(lindley(*drawn(row["rho"], SERVICES[kind], 500_000, seed=place)), row[kind])


def test_the_known_path_of_lindley_is_as_far_off_as_chance_allows() -> None:
    answer = known("known-answers.json")["queues"]["lindley_MD1_rho0_8"]
    waited = lindley(*drawn(0.8, SERVICES["Wq_MD1"], 500_000, seed=6))
    assert_mean(waited, answer["exact"])
    assert waited.mean() == pytest.approx(answer["sim"], rel=0.03)


@pytest.mark.parametrize("place", [0, 1, 3])
def test_several_servers_wait_as_erlang_says(place: int) -> None:
    row = known("known-answers.json")["queues"]["mmc"][place]
    waited = waits(*drawn(row["c"] * row["rho"], SERVICES["Wq_MM1"], 40_000, seed=place), row["c"])
    assert_mean(waited, row["Wq"])
    assert_mean((waited > 0).astype(float), row["P_wait"])
