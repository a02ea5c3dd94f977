"""Opening a database: the engine with its settings, and the migrations that bring it to the newest shape.

SQLite runs in WAL mode with synchronous=FULL, so that a committed value survives power loss. Every write
transaction takes the one write lock at its start, in either database, so that it never fails half-way for
want of it and two writers never see half of each other.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from koatsu.ems.store.errors import StoreError, StoreErrorKind
from koatsu.ems.store.schema import HEAD
from koatsu.sql import WRITE, NewerError, address_of, begin_sqlite, upgrade

__all__ = ["WAIT_MS", "address", "is_sqlite", "migrate", "open_engine", "shown"]

WAIT_MS: Final = "koatsu_wait_ms"  #: execution option of a transaction that waits no longer for a server

_WRITE_LOCK: Final = 2_802_802  #: PostgreSQL's number of our write lock, within one database
_WAL_KEPT: Final = 64 * 1024 * 1024  #: bytes that the write-ahead log may keep when it has been used up
_BESIDE: Final = "people_"  #: tables of koatsu.people, which may have been there before ours
_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def address(store: str | Path) -> URL:
    """The database URL of a file path or of a URL as text.

    Raises:
        StoreError: it is neither.
    """
    if isinstance(store, str) and "://" in store:
        try:
            return address_of(store)
        except ArgumentError as error:
            raise StoreError(StoreErrorKind.CANNOT_OPEN, "", "not a database address") from error
    return URL.create("sqlite+pysqlite", database=str(Path(store).absolute()))


def is_sqlite(url: URL) -> bool:
    """Whether the database is a file."""
    return url.get_backend_name() == "sqlite"


def shown(url: URL) -> str:
    """How messages call the database: a path, or a URL without its password."""
    if is_sqlite(url):
        return url.database or ":memory:"
    return url.render_as_string(hide_password=True)


def open_engine(url: URL, busy_s: float) -> Engine:
    """An engine for ``url`` that waits at most ``busy_s`` seconds for a lock.

    Raises:
        StoreError: the folder cannot be made, or the driver for this kind of database is not installed.
    """
    if is_sqlite(url):
        _make_folder(url)
        engine = create_engine(url, connect_args={"timeout": busy_s})
        event.listen(engine, "connect", _settings)
        event.listen(engine, "begin", begin_sqlite)
        return engine
    wanted = {
        "options": f"-c lock_timeout={int(busy_s * 1000)}",
        "application_name": f"koatsu {os.getpid()}",
        "connect_timeout": 10,
    }
    try:
        # The server may be started again at any time: a connection is looked at before it is used.
        engine = create_engine(url, connect_args=wanted, pool_pre_ping=True)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(
            StoreErrorKind.CANNOT_OPEN, shown(url), f"no driver for {url.drivername} is installed"
        ) from error
    event.listen(engine, "begin", _begin_on_server)
    return engine


def migrate(connection: Connection, where: str) -> None:
    """Bring the database to the newest shape, inside the caller's transaction.

    Raises:
        StoreError: the database belongs to another program or to a newer version of this one.
    """
    tables = {name for name in inspect(connection).get_table_names() if not name.startswith(_BESIDE)}
    if "alembic_version" not in tables and tables:
        raise StoreError(StoreErrorKind.FOREIGN, where)
    version = None
    if tables:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        if version is not None and "reading" not in tables:
            raise StoreError(StoreErrorKind.FOREIGN, where)
    if version == HEAD:
        return
    try:
        upgrade(connection, _MIGRATIONS, version)
    except NewerError as error:
        raise StoreError(StoreErrorKind.NEWER, where) from error


def _make_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(StoreErrorKind.CANNOT_OPEN, shown(url), reason) from error


def _settings(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own: see begin_sqlite
    if connection.execute("PRAGMA page_count").fetchone() == (0,):  # later it would cost a write each time
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL").close()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        f"journal_size_limit={_WAL_KEPT}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_on_server(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(WRITE, False):
        if WAIT_MS in options:
            connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(options[WAIT_MS])}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITE_LOCK})")
