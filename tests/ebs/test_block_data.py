"""Blocks read through the EBS direct APIs: the right ones, few requests, and nothing damaged taken for good."""

from collections.abc import Iterator
from hashlib import sha256

import pytest

from snapkit import Sandbox
from snapkit.ebs import Snapshot
from snapkit.ebs.block_data import digests
from snapkit.errors import AwsError
from snapkit.sandbox.gaps.block_access import checksum_of
from tests.ebs.ground import OWN, ZONE

BLOCK = 524288


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(accounts=[OWN]) as made:
        yield made


@pytest.fixture
def snapshot(sandbox: Sandbox) -> Snapshot:
    """A snapshot that holds the blocks 0 to 1499 and 8000 to 8009."""
    volume = sandbox.region().volumes.create(ZONE, "8 GiB")
    sandbox.write(volume.id, 0, 1500)
    sandbox.write(volume.id, 8000, 10)
    return volume.take_snapshot().wait()


def calls(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note the requests of the direct APIs."""
    made, answer = list[str](), sandbox._gateway.answer

    def answered(method: str, target: str, headers: dict[str, str], body: bytes) -> object:
        if "/snapshots/" in target:
            made.append("data" if "/blocks/" in target else "list")
        return answer(method, target, headers, body)

    monkeypatch.setattr(sandbox._gateway, "answer", answered)
    return made


def test_blocks_without_data_are_left_out_and_a_page_serves_many(
    sandbox: Sandbox, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = calls(sandbox, monkeypatch)
    found = digests(snapshot, [8009, 3, 1499, 5000, 8010, 999])
    assert sorted(found) == [3, 999, 1499, 8009]
    assert (made.count("list"), made.count("data")) == (2, 4)


def test_digests_are_those_of_the_content(sandbox: Sandbox, snapshot: Snapshot) -> None:
    client = sandbox.client("ebs")
    token = client.list_snapshot_blocks(SnapshotId=snapshot.id, StartingBlockIndex=7)["Blocks"][0]["BlockToken"]
    data = client.get_snapshot_block(SnapshotId=snapshot.id, BlockIndex=7, BlockToken=token)["BlockData"].read()
    assert digests(snapshot, [7]) == {7: sha256(data).hexdigest()}
    assert len(data) == BLOCK


@pytest.mark.parametrize(("times", "good"), [(4, True), (5, False)])
def test_a_block_that_arrives_damaged_is_read_again_and_never_taken(
    times: int, good: bool, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [times]

    def wrong(data: bytes) -> str:
        left[0] -= 1
        return checksum_of(data) if left[0] < 0 else "AAAA"

    monkeypatch.setattr("snapkit.sandbox.gaps.direct.checksum_of", wrong)
    if good:
        assert list(digests(snapshot, [7])) == [7]
        return
    with pytest.raises(AwsError, match=f"block 7 of {snapshot.id}.*do not have the checksum.*restore from another one"):
        digests(snapshot, [7])
