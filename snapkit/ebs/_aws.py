"""The one seam to AWS: the calls of one client, their pages, and their errors."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import chain
from types import MappingProxyType
from typing import Any

from botocore import xform_name
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    NoAuthTokenError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSLError,
    SSOError,
    TokenRetrievalError,
)

from snapkit.errors import (
    AccessDenied,
    AwsError,
    InUse,
    InvalidRequest,
    LimitExceeded,
    NotFound,
    NotShareable,
    OutcomeUnknown,
    Throttled,
)

PAGE = 1000
"""How many resources are asked for at once: the most that AWS allows.

Source: EC2 API reference, DescribeSnapshots, MaxResults.
"""

IDS = 200
"""How many ids go into one request. Source: EC2 user guide, "List and filter using the CLI and API": 200 values."""

CODES: Mapping[str, type[AwsError]] = MappingProxyType(
    dict.fromkeys(
        (
            "InvalidSnapshot.NotFound",
            "InvalidSnapshotID.Malformed",
            "InvalidVolume.NotFound",
            "InvalidVolumeID.Malformed",
            "InvalidVolumeModification.NotFound",
            "InvalidInstanceID.NotFound",
            "InvalidInstanceID.Malformed",
            "InvalidZone.NotFound",
            "InvalidAttachment.NotFound",
            "ResourceNotFoundException",
        ),
        NotFound,
    )
    | dict.fromkeys(
        (
            "AccessDenied",
            "AccessDeniedException",
            "AuthFailure",
            "Blocked",
            "ExpiredToken",
            "ExpiredTokenException",
            "IncompleteSignature",
            "InvalidClientTokenId",
            "OptInRequired",
            "RequestExpired",
            "SignatureDoesNotMatch",
            "UnauthorizedOperation",
            "UnrecognizedClientException",
        ),
        AccessDenied,
    )
    | dict.fromkeys(
        (
            "RequestLimitExceeded",
            "RequestThrottled",
            "RequestThrottledException",
            "SnapshotCreationPerVolumeRateExceeded",
            "Throttling",
            "ThrottlingException",
            "TooManyRequestsException",
        ),
        Throttled,
    )
    | dict.fromkeys(
        (
            "ConcurrentSnapshotLimitExceeded",
            "CopyVolumesLimitExceeded",
            "MaxIOPSLimitExceeded",
            "PendingSnapshotLimitExceeded",
            "ResourceLimitExceeded",
            "SnapshotLimitExceeded",
            "TagLimitExceeded",
            "VolumeLimitExceeded",
            "VolumeModificationRateExceeded",
        ),
        LimitExceeded,
    )
    | dict.fromkeys(
        (
            "IncorrectModificationState",
            "IncorrectState",
            "InvalidSnapshot.InUse",
            "SnapshotLocked",
            "VolumeInUse",
        ),
        InUse,
    )
)
"""Which error each code of AWS becomes; others become `AwsError`.

