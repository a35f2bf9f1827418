"""Fixtures over a private PostgreSQL server."""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from automl.study.database_url import PASSWORD_VARIABLE, connect_url
from tests.postgres.server import PASSWORD, PrivateServer, why_not

__all__ = ["database", "postgres"]

_NUMBERS = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[PrivateServer]:
    """A server that runs; skipped where its programs are not installed."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        server = PrivateServer(Path(folder) / "server")
        server.start()
        try:
            yield server
        finally:
            server.stop()


@pytest.fixture
def database(postgres: PrivateServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty database; its password is in the environment."""
    monkeypatch.setenv(PASSWORD_VARIABLE, PASSWORD)
    name = f"studies{next(_NUMBERS)}"
    engine = create_engine(connect_url(postgres.url()), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return postgres.url(name)
