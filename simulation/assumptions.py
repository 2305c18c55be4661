"""What a study assumes, changed one thing at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulation.scenario import Fleet, Scenario
from snapkit.blocks import Workload
from snapkit.blocks.workload import Provenance
from snapkit.timing import Timing
from snapkit.units import Duration


class Leveled(Workload):
    """A workload that changes so many times the blocks in every interval, never more than the volume has.

    What is added to it is so many times as much, too.
    """

    def __init__(self, known: Workload, times: float) -> None:
        """Change the level of another workload.

        Args:
            known: the other one.
            times: how many times its changed blocks.
        """
        self.__dict__.update(known.__dict__)
        self._leveled = known
        self._times = times

    def changed_between(self, a: Duration, b: Duration) -> int | float:  # noqa: D102 - see Workload
        return min(self._times * self._leveled.changed_between(a, b), self.allocated(b))

    def allocated(self, t: Duration) -> int | float:  # noqa: D102 - see Workload
        start = self._leveled.allocated(0.0)
        return start + self._times * (self._leveled.allocated(t) - start)

    @property
    def stationary(self) -> bool:  # noqa: D102 - see Workload
        return self._leveled.stationary

    def provenance(self, a: Duration, b: Duration) -> Provenance:  # noqa: D102 - see Workload
        return self._leveled.provenance(a, b)

    def sampled(self, seed: int, replication: int = 0) -> "Leveled":
        """Choose the path of a workload that has many, see `FittedWorkload.sampled`; others have one."""
        path = self._leveled.sampled(seed, replication)
        return self if path is self._leveled else Leveled(path, self._times)

    def changed(self, interval: Duration) -> float:  # noqa: D102 - see Workload
        return min(self._times * self._leveled.changed(interval), self.allocated(interval))

    def footprint(self, interval: Duration) -> float:  # noqa: D102 - see Workload
        return min(self._times * self._leveled.footprint(interval), self.allocated(interval))

    def footprints(self, intervals: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: D102 - see Workload
        most = [self.allocated(each) for each in intervals.tolist()]
        return np.minimum(self._times * self._leveled.footprints(intervals), most)


def varied(scenarios: Sequence[Scenario | Fleet], factor: float) -> Iterator[tuple[str, float, list[Scenario | Fleet]]]:
    """Walk the scenarios with one assumption changed at a time.

    Args:
        scenarios: as they are.
        factor: by which each assumption is multiplied and divided.

    Returns:
        What is changed, how many times it is what it was, and the scenarios so changed.
    """
    for name in ("upload rate", "latency", "spread", "write level"):
        for times in (factor, 1 / factor):
            yield name, times, [_changed(scenario, name, times) for scenario in scenarios]


def _changed(scenario: Scenario | Fleet, name: str, times: float) -> Scenario | Fleet:
    if isinstance(scenario, Fleet):
        return Fleet({volume: _with(each, name, times) for volume, each in scenario.volumes.items()})
    return _with(scenario, name, times)


def _with(scenario: Scenario, name: str, times: float) -> Scenario:
    if name == "write level":
        return replace(scenario, workload=_leveled(scenario.workload, times))
    return replace(scenario, timing=_timing(scenario.timing, name, times))


def _leveled(workload: Workload, times: float) -> Workload:
    """Change the level of each of several volumes by itself: none changes more blocks than it has."""
    volumes = workload.members
    if len(volumes) == 1:
        return Leveled(workload, times)
    return Workload.together({name: Leveled(each, times) for name, each in volumes.items()})


def _timing(timing: Timing, name: str, times: float) -> Timing:
    if name == "upload rate":
        return replace(timing, rate=timing.rate * times)
    if name == "latency":
        return replace(timing, latency=timing.latency * times)
    return replace(timing, spread=timing.spread * times)
