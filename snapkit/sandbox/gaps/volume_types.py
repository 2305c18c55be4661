"""What a volume of each type can be.

Source: EBS user guide, "Amazon EBS volume types"; EC2 API reference, CreateVolume.
"""

from dataclasses import dataclass, replace

from snapkit.rules import (
    GP2_IOPS,
    IOPS_LIMITS,
    IOPS_PER_GIB,
    THROUGHPUT_LIMITS,
    THROUGHPUT_PER_IOPS,
    VOLUME_SIZES,
)
from snapkit.sandbox.call import Call
from snapkit.sandbox.refusal import Refusal, combination, missing

MULTI_ATTACH = ("io1", "io2")
"""Types whose volumes several instances may have at once.

Source: EC2 API reference, CreateVolume, MultiAttachEnabled.
"""


@dataclass(frozen=True, kw_only=True)
class Kind:
    """What a volume is, or is to be.

    Attributes:
        size: [GiB].
        volume_type: such as ``"gp3"``.
        iops: those provisioned.
        throughput: that provisioned [MiB/s].
        multi_attach: whether several instances may have it.
    """

    size: int
    volume_type: str
    iops: int | None
    throughput: int | None
    multi_attach: bool

    @property
    def shown_iops(self) -> int | None:
        """The IOPS that it shows: for gp2 those of its size, else the provisioned ones, if any."""
        least, most, per_gib = GP2_IOPS
        return max(least, min(most, per_gib * self.size)) if self.volume_type == "gp2" else self.iops

    def checked(self) -> "Kind":
        """Return it with the defaults of its type, if there can be such a volume.

        Raises:
            Refusal: there cannot.

        Source: messages as rocicorp/mono pull 4410 and runs-on issue 260 report them, the others after their pattern.
        """
        if self.volume_type not in VOLUME_SIZES:
            raise Refusal("UnknownVolumeType", f"Unsupported volume type '{self.volume_type}' for volume creation.")
        least, most = VOLUME_SIZES[self.volume_type]
        if self.size < least:
            raise _value(f"Volume of {self.size}GiB is too small; minimum is {least}GiB.")
        if self.size > most:
            raise _value(f"Volume of {self.size}GiB is too large; maximum is {most}GiB.")
        if self.multi_attach and self.volume_type not in MULTI_ATTACH:
            raise combination(f"Multi-Attach is not supported for {self.volume_type} volumes.")
        return replace(self, iops=self._iops(), throughput=self._throughput(self._iops() or 0))

    def _iops(self) -> int | None:
        if self.volume_type not in IOPS_LIMITS:
            if self.iops is not None:
                raise combination(f"The parameter iops is not supported for {self.volume_type} volumes.")
            return None
        if self.iops is None and self.volume_type != "gp3":
            raise missing("iops")
        least, most = IOPS_LIMITS[self.volume_type]
        iops = least if self.iops is None else self.iops
        _bounded("iops", iops, least, most)
        per_gib = IOPS_PER_GIB[self.volume_type]
        if iops > per_gib * self.size and not (self.volume_type == "gp3" and iops == least):
            raise _value(f"Iops to volume size ratio of {iops / self.size:.6f} is too high; maximum is {per_gib}")
        return iops

    def _throughput(self, iops: int) -> int | None:
        if self.volume_type != "gp3":
            if self.throughput is not None:
                raise combination(f"The parameter throughput is not supported for {self.volume_type} volumes.")
            return None
        least, most = THROUGHPUT_LIMITS
        throughput = least if self.throughput is None else self.throughput
        _bounded("throughput", throughput, least, most)
        if throughput > THROUGHPUT_PER_IOPS * iops:
            raise _value(
                f"Throughput (MiBps) to iops ratio of {throughput / iops:.6f} is too high; "
                f"maximum is {THROUGHPUT_PER_IOPS:.6f} MiBps per iops"
            )
        return throughput


def kind_wanted(call: Call, size: int) -> Kind:
    """Read what CreateVolume, CopyVolumes or RunInstances asks for, and check it.

    Args:
        call: its VolumeType, Iops, Throughput and MultiAttachEnabled are read; the default type is gp2.
        size: [GiB].
    """
    return Kind(
        size=size,
        volume_type=call.get("VolumeType", "gp2"),
        iops=call.get("Iops"),
        throughput=call.get("Throughput"),
        multi_attach=bool(call.get("MultiAttachEnabled")),
    ).checked()


def _bounded(what: str, value: int, least: int, most: int) -> None:
    if value < least:
        raise _value(f"Volume {what} of {value} is too low; minimum is {least}.")
    if value > most:
        raise _value(f"Volume {what} of {value} is too high; maximum is {most}.")


def _value(message: str) -> Refusal:
    return Refusal("InvalidParameterValue", message)
