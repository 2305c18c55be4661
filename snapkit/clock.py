"""The one seam to time: what the time is, and waiting for it to pass."""

import asyncio
import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.client import HTTPException
from typing import Protocol

from snapkit.errors import InvalidRequest
from snapkit.units import Duration, to_seconds


class Clock(Protocol):
    """What everything that waits asks of time."""

    def now(self) -> datetime:
        """Tell the time, in UTC."""
        ...

    def sleep(self, duration: Duration) -> None:
        """Return when so much time [s] has passed on this clock."""
        ...

    async def asleep(self, duration: Duration) -> None:
        """Likewise, leaving the event loop free meanwhile."""
        ...


class SystemClock:
    """The time of the world outside."""

    def now(self) -> datetime:
        """Tell the time, in UTC."""
        return datetime.now(UTC)

    def sleep(self, duration: Duration) -> None:
        """Return when so much time [s] has passed."""
        time.sleep(to_seconds(duration, zero=True))

    async def asleep(self, duration: Duration) -> None:
        """Likewise, leaving the event loop free meanwhile."""
        await asyncio.sleep(to_seconds(duration, zero=True))


class RemoteClock:
    """The clock of a sandbox that another process serves."""

    def __init__(self, endpoint: str) -> None:
        """Look at a sandbox; nothing is asked of it yet.

        Args:
            endpoint: the URL that `Sandbox.serve` gave.
        """
        self._url = f"{endpoint.rstrip('/')}/_snapkit/clock"

    def now(self) -> datetime:
        """Tell the time of the sandbox, in UTC."""
        return self._ask()[0]

    @property
    def speed(self) -> float:
        """Simulated seconds to one second outside; 0 while the clock of the sandbox stands."""
        return self._ask()[1]

    def advance(self, duration: Duration) -> datetime:
        """Move the sandbox on by so much [s]; returns the time that it is then.

        Raises:
            InvalidRequest: it is no duration, or nothing answers there.
        """
        return self._ask(advance=to_seconds(duration, zero=True))[0]

    def live(self, speed: float = 1.0) -> None:
        """Let the time of the sandbox pass by itself, so many seconds to one of the world outside.

        Raises:
            InvalidRequest: the speed is no number above 0, or nothing answers there.
        """
        if speed == 0:
            raise InvalidRequest("speed", speed, "is no number above 0", "use pause() to let the clock stand")
        self._ask(speed=speed)

    def pause(self) -> None:
        """Let no time pass by itself any more."""
        self._ask(speed=0)

    def sleep(self, duration: Duration) -> None:
        """Return when so much time [s] has passed in the sandbox: at once where it does not pass by itself."""
        time.sleep(self._wait(duration))

    async def asleep(self, duration: Duration) -> None:
        """Likewise, leaving the event loop free meanwhile."""
        await asyncio.sleep(self._wait(duration))

    def _wait(self, duration: Duration) -> float:
        """Move a clock that stands; tell how long to wait [s] for one that runs."""
        seconds = to_seconds(duration, zero=True)
        speed = self.speed
        if speed:
            return seconds / speed
        self._ask(advance=seconds)
        return 0.0

    def _ask(self, **change: float) -> tuple[datetime, float]:
        """Change the clock, or not; tell its time and its speed."""
        body = json.dumps(change).encode() if change else None
        # Straight to the loopback address: a proxy that the environment names has no business here.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            request = urllib.request.Request(self._url, body, {"Content-Type": "application/json"})  # noqa: S310 - ours
            with opener.open(request, timeout=60) as answer:
                told = json.load(answer)
            return datetime.fromisoformat(told["now"]), float(told["speed"])
        except urllib.error.HTTPError as refusal:
            with refusal:
                raise InvalidRequest("clock", change, f"was refused ({refusal.code})", _reason(refusal)) from None
        except (OSError, HTTPException, ValueError, LookupError, TypeError) as error:
            rule = f"does not answer as a sandbox ({type(error).__name__}: {error})"
            raise InvalidRequest("endpoint", self._url, rule, "start one with `snapkit sandbox`") from error

    def __repr__(self) -> str:
        return f"<RemoteClock {self._url}>"


def _reason(refusal: urllib.error.HTTPError) -> str:
    try:
        return str(json.load(refusal)["message"])
    except (ValueError, LookupError, TypeError):
        return "give the endpoint of a served sandbox"
