"""The command ``snapkit run``: one step of strategies, for a timer."""

import argparse
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from snapkit.errors import InvalidRequest, SnapkitError

if TYPE_CHECKING:
    from snapkit.automation.alerts import Sender
    from snapkit.automation.assigning import Assignment
    from snapkit.ebs import Estate
    from snapkit.plan import Deed

_TOLD = """\
Without --apply it only shows what it would do. A strategy protects the volumes and servers that are tagged
snapkit:strategy with its name, or what --tag, --volume and --server name. What is tagged with the name of another one
is refused.

Exit status: 0 all is well, 1 something was not done, 2 refused before the first step, 3 no volume of a group could be
snapshotted.
"""


def add(commands: "argparse._SubParsersAction[Any]") -> None:
    """Add the command to those of a command line."""
    parser = commands.add_parser(
        "run",
        help="do what strategies want now, once; for a timer",
        description="Do what strategies want now, once.",
        epilog=_TOLD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("strategies", nargs="+", metavar="strategy.toml", help="strategies, a file each")
    parser.add_argument("--apply", action="store_true", help="do it, and not only show it")
    parser.add_argument("--tag", action="append", default=[], metavar="KEY=VALUE", help="protect what has this tag")
    parser.add_argument("--volume", action="append", default=[], metavar="ID", help="protect this volume")
    parser.add_argument(
        "--server", action="append", default=[], metavar="ID", help="protect the volumes of this server"
    )
    parser.add_argument("--region", action="append", default=[], help="where; by default AWS_REGION")
    parser.add_argument("--profile", action="append", default=[], help="of the AWS configuration, for each account one")
    parser.add_argument("--endpoint", metavar="URL", help="of AWS, or of a sandbox that is served")
    parser.add_argument("--json", action="store_true", help="a line of JSON for each step, and not a table")
    alert = parser.add_mutually_exclusive_group()
    alert.add_argument("--alert-command", metavar="COMMAND", help="gets each alert as JSON on its standard input")
    alert.add_argument("--alert-topic", metavar="ARN", help="of SNS, to which each alert is published")
    parser.set_defaults(verb=main)


def main(given: argparse.Namespace) -> int:
    """Do what the command line says; returns the exit status."""
    # Here, so that other commands need not wait for boto3.
    from snapkit.automation.ran import REFUSED, deed_line
    from snapkit.automation.runner import run

    def show(deed: "Deed") -> None:
        sys.stdout.write(f"{deed_line(deed)}\n")
        sys.stdout.flush()

    try:
        estate = _estate(given)
        ran = run(
            _assignments(given),
            estate,
            apply=given.apply,
            alert=_sender(given, estate),
            on_deed=show if given.json else None,
        )
    except SnapkitError as error:
        sys.stderr.write(f"snapkit: {error}\n")
        return REFUSED
    sys.stdout.write("".join(f"{each}\n" for each in (ran.lines() if given.json else [str(ran)])))
    return ran.status


def _assignments(given: argparse.Namespace) -> "list[Assignment]":
    from snapkit.automation.assigning import Assignment
    from snapkit.strategy import Strategy

    named = bool(given.tag or given.volume or given.server)
    if named and len(given.strategies) > 1:
        rule = "are more than one, so that it is open which of them --tag, --volume and --server are for"
        remedy = "leave those out, and tag each volume or server with the name of its strategy: snapkit:strategy=NAME"
        raise InvalidRequest("strategies", given.strategies, rule, remedy)
    tags = {}
    for each in given.tag:
        key, found, value = each.partition("=")
        if not (key and found):
            raise InvalidRequest("--tag", each, "is no tag", "write KEY=VALUE; * stands for any value")
        tags[key] = value
    return [Assignment(Strategy.load(path), tags, given.volume, given.server) for path in given.strategies]


def _estate(given: argparse.Namespace) -> "Estate":
    from snapkit.clock import RemoteClock
    from snapkit.ebs import Estate

    variables = (os.environ.get(name) for name in ("AWS_REGION", "AWS_DEFAULT_REGION"))
    names = given.region or [name for name in variables if name][:1]
    if not names:
        raise InvalidRequest("region", None, "is not named", "give --region, such as eu-west-1")
    if given.endpoint:
        # boto3 reads it for each of its clients, those of other regions among them.
        os.environ["AWS_ENDPOINT_URL"] = given.endpoint
    estate = Estate.connect(given.profile or [None], names)
    if given.endpoint:
        clock = RemoteClock(given.endpoint)
        # What is no sandbox has no clock of its own.
        with suppress(InvalidRequest):
            clock.now()
            for region in estate.regions:
                region.clock = clock
    return estate


def _sender(given: argparse.Namespace, estate: "Estate") -> "Sender | None":
    from snapkit.automation import alerts

    if given.alert_topic:
        return alerts.topic(estate.regions[0], given.alert_topic)
    return alerts.command(given.alert_command) if given.alert_command else None
