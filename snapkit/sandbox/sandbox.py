"""The object that people hold: a double of EBS, with accounts, regions and a clock of its own."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, Self

import pandas as pd
from botocore.config import Config

from snapkit.access import Access
from snapkit.blocks import Workload
from snapkit.ebs import Region
from snapkit.errors import InvalidRequest, SnapkitError
from snapkit.sandbox import client
from snapkit.sandbox.call import check_tags
from snapkit.sandbox.clock import SimulatedClock
from snapkit.sandbox.disk import Disk
from snapkit.sandbox.faults import Faults
from snapkit.sandbox.gateway import Gateway
from snapkit.sandbox.limits import Buckets
from snapkit.sandbox.refusal import Refusal
from snapkit.sandbox.server import Server
from snapkit.sandbox.volume import Volume
from snapkit.sandbox.world import World
from snapkit.sandbox.writes import Replay
from snapkit.timing import Timing
from snapkit.units import DAY, Duration, to_seconds

ACCOUNTS: Mapping[str, str] = {"111122223333": "production", "444455556666": "staging", "777788889999": "audit"}
"""Accounts of a sandbox that names none: made-up ids, in the way of AWS's documentation."""

START = datetime(2026, 1, 5, tzinfo=UTC)
"""When a sandbox begins that says nothing else: a Monday."""


_LONGEST_PAST = 1000 * 365 * DAY
"""How far back `Sandbox.fill` may reach [s]: what Python's dates can hold."""


