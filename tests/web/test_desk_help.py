"""The pages for customers: every one in both languages, the living questions, what there is to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape
from pathlib import Path

import pytest
from desk_site import POINTS, START, TERMS, brought_to
from desk_web import NOW, DeskPlace, desk_place

from koatsu.clock import ManualClock
from koatsu.desk import SYSTEM, Actor, State
from koatsu.desk.costs import PAYER_WORDS, cost_items
from koatsu.desk.data_items import NOT_OWN, DataItem, DataList, standard_list
from koatsu.desk.data_list import add_data_list
from koatsu.desk.faq import Action, faq
from koatsu.desk.words import Words
from koatsu.people import Role
from koatsu.web.desk.leading import OWN_ACTIONS, action_path, answer_parts, ask_path, help_path
from koatsu.web.desk.pace import PACES, Pace
from koatsu.web.desk.reading_pages import SAMPLE_KW

PAGES = (
    *("/help", "/check", "/forms", "/forms/application", "/forms/ending", "/apply", "/ending", "/no-data"),
    *("/equipment", "/equipment/connect", "/enquiry", "/terms", f"/terms/{TERMS}", "/data", "/costs"),
    "/sample",
)
JAPANESE = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with desk_place(tmp_path_factory.mktemp("help"), utility=Words("青葉電力", "Aoba Power")) as place:
        yield place


def words(text: str) -> str:
    """What a person reads of a page."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))).replace("\u00a0", " ")


def main_of(text: str) -> str:
    """The page without the bar, which links to the other language."""
    found = re.search(r"<main.*?</main>", text, re.DOTALL)
    assert found is not None
    return found[0]


def hrefs(text: str) -> list[str]:
    """Where the page leads."""
    return [unescape(one) for one in re.findall(r'href="([^"#]+)', main_of(text))]


# --- every page -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_every_page_stands_in_both_languages(place: DeskPlace, page: str) -> None:
    for prefix, lang in (("", "ja"), ("/en", "en")):
        answer = place.visitor().get(prefix + page)
        assert answer.status_code == 200
        assert f'<html lang="{lang}"' in answer.text
        assert re.search(r"<h1[^>]*>[^<]+", answer.text), "it says what it is"
        assert 'class="language"' in answer.text
        assert (JAPANESE.search(words(main_of(answer.text))) is None) is (
            lang == "en" and page not in _SAY_JAPANESE
        )


#: English pages on which Japanese stands: terms given in Japanese only, names, what the forms are called.
_SAY_JAPANESE = ("/forms", "/equipment", "/equipment/connect", "/terms", f"/terms/{TERMS}")


@pytest.mark.parametrize("page", PAGES)
def test_no_page_leads_nowhere(place: DeskPlace, page: str) -> None:
    """Every way on is one that there is: for a stranger it opens, or asks for a login."""
    visitor = place.visitor()
    for path in sorted({*hrefs(visitor.get(page).text), *hrefs(visitor.get(f"/en{page}").text)}):
        if path.startswith(("tel:", "mailto:", "?")):
            continue
        answer = visitor.get(path)
        login = answer.status_code == 303 and answer.headers["location"].partition("?")[0].endswith("/login")
        assert answer.status_code == 200 or login, f"{page} leads to {path}"


def test_pages_say_nothing_of_customers_to_strangers(place: DeskPlace) -> None:
    visitor = place.visitor()
    for page in PAGES:
        text = visitor.get(page).text
        assert "青葉食品" not in text
        assert "kobayashi" not in text


# --- the living questions -------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_every_question_stands_there_with_its_answer_its_action_and_an_enquiry(
    place: DeskPlace, prefix: str
) -> None:
    lang = "en" if prefix else "ja"
    text = place.visitor().get(f"{prefix}/help").text
    for one in faq().questions:
        block = re.search(rf'<details>(?:(?!</details>).)*id="{one.id}".*?</details>', text, re.DOTALL)
        assert block is not None, one.id
        assert one.question.text(lang) in words(block[0])
        lead, parts = answer_parts(one.said(online=False).text(lang))
        for part in (lead, *parts):
            assert part in words(block[0]), one.id
        found = [unescape(path) for path in re.findall(r'href="([^"]+)"', block[0])]
        assert found[0] == prefix + action_path(one.action, one.topic), "the action comes first"
        assert found[-1] == prefix + ask_path(one.topic), "rule help.enquiry"
        assert found[1:-1] == [prefix + help_path(other) for other in faq().related(one)]


