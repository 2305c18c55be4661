"""The figures of a strategy in closed form: those of `screen`, with its copies and its recovery volume added."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from math import exp, inf, isnan, nan
from statistics import NormalDist
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from simulation.failures import Restore, replaced_seconds
from simulation.lifetimes import Calendar
from simulation.scenario import Conditions, Scenario
from simulation.screening import screen
from snapkit.prices import MONTH
from snapkit.strategy import Strategy, Tier
from snapkit.strategy.zones import epoch_of
from snapkit.units import seconds_text, to_seconds

Figures: TypeAlias = dict[str, float]

_P95 = NormalDist().inv_cdf(0.95)


def closed_form(scenarios: Mapping[str, Scenario]) -> dict[str, Figures]:
    """Give the means over all chances of strategies on one volume.

    Args:
        scenarios: by name; they differ in nothing but their strategies.

    Returns:
        The figures of each, named as the columns of `Screening.frame`, and ``duration_p95_s`` (NaN where the times
        between snapshots differ: only a simulation tells) and ``rto_p95_s``. ``monthly_cost_usd`` includes the copies,
        each region's a chain of its own to which its changes are sent, and the recovery volume.
    """
    first = next(iter(scenarios.values()))
    plain = [_named(name, _plain(each.strategy)) for name, each in scenarios.items()]
    chains = {
        (name, region): _named(f"{name}, {region}", _chain(each.strategy, region))
        for name, each in scenarios.items()
        for region in each.strategy.copy_regions
    }
    frame = screen(
        [*plain, *chains.values()],
        first.workload,
        horizon=first.horizon,
        start=first.start,
        timing=first.timing,
        prices=first.prices,
    ).frame
    known: dict[str, Figures] = {str(name): dict(row) for name, row in frame.astype(np.float64).iterrows()}
    answers = {}
    for name, each in scenarios.items():
        figures = answers[name] = known[name]
        begun = inf if isnan(figures["full_duration_s"]) else figures["full_duration_s"]
        figures["duration_p95_s"] = _p95(each, figures["duration_mean_s"])
        figures["rto_p95_s"] = _rto(each, begun)
        copies = (_copies_monthly(each, known[chain.name]) for (of, _), chain in chains.items() if of == name)
        figures["monthly_cost_usd"] += sum(copies) + _recovery_monthly(each, begun)
    return answers


def kept_ages(scenario: Scenario, figures: Figures) -> NDArray[np.float64]:
    """List how old the snapshots are that a strategy keeps at the horizon, newest first [s].

    Args:
        scenario: the strategy on its volume.
        figures: its closed form, which tells whether the last snapshot is complete by then.
    """
    if not figures["kept"]:
        return np.empty(0)
    end = scenario.horizon_seconds
    lifetimes = Calendar(epoch_of(scenario.start, "start"), end).lifetimes(_plain(scenario.strategy))
    last = len(lifetimes.times) - 1
    kept = np.flatnonzero(lifetimes.ends > last)
    if len(kept) != figures["kept"]:
        # The last one is pending, and has not deleted any.
        kept = np.flatnonzero(lifetimes.ends[:last] >= last)
    return np.asarray(end - lifetimes.times[kept][::-1])


def caveats(scenario: Scenario, figures: Figures) -> Iterator[str]:
    """Tell what of a scenario its closed form leaves out, or takes to be simpler than it is.

    Args:
        scenario: the strategy on its volume.
        figures: its closed form, with ``interval_s`` besides.
    """
    strategy, doubt = scenario.strategy, scenario.timing.doubt
    if isnan(figures["full_duration_s"]):
        yield "no snapshot is complete before the horizon"
    elif figures["full_duration_s"] > figures["interval_s"]:
        yield f"approximate, for the first snapshot, {seconds_text(figures['full_duration_s'])}, outlasts the interval"
    elif figures["approximate"]:
        yield "approximate, for snapshots overlap, hours differ, or long gaps change more than their parts together"
    if to_seconds(scenario.start_within, zero=True):
        yield "snapshots are taken to start on time"
    if doubt.latency or doubt.rate:
        yield "latency and rate count with their means"
    if scenario.conditions != Conditions(scenario.conditions.region) or scenario.processes:
        yield "what the region limits, and what happens in it, is left out"
    if strategy.archives:
        yield "the archive is left out"
    if strategy.copy_regions or strategy.recovery:
        yield "copies and recovery volumes are taken to be made at once"
    if figures["history_s"] >= scenario.horizon_seconds - figures["full_duration_s"]:
        yield f"after {seconds_text(scenario.horizon_seconds)} the first snapshot is still kept, so costs go on growing"


def _named(name: str, strategy: Strategy) -> Strategy:
    return replace(strategy, name=name)


def _plain(strategy: Strategy) -> Strategy:
    return replace(strategy, tiers=[replace(tier, copies=()) for tier in strategy.tiers], recovery=None)


def _chain(strategy: Strategy, region: str) -> Strategy:
    """Make the strategy under which the copies in a region are a chain like any other."""
    copied = [(tier, copy) for tier in strategy.tiers for copy in tier.copies if copy.region == region]
    return Strategy(strategy.name, [Tier(tier.schedule, copy.retention, tier.name) for tier, copy in copied])


def _p95(scenario: Scenario, mean: float) -> float:
    """Tell the 95th percentile of the durations [s]: of snapshots of one size, that of a lognormal of that mean."""
    tiers, spread = scenario.strategy.tiers, scenario.timing.spread
    even = len(tiers) == 1 and not tiers[0].schedule.held and scenario.workload.stationary
    return mean * exp(_P95 * spread - spread**2 / 2) if even else nan


def _copies_monthly(scenario: Scenario, chain: Figures) -> float:
    """Price a month of the copies in one region [USD], without the first one, which is full and paid for once."""
    changes = chain["copied_bytes"] - scenario.workload.allocated(0.0) * scenario.workload.block_size
    return chain["monthly_cost_usd"] + scenario.prices.transferred(changes / scenario.horizon_seconds * MONTH)


def _recovery_monthly(scenario: Scenario, begun: float) -> float:
    """Price a month of the recovery volume [USD] as it is there in the last one, or in all of a shorter horizon."""
    recovery = scenario.strategy.recovery
    if recovery is None:
        return 0.0
    end, tail = scenario.horizon_seconds, min(MONTH, scenario.horizon_seconds)
    made = _made(scenario, begun)
    ready = made + to_seconds(Restore().attach) + (_warming(scenario) if recovery.initialized else 0.0)
    there = replaced_seconds(made, np.minimum.accumulate(ready[::-1])[::-1], end - tail, end)
    size = scenario.blocks * scenario.workload.block_size
    return scenario.prices.volume(scenario.volume_type, size, there) * MONTH / tail


def _rto(scenario: Scenario, begun: float) -> float:
    """Tell within which time a lost volume is replaced at its full speed [s], as `failures.warm_again` does.

    Args:
        scenario: of the volume.
        begun: when its first snapshot is complete [s].
    """
    restore, recovery, end = Restore(), scenario.strategy.recovery, scenario.horizon_seconds
    if begun >= end:
        return nan
    attach = to_seconds(restore.attach, zero=True)
    warming = _warming(scenario)
    if recovery is None:
        return to_seconds(restore.delay, zero=True) + attach + warming
    without = (min([end, *(_made(scenario, begun)[:1] + attach + warming)]) - begun) / (end - begun)
    loaded = recovery.initialized and without <= 0.05
    return to_seconds(recovery.delay) + attach + (0.0 if loaded else warming)


def _warming(scenario: Scenario) -> float:
    """Tell how long a restored volume takes to its full speed [s]."""
    return Restore().warming(scenario.largest(scenario.horizon_seconds))


def _made(scenario: Scenario, begun: float) -> NDArray[np.float64]:
    """List when recovery volumes are made [s]: on schedule, once the first snapshot is complete."""
    assert scenario.strategy.recovery is not None  # noqa: S101 - for the type checker: its callers know
    start, end = epoch_of(scenario.start, "start"), scenario.horizon_seconds
    if begun >= end:
        return np.empty(0)
    due = scenario.strategy.recovery.schedule.epochs(start + begun - 1)
    times = np.array([*takewhile(lambda at: at <= start + end, due)], np.float64) - start
    return times[times >= begun]
