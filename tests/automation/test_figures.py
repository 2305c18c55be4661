"""Figures of a forecast: what the run itself tells of them."""

from math import inf

import pytest

from simulation import Scenario, simulate
from simulation.model import VolumeModel
from simulation.region import Events
from snapkit.automation.figures import judged
from snapkit.automation.happened import Course
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.simulation.linear import linear


def newest_goes(volume: VolumeModel) -> Events:
    """Delete the fifth snapshot, when it is the newest complete one."""
    yield volume.env.timeout(4.5 * 3600)
    volume.delete(4)


def test_what_a_deletion_by_hand_loses_is_what_the_run_tells() -> None:
    strategy = Strategy("s", [Tier(Schedule("every 1h"), Retention(last=3), "tier")])
    timing = Timing(latency=900, rate=inf, spread=0)
    outcome = simulate(Scenario(strategy, linear("1 GiB"), "12h", timing=timing, processes=[newest_goes]))
    scenario, course = outcome.scenario, Course.forecast(outcome)
    figures = judged(course, strategy, scenario.start, 0.0, scenario.horizon_seconds)
    told = outcome.summary()
    names = ["rpo_mean_s", "rpo_p95_s", "rpo_max_s"]
    assert {name: figures[name] for name in names} == pytest.approx(told[names].to_dict())
    assert figures["rpo_max_s"] == 2 * 3600 + 900
    later = judged(course, strategy, scenario.start, 2 * 3600, scenario.horizon_seconds)
    assert later["rpo_max_s"] == figures["rpo_max_s"]
