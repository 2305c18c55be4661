"""What a strategy wants now: shown, approved, applied."""

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, Role
from snapkit.automation.managed import STRATEGY
from snapkit.ebs import Volume
from snapkit.errors import StalePlan, StrategyError
from snapkit.forms import PlanForm
from snapkit.strategy import Strategy
from tests.automation.ground import HOURLY
from tests.ebs.ground import ESCAPED, HOSTILE, Field
from tests.forms.test_form import buttons, shown


def form_of(ground: Field, volume: Volume | None = None, by: str = "ada") -> PlanForm:
    form = PlanForm(volume or ground.new_volume(), HOURLY)
    form.by.value = by
    return form


def test_what_is_wanted_is_shown_with_its_price_and_done_once_somebody_approves(ground: Field) -> None:
    form = form_of(ground, by="")
    assert form.problems == {"by": "Approved by names nobody; say who approves the plan"}
    (step,) = form.plan
    assert f"Take {step.on}: for often: every hour was due at" in shown(form)
    assert "$0.00 to $0.40 a month." in shown(form)
    with pytest.raises(InvalidRequest, match="names nobody"):
        form.submit()
    assert ground.count() == 0
    form.by.value = "ada"
    assert form.submit().complete
    assert ground.count() == 1
    assert repr(form).endswith(f"done: Applied: 1 done, approved by ada; take {step.on}: done")


def test_a_plan_that_is_stale_is_refused_and_made_anew(ground: Field) -> None:
    volume = ground.new_volume()
    for hour in range(3):
        form_of(ground, volume).submit()
        ground.sandbox.clock.advance("30min" if hour == 2 else "1h")
    form = form_of(ground, volume)
    newest, _, oldest = ground.region().snapshots.find()
    assert f"Delete {oldest.id}: " in shown(form)
    newest.delete()
    with pytest.raises(StalePlan):
        form.submit()
    assert "the plan no longer fits the account" in form.error
    assert ground.count() == 2
    assert "Delete" not in "".join(form.consequences())
    assert form.submit().complete, "approved again it does what is wanted now"
    assert ground.count() == 3


def test_what_somebody_else_has_done_meanwhile_is_not_done_again(ground: Field) -> None:
    volume = ground.new_volume()
    form = form_of(ground, volume)
    form_of(ground, volume).submit()
    assert [each.result for each in form.submit()] == ["already done"]
    assert ground.count() == 1
    later = form_of(ground, volume)
    told = "Approved by has nothing to approve: hourly wants nothing now; look again when something is due"
    assert later.problems == {"by": told}
    with pytest.raises(InvalidRequest, match="wants nothing now"):
        later.submit()


def test_what_the_role_does_not_allow_is_shown_and_cannot_be_approved(ground: Field) -> None:
    volume = ground.new_volume(group="db")
    volume.region.access = Access("ann", {"db": "reader"}, [Role("reader", ["Snapshot: CreateVolume: ANY"])])
    form = PlanForm(volume, HOURLY)
    assert form.by.value == "ann"
    assert f"Not done, take {volume.id}: your roles do not allow Volume: Snapshot" in shown(form)
    assert "has nothing to approve: every step is blocked" in form.problems["by"]
    with pytest.raises(InvalidRequest, match="every step is blocked"):
        form.submit()


def test_a_step_that_fails_is_told_first_and_the_others_are_done(ground: Field) -> None:
    region = ground.region()
    volumes = [ground.new_volume(region=region) for _ in range(2)]
    form = PlanForm(volumes, HOURLY)
    form.by.value = "ada"
    assert form.title == "2 volumes and servers: Plan of hourly"
    ground.faults("CreateSnapshot", unavailable=9)
    applied = form.submit()
    assert [each.result for each in applied] == ["failed", "failed"]
    assert "CreateSnapshot" in form.told(applied)
    ground.sandbox.faults.clear()
    again = form_of(ground, volumes[0])
    assert again.submit().complete, "what failed is in the next plan"


def test_markup_in_names_shows_as_it_is(ground: Field) -> None:
    form = form_of(ground, ground.new_volume(name=HOSTILE))
    assert ESCAPED in shown(form)
    assert HOSTILE not in shown(form)


def test_what_cannot_be_planned_is_refused(ground: Field) -> None:
    with pytest.raises(InvalidRequest, match="is no volume; give at least one"):
        PlanForm([], HOURLY)
    with pytest.raises(StrategyError, match="do not fit in a tag"):
        PlanForm(ground.new_volume(), Strategy("x" * 300, HOURLY.tiers))


def test_the_button_does_it(ground: Field) -> None:
    volume = ground.new_volume(tags={STRATEGY: "hourly"})
    form = form_of(ground, volume)
    next(each for each in buttons(form) if each.description == "Approve and apply").click()
    assert form.result.complete
