"""The control page of an emulated site: a small HTTP service to set load, faults, cable, clock and meter.

It is bound to one given address, answers only under that name or a loopback name, and takes orders from a
browser only when they come from its own page: a foreign web page cannot press its buttons. No user accounts:
whoever reaches the address may press them.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import secrets
import socket
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment
from pydantic import BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Receive, Scope, Send

from koatsu.emulator.control_texts import texts
from koatsu.emulator.faults import parse_fault
from koatsu.emulator.model import MeterModel
from koatsu.emulator.site import EmulatedSite
from koatsu.emulator.status import fault_table, site_status
from koatsu.errors import KoatsuError, UnreachableError, UsageError

__all__ = ["ControlServer", "control_app"]

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


class _Order(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class LoadOrder(_Order):
    """Let the site draw ``kw``; ``null``: by itself."""

    kw: float | None = None


class FaultSwitch(_Order):
    """Switch the fault ``name``; ``value`` as its table row says; ``meter`` 1, 2, … or all."""

    name: str
    value: float | None = None
    on: bool = True
    meter: int | None = None


class CableOrder(_Order):
    """Pull the cable or put it back."""

    out: bool


class ReplaceOrder(_Order):
    """Replace meter ``meter``; serial number and coefficient follow the old ones when left out."""

    meter: int = 1
    serial: str | None = None
    coefficient: int | None = None


class ClockOrder(_Order):
    """Step the clocks, let them drift (seconds a day), or set them right."""

    jump_s: float | None = Field(default=None, ge=-8_640_000, le=8_640_000)
    drift_s_per_day: float | None = None
    correct: bool = False
    meter: int | None = None


class _OwnNamesOnly:
    """Refuses requests under a foreign name, and orders that a foreign page sends."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self.app = app
        self.hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is allowed."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            await JSONResponse({"error": refusal}, 403, dict(_HEADERS))(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _refusal(self, method: str, headers: dict[str, str]) -> str | None:
        host = headers.get("host", "")
        if _name_of(host) not in self.hosts:
            return "This service does not answer under that name."
        if method in {"GET", "HEAD"}:
            return None
        origin = headers.get("origin")
        if origin is not None and origin != f"http://{host}":
            return "Orders are taken from this service's own page only."
        if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
            return "Orders are taken from this service's own page only."
        # without JSON a foreign form could post what no browser asks leave for
        if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return "Orders are JSON."
        return None


def control_app(site: EmulatedSite, hosts: frozenset[str] = frozenset(_LOOPBACK)) -> ASGIApp:
    """The service as an ASGI application that answers under the names in ``hosts``."""
    app = FastAPI(title="Koatsu emulator", docs_url=None, redoc_url=None, openapi_url=None)
    template = Environment(autoescape=True).from_string(
        (files(__package__) / "control.html.j2").read_text(encoding="utf-8")
    )
    _add_reading(app, site, template.render)
    _add_orders(app, site)

    @app.exception_handler(KoatsuError)
    async def refused(_: Request, error: KoatsuError) -> JSONResponse:
        return JSONResponse({"error": error.text("en"), "ja": error.text("ja")}, 400, dict(_HEADERS))

    @app.exception_handler(RequestValidationError)
    async def misunderstood(_: Request, error: RequestValidationError) -> JSONResponse:
        said = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'][1:])}: {one['msg']}" for one in error.errors()
        )
        return JSONResponse({"error": said}, 422, dict(_HEADERS))

    return _OwnNamesOnly(app, hosts)


def _add_reading(app: FastAPI, site: EmulatedSite, render: Any) -> None:
    @app.get("/")
    async def page(lang: str = "ja") -> Response:
        lang = "en" if lang == "en" else "ja"
        nonce = secrets.token_urlsafe(16)
        policy = (
            f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; connect-src 'self';"
            " img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        body = render(
            lang=lang, t=texts(lang), nonce=nonce, faults=fault_table(lang), meters=len(site.objects)
        )
        return HTMLResponse(body, headers={**_HEADERS, "Content-Security-Policy": policy})

    @app.get("/state")
    async def state(lang: str = "ja") -> Response:
        return _state(site, lang)

    @app.get("/faults")
    async def faults(lang: str = "ja") -> Response:
        return JSONResponse(fault_table(lang), headers=_HEADERS)


