"""The API: the same figures as the pages, exact and with their units, and one shape for every refusal."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from urllib.parse import urlencode

import pytest
from web_site import NOW, Browser, FixtureSite, scenario

from koatsu.ems.view_models import SlotState
from koatsu.web import create_app

V1 = "/api/v1"


@pytest.fixture
def site() -> FixtureSite:
    return scenario("normal")[0]


@pytest.fixture
def client(site: FixtureSite) -> Browser:
    return Browser(create_app(site))


def test_a_day_is_the_day_of_the_page(site: FixtureSite, client: Browser) -> None:
    day = NOW.date() - timedelta(days=1)
    told = client.get(f"{V1}/meters/buy/days/{day}").json()
    view = site.day("buy", day)
    assert Decimal(told["energy"]["value"]) == view.energy_kwh
    assert told["energy"]["unit"] == "kWh"
    assert [row["start_count"] for row in told["slots"]] == [slot.start_count for slot in view.slots]
    assert [row["energy"] and Decimal(row["energy"]["value"]) for row in told["slots"]] == [
        slot.energy_kwh for slot in view.slots
    ]
    assert told["slots"][0]["slot"]["start"] == f"{day}T00:00:00+09:00"


def test_a_run_of_slots_crosses_midnight(client: Browser) -> None:
    day = NOW.date() - timedelta(days=1)
    asked = {"from": f"{day}T23:00:00+09:00", "to": f"{NOW.date()}T01:00:00+09:00"}
    rows = client.get(f"{V1}/meters/buy/slots?{urlencode(asked)}").json()["slots"]
    assert [row["slot"]["number"] for row in rows] == [47, 48, 1, 2]


def test_a_run_of_slots_takes_times_of_any_offset(client: Browser) -> None:
    asked = {"from": "2026-07-14T15:00:00Z", "to": "2026-07-14T16:00:00Z"}  # midnight in Japan
    rows = client.get(f"{V1}/meters/buy/slots?{urlencode(asked)}").json()["slots"]
    assert [(row["slot"]["day"], row["slot"]["number"]) for row in rows] == [
        ("2026-07-15", 1),
        ("2026-07-15", 2),
    ]


def test_without_times_it_is_today_up_to_the_open_slot(client: Browser) -> None:
    rows = client.get(f"{V1}/meters/buy/slots").json()["slots"]
    assert rows[0]["slot"]["number"] == 1
    assert rows[-1]["state"] == SlotState.OPEN


def test_the_open_slot_is_that_of_the_page(site: FixtureSite, client: Browser) -> None:
    told, view = client.get(f"{V1}/meters/buy/now").json(), site.now("buy")
    assert Decimal(told["energy"]["value"]) == view.energy_kwh
    assert Decimal(told["demand"]["value"]) == view.demand_kw
    assert told["demand"]["unit"] == "kW"
    assert told["meter"]["device_class"] == "0x028A"
    assert told["slot"]["number"] == view.slot.number


def test_lists(site: FixtureSite, client: Browser) -> None:
    assert [meter["id"] for meter in client.get(f"{V1}/meters").json()["meters"]] == ["buy", "sell"]
    days = client.get(f"{V1}/meters/buy/days").json()["days"]
    assert [day["day"] for day in days] == [str(fill.day) for fill in site.site().days["buy"]]
    assert len(client.get(f"{V1}/recovery").json()["meters"]) == len(site.recovery())
    events = client.get(f"{V1}/events?limit=2").json()["events"]
    assert [event["id"] for event in events] == [view.id for view in site.events(2)]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/meters/none/now", 404, "no_meter"),
        ("/meters/none/slots", 404, "no_meter"),
        ("/meters/buy/days/1999-01-01", 404, "no_day"),
        ("/meters/buy/days/9999-12-31", 404, "no_day"),
        ("/meters/buy/days/2026-02-30", 422, "invalid"),
        ("/meters/buy/slots?from=2026-07-15T00:00:00", 422, "invalid"),  # no offset: which clock?
        ("/meters/buy/slots?from=2026-07-15T00:00:00Z&to=2026-07-14T00:00:00Z", 422, "backwards"),
        ("/meters/buy/slots?from=2026-01-01T00:00:00Z&to=2026-07-14T00:00:00Z", 422, "too_long"),
        ("/events?limit=0", 422, "invalid"),
        ("/events?limit=many", 422, "invalid"),
        ("/nothing", 404, "not_found"),
    ],
)
def test_every_refusal_has_one_shape(client: Browser, path: str, status: int, code: str) -> None:
    answer = client.get(V1 + path)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["code"] == code
    assert error["ja"]
    assert error["en"]


def test_no_number_is_a_float(client: Browser) -> None:
    """Exact values are strings; a reader of JSON that makes binary floats of numbers meets none."""
    met: list[float] = []
    for path in ("/meters/buy/now", f"/meters/buy/days/{date(2026, 7, 14)}", "/meters/buy/slots"):
        json.loads(client.get(V1 + path).text, parse_float=lambda text: met.append(float(text)))
    assert met == []


def test_the_description_names_every_address(client: Browser) -> None:
    described = client.get(f"{V1}/openapi.json").json()
    assert f"{V1}/meters/{{meter_id}}/slots" in described["paths"]
    assert all("401" in methods["get"]["responses"] for methods in described["paths"].values())
