"""The API over a real store: periods as the pages have them, corrections with their trace, rights."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from api_site import FIRST, HOME, NOW, ApiSite, api_site
from jsonschema_rs import Draft202012Validator
from web_site import served

from koatsu.ems.live import Listener, Signal
from koatsu.ems.store import Event, Level
from koatsu.meter.slots import HALF_HOUR
from koatsu.people import PeopleStoreError, Role, StoreTrouble

V1 = "/api/v1"
MANUAL = Path(__file__).resolve().parents[2] / "docs/api.md"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[ApiSite]:
    with api_site(tmp_path) as one:
        yield one


def ask(
    site: ApiSite, method: str, path: str, body: Any = None, role: Role | None = Role.OPERATOR
) -> httpx.Response:
    """The answer to a program with that role; ``None`` carries no token."""

    async def call() -> httpx.Response:
        transport = httpx.ASGITransport(site.app, client=("127.0.0.1", 50123))
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as http:
            headers = site.bearer(role) if role is not None else {}
            if method == "POST":
                headers["Origin"] = HOME
            return await http.request(method, V1 + path, json=body, headers=headers)

    return asyncio.run(call())


def get(site: ApiSite, path: str) -> Any:
    answer = ask(site, "GET", path)
    assert answer.status_code == 200, answer.text
    return answer.json()


# --- what is read ---------------------------------------------------------------------------------------


def test_every_site_and_its_meters_are_found(site: ApiSite) -> None:
    assert [(one["id"], one["meters"]) for one in get(site, "/sites")["sites"]] == [
        ("east", ["main"]),
        ("west", ["far"]),
    ]
    assert [one["id"] for one in get(site, "/meters")["meters"]] == ["main", "main.reverse", "far"]
    assert [one["id"] for one in get(site, "/meters?site=west")["meters"]] == ["far"]
    assert get(site, "/meters/far/now")["meter"]["id"] == "far", "a meter of the second site is a meter"
    assert ask(site, "GET", "/meters?site=none").json()["error"]["code"] == "no_site"


def test_a_month_is_the_month_of_the_page(site: ApiSite) -> None:
    told, view = get(site, "/meters/main/months/2026-07"), site.sites.month("main", date(2026, 7, 1))
    assert Decimal(told["total"]["energy"]["value"]) == view.total.energy_kwh
    assert told["total"]["known"] == view.total.known
    assert [day["day"] for day in told["days"]] == [str(day.day) for day in view.total.days]
    assert [day["energy"] and Decimal(day["energy"]["value"]) for day in told["days"]] == [
        day.energy_kwh for day in view.total.days
    ]
    assert len(told["holes"]) == len(view.total.holes) > 0
    assert told["month"] == {"name": "2026-07", "first": "2026-07-01", "last": "2026-07-31"}


def test_a_billing_month_runs_from_fixed_day_to_fixed_day(site: ApiSite) -> None:
    told = get(site, "/meters/main/billing-months/2026-06")
    assert (told["billing"], told["fixed_day"]) == (True, 20)
    assert (told["month"]["first"], told["month"]["last"]) == ("2026-06-20", "2026-07-19")


@pytest.mark.parametrize("path", ["/meters/main/years", "/meters/main/years/2026?billing=true"])
def test_a_year_is_the_year_of_the_page(site: ApiSite, path: str) -> None:
    told = get(site, path)
    view = site.sites.year("main", date(2026, 1, 1) if "2026" in path else None, billing="true" in path)
    assert Decimal(told["total"]["energy"]["value"]) == view.total.energy_kwh
    assert len(told["months"]) == 12
    assert view.contract is not None
    assert view.contract.peak is not None
    assert Decimal(told["contract"]["greatest"]["demand"]["value"]) == view.contract.peak.demand_kw


def test_the_register_chooses_the_direction(site: ApiSite) -> None:
    asked = "from=2026-07-14T00:00:00%2B09:00&to=2026-07-14T06:00:00%2B09:00"
    by_id = get(site, f"/meters/main.reverse/slots?{asked}")
    assert get(site, f"/meters/main/slots?{asked}&register=energy_reverse")["slots"] == by_id["slots"]
    assert get(site, f"/meters/main/slots?{asked}&register=energy")["slots"] != by_id["slots"]
    assert ask(site, "GET", f"/meters/far/slots?{asked}&register=energy_reverse").status_code == 404


def test_days_can_be_bounded(site: ApiSite) -> None:
    days = get(site, "/meters/main/days?from=2026-07-14&to=2026-07-14")["days"]
    assert [day["day"] for day in days] == ["2026-07-14"]


def test_health_tells_of_each_meter(site: ApiSite) -> None:
    told = get(site, "/health")
    assert told["links"] == {"main": "live", "far": "waiting"}
    assert told["working"] is True


def test_exports_lead_to_files_that_open(site: ApiSite) -> None:
    found = get(site, "/exports?from=2026-07-13&to=2026-07-14")["exports"]
    assert [one["what"] for one in found] == ["slots", "slots", "slots", "archive"]

    async def opened(address: str) -> httpx.Response:
        transport = httpx.ASGITransport(site.app, client=("127.0.0.1", 50123))
        async with httpx.AsyncClient(transport=transport, base_url=HOME) as http:
            return await http.get(address, headers=site.bearer(Role.VIEWER))

    answer = asyncio.run(opened(found[0]["address"]))
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith(found[0]["media_type"])
    assert get(site, "/imports")["files"] == []


# --- what is changed ------------------------------------------------------------------------------------

INSTANT = FIRST + 10 * HALF_HOUR


def correction(**changes: object) -> dict[str, object]:
    body: dict[str, object] = {
        "meter": "main", "register": "energy", "instant": INSTANT.isoformat(), "count": 1030,
        "reason": "read at the display",
    }  # fmt: skip
    return body | changes


def test_a_conflict_is_settled_by_a_correction_and_opens_again_when_it_is_withdrawn(site: ApiSite) -> None:
    found = get(site, "/conflicts")["conflicts"]
    assert [(one["kept"], one["others"]) for one in found] == [(1150, [1]), (1030, [1031])]
    assert found[1]["instant"] == INSTANT.isoformat()
    made = ask(site, "POST", "/corrections", correction())
    assert made.status_code == 201, made.text
    number = made.json()["id"]
    assert made.json()["author"].startswith("token:")
    assert [one["kept"] for one in get(site, "/conflicts")["conflicts"]] == [1150]
    assert get(site, "/conflicts?settled=true")["conflicts"][1]["settled_by"] == number
    assert [one["id"] for one in get(site, "/corrections?meter=main")["corrections"]] == [number]
    slot = get(site, f"/meters/main/days/{INSTANT.date()}")["slots"][10]
    assert (slot["state"], slot["start_count"]) == ("corrected", 1030)
    gone = ask(site, "POST", f"/corrections/{number}/withdraw")
    assert gone.status_code == 200
    assert gone.json()["withdrawn_at"] == NOW.isoformat()
    assert len(get(site, "/conflicts")["conflicts"]) == 2
    assert get(site, "/corrections")["corrections"] == []
    assert len(get(site, "/corrections?withdrawn=true")["corrections"]) == 1
    again = ask(site, "POST", f"/corrections/{number}/withdraw")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "withdrawn")


def test_what_is_corrected_leaves_a_trace_without_names(site: ApiSite) -> None:
    number = ask(site, "POST", "/corrections", correction()).json()["id"]
    assert site.people is not None
    ask(site, "POST", f"/corrections/{number}/withdraw")
    entries = site.people.audit.entries(2)
    assert [entry.action for entry in entries] == ["correction_withdrawn", "count_corrected"]
    for entry in entries:
        assert entry.subject == "meter:main"
        assert dict(entry.detail) == {
            "number": str(number),
            "instant": INSTANT.isoformat(),
            "register": "energy",
        }
        assert entry.author.startswith("token:")
    assert site.people.audit.verify() is None


def test_what_the_audit_log_cannot_take_is_not_corrected(
    site: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = ask(site, "POST", "/corrections", correction()).json()["id"]
    before = ask(site, "GET", "/corrections?withdrawn=true").json()["corrections"]
    assert site.people is not None

    def refused(*_words: object) -> None:
        raise PeopleStoreError(StoreTrouble.LOCKED, "koatsu.people.db")

    monkeypatch.setattr(site.people.audit, "append", refused)
    for path, body in (("/corrections", correction(count=7)), (f"/corrections/{number}/withdraw", None)):
        answer = ask(site, "POST", path, body)
        assert answer.status_code == 503, answer.text
        assert answer.json()["error"]["ja"]
    assert ask(site, "GET", "/corrections?withdrawn=true").json()["corrections"] == before


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"meter": "none"}, 404, "no_meter"),
        ({"meter": "far"}, 409, "no_epoch"),
        ({"instant": "2026-07-14T22:10:00+09:00"}, 422, "unfit"),
        ({"instant": "2026-07-14T22:00:00"}, 422, "invalid"),
        ({"instant": "2030-01-01T00:00:00+09:00"}, 422, "unfit"),
        ({"count": 1_000_000}, 422, "unfit"),
        ({"count": -1}, 422, "invalid"),
        ({"count": "12"}, 422, "invalid"),
        ({"register": "heat"}, 422, "invalid"),
        ({"reason": " "}, 422, "unfit"),
        ({"colour": "red"}, 422, "invalid"),
    ],
)
def test_a_correction_that_cannot_be_changes_nothing(
    site: ApiSite, changes: dict[str, object], status: int, code: str
) -> None:
    answer = ask(site, "POST", "/corrections", correction(**changes))
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code), answer.text
    assert answer.json()["error"]["ja"]
    assert get(site, "/corrections?withdrawn=true")["corrections"] == []


def test_a_meter_may_be_said_not_to_be_believed(site: ApiSite) -> None:
    assert ask(site, "POST", "/corrections", correction(count=None)).status_code == 201
    slot = get(site, f"/meters/main/days/{INSTANT.date()}")["slots"][10]
    assert slot["energy"] is None


@pytest.mark.parametrize(("role", "status"), [(None, 401), (Role.VIEWER, 403), (Role.OPERATOR, 201)])
def test_only_who_may_correct_corrects(site: ApiSite, role: Role | None, status: int) -> None:
    assert ask(site, "POST", "/corrections", correction(), role).status_code == status


def test_without_an_owner_nobody_corrects(tmp_path: Path) -> None:
    with api_site(tmp_path, owned=False) as site:
        assert get(site, "/corrections")["corrections"] == []
        answer = ask(site, "POST", "/corrections", correction())
        assert answer.status_code == 403
        assert get(site, "/corrections")["corrections"] == []


# --- what is told ---------------------------------------------------------------------------------------


async def heard(site: ApiSite, url: str, count: int, last: int | None = None) -> list[dict[str, str]]:
    """So many events of the stream."""
    headers = site.bearer() | ({"Last-Event-ID": str(last)} if last is not None else {})
    found: list[dict[str, str]] = []
    async with (
        asyncio.timeout(20),
        httpx.AsyncClient(timeout=20) as http,
        http.stream("GET", f"{url}{V1}/events/stream", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        one: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                one[name] = value
            elif one:
                found += [one] if "event" in one else []
                one = {}
                if len(found) == count:
                    break
    return found


async def test_who_comes_back_is_told_what_was_missed(site: ApiSite) -> None:
    newest = site.sites.events(1)[0].id
    async with served(site.app) as url:
        for code in ("silent", "back"):
            site.store.record_event(Event(at=NOW, level=Level.INFO, code=code, meter_id="main"))
        missed = await heard(site, url, 2, newest)
    assert [(one["event"], one["id"]) for one in missed] == [
        ("happened", str(newest + 1)),
        ("happened", str(newest + 2)),
    ]
    assert json.loads(missed[0]["data"])["code"] == "silent"


async def test_a_change_is_told_to_whoever_listens(site: ApiSite) -> None:
    async with served(site.app) as url:
        waiting = asyncio.create_task(heard(site, url, 1))
        while not len(site.sites._hub):  # until the stream listens
            await asyncio.sleep(0.01)
        site.sites._hub.publish(Signal("slot", "main", NOW))
        [told] = await waiting
    assert json.loads(told["data"]) == {"what": "slot", "meter": "main", "at": NOW.isoformat()}


async def test_what_is_told_is_what_the_description_promises(site: ApiSite) -> None:
    """Each event is one of those that the document has, its data of the shape that it names."""
    async with served(site.app) as url:
        waiting = asyncio.create_task(heard(site, url, 2))
        while not len(site.sites._hub):
            await asyncio.sleep(0.01)
        site.store.record_event(Event(at=NOW, level=Level.INFO, code="silent", meter_id="main"))
        site.sites._hub.publish(Signal("event", "main", NOW))
        told = await waiting
    document = (await asyncio.to_thread(ask, site, "GET", "/openapi.json")).json()
    answer = document["paths"][f"{V1}/events/stream"]["get"]["responses"]["200"]
    [(media, promised)] = answer["content"].items()
    assert media == "text/event-stream"
    kinds = {one["properties"]["event"]["const"]: one for one in promised["x-item-schema"]["oneOf"]}
    assert sorted(one["event"] for one in told) == ["changed", "happened"]
    assert {*kinds} == {"changed", "happened"}
    for one in told:
        kind = kinds[one["event"]]
        Draft202012Validator(kind).validate(one)
        assert kind["properties"]["data"]["contentMediaType"] == "application/json"
        shape = kind["properties"]["data"]["contentSchema"] | {"components": document["components"]}
        Draft202012Validator(shape).validate(json.loads(one["data"]))
        assert not Draft202012Validator(shape).is_valid({"what": "weather", "id": "1"})


async def test_what_happens_while_a_stream_begins_is_told(
    site: ApiSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between what was there before and what is listened to, nothing is lost."""
    listen = site.sites.listen

    def late() -> Listener:
        site.store.record_event(Event(at=NOW, level=Level.INFO, code="silent", meter_id="main"))
        return listen()

    monkeypatch.setattr(site.sites, "listen", late)
    async with served(site.app) as url:
        [told] = await heard(site, url, 1)
    assert (told["event"], json.loads(told["data"])["code"]) == ("happened", "silent")


