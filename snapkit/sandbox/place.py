"""Set the world of one sandbox in moto's place, for the time of one request.

moto keeps what it knows in objects that belong to the whole process. Here every sandbox has its own, and puts them in
only while it answers; before and after, moto is as it was. So sandboxes do not disturb each other, nor anybody's
`mock_aws`, whoever starts or ends first.
"""

import datetime
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock
from types import ModuleType
from typing import Any, TypeAlias

import boto3
import moto.core.config
import moto.core.utils
import moto.iam.models
import moto.settings
import moto.sts.models
from moto.core.base_backend import AccountSpecificBackend, BackendDict
from moto.core.common_models import BaseModel
from moto.core.responses import BaseResponse
from moto.ec2.models.subnets import Subnet
from moto.moto_api._internal import mock_random

Content: TypeAlias = tuple[BackendDict[Any], list[dict[Any, Any]]]

_ONE_AT_A_TIME = RLock()
IN_USE: list[BackendDict[Any]] = vars(BackendDict)["_instances"]
"""The backends of moto that hold something."""

_SETTINGS = {
    "ENABLE_AMI_VALIDATION": False,
    "ENABLE_KEYPAIR_VALIDATION": False,
    "EC2_ENABLE_INSTANCE_TYPE_VALIDATION": False,
    "INITIAL_NO_AUTH_ACTION_COUNT": float("inf"),
}
"""moto as it comes, whatever the environment says; a `mock_aws(config=...)` is passed over likewise."""


class Place:
    """What moto knows about one sandbox.

    Attributes:
        account: the account of the request that is being answered.
        served: whether that request came over HTTP.
    """

    def __init__(self, seed: int, now: Callable[[], datetime.datetime], session: boto3.Session) -> None:
        """Make an empty world.

        Args:
            seed: of moto's random ids.
            now: tells the time of the sandbox.
            session: knows the names of the regions, and nothing of the environment.
        """
        self.account = ""
        self.served = False
        self._time = _moduled(now)
        self._session = session
        self._backends: list[Content] = []
        self._random = mock_random.__class__(seed).getstate()
        self._inside = False

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the place; one sandbox at a time, others wait."""
        with _ONE_AT_A_TIME:
            if self._inside:
                yield
                return
            outer = _take_out()
            random = mock_random.getstate()
            swapped: list[tuple[Any, str, Any]] = [
                (moto.core.utils, "datetime", self._time),
                (AccountSpecificBackend, "get_session", classmethod(lambda _: self._session)),
                (BaseResponse, "get_current_account", lambda _: self.account),
                (BaseModel, "__new__", staticmethod(_untracked)),
                (Subnet, "_base_avail_ip_iterator", _hosts),
                (moto.core.config, "default_user_config", {}),
                (moto.sts.models, "random_session_token", session_token),
                (moto.sts.models, "utcnow", self.session_begins),
                (moto.iam.models, "load_iam_aws_managed_policies", lambda: False),
                *((moto.settings, name, value) for name, value in _SETTINGS.items()),
            ]
            before = [vars(owner)[name] for owner, name, _ in swapped]
            _put_in(self._backends)
            mock_random.setstate(self._random)
            for owner, name, ours in swapped:
                setattr(owner, name, ours)
            self._inside = True
            try:
                yield
            finally:
                self._inside = False
                for (owner, name, _), theirs in zip(swapped, before, strict=True):
                    setattr(owner, name, theirs)
                self._random = mock_random.getstate()
                self._backends = _take_out()
                _put_in(outer)
                mock_random.setstate(random)

    def session_begins(self) -> datetime.datetime:
        """Tell from when on a session of STS lasts, in UTC without a zone, as moto counts.

        A client outside that assumes a role by itself, as the CLI does for a profile, compares the end with the clock
        of the world outside, and takes no credentials that have ended by it.
        """
        inside = moto.core.utils.utcnow()
        outside = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
        return max(inside, outside) if self.served else inside


def _take_out() -> list[Content]:
    """Empty moto's backends, and return what was in them."""
    taken = [(backends, [dict(dict.items(each)) for each in _dicts(backends)]) for backends in IN_USE]
    for backends, _ in taken:
        for each in _dicts(backends):
            dict.clear(each)
    IN_USE.clear()
    return taken


def _put_in(content: list[Content]) -> None:
    for backends, dicts in content:
        for each, known in zip(_dicts(backends), dicts, strict=True):
            dict.update(each, known)
        IN_USE.append(backends)


def _dicts(backends: BackendDict[Any]) -> list[dict[Any, Any]]:
    """List where something is kept: by account, and what some services keep beside that, as S3 its names of buckets."""
    return [backends, *(each for each in vars(backends).values() if isinstance(each, dict))]


def session_token() -> str:
    """Make up a session token from the seed; moto draws one from the operating system."""
    return "IQoJ" + mock_random.get_random_string(352)


def _untracked(model: type, *_: Any, **__: Any) -> Any:
    """Make one of moto's models, without noting it in a list that lives as long as the process, as moto does."""
    return object.__new__(model)


def _hosts(subnet: Any) -> Any:
    """Go on through the addresses of a subnet; moto keeps all subnets for ever, in a cache, to know how far it is."""
    if "hosts_to_come" not in vars(subnet):
        subnet.hosts_to_come = subnet.cidr.hosts()
    return subnet.hosts_to_come


def _moduled(now: Callable[[], datetime.datetime]) -> ModuleType:
    """Make a module like datetime, whose clock is ours; moto.core.utils.utcnow asks it."""

    class Moment(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override] # as moto needs
            moment = now()
            return moment.astimezone(tz) if tz else moment.replace(tzinfo=None)

    module = ModuleType("datetime")
    vars(module).update({name: value for name, value in vars(datetime).items() if not name.startswith("__")})
    vars(module)["datetime"] = Moment
    return module
