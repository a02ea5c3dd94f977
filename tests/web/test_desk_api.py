"""The desk over its API: an application from its first line to its end, and everything beside it.

What is asked goes through the whole application, with the tokens and sessions of those who may.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from desk_api_site import ApiDesk, api_desk
from desk_site import APPLICATION, CERTIFICATE, NORTH, POINTS, SOUTH, STORY, STRANGE, TERMS
from staff_site import PERSONAL
from test_desk_access import TABLE
from web_site import served

from koatsu.desk import State
from koatsu.desk.point_numbers import masked
from koatsu.people import Right, Role
from koatsu.web.desk.pace import PACES

COUNTER, WORKS, SUPERVISOR, AUDITOR, CUSTOMER = (
    Role.COUNTER, Role.WORKS, Role.SUPERVISOR, Role.AUDITOR, Role.CUSTOMER,
)  # fmt: skip
TODAY = "2026-07-15"
MANUAL = Path(__file__).resolve().parents[2] / "docs/desk-api.md"
NEW = POINTS[30]  #: of the south, without a case


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiDesk]:
    with api_desk(tmp_path, filled=False) as one:
        yield one


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiDesk]:
    """With cases in every state; tests that change something take one of their own."""
    with api_desk(tmp_path_factory.mktemp("full")) as one:
        yield one


def application(point: str = POINTS[5], **changes: str) -> dict[str, str]:
    return {"supply_point": point, **APPLICATION, "received_on": TODAY, **changes}


def opened(site: ApiDesk, point: str = POINTS[5], **more: Any) -> dict[str, Any]:
    body = {"fields": application(point), **more}
    made: dict[str, Any] = site.post(COUNTER, "/cases", body, status=201)
    return made


def refused(site: ApiDesk, role: Role | None, path: str, body: Any, status: int) -> dict[str, Any]:
    error: dict[str, Any] = site.post(role, path, body, status=status)["error"]
    assert error["ja"]
    assert error["en"]
    return error


# --- the story ------------------------------------------------------------------------------------------


def test_an_application_goes_from_its_first_line_to_its_end(site: ApiDesk) -> None:
    made = opened(site)
    number, version = made["number"], made["version"]
    assert (made["state"], made["case"]["next"]["event"]) == ("draft", "submit")
    roles = {"counter": COUNTER, "works": WORKS}
    for event, actor, given, state in STORY:
        role = roles[str(actor.role)]
        offered = {step["event"]: step for step in site.get(role, f"/cases/{number}")["steps"]}
        assert event in offered, "the case says beforehand what can be done"
        assert set(given) <= {field["name"] for field in offered[event]["fields"]}
        fields = {name: TODAY if name.endswith("_on") else value for name, value in given.items()}
        act = {"event": event, "version": version, "fields": fields}
        told = site.post(role, f"/cases/{number}/events", act)
        assert (told["state"], told["version"]) == (state, version + 1)
        version = told["version"]
    case = site.get(AUDITOR, f"/cases/{number}")
    assert [one["event"] for one in case["history"]] == ["draft", "fill", *(event for event, *_ in STORY)]
    assert {one["kind"] for one in case["works"]} >= {"survey", "installation"}
    assert all(one["state"] == "done" for one in case["works"])
    assert [one["kind"] for one in case["letters"]][-1] == "received"
    assert site.post(AUDITOR, "/events/verify")["sound"] is True


def test_an_application_is_handed_in_at_once_or_not_at_all(site: ApiDesk) -> None:
    made = opened(site, submit=True)
    assert (made["state"], made["case"]["office"]) == ("submitted", NORTH)
    before = len(site.get(SUPERVISOR, "/cases?state=draft")["cases"])
    error = refused(site, COUNTER, "/cases", {"fields": {"supply_point": POINTS[6]}, "submit": True}, 422)
    assert (error["code"], error["rule"]) == ("rule", "apply.complete")
    assert "customer_name" in error["lacking"]
    assert len(site.get(SUPERVISOR, "/cases?state=draft")["cases"]) == before, "nothing is half-saved"


def test_what_goes_to_another_office_is_told_once_more_and_not_seen(site: ApiDesk) -> None:
    made = opened(site, NEW, submit=True)
    assert (made["state"], made["case"]) == ("submitted", None)
    assert site.ask(COUNTER, "GET", f"/cases/{made['number']}").status_code == 404
    assert site.get(SUPERVISOR, f"/cases/{made['number']}")["office"] == SOUTH


# --- what is refused ------------------------------------------------------------------------------------


def test_a_rule_that_does_not_hold_is_named(site: ApiDesk) -> None:
    made = opened(site)
    moved = refused(
        site, COUNTER, f"/cases/{made['number']}/events",
        {"event": "plan_works", "version": made["version"], "fields": {"works_on": TODAY}}, 409,
    )  # fmt: skip
    assert moved["code"] == "no_step"
    second = opened(site)
    site.post(COUNTER, f"/cases/{made['number']}/events", {"event": "submit", "version": made["version"]})
    error = refused(
        site, COUNTER, f"/cases/{second['number']}/events",
        {"event": "submit", "version": second["version"]}, 422,
    )  # fmt: skip
    assert (error["code"], error["rule"]) == ("rule", "apply.one")
    (submit,) = (
        step for step in site.get(COUNTER, f"/cases/{second['number']}")["steps"] if step["event"] == "submit"
    )
    assert submit["blocked"]["rule"] == "apply.one"
    assert submit["blocked"]["ja"]
    assert submit["blocked"]["en"]


def test_wrong_fields_are_named_one_by_one_and_nothing_is_kept(site: ApiDesk) -> None:
    made = opened(site)
    error = refused(
        site, COUNTER, f"/cases/{made['number']}/events",
        {"event": "fill", "version": made["version"], "fields": {"phone": "x", "colour": "red"}}, 422,
    )  # fmt: skip
    assert error["code"] == "invalid"
    assert set(error["fields"]) == {"phone", "colour"}
    assert "092-000-0000" in error["fields"]["phone"]["en"]
    assert site.get(COUNTER, f"/cases/{made['number']}")["version"] == made["version"]


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/cases/{}/events", {"event": "note"}, "invalid"),  # no version: nobody acts blindly
        ("/cases/{}/events", {"event": "fly", "version": 1}, "invalid"),
        ("/cases/{}/events", {"event": "note", "version": "1"}, "invalid"),
        ("/cases/{}/events", {"event": "note", "version": 1, "sure": True}, "invalid"),
        ("/cases/{}/events", {"event": "note", "version": 1, "fields": {"note": 3}}, "invalid"),
        ("/cases/{}/events", [1], "invalid"),
        ("/cases/{}/events", b"\xff\xfe", "invalid"),
        ("/cases/{}/events?force=1", {"event": "note", "version": 1}, "unknown_parameter"),
        ("/cases/{}/show", {"what": "everything"}, "invalid"),
        ("/cases", {"fields": {}}, "invalid"),
        ("/cases", {"fields": {"supply_point": "\ud800"}}, "invalid"),
        ("/cases/search", {"text": ""}, "invalid"),
    ],
)
def test_bad_input_is_one_sentence(full: ApiDesk, path: str, body: Any, code: str) -> None:
    number = full.cases[State.CHECKING].number
    raw = json.dumps(body).encode() if not isinstance(body, bytes) else body
    answer = full.ask(SUPERVISOR, "POST", path.format(number), raw, **{"Content-Type": "application/json"})
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["ja"]
    assert error["en"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/cases/HB-2026-99999", 404, "not_found"),
        ("/cases/%00", 422, "invalid"),
        ("/cases?state=lost", 422, "invalid"),
        ("/cases?page=0", 422, "invalid"),
        ("/cases?size=1000", 422, "invalid"),
        ("/cases?office=moon", 404, "not_found"),
        ("/cases?stat=draft", 422, "unknown_parameter"),
        ("/works?from=2026-07-15&to=2026-07-14", 422, "backwards"),
        ("/works?from=2026-01-01&to=2026-07-14", 422, "too_long"),
        ("/works?from=yesterday", 422, "invalid"),
        ("/registers/planets", 422, "invalid"),
        ("/registers/contract_ends", 404, "no_records"),
        ("/enquiries/EQ-2026-99999", 404, "not_found"),
        ("/faults/FT-2026-99999", 404, "not_found"),
        ("/events?from=0001-01-01", 422, "no_such_day"),
        ("/nothing", 404, "not_found"),
    ],
)
def test_every_refusal_has_one_shape(full: ApiDesk, path: str, status: int, code: str) -> None:
    answer = full.ask(Role.OWNER, "GET", path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text


def test_a_body_that_is_too_large_is_refused(full: ApiDesk) -> None:
    body = {"event": "note", "version": 1, "fields": {"note": "x" * 70_000}}
    answer = full.ask(SUPERVISOR, "POST", f"/cases/{full.cases[State.CHECKING].number}/events", body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


# --- nobody writes over somebody else -------------------------------------------------------------------


def test_of_two_acts_on_the_same_version_exactly_one_succeeds(site: ApiDesk) -> None:
    made = opened(site, submit=True)
    address = f"/cases/{made['number']}/events"

    def act(at: int) -> Any:
        note = {"event": "note", "version": made["version"], "fields": {"note": f"メモ {at}"}}
        return site.ask(SUPERVISOR, "POST", address, note)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(act, range(8)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [409] * 7
    for answer in answers:
        if answer.status_code == 409:
            error = answer.json()["error"]
            assert (error["code"], error["version"]) == ("changed", made["version"] + 1)
            assert error["changed_by"].startswith("token:")
            assert error["changed_at"].endswith("+09:00")
    case = site.get(SUPERVISOR, f"/cases/{made['number']}")
    assert [one["event"] for one in case["history"]].count("note") == 1


# --- who sees what --------------------------------------------------------------------------------------


def test_lists_name_nobody_in_full(full: ApiDesk) -> None:
    for path in ("/cases", "/works", "/letters", "/enquiries", "/faults", "/registers/supply_points"):
        text = full.ask(SUPERVISOR, "GET", path).text
        for name in (*PERSONAL, "みどり製作所", "092-000-0009", "値が出ません", *POINTS):
            assert name not in text, (path, name)


def test_the_worklist_is_that_of_the_page(full: ApiDesk) -> None:
    listed = full.get(SUPERVISOR, "/cases?size=3")
    assert (listed["whole"], len(listed["cases"])) == (listed["turns"]["all"], 3)
    more = full.get(SUPERVISOR, "/cases?size=3&page=2")
    assert not {one["number"] for one in more["cases"]} & {one["number"] for one in listed["cases"]}
    late = full.get(SUPERVISOR, "/cases?turn=late")
    assert late["cases"]
    assert {one["band"] for one in late["cases"]} == {"late"}
    ended = full.get(SUPERVISOR, "/cases?state=ended")
    assert [one["number"] for one in ended["cases"]] == [full.cases[State.ENDED].number]


def test_a_search_stands_in_no_address(full: ApiDesk) -> None:
    wanted = full.cases[State.SUSPENDED]
    for text in (wanted.number, wanted.supply_point[-4:], wanted.supply_point, "しらかば病院"):
        found = full.post(COUNTER, "/cases/search", {"text": text})["cases"]
        assert wanted.number in [one["number"] for one in found], text
    assert full.ask(COUNTER, "GET", "/cases?text=1").json()["error"]["code"] == "unknown_parameter"


def test_who_reads_whom_in_full_is_written_down_first(full: ApiDesk) -> None:
    found = full.cases[State.CHECKING]
    case = full.get(COUNTER, f"/cases/{found.number}")
    assert case["supply_point"] == masked(found.supply_point)
    assert case["customer"]["contact_name"] == "小●●●"
    assert "092-000-0001" not in json.dumps(case)
    told = full.post(COUNTER, f"/cases/{found.number}/show", {"what": "contact"})
    assert told["values"]["phone"] == "092-000-0001"
    whole = full.post(AUDITOR, f"/cases/{found.number}/show", {"what": "number"})
    assert whole["values"] == {"supply_point": found.supply_point}
    newest = full.place.people.audit.entries(2)
    assert [(one.action, one.subject, one.detail["what"]) for one in newest] == [
        ("personal_shown", f"case:{found.number}", "number"),
        ("personal_shown", f"case:{found.number}", "contact"),
    ]
    assert newest[0].author.startswith("token:")


def test_each_login_sees_its_own(full: ApiDesk) -> None:
    me = full.get(COUNTER, "/me")
    assert (me["role"], me["office"], me["every_office"]) == ("counter", NORTH, False)
    assert me["rights"] == ["account", "desk_read", "desk_handle"]
    assert full.get(SUPERVISOR, "/me")["every_office"] is True
    assert full.get(CUSTOMER, "/me")["cases"] == [full.own_case]
    assert full.ask(CUSTOMER, "GET", "/cases").status_code == 403
    assert full.ask(COUNTER, "GET", "/my/cases").status_code == 403
    assert full.ask(COUNTER, "GET", "/events").status_code == 403


def test_a_session_must_prove_that_it_is_a_page_of_ours(full: ApiDesk) -> None:
    address, body = f"/cases/{full.cases[State.CHECKING].number}/show", {"what": "number"}
    forged = full.ask(COUNTER, "POST", address, body, **{"X-CSRF-Token": "x"})
    assert (forged.status_code, forged.json()["error"]["code"]) == (403, "forged")
    foreign = full.ask(COUNTER, "POST", address, body, Origin="https://elsewhere.example")
    assert foreign.json()["error"]["code"] == "bad_origin"
    assert full.ask(COUNTER, "POST", address, body).status_code == 200


def test_work_is_given_to_staff_alone(site: ApiDesk) -> None:
    made = opened(site, submit=True)
    address = f"/cases/{made['number']}/events"
    customer = f"person:{site.place.person(CUSTOMER)}"
    act = {"event": "assign", "version": made["version"], "fields": {"assignee": customer}}
    assert set(refused(site, COUNTER, address, act, 422)["fields"]) == {"assignee"}
    mine = f"person:{site.place.person(COUNTER)}"
    told = site.post(COUNTER, address, act | {"fields": {"assignee": mine}})
    assert told["case"]["assignee"] == mine
    paper = {"event": "attach", "version": told["version"], "fields": {"document": "document:1"}}
    assert refused(site, COUNTER, address, paper, 409)["code"] == "on_the_page"


# --- open to all ----------------------------------------------------------------------------------------


def test_eligibility_is_told_as_the_page_tells_it(full: ApiDesk) -> None:
    asked = {"number": POINTS[3], "supply": "utility", "ems": True, "certificate": CERTIFICATE}
    told = full.post(None, "/eligibility", asked | {"postal_code": "812-0011"})
    assert told["outcome"] in ("eligible", "open")
    assert told["route"]["office"]["code"] == NORTH
    said = {one["rule"]: one["verdict"] for one in told["findings"]}
    assert (said["eligible.area"], said["warn.sma"]) == ("ok", "ok")
    assert said["eligible.installable"] == "unknown", "what stands there is not told to strangers"
    outside = full.post(None, "/eligibility", {"number": "03" + "1" * 20})
    assert outside["outcome"] == "refused"
    wrong = refused(full, None, "/eligibility", {"number": "12", "postal_code": "81"}, 422)
    assert set(wrong["fields"]) == {"number", "postal_code"}
    assert full.post(None, "/eligibility", {"number": STRANGE})["outcome"] in ("open", "refused")


def test_numbers_are_tried_out_at_the_pace_of_the_page(site: ApiDesk) -> None:
    goes, _ = PACES["check"]
    for _ in range(goes):
        site.post(None, "/eligibility", {"number": POINTS[3]})
    assert refused(site, None, "/eligibility", {"number": POINTS[3]}, 429)["code"] == "too_often"
    assert site.post(None, "/eligibility", {"supply": "utility"}), "without a number nothing is tried out"
    page = site.place.visitor().send("/check", number=POINTS[3])
    assert page.status_code == 429, "page and API count together"


def test_what_is_open_is_counted_for_those_without_a_login(
    site: ApiDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PACES, "api", (2, PACES["api"][1]))
    assert [site.ask(None, "GET", "/terms").status_code for _ in range(3)] == [200, 200, 429]
    assert site.ask(SUPERVISOR, "GET", "/terms").status_code == 200


def test_help_routes_equipment_data_and_terms(full: ApiDesk) -> None:
    book = full.get(None, "/help")
    assert [one["number"] for one in book["questions"] if one["number"]] == list(range(1, 22))
    assert full.get(None, "/help?q=ケーブル")["questions"][0]["id"] == "wired"
    one = full.get(None, "/help/wired")
    assert one["answer"]["ja"] != one["answer"]["en"]
    assert one["ask"].startswith("/enquiry?topic=")
    assert full.get(None, "/routing?supply=other")["office"]["kind"] == "network_service_centre"
    assert full.get(None, "/routing")["known"] == "supply"
    assert full.get(None, "/routing?supply=self")["known"] == "unset"
    found = full.get(None, "/equipment?q=EMS-1&present=true")
    assert [one["number"] for one in found["equipment"]] == [CERTIFICATE]
    data = full.get(None, "/data-list")
    assert (data["own"], bool(data["warning"]), bool(data["items"])) == (False, True, True)
    assert full.get(None, "/terms")["in_force"] == TERMS
    assert full.get(None, f"/terms/{TERMS}")["text"] == "第 1 条 …"


# --- enquiries and faults -------------------------------------------------------------------------------


def test_an_enquiry_is_answered(site: ApiDesk) -> None:
    made = site.post(COUNTER, "/enquiries", {"text": "費用は?", "contact": "092-1"}, status=201)
    listed = site.get(COUNTER, "/enquiries?limit=1")
    assert listed["next"] == listed["enquiries"][0]["number"]
    rest = site.get(COUNTER, f"/enquiries?after={listed['next']}")
    assert made["number"] in [one["number"] for one in rest["enquiries"]]
    address = f"/enquiries/{made['number']}/acts"
    mine = f"person:{site.place.person(COUNTER)}"
    one = site.post(COUNTER, address, {"act": "assign", "owner": mine, "version": made["version"]})
    assert (one["owner"], one["version"]) == (mine, made["version"] + 1)
    stale = {"act": "answer", "text": "無料です。", "version": made["version"]}
    error = refused(site, COUNTER, address, stale, 409)
    assert (error["code"], error["version"]) == ("changed", one["version"])
    one = site.post(COUNTER, address, stale | {"version": one["version"]})
    assert (one["state"], one["steps"][-1]["text"]) == ("answered", "無料です。")
    assert refused(site, AUDITOR, address, stale | {"version": one["version"]}, 403)
    past = {"act": "extend", "due_on": "2026-07-01", "version": one["version"]}
    assert set(refused(site, COUNTER, address, past, 422)["fields"]) == {"due_on"}
    gone = site.post(COUNTER, address, {"act": "move", "office": SOUTH, "version": one["version"]})
    assert (gone["office"], gone["steps"], gone["contact"]) == (SOUTH, [], None)
    assert site.ask(COUNTER, "GET", f"/enquiries/{made['number']}").status_code == 404


def test_a_fault_is_followed_question_by_question(full: ApiDesk) -> None:
    case = full.cases[State.IN_SERVICE].number
    made = full.post(COUNTER, "/faults", {"case": case}, status=201)
    address = f"/faults/{made['number']}/acts"
    assert made["case"] == case
    error = refused(full, COUNTER, address, {"act": "order"}, 422)
    assert (error["code"], error["rule"]) == ("rule", "fault.order")
    first = made["question"]
    wrong = {"act": "answer", "step": first["step"], "answer": "perhaps"}
    assert refused(full, COUNTER, address, wrong, 422)["code"] == "invalid"
    other = {"act": "answer", "step": "maker", "answer": "yes"}
    assert refused(full, COUNTER, address, other, 409)["code"] == "changed"
    view = full.post(COUNTER, address, wrong | {"answer": first["answers"][0]["id"]})
    assert [turn["step"] for turn in view["path"]] == [first["step"]]
    view = full.post(COUNTER, address, {"act": "back"})
    assert view["path"] == []
    closed = full.post(COUNTER, address, {"act": "close"})
    assert closed["closed_at"].endswith("+09:00")


# --- registers ------------------------------------------------------------------------------------------

CSV = "code,name,own\nr-1,みどり電力,いいえ\n,名なし,いいえ\n"


def test_a_file_is_checked_and_taken_in(site: ApiDesk) -> None:
    dry = site.ask(COUNTER, "POST", "/registers/retailers/import?dry_run=true", CSV.encode()).json()
    assert (dry["dry_run"], dry["rows"], dry["new"], dry["refused"]) == (True, 2, 1, 1)
    assert (dry["refusals"][0]["row"], bool(dry["refusals"][0]["why"]["ja"])) == (3, True)
    assert site.get(COUNTER, "/registers/retailers")["total"] == 0
    taken = site.ask(COUNTER, "POST", "/registers/retailers/import", CSV.encode()).json()
    assert (taken["dry_run"], taken["new"], taken["more"]) == (False, 1, 0)
    (row,) = site.get(COUNTER, "/registers/retailers?q=みどり")["records"]
    assert row["values"] == {"code": "r-1", "name": "みどり電力", "own": "false", "ended_on": None}
    again = site.ask(COUNTER, "POST", "/registers/retailers/import", CSV.encode()).json()
    assert (again["same"], bool(again["known_since"])) == (1, True)
    assert site.ask(WORKS, "POST", "/registers/retailers/import", CSV.encode()).status_code == 403
    answer = site.ask(COUNTER, "POST", "/registers/retailers/import?name=x.csv", b"a,b\n1,2\n")
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "refused")
    (entry,) = site.get(AUDITOR, "/events?kind=registers&register=retailers&what=imported&limit=1")["entries"]
    assert (entry["role"], entry["detail"]["rows"]) == ("counter", "2")


def test_a_file_larger_than_a_form_is_taken(site: ApiDesk) -> None:
    rows = "".join(f"r-{at},小売 {at} {'x' * 40},いいえ\n" for at in range(2_000))
    told = site.ask(COUNTER, "POST", "/registers/retailers/import", f"code,name,own\n{rows}".encode())
    assert (told.status_code, told.json()["new"]) == (200, 2_000)


def test_registers_say_their_columns(full: ApiDesk) -> None:
    found = {one["register"]: one for one in full.get(WORKS, "/registers")["registers"]}
    assert found["supply_points"]["count"] == 43
    assert found["contract_ends"]["count"] is None
    assert "voltage" in [column["name"] for column in found["supply_points"]["columns"]]
    part = full.get(WORKS, "/registers/supply_points?limit=2&offset=1")
    assert (part["total"], [one["values"]["number"] for one in part["records"]]) == (
        43, [masked(number) for number in POINTS[1:3]],
    )  # fmt: skip


# --- works, letters, the trail --------------------------------------------------------------------------


def test_works_and_letters(full: ApiDesk) -> None:
    week = full.get(SUPERVISOR, "/works")
    assert (week["first"], week["last"]) == (TODAY, "2026-07-21")
    month = full.get(SUPERVISOR, "/works?from=2026-06-01&to=2026-08-01")["works"]
    assert {one["case"]["number"] for one in month} >= {full.cases[State.SURVEY].number}
    letters = full.get(SUPERVISOR, "/letters")
    assert letters["waiting"] == len(letters["letters"])
    assert letters["letters"][0]["printed_at"] is None
    assert full.get(SUPERVISOR, "/letters?printed=true")["letters"] == []


def test_the_trail_is_read_backwards_and_verified(full: ApiDesk) -> None:
    newest = full.get(AUDITOR, "/events?limit=5")
    older = full.get(AUDITOR, f"/events?limit=5&before={newest['next']}")
    numbers = [one["seq"] for one in (*newest["entries"], *older["entries"])]
    assert numbers == sorted(numbers, reverse=True)
    assert len(set(numbers)) == 10
    number = full.cases[State.ENDED].number
    of_one = full.get(AUDITOR, f"/events?case={number}&limit=1000")
    assert of_one["next"] is None
    assert of_one["entries"][-1]["detail"] == {"supply_point": masked(full.cases[State.ENDED].supply_point)}
    told = full.post(AUDITOR, "/events/verify")
    assert told["sound"] is True
    head = next(one["head"] for one in told["chains"] if one["chain"] == "cases")
    assert full.post(AUDITOR, "/events/verify", {"expected": head})["sound"] is True
    assert full.post(AUDITOR, "/events/verify", {"expected": "f" * 64})["sound"] is False


# --- a customer's own -----------------------------------------------------------------------------------


def test_a_customer_goes_on_with_the_own_application(tmp_path: Path) -> None:
    with api_desk(tmp_path, filled=False, online=True) as site:
        (line,) = site.get(CUSTOMER, "/my/cases")["cases"]
        address = f"/my/cases/{line['number']}/events"
        fill = {"event": "fill", "version": line["version"], "fields": {"received_on": TODAY}}
        assert refused(site, CUSTOMER, address, fill | {"fields": {"phone": "x"}}, 422)["fields"]["phone"]
        case = site.post(CUSTOMER, address, fill | {"fields": {"phone": "092-000-0002"}})
        assert (case["person"]["phone"], case["facts"]["way"]) == ("092-000-0002", "online")
        assert {step["event"] for step in case["steps"]} == {"fill", "submit", "withdraw"}
        again = refused(site, CUSTOMER, address, fill, 409)
        assert (again["code"], again["version"]) == ("changed", case["version"])
        assert "changed_by" not in again, "who works at the desk is not told"
        assert "person:" not in json.dumps(again)
        case = site.post(CUSTOMER, address, {"event": "submit", "version": case["version"]})
        assert (case["state"], [step["event"] for step in case["steps"]]) == ("submitted", ["withdraw"])
        staff = {"event": "accept", "version": case["version"]}
        assert refused(site, CUSTOMER, address, staff, 422)["code"] == "invalid"


def test_a_customer_is_told_nothing_of_others_and_not_who_works_at_the_desk(full: ApiDesk) -> None:
    mine = full.get(CUSTOMER, f"/my/cases/{full.own_case}")
    assert "person:" not in json.dumps(mine)
    assert full.ask(CUSTOMER, "GET", f"/my/cases/{full.cases[State.CHECKING].number}").status_code == 404
    assert full.ask(CUSTOMER, "GET", f"/my/enquiries/{full.enquiry}").status_code == 404
    number = full.own_enquiry
    seen = full.get(SUPERVISOR, f"/enquiries/{number}")["version"]
    one = full.post(SUPERVISOR, f"/enquiries/{number}/acts", {"act": "note", "text": "内緒", "version": seen})
    full.post(
        SUPERVISOR, f"/enquiries/{number}/acts",
        {"act": "answer", "text": "7 月です。", "version": one["version"]},
    )  # fmt: skip
    told = full.get(CUSTOMER, f"/my/enquiries/{number}")
    assert [step["text"] for step in told["steps"]] == ["いつ始まりますか。", "7 月です。"]
    assert {step["by"] for step in told["steps"]} == {""}
    done = full.post(CUSTOMER, f"/my/enquiries/{number}/acts", {"act": "close", "version": told["version"]})
    assert done["state"] == "closed"
    assert [one["number"] for one in full.get(CUSTOMER, "/my/enquiries")["enquiries"]] == [number]


def test_a_second_application_is_refused_without_naming_the_first(tmp_path: Path) -> None:
    with api_desk(tmp_path, filled=False, online=True) as site:
        other = opened(site, POINTS[0], submit=True)
        case = site.get(CUSTOMER, f"/my/cases/{site.own_case}")
        (submit,) = (step for step in case["steps"] if step["event"] == "submit")
        assert submit["blocked"]["rule"] == "apply.one"
        error = refused(
            site, CUSTOMER, f"/my/cases/{site.own_case}/events",
            {"event": "submit", "version": case["version"]}, 422,
        )  # fmt: skip
        for told in (json.dumps(submit, ensure_ascii=False), error["ja"], error["en"]):
            assert other["number"] not in told


# --- the manual -----------------------------------------------------------------------------------------


async def test_the_examples_of_the_manual_run_as_they_stand(site: ApiDesk, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing; apt-get install curl")
    blocks = re.findall(r"^```sh\n(.+?)^```$", MANUAL.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in re.findall(r"((?:[^\\\n]|\\\n|\\.)+)\n", block)]
    assert len(lines) > 9
    async with served(site.place.app) as url:
        for line in lines:
            command = line.replace("\\\n", " ").replace("http://127.0.0.1:8029", url)
            command = command.replace("$TOKEN", site.headers[SUPERVISOR]["Authorization"].split()[1])
            asks = command.startswith("curl ")
            command += " -w '\\n%{http_code}' --max-time 20" if asks else ""
            done = await asyncio.to_thread(
                subprocess.run, command, shell=True, capture_output=True, text=True, timeout=60,
                check=False, cwd=tmp_path,
            )  # fmt: skip
            assert done.returncode == 0, (command, done.stderr)
            if asks:
                body, _, status = done.stdout.rpartition("\n")
                assert status == "200", (command, done.stdout)
                assert json.loads(body)


def plain(path: str) -> str:
    """A path without what its parameters are called."""
    return re.sub(r"\{[^}]*\}", "{}", path.removeprefix("/api/v1"))


def test_the_manual_names_every_address_with_its_right(full: ApiDesk) -> None:
    paths = full.get(None, "/openapi.json")["paths"]
    described = {
        (method.upper(), plain(path)): [
            one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"
        ]
        for path, methods in paths.items()
        for method, operation in methods.items()
    }
    row = r"^\| `(POST )?(/[^`?]+)(\?[^`]*)?` \|.*\| (.+) \|$"
    rows = re.findall(row, MANUAL.read_text(), re.MULTILINE)
    named = {(post.strip() or "GET", plain(path)): re.findall(r"(\w+)=", ask) for post, path, ask, _ in rows}
    assert named == described
    told = {(post.strip() or "GET", plain(path)): right for post, path, _, right in rows}
    for (method, path), (right, _) in TABLE.items():
        if path.startswith("/api/v1/") and plain(path) != "/openapi.json":
            word = {None: "all", Right.ACCOUNT: "any login"}.get(right, f"`{right}`")
            assert told[method, plain(path)].startswith(word), path


def test_the_manual_names_every_code_of_ours() -> None:
    text = MANUAL.read_text()
    for code in ("changed", "no_step", "on_the_page", "not_set", "invalid", "unknown_parameter", "rule"):
        assert f"`{code}`" in text
