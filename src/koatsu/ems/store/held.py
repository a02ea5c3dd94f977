"""Who collects into a database server: a lock that one connection keeps, and that must not be lost unseen.

The server gives the lock back when that connection ends: with the program, but also when the server is
started again or the line breaks. So the program looks at it from time to time and takes it anew; where
another has taken it meanwhile, the program learns that it must stop.
"""

from __future__ import annotations

import threading
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, exc, text

from koatsu.ems.store.errors import StoreErrorKind, StoreHeldError, told

__all__ = ["Held"]

_LOCK: Final = 2_802_803  #: PostgreSQL's number of the lock of a program that collects
_TAKE: Final = text("SELECT pg_try_advisory_lock(:lock)").bindparams(lock=_LOCK)
_GIVE: Final = text("SELECT pg_advisory_unlock(:lock)").bindparams(lock=_LOCK)
_OURS: Final = text("SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()")
_HOLDER: Final = text("""
    SELECT a.application_name, a.pid, a.backend_start::text
    FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE l.locktype = 'advisory' AND l.granted AND l.objid = :lock
      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
""").bindparams(lock=_LOCK)
_END: Final = text("SELECT pg_terminate_backend(:pid, 2000)")  # milliseconds until it must be gone
_LOOK: Final = text("SELECT 1")


class _Backend(NamedTuple):
    """The server's side of a connection; numbers are used again, together with the start they are not."""

    pid: int
    began: str


class Held:
    """The lock of one program on one database of a PostgreSQL server. Any thread may use it.

    Raises:
        StoreHeldError: another program has it.
        StoreError: the server cannot be asked.
    """

    def __init__(self, engine: Engine, where: str) -> None:
        self._engine, self._where = engine, where
        self._turn = threading.Lock()
        self._connection: Connection | None = None
        self._backend: _Backend | None = None
        self._ended = False
        self._take()

    def keep(self) -> None:
        """Pass when the lock is still ours, taking it again where its connection was lost.

        Raises:
            StoreHeldError: another program has it now.
            StoreError: the server cannot be asked; nobody knows until it can.
        """
        with self._turn:
            if self._ended:
                return
            if self._connection is not None:
                try:
                    self._connection.execute(_LOOK)
                    self._connection.commit()
                except exc.DBAPIError:
                    self._connection.invalidate()
                    self._connection.close()
                    self._connection = None
                else:
                    return
            self._take()

    def give(self) -> None:
        """Let the lock go; where the server is gone it went with the connection."""
        with self._turn:
            self._ended = True
            if self._connection is None:
                return
            try:
                self._connection.execute(_GIVE)
                self._connection.commit()
            except exc.DBAPIError:
                self._connection.invalidate()
            self._connection.close()
            self._connection = None

    def _take(self) -> None:
        with told(self._where):
            connection = self._engine.connect()
            try:
                if not connection.execute(_TAKE).scalar_one():
                    self._displace(connection)
                self._backend = _Backend(*connection.execute(_OURS).one())
                connection.commit()
            except BaseException:
                connection.close()
                raise
            self._connection = connection

    def _displace(self, connection: Connection) -> None:
        """Take the lock from a connection of our own whose end the server has not noticed.

        Raises:
            StoreHeldError: it is another program's.
        """
        holder = connection.execute(_HOLDER).first()
        if holder is not None and self._backend == _Backend(*holder[1:]):
            connection.execute(_END, {"pid": self._backend.pid})
            if connection.execute(_TAKE).scalar_one():
                return
            holder = connection.execute(_HOLDER).first()
        raise StoreHeldError(StoreErrorKind.HELD, self._where, holder[0] if holder else "?")
