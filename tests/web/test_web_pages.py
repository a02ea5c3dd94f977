"""Every page in both languages and in every state; what is refused; what a file holds."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from html.parser import HTMLParser

import pytest
from web_site import BUY, GAP_DAY, NOW, Browser, FixtureSite, scenario

from koatsu.ems.live import LinkState
from koatsu.ems.view_models import SlotState
from koatsu.web import Limits, create_app
from koatsu.web.download import COLUMNS
from koatsu.web.texts import texts

STATES = ("normal", "limits", "alarm", "first", "waiting", "stale", "silent", "unscaled")
PATHS = ("/", "/days", "/day/buy/2026-07-14", "/day/buy/2026-07-15", "/day/sell/2026-07-15", "/now/sell")
VOID = {"meta", "link", "br", "input", "img", "hr"}


def client(
    site: FixtureSite | None = None, *, demo: bool = False, limits: Mapping[str, Limits] | None = None
) -> Browser:
    return Browser(create_app(site or FixtureSite(), demo=demo, limits=limits))


class Document(HTMLParser):
    """Well-formedness and the few things that tests ask of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.targets: list[str] = []
        self.styles: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self._attributes(dict(attributes))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._attributes(dict(attributes))

    def handle_endtag(self, tag: str) -> None:
        assert self.open, f"</{tag}> closes nothing"
        assert self.open.pop() == tag

    def _attributes(self, found: dict[str, str | None]) -> None:
        if value := found.get("id"):
            self.ids.append(value)
        for name in ("href", "src"):
            if value := found.get(name):
                self.links.append(value)
        for name in ("aria-labelledby",):
            self.targets += (found.get(name) or "").split()
        assert not any(name == "style" or name.startswith("on") for name in found), "inline style or script"


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("prefix", ["", "/en"])
@pytest.mark.parametrize("path", PATHS)
def test_every_page_stands_in_every_state(state: str, prefix: str, path: str) -> None:
    site, limits = scenario(state)
    answer = client(site, limits=limits, demo=True).get(prefix + path)
    names = {meter.id for meter in site.meters}
    named = re.match(r"/(?:day|now)/(\w+)", path)
    if named and named[1] not in names:
        assert answer.status_code == 404
        return
    assert answer.status_code == 200
    page = Document(answer.text)
    assert not page.open
    assert len(set(page.ids)) == len(page.ids), "an id stands twice"
    assert set(page.targets) <= set(page.ids)
    assert f'<html lang="{"en" if prefix else "ja"}"' in answer.text
    assert "None" not in answer.text
    assert "NaN" not in answer.text
    assert not re.search(r"[{}]", re.sub(r'data-\w+="[^"]*"', "", answer.text)), "an unfilled sentence"


@pytest.mark.parametrize("path", PATHS)
def test_links_stay_in_the_language_and_lead_somewhere(path: str) -> None:
    browser = client()
    page = Document(browser.get(f"/en{path}").text)
    other = [link for link in page.links if not link.startswith(("/en", "/static/", "#"))]
    assert other == [path], "only the link to the other language leaves this one"
    ids = set(page.ids)
    assert all(link[1:] in ids for link in page.links if link.startswith("#"))
    for link in {link.partition("#")[0] for link in page.links if link.startswith("/")}:
        assert browser.get(link).status_code in (200, 303), link


def test_japanese_links_have_no_prefix() -> None:
    page = Document(client().get("/").text)
    assert [link for link in page.links if link.startswith("/en")] == ["/en/"]


def test_figures_are_written_with_group_unit_and_time() -> None:
    text = client().get("/").text
    assert "3,014.4" in text
    assert "7月14日 14:00–14:30" in text
    assert "今月の最大 398.4\N{NO-BREAK SPACE}kW より" in text


def test_alarm_is_announced_and_nothing_else_is() -> None:
    site, limits = scenario("alarm")
    text = client(site, limits=limits).get("/").text
    assert re.search(r'<div id="alarms" role="alert"><p class="notice alarm">', text)
    assert '<div id="alarms" role="alert"></div>' in client().get("/").text
    assert "aria-live" not in text


def test_stale_value_is_grey_with_its_age_and_without_outlook() -> None:
    site, _ = scenario("stale")
    text = client(site).get("/").text
    assert 'class="card hero caution stale"' in text
    assert "13:02:10 から受信が止まっています(15\N{NO-BREAK SPACE}分 30\N{NO-BREAK SPACE}秒前)" in text
    assert "見込み(ここまでを直線" not in text.partition('class="others"')[0]
    assert 'class="extension"' not in text.partition('class="others"')[0]


