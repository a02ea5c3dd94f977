"""The shell of the desk: where it leads whom, what its bar shows, who belongs where, what a refusal says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pytest
from desk_site import CENTRE, NORTH, POINTS, SOUTH, drafted
from desk_web import NOW, DeskPlace, desk_place, ownerless_desk
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from people_site import NAMES, PASSWORD, Visitor

import koatsu.web.desk.app as desk_app
from koatsu.desk import Desk
from koatsu.desk.errors import (
    ChangedMeanwhileError,
    DeskError,
    DeskSettingError,
    ForbiddenError,
    InputError,
    NoStepError,
    RuleError,
    UnknownError,
)
from koatsu.desk.words import Words
from koatsu.errors import KoatsuError
from koatsu.people import CONSOLE, DESK_ROLES, Right, Role
from koatsu.web.access import Rule, needs
from koatsu.web.bodies import PLAIN_BYTES
from koatsu.web.desk import DeskFrame, DeskPages, actor_of, visitor_of
from koatsu.web.desk.app import TOLD
from koatsu.web.desk.navigation import DESK_ENTRIES
from koatsu.web.program import DemoLogin
from koatsu.web.texts import texts

STAFF = (Role.COUNTER, Role.WORKS, Role.SUPERVISOR, Role.AUDITOR, Role.OWNER)


class Worklist(DeskPages):
    """What stands at the start, for staff."""

    def __init__(self, desk: Desk, frame: DeskFrame) -> None:
        super().__init__(desk, frame)
        self.route("GET", "/", self.show, Right.DESK_READ)
        self.route("GET", "/my", self.show, Right.DESK_OWN)
        self.route("GET", "/help", self.show, None)
        self.route("GET", "/search", self.show, Right.DESK_READ)
        self.route("POST", "/cases/{case_id}/documents", self.take, None)

    def show(self, request: Request) -> Response:
        words = {"sentence": "ここ", "action": "", "action_url": "/"}
        return self.frame.show(request, "error.html", words, here="help")

    def take(self, case_id: int) -> Response:
        return self.to(f"/?taken={case_id}")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeskPlace]:
    """A desk whose pages are those above: the shell is tested, not what stands in it."""
    monkeypatch.setattr(desk_app, "PAGES", (Worklist,))
    with desk_place(tmp_path) as place:
        yield place


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    """A desk with all its pages."""
    with desk_place(tmp_path_factory.mktemp("whole")) as place:
        yield place


def words(text: str) -> str:
    """What a person reads of a page."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


# --- where it leads -------------------------------------------------------------------------------------


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_the_start_page_leads_each_to_what_is_theirs(place: DeskPlace, prefix: str) -> None:
    assert place.visitor().get(f"{prefix}/").headers["location"] == f"{prefix}/help"
    assert place.visitor(Role.CUSTOMER).get(f"{prefix}/").headers["location"] == f"{prefix}/my"
    for role in STAFF:
        assert place.visitor(role).get(f"{prefix}/").status_code == 200


def test_other_pages_ask_for_a_login_and_lead_back(place: DeskPlace) -> None:
    visitor = place.visitor()
    asked = visitor.get("/search?q=0431")
    assert asked.headers["location"] == "/login?next=/search%3Fq%3D0431"
    sent = visitor.send(asked.headers["location"], name=NAMES[Role.COUNTER], password=PASSWORD)
    assert sent.status_code == 303
    assert place.visitor(Role.CUSTOMER).get("/search").status_code == 403
    assert place.visitor(Role.COUNTER).get("/my").status_code == 403


