from snapkit import _html


def test_a_table_escapes_every_cell_and_heading() -> None:
    table = _html.table(["<b>", "note"], [["<img src=x onerror=alert(1)>", '"&\u202e']])
    assert "<b>" not in table
    assert "<img" not in table
    assert "&lt;img src=x onerror=alert(1)&gt;" in table
    assert "&quot;&amp;\u202e" in table


def test_columns_of_numbers_stand_to_the_right_with_their_heading() -> None:
    table = _html.table(["what", "cost", "note"], [["a", "$1.20 ± 0.1", "100 GiB as assumed"], ["b", "-3 min", "none"]])
    assert table.count('<th style="text-align: right">cost</th>') == 1
    assert table.count('<td style="text-align: right">') == 2
    assert '<td style="text-align: left">100 GiB as assumed</td>' in table


def test_a_table_without_rows_has_its_headings() -> None:
    assert "cost</th>" in _html.table(["cost"], [])
