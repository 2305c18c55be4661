"""A double of EBS to develop, test and learn against, built on moto."""

import snapkit.sandbox._moto  # before anything else imports moto
import snapkit.sandbox.gaps  # noqa: F401 - registers the operations
from snapkit.sandbox.sandbox import Sandbox

__all__ = ["Sandbox"]