def test_who_follows_a_link_from_elsewhere_keeps_the_login(place: DeskPlace) -> None:
    """A browser leaves the cookie out at first: neither is a colleague led to the questions for it."""
    answer = place.visitor().get("/", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text


def test_without_an_owner_staff_pages_lead_to_making_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_app, "PAGES", (Worklist,))
    with ownerless_desk(tmp_path) as place:
        visitor = place.visitor()
        assert visitor.get("/").headers["location"] == "/setup", "personal data is not for whoever sits there"
        assert visitor.get("/help").status_code == 200
        setup = visitor.get("/setup")
        assert "職員の画面" in words(setup.text)
        assert Visitor(place.app, peer="192.0.2.9").get("/setup").status_code == 403
        made = visitor.send("/setup", name="持ち主", password=PASSWORD, again=PASSWORD)
        assert made.headers["location"] == "/"
        assert visitor.get("/").status_code == 200


# --- the bar --------------------------------------------------------------------------------------------


def entries_of(visitor: Visitor, page: str) -> set[str]:
    """Where the bar leads."""
    nav = re.search(r'<nav class="nav".*?</nav>', visitor.get(page).text, re.DOTALL)
    return set(re.findall(r'href="([^"]+)"', nav[0])) if nav else set()


def test_the_bar_shows_everybody_their_own_pages(place: DeskPlace) -> None:
    manage = {"/people", "/tokens", "/audit"}
    assert entries_of(place.visitor(), "/help") == {"/help"}
    assert entries_of(place.visitor(Role.CUSTOMER), "/help") == {"/help", "/my"}
    for role in STAFF:
        expected = {"/", "/search", "/help"} | (manage if role is Role.OWNER else set())
        assert entries_of(place.visitor(role), "/help") == expected
    english = entries_of(place.visitor(Role.COUNTER), "/en/help")
    assert english == {"/en/", "/en/search", "/en/help"}


def test_the_other_language_shows_the_same_filter(place: DeskPlace) -> None:
    page = place.visitor(Role.COUNTER).get('/?turn=late&office="<b>&done=added').text
    assert 'href="/en/?turn=late&amp;office=%22%3Cb%3E"' in page


def test_staff_may_search_and_others_may_log_in(place: DeskPlace) -> None:
    public, customer, counter = place.visitor(), place.visitor(Role.CUSTOMER), place.visitor(Role.COUNTER)
    for visitor, searches, offered in (
        (public, False, True),
        (customer, False, False),
        (counter, True, False),
    ):
        page = visitor.get("/help").text
        assert ('role="search" action="/search"' in page) is searches
        assert ('class="log-in" href="/login"' in page) is offered
    assert 'class="log-in"' not in public.get("/login").text, "one is there"
    assert 'action="/en/search"' in counter.get("/en/help").text


def test_the_bar_says_whose_desk_this_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_app, "PAGES", (Worklist,))
    with desk_place(tmp_path, Role.COUNTER, utility=Words("青葉電力", "Aoba Power")) as place:
        assert "青葉電力 お客さま窓口" in place.visitor().get("/help").text
        assert "Aoba Power, customer service" in place.visitor().get("/en/help").text
        assert "青葉電力 受付デスク" in place.visitor(Role.COUNTER).get("/").text


def test_every_entry_asks_what_its_page_asks(whole: DeskPlace) -> None:
    """Nobody is shown a way that is closed to them, and nobody misses one that is open."""
    rules: dict[str, Right | None] = {}
    for route in whole.app.routes:
        if "GET" in (getattr(route, "methods", None) or ()):
            found = [one.call for one in route.dependant.dependencies if isinstance(one.call, Rule)]  # type: ignore[attr-defined]
            rules[route.path] = found[0].right  # type: ignore[attr-defined]
    for entry in DESK_ENTRIES:
        if entry.path not in rules:
            continue
        right = rules[entry.path]
        allowed = (None, Right.DESK_READ) if right is None else (right,)
        assert entry.right in allowed, f"{entry.path} asks for {right}"


def test_every_entry_has_a_name_in_both_languages() -> None:
    for entry in DESK_ENTRIES:
        assert texts("ja")(entry.words) != texts("en")(entry.words)
    keys = [(entry.key, entry.unless) for entry in DESK_ENTRIES]
    assert len(keys) == len(set(keys))


# --- the demo -------------------------------------------------------------------------------------------


