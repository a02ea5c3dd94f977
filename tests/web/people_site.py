"""People for the tests of the pages: a store of their own, cheap hashes, and a browser that keeps cookies."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI
from web_site import FixtureSite

from koatsu.app.metrics import operation_router
from koatsu.app.reader import StoredSites
from koatsu.clock import Clock
from koatsu.ems.exchange import DataDesk
from koatsu.ems.live import Listener, LiveHub, LiveState
from koatsu.ems.pulses import PulseDesk
from koatsu.ems.store import Store, StoredMeter
from koatsu.people import CONSOLE, Hashing, People, Role
from koatsu.web import create_app

CHEAP = Hashing(passes=1, memory_kib=64, lanes=1)
PASSWORD = "seven quiet lighthouses"
HOME = "http://127.0.0.1:8028"
NAMES = {
    Role.VIEWER: "見る 花子",
    Role.OPERATOR: "動かす 次郎",
    Role.OWNER: "持ち主 桜",
    Role.COUNTER: "窓口 椿",
    Role.WORKS: "工事 健",
    Role.SUPERVISOR: "判断 楓",
    Role.AUDITOR: "監査 律",
    Role.CUSTOMER: "青葉 司",
}


class HandClock:
    """Stands until a test moves it."""

    def __init__(self) -> None:
        self.at = datetime(2026, 7, 15, 4, 17, 40, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def real_seconds_until(self, instant: datetime) -> float:
        return 0.0

    def advance(self, **span: float) -> None:
        self.at += timedelta(**span)


@contextmanager
def people_in(folder: Path, clock: Clock, *roles: Role) -> Iterator[People]:
    """A people store with one person of each role."""
    with People.open(folder / "site.db", clock=clock, hashing=CHEAP) as people:
        for role in sorted(roles, key=lambda role: role is not Role.OWNER):
            if role is Role.OWNER:
                people.create_owner(NAMES[role], PASSWORD)
            else:
                people.add(CONSOLE, NAMES[role], role, PASSWORD)
        yield people


def app_over(people: People | None, **settings: object) -> FastAPI:
    """The pages over the fixture's site and those people."""
    return create_app(FixtureSite(), people=people, **settings)  # type: ignore[arg-type]  # handed on by name


class Visitor:
    """A browser without a window: keeps cookies, tells its origin, follows no redirect."""

    def __init__(self, app: FastAPI, *, base: str = HOME, peer: str = "127.0.0.1") -> None:
        self._app, self._base, self._peer = app, base, peer
        self.cookies = httpx.Cookies()
        self.headers: dict[str, str] = {}

    def request(
        self,
        method: str,
        path: str,
        *,
        data: dict[str, str] | None = None,
        headers: dict[str, str | None] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response:
        """The answer; a header that is ``None`` is left out although a browser would send it."""
        usual = {"Origin": self._base} if method not in ("GET", "HEAD") else {}
        sent = {**usual, **self.headers, **(headers or {})}

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, client=(self._peer, 50123))
            async with httpx.AsyncClient(
                transport=transport, base_url=self._base, cookies=self.cookies
            ) as http:
                answer = await http.request(
                    method,
                    path,
                    data=data,
                    content=content,
                    headers={name: value for name, value in sent.items() if value is not None},
                )
                self.cookies = http.cookies
                return answer

        return asyncio.run(ask())

    def get(self, path: str, **more: object) -> httpx.Response:
        """The answer to GET."""
        return self.request("GET", path, **more)  # type: ignore[arg-type]  # handed on by name

    def secret(self, page: str) -> str:
        """The secret of the form on a page; empty where there is none."""
        found = re.search(r'name="csrf" value="([^"]*)"', self.get(page).text)
        return found[1] if found else ""

    def send(self, path: str, page: str | None = None, **fields: str) -> httpx.Response:
        """Fill in the form on ``page`` (the same address if not given) and send it."""
        return self.request("POST", path, data={"csrf": self.secret(page or path), **fields})

    def log_in(self, role: Role, password: str = PASSWORD) -> httpx.Response:
        """Log in as the person of that role."""
        return self.send("/login", name=NAMES[role], password=password)


@contextmanager
def whole_app(folder: Path, clock: Clock, people: People | None) -> Iterator[FastAPI]:
    """Everything that can be served, over a store with one meter and no counts; its streams end at once."""
    with Store.open(folder / "site.db") as store:
        store.put_site("site", "青葉食品 東工場", at=clock.now())
        store.put_meter(
            StoredMeter(id="buy", label="東工場 受電", role="buy", class_code=0x028A, address="127.0.0.2"),
            at=clock.now(),
        )
        hub = LiveHub()
        sites = StoredSites(["site"], store, LiveState(), hub, clock)
        listen = hub.listen

        def listen_to_nothing(*given: Any, **named: Any) -> Listener:
            listener = listen(*given, **named)
            listener.close()
            return listener

        hub.listen = listen_to_nothing  # type: ignore[method-assign]  # a stream that ends can be read whole
        yield create_app(
            sites,
            people=people,
            desk=DataDesk(store, clock),
            hands=sites.hands(),
            pulses=PulseDesk(store, clock, ["buy"]),
            extras=[operation_router(sites)],
        )
