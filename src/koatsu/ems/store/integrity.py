"""Is the store sound? What is wrong with it, what was mended, and what a person has to do about the rest.

Mended is only what loses nothing: indexes are made anew, kept figures thrown away, and rows that no meter
can have said go into the events, word for word. Damaged pages are never touched.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    case,
    delete,
    func,
    inspect,
    or_,
    select,
)

from koatsu.ems.store.errors import StoreError, StoreErrorKind
from koatsu.ems.store.notes import note_event
from koatsu.ems.store.rows import Event, Level
from koatsu.ems.store.schema import day_total, day_touched, demand, epoch, metadata, meter, reading, scale
from koatsu.ems.store.sites import info, put_info

__all__ = [
    "Finding",
    "check",
    "check_pages",
    "doubt",
    "is_due",
    "is_examination_due",
    "left_open",
    "note_checked",
    "note_examined",
    "noted",
    "until",
]

_WEEK: Final = timedelta(days=7)
_SLOT_S: Final = 1_800
_CHECKED: Final = "checked_at"  #: the pages
_EXAMINED: Final = "examined_at"  #: everything
_STEPS: Final = 100_000  #: of SQLite's machine, some milliseconds, between two looks at whether to stop
_AT_ONCE: Final = 50  #: rows that one event keeps

# code -> (what, what in Japanese); {n} is a number of rows, {what} what the database says
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "pages": (
        "The file is damaged ({what}); move it away and restore a backup.",
        "ファイルが壊れています({what})。移動してバックアップから戻してください。",
    ),
    "indexes": (
        "Indexes did not fit their tables and were made anew.",
        "索引が表と合わないため、作り直しました。",
    ),
    "shape": (
        "The tables are not those of this version ({what}); restore a backup.",
        "表の形がこの版と違います({what})。バックアップから戻してください。",
    ),
    "references": (
        "Rows of a meter or an epoch that is not there: {n} ({what}); restore a backup.",
        "計器または期間のない行が {n} 行あります({what})。バックアップから戻してください。",
    ),
    "impossible": (
        "Counts that no meter can have said: {n} ({what}); they were taken out and written into the events.",
        "計器の値としてあり得ない {n} 行を取り除き、出来事に書き残しました({what})。",
    ),
    "digits": (
        "Counts with more digits than their register: {n}; shown as conflicts, to be corrected by hand.",
        "有効桁数を超える指示値が {n} 件あります。確認待ちとして表示するので、手で訂正してください。",
    ),
    "figures": (
        "Kept figures of days thrown away: {n}; they are made again from the counts.",
        "日ごとの集計 {n} 件を破棄しました。指示値から計算し直します。",
    ),
}
_MENDED: Final = ("indexes", "impossible", "figures")
_GRAVE: Final = ("pages", "shape", "references")  #: only a backup helps


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong; ``mended`` when it no longer is.

    ``code`` is "pages", "indexes", "shape", "references", "impossible", "digits" or "figures"; ``rows`` how
    many are concerned, where they can be counted.
    """

    code: str
    rows: int = 0
    what: str = ""

    @property
    def mended(self) -> bool:
        """Whether it has been put right, so that nothing is left to do."""
        return self.code in _MENDED

    def text(self, lang: str = "en") -> str:
        """The sentence in ``lang`` ("ja" or "en"), with what to do."""
        english, japanese = _WORDS[self.code]
        return (japanese if lang == "ja" else english).format(n=self.rows, what=self.what)


def left_open(file: Path) -> bool:
    """Whether an SQLite file was not closed in order, or is open now: its log is still beside it."""
    log = Path(f"{os.path.realpath(file)}-wal")  # SQLite keeps it beside the file, not beside a link to it
    try:
        return log.stat().st_size > 0
    except OSError:
        return False


