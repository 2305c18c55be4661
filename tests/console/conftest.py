"""What the tests of the pages stand on: an estate in process, with a snapshot that has markup for a name."""

from collections.abc import Iterator

import pytest

from snapkit import Sandbox
from snapkit.ebs import Estate
from tests.ebs.ground import HOSTILE, OTHER, OWN, Field


@pytest.fixture
def ground() -> Iterator[Field]:
    with Sandbox(accounts={OWN: "production", OTHER: "<i>staging</i>"}) as sandbox:
        yield Field(None, sandbox)


@pytest.fixture
def estate(ground: Field) -> Estate:
    """Two accounts, with thirty complete snapshots of one volume, one hour apart, and one of another volume."""
    volume = ground.new_volume(name="db data", group="db", billing_code="CC-42")
    other = ground.new_volume(16, name=HOSTILE, group="web")
    for _ in range(30):
        volume.take_snapshot()
        ground.sandbox.clock.advance("1h")
    other.take_snapshot(description="before the <b>update</b>")
    ground.sandbox.clock.advance("1h")
    return Estate([ground.region(), ground.region(account=1)])
