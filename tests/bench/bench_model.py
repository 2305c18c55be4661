"""The cost of a simulated snapshot, in bare SimPy timeouts, and against the textbook model.

One volume-year of hourly snapshots under last 24 / daily 30 / monthly 12 with a table footprint.
"""

import statistics
from collections.abc import Generator
from time import perf_counter

import simpy

from simulation import Scenario, Workload, simulate
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.oracle import textbook

ROUNDS = 15
TIMEOUTS = 20_000


def main() -> None:
    """Print both ratios, each the median of interleaved rounds."""
    tier = Tier(Schedule("every 1h"), Retention(last=24, daily=30, monthly=12))
    scenario = Scenario(Strategy("year", [tier]), Workload.profile("workstation"), "365d", timing=Timing())
    in_timeouts, in_textbook = [], []
    for _ in range(ROUNDS):
        timeout = bare_timeout()
        begin = perf_counter()
        outcome = simulate(scenario)
        middle = perf_counter()
        log = textbook(scenario)
        end = perf_counter()
        assert (outcome.log.completed, outcome.log.deleted) == (log.completed, log.deleted)
        in_timeouts.append((middle - begin) / len(log.started) / timeout)
        in_textbook.append((end - middle) / (middle - begin))
    print(f"model: a snapshot costs {statistics.median(in_timeouts):.1f} bare timeouts (limit 12)")
    print(f"model: {statistics.median(in_textbook):.1f} times faster than the textbook model (at least 3)")


def bare_timeout() -> float:
    """Time one timeout of a process that does nothing else [s]."""
    env = simpy.Environment()

    def process() -> Generator[simpy.Event, None, None]:
        while True:
            yield env.timeout(1)

    env.process(process())
    begin = perf_counter()
    env.run(until=TIMEOUTS)
    return (perf_counter() - begin) / TIMEOUTS


if __name__ == "__main__":
    main()
