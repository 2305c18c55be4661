"""What is wrong with a policy: where, by which rule, and what to write instead; and what AWS's own model says."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from snapkit.errors import InvalidRequest


@dataclass(frozen=True)
class Fault:
    """A rule that a document breaks.

    Attributes:
        path: where in the document, such as ``"Schedules[0].RetainRule.Count"``.
        value: what stands there.
        rule: the rule, as the rest of a sentence.
        remedy: what to write instead.
        required: the parameters that are missing, as AWS names them.
        exclusive: the parameters that cannot be given together, as AWS names them.
    """

    path: str
    value: object
    rule: str
    remedy: str
    required: tuple[str, ...] = ()
    exclusive: tuple[str, ...] = ()

    def error(self) -> InvalidRequest:
        """Make the error that tells it."""
        return InvalidRequest(self.path, self.value, self.rule, self.remedy)


def lacking(path: str, *names: str, one: bool = False) -> Fault:
    """Say what is missing: all that is named, or one of them."""
    what = (" or " if one else " and ").join(name.rpartition(".")[2] for name in names)
    return Fault(path, what, "is required, and missing", f"give {what}", required=names)


def clashing(path: str, *names: str) -> Fault:
    """Say what cannot be given together."""
    what = ", ".join(name.rpartition(".")[2] for name in names)
    return Fault(path, what, "are mutually exclusive", "leave all but one out", exclusive=names)


@lru_cache
def model_of(service: str) -> ServiceModel:
    """Load the model of a service from botocore, which has it on disk."""
    return ServiceModel(Loader().load_service_model(service, "service-2"), service)


def model_faults(shape: Shape, value: Any, path: str = "") -> Iterator[Fault]:
    """Go through what the model of a service does not allow as the value of a parameter, its types apart.

    Args:
        shape: of the model.
        value: what was given.
        path: where it was given, empty for the whole of the parameters.
    """
    if isinstance(shape, StructureShape):
        yield from _of_structure(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _out_of_bounds(shape, len(value), path, "entries")
        for number, item in enumerate(value):
            yield from model_faults(shape.member, item, f"{path}[{number}]")
    elif isinstance(shape, MapShape):
        yield from _out_of_bounds(shape, len(value), path, "entries")
        for key, item in value.items():
            yield from model_faults(shape.key, key, f"{path} key")
            yield from model_faults(shape.value, item, f"{path}.{key}")
    elif shape.type_name == "string":
        yield from _of_text(shape, value, path)
    elif shape.type_name == "integer":
        if isinstance(value, bool):  # botocore takes it for a number
            yield Fault(path, value, "is no number", "give a whole number")
        yield from _out_of_bounds(shape, value, path)


def _of_structure(shape: StructureShape, value: Any, path: str) -> Iterator[Fault]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield lacking(path, _member(path, name))
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from model_faults(member, value[name], _member(path, name))


def _member(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _of_text(shape: Shape, value: str, path: str) -> Iterator[Fault]:
    yield from _out_of_bounds(shape, len(value), path, "characters")
    enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if enum and value not in enum:
        yield Fault(path, value, "is none that AWS knows", f"choose one of {', '.join(enum)}")
    # \p{all} stands for any character, and Python's re does not know it.
    if pattern and "\\p{all}" not in pattern and not re.fullmatch(pattern, value):
        yield Fault(path, value, f"does not match {pattern}", "write it so that it does")


def _out_of_bounds(shape: Shape, value: int, path: str, what: str = "") -> Iterator[Fault]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and value < least) or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"at most {most}" if least is None else f"{least} to {most}"
        yield Fault(path, value, f"is out of bounds{f' as a number of {what}' if what else ''}", f"give {bounds}")
