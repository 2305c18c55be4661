"""Where moto differs from AWS: one module for each gap, saying what it replaces and by which page of AWS.

Importing this package lets their operations answer.
"""

from snapkit.sandbox.gaps import (
    archive,
    attachments,
    clones,
    copies,
    direct,
    encryption,
    fast_restore,
    images,
    lifecycle_policies,
    locks,
    metrics,
    modifications,
    organizations,
    public_access,
    recycle_bin,
    roles,
    sharing,
    snapshots,
    tags,
    volume_status,
    volumes,
)

__all__ = [
    "archive",
    "attachments",
    "clones",
    "copies",
    "direct",
    "encryption",
    "fast_restore",
    "images",
    "lifecycle_policies",
    "locks",
    "metrics",
    "modifications",
    "organizations",
    "public_access",
    "recycle_bin",
    "roles",
    "sharing",
    "snapshots",
    "tags",
    "volume_status",
    "volumes",
]
