"""The FAQ played through in a real browser, as staff: every answer, an enquiry, a call up to works."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from desk_help import put_case
from desk_site import COUNTER, NORTH, POINTS
from desk_web import NOW, DeskPlace, desk_place
from people_site import NAMES
from playwright.async_api import Page, expect
from test_desk_help_guide import Probe
from test_desk_staff_browser import SMALL, opened

from koatsu.desk import SYSTEM, Case, ProbeResult, State
from koatsu.desk.faq import faq
from koatsu.desk.letters import NoticeKind
from koatsu.desk.models import WorksKind, WorksState
from koatsu.people import Role
from koatsu.web.desk.leading import OWN_ACTIONS, action_path

pytestmark = pytest.mark.browser


class Present(Probe):
    """A terminal that is asked now."""

    def ask(self, supply_point: str) -> ProbeResult:
        return replace(super().ask(supply_point), at=NOW)


def served_case(place: DeskPlace) -> Case:
    """A case in service whose terminal answers while its meter is silent."""
    probe = place.desk.probe = Present(POINTS[3])
    probe.up, probe.answers = True, False
    return put_case(place.desk, State.IN_SERVICE, POINTS[3])


async def open_act(page: Page, word: str) -> None:
    await page.locator(".others summary", has_text=word).click()


async def test_every_help_answer_opens_for_the_staff(tmp_path: Path) -> None:
    """Question by question: it opens, its action is a page, and its enquiry is about it."""
    with desk_place(tmp_path) as place:
        async with opened(place, role=Role.COUNTER) as (page, base):
            for one in faq().questions:
                await page.goto(f"{base}/help")
                asked = page.locator("details", has=page.locator(f"#{one.id}"))
                await asked.locator("summary").click()
                await expect(asked.locator(".answer > p").first).to_be_visible()
                ask = asked.locator(".not-solved a")
                await expect(ask).to_have_attribute("href", f"/enquiry?topic={one.topic}")
                led = asked.locator(".acts a.btn")
                if one.action in OWN_ACTIONS:  # customers log in for these; staff have pages of their own
                    await expect(led).to_have_count(0)
                else:
                    await led.first.click()
                    assert page.url.removeprefix(base) == action_path(one.action, one.topic)
                    await expect(page.locator("h1")).to_be_visible()


async def test_from_a_help_answer_to_an_answered_enquiry(tmp_path: Path) -> None:
    """Somebody calls with a question: the enquiry is taken in, found, taken, answered; a letter waits."""
    with desk_place(tmp_path) as place:
        case = served_case(place)
        async with opened(place, role=Role.COUNTER) as (page, base):
            await page.goto(f"{base}/help?open=no_data#no_data")
            await page.locator("#no_data .not-solved a").click()
            await page.get_by_label("内容").fill("EMS の画面に値が出ません。")
            await page.get_by_label("案件の番号").fill(case.number)
            await page.get_by_label("お名前と、お電話番号かメールアドレス").fill("小林 092-000-0001")
            await page.get_by_role("button", name="送る").click()
            await expect(page.locator("h1")).to_have_text("お問い合わせを受け付けました")
            await page.get_by_role("link", name="問い合わせ", exact=True).click()
            row = page.locator("tbody tr", has_text="EMS にデータが届きません")
            await expect(row).to_contain_text(case.number)
            await row.get_by_role("link").first.click()
            await page.get_by_role("button", name="自分が担当する").click()
            await expect(page.get_by_role("status")).to_have_text("「担当を決定」を記録しました。")
            await open_act(page, "メモを書き加える")
            await page.get_by_label("メモ", exact=True).fill("午後に折り返す")
            await page.get_by_role("button", name="書き加える").click()
            await expect(page.locator(".timeline .newest")).to_contain_text("午後に折り返す")
            await page.get_by_label("お客さまへの答え").fill("端末の登録を直しました。\nあす届きます。")
            await page.get_by_role("button", name="答えを記録する").click()
            await expect(page.get_by_role("status")).to_have_text("「回答」を記録しました。")
            await expect(page.locator(".said-step.answered")).to_contain_text("あす届きます。")
            await page.get_by_role("button", name="完了にする").click()
            await expect(page.get_by_role("status")).to_have_text("「完了」を記録しました。")
            await page.get_by_role("link", name="問い合わせ", exact=True).first.click()
            await expect(page.locator(".empty")).to_be_visible()
            await page.get_by_role("link", name="完了 1").click()
            await expect(page.locator("tbody tr")).to_have_count(1)
            await expect(page.locator("tbody tr")).to_contain_text(NAMES[Role.COUNTER])
        assert [due.kind for due in place.desk.notices.of_case(SYSTEM, case.id)] == [
            NoticeKind.ENQUIRY_ANSWERED
        ]


async def test_a_call_from_the_case_to_a_works_order(tmp_path: Path) -> None:
    with desk_place(tmp_path) as place:
        case = served_case(place)
        async with opened(place, role=Role.COUNTER, scripts=False) as (page, base):
            await page.goto(f"{base}/case/{case.number}")
            await page.get_by_role("button", name="データが届かないわけを調べる").click()
            await page.get_by_role("button", name="奥まで入っています", exact=True).click()
            await page.locator(".crumb a").click()
            await expect(page.locator(".seen-words")).to_contain_text("192.0.2.7")
            await page.get_by_role("button", name="ゆるんでいたので、差し直しました").click()
            await page.get_by_role("button", name="ひとつ前の質問にもどる").click()
            await expect(page.locator(".timeline .newest .taken-back")).to_be_visible()
            await page.get_by_role("button", name="奥まで入っています", exact=True).click()
            await page.get_by_role("button", name="光っています", exact=True).click()
            await expect(page.locator("#next")).to_have_text("つぎにすること: 修理を手配する")
            await page.get_by_label("工事の日").fill("2026-07-17")
            await page.get_by_label("時間帯").fill("10:00–12:00")
            await page.get_by_role("button", name="修理を手配する").click()
            await expect(page.get_by_role("status")).to_have_text("修理を手配しました。")
            await page.get_by_role("link", name="届かない", exact=True).click()
            await expect(page.locator("tbody tr").first).to_contain_text("修理を手配済み")
            await page.locator("tbody a").first.click()
            await page.get_by_role("link", name=case.number).click()
            await expect(page.locator(".orders").first).to_contain_text("当社設備の修理")
        [order] = place.desk.lists.works(SYSTEM, case.id)
        assert (order.kind, order.state, str(order.planned_on)) == (
            WorksKind.REPAIR,
            WorksState.PLANNED,
            "2026-07-17",
        )


@pytest.mark.parametrize(("size", "scheme"), [("phone", "light"), ("laptop", "dark")])
async def test_nothing_overflows_and_everything_can_be_pressed(
    tmp_path: Path, size: str, scheme: str
) -> None:
    with desk_place(tmp_path) as place:
        case, desk = served_case(place), place.desk
        long = "ながいことば" * 60
        one = desk.enquiries.open(
            SYSTEM, topic="no_data", text=long, contact="a" * 190, office=NORTH, case_id=case.id
        )
        closed = desk.enquiries.open(SYSTEM, topic="", text="a" * 900, contact="小林", office=NORTH)
        desk.enquiries.close(COUNTER, closed.number, seen=1)
        assert desk.probe is not None
        begun = desk.faults.begin(
            COUNTER, case_id=case.id, probe=desk.probe.ask(case.supply_point)
        ).fault.number
        unknown = desk.faults.begin(COUNTER, office=NORTH).fault.number
        lists = ("/enquiries", "/enquiries?which=every", "/faults", "/faults?which=unfinished", "/faults/new")
        pages = (
            f"/enquiries/{one.number}",
            f"/enquiries/{closed.number}",
            f"/faults/{begun}",
            f"/faults/{unknown}",
        )
        async with opened(place, size, scheme=scheme) as (page, base):
            for prefix in ("", "/en"):
                for at, path in enumerate((*lists, *pages)):
                    await page.goto(f"{base}{prefix}{path}")
                    for each in await page.locator("main details > summary").all():
                        await each.click()
                    name = f"{prefix.strip('/')}{at}"
                    await page.screenshot(path=tmp_path / f"{name}-{size}-{scheme}.png", full_page=True)
                    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
                    assert wide <= 0, path
                    if size == "phone":
                        assert await page.evaluate(SMALL) == [], path
