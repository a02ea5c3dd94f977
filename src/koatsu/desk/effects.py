"""What a step brings about beside the new state: works, registers, letters, calls to other programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Final

from sqlalchemy import delete, insert

from koatsu.clock import JST
from koatsu.desk import personal, works
from koatsu.desk.business_days import add_business_days
from koatsu.desk.fields import NO, YES
from koatsu.desk.lifecycle import Event
from koatsu.desk.models import Entry, WorksKind
from koatsu.desk.placing import place_meter, place_terminal
from koatsu.desk.schema_cases import delivery, notice, search
from koatsu.desk.standing import Standing
from koatsu.desk.states import State
from koatsu.desk.terms import accept_terms

__all__ = ["EFFECTS", "due_after", "tell_outside"]

Effect = Callable[[Standing], None]

_CALLED_FOR: Final = insert(notice)


def due_after(standing: Standing) -> date | None:
    """Until when the case should be moved on: a planned day where there is one, else business days."""
    planned = {
        State.SURVEY: "survey_on",
        State.WORKS_PLANNED: "works_on",
        State.SUSPENDED: "resume_planned_on",
    }.get(standing.after)
    if planned is not None and standing.given.get(planned):
        return date.fromisoformat(standing.given[planned])
    days = standing.settings.days_to_act.get(standing.after)
    if days is None:
        return None
    return add_business_days(standing.today, days, standing.settings.closed_days)


def tell_outside(standing: Standing, entry: Entry) -> None:
    """Queue the letter that the step calls for, and the calls to programs that want to know."""
    connection, at = standing.connection, int(standing.now.timestamp())
    kind = standing.step.notice or standing.given.get("notice", "")
    if kind:
        made = connection.execute(
            _CALLED_FOR,
            {
                "case_id": standing.case.id, "event_seq": entry.seq, "kind": kind,
                "office": standing.facts.get("office", standing.case.office), "made_at": at,
            },
        )  # fmt: skip
        if standing.settings.mail is not None and standing.person.get("email"):
            assert made.inserted_primary_key is not None
            _queue(standing, "mail", str(made.inserted_primary_key[0]), "")
    body = {
        "event": entry.event.value,
        "case": standing.case.number,
        "before": entry.before,
        "after": entry.after.value,
        "at": entry.at.astimezone(JST).isoformat(),
        "by": entry.author,
        "office": standing.facts.get("office", standing.case.office),
    }
    for hook in standing.settings.webhooks:
        if not hook.events or entry.event.value in hook.events:
            _queue(standing, "webhook", hook.url, json.dumps(body, ensure_ascii=False))


def _queue(standing: Standing, way: str, target: str, body: str) -> None:
    at = int(standing.now.timestamp())
    standing.connection.execute(
        insert(delivery).values(way=way, target=target, body=body, made_at=at, tries=0, next_at=at, error="")
    )


# --- works ----------------------------------------------------------------------------------------------


def _survey_planned(one: Standing) -> None:
    works.plan(
        one.connection, one.case, WorksKind.SURVEY, one.day("survey_on"), one.given.get("survey_window", "")
    )


def _surveyed(one: Standing) -> None:
    works.finish(one.connection, one.case, WorksKind.SURVEY, one.day("surveyed_on") or one.today)


def _works_planned(one: Standing) -> None:
    window, outage = one.given.get("works_window", ""), one.given.get("outage_window", "")
    works.plan(one.connection, one.case, WorksKind.INSTALLATION, one.day("works_on"), window, outage)
    if one.value("meter_supported") == NO:
        works.plan(one.connection, one.case, WorksKind.METER_REPLACEMENT, one.day("works_on"), window, outage)


def _worked(one: Standing) -> None:
    day = one.day("worked_on") or one.today
    works.finish(one.connection, one.case, WorksKind.INSTALLATION, day)
    place_terminal(
        one.connection, one.given["terminal_serial"], one.given["terminal_type"], one.case.supply_point, day,
        changed_by=one.actor.reference, now=one.now,
    )  # fmt: skip
    if one.given.get("meter_serial"):
        works.finish(one.connection, one.case, WorksKind.METER_REPLACEMENT, day)
        _new_meter(one, day)


def _replacement_planned(one: Standing) -> None:
    if one.given.get("suspend_reason") == "meter_replacement":
        day, window = one.day("resume_planned_on"), one.given.get("works_window", "")
        works.plan(one.connection, one.case, WorksKind.METER_REPLACEMENT, day, window)


def _replaced(one: Standing) -> None:
    day = one.day("worked_on") or one.today
    works.finish(one.connection, one.case, WorksKind.METER_REPLACEMENT, day)
    _new_meter(one, day)


def _new_meter(one: Standing, day: date) -> None:
    serial, kind = one.given["meter_serial"], one.given.get("meter_type", "")
    place_meter(
        one.connection,
        serial,
        kind,
        one.case.supply_point,
        day,
        changed_by=one.actor.reference,
        now=one.now,
    )


def _removal_planned(one: Standing) -> None:
    works.plan(one.connection, one.case, WorksKind.CABLE_REMOVAL, one.day("end_wished_on"))


def _removal_cancelled(one: Standing) -> None:
    works.cancel(one.connection, one.case, WorksKind.CABLE_REMOVAL)


def _removed(one: Standing) -> None:
    works.finish(one.connection, one.case, WorksKind.CABLE_REMOVAL, one.day("cable_removed_on") or one.today)


def _all_cancelled(one: Standing) -> None:
    works.cancel(one.connection, one.case)


def _works_moved(one: Standing) -> None:
    works.move_office(one.connection, one.case, one.facts.get("office", one.case.office))


# --- the person -----------------------------------------------------------------------------------------


def _indexed(one: Standing) -> None:
    personal.index_case(one.connection, one.vault, one.case.id, one.person)


def _terms_accepted(one: Standing) -> None:
    if one.value("terms_accepted") == YES:
        accept_terms(
            one.connection, one.value("terms_version"), case_id=one.case.id, by=one.actor.reference,
            way="online" if one.value("way") == "online" else "paper", today=one.today, now=one.now,
            signed_on=one.day("received_on"),
        )  # fmt: skip


def _erased(one: Standing) -> None:
    one.vault.erase(one.connection, one.case.customer, one.now)
    one.connection.execute(delete(search).where(search.c.case_id == one.case.id))


EFFECTS: Final[dict[Event, tuple[Effect, ...]]] = {
    Event.FILL: (_indexed,),
    Event.SUBMIT: (_terms_accepted,),
    Event.PLAN_SURVEY: (_survey_planned,),
    Event.RECORD_SURVEY: (_surveyed,),
    Event.NOT_INSTALLABLE: (_all_cancelled,),
    Event.PLAN_WORKS: (_works_planned,),
    Event.RECORD_WORKS: (_worked,),
    Event.BACK_TO_WORKS: (_works_planned,),
    Event.SUSPEND: (_replacement_planned,),
    Event.METER_REPLACED: (_replaced,),
    Event.ASK_END: (_removal_planned,),
    Event.CANCEL_END: (_removal_cancelled,),
    Event.CABLE_REMOVED: (_removed,),
    Event.CONTRACT_ENDED: (_all_cancelled,),
    Event.WITHDRAW: (_all_cancelled,),
    Event.CHANGE_RETAILER: (_works_moved,),
    Event.CHANGE_NAME: (_indexed,),
    Event.MOVE_OFFICE: (_works_moved,),
    Event.CORRECT: (_indexed,),
    Event.ERASE: (_erased,),
}
"""What each event does beside moving the case."""
