"""The web application: pages in two languages, live events, a day as a file, and a word on its health."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from importlib.resources import files

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import JSONResponse
from fastapi.staticfiles import StaticFiles

from koatsu.clock import SystemClock
from koatsu.ems.correcting import CorrectionDesk
from koatsu.ems.exchange import DataDesk
from koatsu.ems.pulses import PulseDesk
from koatsu.ems.store import StoreError
from koatsu.people import People
from koatsu.web.access import OPEN, Access
from koatsu.web.accounts import Accounts
from koatsu.web.api import api_router
from koatsu.web.data_pages import DataPages
from koatsu.web.doubt_pages import DoubtPages
from koatsu.web.frame import Frame
from koatsu.web.guard import Guard, Mishaps
from koatsu.web.limits import Limits
from koatsu.web.managing import Managing
from koatsu.web.metrics import health_answer
from koatsu.web.pages import Pages
from koatsu.web.periods import PeriodPages
from koatsu.web.pulse_pages import PulsePages
from koatsu.web.site import SiteReader
from koatsu.web.site_frame import SITE, SiteFrame
from koatsu.web.texts import LANGUAGES, texts
from koatsu.web.trouble import Troubles

__all__ = ["create_app"]


def create_app(
    reader: SiteReader,
    *,
    people: People | None = None,
    desk: DataDesk | None = None,
    hands: CorrectionDesk | None = None,
    pulses: PulseDesk | None = None,
    demo: bool = False,
    limits: Mapping[str, Limits] | None = None,
    names: Collection[str] = (),
    secure: bool = False,
    extras: Sequence[APIRouter] = (),
) -> FastAPI:
    """The pages over ``reader``.

    Args:
        reader: the site as it can be read.
        people: those who may log in; without them there is reading from this machine alone.
        desk: where files go out and come in; without it there is no such page.
        hands: where counts are corrected by hand; without it nobody can.
        pulses: the pulses beside the register; without it there is no such page.
        demo: say on every page that the meter is an emulated one.
        limits: target and contract power by meter, where the site has set them.
        names: names by which browsers call this server, beside those of the loopback; without ports.
        secure: every connection is encrypted, by this server or by a proxy in front of it.
        extras: further routes; each carries its own rule (:func:`koatsu.web.access.needs`).
    """
    app = FastAPI(title="Koatsu", docs_url=None, redoc_url=None, openapi_url=None)
    access = app.state.access = Access(people, secure=secure, reads=SITE.reads, open_here=SITE.open_here)
    frames = {lang: SiteFrame(reader, texts(lang), access, demo=demo) for lang in LANGUAGES}
    app.mount("/static", StaticFiles(directory=str(files("koatsu.web") / "static")), name="static")

    @app.get("/healthz", dependencies=[OPEN])
    def healthz(request: Request) -> JSONResponse:
        return health_answer(reader.health(), whole=access.sees(request))

    for router in (api_router(reader, hands=hands, desk=desk), *extras):
        app.include_router(router)
    for frame in reversed(frames.values()):  # "/en/…" before the addresses without a prefix
        if people is not None:
            app.include_router(Accounts(people, frame).router)
            app.include_router(Managing(people, frame, SystemClock()).router)
        if desk is not None:
            app.include_router(DataPages(desk, frame, reader.clock_now).router)
        app.include_router(Pages(reader, limits or {}, frame).router)
        if hands is not None:
            app.include_router(DoubtPages(reader, limits or {}, frame, hands).router)
        app.include_router(PeriodPages(reader, limits or {}, frame).router)
        if pulses is not None:
            app.include_router(PulsePages(reader, limits or {}, frame, pulses).router)

    def frame_of(request: Request) -> Frame:
        first = request.url.path.split("/")[1]
        return frames[first if first in frames else LANGUAGES[0]]

    troubles = Troubles(frame_of, stores=[StoreError])
    troubles.install(app)
    app.add_middleware(Mishaps, page=troubles.failed)
    app.add_middleware(Guard, refusing=troubles.refusing, names=names, secure=secure)
    return app
