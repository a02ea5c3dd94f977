"""What every database of this program has in common: its address, its write lock, its migrations, its errors.

Below all packages, so that readings and people, which know nothing of each other, open and fail alike. What
is told to a person, and in which words, is for the caller.
"""

from __future__ import annotations

import sqlite3
import threading
from enum import StrEnum
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, exc
from sqlalchemy.engine import URL, make_url

__all__ = ["WRITE", "Cause", "NewerError", "address_of", "begin_sqlite", "cause_of", "upgrade"]

WRITE: Final = "koatsu_write"  #: execution option of a transaction that will write

_migrating = threading.Lock()  # alembic keeps its context in a module


class Cause(StrEnum):
    """What a database has against it."""

    LOCKED = "locked"  #: somebody holds the lock longer than we wait
    READ_ONLY = "read_only"
    FULL = "full"
    DISK = "disk"  #: the system cannot read or write the file
    NOT_A_DATABASE = "not_a_database"
    CORRUPT = "corrupt"
    CANNOT_OPEN = "cannot_open"
    OTHER = "other"


_SQLITE: Final = {
    sqlite3.SQLITE_IOERR: Cause.DISK,
    sqlite3.SQLITE_BUSY: Cause.LOCKED,
    sqlite3.SQLITE_LOCKED: Cause.LOCKED,
    sqlite3.SQLITE_READONLY: Cause.READ_ONLY,
    sqlite3.SQLITE_PERM: Cause.READ_ONLY,
    sqlite3.SQLITE_FULL: Cause.FULL,
    sqlite3.SQLITE_NOTADB: Cause.NOT_A_DATABASE,
    sqlite3.SQLITE_CORRUPT: Cause.CORRUPT,
    sqlite3.SQLITE_CANTOPEN: Cause.CANNOT_OPEN,
}
# PostgreSQL, appendix A "Error codes", by class or code
_SQLSTATE: Final = {
    "53100": Cause.FULL,
    "58030": Cause.DISK,
    "55P03": Cause.LOCKED,
    "25006": Cause.READ_ONLY,
    "42501": Cause.READ_ONLY,
    "08": Cause.CANNOT_OPEN,
    "28": Cause.CANNOT_OPEN,
    "3D": Cause.CANNOT_OPEN,
    "XX001": Cause.CORRUPT,
    "XX002": Cause.CORRUPT,
}


class NewerError(Exception):
    """The database was brought to a shape that this version does not know."""


def cause_of(error: exc.DBAPIError | sqlite3.Error) -> tuple[Cause, str]:
    """What an error of a database or its driver means, and the first line of what it says."""
    raised = error.orig if isinstance(error, exc.DBAPIError) else error
    said = str(raised).strip().rstrip(".").splitlines()
    return _cause(raised), said[0] if said else type(raised).__name__


def _cause(raised: BaseException | None) -> Cause:
    code = getattr(raised, "sqlite_errorcode", None)
    if code == sqlite3.SQLITE_IOERR_SHMSIZE:  # the memory that the programs share is a file too
        return Cause.FULL
    if isinstance(code, int):
        return _SQLITE.get(code & 0xFF, Cause.OTHER)  # the low byte is the primary code
    state = getattr(raised, "sqlstate", None)
    if isinstance(state, str):
        return _SQLSTATE.get(state) or _SQLSTATE.get(state[:2]) or Cause.OTHER
    if type(raised).__name__ == "OperationalError":  # a server that was never reached has no code
        return Cause.CANNOT_OPEN
    return Cause.OTHER


def address_of(text: str) -> URL:
    """The database URL that ``text`` is; PostgreSQL without a driver gets ours.

    Raises:
        ArgumentError: it is none (of SQLAlchemy).
    """
    url = make_url(text)
    return url.set(drivername="postgresql+psycopg") if url.drivername == "postgresql" else url


def begin_sqlite(connection: Connection) -> None:
    """Begin a transaction; one that will write (:data:`WRITE`) takes the only write lock at its start."""
    write = connection.get_execution_options().get(WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def upgrade(connection: Connection, migrations: Path, version: str | None) -> None:
    """Bring a database of shape ``version`` to the newest one, inside the caller's transaction.

    Raises:
        NewerError: ``migrations`` do not know that shape.
    """
    # Imported late: a start with nothing to migrate need not wait for it.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    if version is not None:
        try:
            ScriptDirectory.from_config(config).get_revision(version)
        except CommandError as error:
            raise NewerError(version) from error
    with _migrating:
        command.upgrade(config, "head")
