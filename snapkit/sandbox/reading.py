"""Which operation a request asks for, and with which parameters, by the model of the service."""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from botocore.exceptions import UnknownServiceError
from botocore.model import ListShape, MapShape, Shape, StructureShape
from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from snapkit.sandbox.call import OPERATIONS, PREPARATIONS
from snapkit.sandbox.refusal import NOT_IN_XML, Refusal, missing


def operation_of(service: str, request: Request) -> tuple[str, Mapping[str, Any]]:
    """Find which operation is asked for, and what the path says."""
    try:
        model = get_service_model(service)
    except UnknownServiceError:
        raise Refusal("UnsupportedOperation", f"The sandbox does not provide the service '{service}'.") from None
    action = request.values.get("Action") or request.headers.get("X-Amz-Target", "").rpartition(".")[2]
    if action:
        if action not in model.operation_names:
            code = "InvalidAction" if model.protocol in ("ec2", "query") else "UnknownOperationException"
            raise Refusal(code, f"The action {action} is not valid for this web service.")
        return action, {}
    try:
        operation, path_params = get_service_router(service).match(request)
    except (NotFound, NotImplementedError):
        if model.protocol in ("ec2", "query"):
            raise Refusal("MissingAction", "The request must contain the parameter Action") from None
        raise Refusal("UnknownOperationException", f"{request.method} {request.path} is no operation.", 404) from None
    return operation.name, path_params


def params_of(service: str, name: str, request: Request, path_params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Read the parameters by the model of the operation, and check that they are those."""
    # Those of EC2 are read for moto's operations too: the limits look at them, and moto ignores those it does not know.
    if (service, name) not in OPERATIONS and service != "ec2" and service not in PREPARATIONS:
        return {}
    model = get_service_model(service).operation_model(name)
    protocol = protocol_of(service, request.content_type)
    if protocol == "ec2" and any(NOT_IN_XML.search(key + value) for key, value in request.values.items()):
        raise Refusal("InvalidCharacter", "The request contains a character that is not valid in XML.")
    try:
        parsed = PROTOCOL_PARSERS[protocol](model).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": dict(path_params),
            }
        )
    except Exception as error:
        # Whatever the parser trips over is the fault of what was sent.
        raise _malformed(service, _unreadable(request, error)) from error
    shape = model.input_shape
    if shape is None:
        return parsed
    if protocol == "ec2":
        _check_known(shape, request)
    for path, lacks in _unfit(shape, parsed):
        if not lacks:
            raise _malformed(service, f"The value of {path} is of a type that it cannot have.")
        if protocol == "ec2":
            raise missing(path[0].lower() + path[1:])
        raise _malformed(service, f"{path} is required.")
    return parsed


def _check_known(shape: StructureShape, request: Request) -> None:
    """Refuse a parameter of EC2 that its operation does not have."""
    known = {"Action", "Version"} | {
        member.serialization.get("queryName") or _capital(member.serialization.get("name", name))
        for name, member in shape.members.items()
    }
    for key in request.values:
        if key.partition(".")[0] not in known and not key.startswith("X-Amz-"):  # of a presigned request
            raise Refusal("UnknownParameter", f"The parameter {key} is not recognized")


_TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "list": (list,),
    "map": (dict,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
    "timestamp": (datetime,),
    "blob": (bytes, str),
}
"""What the parsers make of each type of the models, and JSON of a value of the right one."""


def _unfit(shape: Shape, value: Any, path: str = "") -> Iterator[tuple[str, bool]]:
    """Go through the parameters that are of another type than the model says, or lack.

    Returns:
        Where each stands, and whether it lacks.
    """
    fits = isinstance(value, _TYPES[shape.type_name])
    if not fits:
        yield path or "the request", False
    elif isinstance(shape, StructureShape):
        for name, member in shape.members.items():
            place = f"{path}.{name}" if path else name
            if value.get(name) is not None:
                yield from _unfit(member, value[name], place)
            elif name in shape.required_members:
                yield place, True
    elif isinstance(shape, ListShape):
        for item in value:
            yield from _unfit(shape.member, item, path)
    elif isinstance(shape, MapShape):
        for item in value.values():
            yield from _unfit(shape.value, item, path)


def _malformed(service: str, message: str) -> Refusal:
    code = {"ec2": "InvalidParameterValue", "dlm": "InvalidRequestException"}.get(service, "ValidationException")
    return Refusal(code, message)


def _unreadable(request: Request, error: Exception) -> str:
    """Say which parameter cannot be read, as far as the error of the parser tells."""
    quoted = re.search("'(.*)'", str(error), re.DOTALL)
    for name, value in request.values.items():
        if quoted and value == quoted[1]:
            return f"Value ({value}) for parameter {name} is invalid."
    return "The request cannot be read: it is malformed, or a value is of a type that its parameter cannot have."


def _capital(name: str) -> str:
    return name[:1].upper() + name[1:]


def protocol_of(service: str, content_type: str | None) -> str:
    """Tell which protocol a client speaks: what its content says, or what the service is used to."""
    try:
        model = get_service_model(service)
        return determine_request_protocol(model, content_type)
    except UnknownServiceError:
        return "json" if "json" in (content_type or "") else "query"
    except NotImplementedError:
        return str(model.protocol)
