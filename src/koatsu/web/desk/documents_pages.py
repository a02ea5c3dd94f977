"""The papers of a case: taken in, given out as files to save, withdrawn. What is taken in is never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from koatsu.desk.documents import DocumentKind, Withdrawn
from koatsu.desk.errors import InputError
from koatsu.desk.lifecycle import Event
from koatsu.people import Right
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.case_pages import CasePages, Shown
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.pages import DeskPages
from koatsu.web.forms import Form, text_of

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["DocumentsPages"]


class DocumentsPages(DeskPages):
    """The routes of papers; the page that lists them is that of their case."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self._cases = CasePages(desk, frame)
        self.route("POST", "/case/{number}/documents", self.add, Right.DESK_READ)
        self.route("GET", "/case/{number}/documents/{document_id}", self.download, Right.DESK_READ)
        self.route("POST", "/case/{number}/documents/{document_id}", self.withdraw, Right.DESK_READ)

    def add(self, request: Request, number: str, form: Form) -> Response:
        """Take a file in, and write that into the history: both, or neither."""
        actor, desk = actor_of(request), self.desk
        found = desk.cases.find(actor, number)
        upload, kind = form.get("file"), text_of(form, "kind")
        if not isinstance(upload, UploadFile) or not upload.filename:
            return self._refused(request, number, self.t("desk_papers.choose"))
        if kind not in set(DocumentKind):
            return self._refused(request, number, self.t("desk_papers.choose_kind"))
        try:
            desk.documents.refuse_large(upload.size or 0)
            desk.documents.add(
                actor,
                found.id,
                upload.file.read(),
                upload.filename,
                DocumentKind(kind),
                lambda connection, paper: desk.cases.act_within(
                    connection, actor, found.id, Event.ATTACH, {"document": paper.reference}
                ),
            )
        except InputError as error:
            return self._refused(request, number, error.text(self.t.lang))
        return self.to(f"/case/{found.number}?done=attach")

    def download(self, request: Request, number: str, document_id: int) -> Response:
        """A paper, to be saved and never shown by the page."""
        actor = actor_of(request)
        found = self.desk.cases.find(actor, number)
        one = self.desk.documents.download(actor, found.id, document_id)
        return Response(one.content, headers=dict(one.headers))

    def withdraw(self, request: Request, number: str, document_id: int, form: Form) -> Response:
        """Take a paper out of sight."""
        actor, why = actor_of(request), text_of(form, "why")
        found = self.desk.cases.find(actor, number)
        if why not in set(Withdrawn):
            return self._refused(request, number, self.t("desk_papers.choose_why"))
        self.desk.documents.withdraw(actor, found.id, document_id, Withdrawn(why))
        return self.to(f"/case/{found.number}?done=withdrawn")

    def _refused(self, request: Request, number: str, sentence: str) -> Response:
        found = self.desk.cases.find(actor_of(request), number)
        return self._cases.page(request, found, Shown(status=422, paper_wrong=sentence))
