"""The demo as a newcomer runs it: one command, a real browser, histories recovered, the slot growing."""

from __future__ import annotations

import json
import re
import urllib.request
from collections.abc import Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from program import fresh_address, fresh_port, running

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing; make test installs it")

pytestmark = pytest.mark.browser
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PICTURES = Path(__file__).resolve().parents[2] / "artifacts"


@pytest.fixture
def demo() -> Iterator[tuple[str, str]]:
    """The addresses of the page and of the meters' control page."""
    page, control = fresh_port(), fresh_port()
    with running(
        "demo", "--address", fresh_address(), "--port", str(page), "--control", f"127.0.0.1:{control}",
        "--speed", "30", "--start", "2026-11-20T11:20:00+09:00",
    ) as program:  # fmt: skip
        program.until("stop with Ctrl-C")
        yield f"http://127.0.0.1:{page}", f"http://127.0.0.1:{control}"


def test_the_demo_shows_history_and_a_growing_slot(demo: tuple[str, str]) -> None:
    address, control = demo
    errors: list[str] = []
    with playwright.sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(address)
        playwright.expect(page.get_by_text("100 / 100 日")).to_have_count(2, timeout=60_000)
        playwright.expect(page.get_by_text("模擬の計量器").first).to_be_visible()

        def so_far() -> str:
            return str(page.locator("main").inner_text())

        before = so_far()
        page.wait_for_function("before => document.querySelector('main').innerText !== before", arg=before)
        with urllib.request.urlopen(f"{control}/state") as answer:
            state = json.load(answer)
        serials = {meter["serial"] for meter in state["meters"]}
        assert any(serial in so_far() for serial in serials)

        page.goto(f"{address}/day/buy/2026-11-19")
        rows = page.locator("table tbody tr")
        assert rows.count() == 48
        counts = [
            [_number(cell) for cell in rows.nth(row).locator("td").all_inner_texts()] for row in range(48)
        ]
        for (_, _, _, start, end, difference, *_), following in pairwise(counts):
            assert end - start == difference
            assert following[3] == end, "a slot begins where the one before ended"
        page.goto(f"{address}/en/")
        playwright.expect(page.get_by_text("Emulated meter").first).to_be_visible()
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / "demo-now-en.png", full_page=True)
        browser.close()
    assert errors == []


def _number(text: str) -> Decimal:
    """A figure of the table; 0 for a cell of words."""
    found = re.fullmatch(r"[\d,.]+", text.strip())
    return Decimal(found[0].replace(",", "")) if found else Decimal(0)
