"""What a letter tells of a case: its values as they stood at the step that called for it, put right since.

A letter may be written weeks after its step, or a second time. It then says what was so at that step, and not
what has become of the case since; only what was wrong from the beginning is told as it was put right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection

from koatsu.clock import JST
from koatsu.desk.data_list import data_list_in_force
from koatsu.desk.eligibility import RULES
from koatsu.desk.enquiry_rows import find_enquiry
from koatsu.desk.faq import faq
from koatsu.desk.fields import FIELDS, NO, YES
from koatsu.desk.letters import NoticeKind
from koatsu.desk.letters.content import Value
from koatsu.desk.lifecycle import Event, step_for
from koatsu.desk.models import SYSTEM, Case, Entry
from koatsu.desk.states import State
from koatsu.desk.vault import Vault
from koatsu.desk.words import Words

__all__ = ["details_of", "facts_at"]

_CHECKS: Final = ("check_terminal", "check_meter", "check_values")
_OURS: Final = ("check_terminal", "check_meter")  #: what stands on the utility's side of the cable

_TASK: Final = Words(
    "お申込みの内容を直して、もう一度ご提出ください", "Correct the application and hand it in again"
)
"""What a customer is reminded of: an application that came back is the only thing that waits for one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the values of a letter are made of."""

    connection: Connection
    case: Case
    entry: Entry  #: of the step
    facts: Mapping[str, str]
    texts: Mapping[str, str]  #: what the step was given under a key, opened

    @property
    def day(self) -> date:
        """On which the step was taken, in Japan."""
        return self.entry.at.astimezone(JST).date()


def details_of(
    connection: Connection,
    vault: Vault,
    case: Case,
    history: Sequence[Entry],
    seq: int,
    kind: NoticeKind,
) -> dict[str, Value]:
    """The details of the letter of ``kind`` that entry ``seq`` has called for.

    Args:
        connection: in a transaction of the caller.
        vault: opens the texts of the entry.
        case: as it is now.
        history: all of it.
        seq: the entry's number in the chain.
        kind: of the letter.
    """
    entry = next(one for one in history if one.seq == seq)
    texts = {}
    for name, value in entry.detail.items():
        if value.startswith("text:"):
            texts[name] = vault.text(connection, int(value.split(":")[1])) or ""
    facts = facts_at(history, seq)
    told = _Told(connection=connection, case=case, entry=entry, facts=facts, texts=texts)
    more = _MORE.get(kind, _nothing_more)(told)
    reason = {"reason": texts["reason"]} if texts.get("reason") else {}
    return {**facts, **reason, **more}


def facts_at(history: Sequence[Entry], seq: int) -> dict[str, str]:
    """The values of a case that are not personal, as they stood at entry ``seq`` and as they were put right.

    What the step of that entry asks for comes from that step alone: a value of an earlier one is not told
    where this one was given none.
    """
    facts: dict[str, str] = {}
    since: set[str] = set()  #: given anew by later steps, so that a correction is of that
    for entry in history:
        given = {name: value for name, value in entry.detail.items() if _plain(name)}
        if entry.seq < seq:
            facts |= given
        elif entry.seq == seq:
            step = step_for(entry.event, entry.before) if entry.before else None
            for name in step.names if step else ():
                facts.pop(name, None)
            facts |= given
        elif entry.event is Event.CORRECT:
            facts |= {name: value for name, value in given.items() if name in facts and name not in since}
        else:
            since |= given.keys()
    return {name: value for name, value in facts.items() if value}


def _plain(name: str) -> bool:
    return name in FIELDS and not FIELDS[name].personal and name not in ("document", "notice", "office")


# --- what some letters tell beside ----------------------------------------------------------------------


def _nothing_more(_told: _Told) -> dict[str, Value]:
    return {}


def _returned(told: _Told) -> dict[str, Value]:
    due = told.case.due_on
    return {"due_on": due} if told.case.state is State.RETURNED and due else {}


def _refused(told: _Told) -> dict[str, Value]:
    rule = RULES.get(told.facts.get("rule", ""))
    return {} if rule is None else {"condition": rule.statement}


def _failed(told: _Told) -> dict[str, Value]:
    failed = [name for name in _CHECKS if told.facts.get(name) == NO]
    ours = YES if set(failed) & set(_OURS) else NO
    return {"failed": tuple(FIELDS[name].words for name in failed), "utility_side": ours}


def _started(told: _Told) -> dict[str, Value]:
    items = data_list_in_force(told.connection, told.day)
    note = {} if items.warning is None else {"data_note": items.warning}
    return {"started_on": told.day, "data": tuple(item.words for item in items.items), **note}


def _suspended(told: _Told) -> dict[str, Value]:
    return {"suspended_on": told.day}


def _resumed(told: _Told) -> dict[str, Value]:
    """The meter is told where a new one has come."""
    own = told.entry.detail
    meter = {name: own.get(name, "") for name in ("meter_type", "meter_serial")}
    return {"resumed_on": own.get("worked_on") or told.day, **meter}


def _changed(told: _Told) -> dict[str, Value]:
    moved = {"changed_on": told.day, "office_changed": YES if told.entry.detail.get("office") else NO}
    if told.entry.event is Event.CHANGE_NAME:
        name = told.texts.get("customer_name", "")
        return {"change": Words(f"お客さまの名義(変更後:{name})", f"The name (now {name})"), **moved}
    retailer = told.facts.get("retailer", "")
    supply = FIELDS["supply"].choice(told.facts.get("supply", ""))
    now = Words(*(f"{words}({retailer})" if retailer else words for words in supply))
    return {"change": Words(f"電気の購入先(変更後:{now.ja})", f"The retailer (now: {now.en})"), **moved}


def _reminded(told: _Told) -> dict[str, Value]:
    due = date.fromisoformat(told.facts["reminded_of"])
    return {"task": _TASK, "due_on": due, **({"overdue": YES} if due < told.day else {})}


def _answered(told: _Told) -> dict[str, Value]:
    """The question is that of the help, where the enquiry came from one; what was asked is not repeated."""
    topic = find_enquiry(told.connection, SYSTEM, told.facts["enquiry_number"]).topic
    question = faq().question(topic)
    about = {} if question is None else {"question": question.question}
    return {"answer": told.texts.get("answer", ""), **about}


def _withdrawn(told: _Told) -> dict[str, Value]:
    return {"withdrawn_on": told.day}


_MORE: Final[dict[NoticeKind, Callable[[_Told], dict[str, Value]]]] = {
    NoticeKind.RETURNED: _returned,
    NoticeKind.REFUSED: _refused,
    NoticeKind.CONNECTION_CHECK_FAILED: _failed,
    NoticeKind.STARTED: _started,
    NoticeKind.SUSPENDED: _suspended,
    NoticeKind.RESUMED: _resumed,
    NoticeKind.CHANGED: _changed,
    NoticeKind.WITHDRAWN: _withdrawn,
    NoticeKind.ENQUIRY_ANSWERED: _answered,
    NoticeKind.REMINDER_TO_CUSTOMER: _reminded,
}
