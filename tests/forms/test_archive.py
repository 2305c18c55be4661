"""The archive: when it pays off is said before, and the way back."""

from typing import Any

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, Role
from snapkit.ebs import Snapshot
from snapkit.errors import NotPermitted
from snapkit.forms.archive import ArchiveForm, RestoreFromArchiveForm
from tests.ebs.ground import ESCAPED, HOSTILE, Field
from tests.forms.test_form import shown


def taken(ground: Field, **options: Any) -> Snapshot:
    return ground.new_volume(written=2048).take_snapshot(**options).wait()


def archived(ground: Field) -> Snapshot:
    snapshot = taken(ground)
    snapshot.archive(confirm=snapshot.id)
    ground.clock.advance("1d")
    return snapshot.refresh()


def test_when_it_pays_off_is_said_and_the_id_is_wanted(ground: Field) -> None:
    snapshot = taken(ground)
    form = ArchiveForm(snapshot)
    html = shown(form)
    assert "costs $0.0125 a month for its full 1 GiB, at least $0.0375 for 90 days" in html
    assert "At best it pays off after 22.5 d, and with one restore after 40.5 d." in html
    assert f"It is the last complete snapshot of {snapshot.volume_id} outside the archive" in html
    form.confirmation.value = "yes"
    assert form.problems["confirmation"].startswith(f"Confirmation is not {snapshot.id}, which costs at least 90 days")
    with pytest.raises(InvalidRequest, match="type the id"):
        form.submit()
    form.confirmation.value = snapshot.id
    assert form.submit() is snapshot
    assert snapshot.tier_status().moving
    assert repr(form).endswith(f"{snapshot.id} is on its way to the archive; tier_status() tells how far it is")


def test_one_of_several_shows_a_band_that_is_called_assumed(ground: Field) -> None:
    volume = ground.new_volume(written=2048)
    volume.take_snapshot().wait()
    form = ArchiveForm(volume.take_snapshot().wait())
    assert "would cost $0.00 to $0.05 a month less (assumed: AWS does not tell" in shown(form)


def test_what_cannot_be_archived_says_why(ground: Field) -> None:
    snapshot = ground.new_volume().take_snapshot()
    form = ArchiveForm(snapshot)
    assert "is still pending; wait for it with snapshot.wait()" in shown(form)
    form.confirmation.value = snapshot.id
    with pytest.raises(InvalidRequest, match="still pending"):
        form.submit()
    assert form.state == "ready"


def test_restored_for_some_days_it_is_paid_for_twice(ground: Field) -> None:
    snapshot = archived(ground)
    form = RestoreFromArchiveForm(snapshot)
    assert "within 3 d, for $0.03 at most" in shown(form)
    assert "in both tiers: up to $0.05 a month besides $0.0125 in the archive" in shown(form)
    with pytest.raises(InvalidRequest):
        form.submit()
    form.days.value = 181
    assert form.problems["days"].startswith("Days is no number of days from 1 to 180")
    form.days.value = 7
    form.submit()
    assert snapshot.tier_status().operation == "temporary-restore-in-progress"


def test_for_how_long_it_is_restored_can_be_changed(ground: Field) -> None:
    snapshot = archived(ground)
    snapshot.restore_from_archive(days=7)
    ground.clock.advance("3d")
    form = RestoreFromArchiveForm(snapshot.refresh())
    assert f"Now it is restored until {snapshot.tier_status().restored_until:%Y-%m-%d %H:%M} UTC" in shown(form)
    assert "besides $0.0125 in the archive" in shown(form)
    form.days.value = 30
    form.submit()
    ground.clock.advance("20d")
    assert snapshot.refresh().tier == "standard"


def test_restored_for_good_no_days_are_wanted(ground: Field) -> None:
    snapshot = archived(ground)
    form = RestoreFromArchiveForm(snapshot)
    form.permanent.value = True
    assert form.days.hidden
    assert form.problems == {}
    assert "nothing in the archive" in shown(form)
    form.submit()
    ground.clock.advance("300d")
    assert snapshot.refresh().tier == "standard"


def test_what_is_not_archived_is_not_restored(ground: Field) -> None:
    form = RestoreFromArchiveForm(taken(ground))
    assert "is not archived; nothing has to be restored" in shown(form)
    form.permanent.value = True
    with pytest.raises(InvalidRequest, match="is not archived"):
        form.submit()


@pytest.mark.parametrize("kind", [ArchiveForm, RestoreFromArchiveForm])
def test_a_role_that_may_not_is_told_so(ground: Field, kind: Any) -> None:
    snapshot = taken(ground)
    snapshot.region.access = Access("ada", {"db": "viewer"}, [Role("viewer", [])])
    with pytest.raises(NotPermitted, match="Snapshot: Delete"):
        kind(snapshot).submit()


@pytest.mark.parametrize("kind", [ArchiveForm, RestoreFromArchiveForm])
def test_markup_shows_as_it_is(ground: Field, kind: Any) -> None:
    form = kind(taken(ground, name=HOSTILE))
    for html in (shown(form), form._repr_mimebundle_()["text/html"]):
        assert HOSTILE not in html
        assert ESCAPED in html
