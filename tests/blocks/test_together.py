"""The volumes of a server taken as one: sums, with each volume in reach and on a path of its own."""

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from snapkit.blocks import Workload
from snapkit.errors import InvalidRequest
from snapkit.units import GIB

ROOT = Workload.profile("workstation")
DATA = Workload.profile("workstation", "3 GiB").growing("1 GiB")
MOMENT = pd.date_range("2026-03-02", periods=48, freq="h")


def fitted() -> Workload:
    return Workload.from_rates(pd.Series(np.linspace(1e6, 1e8, 48), index=MOMENT), "10 GiB")


def test_counts_and_sizes_add_up() -> None:
    server = Workload.together({"root": ROOT, "data": DATA})
    assert list(server.members) == ["root", "data"]
    assert server.members["data"] is DATA
    assert server.size == ROOT.size + 3 * GIB
    assert server.allocated("2d") == 639 + 5 * 2048
    asks: list[Callable[[Workload], float]] = [
        lambda each: each.changed_between("1h", "3h"),
        lambda each: each.changed("2h"),
        lambda each: each.footprint("9d"),
        lambda each: float(each.footprints(np.array([60.0, 7200.0])).sum()),
        lambda each: each.footprint_band("30d").high,
    ]
    for ask in asks:
        assert ask(server) == pytest.approx(ask(ROOT) + ask(DATA))
    assert server.stationary
    assert not Workload.together({"root": ROOT, "data": DATA.rewritten("3d")}).stationary


def test_a_volume_by_itself_has_itself_alone() -> None:
    assert ROOT.members == {"": ROOT}
    assert DATA.members == {"": DATA}


def test_a_sum_is_as_good_as_the_least_known_count_in_it() -> None:
    scaled, traced = Workload.profile("workstation", "1 GiB"), Workload.profile("workstation")
    both = Workload.together({"a": scaled, "b": traced})
    assert both.provenance(0, "1h") == "scaled"
    assert both.provenance(0, "9d") == "modelled"
    assert Workload.together({"a": scaled, "b": DATA}).provenance(0, "1h") == "assumed"
    assert both.curve(["1h", "1w"])["source"].tolist() == ["scaled", "modelled"]
    assert both.table["source"].iloc[0] == "scaled"
    assert both.assumptions[:3] == tuple(f"a: {each}" for each in scaled.assumptions)
    assert both.source.startswith("a: hplajw")


def test_each_volume_takes_a_path_of_its_own() -> None:
    one = fitted()
    server = Workload.together({"a": one, "b": one})
    path, again = server.sampled(1, 2), Workload.together({"b": one, "c": one}).sampled(1, 2)
    counts = [path.members[name].changed_between("9d", "10d") for name in ("a", "b")]
    assert counts[0] != counts[1]
    assert path.changed_between("9d", "10d") == sum(counts)
    assert again.members["b"].changed_between("9d", "10d") == counts[1]
    plain = Workload.together({"root": ROOT, "data": DATA})
    assert plain.sampled(1, 2) is plain


def test_it_shows_its_volumes() -> None:
    server = Workload.together({"root": ROOT, "<data>": DATA})
    shown = "<Workload 'root, <data>': 10,538 distinct blocks of 512 KiB in 4 d>"
    assert repr(server) == repr(pickle.loads(pickle.dumps(server))) == shown  # noqa: S301 - our own bytes
    assert "&lt;data&gt;: 1 GiB of new data a day" in server._repr_html_()


@pytest.mark.parametrize(
    ("volumes", "message"),
    [
        ({}, r"volumes {} are none; give a mapping of names to workloads"),
        ([ROOT], "are none; give a mapping"),
        ({"root": 5}, r"volumes {'root': 5} is no name with its workload"),
        ({"": ROOT}, "is no name with its workload"),
        ({3: ROOT}, "is no name with its workload"),
        ({"all": Workload.together({"root": ROOT})}, "volume 'all' stands for several, root; name each volume"),
        (
            {"root": ROOT, "log": Workload.from_table({"1h": 1, "2h": 2}, None, "1 GiB", "4 KiB")},
            "volume 'log' counts in blocks of 4 KiB, others in 512 KiB",
        ),
    ],
)
def test_servers_that_cannot_be_are_refused(volumes: Any, message: str) -> None:
    with pytest.raises(InvalidRequest, match=message):
        Workload.together(volumes)


def test_what_is_of_one_volume_is_refused_for_several() -> None:
    server = Workload.together({"root": ROOT, "data": DATA})
    with pytest.raises(
        InvalidRequest, match="per_day '1 GiB' could be added to any of the volumes root, data; let one"
    ):
        server.growing("1 GiB")
    with pytest.raises(InvalidRequest, match="could rewrite any of the volumes root, data; let them be rewritten"):
        server.rewritten("1d")
    with pytest.raises(InvalidRequest, match="write down each of its members"):
        server.to_trace("1d")
