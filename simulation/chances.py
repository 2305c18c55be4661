"""What chance has in store: drawn for a volume and a region, never for a strategy, so that all meet the same."""

from dataclasses import dataclass, replace

import numpy as np

from simulation.scenario import Scenario
from snapkit.blocks.seeds import seed_of
from snapkit.units import HOUR, MINUTE, to_seconds

_WEATHER, _LATENESS, _ERRORS = 1, 2, 3
"""The purposes of the random streams."""


@dataclass(frozen=True)
class Chances:
    """What chance has in store for one volume; None where it has no say.

    Attributes:
        slowness: by what the region's weather slows uploads down, in each hour.
        lateness: how long after its due time a snapshot is started, for due times in each hour [s].
        errors: whether a snapshot ends in error that was started in each minute.
    """

    slowness: list[float] | None = None
    lateness: list[float] | None = None
    errors: list[bool] | None = None

    @classmethod
    def of(cls, scenario: Scenario, name: str, seed: int, replication: int) -> "Chances":
        """Draw them.

        Args:
            scenario: of the volume.
            name: of the volume among others.
            seed: root of all random streams.
            replication: which of the many possible runs this is.
        """

        def stream(purpose: int, whose: str) -> np.random.Generator:
            return np.random.default_rng(np.random.SeedSequence(seed_of(whose, seed), spawn_key=(replication, purpose)))

        horizon, region = scenario.horizon_seconds, scenario.conditions.region
        hours, minutes = int(horizon // HOUR) + 1, int(horizon // MINUTE) + 1
        slowness = lateness = errors = None
        if spread := scenario.timing.spread:
            slowness = np.exp(spread * stream(_WEATHER, region).standard_normal(hours)).tolist()
        if within := to_seconds(scenario.start_within, zero=True):
            lateness = (within * stream(_LATENESS, name).random(hours)).tolist()
        if failing := scenario.conditions.failing:
            # Of the volumes of a server all fail where one does.
            sound = (1 - failing) ** len(scenario.workload.members)
            errors = (stream(_ERRORS, name).random(minutes) < 1 - sound).tolist()
        return cls(slowness, lateness, errors)


def on_one_path(scenario: Scenario, name: str, seed: int, replication: int) -> Scenario:
    """Choose one of the ways in which its volume may be written, its own, and one timing of those that may be true.

    Both are the same for every strategy.
    """
    path = scenario.workload.sampled(seed_of(name, seed), replication)
    timing = scenario.timing.sampled(seed, replication)
    if path is scenario.workload and timing is scenario.timing:
        return scenario
    return replace(scenario, workload=path, timing=timing)