def check_pages(connection: Connection, where: str) -> None:
    """Pass when the pages of an SQLite file fit together, as far as that can be told quickly.

    Raises:
        StoreError: they are damaged.
    """
    if connection.exec_driver_sql("PRAGMA quick_check(1)").scalars().all() != ["ok"]:
        raise StoreError(StoreErrorKind.CORRUPT, where)


def is_due(connection: Connection) -> bool:
    """Whether the pages have not been looked at for a week."""
    return _is_long_ago(info(connection).get(_CHECKED))


def is_examination_due(connection: Connection) -> bool:
    """Whether the whole store has not been looked at for a week, or since it was found left open."""
    return _is_long_ago(info(connection).get(_EXAMINED))


def _is_long_ago(text: str | None) -> bool:
    try:
        since = datetime.now(UTC) - datetime.fromisoformat(text or "")
    except (TypeError, ValueError):  # never, or written by somebody else
        return True
    return not timedelta(0) <= since < _WEEK


def note_checked(connection: Connection) -> None:
    """Note that the pages were looked at now."""
    put_info(connection, _CHECKED, datetime.now(UTC).isoformat(timespec="seconds"))


def note_examined(connection: Connection) -> None:
    """Note that everything was looked at now."""
    note_checked(connection)
    put_info(connection, _EXAMINED, datetime.now(UTC).isoformat(timespec="seconds"))


def doubt(connection: Connection) -> None:
    """Note that everything has to be looked at again, whenever that was done last."""
    put_info(connection, _EXAMINED, "")