def test_at_the_demo_one_press_logs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_app, "PAGES", (Worklist,))
    logins = [
        DemoLogin(role=role, name=NAMES[role], password=PASSWORD) for role in (Role.COUNTER, Role.WORKS)
    ]
    with desk_place(tmp_path, Role.COUNTER, Role.WORKS, demo=logins) as place:
        visitor = place.visitor()
        assert 'title="デモです。' in visitor.get("/help").text
        page = visitor.get("/login?next=/search").text
        forms = re.findall(r'<form method="post" action="/login">(.*?)</form>', page, re.DOTALL)
        assert len(forms) == len(logins)
        fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', forms[1]))
        answer = visitor.request("POST", "/login", data=fields)
        assert answer.headers["location"] == "/search"
        assert NAMES[Role.WORKS] in visitor.get("/help").text


def test_without_the_demo_nobody_is_offered(place: DeskPlace) -> None:
    visitor = place.visitor()
    assert "logins" not in visitor.get("/login").text
    assert 'class="badge idle demo"' not in visitor.get("/help").text


# --- who acts -------------------------------------------------------------------------------------------


def test_the_actor_of_a_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    router = APIRouter()

    @router.get("/who", dependencies=[needs(None)])
    def who(request: Request) -> JSONResponse:
        one = visitor_of(request)
        told = None if one is None else [one.reference, one.role, one.office, one.customer is not None]
        return JSONResponse(told)

    @router.get("/act", dependencies=[needs(None)])
    def act(request: Request) -> JSONResponse:
        return JSONResponse(actor_of(request).reference)

    monkeypatch.setattr(desk_app, "PAGES", ())
    with desk_place(tmp_path) as place:
        place.app.include_router(router)
        assert place.visitor().get("/who").json() is None
        assert place.visitor().get("/act").headers["location"] == "/login?next=/act"
        expected = {
            Role.COUNTER: [NORTH, False],
            Role.WORKS: [NORTH, False],
            Role.SUPERVISOR: [None, False],
            Role.AUDITOR: [None, False],
            Role.OWNER: [None, False],
            Role.CUSTOMER: [None, True],
        }
        for role in DESK_ROLES:
            reference = f"person:{place.person(role)}"
            visitor = place.visitor(role)
            assert visitor.get("/who").json() == [reference, role, *expected[role]]
            assert visitor.get("/act").json() == reference
        secret, token = place.people.make_token(CONSOLE, "月次", Role.COUNTER, 3)
        program = place.visitor()
        program.headers["Authorization"] = f"Bearer {secret}"
        assert program.get("/who").json() == [token.reference, Role.COUNTER, "", False]


# --- looking after people -------------------------------------------------------------------------------


def test_the_desk_offers_the_roles_of_the_desk(place: DeskPlace) -> None:
    owner = place.visitor(Role.OWNER)
    for page in ("/people", f"/people/{place.person(Role.WORKS)}"):
        assert re.findall(r'name="role" value="(\w+)"', owner.get(page).text) == list(DESK_ROLES)
    offered = re.findall(r'name="role" value="(\w+)"', owner.get("/tokens").text)
    assert offered == [role for role in DESK_ROLES if role is not Role.CUSTOMER]
    assert owner.send("/people", name="だれか", password=PASSWORD, role="viewer").status_code == 422
    refused = owner.send("/tokens", do="make", label="x", role="customer", days="30")
    assert refused.status_code == 422
    assert place.people.tokens() == []


