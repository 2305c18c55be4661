"""The command ``snapkit``: run strategies, serve a sandbox to other programs, or the console to a browser."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, NoReturn

import snapkit
from snapkit.access import Access
from snapkit.errors import InvalidRequest

if TYPE_CHECKING:
    from snapkit import Sandbox

_WARNING = "Keep the address to yourself: whoever has it can do what this process can."
_LOOK = 0.5
"""How long a signal may wait [s]: on Windows it does not interrupt a wait."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says.

    Args:
        arguments: without the name of the command; by default those of this process.

    Returns:
        The exit code: 0, or 2 where it could not be done; that of ``run`` says more.
    """
    given = _parser().parse_args(arguments)
    try:
        return given.verb(given) or 0
    except (ImportError, InvalidRequest) as error:
        sys.stderr.write(f"snapkit: {error}\n")
        return 2


def _sandbox(given: argparse.Namespace) -> None:
    from snapkit import Sandbox

    with Sandbox.demo(given.seed) if given.demo else Sandbox(given.seed) as sandbox:
        _serve(sandbox, given.speed, given.port)


def _console(given: argparse.Namespace) -> None:
    from snapkit.console import serving
    from snapkit.console.strategies import check_folder
    from snapkit.ebs import connect

    serving.check_host(given.host)
    if given.strategies is not None:
        check_folder(given.strategies)
        given.strategies = given.strategies.resolve()
    if given.access is not None:
        Access.load(given.access)
        given.access = given.access.resolve()
    shown = {name: str(getattr(given, name) or "") for name in ("access", "strategies")}

    def tell(url: str) -> None:
        sys.stdout.write(f"The console of {where} answers at {url} until Ctrl-C.\n{_WARNING}\n")
        sys.stdout.flush()

    if given.region is not None:
        connect(given.region, given.profile)  # refuses what no page could look at
        where = f"{given.profile or 'the default profile'} in {given.region}"
        serving.serve({"profile": given.profile, "region": given.region} | shown, tell, port=given.port)
        return
    if given.profile is not None:
        raise InvalidRequest("profile", given.profile, "has no region with it", "give --region as well, say eu-west-1")
    from snapkit import Sandbox
    from snapkit.console import demo

    where = f"a demo, whose time passes {given.speed:g} times as fast as outside,"
    with Sandbox.demo(given.seed) as sandbox, TemporaryDirectory(prefix="snapkit-") as made:
        if given.strategies is None:
            demo.assign(sandbox, Path(made))
            shown["strategies"] = made
        serving.serve(serving.of_sandbox(sandbox, given.speed) | shown, tell, port=given.port)


def _serve(sandbox: "Sandbox", speed: float | None, port: int) -> None:
    """Serve until the process is told to stop."""
    stop = Event()
    before = {each: signal.signal(each, lambda *_: stop.set()) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        sys.stdout.write(_welcome(sandbox, sandbox.serve(speed, port)))
        sys.stdout.flush()
        while not stop.wait(_LOOK):
            pass
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _welcome(sandbox: "Sandbox", url: str) -> str:
    """Say where it is, who may ask and how."""
    clock = sandbox.clock
    pace = f"passes {clock.speed:g} times as fast as outside" if clock.speed else "stands until it is moved"
    names = {each["Id"]: each["Name"] for each in sandbox.client("organizations").list_accounts()["Accounts"]}
    keys = {account: sandbox.credentials(account) for account in sandbox.accounts}
    width = max(len(name) for name in names.values())
    rows = "\n".join(
        f"  {account}  {names[account]:{width}}  {key['aws_access_key_id']}  {key['aws_secret_access_key']}"
        for account, key in keys.items()
    )
    first = keys[sandbox.accounts[0]]
    return f"""\
A double of EBS answers at {url} until Ctrl-C.
Its time is {clock.now():%Y-%m-%d %H:%M:%S} UTC, and {pace}.

Accounts, with their access keys and secrets:
{rows}

With the AWS CLI:
  export AWS_ENDPOINT_URL={url} AWS_DEFAULT_REGION=us-east-1
  export AWS_ACCESS_KEY_ID={first["aws_access_key_id"]} AWS_SECRET_ACCESS_KEY={first["aws_secret_access_key"]}
  aws ec2 describe-snapshots --owner-ids self

To move its time, in Python:
  from snapkit.clock import RemoteClock
  RemoteClock("{url}").advance("1h")
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, where argparse writes a paragraph."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    from snapkit.automation import command

    parser = _Parser(prog="snapkit", description="Block-storage snapshots, and a place to try them out.")
    parser.add_argument("--version", action="version", version=f"snapkit {snapkit.__version__}")
    commands = parser.add_subparsers(required=True, metavar="command")
    sandbox = commands.add_parser(
        "sandbox", help="serve a double of EBS on this machine", description="Serve a double of EBS on this machine."
    )
    sandbox.add_argument("--demo", action="store_true", help="with servers, volumes and a history of snapshots")
    sandbox.add_argument("--speed", type=float, help="let its time pass, so many seconds to one outside, say 600")
    sandbox.add_argument("--port", type=int, default=0, help="where to answer; by default a free port")
    sandbox.add_argument("--seed", type=int, default=0, help="of ids and of all chance; by default 0")
    sandbox.set_defaults(verb=_sandbox)
    words = "serve the pages of snapshots, volumes and strategies to a browser on this machine"
    console = commands.add_parser("console", help=words, description=f"{words.capitalize()}.")
    console.add_argument("--region", help="of a real account, such as eu-west-1; by default a demo")
    console.add_argument("--profile", help="of the AWS configuration; by default what boto3 finds")
    console.add_argument("--access", type=Path, metavar="FILE", help="of what you may do, in TOML; by default all")
    told = "the folder of their TOML files; by default none, and made-up ones in the demo"
    console.add_argument("--strategies", type=Path, metavar="FOLDER", help=told)
    console.add_argument("--speed", type=float, default=60, help="of the demo's time; by default 60 seconds to one")
    console.add_argument("--seed", type=int, default=0, help="of the demo's ids and of all chance; by default 0")
    console.add_argument("--port", type=int, default=0, help="where to answer; by default a free port")
    console.add_argument("--host", default="127.0.0.1", help="the loopback address, and no other")
    console.set_defaults(verb=_console)
    command.add(commands)
    return parser
