"""What the tests of this room share."""

from collections.abc import Iterator

import pytest

from snapkit import Sandbox
from snapkit.ebs import Region
from tests.automation.ground import alone
from tests.ebs.ground import Field, field

__all__ = ["field"]


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Make a sandbox of one account."""
    with alone() as made:
        yield made


@pytest.fixture
def region(sandbox: Sandbox) -> Region:
    """Look at its first region."""
    return sandbox.region()


@pytest.fixture
def own(sandbox: Sandbox) -> Field:
    """Stand on it, in process."""
    return Field(None, sandbox)