class Sandbox:
    """A double of EBS.

    Nothing that it does, and none of its clients, can reach AWS. It reads neither the environment nor ``~/.aws``. Two
    of the same seed that are asked the same give the same ids and times.

    Attributes:
        clock: its time, which stands until it is moved.
        faults: what goes wrong on purpose.
        accounts: the ids of its accounts, the first being the default.
    """

    def __init__(
        self,
        seed: int = 0,
        accounts: Iterable[str] | Mapping[str, str] = ACCOUNTS,
        start: datetime | str = START,
        *,
        limits: Literal["aws"] | None = None,
        timing: Timing = Timing(spread=0.0),  # noqa: B008 - frozen
        workload: Workload | None = None,
    ) -> None:
        """Make an empty one.

        Args:
            seed: of ids and of all chance.
            accounts: their ids, twelve digits each, or names by id; the first one is the default, and the management
                account of the organization.
            start: when its time begins; without a zone, in UTC.
            limits: ``"aws"`` to be refused for more requests than AWS takes in a time. Its other limits always hold.
            timing: how long snapshots take; the spread is drawn anew for each. By default that of `snapkit.Timing`
                without spread, so that nothing is left to chance.
            workload: writes to every new volume. Without one a volume is empty until `write`, `run` or `replay`.

        Raises:
            InvalidRequest: an argument cannot be.
        """
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise InvalidRequest("seed", seed, "is no whole number from 0 up", "give one, say 0")
        if limits not in (None, "aws"):
            raise InvalidRequest("limits", limits, "is not known", "give 'aws', or nothing")
        if not isinstance(timing, Timing):
            raise InvalidRequest("timing", timing, "is no Timing", "give a snapkit.Timing, say Timing(spread=0)")
        self._world = World(
            seed=seed,
            accounts=_accounts(accounts),
            start=_start(start),
            timing=timing,
            workload=None if workload is None else _workload(workload),
            buckets=Buckets() if limits else None,
        )
        self._gateway = Gateway(self._world)
        self._servers: list[Server] = []

    @classmethod
    def demo(cls, seed: int = 0, start: datetime | str = START) -> Self:
        """Make a believable estate: accounts, servers, volumes and a history of snapshots.

        Args:
            seed: of ids and of all chance.
            start: the time at which it is handed over; its history lies before.

        Raises:
            InvalidRequest: an argument cannot be.
        """
        from snapkit.sandbox import demo

        end = _start(start)
        sandbox = cls(seed, demo.ACCOUNTS, demo.begin(end), timing=Timing())
        demo.build(sandbox, end)
        return sandbox

    @property
    def clock(self) -> SimulatedClock:
        """Its time, which stands until it is moved."""
        return self._world.clock

    @property
    def faults(self) -> Faults:
        """What goes wrong on purpose."""
        return self._world.faults

    @property
    def accounts(self) -> tuple[str, ...]:
        """The ids of its accounts."""
        return tuple(self._world.accounts)

    @property
    def regions(self) -> tuple[str, ...]:
        """The names of its regions: those of AWS."""
        return self._world.regions

    def client(
        self, service: str, region: str = "us-east-1", account: str | None = None, config: Config | None = None
    ) -> Any:
        """Make a boto3 client.

        What it waits, in waiters and between retries, passes on the clock of the sandbox.

        Args:
            service: as for `boto3.client`.
            region: such as ``"eu-west-1"``.
            account: one of `accounts`, by default the first.
            config: of botocore, besides.

        Raises:
            InvalidRequest: the sandbox has no such account or region.
        """
        self._check_region(region)
        if config is not None and not isinstance(config, Config):
            raise InvalidRequest("config", config, "is no configuration", "give a botocore.config.Config")
        return client.make(self._gateway, service, region, self._account(account), config)

    def region(self, name: str = "us-east-1", account: str | None = None, *, access: Access | None = None) -> Region:
        """Return a region of an account, whose clock is that of the sandbox.

        Args:
            name: such as ``"eu-west-1"``.
            account: one of `accounts`, by default the first.
            access: what the person who uses it may do, by default everything.

        Raises:
            InvalidRequest: the sandbox has no such account or region.
        """
        return Region(
            self.client("ec2", name, account),
            clock=self.clock,
            clients=lambda service: self.client(service, name, account),
            regions=lambda other: self.region(other, account),
            access=access,
        )

    def credentials(self, account: str | None = None) -> dict[str, str]:
        """Return made-up credentials of an account, named as `boto3.client` takes them.

        Raises:
            InvalidRequest: the sandbox has no such account.
        """
        return dict(client.account_credentials(self._account(account)))

    def serve(self, speed: float | None = None, port: int = 0) -> str:
        """Answer over HTTP, on the loopback address only, until `close`.

        Args:
            speed: simulated seconds to one second outside; by default the clock stays as it is.
            port: where, by default a free one.

        Returns:
            The endpoint URL, for ``AWS_ENDPOINT_URL``, ``--endpoint-url`` and `snapkit.clock.RemoteClock`.

        Raises:
            InvalidRequest: the speed is no number above 0, or the port is not free.
            SnapkitError: it was closed.
        """
        if self._world.closed:
            raise SnapkitError("the sandbox was closed; make a new one to serve")
        if speed is not None:
            self.clock.live(speed)
        server = Server(self._gateway, port)
        self._servers.append(server)
        return server.url

    def close(self) -> None:
        """End it: stop serving, and let its clients fail with a clear error."""
        self._world.closed = True
        while self._servers:
            self._servers.pop().stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, volume_id: str, first: int, count: int = 1) -> None:
        """Write blocks of a volume, now.

        Args:
            volume_id: of whichever account and region.
            first: number of the first block of 512 KiB.
            count: how many in a row.

        Raises:
            InvalidRequest: there is no such volume, or the blocks do not lie on it.
        """
        with self.clock.lock:
            self._disk(volume_id).write(first, count, self.clock.seconds())

    def put(self, volume_id: str, block: int, data: bytes) -> None:
        """Write one block of a volume, now, with this content.

        Args:
            volume_id: of whichever account and region.
            block: its number.
            data: 512 KiB.

        Raises:
            InvalidRequest: there is no such volume, the block does not lie on it, or the content is no whole block.
        """
        with self.clock.lock:
            self._disk(volume_id).put(block, data, self.clock.seconds())

    def run(self, volume_id: str, workload: Workload) -> None:
        """Let a workload write to a volume from now on, statistically: as many blocks per interval as it says.

        On an empty volume data lies from the beginning as far as the workload reaches. The moments of one that is
        `rewritten` count from now, and one that is `growing` fills the volume from where its data end. Writes beyond
        the end of the volume are left out.

        Raises:
            InvalidRequest: there is no such volume, or the workload stands for several volumes or counts in other
                blocks than EBS does.
        """
        with self.clock.lock:
            self._world.run(self._disk(volume_id), _workload(workload))

    def replay(self, volume_id: str, frame: pd.DataFrame, device: object = None, span: Duration | None = None) -> None:
        """Let the writes of a trace happen to a volume from now on, one by one, again and again.

        On an empty volume data lies from the beginning as far as the requests of the trace reach, in whole GiB. Writes
        beyond the end of the volume are left out.

        Args:
            volume_id: of whichever account and region.
            frame: as for `Workload.from_trace`.
            device: which of several devices.
            span: how long the recording lasted.

        Raises:
            InvalidRequest: there is no such volume, or the frame is no block trace.
        """
        replay = Replay(frame, device, span)
        with self.clock.lock:
            self._disk(volume_id).run(replay, self.clock.seconds())

    def fill(
        self,
        volume_id: str,
        count: int,
        *,
        every: Duration = "1h",
        tags: Mapping[str, str] | None = None,
        description: str = "",
    ) -> list[str]:
        """Give a volume a past: complete snapshots, the last one an interval before now.

        Args:
            volume_id: of whichever account and region.
            count: how many.
            every: how far apart [s].
            tags: of each of them.
            description: of each of them.

        Returns:
            Their ids, oldest first.

        Raises:
            InvalidRequest: there is no such volume, the count is no number from 0 up, EC2 would refuse the tags, or the
                past would reach back too far.
        """
        if isinstance(count, bool) or not isinstance(count, int) or count < 0:
            raise InvalidRequest("count", count, "is no number of snapshots", "give a whole number from 0 up")
        volume, interval, now = self._volume(volume_id), to_seconds(every, "every"), self.clock.now()
        given = _tags(tags)
        if interval * count > _LONGEST_PAST:
            raise InvalidRequest("every", every, f"reaches back too far, {count} times", "give fewer or closer ones")
        with self.clock.lock:
            return [
                volume.ec2_backend.record(volume, now - timedelta(seconds=interval * back), description, given).id
                for back in range(count, 0, -1)
            ]

    def _disk(self, volume_id: str) -> Disk:
        return self._volume(volume_id).disk

    def _volume(self, volume_id: str) -> Volume:
        for account in self.accounts:
            for ec2 in self._world.touched(account):
                if volume_id in ec2.volumes:
                    return ec2.volumes[volume_id]
        raise InvalidRequest("volume", volume_id, "is not in this sandbox", "create it first, with client('ec2')")

    def _account(self, account: str | None) -> str:
        if account is None:
            return self.accounts[0]
        if account not in self.accounts:
            raise InvalidRequest(
                "account", account, "is not in this sandbox", f"choose one of {', '.join(self.accounts)}"
            )
        return account

    def _check_region(self, region: str) -> None:
        if region not in self.regions:
            raise InvalidRequest("region", region, "is no region of AWS", f"choose one of {', '.join(self.regions)}")

    def __repr__(self) -> str:
        return f"<Sandbox of {len(self.accounts)} accounts at {self.clock.now():%Y-%m-%d %H:%M:%S} UTC>"


