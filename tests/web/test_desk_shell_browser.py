"""The shell of the desk in a real browser: on phones and desks, light and dark, and with a scan of 50 MB."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from desk_web import DeskPlace, desk_place
from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from people_site import NAMES, PASSWORD
from playwright.async_api import Page, async_playwright, expect
from web_site import served

import koatsu.web.desk.app as desk_app
from koatsu.desk import Desk, State
from koatsu.people import Right, Role
from koatsu.web.desk.frame import DeskFrame
from koatsu.web.desk.navigation import DESK_ENTRIES
from koatsu.web.desk.pages import DeskPages
from koatsu.web.render import _environment

pytestmark = pytest.mark.browser

QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SIZES = {
    "small phone": (320, 640),
    "phone": (390, 844),
    "tablet": (820, 1180),
    "small laptop": (1024, 768),
    "laptop": (1280, 900),
}

#: Everything that the style sheet of the desk draws, as a page uses it.
GALLERY = (Path(__file__).parent / "desk_gallery.html").read_text(encoding="utf-8")


class Everything(DeskPages):
    """A page at every address of the bar, and one that takes documents."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        for path, right in {entry.path: entry.right for entry in DESK_ENTRIES}.items():
            if right is not Right.MANAGE:
                self.route("GET", path, self.show, None if path != "/" else Right.DESK_READ)
        self.route("POST", "/cases/{case_id}/documents", self.take, Right.DESK_READ)

    def show(self, request: Request) -> Response:
        values = self.frame.values(request) | {"site_name": "電力会社 受付デスク", "here": "worklist"}
        values |= {"lead": None, "at": None, "states": list(State)}
        return HTMLResponse(_environment().from_string(GALLERY).render(t=self.t, **values))

    def take(self, case_id: int) -> Response:
        return self.to(f"/?taken={case_id}")


@asynccontextmanager
async def opened(
    place: DeskPlace, size: str = "laptop", role: Role | None = Role.COUNTER, scheme: str = "light"
) -> AsyncIterator[tuple[Page, str]]:
    """A page of the desk; leaving asserts that the console held nothing but refused requests."""
    complaints: list[str] = []
    async with served(place.app) as base, async_playwright() as play:
        browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        try:
            width, height = SIZES[size]
            page = await browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
            )
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            if role is not None:
                await page.goto(f"{base}/login")
                await page.fill("#name", NAMES[role])
                await page.fill("#password", PASSWORD)
                await page.locator("main button.primary").click()
                await expect(page.locator("main .steps")).to_be_visible()
            yield page, base
        finally:
            await browser.close()
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []


@pytest.fixture
def everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pages of the desk are those above."""
    monkeypatch.setattr(desk_app, "PAGES", (Everything,))


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("size", SIZES)
async def test_nothing_leaves_the_screen(tmp_path: Path, size: str) -> None:
    with desk_place(tmp_path, Role.COUNTER, Role.CUSTOMER) as place:
        for role in (Role.COUNTER, Role.CUSTOMER, None):
            async with opened(place, size, role) as (page, base):
                for path in ("/help", "/en/help"):
                    await page.goto(base + path)
                    out = await page.evaluate(
                        """() => [...document.querySelectorAll("body *")].filter(one => {
                            const box = one.getBoundingClientRect();
                            return box.width && (box.right > innerWidth + 1 || box.left < -1)
                                && !one.closest(".skip, .unseen, .hatches, .filters")
                                && !one.closest(".menu:not([open]) .sheet");
                        }).map(one => `${one.tagName}.${one.className}`)"""
                    )
                    assert out == [], f"{size}, {role}, {path}"


@pytest.mark.usefixtures("everything")
async def test_a_finger_hits_what_it_means(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.COUNTER) as place:
        async with opened(place, "phone") as (page, _):
            small = await page.evaluate(
                """() => [...document.querySelectorAll("a, button, summary, select, input")].filter(one => {
                    const box = one.getBoundingClientRect();
                    return box.height && box.height < 43.5 && !one.matches(".skip, .brand, [type=hidden]");
                }).map(one => `${one.tagName}.${one.className} ${one.getBoundingClientRect().height}`)"""
            )
            assert small == []
            await page.locator(".nav .menu summary").click()
            await expect(page.locator('.nav .sheet a[href="/registers"]')).to_be_visible()


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_focus_is_seen_and_the_state_is_a_shape_and_a_word(tmp_path: Path, scheme: str) -> None:
    with desk_place(tmp_path, Role.COUNTER) as place:
        async with opened(place, scheme=scheme) as (page, _):
            await page.locator("body").click(position={"x": 1, "y": 400})
            seen = set()
            for _ in range(25):
                await page.keyboard.press("Tab")
                seen.add(
                    await page.evaluate(
                        """() => { const one = document.activeElement, style = getComputedStyle(one);
                        return one === document.body ? "none" : style.outlineStyle + style.outlineWidth; }"""
                    )
                )
            assert seen <= {"solid3px", "none"}
            assert "solid3px" in seen
            shapes = await page.evaluate(
                """() => [...document.querySelectorAll(".cards-table .state .badge")].map(one => {
                    const shape = getComputedStyle(one, "::before");
                    return [one.className, shape.borderRadius + shape.clipPath + shape.borderStyle];
                })"""
            )
            by_tone: dict[str, set[str]] = {}
            for tone, shape in shapes:
                by_tone.setdefault(tone, set()).add(shape)
            assert len(by_tone) == 4
            assert len({shape for one in by_tone.values() for shape in one}) == 4, "each tone has its shape"


@pytest.mark.usefixtures("everything")
@pytest.mark.parametrize(
    ("size", "lang", "sentence"), [(50, "ja", "ファイルが大きすぎます"), (50, "en", "too large")]
)
async def test_a_scan_of_50_mb_gets_a_sentence(tmp_path: Path, size: int, lang: str, sentence: str) -> None:
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"%PDF-1.7\n" + bytes(size * 1024**2))
    with desk_place(tmp_path, Role.COUNTER) as place:
        async with opened(place) as (page, base):
            await page.goto(f"{base}/en/" if lang == "en" else f"{base}/")
            if lang == "en":
                await page.evaluate("document.querySelector('main form').action = '/en/cases/1/documents'")
            await page.set_input_files("#scan", scan)
            await page.click("#send")
            await expect(page.locator("main h1")).to_be_visible()
            await expect(page.locator("main")).to_contain_text(sentence)
            await page.goto(f"{base}/")
            small = tmp_path / "small.pdf"
            small.write_bytes(b"%PDF-1.7\n" + bytes(1024**2))
            await page.set_input_files("#scan", small)
            await page.click("#send")
            await page.wait_for_url("**/?taken=1")
