"""Live parts: what a signal sends, what it does not, and how a stream ends."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_site import BUY, GAP_DAY, FixtureSite, event, now_view, scenario, served

from koatsu.ems.live import LinkState
from koatsu.ems.view_models import NowView
from koatsu.ems.vitals import Reason
from koatsu.errors import KoatsuError
from koatsu.web import create_app
from koatsu.web.navigation import Navigation
from koatsu.web.screens import DayScreen, DaysScreen, NowScreen, Screen
from koatsu.web.stream import event_text, live_parts
from koatsu.web.texts import texts

JA = texts("ja")
EXTRA = {
    "demo": False, "stream": "", "elsewhere": "/en/", "nav": Navigation(), "may": {"correct": False},
    "store_trouble": lambda: "",
}  # fmt: skip


@dataclass
class Reading:
    """A client of a stream: what it has received since it was last asked."""

    stream: AsyncIterator[str]

    async def next(self) -> tuple[str, str]:
        async with asyncio.timeout(10):
            text = await anext(self.stream)
        name = re.search(r"^event: (\w+)", text)
        data = "\n".join(re.findall(r"^data: (.*)$", text, re.MULTILINE))
        return (name[1] if name else "", data)

    async def part(self, key: str) -> str:
        """The next part with that id; others pass by."""
        while True:
            name, data = await self.next()
            if name == "part" and f'id="{key}"' in data.partition(">")[0]:
                return data

    async def first_batch(self, last: str) -> list[str]:
        keys: list[str] = []
        while not keys or keys[-1] != last:
            name, data = await self.next()
            if name == "part":
                found = re.search(r'id="([\w-]+)"', data)
                assert found
                keys.append(found[1])
        return keys


def reading(site: FixtureSite, screen: Screen, *, tick_s: float = 60) -> Reading:
    return Reading(
        live_parts(screen, JA, site.listen(), site.clock_now, extra=EXTRA, gather_s=0.01, tick_s=tick_s)
    )


def now_screen(site: FixtureSite) -> NowScreen:
    return NowScreen(site, JA, {})


@given(st.text())
def test_an_event_can_carry_any_text(text: str) -> None:
    lines = event_text("part", text).split("\n")
    assert lines[0] == "event: part"
    assert lines[-2:] == ["", ""]
    assert all(line.startswith("data: ") for line in lines[1:-2])
    assert len(lines) > 3


async def test_the_first_batch_is_everything_because_the_page_may_be_older() -> None:
    site = FixtureSite()
    client = reading(site, now_screen(site))
    assert (await client.next())[1] == ""
    assert await client.next() == ("shape", "buy sell")
    keys = await client.first_batch("meter-sell")
    plain = {
        "store-trouble",
        "clock",
        "link-badge",
        "alarms",
        "hero",
        "open-slot",
        "today",
        "figures",
        "link",
        "recovery",
    }
    assert set(keys) == plain | {"events", "meter-sell"}


async def test_a_sample_sends_what_it_changed_and_nothing_else() -> None:
    site = FixtureSite()
    client = reading(site, now_screen(site))
    await client.first_batch("meter-sell")
    site.views["buy"] = replace(site.views["buy"], power_kw=site.views["buy"].power_error_kw)
    site.send("sample")
    name, data = await client.next()
    assert name == "part"
    assert data.startswith('<section id="figures"')
    site.log = [event(1, site.at - site.at, "silent")]
    site.send("sample")
    site.send("event")
    assert "計量器が応答しません" in await client.part("events")


async def test_a_recovered_day_is_sent_row_by_row() -> None:
    site, _ = scenario("normal")
    site.meters = (BUY,)
    screen = DayScreen(site, JA, {}, BUY, GAP_DAY)
    client = reading(site, screen)
    await client.first_batch("slot-48")
    view = site.day("buy", GAP_DAY)
    filled = replace(view.slots[43], state=view.slots[0].state, counts=45)
    site.days["buy", GAP_DAY] = replace(view, slots=(*view.slots[:43], filled, *view.slots[44:]))
    site.send("slot")
    keys = await client.first_batch("slot-44")
    assert keys == ["day-figures", "day-chart", "row-44", "slot-44"] or keys == [
        "day-chart",
        "row-44",
        "slot-44",
    ]


async def test_the_clock_moves_without_signals() -> None:
    site = FixtureSite()
    client = reading(site, now_screen(site), tick_s=0.01)
    await client.first_batch("meter-sell")
    site.at = site.at.replace(second=41)
    assert "13:17:41" in await client.part("clock")
    assert "12:19" in await client.part("hero")
    assert "3 秒前" in (await client.part("link")).replace("\N{NO-BREAK SPACE}", " ")


async def test_a_link_that_falls_silent_greys_the_figure() -> None:
    site = FixtureSite()
    client = reading(site, now_screen(site))
    await client.first_batch("meter-sell")
    site.views["buy"] = now_view(replace(BUY, link=LinkState.SILENT))
    site.send("link")
    assert "応答がありません" in await client.part("link-badge")
    assert "stale" in (await client.part("hero")).partition(">")[0]


async def test_a_new_meter_asks_for_another_page() -> None:
    site, _ = scenario("first")
    client = reading(site, now_screen(site))
    await client.first_batch("events")
    site.meters, site.views = (BUY,), {"buy": now_view(BUY)}
    site.send("epoch")
    assert await client.next() == ("shape", "buy")


async def test_the_calendar_follows_the_recovery() -> None:
    site = FixtureSite()
    client = reading(site, DaysScreen(site, JA))
    await client.first_batch("calendar-sell")
    site.at = site.at.replace(day=16)
    site.send("recovery")
    assert "101" not in await client.part("calendar-buy")


async def test_a_stream_ends_with_the_site_and_gives_its_listener_back() -> None:
    site = FixtureSite()
    client = reading(site, now_screen(site))
    await client.first_batch("meter-sell")
    assert len(site.hub) == 1
    site.hub.close()
    async with asyncio.timeout(10):
        async for _ in client.stream:
            pass
    assert len(site.hub) == 0


async def test_over_http_a_signal_becomes_a_fragment_and_a_leaving_client_is_forgotten() -> None:
    site = FixtureSite()
    async with served(create_app(site)) as base, httpx.AsyncClient(base_url=base, timeout=20) as http:
        async with http.stream("GET", "/en/events/stream?screen=now&meter=buy") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            assert answer.headers["cache-control"] == "no-store"
            lines = answer.aiter_lines()
            async for line in lines:
                if 'id="meter-sell"' in line:
                    break
            assert len(site.hub) == 1
            site.advance(10)
            site.send("sample")
            async for line in lines:
                if 'id="open-slot"' in line:
                    break
            async for line in lines:
                if "So far" in line:
                    break
        async with asyncio.timeout(10):
            while len(site.hub):
                await asyncio.sleep(0.05)


async def test_a_store_that_cannot_be_read_ends_the_stream_and_no_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The browser says that nothing comes any more; the program has said why in one line."""

    class Broken(FixtureSite):
        broken = False

        def now(self, meter_id: str) -> NowView:
            if self.broken:
                raise KoatsuError("The store is damaged.")
            return super().now(meter_id)

    site = Broken()
    client = reading(site, now_screen(site))
    await client.first_batch("meter-sell")
    site.broken = True
    site.send("sample", "buy")
    async with asyncio.timeout(10):
        assert [text async for text in client.stream] == []
    assert caplog.messages == ["the live parts of a page end: The store is damaged."]
    assert len(site.hub) == 0


# --- the store ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "words"), [("full", "ディスクに空きがなく"), ("other", "store_other")])
async def test_what_the_store_cannot_take_stands_on_every_page_and_goes_by_itself(
    kind: str, words: str
) -> None:
    site = FixtureSite()
    async with served(create_app(site)) as url, httpx.AsyncClient(base_url=url, timeout=20) as http:
        calm = await http.get("/days")
        assert 'id="store-trouble" role="alert" hidden' in calm.text
        site.reasons = (Reason(code=f"store_{kind}", ours=True),)
        for path in ("/", "/days", "/day/buy/2026-07-14"):
            assert words in (await http.get(path)).text, path
        async with http.stream("GET", "/events/stream?screen=now") as stream:
            lines = stream.aiter_lines()
            assert any([words in line async for line in until(lines, "store-trouble")])
            site.reasons = ()
            site.send("trouble", None)
            assert any(["hidden" in line async for line in until(lines, "store-trouble")])


async def until(lines: AsyncIterator[str], word: str) -> AsyncIterator[str]:
    """The lines up to the one that holds ``word``, at most for some seconds."""
    async with asyncio.timeout(15):
        async for line in lines:
            yield line
            if word in line:
                return
