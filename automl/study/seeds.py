"""Seeds derived from the study's seed, the same on every machine and in every Python."""

import hashlib

__all__ = ["derive_seed"]


def derive_seed(seed: int, *parts: str | int) -> int:
    """A seed in [0, 2**32) that depends on the study's seed and on what it is for.

    Args:
        seed: Seed of the study.
        parts: What the derived seed is for, e.g. ``"sampler", 7``; other parts give a seed that
            is unrelated to this one.
    """
    text = ":".join(str(part) for part in (seed, *parts))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