def test_an_address_can_open_one_answer(place: DeskPlace) -> None:
    text = place.visitor().get("/help?open=pulse").text
    opened = re.findall(r"<details open>.*?</details>", text, re.DOTALL)
    assert len(opened) == 1
    assert 'id="pulse"' in opened[0], "and #pulse is inside it, so that browsers open it for the mark alone"
    assert "<details open>" not in place.visitor().get("/help").text


@pytest.mark.parametrize(
    ("typed", "first", "lang"),
    [("停電", "outage", "ja"), ("とどかない", "no_data", "ja"), ("sold energy", "sold_energy", "en")],
)
def test_a_search_puts_the_best_answer_first_and_opens_it(
    place: DeskPlace, typed: str, first: str, lang: str
) -> None:
    text = place.visitor().get(f"{'/en' if lang == 'en' else ''}/help?q={typed}").text
    ids = re.findall(r'class="answer" id="(\w+)"', text)
    assert ids[0] == first
    assert ids == [one.id for one in faq().search(typed)]
    assert text.count("<details open>") == 1
    assert f'value="{typed}"' in text, "what was typed stays"


def test_where_nothing_is_found_one_can_ask(place: DeskPlace) -> None:
    answer = place.visitor().get("/help?q=<b>zzqqxx</b>")
    assert "<b>zzqqxx" not in answer.text
    assert "合う答えは見つかりませんでした" in words(answer.text)
    assert "/enquiry" in hrefs(answer.text)


def test_the_drawing_says_who_looks_after_what(place: DeskPlace) -> None:
    text = place.visitor().get("/help").text
    figure = re.search(r'id="no_data".*?(<figure.*?</figure>)', text, re.DOTALL)
    assert figure is not None
    assert 'aria-label="受け持ち:メーターと伝送端末は当社' in figure[1], "the drawing has its text"
    assert re.findall(r"<b>([^<]+)</b>", figure[1]) == ["メーター", "伝送端末", "ケーブル", "EMS"]
    assert re.search(r'class="part caution"><b>ケーブル</b><span>まずここ', figure[1])
    assert words(figure[1]).endswith("当社の受け持ち・無料 お客さま・EMS メーカー ")


def test_numbered_conditions_become_a_list() -> None:
    lead, parts = answer_parts(faq().questions[13].answer.ja)
    assert lead.endswith("お申込みいただけます。")
    assert len(parts) == 3
    assert parts[2] == "EMS を置く。"
    assert answer_parts(faq().questions[13].answer.en)[1][0].startswith("You are in our supply area")
    for one in faq().questions:
        if one.id != "may_i":
            for text in one.answer:
                assert answer_parts(text) == (text, []), "nothing else is torn apart"


def test_staff_are_not_sent_to_customers_pages(place: DeskPlace) -> None:
    """The pages of one's own case are for customers; a dead button is none."""
    text = place.visitor(Role.COUNTER).get("/help").text
    for one in faq().questions:
        block = re.search(rf'<details>(?:(?!</details>).)*id="{one.id}".*?</details>', text, re.DOTALL)
        assert block is not None
        assert ('class="btn' in block[0]) is (one.action not in OWN_ACTIONS)


def test_a_customer_sees_the_own_case_and_office(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.CUSTOMER) as place:
        place.clock.set(START)
        case = brought_to(place.desk, State.WORKS_PLANNED, POINTS[3])
        place.desk.staff.assign(place.person(Role.CUSTOMER), customer=case.customer)
        text = main_of(place.visitor(Role.CUSTOMER).get("/help").text)
        side = words(text.partition('class="side"')[2])
        assert "工事の日が決まりました" in side
        assert "北営業所" in side
        assert f'href="/my/{case.number}"' in text
        other = words(place.visitor().get("/help").text)
        assert "工事の日が決まりました" not in other
        assert "北営業所" not in other


def test_where_applications_are_taken_the_answer_says_so(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.COUNTER, online=True) as place:
        assert "この画面からもお申込みいただけます。" in words(place.visitor().get("/help").text)
        assert "You can also apply on this page." in words(place.visitor().get("/en/help").text)


def test_every_action_leads_to_a_page_of_its_own() -> None:
    paths = {action: action_path(action, "no_data") for action in Action}
    assert paths[Action.ENQUIRY] == "/enquiry?topic=no_data"
    assert len(set(paths.values())) == len(paths) - 1, "only the meters stand on the page of the case"


