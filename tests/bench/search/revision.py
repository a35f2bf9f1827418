"""Which commit of this package a bench has run."""

import subprocess
from pathlib import Path

__all__ = ["revision"]


def revision() -> str:
    """The commit's short name; empty where there is no repository."""
    asked = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    told = subprocess.run(asked, capture_output=True, text=True, check=False)
    return told.stdout.strip()
