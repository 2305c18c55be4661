"""Volumes and servers come under a strategy, and leave it."""

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, Role
from snapkit.automation import Assignment
from snapkit.automation.managed import STRATEGY
from snapkit.ebs import Estate
from snapkit.errors import NotPermitted
from snapkit.forms import LeaveForm, ProtectForm
from snapkit.strategy import Strategy
from tests.automation.ground import HOURLY
from tests.ebs.ground import ESCAPED, HOSTILE, OTHER, OWN, Field
from tests.forms.test_form import shown

DAILY = Strategy("daily", HOURLY.tiers)


def test_a_volume_is_chosen_and_protected(ground: Field) -> None:
    volume = ground.new_volume(name="data")
    form = ProtectForm(HOURLY, ground.region())
    assert form.problems == {"target": "Volume or server is not chosen; choose a volume or a server"}
    form.target.value = volume.id
    assert f"Sets the tag snapkit:strategy = hourly of data ({volume.id})." in shown(form)
    assert "Nothing is taken before the strategy is run: every hour, keep the last 2." in shown(form)
    assert form.submit().id == volume.id
    assert volume.refresh().tags[STRATEGY] == "hourly"


def test_what_another_strategy_has_is_refused_with_the_remedy(ground: Field) -> None:
    tagged, named = ground.new_volume(tags={STRATEGY: "daily"}), ground.new_volume()
    form = ProtectForm(HOURLY, ground.region(), [Assignment(DAILY, volumes=(named.id,))])
    form.target.value = tagged.id
    with pytest.raises(InvalidRequest, match="let it leave 'daily' first"):
        form.submit()
    assert "is protected by 'daily' already" in form.error
    form.target.value = named.id
    with pytest.raises(InvalidRequest, match="is protected by two strategies"):
        form.submit()
    assert STRATEGY not in named.refresh().tags


def test_an_estate_names_the_account_of_each(ground: Field) -> None:
    ground.new_server()
    ground.new_volume(name=HOSTILE, region=ground.region(account=1))
    form = ProtectForm(HOURLY, Estate([ground.region(), ground.region(account=1)]))
    offered = [str(label) for label, _ in form.target._options]
    assert [each.split()[0] for each in offered] == ["choose", "server", "volume", "volume"]
    assert {each.split(", ")[1] for each in offered[1:]} == {f"{OWN} us-east-1", f"{OTHER} us-east-1"}


def test_who_may_not_take_snapshots_is_told(ground: Field) -> None:
    volume = ground.new_volume(tags={STRATEGY: "hourly"})
    volume.region.access = Access("ann", {"db": "reader"}, [Role("reader", ["Snapshot: CreateVolume: ANY"])])
    form = ProtectForm(HOURLY, volume.region)
    form.target.value = volume.id
    for each in (form, LeaveForm(volume)):
        assert "your roles do not allow Volume: Snapshot" in each.problems["right"]
        with pytest.raises(NotPermitted):
            each.submit()


def test_it_leaves_and_what_was_taken_stays(ground: Field) -> None:
    volume = ground.new_volume(name=HOSTILE, tags={STRATEGY: "hourly"})
    volume.take_snapshot().wait()
    form = LeaveForm(volume)
    assert f"Takes the tag snapkit:strategy = hourly off {ESCAPED}" in shown(form)
    form.submit()
    assert STRATEGY not in volume.refresh().tags
    assert ground.count() == 1
    assert "is no longer protected by hourly" in shown(form)


def test_what_has_no_tag_of_its_own_cannot_leave(ground: Field) -> None:
    volume = ground.new_volume()
    form = LeaveForm(volume)
    assert "carries no tag snapkit:strategy; let its server leave" in next(iter(form.problems.values()))
    with pytest.raises(InvalidRequest, match="carries no tag"):
        form.submit()


def test_a_server_leaves_with_all_its_volumes(ground: Field) -> None:
    server = ground.new_server(data_volumes=1)
    server.tag({STRATEGY: "hourly"})
    form = LeaveForm(server)
    assert "That ends the protection of all its 2 volumes." in shown(form)
    form.submit()
    assert STRATEGY not in server.refresh().tags
