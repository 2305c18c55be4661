"""What a volume of each type can be, checked before AWS is asked; the figures are those of `snapkit.rules`."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from snapkit.errors import InvalidRequest
from snapkit.rules import (
    INITIALIZATION_RATES,
    IOPS_LIMITS,
    IOPS_PER_GIB,
    PENDING_LIMITS,
    THROUGHPUT_LIMITS,
    THROUGHPUT_PER_IOPS,
    VOLUME_SIZES,
)
from snapkit.units import GIB, Size, to_bytes

if TYPE_CHECKING:
    from snapkit.ebs.volumes import Volume


def kind_of(volume: "Volume") -> dict[str, Any]:
    """Tell of which kind a volume is, as the options that make another one of it.

    Returns:
        ``volume_type``; ``iops`` and ``throughput`` [MiB/s] where they can be chosen.
    """
    kind: dict[str, Any] = {"volume_type": volume.volume_type}
    if volume.volume_type in IOPS_LIMITS:
        kind["iops"] = volume.raw.get("Iops")
    if volume.volume_type == "gp3":
        kind["throughput"] = volume.raw.get("Throughput")
    return {option: value for option, value in kind.items() if value is not None}


def check_kind(volume_type: str, gib: int, options: Mapping[str, Any], *, empty: bool) -> None:
    """Refuse a volume that there cannot be; the arguments are those of `kind_checks`.

    Raises:
        InvalidRequest: the type is none, or does not have the size or an option.
    """
    for check in kind_checks(volume_type, gib, options, empty=empty):
        check()


def kind_checks(volume_type: str, gib: int, options: Mapping[str, Any], *, empty: bool) -> Iterator[Callable[[], None]]:
    """Go through what is asked of a volume, each by itself; each refuses with an `InvalidRequest`.

    Args:
        volume_type: such as ``"gp3"``.
        gib: its size [GiB].
        options: ``iops``, ``throughput`` [MiB/s], ``initialization_rate`` [MiB/s], ``encrypted`` and ``kms_key_id``,
            where given.
        empty: whether it is made without a snapshot.

    Source: EC2 API reference, CreateVolume.
    """
    yield partial(_check_type, volume_type)
    yield partial(check_size, volume_type, gib, f"{gib} GiB")
    yield partial(_check_iops, volume_type, gib, options.get("iops"))
    yield partial(_check_throughput, volume_type, options.get("iops"), options.get("throughput"))
    yield partial(_check_rate, options.get("initialization_rate"), empty=empty)
    yield partial(_check_key, options.get("encrypted"), options.get("kms_key_id"))


def check_size(volume_type: str, gib: int, given: Size) -> None:
    """Refuse a size that volumes of a type do not have.

    Raises:
        InvalidRequest: they do not.
    """
    least, most = VOLUME_SIZES[volume_type]
    if not least <= gib <= most:
        remedy = "give another size, or another volume type"
        raise InvalidRequest(
            "size", given, f"is not from {least} to {most:,} GiB, as {volume_type} volumes are", remedy
        )


def to_gib(size: Size) -> int:
    """Read a size that has to be whole GiB.

    Raises:
        InvalidRequest: it is not.
    """
    gib, rest = divmod(to_bytes(size), GIB)
    if rest:
        bare = str(size).strip().isdigit()
        remedy = f"write '{size} GiB', if that is meant" if bare else f"give '{gib + 1} GiB'"
        raise InvalidRequest("size", size, f"is {'in bytes, and ' if bare else ''}not in whole GiB", remedy)
    return gib


def _check_type(volume_type: str) -> None:
    if volume_type not in PENDING_LIMITS:
        kinds = ", ".join(PENDING_LIMITS)
        raise InvalidRequest("volume type", volume_type, "is no EBS volume type", f"choose one of {kinds}")


def _check_iops(volume_type: str, gib: int, iops: Any) -> None:
    if volume_type not in IOPS_LIMITS:
        if iops is not None:
            remedy = f"leave them out, or choose one of {', '.join(IOPS_LIMITS)}"
            raise InvalidRequest("iops", iops, f"cannot be given for {volume_type} volumes", remedy)
        return
    least, most = IOPS_LIMITS[volume_type]
    if iops is None:
        if volume_type != "gp3":
            raise InvalidRequest(
                "iops", iops, f"are missing, which {volume_type} volumes need", f"give {least} or more"
            )
        return
    _check_bounds("iops", iops, (least, most), "")
    highest = IOPS_PER_GIB[volume_type] * gib
    if iops > highest and not (volume_type == "gp3" and iops == least):
        rule = f"are more than the {highest:,} of a {volume_type} volume of {gib:,} GiB"
        raise InvalidRequest("iops", iops, rule, "give fewer, or a larger volume")


def _check_throughput(volume_type: str, iops: Any, throughput: Any) -> None:
    if throughput is None:
        return
    if volume_type != "gp3":
        remedy = "leave it out, or choose gp3"
        raise InvalidRequest("throughput", throughput, f"cannot be given for {volume_type} volumes", remedy)
    _check_bounds("throughput", throughput, THROUGHPUT_LIMITS, " MiB/s")
    # IOPS that cannot be are refused by themselves.
    highest = int(THROUGHPUT_PER_IOPS * (iops if isinstance(iops, int) else IOPS_LIMITS["gp3"][0]))
    if throughput > highest:
        rule = f"is more than the {highest:,} MiB/s that its IOPS allow"
        remedy = f"give less, or iops={int(throughput / THROUGHPUT_PER_IOPS)}"
        raise InvalidRequest("throughput", throughput, rule, remedy)


def _check_rate(rate: Any, *, empty: bool) -> None:
    if rate is None:
        return
    if empty:
        rule = "is only for a volume that is made from a snapshot"
        raise InvalidRequest("initialization rate", rate, rule, "leave it out, or give a snapshot")
    _check_bounds("initialization rate", rate, INITIALIZATION_RATES, " MiB/s")


def _check_key(encrypted: Any, key_id: Any) -> None:
    if key_id is not None and not encrypted:
        rule = "is given for a volume that is not to be encrypted"
        raise InvalidRequest("kms key", key_id, rule, "give encrypted=True as well, or no key")


def _check_bounds(field: str, value: Any, limits: tuple[int, int], unit: str) -> None:
    least, most = limits
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        rule = f"is no whole number from {least:,} to {most:,}{unit}"
        above = isinstance(value, int) and value > most
        raise InvalidRequest(field, value, rule, f"give {most} or less" if above else f"give {least} or more")
