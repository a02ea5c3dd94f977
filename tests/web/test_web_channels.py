"""Sold energy on the pages: a reverse channel is a selling meter, and a site without one says so."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from web_site import BUY, NOW, SELL, Browser, FixtureSite, day_view, event, now_view

from koatsu.ems.channels import channel_ids
from koatsu.ems.live import LinkState
from koatsu.ems.view_models import MeterHead, NowView, SlotState
from koatsu.web import create_app
from koatsu.web.naming import NamedSite
from koatsu.web.navigation import Navigation
from koatsu.web.screens import DayScreen, NowScreen
from koatsu.web.stream import live_parts
from koatsu.web.texts import texts

BOTH = replace(BUY, class_code=0x028F)
BACK = replace(BOTH, id="buy.reverse", role="sell")
SUB = replace(BUY, id="sub", role="sub", label="2 号棟")
LANGUAGES = ("ja", "en")
WORDS = {"ja": "売電量は表示でき", "en": "sold energy cannot be shown"}


def page(site: FixtureSite, lang: str, path: str = "/") -> str:
    prefix = "" if lang == "ja" else f"/{lang}"
    answer = Browser(create_app(site)).get(prefix + path)
    assert answer.status_code == 200, answer.text
    return answer.text


def both_ways() -> FixtureSite:
    site = FixtureSite(BOTH, BACK)
    site.recoveries = site.recoveries[:1]
    return site


@pytest.mark.parametrize(("lang", "label"), [("ja", "東工場 受電(逆方向)"), ("en", "東工場 受電 (reverse)")])
@pytest.mark.parametrize("path", ["/", "/days", "/day/buy.reverse/2026-07-15", "/now/buy.reverse"])
def test_a_reverse_channel_is_named_after_its_meter(lang: str, label: str, path: str) -> None:
    text = page(both_ways(), lang, path)
    assert label in text
    assert "buy.reverse" in text
    recovery = text.partition('id="recovery"')[2].partition("</section>")[0]
    assert label not in recovery


@pytest.mark.parametrize("lang", LANGUAGES)
def test_its_pages_are_those_of_a_selling_meter(lang: str) -> None:
    t = texts(lang)
    card = page(both_ways(), lang).partition('id="meter-buy.reverse"')[2].partition("</section>")[0]
    assert re.match(r' class="card chart other sold"', card)
    assert t("figures.today_sold") in card
    assert t("role.sell") in card
    assert t("hero.title_sold") in page(both_ways(), lang, "/now/buy.reverse")
    day = page(both_ways(), lang, "/day/buy.reverse/2026-07-15")
    assert t("dayview.energy_sold") in day
    assert t("dayview.energy_sold") not in page(both_ways(), lang, "/day/buy/2026-07-15")


def test_the_file_of_a_day_is_that_of_the_channel() -> None:
    site = both_ways()
    answer = Browser(create_app(site)).get("/day/buy.reverse/2026-07-14.csv")
    assert answer.headers["content-disposition"].endswith('"koatsu_buy-reverse_2026-07-14.csv"')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    day = site.day("buy.reverse", NOW.date().replace(day=14))
    assert [row["energy_kwh"] for row in rows] == [f"{slot.energy_kwh:f}" for slot in day.slots]


def test_health_names_each_meter_once() -> None:
    assert Browser(create_app(both_ways())).get("/healthz").json()["meters"] == {"buy": "live"}


def test_an_event_names_its_meter_only_beside_another_meter() -> None:
    for site, named in ((both_ways(), False), (FixtureSite(BOTH, BACK, SUB), True)):
        site.log = [event(1, timedelta(minutes=3), "silent")]
        feed = page(site, "ja").partition('id="events"')[2]
        assert (BUY.label in feed) is named


class CountedSite(FixtureSite):
    """A fixture that notes whose present it was asked for."""

    def __init__(self, *meters: MeterHead) -> None:
        super().__init__(*meters)
        self.asked: Counter[str] = Counter()

    def now(self, meter_id: str) -> NowView:
        self.asked[meter_id] += 1
        return super().now(meter_id)


@pytest.mark.parametrize("day", [False, True])
async def test_a_signal_of_the_meter_renews_both_its_channels(day: bool) -> None:
    site, t = CountedSite(BOTH, BACK, SUB), texts("ja")
    reader = NamedSite(site, t)
    screen = DayScreen(reader, t, {}, BACK, NOW.date()) if day else NowScreen(reader, t, {})
    extra = {"demo": False, "stream": "", "elsewhere": "/en/", "nav": Navigation(), "may": {"correct": False}}
    extra["store_trouble"] = lambda: ""
    stream = live_parts(screen, t, site.listen(), site.clock_now, extra=extra, gather_s=0.01, tick_s=60)
    last = 'id="slot-48"' if day else 'id="meter-sub"'
    async with asyncio.timeout(20):
        while last not in await anext(stream):
            pass
        site.asked.clear()
        site.advance(60)
        site.send("sample", "buy")
        parts = [await anext(stream) for _ in range(3)]
        while not any(("day-chart" if day else "meter-buy.reverse") in part for part in parts):
            parts.append(await anext(stream))
    assert site.asked == ({"buy.reverse": 1} if day else {"buy": 1, "buy.reverse": 1})
    await stream.aclose()


# --- a site that cannot show sold energy ----------------------------------------------------------------


def link_card(site: FixtureSite, lang: str, path: str = "/") -> str:
    return page(site, lang, path).partition('id="link"')[2].partition("</section>")[0]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_buying_meter_without_reverse_registers_says_what_is_missing(lang: str) -> None:
    said = link_card(FixtureSite(BUY, SUB), lang)
    assert WORDS[lang] in said
    assert texts(lang)("link.sold_uncounted", code="0x028A") in said


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_meter_that_could_count_both_ways_is_given_time_to_answer(lang: str) -> None:
    site = FixtureSite(BOTH)
    assert texts(lang)("link.sold_unanswered") in link_card(site, lang)
    unread = dict.fromkeys(range(1, 49), SlotState.MISSING)
    site.views["buy"] = now_view(BOTH, today=day_view(BOTH, NOW.date(), states=unread))
    assert WORDS[lang] not in link_card(site, lang)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("meters", [(BUY, SELL), (BOTH, BACK), (SUB,), (SELL,)])
def test_nothing_is_said_where_energy_is_sold_or_not_bought(lang: str, meters: tuple[MeterHead, ...]) -> None:
    for meter in meters:
        assert WORDS[lang] not in page(FixtureSite(*meters), lang, f"/now/{meter.id}")


def test_the_sentence_stands_at_the_buying_meter_alone() -> None:
    site = FixtureSite(replace(BUY, link=LinkState.STALE), SUB)
    assert WORDS["ja"] in link_card(site, "ja", "/now/buy")
    assert WORDS["ja"] not in page(site, "ja", "/now/sub")


def test_the_channels_of_a_meter_are_known_to_the_stream() -> None:
    assert channel_ids("buy") == (BOTH.id, BACK.id)
