"""boto3 clients that cannot reach anything but their sandbox."""

import base64
import hashlib
import io
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.configprovider import BOTOCORE_DEFAUT_SESSION_VARIABLES
from botocore.exceptions import ReadTimeoutError
from botocore.model import OperationModel
from botocore.retries import standard
from moto.core.models import botocore_stubber

from snapkit.ebs import _session
from snapkit.errors import SnapkitError
from snapkit.sandbox.faults import NoAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snapkit.sandbox.gateway import Gateway

_LONGEST_PAUSE = 20.0
"""Between two tries [s]. Source: botocore, standard retry mode."""

NOWHERE = "sandbox.invalid"
"""Where the endpoints of our clients lie: a domain that cannot exist. Source: RFC 6761, "invalid"."""

_OURS = {"profile": None, "config_file": os.devnull, "credentials_file": os.devnull}


def account_key(account: str) -> str:
    """Make up the access key id of an account; whoever signs with it is the account."""
    return "AKIA" + base64.b32encode(hashlib.sha256(f"key of {account}".encode()).digest()).decode()[:16]


def session_key(account: str) -> str:
    """Make up the access key id of a session of an account itself."""
    return f"ASIA{account_key(account)[4:]}"


def account_credentials(account: str) -> Mapping[str, str]:
    """Make up credentials of an account, by the names that `boto3.client` gives them."""
    secret = base64.b64encode(hashlib.sha256(f"secret of {account}".encode()).digest()).decode()[:40]
    return {"aws_access_key_id": account_key(account), "aws_secret_access_key": secret}


def plain_session(**known: Any) -> boto3.Session:
    """Make a session that reads neither the environment nor any file of the user."""
    variables = {
        name: (None, None, _OURS.get(name, default), convert)
        for name, (_, _, default, convert) in BOTOCORE_DEFAUT_SESSION_VARIABLES.items()
    }
    return boto3.Session(botocore_session=_session.session(variables), **known)


def make(gateway: "Gateway", service: str, region: str, account: str, config: Config | None = None) -> Any:
    """Make a boto3 client of an account in a region of the sandbox.

    The sandbox is its network: what it sends is answered there or fails, also when nothing but the client refers to the
    sandbox any more. Its endpoint is a name that cannot exist, so that even a bare request to it leads nowhere. What it
    waits, in waiters and between retries, passes on the clock of the sandbox.
    """
    clock = gateway.world.clock
    wanted = Config(ignore_configured_endpoint_urls=True).merge(config or Config())
    client = plain_session(**account_credentials(account), region_name=region).client(
        service,
        endpoint_url=f"https://{service}.{region}.{NOWHERE}",
        # Another mode would wait outside as well: the adaptive one before it sends, after a throttled call.
        config=wanted.merge(Config(retries={**(wanted.retries or {}), "mode": "standard"})),
    )

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        if gateway.world.closed:
            raise SnapkitError(
                f"the sandbox of this {service} client was closed; make a new Sandbox and a client of it"
            )
        body = request.body if request.body is not None else b""
        content = body.encode() if isinstance(body, str) else body.read() if hasattr(body, "read") else bytes(body)
        try:
            reply = gateway.answer(request.method, request.url, request.headers, content)
        except NoAnswer:
            raise ReadTimeoutError(endpoint_url=request.url) from None
        return AWSResponse(request.url, reply.status, reply.headers, _Raw(reply.body))

    def name_once(params: dict[str, Any], model: OperationModel, **_: Any) -> None:
        # botocore draws its client tokens, and some are shown again, as that of an instance.
        for name in model.idempotent_members:
            params.setdefault(name, gateway.world.new_request_id())

    events = client.meta.events
    events.register_first("before-parameter-build.*.*", name_once)
    # moto's own stub would answer as well wherever a `mock_aws` is active.
    events.unregister("before-send", botocore_stubber)
    events.register_first("before-send.*.*", send)
    name = client.meta.service_model.service_id.hyphenize()
    retries = client.meta.config.retries
    events.unregister(f"needs-retry.{name}", unique_id=f"retry-config-{name}")
    handler = standard.register_retry_handler(client, retries.get("total_max_attempts"))
    events.unregister(f"needs-retry.{name}", unique_id=f"retry-config-{name}")

    def retry(**known: Any) -> float | None:
        if handler.needs_retry(**known) is None:
            return None
        # botocore draws its pauses; times that are to repeat must not depend on that.
        clock.sleep(min(2.0 ** (known["attempts"] - 1), _LONGEST_PAUSE))
        return 0.0

    events.register(f"needs-retry.{name}", retry)
    _wait_on(client, clock.sleep)
    return client


def _wait_on(client: Any, sleep: "Callable[[float], None]") -> None:
    """Let the waiters of a client wait on the clock of the sandbox."""
    make_waiter = client.get_waiter

    def get_waiter(name: str) -> Any:
        waiter = make_waiter(name)
        look, wait = waiter._operation_method, waiter.wait
        delays: list[float] = []
        delay = 0.0

        def looked(**asked: Any) -> Any:
            if delays:
                sleep(delays[-1])
            delays.append(delay)
            return look(**asked)

        def waited(**asked: Any) -> Any:
            nonlocal delay
            config = asked.pop("WaiterConfig", {})
            delay = config.get("Delay", waiter.config.delay)
            delays.clear()
            return wait(**asked, WaiterConfig={**config, "Delay": 0})

        waiter._operation_method, waiter.wait = looked, waited
        return waiter

    client.get_waiter = get_waiter


class _Raw(io.BytesIO):
    """A body as botocore reads it."""

    def stream(self, **_: Any) -> "Iterator[bytes]":
        while chunk := self.read(65536):
            yield chunk
