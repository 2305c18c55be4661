"""The console as a page of its own: Voilà on the loopback address, for those who have the token.

A page acts with the credentials of the process that serves it. So other machines are refused, and other users of this
one as well: the token stands in the address that is told, never on the command line of a process.
"""

import json
import os
import secrets
from collections.abc import Callable, Mapping
from socket import create_server, socket
from typing import TYPE_CHECKING, Any

from snapkit.access import Access
from snapkit.ebs import Estate, connect
from snapkit.errors import InvalidRequest

if TYPE_CHECKING:
    from snapkit import Sandbox

LOCAL = ("127.0.0.1", "localhost")
_PLACE = "SNAPKIT_CONSOLE"
"""The variable of the environment that tells the kernel of a page where to look; only this user can read it."""


def of_sandbox(sandbox: "Sandbox", speed: float) -> dict[str, Any]:
    """Serve a sandbox for the kernels of pages, and tell where.

    Args:
        sandbox: it is served as long as it is open.
        speed: simulated seconds to one second outside.

    Raises:
        InvalidRequest: the speed is no number above 0.
    """
    from snapkit.sandbox.demo import EU, US  # not for a real account: it stands on moto

    keys = [sandbox.credentials(account) for account in sandbox.accounts]
    return {"endpoint": sandbox.serve(speed), "keys": keys, "regions": (US, EU)}


def served_estate() -> Estate:
    """Look at what the process that serves this page was told to.

    Raises:
        InvalidRequest: this is no kernel of a page, or what the person may do cannot be read.
    """
    place = _place()
    access = Access.load(place["access"]) if place.get("access") else None
    endpoint = place.get("endpoint")
    if endpoint is None:
        return Estate([connect(place["region"], place["profile"], access=access)])
    _forget_configuration()
    regions = [
        connect(name, endpoint=endpoint, access=access, **keys) for keys in place["keys"] for name in place["regions"]
    ]
    return Estate(regions)


def served_strategies() -> str | tuple[()]:
    """Tell in which folder the strategies are that the process serving this page was told to show; nothing for none."""
    return _place().get("strategies") or ()


def _place() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(os.environ[_PLACE])
    except KeyError:
        raise InvalidRequest("console", None, "does not serve this kernel", "run `snapkit console`") from None
    return found


def _forget_configuration() -> None:
    """Let nothing of this user's configuration lead a client elsewhere."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), os.devnull))


def check_host(host: str) -> None:
    """Refuse to answer to other machines.

    Raises:
        InvalidRequest: it is not the loopback address.
    """
    if host not in LOCAL:
        rule = "is not this machine alone, and the page acts with the credentials of the process that serves it"
        raise InvalidRequest("host", host, rule, f"leave it at {LOCAL[0]}; from elsewhere reach it by an SSH tunnel")


def serve(place: Mapping[str, Any], tell: Callable[[str], object], *, port: int = 0) -> None:
    """Serve the console until the process is told to stop.

    Args:
        place: what it looks at: ``profile`` and ``region`` of a real account, or what `of_sandbox` told; and in
            ``strategies`` the folder of those that are run there, in ``access`` the file of what the person may do, if
            any. Both are read anew whenever a page is opened.
        tell: called with the address once it answers; whoever has it can do what this process can.
        port: where to answer; by default a free port.

    Raises:
        InvalidRequest: the port is not free, or Voilà is not installed.
    """
    try:
        from snapkit.console.voila_app import ConsoleApp
    except ImportError as error:
        remedy = "run pip install 'snapkit[serve]'"
        raise InvalidRequest("console", "Voilà", "is not installed", remedy) from error
    os.environ[_PLACE] = json.dumps(dict(place))
    ConsoleApp(_door(port), secrets.token_urlsafe(32), tell).start()


def _door(port: int) -> socket:
    """Listen on a port, which nobody else can then take."""
    remedy = "choose another one, or 0 for a free one"
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 2**16:
        raise InvalidRequest("port", port, "is no number of a port", remedy)
    try:
        return create_server((LOCAL[0], port))
    except OSError as error:
        raise InvalidRequest("port", port, f"cannot be served on ({error})", remedy) from None
