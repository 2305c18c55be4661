"""Processes of ``snapkit`` that can be killed: a warm one forks them, for each line of JSON that it reads.

Run as a program, so that what is killed shares nothing with the test but the sandbox that the test serves. Warm,
because its imports take a process longer than all else.
"""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import Future
from pathlib import Path
from threading import Lock
from typing import Any

WITHIN = 120
"""How long a process may take to begin [s]."""

_PAUSE = 0.01
"""Between two looks at a process [s]."""


class Program:
    """The process that forks the others."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - this file
            [sys.executable, __file__],
            env={**os.environ, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lock = Lock()

    def ask(self, **asked: Any) -> int | None:
        """Send a line, and read the number that answers it, if any."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(f"{json.dumps(asked)}\n")
            self._process.stdin.flush()
            answer: int | None = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=WITHIN)


class Process:
    """One process of ``snapkit``."""

    def __init__(self, program: Program, out: Path) -> None:
        """Prepare one, that it may be killed as soon as it has begun.

        Args:
            program: what forks it.
            out: a file for what it prints.
        """
        self.out = out
        self._program = program
        self._pid: Future[int | None] = Future()

    def begin(self, *arguments: str) -> None:
        """Begin."""
        self._pid.set_result(self._program.ask(arguments=arguments, out=str(self.out)))

    def kill(self) -> None:
        """End it, as ``kill -9`` does."""
        os.kill(self._pid.result(WITHIN) or 0, signal.SIGKILL)

    def wait(self) -> int:
        """Wait for its end; gives its exit status, or below zero the signal that has ended it."""
        while (status := self._program.ask(look=self._pid.result(WITHIN))) is None:
            time.sleep(_PAUSE)
        return status


def _main() -> None:
    from snapkit import cli
    from snapkit.automation import runner  # noqa: F401 - warms it
    from snapkit.ebs import connect

    connect("us-east-1")
    for line in sys.stdin:
        asked = json.loads(line)
        answer: int | None
        if "look" in asked:
            ended, status = os.waitpid(asked["look"], os.WNOHANG)
            answer = os.waitstatus_to_exitcode(status) if ended else None
        elif (answer := os.fork()) == 0:
            with Path(asked["out"]).open("w") as out:
                sys.stdin, sys.stdout, sys.stderr = None, out, out
                status = cli.main(asked["arguments"])
            os._exit(status)
        sys.stdout.write(f"{json.dumps(answer)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _main()
