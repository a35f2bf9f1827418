"""How a path is shown to the person at the terminal."""

from pathlib import Path

__all__ = ["shown"]


def shown(path: Path) -> Path:
    """``path`` relative to the working folder where it lies below it, else as it is."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
