"""Whether two snapshots have the same blocks: their lists in whole, and the data of a sample."""

from collections.abc import Iterable
from hashlib import sha256

import numpy as np

from snapkit.ebs import Snapshot
from snapkit.ebs.block_data import digests
from snapkit.ebs.block_lists import Blocks, reason_of
from snapkit.errors import AwsError


class BlockComparison:
    """Compares the blocks of a snapshot with those of what was restored from it.

    Attributes:
        original: the snapshot.
        sample: of how many blocks the data are compared at most.
        seed: from which the sample is drawn.
        blocks: how many blocks of the original hold data; None before it is read.
        compared: of how many of them the data were compared; None before that.
        different: the blocks that are not the same in both, ascending.
        changes_listed: whether AWS listed which blocks were written since.
        price_usd: of the requests so far [USD].
    """

    def __init__(self, original: Snapshot, sample: int) -> None:
        """Ask nothing yet."""
        self.original = original
        self.sample = sample
        self.seed = 0
        self.blocks: int | None = None
        self.compared: int | None = None
        self.different: tuple[int, ...] = ()
        self.changes_listed = False
        self.price_usd = 0.0
        self._listed: Blocks = np.empty(0, np.uint32)
        self._digests: dict[int, str] = {}

    @property
    def sampled(self) -> int:
        """How many blocks were drawn."""
        return len(self._digests)

    @property
    def most_requests(self) -> tuple[int, int]:
        """The most requests that reading the original and comparing take: for lists and tokens, and for data.

        Read is a list and the sample of the original; compared are two more lists, that of the restored blocks and that
        of what was written, the sample, and as many blocks that were written.
        """
        lists = self.original.blocks_preview().requests
        return 3 * lists + 4 * self.sample, 4 * self.sample

    def read(self, drawn_for: str) -> None:
        """List the blocks of the original, and read the sample.

        Args:
            drawn_for: what the sample depends on besides the list: the same gives the same.

        Raises:
            AwsError: AWS refuses, for instance because the snapshot is public.
        """
        self.seed = int(sha256(drawn_for.encode()).hexdigest()[:8], 16)
        listed = self.original.blocks()
        self.price_usd += listed.price_usd
        self._listed = listed.blocks
        self._digests = self._read(self.original, self._drawn(listed.blocks))
        self.blocks = len(listed.blocks)

    def compare(self, restored: Snapshot) -> None:
        """Compare a complete snapshot of what was restored: first the blocks written since, then the sample.

        Raises:
            AwsError: AWS refuses.
        """
        listed = restored.blocks()
        self.price_usd += listed.price_usd
        both = np.intersect1d(self._listed, listed.blocks)
        written = np.setdiff1d(np.intersect1d(self._written(restored), both), list(self._digests))
        before = self._digests | self._read(self.original, self._drawn(written))
        asked = np.intersect1d(list(before), both).astype(int).tolist()
        after = self._read(restored, asked)
        # One that was listed and has no data now is another one too.
        other = [block for block in asked if after.get(block) != before[block]]
        alone = np.setxor1d(self._listed, listed.blocks)
        self.different = tuple(np.union1d(alone, other).astype(int).tolist())
        self.compared = len(before)

    def _written(self, restored: Snapshot) -> Blocks:
        """List the blocks that AWS knows to be written since; between two lineages it knows none.

        Source: EBS user guide, "How snapshots work": one of another account or key begins a lineage of its own.
        """
        try:
            changes = restored.changed_blocks(self.original)
        except AwsError as error:
            if reason_of(error) != "UNRELATED_SNAPSHOTS":
                raise
            return np.empty(0, np.uint32)
        self.changes_listed = True
        self.price_usd += changes.price_usd
        return changes.blocks

    def _drawn(self, blocks: Blocks) -> Blocks:
        if len(blocks) <= self.sample:
            return blocks
        return np.random.default_rng(self.seed).choice(blocks, self.sample, replace=False)

    def _read(self, snapshot: Snapshot, blocks: Iterable[int]) -> dict[int, str]:
        asked = [int(block) for block in blocks]
        found = digests(snapshot, asked)
        # A token may have taken a request of its own.
        self.price_usd += snapshot.region.prices.requests(lists=len(asked), gets=len(found))
        return found
