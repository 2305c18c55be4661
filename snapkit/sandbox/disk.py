"""The truth about every block: which were written, and between which two moments.

This shares no arithmetic with `snapkit.blocks` and `simulation`, so that each can check the other.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from snapkit.errors import InvalidRequest
from snapkit.rules import BLOCK

if TYPE_CHECKING:
    from snapkit.sandbox.snapshot import Snapshot

Blocks: TypeAlias = NDArray[np.uint32]
"""Numbers of blocks, ascending and distinct. Shape: (blocks,)."""


class Writer(Protocol):
    """Something that writes to a disk as time passes.

    Attributes:
        extent: how many blocks of an empty disk hold data when it begins.
    """

    extent: int

    def between(self, a: float, b: float) -> Blocks:
        """Tell which blocks it writes after moment a, up to and including b [s since it began]; asked in order."""
        ...

    def bytes_between(self, a: float, b: float) -> float:
        """Tell how much it writes [bytes] after a, up to and including b; in any order."""
        ...


class Layer:
    """The blocks written to a disk between two moments; with all layers under it, an image of the disk.

    Attributes:
        parent: what the disk was before.
        blocks: what was written since.
        full: how many blocks hold data, over all layers.
        data: what was written, where a test or the EBS direct APIs gave it; the rest is made up when read.
        serial: names the layer, and so the content of its blocks.
        holders: the snapshots that are an image at this layer and still exist, in the order in which they were taken.
    """

    __slots__ = ("blocks", "data", "full", "holders", "parent", "serial")

    def __init__(
        self, parent: "Layer | None", blocks: Blocks, full: int, serial: int, data: dict[int, bytes] | None = None
    ) -> None:
        self.parent = parent
        self.blocks = blocks
        self.full = full
        self.serial = serial
        self.data = data or {}
        self.holders: dict[Snapshot, None] = {}

    def chain(self) -> "Iterator[Layer]":
        """Go through the layers, this one first."""
        layer: Layer | None = self
        while layer is not None:
            yield layer
            layer = layer.parent

    def alone(self) -> "Layer":
        """Return an image with the same content, of which no snapshot holds anything."""
        twin: Layer | None = None
        for layer in reversed(list(self.chain())):
            twin = Layer(twin, layer.blocks, layer.full, layer.serial, layer.data)
        assert twin is not None  # noqa: S101 - for the type checker: a chain has at least one layer
        return twin

    def contents(self) -> tuple[Blocks, NDArray[np.int64]]:
        """List the blocks that hold data, and the serial of the layer in which each was last written.

        Returns:
            Two arrays of equal length, blocks ascending.
        """
        layers = list(self.chain())
        extent = max((int(layer.blocks[-1]) + 1 for layer in layers if len(layer.blocks)), default=0)
        serials = np.full(extent, -1, np.int64)
        for layer in reversed(layers):
            serials[layer.blocks] = layer.serial
        blocks = np.flatnonzero(serials >= 0)
        return blocks.astype(np.uint32), serials[blocks]

    def read(self, block: int) -> bytes | None:
        """Return the 512 KiB of a block, or None where nothing was ever written."""
        for layer in self.chain():
            if block in layer.data:
                return layer.data[block]
            place = int(np.searchsorted(layer.blocks, block))
            if place < len(layer.blocks) and layer.blocks[place] == block:
                return np.random.default_rng([layer.serial, block]).bytes(BLOCK)
        return None

    def since(self, base: "Layer | None") -> Blocks:
        """List the blocks written after an earlier layer, or all that hold data."""
        if base is None:
            return self.contents()[0]
        parts = []
        for layer in self.chain():
            if layer is base:
                break
            parts.append(layer.blocks)
        return union(parts)


def union(parts: list[Blocks]) -> Blocks:
    """Merge lists of blocks."""
    if not parts:
        return np.empty(0, np.uint32)
    return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))


class Serials:
    """Numbers the layers of one sandbox."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> int:
        """Return the next number."""
        self._last += 1
        return self._last


