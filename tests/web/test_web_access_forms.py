"""Forms: who may send them, what a browser is told, and that nothing odd gets through or breaks the pages."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import AsyncGenerator, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from hypothesis import given
from hypothesis import strategies as st
from people_site import HOME, NAMES, PASSWORD, HandClock, Visitor, app_over, people_in
from starlette.requests import Request
from web_site import FixtureSite

from koatsu.ems.store import StoreError, StoreErrorKind
from koatsu.ems.view_models import SiteView
from koatsu.people import CONSOLE, SESSION_IDLE, LoginKind, People, Right, Role
from koatsu.web import create_app
from koatsu.web.access import Access, while_admitted
from koatsu.web.bodies import IMPORT_BYTES, PLAIN_BYTES
from koatsu.web.forms import safe_next


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def people(tmp_path: Path, clock: HandClock) -> Iterator[People]:
    with people_in(tmp_path, clock, *Role) as people:
        yield people


@pytest.fixture
def app(people: People) -> FastAPI:
    return app_over(people)


@pytest.fixture
def owner(app: FastAPI) -> Visitor:
    visitor = Visitor(app)
    assert visitor.log_in(Role.OWNER).status_code == 303
    return visitor


def words(text: str) -> str:
    """What a person reads of a page."""
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


def person(people: People, role: Role) -> int:
    return next(one.id for one in people.people() if one.role is role)


# --- forged forms -----------------------------------------------------------------------------------------

FORMS = {
    "/people": {"name": "新しい人", "password": PASSWORD, "role": "viewer"},
    "/people/2": {"do": "role", "role": "owner"},
    "/tokens": {"do": "make", "label": "x", "role": "viewer", "days": "30"},
    "/account": {"do": "leave"},
    "/logout": {},
}


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize(
    ("what", "headers"),
    [
        ("no secret", {}),
        ("another's secret", {}),
        ("a foreign page", {"Origin": "https://evil.example"}),
        ("another port", {"Origin": "http://127.0.0.1:8029"}),
        ("no origin that can be told", {"Origin": "null"}),
        ("nothing said", {"Origin": None}),
        ("a foreign page, by fetch metadata", {"Origin": None, "Sec-Fetch-Site": "cross-site"}),
        ("a neighbour, by fetch metadata", {"Origin": None, "Sec-Fetch-Site": "same-site"}),
        ("a foreign page, by referer", {"Origin": None, "Referer": "https://evil.example/127.0.0.1:8028"}),
        ("a bearer token of nobody", {"Origin": None, "Authorization": "Bearer koatsu_x"}),
    ],
)
def test_a_forged_form_changes_nothing(
    owner: Visitor, people: People, path: str, what: str, headers: dict[str, str | None]
) -> None:
    secret = owner.secret("/account")
    assert secret
    if what == "no secret":
        secret = ""
    if what == "another's secret":
        other = Visitor(owner._app)
        other.log_in(Role.VIEWER)
        secret = other.secret("/account")
    before = people.audit.head()
    for prefix, nothing in (("", "何も変わっていません。"), ("/en", "Nothing was changed.")):
        answer = owner.request("POST", prefix + path, data={"csrf": secret, **FORMS[path]}, headers=headers)
        assert answer.status_code == (401 if "Authorization" in headers else 403)
        assert people.audit.head() == before
        if answer.status_code == 403:
            assert nothing in words(answer.text)
            assert answer.text.count("<h1>") == 1
    assert owner.get("/account").status_code == 200, "and the session goes on"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": HOME},
        {"Origin": None, "Sec-Fetch-Site": "same-origin"},
        {"Origin": None, "Referer": f"{HOME}/tokens"},
    ],
)
def test_our_own_forms_pass(owner: Visitor, headers: dict[str, str | None]) -> None:
    data = {"csrf": owner.secret("/tokens"), **FORMS["/tokens"]}
    assert owner.request("POST", "/tokens", data=data, headers=headers).status_code == 200


def test_a_forged_login_is_no_login(app: FastAPI) -> None:
    visitor = Visitor(app)
    data = {"name": NAMES[Role.OWNER], "password": PASSWORD}
    assert visitor.request("POST", "/login", data=data).status_code == 403
    visitor.get("/login")
    assert visitor.request("POST", "/login", data=data | {"csrf": "x"}).status_code == 403
    assert visitor.get("/").status_code == 303


def test_a_program_needs_no_secret_and_no_origin(app: FastAPI, people: People) -> None:
    secret, _ = people.make_token(CONSOLE, "program", Role.OWNER)
    visitor = Visitor(app)
    headers: dict[str, str | None] = {"Authorization": f"Bearer {secret}", "Origin": None}
    answer = visitor.request("POST", "/people/2", data={"do": "role", "role": "operator"}, headers=headers)
    assert answer.status_code == 303
    assert people.audit.entries(1)[0].author.startswith("token:")


@pytest.mark.parametrize("host", ["evil.example:8028", "127.0.0.1.evil.example", "ems.example.jp"])
def test_a_wrong_name_is_refused_before_anything_else(owner: Visitor, people: People, host: str) -> None:
    before = people.audit.head()
    data = {"csrf": owner.secret("/tokens"), **FORMS["/tokens"]}
    answer = owner.request("POST", "/tokens", data=data, headers={"Host": host, "Origin": f"http://{host}"})
    assert answer.status_code == 400
    assert people.audit.head() == before


def test_names_of_the_settings_are_ours(people: People) -> None:
    app = app_over(people, names=["EMS.example.jp"], secure=True)
    visitor = Visitor(app, base="https://ems.example.jp")
    assert visitor.log_in(Role.VIEWER).status_code == 303
    assert visitor.get("/").status_code == 200
    assert Visitor(app, base="https://other.example.jp").get("/healthz").status_code == 400


def test_the_address_that_was_asked_is_ours(people: People) -> None:
    visitor = Visitor(app_over(people), base="http://192.0.2.5:8028", peer="192.0.2.77")
    assert visitor.log_in(Role.VIEWER).status_code == 303
    assert visitor.get("/healthz", headers={"Host": "192.0.2.6:8028"}).status_code == 400


# --- logging in -------------------------------------------------------------------------------------------


def flags(answer_headers: list[str], name: str) -> set[str]:
    """What a cookie is set with, apart from its value."""
    found = [line for line in answer_headers if line.startswith(f"{name}=")]
    assert len(found) == 1, answer_headers
    return {part.strip().lower() for part in found[0].split(";")[1:]}


@pytest.mark.parametrize(
    ("base", "secure", "name"),
    [
        (HOME, False, "koatsu_8028"),
        ("http://localhost", False, "koatsu"),
        ("https://127.0.0.1:8443", False, "__Host-koatsu_8443"),
        ("https://ems.example.jp", True, "__Host-koatsu"),
        ("http://127.0.0.1:8028", True, "__Host-koatsu_8028"),
    ],
)
def test_cookies_of_a_session(people: People, base: str, secure: bool, name: str) -> None:
    visitor = Visitor(app_over(people, secure=secure, names=["ems.example.jp"]), base=base)
    shown = visitor.get("/login")
    encrypted = secure or base.startswith("https")
    wanted = {"httponly", "samesite=strict", "path=/"} | ({"secure"} if encrypted else set())
    assert flags(shown.headers.get_list("set-cookie"), f"{name}_form") == wanted
    data = {"csrf": re.findall(r'name="csrf" value="([^"]+)"', shown.text)[0]}
    data |= {"name": NAMES[Role.VIEWER], "password": PASSWORD}
    cookie = {"Cookie": f"{name}_form={data['csrf']}", "Origin": base if not secure else None}
    if secure:
        cookie["Sec-Fetch-Site"] = "same-origin"
    answer = visitor.request("POST", "/login", data=data, headers=cookie)
    assert answer.status_code == 303
    assert flags(answer.headers.get_list("set-cookie"), name) == wanted | {"max-age=1209600"}
    assert ("strict-transport-security" in answer.headers) == (encrypted and "example" in base)


def test_logging_out_ends_the_session_and_drops_the_cookie(app: FastAPI, owner: Visitor) -> None:
    secret = owner.cookies.get("koatsu_8028")
    assert secret
    answer = owner.send("/logout", page="/account")
    assert answer.headers["location"] == "/login"
    assert "max-age=0" in flags(answer.headers.get_list("set-cookie"), "koatsu_8028")
    again = Visitor(app)
    assert again.get("/", headers={"Cookie": f"koatsu_8028={secret}"}).status_code == 303


def test_logging_out_everywhere(app: FastAPI, owner: Visitor) -> None:
    elsewhere = Visitor(app)
    elsewhere.log_in(Role.OWNER)
    assert owner.send("/account", do="leave").headers["location"] == "/login"
    assert elsewhere.get("/").headers["location"] == "/login"


def test_a_login_replaces_the_session_before_it(app: FastAPI, owner: Visitor) -> None:
    before = owner.cookies.get("koatsu_8028")
    shown = owner.get("/login")
    assert shown.status_code == 303, "who is logged in is led on"
    owner.send("/login", page="/account", name=NAMES[Role.VIEWER], password=PASSWORD)
    assert Visitor(app).get("/", headers={"Cookie": f"koatsu_8028={before}"}).status_code == 303
    assert owner.get("/people").status_code == 403


def test_ten_wrong_passwords_lock_out_for_a_while(app: FastAPI, clock: HandClock) -> None:
    visitor = Visitor(app)
    answers = [visitor.log_in(Role.OPERATOR, "not the password") for _ in range(10)]
    assert [answer.status_code for answer in answers[:4]] == [403] * 4
    assert answers[-1].status_code == 429
    assert "パスワードの誤りが続いたため、" in words(answers[-1].text)
    assert 'id="password-wrong"' in answers[-1].text
    assert visitor.log_in(Role.OPERATOR).status_code == 429, "even with the right one"
    english = visitor.send("/en/login", name=NAMES[Role.OPERATOR], password="x")
    assert "Too many wrong passwords: try again at" in words(english.text)
    clock.advance(minutes=16)
    assert visitor.log_in(Role.OPERATOR).status_code == 303


def test_a_flood_of_logins_is_refused_with_a_sentence(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("koatsu.web.accounts._WAITING", 0)
    answer = Visitor(app).log_in(Role.VIEWER)
    assert answer.status_code == 503
    assert "ログインが混み合っています。" in words(answer.text)


def test_a_name_that_nobody_has_is_not_told(app: FastAPI) -> None:
    def answer(name: str) -> tuple[int, str]:
        visitor = Visitor(app)
        got = visitor.send("/login", name=name, password="wrong")
        return got.status_code, re.sub(r'(value)="[^"]*"', r"\1", got.text)

    assert answer(NAMES[Role.VIEWER]) == answer("だれでもない")
    visitor = Visitor(app)
    for path in ("/people/2", "/people/999", "/day/buy", "/day/nobody", "/data/file/1"):
        if "/data" not in path:
            assert visitor.get(path).headers["location"] == f"/login?next={path}"


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%5cevil.example",
        "/%2fevil.example",
        "/\t/evil.example",
        "/%09/evil.example",
        "\thttps://evil.example",
        "/\x00",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/login",
        "/en/logout",
        "/" + "x" * 2000,
    ],
)
def test_a_login_leads_nowhere_else(app: FastAPI, text: str) -> None:
    assert safe_next(text, "/") == "/"
    visitor = Visitor(app)
    page = visitor.request("GET", "/login").text
    secret = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
    data = {"csrf": secret, "name": NAMES[Role.VIEWER], "password": PASSWORD, "next": text}
    assert visitor.request("POST", "/login", data=data).headers["location"] == "/"


@given(st.text(max_size=60))
def test_whatever_comes_next_stays_on_this_server(text: str) -> None:
    there = safe_next(text, "/")
    assert there.startswith("/")
    assert not there.startswith(("//", "/\\"))
    assert all(ord(letter) > 0x20 for letter in there)


def test_a_login_leads_back_to_the_page_that_was_asked_for(app: FastAPI) -> None:
    visitor = Visitor(app)
    there = visitor.get("/en/day/buy/2026-07-14?x=1").headers["location"]
    assert there == "/en/login?next=/en/day/buy/2026-07-14%3Fx%3D1"
    page = visitor.get(there).text
    assert 'name="next" value="/en/day/buy/2026-07-14?x=1"' in page
    data = {"name": NAMES[Role.VIEWER], "password": PASSWORD, "next": "/en/day/buy/2026-07-14?x=1"}
    answer = visitor.send("/en/login", **data)
    assert answer.headers["location"] == "/en/day/buy/2026-07-14?x=1"


def test_a_form_whose_session_is_over_leads_to_the_login_and_back(owner: Visitor, clock: HandClock) -> None:
    secret = owner.secret("/people/2")
    clock.at += SESSION_IDLE
    answer = owner.request(
        "POST", "/people/2", data={"csrf": secret}, headers={"Referer": f"{HOME}/people/2"}
    )
    assert answer.headers["location"] == "/login?next=/people/2"


# --- the first owner --------------------------------------------------------------------------------------


def test_the_first_owner_is_made_once_and_here(tmp_path: Path, clock: HandClock) -> None:
    with people_in(tmp_path, clock) as people:
        app = app_over(people)
        visitor = Visitor(app)
        assert "管理者の登録が必要です" in visitor.get("/").text
        assert Visitor(app, peer="192.0.2.9").get("/setup").status_code == 403
        sent = {"name": "桜", "password": PASSWORD, "again": PASSWORD}
        wrong = visitor.send("/setup", **(sent | {"again": "another"}))
        assert wrong.status_code == 422
        assert 'id="again-wrong"' in wrong.text
        assert 'value="桜"' in wrong.text
        weak = visitor.send("/setup", **(sent | {"password": "short", "again": "short"}))
        assert 'id="password-wrong"' in weak.text
        nameless = visitor.send("/setup", **(sent | {"name": " "}))
        assert 'id="name-wrong"' in nameless.text
        assert not people.has_owner()
        answer = visitor.send("/setup", **sent)
        assert answer.headers["location"] == "/"
        assert people.has_owner()
        assert visitor.get("/people").status_code == 200, "and is logged in"
        assert visitor.get("/setup").headers["location"] == "/"
        assert Visitor(app).get("/setup").headers["location"] == "/login"
        assert "管理者の登録が必要です" not in visitor.get("/").text


# --- what an owner does -----------------------------------------------------------------------------------


def test_people_are_added_changed_and_removed(app: FastAPI, owner: Visitor, people: People) -> None:
    twice = owner.send("/people", name=NAMES[Role.VIEWER], password=PASSWORD, role="viewer")
    assert twice.status_code == 422
    assert 'id="name-wrong"' in twice.text
    added = owner.send("/people", name="新しい人", password=PASSWORD, role="operator")
    assert added.status_code == 303
    assert "新しい人 を追加しました。" in words(owner.get(added.headers["location"]).text)
    number = people.find("新しい人").id
    visitor = Visitor(app)
    assert visitor.send("/login", name="新しい人", password=PASSWORD).status_code == 303
    assert owner.send(f"/people/{number}", do="role", role="viewer").status_code == 303
    assert people.find("新しい人").role is Role.VIEWER
    assert owner.send(f"/people/{number}", do="password", password="short").status_code == 422
    assert owner.send(f"/people/{number}", do="password", password="another five lanterns").status_code == 303
    assert visitor.get("/").status_code == 303, "a new password ends sessions"
    unsure = owner.send(f"/people/{number}", do="remove")
    assert "先に確認の欄を選んでください" in words(unsure.text)
    assert owner.send(f"/people/{number}", do="remove", sure="yes").status_code == 303
    assert owner.get(f"/people/{number}").status_code == 404
    assert "新しい人" not in owner.get("/audit").text
    assert f"削除された利用者 {number}" in words(owner.get("/audit").text)


def test_the_last_owner_stays(owner: Visitor, people: People) -> None:
    number = person(people, Role.OWNER)
    kept = owner.send(f"/people/{number}", do="role", role="viewer")
    assert kept.status_code == 422
    assert "管理者がほかにいません。" in words(kept.text)
    kept = owner.send(f"/people/{number}", do="remove", sure="yes")
    assert "管理者がほかにいません。" in words(kept.text)


def test_a_secret_is_shown_once(app: FastAPI, owner: Visitor) -> None:
    made = owner.send("/tokens", do="make", label="月報", role="viewer", days="30")
    secret = re.findall(r"koatsu_[\w-]{20,}", made.text)[0]
    assert made.headers["cache-control"] == "no-store"
    assert secret not in owner.get("/tokens").text
    program = Visitor(app)
    program.headers["Authorization"] = f"Bearer {secret}"
    assert program.get("/api/v1/meters").status_code == 200
    assert program.get("/people").status_code == 403
    assert owner.send("/tokens", do="revoke", token="1").status_code == 303
    assert program.get("/api/v1/meters").status_code == 401
    assert "取り消し済み" in owner.get("/tokens").text
    assert owner.send("/tokens", do="revoke", token="77").status_code == 404
    for days in ("0", "9999", "x", ""):
        wrong = owner.send("/tokens", do="make", label="x", role="viewer", days=days)
        assert 'id="days-wrong"' in wrong.text
    assert 'id="label-wrong"' in owner.send("/tokens", do="make", label="", days="30").text


def test_ones_own_password(app: FastAPI, owner: Visitor) -> None:
    elsewhere = Visitor(app)
    elsewhere.log_in(Role.OWNER)
    new = "twelve sleepy herons"
    sent = {"do": "password", "old": PASSWORD, "password": new, "again": new}
    assert 'id="old-wrong"' in owner.send("/account", **(sent | {"old": "wrong"})).text
    assert 'id="again-wrong"' in owner.send("/account", **(sent | {"again": "other"})).text
    assert 'id="password-wrong"' in owner.send("/account", **(sent | {"password": "x", "again": "x"})).text
    done = owner.send("/account", **sent)
    assert "パスワードを変更しました。" in words(owner.get(done.headers["location"]).text)
    assert elsewhere.get("/").status_code == 303
    assert Visitor(app).log_in(Role.OWNER).status_code == 403
    assert Visitor(app).log_in(Role.OWNER, new).status_code == 303


def test_the_record_is_read_newest_first_and_page_by_page(owner: Visitor, people: People) -> None:
    for number in range(70):
        people.audit.append("person:1", "count_corrected", f"correction:{number}")
    page = owner.get("/audit").text
    assert "記録は正常です" in page
    assert words(page).index("訂正 69") < words(page).index("訂正 68")
    assert "訂正 10" not in words(page)
    older = re.findall(r'href="(/audit\?before=\d+)"', page)[0]
    assert "訂正 10" in words(owner.get(older).text)
    assert owner.get("/audit?before=x").status_code == 422


def test_a_record_that_was_changed_says_so(tmp_path: Path, owner: Visitor) -> None:
    with sqlite3.connect(tmp_path / "site.people.db") as database:
        (table,) = database.execute("SELECT name FROM sqlite_master WHERE name LIKE '%audit%'").fetchone()
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")  # whoever may write the file may do that
        database.execute(f"UPDATE {table} SET action = 'logged_out' WHERE seq = 1")
    database.close()
    page = owner.get("/audit").text
    assert "記録に異常があります" in page
    assert "操作記録の 1 件目" in words(page)


# --- odd requests -----------------------------------------------------------------------------------------


def test_too_much_is_not_read(owner: Visitor, people: People) -> None:
    before = people.audit.head()
    big = owner.send("/people", name="x", password="y" * (PLAIN_BYTES + 1))
    assert big.status_code == 413
    assert "大きすぎます" in words(big.text)
    assert people.audit.head() == before
    assert owner.request("POST", "/api/import", content=b"x" * (IMPORT_BYTES + 1)).status_code == 413
    assert owner.request("POST", "/api/import", content=b"x" * (PLAIN_BYTES + 1)).status_code == 404


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\nnonsense"),
        ({"Content-Type": "multipart/form-data"}, b"no boundary"),
        ({"Content-Type": "application/json"}, b"{"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"%ff%00&=&&csrf=%e3%81"),
        ({"Content-Type": "application/x-www-form-urlencoded"}, b"&".join(b"a=1" for _ in range(500))),
        ({"Content-Type": "text/plain"}, b"\x00" * 100),
        ({"Cookie": b"koatsu_8028=\xff; =;;"}, b""),
        ({"X-CSRF-Token": b"\xe9"}, b""),
    ],
)
def test_odd_requests_are_refused_with_a_sentence(
    owner: Visitor, headers: dict[str, Any], content: bytes
) -> None:
    answer = owner.request("POST", "/people", content=content, headers=headers)
    assert answer.status_code in (303, 400, 403)
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    "path", ["/people/x", "/people/-1", "/people/99999999999999999999", "/audit?before=-5"]
)
def test_odd_addresses_are_no_fault_of_the_program(owner: Visitor, path: str) -> None:
    assert owner.get(path).status_code in (200, 404, 422)


def test_a_head_is_a_page_without_its_body(owner: Visitor) -> None:
    assert owner.request("HEAD", "/days").status_code == 200


def test_people_that_cannot_be_asked_are_a_sentence(app: FastAPI, people: People, owner: Visitor) -> None:
    people.close()
    for path in ("/", "/people", "/en/day"):
        answer = owner.get(path)
        assert answer.status_code == 503
        assert "site.people.db" not in answer.text
    assert "保存先を使えないため" in words(owner.get("/").text)
    assert owner.get("/api/v1/meters").json()["error"]["code"] == "no_store"


def test_a_store_that_cannot_be_read_is_told_to_who_may_read(people: People) -> None:
    class Broken(FixtureSite):
        def site(self, site_id: str | None = None) -> SiteView:
            raise StoreError(StoreErrorKind.LOCKED, "koatsu.db")

    visitor = Visitor(create_app(Broken(), people=people))
    assert visitor.get("/").status_code == 303
    visitor.log_in(Role.VIEWER)
    answer = visitor.get("/")
    assert answer.status_code == 503
    assert "koatsu.db" in words(answer.text)
    assert "Traceback" not in answer.text


# --- open pages -------------------------------------------------------------------------------------------


def scope_of(app: FastAPI, path: str, secret: str) -> dict[str, Any]:
    """A request to ``path`` by whoever has that session."""
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "scheme": "http",
        "server": ("127.0.0.1", 8028),
        "client": ("127.0.0.1", 50123),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:8028"), (b"cookie", f"koatsu_8028={secret}".encode())],
        "app": app,
    }


@pytest.mark.parametrize("path", ["/events/stream", "/en/events/stream", "/api/v1/events/stream"])
async def test_every_stream_ends_with_its_login(
    path: str, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(while_admitted.__kwdefaults__, "every_s", 0)
    site = FixtureSite()
    app = create_app(site, people=people)
    secret, _ = people.log_in(NAMES[Role.VIEWER], PASSWORD, origin="127.0.0.1")
    request = Request(scope_of(app, path, secret))
    request.app.state.access.admit(request, Right.VIEW)
    route = next(route for route in iter_route_contexts(app.routes) if route.path == path)
    answer = await route.endpoint(request)
    people.log_out(secret)
    told = 0
    async with asyncio.timeout(20):
        async for _ in answer.body_iterator:
            site.send("sample")
            told += 1
            assert told < 100, "it goes on after the login has ended"
    assert not len(site.hub), "whoever listened has left"


async def test_an_open_page_ends_with_its_login(people: People) -> None:
    access = Access(people)
    secret, login = people.log_in(NAMES[Role.VIEWER], PASSWORD, origin="127.0.0.1")
    assert login.kind is LoginKind.SESSION
    app = app_over(people)
    app.state.access = access
    scope = scope_of(app, "/events/stream", secret)
    request = Request(scope)
    access.admit(request, Right.VIEW)
    closed = False

    async def parts() -> AsyncGenerator[str, None]:
        nonlocal closed
        try:
            while True:
                yield "part"
        finally:
            closed = True

    seen = 0
    async for _ in while_admitted(request, Right.VIEW, parts(), every_s=0):
        seen += 1
        if seen == 5:
            people.log_out(secret)
        assert seen < 10, "it goes on after the login has ended"
    assert seen == 5
    assert closed
