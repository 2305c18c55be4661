"""A sandbox over HTTP, on the loopback address only."""

import json
import logging
from socket import SHUT_RDWR, create_server
from threading import Thread
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import ClientDisconnected, HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from snapkit.errors import InvalidRequest
from snapkit.sandbox.faults import NoAnswer
from snapkit.sandbox.gateway import as_refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snapkit.sandbox.gateway import Gateway

_STOP_WITHIN = 0.02
"""How soon a server notices that it is to stop [s]."""

_LOCAL = ("127.0.0.1", "localhost", "[::1]")


class Server:
    """Answers AWS's requests, and those of a `snapkit.clock.RemoteClock`."""

    def __init__(self, gateway: "Gateway", port: int = 0) -> None:
        """Begin to serve.

        Args:
            gateway: what answers.
            port: where, by default a free one.

        Raises:
            InvalidRequest: it is no port, or not free.
        """
        self._gateway = gateway
        remedy = "choose another one, or 0 for a free one"
        if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 2**16:
            raise InvalidRequest("port", port, "is no number of a port", remedy)
        # werkzeug would say on the screen, and by ending the process, that a port is taken.
        try:
            listening = create_server(("127.0.0.1", port))
        except OSError as error:
            raise InvalidRequest("port", port, f"cannot be served on ({error})", remedy) from None
        with listening:
            self._server = make_server(
                "127.0.0.1", port, self._app, threaded=True, request_handler=_Quiet, fd=listening.fileno()
            )
        self.url = f"http://127.0.0.1:{self._server.port}"
        self._thread = Thread(
            target=self._server.serve_forever, args=(_STOP_WITHIN,), name=f"sandbox at {self.url}", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _app(self, environ: dict[str, Any], start_response: Any) -> "Iterable[bytes]":
        request = Request(environ)
        # A page in a browser may send requests here too; one that was led here by a foreign name is turned away.
        if request.host.rpartition(":")[0] not in _LOCAL and request.host not in _LOCAL:
            return Response("this sandbox answers to its own address only", 421)(environ, start_response)
        if request.path.startswith("/_snapkit/"):
            return self._control(request)(environ, start_response)
        target, headers = environ.get("RAW_URI") or request.full_path, dict(request.headers)
        try:
            reply = self._gateway.answer(request.method, target, headers, request.get_data(parse_form_data=False))
        except NoAnswer:
            # The client sees a connection that ends, as when the network fails.
            environ["werkzeug.socket"].shutdown(SHUT_RDWR)
            raise ConnectionAbortedError from None
        except ClientDisconnected:
            # As when a kernel dies in the middle of a request: nobody waits, and it is nothing to report.
            raise ConnectionAbortedError from None
        return Response(reply.body, reply.status, reply.headers)(environ, start_response)

    def _control(self, request: Request) -> Response:
        clock = self._gateway.world.clock
        if request.path != "/_snapkit/clock":
            return _json({"message": "the clock is at /_snapkit/clock"}, 404)
        try:
            change = request.get_json() if request.method == "POST" else {}
            if not isinstance(change, dict) or set(change) - {"advance", "speed"}:
                raise InvalidRequest("clock", change, "cannot be changed so", "send advance or speed")
            speed = change.get("speed", 0)
            if "speed" in change and speed == 0 and not isinstance(speed, bool):
                clock.pause()
            elif "speed" in change:
                clock.live(speed)
            if "advance" in change:
                clock.advance(change["advance"])
            return _json({"now": clock.now().isoformat(), "speed": clock.speed}, 200)
        except InvalidRequest as refusal:
            return _json({"message": str(refusal)}, 400)
        except HTTPException as refusal:
            return _json({"message": refusal.description}, refusal.code or 400)
        except Exception as error:  # noqa: BLE001 - see as_refusal
            return _json({"message": as_refusal(error).message}, 500)


def _json(content: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(content), status, mimetype="application/json")


class _Quiet(WSGIRequestHandler):
    """Writes its log of requests for whoever asks for it, not on the screen."""

    protocol_version = "HTTP/1.1"

    def send_response(self, code: int, message: str | None = None) -> None:
        """Begin an answer without the date of the world outside: it has that of the sandbox."""
        self.log_request(code)
        self.send_response_only(code, message)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002, ARG002 - werkzeug's signature
        logging.getLogger(__name__).debug(message, *args)
