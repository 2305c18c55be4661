"""What the tests of forms stand on: an estate in process, and another thread than that of the event loop."""

from collections.abc import Iterator

import pytest

from snapkit import Sandbox
from tests.ebs.ground import OTHER, OWN, Field


@pytest.fixture
def ground() -> Iterator[Field]:
    with Sandbox(accounts={OWN: "production", OTHER: "<i>staging</i>"}) as sandbox:
        yield Field(None, sandbox)
