"""Forecast against fact: what `simulation.simulate` said of a strategy, and what it did on a volume."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import isnan, nan
from typing import Any

import numpy as np
import pandas as pd

from snapkit.automation.comparison import TOLD, Comparison, Figure
from snapkit.automation.figures import Paired, at_end, firsts, gone, judged
from snapkit.automation.happened import SECOND, Band, Course, Forecast, Log, Seen, seen
from snapkit.automation.scoring import medians, ranges
from snapkit.ebs import Region, Volume
from snapkit.errors import InvalidRequest
from snapkit.strategy import Strategy
from snapkit.units import seconds_text


def compare(
    outcome: Forecast | Sequence[Forecast],
    where: Volume | Region,
    *,
    history: pd.DataFrame | None = None,
    log: Log = (),
) -> Comparison:
    """Lay what was forecast of a strategy beside what it did on a volume.

    Snapshots are paired by their due times. Nothing is written, and without a history nothing costs. What the strategy
    deleted is not listed any more: without a log, only the time counts from which everything should still be there.
    Copies in other regions, the archive and recovery volumes are not compared.

    Args:
        outcome: a run of `simulation.simulate`, or several of one scenario, which began when the strategy did: nine or
            more, such as ``[simulate(scenario, replication=k) for k in range(20)]``, tell ranges.
        where: the volume, or a region in which the strategy has snapshots of one volume only.
        history: what `Volume.change_history` counted of that volume; look at `Volume.change_history_preview` first. It
            tells how much snapshots copied, and `Comparison.refit` needs it.
        log: the path of what ``snapkit run --apply --json`` wrote since the beginning, or a list of what `run` returned
            each time: it tells of snapshots that were deleted since.

    Raises:
        InvalidRequest: the strategy has no snapshots there, or of several volumes, or none in the time of the forecast;
            the runs are not of one scenario of one volume; the history is not of these snapshots; or the log cannot be
            read.
        AwsError: AWS refuses.
    """
    runs = _runs(outcome)
    strategy, start, horizon = runs[0].scenario.strategy, runs[0].scenario.start, runs[0].scenario.horizon_seconds
    found = seen(strategy.name, where, log)
    _check_tiers(found, strategy)
    until = min((found.region.clock.now() - start) / SECOND, horizon)
    _check_overlap(found, start, until)
    courses = [Course.forecast(each) for each in runs]
    since = 0.0 if log else max(gone(course, until) for course in courses)
    copied = {} if history is None else found.copied(history, start + since * SECOND)
    fact = Course.fact(found.mine, start, copied)
    paired = Paired(courses, fact, since, until)
    foretold = [
        paired.forecast(place)
        | judged(course, strategy, start, since, until)
        | firsts(course, until)
        | at_end(course, run, until)
        for place, (course, run) in enumerate(zip(courses, runs, strict=True))
    ]
    whole = since == 0 and fact.due[0] == courses[0].due[0]
    measured = paired.facts() | judged(fact, strategy, start, since, until)
    # The first one of a volume that had others copied less than all of it.
    if whole and (full := found.full):
        measured |= firsts(fact, until) | {"full_bytes": float(full.snapshot.full_size or nan)}
    if not log:
        del measured["failed"]  # what ended in error is deleted as soon as a younger one is complete
    happened: dict[str, Band] = {name: (value, value, "measured") for name, value in measured.items()}
    if history is not None and (history["source"] != "measured").any():
        happened |= {name: (*happened[name][:2], "modelled") for name in ("copied_mean_bytes", "copied_score")}
    if not (fact.started > until).any():
        happened |= found.stored(start + until * SECOND, history)
    return Comparison(
        strategy=strategy.name,
        volume=found.volume,
        runs=len(runs),
        figures=_figures(foretold, happened),
        snapshots=paired.frame(),
        notes=tuple(_notes(found, start, since, until, paired, late=since == 0 and not whole)),
        history=history,
        timed=tuple(found.timed(copied, whole=whole)),
    )


def _figures(foretold: list[dict[str, float]], happened: Mapping[str, Band]) -> tuple[Figure, ...]:
    """Lay runs and fact side by side."""
    frame = pd.DataFrame(foretold)[list(TOLD)].to_numpy(np.float64)
    low, high = ranges(frame)
    rows = zip(TOLD, medians(frame).tolist(), low.tolist(), high.tolist(), strict=True)
    facts = {name: band for name, band in happened.items() if not isnan(band[0])}
    return tuple(Figure(*row, *facts.get(row[0], (nan, nan, "not seen"))) for row in rows)


def _runs(outcome: Forecast | Sequence[Forecast]) -> list[Forecast]:
    """Read the runs of a forecast.

    Raises:
        InvalidRequest: there are none, or they are not of one scenario of one volume.
    """
    runs: list[Any] = [outcome] if hasattr(outcome, "log") or not isinstance(outcome, Iterable) else list(outcome)
    for each in runs:
        if isinstance(outcome, Mapping) or isinstance(each, Mapping):
            remedy = "compare one volume at a time, such as compare([run['db'] for run in runs], volume)"
            raise InvalidRequest("outcome", each, "is of many volumes", remedy)
        if not (hasattr(each, "log") and hasattr(each, "scenario")):
            raise InvalidRequest("outcome", each, "is no run", "give simulate(scenario), or a list of such runs")
    if not runs:
        raise InvalidRequest("outcome", [], "has no run", "give simulate(scenario), or a list of such runs")
    first = runs[0].scenario
    if len(first.workload.members) > 1:
        rule = f"is of {len(first.workload.members)} volumes taken as one"
        raise InvalidRequest("outcome", first, rule, "simulate the volume alone, with the workload of that one")
    for each in runs:
        other = each.scenario
        for name in ("strategy", "start", "horizon_seconds", "conditions"):
            if getattr(other, name) != getattr(first, name):
                rule = f"has another {name.partition('_')[0]} than the run before it"
                raise InvalidRequest("outcome", other, rule, "give runs of one scenario, which differ by replication")
    return runs


def _check_tiers(found: Seen, strategy: Strategy) -> None:
    names = {tier.name for tier in strategy.tiers}
    strange = sorted({tier for each in found.mine for tier in each.tiers} - names)
    if strange:
        rule = f"has no tier {', '.join(map(repr, strange))}, for which snapshots were taken"
        raise InvalidRequest("strategy", strategy.name, rule, "give an outcome of the strategy that was run")


def _check_overlap(found: Seen, start: datetime, until: float) -> None:
    oldest, newest = found.mine[0].taken_at, found.mine[-1].taken_at
    end = start + max(until, 0.0) * SECOND
    if newest < start or oldest > end:
        rule = f"to {end.astimezone(UTC):%Y-%m-%d %H:%M} UTC is not when the snapshots of {found.volume} were taken"
        remedy = f"simulate from {oldest:%Y-%m-%d %H:%M:%S} UTC on, when the oldest one was taken"
        raise InvalidRequest("outcome from", f"{start.astimezone(UTC):%Y-%m-%d %H:%M}", rule, remedy)


def _notes(found: Seen, start: datetime, since: float, until: float, paired: Paired, *, late: bool) -> Iterator[str]:
    if since:
        told = f"from {(start + since * SECOND).astimezone(UTC):%Y-%m-%d %H:%M} UTC on, {seconds_text(until - since)}"
        yield f"taken, failed, missed and RPO are counted {told}: a log tells what was deleted before"
    if late:
        due = f"{found.mine[0].due:%Y-%m-%d %H:%M} UTC"
        yield f"the oldest snapshot that is known was due at {due}, not when the forecast begins: the rest is missed"
    own = {each.id for each in found.mine}
    if others := sum(each.id not in own for each in found.around):
        yield f"{others:,} other snapshots of the volume are there: the next one of the strategy copies less after each"
    if pending := sum(each.state == "pending" for each in found.mine):
        yield f"{pending:,} pending: how long they take is not known yet"
    if paired.left_out:
        yield f"{paired.left_out:,} complete snapshots serve due times that no run has, and are left out"
    if any(each.taken_at > start + until * SECOND for each in found.mine):
        yield "the forecast ended before now: what is kept and stored now is not compared"
