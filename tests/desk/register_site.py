"""Registers for tests, in memory or anywhere, with the least that other rows refer to, and files for them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.pool import StaticPool

from koatsu.clock import JST, ManualClock
from koatsu.desk.imports import SHEETS, ImportReport, Register, Transactions
from koatsu.desk.metadata import metadata
from koatsu.desk.registers import Registers
from koatsu.desk.schema_registers import REGISTERS, import_log
from koatsu.desk.settings import DeskSettings
from koatsu.desk.vault import Vault
from koatsu.sql import begin_sqlite

START: Final = datetime(2026, 7, 1, 9, 0, tzinfo=JST)  #: a Wednesday
SETTINGS: Final = DeskSettings(area_prefixes=("07",), self_supply_office="self")
WHO: Final = "person:4"

POINT: Final = "0700123456789012340431"
OTHER_POINT: Final = "0700123456789012340432"
OUTSIDE: Final = "0300123456789012340431"

POINT_HEADINGS: Final = (
    "供給地点特定番号",
    "郵便番号",
    "市区町村",
    "町名番地",
    "電圧",
    "契約電力(kW)",
    "電気の購入先",
    "小売電気事業者コード",
    "契約開始日",
    "契約終了日",
    "計量器の型式",
)


class Memory:
    """A database in memory that gives transactions as the real one does."""

    def __init__(self) -> None:
        self.engine: Engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )
        event.listen(self.engine, "connect", _plain)
        event.listen(self.engine, "begin", begin_sqlite)
        metadata.create_all(self.engine)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self.engine.connect() as connection, connection.begin() as transaction:
            yield connection
            transaction.rollback()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        with self.engine.begin() as connection:
            yield connection


def _plain(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys=ON").close()


class Site:
    """Registers with a clock that stands still, and short ways to fill them and to look into their tables."""

    def __init__(self, database: Transactions, settings: DeskSettings = SETTINGS) -> None:
        self.database, self.settings = database, settings
        self.clock = ManualClock(START)
        self.registers = Registers(database, settings, self.clock, Vault(bytes(32)))

    def take(self, register: Register, *rows: Sequence[str], **options: Any) -> ImportReport:
        """Import rows, the first of which are the headings."""
        return self.take_bytes(register, csv_of(*rows).encode(), **options)

    def take_bytes(self, register: Register, data: bytes, **options: Any) -> ImportReport:
        """Import a file."""
        return self.registers.import_file(register, data, "file.csv", author=WHO, **options)

    def points(self, *rows: Mapping[str, str], **options: Any) -> ImportReport:
        """Import supply points of which only what matters is given."""
        return self.take(Register.SUPPLY_POINTS, POINT_HEADINGS, *map(point_row, rows), **options)

    def rows(self, register: Register) -> list[dict[str, Any]]:
        """Everything that the table of a register holds, in the order of its keys."""
        sheet = SHEETS[register]
        query = select(sheet.table).order_by(*(sheet.table.c[name] for name in sheet.key))
        with self.database.reading() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def count(self, register: Register) -> int:
        """How many rows a register has."""
        with self.database.reading() as connection:
            return connection.execute(select(func.count()).select_from(SHEETS[register].table)).scalar_one()

    def furnished(self) -> Site:
        """With retailers, offices and their areas, and types that are supported."""
        self.take(
            Register.RETAILERS,
            ("コード", "名称", "自社", "事業終了日"),
            ("A0001", "北電力", "はい", ""),
            ("A0002", "あおぞら電力", "", ""),
            ("A0003", "やめた電力", "", "2025-03-31"),
        )
        self.take(
            Register.OFFICES,
            ("コード", "種類", "名称", "郵便番号", "住所", "閉所日"),
            ("north", "配電事業所", "北営業所", "812-0011", "北市みどり 1", ""),
            ("south", "配電事業所", "南営業所", "815-0001", "南市あおば 2", ""),
            ("old", "配電事業所", "旧営業所", "811-0001", "東市 3", "2026-06-30"),
            (
                "centre",
                "ネットワークサービスセンター",
                "ネットワークサービスセンター",
                "810-0001",
                "中市 4",
                "",
            ),
            ("self", "自己等供給の窓口", "本社 自己等担当", "810-0002", "中市 5", ""),
        )
        self.take(
            Register.AREAS,
            ("事業所コード", "郵便番号", "市区町村"),
            ("north", "812", ""),
            ("south", "815", ""),
            ("south", "812-0099", ""),
            ("old", "811", ""),
            ("north", "", "福岡県北市"),
            ("south", "", "南市"),
            ("north", "", "中郡"),
        )
        self.take(
            Register.SUPPORTED_TYPES,
            ("機器", "型式", "メーカー", "双方向計量", "対応開始日", "対応終了日"),
            ("計量器", "M-28A", "試作電機", "", "2020-01-01", ""),
            ("計量器", "M-28F", "試作電機", "はい", "2025-01-01", ""),
            ("計量器", "M-EARLY", "試作電機", "", "2015-01-01", "2024-12-31"),
            ("伝送端末", "T-2", "試作電機", "", "2020-01-01", ""),
        )
        return self


def emptied(database: Transactions) -> Transactions:
    """The registers of a database that a test before has filled, with nothing in them."""
    with database.writing() as connection:
        for table in reversed(metadata.sorted_tables):
            if table in (*REGISTERS, import_log):
                connection.execute(table.delete())
    return database


def point_row(values: Mapping[str, str]) -> list[str]:
    """A row of a file of supply points; columns by their headings, plausible where nothing is said."""
    plausible = {
        "供給地点特定番号": POINT,
        "郵便番号": "812-0011",
        "市区町村": "北市",
        "町名番地": "みどり 2 丁目",
        "電圧": "高圧",
        "契約電力(kW)": "418",
        "電気の購入先": "当社",
    }
    return [({**plausible, **values}).get(heading, "") for heading in POINT_HEADINGS]


def csv_of(*rows: Sequence[str]) -> str:
    """The text of a CSV file."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    return out.getvalue()
