"""Simulated time, with SimPy as the engine of events."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import RLock

import simpy

from snapkit.errors import InvalidRequest
from snapkit.units import Duration, to_seconds

_TICK = timedelta(milliseconds=1)


class SimulatedClock:
    """A clock that moves when it is told to, or by itself at a chosen speed.

    Nothing happens between two looks at a running clock: each look first lets happen what was due until then. So no
    thread runs in the background, and what happened does not depend on when somebody looked. Time is counted in whole
    milliseconds, as AWS shows it: what is shown is exactly when it happens.

    Attributes:
        speed: simulated seconds to one second outside; 0 while the clock stands.
    """

    def __init__(self, start: datetime) -> None:
        self.speed = 0.0
        self.lock = RLock()
        self._start = start
        self._events = simpy.Environment()
        self._latest = (datetime.max.replace(tzinfo=UTC) - start) // _TICK
        self._running_since = (0.0, 0)
        self._moving = False

    def now(self) -> datetime:
        """Tell the time, in UTC, to the millisecond."""
        return self._start + self._look() * _TICK

    def seconds(self) -> float:
        """Tell the time since the start [s]."""
        return self._look() / 1000

    def seconds_at(self, moment: datetime) -> float:
        """Tell how far a moment lies from the start [s]."""
        return (moment - self._start).total_seconds()

    def advance(self, duration: Duration) -> datetime:
        """Move on by so much [s], and let happen what is due until then, at that very moment included.

        Returns:
            The time that it is then.

        Raises:
            InvalidRequest: it is no duration, or leads beyond the year 9999.
        """
        seconds = to_seconds(duration, zero=True)
        with self.lock:
            until = self._look() + round(seconds * 1000)
            if until > self._latest:
                raise InvalidRequest("duration", duration, "leads beyond the year 9999", "give a shorter one")
            self._run(until)
            self._running_since = (time.monotonic(), until)
            return self.now()

    def advance_to(self, moment: datetime) -> datetime:
        """Move on to a moment, as `advance` does.

        Raises:
            InvalidRequest: it is past, or has no time zone.
        """
        if not isinstance(moment, datetime) or moment.tzinfo is None:
            raise InvalidRequest("moment", moment, "is no time in a zone", "give a datetime with tzinfo, say UTC")
        with self.lock:
            if moment < self.now():
                raise InvalidRequest("moment", str(moment), "is past", f"it is {self.now()} already")
            return self.advance(moment - self.now())

    def live(self, speed: float = 1.0) -> None:
        """Let time pass by itself.

        Args:
            speed: simulated seconds to one second outside.

        Raises:
            InvalidRequest: the speed is no number above 0.
        """
        if isinstance(speed, bool) or not isinstance(speed, int | float) or not 0 < speed < float("inf"):
            raise InvalidRequest("speed", speed, "is no number above 0", "give simulated seconds per second, say 600")
        with self.lock:
            self._running_since = (time.monotonic(), self._look())
            self.speed = float(speed)

    def pause(self) -> None:
        """Let no time pass by itself any more."""
        with self.lock:
            self._look()
            self.speed = 0.0

    def sleep(self, duration: Duration) -> None:
        """Return when so much time [s] has passed: at once, by moving the clock, where it stands."""
        if outside := self._wait(duration):
            time.sleep(outside)

    async def asleep(self, duration: Duration) -> None:
        """Likewise, leaving the event loop free meanwhile."""
        await asyncio.sleep(self._wait(duration))

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Let something happen when so much time [s] has passed."""
        with self.lock:
            self._look()
            event = self._events.timeout(max(0, round(seconds * 1000)))
            event.callbacks.append(lambda _: action())

    def at(self, moment: datetime, action: Callable[[], None]) -> None:
        """Let something happen at a moment; at the next move if it is past."""
        self.after(self.seconds_at(moment) - self.seconds(), action)

    def _wait(self, duration: Duration) -> float:
        """Move a clock that stands; tell how long to wait [s] for one that runs."""
        seconds = to_seconds(duration, zero=True)
        if self.speed:
            return seconds / self.speed
        self.advance(seconds)
        return 0.0

    def _look(self) -> int:
        """Let happen what is due; tell the time since the start [ms]."""
        with self.lock:
            # What happens sees the moment at which it happens, not that of the look which lets it happen.
            if self.speed and not self._moving:
                outside, inside = self._running_since
                passed = (time.monotonic() - outside) * self.speed * 1000
                self._run(inside + int(min(passed, self._latest - inside)))
            return int(self._events.now)

    def _run(self, until: int) -> None:
        self._moving = True
        try:
            while self._events.peek() <= until:
                self._events.step()
            if until > self._events.now:
                self._events.run(until)
        finally:
            self._moving = False

    def __repr__(self) -> str:
        pace = f"x{self.speed:g}" if self.speed else "standing"
        return f"<SimulatedClock {self.now().astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC, {pace}>"
