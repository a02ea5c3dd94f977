"""Papers of a case: scans and photographs, looked into, sealed, and given out as files to save.

The content and the name of a paper stand under the key of the customer's subject; when that key is gone they
are noise, and the rows remain. A paper that does not belong there is withdrawn, never deleted.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from koatsu.clock import Clock
from koatsu.desk import case_rows
from koatsu.desk.database import DeskDatabase
from koatsu.desk.errors import DeskError, ForbiddenError, InputError, UnknownError
from koatsu.desk.file_names import attachment, safe_file_name
from koatsu.desk.models import Actor
from koatsu.desk.scan_faults import refuse_large
from koatsu.desk.scans import Scan, ScanKind, inspect
from koatsu.desk.schema_help import document, document_content
from koatsu.desk.schema_registers import LARGEST
from koatsu.desk.settings import DeskSettings
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.people import Right

__all__ = [
    "KIND_WORDS",
    "WITHDRAWN_WORDS",
    "Document",
    "DocumentKind",
    "Documents",
    "Download",
    "Withdrawn",
    "add_document",
    "document_of",
    "documents_of",
    "download_of",
    "withdraw_document",
]


class DocumentKind(StrEnum):
    """What a paper is."""

    APPLICATION = "application"
    ENDING = "ending"
    LETTER = "letter"
    DRAWING = "drawing"
    SURVEY = "survey"
    WORKS_PHOTO = "works_photo"
    EVIDENCE = "evidence"
    OTHER = "other"


KIND_WORDS: Final[dict[DocumentKind, Words]] = {
    DocumentKind.APPLICATION: Words("申込書", "Application form"),
    DocumentKind.ENDING: Words("終了の申込書", "Form for ending"),
    DocumentKind.LETTER: Words("手紙", "Letter"),
    DocumentKind.DRAWING: Words("図面", "Drawing"),
    DocumentKind.SURVEY: Words("現地調査の記録", "Record of the survey"),
    DocumentKind.WORKS_PHOTO: Words("工事の写真", "Photograph of the works"),
    DocumentKind.EVIDENCE: Words("接続確認の記録", "Evidence of the connection check"),
    DocumentKind.OTHER: Words("そのほか", "Other"),
}
_INTERNAL: Final = frozenset({DocumentKind.SURVEY, DocumentKind.WORKS_PHOTO})
"""Kinds that show the utility's installation: for its staff."""


class Withdrawn(StrEnum):
    """Why a paper is withdrawn."""

    WRONG_CASE = "wrong_case"
    UNREADABLE = "unreadable"
    REPLACED = "replaced"
    NOT_NEEDED = "not_needed"  #: it tells more of somebody than the case needs


