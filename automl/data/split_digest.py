"""A mark of a split's files, by which two studies know that they trained on the same data."""

import hashlib
import os
from pathlib import Path

__all__ = ["split_digest"]


def split_digest(root: Path) -> str:
    """SHA-256 over the names and sizes of all files below a folder, in the order of their names.

    The bytes themselves are not read, which would take minutes where data is large: a file that
    was changed and kept name and size is not noticed.

    Args:
        root: Folder of the split.

    Returns:
        Empty where there is no such folder.
    """
    found = []
    for at, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        below = Path(at)
        found += [
            (str((below / name).relative_to(root)), (below / name).stat().st_size)
            for name in names
            if not name.startswith(".")
        ]
    lines = "".join(f"{name}\0{size}\n" for name, size in sorted(found))
    return hashlib.sha256(lines.encode()).hexdigest() if found else ""
