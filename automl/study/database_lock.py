"""One driver a study of a shared database: a lock that its server holds, and drops with us.

The folder's lock keeps two drivers apart that see one folder. In a shared database two folders, on
two machines, may hold a study of one name. PostgreSQL's advisory lock belongs to a connection of
its own: a driver that dies, or whose machine does, leaves nothing behind.
"""

import hashlib
import os
import socket
from types import TracebackType
from typing import TYPE_CHECKING, Self

from automl.errors import ResolveConflict
from automl.study.database import opening_database
from automl.study.database_url import connect_url

if TYPE_CHECKING:
    from sqlalchemy import Connection

__all__ = ["DatabaseLock"]

_KEY_BYTES = 8
_WHO = """
    SELECT activity.application_name FROM pg_locks locks
    JOIN pg_stat_activity activity ON activity.pid = locks.pid
    WHERE locks.locktype = 'advisory' AND locks.granted AND locks.objsubid = 1
      AND (locks.classid::bigint << 32) + locks.objid::bigint = :key
"""


class DatabaseLock:
    """Holds a study in its database while the ``with`` block runs.

    Args:
        url: The database; one that is not PostgreSQL has no such lock, and nothing is held.
        name: The study.

    Raises:
        ResolveConflict: On entry, or when it is taken again: another driver holds the study.
        FixInput: On entry: the database cannot be opened.
        InstallExtra: On entry: its Python driver is not installed.
    """

    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        digest = hashlib.sha256(f"automl {name}".encode()).digest()[:_KEY_BYTES]
        self._key = int.from_bytes(digest, "big", signed=True)
        self._connection: Connection | None = None

    def __enter__(self) -> Self:
        with opening_database():
            self.take()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._drop()

    def take(self) -> None:
        """Takes the lock, anew where its connection was lost.

        Raises:
            ResolveConflict: Another driver holds the study.
            sqlalchemy.exc.SQLAlchemyError: The database does not answer.
        """
        if not self._url.startswith("postgresql"):
            return
        from sqlalchemy import create_engine, text
        from sqlalchemy.pool import NullPool

        self._drop()
        signed = {"application_name": f"automl, pid {os.getpid()} on {socket.gethostname()}"}
        engine = create_engine(connect_url(self._url), poolclass=NullPool, connect_args=signed)
        connection = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        asked = text("SELECT pg_try_advisory_lock(:key)")
        if connection.execute(asked, {"key": self._key}).scalar():
            self._connection = connection
            return
        who = connection.execute(text(_WHO), {"key": self._key}).scalar()
        connection.close()
        raise ResolveConflict(
            "a study must be driven by one process at a time",
            got=str(who or "another process"),
            where=f"the study {self._name} of the database",
            fix="follow it with automl status, or stop that driver first",
        )

    def _drop(self) -> None:
        from sqlalchemy.exc import SQLAlchemyError

        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except SQLAlchemyError:
            # It was lost, and the lock with it.
            connection.invalidate()
