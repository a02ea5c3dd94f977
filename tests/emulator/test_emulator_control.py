"""The control service: orders, the page, and who may not give orders."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import httpx
import pytest
from emulated import METER, Scene, scene

from koatsu.emulator.control import ControlServer, control_app
from koatsu.emulator.faults import FAULTS
from koatsu.errors import UnreachableError, UsageError


def client(stage: Scene, host: str = "127.0.0.1:8031") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=control_app(stage.site))
    return httpx.AsyncClient(transport=transport, base_url=f"http://{host}")


async def test_the_state() -> None:
    async with scene() as stage, client(stage) as web:
        state: dict[str, Any] = (await web.get("/state?lang=en")).json()
        assert state["now"] == "2026-07-15T10:10:00+09:00"
        assert state["site"]["name"] == "machining factory, two shifts"
        assert state["terminals"] == [{"address": METER, "cable_out": False, "booting": False}]
        (meter,) = state["meters"]
        assert meter["energy"] == {"value": "10399.8", "unit": "kWh"}  # 17,333 counts of 0.6 kWh
        assert meter["count"] == 17_333
        assert meter["power"] == {"value": "300.0", "unit": "kW"}
        assert meter["demand"] == {"value": "300", "unit": "kW"}
        assert meter["today"]["value"] == [*["300"] * 20, *[None] * 28]
        assert (await web.get("/state")).json()["site"]["name"] == "機械加工工場 (2交代)"


async def test_orders() -> None:
    async with scene() as stage, client(stage) as web:
        state = (await web.post("/load", json={"kw": 120})).json()
        assert state["load_kw"] == 120
        assert state["meters"][0]["power"]["value"] == "120.0"
        assert (await web.post("/load", json={"kw": None})).json()["meters"][0]["power"]["value"] == "300.0"
        state = (await web.post("/faults", json={"name": "slow", "value": 0.5})).json()
        assert state["faults"] == {"slow": {"value": 0.5, "meter": None}}
        assert (await web.post("/faults", json={"name": "slow", "on": False})).json()["faults"] == {}
        assert (await web.post("/cable", json={"out": True})).json()["terminals"][0]["cable_out"]
        assert not (await web.post("/cable", json={"out": False})).json()["terminals"][0]["cable_out"]
        state = (await web.post("/replace", json={"coefficient": 480, "serial": "NEW"})).json()
        assert (state["meters"][0]["serial"], state["meters"][0]["epoch"]) == ("NEW", 2)
        assert (await web.post("/clock", json={"jump_s": 90})).json()["meters"][0]["clock_ahead_s"] == 90
        state = (await web.post("/clock", json={"drift_s_per_day": 60})).json()
        assert state["faults"]["clock-drift"]["value"] == 60
        state = (await web.post("/clock", json={"correct": True})).json()
        assert state["meters"][0]["clock_ahead_s"] == 0
        assert state["faults"] == {}
        assert len((await web.get("/faults?lang=en")).json()) == len(FAULTS)


@pytest.mark.parametrize(
    ("path", "order", "status", "said"),
    [
        ("/load", {"kw": "much"}, 422, "kw"),
        ("/load", {"kw": 1e9}, 400, "is not emulated"),
        ("/load", {"watts": 1}, 422, "watts"),
        ("/faults", {"name": "fire"}, 400, "There is no fault 'fire'"),
        ("/faults", {"name": "drop", "value": 101}, 400, "between 0 and 100"),
        ("/faults", {"name": "reboot", "on": False}, 400, "happens once"),
        ("/faults", {"name": "refuses", "meter": 5}, 400, "There is no meter 5"),
        ("/replace", {"coefficient": 5_000_000}, 400, "coefficient"),
        ("/clock", {}, 400, "Say jump_s"),
        ("/clock", {"jump_s": 1e12}, 422, "jump_s"),
    ],
)
async def test_orders_that_cannot_be(path: str, order: dict[str, object], status: int, said: str) -> None:
    async with scene() as stage, client(stage) as web:
        answer = await web.post(path, json=order)
        assert answer.status_code == status
        assert said in answer.json()["error"]


@pytest.mark.parametrize("host", ["evil.example", "192.0.2.77:8031", "127.0.0.1.evil.example", ""])
async def test_it_answers_under_its_own_names_only(host: str) -> None:
    async with scene() as stage, client(stage) as web:
        for path in ("/", "/state"):
            assert (await web.get(path, headers={"Host": host})).status_code == 403
        answer = await web.post("/cable", json={"out": True}, headers={"Host": host})
        assert answer.status_code == 403
        assert stage.site.switches.on == {}


@pytest.mark.parametrize("host", ["localhost:8031", "127.0.0.1:8031", "[::1]:8031", "LOCALHOST"])
async def test_loopback_names_are_its_own(host: str) -> None:
    async with scene() as stage, client(stage) as web:
        assert (await web.get("/state", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:8031"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_foreign_page_cannot_press_its_buttons(headers: dict[str, str]) -> None:
    async with scene() as stage, client(stage) as web:
        assert (await web.post("/cable", json={"out": True}, headers=headers)).status_code == 403
        assert not stage.site.terminals[0].wire.cable_out
        own = {"Origin": "http://127.0.0.1:8031", "Sec-Fetch-Site": "same-origin"}
        assert (await web.post("/cable", json={"out": True}, headers=own)).status_code == 200


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
async def test_a_foreign_form_cannot_either(kind: str) -> None:
    async with scene() as stage, client(stage) as web:
        answer = await web.post("/cable", content='{"out": true}', headers={"Content-Type": kind})
        assert answer.status_code == 403


@pytest.mark.parametrize(
    ("lang", "title"), [("ja", "計器エミュレータ 操作盤"), ("en", "Meter emulator control")]
)
async def test_the_page(lang: str, title: str) -> None:
    async with scene() as stage, client(stage) as web:
        answer = await web.get(f"/?lang={lang}")
        assert f'<html lang="{lang}">' in answer.text
        assert f"<title>{title}</title>" in answer.text
        for row in FAULTS:
            assert f'data-fault="{row.name}"' in answer.text
            assert row.label(lang) in answer.text
        assert not re.search(r'(src|href)="(https?:)?//', answer.text), "nothing is fetched from elsewhere"
        policy = answer.headers["content-security-policy"]
        (nonce,) = set(re.findall(r'nonce="([^"]+)"', answer.text))
        assert f"script-src 'nonce-{nonce}'" in policy
        assert answer.headers["x-frame-options"] == "DENY"
        again = await web.get(f"/?lang={lang}")
        assert nonce not in again.text
        assert (await web.get("/?lang=<script>")).text.startswith('<!DOCTYPE html>\n<html lang="ja">')
        assert (await web.get("/docs")).status_code == 404


async def test_a_real_server() -> None:
    async with scene() as stage:
        server = await ControlServer.open(stage.site, "127.0.0.1:0")
        try:
            async with httpx.AsyncClient() as web:
                assert (await web.get(f"{server.url}state")).status_code == 200
                assert (
                    await web.get(f"{server.url}state", headers={"Host": "evil.example"})
                ).status_code == 403
            with pytest.raises(
                UnreachableError, match=r"cannot be opened on 127\.0\.0\.1:\d+: Address already in use"
            ):
                await ControlServer.open(stage.site, server.address)
        finally:
            await asyncio.wait_for(server.close(), 10)


@pytest.mark.parametrize(
    "where", ["8031", "0.0.0.0:8031", "[::]:8031", "meter.example:80", "127.0.0.1:99999"]
)
async def test_places_where_it_is_not_opened(where: str) -> None:
    async with scene() as stage:
        with pytest.raises(UsageError):
            await ControlServer.open(stage.site, where)
