"""Where extracted archives and rendered data sets are kept between studies."""

import os
from pathlib import Path

__all__ = ["cache_dir"]


def cache_dir() -> Path:
    """``AUTOML_CACHE_DIR``, else ``automl`` in the user's cache folder (XDG)."""
    own = os.environ.get("AUTOML_CACHE_DIR")
    if own:
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(shared).expanduser().absolute() / "automl"
