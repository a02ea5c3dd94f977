"""The lists of the staff: worklist, search, calendar, letters. Nobody stands in them in full."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from desk_help import erase, put_case
from desk_site import COUNTER, NORTH, POINTS, SOUTH, START, STORY, STRANGER, SUPERVISOR, brought_to, drafted
from desk_web import DeskPlace, desk_place
from people_site import NAMES
from staff_site import CASES, PERSONAL, furnished, words

from koatsu.desk import Case, Event, State
from koatsu.people import Role
from paper import squeezed, text_of

STAFF = (Role.COUNTER, Role.WORKS, Role.SUPERVISOR, Role.AUDITOR, Role.OWNER)
#: What leads a draft to a survey in this week.
SURVEYED = [(event, given) for event, _, given, _ in STORY[:4]]
LISTS = (
    "/",
    "/search?q=株式会社",
    "/search?q=0004",
    "/calendar",
    "/letters",
    "/letters?printed=yes",
    "/intake",
)
FILES = ("/worklist.csv", "/worklist.xlsx")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DeskPlace, Mapping[State, Case]]]:
    """An ordinary Wednesday, which these tests only look at."""
    with desk_place(tmp_path_factory.mktemp("whole")) as place:
        yield place, furnished(place)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[DeskPlace]:
    with desk_place(tmp_path) as place:
        place.clock.set(START)
        yield place


def rows(text: str) -> list[str]:
    """The lines of a list of cases, as they are read."""
    body = re.search(r'<table class="cards-table">.*?</table>', text, re.DOTALL)
    return [words(row) for row in re.findall(r"<tr>.*?</tr>", body[0], re.DOTALL)[1:]] if body else []


def numbers(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="(?:/en)?/case/([^"]+)"', text)


# --- privacy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", STAFF)
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_no_list_names_anybody_in_full(
    whole: tuple[DeskPlace, Mapping[State, Case]], role: Role, prefix: str
) -> None:
    place, _ = whole
    visitor = place.visitor(role)
    hidden = (*PERSONAL, *(name.replace("株式会社", "").strip() for name, _, _ in CASES), *POINTS)
    for path in LISTS:
        answer = visitor.get(prefix + path)
        if path == "/intake" and role in (Role.WORKS, Role.AUDITOR):
            assert answer.status_code == 403
            continue
        assert answer.status_code == 200, path
        for name in hidden:
            assert name not in answer.text, (path, name)
    text = visitor.get("/worklist.csv").text
    cells = [str(cell.value) for row in book(visitor.get("/worklist.xlsx").content) for cell in row]
    for name in hidden:
        assert name not in text
        assert name not in cells


def book(content: bytes) -> list[tuple[openpyxl.cell.Cell, ...]]:
    return list(openpyxl.load_workbook(io.BytesIO(content)).worksheets[0].rows)


def test_other_offices_are_not_there(place: DeskPlace) -> None:
    brought_to(place.desk, State.SURVEY, POINTS[1])
    south = drafted(place.desk, POINTS[30], STRANGER)
    for event, given in SURVEYED:
        place.desk.cases.act(STRANGER, south.id, event, given)
    counter, supervisor = place.visitor(Role.COUNTER), place.visitor(Role.SUPERVISOR)
    for path in ("/", "/search?q=青葉", "/calendar", "/letters", "/worklist.csv"):
        assert "HB-2026-00003" not in counter.get(path).text, path
        assert "HB-2026-00003" in supervisor.get(path).text, path
    assert "HB-2026-00003" not in supervisor.get(f"/?office={NORTH}").text
    assert "HB-2026-00003" in supervisor.get(f"/?office={SOUTH}").text
    assert 'name="office"' in supervisor.get("/").text
    assert 'name="office"' not in counter.get("/").text, "there is nothing to choose"
    assert counter.get(f"/?office={SOUTH}").status_code == 200
    assert "HB-2026-00003" not in counter.get(f"/?office={SOUTH}").text


@pytest.mark.parametrize("path", ["/", "/search", "/calendar", "/letters", "/intake", "/worklist.csv"])
def test_customers_and_strangers_are_not_let_in(
    whole: tuple[DeskPlace, Mapping[State, Case]], path: str
) -> None:
    place, _ = whole
    answer = place.visitor(Role.CUSTOMER).get(path)
    assert answer.status_code in (403, 303)
    assert answer.headers.get("location") in (None, "/my")
    assert place.visitor().get(path).headers["location"].startswith(("/login", "/help"))


# --- the worklist ---------------------------------------------------------------------------------------


def test_the_worklist_says_what_is_due_and_what_comes_next(
    whole: tuple[DeskPlace, Mapping[State, Case]],
) -> None:
    place, cases = whole
    text = place.visitor(Role.COUNTER).get("/").text
    shown = rows(text)
    bands = [row.split()[0] for row in shown if "HB-" not in row]
    assert bands == ["期限を過ぎています", "きょう", "7", "その先", "期限なし"]
    line = next(row for row in shown if cases[State.CONNECTION_CHECK].number in row)
    said = "青●●● 株式会社 07-····-····-····-····-0004 接続確認 確認の結果を記録する 7 日超過 窓口 椿"
    assert line == f"HB-2026-00004 {said}"
    assert '<span class="badge caution">7\u00a0日超過</span>' in text
    assert '<span class="badge info">きょう</span>' in text
    returned = next(row for row in shown if "差し戻し" in row)
    assert "お客さまの番です。" in returned
    english = rows(place.visitor(Role.COUNTER).get("/en/").text)
    assert any("Record what was checked 7 d late" in row for row in english)


def test_filters_count_and_show_the_same(whole: tuple[DeskPlace, Mapping[State, Case]]) -> None:
    place, _ = whole
    for role in (Role.COUNTER, Role.SUPERVISOR):
        visitor = place.visitor(role)
        filters = re.search(r'<nav class="seg filters".*?</nav>', visitor.get("/").text, re.DOTALL)
        assert filters is not None
        found = re.findall(r'href="([^"]+)".*?<span class="n">(\d+)</span>', filters[0])
        assert [path for path, _ in found] == ["/", "/?turn=mine", "/?turn=late", "/?turn=customer"]
        for path, count in found:
            assert len(numbers(visitor.get(path).text)) == int(count), path


def test_each_state_is_a_list_with_its_counter(whole: tuple[DeskPlace, Mapping[State, Case]]) -> None:
    place, cases = whole
    visitor = place.visitor(Role.SUPERVISOR)
    counters = re.findall(
        r'<a href="(/\?state=(\w+))"[^>]*>[^<]*</a></th>.*?class="num">(\d+)<',
        visitor.get("/").text,
        re.DOTALL,
    )
    assert {state for _, state, _ in counters} == {one.value for one in State} - {
        State.IN_SERVICE, State.ENDED, State.REFUSED
    }  # fmt: skip
    for path, state, count in counters:
        page = visitor.get(path).text
        assert len(numbers(page)) == int(count)
        assert "だけを表示しています" in words(page)
        if State(state) in cases:
            assert cases[State(state)].number in page
    assert cases[State.ENDED].number in visitor.get("/?state=ended").text


def test_words_of_an_address_that_are_none_are_left_out(
    whole: tuple[DeskPlace, Mapping[State, Case]],
) -> None:
    place, _ = whole
    visitor = place.visitor(Role.SUPERVISOR)
    plain = numbers(visitor.get("/").text)
    for query in (
        "turn=x",
        "state=x",
        "office=x",
        "page=x",
        "page=0",
        "page=-1",
        "page=٣",
        "page=9999999999",
    ):
        assert numbers(visitor.get(f"/?{query}").text) == plain, query
    assert numbers(visitor.get("/?page=999").text) == []


def test_long_lists_have_pages_and_files_have_everything(place: DeskPlace) -> None:
    for _ in range(60):
        put_case(place.desk, State.CHECKING, POINTS[3])
    visitor = place.visitor(Role.COUNTER)
    first, second = visitor.get("/?state=checking"), visitor.get("/?state=checking&page=2")
    assert [len(numbers(page.text)) for page in (first, second)] == [50, 10]
    assert not set(numbers(first.text)) & set(numbers(second.text))
    assert "60 件のうち 51–60 件目" in words(second.text)
    assert 'href="/?state=checking&amp;page=2" rel="next"' in first.text
    assert 'href="/?state=checking" rel="prev"' in second.text
    assert len(visitor.get("/worklist.csv?state=checking&page=2").text.splitlines()) == 61
    assert len(book(visitor.get("/worklist.xlsx?state=checking").content)) == 61


def test_the_files_say_what_the_list_says(whole: tuple[DeskPlace, Mapping[State, Case]]) -> None:
    place, cases = whole
    visitor = place.visitor(Role.COUNTER)
    answer = visitor.get("/worklist.csv?turn=late")
    assert answer.headers["content-disposition"] == 'attachment; filename="koatsu_worklist_2026-07-15.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [line["案件"] for line in lines] == numbers(visitor.get("/?turn=late").text)
    line = next(line for line in lines if line["案件"] == cases[State.CONNECTION_CHECK].number)
    assert line == {
        "案件": "HB-2026-00004",
        "状態": "接続確認",
        "つぎにすること": "確認の結果を記録する",
        "期限": "2026-07-08",
        "お客さま": "青●●● 株式会社",
        "供給地点": "07-····-····-····-····-0004",
        "事業所": "北営業所",
        "担当": NAMES[Role.COUNTER],
        "受付日": "2026-06-24",
    }
    excel = visitor.get("/en/worklist.xlsx?turn=late")
    assert excel.headers["content-type"].startswith("application/vnd.openxmlformats")
    head, *body = [[cell.value for cell in row] for row in book(excel.content)]
    assert head[:3] == ["Case", "State", "Next step"]
    assert [row[0] for row in body] == [line["案件"] for line in lines]


def test_a_name_that_looks_like_a_formula_is_text(place: DeskPlace) -> None:
    drafted(place.desk, POINTS[1], customer_name="=1+1")
    assert "'=●●●" in place.visitor(Role.COUNTER).get("/worklist.csv").text
    cells = [cell for row in book(place.visitor(Role.COUNTER).get("/worklist.xlsx").content) for cell in row]
    assert [cell.data_type for cell in cells if cell.value == "=●●●"] == ["s"]


def test_works_of_this_week_and_letters_stand_beside_the_list(
    whole: tuple[DeskPlace, Mapping[State, Case]],
) -> None:
    place, cases = whole
    text = place.visitor(Role.COUNTER).get("/").text
    week = re.search(r'<ul class="week-feed">.*?</ul>', text, re.DOTALL)
    assert week is not None
    assert f"/case/{cases[State.WORKS_PLANNED].number}" in week[0]
    assert '<span class="badge caution">停電 14:00–14:30</span>' in week[0]
    assert f"印刷を待つ書面 {place.desk.notices.waiting(COUNTER)}" in words(text)


def test_an_empty_desk_says_what_to_do(tmp_path: Path) -> None:
    with desk_place(tmp_path, Role.COUNTER) as place:
        counter = place.visitor(Role.COUNTER)
        page = counter.get("/")
        assert "いま、することのある案件はありません。" in words(page.text)
        assert 'href="/intake"' in page.text
        assert "今週は、もう工事の予定がありません。" in words(page.text)
        assert "印刷を待つ書面はありません。" in words(counter.get("/letters").text)
        assert "0 件、うち停電" in words(counter.get("/calendar").text)


def test_the_intake_is_offered_to_those_who_may(whole: tuple[DeskPlace, Mapping[State, Case]]) -> None:
    place, _ = whole
    for role in STAFF:
        may = role in (Role.COUNTER, Role.SUPERVISOR, Role.OWNER)
        assert ('href="/intake"' in place.visitor(role).get("/").text) is may


# --- search ---------------------------------------------------------------------------------------------


def test_a_case_is_found_by_everything_that_is_known_of_it(
    whole: tuple[DeskPlace, Mapping[State, Case]],
) -> None:
    place, cases = whole
    visitor = place.visitor(Role.COUNTER)
    case = cases[State.CHECKING]
    assert visitor.get(f"/search?q={case.number.lower()}").headers["location"] == f"/case/{case.number}"
    for text in ("なぎさ水産", "ナギサ水産", "0009", "07-0000-0000-0000-0000-0009"):
        assert case.number in numbers(visitor.get(f"/search?q={text}").text), text
    everything = visitor.get("/search?q=みどり 2-3-4").text
    assert len(numbers(everything)) == len(place.desk.lists.search(COUNTER, "みどり 2-3-4")) > 10
    for text in ("", "   ", "x" * 500, "%", "'; drop table", "\u0000"):
        assert visitor.get("/search", headers={}).status_code == 200
        assert visitor.request("GET", f"/search?q={text.encode().hex()}").status_code == 200


def test_what_is_not_there_leads_to_taking_it_in(whole: tuple[DeskPlace, Mapping[State, Case]]) -> None:
    place, _ = whole
    counter = place.visitor(Role.COUNTER)
    nothing = counter.get("/search?q=ありえない名前")
    assert "「ありえない名前」に当てはまる案件はありません。" in words(nothing.text)
    assert 'action="/intake"' not in nothing.text
    free = counter.get(f"/search?q={POINTS[18]}")
    assert 'action="/intake"' in free.text
    taken = counter.request(
        "POST", "/intake", data={"csrf": counter.secret("/intake"), "supply_point": POINTS[18]}
    )
    assert "北市みどり 19" in words(taken.text)
    works = place.visitor(Role.WORKS).get(f"/search?q={POINTS[18]}")
    assert 'action="/intake"' not in works.text


def test_what_is_searched_for_is_no_markup(whole: tuple[DeskPlace, Mapping[State, Case]]) -> None:
    place, _ = whole
    text = place.visitor(Role.COUNTER).get('/search?q="><script>x</script>').text
    assert "<script>x" not in text


# --- the calendar ---------------------------------------------------------------------------------------


def days(text: str) -> list[str]:
    week = re.search(r'<ol class="week">.*</ol>', text, re.DOTALL)
    assert week is not None
    return [words(one) for one in re.split(r'<li class="card', week[0])[1:]]


def test_the_calendar_shows_a_week_day_by_day(whole: tuple[DeskPlace, Mapping[State, Case]]) -> None:
    place, cases = whole
    visitor = place.visitor(Role.COUNTER)
    week = days(visitor.get("/calendar").text)
    assert len(week) == 7
    assert "7月15日(水) きょう" in week[2]
    assert cases[State.WORKS_PLANNED].number in week[4]
    assert "13:00–15:00 端末の取付" in week[4]
    assert "停電 14:00–14:30" in week[4]
    assert cases[State.SUSPENDED].number in week[3]
    assert "停電なし" in week[3]
    assert "休業日" in week[5]
    assert "Terminal installation" in days(visitor.get("/en/calendar").text)[4]


def test_other_weeks_are_one_step_away(whole: tuple[DeskPlace, Mapping[State, Case]]) -> None:
    place, _ = whole
    visitor = place.visitor(Role.COUNTER)
    page = visitor.get("/calendar").text
    assert 'href="/calendar?week=2026-07-06" rel="prev"' in page
    assert 'href="/calendar?week=2026-07-20" rel="next"' in page
    later = visitor.get("/calendar?week=2026-07-23").text
    assert "7月20日(月)" in days(later)[0]
    assert "休業日" in days(later)[0], "a public holiday: the Day of the Sea"
    assert '<a href="/calendar">今週</a>' in later
    for query in ("week=x", "week=9999-12-31", "week=0001-01-01", "week=2026-13-01", "week="):
        assert days(visitor.get(f"/calendar?{query}").text) == days(page)


def test_what_is_done_stands_on_the_day_on_which_it_was_done(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.WORKS_PLANNED, POINTS[1])
    visitor = place.visitor(Role.WORKS)
    first = days(visitor.get("/calendar").text)
    assert case.number in first[2]
    assert "現地調査" in first[2]
    assert "完了" in first[2]
    planned = days(visitor.get("/calendar?week=2026-07-06").text)
    assert case.number in planned[4]


# --- letters --------------------------------------------------------------------------------------------


def test_letters_are_printed_and_that_is_noted(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.ACCEPTED, POINTS[1])
    counter = place.visitor(Role.COUNTER)
    page = counter.get("/letters")
    addresses = re.findall(r'action="(/letters/\d+)"', page.text)
    assert len(addresses) == 2
    printed = counter.send(addresses[0], "/letters")
    assert printed.status_code == 200
    assert printed.headers["content-type"] == "application/pdf"
    assert printed.headers["content-disposition"].startswith("attachment; ")
    assert squeezed("青葉食品 株式会社") in text_of(printed.content)
    assert squeezed(case.number) in text_of(printed.content)
    assert len(re.findall(r'action="(/letters/\d+)"', counter.get("/letters").text)) == 1
    done = counter.get("/letters?printed=yes")
    assert f"2026-07-01 09:00 {NAMES[Role.COUNTER]}" in words(done.text)
    assert "印刷 7月1日" in words(counter.get(f"/case/{case.number}").text)


def test_letters_of_others_are_not_printed(place: DeskPlace) -> None:
    south = brought_to(place.desk, State.SUBMITTED, POINTS[30])
    (letter,) = place.desk.notices.of_case(STRANGER, south.id)
    assert place.visitor(Role.COUNTER).send(f"/letters/{letter.id}", "/account").status_code == 404
    auditor = place.visitor(Role.AUDITOR)
    assert f"/letters/{letter.id}" not in auditor.get("/letters").text
    assert auditor.send(f"/letters/{letter.id}", "/account").status_code == 403
    for number in ("0", "999", "9" * 30):
        assert place.visitor(Role.SUPERVISOR).send(f"/letters/{number}", "/account").status_code == 404
    assert place.desk.notices.list(SUPERVISOR, printed=True) == []


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_a_character_that_cannot_be_printed_is_one_sentence(place: DeskPlace, prefix: str) -> None:
    case = drafted(place.desk, POINTS[1], customer_name="𓀀商店")
    place.desk.cases.act(COUNTER, case.id, Event.SUBMIT)
    (letter,) = place.desk.notices.of_case(COUNTER, case.id)
    counter = place.visitor(Role.COUNTER)
    answer = counter.send(f"{prefix}/letters/{letter.id}", f"{prefix}/letters")
    assert answer.status_code == 422
    assert "U+13000" in words(answer.text)
    assert ("customer's name" if prefix else "お客さまの名称") in words(answer.text)
    assert place.desk.notices.waiting(COUNTER) == 1


def test_a_letter_of_who_was_erased_is_not_offered(place: DeskPlace) -> None:
    case = brought_to(place.desk, State.SUBMITTED, POINTS[1])
    erase(place.desk, case)
    text = place.visitor(Role.COUNTER).get("/letters").text
    assert "消去済み" in words(text)
    assert 'action="/letters/' not in text


def test_more_works_than_fit_beside_the_list_are_counted(place: DeskPlace) -> None:
    for number in range(1, 11):
        made = drafted(place.desk, POINTS[number])
        for event, given in SURVEYED:
            place.desk.cases.act(COUNTER, made.id, event, given)
    sunday = START.date() + timedelta(days=6 - START.weekday())
    shown, whole = place.desk.lists.next_works(COUNTER, sunday, size=3)
    assert (len(shown), whole) == (3, 10)
    assert place.desk.lists.next_works(COUNTER, sunday, SOUTH) == ([], 0)
    page = words(place.visitor(Role.COUNTER).get("/").text)
    assert "ほかに 2 件" in page


def test_numbers_are_told_of_cases_that_one_sees(place: DeskPlace) -> None:
    north = brought_to(place.desk, State.SURVEY, POINTS[1])
    south = drafted(place.desk, POINTS[30], STRANGER)
    asked = [south.id, None, north.id, south.id, 999]
    assert place.desk.lists.numbers(STRANGER, asked) == {south.id: south.number}
    assert place.desk.lists.numbers(SUPERVISOR, asked) == {north.id: north.number, south.id: south.number}
    assert place.desk.lists.numbers(SUPERVISOR, [None]) == {}
