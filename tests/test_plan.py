"""A plan is shown, approved and applied, and refused where it no longer fits."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from snapkit import InvalidRequest, SnapkitError, StalePlan
from snapkit.clock import SystemClock
from snapkit.plan import Applied, Approval, Deed, Plan, Step

HOSTILE = "<img src=x onerror=alert(1)>"


class Shelf:
    """Things that a plan removes."""

    def __init__(self, *things: str) -> None:
        self.things = {thing: {"colour": "red"} for thing in things}
        self.stuck: set[str] = set()
        self.log: list[str] = []

    def state(self) -> dict[str, dict[str, str]]:
        return {thing: dict(known) for thing, known in self.things.items()}

    def remove(self, thing: str) -> None:
        self.log.append(thing)
        if thing in self.stuck:
            raise SnapkitError(f"{thing} is stuck")
        del self.things[thing]

    def step(self, thing: str, **more: object) -> Step:
        step = Step(
            what="remove",
            on=thing,
            reason="old",
            do=lambda: self.remove(thing),
            done=lambda: thing not in self.things,
        )
        return replace(step, **more)  # type: ignore[arg-type]

    def plan(self, *steps: Step) -> Plan:
        return Plan(steps or [self.step(thing) for thing in self.things], self.state(), reread=self.state)


def results(applied: Applied) -> list[tuple[str, str]]:
    return [(each.step.on, each.result) for each in applied]


def test_an_approved_plan_is_applied_and_each_deed_recorded() -> None:
    shelf = Shelf("a", "b")
    plan = shelf.plan()
    applied = plan.apply(plan.approve(by="on-call"))
    assert results(applied) == [("a", "done"), ("b", "done")]
    assert applied.complete
    assert shelf.things == {}
    assert repr(applied) == "<Applied: 2 done, approved by on-call>"


def test_a_failed_step_does_not_stop_the_others_and_its_error_is_kept() -> None:
    shelf = Shelf("a", "b", "c")
    shelf.stuck = {"b"}
    plan = shelf.plan()
    applied = plan.apply(plan.approve(by="me"))
    assert results(applied) == [("a", "done"), ("b", "failed"), ("c", "done")]
    assert applied[1].told == "b is stuck"
    assert [each.step.on for each in applied.failed] == ["b"]


def test_steps_run_after_those_that_they_wait_for() -> None:
    shelf = Shelf("a", "b", "c")
    plan = shelf.plan(shelf.step("a", waits_for=("remove c",)), shelf.step("b"), shelf.step("c"))
    plan.apply(plan.approve(by="me"))
    assert shelf.log == ["b", "c", "a"]


def test_steps_that_are_in_order_stay_so_even_where_one_waits_for_nothing() -> None:
    shelf = Shelf("a", "b", "c")
    plan = shelf.plan(shelf.step("a"), shelf.step("b", waits_for=("remove a",)), shelf.step("c"))
    assert [step.on for step in plan] == ["a", "b", "c"]


def test_what_waits_for_a_failed_step_is_skipped_and_so_is_what_waits_for_that() -> None:
    shelf = Shelf("a", "b", "c")
    shelf.stuck = {"a"}
    plan = shelf.plan(
        shelf.step("a"), shelf.step("b", waits_for=("remove a",)), shelf.step("c", waits_for=("remove b",))
    )
    applied = plan.apply(plan.approve(by="me"))
    assert results(applied) == [("a", "failed"), ("b", "skipped"), ("c", "skipped")]
    assert "remove a" in applied[1].told
    assert shelf.log == ["a"]


def test_a_blocked_step_is_not_run_nor_what_waits_for_it() -> None:
    shelf = Shelf("a", "b")
    plan = shelf.plan(shelf.step("a", blockers=("it is locked",)), shelf.step("b", waits_for=("remove a",)))
    applied = plan.apply(plan.approve(by="me"))
    assert results(applied) == [("a", "blocked"), ("b", "skipped")]
    assert applied[0].told == "it is locked"
    assert shelf.log == []


def test_a_plan_broken_off_at_any_point_can_be_applied_again() -> None:
    things = ("a", "b", "c")
    for place in range(len(things)):
        shelf = Shelf(*things)
        plan = shelf.plan()
        approval = plan.approve(by="me")
        with pytest.raises(KeyboardInterrupt):
            plan.apply(approval, on_deed=_break_off_after(place))
        assert shelf.log == list(things[: place + 1])
        applied = plan.apply(approval)
        assert applied.complete
        assert [each.result for each in applied] == ["already done"] * (place + 1) + ["done"] * (2 - place)
        assert shelf.log == list(things)


def _break_off_after(place: int) -> Callable[[Deed], None]:
    seen: list[Deed] = []

    def look(deed: Deed) -> None:
        seen.append(deed)
        if len(seen) > place:
            raise KeyboardInterrupt

    return look


def test_a_failed_step_is_tried_again_when_the_plan_is_applied_again() -> None:
    shelf = Shelf("a", "b")
    shelf.stuck = {"a"}
    plan = shelf.plan()
    approval = plan.approve(by="me")
    plan.apply(approval)
    shelf.stuck = set()
    assert results(plan.apply(approval)) == [("a", "done"), ("b", "already done")]


def test_a_step_that_can_no_longer_be_looked_up_fails_alone() -> None:
    shelf, asked = Shelf("a", "b"), list[str]()

    def unknown() -> bool:
        if asked:
            raise SnapkitError("may not be looked up")
        asked.append("a")
        return False

    plan = shelf.plan(shelf.step("a", done=unknown), shelf.step("b"))
    assert results(plan.apply(plan.approve(by="on-call"))) == [("a", "failed"), ("b", "done")]
    assert shelf.things.keys() == {"a"}


def test_a_stale_plan_is_refused_with_the_difference_and_nothing_is_done() -> None:
    shelf = Shelf("a", "b")
    plan = shelf.plan()
    approval = plan.approve(by="me")
    shelf.things["b"]["colour"] = "blue"
    shelf.things["c"] = {"colour": "red"}
    with pytest.raises(StalePlan) as caught:
        plan.apply(approval)
    assert caught.value.differences == ("b: colour was red, is blue", "c is new")
    assert shelf.log == []


def test_what_is_gone_on_which_the_plan_rests_makes_it_stale() -> None:
    shelf = Shelf("a", "b")
    plan = shelf.plan(shelf.step("a"))
    approval = plan.approve(by="me")
    del shelf.things["b"]
    with pytest.raises(StalePlan, match="b is gone"):
        plan.apply(approval)


def test_an_approval_of_another_plan_is_refused_with_the_difference() -> None:
    shelf = Shelf("a", "b")
    approval = shelf.plan(shelf.step("a"), shelf.step("b")).approve(by="me")
    plan = shelf.plan(shelf.step("a", reason="ugly"))
    with pytest.raises(StalePlan) as caught:
        plan.apply(approval)
    assert caught.value.differences == (
        "the approval by me is of another plan",
        "'remove b' is no step of this one",
        "'remove a' has another reason",
    )
    assert shelf.log == []


def test_an_approval_without_its_text_is_refused_too() -> None:
    plan = Shelf("a").plan()
    with pytest.raises(StalePlan, match="of another plan"):
        plan.apply(Approval("me", "0" * 64))


def test_the_same_plan_made_anew_takes_the_approval() -> None:
    shelf = Shelf("a")
    approval = shelf.plan().approve(by="me")
    assert shelf.plan().apply(approval).complete


@pytest.mark.parametrize(
    "change",
    [
        {"what": "burn"}, {"on": "z"}, {"reason": "ugly"}, {"price_usd": 1.0}, {"monthly_usd": (0.0, 1.0)},
        {"blockers": ("locked",)}, {"warnings": ("shared",)},
    ],
)  # fmt: skip
def test_the_fingerprint_is_that_of_the_steps(change: dict[str, object]) -> None:
    shelf = Shelf("a")
    assert shelf.plan(shelf.step("a", **change)).fingerprint != shelf.plan().fingerprint


def test_the_fingerprint_is_that_of_the_state_too_and_not_of_how_steps_are_done() -> None:
    shelf, other = Shelf("a"), Shelf("a")
    assert shelf.plan().fingerprint == other.plan().fingerprint
    other.things["a"]["colour"] = "blue"
    assert shelf.plan().fingerprint != other.plan().fingerprint


def test_the_approval_names_who_and_when() -> None:
    moment = datetime(2026, 1, 5, tzinfo=UTC)

    class Stopped(SystemClock):
        def now(self) -> datetime:
            return moment

    approval = Plan([], {}, clock=Stopped()).approve(by="on-call")
    assert (approval.by, approval.at) == ("on-call", moment)
    assert Plan([], {}).approve(by="on-call").at is None


@pytest.mark.parametrize("by", ["", "  ", None])
def test_an_approval_by_nobody_is_refused(by: str) -> None:
    with pytest.raises(InvalidRequest, match="names nobody"):
        Plan([], {}).approve(by=by)


def test_applying_without_an_approval_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="approve"):
        Plan([], {}).apply("yes")  # type: ignore[arg-type]


def test_steps_that_wait_for_each_other_or_for_none_are_refused() -> None:
    shelf = Shelf("a", "b")
    with pytest.raises(InvalidRequest, match="wait for each other"):
        shelf.plan(shelf.step("a", waits_for=("remove b",)), shelf.step("b", waits_for=("remove a",)))
    with pytest.raises(InvalidRequest, match="'remove z', which is no step"):
        shelf.plan(shelf.step("a", waits_for=("remove z",)))
    with pytest.raises(InvalidRequest, match="twice"):
        shelf.plan(shelf.step("a"), shelf.step("a"))


def test_totals_are_bands_without_what_is_blocked_or_unknown() -> None:
    shelf = Shelf("a", "b", "c", "d")
    plan = shelf.plan(
        shelf.step("a", price_usd=2.0, monthly_usd=(-5.0, 0.0)),
        shelf.step("b", price_usd=(1.0, 3.0)),
        shelf.step("c", price_usd=None),
        shelf.step("d", price_usd=100.0, blockers=("locked",)),
    )
    assert plan.total_usd == (3.0, 5.0)
    assert plan.monthly_usd == (-5.0, 0.0)
    told = "4 steps, 1 blocked; costs $3.00 to $5.00, saves $0.00 to $5.00 a month, the price of 1 not known"
    assert repr(plan) == f"<Plan of {told}>"


def test_a_plan_shows_itself_as_text_html_frame_and_json() -> None:
    shelf = Shelf("a", "b")
    plan = shelf.plan(
        shelf.step("a", reason=HOSTILE, warnings=("it is shared",), monthly_usd=(-1.0, 0.0)),
        shelf.step("b", blockers=("it is locked; unlock it",), waits_for=("remove a",)),
    )
    assert str(plan) == (
        "Plan of 2 steps, 1 blocked; saves $0.00 to $1.00 a month\n"
        f"  remove a: {HOSTILE}; saves $0.00 to $1.00 a month; warning: it is shared\n"
        "  remove b: old; after remove a; BLOCKED: it is locked; unlock it"
    )
    html = plan._repr_html_()
    assert HOSTILE not in html
    assert "&lt;img src=x onerror=alert(1)&gt;" in html
    frame = plan.to_frame()
    assert list(frame["blockers"]) == ["", "it is locked; unlock it"]
    assert list(frame["monthly_low_usd"]) == [-1.0, 0.0]
    assert str(frame["price_low_usd"].dtype) == "float64"
    content = json.loads(plan.to_json())
    assert [step["on"] for step in content["steps"]] == ["a", "b"]
    assert content["state"]["a"] == {"colour": "red"}
    assert plan.to_json() == shelf.plan(*plan.steps).to_json()


def test_what_came_of_it_shows_itself_as_text_html_and_frame() -> None:
    shelf = Shelf("a", HOSTILE)
    shelf.stuck = {HOSTILE}
    plan = shelf.plan()
    applied = plan.apply(plan.approve(by=HOSTILE))
    assert str(applied).endswith(f"remove {HOSTILE}: failed, {HOSTILE} is stuck")
    assert HOSTILE not in applied._repr_html_()
    assert list(applied.to_frame()["result"]) == ["done", "failed"]


def test_an_empty_plan_is_applied_to_nothing() -> None:
    plan = Plan([], {})
    assert repr(plan) == "<Plan of 0 steps; costs nothing>"
    assert plan.to_frame().empty
    assert repr(plan.apply(plan.approve(by="me"))) == "<Applied: no steps, approved by me>"


def test_a_long_plan_shows_its_beginning_in_html() -> None:
    shelf = Shelf(*(f"thing-{number:03}" for number in range(60)))
    html = shelf.plan()._repr_html_()
    assert "the first 50 shown" in html
    assert "thing-049" in html
    assert "thing-050" not in html


def test_steps_can_be_indexed_and_sliced() -> None:
    plan = Shelf("a", "b", "c").plan()
    assert plan[0].name == "remove a"
    assert [step.on for step in plan[1:]] == ["b", "c"]


def test_the_fingerprint_that_was_looked_at_approves_that_plan_in_another_process() -> None:
    looked_at = Shelf("a").plan().fingerprint
    for given in (looked_at, looked_at[:12], looked_at[:12].upper()):
        shelf = Shelf("a")
        plan = shelf.plan()
        assert plan.apply(plan.approve("on-call", given)).complete
        assert shelf.things == {}


def test_the_fingerprint_of_another_plan_is_refused_and_both_are_named() -> None:
    looked_at = Shelf("a").plan().fingerprint
    plan = Shelf("a", "b").plan()
    with pytest.raises(StalePlan) as caught:
        plan.approve("on-call", looked_at)
    told = f"{looked_at[:12]} was looked at, and the plan is {plan.fingerprint[:12]} by now: 2 steps; costs nothing"
    assert caught.value.differences == (told,)


@pytest.mark.parametrize("given", ["", "yes", "0" * 11, "0" * 65, "z" * 64, 123456789012])
def test_what_is_no_fingerprint_approves_nothing(given: str) -> None:
    with pytest.raises(InvalidRequest, match="12 to 64 hexadecimal digits; give that of the plan that you looked at"):
        Shelf("a").plan().approve("on-call", given)
