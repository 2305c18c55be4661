"""See what is in the recycle bin, and restore snapshots from it."""

from collections.abc import Callable, Iterator
from functools import partial

from snapkit.ebs import Region, Snapshot
from snapkit.ebs.keeping import Binned, from_bin, in_bin
from snapkit.errors import InvalidRequest
from snapkit.forms.fields import Choices
from snapkit.forms.form import Form
from snapkit.forms.options import named


class BinForm(Form):
    """Restores deleted snapshots from the recycle bin; the result is a tuple of the `Snapshot` that are back.

    Where one of several fails, those before it are back; submitted again, it goes on with the others.

    Attributes:
        snapshots: ids of those to restore; those that leave the bin first stand at the top.
    """

    def __init__(self, of: Region | Snapshot) -> None:
        """Make the form.

        Args:
            of: the region, or the one snapshot that was deleted.

        Raises:
            AwsError: AWS refuses to list the recycle bin.
        """
        self._deleted = of if isinstance(of, Snapshot) else None
        region = of.region if isinstance(of, Snapshot) else of
        found = [each for each in in_bin(region) if self._deleted is None or each.id == self._deleted.id]
        self._binned = {each.id: each for each in found}
        self._back: dict[str, Snapshot] = {}
        self.snapshots = Choices(
            "Deleted snapshots",
            [(_shown(each), each.id) for each in found],
            self._binned if self._deleted else (),
            hint="Those that leave the bin first stand at the top." if found else "There is none in the recycle bin.",
        )
        title = f"{named(self._deleted)}: Restore" if self._deleted else f"Recycle bin of {region.name}: Restore"
        super().__init__(region, title, "Restore")

    def checks(self) -> Iterator[Callable[[], object]]:
        """List the checks of restoring; to which group a snapshot in the bin belongs, AWS does not tell."""
        if self._deleted is not None:
            yield partial(self.region.allow, "Snapshot", "Delete", self._deleted)
        yield self._check_any

    def consequences(self) -> Iterator[str]:
        """Say what comes back, and what has come back already."""
        if self._back:
            yield f"Restored already: {', '.join(self._back)}."
        wanted = [each for each in self.snapshots.value if each not in self._back]
        if wanted:
            yield f"Restores {', '.join(wanted)}, with what each had: its tags, and with whom it is shared."
            yield "From then on each costs what it did before it was deleted."

    def deed(self) -> Callable[[], tuple[Snapshot, ...]]:
        """Bind the operation, for each that is chosen."""
        wanted = self.snapshots.value

        def restore() -> tuple[Snapshot, ...]:
            for each in wanted:
                if each not in self._back:
                    self._back[each] = self._restored(each)
            return tuple(self._back[each] for each in wanted)

        return restore

    def told(self, result: tuple[Snapshot, ...]) -> str:
        """Say which snapshots are back."""
        return "; ".join(repr(each).strip("<>") for each in result)

    def _restored(self, snapshot_id: str) -> Snapshot:
        if self._deleted is not None:
            return self._deleted.restore_from_recycle_bin()
        return from_bin(self.region, snapshot_id)

    def _check_any(self) -> None:
        if not self.snapshots.value:
            remedy = "tick what to restore" if self._binned else "the recycle bin has nothing to restore"
            raise InvalidRequest("snapshots", (), "are not chosen", remedy)


def _shown(binned: Binned) -> str:
    about = f", {binned.description}" if binned.description else ""
    return f"{binned.id} of {binned.volume_id}{about}: gone at {binned.leaves_at:%Y-%m-%d %H:%M} UTC"
