"""Several regions listed as one; what answered is there also where others refused."""

from typing import Any

import pytest

from snapkit import InvalidRequest, Throttled
from snapkit.ebs import Estate
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


def test_what_is_shared_within_the_estate_is_listed_once_by_its_owner(field: Field, estate: Estate) -> None:
    snapshot = estate.regions[0].snapshots.find()[0].wait()
    snapshot.share(OTHER)
    found = estate.snapshots.find(shared_with_me=True)
    assert len(found) == 4
    (seen,) = [each for each in found if each.id == snapshot.id]
    assert seen.region.account == OWN


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
