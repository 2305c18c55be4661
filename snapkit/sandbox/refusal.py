"""The errors of AWS, as they are sent."""

import json
import re
from xml.sax.saxutils import escape

from moto.core.exceptions import ServiceException

NOT_IN_XML = re.compile("[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
"""Characters that no answer in XML can carry. Source: W3C, "Extensible Markup Language 1.0", Char."""

_RESOURCE = re.compile(r"(snap|vol|i)-([0-9a-f]{8}|[0-9a-f]{17})")


class Refusal(ServiceException):
    """A request that AWS would refuse.

    Attributes:
        code: the error code of AWS.
        message: its message, never empty.
        status: the HTTP status.
        members: what else the error carries, such as the Reason of the EBS direct APIs.

    Source: EC2 API reference, "Error codes for the Amazon EC2 API".
    """

    def __init__(self, code: str, message: str, status: int = 400, **members: str | list[str]) -> None:
        super().__init__(code, message)
        self.status = status
        self.members = members

    def written(self, protocol: str, request_id: str) -> tuple[dict[str, str], bytes]:
        """Write it as a service of this protocol does.

        Returns:
            The headers and the body.
        """
        if "json" in protocol:
            body = json.dumps({"__type": self.code, "message": self.message, "Message": self.message, **self.members})
            return {"Content-Type": "application/x-amz-json-1.1", "x-amzn-errortype": self.code}, body.encode()
        message = escape(NOT_IN_XML.sub("\ufffd", self.message))
        told = f"<Code>{escape(self.code)}</Code><Message>{message}</Message>"
        if protocol == "ec2":
            body = f"<Response><Errors><Error>{told}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
        else:
            body = (
                f"<ErrorResponse><Error><Type>Sender</Type>{told}</Error>"
                f"<RequestId>{request_id}</RequestId></ErrorResponse>"
            )
        return {"Content-Type": "text/xml;charset=UTF-8"}, f'<?xml version="1.0" encoding="UTF-8"?>{body}'.encode()


def missing(parameter: str) -> Refusal:
    """Say that a required parameter was not given."""
    return Refusal("MissingParameter", f"The request must contain the parameter {parameter}")


def invalid(parameter: str, value: object, rule: str = "") -> Refusal:
    """Say that the value of a parameter cannot be, and why."""
    return Refusal("InvalidParameterValue", f"Value ({value}) for parameter {parameter} is invalid. {rule}".strip())


def combination(message: str) -> Refusal:
    """Say that parameters cannot be given together."""
    return Refusal("InvalidParameterCombination", message)


def snapshot_not_found(snapshot_id: str) -> Refusal:
    """Say that there is no such snapshot for this account."""
    return Refusal("InvalidSnapshot.NotFound", f"The snapshot '{snapshot_id}' does not exist.")


def volume_not_found(volume_id: str) -> Refusal:
    """Say that there is no such volume for this account."""
    return Refusal("InvalidVolume.NotFound", f"The volume '{volume_id}' does not exist.")


def check_snapshot_id(snapshot_id: str) -> None:
    """Refuse what is no id of a snapshot."""
    _check(snapshot_id, "snap", "InvalidSnapshotID.Malformed")


def check_volume_id(volume_id: str) -> None:
    """Refuse what is no id of a volume."""
    _check(volume_id, "vol", "InvalidVolumeID.Malformed")


def check_instance_id(instance_id: str) -> None:
    """Refuse what is no id of an instance."""
    _check(instance_id, "i", "InvalidInstanceID.Malformed")


def _check(value: str, prefix: str, code: str) -> None:
    match = _RESOURCE.fullmatch(value)
    if not match or match[1] != prefix:
        raise Refusal(code, f'Invalid id: "{value}" (expecting "{prefix}-...")')
