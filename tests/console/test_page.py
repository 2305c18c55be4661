"""What somebody does on a page, without a browser."""

import asyncio
from typing import Any

import pytest

from snapkit import InvalidRequest
from snapkit.access import Access, Role
from snapkit.console import SnapshotsPage, VolumesPage
from snapkit.console.actions import Action
from snapkit.ebs import Estate
from tests.ebs.ground import ESCAPED, HOSTILE, OTHER, OWN, ZONE, Field


class Bulk(SnapshotsPage):
    """With something that can be done with many; it shows itself as the form of a single one."""

    actions = (
        *SnapshotsPage.actions,
        Action(
            "Share all", SnapshotsPage.actions[1].form, "Snapshot", ("Delete",),
            of_many=lambda items: SnapshotsPage.actions[1].form(items[0]),
        ),
    )  # fmt: skip


def facts(page: Any) -> str:
    return str(page._layout.facts.value)


def buttons(row: Any) -> list[str]:
    return [each.description for each in row.children if hasattr(each, "on_click")]


def test_the_newest_stand_on_the_first_page(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    assert page.counted == "1 to 25 of 31 snapshots"
    taken = [each.taken_at for each in page.shown]
    assert taken == sorted(taken, reverse=True)
    assert page.grid.rows[0][1] == HOSTILE


def test_pages_are_turned_and_end(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    page.size.value = 10
    page.turn(1)
    assert page.counted == "11 to 20 of 31 snapshots"
    page.turn(9)
    assert page.counted == "31 to 31 of 31 snapshots"
    assert page._layout.forth.disabled
    page.turn(-9)
    assert page.counted == "1 to 10 of 31 snapshots"
    assert page._layout.back.disabled


def test_the_filter_leads_to_the_first_page_of_what_matches(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    page.turn(1)
    page.filter.value = "data"
    assert page.counted == "1 to 25 of 30 of 31 snapshots"
    page.filter.value = "nothing like that"
    assert (page.counted, page.grid.rows, page.grid.nothing) == ("0 of 31 snapshots", [], "Nothing matches the filter.")


def test_a_heading_sorts(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    page.grid.order = {"column": 7, "down": False}
    assert page.shown[0].taken_at == min(each.taken_at for each in estate.snapshots.find())


def test_what_is_selected_stays_so_on_other_pages_and_in_another_listing(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    page.grid.checked = first = page.grid.ids[:2]
    page.turn(1)
    assert page.grid.checked == []
    page.grid.checked = page.grid.ids[:1]
    assert len(page.selected) == 3
    page.turn(-1)
    assert page.grid.checked == first
    page.selected[first[0]].delete()
    page.renew()
    assert first[0] not in page.selected
    assert len(page.selected) == 2
    page._layout.clear.click()
    assert (page.selected, page.grid.checked) == ({}, [])


def test_the_detail_tells_lineage_timing_and_shares(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    page.grid.current = page.grid.ids[2]
    told = page.facts(page.current)
    assert told["lineage"].startswith("number 29 of 30 of this volume; 1 h after snap-")
    assert f"before {page.grid.ids[1]}" in told["lineage"]
    assert " UTC, after " in told["complete"]
    assert "<dt>shared</dt><dd>no</dd>" in facts(page)
    assert page.grid.rows[2][9] == "no"


def test_markup_in_names_is_text(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    page.grid.current = page.grid.ids[0]
    assert "before the &lt;b&gt;update" in facts(page)
    assert page._layout.title.value == f"<h3>{ESCAPED}</h3>"
    html = page._repr_mimebundle_()["text/html"]
    assert HOSTILE not in html
    assert ESCAPED in html


def test_a_saved_notebook_shows_the_same_each_time(estate: Estate) -> None:
    first, second = (SnapshotsPage(estate)._repr_mimebundle_() for _ in range(2))
    assert first["text/plain"] == "SnapshotsPage of us-east-1: 1 to 25 of 31 snapshots"
    assert {**first, "application/vnd.jupyter.widget-view+json": 0} == {
        **second,
        "application/vnd.jupyter.widget-view+json": 0,
    }


def test_a_form_opens_in_place_and_the_page_lists_what_it_made(estate: Estate) -> None:
    page = VolumesPage(estate)
    snapshots = SnapshotsPage(estate)
    done: list[Any] = []
    snapshots.done = done.append
    snapshots.grid.current = snapshots.grid.ids[0]
    snapshots.open("Create volume")
    snapshots.form.zone.value = ZONE
    made = snapshots.form.submit()
    assert done == [snapshots.form]
    assert made.id not in page.grid.ids
    page.renew()
    assert made.id in page.grid.ids


def test_a_form_goes_when_it_is_cancelled_or_another_row_is_chosen(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    for leave in ("cancel", "choose"):
        page.grid.current = page.grid.ids[1]
        page.open("Sharing")
        if leave == "cancel":
            page.form.cancel()
        else:
            page.grid.current = page.grid.ids[3]
        assert page.form is None
        assert page._layout.form.children == ()


def test_what_makes_no_sense_is_not_offered(estate: Estate, ground: Field) -> None:
    server = ground.new_server()
    page = VolumesPage(estate)
    page.filter.value = server.id
    page.grid.current = page.grid.ids[0]
    assert buttons(page._layout.deeds) == ["Make snapshot", "Detach"]
    with pytest.raises(InvalidRequest, match="action 'Attach' is not possible here"):
        page.open("Attach")


def test_what_the_role_may_not_do_is_absent_and_told_on_request(ground: Field, estate: Estate) -> None:
    region = estate.regions[0]
    region.access = Access("ann", {"db": "restorer"}, [Role("restorer", ["Snapshot: CreateVolume: ANY"])])
    page = Bulk(region)
    page.grid.current = page.grid.ids[0]
    page.grid.checked = page.grid.ids[:2]
    assert buttons(page._layout.deeds) == ["Create volume", "Copy"]
    assert list(page.why) == ["Sharing", "Lock", "Archive", "From archive", "Delete", "Share all", "Unlock"]
    assert "Snapshot: ShareLocal" in page.why["Sharing"]
    assert "Why is something missing?" in page._layout.deeds.children[-1].value
    assert buttons(page._layout.bulk) == ["Clear selection"]


def test_an_action_of_many_takes_all_that_is_selected(estate: Estate) -> None:
    page = Bulk(estate)
    with pytest.raises(InvalidRequest, match="is not possible here"):
        page.open("Share all", many=True)
    page.grid.current = page.grid.ids[0]
    page.grid.checked = page.grid.ids[3:5]
    assert buttons(page._layout.bulk) == ["Clear selection", "Delete", "Share all"]
    page.open("Share all", many=True)
    assert page.current is None
    assert page.grid.ids[3] in page.form.title


def test_a_share_appears_in_the_other_account(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    assert page.account.options == (
        ("all", ""),
        (f"production {OWN}", OWN),
        (f"<i>staging</i> {OTHER}", OTHER),
    )
    page.account.value = OTHER
    assert page.counted == "0 of 0 snapshots"
    assert page.grid.nothing == "There are no snapshots."
    shared = estate.snapshots.find()[0]
    shared.share(OTHER)
    page.renew()
    assert page.grid.ids == [shared.id]


def test_a_region_of_its_own_needs_no_switches(ground: Field) -> None:
    page = SnapshotsPage(ground.region())
    assert (page.account.layout.display, page.place.layout.display) == ("none", "none")


def test_what_aws_refuses_is_told_and_raised(estate: Estate, ground: Field) -> None:
    page = SnapshotsPage(estate.regions[0])
    ground.faults("DescribeSnapshots", unavailable=50)
    page.renew()
    assert "nothing of 111122223333 us-east-1" in page._layout.status.value
    ground.sandbox.faults.clear()
    page.renew()
    assert page.counted == "1 to 25 of 31 snapshots"
    assert page._layout.status.value == '<div role="status"></div>'


def test_a_later_question_is_not_overtaken_by_an_earlier_answer(estate: Estate) -> None:
    page = SnapshotsPage(estate)

    async def both() -> None:
        first = asyncio.create_task(page.refresh())
        await asyncio.sleep(0)
        page._asked = object()
        page._estate.regions[0].snapshots.find()[0].delete()
        await first

    asyncio.run(both())
    assert page.counted == "1 to 25 of 31 snapshots"


def test_what_is_selected_is_deleted_by_a_plan(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    page.account.value = OWN
    gone = page.grid.ids[:2]
    page.grid.checked = gone
    page.open("Delete", many=True)
    page.form.by.value = "ann"
    page.form.submit()
    page.renew()
    assert not set(gone) & set(page.grid.ids)
    page.grid.current = page.grid.ids[0]
    assert buttons(page._layout.deeds) == ["Create volume", "Sharing", "Copy", "Lock", "Archive", "Delete"]


def test_to_unlock_is_offered_once_it_is_known_that_a_lock_can_be_taken_off(estate: Estate) -> None:
    page = SnapshotsPage(estate)
    page.account.value = OWN
    page.grid.current = page.grid.ids[0]
    assert "Unlock" not in buttons(page._layout.deeds)
    page.current.lock("governance", duration="3d")
    page._show_detail(page.current)
    assert buttons(page._layout.deeds)[-2:] == ["Delete", "Unlock"]
    assert "in governance mode" in page._layout.facts.value
    page.open("Unlock")
    page.form.submit()
    page._show_detail(page.current)
    assert "Unlock" not in buttons(page._layout.deeds)
    page.current.lock("compliance", duration="3d", confirm=page.current.id)
    page._show_detail(page.current)
    assert "Unlock" not in buttons(page._layout.deeds)
    assert "nobody can take the lock off" in page._layout.facts.value
