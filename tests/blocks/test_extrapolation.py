"""How a footprint goes on: each real disk predicted by the others, and disks of another kind by all of them."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from snapkit.blocks import Workload, read_trace
from snapkit.blocks.extrapolation import (
    FEWEST,
    SPREAD_OF_ALL,
    WITH_WRITES,
    WITHOUT_WRITES,
    Growth,
    Law,
    growth_of,
)
from snapkit.units import HOUR, MINUTE
from tests.data import data_path

PAGE = 4096
SLOT = 30 * MINUTE


@dataclass(frozen=True)
class Disk:
    """The slots of one disk, and how many distinct pages were written in all of them together."""

    name: str
    changed: NDArray[np.float64]
    written: NDArray[np.float64]
    total: float

    @property
    def longer(self) -> float:
        return math.log(len(self.changed))

    @property
    def power(self) -> float:
        return math.log(self.total / self.changed.mean()) / self.longer

    @property
    def rewrites(self) -> float:
        return float(self.written.sum() / self.changed.sum())

    def features(self, writes: bool) -> list[float]:
        uneven = math.log(float((self.changed**2).mean() / self.changed.mean() ** 2))
        return [1.0, uneven, math.log(self.rewrites)] if writes else [1.0, uneven]


def recorded(slots: pd.DataFrame) -> pd.DataFrame:
    """Leave out holes: more than a day in which nothing was written or read."""
    idle = (slots["pages_written"] == 0) & (slots["pages_read"] == 0)
    run = (idle != idle.shift()).cumsum()
    return slots[~(idle & (idle.groupby(run).transform("size") > 48))]


@cache
def disks(holes: bool = False) -> tuple[Disk, ...]:
    slots = pd.read_csv(data_path("vm-disks-30min.csv.gz"))
    totals = pd.read_csv(data_path("vm-disks-totals.csv"), usecols=["vol", "distinct_pages_written"])
    made = []
    for name, total in zip(totals["vol"], totals["distinct_pages_written"], strict=True):
        rows = slots[slots["vol"] == name]
        kept = rows if holes else recorded(rows)
        changed, written = (kept[each].to_numpy(np.float64) for each in ("distinct_pages_written", "pages_written"))
        made.append(Disk(name, changed, written, float(total)))
    return tuple(made)


def fitted(known: Sequence[Disk], writes: bool) -> Law:
    """Fit the law by least squares; its spread is what disks are off by when each is left out in turn."""
    features = np.array([disk.features(writes) for disk in known])
    powers = np.array([disk.power for disk in known])
    found = np.linalg.lstsq(features, powers, rcond=None)[0]
    leverage = (features * (features @ np.linalg.inv(features.T @ features))).sum(axis=1)
    spread = math.sqrt(float((((powers - features @ found) / (1 - leverage)) ** 2).mean()))
    most = max(disk.rewrites for disk in known) if writes else 1.0
    level, variation, rewrites = (*found.tolist(), 0.0)[:3]
    return Law(level, variation, rewrites, most, spread, spread_of_all(powers))


def spread_of_all(powers: NDArray[np.float64]) -> float:
    """Tell by how much powers are off from the mean of the others."""
    return float(powers.std() * len(powers) / (len(powers) - 1))


def judged(law: Law, disk: Disk) -> tuple[float, bool]:
    """Tell by how much the logarithm of a disk's total is off, and whether the band holds it."""
    low, likely, high = law.growth(disk.changed, disk.written.sum()).band
    mean, longest = disk.changed.mean(), len(disk.changed)
    held = mean * longest**low <= disk.total <= mean * longest**high
    return abs(math.log(mean * longest**likely / disk.total)), held


@cache
def left_out(writes: bool, holes: bool = False) -> tuple[tuple[float, bool], ...]:
    """Predict each disk by a law that was fitted afresh to the others."""
    known = disks(holes)
    return tuple(judged(fitted([other for other in known if other is not disk], writes), disk) for disk in known)


