"""Files into the registers: what a file holds, a check that changes nothing, the import, what was refused.

A file is read whole before the first row is written. One file at a time is taken in: a hundred thousand rows
take some seconds of a core, and the pages of others go on beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from koatsu.desk.imports import (
    SHEETS,
    Column,
    ImportRefusedError,
    ImportReport,
    Register,
    Sheet,
    mendable_csv,
)
from koatsu.people import Right
from koatsu.render import Column as FileColumn
from koatsu.render import csv_text
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.kept_imports import IMPORT_WAIT_S, IMPORTING, KeptImport, kept_imports
from koatsu.web.desk.pages import DeskPages
from koatsu.web.forms import Form, text_of
from koatsu.web.record import callers
from koatsu.web.trouble import TroubleError

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["ImportPages"]

_SHOWN: Final = 100  #: refusals on the page; the file has all of them
_RECENT: Final = 20
_ORDER: Final = (
    Register.OFFICES,
    Register.AREAS,
    Register.RETAILERS,
    Register.SUPPORTED_TYPES,
    Register.CERTIFIED,
    Register.SUPPLY_POINTS,
    Register.METERS,
    Register.TERMINALS,
    Register.CONTRACT_ENDS,
)
"""In an order in which nothing refers to what comes later."""


class ImportPages(DeskPages):
    """``/imports``."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/imports", self.choose, Right.DESK_HANDLE)
        self.route("GET", "/imports/{register}", self.show, Right.DESK_HANDLE)
        self.route("GET", "/imports/{register}/template.csv", self.template, Right.DESK_HANDLE)
        self.route("POST", "/imports/{register}/import", self.send, Right.DESK_HANDLE)
        self.route("GET", "/imports/{register}/{token}", self.result, Right.DESK_HANDLE)
        self.route("GET", "/imports/{register}/{token}/refused.csv", self.refused, Right.DESK_HANDLE)
        self.route("POST", "/imports/{register}/{token}/import", self.take, Right.DESK_HANDLE)

    def choose(self, request: Request) -> Response:
        """Which register; and what was brought in last."""
        values = {
            "kinds": [(one.value, SHEETS[one].words.text(self.t.lang), self._about(one)) for one in _ORDER],
            "recent": self._recent(None),
        }
        return self.frame.show(request, "desk/imports.html", values, here="imports")

    def show(self, request: Request, register: str) -> Response:
        """The columns of a file, and the form to send one."""
        return self._page(request, self._register(register), "")

    def template(self, register: str) -> Response:
        """An empty file with the headings."""
        kind = self._register(register)
        columns = [FileColumn(title=column.words.text(self.t.lang)) for column in SHEETS[kind].columns]
        name = f"koatsu_{kind}_template.csv"
        return Response(csv_text(columns, []), media_type="text/csv; charset=utf-8", headers=_saved(name))

    def send(self, request: Request, register: str, form: Form) -> Response:
        """Check the file of the form, or take it in."""
        kind, upload = self._register(register), form.get("file")
        if not isinstance(upload, UploadFile) or not upload.filename:
            return self._page(request, kind, self.t("desk_imports.choose_file"), status=422)
        data = upload.file.read()
        dry_run = text_of(form, "do") != "take"
        try:
            token = self._taken(request, kind, data, upload.filename, dry_run=dry_run)
        except ImportRefusedError as error:
            return self._page(request, kind, error.text(self.t.lang), status=422)
        return self.to(f"/imports/{kind}/{token}")

    def take(self, request: Request, register: str, token: str) -> Response:
        """Take in a file that was checked."""
        kind = self._register(register)
        found = self._kept(request, kind, token)
        if not found.report.dry_run:
            return self.to(f"/imports/{kind}/{token}")
        kept_imports(request).drop(token)  # a second press finds nothing to take in
        try:
            again = self._taken(request, kind, found.data, found.name, dry_run=False)
        except TroubleError:
            kept_imports(request).keep(found)
            raise
        return self.to(f"/imports/{kind}/{again}")

    def result(self, request: Request, register: str, token: str) -> Response:
        """What came of a file, or would come of it."""
        kind = self._register(register)
        found, lang = self._kept(request, kind, token).report, self.t.lang
        refusals = [
            (one.row, one.column.text(lang) if one.column else "", one.value, one.words.text(lang))
            for one in found.refusals[:_SHOWN]
        ]
        values = {
            "register": kind.value,
            "name": SHEETS[kind].words.text(lang),
            "address": f"{self.t.prefix}/imports/{kind}/{token}",
            "report": found,
            "refusals": refusals,
            "more": len(found.refusals) - len(refusals),
            "ignored": self.t("desk_case.and").join(found.ignored),
            "back": self._home(kind),
        }
        return self.frame.show(request, "desk/import-result.html", values, here="imports")

    def refused(self, request: Request, register: str, token: str) -> Response:
        """The refused rows as they were written, to mend and to send again."""
        kind = self._register(register)
        found = self._kept(request, kind, token)
        content = mendable_csv(found.data, found.report, self.t.lang)
        name = f"koatsu_{kind}_refused_{self.desk.registers.today().isoformat()}.csv"
        return Response(content, media_type="text/csv; charset=utf-8", headers=_saved(name))

    # --- inside -----------------------------------------------------------------------------------------

    def _taken(self, request: Request, register: Register, data: bytes, name: str, *, dry_run: bool) -> str:
        """Check a file or take it in; under what its report is kept.

        Raises:
            ImportRefusedError: it is no such file; nothing of it was taken.
            TroubleError: another file is being taken in.
        """
        actor = actor_of(request)
        with self._alone(register):
            report: ImportReport = self.desk.registers.import_file(
                register, data, name, author=actor.reference, role=actor.role, dry_run=dry_run
            )
        kept = data if dry_run or report.refused else b""
        now = self.desk.clock.now()
        one = KeptImport(author=actor.reference, at=now, name=name, data=kept, report=report)
        return kept_imports(request).keep(one)

    @contextmanager
    def _alone(self, register: Register) -> Iterator[None]:
        if not IMPORTING.acquire(timeout=IMPORT_WAIT_S):
            raise TroubleError(
                503,
                self.t("desk_imports.busy"),
                action=self.t("desk_imports.back"),
                url=f"{self.t.prefix}/imports/{register}",
            )
        try:
            yield
        finally:
            IMPORTING.release()

    def _page(self, request: Request, register: Register, wrong: str, *, status: int = 200) -> Response:
        sheet = SHEETS[register]
        values = {
            "register": register.value,
            "name": sheet.words.text(self.t.lang),
            "about": self._about(register),
            "columns": [self._column(sheet, column) for column in sheet.columns],
            "wrong": wrong,
            "recent": self._recent(register),
            "list": self._home(register),
        }
        return self.frame.show(request, "desk/import.html", values, here="imports", status=status)

    def _column(self, sheet: Sheet, column: Column) -> tuple[str, str, str, str]:
        """A heading, how much it is needed, what a cell may hold, and an example."""
        t, lang = self.t, self.t.lang
        names = [names[lang != "ja"] for _, names in column.choices]
        if column.choices:
            kind, example = t("desk_case.and").join(names), names[0]
        elif column.kind == "text":
            kind, example = t("desk_imports.kind_text", n=column.longest), column.example
        else:
            kind, example = t(f"desk_imports.kind_{column.kind}"), self._example(column)
        if column.needed:
            needed = t("desk_imports.needed")
        elif column.required:
            needed = t("desk_imports.required") if sheet.adds else t("desk_imports.needed")
        else:
            needed = ""
        return column.words.text(lang), needed, kind, example

    def _example(self, column: Column) -> str:
        prefixes = self.desk.settings.area_prefixes
        if column.kind == "point" and prefixes:
            return prefixes[0] + column.example[len(prefixes[0]) :]
        return self.t("desk_registers.yes") if column.kind == "flag" else column.example

    def _about(self, register: Register) -> str:
        """What is to be known of a file of a register, where there is something."""
        return {
            Register.CONTRACT_ENDS: self.t("desk_imports.about_ends"),
            Register.AREAS: self.t("desk_imports.about_areas"),
            Register.SUPPLY_POINTS: self.t("desk_imports.about_points"),
        }.get(register, "")

    def _recent(self, register: Register | None) -> list[tuple[object, str, str]]:
        called = callers(self.frame.access.people, self.t)
        files = self.desk.registers.imported_files(register, limit=_RECENT)
        return [(one, SHEETS[one.register].words.text(self.t.lang), called(one.author)) for one in files]

    def _home(self, register: Register) -> str:
        """The list that the file has filled."""
        kept = register if SHEETS[register].adds else Register.SUPPLY_POINTS
        return f"{self.t.prefix}/registers/{kept}"

    def _register(self, name: str) -> Register:
        if name not in set(Register):
            raise self.gone(
                self.t("desk_registers.unknown"), action=self.t("desk_imports.back"), path="/imports"
            )
        return Register(name)

    def _kept(self, request: Request, register: Register, token: str) -> KeptImport:
        found = kept_imports(request).find(token, actor_of(request).reference, self.desk.clock.now())
        if found is None or found.report.register is not register:
            raise self.gone(
                self.t("desk_imports.gone"), action=self.t("desk_imports.back"), path=f"/imports/{register}"
            )
        return found


def _saved(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
