"""One record of a register: what it says, what hangs on it, what happened to it, and the form to change it.

Whoever takes in forms may change records, as with a file. What a form says goes through the same columns and
rules as a file, and nobody writes over what somebody else has changed in between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import Response

from koatsu.desk.errors import ChangedMeanwhileError, InputError
from koatsu.desk.imports import SHEETS, Register
from koatsu.desk.offices import Area, AreaBy
from koatsu.desk.point_numbers import masked, spaced
from koatsu.desk.register_history import CHANGE_WORDS, Change
from koatsu.desk.registers import Record
from koatsu.people import Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.record_words import hanging_on
from koatsu.web.desk.register_forms import EDITED, fields_of, naming, typed_fields
from koatsu.web.desk.register_words import register_name, title_of, values_of
from koatsu.web.desk.registers_pages import register_of
from koatsu.web.forms import Form, text_of
from koatsu.web.notation import clock_time
from koatsu.web.record import callers

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["RecordPages"]

_DONE: Final = ("added", "changed", "same")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A form that was not taken, and how the page is to look this time."""

    status: int = 200
    typed: Mapping[str, str] | None = None
    wrong: Mapping[str, str] = field(default_factory=dict)
    stale: str = ""  #: who has changed the record meanwhile, in a sentence
    number: bool = False  #: show the whole number of a supply point


