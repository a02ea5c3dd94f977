"""The letters that steps have called for: which there are, written from the case when printed or mailed.

A row says that a letter is due, to whom and about which step; its words are made of the case, so nothing of a
person stands in it. Printing is noted with who did it; a letter can be printed as often as one likes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select, update

from koatsu.clock import JST, Clock
from koatsu.desk import case_rows, history, personal
from koatsu.desk.database import DeskDatabase
from koatsu.desk.errors import ForbiddenError, UnknownError
from koatsu.desk.fields import YES
from koatsu.desk.letter_values import details_of
from koatsu.desk.letters import Letter, LetterContent, NoticeKind, letter, notice_table
from koatsu.desk.lifecycle import Event
from koatsu.desk.models import SYSTEM, Actor
from koatsu.desk.offices import Office, OfficeKind, find_office
from koatsu.desk.schema_cases import case, notice
from koatsu.desk.schema_registers import LARGEST
from koatsu.desk.settings import DeskSettings
from koatsu.desk.supply_points import SupplyPoint, find_point
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words
from koatsu.desk.worklists import half_hidden
from koatsu.people import Right

__all__ = ["DueLetter", "MailText", "Notices"]

_AT_ONCE: Final = 200  #: letters of a list


@dataclass(frozen=True, slots=True, kw_only=True)
class DueLetter:
    """A letter that a step has called for."""

    id: int
    case: int
    number: str  #: of the case
    name: str  #: of the customer, half hidden; empty once erased
    kind: NoticeKind
    office: str  #: code of the office that sends it; empty where the case had none
    made_at: datetime
    printed_at: datetime | None  #: the last time
    printed_by: str
    mailed_at: datetime | None

    @property
    def words(self) -> Words:
        """What it is about."""
        return notice_table().notices[self.kind].subject


class MailText(NamedTuple):
    """A letter as a mail."""

    address: str
    subject: str
    body: str


class Notices:
    """The letters of an open desk; safe to use from any thread."""

    def __init__(self, database: DeskDatabase, vault: Vault, settings: DeskSettings, clock: Clock) -> None:
        self._database, self._vault, self._settings, self._clock = database, vault, settings, clock

    # --- looking ----------------------------------------------------------------------------------------

    def list(self, actor: Actor, office: str | None = None, *, printed: bool = False) -> Sequence[DueLetter]:
        """Letters still to be printed, the oldest first; with ``printed``: printed ones, the newest first."""
        if printed:
            query = _rows(actor).where(notice.c.printed_at.is_not(None)).order_by(notice.c.printed_at.desc())
        else:
            query = _rows(actor).where(notice.c.printed_at.is_(None)).order_by(notice.c.id)
        if office is not None:
            query = query.where(notice.c.office == office)
        with self._database.reading() as connection:
            return self._letters(connection, query.limit(_AT_ONCE))

    def waiting(self, actor: Actor, office: str | None = None) -> int:
        """How many letters are still to be printed."""
        query = select(func.count()).select_from(notice.join(case, case.c.id == notice.c.case_id))
        query = query.where(case_rows.visible(actor), notice.c.printed_at.is_(None))
        if office is not None:
            query = query.where(notice.c.office == office)
        with self._database.reading() as connection:
            return connection.execute(query).scalar_one()

    def of_case(self, actor: Actor, case_id: int) -> Sequence[DueLetter]:
        """The letters of a case, the newest first.

        Raises:
            UnknownError: there is no case that ``actor`` may see.
        """
        with self._database.reading() as connection:
            found = case_rows.by_id(connection, actor, case_id)
            return self._letters(
                connection, _rows(actor).where(notice.c.case_id == found.id).order_by(notice.c.id.desc())
            )

    def content_of(self, actor: Actor, notice_id: int) -> LetterContent:
        """What a letter tells.

        Raises:
            UnknownError: there is none that ``actor`` may see, or the customer's data is erased.
        """
        with self._database.reading() as connection:
            return self._content(connection, actor, _row(connection, actor, notice_id))

    # --- printing and mailing ---------------------------------------------------------------------------

    def pdf(self, actor: Actor, notice_id: int) -> bytes:
        """A letter on paper; that it was printed, and by whom, is noted once it could be written.

        Raises:
            UnknownError: there is none that ``actor`` may see, or the customer's data is erased.
            ForbiddenError: ``actor`` may not.
            InputError: the case lacks a value without which the letter would have a hole.
            MissingGlyphError: a character cannot be printed; the sentence names it and its field.
            TemplateError: the utility's own template is not right.
        """
        _must(actor)
        printed = self._written(actor, notice_id)[1].pdf()
        at = int(self._clock.now().timestamp())
        with self._database.writing() as connection:
            found = notice.c.id == notice_id
            connection.execute(update(notice).where(found).values(printed_at=at, printed_by=actor.reference))
        return printed

    def mail(self, notice_id: int) -> MailText:
        """A letter as a mail, in the customer's language.

        Raises:
            UnknownError: there is no such letter, the customer has no address any more, or was erased.
            InputError, TemplateError: it cannot be written.
        """
        address, made = self._written(SYSTEM, notice_id)
        if not address:
            raise UnknownError(
                Words("お客さまのメールアドレスがありません。", "The customer has no e-mail address."),
                Words("書面を印刷してお送りください。", "Print the letter and send it."),
            )
        return MailText(address, made.subject, made.body)

    def mailed(self, notice_id: int) -> None:
        """Note that a letter has gone out as a mail."""
        with self._database.writing() as connection:
            at = int(self._clock.now().timestamp())
            connection.execute(update(notice).where(notice.c.id == notice_id).values(mailed_at=at))

    # --- inside -----------------------------------------------------------------------------------------

    def _written(self, actor: Actor, notice_id: int) -> tuple[str, Letter]:
        """The customer's e-mail address, and the letter."""
        with self._database.reading() as connection:
            row = _row(connection, actor, notice_id)
            content = self._content(connection, actor, row)
            known = personal.values_of(connection, self._vault, row.customer, ["email"])
        made = letter(NoticeKind(row.kind), content, folder=self._settings.templates)
        return known.get("email", ""), made

    def _content(self, connection: Connection, actor: Actor, row: Row[Any]) -> LetterContent:
        found = case_rows.by_id(connection, actor, row.case_id)
        if found.erased:
            raise UnknownError(
                Words(
                    "個人の情報が消去されたため、この書面は作れません。",
                    "The personal data has been erased, so this letter cannot be written.",
                )
            )
        person = personal.values_of(connection, self._vault, found.customer)
        kind, entries = NoticeKind(row.kind), history.entries_of(connection, found.id)
        # Until the case was accepted anybody may have written this number: its place is not told.
        accepted = any(one.event is Event.ACCEPT and one.seq <= row.event_seq for one in entries)
        point = find_point(connection, found.supply_point) if accepted else None
        postal_code, address = _where(person, point)
        return LetterContent(
            utility=self._settings.utility,
            office=find_office(connection, row.office) or _NO_OFFICE,
            made_on=self._clock.now().astimezone(JST).date(),
            customer_name=person.get("customer_name", ""),
            organisation=found.fact("organisation") in ("", YES),
            department=person.get("department", ""),
            contact_name=person.get("contact_name", ""),
            postal_code=postal_code,
            address=address,
            language=found.fact("language") or "ja",
            case_number=found.number,
            supply_point=found.supply_point,
            place=point.place if point else "",
            site_url=self._settings.site_url,
            details=details_of(connection, self._vault, found, entries, row.event_seq, kind),
        )

    def _letters(self, connection: Connection, query: Select[Any]) -> Sequence[DueLetter]:
        rows = list(connection.execute(query))
        names = personal.names_of(connection, self._vault, {row.customer for row in rows})
        return [_letter(row, half_hidden(names.get(row.customer, ""))) for row in rows]


