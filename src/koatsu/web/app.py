"""The web application: pages in two languages, live events, a day as a file, and a word on its health."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

from koatsu.ems.channels import Channel
from koatsu.web.guard import Guard, Mishaps
from koatsu.web.limits import Limits
from koatsu.web.pages import Pages, TroubleError
from koatsu.web.site import SiteReader
from koatsu.web.texts import LANGUAGES, texts

__all__ = ["create_app"]


def create_app(
    reader: SiteReader, *, demo: bool = False, limits: Mapping[str, Limits] | None = None
) -> FastAPI:
    """The pages over ``reader``.

    Args:
        reader: the site as it can be read.
        demo: say on every page that the meter is an emulated one.
        limits: target and contract power by meter, where the site has set them.
    """
    app = FastAPI(title="Koatsu", docs_url=None, redoc_url=None, openapi_url=None)
    pages = {lang: Pages(reader, texts(lang), limits or {}, demo=demo) for lang in LANGUAGES}
    app.mount("/static", StaticFiles(directory=str(files("koatsu.web") / "static")), name="static")

    @app.get("/healthz")
    def healthz() -> JSONResponse:
        meters = {Channel.parse(meter.id).meter_id: str(meter.link) for meter in reader.site().meters}
        return JSONResponse({"status": "ok", "now": reader.clock_now().isoformat(), "meters": meters})

    for spoken in reversed(pages.values()):  # "/en/…" before the addresses without a prefix
        app.include_router(spoken.router)

    def pages_of(request: Request) -> Pages:
        first = request.url.path.split("/")[1]
        return pages[first if first in pages else LANGUAGES[0]]

    def trouble(request: Request, error: Exception) -> HTMLResponse:
        spoken = pages_of(request)
        found = error if isinstance(error, TroubleError) else spoken.not_found()
        return spoken.trouble(request, found, site_name=reader.site().name)

    def failed(request: Request) -> HTMLResponse:
        spoken = pages_of(request)
        return spoken.trouble(request, spoken.failed())

    for kind in (TroubleError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, trouble)
    app.add_middleware(Mishaps, page=failed)
    app.add_middleware(Guard)
    return app
