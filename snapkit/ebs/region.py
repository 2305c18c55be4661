"""One account in one AWS region: what an EC2 client sees."""

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from snapkit.access import Access, Belonging, Tagged, named
from snapkit.clock import Clock, SystemClock
from snapkit.ebs import exposure, orphans, pricing
from snapkit.ebs._aws import Aws
from snapkit.ebs._resource import Resource
from snapkit.ebs.accounts import Accounts, gather
from snapkit.ebs.charging import Charging
from snapkit.ebs.costs import Costs
from snapkit.ebs.listing import Listing
from snapkit.ebs.servers import Servers
from snapkit.ebs.snapshots import Snapshot, Snapshots
from snapkit.ebs.taking import Taking
from snapkit.ebs.volumes import Volumes
from snapkit.errors import InvalidRequest
from snapkit.prices import Prices
from snapkit.tags import STANDARD, TagKeys

Clients = Callable[[str], Any]
"""Gives a client of another service, such as ``"sts"``, for the same account and region."""


Regions = Callable[[str], "Region"]
"""Gives another region of the same account by its name, such as ``"eu-west-1"``."""


NO_ROLE = "your roles do not allow"
"""How what `Region.barred` tells begins."""


class Region:
    """One account in one AWS region.

    Attributes:
        aws: the seam to AWS.
        clock: what tells the time and waits.
        prices: what things cost.
        tag_keys: the tags in which name, group and billing code are kept.
        access: what the person may do, checked before each call; nothing where IAM alone decides.
        profiles: ids of the accounts that profiles of the AWS configuration name, by profile.
        snapshots: the snapshots.
        volumes: the volumes.
        servers: the servers.
        taking: begins snapshots, each once.
        charging: charges what is made to billing codes.
    """

    def __init__(
        self,
        ec2: Any,
        *,
        clock: Clock | None = None,
        clients: Clients | None = None,
        regions: "Regions | None" = None,
        prices: Prices | None = None,
        tag_keys: TagKeys = STANDARD,
        access: Access | None = None,
        profiles: Mapping[str, str] | None = None,
    ) -> None:
        """Look at a region; nothing is asked of AWS yet.

        Args:
            ec2: a boto3 client of EC2: a real one, a sandbox's, or a stub.
            clock: by default that of the world outside.
            clients: gives clients of other services; without it what needs one says so.
            regions: gives the other regions of the same account by name, to copy to.
            prices: by default those that come with snapkit.
            tag_keys: where name, group and billing code are kept.
            access: what the person may do; without it everything that IAM allows.
            profiles: ids of the accounts that profiles name, by profile; no configuration is read for them.
        """
        self.aws = Aws(ec2)
        self.clock: Clock = clock or SystemClock()
        self.prices = prices or Prices()
        self.tag_keys = tag_keys
        self.access = access
        self.profiles = dict(profiles or {})
        self._clients = clients
        self._regions = regions
        self._others: dict[str, Aws] = {}
        self._beside: dict[str, Region] = {}
        self.snapshots = Snapshots(self)
        self.volumes = Volumes(self)
        self.servers = Servers(self)
        self.taking = Taking(self)
        self.charging = Charging(self)
        # A creation is never sent twice by itself: the first may have taken effect. See snapkit.ebs.taking.
        for operation in ("CreateSnapshot", "CreateSnapshots", "CopySnapshot"):
            ec2.meta.events.register_first(f"needs-retry.ec2.{operation}", _no_retry, unique_id=f"snapkit-{operation}")

    @property
    def name(self) -> str:
        """The name of the region, such as ``"eu-west-1"``."""
        return str(self.aws.client.meta.region_name)

    @cached_property
    def account(self) -> str:
        """The id of the account."""
        return str(self.service("sts").call("GetCallerIdentity")["Account"])

    def service(self, name: str) -> Aws:
        """Return the seam to another service, such as ``"ebs"``.

        Raises:
            InvalidRequest: the region was made of an EC2 client only.
        """
        if self._clients is None:
            remedy = "make the region with connect(), sandbox.region() or Region(ec2, clients=session.client)"
            raise InvalidRequest("service", name, "has no client here", remedy)
        if name not in self._others:
            self._others[name] = Aws(self._clients(name))
        return self._others[name]

    def beside(self, name: str) -> "Region":
        """Return another region of the same account, on the same clock; the same object each time.

        Raises:
            InvalidRequest: the region was made of an EC2 client only, or there is none of that name.
        """
        if name == self.name:
            return self
        if self._regions is None:
            raise InvalidRequest("region", name, "has no client here", "give a Region, made with connect() for one")
        if name not in self._beside:
            self._beside[name] = self._regions(name)
        other = self._beside[name]
        other.access = self.access
        other.clock = self.clock
        return other

    @cached_property
    def zones(self) -> tuple[str, ...]:
        """The names of the availability zones."""
        answer = self.aws.call("DescribeAvailabilityZones")
        return tuple(sorted(zone["ZoneName"] for zone in answer["AvailabilityZones"]))

    def can(self, resource: str, action: str, target: Resource | Tagged) -> bool:
        """Tell whether the person may do something; without an access, always.

        Args:
            resource: such as ``"snapshot"``.
            action: such as ``"share_public"``; see `snapkit.access.ACTIONS`.
            target: the thing, or what something new will belong to.

        Raises:
            InvalidRequest: there is no such resource or action.
        """
        named(resource, action)
        return self.access is None or self.access.can(resource, action, target)

    def barred(self, resource: str, action: str, *targets: Resource | Tagged) -> tuple[str, ...]:
        """Tell which right the person lacks for any of several, as what blocks a step; none, if all are allowed."""
        if all(self.can(resource, action, each) for each in targets):
            return ()
        return (f"{NO_ROLE} {resource}: {action}; ask for a role with that right",)

    def allow(self, resource: str, action: str, target: Resource | Tagged) -> None:
        """Return only if the person may do something; the arguments are those of `can`.

        Raises:
            NotPermitted: no role of the person allows it.
        """
        if self.access is not None:
            shown = target.id if isinstance(target, Resource) else f"a new {resource.lower()}"
            self.access.allow(resource, action, target, shown)

    def allow_tags(self, target: Resource, tags: Mapping[str, str]) -> None:
        """Return only if tags may be set: with an access, those by which it decides stay as they are.

        Raises:
            InvalidRequest: one of them would change.
        """
        keys = self.tag_keys
        for key in (keys.owner, keys.group, keys.billing_code) if self.access is not None else ():
            if key in tags and tags[key] != target.tags.get(key):
                remedy = "ask an administrator of the account, or take a copy with other options"
                raise InvalidRequest("tag", key, f"of {target.id} decides who may use it, and stays", remedy)

    def owned(self, tags: Mapping[str, str]) -> dict[str, str]:
        """Add the owner to the tags of something new, where it is known who that is."""
        return dict(tags) if self.access is None else {**tags, self.tag_keys.owner: self.access.user}

    def belonging(self, tags: Mapping[str, str]) -> Belonging:
        """Read from tags what something belongs to, or will."""
        keys = self.tag_keys
        return Belonging(tags.get(keys.group, ""), tags.get(keys.billing_code, ""), tags.get(keys.owner, ""))

    def accounts(self, *, book: str | Path | None = None) -> Accounts:
        """List the accounts that the user belongs to; see `snapkit.ebs.accounts.gather`."""
        return gather(self, book=book)

    def pending(self) -> Listing[Snapshot]:
        """List the snapshots of this account that are in progress, to pick up a wait after a restart."""
        return self.snapshots.find(state="pending")

    def orphans(self) -> Listing[orphans.Orphan]:
        """List the snapshots of this account whose volume no longer exists, with the evidence for each."""
        return orphans.find(self)

    def costs(self) -> Costs:
        """Tell what everything here costs a month, by group and billing code; see `snapkit.ebs.pricing.find`."""
        return pricing.find(self)

    def exposure(self, *, private: bool = True, known: Iterable[str] | None = None) -> exposure.Exposures:
        """List the snapshots of this account that others can restore; see `snapkit.ebs.exposure`.

        Args:
            private: whether to look up shares with accounts: one call for each snapshot that can be shared at all.
            known: ids of accounts that belong to the user; by default those of the organization.
        """
        return exposure.find(self, private=private, known=known)

    def __repr__(self) -> str:
        return f"<Region {self.name}>"


def _no_retry(**_: Any) -> bool:
    return False