def test_one_disk_has_a_hole_of_700_hours_which_is_left_out() -> None:
    shorter = [
        (whole.name, len(whole.changed) - len(kept.changed))
        for whole, kept in zip(disks(holes=True), disks(), strict=True)
        if len(whole.changed) != len(kept.changed)
    ]
    assert len(disks()) == 54
    assert shorter == [("w46", 1402)]


def rounded(law: Law) -> list[float]:
    return [round(each, 4) for each in (law.level, law.variation, law.rewrites, law.most_rewritten, law.spread)]


def test_the_shipped_laws_are_the_fits_to_the_54_disks() -> None:
    assert rounded(fitted(disks(), writes=True)) == rounded(WITH_WRITES)
    assert rounded(fitted(disks(), writes=False)) == rounded(WITHOUT_WRITES)
    assert round(fitted(disks(), writes=True).spread_of_few, 4) == SPREAD_OF_ALL


@pytest.mark.parametrize(("writes", "off", "held"), [(True, 0.35, 44), (False, 0.36, 46)])
def test_a_disk_that_is_left_out_is_predicted_from_its_slots_alone(writes: bool, off: float, held: int) -> None:
    errors, inside = zip(*left_out(writes), strict=True)
    assert round(float(np.median(errors)), 2) == off <= 0.42
    assert sum(inside) == held
    assert 0.7 <= held / 54 <= 0.9
    assert np.mean(errors) < 0.5


@pytest.mark.parametrize("writes", [True, False])
def test_the_hole_does_not_decide(writes: bool) -> None:
    errors, inside = zip(*left_out(writes, holes=True), strict=True)
    assert np.median(errors) <= 0.42
    assert 0.7 <= np.mean(inside) <= 0.9


@pytest.mark.parametrize("writes", [True, False])
def test_it_is_no_lucky_number(writes: bool) -> None:
    """Drawn again with replacement, nine times in ten the 54 disks are still predicted that well."""
    errors = np.array([error for error, _ in left_out(writes)])
    again = np.median(np.random.default_rng(5).choice(errors, (4000, 54)), axis=1)
    assert np.mean(again <= 0.42) > 0.9
    assert np.quantile(again, 0.95) < 0.45


@pytest.mark.parametrize("writes", [True, False])
def test_one_half_of_the_disks_predicts_the_other(writes: bool) -> None:
    chance, medians, held = np.random.default_rng(7), [], []
    for _ in range(100):
        order = [disks()[at] for at in chance.permutation(54)]
        law = fitted(order[:27], writes)
        errors, inside = zip(*(judged(law, disk) for disk in order[27:]), strict=True)
        medians.append(np.median(errors))
        held.append(np.mean(inside))
    assert np.median(medians) <= 0.42
    assert 0.78 < np.mean(held) < 0.86
    assert np.quantile(medians, 0.9) < 0.5


def test_disks_of_one_family_do_not_predict_each_other() -> None:
    family = {"w33", "w36", "w39", "w45", "w47"}  # all write about 37 million pages at the same pace
    rest = [disk for disk in disks() if disk.name not in family]
    alone = [judged(fitted(rest, writes=True), disk)[0] for disk in disks() if disk.name in family]
    others = [error for (error, _), disk in zip(left_out(True), disks(), strict=True) if disk.name not in family]
    assert np.median(alone + others) <= 0.42


def test_the_median_power_alone_is_twice_as_far_off() -> None:
    errors = []
    for disk in disks():
        usual = np.median([other.power for other in disks() if other is not disk])
        errors.append(abs(usual - disk.power) * disk.longer)
    assert np.median(errors) > 0.65


def parts(rows: int, widened: bool = True) -> Iterator[bool]:
    """Tell, for each stretch of so many slots of each disk, whether its band of powers holds that of the whole."""
    for disk in disks():
        law = fitted([other for other in disks() if other is not disk], writes=True)
        law = law if widened else replace(law, spread_of_few=law.spread)
        for start in range(0, max(1, len(disk.changed) - rows + 1), rows):
            changed, written = disk.changed[start : start + rows], disk.written[start : start + rows]
            if changed.any():
                low, _, high = law.growth(changed, written.sum()).band
                yield low <= disk.power <= high


