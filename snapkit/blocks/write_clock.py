"""The write clock: when block writes come, and how many."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from snapkit.blocks.classes import Classes
from snapkit.blocks.exact import Floats, Ints
from snapkit.units import DAY

_FIRST_DAYS = 16


@dataclass(frozen=True)
class Job:
    """Writes that come again and again at equal intervals, such as those of a sync or of a nightly run.

    Attributes:
        every: the interval [s].
        phase: when the first one comes [s].
        writes: how many times each one touches a block.
        blocks: how many blocks it touches, the same ones each time.
    """

    every: float
    phase: float
    writes: float
    blocks: float

    def runs(self, starts: Floats, ends: Floats) -> Floats:
        """Count how often it runs after each of some moments, up to and including another one [s]."""
        return np.asarray(np.floor((ends - self.phase) / self.every) - np.floor((starts - self.phase) / self.every))


def of_jobs(jobs: Sequence[Job], starts: Floats, ends: Floats) -> Floats:
    """Return the distinct blocks that jobs touch after each of some moments, up to and including another one [s]."""
    return np.asarray(sum((job.blocks * (job.runs(starts, ends) > 0) for job in jobs), np.zeros(np.shape(starts))))


@dataclass(frozen=True)
class Sessions:
    """Somebody works: sessions that begin at random, each with some bursts of writes.

    Attributes:
        per_day: how many begin in a day on average; when they begin is a Poisson process.
        bursts: how many each has on average; the number is geometric, from 1 up.
        lasting: how long they go on, on average [s]; exponential, cut at a day. The first burst comes at the
            beginning, the others anywhere.
        size: the median writes of a burst [blocks].
        spread: of the sizes within a session, as the standard deviation of their logarithm.
        unlike: how much sessions differ in size, likewise.
        largest: the most writes of a burst [blocks].
        hours: when in a day they begin: from how long after midnight on, and for how long [s].
    """

    per_day: float
    bursts: float
    lasting: float
    size: float
    spread: float
    unlike: float
    largest: float
    hours: tuple[float, float] = (0.0, float(DAY))

    def sizes(self, normal: Floats) -> Floats:
        """Turn logarithms, as sums of both spreads, into whole writes of bursts."""
        return np.asarray(np.clip(np.rint(self.size * np.exp(np.minimum(normal, 50.0))), 1.0, self.largest))

    def drawn(self, count: int, random: np.random.Generator) -> tuple[Floats, Floats, Ints]:
        """Draw sessions.

        Returns:
            When each burst comes after the beginning of its session [s], how many blocks it touches, and the number of
            its session. Shape: (bursts,) each.
        """
        bursts = random.geometric(1 / self.bursts, count)
        lasting = np.minimum(random.exponential(self.lasting, count), DAY)
        unlike = random.standard_normal(count) * self.unlike
        session = np.repeat(np.arange(count), bursts)
        after = random.random(len(session)) * lasting[session]
        after[np.cumsum(bursts) - bursts] = 0.0
        normal = unlike[session] + self.spread * random.standard_normal(len(session))
        return after, self.sizes(normal), session


class Clock(Protocol):
    """What knows the writes of a day."""

    @property
    def jobs(self) -> tuple[Job, ...]:
        """What comes periodically."""

    @property
    def steady(self) -> float:
        """How many touches a second never cease."""

    @property
    def midnight(self) -> float:
        """How long after a midnight the clock starts [s]."""

    @property
    def bursts_a_day(self) -> float:
        """About how many moments with writes a day has, apart from jobs."""

    def within(self, span: float) -> "Clock":
        """Repeat the days of its first stretch [s] again and again, as to what kind of day each is."""

    def draw(self, days: Ints, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw the writes that begin on some days, in any order: the moments [s] and the touches of each.

        What begins on a day ends before the end of the next one.
        """


