"""The one place that makes sessions of boto3."""

import os
import re
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import ProfileNotFound

from snapkit.access import Access
from snapkit.clock import RemoteClock
from snapkit.ebs import _session
from snapkit.ebs.accounts import of_profiles
from snapkit.ebs.block_lists import THREADS
from snapkit.ebs.region import Region
from snapkit.errors import InvalidRequest

_NAME = re.compile(r"[a-z]{2,}(-[a-z]+)+-\d+")

_READS = Config(retries={"mode": "adaptive", "total_max_attempts": 8}, max_pool_connections=THREADS)
"""boto3's own recommendation for clients that are throttled.

Source: boto3 guide, "Retries": adaptive mode limits the rate on the side of the client. As many
connections are kept as `snapkit.ebs.block_lists` has requests under way.
"""


def connect(
    region: str,
    profile: str | None = None,
    *,
    endpoint: str | None = None,
    access: Access | None = None,
    **session_options: Any,
) -> Region:
    """Look at a region of a real account, or of a sandbox that is served; no call is made until it is used.

    Args:
        region: such as ``"eu-west-1"``.
        profile: of the AWS configuration; by default what boto3 finds.
        endpoint: of a sandbox that is served, whose time the region then has; by default AWS.
        access: what the person may do, such as `Access.load("access.toml")`; by default all that IAM allows.
        session_options: of `boto3.Session`, such as ``aws_access_key_id``.

    Raises:
        InvalidRequest: the AWS configuration has no such profile, the region is no name of one, or the endpoint no URL.
    """
    if not (isinstance(region, str) and _NAME.fullmatch(region)):
        raise InvalidRequest("region", region, "is no name of a region", "give one such as 'eu-west-1'")
    # boto3 reads the variable for each client that is given none.
    _check_endpoint(endpoint or os.environ.get("AWS_ENDPOINT_URL"))
    try:
        core = session_options.get("botocore_session") or _session.session(profile=profile)
        session = boto3.Session(
            profile_name=profile, region_name=region, **{**session_options, "botocore_session": core}
        )
    except ProfileNotFound as error:
        # boto3 has no session to ask where it is AWS_PROFILE that names one which does not exist.
        known = ", ".join(botocore.session.Session().available_profiles) or "there is none yet: run `aws configure`"
        name = error.kwargs["profile"]
        raise InvalidRequest("profile", name, "is not in the AWS configuration", f"known: {known}") from error
    return Region(
        session.client("ec2", config=_READS, endpoint_url=endpoint),
        clock=None if endpoint is None else RemoteClock(endpoint),
        clients=lambda service: session.client(service, config=_READS, endpoint_url=endpoint),
        regions=lambda name: connect(name, profile, endpoint=endpoint, **session_options),
        access=access,
        # A sandbox has accounts of its own, which those of this user are none of.
        profiles=of_profiles(core.full_config) if endpoint is None else None,
    )


def _check_endpoint(endpoint: str | None) -> None:
    """Refuse what boto3 would stumble over.

    Raises:
        InvalidRequest: it is no URL.
    """
    if not endpoint:
        return
    try:
        parts = urlsplit(endpoint)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except (AttributeError, TypeError, ValueError):
        good = False
    if not good:
        remedy = "give one such as 'http://127.0.0.1:4566', also in AWS_ENDPOINT_URL, or leave it out"
        raise InvalidRequest("endpoint", endpoint, "is no URL", remedy)
