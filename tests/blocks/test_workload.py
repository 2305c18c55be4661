"""Workloads: the real disk against sets, closed forms, and what is modelled and says so."""

import csv
import gzip
import pickle
from collections import defaultdict
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.blocks import Lineage, Workload, read_trace
from snapkit.errors import InvalidRequest
from snapkit.units import DAY, GIB, HOUR, MINUTE, to_seconds
from tests.data import data_path, known

FILE = "workstation-root-disk-96h.csv.gz"
BLOCK = 524288
END = 96 * HOUR
MIDNIGHTS = [float(t) for t in range(0, END + 1, DAY)]
HOURS = [float(t) for t in range(0, END + 1, HOUR)]


@cache
def workstation() -> Workload:
    return Workload.from_trace(read_trace(data_path(FILE)), device=0, span="96h")


@cache
def touches() -> list[tuple[int, int]]:
    """Every block written on the root disk, with its time [microseconds]; read without pandas or snapkit."""
    with gzip.open(data_path(FILE), "rt", newline="") as text:
        writes = [row for row in csv.DictReader(text) if row["dev"] == "0" and row["op"] == "W"]
    return [
        (int(row["t_us"]), block)
        for row in writes
        for block in range(int(row["off"]) // BLOCK, (int(row["off"]) + int(row["len"]) - 1) // BLOCK + 1)
    ]


@pytest.mark.parametrize(
    ("interval", "printed", "total"),
    [
        ("1min", "1.04", 5963),
        ("5min", "3.24", 3732),
        ("15min", "7.14", 2742),
        ("1h", "16.21", 1556),
        ("4h", "34.75", 834),
        ("24h", "94.0", 376),
    ],
)
def test_the_real_disk_has_its_known_means(interval: str, printed: str, total: int) -> None:
    mean = workstation().changed(interval)
    assert f"{mean:.{len(printed.split('.')[1])}f}" == printed
    windows = defaultdict(set)
    for t, block in touches():
        windows[t // round(to_seconds(interval) * 1e6)].add(block)
    assert sum(len(seen) for seen in windows.values()) == total
    assert mean == total * to_seconds(interval) / END


@pytest.mark.parametrize(
    ("kept", "count", "stored"),
    [
        (HOURS, 97, 1556),
        (HOURS[-24:], 24, 983),
        (sorted({*HOURS[-24:], *MIDNIGHTS}), 28, 1145),
        (MIDNIGHTS, 5, 376),
        (HOURS[::4], 25, 834),
    ],
)
def test_the_real_disk_stores_its_known_chains(kept: list[float], count: int, stored: int) -> None:
    gaps = [workstation().changed_between(a, b) for a, b in pairwise(kept)]
    brute = [len({block for t, block in touches() if a * 10**6 < t <= b * 10**6}) for a, b in pairwise(kept)]
    assert len(kept) == count
    assert gaps == brute
    assert sum(gaps) == stored


def test_deleting_down_to_a_chain_stores_the_same_as_taking_it() -> None:
    lineage = Lineage(workstation().changed_between, 639)
    for t in HOURS:
        lineage.add(t)
    for t in sorted(set(HOURS) - {*HOURS[-24:], *MIDNIGHTS}, key=lambda t: (t * 7919) % 97):
        lineage.delete(t)
    assert lineage.stored == 639 + 1145
    assert isinstance(lineage.stored, int)


def test_a_trace_says_what_it_is() -> None:
    workload = workstation()
    assert repr(workload) == "<Workload 'trace of device 0': 221 distinct blocks of 512 KiB in 4 d>"
    assert workload.source == "block trace with 18,845 writes in 4 d"
    assert (workload.span, workload.size, workload.block_size) == (END, GIB, BLOCK)
    assert workload.assumptions == ("Data lies as far as the requests reach, 1 GiB: a full snapshot copies that.",)
    assert workload.footprint("96h") == 221


def test_the_span_defaults_to_the_last_record_of_any_device() -> None:
    assert Workload.from_trace(read_trace(data_path(FILE)), device=1).span == 343839.434993


def test_later_writes_are_left_out_and_the_volume_holds_them_all() -> None:
    frame = pd.DataFrame({"t_us": [0, 10**6, 3 * 10**6], "op": "W", "off": [0, BLOCK, 5 * GIB], "len": 1})
    workload = Workload.from_trace(frame, span=2)
    assert workload.changed_between("0s", "2s") == 1
    assert workload.footprint(2) == 2
    assert workload.size == 6 * GIB
    with pytest.raises(InvalidRequest, match="ends before the first write"):
        Workload.from_trace(frame.iloc[1:], span=0.5)
    with pytest.raises(InvalidRequest, match="span of the trace 0 is no length of time"):
        Workload.from_trace(frame.iloc[:1])


def test_more_blocks_than_an_index_can_number_are_refused() -> None:
    frame = pd.DataFrame({"t_us": [1, 2], "op": "W", "off": 0, "len": 2**32 - 1})
    with pytest.raises(InvalidRequest, match="8589934590 blocks written are more than 4294967295"):
        Workload.from_trace(frame, block_size=1)


def test_a_write_belongs_to_the_gap_that_ends_with_it() -> None:
    frame = pd.DataFrame({"t_us": [10**6, 2 * 10**6, 3 * 10**6], "op": "W", "off": [0, BLOCK, 0], "len": 1})
    workload = Workload.from_trace(frame, span="4s")
    assert [workload.changed_between(a, a + 1.0) for a in (0.0, 1.0, 2.0, 3.0)] == [1, 1, 1, 0]
    assert workload.changed("1s") == 0.75
    assert workload.changed("2s") == 1.5


def test_text_numbers_and_numpy_numbers_name_the_same_moment() -> None:
    expected = workstation().changed_between(0.0, 3600.0)
    for a, b in (("0h", "1h"), (0, 3600), ("0 min", 3600.0), (np.float64(0), np.int64(3600)), ("0.0s", "60min")):
        assert workstation().changed_between(a, b) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("a", "b", "rule"),
    [
        (2.0, 1.0, "b 1.0 is before a, 2.0"),
        ("2h", "1h", "b '1h' is before a, '2h'"),
        (-1.0, 5.0, "a -1.0 is not a moment from 0 up"),
        (-1, 5, "a -1 is not a moment from 0 up"),
        (0.0, float("nan"), "b nan is not a moment"),
        (0.0, float("inf"), "b inf is not a moment"),
        (0, None, "b None is not a time span"),
        (0, True, "b True is not a time span"),
        ("0 parsecs", 5, "a '0 parsecs' is not a time span"),
    ],
)
def test_windows_that_cannot_be_are_refused(a: Any, b: Any, rule: str) -> None:
    for ask in (workstation().changed_between, workstation().provenance):
        with pytest.raises(InvalidRequest) as caught:
            ask(a, b)
        assert rule in str(caught.value)


def test_beyond_the_span_figures_are_modelled_and_labelled() -> None:
    workload = workstation()
    assert workload.provenance(0, "96h") == "measured"
    assert workload.provenance("95h", "97h") == "modelled"
    assert isinstance(workload.changed_between("95h", "96h"), int)
    assert isinstance(workload.changed_between("96h", "97h"), float)
    assert workload.changed_between("97h", "98h") == workload.footprint("1h")
    assert workload.changed("1w") == workload.footprint("7d")
    assert workload.footprint("7d") > 221
    just_beyond = workload.changed_between(float(DAY), END + 1e-3)
    assert just_beyond == pytest.approx(workload.changed_between(float(DAY), float(END)), rel=1e-6)


def test_the_curve_labels_each_figure() -> None:
    curve = workstation().curve(("1h", "24h", "1w"))
    assert curve["changed_blocks"].tolist()[:2] == [1556 / 96, 94.0]
    assert curve["changed_bytes"].tolist()[1] == 94.0 * BLOCK
    assert curve["source"].tolist() == ["measured", "measured", "modelled"]
    assert curve["windows"].tolist() == [96, 4, 0]
    assert workstation().curve()["interval_s"].tolist() == [60, 300, 900, 3600, 14400, 86400, 604800]


def test_intervals_below_the_resolution_of_a_trace_are_modelled() -> None:
    assert 0 < workstation().changed(1e-3) < 1e-3


def test_a_workload_survives_pickling() -> None:
    copy: Workload = pickle.loads(pickle.dumps(workstation()))  # noqa: S301 - our own bytes
    assert repr(copy) == repr(workstation())
    assert copy.changed_between(0.0, float(DAY)) == workstation().changed_between(0.0, float(DAY))


def test_the_recorded_profile_is_what_the_disk_measures() -> None:
    profile, measured = Workload.profile("workstation"), workstation()
    for interval in ("10s", "20s", "30s", "1min", "2min", "5min", "10min", "15min", "20min", "30min"):
        assert profile.changed(interval) == pytest.approx(measured.changed(interval), abs=5e-7)
    for hours in (1, 2, 3, 4, 6, 8, 12, 24, 48, 96):
        assert profile.changed(hours * HOUR) == pytest.approx(measured.changed(hours * HOUR), abs=5e-7)
    records = read_trace(data_path(FILE))
    root = records[records["dev"] == 0]
    assert profile.size == -(-int((root["off"] + root["len"]).max()) // BLOCK) * BLOCK == 639 * BLOCK


def test_a_profile_is_stationary_and_says_so() -> None:
    profile = Workload.profile("workstation")
    assert profile.changed_between("5h", "6h") == profile.changed_between(0.0, 3600.0) == profile.changed("1h")
    assert profile.provenance("5h", "6h") == "measured"
    assert profile.provenance(7, 7) == "measured"
    assert profile.provenance(0, "97h") == "modelled"
    assert profile.provenance(0, "1s") == "modelled"
    assert profile.curve(("1h", "1w"))["source"].tolist() == ["measured", "modelled"]
    assert "hplajw" in profile.source
    assert len(profile.assumptions) == 2
    assert repr(profile) == "<Workload 'workstation': 221 distinct blocks of 512 KiB in 4 d>"


def test_no_interval_changes_more_blocks_than_the_volume_has() -> None:
    assert Workload.profile("workstation").changed("9999d") == 639
    tiny = Workload.from_trace(pd.DataFrame({"t_us": [1], "op": ["W"], "off": [0], "len": [512]}))
    assert tiny.changed("1w") == 2048


def test_a_workload_shows_its_source_and_assumptions() -> None:
    html = Workload.profile("workstation", size="1 GiB")._repr_html_()
    assert "hplajw" in html
    assert "assumed, not measured" in html


def test_the_table_is_the_curve_for_people() -> None:
    lines = workstation().table.to_string().splitlines()
    assert lines[5].split() == ["1", "h", "16.21", "8.1", "MiB", "194", "MiB", "measured", "(96", "windows)"]
    assert len(lines) == 9


def test_a_scaled_profile_is_an_assumption_and_says_so() -> None:
    disk, volume = Workload.profile("workstation"), Workload.profile("workstation", size="500 GiB")
    assert volume.size == 500 * GIB
    assert volume.changed("1h") == pytest.approx(disk.changed("1h") * volume.size / disk.size)
    assert "500 GiB change as many blocks per GiB" in volume.assumptions[-1]
    assert volume.provenance(0, "1h") == "scaled"
    assert list(volume.curve()["source"]) == [*["scaled"] * 6, "modelled"]
    assert Workload.profile("workstation", size=disk.size).assumptions == disk.assumptions


def test_unknown_profiles_are_answered_with_the_list() -> None:
    with pytest.raises(InvalidRequest, match="'laptop' is not known; choose one of workstation"):
        Workload.profile("laptop")


def test_a_table_refuses_what_is_no_count() -> None:
    for blocks in (-1.0, float("nan"), float("inf"), "many", True):
        with pytest.raises(InvalidRequest, match="blocks per 1h"):
            Workload.from_table({"1h": blocks, "2h": 5.0}, None, "1 GiB")  # type: ignore[dict-item]


def test_a_table_refuses_more_blocks_than_the_volume_has() -> None:
    rule = "blocks per 2h 2049 are more than the volume of 1 GiB has, 2,048; give its real size"
    with pytest.raises(InvalidRequest, match=rule):
        Workload.from_table({"1h": 5, "2h": 2049}, None, "1 GiB")
    assert Workload.from_table({"1h": 5, "2h": 2048}, None, "1 GiB").changed("1d") == 2048


def rates(model: str, blocks: int, writes_per_s: float) -> np.ndarray[Any, np.dtype[np.float64]]:
    if model == "hot10/90":
        weights = np.where(np.arange(blocks) < blocks // 10, 0.9 / (blocks // 10), 0.1 / (blocks - blocks // 10))
    else:
        power = float(model.removeprefix("zipf")) if model.startswith("zipf") else 0.0
        weights = np.arange(1, blocks + 1) ** -power
    return np.asarray(weights / weights.sum() * writes_per_s)


@pytest.mark.parametrize("model", ["uniform", "hot10/90", "zipf0.8", "zipf1.0", "zipf1.2"])
def test_a_closed_form_as_a_table_gives_the_known_occupancy(model: str) -> None:
    answers = known("known-answers.json")["occupancy"]
    rate = rates(model, answers["N"], answers["writes_per_s"])
    grid = np.geomspace(30, 2 * DAY, 40)
    points = {float(d): float(-np.expm1(-rate * d).sum()) for d in grid}
    workload = Workload.from_table(points, None, "100 GiB", name=model)
    day = workload.changed("24h")
    for row in (row for row in answers["rows"] if row["model"] == model):
        blocks = workload.changed(row["interval"])
        assert blocks == pytest.approx(row["E"], rel=2e-3)
        uploads = blocks * DAY / to_seconds(row["interval"])
        assert uploads == pytest.approx(row["uploads_per_day"], rel=2e-3)
        assert uploads / day == pytest.approx(row["ratio_vs_24h"], rel=4e-3)


@pytest.mark.parametrize(("model", "interval"), [("uniform", "1m"), ("hot10/90", "5m"), ("zipf1.0", "1m")])
def test_random_writes_change_as_many_blocks_as_theory_says(model: str, interval: str) -> None:
    answers = known("known-answers.json")["occupancy"]
    row = next(row for row in answers["rows"] if (row["model"], row["interval"]) == (model, interval))
    random, span = np.random.default_rng(11), 4 * HOUR
    count = random.poisson(answers["writes_per_s"] * span)
    chance = np.cumsum(rates(model, answers["N"], 1.0))
    chosen = np.minimum(np.searchsorted(chance, random.random(count)), answers["N"] - 1)
    times = np.sort(random.integers(0, span * 10**6, count))
    workload = Workload.from_trace(
        pd.DataFrame({"t_us": times, "op": "W", "off": chosen * BLOCK, "len": BLOCK}), span=span
    )
    windows = span / to_seconds(interval)
    # Five standard errors: a false alarm in two million seeds.
    assert abs(workload.changed(interval) - row["E"]) < 5 * row["sd"] / np.sqrt(windows)


@pytest.mark.parametrize("row", range(4))
def test_balls_in_bins_occupy_as_many_as_theory_says(row: int) -> None:
    answer = known("known-answers.json")["classical_occupancy"][row]
    windows = 40_000 // answer["n"]
    blocks = np.random.default_rng(row).integers(0, answer["N"], windows * answer["n"])
    times = np.arange(len(blocks)) // answer["n"] * MINUTE * 10**6
    frame = pd.DataFrame({"t_us": times, "op": "W", "off": blocks * 4096, "len": 4096})
    workload = Workload.from_trace(frame, block_size="4 KiB", span=windows * MINUTE)
    assert abs(workload.changed("1min") - answer["E"]) < 5 * np.sqrt(answer["var"] / windows)


@given(st.lists(st.floats(0, 4 * 345_600), min_size=3, max_size=3).map(sorted))
def test_counts_are_those_of_sets_also_where_measured_ones_meet_modelled_ones(moments: list[float]) -> None:
    a, b, c = moments
    changed = workstation().changed_between
    whole, before, after = changed(a, c), changed(a, b), changed(b, c)
    assert max(before, after) <= whole * (1 + 1e-9)
    assert whole <= (before + after) * (1 + 1e-9)
