"""What the tests of this room share."""

from collections.abc import Iterator

import pytest

from tests.automation.ground import alone
from tests.ebs.ground import Field, field

__all__ = ["field"]


@pytest.fixture
def own() -> Iterator[Field]:
    """Stand on a sandbox of one account, in process."""
    with alone() as sandbox:
        yield Field(None, sandbox)
