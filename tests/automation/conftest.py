"""What the tests of this room share."""

from tests.ebs.ground import field

__all__ = ["field"]
