"""Every filter of a listing, and what is refused."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from snapkit import InvalidRequest, Throttled
from snapkit.ebs import Snapshot, Volume
from tests.ebs.ground import OTHER, OWN, Field


def names(found: Any) -> list[str]:
    return sorted(each.name for each in found)


@pytest.fixture
def estate(field: Field) -> tuple[Field, Volume, Volume]:
    """Two volumes of a group each, whose snapshots are 10 days and no time old."""
    small = field.new_volume(8, name="small", group="web", billing_code="CC-1")
    large = field.new_volume(100, name="large", group="db", billing_code="CC-2", tags={"stage": "production"})
    small.take_snapshot("small old", description="Before the Upgrade")
    large.take_snapshot("large old")
    field.clock.advance("10d")
    small.take_snapshot("small new")
    large.take_snapshot("large new", tags={"stage": "test"})
    return field, small, large


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["large new", "large old", "small new", "small old"]),
        ({"name": "small new"}, ["small new"]),
        ({"name": "* old"}, ["large old", "small old"]),
        ({"group": "db"}, ["large new", "large old"]),
        ({"billing_code": "CC-1"}, ["small new", "small old"]),
        ({"state": "pending"}, ["large new", "small new"]),
        ({"state": "completed", "group": "web"}, ["small old"]),
        ({"tags": {"stage": "test"}}, ["large new"]),
        ({"tags": {"stage": "*"}}, ["large new"]),
        ({"older_than": "9d"}, ["large old", "small old"]),
        ({"newer_than": "9d"}, ["large new", "small new"]),
        ({"newer_than": "11d", "older_than": "9d"}, ["large old", "small old"]),
        ({"older_than": "11d"}, []),
        ({"larger_than": "9 GiB"}, ["large new", "large old"]),
        ({"larger_than": "100 GiB"}, ["large new", "large old"]),
        ({"smaller_than": "8 GiB"}, ["small new", "small old"]),
        ({"text": "upgrade"}, ["small old"]),
        ({"text": "CC-2"}, ["large new", "large old"]),
        ({"text": "TEST"}, ["large new"]),
        ({"name": "nothing"}, []),
    ],
    ids=str,
)
def test_snapshots_by_every_filter(
    estate: tuple[Field, Volume, Volume], wanted: dict[str, Any], found: list[str]
) -> None:
    assert names(estate[0].region().snapshots.find(**wanted)) == found


def test_snapshots_of_a_volume(estate: tuple[Field, Volume, Volume]) -> None:
    field, small, _ = estate
    assert names(field.region().snapshots.find(volume=small.id)) == ["small new", "small old"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"state": "available"}, ["large", "small"]),
        ({"state": "in-use"}, []),
        ({"group": "web"}, ["small"]),
        ({"larger_than": "50 GiB"}, ["large"]),
        ({"older_than": "9d"}, ["large", "small"]),
        ({"text": "production"}, ["large"]),
    ],
    ids=str,
)
def test_volumes_by_their_filters(
    estate: tuple[Field, Volume, Volume], wanted: dict[str, Any], found: list[str]
) -> None:
    assert names(estate[0].region().volumes.find(**wanted)) == found


def test_servers_by_their_volume_and_state(field: Field) -> None:
    one, other = field.new_server(data_volumes=1), field.new_server()
    volume = one.volumes()[1]
    region = field.region()
    assert {each.id for each in region.servers.find(state="running")} == {one.id, other.id}
    assert [each.id for each in region.servers.find(volume=volume.id)] == [one.id]


def test_newest_come_first(estate: tuple[Field, Volume, Volume]) -> None:
    times = [each.taken_at for each in estate[0].region().snapshots.find()]
    assert times == sorted(times, reverse=True)


def test_ids_can_be_filtered_too(estate: tuple[Field, Volume, Volume]) -> None:
    field = estate[0]
    ids = [each.id for each in field.region().snapshots.find()]
    assert names(field.region().snapshots.find(ids, state="completed", group="db")) == ["large old"]


def test_bad_ids_are_dropped_and_reported(estate: tuple[Field, Volume, Volume]) -> None:
    field = estate[0]
    good = [each.id for each in field.region().snapshots.find()]
    gone = "snap-00000000000000000"
    found = field.region().snapshots.find([*good[:2], gone, "snap-xyz", *good[2:], good[0]])
    assert {each.id for each in found} == set(good)
    assert len(found) == 4
    assert set(found.dropped) == {gone, "snap-xyz"}
    assert gone in found.dropped[gone]
    assert found.dropped["snap-xyz"] == "is no id of a snapshot"
    assert gone in repr(found)


def test_no_ids_find_nothing(field: Field) -> None:
    field.new_volume().take_snapshot()
    assert len(field.region().snapshots.find([])) == 0


def test_pain_6_describe_is_slow_ids_go_in_batches(field: Field) -> None:
    volume = field.new_volume()
    ids = field.sandbox.fill(volume.id, 450)
    calls = []
    region = field.region()
    region.aws.client.meta.events.register("before-call.ec2.DescribeSnapshots", lambda **_: calls.append(1))
    assert len(region.snapshots.find([*ids, "snap-00000000000000000"])) == 450
    assert len(calls) <= 3 + 16


def test_pain_7_everyones_snapshots_only_ones_own_are_listed_by_default(field: Field) -> None:
    there = field.region(account=1)
    shared, public, secret = (
        field.new_volume(region=there, name=name).take_snapshot().wait() for name in ("shared", "public", "secret")
    )
    mine = field.new_volume(name="mine").take_snapshot()
    shared.share(mine.account)
    public.share_publicly(confirm=public.id)
    region = field.region()
    assert [each.id for each in region.snapshots.find()] == [mine.id]
    assert {each.id for each in region.snapshots.find(shared_with_me=True)} == {mine.id, shared.id}
    assert {each.id for each in region.snapshots.find(public=True)} == {mine.id, public.id}
    together = region.snapshots.find(shared_with_me=True, public=True)
    assert {each.id for each in together} == {mine.id, shared.id, public.id}
    assert secret.id not in {each.id for each in together}


def test_what_was_taken_at_one_moment_is_in_order_of_id(field: Field) -> None:
    server = field.new_server(data_volumes=3)
    server.take_snapshots()
    field.clock.advance("1h")
    server.take_snapshots()
    found = field.region().snapshots.find()
    assert [(each.taken_at, each.id) for each in found] == sorted(
        ((each.taken_at, each.id) for each in found), reverse=True
    )
    assert len({each.taken_at for each in found}) == 2


@pytest.fixture
def shared(field: Field) -> tuple[Field, dict[str, str]]:
    """Snapshots of two accounts, each name saying with whom they are shared; gives their ids by name."""
    there = field.region(account=1)
    made = {
        name: field.new_volume(name=name, region=region).take_snapshot().wait()
        for region, names in ((field.region(), ("kept", "given", "open", "open and given")),
                              (there, ("to me", "theirs open", "open and to me")))
        for name in names
    }  # fmt: skip
    for name, account in (("given", OTHER), ("open and given", OTHER), ("to me", OWN), ("open and to me", OWN)):
        made[name].share(account)
    for name, snapshot in made.items():
        if "open" in name:
            snapshot.share_publicly(confirm=snapshot.id)
    return field, {name: snapshot.id for name, snapshot in made.items()}


def told(ids: dict[str, str], found: Any) -> dict[str, str | None]:
    """Say what the frame tells of each name."""
    frame = found.to_frame()
    by_id = dict(zip(frame["id"], frame["shared"], strict=True))
    return {name: None if by_id[each] is pd.NA else by_id[each] for name, each in ids.items() if each in by_id}


def test_shares_are_not_looked_up_unless_asked_for(shared: tuple[Field, dict[str, str]]) -> None:
    field, ids = shared
    region = field.region()
    calls = look_ups(region)
    found = region.snapshots.find()
    assert told(ids, found) == dict.fromkeys(("kept", "given", "open", "open and given"))
    assert found._repr_html_().count(">not looked up</td>") == 4
    assert {each.known_shares for each in found} == {None}
    assert not calls


def test_what_others_share_is_told_without_looking_up(shared: tuple[Field, dict[str, str]]) -> None:
    field, ids = shared
    region = field.region()
    calls = look_ups(region)
    unknown = dict.fromkeys(("kept", "given"))
    assert told(ids, region.snapshots.find(shared_with_me=True)) == {
        **unknown, "open": None, "open and given": None, "to me": "with me", "open and to me": "with me",
    }  # fmt: skip
    assert told(ids, region.snapshots.find(shared_with_me=True, public=True)) == {
        **unknown, "open": "public", "open and given": "public", "to me": "with me", "theirs open": "public",
        "open and to me": "public, with me",
    }  # fmt: skip
    assert not calls


def test_shares_are_looked_up_with_one_call_for_each_of_this_account(shared: tuple[Field, dict[str, str]]) -> None:
    field, ids = shared
    region = field.region()
    calls = look_ups(region)
    own = {"kept": "no", "given": f"with {OTHER}", "open": "public", "open and given": f"public, with {OTHER}"}
    found = region.snapshots.find(shares=True)
    assert told(ids, found) == own
    assert sorted(calls) == sorted(each.id for each in found)
    assert {each.name: each.known_shares for each in found}["given"] == (OTHER,)
    assert told(ids, region.snapshots.find(shares=True, shared_with_me=True)) == {
        **own, "to me": "with me", "open and to me": "with me",
    }  # fmt: skip


def test_shares_of_given_ids_are_looked_up_where_they_are_of_this_account(
    shared: tuple[Field, dict[str, str]],
) -> None:
    field, ids = shared
    region = field.region()
    calls = look_ups(region)
    named = [ids["given"], ids["to me"]]
    assert told(ids, region.snapshots.find(named)) == {"given": None, "to me": None}
    assert not calls
    assert told(ids, region.snapshots.find(named, shares=True)) == {"given": f"with {OTHER}", "to me": None}
    assert calls == [ids["given"]]


def test_only_what_was_found_is_looked_up(shared: tuple[Field, dict[str, str]]) -> None:
    field, ids = shared
    region = field.region()
    calls = look_ups(region)
    assert told(ids, region.snapshots.find(shares=True, name="given", larger_than="1 GiB")) == {
        "given": f"with {OTHER}"
    }
    assert calls == [ids["given"]]


def test_where_nothing_belongs_to_this_account_nothing_is_looked_up(field: Field) -> None:
    snapshot = field.new_volume(region=field.region(account=1)).take_snapshot().wait()
    snapshot.share(OWN)
    region = field.region()
    calls = look_ups(region)
    found = region.snapshots.find(shared_with_me=True, shares=True)
    assert found.to_frame()[["account", "shared"]].to_numpy().tolist() == [[OTHER, "with me"]]
    assert not calls


def test_a_listing_follows_what_is_done_with_its_objects(shared: tuple[Field, dict[str, str]]) -> None:
    field, ids = shared
    found = field.region().snapshots.find(shares=True)
    by_name = {each.name: each for each in found}
    by_name["kept"].share(OTHER)
    by_name["given"].unshare(OTHER)
    by_name["open"].make_private()
    assert told(ids, found) == {
        **dict.fromkeys(("kept", "given", "open")), "open and given": f"public, with {OTHER}",
    }  # fmt: skip
    assert by_name["kept"].shared_with() == (OTHER,)
    assert by_name["open"].shared_with() == ()
    assert told(ids, found)["kept"] == f"with {OTHER}"
    assert told(ids, found)["open"] == "no"


def test_a_look_up_that_is_refused_is_an_error(shared: tuple[Field, dict[str, str]]) -> None:
    field, _ = shared
    field.faults("DescribeSnapshotAttribute", throttle=100)
    with pytest.raises(Throttled):
        field.region().snapshots.find(shares=True)


def look_ups(region: Any) -> list[str]:
    """Note each snapshot whose shares are looked up from now on."""
    seen: list[str] = []
    region.aws.client.meta.events.register(
        "provide-client-params.ec2.DescribeSnapshotAttribute", lambda params, **_: seen.append(params["SnapshotId"])
    )
    return seen


@pytest.mark.parametrize(
    ("room", "wanted", "words"),
    [
        ("snapshots", {"colour": "red"}, "filter 'colour' is not known; use one of billing_code, group"),
        ("snapshots", {"state": "done"}, "state 'done' is no state of a snapshot; use one of pending"),
        ("volumes", {"state": "completed"}, "is no state of a volume"),
        ("volumes", {"volume": "vol-00000000000000000"}, "filter 'volume' is not known"),
        ("servers", {"larger_than": "1 GiB"}, "filter 'larger_than' is not known"),
        ("snapshots", {"name": 5}, "name 5 is no text"),
        ("snapshots", {"tags": {"a": 1}}, "tag a 1 is no text"),
        ("snapshots", {"older_than": "soon"}, "older_than 'soon'"),
        ("snapshots", {"larger_than": "big"}, "larger_than 'big'"),
        ("snapshots", {"ids": "snap-1234abcd"}, "ids 'snap-1234abcd' is one text; give a list: ['snap-1234abcd']"),
        ("snapshots", {"volume": "vol-xyz"}, "volume 'vol-xyz' is no id of a volume; give vol- and 8 or 17 digits"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_before_any_call(
    field: Field, room: str, wanted: dict[str, Any], words: str
) -> None:
    field.faults("DescribeSnapshots", throttle=1)
    with pytest.raises(InvalidRequest) as caught:
        getattr(field.region(), room).find(**wanted)
    assert words in str(caught.value)
    assert len(field.sandbox.faults.pending()) == 1


@pytest.mark.parametrize("bad", ["", "snap-", "snap-123", "vol-00000000000000000", "snap-0000000000000000G", 7, None])
def test_malformed_ids_are_refused_before_any_call(field: Field, bad: Any) -> None:
    field.faults("DescribeSnapshots", throttle=1)
    with pytest.raises(InvalidRequest, match="is no id of a snapshot; give snap- and 8 or 17 digits"):
        field.region().snapshots.get(bad)
    with pytest.raises(InvalidRequest, match="is no id of a volume"):
        field.region().volumes.get("i-00000000")
    with pytest.raises(InvalidRequest, match="is no id of a server"):
        field.region().servers.get("srv-1")


def test_old_short_ids_are_ids() -> None:
    assert Snapshot.kind == "snapshot"
    from snapkit.ebs._resource import check_id

    assert check_id("snapshot", "snap-1234abcd") == "snap-1234abcd"


def test_volumes_and_servers_are_found_by_their_ids_and_bad_ones_are_dropped(field: Field) -> None:
    region, volume, server = field.region(), field.new_volume(), field.new_server()
    found = region.volumes.find([volume.id, "vol-0123456789abcdef0", "no id"])
    assert [each.id for each in found] == [volume.id]
    assert list(found.dropped) == ["no id", "vol-0123456789abcdef0"]
    servers = region.servers.find([server.id, "i-0123456789abcdef0"])
    assert [each.id for each in servers] == [server.id]
    assert list(servers.dropped) == ["i-0123456789abcdef0"]


def test_what_is_of_the_wrong_kind_is_refused_with_what_to_give(field: Field) -> None:
    region: Any = field.region()
    volume: Any = field.new_volume()
    snapshot = volume.take_snapshot().wait()
    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: volume.attach(None), "server None is no server"),
        (lambda: snapshot.copy_to(5), "region 5 is no region"),
        (lambda: snapshot.changed_blocks(since=None), "since None is no snapshot"),
        (lambda: volume.take_snapshot(tags="abc"), "tags 'abc' are no mapping"),
        (lambda: volume.take_snapshot(description=5), "description 5 is no text"),
        (lambda: snapshot.enable_fast_restore(None), "zones None are none"),
        (lambda: region.snapshots.plan_delete(snapshot), "is one, not a list"),
        (lambda: region.volumes.create("us-east-1a", "100"), "write '100 GiB', if that is meant"),
    ]
    for call, message in calls:
        with pytest.raises(InvalidRequest, match=message):
            call()
