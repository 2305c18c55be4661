"""Many volumes on one link: against the textbook model, and the link alone against working everything out anew."""

import statistics
from functools import partial
from math import isfinite
from time import perf_counter

import simpy

from simulation import Conditions, Fleet, Scenario, Workload, simulate
from simulation.link import Link
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from tests.oracle import BorrowedLink, SharedLink, textbook_fleet

ROUNDS = 3
VOLUMES, HOURS, REGIONS = 500, 100, 5
FLOWS = 500
RATE = 40e6


def main() -> None:
    """Print both ratios, each the median of interleaved rounds."""
    fleet = scenario()
    against_textbook, on_our_link, against_anew = [], [], []
    for _ in range(ROUNDS):
        begin = perf_counter()
        outcomes = simulate(fleet)
        middle = perf_counter()
        logs = textbook_fleet(fleet)
        end = perf_counter()
        textbook_fleet(fleet, shared=BorrowedLink)
        last = perf_counter()
        for name, log in logs.items():
            ours = outcomes[name].log.completed
            assert all(abs(a - b) < 1e-4 for a, b in zip(ours, log.completed, strict=True) if isfinite(b))
        against_textbook.append((end - middle) / (middle - begin))
        on_our_link.append((last - end) / (middle - begin))
        begin = perf_counter()
        ended = by_virtual_time(FLOWS)
        middle = perf_counter()
        expected = anew(FLOWS)
        end = perf_counter()
        assert all(abs(a - b) < 1e-4 for a, b in zip(ended, expected, strict=True))
        against_anew.append((end - middle) / (middle - begin))
    taken = sum(len(outcome.log.started) for outcome in outcomes.values())
    faster, on_ours, link = map(statistics.median, (against_textbook, on_our_link, against_anew))
    told = f"fleet: {taken:,} snapshots {faster:.1f} times faster than the textbook model (at least 4)"
    print(f"{told}, {on_ours:.1f} with the link of the model in it")
    print(f"link: {FLOWS} uploads {link:.1f} times faster than working out each anew (at least 10)")


def scenario() -> Fleet:
    """Make volumes with hourly snapshots, spread over the minutes, that share a link four fifths busy."""
    timing, workload = Timing(spread=0), Workload.from_table({"1h": 50, "4h": 110, "24h": 200}, None, "100 MiB")
    # A hundred in a region: the textbook model knows nothing of what else limits an account.
    busy = VOLUMES / REGIONS * workload.changed("1h") * workload.block_size / 3600 / 0.8
    conditions = [Conditions(f"region-{number}", bandwidth=busy, pending=10_000) for number in range(REGIONS)]
    strategies = [
        Strategy("hourly", [Tier(Schedule(f"cron({minute} * * * ? *)"), Retention(last=24))]) for minute in range(60)
    ]
    return Fleet(
        {
            f"v{number}": Scenario(
                strategies[number % 60], workload, f"{HOURS}h", timing=timing, conditions=conditions[number % REGIONS]
            )
            for number in range(VOLUMES)
        }
    )


def by_virtual_time(flows: int) -> list[float]:
    """Send them by the link of the model."""
    env, ended = simpy.Environment(), [0.0] * flows
    link = Link(env, RATE)

    def note(number: int) -> None:
        ended[number] = env.now

    for number in range(flows):
        link.send(1e6 + number, RATE / 10, partial(note, number))
    env.run()
    return ended


def anew(flows: int) -> list[float]:
    """Send them by a link that works out every rest and pace at every event."""
    env, ended = simpy.Environment(), [0.0] * flows
    link = SharedLink(env, RATE)

    def send(number: int) -> "simpy.events.ProcessGenerator":
        yield from link.send(1e6 + number, RATE / 10)
        ended[number] = env.now

    for number in range(flows):
        env.process(send(number))
    env.run()
    return ended


if __name__ == "__main__":
    main()
