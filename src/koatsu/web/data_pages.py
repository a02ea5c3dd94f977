"""The page where data goes out and comes in: files to download, a file to bring in, what was brought in.

Every form works without scripts. A file that is refused leaves the page as it was, with one sentence on what
is wrong and where.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from threading import BoundedSemaphore
from typing import Any, BinaryIO, Final, cast

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.datastructures import FormData, UploadFile

from koatsu.clock import JST
from koatsu.ems.channels import Channel
from koatsu.ems.exchange import (
    ArchiveReport,
    DataDesk,
    FileChoice,
    ImportReport,
    KnownFile,
    Scope,
    export_zip,
)
from koatsu.errors import KoatsuError, UsageError
from koatsu.meter.slots import SLOTS_PER_DAY, Slot
from koatsu.people import Right
from koatsu.web.access import add_page
from koatsu.web.data_words import channel_groups, comparison_words, file_row, month_of
from koatsu.web.download import file_part
from koatsu.web.forms import Form, text_of
from koatsu.web.frame import Frame
from koatsu.web.trouble import TroubleError

__all__ = ["DataPages"]

_KINDS: Final = ("auto", "retailer-csv", "occto-xml", "archive")
_ENCODINGS: Final = ("auto", "utf-8", "cp932")
_TIMES: Final = ("auto", "start", "end")
_CHUNK: Final = 1 << 18
_AT_ONCE: Final = BoundedSemaphore(2)  #: archives made and files taken in at the same time


class DataPages:
    """The routes of one language over one store."""

    def __init__(self, desk: DataDesk, frame: Frame, now: Callable[[], datetime]) -> None:
        self._desk, self._frame, self._t, self._now = desk, frame, frame.t, now
        self.router = APIRouter(prefix=frame.t.prefix, default_response_class=HTMLResponse)
        routes: tuple[tuple[str, str, Callable[..., Any], Right], ...] = (
            ("GET", "/data", self.show, Right.VIEW),
            ("GET", "/data/export", self.export, Right.VIEW),
            ("GET", "/data/file/{number}", self.file, Right.VIEW),
            ("POST", "/data/import", self.bring_in, Right.IMPORT),
            ("POST", "/data/forget", self.forget, Right.IMPORT),
        )
        for method, path, view, right in routes:
            add_page(self.router, method, path, view, right)

    # --- what there is --------------------------------------------------------------------------------------

    def show(self, request: Request) -> HTMLResponse:
        """What goes out, what comes in, and what came in."""
        done = request.query_params.get("done", "")
        return self._page(request, done=self._t("data.done_forgotten") if done == "forgotten" else "")

    def file(self, request: Request, number: str) -> HTMLResponse:
        """One file beside the meter, month by month."""
        known = self._known(number)
        months = _months(known)
        shown = month_of(request.query_params.get("month", "")) or months[-1]
        shown = min(max(shown, months[0]), months[-1])
        following = (shown + timedelta(days=31)).replace(day=1)
        since, until = Slot(shown, 1).start, Slot(following - timedelta(days=1), SLOTS_PER_DAY).end
        comparison = self._desk.comparison(known, since, until)
        done = request.query_params.get("done", "")
        values = {
            "row": file_row(known, self._desk.heads(), self._t),
            "known": known,
            "month": shown,
            "months": months,
            "before": shown != months[0] and (shown - timedelta(days=1)).replace(day=1),
            "after": shown != months[-1] and following,
            "seen": comparison_words(comparison, self._t),
            "done": self._t.for_code("data", f"done_{done}") if done in ("imported", "known") else "",
        }
        return self._frame.show(request, "data-file.html", values, here="data")

    # --- out ------------------------------------------------------------------------------------------------

    def export(self, request: Request) -> Response:
        """A file to download: slots of a channel as CSV, or everything as an archive."""
        asked = request.query_params
        try:
            first, last = self._day(asked.get("from", "")), self._day(asked.get("to", ""))
            if first is not None and last is not None and first > last:
                raise UsageError(f"{first} lies after {last}.", ja=f"{first} が {last} より後です。")
            if asked.get("form") == "archive":
                return self._archive(Scope(first=first, last=last))
            channel = self._desk.channel(asked.get("meter") or None)
            pieces = self._desk.slot_csv(channel, first, last).pieces
        except KoatsuError as error:
            return self._page(request, wrong_export=error.text(self._t.lang), status=422)
        span = "_".join(day.isoformat() for day in (first, last) if day is not None) or "all"
        name = f"koatsu_{file_part(channel.id)}_{span}.csv"
        return StreamingResponse(pieces, media_type="text/csv; charset=utf-8", headers=_attached(name))

    def _archive(self, scope: Scope) -> Response:
        """Made whole before it is sent, in a file of its own: what is sent is never half an archive."""
        with self._alone():
            made = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has been sent
            try:
                export_zip(self._desk.store, cast("BinaryIO", made), scope)
            except BaseException:
                made.close()
                raise
        length = made.tell()
        made.seek(0)

        def pieces() -> Iterator[bytes]:
            with made:
                while piece := made.read(_CHUNK):
                    yield piece

        name = f"koatsu_archive_{self._now().astimezone(JST):%Y-%m-%d}.zip"
        headers = {**_attached(name), "Content-Length": str(length)}
        return StreamingResponse(pieces(), media_type="application/zip", headers=headers)

    # --- in -------------------------------------------------------------------------------------------------

    def bring_in(self, request: Request, form: Form) -> Response:
        """Bring in the file of the form, or only try it."""
        upload, chosen = form.get("file"), _chosen(form)
        dry_run = bool(text_of(form, "dry_run"))
        if not isinstance(upload, UploadFile) or not upload.filename:
            return self._page(request, wrong=self._t("data.choose_file"), chosen=chosen, status=422)
        choice = FileChoice(
            kind=_one_of(chosen["kind"], _KINDS),
            meter_id=chosen["meter"] or None,
            encoding=_one_of(chosen["encoding"], _ENCODINGS),
            stamps=_one_of(chosen["times"], _TIMES),
            point=chosen["point"],
        )
        login = request.state.login
        try:
            with self._alone():
                report = self._desk.take_in(
                    upload.file,
                    upload.filename,
                    choice,
                    author=login.reference,
                    dry_run=dry_run,
                )
        except KoatsuError as error:
            if isinstance(error, TroubleError):
                raise
            return self._page(request, wrong=error.text(self._t.lang), chosen=chosen, status=422)
        if dry_run:
            return self._page(request, report=report, chosen=chosen)
        self._note(request, report)
        if isinstance(report, ImportReport):
            return self._to(f"/data/file/{report.file.id}?done={'known' if report.known else 'imported'}")
        return self._page(request, report=report)

    def forget(self, request: Request, form: Form) -> Response:
        """Take a file out again."""
        known = self._known(text_of(form, "number"))
        if not text_of(form, "sure"):
            return self._to(f"/data/file/{known.file.id}")
        self._desk.forget(known.file.id, author=request.state.login.reference)
        self._audit(request, "import_forgotten", known.file.channel, {"number": str(known.file.id)})
        return self._to("/data?done=forgotten")

    # --- inside ---------------------------------------------------------------------------------------------

    def _page(
        self,
        request: Request,
        *,
        wrong: str = "",
        wrong_export: str = "",
        done: str = "",
        report: ImportReport | ArchiveReport | None = None,
        chosen: dict[str, str] | None = None,
        status: int = 200,
    ) -> HTMLResponse:
        today = self._now().astimezone(JST).date()
        heads = self._desk.heads()
        archive = report if isinstance(report, ArchiveReport) else None
        trial = report if isinstance(report, ImportReport) else None
        values = {
            "groups": channel_groups(heads, self._t),
            "first": today.replace(day=1),
            "today": today,
            "wrong": wrong,
            "wrong_export": wrong_export,
            "done": done,
            "archive": archive,
            "trial": trial,
            "seen": trial and comparison_words(trial.comparison, self._t),
            "chosen": chosen or _chosen(FormData()),
            "kinds": _KINDS,
            "encodings": _ENCODINGS,
            "times": _TIMES,
            "tried": chosen is not None,
            "rows": [file_row(known, heads, self._t) for known in self._desk.files()],
        }
        return self._frame.show(request, "data.html", values, here="data", status=status)

    def _known(self, number: str) -> KnownFile:
        try:
            return self._desk.file(
                int(number) if number.isascii() and number.isdigit() and len(number) < 10 else 0
            )
        except KeyError:
            action, url = self._t("data.back"), f"{self._t.prefix}/data"
            raise TroubleError(404, self._t("data.no_file"), action=action, url=url) from None

    def _day(self, text: str) -> date | None:
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise UsageError(
                f"“{text[:20]}” is not a day; write it like 2026-04-01.",
                ja=f"「{text[:20]}」は日付ではありません。2026-04-01 のように書いてください。",
            ) from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """So many at once and no more: each takes a while and a core."""
        if not _AT_ONCE.acquire(blocking=False):
            action, url = self._t("data.back"), f"{self._t.prefix}/data"
            raise TroubleError(503, self._t("data.busy"), action=action, url=url)
        try:
            yield
        finally:
            _AT_ONCE.release()

    def _note(self, request: Request, report: ImportReport | ArchiveReport) -> None:
        if isinstance(report, ArchiveReport):
            self._audit(request, "archive_imported", "store", {"rows": str(report.new)})
        elif not report.known:
            detail = {"number": str(report.file.id), "rows": str(report.file.rows)}
            self._audit(request, "file_imported", report.file.channel, detail)

    def _audit(self, request: Request, action: str, subject: str, detail: dict[str, str]) -> None:
        people = self._frame.access.people
        if people is not None:
            subject = subject if subject == "store" else f"meter:{Channel.parse(subject).meter_id}"
            people.audit.append(request.state.login.reference, action, subject, detail)

    def _to(self, path: str) -> RedirectResponse:
        return RedirectResponse(f"{self._t.prefix}{path}", status_code=303)


def _months(known: KnownFile) -> list[date]:
    """The first days of the months from the first to the last slot of a file."""
    month, found = known.first.day.replace(day=1), []
    while month <= known.last.day:
        found.append(month)
        month = (month + timedelta(days=31)).replace(day=1)
    return found


def _chosen(form: FormData) -> dict[str, str]:
    return {name: text_of(form, name, 100) for name in ("kind", "meter", "encoding", "times", "point")}


def _one_of(text: str, allowed: tuple[str, ...]) -> Any:
    """One of the words of a field, the first where it is none: only forms that are not ours send others."""
    return text if text in allowed else allowed[0]


def _attached(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "X-Accel-Buffering": "no"}
