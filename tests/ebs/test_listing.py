"""A listing shows itself the same each time, literally, and becomes a frame of proper types."""

import json
import sys
from datetime import UTC, datetime, timedelta, timezone
from html import escape
from typing import Any

import pandas as pd
import pytest

from snapkit import InvalidRequest, Sandbox
from snapkit.ebs import Listing, Snapshot
from snapkit.ebs.columns import COLUMNS
from snapkit.ebs.listing import Column
from snapkit.ebs.rows import Rows
from snapkit.tags import TagKeys
from snapkit.units import GIB
from tests.ebs.ground import ESCAPED, HOSTILE, OWN, Field


class Place:
    """All that a listing asks of a region."""

    name, account = "us-east-1", OWN

    def __init__(self, **keys: str) -> None:
        self.tag_keys = TagKeys(**keys)


REGION: Any = Place(group="team", billing_code="paid-by", owner="made-by")


def raw(number: int, tags: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """Describe a snapshot as DescribeSnapshots does."""
    described = {
        "SnapshotId": f"snap-{number:017x}", "VolumeId": f"vol-{number % 3:017x}", "State": "completed",
        "StartTime": datetime(2026, 1, 5, tzinfo=UTC) + timedelta(minutes=number), "VolumeSize": 1 + number,
        "OwnerId": OWN, "Encrypted": False,
    }  # fmt: skip
    pairs = [{"Key": key, "Value": value} for key, value in (tags or {}).items()]
    return described | ({"Tags": pairs} if pairs else {}) | more


def rows(*raws: dict[str, Any], shares: list[tuple[str, ...] | None] | None = None) -> Rows[Snapshot]:
    return Rows(Snapshot, [REGION] * len(raws), raws, shares or [None] * len(raws))


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
    assert {types[name] for name in ("account", "shared", "tier")} == {"string"}
    assert frame["size_bytes"].tolist() == [8 * 2**30] * 2
    assert frame["full_size_bytes"].isna().tolist() == [True, False]
    assert frame["full_size_bytes"].iloc[1] == 100 * 2**19
    assert frame["taken_at"].iloc[1] == pd.Timestamp("2026-01-05", tz="UTC")


def test_an_empty_frame_has_the_same_types(field: Field) -> None:
    region = field.region()
    empty = region.snapshots.find().to_frame()
    field.new_volume().take_snapshot()
    assert list(empty.dtypes) == list(region.snapshots.find().to_frame().dtypes)


def test_a_table_has_the_columns_of_the_original_and_more(field: Field) -> None:
    field.new_volume().take_snapshot()
    titles = (
        "ID", "name", "account", "owner", "group", "billing code", "date, UTC", "size", "full size", "shared", "state",
        "tier", "volume",
    )  # fmt: skip
    head, _, _ = field.region().snapshots.find()._repr_html_().partition("</thead>")
    assert [cell.split("<")[0] for cell in head.split(">") if cell.endswith("</th")] == list(titles)


def test_what_is_read_from_many_rows_is_what_their_objects_say() -> None:
    mixed = rows(
        raw(1),
        raw(2, {"Name": "n", "team": "g", "paid-by": "b", "made-by": "o", "else": "x"}, FullSnapshotSizeInBytes=7),
        raw(3, {"Name": ""}, StorageTier="archive", State="error"),
        raw(4, {"name": "another key"}, OwnerId="444455556666"),
        shares=[(), ("all", "444455556666", "777788889999"), None, ("self",)],
    )
    read = {column.name: column.read(mixed) for column in COLUMNS}
    assert read == {column.name: [column.value(each) for each in mixed] for column in COLUMNS}
    assert read["owner"] == ["", "o", "", ""]
    assert read["shared"] == ["no", "public, with 444455556666, 777788889999", None, "with me"]
    assert read["account"] == [OWN, OWN, OWN, "444455556666"]
    assert read["tier"] == ["standard", "standard", "archive", "standard"]


def test_tags_are_read_by_the_keys_of_their_region() -> None:
    other: Any = Place(group="Group")
    tags = {"team": "one", "Group": "other"}
    both = Rows(Snapshot, [REGION, other], [raw(1, tags), raw(2, tags)], [None, None])
    assert both.tag("group") == [each.group for each in both] == ["one", "other"]


def test_a_frame_of_many_has_each_in_its_row() -> None:
    found = Listing(rows(*(raw(number, {"Name": f"{number}"}) for number in range(2500))), COLUMNS, noun="snapshot")
    frame = found.to_frame()
    assert frame["name"].tolist() == [str(number) for number in range(2500)]
    assert frame["size_bytes"].tolist() == [(1 + number) * GIB for number in range(2500)]
    assert frame["taken_at"].is_monotonic_increasing
    assert found[2400:0:-800].to_frame()["name"].tolist() == ["2400", "1600", "800"]


def test_moments_of_any_zone_become_utc() -> None:
    east = timezone(timedelta(hours=2))
    moments = [datetime(2026, 1, 5, 2, tzinfo=east), None, datetime(2026, 1, 5, 1, tzinfo=UTC)]
    column = Column[Any]("at", str, "at", lambda each: each, "datetime64[ms, UTC]")
    read = Listing(moments, [column], noun="moment").to_frame()["at"]
    assert read.dtype == "datetime64[ms, UTC]"
    assert read.isna().tolist() == [False, True, False]
    assert read[0] == pd.Timestamp("2026-01-05", tz="UTC")
    (shown,) = [each.shown for each in COLUMNS if each.name == "taken_at"]
    assert shown(rows(raw(1, StartTime=moments[0]))[0]) == "2026-01-05 00:00"


@pytest.mark.parametrize("dtype", ["int64", "Int64", "float64", "boolean", "string"])
def test_an_empty_column_has_its_type(dtype: str) -> None:
    column = Column[Any]("x", str, "x", lambda each: each, dtype)
    assert Listing([], [column], noun="thing").to_frame()["x"].dtype == dtype


def test_an_object_of_a_listing_stays_and_the_listing_follows_it(field: Field) -> None:
    volume = field.new_volume(name="v")
    volume.take_snapshot("first")
    volume.take_snapshot("second")
    found = field.region().snapshots.find()
    snapshot = found[1]
    assert snapshot is found[1] is found[1:][0] is list(found)[1]
    assert found.to_frame()["state"].tolist() == ["pending", "pending"]
    snapshot.wait()
    snapshot.tag({"Name": "renamed"})
    for seen in (found, found[:]):
        assert seen.to_frame()["name"].tolist() == ["second", "renamed"]
        assert seen.to_frame()["state"].tolist() == ["pending", "completed"]
        assert "renamed" in seen._repr_html_()


def test_a_table_makes_no_more_objects_than_it_shows() -> None:
    made: list[str] = []

    def make(region: Any, described: Any) -> Snapshot:
        made.append(described["SnapshotId"])
        return Snapshot(region, described)

    raws = [raw(number) for number in range(5000)]
    found = Listing(Rows(make, [REGION] * 5000, raws, [None] * 5000), COLUMNS, noun="snapshot")
    found._repr_html_()
    found.to_frame()
    assert made == [each["SnapshotId"] for each in raws[:50]]


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
    assert f">{escape(name)}</td>" in shown
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


def table(widget: Any) -> tuple[Any, str]:
    """Give the rows that a widget has, and the note below."""
    shown, note = widget.children
    return json.loads(shown._dt_args["data_json"]), note.value


def test_a_widget_shows_what_the_table_shows_and_sorts_by_what_is_behind(field: Field) -> None:
    for size in (1000, 8):
        field.new_volume(size).take_snapshot(f"of {size}").wait()
    found = field.region().snapshots.find()
    widget = found.widget()
    cells, note = table(widget)
    assert [tuple(row[:13]) for row in cells] == found._rows()
    assert note == "<p>2 snapshots</p>"
    titles = [column.title for column in COLUMNS]
    *sorts, hidden = widget.children[0]._dt_args["columnDefs"]
    assert hidden == {"targets": [13, 14, 15], "visible": False, "searchable": False}
    behind = {titles[each["targets"]]: [row[each["orderData"]] for row in cells] for each in sorts}
    assert behind == {"date, UTC": [2, 1], "size": [1, 2], "full size": [1, 1]}
    assert [row[7] for row in cells] == ["8 GiB", "1,000 GiB"]


def test_what_is_not_known_is_sorted_first_in_a_widget() -> None:
    found = Listing(rows(raw(1, FullSnapshotSizeInBytes=2**30), raw(2)), COLUMNS, noun="snapshot")
    cells, _ = table(found.widget())
    assert [(row[8], row[15]) for row in cells] == [("1 GiB", 2), ("", 1)]


@pytest.mark.parametrize("name", [*NAMES, "</script><script>alert(1)</script>"])
def test_a_widget_holds_no_markup_of_users(name: str) -> None:
    found = Listing(rows(raw(1, {"Name": name})), COLUMNS, noun="snapshot", dropped={HOSTILE: "is no id"})
    widget = found.widget()
    cells, note = table(widget)
    assert cells[0][1] == escape(name, quote=False).replace("\t", "\\t").replace("\n", "\\n")
    assert note == f"<p>1 snapshot; {ESCAPED}: is no id</p>"
    assert widget.children[0]._dt_args.get("keys_to_be_evaluated") is None


def test_a_widget_of_many_has_the_first_and_says_so() -> None:
    found = Listing(rows(*map(raw, range(30))), COLUMNS, noun="snapshot")
    cells, note = table(found.widget(rows=20))
    assert [row[0] for row in cells] == [each.id for each in found[:20]]
    assert note == "<p>30 snapshots, the first 20 shown</p>"
    assert repr(found) == "<30 snapshots>"


def test_a_widget_of_nothing_is_empty(field: Field) -> None:
    assert table(field.region().orphans().widget()) == ([], "<p>0 orphans</p>")


@pytest.mark.parametrize("many", [0, -1, True, 1.5, "10"])
def test_a_number_of_rows_that_cannot_be_is_refused(many: Any) -> None:
    with pytest.raises(InvalidRequest, match="is no number from 1 up; give one, say 10000"):
        Listing(rows(raw(1)), COLUMNS, noun="snapshot").widget(many)


def test_without_itables_a_widget_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "itables.widget", None)
    with pytest.raises(InvalidRequest, match=r"itables.* is not installed; run pip install 'snapkit\[lab\]'"):
        Listing(rows(raw(1)), COLUMNS, noun="snapshot").widget()
