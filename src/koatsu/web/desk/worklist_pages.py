"""The worklist: what lies on the desk, by the day on which it is due; the same as Excel and CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from koatsu.clock import JST
from koatsu.desk.models import Actor
from koatsu.desk.states import STATE_WORDS, UNDER_WAY, State
from koatsu.desk.worklists import BAND_WORDS, PAGE, TURN_WORDS, Listed, Turn, Worklist
from koatsu.people import Right
from koatsu.render import Cell, Column, ColumnKind, csv_text, sheet
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.case_lines import Line, lines_of
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.week_words import monday_of, works_line
from koatsu.web.notation import day_label
from koatsu.web.record import callers

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["WorklistPages"]

_AT_ONCE: Final = 1000  #: lines read at a time for a file
_WORKS: Final = 8  #: works of the week that stand beside the list
_RESTING: Final = (State.IN_SERVICE, State.ENDED, State.REFUSED)
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of the list is wanted: as its address says."""

    turn: Turn = Turn.ALL
    state: State | None = None
    office: str = ""
    page: int = 1

    @classmethod
    def of(cls, request: Request, offices: Mapping[str, str]) -> Asked:
        """The words of the address; those that are none are left out."""
        given = request.query_params
        turn, state, page = given.get("turn", ""), given.get("state", ""), given.get("page", "")
        return cls(
            turn=Turn(turn) if turn in set(Turn) else Turn.ALL,
            state=State(state) if state in set(State) else None,
            office=given.get("office", "") if given.get("office", "") in offices else "",
            page=max(int(page), 1) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )

    def query(self) -> str:
        """The same as the end of an address; empty for the whole list."""
        said = {
            "turn": "" if self.turn is Turn.ALL else self.turn.value,
            "state": self.state.value if self.state else "",
            "office": self.office,
            "page": str(self.page) if self.page > 1 else "",
        }
        words = urlencode({name: value for name, value in said.items() if value})
        return f"?{words}" if words else ""


