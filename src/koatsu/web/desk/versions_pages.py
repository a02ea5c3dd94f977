"""What the service goes by, each version from its day on: the terms of use, and the list of the data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import FormData, UploadFile

from koatsu.desk.data_list import DataList, read_csv_list, read_toml_list
from koatsu.desk.errors import InputError
from koatsu.desk.terms import TermsVersion
from koatsu.desk.words import Words
from koatsu.people import Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.forms import Form, text_of
from koatsu.web.record import callers

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["VersionsPages"]

_LONGEST: Final = 400_000  #: letters that a field takes at all; the desk says what fits
_TEXTS: Final = ("title", "text", "title_en", "text_en")


class VersionsPages(DeskPages):
    """``/registers/terms`` and ``/registers/data_list``; what is long is sent to addresses of files."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/registers/terms", self.terms, Right.DESK_READ)
        self.route("POST", "/registers/terms/import", self.add_terms, Right.DESK_DECIDE)
        self.route("GET", "/registers/data_list", self.lists, Right.DESK_READ)
        self.route("POST", "/registers/data_list/import", self.add_list, Right.DESK_DECIDE)

    # --- terms of use -----------------------------------------------------------------------------------

    def terms(self, request: Request) -> Response:
        """Every version, and the form to add one or to correct one that nobody has accepted."""
        asked = request.query_params.get("version", "")
        found = next((one for one in self.desk.terms.versions() if one.id == asked), None)
        return self._terms(request, _typed(found), {}, correcting=asked if found else "")

    def add_terms(self, request: Request, form: Form) -> Response:
        """Keep a version."""
        actor, terms = actor_of(request), self.desk.terms
        typed = {name: text_of(form, name, _LONGEST) for name in ("valid_from", *_TEXTS)}
        said = {name: typed[name] for name in _TEXTS}
        correcting = text_of(form, "version")
        try:
            if correcting:
                version = terms.change(actor, correcting, **said)
            else:
                version = terms.add(actor, self._day(typed["valid_from"]), **said)
        except InputError as error:
            wrong = {name: words.text(self.t.lang) for name, words in error.by_field.items()}
            return self._terms(request, typed, wrong, correcting=correcting)
        return self.to(f"/registers/terms?done={version.id}")

    def _terms(
        self, request: Request, typed: Mapping[str, str], wrong: Mapping[str, str], *, correcting: str
    ) -> Response:
        present, called = self.desk.terms.in_force(), callers(self.frame.access.people, self.t)
        versions = self.desk.terms.versions()
        done = request.query_params.get("done", "")
        values = {
            "versions": [(one, called(one.changed_by)) for one in versions],
            "present": "" if present is None else present.id,
            "today": self.desk.registers.today().isoformat(),
            "typed": typed,
            "wrong": wrong,
            "correcting": correcting,
            "done": done if any(one.id == done for one in versions) else "",
        }
        status = 422 if wrong else 200
        return self.frame.show(request, "desk/terms-versions.html", values, here="registers", status=status)

    # --- the list of the data ---------------------------------------------------------------------------

    def lists(self, request: Request) -> Response:
        """The lists of the utility's own, and the form to send one."""
        return self._lists(request, {}, {})

    def add_list(self, request: Request, form: Form) -> Response:
        """Keep a list from a file."""
        typed = {name: text_of(form, name, _LONGEST) for name in ("valid_from", "title", "title_en")}
        try:
            day = self._day(typed["valid_from"])
            self.desk.data_lists.add(actor_of(request), self._read(form, typed), day)
        except InputError as error:
            wrong = {name: words.text(self.t.lang) for name, words in error.by_field.items()}
            return self._lists(request, typed, wrong)
        return self.to(f"/registers/data_list?done={day.isoformat()}")

    def _read(self, form: FormData, typed: Mapping[str, str]) -> DataList:
        upload = form.get("file")
        if not isinstance(upload, UploadFile) or not upload.filename:
            raise InputError({"file": self._words("desk_imports.choose_file")})
        content = upload.file.read()
        if upload.filename.lower().endswith(".toml"):
            return read_toml_list(content)
        if not typed["title"]:
            raise InputError({"title": self._words("desk_versions.title_first")})
        return read_csv_list(content, Words(typed["title"], typed["title_en"] or typed["title"]))

    def _lists(self, request: Request, typed: Mapping[str, str], wrong: Mapping[str, str]) -> Response:
        called, done = callers(self.frame.access.people, self.t), request.query_params.get("done", "")
        kept = self.desk.data_lists.kept()
        present = self.desk.data_lists.in_force()
        fields = {name: wrong[name] for name in ("valid_from", "title", "file") if name in wrong}
        values = {
            "lists": [(one, one.title.text(self.t.lang), called(one.made_by)) for one in kept],
            "present": present.valid_from,
            "today": self.desk.registers.today(),
            "typed": {"valid_from": "", "title": "", "title_en": "", **typed},
            "wrong": fields,
            "rows_wrong": [sentence for name, sentence in wrong.items() if name not in fields],
            "done": done if any(one.valid_from.isoformat() == done for one in kept) else "",
        }
        status = 422 if wrong else 200
        return self.frame.show(request, "desk/data-lists.html", values, here="registers", status=status)

    def _day(self, text: str) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise InputError({"valid_from": self._words("desk_versions.day_first")}) from None

    def _words(self, key: str) -> Words:
        sentence = self.t(key)
        return Words(sentence, sentence)  # shown on this page alone, in its language


def _typed(found: TermsVersion | None) -> dict[str, str]:
    if found is None:
        return dict.fromkeys(("valid_from", *_TEXTS), "")
    return {
        "valid_from": found.id,
        "title": found.title,
        "text": found.text,
        "title_en": found.title_en or "",
        "text_en": found.text_en or "",
    }
