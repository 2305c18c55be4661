"""Create a volume from a snapshot."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from snapkit.ebs import Snapshot, Volume
from snapkit.ebs.restoring import initialized, restore_options
from snapkit.ebs.volume_kinds import kind_checks, to_gib
from snapkit.ebs.volumes import check_not_below, check_source, check_zone
from snapkit.errors import InvalidRequest
from snapkit.forms.fields import Choice, Number, Quantity, Switch, Text
from snapkit.forms.form import Form
from snapkit.forms.options import StandardOptions, named, of_kind
from snapkit.prices import MONTH
from snapkit.rules import INITIALIZATION_RATES, IOPS_LIMITS, THROUGHPUT_LIMITS, VOLUME_SIZES
from snapkit.units import GIB, bytes_text, seconds_text, usd_text


class CreateVolumeForm(Form):
    """Creates a volume from a snapshot; the result is the `Volume`.

    Attributes:
        name: of the volume.
        size: of it, such as ``"200 GiB"``: at first that of the original, and never below.
        zone: the availability zone that it is in.
        group: that it belongs to.
        billing_code: that pays for it.
        volume_type: such as ``"gp3"``.
        iops: that it has, or None.
        throughput: that it has [MiB/s], or None.
        encrypted: whether it is encrypted; always, where the snapshot is.
        kms_key: under which key, if not that of the snapshot or the default one.
        initialization_rate: at which its data are loaded [MiB/s]; None: as they are read.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        """Make the form.

        Args:
            snapshot: a complete one.

        Raises:
            InvalidRequest: it is no snapshot.
            AwsError: AWS refuses to list the zones, or the tags in use.
        """
        region = of_kind(snapshot, Snapshot).region
        self._snapshot = snapshot
        self._options = StandardOptions(snapshot)
        least = bytes_text(snapshot.size)
        self.name = self._options.name
        self.size = Quantity("Size", "GiB", str(snapshot.size // GIB), hint=f"That of the original, {least}, or more.")
        self.zone = Choice(
            "Zone",
            [(zone, zone) for zone in region.zones],
            none="choose one",
            hint="Required. A volume can only be attached to servers in its zone.",
        )
        self.group, self.billing_code = self._options.group, self._options.billing_code
        self.volume_type = Choice("Volume type", [(kind, kind) for kind in VOLUME_SIZES], "gp3", more=True)
        self.iops = Number("IOPS", more=True)
        self.throughput = Number("Throughput", "MiB/s", more=True)
        self.encrypted = Switch(
            "Encryption",
            "Encrypted",
            value=snapshot.encrypted,
            more=True,
            hint="As the snapshot is." if snapshot.encrypted else "The snapshot is not encrypted; the volume can be.",
        )
        self.encrypted.fixed = snapshot.encrypted
        self.kms_key = Text(
            "KMS key", more=True, hint="Optional: ID, alias or ARN. Left empty, it is that of the snapshot or account."
        )
        rates = "from {} to {}".format(*INITIALIZATION_RATES)
        hint = f"Optional, {rates}: loads all data at once, at a price. Left empty, blocks load when first read."
        self.initialization_rate = Number("Initialization rate", "MiB/s", more=True, hint=hint)
        super().__init__(region, f"{named(snapshot)}: Create Volume", "Create volume")

    def adapt(self) -> None:
        """Tell which IOPS and throughput volumes of the type have."""
        kind = self.volume_type.value
        if kind in IOPS_LIMITS:
            least, most = IOPS_LIMITS[kind]
            word = f"Optional; {least:,} are included" if kind == "gp3" else f"Required; from {least:,}"
            self.iops.hint = f"{word}; up to {most:,}, as far as the size allows."
        else:
            self.iops.hint = f"Not for {kind} volumes."
        least, most = THROUGHPUT_LIMITS
        included = f"Optional; {least} MiB/s are included, up to {most:,}, as far as the IOPS allow."
        self.throughput.hint = included if kind == "gp3" else f"Not for {kind} volumes."

    def checks(self) -> Iterable[Callable[[], object]]:
        """List the checks of `Volumes.create`."""
        snapshot, region = self._snapshot, self.region
        yield partial(region.allow, "Snapshot", "CreateVolume", snapshot)
        yield from self._options.checks()
        yield lambda: region.allow("Snapshot", "CreateVolume", self._options.belonging)
        yield lambda: check_not_below(snapshot, to_gib(self.size.value))
        yield lambda: check_zone(region, self.zone.value)
        yield partial(check_source, snapshot)
        yield from kind_checks(self.volume_type.value, self._gib, self._given, empty=False)

    def consequences(self) -> Iterable[str]:
        """Say what the volume costs, and when it is at full speed."""
        kind, size = self.volume_type.value, self._gib * GIB
        iops, throughput = (self._given.get(name) or 0 for name in ("iops", "throughput"))
        monthly = usd_text(self.region.prices.volume(kind, size, MONTH, iops=iops, throughput=throughput))
        where = f" in {self.zone.value}" if self.zone.value else ""
        yield f"Creates a {kind} volume of {bytes_text(size)}{where}, for {monthly} a month."
        yield from self._options.consequences()
        rate = self.initialization_rate.value
        if isinstance(rate, int):
            way = initialized(self._snapshot, rate)
            once, after = usd_text(way.price_usd), seconds_text(way.seconds_high)
            yield f"It can be used at once, and has full speed after {after}, for {once} once ({way.basis})."
        else:
            way = restore_options(self._snapshot, volume_type=kind)[0]
            yield (
                "It can be used at once, but a block is slow the first time that it is read; "
                f"to read all takes {seconds_text(way.seconds_low)} or more ({way.basis})."
            )

    def deed(self) -> Callable[[], Volume]:
        """Bind `Snapshot.create_volume`."""
        given: dict[str, Any] = {**self._options.chosen, **self._given}
        return partial(
            self._snapshot.create_volume, self.zone.value, self.size.value, volume_type=self.volume_type.value, **given
        )

    @property
    def _gib(self) -> int:
        """The size [GiB]; that of the original while none can be read."""
        try:
            return to_gib(self.size.value)
        except InvalidRequest:
            return self._snapshot.size // GIB

    @property
    def _given(self) -> dict[str, Any]:
        """The options that are given."""
        options = {
            "iops": self.iops.value,
            "throughput": self.throughput.value,
            "initialization_rate": self.initialization_rate.value,
            "encrypted": self.encrypted.value or None,
            "kms_key_id": self.kms_key.value or None,
        }
        return {name: value for name, value in options.items() if value is not None}
