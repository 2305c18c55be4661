"""A timing that is not certain: each replication draws one, and every strategy meets the same."""

from simulation import Scenario, simulate, study
from snapkit.timing import Doubt, Timing
from tests.simulation.studied import DAILY, HOURLY, VOLUMES, WORKLOAD

DOUBTFUL = Timing(latency=600, spread=0, doubt=Doubt(latency=0.3))


def test_the_doubt_of_a_timing_flows_into_every_figure_and_is_the_same_for_all() -> None:
    compared = study([HOURLY, DAILY], VOLUMES, horizon="3d", replications=9, timing=DOUBTFUL)
    low, high = compared.ranges["duration_mean_s"].loc["hourly"].tolist()
    assert high - low > 300
    excess = {name: each.runs["full_duration_s"] for name, each in compared.volumes.items()}
    for figure in excess.values():
        assert figure.loc["hourly"].tolist() == figure.loc["daily"].tolist()
    gap = excess["web"] - excess["db"]
    assert gap.max() - gap.min() < 1e-6  # the same latency for both volumes
    drawn = simulate(Scenario(HOURLY, WORKLOAD, "1d", timing=DOUBTFUL), 3, replication=2).scenario.timing
    assert drawn == DOUBTFUL.sampled(3, 2)