_NO_OFFICE: Final = Office(
    code="", kind=OfficeKind.OTHER, name="受付担当", postal_code="", address="", phone="", email="", hours="",
    closed_on=None,
)  # fmt: skip
"""For a draft that was withdrawn before any office had it: the utility signs."""


def _must(actor: Actor) -> None:
    allowed = (Right.DESK_HANDLE, Right.DESK_WORK)
    if actor.role is not None and not any(actor.role.may(right) for right in allowed):
        raise ForbiddenError(
            Words("書面を印刷する権限がありません。", "Your role may not print letters."),
            Words("受付の担当に依頼してください。", "Ask somebody at the counter."),
        )


def _rows(actor: Actor) -> Select[Any]:
    joined = select(notice, case.c.number, case.c.customer).join(case, case.c.id == notice.c.case_id)
    return joined.where(case_rows.visible(actor))


def _row(connection: Connection, actor: Actor, notice_id: int) -> Row[Any]:
    query = _rows(actor).where(notice.c.id == notice_id)
    row = connection.execute(query).first() if 0 < notice_id <= LARGEST else None
    if row is None:
        raise UnknownError(
            Words("その書面はありません。", "There is no such letter."),
            Words("案件の書面の一覧から選んでください。", "Choose one from the letters of the case."),
        )
    return row


def _where(person: dict[str, str], point: SupplyPoint | None) -> tuple[str, str]:
    """Postal code and address: what the customer gave, else the place of the supply point."""
    if person.get("address") or point is None:
        return person.get("postal_code", ""), person.get("address", "")
    return point.postal_code, point.place


def _letter(row: Row[Any], name: str) -> DueLetter:
    return DueLetter(
        id=row.id,
        case=row.case_id,
        number=row.number,
        name=name,
        kind=NoticeKind(row.kind),
        office=row.office,
        made_at=datetime.fromtimestamp(row.made_at, UTC),
        printed_at=_instant(row.printed_at),
        printed_by=row.printed_by or "",
        mailed_at=_instant(row.mailed_at),
    )


def _instant(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
