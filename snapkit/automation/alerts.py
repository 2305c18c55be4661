"""Alerts: when none of the volumes of a group could be snapshotted, and when one could again.

An alert is sent when that changes, and not at every run. Since when a group fails is kept in a tag of its first volume:

    snapkit:failing-since = 2026-01-05T03:00:00Z
"""

import json
import re
import shlex
import subprocess  # the command is the user's own
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from snapkit.automation.managed import moment, text
from snapkit.ebs import Region, Volume
from snapkit.errors import InvalidRequest, SnapkitError

FAILING = "snapkit:failing-since"
"""The tag."""

_LONGEST = 60
"""How long a command may take [s]."""

_TOPIC = re.compile(r"arn:aws[a-z-]*:sns:([a-z0-9-]+):\d{12}:[\w.-]+")


@dataclass(frozen=True)
class Alert:
    """That a group of volumes fails, or no longer does.

    Attributes:
        region: where, as ``account region``.
        group: the group, or nothing for the volumes that have none.
        failing: whether it fails now.
        since: since when it fails or failed, ISO 8601.
        volumes: ids of the volumes.
        told: the reason of the first one.
    """

    region: str
    group: str
    failing: bool
    since: str
    volumes: tuple[str, ...]
    told: str = ""

    def to_json(self) -> str:
        """Write it on one line."""
        return json.dumps({"alert": asdict(self)}, ensure_ascii=False)

    def __str__(self) -> str:
        group = f"group {self.group!r}" if self.group else "those without a group"
        many = len(self.volumes)
        if many == 1:
            whom = f"the only volume of {group} in {self.region}"
            again = f"{whom} is snapshotted again; it was not since {self.since}"
            return f"{whom} is not snapshotted since {self.since}: {self.told}" if self.failing else again
        whom = f"the {many} volumes of {group} in {self.region}"
        if not self.failing:
            return f"of {whom} some are snapshotted again; none was since {self.since}"
        return f"of {whom} none is snapshotted since {self.since}: {self.told}"


Sender = Callable[[Alert], object]
"""What an alert is given to; raises a `SnapkitError` where it cannot be sent."""


def command(line: str) -> Sender:
    """Make a sender that runs a command, with the alert as a line of JSON on its standard input.

    Raises:
        InvalidRequest: there is no command.
    """
    remedy = "give one such as 'mail -s snapshots ops@example.com'"
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise InvalidRequest("alert command", line, f"cannot be read ({error})", remedy) from None
    if not words:
        raise InvalidRequest("alert command", line, "is empty", remedy)

    def send(alert: Alert) -> None:
        try:
            subprocess.run(  # noqa: S603 - no shell, and the user's own words
                words, input=alert.to_json().encode(), check=True, capture_output=True, timeout=_LONGEST
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise InvalidRequest("alert command", line, f"failed ({error})", "run it by hand to see why") from error

    return send


def topic(region: Region, arn: str) -> Sender:
    """Make a sender that publishes to a topic of SNS, in whichever region that is: other regions do not know it.

    Raises:
        InvalidRequest: that is no topic.
    """
    found = _TOPIC.fullmatch(arn)
    if not found:
        remedy = "give one such as 'arn:aws:sns:eu-west-1:111122223333:ops'"
        raise InvalidRequest("alert topic", arn, "is no topic", remedy)
    name = found[1]

    def send(alert: Alert) -> None:
        subject = f"snapkit: {'failing' if alert.failing else 'recovered'} in {alert.region}"
        sns = region.beside(name).service("sns")
        sns.call("Publish", arn, TopicArn=arn, Subject=subject, Message=alert.to_json())

    return send


def changed(
    region: Region, group: str, volumes: Sequence[Volume], now: datetime, *, failing: bool | None, told: str
) -> Alert | None:
    """Tell whether the state of a group is another one than its tag says.

    Args:
        region: where.
        group: the group.
        volumes: its volumes, as they were read last.
        now: the moment.
        failing: whether it fails now; None where that is not known.
        told: why.
    """
    since = min((at for each in volumes if (at := moment(each.tags.get(FAILING, "")))), default=None)
    if failing is None or failing == (since is not None):
        return None
    begun = text((since or now).replace(microsecond=0))
    try:
        account = region.account
    except SnapkitError:
        account = "unknown account"
    return Alert(f"{account} {region.name}", group, failing, begun, tuple(sorted(each.id for each in volumes)), told)


def remember(alert: Alert, volumes: Sequence[Volume]) -> None:
    """Keep what an alert says in the tag, once it was sent.

    Raises:
        SnapkitError: AWS refuses.
    """
    if alert.failing:
        min(volumes, key=lambda volume: volume.id).tag({FAILING: alert.since})
        return
    for volume in volumes:
        if FAILING in volume.tags:
            volume.untag({FAILING: volume.tags[FAILING]})


def send(alert: Alert, volumes: Sequence[Volume], sender: Sender | None) -> str:
    """Send an alert, and remember that; gives the reason where that failed, and the next run tries again."""
    try:
        if sender is not None:
            sender(alert)
        remember(alert, volumes)
    except SnapkitError as error:
        return str(error)
    return ""
