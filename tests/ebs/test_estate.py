"""Several regions listed as one; what answered is there also where others refused."""

from typing import Any

import pytest
from botocore.exceptions import NoCredentialsError

from snapkit import InvalidRequest, Throttled
from snapkit.ebs import Estate, Region
from snapkit.tags import TagKeys
from tests.ebs.ground import OTHER, OWN, Field


@pytest.fixture
def estate(field: Field) -> Estate:
    regions = [field.region(name, account) for account in (0, 1) for name in ("us-east-1", "eu-west-1")]
    for region in regions:
        volume = region.volumes.create(f"{region.name}a", "1 GiB", name=f"{region.account} {region.name}", group="db")
        volume.take_snapshot()
    return Estate(regions)


def test_everything_is_listed_with_its_account_and_region(estate: Estate) -> None:
    frame = estate.snapshots.find(group="db").to_frame()
    assert set(zip(frame["account"], frame["region"], strict=True)) == {
        (account, name) for account in (OWN, OTHER) for name in ("us-east-1", "eu-west-1")
    }
    assert (frame["name"] == frame["account"] + " " + frame["region"]).all()
    assert len(estate.volumes.find()) == 4
    assert len(estate.servers.find()) == 0
    assert "<th" in estate.snapshots.find()._repr_html_()


def test_a_region_that_refuses_is_named_and_the_others_are_there(field: Field, estate: Estate) -> None:
    field.faults("DescribeSnapshots", throttle=1000, region="eu-west-1", account=OTHER)
    found = estate.snapshots.find()
    assert len(found) == 3
    assert list(found.failed) == [f"{OTHER} eu-west-1"]
    assert isinstance(found.failed[f"{OTHER} eu-west-1"], Throttled)
    assert f"nothing of {OTHER} eu-west-1: DescribeSnapshots was refused" in repr(found)


def test_a_region_whose_account_is_not_known_is_named(field: Field) -> None:
    field.new_volume().take_snapshot()

    def refuse(**_: Any) -> None:
        raise NoCredentialsError

    unknown = Region(field.client("ec2", 0, "eu-west-1"), clients=lambda service: field.client("sts", 1))
    unknown.service("sts").client.meta.events.register("before-call.sts.GetCallerIdentity", refuse)
    found = Estate([field.region(), unknown]).snapshots.find()
    assert len(found) == 1
    assert list(found.failed) == ["unknown account eu-west-1"]
    assert "nothing of unknown account eu-west-1: GetCallerIdentity was refused" in found._repr_html_()


def test_what_is_shared_within_the_estate_is_listed_once_by_its_owner(field: Field, estate: Estate) -> None:
    snapshot = estate.regions[0].snapshots.find()[0].wait()
    snapshot.share(OTHER)
    for either in (estate, Estate(estate.regions[::-1])):
        found = either.snapshots.find(shared_with_me=True)
        assert len(found) == 4
        (seen,) = [each for each in found if each.id == snapshot.id]
        assert seen.region.account == OWN
    assert [each.id for each in estate.snapshots.find(ids=[snapshot.id])] == [snapshot.id]


def test_what_comes_from_outside_is_told_with_whom_it_is_shared(field: Field) -> None:
    snapshot = field.new_volume(name="given").take_snapshot().wait()
    snapshot.share(OTHER)
    estate = Estate([field.region(account=1)])
    frame = estate.snapshots.find(shared_with_me=True).to_frame()
    assert frame[["name", "account", "region", "shared"]].to_numpy().tolist() == [
        ["", OWN, "us-east-1", f"with {OTHER}"]
    ]


def test_shares_are_looked_up_in_each_region(field: Field, estate: Estate) -> None:
    for snapshot in estate.regions[0].snapshots.find():
        snapshot.wait().share(OTHER)
    shared = estate.snapshots.find(shares=True).to_frame().set_index(["account", "region"])["shared"]
    assert shared[OWN, "us-east-1"] == f"with {OTHER}"
    assert (shared == "no").sum() == 3


def test_newest_come_first_wherever_they_are(field: Field, estate: Estate) -> None:
    field.clock.advance("1h")
    estate.regions[2].volumes.find()[0].take_snapshot("newest")
    found = estate.snapshots.find()
    assert found[0].name == "newest"
    assert [(each.taken_at, each.id) for each in found] == sorted(
        ((each.taken_at, each.id) for each in found), reverse=True
    )


def test_columns_are_those_of_a_region_and_where(estate: Estate) -> None:
    for noun in ("snapshots", "volumes", "servers"):
        everywhere = getattr(estate, noun).find().to_frame()
        here = getattr(estate.regions[0], noun).find().to_frame()
        more = {"region"} if noun == "snapshots" else {"account", "region"}
        assert set(everywhere) - set(here) == more
        assert [name for name in everywhere if name in set(here)] == list(here)
        assert everywhere.dtypes[list(here)].tolist() == here.dtypes.tolist()
    volumes = estate.volumes.find()
    assert list(volumes.to_frame())[:4] == ["id", "name", "account", "region"]
    assert {(each.region.account, each.region.name) for each in volumes} == set(
        volumes.to_frame()[["account", "region"]].itertuples(index=False, name=None)
    )


def test_a_region_may_have_tag_keys_of_its_own(field: Field) -> None:
    field.new_volume(tags={"team": "web"}).take_snapshot(group="db", tags={"team": "web"})
    other = field.region("eu-west-1")
    other.volumes.create("eu-west-1a", "1 GiB").take_snapshot(group="else", tags={"team": "ops"})
    teams = Region(field.client("ec2"), clients=field.client, tag_keys=TagKeys(group="team"))
    frame = Estate([teams, other]).snapshots.find().to_frame().set_index("region")
    assert frame["group"].to_dict() == {"us-east-1": "web", "eu-west-1": "else"}


def test_ids_are_missing_only_where_no_region_has_them(estate: Estate) -> None:
    ids = [each.id for each in estate.snapshots.find()]
    found = estate.snapshots.find(ids=[*ids, "snap-00000000000000000"])
    assert len(found) == 4
    assert list(found.dropped) == ["snap-00000000000000000"]


@pytest.mark.parametrize("given", [{"regions": []}, {"at_once": 0}, {"at_once": True}])
def test_an_estate_that_cannot_be_is_refused(field: Field, given: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        Estate(**{"regions": [field.region()], **given})


def test_a_bad_filter_is_refused_for_all(estate: Estate) -> None:
    with pytest.raises(InvalidRequest, match="filter 'colour' is not known"):
        estate.snapshots.find(colour="red")


def test_connect_looks_at_each_profile_in_each_region() -> None:
    estate = Estate.connect([None], ["eu-west-1", "us-east-1"])
    assert repr(estate) == "<Estate of 2 regions: eu-west-1, us-east-1>"
    with pytest.raises(InvalidRequest, match=r"regions 'eu-west-1' is one text; give a list"):
        Estate.connect([None], "eu-west-1")
