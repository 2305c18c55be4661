"""Make Snapshot: of a volume, and of all volumes of a server."""

import asyncio

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, BillingCode, Quota, Role
from snapkit.errors import NotPermitted
from snapkit.forms import MakeSnapshotForm
from tests.ebs.ground import OWN, Field


def test_it_begins_with_the_options_of_the_volume(ground: Field) -> None:
    volume = ground.new_volume(name="data", group="db", billing_code="CC-42")
    form = MakeSnapshotForm(volume)
    assert form.title == f"data ({volume.id}): Make Snapshot"
    assert (form.name.value, form.group.value, form.billing_code.value) == ("data", "db", "CC-42")
    form.description.value = "before the upgrade"
    snapshot = form.submit()
    assert (snapshot.name, snapshot.group, snapshot.billing_code) == ("data", "db", "CC-42")
    assert snapshot.description == "before the upgrade"


def test_groups_and_billing_codes_in_use_are_proposed(ground: Field) -> None:
    ground.new_volume(group="web", billing_code="CC-7")
    form = MakeSnapshotForm(ground.new_volume(group="db"))
    assert form.group._inputs[0].options == ("db", "web")
    assert form.billing_code._inputs[0].options == ("CC-7",)
    form.group.value = "new one"
    assert form.submit().group == "new one", "any other will do"


def test_a_server_is_taken_with_all_its_volumes(ground: Field) -> None:
    server = ground.new_server(data_volumes=2)
    form = MakeSnapshotForm(server)
    form.name.value = "all of it"
    assert "Captures 3 volumes" in repr(form)
    asyncio.run(form.run())
    assert {each.volume_id for each in form.result} == set(server.devices.values())
    assert {(each.name, each.state) for each in form.result} == {("all of it", "completed")}


def test_the_price_lies_between_nothing_and_all(ground: Field) -> None:
    assert "Costs from nothing to $5.00 a month" in repr(MakeSnapshotForm(ground.new_volume(100)))


def test_a_group_in_which_the_right_does_not_hold_is_refused(ground: Field) -> None:
    volume = ground.new_volume(group="db")
    volume.region.access = Access("ada", {"db": "operator"}, [Role("operator", ["Volume: Snapshot: GROUP"])])
    form = MakeSnapshotForm(volume)
    assert form.problems == {}
    form.group.value = "web"
    assert "your roles do not allow Volume: Snapshot for a new volume" in form.problems["right"]
    with pytest.raises(NotPermitted):
        form.submit()
    form.group.value = ""
    assert form.submit().owner == "ada"


def test_billing_codes_are_those_of_the_person(ground: Field) -> None:
    codes = [BillingCode("CC-1", Quota(hard=0.1)), BillingCode("CC-2")]
    access = Access("ada", {"db": "operator"}, [Role("operator", ["Volume: Snapshot: ANY"])], codes)
    region = ground.sandbox.region("us-east-1", OWN, access=access)
    form = MakeSnapshotForm(region.volumes.get(ground.volume(100, written=10)))
    assert form.billing_code._inputs[0].options == ("CC-1", "CC-2")
    form.billing_code.value = "CC-1"
    assert "Charged to CC-1, whose quota refuses above $0.10 a month" in repr(form)
    form.billing_code.value = "CC-3"
    assert form.problems == {"billing_code": "Billing code is none that ada may charge to; charge one of CC-1, CC-2"}
    with pytest.raises(InvalidRequest, match="ada may charge to"):
        form.submit()
    assert "Not submitted: see Billing code." in form.error


def test_a_form_that_is_opened_again_tells_what_is_in_progress(ground: Field) -> None:
    volume = ground.new_volume()
    begun = MakeSnapshotForm(volume).submit()
    assert f"In progress already: {begun.id}." in repr(MakeSnapshotForm(volume))
    begun.wait()
    assert "In progress" not in repr(MakeSnapshotForm(volume))


def test_what_is_warned_of_stands_in_the_form(ground: Field, recwarn: pytest.WarningsRecorder) -> None:
    codes = [BillingCode("CC-42", Quota(soft=1))]
    access = Access("ada", {"db": "operator"}, [Role("operator", ["Volume: Snapshot: ANY"])], codes)
    made = ground.new_volume(100, written=10, group="db", billing_code="CC-42")
    volume = ground.sandbox.region("us-east-1", OWN, access=access).volumes.get(made.id)
    form = MakeSnapshotForm(volume)
    asyncio.run(form.run())
    (told,) = form.warnings
    assert told.startswith("CC-42 would run at $8.00")
    assert f"warning: {told}" in repr(form)
    assert f"warning: {told}" in form._layout._status.value
    assert not recwarn.list