def test_unscaled_meter_shows_counts_and_no_energy() -> None:
    site, _ = scenario("unscaled")
    browser = client(site)
    for path in ("/", "/day/buy/2026-07-15"):
        text = browser.get(path).text
        assert "カウント" in text
        assert not re.search(r"\b0(\.0)?\s*kWh", re.sub(r"<[^>]+>", "", text))


def test_first_start_says_what_to_do() -> None:
    site, _ = scenario("first")
    browser = client(site)
    assert "koatsu discover" in browser.get("/").text
    assert browser.get("/day").headers["location"] == "/"


def test_recovery_says_how_far_and_until_when() -> None:
    site, _ = scenario("waiting")
    text = client(site).get("/").text
    assert "37 / 100\N{NO-BREAK SPACE}日" in text or "37 / 100 日" in text
    assert '<progress max="100" value="37"' in text
    assert "13:20 ごろ" in text


def test_demo_is_named_on_every_page() -> None:
    for path in PATHS:
        assert "模擬の計量器" in client(demo=True).get(path).text
        assert "模擬の計量器" not in client().get(path).text


# --- a day ----------------------------------------------------------------------------------------------


def test_day_without_a_date_leads_to_today() -> None:
    browser = client()
    assert browser.get("/day").headers["location"] == "/day/buy/2026-07-15"
    assert browser.get("/en/day/sell").headers["location"] == "/en/day/sell/2026-07-15"


def test_every_slot_opens_to_its_counts() -> None:
    site, _ = scenario("normal")
    text = client(site).get(f"/day/buy/{GAP_DAY}").text
    view = site.day("buy", GAP_DAY)
    for slot in view.slots:
        number = slot.slot.number
        assert f'href="#slot-{number}"' in text
        panel = text.partition(f'<section id="slot-{number}"')[2].partition("</section>")[0]
        if slot.counts is not None:
            assert f"{slot.start_count:,}" in panel
            assert f"{slot.end_count:,}" in panel
            assert f"{slot.counts:,} カウント" in panel


def test_holes_say_that_their_sum_is_certain() -> None:
    site, _ = scenario("normal")
    text = client(site).get(f"/day/buy/{GAP_DAY}").text
    assert "この間の合計は確か: 110.4\N{NO-BREAK SPACE}kWh" in text
    assert "合計もまだ分かりません。" in text


def test_table_says_what_the_chart_says() -> None:
    site, _ = scenario("normal")
    text = client(site).get(f"/day/buy/{GAP_DAY}").text
    rows = re.findall(r'<tr id="row-(\d+)".*?</tr>', text, re.S)
    assert rows == [str(number) for number in range(1, 49)]
    for slot in site.day("buy", GAP_DAY).slots:
        row = re.search(rf'<tr id="row-{slot.slot.number}".*?</tr>', text, re.S)
        assert row
        assert (slot.demand_kw is None) or f"{slot.demand_kw:,.1f}" in row[0]


def test_the_day_has_no_link_into_the_future() -> None:
    browser = client()
    assert "2026-07-16" not in browser.get("/day/buy/2026-07-15").text
    assert 'rel="next"' in browser.get("/day/buy/2026-07-14").text


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/day/buy/2026-02-30", 400, "日付「2026-02-30」は読めません"),
        ("/day/buy/yesterday", 400, "日付「yesterday」は読めません"),
        ("/day/buy/20260714", 400, "日付「20260714」は読めません"),
        ("/day/buy/2026-07-16", 404, "はまだ来ていません"),
        ("/day/nobody/2026-07-14", 404, "「nobody」という計量器はありません"),
        ("/now/nobody", 404, "「nobody」という計量器はありません"),
        ("/nowhere", 404, "このページはありません"),
        ("/en/nowhere", 404, "There is no such page."),
        ("/day/buy/2026-02-30.csv", 400, "日付「2026-02-30」は読めません"),
        ("/day/buy/%3Cscript%3E", 400, "日付「&lt;script&gt;」は読めません"),
        ("/events/stream?screen=nothing", 404, "このページはありません"),
        ("/events/stream?screen=day&meter=buy&day=x", 400, "日付「x」は読めません"),
    ],
)
def test_what_cannot_be_shown_gets_one_sentence_and_one_action(path: str, status: int, sentence: str) -> None:
    answer = client().get(path)
    assert answer.status_code == status
    assert sentence in answer.text
    assert answer.text.count('class="btn primary"') == 1
    assert not Document(answer.text).open


