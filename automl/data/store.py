"""Folders of the cache: each appears whole, and one that lost a file is made whole again.

::

    <store>/<name>/        what was made
    <store>/<name>.files   the names and sizes of its files, which it is held against at each use
    <store>/<name>.lock    held by the process that makes it
    <store>/.<name>.*      one that is being made, or the rest of one whose maker was killed
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from automl.errors import PrepareMachine
from automl.filelock import locked
from automl.files import write_json
from automl.jsontext import read_json

__all__ = ["kept", "writable"]


def kept(store: Path, name: str, make: Callable[[Path], None]) -> Path:
    """The folder of a name in a store, made if it is not there, or if it lost a file.

    It appears by a rename when it is whole, so that neither a killed process nor a second one that
    makes the same shows anybody half of it. Where files were lost those alone are put back: what
    another process reads in the meantime stays where it is.

    Args:
        store: Made when needed.
        name: The folder's name, which stands for its content.
        make: Fills an empty folder with that content.

    Raises:
        PrepareMachine: The store cannot be written.
    """
    target = store / name
    if _is_whole(target):
        return target
    with writable(store), locked(store / f"{name}.lock"):
        if not _is_whole(target):
            for left_over in store.glob(f".{name}.*"):
                shutil.rmtree(left_over, ignore_errors=True)
            partial = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=store))
            try:
                make(partial)
                _put(partial, target)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    return target


@contextmanager
def writable(store: Path) -> Iterator[None]:
    """Says of what the system refuses within the block that the cache must be writable.

    Raises:
        PrepareMachine: The system refused something.
    """
    try:
        yield
    except OSError as error:
        raise PrepareMachine(
            "the cache must be a folder that can be written",
            got=error.strerror or str(error),
            where=str(error.filename or store),
            fix="name another folder with AUTOML_CACHE_DIR; without it the cache is in "
            "XDG_CACHE_HOME, or in .cache of HOME",
        ) from error


def _put(partial: Path, target: Path) -> None:
    sizes = _sizes(partial)
    write_json(_manifest(target), sizes)
    partial.chmod(0o755)
    if target.is_dir():
        try:
            _complete(partial, target, sizes)
            return
        except OSError:
            shutil.rmtree(target)
    partial.rename(target)


def _complete(partial: Path, target: Path, sizes: Mapping[str, int]) -> None:
    """Moves what the target lacks there."""
    there = _sizes(target)
    for name in (name for name, size in sizes.items() if there.get(name) != size):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (partial / name).replace(target / name)


def _manifest(target: Path) -> Path:
    return target.parent / f"{target.name}.files"


def _is_whole(target: Path) -> bool:
    """Whether every file that was made is there with its size; others may have been added."""
    try:
        sizes = read_json(_manifest(target))
        return isinstance(sizes, dict) and sizes.items() <= _sizes(target).items()
    except (OSError, ValueError, TypeError):
        return False


def _sizes(folder: Path) -> dict[str, int]:
    """Size of each file below a folder, by its name relative to it.

    Raises:
        OSError: A folder cannot be looked into.
    """
    sizes = {}
    waiting = [(folder, "")]
    while waiting:
        place, above = waiting.pop()
        with os.scandir(place) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((Path(entry.path), f"{above}{entry.name}/"))
                elif entry.is_file(follow_symlinks=False):
                    sizes[above + entry.name] = entry.stat(follow_symlinks=False).st_size
    return sizes
