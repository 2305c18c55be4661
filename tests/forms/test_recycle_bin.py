"""The recycle bin: what is in it, and what came back where not everything did."""

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, Role
from snapkit.ebs import Snapshot
from snapkit.errors import AwsError, NotPermitted
from snapkit.forms.recycle_bin import BinForm
from tests.ebs.ground import ESCAPED, HOSTILE, Field
from tests.forms.test_form import shown


def binned(ground: Field, *descriptions: str) -> list[Snapshot]:
    ground.client("rbin").create_rule(
        ResourceType="EBS_SNAPSHOT", RetentionPeriod={"RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS"}
    )
    ground.clock.advance("1h")
    taken = [ground.new_volume().take_snapshot(name=each, description=each).wait() for each in descriptions]
    for each in taken:
        each.delete()
        ground.clock.advance("1min")
    return taken


def test_the_chosen_come_back(ground: Field) -> None:
    first, second, third = binned(ground, "a", "b", "c")
    form = BinForm(ground.region())
    assert [each for _, each in form.snapshots._options] == [first.id, second.id, third.id]
    assert f"{first.id} of {first.volume_id}, a: gone at 2026-01-12" in form.snapshots._options[0][0]
    assert form.problems == {"snapshots": "Deleted snapshots are not chosen; tick what to restore"}
    form.snapshots.value = [first.id, third.id]
    assert f"Restores {first.id}, {third.id}, with what each had" in shown(form)
    back = form.submit()
    assert [each.name for each in back] == ["a", "c"]
    assert [each.id for each in ground.region().snapshots.in_recycle_bin()] == [second.id]
    assert repr(form).endswith("; ".join(repr(each).strip("<>") for each in back))


def test_where_one_fails_the_others_are_told_and_not_restored_twice(ground: Field) -> None:
    first, second = binned(ground, "a", "b")
    form = BinForm(ground.region())
    form.snapshots.value = [first.id, second.id]
    calls = list[str]()

    def breaks(params: dict[str, str], **_: object) -> None:
        calls.append(first.id if first.id in str(params) else second.id)
        if len(calls) == 2:
            ground.faults("RestoreSnapshotFromRecycleBin", unreachable=60)

    form.region.aws.client.meta.events.register("before-call.ec2.RestoreSnapshotFromRecycleBin", breaks)
    with pytest.raises(AwsError):
        form.submit()
    assert f"Restored already: {first.id}." in shown(form)
    assert f"Restores {second.id}, with" in shown(form)
    ground.sandbox.faults.clear()
    assert [each.id for each in form.submit()] == [first.id, second.id]
    assert calls.count(first.id) == 1


def test_of_one_snapshot_it_is_chosen_already(ground: Field) -> None:
    snapshot, _ = binned(ground, "a", "b")
    form = BinForm(snapshot)
    assert form.snapshots.value == (snapshot.id,)
    assert form.submit() == (snapshot,)
    assert snapshot.state == "completed"


def test_an_empty_bin_says_so(ground: Field) -> None:
    form = BinForm(ground.region())
    assert form.snapshots.hint == "There is none in the recycle bin."
    with pytest.raises(InvalidRequest, match="nothing to restore"):
        form.submit()


def test_a_role_that_may_not_is_told_so(ground: Field) -> None:
    (snapshot,) = binned(ground, "a")
    snapshot.region.access = Access("ada", {"db": "viewer"}, [Role("viewer", [])])
    with pytest.raises(NotPermitted, match="Snapshot: Delete"):
        BinForm(snapshot).submit()


def test_markup_shows_as_it_is(ground: Field) -> None:
    (snapshot,) = binned(ground, HOSTILE)
    form = BinForm(snapshot)
    form.submit()
    for html in (shown(form), form._repr_mimebundle_()["text/html"]):
        assert HOSTILE not in html
        assert ESCAPED in html
    assert not any(each.description_allow_html for each in form.snapshots._inputs)
