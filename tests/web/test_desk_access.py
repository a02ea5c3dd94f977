"""Who may open what at the desk: every address, for everybody who may ask, in one table.

The table is compared with the routes as they are: a route without a row, or a row without a route, fails.
What is *shown* to those who may open a page (their own office, their own cases) is for that page's tests.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import httpx
import pytest
from access_table import asked, outcome, plain, routes, rules_of
from desk_web import DeskPlace, desk_place, ownerless_desk
from people_site import NAMES, Visitor

from koatsu.people import CONSOLE, DESK_ROLES, Right, Role
from koatsu.web.desk import create_desk_app

CASE = "HB-2026-00001"  #: the draft of the customer

#: (method, path without the language) -> the right it asks for (None: open to all), and an address to ask.
#: A page and its form are one row each. API addresses stand once, pages once for both languages.
TABLE: dict[tuple[str, str], tuple[Right | None, str]] = {
    ("GET", "/healthz"): (None, "/healthz"),
    # of the staff
    ("GET", "/"): (Right.DESK_READ, "/"),
    ("GET", "/worklist.csv"): (Right.DESK_READ, "/worklist.csv"),
    ("GET", "/worklist.xlsx"): (Right.DESK_READ, "/worklist.xlsx"),
    ("GET", "/search"): (Right.DESK_READ, "/search?q=0001"),
    ("GET", "/calendar"): (Right.DESK_READ, "/calendar"),
    ("GET", "/letters"): (Right.DESK_READ, "/letters"),
    ("POST", "/letters/{letter_id}"): (Right.DESK_READ, "/letters/1"),
    ("GET", "/intake"): (Right.DESK_HANDLE, "/intake"),
    ("POST", "/intake"): (Right.DESK_HANDLE, "/intake"),
    ("GET", "/case/{number}"): (Right.DESK_READ, f"/case/{CASE}"),
    ("POST", "/case/{number}"): (Right.DESK_READ, f"/case/{CASE}"),
    ("POST", "/case/{number}/documents"): (Right.DESK_READ, f"/case/{CASE}/documents"),
    ("GET", "/case/{number}/documents/{document_id}"): (Right.DESK_READ, f"/case/{CASE}/documents/1"),
    ("POST", "/case/{number}/documents/{document_id}"): (Right.DESK_READ, f"/case/{CASE}/documents/1"),
    ("POST", "/case/{number}/probe"): (Right.DESK_READ, f"/case/{CASE}/probe"),
    ("POST", "/case/{number}/show"): (Right.DESK_READ, f"/case/{CASE}/show"),
    ("GET", "/faults/new"): (Right.DESK_HANDLE, "/faults/new"),
    ("POST", "/faults/new"): (Right.DESK_HANDLE, "/faults/new"),
    ("GET", "/faults/{number}/guide"): (Right.DESK_HANDLE, "/faults/F-2026-00001/guide"),
    ("POST", "/faults/{number}/guide"): (Right.DESK_HANDLE, "/faults/F-2026-00001/guide"),
    ("GET", "/faults"): (Right.DESK_READ, "/faults"),
    ("GET", "/faults/{number}"): (Right.DESK_READ, "/faults/FT-2026-00001"),
    ("POST", "/faults/{number}"): (Right.DESK_READ, "/faults/FT-2026-00001"),
    ("GET", "/enquiries"): (Right.DESK_READ, "/enquiries"),
    ("GET", "/enquiries.csv"): (Right.DESK_READ, "/enquiries.csv"),
    ("GET", "/enquiries.xlsx"): (Right.DESK_READ, "/enquiries.xlsx"),
    ("GET", "/enquiries/{number}"): (Right.DESK_READ, "/enquiries/EQ-2026-00001"),
    ("POST", "/enquiries/{number}"): (Right.DESK_HANDLE, "/enquiries/EQ-2026-00001"),
    ("GET", "/registers"): (Right.DESK_READ, "/registers"),
    ("GET", "/registers/{register}"): (Right.DESK_READ, "/registers/offices"),
    ("GET", "/registers/{register}.csv"): (Right.DESK_READ, "/registers/supply_points.csv"),
    ("GET", "/registers/{register}.xlsx"): (Right.DESK_READ, "/registers/offices.xlsx"),
    ("GET", "/registers/{register}/+"): (Right.DESK_HANDLE, "/registers/offices/+"),
    ("POST", "/registers/{register}/+"): (Right.DESK_HANDLE, "/registers/offices/+"),
    ("GET", "/registers/{register}/{key}"): (Right.DESK_READ, "/registers/offices/north"),
    ("POST", "/registers/{register}/{key}"): (Right.DESK_HANDLE, "/registers/offices/north"),
    ("POST", "/registers/{register}/{key}/show"): (Right.DESK_READ, "/registers/offices/north/show"),
    ("POST", "/registers/{register}/{key}/remove"): (Right.DESK_HANDLE, "/registers/offices/north/remove"),
    ("GET", "/registers/terms"): (Right.DESK_READ, "/registers/terms"),
    ("POST", "/registers/terms/import"): (Right.DESK_DECIDE, "/registers/terms/import"),
    ("GET", "/registers/data_list"): (Right.DESK_READ, "/registers/data_list"),
    ("POST", "/registers/data_list/import"): (Right.DESK_DECIDE, "/registers/data_list/import"),
    ("GET", "/imports"): (Right.DESK_HANDLE, "/imports"),
    ("GET", "/imports/{register}"): (Right.DESK_HANDLE, "/imports/offices"),
    ("GET", "/imports/{register}/template.csv"): (Right.DESK_HANDLE, "/imports/offices/template.csv"),
    ("POST", "/imports/{register}/import"): (Right.DESK_HANDLE, "/imports/offices/import"),
    ("GET", "/imports/{register}/{token}"): (Right.DESK_HANDLE, "/imports/offices/none"),
    ("GET", "/imports/{register}/{token}/refused.csv"): (
        Right.DESK_HANDLE,
        "/imports/offices/none/refused.csv",
    ),
    ("POST", "/imports/{register}/{token}/import"): (Right.DESK_HANDLE, "/imports/offices/none/import"),
    ("GET", "/events"): (Right.DESK_REVIEW, "/events"),
    ("GET", "/events.csv"): (Right.DESK_REVIEW, "/events.csv"),
    ("GET", "/events.xlsx"): (Right.DESK_REVIEW, "/events.xlsx"),
    ("POST", "/events/verify"): (Right.DESK_REVIEW, "/events/verify"),
    # of customers
    ("POST", "/apply"): (Right.DESK_OWN, "/apply"),
    ("GET", "/my"): (Right.DESK_OWN, "/my"),
    ("GET", "/my/{number}"): (Right.DESK_OWN, f"/my/{CASE}"),
    ("POST", "/my/{number}"): (Right.DESK_OWN, f"/my/{CASE}"),
    ("GET", "/my/{number}/application"): (Right.DESK_OWN, f"/my/{CASE}/application"),
    ("POST", "/my/{number}/application"): (Right.DESK_OWN, f"/my/{CASE}/application"),
    ("POST", "/my/{number}/documents"): (Right.DESK_OWN, f"/my/{CASE}/documents"),
    ("GET", "/my/{number}/documents/{document_id}"): (Right.DESK_OWN, f"/my/{CASE}/documents/1"),
    ("GET", "/my/{number}/letters/{letter_id}"): (Right.DESK_OWN, f"/my/{CASE}/letters/1"),
    ("GET", "/my/enquiries/{number}"): (Right.DESK_OWN, "/my/enquiries/Q-2026-00001"),
    ("POST", "/my/enquiries/{number}"): (Right.DESK_OWN, "/my/enquiries/Q-2026-00001"),
    ("POST", "/no-data"): (Right.DESK_OWN, "/no-data"),
    ("GET", "/no-data/{number}"): (Right.DESK_OWN, "/no-data/F-2026-00001"),
    ("POST", "/no-data/{number}"): (Right.DESK_OWN, "/no-data/F-2026-00001"),
    # of everybody
    ("GET", "/help"): (None, "/help"),
    ("GET", "/costs"): (None, "/costs"),
    ("GET", "/data"): (None, "/data"),
    ("GET", "/sample"): (None, "/sample"),
    ("GET", "/terms"): (None, "/terms"),
    ("GET", "/terms/{version}"): (None, "/terms/2026-04-01"),
    ("GET", "/check"): (None, "/check"),
    ("POST", "/check"): (None, "/check"),
    ("GET", "/apply"): (None, "/apply"),
    ("GET", "/ending"): (None, "/ending"),
    ("GET", "/register"): (None, "/register"),
    ("POST", "/register"): (None, "/register"),
    ("GET", "/enquiry"): (None, "/enquiry"),
    ("POST", "/enquiry"): (None, "/enquiry"),
    ("GET", "/no-data"): (None, "/no-data"),
    ("GET", "/equipment"): (None, "/equipment"),
    ("GET", "/equipment/connect"): (None, "/equipment/connect"),
    ("GET", "/forms"): (None, "/forms"),
    ("GET", "/forms/{kind}"): (None, "/forms/application"),
    ("POST", "/forms/{kind}"): (None, "/forms/application"),
    ("GET", "/forms/{kind}/blank"): (None, "/forms/application/blank"),
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
    # of programs
    ("GET", "/api/v1/openapi.json"): (None, "/api/v1/openapi.json"),
    ("POST", "/api/v1/eligibility"): (None, "/api/v1/eligibility"),
    ("GET", "/api/v1/routing"): (None, "/api/v1/routing?supply=other"),
    ("GET", "/api/v1/help"): (None, "/api/v1/help"),
    ("GET", "/api/v1/help/{question}"): (None, "/api/v1/help/wired"),
    ("GET", "/api/v1/equipment"): (None, "/api/v1/equipment"),
    ("GET", "/api/v1/data-list"): (None, "/api/v1/data-list"),
    ("GET", "/api/v1/terms"): (None, "/api/v1/terms"),
    ("GET", "/api/v1/terms/{version}"): (None, "/api/v1/terms/2026-04-01"),
    ("GET", "/api/v1/me"): (Right.ACCOUNT, "/api/v1/me"),
    ("GET", "/api/v1/works"): (Right.DESK_READ, "/api/v1/works"),
    ("GET", "/api/v1/letters"): (Right.DESK_READ, "/api/v1/letters"),
    ("GET", "/api/v1/cases"): (Right.DESK_READ, "/api/v1/cases"),
    ("POST", "/api/v1/cases"): (Right.DESK_HANDLE, "/api/v1/cases"),
    ("POST", "/api/v1/cases/search"): (Right.DESK_READ, "/api/v1/cases/search"),
    ("GET", "/api/v1/cases/{number}"): (Right.DESK_READ, f"/api/v1/cases/{CASE}"),
    ("POST", "/api/v1/cases/{number}/events"): (Right.DESK_READ, f"/api/v1/cases/{CASE}/events"),
    ("POST", "/api/v1/cases/{number}/show"): (Right.DESK_READ, f"/api/v1/cases/{CASE}/show"),
    ("GET", "/api/v1/enquiries"): (Right.DESK_READ, "/api/v1/enquiries"),
    ("POST", "/api/v1/enquiries"): (Right.DESK_HANDLE, "/api/v1/enquiries"),
    ("GET", "/api/v1/enquiries/{number}"): (Right.DESK_READ, "/api/v1/enquiries/EQ-2026-00001"),
    ("POST", "/api/v1/enquiries/{number}/acts"): (
        Right.DESK_HANDLE,
        "/api/v1/enquiries/EQ-2026-00001/acts",
    ),
    ("GET", "/api/v1/faults"): (Right.DESK_READ, "/api/v1/faults"),
    ("POST", "/api/v1/faults"): (Right.DESK_HANDLE, "/api/v1/faults"),
    ("GET", "/api/v1/faults/{number}"): (Right.DESK_READ, "/api/v1/faults/FT-2026-00001"),
    ("POST", "/api/v1/faults/{number}/acts"): (Right.DESK_HANDLE, "/api/v1/faults/FT-2026-00001/acts"),
    ("GET", "/api/v1/registers"): (Right.DESK_READ, "/api/v1/registers"),
    ("GET", "/api/v1/registers/{register}"): (Right.DESK_READ, "/api/v1/registers/offices"),
    ("POST", "/api/v1/registers/{register}/import"): (
        Right.DESK_HANDLE,
        "/api/v1/registers/offices/import",
    ),
    ("GET", "/api/v1/events"): (Right.DESK_REVIEW, "/api/v1/events"),
    ("POST", "/api/v1/events/verify"): (Right.DESK_REVIEW, "/api/v1/events/verify"),
    ("GET", "/api/v1/my/cases"): (Right.DESK_OWN, "/api/v1/my/cases"),
    ("GET", "/api/v1/my/cases/{number}"): (Right.DESK_OWN, f"/api/v1/my/cases/{CASE}"),
    ("POST", "/api/v1/my/cases/{number}/events"): (Right.DESK_OWN, f"/api/v1/my/cases/{CASE}/events"),
    ("GET", "/api/v1/my/enquiries"): (Right.DESK_OWN, "/api/v1/my/enquiries"),
    ("GET", "/api/v1/my/enquiries/{number}"): (Right.DESK_OWN, "/api/v1/my/enquiries/EQ-2026-00001"),
    ("POST", "/api/v1/my/enquiries/{number}/acts"): (
        Right.DESK_OWN,
        "/api/v1/my/enquiries/EQ-2026-00001/acts",
    ),
}
ONCE = ("/api/", "/healthz", "/metrics")  #: what has no language
PERSONAL = ("/account", "/logout")  #: a program with a token has neither

#: Those who have the right of a row and are refused by the desk itself: they read, and change nothing.
READING_ONLY: dict[tuple[str, str], set[Role]] = {
    ("POST", "/letters/{letter_id}"): {Role.AUDITOR},
    ("POST", "/faults/{number}"): {Role.AUDITOR},
}

#: What each role may, written down a second time.
RIGHTS: dict[Role, set[Right]] = {
    Role.COUNTER: {Right.ACCOUNT, Right.DESK_READ, Right.DESK_HANDLE},
    Role.WORKS: {Right.ACCOUNT, Right.DESK_READ, Right.DESK_WORK},
    Role.SUPERVISOR: {
        Right.ACCOUNT,
        Right.DESK_READ,
        Right.DESK_HANDLE,
        Right.DESK_WORK,
        Right.DESK_DECIDE,
    },
    Role.AUDITOR: {Right.ACCOUNT, Right.DESK_READ, Right.DESK_REVIEW},
    Role.CUSTOMER: {Right.ACCOUNT, Right.DESK_OWN},
    Role.OWNER: set(Right) - {Right.DESK_OWN},
    Role.VIEWER: {Right.ACCOUNT},  # of a site: no business here
    Role.OPERATOR: {Right.ACCOUNT},
}
SESSIONS = {role: f"session of {role}" for role in Role}
TOKENS = {role: f"token of {role}" for role in DESK_ROLES if role is not Role.CUSTOMER}
WHO = ("nobody, no owner", "nobody, no owner, from elsewhere", "nobody", "token of nobody")
WHO += (*SESSIONS.values(), *TOKENS.values())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    """The whole desk with a person of every role there is, those of sites too."""
    with desk_place(tmp_path_factory.mktemp("desk"), *Role) as place:
        yield place


@pytest.fixture(scope="module")
def ownerless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeskPlace]:
    with ownerless_desk(tmp_path_factory.mktemp("ownerless")) as place:
        yield place


@pytest.fixture(scope="module")
def visitors(place: DeskPlace, ownerless: DeskPlace) -> dict[str, Visitor]:
    """Everybody who may ask."""
    found = {
        "nobody, no owner": ownerless.visitor(),
        "nobody, no owner, from elsewhere": Visitor(ownerless.app, peer="192.0.2.9"),
        "nobody": place.visitor(),
        "token of nobody": place.visitor(),
    }
    found["token of nobody"].headers["Authorization"] = "Bearer koatsu_nothing"
    found |= {name: place.visitor(role) for role, name in SESSIONS.items()}
    for role, name in TOKENS.items():
        secret, _ = place.people.make_token(CONSOLE, f"a program as {role}", role)
        found[name] = place.visitor()
        found[name].headers["Authorization"] = f"Bearer {secret}"
    return found


PASSED = {200, 303, 400, 404, 405, 409, 422}  #: what whoever may is told


def expected(who: str, right: Right, method: str, path: str) -> str:
    """What the rules say."""
    if who == "nobody, no owner":
        return "owner first"
    if who == "nobody, no owner, from elsewhere":
        return "refused"
    role = next((role for role in Role if who in (SESSIONS[role], TOKENS.get(role))), None)
    if role is None:
        return "login"
    if who in TOKENS.values() and (path in PERSONAL or (method, path) == ("POST", "/tokens")):
        return "refused"  # a program has no account, and makes no others
    if role in READING_ONLY.get((method, path), ()):
        return "refused"
    return "passed" if right in RIGHTS[role] else "refused"


def test_every_route_has_a_row_and_every_row_a_route(place: DeskPlace) -> None:
    there = {(method, plain(path)) for method, path, _ in routes(place.app)}
    assert there == set(TABLE)


def test_nothing_that_can_be_served_is_left_out() -> None:
    """A new part of the application goes into ``desk_place``, or its routes stand outside the table."""
    parts = set(inspect.signature(create_desk_app).parameters)
    assert parts - {"settings", "demo", "names", "secure"} == {"desk", "people", "extras"}


def test_every_page_stands_in_both_languages(place: DeskPlace) -> None:
    paths = {path for _, path, _ in routes(place.app)}
    for path in {path for _, path in TABLE if not path.startswith(ONCE)}:
        assert {path, f"/en{path}"} <= paths


def test_every_route_carries_exactly_the_rule_of_its_row(place: DeskPlace) -> None:
    for method, path, route in routes(place.app):
        rules = rules_of(route)
        assert len(rules) == 1, f"{method} {path} has {len(rules)} rules"
        assert rules[0].right is TABLE[method, plain(path)][0], path


@pytest.mark.parametrize(("method", "path"), [row for row, (right, _) in TABLE.items() if right is not None])
def test_everybody_at_every_address(visitors: dict[str, Visitor], method: str, path: str) -> None:
    right, address = TABLE[method, path]
    assert right is not None
    for prefix in ("",) if path.startswith(ONCE) else ("", "/en"):
        everybody = [who for who in WHO if path != "/logout" or who not in SESSIONS.values()]  # it does so
        found = {who: led(asked(visitors[who], method, prefix + address), path) for who in everybody}
        assert found == {who: expected(who, right, method, path) for who in everybody}


def led(answer: httpx.Response, path: str) -> str:
    """What really happened; the start page leads those on for whom it is not."""
    there = answer.headers.get("location", "").partition("?")[0].removeprefix("/en")
    if path == "/" and there in ("/help", "/my"):
        return "login" if there == "/help" else "refused"
    return outcome(answer, PASSED)


@pytest.mark.parametrize("who", WHO)
def test_what_is_open_to_all_tells_nothing_of_customers_and_staff(
    visitors: dict[str, Visitor], who: str
) -> None:
    visitor = visitors[who]
    for (method, path), (right, address) in TABLE.items():
        if right is not None or method != "GET":
            continue
        answer = visitor.get(address)
        assert answer.status_code in (200, 303, 401, 403, 404), path
        for name in ("青葉食品", "小林", "092-000-0001", "kobayashi@aoba.example"):
            assert name not in answer.text or who == SESSIONS[Role.CUSTOMER], path
        for role, name in NAMES.items():
            assert name not in answer.text or who == SESSIONS[role], path