def _add_orders(app: FastAPI, site: EmulatedSite) -> None:
    @app.post("/load")
    async def load(order: LoadOrder) -> Response:
        site.set_load(order.kw)
        return _state(site)

    @app.post("/faults")
    async def switch(order: FaultSwitch) -> Response:
        fault = parse_fault(order.name, order.value)
        site.switches.turn(fault, on=order.on, meter=order.meter)
        return _state(site)

    @app.post("/cable")
    async def cable(order: CableOrder) -> Response:
        site.switches.turn(parse_fault("cable-out"), on=order.out)
        return _state(site)

    @app.post("/replace")
    async def replace(order: ReplaceOrder) -> Response:
        site.replace_meter(order.meter, serial=order.serial, coefficient=order.coefficient)
        return _state(site)

    @app.post("/clock")
    async def clock(order: ClockOrder) -> Response:
        if order.jump_s is None and order.drift_s_per_day is None and not order.correct:
            raise UsageError("Say jump_s, drift_s_per_day or correct.")
        if order.correct:
            for one in site.chosen(order.meter):
                site.change_clock(one, MeterModel.correct_clock)
            site.switches.on.pop("clock-drift", None)
        if order.drift_s_per_day is not None:
            site.switches.turn(parse_fault("clock-drift", order.drift_s_per_day), meter=order.meter)
        if order.jump_s is not None:
            site.switches.turn(parse_fault("clock-jump", order.jump_s), meter=order.meter)
        return _state(site)


def _state(site: EmulatedSite, lang: str = "ja") -> Response:
    return JSONResponse(site_status(site, "en" if lang == "en" else "ja"), headers=_HEADERS)


def _name_of(host: str) -> str:
    """The name in a Host header, without port and brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


class _QuietServer(uvicorn.Server):
    """A server that leaves signals to the program it is part of and says when it is up."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start answering."""
        await super().startup(sockets=sockets)
        self.up.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


class ControlServer:
    """The running service; make it with ``open``."""

    def __init__(self, server: _QuietServer, task: asyncio.Task[None], address: str) -> None:
        self._server = server
        self._task = task
        self.address = address  #: ``HOST:PORT`` that it listens on
        self.url = f"http://{address}/"

    @classmethod
    async def open(cls, site: EmulatedSite, where: str) -> ControlServer:
        """Listen on ``ADDRESS:PORT`` (port 0 takes a free one).

        Raises:
            UsageError: no address, or one that means all addresses.
            UnreachableError: the port is taken or not allowed.
        """
        host, port = _split(where)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(32)
        except OSError as error:
            listener.close()
            raise UnreachableError(
                f"The control page cannot be opened on {where}: {error.strerror}.",
                ja=f"操作画面を {where} で開けません: {error.strerror}",
                hint="Choose another port.",
                hint_ja="別のポートを選んでください。",
            ) from error
        bound = listener.getsockname()[1]
        app = control_app(site, frozenset({*_LOOPBACK, host.lower()}))
        config = uvicorn.Config(
            app, log_config=None, log_level="warning", access_log=False, lifespan="off", ws="none"
        )
        server = _QuietServer(config)
        task = asyncio.create_task(server.serve(sockets=[listener]), name="emulator control page")
        await server.up.wait()
        shown = f"[{host}]" if family == socket.AF_INET6 else host
        return cls(server, task, f"{shown}:{bound}")

    async def close(self) -> None:
        """Stop answering."""
        self._server.should_exit = True
        await asyncio.gather(self._task, return_exceptions=True)


def _split(where: str) -> tuple[str, int]:
    host, _, port = where.rpartition(":")
    host = host.strip("[]")
    if host == "localhost":
        host = "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
        number = int(port)
        if not 0 <= number < 65536:
            raise ValueError(port)
    except ValueError:
        raise UsageError(
            f"{where!r} is not ADDRESS:PORT.",
            ja=f"{where!r} は「アドレス:ポート」の形ではありません。",
            hint="Write 127.0.0.1:8031.",
            hint_ja="127.0.0.1:8031 のように書いてください。",
        ) from None
    if address.is_unspecified:
        raise UsageError(
            "The control page has no password, so it is not opened on all addresses.",
            ja="操作画面にはパスワードがないため、全アドレスでは開きません。",
            hint="Name one address, for example 127.0.0.1.",
            hint_ja="127.0.0.1 のように、ひとつのアドレスを書いてください。",
        )
    return host, number
