"""The trail, for those who review: what happened to cases and registers, and whether it is as written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import Response

from koatsu.desk.imports import SHEETS
from koatsu.desk.lifecycle import Event
from koatsu.desk.models import Actor
from koatsu.desk.register_history import CHANGE_WORDS, DATA_LIST, TERMS
from koatsu.desk.trail import CASES, REGISTERS, Wanted
from koatsu.people import DESK_ROLES, Right, Role
from koatsu.render import Cell, Column, ColumnKind, csv_text, sheet
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.case_history import event_word
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.register_words import register_name
from koatsu.web.desk.registers_pages import EXCEL_ROWS, too_many_rows
from koatsu.web.desk.trail_words import Row, case_row, register_row, role_word, verdict
from koatsu.web.forms import Form, text_of
from koatsu.web.record import callers

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["TrailPages"]

_PAGE: Final = 50
_AT_ONCE: Final = 1000  #: entries read at a time for a file
_LONGEST: Final = 80
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ROLE: Final = "role:"  #: before a role, where a filter asks for one instead of a person


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the trail is wanted: as its address says."""

    kind: str
    wanted: Wanted
    before: int | None = None
    after: int | None = None

    @classmethod
    def of(cls, request: Request) -> Asked:
        """The words of the address; those that are none are left out."""
        given = request.query_params
        kind = REGISTERS if given.get("kind") == REGISTERS else CASES
        who = given.get("who", "")[:_LONGEST]
        return cls(
            kind=kind,
            wanted=Wanted(
                case=given.get("case", "").strip()[:_LONGEST] if kind == CASES else "",
                author="" if who.startswith(_ROLE) else who,
                role=who.removeprefix(_ROLE) if who.startswith(_ROLE) else "",
                what=given.get("what", "")[:_LONGEST],
                register=given.get("register", "")[:_LONGEST] if kind == REGISTERS else "",
                first=_day(given.get("from", "")),
                last=_day(given.get("to", "")),
            ),
            before=_number(given.get("before", "")),
            after=_number(given.get("after", "")),
        )

    def query(self) -> str:
        """The same as the end of an address."""
        wanted = self.wanted
        said = {
            "kind": self.kind if self.kind != CASES else "",
            "case": wanted.case,
            "register": wanted.register,
            "who": wanted.author or (f"{_ROLE}{wanted.role}" if wanted.role else ""),
            "what": wanted.what,
            "from": wanted.first.isoformat() if wanted.first else "",
            "to": wanted.last.isoformat() if wanted.last else "",
            "before": str(self.before) if self.before else "",
            "after": str(self.after) if self.after is not None else "",
        }
        words = urlencode({name: value for name, value in said.items() if value})
        return f"?{words}" if words else ""


