"""The registers: how large each is, its records searched and page by page, and the whole as a file.

Registers are the utility's, so whoever reads at the desk sees them all; of the cases that hang on a record
one sees those of one's own offices. Whole numbers of supply points go out to those who can bring them in, and
that they did is written into the audit log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from koatsu.desk.imports import SHEETS, Register
from koatsu.desk.register_history import DATA_LIST, TERMS
from koatsu.people import Right
from koatsu.render import Cell, Column, ColumnKind, sheet
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.register_words import FILTERS, KEPT, cells, listed, register_name, title_of, title_word
from koatsu.web.notation import grouped
from koatsu.web.trouble import TroubleError

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["EXCEL_ROWS", "RegistersPages", "register_of", "too_many_rows"]

EXCEL_ROWS: Final = 30_000  #: of an Excel file: each thousand takes a quarter of a second of a core

_PAGE: Final = 50
_LONGEST: Final = 100
_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_KINDS: Final = {"day": ColumnKind.DATE, "kw": ColumnKind.INTEGER}


def register_of(pages: DeskPages, name: str) -> Register:
    """The register of an address.

    Raises:
        TroubleError: there is none that holds records.
    """
    if name not in KEPT:
        t = pages.t
        raise pages.gone(t("desk_registers.unknown"), action=t("desk_registers.back"), path="/registers")
    return Register(name)


def too_many_rows(pages: DeskPages, path: str) -> TroubleError:
    """What is said of a list that is too long for Excel: there is CSV."""
    t = pages.t
    sentence = t("desk_registers.too_many", n=grouped(EXCEL_ROWS))
    return TroubleError(422, sentence, action=t("desk_registers.as_csv_then"), url=f"{t.prefix}{path}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What of a register is wanted: as its address says."""

    register: Register
    text: str
    of: Mapping[str, str]
    page: int

    @classmethod
    def from_address(cls, request: Request, register: Register) -> Asked:
        """The words of the address; those that are none are left out."""
        given = request.query_params
        page = given.get("page", "")
        of = {name: given.get(name, "")[:_LONGEST] for name in FILTERS.get(register, ())}
        return cls(
            register=register,
            text=" ".join(given.get("q", "").split())[:_LONGEST],
            of={name: value for name, value in of.items() if value},
            page=max(int(page), 1) if page.isascii() and page.isdigit() and len(page) < 7 else 1,
        )

    def at(self, page: int) -> str:
        """The address of another page of the same, without its language."""
        said = {"q": self.text, **self.of, "page": str(page) if page > 1 else ""}
        words = urlencode({name: value for name, value in said.items() if value})
        return f"/registers/{self.register}" + (f"?{words}" if words else "")


class RegistersPages(DeskPages):
    """``/registers``, and the list of each."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/registers", self.show, Right.DESK_READ)
        self.route("GET", "/registers/{register}.csv", self.csv, Right.DESK_READ)
        self.route("GET", "/registers/{register}.xlsx", self.excel, Right.DESK_READ)
        self.route("GET", "/registers/{register}", self.records, Right.DESK_READ)

    def show(self, request: Request) -> HTMLResponse:
        """Every register with its size and its last change."""
        rows: list[tuple[str, str, int, datetime | None, str]] = [
            (one.register, register_name(one.register, self.t), one.count, one.changed_at, "files")
            for one in self.desk.registers.extents()
        ]
        terms = [one.changed_at for one in self.desk.terms.versions()]
        lists = [one.made_at for one in self.desk.data_lists.kept()]
        for key, changes in ((TERMS, terms), (DATA_LIST, lists)):
            name = register_name(key, self.t)
            rows.append((key, name, len(changes), max(changes, default=None), "versions"))
        return self.frame.show(request, "desk/registers.html", {"rows": rows}, here="registers")

    def records(self, request: Request, register: str) -> HTMLResponse:
        """A part of a register."""
        kind = register_of(self, register)
        asked, registers, t = Asked.from_address(request, kind), self.desk.registers, self.t
        found = registers.search(kind, asked.text, of=asked.of, limit=_PAGE, offset=(asked.page - 1) * _PAGE)
        last = max(1, -(-found.total // _PAGE))
        lines = [
            (
                f"{t.prefix}/registers/{kind}/{registers.reference(kind, row)}",
                title_of(kind, row, t),
                cells(kind, row, t),
            )
            for row in found.rows
        ]
        values = {
            "register": kind.value,
            "name": register_name(kind, t),
            "q": asked.text,
            "narrowed": ", ".join(asked.of.values()),
            "whole_list": f"{t.prefix}/registers/{kind}",
            "title_word": title_word(kind, t),
            "heads": listed(kind),
            "lines": lines,
            "total": found.total,
            "first": (asked.page - 1) * _PAGE + 1,
            "last": (asked.page - 1) * _PAGE + len(lines),
            "earlier": f"{t.prefix}{asked.at(min(asked.page - 1, last))}" if asked.page > 1 else "",
            "later": f"{t.prefix}{asked.at(asked.page + 1)}" if asked.page < last else "",
            "points": kind in (Register.SUPPLY_POINTS, Register.METERS, Register.TERMINALS),
        }
        return self.frame.show(request, "desk/register.html", values, here="registers")

    # --- files ------------------------------------------------------------------------------------------

    def csv(self, request: Request, register: str) -> Response:
        """The whole register as the file that can be imported again."""
        kind = register_of(self, register)
        parts = self.desk.registers.export(kind, self.t.lang, whole=self._whole(request, kind))
        return Response(
            b"".join(parts), media_type="text/csv; charset=utf-8", headers=self._saved(kind, "csv")
        )

    def excel(self, request: Request, register: str) -> Response:
        """The same as an Excel file."""
        kind = register_of(self, register)
        if self.desk.registers.search(kind, limit=0).total > EXCEL_ROWS:
            raise too_many_rows(self, f"/registers/{kind}.csv")
        own = SHEETS[kind].columns
        kinds = [_KINDS.get(column.kind, ColumnKind.TEXT) for column in own]
        columns = [
            Column(title=column.words.text(self.t.lang), kind=what)
            for column, what in zip(own, kinds, strict=True)
        ]
        whole = self._whole(request, kind)

        def rows() -> Iterator[Sequence[Cell]]:
            for some in self.desk.registers.texts(kind, whole=whole):
                for texts in some:
                    yield [_typed(text, what) for text, what in zip(texts.values(), kinds, strict=True)]

        content = sheet(columns, rows(), made=self.desk.clock.now(), name=register_name(kind, self.t))
        return Response(content, media_type=_XLSX, headers=self._saved(kind, "xlsx"))

    def _whole(self, request: Request, register: Register) -> bool:
        """Whether the file may hold whole numbers; that it does is written down."""
        if all(column.kind != "point" for column in SHEETS[register].columns):
            return True
        role, people = actor_of(request).role, self.frame.access.people
        whole = role is not None and role.may(Right.DESK_HANDLE)
        if whole and people is not None:
            people.audit.append(
                request.state.login.reference, "personal_shown", f"register:{register}", {"what": "export"}
            )
        return whole

    def _saved(self, register: Register, kind: str) -> dict[str, str]:
        name = f"koatsu_{register}_{self.desk.registers.today().isoformat()}.{kind}"
        return {"Content-Disposition": f'attachment; filename="{name}"'}


def _typed(text: str, kind: ColumnKind) -> Cell:
    """A text of a file as a cell of a sheet."""
    if kind is ColumnKind.TEXT:
        return text
    if not text:
        return None
    return date.fromisoformat(text) if kind is ColumnKind.DATE else int(text)
