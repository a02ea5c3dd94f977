"""Who may open what: every address of the application, for everybody who may ask, in one table.

The table is compared with the routes as they are: a route without a row, or a row without a route, fails.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

import pytest
from access_table import asked, outcome, plain, routes, rules_of
from fastapi import FastAPI
from people_site import CHEAP, NAMES, PASSWORD, HandClock, Visitor, app_over, people_in, whole_app
from web_site import FixtureSite

from koatsu.people import CONSOLE, DESK_ROLES, SESSION_IDLE, SITE_ROLES, People, Right, Role
from koatsu.web import create_app
from koatsu.web.texts import LANGUAGES

#: (method, path without the language) -> the right it asks for (None: open to all), and an address to ask.
#: A page and its form are one row each. API addresses stand once, pages once for both languages.
TABLE: dict[tuple[str, str], tuple[Right | None, str]] = {
    ("GET", "/healthz"): (None, "/healthz"),
    ("GET", "/metrics"): (Right.VIEW, "/metrics"),
    # pages
    ("GET", "/"): (Right.VIEW, "/"),
    ("GET", "/now/{meter_id}"): (Right.VIEW, "/now/buy"),
    ("GET", "/day"): (Right.VIEW, "/day"),
    ("GET", "/day/{meter_id}"): (Right.VIEW, "/day/buy"),
    ("GET", "/day/{meter_id}/{text}"): (Right.VIEW, "/day/buy/2026-07-14"),
    ("GET", "/day/{meter_id}/{text}.csv"): (Right.VIEW, "/day/buy/2026-07-14.csv"),
    ("GET", "/days"): (Right.VIEW, "/days"),
    ("GET", "/sites"): (Right.VIEW, "/sites"),
    ("GET", "/events/stream"): (Right.VIEW, "/events/stream?screen=now"),
    ("GET", "/month"): (Right.VIEW, "/month"),
    ("GET", "/month/{meter_id}"): (Right.VIEW, "/month/buy"),
    ("GET", "/month/{meter_id}/{text}"): (Right.VIEW, "/month/buy/2026-07"),
    ("GET", "/month/{meter_id}/{text}.csv"): (Right.VIEW, "/month/buy/2026-07.csv"),
    ("GET", "/year"): (Right.VIEW, "/year"),
    ("GET", "/year/{meter_id}"): (Right.VIEW, "/year/buy"),
    ("GET", "/year/{meter_id}/{text}"): (Right.VIEW, "/year/buy/2026"),
    ("GET", "/year/{meter_id}/{text}.csv"): (Right.VIEW, "/year/buy/2026.csv"),
    ("GET", "/periods/stream"): (Right.VIEW, "/periods/stream?screen=month&meter=buy&text=2026-07"),
    ("GET", "/pulse"): (Right.VIEW, "/pulse"),
    ("GET", "/pulse/{meter_id}"): (Right.VIEW, "/pulse/buy"),
    ("GET", "/pulse/{meter_id}/{text}"): (Right.VIEW, "/pulse/buy/2026-07-14"),
    ("GET", "/pulse/{meter_id}/{text}.csv"): (Right.VIEW, "/pulse/buy/2026-07-14.csv"),
    ("GET", "/pulses/stream"): (Right.VIEW, "/pulses/stream?meter=buy&day=2026-07-14"),
    ("GET", "/data"): (Right.VIEW, "/data"),
    ("GET", "/data/export"): (Right.VIEW, "/data/export?form=csv&meter=buy&from=2026-07-01&to=2026-07-02"),
    ("GET", "/data/file/{number}"): (Right.VIEW, "/data/file/1"),
    ("POST", "/data/import"): (Right.IMPORT, "/data/import"),
    ("POST", "/data/forget"): (Right.IMPORT, "/data/forget"),
    ("GET", "/doubts"): (Right.VIEW, "/doubts"),
    ("POST", "/doubts"): (Right.CORRECT, "/doubts"),
    # people
    ("GET", "/setup"): (None, "/setup"),
    ("POST", "/setup"): (None, "/setup"),
    ("GET", "/login"): (None, "/login"),
    ("POST", "/login"): (None, "/login"),
    ("POST", "/logout"): (Right.ACCOUNT, "/logout"),
    ("GET", "/account"): (Right.ACCOUNT, "/account"),
    ("POST", "/account"): (Right.ACCOUNT, "/account"),
    ("GET", "/people"): (Right.MANAGE, "/people"),
    ("POST", "/people"): (Right.MANAGE, "/people"),
    ("GET", "/people/{person_id}"): (Right.MANAGE, "/people/2"),
    ("POST", "/people/{person_id}"): (Right.MANAGE, "/people/2"),
    ("GET", "/tokens"): (Right.MANAGE, "/tokens"),
    ("POST", "/tokens"): (Right.MANAGE, "/tokens"),
    ("GET", "/audit"): (Right.MANAGE, "/audit"),
    # the API
    ("GET", "/api/v1/openapi.json"): (Right.VIEW, "/api/v1/openapi.json"),
    ("GET", "/api/v1/meters"): (Right.VIEW, "/api/v1/meters"),
    ("GET", "/api/v1/meters/{meter_id}/now"): (Right.VIEW, "/api/v1/meters/buy/now"),
    ("GET", "/api/v1/meters/{meter_id}/slots"): (Right.VIEW, "/api/v1/meters/buy/slots"),
    ("GET", "/api/v1/meters/{meter_id}/days"): (Right.VIEW, "/api/v1/meters/buy/days"),
    ("GET", "/api/v1/meters/{meter_id}/days/{day}"): (Right.VIEW, "/api/v1/meters/buy/days/2026-07-14"),
    ("GET", "/api/v1/meters/{meter_id}/months/{month}"): (Right.VIEW, "/api/v1/meters/buy/months/2026-07"),
    ("GET", "/api/v1/meters/{meter_id}/billing-months/{month}"): (
        Right.VIEW,
        "/api/v1/meters/buy/billing-months/2026-07",
    ),
    ("GET", "/api/v1/meters/{meter_id}/years"): (Right.VIEW, "/api/v1/meters/buy/years"),
    ("GET", "/api/v1/meters/{meter_id}/years/{year}"): (Right.VIEW, "/api/v1/meters/buy/years/2026"),
    ("GET", "/api/v1/sites"): (Right.VIEW, "/api/v1/sites"),
    ("GET", "/api/v1/health"): (Right.VIEW, "/api/v1/health"),
    ("GET", "/api/v1/conflicts"): (Right.VIEW, "/api/v1/conflicts"),
    ("GET", "/api/v1/corrections"): (Right.VIEW, "/api/v1/corrections"),
    ("POST", "/api/v1/corrections"): (Right.CORRECT, "/api/v1/corrections"),
    ("POST", "/api/v1/corrections/{number}/withdraw"): (Right.CORRECT, "/api/v1/corrections/1/withdraw"),
    ("GET", "/api/v1/imports"): (Right.VIEW, "/api/v1/imports"),
    ("GET", "/api/v1/exports"): (Right.VIEW, "/api/v1/exports"),
    ("GET", "/api/v1/recovery"): (Right.VIEW, "/api/v1/recovery"),
    ("GET", "/api/v1/events"): (Right.VIEW, "/api/v1/events"),
    ("GET", "/api/v1/events/stream"): (Right.VIEW, "/api/v1/events/stream"),
}
ONCE = ("/api/", "/healthz", "/metrics")  #: what has no language

PERSONAL = ("/account", "/logout")  #: a program with a token has neither

SESSIONS = {role: f"session of {role}" for role in Role}
#: A customer is somebody in person: there is no token of that kind.
TOKENS = {role: f"token of {role}" for role in Role if role is not Role.CUSTOMER}
WHO = ("nobody, no owner", "nobody, no owner, from elsewhere", "nobody", "expired session", "token of nobody")
WHO += (*SESSIONS.values(), *TOKENS.values())


@pytest.fixture(scope="module")
def clock() -> HandClock:
    return HandClock()


@pytest.fixture(scope="module")
def owned(tmp_path_factory: pytest.TempPathFactory, clock: HandClock) -> Iterator[People]:
    with people_in(tmp_path_factory.mktemp("owned"), clock, *Role) as people:
        yield people


@pytest.fixture(scope="module")
def ownerless(tmp_path_factory: pytest.TempPathFactory, clock: HandClock) -> Iterator[People]:
    with people_in(tmp_path_factory.mktemp("ownerless"), clock) as people:
        yield people


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory, clock: HandClock, owned: People) -> Iterator[FastAPI]:
    with whole_app(tmp_path_factory.mktemp("app"), clock, owned) as app:
        yield app


@pytest.fixture(scope="module")
def open_app(
    tmp_path_factory: pytest.TempPathFactory, clock: HandClock, ownerless: People
) -> Iterator[FastAPI]:
    with whole_app(tmp_path_factory.mktemp("open_app"), clock, ownerless) as app:
        yield app


@pytest.fixture(scope="module")
def visitors(app: FastAPI, open_app: FastAPI, owned: People, clock: HandClock) -> dict[str, Visitor]:
    """Everybody who may ask."""
    found = {
        "nobody, no owner": Visitor(open_app),
        "nobody, no owner, from elsewhere": Visitor(open_app, peer="192.0.2.9"),
        "nobody": Visitor(app),
        "token of nobody": Visitor(app),
        "expired session": Visitor(app),
    }
    found["token of nobody"].headers["Authorization"] = "Bearer koatsu_nothing"
    assert found["expired session"].log_in(Role.OWNER).status_code == 303
    clock.at += SESSION_IDLE
    for role in Role:
        found[SESSIONS[role]] = Visitor(app)
        assert found[SESSIONS[role]].log_in(role).status_code == 303
    for role, name in TOKENS.items():
        secret, _ = owned.make_token(CONSOLE, f"a program as {role}", role)
        found[name] = Visitor(app)
        found[name].headers["Authorization"] = f"Bearer {secret}"
    return found


PASSED = {200, 303, 404, 405, 422, 503}  #: what whoever may is told


def expected(who: str, right: Right | None, method: str, path: str) -> str:
    """What the rules say, written down a second time."""
    if who == "nobody, no owner":
        reads = right is Right.VIEW and method == "GET" and path not in PERSONAL
        return "passed" if reads else "owner first"
    if who == "nobody, no owner, from elsewhere":
        return "refused"
    role = next((role for role in Role if who in (SESSIONS[role], TOKENS.get(role))), None)
    if role is None:
        return "login"
    own = {Right.ACCOUNT}  # what roles of the service desk may here
    rights = dict.fromkeys(DESK_ROLES, own) | {
        Role.VIEWER: own | {Right.VIEW},
        Role.OPERATOR: own | {Right.VIEW, Right.CORRECT, Right.IMPORT, Right.CONTROL},
        Role.OWNER: set(Right),
    }
    if who in TOKENS.values() and (path in PERSONAL or (method, path) == ("POST", "/tokens")):
        return "refused"  # a program has no account, and makes no others
    return "passed" if right in rights[role] else "refused"


def test_every_route_has_a_row_and_every_row_a_route(app: FastAPI) -> None:
    there = {(method, plain(path)) for method, path, _ in routes(app)}
    assert there == set(TABLE)


def test_nothing_that_can_be_served_is_left_out() -> None:
    """A new part of the application goes into ``whole_app``, or its routes stand outside the table."""
    parts = set(inspect.signature(create_app).parameters)
    assert parts - {"demo", "limits", "names", "secure"} == {
        "reader", "people", "desk", "hands", "pulses", "extras",
    }  # fmt: skip


def test_every_page_stands_in_both_languages(app: FastAPI) -> None:
    paths = {path for _, path, _ in routes(app)}
    for path in {path for _, path in TABLE if not path.startswith(ONCE)}:
        assert {path, f"/en{path}"} <= paths
    assert LANGUAGES == ("ja", "en")


def test_every_route_carries_exactly_the_rule_of_its_row(app: FastAPI) -> None:
    for method, path, route in routes(app):
        rules = rules_of(route)
        assert len(rules) == 1, f"{method} {path} has {len(rules)} rules"
        assert rules[0].right is TABLE[method, plain(path)][0], path


@pytest.mark.parametrize(("method", "path"), [row for row, (right, _) in TABLE.items() if right is not None])
def test_everybody_at_every_address(visitors: dict[str, Visitor], method: str, path: str) -> None:
    right, address = TABLE[method, path]
    for prefix in ("",) if path.startswith(ONCE) else ("", "/en"):
        everybody = [who for who in WHO if path != "/logout" or who not in SESSIONS.values()]  # it does so
        found = {who: outcome(asked(visitors[who], method, prefix + address), PASSED) for who in everybody}
        assert found == {who: expected(who, right, method, path) for who in everybody}


@pytest.mark.parametrize("who", WHO)
def test_what_is_open_tells_nothing_of_the_site(visitors: dict[str, Visitor], who: str) -> None:
    visitor = visitors[who]
    for (method, path), (right, address) in TABLE.items():
        if right is not None or method != "GET":
            continue
        answer = visitor.get(address)
        assert answer.status_code in (
            (401,) if who == "token of nobody" and path != "/healthz" else (200, 303, 403)
        )
        sees = who == "nobody, no owner" or any(f"of {role}" in who for role in SITE_ROLES)
        if not sees:
            assert "青葉食品" not in answer.text
            assert "buy" not in answer.text, path
            assert "花子" not in answer.text


def test_without_people_there_is_reading_alone() -> None:
    visitor = Visitor(app_over(None))
    assert visitor.get("/").status_code == 200
    assert visitor.get("/login").status_code == 404
    assert visitor.request("POST", "/login", data={"name": "x"}).status_code == 404
    assert Visitor(app_over(None), peer="192.0.2.9").get("/").status_code == 403
    assert visitor.get("/", headers={"Authorization": "Bearer koatsu_x"}).status_code == 401
    assert "/setup" not in visitor.get("/").text


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "X-Real-IP", "Via", "X-Forwarded-Host"])
def test_who_comes_through_a_proxy_is_not_at_this_machine(open_app: FastAPI, name: str) -> None:
    visitor = Visitor(open_app)
    assert visitor.get("/", headers={name: "192.0.2.1"}).status_code == 403
    assert visitor.get("/setup", headers={name: "192.0.2.1"}).status_code == 403
    assert visitor.get("/").status_code == 200


def test_a_foreign_name_is_not_this_machine(ownerless: People) -> None:
    app = create_app(FixtureSite(), people=ownerless, names=["ems.example.jp"])
    assert Visitor(app, base="http://ems.example.jp:8028").get("/").status_code == 403


def test_a_program_is_answered_in_json(visitors: dict[str, Visitor]) -> None:
    for who, status, code in (
        ("nobody", 401, "login"),
        ("token of nobody", 401, "bad_token"),
        ("nobody, no owner, from elsewhere", 403, "not_here"),
    ):
        answer = visitors[who].get("/api/v1/meters")
        assert answer.status_code == status
        error = answer.json()["error"]
        assert error["code"] == code
        assert error["ja"] != error["en"]
        assert ("www-authenticate" in answer.headers) == (status == 401)
    assert visitors[TOKENS[Role.VIEWER]].get("/people").json()["error"]["code"] == "no_right"


def test_a_role_taken_away_is_gone_at_the_next_request(app: FastAPI, owned: People) -> None:
    visitor = Visitor(app)
    visitor.log_in(Role.OPERATOR)
    person = next(one for one in owned.people() if one.role is Role.OPERATOR)
    owned.set_role(CONSOLE, person.id, Role.OWNER)
    assert visitor.get("/people").status_code == 200
    owned.set_role(CONSOLE, person.id, Role.OPERATOR)
    assert visitor.get("/people").status_code == 403


@pytest.mark.parametrize("role", [role for role in DESK_ROLES if role not in SITE_ROLES])
def test_whoever_belongs_to_the_desk_is_told_so(visitors: dict[str, Visitor], role: Role) -> None:
    """Known here, but with no business here: a sentence and one's own account, never a figure."""
    visitor = visitors[SESSIONS[role]]
    for path, sentence in (("/", "あなたの権限ではできません"), ("/en/", "Your role does not allow this")):
        answer = visitor.get(path)
        assert answer.status_code == 403
        assert sentence in answer.text
        assert answer.text.count("<h1>") == 1
        assert 'action="/logout"' in answer.text.replace("/en/", "/")
        assert "青葉食品" not in answer.text
        assert 'class="nav"' not in answer.text, "no entry leads anywhere"
    account = visitor.get("/account")
    assert account.status_code == 200
    assert NAMES[role] in account.text
    assert "青葉食品" not in account.text


def test_a_site_offers_the_roles_of_a_site_alone(visitors: dict[str, Visitor], owned: People) -> None:
    owner = visitors[SESSIONS[Role.OWNER]]
    customer = next(one for one in owned.people() if one.role is Role.CUSTOMER)
    for page in ("/people", "/tokens", f"/people/{customer.id}"):
        offered = re.findall(r'name="role" value="(\w+)"', owner.get(page).text)
        assert offered == list(SITE_ROLES), page
    before = owned.audit.head()
    for page, fields in (
        ("/people", {"name": "新しい人", "password": PASSWORD}),
        (f"/people/{customer.id}", {"do": "role"}),
        ("/tokens", {"do": "make", "label": "x", "days": "30"}),
    ):
        for role in ("counter", "customer", "king"):
            answer = owner.send(page, role=role, **fields)
            assert answer.status_code == 422
            assert "一覧にある権限を選んでください" in answer.text
    assert owned.audit.head() == before


def test_hashes_of_the_tests_are_cheap() -> None:
    assert CHEAP.memory_kib < 1024, "dearer ones would only make the tests slow"
