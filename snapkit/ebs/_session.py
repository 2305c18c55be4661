"""Sessions of botocore that share the models of services, and read times at a fortieth of what it costs botocore."""

from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Any

import botocore.session
from botocore.loaders import Loader, create_loader
from botocore.utils import parse_timestamp


def session(variables: Any = None, *, profile: str | None = None) -> botocore.session.Session:
    """Make a session.

    Its clients read a time that AWS gives in UTC as one in UTC, also where that is the zone of this machine, of which
    botocore makes a local time.

    Args:
        variables: of its configuration, as botocore takes them; by default its own.
        profile: of the AWS configuration.

    Raises:
        ProfileNotFound: there is no such profile.
    """
    made = botocore.session.Session(variables, profile=profile)
    made.register_component("data_loader", _models(made.get_config_variable("data_path")))
    made.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_moment)
    return made


@cache
def _models(path: str | None) -> Loader:
    """Read the models of services once in a process: for a second region that would take longer than all else."""
    return create_loader(path)


def _moment(told: Any) -> Any:
    if isinstance(told, str) and told.endswith("Z"):
        with suppress(ValueError):
            return datetime.fromisoformat(told)
    # Seconds since 1970, as the services that speak JSON tell them, and what else there may be.
    return parse_timestamp(told)
