"""Terms of use: dated versions, and who accepted which.

A version is called after the day from which it is in force, and is in force until the next one begins. An
application can accept only the version in force on the day on which it was signed; from its first acceptance
on, a version is never changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from koatsu.clock import JST, Clock
from koatsu.desk import case_rows
from koatsu.desk.database import DeskDatabase
from koatsu.desk.errors import DeskError, ForbiddenError, InputError, RuleError, UnknownError
from koatsu.desk.free_text import kept_lines
from koatsu.desk.models import Actor
from koatsu.desk.plain_text import TextRefused, kept_text
from koatsu.desk.register_history import TERMS, Change, Recorder
from koatsu.desk.schema_help import terms, terms_acceptance
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.people import Right

__all__ = [
    "Acceptance",
    "AcceptedWay",
    "Terms",
    "TermsAcceptedError",
    "TermsVersion",
    "accept_terms",
    "acceptances_of",
    "add_terms",
    "change_terms",
    "terms_in_force",
    "terms_of",
    "versions",
]

LONGEST_TITLE: Final = 160
LONGEST_TEXT: Final = 200_000


class AcceptedWay(StrEnum):
    """How a version was accepted."""

    PAPER = "paper"
    ONLINE = "online"


class TermsAcceptedError(DeskError):
    """Somebody has accepted this version, so its text stays as it is."""

    def __init__(self, version: str) -> None:
        super().__init__(
            Words(
                f"利用規約の版「{version}」には同意した方がいるため、変更できません。",
                f"Version {version} of the terms has been accepted, so it cannot be changed.",
            ),
            Words("新しい版を追加してください。", "Add a new version."),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsVersion:
    """One version of the terms of use."""

    id: str  #: the day from which it is in force, ISO
    title: str
    text: str
    title_en: str | None
    text_en: str | None
    changed_at: datetime
    changed_by: str

    @property
    def valid_from(self) -> date:
        """The first day on which it is in force."""
        return date.fromisoformat(self.id)

    @property
    def digest(self) -> str:
        """What an acceptance notes of the text that was accepted."""
        said = [self.id, self.title, self.text, self.title_en, self.text_en]
        return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()

    def title_in(self, lang: str) -> str:
        """The title in ``lang``, in Japanese where there is no other."""
        return (self.title_en or self.title) if lang == "en" else self.title

    def text_in(self, lang: str) -> str:
        """The text in ``lang``, in Japanese where there is no other: that one is what holds."""
        return (self.text_en or self.text) if lang == "en" else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """That the customer of a case has accepted a version."""

    id: int
    version: str
    case: int
    way: AcceptedWay
    day: date  #: on which it was signed
    recorded_at: datetime
    recorded_by: str
    digest: str  #: of the text that was accepted


def terms_in_force(connection: Connection, day: date) -> TermsVersion | None:
    """The version in force on a day; ``None``: none is yet."""
    query = select(terms).where(terms.c.version <= day.isoformat()).order_by(terms.c.version.desc()).limit(1)
    row = connection.execute(query).first()
    return None if row is None else _version(row)


def terms_of(connection: Connection, version: str) -> TermsVersion:
    """A version by its id.

    Raises:
        UnknownError: there is no such version.
    """
    row = connection.execute(select(terms).where(terms.c.version == version)).first()
    if row is None:
        raise UnknownError(
            Words(f"利用規約の版「{version}」はありません。", f"There is no version {version} of the terms."),
            Words("版の一覧から選んでください。", "Choose one from the list of versions."),
        )
    return _version(row)


def versions(connection: Connection) -> list[TermsVersion]:
    """Every version, the newest first."""
    return [_version(row) for row in connection.execute(select(terms).order_by(terms.c.version.desc()))]


def add_terms(
    connection: Connection,
    valid_from: date,
    title: str,
    text: str,
    *,
    title_en: str = "",
    text_en: str = "",
    by: str,
    now: datetime,
) -> TermsVersion:
    """Add a version.

    Raises:
        InputError: a text cannot be taken, a version begins on that day already, or the day lies so far back
            that an earlier acceptance would have been of the wrong version.
    """
    values = _texts(title, text, title_en, text_en)
    day = valid_from.isoformat()
    if connection.execute(select(terms.c.version).where(terms.c.version == day)).first() is not None:
        raise _wrong_day(Words(f"{day} からの版は既にあります。", f"A version begins on {day} already."))
    last: str | None = connection.execute(select(func.max(terms_acceptance.c.day))).scalar()
    if last is not None and last >= day:
        raise _wrong_day(
            Words(
                f"{last} にそれまでの版への同意があるため、{day} からの版は追加できません。",
                f"An earlier version was accepted on {last}, so none can begin on {day}.",
            )
        )
    connection.execute(
        insert(terms).values(version=day, changed_at=int(now.timestamp()), changed_by=by, **values)
    )
    return terms_of(connection, day)


def change_terms(
    connection: Connection,
    version: str,
    title: str,
    text: str,
    *,
    title_en: str = "",
    text_en: str = "",
    by: str,
    now: datetime,
) -> TermsVersion:
    """Correct a version that nobody has accepted yet.

    Raises:
        UnknownError: there is no such version.
        TermsAcceptedError: somebody has accepted it.
        InputError: a text cannot be taken.
    """
    found = terms_of(connection, version)
    values = _texts(title, text, title_en, text_en)
    accepted = select(terms_acceptance.c.id).where(terms_acceptance.c.version == found.id).limit(1)
    if connection.execute(accepted).first() is not None:
        raise TermsAcceptedError(found.id)
    changed = {"changed_at": int(now.timestamp()), "changed_by": by}
    connection.execute(update(terms).where(terms.c.version == found.id).values(**values, **changed))
    return terms_of(connection, found.id)


def accept_terms(
    connection: Connection,
    version: str,
    *,
    case_id: int,
    by: str,
    way: str,
    today: date,
    now: datetime,
    signed_on: date | None = None,
) -> Acceptance:
    """Record that the customer of a case has accepted a version; a second time changes nothing.

    Args:
        connection: the transaction.
        version: what was accepted.
        case_id: the case.
        by: the reference of whoever records it.
        way: ``paper`` or ``online``.
        today: the day in Japan.
        now: the instant.
        signed_on: the day on which a paper was signed or came in; today where it is not given.

    Raises:
        RuleError: it is not the version in force on that day, or that day has not come.
        ValueError: ``way`` is neither.
    """
    day = signed_on or today
    present = terms_in_force(connection, day) if day <= today else None
    if present is None or present.id != version:
        there = Words("ありません", "none") if present is None else Words(f"「{present.id}」です", present.id)
        raise RuleError(
            "apply.terms",
            Words(
                f"「{version}」は {day} に有効な利用規約の版ではありません(有効な版は{there.ja})。",
                f"{version} is not the version of the terms in force on {day} ({there.en}).",
            ),
            Words("有効な版への同意をいただいてください。", "Have the version in force accepted."),
        )
    earlier = [one for one in acceptances_of(connection, case_id) if one.version == version]
    if earlier:
        return earlier[0]
    connection.execute(
        insert(terms_acceptance).values(
            version=version, case_id=case_id, way=AcceptedWay(way).value, day=day.isoformat(),
            recorded_at=int(now.timestamp()), recorded_by=by, digest=present.digest,
        )
    )  # fmt: skip
    return acceptances_of(connection, case_id)[-1]


def acceptances_of(connection: Connection, case_id: int) -> list[Acceptance]:
    """What the customer of a case has accepted, in the order in which it was recorded."""
    query = select(terms_acceptance).where(terms_acceptance.c.case_id == case_id)
    return [_acceptance(row) for row in connection.execute(query.order_by(terms_acceptance.c.id))]


class Terms:
    """The terms of use of an open desk; safe to use from any thread."""

    def __init__(self, database: DeskDatabase, clock: Clock, vault: Vault) -> None:
        self._database, self._clock, self._vault = database, clock, vault

    def in_force(self, day: date | None = None) -> TermsVersion | None:
        """The version in force on a day, or today; ``None``: none is yet."""
        with self._database.reading() as connection:
            return terms_in_force(connection, day or self._today())

    def version(self, version: str) -> TermsVersion:
        """A version by its id.

        Raises:
            UnknownError: there is no such version.
        """
        with self._database.reading() as connection:
            return terms_of(connection, version)

    def versions(self) -> list[TermsVersion]:
        """Every version, the newest first."""
        with self._database.reading() as connection:
            return versions(connection)

    def add(
        self, actor: Actor, valid_from: date, title: str, text: str, *, title_en: str = "", text_en: str = ""
    ) -> TermsVersion:
        """Add a version; see :func:`add_terms`.

        Raises:
            ForbiddenError: ``actor`` may not.
            InputError: it cannot be taken.
        """
        _must_decide(actor)
        now = self._clock.now()
        with self._database.writing() as connection:
            added = add_terms(
                connection, valid_from, title, text, title_en=title_en, text_en=text_en,
                by=actor.reference, now=now,
            )  # fmt: skip
            self._note(connection, actor, now, Change.ADDED, added)
            return added

    def change(
        self, actor: Actor, version: str, title: str, text: str, *, title_en: str = "", text_en: str = ""
    ) -> TermsVersion:
        """Correct a version that nobody has accepted yet; see :func:`change_terms`.

        Raises:
            ForbiddenError: ``actor`` may not.
            UnknownError, TermsAcceptedError, InputError: it cannot be.
        """
        _must_decide(actor)
        now = self._clock.now()
        with self._database.writing() as connection:
            changed = change_terms(
                connection, version, title, text, title_en=title_en, text_en=text_en,
                by=actor.reference, now=now,
            )  # fmt: skip
            self._note(connection, actor, now, Change.CHANGED, changed)
            return changed

    def acceptances(self, actor: Actor, case_id: int) -> list[Acceptance]:
        """What the customer of a case has accepted.

        Raises:
            UnknownError: there is no case that ``actor`` may see.
        """
        with self._database.reading() as connection:
            return acceptances_of(connection, case_rows.by_id(connection, actor, case_id).id)

    def _note(
        self, connection: Connection, actor: Actor, now: datetime, change: Change, version: TermsVersion
    ) -> None:
        recorder = Recorder.of(actor, self._vault, now)
        recorder.note(connection, TERMS, change, version.id, sha256=version.digest)

    def _today(self) -> date:
        return self._clock.now().astimezone(JST).date()


def _must_decide(actor: Actor) -> None:
    if actor.role is not None and not actor.role.may(Right.DESK_DECIDE):
        raise ForbiddenError(
            Words("利用規約を変更する権限がありません。", "You may not change the terms of use.")
        )


def _texts(title: str, text: str, title_en: str, text_en: str) -> dict[str, str | None]:
    wrong: dict[str, Words] = {}
    kept: dict[str, str | None] = {}
    for name, value in {"title": title, "text": text, "title_en": title_en, "text_en": text_en}.items():
        try:
            is_title = name.startswith("title")
            said = kept_text(value, LONGEST_TITLE) if is_title else kept_lines(value, LONGEST_TEXT)
            kept[name] = said or None
        except TextRefused as error:
            wrong[name] = error.words
    for name in ("title", "text"):
        if name not in wrong and kept[name] is None:
            wrong[name] = Words("空欄にはできません。", "This cannot be empty.")
    if wrong:
        raise InputError(wrong)
    return kept


def _wrong_day(words: Words) -> InputError:
    return InputError({"valid_from": words})


def _version(row: Row[Sequence[Any]]) -> TermsVersion:
    return TermsVersion(
        id=row.version,
        title=row.title,
        text=row.text,
        title_en=row.title_en,
        text_en=row.text_en,
        changed_at=datetime.fromtimestamp(row.changed_at, UTC),
        changed_by=row.changed_by,
    )


def _acceptance(row: Row[Sequence[Any]]) -> Acceptance:
    return Acceptance(
        id=row.id,
        version=row.version,
        case=row.case_id,
        way=AcceptedWay(row.way),
        day=date.fromisoformat(row.day),
        recorded_at=datetime.fromtimestamp(row.recorded_at, UTC),
        recorded_by=row.recorded_by,
        digest=row.digest,
    )