@dataclass(frozen=True)
class WriteClock:
    """Periodic jobs plus sessions, whose regime depends on the day of the week.

    Attributes:
        jobs: the periodic ones, which no regime changes.
        steady: touches a second that never cease, whatever the sessions do.
        regimes: the sessions of each kind of day.
        week: the number of the regime on each of seven days, from that on which the clock starts; after the last one
            it begins again.
        midnight: how long after midnight it starts [s].
    """

    jobs: tuple[Job, ...]
    regimes: tuple[Sessions, ...]
    week: tuple[int, ...]
    midnight: float = 0.0
    steady: float = 0.0

    def draw(self, days: Ints, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Draw the writes of the sessions that begin on some days; see `Clock`."""
        times, sizes = [], []
        regimes = np.array(self.week)[days % len(self.week)]
        begins = days * float(DAY) - self.midnight
        for number, sessions in enumerate(self.regimes):
            those = begins[regimes == number]
            begin = np.repeat(those, random.poisson(sessions.per_day, len(those)))
            opens, open_for = sessions.hours
            begin += opens + random.random(len(begin)) * open_for
            after, size, session = sessions.drawn(len(begin), random)
            times.append(begin[session] + after)
            sizes.append(size)
        return np.concatenate(times), np.concatenate(sizes)

    @property
    def bursts_a_day(self) -> float:
        """How many bursts a day has on average."""
        return sum(self.regimes[number].per_day * self.regimes[number].bursts for number in self.week) / len(self.week)

    def within(self, span: float) -> "WriteClock":
        """Repeat the kinds of days of its first stretch [s] again and again."""
        days = math.ceil((span + self.midnight) / DAY - 1e-9)
        return replace(self, week=tuple(self.week[day % len(self.week)] for day in range(min(days, 2 * 7))))

    def only(self, regime: int) -> "WriteClock":
        """Make every day one of a regime."""
        return replace(self, regimes=(self.regimes[regime],), week=(0,))


@dataclass(frozen=True)
class WriteModel:
    """How a volume is written: when, and which blocks.

    Attributes:
        clock: when writes come, and how many.
        classes: how many distinct blocks they hit.
        regimes: what the regimes of the clock are called.
        following: the share of writes that go to the block right behind the one written before.
        write_size: how many bytes stand for one touch of a block.
    """

    clock: Clock
    classes: Classes
    regimes: tuple[str, ...]
    following: float
    write_size: float


class Path:
    """One course of a clock: A(t), the writes up to and including a moment.

    Every day is drawn on its own, by the key and its number, so that nothing depends on what is asked first, nor on how
    far it has been drawn.
    """

    __slots__ = ("_clock", "_ends", "_key", "_later", "_sums", "_times")

    def __init__(self, clock: Clock, key: Sequence[int]) -> None:
        """Begin a course.

        Args:
            clock: draws the days.
            key: whole numbers from 0 up that tell this course from others.
        """
        self._clock = clock
        self._key = list(key)
        self._later = self._day(-1)
        self._times, self._sums, self._ends = np.empty(0), np.zeros(1), 0
        self._extend(_FIRST_DAYS)

    def writes(self, moments: Floats) -> Floats:
        """Count the writes up to and including moments [s]. Shape: that of moments."""
        if moments.size and (last := float(moments.max())) >= self._known_until:
            self._extend(self._day_of(last) + 1)
        return np.asarray(self._sums[self._times.searchsorted(moments, "right")] + self._clock.steady * moments)

    def between(self, a: float, b: float) -> float:
        """Count the writes after a, up to and including b [s]."""
        if b >= self._known_until:
            self._extend(self._day_of(b) + 1)
        found = self._times.searchsorted
        return float(self._sums[found(b, "right")] - self._sums[found(a, "right")]) + self._clock.steady * (b - a)

    def bursts(self, until: float) -> tuple[Floats, Floats]:
        """List the bursts of sessions after 0, up to and including a moment [s]: when, and how many touches."""
        self.writes(np.array([until]))
        part = slice(*self._times.searchsorted([0.0, until], "right").tolist())
        return self._times[part], np.diff(self._sums)[part]

    @property
    def _known_until(self) -> float:
        return self._ends * float(DAY) - self._clock.midnight

    def _day_of(self, moment: float) -> int:
        return math.floor((moment + self._clock.midnight) / DAY)

    def _day(self, number: int) -> tuple[Floats, Floats]:
        seed = np.random.SeedSequence(self._key, spawn_key=(number + 1,))
        return self._clock.draw(np.array([number]), np.random.Generator(np.random.PCG64(seed)))

    def _extend(self, days: int) -> None:
        """Draw so many days and, lest it be asked for every day, at least twice as many as are known."""
        days = max(days, 2 * self._ends)
        drawn = [self._later, *(self._day(number) for number in range(self._ends, days))]
        times, sizes = (np.concatenate(column) for column in zip(*drawn, strict=True))
        self._ends = days
        now = times < self._known_until
        self._later = times[~now], sizes[~now]
        order = np.argsort(times[now], kind="stable")
        # Sums of whole numbers, and of multiples of 1/1024, are exact, so they do not depend on how far was drawn.
        sums = self._sums[-1] + np.cumsum(sizes[now][order])
        self._times = np.concatenate([self._times, times[now][order]])
        self._sums = np.concatenate([self._sums, sums])
