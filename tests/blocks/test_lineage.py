"""A chain of snapshots: documented examples, and sets of (block, version) as the oracle."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snapkit.blocks import Lineage
from snapkit.errors import InvalidRequest
from tests.data import known


class Disk:
    """Blocks with versions, kept as sets: slow and obvious."""

    def __init__(self, writes: list[set[str]]) -> None:
        self.writes = writes

    def changed(self, a: float, b: float) -> int:
        return len(set().union(*self.writes[int(a) + 1 : int(b) + 1]))

    def full(self, t: float) -> int:
        return len(self.seen_by(t))

    def seen_by(self, t: float) -> set[tuple[str, int]]:
        """Every allocated block at t with the moment at which it was last written."""
        return set({block: when for when, blocks in enumerate(self.writes[: int(t) + 1]) for block in blocks}.items())

    def stored(self, times: list[float]) -> int:
        return len(set().union(*(self.seen_by(t) for t in times)))


def chain(disk: Disk, upto: int) -> Lineage:
    lineage = Lineage(disk.changed, disk.full)
    for t in range(upto):
        lineage.add(t)
    return lineage


def gib(first: int, *changes: tuple[int, int]) -> Disk:
    """A disk in GiB: data, then (changed, added) between snapshots; changes take the blocks of the first data."""
    writes, end = [{f"{n}" for n in range(first)}], first
    for changed, added in changes:
        writes.append({f"{n}" for n in range(changed)} | {f"{n}" for n in range(end, end + added)})
        end += added
    return Disk(writes)


def test_three_snapshots_of_the_user_guide_store_16_gib() -> None:
    lineage = chain(gib(10, (4, 0), (0, 2)), 3)
    assert [lineage.increment(t) for t in lineage] == known("known-answers.json")["chain_identity"]["aws_docs"][0][
        "copied_GiB"
    ]
    assert lineage.stored == 16


def test_deleting_the_first_of_two_keeps_what_the_second_needs() -> None:
    lineage = chain(gib(10, (4, 0)), 2)
    assert lineage.stored == 14
    assert lineage.unique(0) == lineage.delete(0) == 4
    assert lineage.stored == lineage.increment(1) == 10


def test_data_that_is_added_counts_as_changed() -> None:
    lineage = chain(gib(50, (20, 10)), 2)
    assert [lineage.increment(t) for t in lineage] == [50, 30]
    assert lineage.stored == 80


def test_deleting_the_middle_one_frees_nothing_that_was_written_once() -> None:
    lineage = chain(gib(10, (6, 0), (0, 2)), 3)
    assert lineage.stored == 18
    assert lineage.delete(1) == 0
    assert (lineage.stored, lineage.increment(2)) == (18, 8)


def test_deleting_the_middle_one_frees_what_was_written_on_both_sides() -> None:
    lineage = chain(Disk([{"a", "b", "c"}, {"a", "b"}, {"b", "c"}]), 3)
    assert lineage.unique(1) == 1
    assert lineage.delete(1) == 1
    assert (lineage.stored, lineage.increment(2)) == (6, 3)


def test_the_snapshot_proxy_example_frees_4825_blocks() -> None:
    example: dict[str, Any] = known("known-answers.json")["chain_identity"]["fsp_chain"]
    blocks, changed = example["blocks"], example["changed"]
    lineage = Lineage(lambda a, b: sum(changed[int(a) : int(b)]), lambda t: blocks[int(t)])
    for t in range(5):
        lineage.add(t)
    assert lineage.stored == example["stored_before"]
    freed = sum(lineage.delete(t) for t in range(3))
    assert freed == example["freed_blocks"]
    assert freed * example["block"] == example["freed_bytes"]
    assert lineage.stored == example["stored_after_deleting_oldest_3"]


def test_the_elastic_volume_service_example_grows_by_three_blocks_each() -> None:
    example = known("known-answers.json")["chain_identity"]["huawei_evs"]
    disk = Disk([{"A", "B", "C"}, {"A", "B", "D"}, {"A", "C", "E"}])
    sizes = [chain(disk, count).stored * example["block_MiB"] for count in (1, 2, 3)]
    assert sizes == example["chain_MiB"]


blocks = st.sets(st.sampled_from("abcdef"))
steps = st.lists(st.tuples(st.booleans(), st.integers(0, 100)), max_size=40)


@given(st.lists(blocks, min_size=81, max_size=81), steps)
def test_any_order_of_taking_and_deleting_agrees_with_sets(writes: list[set[str]], order: list[Any]) -> None:
    disk, kept, now = Disk(writes), list[float](), 0
    lineage = Lineage(disk.changed, disk.full)
    for take, pick in order:
        if take:
            now += 1 + pick % 2
            lineage.add(now)
            kept.append(now)
        elif kept:
            gone = kept.pop(pick % len(kept))
            needed = disk.stored(kept)
            assert lineage.unique(gone) == disk.stored([*kept, gone]) - needed
            assert lineage.delete(gone) == disk.stored([*kept, gone]) - needed
        assert lineage.stored == disk.stored(kept)
        assert lineage.times == kept
        assert [lineage.increment(t) for t in kept[1:]] == [disk.changed(a, b) for a, b in pairwise(kept)]
    assert isinstance(lineage.stored, int)


def test_a_number_serves_as_the_full_size_and_all_can_go() -> None:
    lineage = Lineage(lambda a, b: 2, 10)
    for t in (0.0, 1.0, 2.5):
        assert lineage.add(t) == (10 if t == 0 else 2)
    assert (len(lineage), 1.0 in lineage, 3.0 in lineage) == (3, True, False)
    assert lineage.delete(0.0) == 2
    assert lineage.delete(2.5) == 2
    assert lineage.delete(1.0) == 10
    assert (lineage.stored, lineage.times) == (0, [])
    assert lineage.add(0.0) == 10


@pytest.mark.parametrize(("joined", "kept", "freed"), [(100.0, 7.0, 0.0), (1.0, 4.0, 3.0), (5.0, 5.0, 2.0)])
@pytest.mark.parametrize("before", [3.0, 4.0])
def test_a_modelled_union_stays_within_what_sets_allow(before: float, joined: float, kept: float, freed: float) -> None:
    gaps = {(0, 1): before, (1, 2): 7.0 - before, (0, 2): joined}
    lineage = Lineage(lambda a, b: gaps[int(a), int(b)], 10)
    for t in range(3):
        lineage.add(t)
    assert lineage.unique(1) == freed
    assert lineage.delete(1) == freed
    assert lineage.increment(2) == kept


def test_refusals_name_the_moment() -> None:
    lineage = Lineage(lambda a, b: 1, 10)
    lineage.add(5.0)
    for t in (5.0, 4.0, float("nan")):
        with pytest.raises(InvalidRequest, match=r"is not later than the newest, at 5\.0"):
            lineage.add(t)
    for ask in (lineage.delete, lineage.unique, lineage.increment):
        with pytest.raises(InvalidRequest, match=r"snapshot at 7\.0 is not in the chain"):
            ask(7.0)
    assert lineage.stored == 10
