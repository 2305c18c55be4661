"""Fitting a write clock and a footprint in writes to a trace."""

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING

import numpy as np

from snapkit.blocks.classes import Classes, Counted
from snapkit.blocks.exact import Floats, Ints, TraceIndex
from snapkit.blocks.jobs import find_jobs
from snapkit.blocks.moments import Moments, Simulation, matched, sessions_of
from snapkit.blocks.write_clock import Job, Sessions, WriteClock, WriteModel, of_jobs
from snapkit.errors import InvalidRequest
from snapkit.units import DAY, HOUR, MINUTE, Duration

if TYPE_CHECKING:
    from snapkit.blocks.fitted import FittedWorkload
    from snapkit.blocks.workload import Workload

Stretch = tuple[float, float]

_LENGTHS = (MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR, 4 * HOUR)
_WINDOWS = 2000
_FOOTPRINT_LENGTHS = 24
_CONTRAST = 2.5
"""How many times as much the quietest weekday writes as the busiest day of a weekend, if nobody says which is which."""
_FLOOR = 0.05
"""Share of the mean day that counts as nothing when days are compared."""
_FEW = 12
"""Sessions of a regime below which its sessions are taken to be like those of the other one, but for their number."""

_NEVER_LESS = 0.05
"""The share of windows that may write less than the steady stream."""
_QUARTER = 15.0 * MINUTE
_NEARLY = 0.9
_LONGEST_DAY = 15 * HOUR
_DAYS_SEEN = 1.25
"""The share of active quarters of an hour that working hours hold, how long these are at most [s], and how many days it
takes to tell them."""

_INDEPENDENT = (
    "Which blocks a write hits does not depend on when it comes; sessions begin at random, all weekdays alike."
)


