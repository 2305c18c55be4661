"""The page of the dialogs: each form has its section, and its picture."""

import re
from pathlib import Path

import pytest
from PIL import Image

from snapkit import forms

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "howto" / "dialogs.md").read_text(encoding="utf-8")
FORMS = [name for name in forms.__all__ if name != "Form"]


@pytest.mark.parametrize("name", FORMS)
def test_each_form_has_its_section_and_its_picture(name: str) -> None:
    section = re.search(rf"^## [^\n]*`{name}`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    assert section, f"docs/howto/dialogs.md has no section of {name}"
    assert f"forms.{name}(" in section[1]
    assert f"(../images/dialogs/{name}.png)" in section[1]


def test_the_pictures_are_those_of_the_page_and_small() -> None:
    shown = set(re.findall(r"\(\.\./images/dialogs/([\w-]+\.png)\)", PAGE))
    there = {path.name for path in (DOCS / "images" / "dialogs").iterdir()}
    assert shown == there, "run `make dialogs`"
    for name in shown:
        path = DOCS / "images" / "dialogs" / name
        with Image.open(path) as picture:
            assert picture.size[0] > 500
        assert path.stat().st_size < 250_000


def test_every_picture_says_what_it_shows() -> None:
    assert all(re.findall(r"!\[([^\]]*)\]", PAGE))
