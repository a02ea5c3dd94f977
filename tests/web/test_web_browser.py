"""The pages in a real browser: live without reload, all by keyboard, a quiet console, no overflow."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Page, async_playwright, expect
from web_site import BUY, GAP_DAY, FixtureSite, now_view, scenario, served

from koatsu.web import create_app

pytestmark = pytest.mark.browser

QUIET = [
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SIZES = {"phone": (390, 844), "tablet": (768, 1024), "laptop": (1280, 900), "wall": (1920, 1080)}


@asynccontextmanager
async def opened(
    site: FixtureSite, size: str = "laptop", *, scripts: bool = True
) -> AsyncIterator[tuple[Page, str]]:
    """A page over the site; leaving asserts a quiet console and that nothing foreign was asked for."""
    complaints: list[str] = []
    async with served(create_app(site)) as base, async_playwright() as play:
        browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        try:
            width, height = SIZES[size]
            context = await browser.new_context(
                viewport={"width": width, "height": height}, java_script_enabled=scripts
            )
            page = await context.new_page()
            page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "request", lambda asked: None if asked.url.startswith(base) else complaints.append(asked.url)
            )
            yield page, base
        finally:
            await browser.close()
    assert complaints == []


async def test_a_new_reading_appears_without_reload() -> None:
    site = FixtureSite()
    async with opened(site) as (page, base):
        await page.goto(base)
        await page.evaluate("window.mark = 'the same page'")
        await expect(page.locator("#hero .figs")).to_contain_text("225.6")
        await page.locator("#open-slot-table summary").click()
        await page.locator("#open-slot-table summary").focus()
        site.advance(60)
        site.send("sample")
        await expect(page.locator("#clock")).to_contain_text("13:18:40")
        await expect(page.locator("#hero .figs")).to_contain_text("240.0")
        assert await page.evaluate("window.mark") == "the same page"
        assert await page.locator("#open-slot-table").get_attribute("open") is not None, "it was open before"
        focused = await page.evaluate("document.activeElement.closest('details')?.id")
        assert focused == "open-slot-table", "the keyboard stays where it was"


async def test_a_page_whose_stream_stops_says_so() -> None:
    site = FixtureSite()
    async with opened(site) as (page, base):
        await page.clock.install()
        await page.goto(base)
        await expect(page.locator("#lost")).to_be_hidden()
        await page.clock.fast_forward(9_000)
        await expect(page.locator("html")).to_have_attribute("class", "lost")
        await expect(page.locator("#lost")).to_be_visible()


async def test_the_page_changes_when_the_first_meter_comes() -> None:
    site, _ = scenario("first")
    async with opened(site) as (page, base):
        await page.goto(base)
        await expect(page.locator("h1")).to_have_text("計量器をさがしています")
        site.meters, site.views = (BUY,), {"buy": now_view(BUY)}
        site.send("epoch")
        await expect(page.locator("#hero")).to_be_visible()


async def tab_stops(page: Page) -> list[str]:
    """Where the Tab key leads, from the top of the page until it leaves it."""
    stops: list[str] = []
    for _ in range(200):
        await page.keyboard.press("Tab")
        name = await page.evaluate(
            "(() => { const e = document.activeElement; if (e === document.body || e.dataset.met) return '';"
            " e.dataset.met = 1; return e.tagName + ' ' + (e.getAttribute('href') ?? ''); })()"
        )
        if not name:
            break
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"{name} shows no focus"
        stops.append(name)
    return stops


async def test_everything_is_reached_by_keyboard() -> None:
    async with opened(FixtureSite()) as (page, base):
        await page.goto(base)
        stops = await tab_stops(page)
        assert stops[0] == "A #main"
        for link in ("/", "/day", "/days", "/en/", "/day/buy/2026-07-15", "/now/sell"):
            assert f"A {link}" in stops
        assert "SUMMARY " in stops
        assert len(stops) < 30, "bars are no stops"


async def test_a_slot_opens_by_keyboard_and_by_its_bar() -> None:
    site, _ = scenario("normal")
    async with opened(site) as (page, base):
        await page.goto(f"{base}/day/buy/{GAP_DAY}")
        default = page.locator(".panel.default")
        await expect(default).to_be_visible()
        await page.locator('#row-16 a[href="#slot-16"]').focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("#slot-16")).to_be_visible()
        await expect(default).to_be_hidden()
        await page.locator("#day-chart a").nth(3).click(position={"x": 6, "y": 200})
        await expect(page.locator("#slot-4")).to_be_visible()
        await page.locator("#slot-4 .onward").click()
        await expect(page.locator("#slot-5")).to_be_visible()


async def test_an_open_slot_stays_open_while_the_day_goes_on() -> None:
    site = FixtureSite()
    async with opened(site) as (page, base):
        await page.goto(f"{base}/day/buy/2026-07-15#slot-27")
        await expect(page.locator("#slot-27")).to_be_visible()
        before = await page.locator("#slot-27").inner_text()
        site.advance(300)
        site.send("sample")
        await expect(page.locator("#clock")).to_contain_text("13:22:40")
        await expect(page.locator("#slot-27")).to_be_visible()
        await expect(page.locator("#slot-27")).not_to_have_text(before, use_inner_text=True)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", ["/", "/en/", f"/day/buy/{GAP_DAY}", "/days"])
async def test_nothing_outgrows_the_screen_and_text_stays_readable(size: str, path: str) -> None:
    site, _ = scenario("normal")
    async with opened(site, size) as (page, base):
        await page.goto(base + path)
        await page.wait_for_function("document.querySelector('#clock')")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            "it scrolls sideways"
        )
        smallest = await page.evaluate(
            "Math.min(...[...document.querySelectorAll('body *')].filter(e => e.childNodes.length &&"
            " [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.getClientRects().length)"
            ".map(e => parseFloat(getComputedStyle(e).fontSize)))"
        )
        assert smallest >= 11
        if size == "phone":
            short = await page.evaluate(
                "[...document.querySelectorAll('nav a, .btn, summary, .language, .panel a, td.time a')]"
                ".filter(e => e.getClientRects().length && e.getBoundingClientRect().height < 43.5)"
                ".map(e => e.outerHTML)"
            )
            assert short == []


async def test_without_scripts_the_page_works_by_reload() -> None:
    site = FixtureSite()
    async with opened(site, scripts=False) as (page, base):
        await page.goto(base)
        await expect(page.locator("#hero")).to_contain_text("383")
        assert (
            await page.locator("noscript meta[http-equiv=refresh]").count()
            or "refresh" in await page.content()
        )
        await page.locator("#today a").last.click()
        await expect(page.locator("#row-48")).to_be_visible()


async def test_the_wall_shows_everything_without_scrolling() -> None:
    site, _ = scenario("normal")
    async with opened(site, "wall") as (page, base):
        await page.goto(base)
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
