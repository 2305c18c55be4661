"""Replications in rounds: as many as a stated precision takes, fewer for strategies that are surely beaten."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from simulation.batches import Answer, ExecutorError, Run, answers
from simulation.compared import LESS_IS_BETTER, together
from simulation.progress import Progress
from simulation.scenario import Fleet, Scenario

CONFIDENCE = 0.95
_SURE = 0.999
"""How sure it must be that a strategy is beaten before it is left out of further rounds."""


@dataclass(frozen=True)
class Plan:
    """How many replications there are to be.

    Attributes:
        first: in the first round; the only one without a precision.
        precision: half the width of the confidence intervals of the figures that decide, as a share of their means.
        most: the most replications of a strategy.
        race: whether strategies that are surely beaten are left out of further rounds.
    """

    first: int
    precision: float | None = None
    most: int = 1000
    race: bool = True


@dataclass
class Results:
    """What was computed so far.

    Attributes:
        names: of the figures.
        rows: by strategy and replication, the figures of its volumes (volumes by figures).
        stopped: why not all was computed; empty if it was.
        beaten: the strategies that were left out of further rounds, by place.
        wanted: how many replications each strategy was to have in the rounds begun.
    """

    names: tuple[str, ...] = ()
    rows: dict[tuple[int, int], NDArray[np.float64]] = field(default_factory=dict)
    stopped: str = ""
    cause: BaseException | None = None
    beaten: set[int] = field(default_factory=set)
    wanted: dict[int, int] = field(default_factory=dict)

    def add(self, answer: Answer) -> None:
        """Keep the figures of one run."""
        self.names = answer.names
        self.rows[answer.run.place, answer.run.replication] = answer.figures

    def figures(self, place: int) -> NDArray[np.float64]:
        """Give a strategy's figures, its volumes taken together: replications by figures."""
        return np.array([together(self.rows[place, k], self.names) for k in range(self.wanted[place])])


def raced(
    scenarios: Sequence[Scenario | Fleet], plan: Plan, seed: int, executor: Executor | None, progress: Progress
) -> Results:
    """Compute all rounds; where that is interrupted, or the executor fails, tell so and keep what was computed."""
    results = Results()
    active, target = list(range(len(scenarios))), plan.first
    try:
        while active:
            runs = list(_round(scenarios, active, results.wanted, target))
            results.wanted.update(dict.fromkeys(active, target))
            progress.expect(len(runs))
            for answer in answers(runs, seed, executor):
                results.add(answer)
                progress.step()
            active = _going_on(results, active, plan)
            target = min(2 * target, plan.most)
    except KeyboardInterrupt as error:
        results.stopped, results.cause = "interrupted", error
    except ExecutorError as error:
        results.stopped, results.cause = f"the executor failed: {error.__cause__!r}", error.__cause__
    finally:
        progress.close()
    return results


def _round(
    scenarios: Sequence[Scenario | Fleet], active: Iterable[int], done: dict[int, int], target: int
) -> Iterator[Run]:
    """List the runs of a round, replication by replication, so that what is there of it at any time can be compared."""
    for replication in range(target):
        for place in active:
            if replication >= done.get(place, 0):
                yield Run(place, scenarios[place], replication)


def _going_on(results: Results, active: list[int], plan: Plan) -> list[int]:
    """Choose the strategies that need more replications."""
    if plan.precision is None:
        return []
    if plan.race:
        figures = {place: _deciding(results, place) for place in results.wanted}
        for place in active:
            others = (figures[other] for other in figures if other != place and other not in results.beaten)
            if any(_beats(other, figures[place]) for other in others):
                results.beaten.add(place)
    return [
        place
        for place in active
        if place not in results.beaten
        and results.wanted[place] < plan.most
        and not _is_precise(_deciding(results, place)[:, :-1], plan.precision)
    ]


def _deciding(results: Results, place: int) -> NDArray[np.float64]:
    """Give the figures that decide, less being better: the history, negative, comes last."""
    figures = results.figures(place)
    columns = [results.names.index(name) for name in LESS_IS_BETTER if name in results.names]
    return np.column_stack([figures[:, columns], -figures[:, results.names.index("history_s")]])


def _beats(figures: NDArray[np.float64], others: NDArray[np.float64]) -> bool:
    """Tell whether one strategy is surely no worse in anything than another, and better in something.

    The k-th runs of both met the same chances, so their differences tell more than their means.
    """
    count = min(len(figures), len(others))
    difference = figures[:count] - others[:count]
    mean, margin = difference.mean(0), half_width(difference, 2 * _SURE - 1)
    none = np.all(difference == 0, axis=0)
    surely_less = mean + margin < 0
    return bool(np.all(none | surely_less) and np.any(surely_less & ~none))


def _is_precise(figures: NDArray[np.float64], precision: float) -> bool:
    """Tell whether the means are known to a share of themselves; one that is unknown will not be known better."""
    mean, margin = figures.mean(0), half_width(figures, CONFIDENCE)
    return bool(np.all(np.isnan(mean) | (margin <= precision * np.abs(mean))))


def half_width(figures: NDArray[np.float64], confidence: float) -> NDArray[np.float64]:
    """Give half the width of the confidence intervals of means by Student's t; NaN for one replication.

    Args:
        figures: replications by figures.
        confidence: such as 0.95.
    """
    from scipy.stats import t  # slow to import, and of use only here

    count = len(figures)
    if count < 2:
        return np.full(figures.shape[1], np.nan)
    with np.errstate(invalid="ignore"):
        # A figure may be infinite, such as the time without protection of a run in which nothing completes.
        spread = figures.std(0, ddof=1)
    return np.asarray(spread / np.sqrt(count) * t.ppf((1 + confidence) / 2, count - 1))
