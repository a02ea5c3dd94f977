"""The staff's pages in a real browser: a case from the counter to its end, by keyboard, on phones too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from desk_site import METER, POINTS, TERMINAL
from desk_web import DeskPlace, desk_place
from people_site import NAMES, PASSWORD
from playwright.async_api import Page, async_playwright, expect
from staff_site import furnished, png
from web_site import served

from koatsu.desk import SYSTEM, State
from koatsu.people import Role

pytestmark = pytest.mark.browser

QUIET = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
SIZES = {"phone": (390, 844), "laptop": (1280, 900)}

#: What is pressed on a phone must be large enough for a thumb; choices are pressed by their words.
SMALL = """() => [...document.querySelectorAll(
    'main :is(button, summary, select, textarea, label.choice, input)')]
  .filter(e => !['hidden', 'radio', 'checkbox'].includes(e.type))
  .filter(e => e.checkVisibility())
  .filter(e => e.getBoundingClientRect().height < 43.5 || e.getBoundingClientRect().width < 43.5)
  .map(e => e.outerHTML.slice(0, 90) + ' ' + e.getBoundingClientRect().height)"""


@asynccontextmanager
async def opened(
    place: DeskPlace,
    size: str = "laptop",
    role: Role = Role.SUPERVISOR,
    *,
    scheme: str = "light",
    scripts: bool = True,
) -> AsyncIterator[tuple[Page, str]]:
    """A page of the staff; leaving asserts that the console held nothing but refused requests."""
    complaints: list[str] = []
    async with served(place.app) as base, async_playwright() as play:
        browser = await play.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        try:
            width, height = SIZES[size]
            page = await browser.new_page(
                viewport={"width": width, "height": height},
                color_scheme="dark" if scheme == "dark" else "light",
                java_script_enabled=scripts,
                locale="ja-JP",
            )
            page.on("console", lambda message: complaints.append(message.text))
            page.on("pageerror", lambda error: complaints.append(str(error)))
            await page.goto(f"{base}/login")
            await page.fill("#name", NAMES[role])
            await page.fill("#password", PASSWORD)
            await page.locator("main button.primary").click()
            await expect(page.locator("h1")).to_have_text("作業一覧")
            yield page, base
        finally:
            await browser.close()
    assert [text for text in complaints if "the server responded with a status of 4" not in text] == []


async def choose(page: Page, form: str, name: str, word: str) -> None:
    """Press a choice by its word, in the group of that name."""
    await page.locator(f"#step-{form}").get_by_role("group", name=name).get_by_text(word, exact=True).click()


async def press(page: Page, word: str) -> None:
    await page.get_by_role("button", name=word, exact=True).click()
    await expect(page.get_by_role("status")).to_be_visible()


async def open_step(page: Page, word: str) -> None:
    await page.locator(".others summary", has_text=word).click()


async def take_in(page: Page, base: str, point: str) -> None:
    """The paper at the counter, every field by its label."""
    await page.goto(base)
    await page.get_by_role("link", name="紙の申込みを受け付ける").click()
    await expect(page.get_by_role("textbox", name="供給地点")).to_be_focused()
    await page.keyboard.type(f"{point[:2]}-{point[2:]}")
    await page.keyboard.press("Enter")
    form = page.locator("form.intake")
    await form.get_by_label("お客さまの名称").fill("若葉電子 株式会社")
    await form.get_by_role("group", name="区分").get_by_text("法人・団体").click()
    await form.get_by_label("ご担当者").fill("林 一")
    await form.get_by_label("電話番号").fill("092-000-0007")
    await form.get_by_role("group", name="EMS の設置").get_by_text("設置する").click()
    await form.get_by_role("group", name="利用規約への同意").get_by_text("はい").click()
    await press(page, "提出する")


async def check_and_plan(page: Page) -> None:
    """From the check to the day of the works."""
    await press(page, "審査を始める")
    await choose(page, "confirm_warning", "SMA 認証がないことの注意を説明した", "はい")
    await press(page, "注意の説明を記録する")
    await choose(page, "accept", "供給区域内で電気の供給を受けている", "はい")
    await choose(page, "accept", "対応する計量器・端末を取り付けられる", "未確認")
    await press(page, "受理する")
    await page.get_by_label("調査日").fill("2026-07-16")
    await press(page, "現地調査の日を決める")
    await expect(page.get_by_label("調査した日")).to_have_value("2026-07-15")
    await choose(page, "record_survey", "いまの計量器が対応型", "はい")
    await choose(page, "record_survey", "停電が必要", "はい")
    await choose(page, "record_survey", "対応する計量器・端末を取り付けられる", "はい")
    await press(page, "調査の結果を記録する")
    await page.locator("#step-plan_works").get_by_label("工事日").fill("2026-07-17")
    await page.get_by_role("button", name="工事の日を決める").click()
    await expect(page.get_by_role("alert")).to_contain_text("停電が必要な工事です。")
    await expect(page.locator("#step-plan_works").get_by_label("工事日")).to_have_value("2026-07-17")
    await page.get_by_label("停電日時に合意した日").fill("2026-07-15")
    await page.get_by_label("停電する時間帯").fill("14:00–14:30")
    await press(page, "工事の日を決める")


async def work_and_start(page: Page) -> None:
    """From the works to the start."""
    form = page.locator("#step-record_works")
    await form.get_by_label("伝送端末の型式").fill(TERMINAL)
    await form.get_by_label("伝送端末の製造番号").fill("T20555")
    await form.get_by_label("計量器の型式").fill(METER)
    await choose(page, "record_works", "停電の有無", "はい")
    await press(page, "工事の完了を記録する")
    await page.locator(".add-paper summary").click()
    await page.get_by_label("種類").select_option("works_photo")
    await page.get_by_label("ファイル").set_input_files(
        {"name": "盤.png", "mimeType": "image/png", "buffer": png()}
    )
    await press(page, "添える")
    await expect(page.get_by_role("link", name="盤.png")).to_be_visible()
    await press(page, "接続確認を始める")
    for what in ("端末に電源が入り、リンクが上がっている", "計量器が応答する", "最初の値が EMS に届いている"):
        await choose(page, "record_check", what, "はい")
    await page.get_by_label("確かめた内容").fill("13:10 EMS の画面で 8,412,118 を確認")
    await press(page, "確認の結果を記録する")
    await press(page, "利用を開始する")


async def suspend_and_end(page: Page) -> None:
    """A new meter in between, and the end."""
    await open_step(page, "一時停止する")
    await (
        page.locator("#step-suspend")
        .get_by_role("group", name="停止の理由")
        .get_by_text("計量器の取替")
        .click()
    )
    await page.locator("#step-suspend").get_by_label("再開の予定日").fill("2026-07-20")
    await press(page, "一時停止する")
    form = page.locator("#step-meter_replaced")
    await form.get_by_label("計量器の製造番号").fill("M280555")
    await form.get_by_label("計量器の型式").fill(METER)
    await press(page, "計量器の取替完了を記録する(再開します)")
    await open_step(page, "終了の申込を受け付ける")
    await choose(page, "ask_end", "申込の方法", "郵送")
    await press(page, "終了の申込を受け付ける")
    await press(page, "ケーブルの取外しを記録する(終了します)")


async def test_a_case_from_the_counter_to_its_end(tmp_path: Path) -> None:
    with desk_place(tmp_path) as place:
        async with opened(place) as (page, base):
            await take_in(page, base, POINTS[5])
            await expect(page.locator("h1")).to_contain_text("若葉電子 株式会社")
            await check_and_plan(page)
            await work_and_start(page)
            await suspend_and_end(page)
            await expect(page.locator(".steps [aria-current]")).to_have_count(0)
            await expect(page.locator("#next")).to_have_text("つぎにすること")
            await page.screenshot(path=tmp_path / "ended.png", full_page=True)
            async with page.expect_download() as printed:
                await page.get_by_role("button", name="「ご利用開始のお知らせ」を印刷").click()
            letter = Path(await (await printed.value).path()).read_bytes()
            assert letter.startswith(b"%PDF-")
        (found,) = place.desk.lists.search(SYSTEM, POINTS[5])
        assert found.case.state is State.ENDED
        assert place.desk.cases.verify() is None


async def test_a_step_by_keyboard_and_the_order_of_focus(tmp_path: Path) -> None:
    with desk_place(tmp_path) as place:
        case = furnished(place)[State.ACCEPTED]
        async with opened(place, role=Role.COUNTER) as (page, base):
            await page.goto(f"{base}/case/{case.number}")
            await page.keyboard.press("Tab")
            await expect(page.locator(".skip")).to_be_focused()
            await page.keyboard.press("Enter")
            seen, rings = [], set()
            for _ in range(40):
                await page.keyboard.press("Tab")
                seen.append(
                    await page.evaluate(
                        "(document.activeElement.innerText || document.activeElement.name || '').trim()"
                    )
                )
                rings.add(
                    await page.evaluate(
                        "(e => `${e.tagName}.${e.type}.${e.name} ${getComputedStyle(e).outlineStyle}`)"
                        "(document.activeElement)"
                    )
                )
            ringless = {one for one in rings if not one.endswith(" solid")}
            assert ringless <= {"BODY.undefined.undefined none"}, "one sees where one is"
            places = [
                seen.index(word) for word in ("作業一覧", "survey_on", "現地調査の日を決める", "担当を決める")
            ]
            assert places == sorted(places)
            assert (
                seen.index("番号をすべて表示") < seen.index("メモを書き加える") < seen.index("書類を添える")
            )
            await page.locator("#plan_survey-survey_on").focus()
            await page.evaluate("document.querySelector('#step-plan_survey').noValidate = true")
            await page.fill("#plan_survey-survey_on", "2026-07-14")
            await page.keyboard.press("Enter")
            wrong = page.locator("#plan_survey-survey_on-wrong")
            await expect(wrong).to_contain_text("2026-07-14 は過ぎています。")
            await expect(page.locator("#plan_survey-survey_on")).to_be_focused()
            described = await page.get_attribute("#plan_survey-survey_on", "aria-describedby")
            assert described == "plan_survey-survey_on-wrong"
            await page.fill("#plan_survey-survey_on", "2026-07-16")
            await page.keyboard.press("Enter")
            await expect(page.get_by_role("status")).to_have_text("「調査日を決定」を記録しました。")


async def test_everything_works_without_scripts(tmp_path: Path) -> None:
    with desk_place(tmp_path) as place:
        case = furnished(place)[State.SUBMITTED]
        async with opened(place, role=Role.COUNTER, scripts=False) as (page, base):
            await page.goto(f"{base}/case/{case.number}")
            await press(page, "審査を始める")
            await page.locator(".add-note summary").click()
            await page.locator("#step-note").get_by_label("メモ").fill("電話しました。\n折り返し待ち。")
            await press(page, "メモを書き加える")
            await expect(page.locator(".timeline .newest .written")).to_have_text(
                "電話しました。\n折り返し待ち。", use_inner_text=True
            )
            await page.get_by_role("button", name="連絡先を表示").click()
            await expect(page.get_by_text("092-000-0001")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), [("phone", "light"), ("laptop", "dark")])
async def test_nothing_overflows_and_everything_can_be_pressed(
    tmp_path: Path, size: str, scheme: str
) -> None:
    with desk_place(tmp_path) as place:
        cases = furnished(place)
        async with opened(place, size, scheme=scheme) as (page, base):

            async def looked_at(name: str) -> None:
                await page.wait_for_load_state()
                await page.screenshot(path=tmp_path / f"{name}-{size}-{scheme}.png", full_page=True)
                wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                assert wide <= 0, name
                if size == "phone":
                    assert await page.evaluate(SMALL) == [], name

            for prefix in ("", "/en"):
                for path in ("/", "/search?q=株式会社", "/calendar", "/letters", "/intake"):
                    await page.goto(f"{base}{prefix}{path}")
                    await looked_at(f"{prefix}{path}".replace("/", "_").partition("?")[0] or "list")
                for state in (State.CHECKING, State.CONNECTION_CHECK, State.SUSPENDED, State.ENDED):
                    await page.goto(f"{base}{prefix}/case/{cases[state].number}")
                    for one in await page.locator("main details > summary").all():
                        await one.click()
                    await looked_at(f"{prefix.strip('/')}case-{state}")
            await page.goto(f"{base}/intake")
            await page.fill("#supply_point", POINTS[18])
            await page.get_by_role("button", name="台帳で確かめる").click()
            await page.evaluate("document.querySelector('form.intake').noValidate = true")
            await page.get_by_role("button", name="提出する").click()
            await expect(page.get_by_role("alert")).to_be_visible()
            await looked_at("intake-wrong")
