"""The one place that makes sessions of boto3."""

import re
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ProfileNotFound

from snapkit.access import Access
from snapkit.clock import RemoteClock
from snapkit.ebs import _session
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
        InvalidRequest: the AWS configuration has no such profile, or the region is no name of one.
    """
    if not (isinstance(region, str) and _NAME.fullmatch(region)):
        raise InvalidRequest("region", region, "is no name of a region", "give one such as 'eu-west-1'")
    try:
        session = boto3.Session(
            profile_name=profile,
            region_name=region,
            **{"botocore_session": _session.session(profile=profile), **session_options},
        )
    except ProfileNotFound as error:
        known = ", ".join(boto3.Session().available_profiles) or "there is none yet: run `aws configure`"
        raise InvalidRequest("profile", profile, "is not in the AWS configuration", f"known: {known}") from error
    return Region(
        session.client("ec2", config=_READS, endpoint_url=endpoint),
        clock=None if endpoint is None else RemoteClock(endpoint),
        clients=lambda service: session.client(service, config=_READS, endpoint_url=endpoint),
        regions=lambda name: connect(name, profile, endpoint=endpoint, **session_options),
        access=access,
    )
