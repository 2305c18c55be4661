"""From a signed request to an answer, in process and over HTTP alike: the one way in."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from moto.core.models import botocore_stubber
from moto.core.request import Request
from moto.iam.models import iam_backends

from snapkit.sandbox.answering import Reply, written
from snapkit.sandbox.call import OPERATIONS, PREPARATIONS, Call
from snapkit.sandbox.client import NOWHERE, account_key, session_key
from snapkit.sandbox.faults import NoAnswer
from snapkit.sandbox.reading import operation_of, params_of, protocol_of
from snapkit.sandbox.refusal import Refusal
from snapkit.sandbox.world import World

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([^/,\s]+)/([a-z0-9-]+)/aws4_request")
_SERVICES = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
"""Names in signatures that are not those of the service models."""
_GLOBAL = ("iam", "organizations", "sts")
_NOT_MOTOS = ("content-length", "date")
"""Headers that are written anew."""
_REFUSED = 400
"""From this status on, nothing has happened."""
_KEY_OF_AWS = re.compile(r"A[A-Z]IA[A-Z0-9]{12,}")


@dataclass(frozen=True)
class _Scope:
    """What a signature says."""

    key: str
    region: str
    service: str


class Gateway:
    """Answers the requests to one sandbox."""

    def __init__(self, world: World) -> None:
        self.world = world

    def answer(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request.

        Args:
            method: of HTTP.
            target: the URL, or path and query only.
            headers: of the request; the signature in them names account, region and service, and is not verified.
            body: of the request.

        Raises:
            NoAnswer: a fault says that the client gets none.
        """
        parts = urlsplit(target)
        query = f"?{parts.query}" if parts.query else ""
        try:
            scope = _scope(headers, parts.query)
        except Refusal as refusal:
            return _refused(refusal, "sts", None, self.world.new_request_id())
        url = f"https://{scope.service}.{scope.region}.amazonaws.com{parts.path or '/'}{query}"
        request = Request.from_primitives(method, url, headers, body)
        world = self.world
        with world.clock.lock, world.place.taken():
            service = _SERVICES.get(scope.service, scope.service)
            try:
                world.clock.seconds()
                world.place.served = not (parts.hostname or "").endswith(NOWHERE)
                reply = self._answer(
                    scope, service, request, AWSPreparedRequest(method, url, headers, body, stream_output=False)
                )
            except NoAnswer:
                raise
            except Exception as error:  # noqa: BLE001 - see as_refusal
                reply = _refused(as_refusal(error), service, request.content_type, world.new_request_id())
            reply.headers["Date"] = format_datetime(world.clock.now(), usegmt=True)
            return reply

    def _answer(self, scope: _Scope, service: str, request: Request, original: AWSPreparedRequest) -> Reply:
        world = self.world
        account = self._account(scope, service)
        if scope.region not in world.regions and service not in _GLOBAL:
            raise Refusal(
                "SignatureDoesNotMatch", f"Credential should be scoped to a valid region, not '{scope.region}'. ", 403
            )
        name, path_params = operation_of(service, request)
        world.place.account = account
        call = Call(
            world=world, account=account, region=scope.region, service=service, operation=name,
            params=params_of(service, name, request, path_params),
        )  # fmt: skip
        world.faults.before(call)
        if world.buckets is not None:
            world.buckets.take(call)
        handler = OPERATIONS.get((service, name))
        if handler is None:
            reply = self._ask_moto(call, original)
            if reply.status < _REFUSED:
                world.faults.after(call, None)
            return reply
        if service == "ec2" and call.get("DryRun"):
            raise Refusal("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
        result = world.faults.after(call, handler(call))
        return written(call, request.content_type, result)

    def _account(self, scope: _Scope, service: str) -> str:
        """Find whose key it is.

        A key that does not look like one of AWS, such as the ``test`` of many tutorials, is taken for the first
        account's; twelve digits name the account themselves.
        """
        accounts = self.world.accounts
        for account in accounts:
            if scope.key in (account, account_key(account), session_key(account)):
                return account
            if any(scope.key in partition.access_keys for partition in iam_backends[account].values()):
                return account
        if _KEY_OF_AWS.fullmatch(scope.key) or re.fullmatch(r"\d{12}", scope.key):
            if service == "ec2":
                message = "AWS was not able to validate the provided access credentials"
                raise Refusal("AuthFailure", message, 401)
            code = "InvalidClientTokenId" if protocol_of(service, None) == "query" else "UnrecognizedClientException"
            raise Refusal(code, "The security token included in the request is invalid.", 403)
        return next(iter(accounts))

    def _ask_moto(self, call: Call, original: AWSPreparedRequest) -> Reply:
        """Let moto answer what the sandbox does not answer itself."""
        prepare = PREPARATIONS.get(call.service)
        if prepare is not None:
            prepare(call)
        try:
            answered = botocore_stubber.process_request(original)
        except NotImplementedError:
            answered = None
        except Exception as error:
            # Whatever moto trips over, AWS would have an answer: not a stack trace, and nothing to be retried.
            told = f"The sandbox cannot answer {call.operation} with these parameters."
            raise Refusal("InvalidParameterValue", told) from error
        if answered is None or (answered[0] == 404 and answered[2] == "Not yet implemented"):
            raise Refusal("UnsupportedOperation", f"The sandbox does not provide {call.service} {call.operation}.")
        status, headers, body = answered
        return Reply(
            int(status),
            {str(key): str(value) for key, value in dict(headers).items() if key.lower() not in _NOT_MOTOS},
            body.encode() if isinstance(body, str) else bytes(body),
        )


def _scope(headers: Mapping[str, str], query: str) -> _Scope:
    """Read the signature, which a presigned request has in its query."""
    signed = next((value for key, value in headers.items() if key.lower() == "authorization"), "")
    match = _CREDENTIAL.search(signed.decode() if isinstance(signed, bytes) else signed or unquote(query))
    if not match:
        raise Refusal("MissingAuthenticationToken", "Request is missing Authentication Token", 403)
    return _Scope(match[1], match[2], match[3])


def as_refusal(error: Exception) -> Refusal:
    """Say what a defect of the sandbox is to whoever sent the request: the same as one of AWS."""
    if isinstance(error, Refusal):
        return error
    logging.getLogger(__name__).error("the sandbox has failed", exc_info=error)
    return Refusal("InternalError", f"The sandbox has failed: {type(error).__name__}: {error}", 500)


def _refused(refusal: Refusal, service: str, content_type: str | None, request_id: str) -> Reply:
    """Write an error as the service writes it, in the protocol that the client speaks."""
    headers, body = refusal.written(protocol_of(service, content_type), request_id)
    return Reply(refusal.status, headers, body)
