"""Make a snapshot of a volume, or of all volumes of a server at one moment."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any

from snapkit.ebs import Server, Volume
from snapkit.ebs.volumes import check_description
from snapkit.ebs.waiting import Progress
from snapkit.forms.fields import Text
from snapkit.forms.form import Form
from snapkit.forms.options import StandardOptions, named, of_kind
from snapkit.units import bytes_text, usd_text


class MakeSnapshotForm(Form):
    """Makes a snapshot; the result is a `Snapshot`, or a `Listing` of them for a server.

    Attributes:
        name: of the snapshot.
        group: that it belongs to.
        billing_code: that pays for it.
        description: of it.
    """

    def __init__(self, of: Volume | Server) -> None:
        """Make the form.

        Args:
            of: the volume, or the server whose volumes are all taken at one moment.

        Raises:
            InvalidRequest: it is no volume or server.
            AwsError: AWS refuses to list the volumes of the server, what is in progress, or the tags in use.
        """
        self._of = of_kind(of, Volume, Server)
        self._volumes = list(of.volumes()) if isinstance(of, Server) else [of]
        ids = {each.id for each in self._volumes}
        self._pending = [each.id for each in of.region.pending() if each.volume_id in ids]
        self._options = StandardOptions(of, of.name)
        self.name, self.group = self._options.name, self._options.group
        self.billing_code = self._options.billing_code
        self.description = Text("Description", lines=2, hint="Optional.")
        super().__init__(of.region, f"{named(of)}: Make Snapshot", "Make snapshot")

    def checks(self) -> Iterable[Callable[[], object]]:
        """List the checks of `Volume.take_snapshot`, or `Server.take_snapshots`."""
        right = ("Server", "Image") if isinstance(self._of, Server) else ("Volume", "Snapshot")
        yield partial(self.region.allow, *right, self._of)
        yield from self._options.checks()
        yield lambda: self.region.allow(*right, self._options.belonging)
        yield lambda: check_description(self.description.value)

    def consequences(self) -> Iterable[str]:
        """Say of what it is, and between what bounds it costs."""
        sizes = [each.size for each in self._volumes]
        what = f"{self._volumes[0].id}, {bytes_text(sizes[0])}" if len(sizes) == 1 else _several(self._volumes)
        yield f"Captures {what}, as it is at that moment; it then takes a while until that is stored."
        most = usd_text(sum(map(self.region.prices.monthly, sizes)))
        yield f"Costs from nothing to {most} a month: only blocks that changed since the last snapshot are stored."
        yield from self._options.consequences()
        if self._pending:
            yield f"In progress already: {', '.join(self._pending)}."
        yield "File systems are captured as after a power failure; freeze them, or stop writing, if that will not do."

    def deed(self) -> Callable[[], Any]:
        """Bind the operation."""
        given: dict[str, Any] = {**self._options.chosen, "description": self.description.value}
        take = self._of.take_snapshots if isinstance(self._of, Server) else self._of.take_snapshot
        return partial(take, **given)

    def watch(self, result: Any) -> Iterator[Progress]:
        """Follow the snapshot; those of a server are complete together."""
        return chain.from_iterable(each.follow() for each in self._taken(result))

    def told(self, result: Any) -> str:
        """Say which snapshots there are now."""
        return "; ".join(repr(each).strip("<>") for each in self._taken(result))

    def _taken(self, result: Any) -> list[Any]:
        return list(result) if isinstance(self._of, Server) else [result]


def _several(volumes: list[Volume]) -> str:
    ids = ", ".join(each.id for each in volumes)
    return f"{len(volumes)} volumes ({ids}), {bytes_text(sum(each.size for each in volumes))}, at one moment"