Source: EC2 API reference, "Error codes for the Amazon EC2 API"; EBS direct APIs, "Errors".
"""

_OF_SHARING = ("InvalidParameter", "InvalidParameterValue", "OperationNotPermitted")

_REMEDIES: Mapping[type[AwsError], str] = {
    NotFound: "check the id, the region and the account; a new one may take some seconds to be found",
    AccessDenied: "ask for the permission, or use another profile",
    Throttled: "wait a little and try again",
    LimitExceeded: "wait for what is in progress, or ask AWS for a higher quota",
    InUse: "see what uses it or what state it is in, release it or wait, and try again",
    NotShareable: "ask snapshot.can_share() for the reason and the way out",
}

_NEVER_ARRIVED = (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, SSLError)
"""What botocore raises when no request has reached AWS."""

_NO_LOGIN = (
    CredentialRetrievalError, NoAuthTokenError, NoCredentialsError, PartialCredentialsError, SSOError,
    TokenRetrievalError,
)  # fmt: skip
"""What botocore raises when it has nothing to sign a request with."""

_TRIES = 3


class Aws:
    """One client of boto3, whose errors are those of `snapkit.errors`.

    Attributes:
        client: the client itself.
    """

    def __init__(self, client: Any) -> None:
        self.client = client
        self._date: str | None = None

    @property
    def date(self) -> datetime | None:
        """The time by the clock of AWS when it answered last, to the second; None where it did not tell."""
        return parsedate_to_datetime(self._date) if self._date else None

    def call(self, operation: str, about: str = "", **params: Any) -> dict[str, Any]:
        """Call an operation.

        Args:
            operation: such as ``"CreateSnapshot"``.
            about: which resource it is about, for the error.
            params: of the operation; what is None is left out.

        Raises:
            InvalidRequest: a parameter is not of the kind that the operation takes.
            AwsError: AWS refuses, or cannot be reached.
        """
        given = {name: value for name, value in params.items() if value is not None}
        try:
            answer = dict(getattr(self.client, xform_name(operation))(**given))
        except ClientError as refusal:
            raise translated(refusal, about) from refusal
        except BotoCoreError as error:
            raise _unsent(error, operation, about) from error
        self._date = answer.pop("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        return answer

    def create(self, operation: str, about: str, sleep: Callable[[float], None], **params: Any) -> dict[str, Any]:
        """Call an operation that has a ClientToken, so that it may be sent again where the answer was lost.

        Args:
            operation: such as ``"CreateVolume"``.
            about: which resource it is about.
            sleep: how to wait [s] between two tries.
            params: of the operation.

        Raises:
            OutcomeUnknown: no answer came to any try.
            AwsError: AWS refuses, or cannot be reached.
        """
        token = secrets.token_hex(16)
        for attempt in range(_TRIES):
            try:
                return self.call(operation, about, ClientToken=token, **params)
            except AwsError as error:
                if not unanswered(error):
                    raise
                lost = error
            sleep(2.0**attempt)
        told = f"no answer came to any of {_TRIES} tries"
        remedy = "look whether it is there before you try again"
        raise OutcomeUnknown("NoAnswer", operation, told, about, remedy) from lost

    def remove(self, operation: str, about: str, **params: Any) -> None:
        """Call an operation that removes something; that an earlier try of boto3 has removed it is no error.

        Args:
            operation: such as ``"DeleteSnapshot"``.
            about: which resource is removed.
            params: of the operation.

        Raises:
            AwsError: AWS refuses, or cannot be reached.
        """
        try:
            self.call(operation, about, **params)
        except NotFound as error:
            if not repeated(error):
                raise

    def settle(self, operation: str, about: str, settled: Callable[[], bool], **params: Any) -> None:
        """Call an operation that changes a state; that an earlier try of boto3 has changed it is no error.

        Args:
            operation: such as ``"UnlockSnapshot"``.
            about: which resource is changed.
            settled: tells, where AWS refuses, whether it is as it should be by now.
            params: of the operation.

        Raises:
            AwsError: AWS refuses, or cannot be reached.
        """
        try:
            self.call(operation, about, **params)
        except AwsError as error:
            if not (repeated(error) and settled()):
                raise

    def pages(self, operation: str, key: str, *, size: int | None = PAGE, **params: Any) -> Iterator[dict[str, Any]]:
        """Go through what a Describe operation lists, page by page.

        Args:
            operation: such as ``"DescribeSnapshots"``.
            key: under which the answer has its items.
            size: how many are asked for at once; None leaves that to AWS.
            params: of the operation.
        """
        return chain.from_iterable(self._pages(operation, key, MaxResults=size, **params))

    def _pages(self, operation: str, key: str, **params: Any) -> Iterator[list[dict[str, Any]]]:
        token: dict[str, str] = {}
        while True:
            answer = self.call(operation, **params, **token)
            yield answer[key]
            if not answer.get("NextToken"):
                return
            token = {"NextToken": answer["NextToken"]}


def translated(refusal: ClientError, about: str = "") -> AwsError:
    """Make an error of snapkit from one of boto3."""
    error, operation = refusal.response.get("Error", {}), refusal.operation_name
    code, told = str(error.get("Code", "Unknown")), str(error.get("Message") or "no reason was given")
    kind = CODES.get(code, AwsError)
    if operation == "ModifySnapshotAttribute" and code in _OF_SHARING:
        kind = NotShareable
    return kind(code, operation, told, about, _REMEDIES.get(kind, "correct what AWS names, or look at its state first"))


def _unsent(error: BotoCoreError, operation: str, about: str) -> AwsError | InvalidRequest:
    """Make an error of snapkit from one of botocore itself, which had no answer of AWS."""
    if isinstance(error, ParamValidationError):
        told = " ".join(str(error.kwargs.get("report", error)).split())
        return InvalidRequest(operation, about or "parameters", f"cannot be sent ({told})", "give what it asks for")
    if isinstance(error, _NO_LOGIN):
        told = "there are no credentials" if isinstance(error, NoCredentialsError) else str(error)
        remedy = "run `aws configure` or `aws sso login`, or name a profile: connect(region, profile=...)"
        return AccessDenied("NoCredentials", operation, told, about, remedy)
    reached = not isinstance(error, _NEVER_ARRIVED)
    code, told = ("NoAnswer", "no answer came") if reached else ("NotReached", "AWS could not be reached")
    return AwsError(code, operation, f"{told} ({error})", about, "see to the network, look, and try again")


def unanswered(error: AwsError) -> bool:
    """Tell whether a call may have taken effect although it failed."""
    cause = error.__cause__
    if isinstance(cause, ClientError):
        status = int(cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        return status >= 500 and not isinstance(error, Throttled)
    return isinstance(cause, HTTPClientError) and not isinstance(cause, _NEVER_ARRIVED)


def repeated(error: AwsError) -> bool:
    """Tell whether boto3 had sent the call before, so that an earlier try may have done what this one refuses."""
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return unanswered(error)
    return unanswered(error) or bool(cause.response.get("ResponseMetadata", {}).get("RetryAttempts", 0))