class TrailPages(DeskPages):
    """``/events``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/events", self.show, Right.DESK_REVIEW)
        self.route("GET", "/events.csv", self.csv, Right.DESK_REVIEW)
        self.route("GET", "/events.xlsx", self.excel, Right.DESK_REVIEW)
        self.route("POST", "/events/verify", self.verify, Right.DESK_REVIEW)

    def show(self, request: Request) -> Response:
        """A part of the trail."""
        return self._page(request, Asked.of(request), {})

    def verify(self, request: Request, form: Form) -> Response:
        """Go through every entry, and say whether it is as it was written."""
        expected = text_of(form, "expected", 200).lower()
        found = self.desk.trail.verify(actor_of(request), expected or None)
        people = self.frame.access.people
        audit = people.audit.verify() if people is not None else None
        verdicts = [verdict(one, self.t) for one in found]
        values = {
            "verdicts": verdicts,
            "audit": "" if audit is None else audit.text(self.t.lang),
            "sound": all(sound for sound, _ in verdicts) and audit is None,
            "head": found[0].head if found[0].entries > 0 else "",
            "entries": found[0].entries,
            "expected": expected,
        }
        return self._page(request, Asked(kind=CASES, wanted=Wanted()), values)

    # --- files ------------------------------------------------------------------------------------------

    def csv(self, request: Request) -> Response:
        """Every entry that is asked for, as CSV."""
        asked = Asked.of(request)
        content = csv_text(self._columns(asked), self._cells(request, asked))
        return Response(content, media_type="text/csv; charset=utf-8", headers=self._saved(asked, "csv"))

    def excel(self, request: Request) -> Response:
        """The same as an Excel file."""
        asked = Asked.of(request)
        rows = list(islice(self._cells(request, asked), EXCEL_ROWS + 1))
        if len(rows) > EXCEL_ROWS:
            raise too_many_rows(self, f"/events.csv{asked.query()}")
        content = sheet(
            self._columns(asked),
            rows,
            made=self.desk.clock.now(),
            name=self.t("desk_trail.title"),
        )
        return Response(content, media_type=_XLSX, headers=self._saved(asked, "xlsx"))

    def _columns(self, asked: Asked) -> list[Column]:
        t = self.t
        moved = [t("desk_trail.before"), t("desk_trail.after")] if asked.kind == CASES else []
        about = t("desk_list.case") if asked.kind == CASES else t("desk_trail.register")
        words = [t("desk_trail.by"), t("desk_trail.role"), about, t("desk_trail.what"), *moved]
        return [
            Column(title=t("desk_trail.number"), kind=ColumnKind.INTEGER),
            Column(title=t("desk_trail.at"), kind=ColumnKind.INSTANT),
            *(Column(title=title) for title in (*words, t("desk_trail.why"))),
        ]

    def _cells(self, request: Request, asked: Asked) -> Iterator[Sequence[Cell]]:
        asked = replace(asked, before=None, after=None)
        while rows := self._rows(actor_of(request), asked, _AT_ONCE):
            for one in rows:
                moved = [one.before, one.after] if asked.kind == CASES else []
                yield [one.seq, one.at, one.by, one.role, one.about, one.what, *moved, one.why]
            asked = replace(asked, before=rows[-1].seq)

    def _saved(self, asked: Asked, kind: str) -> dict[str, str]:
        name = f"koatsu_events_{asked.kind}_{self.desk.registers.today().isoformat()}.{kind}"
        return {"Content-Disposition": f'attachment; filename="{name}"'}

    # --- the page ---------------------------------------------------------------------------------------

    def _page(self, request: Request, asked: Asked, verified: dict[str, Any]) -> Response:
        t, actor = self.t, actor_of(request)
        rows = self._rows(actor, asked, _PAGE + 1)
        more, rows = len(rows) > _PAGE, rows[-_PAGE:] if asked.after is not None else rows[:_PAGE]
        newest = replace(asked, before=None, after=None)
        newer = bool(rows) and (more if asked.after is not None else asked.before is not None)
        older = bool(rows) and (more if asked.after is None else True)
        values = {
            "asked": asked,
            "rows": rows,
            "tabs": [
                (t("desk_trail.cases"), f"{t.prefix}/events", asked.kind == CASES, None),
                (
                    t("desk_trail.registers"),
                    f"{t.prefix}/events?kind=registers",
                    asked.kind == REGISTERS,
                    None,
                ),
            ],
            "who": self._who(asked),
            "whats": self._whats(asked),
            "registers": self._registers(asked),
            "newest": f"{t.prefix}/events{newest.query()}" if newer else "",
            "newer": f"{t.prefix}/events{replace(newest, after=rows[0].seq).query()}" if newer else "",
            "older": f"{t.prefix}/events{replace(newest, before=rows[-1].seq).query()}" if older else "",
            "files": [f"{t.prefix}/events.{kind}{newest.query()}" for kind in ("xlsx", "csv")],
            "everything": f"{t.prefix}/events{replace(newest, wanted=Wanted()).query()}",
            "narrowed": newest.wanted != Wanted(),
            "verified": verified,
        }
        return self.frame.show(request, "desk/events.html", values, here="events")

    def _rows(self, actor: Actor, asked: Asked, limit: int) -> list[Row]:
        called = callers(self.frame.access.people, self.t)
        trail, part = self.desk.trail, {"before": asked.before, "after": asked.after}
        if asked.kind == CASES:
            found = trail.cases(actor, asked.wanted, limit=limit, **part)
            return [case_row(one, self.t, called) for one in found]
        changes = trail.registers(actor, asked.wanted, limit=limit, **part)
        return [register_row(one, self.t, called) for one in changes]

    def _who(self, asked: Asked) -> list[tuple[str, str, bool]]:
        """Staff and programs by name, customers and this program by what they are."""
        people, t = self.frame.access.people, self.t
        staff: list[tuple[str, str]] = []
        if people is not None:
            roles = set(DESK_ROLES) - {Role.CUSTOMER}
            staff = [(one.reference, one.name) for one in people.people() if one.role in roles]
            staff += [(one.reference, t("ref.token_named", label=one.label)) for one in people.tokens()]
        kinds = [(f"{_ROLE}{role}", role_word(role, t)) for role in (Role.CUSTOMER, "system")]
        chosen = asked.wanted.author or f"{_ROLE}{asked.wanted.role}"
        return [(code, words, code == chosen) for code, words in (*staff, *kinds)]

    def _whats(self, asked: Asked) -> list[tuple[str, str, bool]]:
        if asked.kind == CASES:
            words = [(event.value, event_word(event, self.t)) for event in Event]
        else:
            words = [(change.value, said.text(self.t.lang)) for change, said in CHANGE_WORDS.items()]
        return [(code, said, code == asked.wanted.what) for code, said in words]

    def _registers(self, asked: Asked) -> list[tuple[str, str, bool]]:
        names = (*SHEETS, TERMS, DATA_LIST)
        return [(str(one), register_name(one, self.t), one == asked.wanted.register) for one in names]


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year <= 2200 else None


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None