def _workload(given: Workload) -> Workload:
    if not isinstance(given, Workload):
        raise InvalidRequest("workload", given, "is no workload", "give Workload.profile('workstation'), say")
    return given


def _tags(given: Mapping[str, str] | None) -> dict[str, str]:
    remedy = "give a mapping of texts that EC2 takes as tags"
    if given is not None and not isinstance(given, Mapping):
        raise InvalidRequest("tags", given, "are no mapping", remedy)
    tags = dict(given or {})
    if not all(isinstance(text, str) for pair in tags.items() for text in pair):
        raise InvalidRequest("tags", given, "are not all text", remedy)
    try:
        check_tags(tags)
    except Refusal as refusal:
        raise InvalidRequest("tags", given, f"would be refused ({refusal.message})", remedy) from None
    return tags


def _accounts(given: Iterable[str] | Mapping[str, str]) -> dict[str, str]:
    remedy = "give ids of twelve digits as text, say ['111122223333', '444455556666']"
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InvalidRequest("accounts", given, "are no list of ids", remedy)
    ids = list(given)
    names = dict(given) if isinstance(given, Mapping) else {account: f"account {account}" for account in ids}
    if len(names) < len(ids):
        raise InvalidRequest("accounts", given, "name one twice", remedy)
    for account in names:
        if not (isinstance(account, str) and len(account) == 12 and account.isascii() and account.isdigit()):
            raise InvalidRequest("account", account, "is no id of an account", remedy)
    if not names:
        raise InvalidRequest("accounts", given, "are none", remedy)
    return names


def _start(given: datetime | str) -> datetime:
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else given
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, AttributeError, OverflowError):
        raise InvalidRequest(
            "start", given, "is no moment", "give a datetime, or text like '2026-01-05T00:00'"
        ) from None
