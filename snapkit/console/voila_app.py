"""Voilà as the console needs it: one notebook, one door, nothing without the token."""

import logging
from collections.abc import Callable
from pathlib import Path
from socket import socket
from typing import Any

from jupyter_server import DEFAULT_STATIC_FILES_PATH
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from voila.app import Voila

_HERE = Path(__file__).parent
NOTEBOOK = _HERE / "console.ipynb"
_POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'; form-action 'self'"
"""A page loads from here and sends to here, whatever stands in it. Voilà and widgets make scripts as they go."""
_FORGOTTEN = 600
"""After how long the kernel of a page that nobody has open any more is ended [s]."""


class ConsoleApp(Voila):  # type: ignore[misc] # it has no types
    """Serves the notebook of the console."""

    def __init__(self, door: socket, token: str, tell: Callable[[str], object]) -> None:
        """Set it up; nothing is answered yet.

        Args:
            door: where it listens.
            token: what one has to know.
            tell: called with the address once it answers.
        """
        # No configuration of a user or folder: it could open another door.
        super().__init__(config_file_paths=[], token=token, open_browser=False, log_level="ERROR")
        self._door, self._tell = door, tell
        # Over TCP other users of this machine could listen to what a kernel says.
        self.config.KernelManager.transport = "ipc"
        self.config.MappingKernelManager.cull_idle_timeout = _FORGOTTEN
        self.initialize([])
        self.root_dir, self.notebook_path = str(NOTEBOOK.parent), str(NOTEBOOK)
        self.template_paths: list[str] = [str(_HERE / "template"), *self.template_paths]
        self.voila_configuration.file_allowlist = []
        self.tornado_settings = {
            "allow_remote_access": False,
            # The page of an error asks for it.
            "static_path": DEFAULT_STATIC_FILES_PATH,
            "headers": {"Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"},
        }

    def listen(self) -> None:
        """Answer at the door."""
        self.port = self._door.getsockname()[1]
        self._door.setblocking(False)  # noqa: FBT003 - of the standard library
        HTTPServer(self.app).add_sockets([self._door])
        self.ioloop: Any = IOLoop.current()
        # They would say on the screen that a stranger was turned away.
        logging.getLogger("tornado").setLevel(logging.CRITICAL)
        self._tell(f"http://127.0.0.1:{self.port}/?token={self.token}")
        try:
            self.ioloop.start()
        except KeyboardInterrupt:
            pass
        finally:
            self.stop()
