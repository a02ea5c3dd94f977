"""The enquiries of an office, by the day on which each is to be answered; the same as Excel and CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from koatsu.clock import JST
from koatsu.desk.enquiry_rows import ENQUIRY_STATE_WORDS, Enquiry, EnquiryState
from koatsu.desk.models import Actor
from koatsu.people import Right
from koatsu.render import Cell, Column, ColumnKind, csv_text, sheet
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.enquiry_words import about, enquiry_lines
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.record import callers

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["EnquiriesPages"]

_PAGE: Final = 50
_AT_ONCE: Final = 1000  #: enquiries read at a time for a file
_NO_OFFICE: Final = "-"  #: in an address: of no office yet
_FILES: Final = ("xlsx", "csv")
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Which(StrEnum):
    """How far the enquiries of the list are."""

    OPEN = "open"
    LATE = "late"
    ANSWERED = "answered"
    CLOSED = "closed"
    EVERY = "every"


class Whose(StrEnum):
    """With whom they are."""

    ALL = "all"
    MINE = "mine"
    NOBODY = "nobody"


_STATES: Final[Mapping[Which, tuple[EnquiryState, ...]]] = {
    Which.OPEN: (EnquiryState.OPEN,),
    Which.LATE: (EnquiryState.OPEN,),
    Which.ANSWERED: (EnquiryState.ANSWERED,),
    Which.CLOSED: (EnquiryState.CLOSED,),
    Which.EVERY: tuple(EnquiryState),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the list is wanted: as its address says."""

    which: Which = Which.OPEN
    whose: Whose = Whose.ALL
    office: str = ""
    page: int = 1

    @classmethod
    def of(cls, request: Request, offices: Mapping[str, str]) -> Asked:
        """The words of the address; those that are none are left out."""
        given = request.query_params
        which, whose, page = given.get("which", ""), given.get("whose", ""), given.get("page", "")
        office = given.get("office", "")
        return cls(
            which=Which(which) if which in set(Which) else Which.OPEN,
            whose=Whose(whose) if whose in set(Whose) else Whose.ALL,
            office=office if office in offices or office == _NO_OFFICE else "",
            page=max(int(page), 1) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )

    def query(self) -> str:
        """The same as the end of an address; empty for what is to be answered."""
        said = {
            "which": "" if self.which is Which.OPEN else self.which.value,
            "whose": "" if self.whose is Whose.ALL else self.whose.value,
            "office": self.office,
            "page": str(self.page) if self.page > 1 else "",
        }
        words = urlencode({name: value for name, value in said.items() if value})
        return f"?{words}" if words else ""


