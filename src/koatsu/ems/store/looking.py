"""A look at a store from outside, which changes nothing: no folder is made, nothing is migrated or locked.

For a check while another program collects into the same store, and before the first start.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, func, inspect, select, text
from sqlalchemy.pool import NullPool

from koatsu.ems.store.errors import StoreError, StoreErrorKind, told
from koatsu.ems.store.opening import address, open_engine, shown
from koatsu.ems.store.recording import utc
from koatsu.ems.store.schema import HEAD, epoch, reading

__all__ = ["StoreLook", "look"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreLook:
    """What was seen. ``newest`` is the last half hour with a count, by meter.

    ``version`` is that of the database, ``current`` whether this program need not bring it up to date;
    ``size`` are bytes of the file, ``None`` on a server. ``damage`` are the database's own words.
    """

    where: str
    version: str
    current: bool
    size: int | None
    newest: dict[str, datetime]
    damage: tuple[str, ...]


def look(store: str | Path, *, deep: bool = True, busy_s: float = 5.0) -> StoreLook | None:
    """Look at a store; ``None`` when its file does not exist yet.

    Args:
        store: the path of an SQLite file, or a database URL.
        deep: read every page to see whether they fit together; takes seconds for years of data.
        busy_s: how long to wait for a lock, in seconds.

    Raises:
        StoreError: it cannot be opened or read, is no database, another program's, or a newer version's.
    """
    url = address(store)
    where = shown(url)
    local = url.get_backend_name() == "sqlite"
    path = Path(os.path.realpath(url.database or ""))  # the log lies beside the file, not beside a link to it
    if local and not path.exists():
        return None
    engine = _read_only(path, busy_s) if local else open_engine(url, busy_s)
    try:
        with told(where), engine.connect() as connection:
            version = _version(connection, where)
            return StoreLook(
                where=where,
                version=version,
                current=version == HEAD,
                size=path.stat().st_size if local else None,
                newest=_newest(connection),
                damage=_damage(connection) if deep and local else (),
            )
    finally:
        engine.dispose()


def _read_only(path: Path, busy_s: float) -> Engine:
    """An engine that leaves no file behind: a reader of a store that nobody has open would make two."""
    way = "mode=ro" if path.with_name(f"{path.name}-wal").exists() else "mode=ro&immutable=1"
    return create_engine(
        f"sqlite+pysqlite:///file:{quote(str(path.absolute()))}?{way}&uri=true",
        connect_args={"timeout": busy_s},
        poolclass=NullPool,
    )


def _version(connection: Connection, where: str) -> str:
    tables = set(inspect(connection).get_table_names())
    if "alembic_version" not in tables or "reading" not in tables:
        raise StoreError(StoreErrorKind.FOREIGN, where)
    version = str(connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one())
    if version > HEAD:  # four digits each
        raise StoreError(StoreErrorKind.NEWER, where)
    return version


def _newest(connection: Connection) -> dict[str, datetime]:
    newest = func.max(reading.c.instant)
    rows = connection.execute(
        select(epoch.c.meter, newest)
        .join(reading, reading.c.epoch == epoch.c.id)
        .where(reading.c.count.is_not(None))
        .group_by(epoch.c.meter)
    )
    return {meter: utc(instant) for meter, instant in rows}


def _damage(connection: Connection) -> tuple[str, ...]:
    found = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check(5)"))]
    return () if found == ["ok"] else tuple(found)