WITHDRAWN_WORDS: Final[dict[Withdrawn, Words]] = {
    Withdrawn.WRONG_CASE: Words("別の案件のもの", "Belongs to another case"),
    Withdrawn.UNREADABLE: Words("読めない", "Cannot be read"),
    Withdrawn.REPLACED: Words("差し替え", "Replaced by another one"),
    Withdrawn.NOT_NEEDED: Words("不要な個人情報を含む", "Holds personal data that is not needed"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A paper without its content."""

    id: int
    case: int
    subject: int
    kind: DocumentKind
    name: str | None  #: a safe file name; None once erased
    scan: ScanKind
    size: int  #: bytes
    digest: str  #: of the content, under the key of the subject
    trimmed: bool  #: something behind the end of the picture was not kept
    added_at: datetime
    added_by: str
    withdrawn_at: datetime | None
    withdrawn_by: str
    withdrawn: Withdrawn | None

    @property
    def reference(self) -> str:
        """How the history calls it: ``document:12``."""
        return f"document:{self.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """A paper as it is given out: to be saved, never to be shown or run by the page."""

    name: str
    scan: ScanKind
    content: bytes

    @property
    def headers(self) -> Mapping[str, str]:
        """What the answer must carry."""
        return {
            "Content-Type": self.scan.media_type,
            "Content-Disposition": attachment(self.name),
            "Content-Length": str(len(self.content)),
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "private, no-store",
        }


# --- rows -----------------------------------------------------------------------------------------------


def add_document(
    connection: Connection,
    vault: Vault,
    scan: Scan,
    name: str,
    kind: DocumentKind,
    *,
    case_id: int,
    subject: int,
    by: str,
    now: datetime,
) -> Document:
    """Keep a paper that was looked into.

    Raises:
        InputError: the case has it already.
        UnknownError: the subject is erased, so nothing new is kept of it.
    """
    digest = _digest(connection, vault, subject, scan.content)
    same = select(document.c.id).where(
        document.c.case_id == case_id, document.c.digest == digest, document.c.withdrawn_at.is_(None)
    )
    if connection.execute(same).first() is not None:
        raise InputError(
            {"document": Words("同じファイルを既に受け取っています。", "The same file is here already.")}
        )
    sealed_name = vault.seal(connection, subject, safe_file_name(name, scan.kind.suffix, kind.value))
    made = connection.execute(
        insert(document).values(
            case_id=case_id, subject=subject, kind=kind.value, name=sealed_name,
            media_type=scan.kind.media_type, size=len(scan.content), digest=digest, trimmed=scan.trimmed,
            added_at=int(now.timestamp()), added_by=by,
        )
    )  # fmt: skip
    assert made.inserted_primary_key is not None
    number = int(made.inserted_primary_key[0])
    sealed = vault.seal(connection, subject, scan.content)
    connection.execute(insert(document_content).values(document=number, content=sealed))
    return document_of(connection, vault, number, case_id)


def documents_of(connection: Connection, vault: Vault, case_id: int) -> list[Document]:
    """The papers of a case, withdrawn ones too, in the order in which they came."""
    query = select(document).where(document.c.case_id == case_id).order_by(document.c.id)
    return [_document(connection, vault, row) for row in connection.execute(query)]


def document_of(connection: Connection, vault: Vault, document_id: int, case_id: int) -> Document:
    """A paper of that case.

    Raises:
        UnknownError: the case has no such paper.
    """
    query = select(document).where(document.c.id == document_id, document.c.case_id == case_id)
    row = connection.execute(query).first() if 0 < document_id <= LARGEST else None
    if row is None:
        raise _no_document()
    return _document(connection, vault, row)


def download_of(connection: Connection, vault: Vault, one: Document) -> Download:
    """The content of a paper.

    Raises:
        UnknownError: it is withdrawn, or its customer's data is erased.
        DeskError: it is not the content that came in.
    """
    if one.withdrawn is not None:
        raise UnknownError(
            Words("この書類は取り下げられています。", "This document has been withdrawn."),
            Words("差し替えの書類をご覧ください。", "Look at the one that took its place."),
        )
    query = select(document_content.c.content).where(document_content.c.document == one.id)
    sealed: bytes = connection.execute(query).scalar_one()
    content = vault.open_bytes(connection, one.subject, sealed)
    if content is None or one.name is None:
        raise UnknownError(
            Words(
                "個人の情報が消去されたため、この書類は読めません。",
                "The personal data has been erased, so this document cannot be read.",
            )
        )
    if not hmac.compare_digest(_digest(connection, vault, one.subject, content), one.digest):
        raise DeskError(
            Words(
                f"保存された書類 {one.id} は、受け取ったときの内容ではありません。",
                f"What is stored of document {one.id} is not what came in.",
            ),
            Words("バックアップから戻してください。", "Restore a backup."),
        )
    return Download(name=one.name, scan=one.scan, content=content)


def withdraw_document(
    connection: Connection, one: Document, why: Withdrawn, *, by: str, now: datetime
) -> None:
    """Take a paper out of sight; a second time changes nothing."""
    values = {"withdrawn_at": int(now.timestamp()), "withdrawn_by": by, "withdrawn_reason": why.value}
    standing = document.c.withdrawn_at.is_(None)
    connection.execute(update(document).where(document.c.id == one.id, standing).values(**values))


# --- the papers of an open desk -------------------------------------------------------------------------


class Documents:
    """The papers of an open desk; safe to use from any thread."""

    def __init__(self, database: DeskDatabase, vault: Vault, settings: DeskSettings, clock: Clock) -> None:
        self._database, self._vault, self._settings, self._clock = database, vault, settings, clock

    def add(
        self,
        actor: Actor,
        case_id: int,
        content: bytes,
        name: str,
        kind: DocumentKind,
        noting: Callable[[Connection, Document], object] = lambda _connection, _document: None,
    ) -> Document:
        """Take a paper in.

        Args:
            actor: who brings it.
            case_id: the case.
            content: the whole file.
            name: as it was sent.
            kind: what it is said to be.
            noting: writes it into the history, in the same transaction.

        Raises:
            ScanRefusedError: the file is not taken; the error says why and what to do.
            UnknownError: there is no such case for ``actor``, or its personal data is erased.
            ForbiddenError: ``actor`` may not.
            InputError: the case has it already.
        """
        _must(actor, Right.DESK_HANDLE, Right.DESK_WORK, Right.DESK_OWN)
        scan = inspect(content, self._settings.document_bytes)
        with self._database.writing() as connection:
            found = case_rows.by_id(connection, actor, case_id)
            made = add_document(
                connection, self._vault, scan, name, kind, case_id=found.id, subject=found.customer,
                by=actor.reference, now=self._clock.now(),
            )  # fmt: skip
            noting(connection, made)
        return made

    def refuse_large(self, size: int) -> None:
        """Say no before a file is read whole.

        Raises:
            ScanRefusedError: ``size`` bytes are more than are taken.
        """
        refuse_large(size, self._settings.document_bytes)

    def of_case(self, actor: Actor, case_id: int) -> list[Document]:
        """The papers of a case that ``actor`` may see.

        Raises:
            UnknownError: there is no such case for ``actor``.
        """
        with self._database.reading() as connection:
            found = case_rows.by_id(connection, actor, case_id)
            return [one for one in documents_of(connection, self._vault, found.id) if _may_see(actor, one)]

    def download(self, actor: Actor, case_id: int, document_id: int) -> Download:
        """A paper, to be saved.

        Raises:
            UnknownError: the case has no such paper for ``actor``, it is withdrawn, or it is erased.
            DeskError: it is not the content that came in.
        """
        with self._database.reading() as connection:
            return download_of(connection, self._vault, self._one(connection, actor, case_id, document_id))

    def withdraw(self, actor: Actor, case_id: int, document_id: int, why: Withdrawn) -> Document:
        """Take a paper out of sight.

        Raises:
            UnknownError: the case has no such paper for ``actor``.
            ForbiddenError: ``actor`` may not.
        """
        _must(actor, Right.DESK_HANDLE, Right.DESK_WORK)
        with self._database.writing() as connection:
            one = self._one(connection, actor, case_id, document_id)
            withdraw_document(connection, one, why, by=actor.reference, now=self._clock.now())
            return document_of(connection, self._vault, one.id, one.case)

    def _one(self, connection: Connection, actor: Actor, case_id: int, document_id: int) -> Document:
        found = case_rows.by_id(connection, actor, case_id)
        one = document_of(connection, self._vault, document_id, found.id)
        if not _may_see(actor, one):
            raise _no_document()
        return one


def _must(actor: Actor, *rights: Right) -> None:
    if actor.role is not None and not any(actor.role.may(right) for right in rights):
        raise ForbiddenError(Words("書類を扱う権限がありません。", "You may not do this with documents."))


def _may_see(actor: Actor, one: Document) -> bool:
    """A customer sees papers of the application and own ones, and no withdrawn ones."""
    if actor.role is None or not actor.role.may(Right.DESK_OWN):
        return True
    own = one.added_by == actor.reference
    return one.withdrawn is None and (own or one.kind not in _INTERNAL)


def _no_document() -> UnknownError:
    return UnknownError(
        Words("その書類はありません。", "There is no such document."),
        Words("案件の書類の一覧から選んでください。", "Choose one from the documents of the case."),
    )


def _digest(connection: Connection, vault: Vault, subject: int, content: bytes) -> str:
    return vault.digest(connection, subject, "document", hashlib.sha256(content).hexdigest())


def _document(connection: Connection, vault: Vault, row: Row[Sequence[Any]]) -> Document:
    return Document(
        id=row.id,
        case=row.case_id,
        subject=row.subject,
        kind=DocumentKind(row.kind),
        name=vault.open(connection, row.subject, row.name),
        scan=next(kind for kind in ScanKind if kind.media_type == row.media_type),
        size=row.size,
        digest=row.digest,
        trimmed=row.trimmed,
        added_at=datetime.fromtimestamp(row.added_at, UTC),
        added_by=row.added_by,
        withdrawn_at=datetime.fromtimestamp(row.withdrawn_at, UTC) if row.withdrawn_at else None,
        withdrawn_by=row.withdrawn_by or "",
        withdrawn=Withdrawn(row.withdrawn_reason) if row.withdrawn_reason else None,
    )
