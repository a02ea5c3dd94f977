"""A database of tables with a prefix of their own, brought to the newest shape when it is opened.

SQLite: a file of its own, readable by its owner only. PostgreSQL: the tables stand beside others. Writers
stand in line, in one process or several: what is chained has one end, and nobody writes over anybody.
"""

from __future__ import annotations

import os
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import closing, contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, create_engine, event, exc, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import NoSuchModuleError

from koatsu.sql.basics import WRITE, Cause, NewerError, begin_sqlite, cause_of, upgrade

__all__ = ["Tables", "Trouble"]


class Trouble(StrEnum):
    """What stands in the way beside what the database itself has against it (:class:`Cause`)."""

    FOREIGN = "foreign"  #: it belongs to another program
    NEWER = "newer"  #: a newer version of this program wrote it
    CLOSED = "closed"


class Tables(ABC):
    """An open database: transactions to read and to write in. Safe to use from any thread.

    Args:
        url: where it is.
        busy_s: longest wait for a lock, in seconds.

    Raises:
        Exception: what :meth:`refused` makes: locked, read-only, not ours, of a newer version, out of reach.
    """

    prefix: ClassVar[str]  #: of its tables
    version_table: ClassVar[str]
    head: ClassVar[str]  #: the newest migration
    migrations: ClassVar[Path]
    line: ClassVar[int]  #: PostgreSQL advisory lock: the line in which writers stand
    pragmas: ClassVar[tuple[str, ...]]  #: of SQLite

    def __init__(self, url: URL, busy_s: float) -> None:
        sqlite = url.get_backend_name() == "sqlite"
        self.where = (url.database or "") if sqlite else url.render_as_string(hide_password=True)
        self._engine: Engine | None = self._made(url, busy_s)
        try:
            with self.writing() as connection:
                self._migrate(connection)
        except BaseException:
            self.close()
            raise

    @abstractmethod
    def refused(self, why: Cause | Trouble, reason: str) -> Exception:
        """The error that says why, in the words of this database."""

    def close(self) -> None:
        """Let go of the database; closing twice does no harm."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database.

        Raises:
            Exception: of :meth:`refused`.
        """
        engine = self._open()
        if engine.dialect.name != "sqlite":  # one snapshot: a chain is read while others add to it
            engine = engine.execution_options(isolation_level="REPEATABLE READ")
        with self._told(), engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that nobody else writes beside; it happens whole or not at all.

        Raises:
            Exception: of :meth:`refused`.
        """
        with self._told(), self._open().execution_options(**{WRITE: True}).begin() as connection:
            if connection.dialect.name != "sqlite":
                connection.execute(text("SELECT pg_advisory_xact_lock(:line)"), {"line": self.line})
            yield connection

    def look(self) -> None:
        """Read something from where it is kept, past what an open connection remembers of it.

        Raises:
            Exception: of :meth:`refused`: what is there cannot be used any more.
        """
        engine, query = self._open(), f"SELECT version_num FROM {self.version_table}"  # noqa: S608 - a constant
        with self._told():
            if engine.dialect.name != "sqlite":
                with engine.connect() as connection:
                    connection.execute(text(query))
                return
            with closing(sqlite3.connect(f"{Path(self.where).as_uri()}?mode=ro", uri=True)) as fresh:
                fresh.execute(query).close()

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (exc.DBAPIError, sqlite3.Error) as error:
            raise self.refused(*cause_of(error)) from error

    def _open(self) -> Engine:
        if self._engine is None:
            raise self.refused(Trouble.CLOSED, "")
        return self._engine

    def _made(self, url: URL, busy_s: float) -> Engine:
        if url.get_backend_name() == "sqlite":
            self._private_file(Path(self.where))
            engine = create_engine(url, connect_args={"timeout": busy_s})
            event.listen(engine, "connect", self._settings)
            event.listen(engine, "begin", begin_sqlite)
            return engine
        try:
            wanted = {"options": f"-c lock_timeout={int(busy_s * 1000)}"}
            return create_engine(url, connect_args=wanted, pool_pre_ping=True)
        except (ModuleNotFoundError, NoSuchModuleError) as error:
            raise self.refused(Cause.CANNOT_OPEN, f"no driver for {url.drivername} is installed") from error

    def _private_file(self, path: Path) -> None:
        """Make the file for its owner alone; SQLite gives its journal the same permissions."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDONLY, 0o600))
        except OSError as error:
            raise self.refused(Cause.CANNOT_OPEN, error.strerror or str(error)) from error

    def _settings(self, connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own: begin_sqlite
        for pragma in self.pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    def _migrate(self, connection: Connection) -> None:
        tables = set(inspect(connection).get_table_names())
        ours = {table for table in tables if table.startswith(self.prefix)}
        alone = connection.dialect.name == "sqlite"
        if self.version_table not in ours and (ours or (alone and tables)):
            raise self.refused(Trouble.FOREIGN, "")
        version = None
        if ours:
            found = connection.execute(text(f"SELECT version_num FROM {self.version_table}"))  # noqa: S608 - a constant
            version = found.scalar_one_or_none()
        if version == self.head:
            return
        try:
            upgrade(connection, self.migrations, version)
        except NewerError as error:
            raise self.refused(Trouble.NEWER, "") from error