# --- what there is to read ------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_costs_names_everything_under_the_one_who_pays(place: DeskPlace, prefix: str) -> None:
    """Rule cost.free: no amount stands anywhere."""
    lang = "en" if prefix else "ja"
    text = place.visitor().get(f"{prefix}/costs").text
    for payer, name in PAYER_WORDS.items():
        block = re.search(rf'id="payer-{payer}">([^<]+).*?</section>', text, re.DOTALL)
        assert block is not None
        assert unescape(block[1]) == name.text(lang)
        items = [unescape(one) for one in re.findall(r"<li>([^<]+)</li>", block[0])]
        assert items == [one.words.text(lang) for one in cost_items() if one.who is payer]
    assert not re.search(r"[0-9,]+ ?(円|yen|JPY)|[¥￥]", text)


def test_terms_have_their_versions(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.SUPERVISOR) as place:
        actor = Actor(reference=f"person:{place.person(Role.SUPERVISOR)}", role=Role.SUPERVISOR)
        day = (NOW + timedelta(days=30)).date()
        place.desk.terms.add(
            actor,
            day,
            "新しい規約",
            "第 1 条 <b>目的</b>\n\n第 2 条 適用\n次のとおり。",
            title_en="New terms",
        )
        visitor = place.visitor()
        present = words(visitor.get("/terms").text)
        assert "2026-04-01 から有効です。" in present
        assert "第 1 条 …" in present
        assert f"{day} から" in present, "a version to come is listed"
        later = visitor.get(f"/terms/{day}").text
        assert "から有効になります" in words(later)
        assert "&lt;b&gt;目的" in later
        assert re.findall(r"<p>(第[^<]*)", later)[1] == "第 2 条 適用\n次のとおり。"
        english = visitor.get(f"/en/terms/{day}").text
        assert "New terms" in words(english)
        assert "in Japanese only" in words(english), "what has no translation says so"
        missing = visitor.get("/terms/2001-01-01")
        assert missing.status_code == 404
        assert "版「2001-01-01」はありません" in words(missing.text)


def test_without_terms_the_page_says_so(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.COUNTER) as place:
        place.clock.advance(timedelta(days=-200))
        text = words(place.visitor().get("/terms").text)
        assert "いま有効な利用規約は、登録されていません" in text


def test_the_list_of_data_says_whose_it_is(tmp_path: Path) -> None:
    """Rule data.list."""
    with desk_place(tmp_path, Role.COUNTER) as place:
        visitor = place.visitor()
        for prefix, lang in (("", "ja"), ("/en", "en")):
            text = words(visitor.get(f"{prefix}/data").text)
            assert NOT_OWN.text(lang) in text
            for item in standard_list().items:
                assert item.words.text(lang) in text
        item = DataItem(words=Words("積算電力量", "Energy"), unit="kWh", required=True, note=Words("", ""))
        own = DataList(title=Words("別表 1", "Annex 1"), items=(item,), own=True)
        with place.desk.database.writing() as connection:
            add_data_list(connection, own, date(2026, 7, 1), by=SYSTEM.reference, now=NOW)
        text = words(visitor.get("/data").text)
        assert NOT_OWN.ja not in text
        assert "別表 1" in text
        assert "2026-07-01 から" in text


def test_the_sample_says_that_it_is_one(place: DeskPlace) -> None:
    text = place.visitor().get("/sample").text
    assert "架空の値です" in words(text)
    assert text.count('<rect class="bar"') == len(SAMPLE_KW) == 48
    assert f"{max(SAMPLE_KW)}" in words(text)
    assert "14:00–14:30" in words(text), "where the highest one stands"
    assert SAMPLE_KW.index(max(SAMPLE_KW)) == 28


# --- the brake ------------------------------------------------------------------------------------------


def test_a_pace_counts_each_origin_and_forgets() -> None:
    clock = ManualClock(NOW)
    pace = Pace(clock, 2, timedelta(hours=1))
    assert [pace.take("a"), pace.take("a"), pace.take("a"), pace.take("b")] == [True, True, False, True]
    clock.advance(timedelta(minutes=59))
    assert not pace.take("a"), "what was refused did not count, and what was done still does"
    clock.advance(timedelta(minutes=2))
    assert pace.take("a")


def test_a_pace_outlives_a_clock_that_was_set_back() -> None:
    clock = ManualClock(NOW)
    pace = Pace(clock, 1, timedelta(hours=1))
    assert pace.take("a")
    clock.advance(timedelta(days=-3))
    assert pace.take("a"), "nobody waits for a time that has been already"


def test_printing_has_a_brake(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.COUNTER) as place:
        pace = Pace(place.clock, 0, PACES["paper"][1])
        place.app.state.paces = {**dict.fromkeys(PACES, pace)}
        refused = place.visitor().get("/forms/application/blank")
        assert refused.status_code == 429
        assert "しばらくたってから" in words(refused.text)
