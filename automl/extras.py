"""How whoever has this package gets one of its optional parts."""

import shlex
from pathlib import Path

__all__ = ["DISTRIBUTION", "how_to_get"]

#: The name to install by. ``automl``, by which it is imported, is another project's there.
DISTRIBUTION = "automl-centerpose"

_CHECKOUT = Path(__file__).resolve().parents[1]
_PINNED = "constraints.txt"


def how_to_get(extra: str, checkout: Path = _CHECKOUT) -> str:
    """The command that adds an optional part to this very installation.

    Args:
        extra: Name of the part: ``trainer``, ``remote``.
        checkout: Folder that the package lies in; that of a source tree pins every version.
    """
    pinned = checkout / _PINNED
    if not (pinned.is_file() and (checkout / "pyproject.toml").is_file()):
        return shlex.join(["pip", "install", f"{DISTRIBUTION}[{extra}]"])
    if checkout == Path.cwd():
        return f"pip install -c {_PINNED} -e '.[{extra}]'"
    return shlex.join(["pip", "install", "-c", str(pinned), "-e", f"{checkout}[{extra}]"])
