"""The sandbox keeps the rules of AWS, in process and over HTTP."""

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

from snapkit import Sandbox
from tests.sandbox import rows
from tests.sandbox.ground import Ground, Row

TABLES = {
    module.name: importlib.import_module(f"{rows.__name__}.{module.name}").ROWS
    for module in pkgutil.iter_modules(rows.__path__)
}
ROWS = [pytest.param(row, id=f"{gap}-{row.name}") for gap, table in TABLES.items() for row in table]


@pytest.fixture(params=["in process", "served"])
def ground(request: pytest.FixtureRequest) -> Iterator[Ground]:
    with Sandbox(seed=3, accounts=["111122223333", "444455556666"]) as sandbox:
        yield Ground(sandbox.serve() if request.param == "served" else None, sandbox)


@pytest.mark.parametrize("row", ROWS)
def test_the_sandbox_keeps(row: Row, ground: Ground) -> None:
    row.check(ground)


def test_every_row_names_its_source() -> None:
    assert all(row.source and not row.source.endswith(", ") for table in TABLES.values() for row in table)


def test_no_two_rules_of_a_gap_have_the_same_name() -> None:
    for table in TABLES.values():
        assert len({row.name for row in table}) == len(table)
