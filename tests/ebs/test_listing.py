"""A listing shows itself the same each time, literally, and becomes a frame of proper types."""

import pandas as pd
import pytest

from snapkit import Sandbox
from tests.ebs.ground import ESCAPED, HOSTILE, Field


def test_a_frame_has_types_and_units(field: Field) -> None:
    volume = field.new_volume(8, name="v")
    volume.take_snapshot("first").wait()
    volume.take_snapshot("second")
    frame = field.region().snapshots.find().to_frame()
    types = {name: str(dtype) for name, dtype in frame.dtypes.items()}
    assert types["taken_at"] == "datetime64[ms, UTC]"
    assert types["size_bytes"] == "int64"
    assert types["full_size_bytes"] == "Int64"
    assert {types[name] for name in ("id", "name", "volume", "owner", "group", "billing_code", "state")} == {"string"}
    assert frame["size_bytes"].tolist() == [8 * 2**30] * 2
    assert frame["full_size_bytes"].isna().tolist() == [True, False]
    assert frame["full_size_bytes"].iloc[1] == 100 * 2**19
    assert frame["taken_at"].iloc[1] == pd.Timestamp("2026-01-05", tz="UTC")


def test_an_empty_frame_has_the_same_types(field: Field) -> None:
    region = field.region()
    empty = region.snapshots.find().to_frame()
    field.new_volume().take_snapshot()
    assert list(empty.dtypes) == list(region.snapshots.find().to_frame().dtypes)


def test_volumes_and_servers_become_frames(field: Field) -> None:
    server = field.new_server(data_volumes=1)
    region = field.region()
    volumes, servers = region.volumes.find().to_frame(), region.servers.find().to_frame()
    assert volumes["size_bytes"].tolist()[0] == 8 * 2**30
    assert set(volumes["server"]) == {server.id}
    assert servers["volumes"].tolist() == [2]


NAMES = [HOSTILE, "ü" * 255, "🦆" * 120, "שלום עולם", "quote \" and ' and &", "tab\tand\nline"]


@pytest.mark.parametrize("name", NAMES)
def test_hostile_names_show_literally_everywhere(field: Field, name: str) -> None:
    volume = field.new_volume(name=name, group=name, billing_code=name)
    volume.take_snapshot()
    region = field.region()
    (snapshot,) = found = region.snapshots.find()
    assert (snapshot.name, snapshot.group, snapshot.billing_code) == (name, name, name)
    assert repr(name) in repr(snapshot)
    assert found.to_frame()["name"].tolist() == [name]
    shown = found._repr_html_()
    assert "<img" not in shown
    if name == HOSTILE:
        assert shown.count(ESCAPED) == 3
        assert region.volumes.find()._repr_html_().count(ESCAPED) == 3
    assert [each.id for each in region.snapshots.find(text=name)] == [snapshot.id]


def test_html_is_stable() -> None:
    def shown() -> str:
        return Sandbox.demo(seed=3).region().snapshots.find()._repr_html_()

    assert shown() == shown()


def test_html_of_a_long_listing_is_short_and_says_so(field: Field) -> None:
    field.sandbox.fill(field.new_volume().id, 120)
    found = field.region().snapshots.find()
    assert repr(found) == "<120 snapshots, the first 50 shown>"
    assert found._repr_html_().count("<tr>") == 51


def test_a_listing_is_a_sequence(field: Field) -> None:
    field.sandbox.fill(field.new_volume().id, 3)
    found = field.region().snapshots.find()
    assert (len(found), found[0].id, found[-1].id) == (3, next(iter(found)).id, list(found)[2].id)
    assert [each.id for each in found[:2]] == [found[0].id, found[1].id]
    assert repr(found[:1]) == "<1 snapshot>"
    assert found[0] in found


def test_pain_24_nbval_a_repr_holds_no_address_and_no_time_of_day_now(field: Field) -> None:
    volume = field.new_volume(name="v")
    snapshot = volume.take_snapshot("s")
    assert repr(snapshot) == f"<Snapshot {snapshot.id} 's': pending, 8 GiB of {volume.id}, 2026-01-05 00:00 UTC>"
    assert repr(volume.refresh()) == f"<Volume {volume.id} 'v': available, 8 GiB gp3 in us-east-1a>"
    assert repr(field.region()) == "<Region us-east-1>"
