"""How long the explorer takes to answer while one drags: figures and pictures in closed form, all that is redrawn."""

import statistics
from time import perf_counter

from simulation import Workload
from simulation.explorer import StrategyExplorer

LIMIT = 300  # [ms]
HORIZONS = ("90d", "365d")


def main() -> None:
    """Print the time from a control that moves to all that is shown, with copies and a recovery volume."""
    workload = Workload.profile("workstation", size="500 GiB")
    for horizon in HORIZONS:
        shown = StrategyExplorer(workload, horizon=horizon, rpo="2h", monthly_cost=100)
        shown.copy_to.value, shown.recovery.value = "eu-west-1", "1 d"
        times = [seconds(shown, last) for last in range(1, 30)]
        told = f"{statistics.median(times) * 1000:.0f} ms, at most {max(times) * 1000:.0f} (limit {LIMIT})"
        print(f"explorer: redraw over {horizon} takes {told}")


def seconds(shown: StrategyExplorer, last: int) -> float:
    """Time one step of a slider [s]."""
    before = shown._pictures.value
    begin = perf_counter()
    shown.last.value = last
    spent = perf_counter() - begin
    assert shown._pictures.value != before
    return spent


if __name__ == "__main__":
    main()
