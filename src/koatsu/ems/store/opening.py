"""Opening a database: the engine with its settings, and the migrations that bring it to the newest shape.

SQLite runs in WAL mode with synchronous=FULL, so that a committed value survives power loss, and every
write transaction takes the write lock at its start, so that it never fails half-way for want of it.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError

from koatsu.ems.store.errors import StoreError, StoreErrorKind
from koatsu.ems.store.schema import HEAD

__all__ = ["WRITE", "address", "migrate", "open_engine", "shown"]

WRITE: Final = "koatsu_write"  #: execution option of a transaction that will write
_MIGRATIONS: Final = Path(__file__).parent / "migrations"


def address(store: str | Path) -> URL:
    """The database URL of a file path or of a URL as text.

    Raises:
        StoreError: it is neither.
    """
    if isinstance(store, str) and "://" in store:
        try:
            url = make_url(store)
        except ArgumentError as error:
            raise StoreError(StoreErrorKind.CANNOT_OPEN, "", "not a database address") from error
        return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url
    return URL.create("sqlite+pysqlite", database=str(Path(store).absolute()))


def shown(url: URL) -> str:
    """How messages call the database: a path, or a URL without its password."""
    if url.get_backend_name() == "sqlite":
        return url.database or ":memory:"
    return url.render_as_string(hide_password=True)


def open_engine(url: URL, busy_s: float) -> Engine:
    """An engine for ``url`` that waits at most ``busy_s`` seconds for a lock.

    Raises:
        StoreError: the folder cannot be made, or the driver for this kind of database is not installed.
    """
    if url.get_backend_name() == "sqlite":
        _make_folder(url)
        engine = create_engine(url, connect_args={"timeout": busy_s})
        event.listen(engine, "connect", _settings)
        event.listen(engine, "begin", _begin)
        return engine
    try:
        return create_engine(url, connect_args={"options": f"-c lock_timeout={int(busy_s * 1000)}"})
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise StoreError(
            StoreErrorKind.CANNOT_OPEN, shown(url), f"no driver for {url.drivername} is installed"
        ) from error


def migrate(connection: Connection, where: str) -> None:
    """Bring the database to the newest shape, inside the caller's transaction.

    Raises:
        StoreError: the database belongs to another program or to a newer version of this one.
    """
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables and tables:
        raise StoreError(StoreErrorKind.FOREIGN, where)
    version = None
    if tables:
        version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
        if version is not None and "reading" not in tables:
            raise StoreError(StoreErrorKind.FOREIGN, where)
    if version == HEAD:
        return
    # Imported late: a start with nothing to migrate need not wait for it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if version is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(version)
        except CommandError as error:
            raise StoreError(StoreErrorKind.NEWER, where) from error
    command.upgrade(config, "head")


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
    connection.isolation_level = None  # the driver must not begin transactions of its own: see _begin
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    write = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