def test_staff_are_given_an_office(place: DeskPlace) -> None:
    owner = place.visitor(Role.OWNER)
    added = owner.send("/people", name="新人 葵", password=PASSWORD, role="counter")
    page = added.headers["location"]
    number = place.people.find("新人 葵").id
    assert page == f"/people/{number}?done=added", "the next step: where does this person belong?"
    shown = owner.get(page).text
    assert "新人 葵 を追加しました。" in words(shown)
    assert re.findall(r'<option value="([^"]*)"( selected)?', shown) == [
        ("", " selected"), (CENTRE, ""), (NORTH, ""), (SOUTH, ""), ("*", ""),
    ]  # fmt: skip
    assert "まだ決まっていません" in words(owner.get("/people").text)
    placed = owner.send(f"/people/{number}", do="place", place=SOUTH)
    assert placed.headers["location"] == f"/people/{number}?done=placed"
    assert place.desk.staff.offices()[number] == SOUTH
    assert "南営業所" in words(owner.get("/people").text)
    assert owner.send(f"/people/{number}", do="place", place="*").status_code == 303
    assert place.desk.staff.offices()[number] is None
    head = place.people.audit.head()
    unknown = owner.send(f"/people/{number}", do="place", place="nowhere")
    assert unknown.status_code == 422
    assert 'id="place-wrong"' in unknown.text
    assert "一覧にある事業所" in words(unknown.text)
    assert (place.people.audit.head(), place.desk.staff.offices()[number]) == (head, None)
    entry = place.people.audit.entries(2)[1]
    assert (entry.action, entry.subject, entry.detail) == (
        "person_placed",
        f"person:{number}",
        {"office": SOUTH},
    )
    assert "見える範囲を変更" in words(owner.get("/audit").text)


def test_a_customer_is_given_their_cases(place: DeskPlace) -> None:
    owner = place.visitor(Role.OWNER)
    case = drafted(place.desk, POINTS[1])
    owner.send("/people", name="お客 太郎", password=PASSWORD, role="customer")
    number = place.people.find("お客 太郎").id
    assert "案件がまだありません" in words(owner.get("/people").text)
    for wrong, sentence in (("", "案件の番号を入力してください"), ("HB-1999-00001", "その案件はありません")):
        answer = owner.send(f"/people/{number}", do="place", place=wrong)
        assert answer.status_code == 422
        assert sentence in words(answer.text)
        assert f'value="{wrong}"' in answer.text, "what was typed stays"
    assert place.desk.staff.customer_of(number) is None
    assert owner.send(f"/people/{number}", do="place", place=f" {case.number.lower()} ").status_code == 303
    assert place.desk.staff.customer_of(number) == case.customer
    assert case.number in words(owner.get("/people").text)
    assert case.number in words(owner.get(f"/people/{number}").text)


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.OWNER])
def test_who_sees_every_office_is_not_asked_for_one(place: DeskPlace, role: Role) -> None:
    page = place.visitor(Role.OWNER).get(f"/people/{place.person(role)}").text
    assert "すべての事業所の案件が見えます" in words(page)
    assert 'value="place"' not in page


# --- what is refused ------------------------------------------------------------------------------------

_SAID = Words("それはできません。", "That cannot be done.")
_THEN = Words("こうしてください。", "Do this.")
ERRORS: dict[type[KoatsuError], Callable[[], DeskError]] = {
    DeskError: lambda: DeskError(_SAID, _THEN),
    UnknownError: lambda: UnknownError(_SAID, _THEN),
    ForbiddenError: lambda: ForbiddenError(_SAID, _THEN),
    InputError: lambda: InputError(
        {"works_on": Words("それはできません。こうしてください。", "That cannot be done. Do this.")}
    ),
    NoStepError: lambda: NoStepError(_SAID, _THEN),
    RuleError: lambda: RuleError("free.of_charge", _SAID, _THEN),
    ChangedMeanwhileError: lambda: ChangedMeanwhileError(_SAID, "person:3", NOW),
    DeskSettingError: lambda: DeskSettingError(_SAID, _THEN),
}


def test_every_error_of_the_desk_has_its_answer() -> None:
    def below(kind: type[DeskError]) -> set[type[DeskError]]:
        return {kind}.union(*(below(one) for one in kind.__subclasses__()))

    assert set(TOLD) == set(ERRORS)
    assert {kind.__module__ for kind in below(DeskError)} >= {"koatsu.desk.errors", "koatsu.desk.database"}
    told = {kind for kind in below(DeskError) if kind.__module__ == "koatsu.desk.errors"}
    assert told == set(TOLD), "a kind of its own has a status of its own"


