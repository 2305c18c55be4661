"""Attach a volume to a server, and take it off again."""

from collections.abc import Callable, Iterable
from functools import partial

from snapkit.ebs import Server, Volume
from snapkit.ebs.attaching import (
    ATTACHABLE,
    check_attached,
    check_server,
    check_unattached,
    choose_device,
    free_devices,
)
from snapkit.errors import InvalidRequest
from snapkit.forms.fields import Choice, Text
from snapkit.forms.form import Form
from snapkit.forms.options import named, of_kind


class AttachForm(Form):
    """Attaches a volume to a server in its zone; the result is the `Volume`.

    Attributes:
        server: the id of the server; only those are offered that the volume can be attached to.
        device: the device name; left empty, the first free one.
    """

    def __init__(self, volume: Volume) -> None:
        """Make the form.

        Args:
            volume: one that is attached to no server.

        Raises:
            InvalidRequest: it is no volume.
            AwsError: AWS refuses to list the servers.
        """
        self._volume = of_kind(volume, Volume)
        self._servers = {each.id: each for each in volume.region.servers.find() if _fits(volume, each)}
        known = [(f"{named(each)}, {each.state}", each.id) for each in self._servers.values()]
        self.server = Choice(
            "Server",
            known,
            none="choose one" if known else f"none in {volume.zone}",
            hint=f"Required. Offered are servers in {volume.zone}, where the volume is, that are "
            f"{' or '.join(ATTACHABLE)}.",
        )
        self.device = Text("Device", hint="Optional. Left empty, it is the first free one.")
        super().__init__(volume.region, f"{named(volume)}: Attach", "Attach volume")

    def adapt(self) -> None:
        """Propose the device names that are free on the server."""
        free = free_devices(self._servers[self.server.value]) if self.server.value else ()
        self.device.propose(free, placeholder=free[0] if free else "")

    def checks(self) -> Iterable[Callable[[], object]]:
        """List the checks of `Volume.attach`."""
        yield partial(self.region.allow, "Volume", "Attach", self._volume)
        yield partial(check_unattached, self._volume)
        yield self._device

    def consequences(self) -> Iterable[str]:
        """Say what will be there, and what will not."""
        if self.server.value:
            server = named(self._servers[self.server.value])
            yield f"Attaches {self._volume.id} to {server} as {self._device()}."
            yield "It is neither formatted nor mounted: do that on the server. Costs nothing more."

    def deed(self) -> Callable[[], Volume]:
        """Bind `Volume.attach`."""
        return partial(self._volume.attach, self.server.value, self.device.value or None)

    def _device(self) -> str:
        server = self._servers.get(self.server.value)
        if server is None:
            remedy = "choose one" if self._servers else f"start one in {self._volume.zone} first"
            raise InvalidRequest("server", self.server.value, "is missing", remedy)
        return choose_device(server, self.device.value or None)


class DetachForm(Form):
    """Takes a volume off its server; the result is the `Volume`."""

    def __init__(self, volume: Volume) -> None:
        """Make the form for a volume that is attached.

        Raises:
            InvalidRequest: it is no volume.
        """
        self._volume = of_kind(volume, Volume)
        super().__init__(volume.region, f"{named(volume)}: Detach", "Detach volume")

    def checks(self) -> Iterable[Callable[[], object]]:
        """List the checks of `Volume.detach`."""
        yield partial(self.region.allow, "Volume", "Detach", self._volume)
        yield partial(check_attached, self._volume)

    def consequences(self) -> Iterable[str]:
        """Say from where it is taken, and what to do before."""
        if self._volume.server_id:
            yield f"Takes {self._volume.id} off {self._volume.server_id}, where it is {self._volume.device}."
            yield "Unmount its file systems there first: until that is done, the server may hold it back."
            yield "Costs nothing; the volume itself goes on to cost what it does."

    def deed(self) -> Callable[[], Volume]:
        """Bind `Volume.detach`."""
        return self._volume.detach


def _fits(volume: Volume, server: Server) -> bool:
    try:
        check_server(volume, server)
    except InvalidRequest:
        return False
    return True