# --- the manual -----------------------------------------------------------------------------------------


async def test_the_examples_of_the_manual_run_as_they_stand(site: ApiSite) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is missing; apt-get install curl")
    lines = re.findall(r"^(curl (?:.|\\\n)+?)$(?<!\\)", MANUAL.read_text(), re.MULTILINE)
    assert len(lines) > 10
    async with served(site.app) as url:
        for line in lines:
            command = line.replace("\\\n", " ").replace("http://127.0.0.1:8028", url)
            command = command.replace("$TOKEN", site.tokens[Role.OPERATOR])
            if "Authorization" not in command:
                command += f" -H 'Authorization: Bearer {site.tokens[Role.VIEWER]}'"
            command += " -w '\\n%{http_code}' --max-time 20"
            done = await asyncio.to_thread(
                subprocess.run, command, shell=True, capture_output=True, text=True, timeout=60, check=False
            )
            body, _, status = done.stdout.rpartition("\n")
            assert status in ("200", "201"), (command, done.stdout, done.stderr)
            assert json.loads(body)


def test_the_manual_names_every_address_and_every_code(site: ApiSite) -> None:
    text = MANUAL.read_text()
    document = get(site, "/openapi.json")
    described = {re.sub(r"\{[^}]*\}", "{}", path.removeprefix(V1)) for path in document["paths"]}
    table = {
        re.sub(r"\{[^}]*\}", "{}", path)
        for path in re.findall(r"^\| `(?:POST )?(/[^`?]+)", text, re.MULTILINE)
    }
    assert table == described


def test_no_number_is_a_float(site: ApiSite) -> None:
    """Exact values are strings; a reader of JSON that makes binary floats of numbers meets none."""
    met: list[str] = []
    for path in (
        "/meters/main/now",
        "/meters/main/months/2026-07",
        "/meters/main/years",
        "/health",
        "/conflicts",
    ):
        json.loads(ask(site, "GET", path).text, parse_float=met.append)
    assert met == []


def test_every_time_carries_its_offset(site: ApiSite) -> None:
    for path in ("/meters/main/now", "/meters/main/months/2026-07", "/events", "/conflicts", "/health"):
        for text in re.findall(r'"(\d{4}-\d\d-\d\dT[^"]+)"', ask(site, "GET", path).text):
            assert text.endswith("+09:00"), (path, text)


def test_a_long_run_of_slots_is_refused(site: ApiSite) -> None:
    late = (NOW + timedelta(days=40)).isoformat().replace("+", "%2B")
    assert ask(site, "GET", f"/meters/main/slots?to={late}").json()["error"]["code"] == "too_long"
