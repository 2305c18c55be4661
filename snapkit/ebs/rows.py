"""What listings are read from: what AWS said of each resource, until somebody asks for the object."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, overload

from snapkit.tags import TagKeys

if TYPE_CHECKING:
    from snapkit.ebs._resource import Resource
    from snapkit.ebs.region import Region

Found = TypeVar("Found", bound="Resource")
Cell = TypeVar("Cell")

Raw = Mapping[str, Any]
Shares = tuple[str, ...] | None
"""With whom a snapshot is shared; None where that is not known."""


class Rows(Sequence[Found]):
    """Resources as AWS described them; each becomes an object when it is asked for, and stays that object.

    A region may have a hundred thousand snapshots, of which people look at ten; objects of all would take longer to
    make than the rest of the listing. A slice is a view: its objects are those of the whole.
    """

    def __init__(
        self,
        make: Callable[..., Found],
        regions: "Sequence[Region]",
        raws: Sequence[Raw],
        shares: Sequence[Shares],
    ) -> None:
        """Keep what AWS said.

        Args:
            make: makes the object of its region, of what AWS said, and of the shares where they are known: its class.
            regions: where each is.
            raws: what AWS said of each, in order.
            shares: with whom each is shared.
        """
        self._make, self._regions, self._raws, self._shares = make, regions, raws, shares
        self._places = range(len(raws))
        self._made: dict[int, Found] = {}

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Found: ...

    @overload
    def __getitem__(self, index: slice) -> "Rows[Found]": ...

    def __getitem__(self, index: int | slice) -> "Found | Rows[Found]":
        if isinstance(index, slice):
            view = Rows(self._make, self._regions, self._raws, self._shares)
            view._places, view._made = self._places[index], self._made
            return view
        place = self._places[index]
        if place not in self._made:
            shares = self._shares[place]
            known = () if shares is None else (shares,)
            self._made[place] = self._make(self._regions[place], self._raws[place], *known)
        return self._made[place]

    def __iter__(self) -> Iterator[Found]:
        return map(self.__getitem__, range(len(self)))

    @cached_property
    def raws(self) -> list[Raw]:
        """What AWS said of each, last; read once, so take a slice anew each time."""
        found = self._here(self._raws)
        for row, made in self._objects():
            found[row] = made.raw
        return found

    @property
    def regions(self) -> "list[Region]":
        """Where each is."""
        return self._here(self._regions)

    @property
    def shares(self) -> list[Shares]:
        """With whom each is shared, as known last."""
        found = self._here(self._shares)
        for row, made in self._objects():
            found[row] = getattr(made, "known_shares", None)
        return found

    def _objects(self) -> list[tuple[int, Found]]:
        """The objects that there are already, each with its row."""
        if not self._made:
            return []
        return [(row, self._made[place]) for row, place in enumerate(self._places) if place in self._made]

    def _here(self, cells: Sequence[Cell]) -> list[Cell]:
        places = self._places
        if places.step == 1:
            return list(cells[places.start : places.stop])
        return [cells[place] for place in places]

    def raw(self, key: str) -> list[Any]:
        """Read what AWS always says."""
        return [raw[key] for raw in self.raws]

    def tag(self, option: str) -> list[str]:
        """Read name, group, billing code or owner from the tags; nothing where there is no such tag."""
        if len(self._tag_keys) == 1:
            (keys,) = self._tag_keys
            return self._tags[getattr(keys, option)]
        return [self._tags[getattr(region.tag_keys, option)][row] for row, region in enumerate(self.regions)]

    @cached_property
    def _tag_keys(self) -> set[TagKeys]:
        return {region.tag_keys for region in set(self.regions)}

    @cached_property
    def _tags(self) -> dict[str, list[str]]:
        """All of those tags by their keys, in one pass: tags are most of what AWS says."""
        options = ("name", "group", "billing_code", "owner")
        found = {getattr(keys, option): [""] * len(self) for keys in self._tag_keys for option in options}
        for row, raw in enumerate(self.raws):
            for pair in raw.get("Tags", ()):
                column = found.get(pair["Key"])
                if column is not None:
                    column[row] = pair["Value"]
        return found