def fit(
    _cls: "type[Workload]",
    workload: "Workload",
    start: datetime | None = None,
    leave_out: Sequence[tuple[Duration, Duration]] = (),
) -> "FittedWorkload":
    """Fit a model to a trace: a write clock, which tells when writes come, times a footprint in writes.

    The clock has periodic jobs, and sessions of bursts, fewer or more on weekends where these write far less or more.
    The sessions are chosen so that the mean, the median, the 95th percentile and the share of windows that change
    nothing come out as measured, in windows of 1, 5, 15 min, 1 h and 4 h, or shorter ones where less than a day was
    recorded. Equal traces give equal fits. A fit takes seconds.

    Args:
        workload: made by `from_trace`.
        start: when the trace began, on the clock of whoever works there; tells weekdays from weekends. Without it, two
            days in a row that write far less than all others are taken for one, and the trace for beginning at
            midnight.
        leave_out: stretches from one moment to another that are not looked at, such as an outage or a migration.

    Raises:
        InvalidRequest: the workload is not known from a trace, or nothing is written outside of what is left out.

    Source:
        Denning and Schwartz, CACM 15(3), 1972, for footprints; McFadden, Econometrica 57(5), 1989, for simulated
        moments; Neyman and Scott, JRSS B 20(1), 1958, for clusters of events that begin as a Poisson process.
    """
    from snapkit.blocks.fitted import FittedWorkload
    from snapkit.blocks.workload import window

    trace = workload._known
    if not isinstance(trace, TraceIndex):
        remedy = "make it with Workload.from_trace; changes between snapshots are a model already"
        raise InvalidRequest("workload", workload.name, "is not known from a trace, write by write", remedy)
    out = [window(a, b) for a, b in leave_out]
    model, assumptions = fitted(trace, -(-workload.size // workload.block_size), start, out)
    return FittedWorkload(
        replace(model, write_size=workload.write_size),
        name=f"{workload.name}, fitted",
        source=f"a model fitted to: {workload.source}",
        span=workload.span,
        size=workload.size,
        block_size=workload.block_size,
        assumptions=(*workload.assumptions, *assumptions, _INDEPENDENT),
    )


def fitted(
    trace: TraceIndex, blocks: float, start: datetime | None, leave_out: Sequence[Stretch]
) -> tuple[WriteModel, tuple[str, ...]]:
    """Fit both parts to a trace.

    Args:
        trace: every touch of a block.
        blocks: how many the volume has.
        start: when the trace began, on the clock of whoever works there; tells weekdays from weekends.
        leave_out: stretches from one moment to another [s] that are not looked at.

    Returns:
        The model, and what had to be supposed for it.

    Raises:
        InvalidRequest: nothing was written outside of what is left out.
    """
    span = trace.span_us / 1e6
    midnight = 0.0 if start is None else float(start.hour * HOUR + start.minute * MINUTE + start.second)
    kept = stretches(span, leave_out)
    jobs, times = find_jobs(trace, kept) if kept else ([], np.empty(0))
    if not len(times) and not jobs:
        raise InvalidRequest("leave_out", list(leave_out), "leaves no write to fit to", "leave out less")
    week, names, assumptions = _week(times, kept, start, midnight)
    parts = [of_regime(kept, week, midnight, number) for number in range(len(names))]
    lengths = lengths_for(span)
    classes = Classes.fit(_counted(trace, times, jobs, kept, lengths[0]), blocks)
    steady = _steady(times, kept, lengths)
    simulation = Simulation(lengths, classes, jobs, steady)
    shape = None
    # The busiest regime first, so that the others may borrow the shape of its sessions.
    order = sorted(range(len(parts)), key=lambda number: -_level(times, parts[number]))
    found = {}
    for number in order:
        found[number], shape = _sessions(trace, times, parts[number], simulation, midnight, shape)
    regimes = tuple(found[number] for number in range(len(parts)))
    clock = WriteClock(tuple(jobs), regimes, week, midnight, steady)
    return WriteModel(clock, classes, names, trace.following, math.nan), assumptions


def lengths_for(span: float) -> list[float]:
    """Choose the lengths of windows [s] that a trace so long can tell something about."""
    if span >= DAY:
        return [float(each) for each in _LENGTHS]
    scaled = [max(each * span / DAY, min(1.0, span / 8)) for each in _LENGTHS]
    return sorted(set(scaled))


def stretches(span: float, leave_out: Sequence[Stretch]) -> list[Stretch]:
    """Return what remains of (0, span] when stretches are cut out."""
    kept, begin = [], 0.0
    for a, b in sorted(leave_out):
        if a > begin:
            kept.append((begin, min(a, span)))
        begin = max(begin, b)
    return [(a, b) for a, b in [*kept, (begin, span)] if b > a]


def window_starts(part: Sequence[Stretch], length: float, step: float) -> Floats:
    """Lay windows into stretches, each a step after the one before [s]."""
    starts = [a + step * np.arange(math.floor((b - a - length) / step + 1e-9) + 1) for a, b in part if b - a >= length]
    return np.concatenate(starts) if starts else np.empty(0)


def measured(trace: TraceIndex, part: Sequence[Stretch], lengths: Sequence[float]) -> list[Moments]:
    """Take the moments of what windows laid end to end within stretches change."""
    found = []
    for length in lengths:
        starts = window_starts(part, length, length)
        if len(starts):
            found.append(Moments.of(length, trace.windows(starts, length)[1].astype(np.float64)))
    return found


def _week(
    times: Floats, kept: Sequence[Stretch], start: datetime | None, midnight: float
) -> tuple[tuple[int, ...], tuple[str, ...], tuple[str, ...]]:
    """Tell the days of the week apart: the regime of each, what they are called, and what was supposed."""
    levels = _levels(times, kept, midnight)
    if start is not None:
        first = (-start.weekday()) % 7
        weekend = {(first + 5) % 7, (first + 6) % 7}
        seen = {day % 7 in weekend for day in levels}
        told: tuple[str, ...] = ()
    else:
        weekend = _weekend(levels)
        seen = {day % 7 in weekend for day in levels}
        told = ("Which days are a weekend was told from how much each day writes: give start= if not.",)
    if len(seen) < 2:
        which = "Weekends" if False in seen and start is not None else "Weekdays"
        told = (f"{which} are taken to be like the days that were seen.",) if start is not None else ()
        return (0,) * 7, ("every day",), told or ("Every day is taken to be like those that were seen.",)
    return tuple(int(day in weekend) for day in range(7)), ("weekday", "weekend"), told


def _levels(times: Floats, kept: Sequence[Stretch], midnight: float) -> dict[int, float]:
    """Return the touches a second of each day of which at least a half was seen, without those of the jobs."""
    levels = {}
    last = max(b for _, b in kept)
    for day in range(math.ceil((last + midnight) / DAY)):
        begin = day * DAY - midnight
        part = [(max(a, begin), min(b, begin + DAY)) for a, b in kept]
        part = [(a, b) for a, b in part if b > a]
        seen = sum(b - a for a, b in part)
        if seen >= DAY / 2:
            levels[day] = _level(times, part)
    return levels


def _weekend(levels: dict[int, float]) -> set[int]:
    """Find two days in a row that write far less than all others, at least three days having been seen."""
    if len(levels) < 3:
        return set()
    floor = _FLOOR * sum(levels.values()) / len(levels) + 1e-12
    logs = {day: math.log(level + floor) for day, level in levels.items()}
    best, weekend = 0.0, set()
    for first in range(7):
        pair = {first, (first + 1) % 7}
        quiet = [log for day, log in logs.items() if day % 7 in pair]
        busy = [log for day, log in logs.items() if day % 7 not in pair]
        if quiet and busy and min(busy) - max(quiet) >= math.log(_CONTRAST):
            gap = sum(busy) / len(busy) - sum(quiet) / len(quiet)
            between = gap**2 * len(quiet) * len(busy)
            if between > best:
                best, weekend = between, pair
    return weekend


def of_regime(kept: Sequence[Stretch], week: Sequence[int], midnight: float, number: int) -> list[Stretch]:
    """Cut stretches to the days of a regime; days in a row stay in one piece."""
    parts: list[Stretch] = []
    for a, b in kept:
        day = math.floor((a + midnight) / DAY)
        begin = a
        while begin < b:
            end = min(b, (day + 1) * DAY - midnight)
            if week[day % 7] == number and end > begin:
                if parts and parts[-1][1] == begin:
                    parts[-1] = (parts[-1][0], end)
                else:
                    parts.append((begin, end))
            begin, day = end, day + 1
    return parts


def _counted(
    trace: TraceIndex, times: Floats, jobs: Sequence[Job], part: Sequence[Stretch], shortest: float
) -> list[Counted]:
    """Count touches and distinct blocks, without those of jobs, in windows of many lengths, each half into another."""
    longest = max(b - a for a, b in part)
    rows: list[Counted] = []
    for length in np.geomspace(min(shortest, longest) / 6, longest * (1 - 1e-9), _FOOTPRINT_LENGTHS).tolist():
        starts = window_starts(part, length, length / 2)
        starts = starts[:: max(len(starts) // _WINDOWS, 1)]
        touches = np.diff(times.searchsorted([starts, starts + length], "right"), axis=0)[0]
        of_sessions = trace.windows(starts, length)[1] - of_jobs(jobs, starts, starts + length)
        distinct = float(of_sessions[touches > 0].sum()) / max(len(starts), 1)
        if distinct > 0:
            different, counts = np.unique(touches, return_counts=True)
            trusted = 1 / (0.02 + np.count_nonzero(touches) ** -0.5)
            rows.append((different.astype(np.float64), counts.astype(np.float64), distinct, trusted))
    return rows


def _sessions(
    trace: TraceIndex,
    touched: Floats,
    part: Sequence[Stretch],
    simulation: Simulation,
    midnight: float,
    shape: Floats | None,
) -> tuple[Sessions, Floats | None]:
    """Fit the sessions of a regime.

    Args:
        trace: every touch of a block.
        touched: the moments of the touches that no job made [s].
        part: the stretches of the regime.
        simulation: of windows with the same footprint and the same jobs.
        midnight: how long after midnight the trace begins [s].
        shape: the logarithms of the parameters in a regime with more sessions, if there is one.

    Returns:
        The sessions, and the logarithms of their parameters.
    """
    times = np.concatenate([touched[part_of(touched, a, b)] for a, b in part] or [np.empty(0)])
    seconds = sum(b - a for a, b in part)
    if simulation.steady and seconds:
        times = _beyond(times, min(simulation.steady * seconds / max(len(times), 1), 1.0))
    if not len(times) or not seconds:
        return Sessions(0.0, 1.0, 1.0, 1.0, 0.1, 0.1, 1.0), shape
    guesses, count, largest = _guesses(times, seconds, simulation.lengths)
    trust = np.array([1.0, 1.0, 1.0, 1.0, 0.5, 0.5])
    if count < _FEW and shape is not None:
        guess = guesses[0]
        guesses = [np.array([guess[0], *shape[1:3], 0.5 * (guess[3] + shape[3]), *shape[4:]])]
        trust = trust * np.array([1.0, 0.7, 0.7, 0.7, 0.5, 0.5])
    hours = _hours(times, part, midnight) if count >= _FEW else (0.0, float(DAY))
    within = partial(sessions_of, largest=largest, hours=hours)
    wanted = measured(trace, part, simulation.lengths)
    found, _ = min((matched(simulation, within, wanted, (guess, trust)) for guess in guesses), key=itemgetter(1))
    return within(found), found


def _steady(times: Floats, kept: Sequence[Stretch], lengths: Sequence[float]) -> float:
    """Return the touches a second that nearly all windows have, be they short or long.

    Where the shortest ones are often empty nothing is steady: writes that come now and then are sessions of one burst.
    """
    found = []
    for length in lengths:
        starts = window_starts(kept, length, length)
        if len(starts) >= _FEW:
            touches = np.diff(times.searchsorted([starts, starts + length], "right"), axis=0)[0]
            found.append(_NEARLY * float(np.quantile(touches, _NEVER_LESS)) / length)
    return min(found, default=0.0)


def _beyond(times: Floats, share: float) -> Floats:
    """Leave out a share of the touches, evenly: those of the steady stream."""
    kept = np.floor(np.arange(1, len(times) + 1) * (1 - share) + 1e-9)
    return np.asarray(times[np.diff(kept, prepend=0.0) > 0])


def _guesses(times: Floats, seconds: float, lengths: Sequence[float]) -> tuple[list[Floats], int, float]:
    """Read the parameters of sessions off the touches: their logarithms, the sessions, the largest burst.

    What falls into a quarter of the shortest window makes a burst. A session ends where nothing comes for twice the
    third shortest window, and after twice the fourth shortest one at the latest: 15 s, 30 min and 2 h where days were
    recorded. On a busy disk sessions lie closer; so there is another guess, where one ends after twice the shortest
    window without writes.
    """
    several = [_guess(times, seconds, lengths, 2 * lengths[number]) for number in (min(2, len(lengths) - 1), 0)]
    return [guess for guess, *_ in several], *several[0][1:]


def _guess(times: Floats, seconds: float, lengths: Sequence[float], pause: float) -> tuple[Floats, int, float]:
    """Read them off where a session ends after a pause [s]; see `_guesses`."""
    moment, sizes = np.unique(np.floor(times / (lengths[0] / 4)), return_counts=True)
    at = moment * (lengths[0] / 4)
    longest = 2 * lengths[min(3, len(lengths) - 1)]
    ends = (np.diff(at) > pause) | (np.diff(at // longest) > 0)
    session = np.concatenate([[0], np.cumsum(ends)])
    count = int(session[-1]) + 1
    begin = np.flatnonzero(np.diff(session, prepend=-1))
    lasting = at[np.append(begin[1:] - 1, len(at) - 1)] - at[begin]
    logs, per_session = np.log(sizes), np.bincount(session)
    means = np.bincount(session, logs) / per_session
    within = max(float(((logs - means[session]) ** 2).sum()) / max(len(logs) - count, 1), 0.3**2) ** 0.5
    unlike = max(float(np.std(means)), 0.3)
    # The mean of a lognormal is larger than its median.
    size = max(float(sizes.mean()) * math.exp(-0.5 * min(within**2 + unlike**2, 4.0)), 1.0)
    more = max(len(sizes) / count - 1, 0.1)
    long = max(float(lasting.mean()), lengths[0])
    guess = [count * DAY / seconds, more, long, size, min(within, 1.5), min(unlike, 1.2)]
    return np.log(guess), count, max(3.0 * float(sizes.max()), 4.0)


def _hours(times: Floats, part: Sequence[Stretch], midnight: float) -> tuple[float, float]:
    """Find the hours of the day in which nearly all quarters of an hour with writes lie, if the others were seen too.

    Returns:
        When they begin after midnight, and how long they are [s]; the whole day when they are most of it.
    """
    slots = round(DAY / _QUARTER)
    seen = np.zeros(slots)
    for a, b in part:
        np.add.at(seen, ((window_starts([(a, b)], _QUARTER, _QUARTER) + midnight) // _QUARTER % slots).astype(int), 1)
    hit = np.bincount((np.unique((times + midnight) // _QUARTER) % slots).astype(np.int64), minlength=slots)
    if seen.min() < 1 or seen.sum() < _DAYS_SEEN * slots:
        return 0.0, float(DAY)
    around = np.concatenate([[0.0], np.cumsum(np.tile(hit / seen, 2))])
    for wide in range(1, round(_LONGEST_DAY / _QUARTER) + 1):
        inside = around[wide : wide + slots] - around[:slots]
        if inside.max() >= _NEARLY * around[slots]:
            first = int(inside.argmax())
            return ((first - 2) % slots) * _QUARTER, (wide + 4) * _QUARTER
    return 0.0, float(DAY)


def part_of(times: Floats | Ints, a: float, b: float) -> slice:
    """Find the moments after a, up to and including b, in the unit of the moments."""
    return slice(*times.searchsorted([a, b], "right").tolist())


def _level(times: Floats, part: Sequence[Stretch]) -> float:
    """Return the touches a second in stretches."""
    seconds = sum(b - a for a, b in part)
    return sum(len(times[part_of(times, a, b)]) for a, b in part) / seconds if seconds else 0.0
