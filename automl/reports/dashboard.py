"""optuna-dashboard over a copy of a study: everything to look at, nothing to change.

A journal is copied line by line and the copy follows it, so that a running study can be watched.
A database is copied as it is when the dashboard starts. Requests that would change something are
refused, and would reach no more than the copy.
"""

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socketserver import ThreadingMixIn
from typing import Any, cast
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend

from automl.errors import FixInput, InstallExtra, PrepareMachine
from automl.extras import how_to_get
from automl.inside import read_file
from automl.study.config import StudyConfig
from automl.study.layout import StudyPaths
from automl.study.storage import open_storage, read_study

__all__ = ["HOST", "JournalCopy", "dashboard_of"]

#: Nobody but this machine's users reaches it.
HOST = "127.0.0.1"
_FOLLOW_EVERY_S = 2.0
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_PIECE = 1 << 20

_App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class JournalCopy:
    """A copy of a journal that can be brought up to date.

    Args:
        journal: The journal, which is only read.
        copy: The copy.
    """

    def __init__(self, journal: Path, copy: Path) -> None:
        self._journal = journal
        self._copy = copy
        self._offset = 0

    def follow(self) -> None:
        """Adds the whole lines that the journal has gained."""
        with read_file(self._journal) as source, self._copy.open("ab") as target:
            source.seek(self._offset)
            rest = b""
            while piece := source.read(_PIECE):
                whole, end, rest = (rest + piece).rpartition(b"\n")
                target.write(whole + end)
                self._offset += len(whole) + len(end)


class _DashboardServer(ThreadingMixIn, WSGIServer):
    """Answers requests at the same time; a page asks for several."""

    daemon_threads = True


class _Silent(WSGIRequestHandler):
    """Writes no line a request."""

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def dashboard_of(paths: StudyPaths, config: StudyConfig, port: int) -> Iterator[WSGIServer]:
    """A server of the dashboard, which answers once ``serve_forever`` is called.

    Args:
        paths: The study.
        config: Its configuration.
        port: Where it listens; 0 for any that is free.

    Raises:
        InstallExtra: optuna-dashboard is not installed.
        PrepareMachine: The port is taken.
        FixInput: The study has no trial yet, or its storage is broken.
    """
    try:
        from optuna_dashboard import wsgi
    except ImportError as error:
        raise InstallExtra(
            "the dashboard needs the package optuna-dashboard",
            got="it is not installed",
            fix=how_to_get("dashboard"),
        ) from error
    if read_study(paths, config) is None:
        raise FixInput("a dashboard needs a study that has begun", got=config.name)
    with (
        _copied(paths, config) as storage,
        _listening(cast("_App", wsgi(storage)), port) as server,
    ):
        yield server


@contextmanager
def _copied(paths: StudyPaths, config: StudyConfig) -> Iterator[BaseStorage]:
    if config.storage_url:
        memory = InMemoryStorage()
        source = open_storage(paths, config.storage_url)
        optuna.copy_study(from_study_name=config.name, from_storage=source, to_storage=memory)
        yield memory
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, paths.journal.name)
        copy = JournalCopy(paths.journal, path)
        copy.follow()
        ended = threading.Event()
        thread = threading.Thread(target=_follow, args=(copy, ended), daemon=True)
        thread.start()
        try:
            yield JournalStorage(JournalFileBackend(str(path)))
        finally:
            ended.set()
            thread.join()


def _follow(copy: JournalCopy, ended: threading.Event) -> None:
    while not ended.wait(_FOLLOW_EVERY_S):
        try:
            copy.follow()
        except OSError:  # the study may have been moved away meanwhile
            return


@contextmanager
def _listening(app: _App, port: int) -> Iterator[WSGIServer]:
    try:
        server = make_server(HOST, port, _read_only(app), _DashboardServer, _Silent)
    except (OSError, OverflowError) as error:
        raise PrepareMachine(
            "a dashboard needs a port that is free",
            got=f"{port}: {getattr(error, 'strerror', None) or error}",
            where="--port",
            fix="give another, or 0 for any",
        ) from error
    with server:
        yield server


def _read_only(app: _App) -> _App:
    """The same application for requests that change nothing."""

    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if environ.get("REQUEST_METHOD") in _READS:
            return app(environ, start)
        start("403 Forbidden", [("Content-Type", "application/json")])
        return [b'{"reason": "this is a copy to look at: the study is changed by automl"}']

    return answer