def test_few_rows_widen_the_band_because_it_would_promise_too_much() -> None:
    own = {rows: round(float(np.mean(list(parts(rows, widened=False)))), 2) for rows in (FEWEST, 48, 96, 168)}
    held = {rows: round(float(np.mean(list(parts(rows)))), 2) for rows in (FEWEST, 48, 96, 168)}
    assert own == {24: 0.68, 48: 0.73, 96: 0.76, 168: 0.8}
    assert held == {24: 0.81, 48: 0.82, 96: 0.83, 168: 0.8}


def test_a_history_of_one_interval_predicts_the_week() -> None:
    """What users get, on the same disks: no longer left out, so only a check that all is connected."""
    errors, held, modelled = [], 0, set()
    for disk in disks():
        rows = pd.DataFrame({"interval_s": SLOT, "changed_blocks": disk.changed, "written_blocks": disk.written})
        workload = Workload.from_changes(rows, size="64 TiB", block_size=PAGE)
        week = float(len(rows) * SLOT)
        low, likely, high = workload.footprint_band(week)
        assert workload.footprint(week) == likely
        modelled.add(workload.provenance(0, week))
        errors.append(abs(math.log(likely / disk.total)))
        held += low <= disk.total <= high
    assert np.median(errors) <= 0.42
    assert 0.7 <= held / 54 <= 0.9
    assert modelled == {"modelled"}


# Disks of another kind: the workstation of 1992 (root disk and swap) and the MSR server, recorded as requests.


