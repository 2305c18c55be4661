"""Seeds of their own for volumes and regions, from the one that is given."""

from hashlib import sha256


def seed_of(whose: str, seed: int) -> int:
    """Give a volume or a region a seed of its own; that of a volume without a name is the seed itself."""
    return seed if not whose else seed << 64 | int.from_bytes(sha256(whose.encode()).digest()[:8])
