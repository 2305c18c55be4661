"""The volumes of a server, taken as one."""

from collections.abc import Iterable, Mapping
from typing import NoReturn, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from snapkit.blocks.extrapolation import Band
from snapkit.blocks.seeds import seed_of
from snapkit.blocks.workload import Provenance, Workload
from snapkit.errors import InvalidRequest
from snapkit.units import Duration, Size, bytes_text

_BEST_FIRST: tuple[Provenance, ...] = get_args(Provenance)


class Together(Workload):
    """Several volumes that are snapshotted at once: all counts are those of the volumes, added up.

    The low and high ends of their bands are added up too, as if all went wrong the same way, so the sum has rather
    too wide a band. A count is as good as the least known one in it. Make one with `Workload.together`.

    Attributes:
        members: the workload of each volume, by name.
    """

    def __init__(self, volumes: Mapping[str, Workload]) -> None:  # see Workload.together
        self._volumes = _checked(volumes)
        each = list(self._volumes.values())
        super().__init__(
            None,
            name=", ".join(self._volumes),
            source="; ".join(f"{name}: {volume.source}" for name, volume in self._volumes.items()),
            span=min(volume.span for volume in each),
            size=sum(volume.size for volume in each),
            block_size=each[0].block_size,
            assumptions=tuple(
                f"{name}: {text}" for name, volume in self._volumes.items() for text in volume.assumptions
            ),
        )

    @property
    def members(self) -> Mapping[str, Workload]:  # noqa: D102 - see Workload, as for all below
        return self._volumes

    @property
    def stationary(self) -> bool:  # noqa: D102
        return all(each.stationary for each in self._volumes.values())

    def changed_between(self, a: Duration, b: Duration) -> int | float:  # noqa: D102
        return sum(each.changed_between(a, b) for each in self._volumes.values())

    def provenance(self, a: Duration, b: Duration) -> Provenance:  # noqa: D102
        return _least(each.provenance(a, b) for each in self._volumes.values())

    def allocated(self, t: Duration) -> int | float:  # noqa: D102
        return sum(each.allocated(t) for each in self._volumes.values())

    def sampled(self, seed: int, replication: int = 0) -> Workload:
        """Take one of the ways in which each volume may be written, whatever the others are."""
        paths = {name: each.sampled(seed_of(name, seed), replication) for name, each in self._volumes.items()}
        same = all(paths[name] is each for name, each in self._volumes.items())
        return self if same else Together(paths)

    def footprint(self, interval: Duration) -> float:  # noqa: D102
        return sum(each.footprint(interval) for each in self._volumes.values())

    def footprints(self, intervals: NDArray[np.float64]) -> NDArray[np.float64]:  # noqa: D102
        return np.asarray(sum(each.footprints(intervals) for each in self._volumes.values()))

    def footprint_band(self, interval: Duration) -> Band:  # noqa: D102
        bands = [each.footprint_band(interval) for each in self._volumes.values()]
        return Band(*(sum(ends) for ends in zip(*bands, strict=True)))

    def to_trace(self, span: Duration) -> pd.DataFrame:  # noqa: D102
        self._refuse("span", span, "stands for writes to several volumes", "write down each of its members")

    def growing(self, per_day: Size) -> Workload:  # noqa: D102
        self._refuse("per_day", per_day, "could be added to any of the volumes", "let one of them grow, then join them")

    def rewritten(self, at: Duration | Iterable[Duration], share: float = 1.0) -> Workload:  # noqa: D102
        self._refuse("at", (at, share), "could rewrite any of the volumes", "let them be rewritten, then join them")

    def _refuse(self, field: str, value: object, rule: str, remedy: str) -> NoReturn:
        raise InvalidRequest(field, value, f"{rule} {self.name}", remedy)

    def _provenance_of(self, interval: float) -> Provenance:
        return _least(each._provenance_of(interval) for each in self._volumes.values())

    def _mean(self, interval: float) -> tuple[float, int]:
        blocks, windows = zip(*(each._mean(interval) for each in self._volumes.values()), strict=True)
        return sum(blocks), min(windows)


def _checked(volumes: Mapping[str, Workload]) -> dict[str, Workload]:
    remedy = "give a mapping of names to workloads, such as {'root': ..., 'data': ...}"
    if not isinstance(volumes, Mapping) or not volumes:
        raise InvalidRequest("volumes", volumes, "are none", remedy)
    first = next(iter(volumes.values()))
    for name, each in volumes.items():
        if not isinstance(name, str) or not name or not isinstance(each, Workload):
            raise InvalidRequest("volumes", {name: each}, "is no name with its workload", remedy)
        if isinstance(each, Together):
            raise InvalidRequest("volume", name, f"stands for several, {each.name}", "name each volume in one mapping")
        if each.block_size != first.block_size:
            rule = f"counts in blocks of {bytes_text(each.block_size)}, others in {bytes_text(first.block_size)}"
            raise InvalidRequest("volume", name, rule, "give all of them one block_size")
    return dict(volumes)


def _least(sources: Iterable[Provenance]) -> Provenance:
    return max(sources, key=_BEST_FIRST.index)