class RecordPages(DeskPages):
    """``/registers/{register}/{key}``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/registers/{register}/+", self.blank, Right.DESK_HANDLE)
        self.route("POST", "/registers/{register}/+", self.add, Right.DESK_HANDLE)
        self.route("GET", "/registers/{register}/{key}", self.show, Right.DESK_READ)
        self.route("POST", "/registers/{register}/{key}", self.change, Right.DESK_HANDLE)
        self.route("POST", "/registers/{register}/{key}/show", self.open, Right.DESK_READ)
        self.route("POST", "/registers/{register}/{key}/remove", self.remove, Right.DESK_HANDLE)

    # --- looking ----------------------------------------------------------------------------------------

    def show(self, request: Request, register: str, key: str) -> Response:
        """The page of a record."""
        return self._page(request, self._record(register, key), Tried())

    def open(self, request: Request, register: str, key: str) -> Response:
        """The page with the whole number, once that was recorded."""
        record = self._record(register, key)
        shown = record.register is Register.SUPPLY_POINTS
        if shown and self.frame.access.people is not None:
            who, subject = request.state.login.reference, f"register:{record.register}"
            self.frame.access.people.audit.append(who, "personal_shown", subject, {"what": "number"})
        return self._page(request, record, Tried(number=shown))

    # --- changing ---------------------------------------------------------------------------------------

    def change(self, request: Request, register: str, key: str, form: Form) -> Response:
        """Keep what was typed over a record."""
        record, actor = self._record(register, key), actor_of(request)
        if record.register not in EDITED:
            raise self.gone(
                self.t("desk_record.not_edited"),
                action=self.t("desk_registers.back"),
                path=f"/registers/{record.register}",
            )
        typed = typed_fields(record.register, form, record.form.fields)
        try:
            changed = self.desk.registers.put(
                record.register, typed, seen=text_of(form, "seen"), author=actor.reference, role=actor.role
            )
        except InputError as error:
            return self._page(request, record, Tried(status=422, typed=typed, wrong=self._wrong(error)))
        except ChangedMeanwhileError as error:
            called = callers(self.frame.access.people, self.t)
            stale = self.t("desk_record.stale", who=called(error.by), time=clock_time(error.at))
            again = self._record(register, key)
            return self._page(request, again, Tried(status=409, typed=typed, stale=stale))
        return self.to(f"/registers/{register}/{key}?done={'changed' if changed else 'same'}")

    def blank(self, request: Request, register: str) -> Response:
        """The form of a new record."""
        return self._new(request, register_of(self, register), Tried())

    def add(self, request: Request, register: str, form: Form) -> Response:
        """Keep a new record."""
        kind, actor, registers = register_of(self, register), actor_of(request), self.desk.registers
        typed = typed_fields(kind, form, None)
        try:
            registers.put(kind, typed, seen=None, author=actor.reference, role=actor.role)
        except InputError as error:
            return self._new(request, kind, Tried(status=422, typed=typed, wrong=self._wrong(error)))
        return self.to(f"/registers/{kind}/{registers.reference_to(kind, **typed)}?done=added")

    def remove(self, request: Request, register: str, key: str) -> Response:
        """Take a part out of the area of an office; nothing else is ever removed."""
        record, actor = self._record(register, key), actor_of(request)
        if record.register is not Register.AREAS:
            raise self.gone(
                self.t("desk_record.not_removed"),
                action=self.t("desk_record.back_to_it"),
                path=f"/registers/{record.register}/{key}",
            )
        row = record.row
        area = Area(office=row["office"], by=AreaBy(row["by"]), value=row["value"])
        self.desk.registers.remove_area(area, author=actor.reference, role=actor.role)
        return self.to(f"/registers/{record.register}?office={area.office}")

    # --- the two pages ----------------------------------------------------------------------------------

    def _page(self, request: Request, record: Record, tried: Tried) -> Response:
        t, called = self.t, callers(self.frame.access.people, self.t)
        kind, row = record.register, record.row
        done = request.query_params.get("done", "")
        point = kind is Register.SUPPLY_POINTS
        values = {
            "register": kind.value,
            "name": register_name(kind, t),
            "url": f"{t.prefix}/registers/{kind}/{record.reference}",
            "title": title_of(kind, row, t),
            "number": (spaced if tried.number else masked)(row["number"]) if point else "",
            "number_shown": tried.number,
            "pairs": values_of(kind, row, t),
            "hanging": hanging_on(self.desk, actor_of(request), record, t, called),
            "history": [
                (entry, self._what(entry.change), called(entry.author), self._columns(kind, entry.detail))
                for entry in record.history
            ],
            "changed_at": record.changed_at,
            "changed_by": called(record.changed_by),
            "fields": self._fields(record, tried) if kind in EDITED else [],
            "seen": record.form.seen,
            "tried": tried,
            "removable": kind is Register.AREAS,
            "done": t(f"desk_record.done_{done}") if done in _DONE else "",
        }
        return self.frame.show(request, "desk/record.html", values, here="registers", status=tried.status)

    def _new(self, request: Request, register: Register, tried: Tried) -> Response:
        values = {
            "register": register.value,
            "name": register_name(register, self.t),
            "fields": fields_of(
                register,
                tried.typed or {},
                self.t,
                new=True,
                wrong=tried.wrong,
                suggested=self._suggested(register),
            ),
            "tried": tried,
        }
        return self.frame.show(request, "desk/record-new.html", values, here="registers", status=tried.status)

    def _fields(self, record: Record, tried: Tried) -> list[object]:
        typed = dict(record.form.fields if tried.typed is None else tried.typed)
        for column in SHEETS[record.register].columns:
            if column.kind == "point":
                typed[column.name] = record.form.fields[column.name]
        return list(
            fields_of(
                record.register,
                typed,
                self.t,
                new=False,
                wrong=tried.wrong,
                suggested=self._suggested(record.register),
            )
        )

    def _suggested(self, register: Register) -> dict[str, list[str]]:
        """What a form proposes for codes of other registers."""
        registers, columns = self.desk.registers, {column.name for column in SHEETS[register].columns}
        found: dict[str, list[str]] = {}
        if "retailer" in columns:
            found["retailer"] = [one.code for one in registers.retailers()]
        if "office" in columns:
            found["office"] = [one.code for one in registers.offices()]
        return found

    def _record(self, register: str, key: str) -> Record:
        return self.desk.registers.record(register_of(self, register), key)

    def _wrong(self, error: InputError) -> dict[str, str]:
        return {name: words.text(self.t.lang) for name, words in error.by_field.items()}

    def _what(self, change: str) -> str:
        return CHANGE_WORDS[Change(change)].text(self.t.lang) if change in set(Change) else change

    def _columns(self, register: Register, detail: Mapping[str, str]) -> str:
        """The names of the columns that an entry tells of; those that a record is named by say nothing."""
        named = {column.name: column.words.text(self.t.lang) for column in SHEETS[register].columns}
        told = [name for name in detail.get("columns", "").split(",") if name not in naming(register)]
        return self.t("desk_case.and").join(named[name] for name in told if name in named)