def test_a_broken_page_shows_a_sentence_and_no_traceback() -> None:
    site = FixtureSite()
    browser = client(site)
    site.failing = True
    answer = browser.get("/")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "画面を作れませんでした" in answer.text
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


# --- a day as a file ------------------------------------------------------------------------------------


def rows_of(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_csv_is_the_day() -> None:
    site, _ = scenario("normal")
    answer = client(site).get(f"/day/buy/{GAP_DAY}.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="koatsu_buy_2026-07-14.csv"'
    rows = rows_of(answer.content)
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 48
    assert rows[0]["slot_start"] == "2026-07-14T00:00:00+09:00"
    assert rows[47]["slot_end"] == "2026-07-15T00:00:00+09:00"
    for row, slot in zip(rows, site.day("buy", GAP_DAY).slots, strict=True):
        assert row["quality"] == slot.state
        assert row["energy_kwh"] == ("" if slot.energy_kwh is None else f"{slot.energy_kwh:f}")
        assert row["end_count"] == ("" if slot.end_count is None else str(slot.end_count))
    assert rows[43]["energy_kwh"] == ""


def test_csv_never_writes_an_exponent() -> None:
    site = FixtureSite(BUY)
    view = site.day("buy", GAP_DAY)
    first = replace(view.slots[0], energy_kwh=Decimal("1E-7"), demand_kw=Decimal("2E+3"))
    site.days["buy", GAP_DAY] = replace(view, slots=(first, *view.slots[1:]))
    row = rows_of(client(site).get(f"/day/buy/{GAP_DAY}.csv").content)[0]
    assert (row["energy_kwh"], row["demand_kw"]) == ("0.0000001", "2000")


# --- trust ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/en/days", "/static/live.js", "/nowhere", "/healthz"])
def test_headers_of_every_answer(path: str) -> None:
    headers = client().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static/") else "no-store")


@pytest.mark.parametrize("host", ["evil.example", "192.0.2.7", "127.0.0.1.evil.example", "", "localhost:x"])
def test_a_foreign_name_is_refused(host: str) -> None:
    answer = client().get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "この名前では開けません" in answer.text
    assert "青葉食品" not in answer.text


@pytest.mark.parametrize("host", ["localhost:8028", "127.0.0.1", "127.8.8.8:1", "[::1]:8028", "LOCALHOST"])
def test_this_machine_is_answered(host: str) -> None:
    assert client().get("/healthz", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(method: str) -> None:
    answer = client().request(method, "/", headers={"Origin": "http://127.0.0.1:8028"})
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    foreign = client().request(method, "/", headers={"Origin": "http://127.0.0.1:8029"})
    assert foreign.status_code == (405 if method == "OPTIONS" else 403)


def test_health_is_json() -> None:
    body = client().get("/healthz").json()
    assert body["status"] == "ok"
    assert body["meters"] == {"buy": "live", "sell": "live"}
    assert body["now"] == NOW.isoformat()


def test_no_address_outside_this_server_is_named() -> None:
    for path in (*PATHS, "/static/live.js", "/static/tokens.css", "/static/pages.css"):
        assert not re.search(r"https?://(?!www\.w3\.org)", client().get(path).text), path


def test_a_label_cannot_bring_markup() -> None:
    sly = replace(BUY, label='<img src=x onerror="alert(1)">')
    site = FixtureSite(sly)
    for path in ("/", "/day/buy/2026-07-15", "/days"):
        text = client(site).get(path).text
        assert "<img" not in text
        assert "&lt;img" in text


def test_a_link_state_is_always_said_in_words() -> None:
    for state in LinkState:
        site = FixtureSite(replace(BUY, link=state))
        assert texts("ja")(f"link.{state}") in client(site).get("/").text


def test_empty_day_is_a_day_of_missing_slots() -> None:
    site = FixtureSite(BUY)
    day = date(2020, 1, 1)
    bare = site.day("buy", day)
    slots = tuple(
        replace(slot, state=SlotState.MISSING, counts=None, energy_kwh=None, demand_kw=None, start_count=None,
                end_count=None)
        for slot in bare.slots
    )  # fmt: skip
    site.days["buy", day] = replace(
        bare, slots=slots, energy_kwh=None, energy_since=None, energy_until=None, max_slot=None
    )
    text = client(site).get("/day/buy/2020-01-01").text
    assert text.count('class="ground missing"') >= 48
    assert 'class="bar measured"' not in text