def touches(file: str, device: int | None, span: float, unit: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    frame = read_trace(data_path(file))
    chosen = frame[(frame["op"] == "W") & (frame["t_us"] < span * 1e6)]
    chosen = chosen if device is None else chosen[chosen["dev"] == device]
    first, last = chosen["off"].to_numpy() // unit, (chosen["off"] + chosen["len"] - 1).to_numpy() // unit
    count = last - first + 1
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    return np.repeat(chosen["t_us"].to_numpy(), count), np.repeat(first, count) + step


def per_window(t: NDArray[np.int64], block: NDArray[np.int64], seconds: float, span: float) -> NDArray[np.float64]:
    """Count the distinct blocks of each window."""
    window = t // round(seconds * 1e6)
    distinct = np.unique(window * (int(block.max()) + 1) + block) // (int(block.max()) + 1)
    return np.bincount(distinct, minlength=round(span / seconds)).astype(np.float64)


def cases() -> Iterator[tuple[float, float, float]]:
    """Yield the power beyond the longest of several intervals, what their slope says of it, and what the rows say."""
    week, server = "workstation-root-disk-96h.csv.gz", "server-volume-242s.csv.gz"
    recordings: list[tuple[str, int | None, float, list[float]]] = [
        (week, 0, 96 * HOUR, [300, 600, 900, 1800, 3600]),
        (week, 1, 96 * HOUR, [900, 1800, 3600]),
        (server, None, 240, [0.5, 1, 2, 4]),
    ]
    for file, device, span, lengths in recordings:
        for unit in (PAGE, 65536, 524288):
            t, block = touches(file, device, span, unit)
            total = len(np.unique(block))
            for seconds in lengths:
                rows = per_window(t, block, seconds, span)
                power = WITH_WRITES.growth(rows, float(len(t))).band.likely
                for longest in (seconds, 4 * seconds, 12 * seconds):
                    if span / longest < 8:
                        continue
                    at, before = (per_window(t, block, each, span).mean() for each in (longest, longest / 4))
                    beyond = math.log(total / at) / math.log(span / longest)
                    yield beyond, min(math.log(at / before) / math.log(4), 1.0), power


def test_on_disks_of_another_kind_the_mean_of_slope_and_rows_errs_least() -> None:
    beyond, slope, rows = np.array(list(cases())).T
    wrong = [float(np.sqrt(((each - beyond) ** 2).mean())) for each in (slope, rows, (slope + rows) / 2)]
    assert [round(each, 2) for each in wrong] == [0.12, 0.09, 0.08]
    edge = WITH_WRITES.growth(np.ones(999), 999.0).band
    assert np.mean(abs((slope + rows) / 2 - beyond) <= edge.high - edge.likely) > 0.8


@pytest.mark.parametrize("longest", ["1h", "4h"])
@pytest.mark.parametrize("writes", [True, False])
def test_the_workstation_disk_lies_in_the_band_of_its_shorter_intervals(longest: str, writes: bool) -> None:
    t, block = touches("workstation-root-disk-96h.csv.gz", 0, 96 * HOUR, 524288)
    frames = []
    for hours in (0.25, 1, 4):
        if f"{hours:g}h" == longest or hours < float(longest[:-1]):
            seconds = hours * HOUR
            frame = pd.DataFrame({"interval_s": seconds, "changed_blocks": per_window(t, block, seconds, 96 * HOUR)})
            frame["written_blocks"] = np.bincount(t // round(seconds * 1e6), minlength=len(frame))
            frames.append(frame)
    history = pd.concat(frames).drop(columns=[] if writes else "written_blocks")
    low, likely, high = Workload.from_changes(history, size=639 * 524288).footprint_band("96h")
    assert low < 221 < high
    assert abs(math.log(likely / 221)) < 0.42


# The rule itself.


def test_equal_rows_without_rewrites_grow_by_the_level() -> None:
    assert WITH_WRITES.growth(np.full(50, 7.0), 350.0).power == pytest.approx(WITH_WRITES.level)


def test_uneven_rows_grow_faster_and_rewritten_blocks_slower() -> None:
    even, uneven = np.full(60, 10.0), np.tile([1.0, 19.0], 30)
    assert WITH_WRITES.growth(uneven, 600.0).power == pytest.approx(0.6245 + 0.0802 * math.log(1.81))
    assert WITH_WRITES.growth(even, 1200.0).power == pytest.approx(0.6245 - 0.0587 * math.log(2))
    assert WITHOUT_WRITES.growth(uneven, 0.0).power == pytest.approx(0.5676 + 0.0921 * math.log(1.81))


def test_more_rewrites_than_any_disk_had_count_as_the_most() -> None:
    rows = np.full(50, 2.0)
    assert WITH_WRITES.growth(rows, 1e6) == WITH_WRITES.growth(rows, 100 * WITH_WRITES.most_rewritten)


def test_the_band_is_80_of_100_and_stays_between_none_and_all() -> None:
    low, likely, high = Growth(0.6, 0.1).band
    assert (high - likely) / 0.1 == pytest.approx(1.2816, abs=1e-4)
    assert likely - low == pytest.approx(high - likely)
    assert Growth(0.95, 0.2).band.high == 1.0
    assert Growth(0.05, 0.2).band.low == 0.0
    assert Growth(1.02, 0.0).band == (1.0, 1.0, 1.0)


def test_growth_and_measured_slope_count_alike() -> None:
    mean = Growth(0.5, 0.1).between(0.7)
    assert mean.power == pytest.approx(0.6)
    assert mean.spread == 0.1


def test_few_rows_or_empty_ones_tell_nothing() -> None:
    assert growth_of(np.ones(FEWEST - 1)) is None
    assert growth_of(np.zeros(FEWEST)) is None
    assert growth_of(np.ones(FEWEST)) == growth_of(np.ones(167)) == Growth(WITHOUT_WRITES.level, SPREAD_OF_ALL)
    assert growth_of(np.ones(168)) == Growth(WITHOUT_WRITES.level, WITHOUT_WRITES.spread)
    assert growth_of(np.ones(168), np.ones(168)) == Growth(WITH_WRITES.level, WITH_WRITES.spread)


def test_a_single_change_among_many_rows_grows_with_the_time() -> None:
    once = np.zeros(5000)
    once[7] = 3.0
    growth = growth_of(once)
    assert growth is not None
    assert growth.band.high == growth.band.likely == 1.0
