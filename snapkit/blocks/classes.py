"""The footprint in writes: how many distinct blocks a number of block writes hits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TypeAlias

import numpy as np

from snapkit.blocks.exact import Floats

Counted: TypeAlias = tuple[Floats, Floats, float, float]
"""The touches of windows, how many windows have each number, the mean distinct blocks measured over them, and a weight.
"""

_SCALES = 40
_REMEMBERED = 65_536
_POOR = 0.1
"""The relative error of a footprint from which on sweeps are tried."""
_NONE = 1e-9
_UNIT_SLOPE = 1000.0
"""How much more than an interval the sum of shares weighs in the fit: it has to hold almost exactly."""


@dataclass(frozen=True)
class Classes:
    """Blocks in classes, each of which takes a share of the writes.

    Of n writes a class with share p and room for m blocks sees n p. They hit m (1 - exp(-n p / m)) distinct blocks
    where they fall at random, min(n p, m) where they sweep over the class from end to end; without an end it is a ramp,
    which only ever hits new blocks. All of these begin with slope p, and the shares add up to 1: every write touches
    one block.

    Every term is concave and begins at 0, so more writes hit no fewer blocks, and two stretches of writes together no
    more than the sum of what each hits.

    Attributes:
        random: share and blocks of each class with writes at random.
        sweeps: share and blocks of each class that is swept.
        ramp: the share of the writes that go to ever new blocks.
        most: the blocks of the volume, more than which are never hit.

    Source:
        Denning and Schwartz, "Properties of the working-set model", CACM 15(3), 1972; in writes instead of time it is
        the footprint of Yuan, Ding, Denning and Zhang, "A Measurement Theory of Locality", arXiv 1802.01254.
    """

    random: tuple[tuple[float, float], ...]
    sweeps: tuple[tuple[float, float], ...]
    ramp: float
    most: float

    @classmethod
    def fit(cls, counted: Sequence[Counted], most: float) -> "Classes":
        """Choose shares and rooms, so that the mean over the windows' own writes is the footprint measured on them.

        A non-negative least squares of the relative errors, over classes of every size on a geometric grid.

        Args:
            counted: one for each length of windows; windows without any touch included or not, on both sides alike.
            most: the blocks of the volume.
        """
        if not counted:
            return cls((), (), 1.0, most)
        longest = max((float(touches[-1]) for touches, *_ in counted), default=1.0)
        scales = np.geomspace(1.0, max(4.0 * longest, 2.0), _SCALES)
        found, error = _shares(counted, [*_terms(_random, scales), _ramp])
        if error > _POOR:
            # Sweeps bend sharply, which suits noise as well, so they must earn their place.
            swept, less = _shares(counted, [*_terms(_random, scales), _ramp, *_terms(_sweep, scales)])
            found = swept if less < error / 2 else found
        rooms = np.concatenate([scales, [0.0], scales])[: len(found)] * found
        parts = (slice(_SCALES), slice(_SCALES + 1, None))
        random, sweeps = (
            tuple((p, m) for p, m in zip(found[part].tolist(), rooms[part].tolist(), strict=True) if p > _NONE)
            for part in parts
        )
        return cls(random, sweeps, float(found[_SCALES]), most)

    @property
    def blocks(self) -> float:
        """How many blocks all classes but the ramp have."""
        return sum(room for _, room in (*self.random, *self.sweeps))

    def of(self, writes: Floats) -> Floats:
        """Return the distinct blocks that each of some numbers of writes hits. Shape: that of writes."""
        writes = np.asarray(writes, np.float64)
        total = self.ramp * writes
        for share, room in self.random:
            total = total - room * np.expm1(writes * (-share / room))
        for share, room in self.sweeps:
            total = total + np.minimum(writes * share, room)
        return np.asarray(np.minimum(total, self.most))

    def __call__(self, writes: float) -> float:
        """Return the distinct blocks that a number of writes hits."""
        known = self._known
        blocks = known.get(writes)
        if blocks is None:
            if len(known) >= _REMEMBERED:
                known.clear()
            blocks = known[writes] = float(self.of(np.array([writes]))[0])
        return blocks

    def scaled(self, factor: float, most: float) -> "Classes":
        """Make every class larger by a factor; it takes as many times the writes to hit as large a share of it."""
        random, sweeps = (tuple((p, m * factor) for p, m in part) for part in (self.random, self.sweeps))
        return Classes(random, sweeps, self.ramp, most)

    @cached_property
    def _known(self) -> dict[float, float]:
        return {}


Term: TypeAlias = Callable[[Floats], Floats]


def _random(scale: float, writes: Floats) -> Floats:
    return np.asarray(-scale * np.expm1(-writes / scale))


def _sweep(scale: float, writes: Floats) -> Floats:
    return np.minimum(writes, scale)


def _ramp(writes: Floats) -> Floats:
    return writes


def _terms(kind: Callable[[float, Floats], Floats], scales: Floats) -> list[Term]:
    return [partial(kind, scale) for scale in scales.tolist()]


def _shares(counted: Sequence[Counted], terms: Sequence[Term]) -> tuple[Floats, float]:
    """Solve for the share of each term, and return the worst relative error of the footprint as well."""
    from scipy.optimize import nnls

    rows = [
        [trusted * (weights @ term(touches)) / (weights.sum() * distinct) for term in terms]
        for touches, weights, distinct, trusted in counted
    ]
    trust = np.array([row[3] for row in counted])
    table = np.array([[_UNIT_SLOPE] * len(terms), *rows])
    shares, _ = nnls(table, np.array([_UNIT_SLOPE, *trust]))
    shares = shares / shares.sum()
    well_known = trust >= trust.max(initial=0.0) / 4
    return shares, float(np.abs(table[1:] @ shares / trust - 1)[well_known].max(initial=0.0))
