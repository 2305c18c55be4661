"""Periodic jobs in a trace: writes that come at equal intervals, too regularly for chance."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from snapkit.blocks.exact import Floats, Ints, TraceIndex
from snapkit.blocks.write_clock import Job
from snapkit.units import DAY, HOUR, MINUTE

_PERIODS = (MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 6 * HOUR, 12 * HOUR, DAY)
_BINS = 60
_WIDEST = 300.0
"""The bins of a period, and how wide they are at most [s]: cron starts jobs on time, but they write a while."""
_LEAST = 3
_MISSED = 0.05
"""Repetitions that a job must have, and the share of them that it may miss."""
_CHANCE = 1e-3
_NIGHTLY = 0.05
"""How likely a job may be to be chance, and one of a day: few days are seen, and most machines do something nightly."""
_MOST = 4
_AGAIN = 6
"""How many jobs are looked for, and over how many periods they must hit the same blocks, but for those of a day."""


def find_jobs(trace: TraceIndex, kept: Sequence[tuple[float, float]]) -> tuple[list[Job], Floats]:
    """Find jobs, the ones that come most often first.

    A job is due in one place of its period. If that place is written to in (nearly) every period in which it was looked
    at, while other places of the same periods are not, so that chance would bring it about less than once in 1,000
    searches, or once in 20 where it comes once a day, it is one. It writes the median of what was written there.

    Args:
        trace: every touch of a block.
        kept: stretches of time that are looked at [s].

    Returns:
        The jobs, and the moments of the touches within the stretches that are not theirs [s], in order.
    """
    times = np.concatenate([trace.times[_part(trace.times, a, b)] / 1e6 for a, b in kept])
    jobs: list[Job] = []
    for every in _PERIODS:
        while len(jobs) < _MOST and (job := _job(times, kept, float(every))):
            if not (blocks := _blocks(trace, kept, job)):
                break
            jobs.append(replace(job, blocks=blocks))
            times = _without(times, job)
    return jobs, times


def _part(times: Ints, a: float, b: float) -> slice:
    return slice(*np.searchsorted(times, [round(a * 1e6), round(b * 1e6)], "right").tolist())


def _blocks(trace: TraceIndex, kept: Sequence[tuple[float, float]], job: Job) -> float:
    """Count the blocks that a job touches each time; 0 where these are not the same ones, so that it is no job."""
    near = _tolerance(job.every)

    def distinct(length: float) -> Ints:
        first = [(math.ceil((a + near - job.phase) / job.every), (b - length - job.phase) / job.every) for a, b in kept]
        due = [np.arange(*each) for each in first]
        return trace.windows(np.concatenate(due) * job.every + job.phase - near, length)[1]

    once, often = distinct(2 * near), distinct(_AGAIN * job.every)
    blocks = float(np.median(once[once > 0])) if once.any() else 1.0
    if job.every < DAY and often.any() and often[often > 0].min() > 1.5 * blocks + 0.5:
        return 0.0
    return min(blocks, job.writes)


def _without(times: Floats, job: Job) -> Floats:
    """Leave out the touches of a job: so many as it writes, where it is due."""
    due = np.floor((times - job.phase) / job.every + 0.5)
    near = np.flatnonzero(np.abs(times - job.phase - due * job.every) <= _tolerance(job.every))
    if not len(near):
        return times
    first = np.flatnonzero(np.diff(due[near], prepend=math.nan) != 0)
    number = np.arange(len(near)) - np.repeat(first, np.diff(np.append(first, len(near))))
    return np.delete(times, near[number < job.writes])


def _tolerance(every: float) -> float:
    """Return how far from where it is due a job of a period may write [s]."""
    return min(every / _BINS, _WIDEST)


def _job(times: Floats, kept: Sequence[tuple[float, float]], every: float) -> Job | None:
    """Find the most certain job of a period, if there is one."""
    width = min(every / _BINS * 2, _WIDEST)
    bins = round(every / width)
    width = every / bins
    best, found = math.log(_NIGHTLY if every == DAY else _CHANCE), None
    for shift in (0.0, width / 2):
        counts, seen, place = _places(times, kept, width, bins, shift)
        often = seen.sum(axis=0)
        regular = ((counts > 0).sum(axis=0) >= (1 - _MISSED) * often) & (often >= _LEAST)
        for column in np.flatnonzero(regular).tolist():
            due = seen[:, column]
            writes = float(np.median(counts[due, column]))
            # What writes less than half as much is not taken for the job.
            hit = counts[due] >= writes / 2
            missed = int((~hit[:, column]).sum())
            if missed > _MISSED * len(hit):
                continue
            # How likely it is that chance hits this place: in each period as it hits the others that were seen.
            likely = np.log((hit.sum(axis=1) - hit[:, column] + 1.0) / seen[due].sum(axis=1))
            chance = float(likely[hit[:, column]].sum()) + math.log(2.0 * bins) + _log_choices(len(hit), missed)
            if chance < best:
                at = times[place == column]
                phase = (float(np.median((at - shift) % every)) + shift) % every
                best, found = chance, Job(every, phase, writes, 0.0)
    return found


def _places(
    times: Floats, kept: Sequence[tuple[float, float]], width: float, bins: int, shift: float
) -> tuple[np.ndarray, np.ndarray, Ints]:
    """Lay periods end to end over the stretches and cut each into places, of which only whole ones count.

    Returns:
        The touches of each place that counts, and which ones do. Shape: (periods, bins) each. The place in its period
        of each touch, or -1 where it does not count. Shape: (touches,).
    """
    begin = math.floor((kept[0][0] - shift) / width) // bins * bins
    periods = (math.floor((kept[-1][1] - shift) / width) - begin) // bins + 1
    seen = np.zeros(periods * bins, np.bool_)
    for a, b in kept:
        seen[math.ceil((a - shift) / width - 1e-9) - begin : math.floor((b - shift) / width + 1e-9) - begin] = True
    place = np.floor((times - shift) / width).astype(np.int64) - begin
    inside = seen[place]
    counts = np.bincount(place[inside], minlength=len(seen))
    return counts.reshape(periods, bins), seen.reshape(periods, bins), np.where(inside, place % bins, -1)


def _log_choices(total: int, missed: int) -> float:
    return math.lgamma(total + 1) - math.lgamma(missed + 1) - math.lgamma(total - missed + 1)
