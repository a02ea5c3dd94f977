"""Coming in by a real browser: with the keyboard alone, without scripts, on a phone and on a wall."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from doubt_site import DOUBTFUL, OTHER, doubt_app
from fastapi import FastAPI
from people_site import CONSOLE, NAMES, PASSWORD, HandClock, people_in
from playwright.async_api import Page, async_playwright, expect
from web_site import FixtureSite, served

from koatsu.people import People, Role
from koatsu.web import create_app

pytestmark = pytest.mark.browser

QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SIZES = {"phone": (390, 844), "laptop": (1280, 900), "wall": (1920, 1080)}


@asynccontextmanager
async def opened(
    people: People, size: str = "laptop", *, scripts: bool = True, app: FastAPI | None = None
) -> AsyncIterator[tuple[Page, str]]:
    """A page over the fixture's site; leaving asserts that the console held nothing but refused requests."""
    complaints: list[str] = []
    async with served(app or create_app(FixtureSite(), people=people)) as base, async_playwright() as play:
        browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        try:
            width, height = SIZES[size]
            context = await browser.new_context(
                viewport={"width": width, "height": height}, java_script_enabled=scripts
            )
            page = await context.new_page()
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            yield page, base
        finally:
            await browser.close()
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []


async def log_in(page: Page, base: str, role: Role = Role.OWNER) -> None:
    await page.goto(f"{base}/login")
    await page.fill("#name", NAMES[role])
    await page.fill("#password", PASSWORD)
    await page.locator("main button").click()
    await expect(page.locator("#hero")).to_be_visible()


async def test_a_login_by_keyboard_alone(tmp_path: Path) -> None:
    with people_in(tmp_path, HandClock(), *Role) as people:
        async with opened(people) as (page, base):
            await page.goto(f"{base}/days")
            await expect(page.locator("#name")).to_be_focused()
            await page.keyboard.type(NAMES[Role.VIEWER])
            await page.keyboard.press("Tab")
            await page.keyboard.type("wrong")
            await page.keyboard.press("Enter")
            await expect(page.locator("#password-wrong")).to_have_text("名前またはパスワードが違います。")
            await expect(page.locator("#password")).to_be_focused()
            await expect(page.locator("#name")).to_have_value(NAMES[Role.VIEWER])
            described = await page.locator("#password").get_attribute("aria-describedby")
            assert described == "password-wrong"
            await page.keyboard.type(PASSWORD)
            await page.keyboard.press("Enter")
            await page.wait_for_url(f"{base}/days")
            await page.locator(".who summary").focus()
            await page.keyboard.press("Enter")
            await expect(page.locator(".who .sheet")).to_be_visible()
            await page.keyboard.press("Escape")
            await expect(page.locator(".who .sheet")).to_be_hidden()
            await expect(page.locator(".who summary")).to_be_focused()
            await page.keyboard.press("Enter")
            await page.keyboard.press("Tab")
            await page.keyboard.press("Tab")
            await page.keyboard.press("Enter")
            await page.wait_for_url(f"{base}/login")


async def test_everything_works_without_scripts(tmp_path: Path) -> None:
    with people_in(tmp_path, HandClock()) as people:
        async with opened(people, scripts=False) as (page, base):
            await page.goto(base)
            await page.locator(".ownerless a").click()
            await page.fill("#name", "桜")
            await page.fill("#password", PASSWORD)
            await page.fill("#again", PASSWORD)
            await page.locator("main button").click()
            await expect(page.locator("#hero")).to_be_visible()
            await page.locator("nav .menu summary").click()
            await page.locator("nav .sheet a[href='/people']").click()
            await page.fill("#name", "次郎")
            await page.fill("#password", PASSWORD)
            await page.locator("input[value=operator]").check()
            await page.locator("form[action='/people'] button").click()
            await expect(page.locator(".notice.good")).to_have_text("次郎 を追加しました。")
            await page.locator(".who summary").click()
            await page.locator(".who button").click()
            await page.wait_for_url(f"{base}/login")
            assert people.find("次郎").role is Role.OPERATOR


async def test_what_a_password_manager_looks_for(tmp_path: Path) -> None:
    with people_in(tmp_path, HandClock(), *Role) as people:
        async with opened(people) as (page, base):
            await page.goto(f"{base}/login")
            wanted = {"name": "username", "password": "current-password"}
            for field, purpose in wanted.items():
                assert await page.locator(f"#{field}").get_attribute("autocomplete") == purpose
            await log_in(page, base)
            await page.goto(f"{base}/account")
            purposes = await page.eval_on_selector_all(
                "main input[autocomplete]", "e => e.map(i => i.autocomplete)"
            )
            assert purposes == ["username", "current-password", "new-password", "new-password"]


