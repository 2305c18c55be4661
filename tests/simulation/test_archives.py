"""The archive of a volume: what goes there and when, what stays, what waits, and what it costs."""

from math import inf
from typing import Literal, TypeAlias

import pytest
import simpy

from simulation import Scenario
from simulation.archives import Archives
from snapkit import rules
from snapkit.prices import Prices
from snapkit.strategy import Archive, Retention, Schedule, Strategy, Tier
from snapkit.timing import Timing
from snapkit.units import DAY, GIB, HOUR
from tests.simulation.linear import BLOCK, linear

Last: TypeAlias = int | Literal["all"]


def tier(name: str, last: Last) -> Tier:
    return Tier(Schedule("every 1d"), Retention(last=1), name, archive=Archive(Retention(last=last)))


class Vault:
    """An archive to which snapshots are sent by hand; archiving takes an hour."""

    def __init__(self, *tiers: Tier, places: int = rules.ARCHIVES_AT_ONCE) -> None:
        self.env = simpy.Environment()
        self.left: list[tuple[float, int]] = []
        timing = Timing(latency=HOUR, rate=inf, spread=0)
        scenario = Scenario(Strategy("s", tiers or [tier("daily", 2)]), linear("1 GiB"), "365d", timing=timing)
        self.archives = Archives(
            self.env,
            scenario,
            simpy.Resource(self.env, places),
            lambda at: 1000 + at / DAY,
            lambda number: self.left.append((self.env.now, number)),
        )
        self.log = self.archives.log

    def send(self, *wanted: tuple[float, int], tiers: tuple[str, ...] = ("daily",)) -> None:
        """Send snapshots there, each at a time [s] and under a number; each was started that many days in."""

        def sending() -> simpy.events.ProcessGenerator:
            for at, number in wanted:
                yield self.env.timeout(at - self.env.now)
                self.archives.want(number, number * DAY, tiers)

        self.env.process(sending())


def test_a_snapshot_leaves_the_standard_tier_once_it_is_archived() -> None:
    vault = Vault()
    vault.send((10 * DAY, 3))
    vault.env.run(20 * DAY)
    log = vault.log
    assert (log.of, log.started, log.begun) == ([3], [3 * DAY], [10 * DAY])
    assert (log.completed, log.deleted) == ([10 * DAY + HOUR], [inf])
    assert log.blocks == [1003]  # all that there was when it was taken
    assert vault.left == [(10 * DAY + HOUR, 3)]


def test_the_retention_there_deletes_the_oldest_when_another_one_is_to_come() -> None:
    vault = Vault()
    vault.send(*((day * DAY, day) for day in range(1, 5)))
    vault.env.run(20 * DAY)
    assert vault.log.deleted == [3 * DAY, 4 * DAY, inf, inf]


def test_a_snapshot_of_two_tiers_stays_while_either_keeps_it_there() -> None:
    vault = Vault(tier("daily", 1), tier("weekly", "all"))
    vault.send((1 * DAY, 1), tiers=("daily", "weekly"))
    vault.send((2 * DAY, 2), (3 * DAY, 3))
    vault.env.run(20 * DAY)
    assert vault.log.deleted == [inf, 3 * DAY, inf]


def test_one_that_is_let_go_on_its_way_is_archived_first() -> None:
    vault = Vault(tier("daily", 1))
    vault.send((1 * DAY, 1), (1 * DAY + 600, 2))
    vault.env.run(20 * DAY)
    assert vault.log.completed == [1 * DAY + HOUR, 1 * DAY + 600 + HOUR]
    assert vault.log.deleted == [1 * DAY + HOUR, inf]


def test_one_that_the_archive_would_not_keep_is_deleted_without_it() -> None:
    vault = Vault(tier("daily", 1))
    vault.send((1 * DAY, 5), (2 * DAY, 4))
    vault.env.run(20 * DAY)
    assert vault.log.of == [5]
    assert vault.left == [(1 * DAY + HOUR, 5), (2 * DAY, 4)]


def test_as_many_as_aws_holds_are_archived_and_the_others_wait_in_the_standard_tier() -> None:
    most = rules.ARCHIVED_PER_VOLUME
    vault = Vault(tier("daily", most + 2))
    vault.send(*((day * DAY, day) for day in range(1, most + 5)))
    vault.env.run(100 * DAY)
    # Two wait from the first on that is over the quota; each that the retention deletes makes room for the next.
    assert len(vault.log.of) == most + 2
    assert vault.log.begun[most:] == [(most + 3) * DAY, (most + 4) * DAY]
    assert vault.log.deleted[:3] == [(most + 3) * DAY, (most + 4) * DAY, inf]


def test_one_that_is_let_go_while_it_waits_is_never_archived() -> None:
    vault = Vault(tier("daily", 1), places=1)
    vault.send((0, 0), (60, 1), (120, 2))
    vault.env.run(DAY)
    assert vault.log.of == [0, 2]
    assert vault.left == [(120, 1), (HOUR, 0), (2 * HOUR, 2)]


def test_only_so_many_are_on_their_way_at_once() -> None:
    vault = Vault(tier("daily", "all"), places=2)
    vault.send(*((0, number) for number in range(5)))
    vault.env.run(DAY)
    assert vault.log.begun == [0, 0, HOUR, HOUR, 2 * HOUR]


def archived(deleted: float = inf, size: int = 100 * GIB) -> Vault:
    vault = Vault()
    key = vault.log.begin(0, 0.0, 0.0, size / BLOCK)
    vault.log.completed[key], vault.log.deleted[key] = 0.0, deleted
    return vault


def test_k11_archiving_100_gib_costs_a_dollar_and_a_quarter_a_month() -> None:
    assert archived().log.cost(Prices(), BLOCK, 0, 30 * DAY) == pytest.approx(1.25)


def test_k13_deleted_on_day_40_fifty_more_days_are_billed() -> None:
    log = archived(deleted=40 * DAY).log
    a_day = 1.25 / 30
    assert log.cost(Prices(), BLOCK, 0, 365 * DAY) == pytest.approx(90 * a_day)
    assert log.cost(Prices(), BLOCK, 0, 40 * DAY - 1) == pytest.approx(40 * a_day, rel=1e-4)
    assert log.cost(Prices(), BLOCK, 39 * DAY, 60 * DAY) == pytest.approx(51 * a_day)
    assert log.cost(Prices(), BLOCK, 40 * DAY, 365 * DAY) == 0.0


def test_what_stays_90_days_is_paid_for_as_long_as_it_stays() -> None:
    log = archived(deleted=100 * DAY).log
    assert log.cost(Prices(), BLOCK, 0, 365 * DAY) == pytest.approx(Prices().archived(100 * GIB, 100 * DAY))
    spans = [(0, 50), (50, 95), (95, 365)]
    parts = sum(log.cost(Prices(), BLOCK, begin * DAY, end * DAY) for begin, end in spans)
    assert parts == pytest.approx(log.cost(Prices(), BLOCK, 0, 365 * DAY))


def test_nothing_is_paid_to_the_archive_while_a_snapshot_is_on_its_way() -> None:
    vault = Vault()
    vault.send((0, 0))
    vault.env.run(HOUR - 1)
    assert vault.log.cost(Prices(), BLOCK, 0, 30 * DAY) == 0.0
