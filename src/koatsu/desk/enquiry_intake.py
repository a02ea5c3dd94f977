"""How an enquiry comes in: what it must say, whom it goes to, until when it is to be answered."""

from __future__ import annotations

from datetime import date
from typing import Final

from sqlalchemy import Connection, insert, select

from koatsu.clock import JST, Clock
from koatsu.desk import case_rows
from koatsu.desk.business_days import add_business_days
from koatsu.desk.enquiry_rows import NUMBER_KIND, Enquiry, EnquiryState, Step, add_step, enquiry_of
from koatsu.desk.errors import InputError
from koatsu.desk.faq import faq
from koatsu.desk.free_text import kept_lines
from koatsu.desk.models import Actor
from koatsu.desk.offices import office_of
from koatsu.desk.plain_text import TextRefused, kept_text
from koatsu.desk.schema_help import enquiry
from koatsu.desk.settings import DeskSettings
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words

__all__ = ["LONGEST_TEXT", "due_after", "open_enquiry", "said_text"]

LONGEST_TEXT: Final = 4_000
LONGEST_CONTACT: Final = 200


def open_enquiry(
    connection: Connection,
    vault: Vault,
    settings: DeskSettings,
    actor: Actor,
    *,
    clock: Clock,
    topic: str,
    text: str,
    contact: str,
    office: str = "",
    case_id: int | None = None,
) -> Enquiry:
    """Take an enquiry in.

    Args:
        connection: the transaction.
        vault: seals what is written.
        settings: how many business days an answer may take, and the closed days.
        actor: who asks: a customer, staff for somebody at the counter, or the program for a visitor.
        clock: the time.
        topic: id of the question of the FAQ that it came from; empty: none.
        text: what is asked.
        contact: how to reach who asks; may be empty where a case or a customer is known.
        office: code of the office that answers; with a case, that of the case where it is empty.
        case_id: the case that it is about.

    Raises:
        InputError: a text cannot be taken or is missing, or there is no such topic.
        UnknownError: there is no such case for ``actor``, no such office, or the customer's data is erased.
    """
    found = None if case_id is None else case_rows.by_id(connection, actor, case_id)
    known = actor.customer if found is None else found.customer
    asked, reach = _texts(text, contact, needs_contact=known is None)
    if topic and faq().question(topic) is None:
        raise InputError({"topic": Words("その質問はありません。", "There is no such question.")})
    answering = office or (found.office if found else "")
    if answering:
        office_of(connection, answering)
    now = clock.now()
    today = now.astimezone(JST).date()
    subject = vault.new_subject(connection, now) if known is None else known
    at = int(now.timestamp())
    made = connection.execute(
        insert(enquiry).values(
            year=today.year, seq=case_rows.next_number(connection, NUMBER_KIND, today.year),
            office=answering, topic=topic, case_id=case_id, subject=subject,
            contact=vault.seal(connection, subject, reach), state=EnquiryState.OPEN.value, owner="",
            due_on=due_after(settings, today).isoformat(), version=1, opened_at=at, changed_at=at,
            changed_by=actor.reference,
        )
    )  # fmt: skip
    assert made.inserted_primary_key is not None
    number = int(made.inserted_primary_key[0])
    said = vault.seal(connection, subject, asked)
    add_step(connection, number, Step.OPENED, at=now, author=actor.reference, value="", said=said)
    return enquiry_of(connection.execute(select(enquiry).where(enquiry.c.id == number)).one())


def due_after(settings: DeskSettings, today: date) -> date:
    """Until when an enquiry that comes in today is to be answered."""
    return add_business_days(today, settings.enquiry_days, settings.closed_days)


def said_text(text: str) -> str:
    """A text of an enquiry as it is kept.

    Raises:
        InputError: there is none, or it cannot be taken.
    """
    try:
        kept = kept_lines(text, LONGEST_TEXT)
    except TextRefused as error:
        raise InputError({"text": error.words}) from error
    if not kept:
        raise InputError({"text": Words("内容を書いてください。", "Write something.")})
    return kept


def _texts(text: str, contact: str, *, needs_contact: bool) -> tuple[str, str]:
    wrong: dict[str, Words] = {}
    asked = reach = ""
    try:
        asked = said_text(text)
    except InputError as error:
        wrong |= error.by_field
    try:
        reach = kept_text(contact, LONGEST_CONTACT)
        if needs_contact and not reach:
            wrong["contact"] = Words(
                "お電話番号かメールアドレスを書いてください。",
                "Write a telephone number or an e-mail address.",
            )
    except TextRefused as error:
        wrong["contact"] = error.words
    if wrong:
        raise InputError(wrong)
    return asked, reach
