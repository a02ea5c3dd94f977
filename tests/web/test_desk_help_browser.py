"""The FAQ played through in a real browser, as a customer: check, form on paper, no data to each side."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from desk_help import RARE, put_case
from desk_site import CERTIFICATE, POINTS, START
from desk_web import desk_place
from people_site import NAMES, PASSWORD
from playwright.async_api import Page, expect
from test_desk_help_guide import WAYS
from test_web_access_browser import opened

from koatsu.desk import State
from koatsu.desk.faq import faq
from koatsu.desk.triage import Ask, Side, tree
from koatsu.desk.words import Words
from koatsu.people import Role
from koatsu.web.desk.leading import action_path
from paper import pages_of, squeezed, text_of

pytestmark = pytest.mark.browser


async def log_in(page: Page, base: str) -> None:
    """Come in as the customer."""
    await page.goto(f"{base}/login")
    await page.fill("#name", NAMES[Role.CUSTOMER])
    await page.fill("#password", PASSWORD)
    await page.locator("main button").first.click()
    await expect(page.locator(".who")).to_be_visible()


async def fits(page: Page) -> None:
    """Nothing stands beyond the right edge."""
    await page.wait_for_load_state()  # until its styles are there, it has none
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await page.evaluate(wide) <= 0


@pytest.mark.parametrize(("size", "scripts"), [("laptop", True), ("phone", False)])
async def test_from_a_question_to_the_form_on_paper(tmp_path: Path, size: str, scripts: bool) -> None:
    """With and without scripts, on a large and on a small screen."""
    with desk_place(tmp_path, Role.CUSTOMER, utility=Words("青葉電力", "Aoba Power")) as place:
        async with opened(place.people, size, scripts=scripts, app=place.app) as (page, base):
            await page.goto(f"{base}/help")
            await page.locator("form.ask input").fill("うちでも申し込めますか")
            await page.locator("form.ask button").click()
            answer = page.locator("details[open]").first
            await expect(answer).to_contain_text("3 つがすべてそろえば")
            await expect(answer.locator(".points li")).to_have_count(3)
            await answer.locator("a.btn.primary").click()
            await expect(page.locator("h1")).to_have_text("1 分でたしかめる")
            await page.fill(".column #number", POINTS[0])
            await page.check("input[name=supply][value=utility]")
            await page.fill("#place", "812-0011")
            await page.check("input[name=ems][value=decided]")
            await page.fill("#certificate", CERTIFICATE)
            await page.get_by_role("button", name="たしかめる").click()
            await expect(page.locator("#outcome")).to_contain_text("お申込みいただけます")
            await expect(page.locator(".handin")).to_contain_text("北営業所")
            await fits(page)
            await page.get_by_role("button", name="この内容で申込書をつくる").click()
            await expect(page.locator("#supply_point")).to_have_value(POINTS[0])
            assert POINTS[0] not in page.url
            await page.fill("#customer_name", f"株式会社{RARE}")
            await page.fill("#phone", "092-000-0000")
            async with page.expect_download() as begun:
                await page.get_by_role("button", name="PDF をつくる").click()
            download = await begun.value
            assert download.suggested_filename.endswith(".pdf")
            kept = tmp_path / "form.pdf"
            await download.save_as(kept)
            read = text_of(kept.read_bytes())
            assert pages_of(kept.read_bytes()) == 1
            assert "青葉電力北営業所御中" in read
            assert squeezed(f"株式会社{RARE}") in read


async def test_every_answer_opens_and_leads_on(tmp_path: Path) -> None:
    """The FAQ question by question: each opens, shows its answer, and its action is a page."""
    with desk_place(tmp_path, Role.CUSTOMER) as place:
        place.clock.set(START)
        case = put_case(place.desk, State.IN_SERVICE, POINTS[3])
        place.desk.staff.assign(place.person(Role.CUSTOMER), customer=case.customer)
        async with opened(place.people, "laptop", app=place.app) as (page, base):
            await log_in(page, base)
            for one in faq().questions:
                await page.goto(f"{base}/help")
                asked = page.locator("details", has=page.locator(f"#{one.id}"))
                await asked.locator("summary").click()
                await expect(asked.locator(".answer > p").first).to_be_visible()
                await expect(asked.locator(".not-solved a")).to_have_attribute(
                    "href", f"/enquiry?topic={one.topic}"
                )
                await asked.locator("a.btn").first.click()
                path = action_path(one.action, one.topic)
                there = f"/my/{case.number}" if path == "/my" else path
                assert page.url.removeprefix(base) == there
                await expect(page.locator("h1")).to_be_visible()
            await page.goto(f"{base}/help#pulse")
            await expect(page.locator("#pulse > p").first).to_be_visible()  # the mark alone opens it
            await fits(page)


@pytest.mark.parametrize("side", list(Side))
async def test_the_guide_leads_to_each_side(tmp_path: Path, side: Side) -> None:
    """Question by question, and once back by the browser's own way."""
    way, name = WAYS[side]
    with desk_place(tmp_path, Role.CUSTOMER) as place:
        async with opened(place.people, "phone", scripts=False, app=place.app) as (page, base):
            await page.goto(f"{base}/help?open=no_data#no_data")
            await page.get_by_role("link", name="順にたしかめる").click()
            await expect(page.locator("h1")).to_have_text("データが届かないとき")
            await _pressed(page, way)
            outcome = tree().outcomes[name]
            await expect(page.locator("#outcome")).to_have_text(outcome.words.ja)
            await fits(page)
            await page.go_back()
            await expect(page.locator("#question")).to_be_visible()
            await page.go_forward()
            await expect(page.locator("#outcome")).to_have_text(outcome.words.ja)


async def _pressed(page: Page, way: str) -> None:
    """Give these answers, one a page."""
    for part in way.split("-"):
        step, _, answer = part.partition(".")
        ask = tree().steps[step]
        assert isinstance(ask, Ask)
        given = ask.answer(answer)
        assert given is not None
        await expect(page.locator("#question")).to_have_text(ask.question.ja)
        await page.get_by_role("link", name=given.words.ja, exact=True).click()


async def test_a_customer_keeps_a_record_and_sends_an_enquiry(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.CUSTOMER) as place:
        place.clock.set(START)
        case = put_case(place.desk, State.IN_SERVICE, POINTS[3])
        place.desk.staff.assign(place.person(Role.CUSTOMER), customer=case.customer)
        async with opened(place.people, "laptop", app=place.app) as (page, base):
            await log_in(page, base)
            await page.goto(f"{base}/my")
            await page.get_by_role("link", name="データが届かないとき").click()
            await page.get_by_role("button", name=f"{case.number} を調べる").click()
            for answer in ("奥まで入っています", "奥まで入っています", "光っています", "光っています"):
                await page.get_by_role("button", name=answer, exact=True).click()
            await page.get_by_role("button", name="EMS に異常はないと言われました").click()
            await expect(page.locator("#outcome")).to_have_text("当社でお調べします")
            await page.get_by_role("link", name="結果をそえてお問い合わせを送る").click()
            await expect(page.locator("#text")).to_have_value(re.compile("異常はないと言われました"))
            await page.get_by_role("button", name="送る").click()
            await expect(page.locator("h1")).to_have_text("お問い合わせを受け付けました")
            await expect(page.locator(".big-pairs")).to_contain_text("EQ-2026-00001")
            await expect(page.locator("address")).to_contain_text("北営業所")
            await page.get_by_role("link", name="この問い合わせを見る").click()
            await expect(page.locator("h1")).to_contain_text("回答待ち")