@pytest.mark.parametrize("size", SIZES)
async def test_nothing_outgrows_the_screen(tmp_path: Path, size: str) -> None:
    with people_in(tmp_path, HandClock(), *Role) as people:
        people.make_token(CONSOLE, "とても長い名前のプログラムのためのトークンABCDEFGHIJKLMN", Role.VIEWER)
        people.add(CONSOLE, "とても長い名前の利用者_ABCDEFGHIJKLMNOPQRSTUVWXYZ", Role.VIEWER, PASSWORD)
        async with opened(people, size) as (page, base):
            await page.goto(f"{base}/en/login")
            await log_in(page, base)
            for path in ("/people", "/en/people/2", "/tokens", "/en/audit", "/account", "/people/999", "/"):
                await page.goto(base + path)
                for summary in await page.locator("summary:visible").all():
                    await summary.click()
                    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth")
                    assert not wide, f"{path} scrolls sideways"
                    await page.keyboard.press("Escape")
                if size == "phone":
                    short = await page.evaluate(
                        "[...document.querySelectorAll('nav a, button, .btn, summary, input, select')]"
                        ".filter(e => e.getClientRects().length && !['radio', 'checkbox'].includes(e.type)"
                        " && e.getBoundingClientRect().height < 43.5).map(e => e.outerHTML)"
                    )
                    assert short == []


@pytest.mark.parametrize("width", [360, 720, 768, 880, 1000, 1080, 1280, 1440])
async def test_the_bar_fits_at_every_width(tmp_path: Path, width: int) -> None:
    with people_in(tmp_path, HandClock(), *Role) as people:
        async with opened(people) as (page, base):
            await page.set_viewport_size({"width": width, "height": 800})
            await log_in(page, base)
            for path in ("/", "/en/", "/en/days"):
                await page.goto(base + path)
                assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
                marked = page.locator(
                    "nav [aria-current]:visible, nav .menu > summary.current-narrow:visible"
                )
                assert await marked.count() >= 1
                assert await page.locator("nav .menu > summary:visible").count() == 1


async def test_the_menu_of_a_phone_stays_on_the_screen(tmp_path: Path) -> None:
    with people_in(tmp_path, HandClock(), *Role) as people:
        async with opened(people, "phone") as (page, base):
            await log_in(page, base)
            await page.locator("nav .menu summary").click()
            await page.locator("nav .sheet a[href='/audit']").click()
            await expect(page.locator("h1")).to_have_text("操作記録")


async def test_the_notice_leaves_the_wall_without_scrolling(tmp_path: Path) -> None:
    with people_in(tmp_path, HandClock()) as people:
        async with opened(people, "wall") as (page, base):
            for path in ("/", "/en/"):
                await page.goto(base + path)
                await expect(page.locator("a[href$='/setup']:visible")).to_have_count(1)
                assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")


@pytest.mark.parametrize("size", SIZES)
async def test_a_count_is_corrected_without_scripts(tmp_path: Path, size: str) -> None:
    with doubt_app(tmp_path, *Role) as (app, store, people):
        async with opened(people, size, scripts=False, app=app) as (page, base):
            await log_in(page, base, Role.OPERATOR)
            await page.goto(f"{base}/day/buy/{DOUBTFUL.day}#slot-{DOUBTFUL.number}")
            await page.locator(f"#slot-{DOUBTFUL.number} .decide-links a").first.click()
            card = page.locator("article", has_text="同じ時刻に異なる計量値")
            await card.locator("summary").click()
            await card.get_by_label("5,003,260").check()
            await card.get_by_label("理由").fill("計量器の表示を写真で確認")
            await page.wait_for_load_state()
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            await card.get_by_role("button").click()
            await expect(page.locator(".notice.good")).to_have_text("訂正を残しました。")
            assert store.corrections("buy")[0].count == OTHER


async def test_a_link_from_elsewhere_finds_the_session(tmp_path: Path) -> None:
    with people_in(tmp_path, HandClock(), *Role) as people:
        async with opened(people) as (page, base):
            await log_in(page, base)
            elsewhere = base.replace("127.0.0.1", "localhost")  # another site, as far as cookies go
            await page.goto(f"{elsewhere}/login")
            await page.evaluate(f"location.href = '{base}/days'")
            await expect(page.locator(".who")).to_be_visible()
            assert page.url == f"{base}/days"
            await page.context.clear_cookies()
            await page.goto(f"{elsewhere}/login")
            await page.evaluate(f"location.href = '{base}/days'")
            await page.wait_for_url(f"{base}/login?next=/days")


async def test_a_page_whose_session_ends_says_that_it_stands_still(tmp_path: Path) -> None:
    with people_in(tmp_path, HandClock(), *Role) as people:
        async with opened(people) as (page, base):
            await log_in(page, base)
            await expect(page.locator("#lost")).to_be_hidden()
            await page.context.clear_cookies()
            answer = await page.request.get(f"{base}/events/stream", headers={"Accept": "text/event-stream"})
            assert answer.status == 401
