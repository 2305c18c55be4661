"""Answers, as the services write them."""

from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from botocore.model import ListShape, OperationModel, Shape, StructureShape
from moto.core.serialize import DefaultAttributePicker, SerializationContext, get_serializer_class
from moto.core.utils import get_service_model

from snapkit.sandbox.call import Answer, Call
from snapkit.sandbox.filters import text
from snapkit.sandbox.reading import protocol_of


@dataclass(frozen=True)
class Reply:
    """What is sent back."""

    status: int
    headers: dict[str, str]
    body: bytes


def written(call: Call, content_type: str | None, result: Answer) -> Reply:
    """Write what an operation returned, by the model of its service.

    Args:
        call: the request.
        content_type: of the request, which tells the protocol that the client speaks.
        result: by the names of the model; what it does not know is left out.
    """
    model = get_service_model(call.service).operation_model(call.operation)
    protocol, request_id = protocol_of(call.service, content_type), call.world.new_request_id()
    if protocol == "ec2":
        # moto's serializer makes dicts of dicts and writes them in a second go: half of the time of a long listing.
        return Reply(200, {"Content-Type": "text/xml"}, _ec2(model, result or {}, request_id).encode())
    serializer = get_serializer_class(call.service, protocol)(
        operation_model=model,
        pretty_print=False,
        value_picker=DefaultAttributePicker(),
        context=SerializationContext(request_id),
    )
    # Operations return dicts; moto's way to read a member, which knows objects too, is what makes long lists slow.
    serializer.get_value = lambda value, key, shape: value.get(key)  # type: ignore[method-assign] # noqa: ARG005
    sent = serializer.serialize(result or {})
    body = sent["body"]
    return Reply(sent["status_code"], dict(sent["headers"]), body.encode() if isinstance(body, str) else bytes(body))


def _ec2(model: OperationModel, result: Any, request_id: str) -> str:
    """Write an answer as EC2 does, its times to the millisecond.

    Source: botocore's model of EC2, whose answers have structures, lists and plain values only.
    """
    name = f"{model.name}Response"
    members = _members(model.output_shape, result) if model.output_shape else ""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{model.metadata["xmlNamespace"]}">'
        f"{members}<requestId>{request_id}</requestId></{name}>"
    )


def _members(shape: StructureShape, value: Any) -> str:
    shapes = shape.members
    return "".join(
        _element(member, member.serialization.get("name", key), each)
        for key, each in value.items()
        if each is not None and (member := shapes.get(key)) is not None
    )


def _element(shape: Shape, name: str, value: Any) -> str:
    if isinstance(shape, StructureShape):
        inner = _members(shape, value)
    elif isinstance(shape, ListShape):
        item = shape.member
        inner = "".join(_element(item, item.serialization["name"], each) for each in value)
    else:
        inner = escape(text(value) or "")
    return f"<{name}>{inner}</{name}>" if inner else f"<{name}/>"
