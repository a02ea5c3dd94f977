"""The store's own name, the sites whose meters it keeps, and what collectors have learnt of them."""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, Table, insert, select, update

from koatsu.ems.store.recording import insert_missing, seconds
from koatsu.ems.store.rows import StoredSite
from koatsu.ems.store.schema import learnt, site, store_info

__all__ = ["info", "learn", "name_store", "put_info", "put_site", "sites", "told_of"]

_ID: Final = "id"


def name_store(connection: Connection) -> str:
    """The id of the store: 32 hexadecimal digits, made when it is asked for the first time."""
    found = info(connection).get(_ID)
    if found is not None:
        return found
    made = uuid4().hex
    put_info(connection, _ID, made)
    put_info(connection, "made_at", datetime.now(UTC).isoformat(timespec="seconds"))
    put_info(connection, "made_by", version("koatsu"))
    return made


def info(connection: Connection) -> dict[str, str]:
    """What the store says of itself."""
    return {row.key: row.value for row in connection.execute(select(store_info))}


def put_info(connection: Connection, key: str, value: str) -> None:
    """Write one thing that the store says of itself."""
    _put(connection, store_info, {"key": key}, {"value": value})


def put_site(connection: Connection, site_id: str, name: str, at: datetime) -> None:
    """Add a site, or give it another name."""
    changed = connection.execute(update(site).where(site.c.id == site_id).values(name=name))
    if not changed.rowcount:
        connection.execute(insert(site).values(id=site_id, name=name, added_at=seconds(at)))


def sites(connection: Connection) -> tuple[StoredSite, ...]:
    """Every site, in the order in which they were added."""
    found = connection.execute(select(site).order_by(site.c.added_at, site.c.id))
    return tuple(StoredSite(id=row.id, name=row.name) for row in found)


def learn(connection: Connection, meter_id: str, what: str, value: str, at: datetime) -> None:
    """Note something found out about a meter; the newest word on it stays."""
    _put(connection, learnt, {"meter": meter_id, "what": what}, {"value": value, "at": seconds(at)})


def told_of(connection: Connection, meter_id: str) -> dict[str, str]:
    """What has been found out about a meter."""
    found = connection.execute(select(learnt.c.what, learnt.c.value).where(learnt.c.meter == meter_id))
    return {row.what: row.value for row in found}


def _put(connection: Connection, table: Table, key: dict[str, str], values: dict[str, str | int]) -> None:
    same = [table.c[name] == value for name, value in key.items()]
    if not connection.execute(update(table).where(*same).values(values)).rowcount:
        insert_missing(connection, table, [{**key, **values}])
