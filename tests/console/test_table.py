import pytest

from snapkit.console.snapshots import SnapshotsPage
from snapkit.console.table import Table
from snapkit.ebs import Estate, Snapshot
from tests.ebs.ground import HOSTILE

DATE, SIZE = 7, 8


@pytest.fixture
def table(estate: Estate) -> Table[Snapshot]:
    return Table(estate.snapshots.find().items, SnapshotsPage.columns)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", 31), ("  ", 31), ("DATA", 30), ("data cc-42", 30), ("cc-42 web", 0), ("update", 1), ("web gib", 1),
        ("2026-01-06 t0", 0), ("2026-01-06", 7), ("completed", 31), ("us-east-1 111122223333", 31), ("onerror", 1),
    ],
)  # fmt: skip
def test_every_word_has_to_stand_somewhere_in_the_row(table: Table[Snapshot], text: str, found: int) -> None:
    assert len(table.found(text, DATE, down=True)) == found


def test_rows_are_sorted_by_what_stands_behind_the_text(table: Table[Snapshot]) -> None:
    by_size = [table.items[row].size for row in table.found("", SIZE, down=False)]
    assert by_size == sorted(by_size)
    assert table.items[table.found("", 1, down=False)[0]].name == HOSTILE


def test_what_is_equal_stays_newest_first_whichever_way(table: Table[Snapshot]) -> None:
    for down in (True, False):
        taken = [table.items[row].taken_at for row in table.found("data", 1, down=down)]
        assert taken == sorted(taken, reverse=True)


def test_a_token_is_not_found(table: Table[Snapshot]) -> None:
    token = table.items[0].tags[table.items[0].region.tag_keys.token]
    assert table.found(token, DATE, down=True) == []


def test_the_filter_is_prepared_in_steps_and_once(table: Table[Snapshot]) -> None:
    assert len(list(table.prepare())) == 1
    assert list(table.prepare()) == []
    assert len(table.texts) == 31


def test_what_was_read_anew_is_found_in_a_table_made_again(table: Table[Snapshot]) -> None:
    assert table.found("recovering", DATE, down=True) == []
    table.items[0].raw = {**table.items[0].raw, "State": "recovering"}
    assert table.again().found("recovering", DATE, down=True) == [0]


def test_there_may_be_nothing(estate: Estate) -> None:
    empty = Table(estate.snapshots.find(name="nobody").items, SnapshotsPage.columns)
    assert empty.found("x", DATE, down=True) == []
    assert empty.ids == {}