class WorklistPages(DeskPages):
    """The start page of the staff."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/", self.show, Right.DESK_READ)
        self.route("GET", "/worklist.xlsx", self.excel, Right.DESK_READ)
        self.route("GET", "/worklist.csv", self.csv, Right.DESK_READ)

    def show(self, request: Request) -> HTMLResponse:
        """The list, with counters and the works of this week beside it."""
        actor, today = actor_of(request), self.desk.registers.today()
        offices = {one.code: one.name for one in self.desk.registers.offices(present=False)}
        asked = Asked.of(request, offices)
        found = self._list(actor, asked)
        called = callers(self.frame.access.people, self.t)
        values = {
            "groups": self._groups(lines_of(found.lines, self.t, today, called), found),
            "whole": found.whole,
            "first": (found.page - 1) * PAGE + 1,
            "last": (found.page - 1) * PAGE + len(found.lines),
            "filters": self._filters(asked, found),
            "state": asked.state,
            "every_state": self._address(replace(asked, state=None, page=1)),
            "offices": self._offices(actor, asked, offices),
            "asked": asked,
            "earlier": self._address(replace(asked, page=asked.page - 1)) if asked.page > 1 else "",
            "later": self._address(replace(asked, page=asked.page + 1))
            if found.page * PAGE < found.whole
            else "",
            "files": [f"{self.t.prefix}/worklist.{kind}{replace(asked, page=1).query()}" for kind in _FILES],
            **self._counters(actor, asked),
            **self._beside(actor, asked, offices, today),
            "whose": offices.get(asked.office or actor.office or "", self.t("desk_list.every_office")),
            "done": self.t("desk_list.moved") if request.query_params.get("done") == "moved" else "",
        }
        return self.frame.show(request, "desk/worklist.html", values, here="worklist")

    def excel(self, request: Request) -> Response:
        """The list as it is filtered, all its pages, as an Excel file."""
        columns, rows = self._file(request)
        made = self.desk.clock.now()
        content = sheet(columns, rows, made=made, name=self.t("desk_list.title"))
        return Response(content, media_type=_XLSX, headers=self._saved("xlsx"))

    def csv(self, request: Request) -> Response:
        """The same as CSV."""
        columns, rows = self._file(request)
        return Response(
            csv_text(columns, rows), media_type="text/csv; charset=utf-8", headers=self._saved("csv")
        )

    # --- the list ---------------------------------------------------------------------------------------

    def _list(self, actor: Actor, asked: Asked, size: int = PAGE) -> Worklist:
        return self.desk.lists.worklist(
            actor, turn=asked.turn, state=asked.state, office=asked.office or None, page=asked.page, size=size
        )

    def _address(self, asked: Asked) -> str:
        return f"{self.t.prefix}/{asked.query()}"

    def _groups(self, lines: Sequence[Line], found: Worklist) -> list[tuple[str, int | None, list[Line]]]:
        """The lines under when they are due; how many there are, where the page shows all of them."""
        groups = []
        for band, held in groupby(lines, key=lambda line: line.band):
            inside = list(held)
            whole = found.whole == len(lines)
            groups.append((BAND_WORDS[band].text(self.t.lang), len(inside) if whole else None, inside))
        return groups

    def _filters(self, asked: Asked, found: Worklist) -> list[tuple[str, str, bool, int]]:
        return [
            (
                words.text(self.t.lang),
                self._address(replace(asked, turn=turn, page=1)),
                turn is asked.turn,
                found.turns[turn],
            )
            for turn, words in TURN_WORDS.items()
        ]

    def _offices(self, actor: Actor, asked: Asked, offices: Mapping[str, str]) -> list[tuple[str, str, bool]]:
        """The offices to choose from, for those who see several."""
        if actor.office is not None or len(offices) < 2:
            return []
        every = ("", self.t("desk_list.every_office"), not asked.office)
        return [every, *((code, name, code == asked.office) for code, name in offices.items())]

    def _counters(self, actor: Actor, asked: Asked) -> dict[str, object]:
        """How many cases are in each state, each with the address of its list and the length of its bar."""
        counts = self.desk.lists.counts(actor, asked.office or None)
        most = max([1, *(counts[state] for state in UNDER_WAY)])

        def row(state: State) -> tuple[str, str, int, int, bool]:
            address = self._address(Asked(state=state, office=asked.office))
            words = STATE_WORDS[state].text(self.t.lang)
            return words, address, counts[state], round(100 * counts[state] / most), state is asked.state

        return {
            "under_way": sum(counts[state] for state in UNDER_WAY),
            "bars": [row(state) for state in State if state in UNDER_WAY],
            "resting": [row(state) for state in _RESTING],
        }

    def _beside(
        self, actor: Actor, asked: Asked, offices: Mapping[str, str], today: date
    ) -> dict[str, object]:
        """The works of this week, and the letters that wait to be printed."""
        sunday = monday_of(today) + timedelta(days=6)
        orders, whole = self.desk.lists.next_works(actor, sunday, asked.office or None, _WORKS)
        return {
            "week": [
                (day_label(order.planned_on, self.t), works_line(order, listed, offices, self.t))
                for order, listed in orders
                if order.planned_on is not None
            ],
            "week_more": whole - len(orders),
            "letters": self.desk.notices.waiting(actor, asked.office or None),
        }

    # --- the files --------------------------------------------------------------------------------------

    def _file(self, request: Request) -> tuple[Sequence[Column], Iterator[Sequence[Cell]]]:
        actor, t = actor_of(request), self.t
        offices = {one.code: one.name for one in self.desk.registers.offices(present=False)}
        asked = replace(Asked.of(request, offices), page=1)
        called = callers(self.frame.access.people, t)
        columns = [
            Column(title=t("desk_list.case")),
            Column(title=t("desk_list.state")),
            Column(title=t("desk_list.next")),
            Column(title=t("desk_list.due"), kind=ColumnKind.DATE),
            Column(title=t("desk_list.customer")),
            Column(title=t("desk_list.point")),
            Column(title=t("desk_list.office")),
            Column(title=t("desk_list.by")),
            Column(title=t("desk_list.opened"), kind=ColumnKind.DATE),
        ]

        def rows() -> Iterator[Sequence[Cell]]:
            today = self.desk.registers.today()
            for one in self._everything(actor, asked):
                (line,) = lines_of([one], t, today, called)
                state = STATE_WORDS[line.state].text(t.lang)
                opened = one.case.opened_at.astimezone(JST).date()
                office = offices.get(one.case.office, one.case.office)
                yield (
                    line.number, state, line.next, one.case.due_on, line.name, line.point, office, line.by,
                    opened,
                )  # fmt: skip

        return columns, rows()

    def _everything(self, actor: Actor, asked: Asked) -> Iterator[Listed]:
        while True:
            found = self._list(actor, asked, _AT_ONCE)
            yield from found.lines
            if asked.page * _AT_ONCE >= found.whole:
                return
            asked = replace(asked, page=asked.page + 1)

    def _saved(self, kind: str) -> dict[str, str]:
        name = f"koatsu_worklist_{self.desk.registers.today().isoformat()}.{kind}"
        return {"Content-Disposition": f'attachment; filename="{name}"'}


_FILES: Final = ("xlsx", "csv")
