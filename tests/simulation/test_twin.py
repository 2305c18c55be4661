"""The same strategy and the same writes, once simulated, once run on the sandbox by the objects: the same timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from simulation import Scenario, Workload, simulate
from snapkit import Sandbox, Timing
from snapkit.ebs import Snapshot
from snapkit.strategy import Retention, Schedule, Strategy, Tier
from tests.ebs.ground import OWN, ZONE

DAYS = 30
GIB, BLOCK = 2**30, 524288
TIMING = Timing(rate=2 * GIB / 18_000, spread=0.0)
"""The first, full one takes five hours: those that follow wait for it."""
TIERS = "snapkit:tiers"
POLL = timedelta(minutes=4)
"""Time between two looks while a snapshot is pending: what it deletes goes that much later at most."""

STRATEGY = Strategy(
    "twin",
    [
        Tier(Schedule("every 2h"), Retention(last=12), "often"),
        Tier(Schedule("cron(30 3 * * ? *)"), Retention(daily=7, weekly=4), "daily"),
    ],
)


@dataclass
class Known:
    """What the strategy asks of a snapshot."""

    snapshot: Snapshot

    @property
    def taken_at(self) -> datetime:
        return self.snapshot.taken_at

    @property
    def state(self) -> str:
        return self.snapshot.state

    @property
    def tiers(self) -> Sequence[str]:
        return self.snapshot.tags[TIERS].split("+")


def writes(seed: int) -> pd.DataFrame:
    """Make up writes of whole seconds on two GiB: bursts, and some places more often than others."""
    chance = np.random.default_rng(seed)
    bursts = np.sort(chance.integers(1, DAYS * 86_400, 3000))
    times = np.sort(np.repeat(bursts, chance.geometric(0.3, len(bursts))))
    return pd.DataFrame(
        {"t_us": times * 10**6, "op": "W", "off": chance.zipf(1.2, len(times)) % 4096 * BLOCK, "len": 4096}
    )


def test_thirty_days_of_the_sandbox_are_those_of_the_simulator() -> None:
    frame, horizon = writes(1), f"{DAYS}d"
    with Sandbox(accounts=[OWN], timing=TIMING) as sandbox:
        region = sandbox.region()
        volume = region.volumes.create(ZONE, "2 GiB")
        sandbox.replay(volume.id, frame, span=horizon)
        start = region.clock.now()
        seen: dict[str, dict[str, object]] = {}
        while (now := region.clock.now()) <= start + timedelta(days=DAYS):
            known = [Known(each) for each in region.snapshots.find(volume=volume.id)]
            for each in known:
                seen[each.snapshot.id].update(completed=each.snapshot.completed_at)
            decision = STRATEGY.decide(known, now)
            for verdict in decision.delete:
                verdict.snapshot.snapshot.delete()
                seen[verdict.snapshot.snapshot.id]["deleted_at"] = now
            if decision.take:
                taken = volume.take_snapshot(tags={TIERS: "+".join(decision.take.tiers)})
                seen[taken.id] = {"started": taken.taken_at, "tiers": ", ".join(decision.take.tiers)}
            assert decision.next_due is not None
            pending = decision.take or any(each.state == "pending" for each in known)
            wake = min(decision.next_due, now + POLL) if pending else decision.next_due
            region.clock.sleep((wake - now).total_seconds())
        happened = pd.DataFrame(seen.values())
    workload = Workload.from_trace(frame, span=horizon)
    simulated = simulate(Scenario(STRATEGY, workload, horizon, start=start, timing=TIMING, size="2 GiB")).snapshots
    assert len(simulated) > 380
    for column, within in {"started": "0s", "completed": "1ms", "deleted_at": "4min"}.items():
        ours, theirs = pd.to_datetime(simulated[column]), pd.to_datetime(happened[column])
        assert ours.isna().tolist() == theirs.isna().tolist(), column
        assert (theirs - ours).dropna().between(pd.Timedelta("-1ms"), pd.Timedelta(within)).all(), column
    assert simulated["tiers"].tolist() == happened["tiers"].tolist()
    assert len(set(simulated["completed"].head(4))) == 1  # the full one, and those that waited for it
