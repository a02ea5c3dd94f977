"""The pages of months and years over a real store: what they say, what they refuse, files, a real browser."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from playwright.async_api import async_playwright, expect
from web_site import Browser, served

from koatsu.app.reader import StoredSites
from koatsu.clock import JST, ManualClock
from koatsu.ems.live import LiveHub, LiveState, Signal
from koatsu.ems.period_views import month_view, year_view
from koatsu.ems.store import Store, StoredMeter
from koatsu.meter.epochs import Nameplate
from koatsu.meter.readings import DemandReading, Reading, Source
from koatsu.meter.registers import Register
from koatsu.meter.scale import Scale
from koatsu.meter.slots import HALF_HOUR, Slot
from koatsu.web import Limits, create_app
from koatsu.web.period_files import MONTH_COLUMNS, YEAR_COLUMNS

NOW = datetime(2026, 7, 15, 13, 17, tzinfo=JST)
FIRST = date(2025, 5, 1)
LIMITS = {"buy": Limits(contract_kw=Decimal(420), target_kw=Decimal(400))}
PATHS = (
    "/month/buy/2026-07",
    "/month/buy/2026-06?months=billing",
    "/month/buy/2025-04",
    "/month/sell/2026-07",
    "/month/raw/2026-07",
    "/year/buy/latest",
    "/year/buy/2026?months=calendar",
    "/year/buy/2025-04",
    "/year/sell/latest",
    "/year/raw/latest",
)


def plate(coefficient: int = 120, fixed_day: int | None = 16) -> Nameplate:
    scale = Scale(coefficient, Decimal(1), Decimal("0.01"))
    return Nameplate(
        class_code=0x028A, serial="A1", energy_scale=scale, energy_digits=6, demand_scale=scale,
        demand_digits=6, fixed_day=fixed_day,
    )  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """Fourteen months of a buying meter with gaps, two of a selling one, some counts of an unscaled one."""
    with Store.open(tmp_path_factory.mktemp("periods") / "koatsu.db") as made:
        made.put_site("site", "青葉食品 東工場")
        for meter, role, many in (("buy", "buy", 441), ("sell", "sell", 60), ("raw", "sub", 3)):
            made.put_meter(
                StoredMeter(
                    id=meter, label=f"計器 {meter}", role=role, class_code=0x028A, address="127.0.0.2"
                )
            )
            made.open_epoch(meter, plate(0 if meter == "raw" else 120), Slot(FIRST, 1).start)
            fill(made, meter, Slot(NOW.date() - timedelta(days=many - 1), 1).start)
        slot = Slot(date(2025, 8, 29), 23)  # one count above what its energy says, and above all others
        reading = DemandReading(
            slot=slot, direction="normal", count=309, source=Source.HISTORY, received=slot.end
        )
        made.record("buy", 1, demands=[reading])
        yield made


def fill(store: Store, meter: str, since: datetime) -> None:
    """Counts that rise by day and fall by night; three are lost around a midnight of July, all of one day."""
    lost = {Slot(date(2026, 7, 4), 1).start + HALF_HOUR * step for step in (-1, 0, 1)}
    gone = date(2026, 2, 11)
    count, at, readings = 0, since, []
    while at <= NOW:
        if at not in lost and at.astimezone(JST).date() != gone:
            readings.append(
                Reading(
                    register=Register.ENERGY, instant=at, count=count % 10**6, source=Source.HISTORY,
                    received=NOW,
                )
            )  # fmt: skip
        hour = at.astimezone(JST).hour
        count += 150 + at.day % 5 if 8 <= hour < 18 else 40
        at += HALF_HOUR
    store.record(meter, 1, readings)


def site(store: Store, hub: LiveHub | None = None) -> StoredSites:
    return StoredSites(["site"], store, LiveState(), LiveHub() if hub is None else hub, ManualClock(NOW))


@pytest.fixture(scope="module")
def web(store: Store) -> Browser:
    return Browser(create_app(site(store), limits=LIMITS))


def text_of(html: str) -> str:
    """What a page says, without its markup."""
    plain = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.S)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", plain)).replace("\u00a0", " ")


@pytest.mark.parametrize("prefix", ["", "/en"])
@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_there_in_both_languages(web: Browser, path: str, prefix: str) -> None:
    answer = web.get(prefix + path)
    assert answer.status_code == 200
    said = text_of(answer.text)
    assert "None" not in said
    assert "Decimal" not in said
    assert "{" not in said
    ids = re.findall(r'\bid="([^"]+)"', answer.text)
    assert len(ids) == len(set(ids))
    if prefix:
        assert not re.search(r"[ぁ-んァ-ン]", said.replace("計器", "").replace("東工場", ""))


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/month", "/month/buy/2026-07"),
        ("/month/sell", "/month/sell/2026-07"),
        ("/year", "/year/buy/latest"),
        ("/en/year/buy", "/en/year/buy/latest"),
    ],
)
def test_without_a_time_it_leads_to_the_present(web: Browser, path: str, leads_to: str) -> None:
    answer = web.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, leads_to)


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/month/buy/2026-13", 400, "2026-07 のように"),
        ("/month/buy/2026-7", 400, "2026-07 のように"),
        ("/month/buy/0001-01", 400, "2026-07 のように"),
        ("/month/buy/２０２６-07", 400, "2026-07 のように"),
        ("/month/buy/2026-08", 404, "まだ来ていません"),
        ("/month/buy/2026-07?months=billing", 404, "まだ来ていません"),
        ("/month/buy/2026-07.csv?months=billing", 404, "まだ来ていません"),
        ("/month/nobody/2026-07", 404, "nobody"),
        ("/year/buy/26", 400, "2026-04"),
        ("/year/buy/2027", 404, "まだ来ていません"),
        ("/year/buy/x.csv", 400, "2026-04"),
        ("/en/year/buy/x", 400, "is not a year"),
        ("/en/month/buy/x.csv", 400, "is not a month"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(web: Browser, path: str, status: int, sentence: str) -> None:
    answer = web.get(path)
    assert answer.status_code == status
    assert sentence in text_of(answer.text)


def test_a_month_says_what_its_view_says(web: Browser, store: Store) -> None:
    total = month_view(store, "buy", date(2026, 7, 1), NOW).total
    page = web.get("/month/buy/2026-07").text
    said = text_of(page)
    assert total.energy_kwh is not None
    assert total.peak is not None
    assert f"{total.energy_kwh:,.1f}" in said
    assert f"{total.peak.demand_kw:,.1f} kW" in said
    assert f"{total.known} / {total.closed}" in said
    hole = next(hole for hole in total.holes if hole.energy_kwh is not None)
    assert hole.energy_kwh is not None
    assert f"この間の合計は確か: {hole.energy_kwh.normalize():f} kWh" in said
    assert "7月3日(金) 23:00 から 7月4日(土) 01:00" in said
    assert 'href="/day/buy/2026-07-04"' in page
    assert page.count('class="bar ') == 2 * 15 + 2, "two drawings of fifteen days, and the legend"
    assert "7月16日(木)–7月31日(金)" in said, "the days to come in one row"


def test_a_month_links_to_its_neighbours_and_to_the_billing_month(web: Browser) -> None:
    page = web.get("/month/buy/2026-06").text
    for address in ("/month/buy/2026-05", "/month/buy/2026-07", "/month/buy/2026-06?months=billing"):
        assert f'href="{address}"' in page
    billing = web.get("/month/buy/2026-06?months=billing").text
    assert "2026年6月16日–7月15日" in text_of(billing)
    assert 'href="/month/buy/2026-05?months=billing"' in billing
    assert 'href="/en/month/buy/2026-06?months=billing"' in billing, "the other language shows the same"
    assert 'rel="next"' not in billing, "the next one has not begun"


def test_a_year_says_what_sets_contract_power_and_how_long(web: Browser, store: Store) -> None:
    view = year_view(store, "buy", NOW)
    assert view.contract is not None
    assert view.contract.peak is not None
    said = text_of(web.get("/year/buy/latest").text)
    assert "契約電力(12 か月の最大) 370.8 kW" in said
    assert "2025年8月29日(金) 11:00–11:30 の最大需要電力で決まっています。" in said
    assert "2026年7月まで続きます。" in said
    assert "設定の契約電力は 420 kW です。" in said
    assert "欠けている時限があるため" in said
    assert "検針期間" in said
    english = text_of(web.get("/en/year/buy/latest").text)
    assert "Set by the maximum demand of Fri 29 August 2025 11:00–11:30." in english


def test_calendar_months_do_not_pass_for_billing_months(web: Browser) -> None:
    said = text_of(web.get("/year/buy/latest?months=calendar").text)
    assert "契約電力は検針期間で決まります。" in said


def test_the_first_year_says_how_little_it_knows(web: Browser) -> None:
    assert "12 か月のうち 8 か月分の記録" in text_of(web.get("/year/buy/2025?months=calendar").text)


def test_sold_energy_has_no_contract_power_and_hangs_down(web: Browser) -> None:
    page = web.get("/year/sell/latest").text
    assert re.search(r'id="year-answer" hidden', page)
    assert "12 か月の最大 kW" not in page
    assert "売電量 kWh" in page
    assert 'class="drawing year sold"' in page
    assert "契約" not in text_of(page.split('id="year-charts"')[1].split("</section>")[0])


def test_an_unscaled_meter_is_shown_in_counts(web: Browser) -> None:
    said = text_of(web.get("/month/raw/2026-07").text)
    assert "係数 0" in said
    assert "kWh に" in said
    assert not re.search(r"\d kWh|\d kW\b", said.replace("kWh には", ""))


def test_files_hold_exactly_what_the_pages_show(web: Browser, store: Store) -> None:
    june = web.get("/month/buy/2026-06.csv?months=billing")
    assert (
        june.headers["content-disposition"] == 'attachment; filename="koatsu_buy_2026-06-16_2026-07-15.csv"'
    )
    view = month_view(store, "buy", date(2026, 6, 1), NOW, billing=True)
    rows = read(june.content)
    assert tuple(rows[0]) == MONTH_COLUMNS
    assert [row["day"] for row in rows] == [day.day.isoformat() for day in view.total.days]
    energies = [day.energy_kwh for day in view.total.days]
    assert [row["energy_kwh"] for row in rows] == [
        "" if one is None else format(one, "f") for one in energies
    ]
    assert rows[0]["energy_from"] == "2026-06-16T00:00:00+09:00"
    whole = year_view(store, "buy", NOW)
    lines = read(web.get("/year/buy/latest.csv").content)
    assert tuple(lines[0]) == YEAR_COLUMNS
    assert [line["month_first"] for line in lines] == [
        month.span.first.isoformat() for month in whole.months if month.total
    ]
    assert {line["greatest_of_12_months_kw"] for line in lines[4:]} == {"370.80"}
    assert web.get("/year/buy/latest.csv").content.startswith(b"\xef\xbb\xbf")


def read(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


# --- in a browser -----------------------------------------------------------------------------------------

SIZES = {"phone": (390, 844), "laptop": (1280, 900), "wall": (1920, 1080)}


@pytest.mark.browser
@pytest.mark.parametrize(("size", "scheme"), [("phone", "light"), ("laptop", "dark"), ("wall", "dark")])
async def test_nothing_overflows_and_the_console_is_quiet(store: Store, size: str, scheme: str) -> None:
    complaints: list[str] = []
    async with served(create_app(site(store), limits=LIMITS)) as base, async_playwright() as play:
        browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        try:
            width, height = SIZES[size]
            page = await browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            for path in PATHS:
                for prefix in ("", "/en"):
                    await page.goto(base + prefix + path)
                    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                    assert wide <= 0, f"{prefix + path} is {wide} px too wide"
                    small = await page.evaluate(SMALLEST)
                    assert small >= 10.5, f"text of {small} px on {prefix + path}"
        finally:
            await browser.close()
    assert complaints == []


SMALLEST = """Math.min(...[...document.querySelectorAll('main text, main p, main td, main th')]
  .filter(e => e.textContent.trim() && e.getClientRects().length)
  .map(e => parseFloat(getComputedStyle(e).fontSize)))"""


@pytest.mark.browser
async def test_a_bar_opens_its_day_and_a_closed_slot_renews_the_page(tmp_path: Path) -> None:
    hub = LiveHub()
    with Store.open(tmp_path / "koatsu.db") as live:
        live.put_site("site", "青葉食品 東工場")
        live.put_meter(
            StoredMeter(id="buy", label="受電", role="buy", class_code=0x028A, address="127.0.0.2")
        )
        live.open_epoch("buy", plate(), Slot(FIRST, 1).start)
        fill(live, "buy", Slot(date(2026, 7, 10), 1).start)
        async with served(create_app(site(live, hub))) as base, async_playwright() as play:
            browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            try:
                page = await browser.new_page(viewport={"width": 1280, "height": 900})
                await page.goto(f"{base}/month/buy/2026-07")
                before = await page.locator("#period-figures .fig").first.inner_text()
                reading = DemandReading(
                    slot=Slot(date(2026, 7, 14), 25), direction="normal", count=309, source=Source.HISTORY,
                    received=NOW,
                )  # fmt: skip
                live.record("buy", 1, demands=[reading])
                hub.publish(Signal("slot", "buy", NOW))
                figure = page.locator("#period-figures .fig").first
                await expect(figure).not_to_have_text(before, timeout=20_000)
                await page.locator("#month-charts .plot a").nth(13).click()
                await expect(page).to_have_url(f"{base}/day/buy/2026-07-14")
            finally:
                await browser.close()
