from snapkit import _html


def test_a_table_escapes_every_cell_and_heading() -> None:
    table = _html.table(["<b>", "note"], [["<img src=x onerror=alert(1)>", '"&\u202e']])
    assert "<b>" not in table
    assert "<img" not in table
    assert "&lt;img src=x onerror=alert(1)&gt;" in table
    assert "&quot;&amp;\u202e" in table


def test_columns_of_numbers_stand_to_the_right_with_their_heading() -> None:
    table = _html.table(["what", "cost", "note"], [["a", "$1.20 ± 0.1", "100 GiB as assumed"], ["b", "-3 min", "none"]])
    assert table.count('<th style="text-align: right; white-space: nowrap">cost</th>') == 1
    assert table.count('<td style="text-align: right; white-space: nowrap">') == 2
    assert '<td style="text-align: left; white-space: nowrap">100 GiB as assumed</td>' in table


def test_short_cells_stay_in_one_line_and_long_ones_may_break() -> None:
    table = _html.table(
        ["id", "reason"], [["snap-0123456789abcdef0", "the image ami-1 stands on it, and so does ami-2"]]
    )
    assert '<td style="text-align: left; white-space: nowrap">snap-0123456789abcdef0</td>' in table
    assert '<td style="text-align: left">the image' in table


def test_a_note_is_escaped() -> None:
    assert _html.note("<b>1 & 2</b>") == "<p>&lt;b&gt;1 &amp; 2&lt;/b&gt;</p>"


def test_a_table_without_rows_has_its_headings() -> None:
    assert "cost</th>" in _html.table(["cost"], [])
