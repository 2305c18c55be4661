from typing import Any

import pytest

from snapkit.console import Pages, SnapshotsPage, VolumesPage
from snapkit.ebs import Estate
from tests.ebs.ground import ZONE


def test_a_page_is_made_when_its_tab_is_chosen_and_kept(estate: Estate) -> None:
    made: list[str] = []

    def make(kind: Any) -> Any:
        made.append(kind.noun)
        return kind(estate)

    pages = Pages({"Snapshots": lambda: make(SnapshotsPage), "Volumes": lambda: make(VolumesPage)})
    assert made == ["snapshot"]
    assert pages["Volumes"] is pages["Volumes"]
    assert made == ["snapshot", "volume"]
    assert pages._repr_mimebundle_()["text/plain"] == "<Pages Snapshots, Volumes>"


def test_what_one_page_made_is_listed_on_the_others_when_they_are_chosen(estate: Estate) -> None:
    pages = Pages({"Snapshots": lambda: SnapshotsPage(estate), "Volumes": lambda: VolumesPage(estate)})
    assert pages["Volumes"].counted == "1 to 2 of 2 volumes"
    page = pages["Snapshots"]
    page.grid.current = page.grid.ids[0]
    page.open("Create volume")
    page.form.zone.value = ZONE
    page.form.submit()
    assert pages._made[1].counted == "1 to 2 of 2 volumes"
    assert pages["Volumes"].counted == "1 to 3 of 3 volumes"


def test_a_page_that_cannot_be_made_says_why() -> None:
    def fail() -> None:
        raise ValueError("<b>no</b>")

    pages = Pages({"First": lambda: "shown as it is", "Second": fail})
    with pytest.raises(ValueError, match="no"):
        pages["Second"]
    assert "&lt;b&gt;no" in pages._tabs.children[1].children[0].value
