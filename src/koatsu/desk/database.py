"""The desk's database: where it is, how it is opened, and what its errors are called."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Final

from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError

from koatsu.desk.errors import DeskError
from koatsu.desk.schema import HEAD, PREFIX, VERSION_TABLE
from koatsu.desk.words import Words
from koatsu.sql import Cause, Tables, Trouble, address_of

__all__ = ["DeskDatabase", "DeskStoreError", "store_url"]

# why -> (what, what to do)
_SENTENCES: Final[dict[Cause | Trouble, tuple[Words, Words]]] = {
    Cause.LOCKED: (
        Words(
            "デスクの保存先 {where} は、ほかのプログラムが使用中です。",
            "The desk's store {where} is locked by another program.",
        ),
        Words("少し待ってから、やり直してください。", "Wait a little and try again."),
    ),
    Cause.READ_ONLY: (
        Words("デスクの保存先 {where} は書き込みできません。", "The desk's store {where} is read-only."),
        Words(
            "ファイルとフォルダーに書き込み権限を付けてください。",
            "Give this user the right to write the file and its folder.",
        ),
    ),
    Cause.FULL: (
        Words(
            "デスクの保存先 {where} のディスクに空きがありません。",
            "The disk of the desk's store {where} is full.",
        ),
        Words("空き容量を増やして、やり直してください。", "Make space and try again."),
    ),
    Cause.NOT_A_DATABASE: (
        Words("{where} はデータベースではありません。", "{where} is not a database."),
        Words(
            "設定ファイルの store を確かめてください。",
            "Check store in the configuration; the file was left as it is.",
        ),
    ),
    Cause.CORRUPT: (
        Words("デスクの保存先 {where} は壊れています。", "The desk's store {where} is damaged."),
        Words("バックアップから戻してください。", "Restore a backup."),
    ),
    Cause.CANNOT_OPEN: (
        Words(
            "デスクの保存先 {where} を開けません({reason})。",
            "The desk's store {where} cannot be opened: {reason}.",
        ),
        Words(
            "フォルダーの有無と権限、またはサーバーの動作を確認してください。",
            "Check the folder and its rights, or that the server runs.",
        ),
    ),
    Trouble.FOREIGN: (
        Words(
            "{where} は Koatsu の受付デスクの保存先ではありません。",
            "{where} is no store of Koatsu's service desk.",
        ),
        Words(
            "設定ファイルの store を変えてください。手は加えていません。",
            "Name another store; this one was left as it is.",
        ),
    ),
    Trouble.NEWER: (
        Words(
            "デスクの保存先 {where} は、より新しい版の Koatsu で作られています。",
            "The desk's store {where} was written by a newer version of Koatsu.",
        ),
        Words(
            "その版以降をインストールしてください。",
            "Install that version or a later one; the store was left as it is.",
        ),
    ),
    Trouble.CLOSED: (
        Words("デスクの保存先 {where} は既に閉じられています。", "The desk's store {where} has been closed."),
        Words("もう一度開いてください。", "Open it again."),
    ),
}
_OTHER: Final = (
    Words(
        "デスクの保存先 {where} でエラーが起きました({reason})。",
        "The desk's store {where} refused: {reason}.",
    ),
    Words("変更は行われていません。", "Nothing was changed."),
)


class DeskStoreError(DeskError):
    """The desk's database could not do what was asked; nothing was left half-done. ``why`` is the cause."""

    def __init__(self, why: Cause | Trouble, where: str, reason: str = "") -> None:
        what, then = _SENTENCES.get(why, _OTHER)
        super().__init__(what.filled(where=where, reason=reason), then)
        self.why = why


def store_url(store: str | Path) -> URL:
    """The database that a path or a URL names.

    Raises:
        DeskStoreError: it is neither.
    """
    if isinstance(store, str) and "://" in store:
        try:
            return address_of(store)
        except ArgumentError as error:
            raise DeskStoreError(Cause.CANNOT_OPEN, "", "not a database address") from error
    return URL.create("sqlite+pysqlite", database=str(Path(store).absolute()))


class DeskDatabase(Tables):
    """The open database of a desk. On SQLite many read while one writes."""

    prefix, version_table, head = PREFIX, VERSION_TABLE, HEAD
    migrations = Path(__file__).parent / "migrations"
    line = 0x4445534B  # "DESK"
    pragmas = ("synchronous=FULL", "foreign_keys=ON", "secure_delete=ON")

    def __init__(self, store: str | Path, busy_s: float) -> None:
        """Open or make it, brought to the newest shape; ``busy_s``: longest wait for a lock, in seconds.

        Raises:
            DeskStoreError: locked, read-only, not ours, of a newer version or out of reach.
        """
        super().__init__(store_url(store), busy_s)
        self._pragma("journal_mode=WAL")  # noted in the file itself, so only once it is known to be ours

    def refused(self, why: Cause | Trouble, reason: str) -> DeskStoreError:
        """The error that says why."""
        return DeskStoreError(why, self.where, reason)

    def forget_erased(self) -> None:
        """Empty SQLite's log, which would keep what was erased until it is written over."""
        self._pragma("wal_checkpoint(TRUNCATE)")

    def _pragma(self, words: str) -> None:
        """Ask something of SQLite that is no part of a transaction; of a server, nothing."""
        with self._told():
            engine = self._open()
            if engine.dialect.name == "sqlite":
                with closing(engine.raw_connection()) as plain:
                    plain.cursor().execute(f"PRAGMA {words}").close()
