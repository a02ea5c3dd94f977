"""The trail in words: what happened, by whom and why, without a word about any customer.

Staff are called by their names, as in every history; customers by what they are. Of what people wrote in
their own words it says that there is something: it stands under the key of its customer, on the page of its
case.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from koatsu.desk.eligibility import RULES
from koatsu.desk.fields import FIELDS, Kind
from koatsu.desk.imports import SHEETS, Register
from koatsu.desk.register_history import CHANGE_WORDS, Change, RegisterEntry
from koatsu.desk.states import STATE_WORDS, State
from koatsu.desk.trail import CASES, Traced, Verified
from koatsu.people import FindingKind, Role
from koatsu.web.desk.case_history import event_word
from koatsu.web.desk.register_words import register_name
from koatsu.web.notation import grouped
from koatsu.web.texts import Texts

__all__ = ["Row", "case_row", "register_row", "role_word", "verdict"]

_COUNTS: Final = ("rows", "new", "changed", "same", "refused")
_DIGEST: Final = 12  #: so many letters of the digest of a file tell it from others at a glance


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry as a list shows it."""

    seq: int
    at: datetime
    by: str
    role: str
    about: str  #: number of a case, or name of a register
    url: str  #: of the case or the record; empty where there is none
    what: str
    before: str = ""
    after: str = ""
    why: str = ""


def case_row(one: Traced, t: Texts, called: Callable[[str], str]) -> Row:
    """An entry of a case."""
    return Row(
        seq=one.seq,
        at=one.at,
        by=_by(one.author, one.role, t, called),
        role=role_word(one.role, t),
        about=one.case,
        url=f"{t.prefix}/case/{one.case}",
        what=event_word(one.event, t),
        before=_state(one.before, t),
        after=_state(one.after, t),
        why=_why(one.detail, t),
    )


def register_row(one: RegisterEntry, t: Texts, called: Callable[[str], str]) -> Row:
    """An entry of a register."""
    kept = one.register in set(Register) and one.change != Change.REMOVED
    change = CHANGE_WORDS[Change(one.change)].text(t.lang) if one.change in set(Change) else one.change
    return Row(
        seq=one.seq,
        at=one.at,
        by=_by(one.author, one.role, t, called),
        role=role_word(one.role, t),
        about=register_name(one.register, t),
        url=f"{t.prefix}/registers/{one.register}/{one.key}" if one.key and kept else "",
        what=change,
        why=_told(one, t),
    )


def role_word(role: str, t: Texts) -> str:
    """What somebody is who has done something."""
    return t(f"person.{role}") if role in set(Role) else t.for_code("ref", role)


def verdict(one: Verified, t: Texts) -> tuple[bool, str]:
    """Whether a chain is sound, and that in one sentence."""
    name = t("desk_trail.cases") if one.chain == CASES else t("desk_trail.registers")
    if one.finding is None:
        return True, t("desk_trail.sound", chain=name, n=grouped(one.entries))
    kind, seq = one.finding.kind, grouped(one.finding.seq)
    return False, {
        FindingKind.CHANGED: t("desk_trail.found_changed", chain=name, n=seq),
        FindingKind.MISSING: t("desk_trail.found_missing", chain=name, n=seq),
        FindingKind.INSERTED: t("desk_trail.found_inserted", chain=name, n=seq),
        FindingKind.MOVED: t("desk_trail.found_moved", chain=name, n=seq),
        FindingKind.TORN: t("desk_trail.found_torn", chain=name, n=seq),
        FindingKind.NOT_EXPECTED: t("desk_trail.found_other", chain=name),
    }[kind]


def _by(author: str, role: str, t: Texts, called: Callable[[str], str]) -> str:
    return t("person.customer") if role == Role.CUSTOMER else called(author)


def _state(code: str, t: Texts) -> str:
    return STATE_WORDS[State(code)].text(t.lang) if code in set(State) else code


def _why(detail: Mapping[str, str], t: Texts) -> str:
    """The reasons that an entry gives by their codes, and whether somebody wrote more."""
    found = []
    if detail.get("rule") in RULES:
        found.append(RULES[detail["rule"]].statement.text(t.lang))
    given = [name for name in ("suspend_reason", "end_reason") if detail.get(name)]
    found += [FIELDS[name].choice(detail[name]).text(t.lang) for name in given]
    if any(name in FIELDS and FIELDS[name].kind is Kind.LONG and value for name, value in detail.items()):
        found.append(t("desk_trail.written"))
    return " / ".join(found)


def _told(one: RegisterEntry, t: Texts) -> str:
    """What an entry of a register tells: of a file its counts and its digest, of a record its columns."""
    detail, found = one.detail, []
    if one.change == Change.IMPORTED:
        found.append(t("desk_trail.counts", **{name: _number(detail.get(name, "")) for name in _COUNTS}))
    elif "rows" in detail:
        found.append(t("desk_trail.rows", n=_number(detail["rows"])))
    if "sha256" in detail:
        found.append(t("desk_trail.digest", digest=detail["sha256"][:_DIGEST]))
    if detail.get("columns") and one.register in set(Register):
        named = {column.name: column.words.text(t.lang) for column in SHEETS[Register(one.register)].columns}
        told = [named.get(name, name) for name in detail["columns"].split(",")]
        found.append(t("desk_case.and").join(told))
    return " · ".join(found)


def _number(text: str) -> str:
    return grouped(int(text)) if text.isascii() and text.isdigit() else text
