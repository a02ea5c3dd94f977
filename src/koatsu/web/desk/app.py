"""The web application of the desk: pages in two languages, who may open which, and a word on its health."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from koatsu.clock import SystemClock
from koatsu.desk.database import DeskStoreError
from koatsu.people import People
from koatsu.web.access import OPEN, Access
from koatsu.web.accounts import Accounts
from koatsu.web.bodies import PLAIN_BYTES, BodyLimit
from koatsu.web.desk.answering_pages import AnsweringPages
from koatsu.web.desk.api import api_router
from koatsu.web.desk.apply_pages import ApplyPages
from koatsu.web.desk.calendar_pages import CalendarPages
from koatsu.web.desk.case_pages import CasePages
from koatsu.web.desk.check_pages import CheckPages
from koatsu.web.desk.documents_pages import DocumentsPages
from koatsu.web.desk.ending_pages import EndingPages
from koatsu.web.desk.enquiries_pages import EnquiriesPages
from koatsu.web.desk.enquiry_pages import EnquiryPages
from koatsu.web.desk.equipment_pages import EquipmentPages
from koatsu.web.desk.faults_pages import FaultsPages
from koatsu.web.desk.frame import DESK, DeskFrame
from koatsu.web.desk.health import health_answer
from koatsu.web.desk.help_pages import HelpPages
from koatsu.web.desk.import_pages import ImportPages
from koatsu.web.desk.intake_pages import IntakePages
from koatsu.web.desk.letters_pages import LettersPages
from koatsu.web.desk.no_data_pages import NoDataPages
from koatsu.web.desk.own_pages import OwnPages
from koatsu.web.desk.pages import DeskPages
from koatsu.web.desk.paper_pages import PaperPages
from koatsu.web.desk.places import Places
from koatsu.web.desk.reading_pages import ReadingPages
from koatsu.web.desk.record_pages import RecordPages
from koatsu.web.desk.refusing import TOLD
from koatsu.web.desk.registering import RegisterPages
from koatsu.web.desk.registers_pages import RegistersPages
from koatsu.web.desk.search_pages import SearchPages
from koatsu.web.desk.trail_pages import TrailPages
from koatsu.web.desk.versions_pages import VersionsPages
from koatsu.web.desk.worklist_pages import WorklistPages
from koatsu.web.guard import Guard, Mishaps
from koatsu.web.managing import Managing
from koatsu.web.program import DemoLogin
from koatsu.web.texts import LANGUAGES, texts
from koatsu.web.trouble import Troubles

if TYPE_CHECKING:
    from koatsu.desk import Desk, DeskSettings

__all__ = ["IMPORT_BYTES", "PAGES", "TOLD", "create_desk_app"]

PAGES: Final[tuple[type[DeskPages], ...]] = (
    WorklistPages,
    SearchPages,
    CasePages,
    DocumentsPages,
    IntakePages,
    CalendarPages,
    LettersPages,
    VersionsPages,
    RegistersPages,
    RecordPages,
    ImportPages,
    TrailPages,
    HelpPages,
    ReadingPages,
    CheckPages,
    PaperPages,
    ApplyPages,
    RegisterPages,
    OwnPages,
    EndingPages,
    NoDataPages,
    FaultsPages,
    EquipmentPages,
    EnquiryPages,
    EnquiriesPages,
    AnsweringPages,
)
"""Every group of pages, in the order in which their addresses are looked through."""

IMPORT_BYTES: Final = 32 * 1024 * 1024  #: a register of a hundred thousand supply points fits in


def create_desk_app(
    desk: Desk,
    people: People,
    *,
    settings: DeskSettings,
    names: Collection[str] = (),
    secure: bool = False,
    demo: Sequence[DemoLogin] | None = None,
    extras: Sequence[APIRouter] = (),
) -> FastAPI:
    """The pages over ``desk``.

    Args:
        desk: the open desk.
        people: those who may log in.
        settings: what the utility has decided.
        names: names by which browsers call this server, beside those of the loopback; without ports.
        secure: every connection is encrypted, by this server or by a proxy in front of it.
        demo: who can log in at the demo, shown on every page that it is one; ``None``: this is no demo.
        extras: further routes; each carries its own rule (:func:`koatsu.web.access.needs`).
    """
    app = FastAPI(title="Koatsu", docs_url=None, redoc_url=None, openapi_url=None)
    app.state.desk = desk
    access = app.state.access = Access(people, secure=secure, reads=DESK.reads, open_here=DESK.open_here)
    frames = {lang: DeskFrame(texts(lang), access, settings, demo=demo) for lang in LANGUAGES}
    app.mount("/static", StaticFiles(directory=str(files("koatsu.web") / "static")), name="static")

    @app.get("/healthz", dependencies=[OPEN])
    def healthz() -> JSONResponse:
        return health_answer(desk, people)

    for router in (api_router(desk), *extras):
        app.include_router(router)
    for frame in reversed(frames.values()):  # "/en/…" before the addresses without a prefix
        app.include_router(Accounts(people, frame).router)
        app.include_router(Managing(people, frame, SystemClock(), places=Places(desk, frame.t)).router)
        for group in PAGES:
            app.include_router(group(desk, frame).router)

    def frame_of(request: Request) -> DeskFrame:
        first = request.url.path.split("/")[1]
        return frames[first if first in frames else LANGUAGES[0]]

    troubles = Troubles(frame_of, stores=[DeskStoreError], told=TOLD)
    troubles.install(app)
    app.add_middleware(Mishaps, page=troubles.failed)
    bodies = (
        BodyLimit(suffix="/import", size=IMPORT_BYTES, around=PLAIN_BYTES),
        BodyLimit(suffix="/documents", size=settings.document_bytes, around=PLAIN_BYTES),
    )
    app.add_middleware(Guard, refusing=troubles.refusing, names=names, secure=secure, bodies=bodies)
    return app