@contextmanager
def until(connection: Connection, stop: Callable[[], bool]) -> Iterator[None]:
    """End what SQLite does inside the block, by an error, as soon as ``stop`` says so."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, sqlite3.Connection):
        yield
        return
    driver.set_progress_handler(stop, _STEPS)
    try:
        yield
    finally:
        driver.set_progress_handler(None, 0)


def noted(connection: Connection, found: Iterable[Finding], at: datetime) -> None:
    """Write findings into the events, for whoever was not there when they were made."""
    for one in found:
        params = {"finding": one.code, "rows": one.rows, "en": one.text("en"), "ja": one.text("ja")}
        level = Level.ALARM if one.code in _GRAVE else Level.CAUTION
        note_event(connection, Event(at=at, level=level, code="store_found", params=params))


def check(connection: Connection, *, mend: bool = True) -> tuple[Finding, ...]:
    """Look at everything, mend what is safe; what was found, nothing when all is sound.

    ``connection`` is a writing transaction; without ``mend`` nothing is changed, and one that reads will do.
    Takes about a second for each million counts.
    """
    pages = _pages(connection, mend)
    if any(found.code == "pages" for found in pages):
        return pages
    shape = _shape(connection)
    if shape:
        return (*pages, *shape)
    return (
        *pages,
        *_references(connection),
        *_impossible(connection, mend),
        *_digits(connection),
        *_figures(connection, mend),
    )


def _pages(connection: Connection, mend: bool) -> tuple[Finding, ...]:
    """What SQLite says of its pages; indexes that do not fit are made anew."""
    if connection.dialect.name != "sqlite":
        return ()
    said = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars().all()
    if said == ["ok"]:
        return ()
    if all("index" in line for line in said):  # "row 3 missing from index …", "wrong # of entries in index …"
        if not mend:
            return (Finding(code="indexes"),)
        connection.exec_driver_sql("REINDEX")
        said = connection.exec_driver_sql("PRAGMA integrity_check(20)").scalars().all()
        if said == ["ok"]:
            return (Finding(code="indexes"),)
    return (Finding(code="pages", what=str(said[0]).splitlines()[0]),)


def _shape(connection: Connection) -> tuple[Finding, ...]:
    """Tables and columns that are missing."""
    found = inspect(connection)
    names = set(found.get_table_names())
    missing = [name for name in metadata.tables if name not in names]
    for name in names & metadata.tables.keys():
        columns = {column["name"] for column in found.get_columns(name)}
        missing += [f"{name}.{one.name}" for one in metadata.tables[name].columns if one.name not in columns]
    return (Finding(code="shape", what=", ".join(sorted(missing)[:5])),) if missing else ()


def _references(connection: Connection) -> tuple[Finding, ...]:
    """Rows whose meter or epoch is not there; a database server never lets that happen."""
    if connection.dialect.name != "sqlite":
        return ()
    rows = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if not rows:
        return ()
    tables = sorted({str(row[0]) for row in rows})
    return (Finding(code="references", rows=len(rows), what=", ".join(tables)),)


def _impossible(connection: Connection, mend: bool) -> tuple[Finding, ...]:
    """Counts beside the half hours or below 0: out of the table, into the events."""
    taken, names = 0, []
    for table, at in ((reading, reading.c.instant), (demand, demand.c.start)):
        wrong = or_(at % _SLOT_S != 0, table.c["count"] < 0)
        rows = connection.execute(select(table).where(wrong)).mappings().all()
        if rows:
            taken += len(rows)
            names.append(table.name)
        if rows and mend:
            _write_down(connection, table.name, [dict(row) for row in rows])
            connection.execute(delete(table).where(wrong))
            touched = select(epoch.c.meter).where(epoch.c.id.in_({row["epoch"] for row in rows}))
            connection.execute(
                meter.update().where(meter.c.id.in_(touched)).values(revision=meter.c.revision + 1)
            )
    return (Finding(code="impossible", rows=taken, what=", ".join(names)),) if taken else ()


def _write_down(connection: Connection, table: str, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        note_event(
            connection,
            Event(
                at=datetime.now(UTC),
                level=Level.CAUTION,
                code="store_mended",
                params={"table": table, "rows": rows[start : start + _AT_ONCE]},
            ),
        )


def _digits(connection: Connection) -> tuple[Finding, ...]:
    """Counts that do not fit their register."""
    known: dict[tuple[int, str], int] = {
        (row.epoch, row.what): row.digits
        for row in connection.execute(select(scale.c.epoch, scale.c.what, scale.c.digits))
        if row.digits
    }
    reactive = reading.c.register.like("reactive%")
    beyond = 0
    for key in {key for key, _ in known}:
        energy, kvar = known.get((key, "energy"), 8), known.get((key, "reactive"), 8)
        limit = case((reactive, 10**kvar), else_=10**energy)
        beyond += _number(connection, reading, and_(reading.c.epoch == key, reading.c["count"] >= limit))
        most = 10 ** known.get((key, "demand"), 8)
        beyond += _number(connection, demand, and_(demand.c.epoch == key, demand.c["count"] >= most))
    return (Finding(code="digits", rows=beyond),) if beyond else ()


def _number(connection: Connection, table: Table, wanted: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(table).where(wanted)).scalar_one()


def _figures(connection: Connection, mend: bool) -> tuple[Finding, ...]:
    """Kept figures that cannot be read, or claim to know more than has happened."""
    query = (
        select(
            day_total.c.meter,
            day_total.c.register,
            day_total.c.day,
            day_total.c.figures,
            or_(
                day_total.c.meter_revision > meter.c.revision,
                day_total.c.revision > func.coalesce(day_touched.c.revision, 0),
            ).label("ahead"),
        )
        .join(meter, meter.c.id == day_total.c.meter)
        .outerjoin(
            day_touched, and_(day_touched.c.meter == day_total.c.meter, day_touched.c.day == day_total.c.day)
        )
    )
    bad = [row[:3] for row in connection.execute(query) if row.ahead or not _is_json(row.figures)]
    for meter_id, register, day in bad if mend else ():
        connection.execute(
            delete(day_total).where(
                day_total.c.meter == meter_id, day_total.c.register == register, day_total.c.day == day
            )
        )
    return (Finding(code="figures", rows=len(bad)),) if bad else ()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True