@pytest.mark.parametrize("kind", ERRORS)
def test_a_refusal_is_one_sentence_with_a_way_back(place: DeskPlace, kind: type[KoatsuError]) -> None:
    router = APIRouter()

    @router.get("/refused", dependencies=[needs(Right.DESK_READ)])
    @router.get("/en/refused", dependencies=[needs(Right.DESK_READ)])
    def refused() -> HTMLResponse:
        raise ERRORS[kind]()

    place.app.include_router(router)
    visitor = place.visitor(Role.COUNTER)
    status, code = TOLD[kind]
    error = ERRORS[kind]()
    for prefix, lang in (("", "ja"), ("/en", "en")):
        page = visitor.get(
            f"{prefix}/refused", headers={"Referer": f"http://127.0.0.1:8028{prefix}/search?q=1"}
        )
        assert page.status_code == status
        assert error.text(lang) in words(page.text)
        assert page.text.count("<h1>") == 1
        assert f'href="{prefix}/search?q=1"' in page.text
    program = visitor.get("/refused", headers={"Accept": "text/event-stream"})
    assert program.status_code == status
    assert program.json()["error"] == {"code": code, "ja": error.text("ja"), "en": error.text("en")}


def test_a_store_that_cannot_be_read_is_told_to_staff_alone(place: DeskPlace) -> None:
    router = APIRouter()

    @router.get("/read", dependencies=[needs(None)])
    def read() -> HTMLResponse:
        with place.desk.database.reading():
            raise AssertionError("it is closed")

    place.app.include_router(router)
    visitors = place.visitor(), place.visitor(Role.CUSTOMER), place.visitor(Role.COUNTER)
    assert visitors[0].get("/healthz").json() == {"status": "ok", "reasons": []}
    place.desk.close()
    for visitor in visitors:
        page = visitor.get("/read")
        assert page.status_code == 503
        assert ("desk.db" in page.text) is (visitor is visitors[2])
    health = visitors[0].get("/healthz")
    assert (health.status_code, health.json()["reasons"]) == (503, [{"code": "desk_store"}])


def test_a_page_that_breaks_says_so_in_the_words_of_the_desk(
    place: DeskPlace, caplog: pytest.LogCaptureFixture
) -> None:
    router = APIRouter()

    @router.get("/broken", dependencies=[needs(None)])
    def broken() -> HTMLResponse:
        raise RuntimeError("secret")

    place.app.include_router(router)
    page = place.visitor().get("/broken")
    assert page.status_code == 500
    assert "受け付けた内容は保存されています" in words(page.text)
    assert "計量" not in words(page.text)
    assert "secret" not in page.text
    assert "/broken could not be made" in caplog.text


# --- files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("limit", "shown"), [(1_048_576, "1"), (10 * 1024**2, "10"), (1_572_864, "1.5")])
def test_documents_take_what_the_settings_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, shown: str
) -> None:
    monkeypatch.setattr(desk_app, "PAGES", (Worklist,))
    with desk_place(tmp_path, Role.COUNTER, document_bytes=limit) as place:
        visitor = place.visitor(Role.COUNTER)
        secret = {"X-CSRF-Token": visitor.secret("/account")}
        fits = visitor.request("POST", "/cases/1/documents", content=b"x" * limit, headers=secret)
        assert fits.headers["location"] == "/?taken=1"
        large = b"x" * (limit + PLAIN_BYTES + 1)
        for prefix, sentence in (("", f"{shown} MB までのファイルを送れます"), ("/en", f"up to {shown} MB")):
            refused = visitor.request("POST", f"{prefix}/cases/1/documents", content=large, headers=secret)
            assert refused.status_code == 413
            assert sentence in words(refused.text).replace("\u00a0", " ")
        elsewhere = visitor.request("POST", "/account", content=b"x" * (PLAIN_BYTES + 1), headers=secret)
        assert elsewhere.status_code == 413
        assert "MB" not in words(elsewhere.text)
