"""Why somebody may not come in or may not do that, each reason in one sentence in both languages.

``PeopleStoreError`` is about the database beneath; foreign errors end there, nothing above sees them.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from koatsu.clock import JST
from koatsu.errors import KoatsuError, UsageError
from koatsu.sql import Cause, Trouble

__all__ = [
    "LastOwnerError",
    "LockedOutError",
    "NameRefusedError",
    "NotAllowedError",
    "OwnerExistsError",
    "PasswordRefusedError",
    "PeopleStoreError",
    "StoreTrouble",
    "TokenRefusedError",
    "UnknownPersonError",
    "UnknownTokenError",
    "WrongPasswordError",
    "trouble_of",
]


class WrongPasswordError(KoatsuError):
    """Name and password do not belong together; which of the two is wrong is not told."""

    def __init__(self) -> None:
        super().__init__(
            "The name or the password is not right.",
            ja="名前またはパスワードが違います。",
        )


class LockedOutError(KoatsuError):
    """Too many wrong passwords; ``until`` is when the next attempt is looked at, aware UTC."""

    def __init__(self, until: datetime) -> None:
        at = until.astimezone(JST).strftime("%H:%M:%S")
        super().__init__(
            f"Too many wrong passwords: try again at {at} JST.",
            ja=f"パスワードの誤りが続いたため、{at}(日本時間)までログインできません。",
        )
        self.until = until


class NotAllowedError(KoatsuError):
    """The role of this login does not have that right."""

    def __init__(self) -> None:
        super().__init__(
            "You may not do this with your role.",
            ja="この操作は、あなたの権限ではできません。",
            hint="An owner can change roles.",
            hint_ja="権限は管理者が変更できます。",
        )


class OwnerExistsError(KoatsuError):
    """The first owner has been made already."""

    def __init__(self) -> None:
        super().__init__(
            "There is an owner already.",
            ja="管理者は登録済みです。",
            hint="Log in; an owner adds further people.",
            hint_ja="ログインしてください。利用者は管理者が追加します。",
        )


class LastOwnerError(KoatsuError):
    """The only owner would go away, and the pages would be open to everybody again."""

    def __init__(self) -> None:
        super().__init__(
            "This is the only owner.",
            ja="管理者がほかにいません。",
            hint="Make somebody else an owner first.",
            hint_ja="先に別の人を管理者にしてください。",
        )


class NameRefusedError(UsageError):
    """A name that cannot be taken: empty, too long, unprintable or in use."""


class PasswordRefusedError(UsageError):
    """A new password that is too short, too common or too much like the name."""


class TokenRefusedError(UsageError):
    """A token that cannot be made: no label, or a time that is too long."""


class UnknownPersonError(UsageError):
    """Nobody has that name or number."""

    def __init__(self, who: str) -> None:
        super().__init__(
            f"There is nobody called {who}.",
            ja=f"利用者「{who}」は登録されていません。",
            hint="koatsu people list shows everybody.",
            hint_ja="koatsu people list で一覧を表示できます。",
        )


class UnknownTokenError(UsageError):
    """No token has that number."""

    def __init__(self, token_id: int) -> None:
        super().__init__(
            f"There is no token {token_id}.",
            ja=f"トークン {token_id} はありません。",
            hint="koatsu people token list shows all of them.",
            hint_ja="koatsu people token list で一覧を表示できます。",
        )


class StoreTrouble(StrEnum):
    """What stands in the way of the people store."""

    LOCKED = "locked"
    READ_ONLY = "read_only"
    FULL = "full"
    FOREIGN = "foreign"
    NEWER = "newer"
    CORRUPT = "corrupt"
    CANNOT_OPEN = "cannot_open"
    CLOSED = "closed"
    OTHER = "other"


# trouble -> (what, what in Japanese, what to do, what to do in Japanese)
_SENTENCES: Final[dict[StoreTrouble, tuple[str, str, str, str]]] = {
    StoreTrouble.LOCKED: (
        "The people store {where} is locked by another program.",
        "利用者の保存先 {where} は、ほかのプログラムが使用中です。",
        "Close what else has it open and try again.",
        "開いているプログラムを閉じて、やり直してください。",
    ),
    StoreTrouble.READ_ONLY: (
        "The people store {where} is read-only.",
        "利用者の保存先 {where} は書き込みできません。",
        "Give this user the right to write the file and its folder.",
        "ファイルとフォルダーに書き込み権限を付けてください。",
    ),
    StoreTrouble.FULL: (
        "The disk of the people store {where} is full.",
        "利用者の保存先 {where} のディスクに空きがありません。",
        "Make space and try again.",
        "空き容量を増やして、やり直してください。",
    ),
    StoreTrouble.FOREIGN: (
        "{where} is no people store of Koatsu.",
        "{where} は Koatsu の利用者の保存先ではありません。",
        "Move the file away or name another store in the configuration; it was left as it is.",
        "ファイルを移動するか、設定ファイルの store を変えてください。このファイルには手を加えていません。",
    ),
    StoreTrouble.NEWER: (
        "The people store {where} was written by a newer version of Koatsu.",
        "利用者の保存先 {where} は、より新しい版の Koatsu で作られています。",
        "Install that version or a later one; the file was left as it is.",
        "その版以降をインストールしてください。ファイルには手を加えていません。",
    ),
    StoreTrouble.CORRUPT: (
        "The people store {where} is damaged.",
        "利用者の保存先 {where} は壊れています。",
        "Restore a backup, or move the file away and make a new owner with koatsu people add.",
        "バックアップから戻すか、ファイルを移動して koatsu people add で管理者を作り直してください。",
    ),
    StoreTrouble.CANNOT_OPEN: (
        "The people store {where} cannot be opened: {reason}.",
        "利用者の保存先 {where} を開けません({reason})。",
        "Check that the folder exists and that this user may write there, or that the server runs.",
        "フォルダーの有無と権限、またはサーバーの動作を確認してください。",
    ),
    StoreTrouble.CLOSED: (
        "The people store {where} has been closed.",
        "利用者の保存先 {where} は既に閉じられています。",
        "Open it again.",
        "もう一度開いてください。",
    ),
    StoreTrouble.OTHER: (
        "The people store {where} refused: {reason}.",
        "利用者の保存先 {where} でエラーが起きました({reason})。",
        "Nothing was changed.",
        "変更は行われていません。",
    ),
}

_TROUBLE: Final[dict[Cause | Trouble, StoreTrouble]] = {
    Cause.NOT_A_DATABASE: StoreTrouble.FOREIGN,
    Cause.DISK: StoreTrouble.OTHER,
}
"""Causes that have no name of their own here."""


class PeopleStoreError(KoatsuError):
    """The people store could not do what was asked; ``trouble`` says why. Nothing was left half-done."""

    def __init__(self, trouble: StoreTrouble, where: str, reason: str = "") -> None:
        what, what_ja, then, then_ja = _SENTENCES[trouble]
        super().__init__(
            what.format(where=where, reason=reason),
            ja=what_ja.format(where=where, reason=reason),
            hint=then,
            hint_ja=then_ja,
        )
        self.trouble = trouble


def trouble_of(why: Cause | Trouble) -> StoreTrouble:
    """How the people store calls it."""
    return _TROUBLE.get(why) or StoreTrouble(why.value)
