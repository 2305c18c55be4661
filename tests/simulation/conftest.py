"""A study that several rooms of tests look at."""

import pytest

from simulation import Study, study
from tests.simulation.studied import STRATEGIES, WORKLOAD


@pytest.fixture(scope="session")
def compared() -> Study:
    return study(STRATEGIES, WORKLOAD, horizon="60d", replications=3, seed=4)
