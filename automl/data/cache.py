"""Where extracted archives and rendered data sets are kept between studies."""

import os
from pathlib import Path

from automl.errors import PrepareMachine

__all__ = ["cache_dir"]


def cache_dir() -> Path:
    """``AUTOML_CACHE_DIR``, else ``automl`` in the user's cache folder (XDG).

    Raises:
        PrepareMachine: None is named and the user has no home.
    """
    try:
        return _cache_dir()
    except RuntimeError as error:
        raise PrepareMachine(
            "the cache must have a folder",
            got="no home folder of this user",
            where="HOME",
            fix="name a folder with AUTOML_CACHE_DIR",
        ) from error


def _cache_dir() -> Path:
    own = os.environ.get("AUTOML_CACHE_DIR")
    if own:
        return Path(own).expanduser().absolute()
    shared = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(shared).expanduser().absolute() / "automl"
