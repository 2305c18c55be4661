"""Deleting: what is in the way comes first, and what came of each is told."""

import asyncio

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, Role
from snapkit.ebs import Snapshot
from snapkit.errors import NotPermitted, StalePlan
from snapkit.forms.delete import DeleteForm
from tests.ebs.ground import ESCAPED, HOSTILE, OTHER, Field
from tests.forms.test_form import buttons, shown


def taken(ground: Field, count: int, name: str = "") -> list[Snapshot]:
    volume = ground.new_volume()
    return [volume.take_snapshot(name=name).wait() for _ in range(count)]


def image_of(ground: Field, snapshot: Snapshot) -> str:
    device = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot.id}}
    image = ground.ec2().register_image(Name="gold", RootDeviceName="/dev/sda1", BlockDeviceMappings=[device])
    return str(image["ImageId"])


def approved(form: DeleteForm) -> DeleteForm:
    form.by.value = "ada"
    return form


def test_one_goes_when_somebody_approves(ground: Field) -> None:
    old, new = taken(ground, 2)
    form = DeleteForm(old)
    assert form.problems == {"by": "Approved by names nobody; say who approves the plan"}
    assert f"Deletes {old.id}: taken 2026-01-05 00:00 UTC; frees 50 MiB at most." in shown(form)
    assert "What it changes a month: saves $0.00 to $0.0024." in shown(form)
    with pytest.raises(InvalidRequest):
        form.submit()
    assert ground.count() == 2
    assert approved(form).submit().complete
    assert [each.id for each in ground.region().snapshots.find()] == [new.id]
    assert repr(form).endswith(f"done: Applied: 1 done, approved by ada; delete {old.id}: done")


def test_what_needs_it_is_told_and_nothing_is_done(ground: Field) -> None:
    (snapshot,) = taken(ground, 1)
    image = image_of(ground, snapshot)
    form = approved(DeleteForm(snapshot))
    told = f"Snapshots cannot go: the image {image} stands on it; deregister {image} first"
    assert form.problems["snapshots"].startswith(told)
    assert f"{snapshot.id} stays: the image {image} stands on it" in shown(form)
    assert form.snapshots.problem == form.problems["snapshots"], "it is told at once"
    assert buttons(form)[0].disabled
    with pytest.raises(InvalidRequest, match=image):
        form.submit()
    assert ground.count() == 1


def test_warnings_are_named_and_do_not_hinder(ground: Field) -> None:
    (snapshot,) = taken(ground, 1)
    snapshot.share(OTHER)
    form = approved(DeleteForm(snapshot))
    assert f"Warning, {snapshot.id}: it is shared with {OTHER}; volumes that others made of it stay" in shown(form)
    assert f"no complete snapshot of {snapshot.volume_id} is left without it" in shown(form)
    assert form.problems == {}
    form.submit()
    assert ground.count() == 0


def test_many_are_warned_of_in_one_sentence(ground: Field) -> None:
    first, second = taken(ground, 2)
    told = shown(DeleteForm([first, second]))
    assert told.count("Warning, ") == 1
    assert f"Warning, {first.id}, {second.id}: no complete snapshot of {first.volume_id} is left" in told


def test_of_many_those_that_something_needs_stay(ground: Field) -> None:
    first, second, third = taken(ground, 3)
    image = image_of(ground, second)
    form = approved(DeleteForm([first, second, third]))
    assert form.snapshots.value == (first.id, third.id)
    assert form.snapshots.disabled
    assert "no complete snapshot" not in shown(form), "the second one is left"
    assert buttons(form)[0].description == "Delete 2 of 3 snapshots"
    applied = form.submit()
    assert [each.result for each in applied] == ["done", "blocked", "done"]
    assert [each.id for each in ground.region().snapshots.find()] == [second.id]
    told = repr(form).splitlines()[-1]
    assert "Applied: 2 done, 1 blocked, approved by ada" in told
    assert told.index(f"delete {second.id}: blocked, the image {image}") < told.index(f"delete {first.id}: done")


def test_each_failure_is_told_and_the_others_go(ground: Field) -> None:
    first, second = taken(ground, 2)
    form = approved(DeleteForm([first, second]))
    locked = list[object]()

    def lock(**_: object) -> None:
        # Somebody is faster than the plan.
        if not locked:
            locked.append(True)
            ground.ec2().lock_snapshot(SnapshotId=second.id, LockMode="governance", LockDuration=1)

    form.region.aws.client.meta.events.register("before-call.ec2.DeleteSnapshot", lock)
    asyncio.run(form.run())
    assert [each.result for each in form.result] == ["done", "failed"]
    assert f"delete {second.id}: failed, DeleteSnapshot of {second.id} was refused (SnapshotLocked)" in shown(form)


def test_an_account_that_changed_meanwhile_refuses_the_plan(ground: Field) -> None:
    first, second = taken(ground, 2)
    form = approved(DeleteForm([first, second]))
    image = image_of(ground, first)
    with pytest.raises(StalePlan, match=image):
        form.submit()
    assert "the plan no longer fits the account" in shown(form)
    assert ground.count() == 2
    assert form.snapshots.value == (second.id,), "it was made anew"
    assert f"{first.id} stays: the image {image} stands on it" in shown(form)
    assert buttons(form)[0].description == "Delete 1 of 2 snapshots"
    assert [each.result for each in form.submit()] == ["blocked", "done"]


def test_the_person_that_is_known_approves(ground: Field) -> None:
    (snapshot,) = taken(ground, 1)
    snapshot.region.access = Access("ada", {"db": "owner"}, [Role("owner", ["Snapshot: ANY: ANY"])])
    form = DeleteForm(snapshot)
    assert form.by.value == "ada"
    assert form.submit().approval.by == "ada"


def test_a_role_that_may_not_is_told_so(ground: Field) -> None:
    snapshots = taken(ground, 2)
    snapshots[0].region.access = Access("ada", {"db": "viewer"}, [Role("viewer", [])])
    form = DeleteForm(snapshots)
    assert "your roles do not allow Snapshot: Delete" in shown(form)
    with pytest.raises(NotPermitted):
        form.submit()


def test_of_very_many_the_first_are_shown_and_the_rest_counted(ground: Field) -> None:
    (snapshot,) = taken(ground, 1)
    gone = [Snapshot(snapshot.region, {**snapshot.raw, "SnapshotId": f"snap-{each:017x}"}) for each in range(30)]
    form = approved(DeleteForm(gone))
    assert "... and 10 more" in shown(form)
    form.submit()
    assert "Applied: 30 already done" in repr(form)
    assert repr(form).endswith("... and 10 more")


def test_none_at_all_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="give at least one"):
        DeleteForm([])


def test_markup_shows_as_it_is(ground: Field) -> None:
    form = approved(DeleteForm(taken(ground, 1, HOSTILE)))
    for html in (shown(form), form._repr_mimebundle_()["text/html"]):
        assert HOSTILE not in html
        assert ESCAPED in html
    assert not any(each.description_allow_html for each in form.snapshots._inputs)