class EnquiriesPages(DeskPages):
    """``/enquiries``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/enquiries", self.show, Right.DESK_READ)
        self.route("GET", "/enquiries.xlsx", self.excel, Right.DESK_READ)
        self.route("GET", "/enquiries.csv", self.csv, Right.DESK_READ)

    def show(self, request: Request) -> HTMLResponse:
        """The list with its filters, each with how many it shows."""
        actor, t, today = actor_of(request), self.t, self.desk.registers.today()
        offices = self._office_names()
        asked = Asked.of(request, offices)
        wanted = self._wanted(actor, asked)
        whole = self.desk.enquiries.how_many(actor, **wanted)
        asked = replace(asked, page=min(asked.page, max(1, -(-whole // _PAGE))))
        first = (asked.page - 1) * _PAGE
        found = self.desk.enquiries.listing(actor, **wanted, offset=first, limit=_PAGE)
        called = callers(self.frame.access.people, t)
        cases = self.desk.lists.numbers(actor, [one.case for one in found])
        values = {
            "lines": enquiry_lines(found, t, today, called, offices, cases),
            "whole": whole,
            "first": first + 1,
            "last": first + len(found),
            "asked": asked,
            "which": self._which(actor, asked),
            "whose": self._whose(actor, asked),
            "offices": self._offices(actor, asked, offices),
            "several": actor.office is None and len(offices) > 1,
            "earlier": self._address(replace(asked, page=asked.page - 1)) if asked.page > 1 else "",
            "later": self._address(replace(asked, page=asked.page + 1)) if first + _PAGE < whole else "",
            "files": [f"{t.prefix}/enquiries.{kind}{replace(asked, page=1).query()}" for kind in _FILES],
            "done": t("desk_answer.moved") if request.query_params.get("done") == "moved" else "",
        }
        return self.frame.show(request, "desk/enquiries.html", values, here="enquiries")

    def excel(self, request: Request) -> Response:
        """The list as it is filtered, all its pages, as an Excel file."""
        made = self.desk.clock.now()
        content = sheet(self._columns(), self._rows(request), made=made, name=self.t("desk_answer.title"))
        return Response(content, media_type=_XLSX, headers=self._saved("xlsx"))

    def csv(self, request: Request) -> Response:
        """The same as CSV."""
        content = csv_text(self._columns(), self._rows(request))
        return Response(content, media_type="text/csv; charset=utf-8", headers=self._saved("csv"))

    # --- the list ---------------------------------------------------------------------------------------

    def _wanted(self, actor: Actor, asked: Asked) -> dict[str, Any]:
        """The filters as the desk takes them."""
        owners = {Whose.ALL: None, Whose.MINE: actor.reference, Whose.NOBODY: ""}
        yesterday = self.desk.registers.today() - timedelta(days=1)
        return {
            "states": _STATES[asked.which],
            "office": None if not asked.office else "" if asked.office == _NO_OFFICE else asked.office,
            "owner": owners[asked.whose],
            "due_until": yesterday if asked.which is Which.LATE else None,
        }

    def _count(self, actor: Actor, asked: Asked) -> int:
        return self.desk.enquiries.how_many(actor, **self._wanted(actor, asked))

    def _which(self, actor: Actor, asked: Asked) -> list[tuple[str, str, bool, int]]:
        found = []
        for which in Which:
            one = replace(asked, which=which, page=1)
            words = self.t(f"desk_answer.which_{which}")
            found.append((words, self._address(one), which is asked.which, self._count(actor, one)))
        return found

    def _whose(self, actor: Actor, asked: Asked) -> list[tuple[str, str, bool, int]]:
        found = []
        for whose in Whose:
            one = replace(asked, whose=whose, page=1)
            words = self.t(f"desk_answer.whose_{whose}")
            found.append((words, self._address(one), whose is asked.whose, self._count(actor, one)))
        return found

    def _offices(self, actor: Actor, asked: Asked, offices: Mapping[str, str]) -> list[tuple[str, str, bool]]:
        """The offices to choose from, for those who see several."""
        if actor.office is not None or len(offices) < 2:
            return []
        every = ("", self.t("desk_list.every_office"), not asked.office)
        none = (_NO_OFFICE, self.t("desk_answer.no_office"), asked.office == _NO_OFFICE)
        return [every, *((code, name, code == asked.office) for code, name in offices.items()), none]

    def _office_names(self) -> dict[str, str]:
        return {one.code: one.name for one in self.desk.registers.offices(present=False)}

    def _address(self, asked: Asked) -> str:
        return f"{self.t.prefix}/enquiries{asked.query()}"

    # --- the files --------------------------------------------------------------------------------------

    def _columns(self) -> list[Column]:
        t = self.t
        return [
            Column(title=t("desk_answer.number")),
            Column(title=t("desk_answer.about")),
            Column(title=t("desk_list.state")),
            Column(title=t("desk_list.due"), kind=ColumnKind.DATE),
            Column(title=t("desk_answer.which_late")),
            Column(title=t("desk_list.by")),
            Column(title=t("desk_list.office")),
            Column(title=t("desk_list.case")),
            Column(title=t("desk_answer.came"), kind=ColumnKind.DATE),
        ]

    def _rows(self, request: Request) -> Iterator[Sequence[Cell]]:
        actor, t, today = actor_of(request), self.t, self.desk.registers.today()
        offices = self._office_names()
        wanted = self._wanted(actor, Asked.of(request, offices))
        called = callers(self.frame.access.people, t)
        last: Enquiry | None = None
        while found := self.desk.enquiries.listing(actor, **wanted, after=last, limit=_AT_ONCE):
            cases = self.desk.lists.numbers(actor, [one.case for one in found])
            for one in found:
                late = t("desk_answer.yes") if one.late(today) else ""
                state, came = ENQUIRY_STATE_WORDS[one.state].text(t.lang), one.opened_at.astimezone(JST)
                yield (
                    one.number, about(one, t), state, one.due_on, late,
                    called(one.owner) if one.owner else "", offices.get(one.office, one.office),
                    cases.get(one.case or 0, ""), came.date(),
                )  # fmt: skip
            last = found[-1]

    def _saved(self, kind: str) -> dict[str, str]:
        name = f"koatsu_enquiries_{self.desk.registers.today().isoformat()}.{kind}"
        return {"Content-Disposition": f'attachment; filename="{name}"'}
