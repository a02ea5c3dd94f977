"""Why the store cannot be opened or written, each cause in one sentence in both languages.

Foreign errors are mapped here, at the edge; nothing above this package sees an SQLAlchemy or driver error.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

from sqlalchemy import exc

from koatsu.errors import KoatsuError, UsageError
from koatsu.sql import cause_of

__all__ = ["StoreError", "StoreErrorKind", "StoreHeldError", "store_error", "told"]


class StoreErrorKind(StrEnum):
    """What stands in the way."""

    LOCKED = "locked"  #: another program holds the write lock longer than we wait
    READ_ONLY = "read_only"  #: the file, its folder or the database may not be written
    FULL = "full"  #: no space left
    DISK = "disk"  #: the system cannot read or write the file
    NOT_A_DATABASE = "not_a_database"  #: the file is something else
    FOREIGN = "foreign"  #: a database, and not one of Koatsu's
    NEWER = "newer"  #: written by a later version of this program
    CORRUPT = "corrupt"  #: pages do not fit together
    CANNOT_OPEN = "cannot_open"  #: no such folder, no permission, no server
    HELD = "held"  #: another koatsu run collects into it
    CLOSED = "closed"  #: used after ``close``
    OTHER = "other"  #: anything else that the database said


# kind -> (what, what in Japanese, what to do, what to do in Japanese); {where} is the store's name
_SENTENCES: Final[dict[StoreErrorKind, tuple[str, str, str, str]]] = {
    StoreErrorKind.LOCKED: (
        "The store {where} is locked by another program.",
        "保存先 {where} は、ほかのプログラムが使用中です。",
        "Close what else has it open and start again; what was stored is safe, the rest is read again.",
        "開いているプログラムを閉じて、もう一度起動してください。保存済みの値は無事で、残りは読み直します。",
    ),
    StoreErrorKind.READ_ONLY: (
        "The store {where} is read-only.",
        "保存先 {where} は書き込みできません。",
        "Give this user the right to write the file and its folder.",
        "ファイルとフォルダーに書き込み権限を付けてください。",
    ),
    StoreErrorKind.FULL: (
        "The disk of the store {where} is full.",
        "保存先 {where} のディスクに空きがありません。",
        "Make space; recovery fetches what was missed from the meter.",
        "空き容量を増やしてください。その間の値は計器の履歴から回復します。",
    ),
    StoreErrorKind.DISK: (
        "The disk of the store {where} fails: {reason}.",
        "保存先 {where} のディスクを読み書きできません({reason})。",
        "Look at the disk, its cable and the log of the system; recovery fetches what was missed.",
        "ディスクと配線、システムのログを確認してください。その間の値は計器の履歴から回復します。",
    ),
    StoreErrorKind.NOT_A_DATABASE: (
        "{where} is not a database.",
        "{where} はデータベースではありません。",
        "Name another file as store in the configuration.",
        "設定ファイルの store に別のファイルを指定してください。",
    ),
    StoreErrorKind.FOREIGN: (
        "{where} is a database of another program.",
        "{where} は、ほかのプログラムのデータベースです。",
        "Name another file as store in the configuration; this one was left as it is.",
        "設定ファイルの store に別のファイルを指定してください。このファイルには手を加えていません。",
    ),
    StoreErrorKind.NEWER: (
        "The store {where} was written by a newer version of Koatsu.",
        "保存先 {where} は、より新しい版の Koatsu で作られています。",
        "Install that version or a later one; the file was left as it is.",
        "その版以降をインストールしてください。ファイルには手を加えていません。",
    ),
    StoreErrorKind.CORRUPT: (
        "The store {where} is damaged.",
        "保存先 {where} は壊れています。",
        "Restore a backup with koatsu restore --replace; what is newer is read from the meter again.",
        "koatsu restore --replace でバックアップから戻してください。その後の値は計器の履歴から回復します。",
    ),
    StoreErrorKind.CANNOT_OPEN: (
        "The store {where} cannot be opened: {reason}.",
        "保存先 {where} を開けません({reason})。",
        "Check that the folder exists and that this user may write there, or that the server runs.",
        "フォルダーの有無と権限、またはサーバーの動作を確認してください。",
    ),
    StoreErrorKind.HELD: (
        "{where} is in use by another koatsu ({reason}).",
        "{where} は別の koatsu({reason})が使用中です。",
        "Stop that one, or name another store.",
        "そちらを止めるか、別の保存先を指定してください。",
    ),
    StoreErrorKind.CLOSED: (
        "The store {where} has been closed.",
        "保存先 {where} は既に閉じられています。",
        "Open it again.",
        "もう一度開いてください。",
    ),
    StoreErrorKind.OTHER: (
        "The store {where} refused: {reason}.",
        "保存先 {where} でエラーが起きました({reason})。",
        "The values stay with the meter and are read again.",
        "値は計器に残っているので、もう一度読みます。",
    ),
}


class StoreError(KoatsuError):
    """The store could not do what was asked; ``kind`` says why. The transaction left nothing behind."""

    def __init__(self, kind: StoreErrorKind, where: str, reason: str = "") -> None:
        what, what_ja, then, then_ja = _SENTENCES[kind]
        super().__init__(
            what.format(where=where, reason=reason),
            ja=what_ja.format(where=where, reason=reason),
            hint=then,
            hint_ja=then_ja,
        )
        self.kind = kind


class StoreHeldError(StoreError, UsageError):
    """Another program collects into the store; ``reason`` in the sentence says which."""


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn what the database raises inside the block into ``StoreError``; ``where`` names the store."""
    try:
        yield
    except (exc.DBAPIError, sqlite3.Error) as error:
        raise store_error(error, where) from error


def store_error(error: exc.DBAPIError | sqlite3.Error, where: str) -> StoreError:
    """The sentence for a database error."""
    cause, reason = cause_of(error)
    return StoreError(StoreErrorKind(cause.value), where, reason)
