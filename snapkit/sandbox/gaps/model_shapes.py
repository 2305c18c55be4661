"""What the model of a service allows as the value of a parameter."""

import re
from collections.abc import Iterator
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape


def faults(shape: Shape, value: Any, path: str = "") -> Iterator[str]:
    """Go through what the model does not allow, in words.

    Args:
        shape: of the model.
        value: what was given.
        path: where it was given, empty for the whole of the parameters.
    """
    if isinstance(shape, StructureShape):
        yield from _of_structure(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _out_of_bounds(shape, len(value), f"The number of {path}")
        for item in value:
            yield from faults(shape.member, item, path)
    elif isinstance(shape, MapShape):
        yield from _out_of_bounds(shape, len(value), f"The number of {path}")
        for key, item in value.items():
            yield from faults(shape.key, key, f"A key of {path}")
            yield from faults(shape.value, item, f"{path} of {key}")
    elif shape.type_name == "string":
        yield from _of_text(shape, value, path)
    elif shape.type_name == "integer":
        yield from _out_of_bounds(shape, value, path)


def _of_structure(shape: StructureShape, value: Any, path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{_member(path, name)} is required."
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from faults(member, value[name], _member(path, name))


def _member(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _of_text(shape: Shape, value: str, path: str) -> Iterator[str]:
    yield from _out_of_bounds(shape, len(value), f"The length of {path}")
    enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if enum and value not in enum:
        yield f"{path} is {value!r}; choose one of {', '.join(enum)}."
    # \p{all} stands for any character, and Python's re does not know it.
    if pattern and "\\p{all}" not in pattern and not re.fullmatch(pattern, value):
        yield f"{path} is {value!r}, which does not match {pattern}."


def _out_of_bounds(shape: Shape, value: int, what: str) -> Iterator[str]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if (least is not None and value < least) or (most is not None and value > most):
        bounds = f"at least {least}" if most is None else f"at most {most}" if least is None else f"{least} to {most}"
        yield f"{what} is {value}; it has to be {bounds}."