class Disk:
    """What is on a volume.

    Attributes:
        size: how many blocks it has.
        head: the newest layer, or None while nothing was ever written.
        writer: what writes to it by itself.
    """

    def __init__(self, size: int, serials: Serials, base: Layer | None = None) -> None:
        self.size = size
        self.head = base
        self.writer: Writer | None = None
        self._serials = serials
        self._began = 0.0
        self._asked = 0.0
        self._parts: list[Blocks] = []
        self._data: dict[int, bytes] = {}
        self._by_hand: list[tuple[float, int]] = []
        self._holds_data: NDArray[np.bool_] | None = None

    @property
    def written(self) -> bool:
        """Whether anything writes to it, or has written by hand."""
        return self.writer is not None or bool(self._by_hand)

    def run(self, writer: Writer, now: float) -> None:
        """Let something write by itself from now on [s of the sandbox's clock]; an empty disk is filled first."""
        self._collect(now)
        if not self._parts and not (self.head and self.head.full) and writer.extent:
            self._parts.append(np.arange(min(self.size, writer.extent), dtype=np.uint32))
        self.writer = writer
        self._began = self._asked = now

    def write(self, first: int, count: int = 1, now: float = 0.0) -> None:
        """Write blocks in a row at a moment [s of the sandbox's clock], with content that does not matter.

        Raises:
            InvalidRequest: they do not lie on the disk.
        """
        self._check(first, count)
        self._overwrite(np.arange(first, first + count, dtype=np.uint32), now)

    def put(self, block: int, data: bytes, now: float = 0.0) -> None:
        """Write one block at a moment [s of the sandbox's clock], with this content of 512 KiB.

        Raises:
            InvalidRequest: it does not lie on the disk, or the content is no whole block.
        """
        self._check(block, 1)
        if not isinstance(data, bytes | bytearray | memoryview) or len(data) != BLOCK:
            shown = f"{len(data)} bytes" if isinstance(data, bytes) else data
            raise InvalidRequest("data", shown, "is no whole block", f"give {BLOCK} bytes")
        self._overwrite(np.array([block], np.uint32), now)
        self._data[block] = bytes(data)

    def seal(self, now: float) -> Layer:
        """Make an image of the disk at this moment [s of the sandbox's clock]."""
        self._collect(now)
        blocks = union(self._parts)
        if len(blocks) or self.head is None:
            held = self._bitmap()
            fresh = int(np.count_nonzero(~held[blocks])) if len(blocks) else 0
            if len(blocks):
                held[blocks] = True
            full = (self.head.full if self.head else 0) + fresh
            self.head = Layer(self.head, blocks, full, self._serials.next(), self._data)
        self._parts, self._data = [], {}
        return self.head

    def grow(self, size: int) -> None:
        """Give the disk more blocks."""
        self.size = size
        if self._holds_data is not None:
            self._holds_data = np.concatenate([self._holds_data, np.zeros(size - len(self._holds_data), np.bool_)])

    def bytes_between(self, a: float, b: float) -> float:
        """Tell how much was written [bytes] from one moment of the sandbox's clock until another.

        A write by hand counts to what follows it, so that one at the moment at which the volume was made is not lost.
        """
        written = float(sum(size for moment, size in self._by_hand if a <= moment < b))
        if self.writer is None or b <= self._began:
            return written
        return written + self.writer.bytes_between(max(0.0, a - self._began), b - self._began)

    def _overwrite(self, blocks: Blocks, now: float) -> None:
        self._collect(now)
        self._add(blocks)
        self._by_hand.append((self._asked, len(blocks) * BLOCK))

    def _collect(self, now: float) -> None:
        if self.writer and now > self._asked:
            blocks = self.writer.between(self._asked - self._began, now - self._began)
            self._add(blocks[blocks < self.size])
        self._asked = max(now, self._asked)

    def _add(self, blocks: Blocks) -> None:
        self._parts.append(blocks)
        if self._data:
            gone = set(blocks.tolist())
            self._data = {block: data for block, data in self._data.items() if block not in gone}

    def _bitmap(self) -> NDArray[np.bool_]:
        if self._holds_data is None:
            self._holds_data = np.zeros(self.size, np.bool_)
            if self.head:
                self._holds_data[self.head.contents()[0]] = True
        return self._holds_data

    def _check(self, first: int, count: int) -> None:
        remedy = "give a first block and a count within it, as whole numbers"
        for number in (first, count):
            if isinstance(number, bool) or not isinstance(number, int | np.integer):
                raise InvalidRequest("blocks", number, "is no number of blocks", remedy)
        if first < 0 or count < 1 or first + count > self.size:
            rule = f"do not lie on a disk of {self.size} blocks"
            raise InvalidRequest("blocks", f"{first} to {first + count - 1}", rule, remedy)
