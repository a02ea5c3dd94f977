"""The list of the data that is sent: dated, the utility's own where it has given one.

Until then the items of the standard's class for high-voltage meters are shown (``tables/data_list.toml``),
and every page says that this is not the utility's own list. A list is brought in whole from TOML or CSV; with
one wrong row nothing of it is kept, and every wrong row is named.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple, dataclass
from datetime import UTC, date, datetime

from sqlalchemy import Connection, insert, select

from koatsu.clock import JST, Clock
from koatsu.desk.data_items import (
    NOT_OWN,
    DataItem,
    DataList,
    read_csv_list,
    read_toml_list,
    standard_list,
)
from koatsu.desk.database import DeskDatabase
from koatsu.desk.errors import ForbiddenError, InputError
from koatsu.desk.models import Actor
from koatsu.desk.register_history import DATA_LIST, Change, Recorder
from koatsu.desk.schema_help import data_item, data_list
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.people import Right

__all__ = [
    "NOT_OWN",
    "DataItem",
    "DataList",
    "DataLists",
    "KeptList",
    "add_data_list",
    "data_list_in_force",
    "read_csv_list",
    "read_toml_list",
    "standard_list",
]


def data_list_in_force(connection: Connection, day: date) -> DataList:
    """The utility's list that holds on a day, or the standard's."""
    query = select(data_list).where(data_list.c.version <= day.isoformat())
    row = connection.execute(query.order_by(data_list.c.version.desc()).limit(1)).first()
    if row is None:
        return standard_list()
    items = select(data_item).where(data_item.c.list == row.version).order_by(data_item.c.position)
    return DataList(
        title=Words(row.title, row.title_en),
        items=tuple(
            DataItem(
                words=Words(one.ja, one.en),
                unit=one.unit,
                required=one.required,
                note=Words(one.note, one.note_en),
            )
            for one in connection.execute(items)
        ),
        own=True,
        valid_from=date.fromisoformat(row.version),
    )


def add_data_list(
    connection: Connection, found: DataList, valid_from: date, *, by: str, now: datetime
) -> DataList:
    """Keep a list of the utility's that holds from a day on.

    Raises:
        InputError: a list begins on that day already.
    """
    version = valid_from.isoformat()
    if connection.execute(select(data_list.c.version).where(data_list.c.version == version)).first():
        raise InputError(
            {
                "valid_from": Words(
                    f"{version} からの一覧は既にあります。", f"A list begins on {version} already."
                )
            }
        )
    connection.execute(
        insert(data_list).values(
            version=version, title=found.title.ja, title_en=found.title.en,
            made_at=int(now.timestamp()), made_by=by,
        )
    )  # fmt: skip
    rows = [
        {
            "list": version, "position": at, "ja": item.words.ja, "en": item.words.en, "unit": item.unit,
            "required": item.required, "note": item.note.ja, "note_en": item.note.en,
        }
        for at, item in enumerate(found.items, 1)
    ]  # fmt: skip
    connection.execute(insert(data_item), rows)
    return data_list_in_force(connection, valid_from)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptList:
    """A list of the utility's, without its items."""

    valid_from: date
    title: Words
    made_at: datetime
    made_by: str


class DataLists:
    """The lists of the data that is sent, of an open desk; safe to use from any thread."""

    def __init__(self, database: DeskDatabase, clock: Clock, vault: Vault) -> None:
        self._database, self._clock, self._vault = database, clock, vault

    def in_force(self, day: date | None = None) -> DataList:
        """The list that holds on a day, or today."""
        with self._database.reading() as connection:
            return data_list_in_force(connection, day or self._clock.now().astimezone(JST).date())

    def versions(self) -> list[date]:
        """The days on which lists of the utility's begin, the newest first."""
        with self._database.reading() as connection:
            query = select(data_list.c.version).order_by(data_list.c.version.desc())
            return [date.fromisoformat(version) for version in connection.execute(query).scalars()]

    def kept(self) -> list[KeptList]:
        """The lists of the utility's, the newest first."""
        with self._database.reading() as connection:
            return [
                KeptList(
                    valid_from=date.fromisoformat(row.version),
                    title=Words(row.title, row.title_en),
                    made_at=datetime.fromtimestamp(row.made_at, UTC),
                    made_by=row.made_by,
                )
                for row in connection.execute(select(data_list).order_by(data_list.c.version.desc()))
            ]

    def add(self, actor: Actor, found: DataList, valid_from: date) -> DataList:
        """Keep a list of the utility's that holds from a day on.

        Raises:
            ForbiddenError: ``actor`` may not.
            InputError: a list begins on that day already.
        """
        if actor.role is not None and not actor.role.may(Right.DESK_DECIDE):
            raise ForbiddenError(
                Words("データの一覧を変更する権限がありません。", "You may not change the list of data.")
            )
        now = self._clock.now()
        with self._database.writing() as connection:
            added = add_data_list(connection, found, valid_from, by=actor.reference, now=now)
            recorder = Recorder.of(actor, self._vault, now)
            key, rows = valid_from.isoformat(), len(added.items)
            recorder.note(connection, DATA_LIST, Change.ADDED, key, rows=rows, sha256=_digest(added))
            return added


def _digest(found: DataList) -> str:
    """Of everything that a list says."""
    said = [found.title, [astuple(one) for one in found.items]]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()
