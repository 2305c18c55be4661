"""Queues that theory knows, by SimPy: the engine and the way these tests judge chance are sound."""

from collections.abc import Callable, Generator

import numpy as np
import pytest
import simpy
from numpy.typing import NDArray
from scipy.stats import t

from tests.data import known

BATCHES = 30
FALSE_ALARM = 1e-6
"""Chance that a true answer is refused, for each case."""

Service = Callable[[np.random.Generator], float]
SERVICES: dict[str, Service] = {
    "Wq_MD1": lambda _: 1.0,
    "Wq_ME2_1": lambda stream: stream.gamma(2, 0.5),
    "Wq_MM1": lambda stream: stream.exponential(),
    "Wq_MG1_cv2_4": lambda stream: stream.gamma(0.25, 4),
}


def waits(arrivals_a_second: float, service: Service, servers: int, customers: int, seed: int) -> NDArray[np.float64]:
    """Send customers through one queue and list how long each waited."""
    env, stream = simpy.Environment(), np.random.default_rng(seed)
    counter, waited = simpy.Resource(env, servers), []

    def customer() -> Generator[simpy.Event, None, None]:
        came = env.now
        with counter.request() as turn:
            yield turn
            waited.append(env.now - came)
            yield env.timeout(service(stream))

    def door() -> Generator[simpy.Event, None, None]:
        while True:
            yield env.timeout(stream.exponential(1 / arrivals_a_second))
            env.process(customer())

    env.process(door())
    while len(waited) < customers:
        env.run(until=env.now + 100)
    return np.array(waited[:customers])


def assert_mean(waited: NDArray[np.float64], expected: float) -> None:
    """Compare a mean of dependent values by the means of long batches, the first left out as warm-up."""
    means = np.array([batch.mean() for batch in np.array_split(waited, BATCHES + 1)[1:]])
    margin = t.ppf(1 - FALSE_ALARM / 2, BATCHES - 1) * means.std(ddof=1) / BATCHES**0.5
    assert abs(means.mean() - expected) < margin
    assert margin < 0.6 * expected  # the interval is narrow enough to say something


@pytest.mark.parametrize("kind", SERVICES)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_server_waits_as_pollaczek_and_khinchine_say(kind: str, place: int) -> None:
    row = known("known-answers.json")["queues"]["rows"][place]
    assert_mean(waits(row["rho"], SERVICES[kind], 1, 30_000, seed=place), row[kind])


@pytest.mark.parametrize("place", [0, 1, 3])
def test_several_servers_wait_as_erlang_says(place: int) -> None:
    row = known("known-answers.json")["queues"]["mmc"][place]
    waited = waits(row["c"] * row["rho"], SERVICES["Wq_MM1"], row["c"], 40_000, seed=place)
    assert_mean(waited, row["Wq"])
    assert_mean((waited > 0).astype(float), row["P_wait"])
