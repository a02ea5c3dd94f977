"""A small utility for the tests of its desk: two offices, a centre, points, supported types, terms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, insert

from koatsu.clock import JST, ManualClock
from koatsu.desk import Actor, Case, Desk, DeskSettings, Event, State
from koatsu.desk import schema_registers as registers
from koatsu.desk.certified import certificate_key
from koatsu.desk.plain_text import folded
from koatsu.desk.terms import add_terms
from koatsu.people import Role

START: Final = datetime(2026, 7, 1, 9, 0, tzinfo=JST)  #: a Wednesday
KEY: Final = bytes(range(32))
NORTH, SOUTH, CENTRE = "north", "south", "centre"
POINTS: Final = tuple(
    f"07{number:020}" for number in range(1, 41)
)  #: high voltage, the first half in the north
LOW, EXTRA_HIGH, ENDED_POINT, STRANGE = (f"07{number:020}" for number in (901, 902, 903, 999))
OUTSIDE: Final = f"03{1:020}"
TERMINAL, METER, OLD_METER = "T-2", "M-28A", "M-OLD"
CERTIFICATE: Final = "SMA-0001"
TERMS: Final = "2026-04-01"
SETTINGS: Final = DeskSettings(area_prefixes=("07",))

COUNTER = Actor(reference="person:2", role=Role.COUNTER, office=NORTH)
WORKS = Actor(reference="person:3", role=Role.WORKS, office=NORTH)
SUPERVISOR = Actor(reference="person:4", role=Role.SUPERVISOR)
AUDITOR = Actor(reference="person:5", role=Role.AUDITOR)
STRANGER = Actor(reference="person:6", role=Role.COUNTER, office=SOUTH)

APPLICATION: Final[Mapping[str, str]] = {
    "supply": "utility",
    "way": "counter",
    "received_on": "2026-07-01",
    "customer_name": "青葉食品 株式会社",
    "customer_kana": "アオバショクヒン",
    "organisation": "yes",
    "contact_name": "小林 花子",
    "phone": "092-000-0001",
    "email": "kobayashi@aoba.example",
    "address": "北市みどり 2-3-4",
    "ems_installed": "planned",
    "ems_certificate": CERTIFICATE,
    "terms_version": TERMS,
    "terms_accepted": "yes",
}

#: The way forward: event, who, what is given, and where it leads. The clock of a test may stand still.
STORY: Final[tuple[tuple[Event, Actor, Mapping[str, str], State], ...]] = (
    (Event.SUBMIT, COUNTER, {}, State.SUBMITTED),
    (Event.BEGIN_CHECK, COUNTER, {}, State.CHECKING),
    (Event.ACCEPT, COUNTER, {"in_area": "yes", "installable": "unknown"}, State.ACCEPTED),
    (Event.PLAN_SURVEY, COUNTER, {"survey_on": "2026-07-03"}, State.SURVEY),
    (
        Event.RECORD_SURVEY,
        WORKS,
        {"surveyed_on": "2026-07-01", "meter_supported": "yes", "outage_needed": "no", "installable": "yes"},
        State.SURVEY,
    ),
    (Event.PLAN_WORKS, WORKS, {"works_on": "2026-07-10", "works_window": "10:00–11:00"}, State.WORKS_PLANNED),
    (
        Event.RECORD_WORKS,
        WORKS,
        {
            "worked_on": "2026-07-01",
            "terminal_type": TERMINAL,
            "terminal_serial": "T20087",
            "outage_done": "no",
        },
        State.WORKS_DONE,
    ),
    (Event.BEGIN_CONNECTION, WORKS, {}, State.CONNECTION_CHECK),
    (
        Event.RECORD_CHECK,
        WORKS,
        {
            "check_terminal": "yes",
            "check_meter": "yes",
            "check_values": "yes",
            "check_way": "hand",
            "evidence": "10:05 積算電力量を EMS の画面で確認",
        },
        State.CONNECTION_CHECK,
    ),
    (Event.START, COUNTER, {}, State.IN_SERVICE),
    (Event.ASK_END, COUNTER, {"way": "post", "received_on": "2026-07-01"}, State.ENDING),
    (Event.CABLE_REMOVED, WORKS, {"cable_removed_on": "2026-07-01"}, State.ENDED),
)


def open_desk(
    store: Path | str, clock: ManualClock | None = None, settings: DeskSettings = SETTINGS, **more: Any
) -> Desk:
    """A desk over ``store`` with everything of the small utility."""
    desk = Desk.open(store, settings=settings, clock=clock or ManualClock(START), key=KEY, **more)
    with desk.database.writing() as connection:
        furnish(connection)
    return desk


def furnish(connection: Connection) -> None:
    """Offices, areas, points, types, certified equipment and terms; a second time changes nothing."""
    changed = {"changed_by": "system", "changed_at": int((START - timedelta(days=30)).timestamp())}

    def put(table: Any, *rows: Mapping[str, Any]) -> None:
        connection.execute(insert(table), [{**row, **changed} for row in rows])

    def office(code: str, kind: str, name: str) -> Mapping[str, Any]:
        return {
            "code": code,
            "kind": kind,
            "name": name,
            "postal_code": "8120001",
            "address": f"{name}の住所 1-1",
            "phone": "092-000-1000",
            "email": "",
            "hours": "平日 9:00–17:00",
            "closed_on": None,
        }

    put(
        registers.office,
        office(NORTH, "distribution", "北営業所"),
        office(SOUTH, "distribution", "南営業所"),
        office(CENTRE, "network_service_centre", "ネットワークサービスセンター"),
    )
    put(
        registers.office_area,
        *(
            {
                "office_kind": kind,
                "by": "postal",
                "value_key": prefix,
                "value": prefix,
                "office": code,
            }
            for kind, prefix, code in (
                ("distribution", "812", NORTH),
                ("distribution", "815", SOUTH),
                ("network_service_centre", "81", CENTRE),
            )
        ),
    )
    put(registers.supply_point, *(_point(number, "high", at) for at, number in enumerate(POINTS)))
    put(
        registers.supply_point,
        _point(LOW, "low"),
        _point(EXTRA_HIGH, "extra_high"),
        _point(ENDED_POINT, "high") | {"contract_ended_on": "2026-06-15"},
    )
    put(
        registers.supported_type,
        *(
            {
                "kind": kind,
                "type": name,
                "type_key": folded(name),
                "maker": "試作電機",
                "two_way": False,
                "since": "2020-01-01",
                "until": None,
            }
            for kind, name in (("terminal", TERMINAL), ("meter", METER))
        ),
    )
    put(
        registers.certified,
        {
            "number": CERTIFICATE,
            "number_key": certificate_key(CERTIFICATE),
            "maker": "試作電機",
            "model": "EMS-1",
            "kind": "EMS",
            "certified_on": "2024-04-01",
            "valid_until": None,
            "search_key": folded("試作電機 EMS-1"),
        },
    )
    add_terms(connection, START.date().replace(month=4), "利用規約", "第 1 条 …", by="system", now=START)


def _point(number: str, voltage: str, at: int = 0) -> dict[str, Any]:
    north = at < len(POINTS) // 2
    return {
        "number": number,
        "postal_code": "8120011" if north else "8150001",
        "municipality": "北市" if north else "南市",
        "street": f"みどり {at + 1}",
        "place_key": folded(f"{'北市' if north else '南市'}みどり {at + 1}"),
        "voltage": voltage,
        "contract_kw": 400,
        "supply": "utility",
        "retailer": None,
        "contract_ended_on": None,
        "meter_type": METER,
    }


def drafted(desk: Desk, point: str = POINTS[0], actor: Actor = COUNTER, **changes: str) -> Case:
    """A draft with everything that an application needs."""
    return desk.cases.open(actor, {"supply_point": point, **APPLICATION, **changes})


def brought_to(desk: Desk, state: State, point: str = POINTS[0], **changes: str) -> Case:
    """A case that has come as far as ``state`` along the way forward (or to a side of it)."""
    case = drafted(desk, point, **changes)
    for event, actor, given, _ in STORY:
        if case.state is state and (state is not State.CONNECTION_CHECK or case.fact("check_values")):
            return case
        if state is State.SUSPENDED and case.state is State.IN_SERVICE:
            reason = {"suspend_reason": "meter_replacement", "resume_planned_on": "2026-07-20"}
            return desk.cases.act(COUNTER, case.id, Event.SUSPEND, reason)
        if case.state is State.CHECKING and state is State.RETURNED:
            return desk.cases.act(COUNTER, case.id, Event.RETURN, {"reason": "押印がありません"})
        if case.state is State.CHECKING and state is State.REFUSED:
            given = {"rule": "eligible.installable", "reason": "盤に場所がありません"}
            return desk.cases.act(SUPERVISOR, case.id, Event.REFUSE, given)
        case = desk.cases.act(actor, case.id, event, given)
    assert case.state is state, f"the way forward does not lead to {state}"
    return case
