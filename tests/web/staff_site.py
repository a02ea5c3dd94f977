"""A desk on an ordinary Wednesday: cases in every state, opened some days ago, for the pages of the staff."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from html import unescape
from typing import Final

from desk_site import COUNTER, METER, POINTS, SUPERVISOR, TERMINAL, TERMS, WORKS, drafted
from desk_web import NOW, DeskPlace

from koatsu.clock import JST
from koatsu.desk import Actor, Case, Event, State

#: Who applies, where the case is now, and how many days ago it came in. The first point is the customer's.
CASES: Final[tuple[tuple[str, State, int], ...]] = (
    ("株式会社 みどり製作所", State.CHECKING, 12),
    ("医療法人 さくら会", State.RETURNED, 34),
    ("青葉食品 株式会社", State.CONNECTION_CHECK, 21),
    ("有限会社 たちばな印刷", State.SUBMITTED, 1),
    ("学校法人 ひかり学園", State.ENDING, 120),
    ("みなと物流センター 株式会社", State.SURVEY, 9),
    ("ホテル かもめ 株式会社", State.WORKS_PLANNED, 14),
    ("株式会社 なぎさ水産", State.CHECKING, 3),
    ("しらかば病院", State.SUSPENDED, 200),
    ("株式会社 はやて精機", State.WORKS_DONE, 16),
    ("やまびこ農業協同組合", State.ACCEPTED, 6),
    ("らいらっく製作所 株式会社", State.IN_SERVICE, 90),
    ("株式会社 つばめ電子", State.ENDED, 300),
    ("ときわ倉庫 株式会社", State.REFUSED, 40),
    ("株式会社 あかね化学", State.WORKS_PLANNED, 18),
)


#: What of a customer stands in no list: of the application that every case of the tests has.
PERSONAL: Final = ("青葉食品", "小林", "花子", "092-000-0001", "kobayashi@aoba.example", "みどり 2-3-4")


def words(text: str) -> str:
    """What a person reads of a page."""
    shown = re.sub(r"<(script|style|datalist)\b.*?</\1>", " ", text, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def wrong_at(text: str, field: str) -> str:
    """The sentence at a field; empty where there is none."""
    found = re.search(rf'id="{field}-wrong">(.*?)</p>', text, re.DOTALL)
    return unescape(found[1]) if found else ""


def forms_of(text: str) -> dict[str, dict[str, str]]:
    """The steps that a page offers: event -> what stands in the fields of its form (none where blocked)."""
    found = {}
    for form in re.findall(r'<form class="form whole step".*?</form>', text, re.DOTALL):
        fields = {}
        for tag in re.findall(r"<(?:input|textarea|select)[^>]*>", form):
            name, value = re.search(r'name="(\w+)"', tag), re.search(r'value="([^"]*)"', tag)
            if name and (not re.search('type="(radio|checkbox)"', tag) or " checked" in tag):
                fields[name[1]] = unescape(value[1]) if value else ""
        for name, text_inside in re.findall(
            r'<textarea[^>]*name="(\w+)"[^>]*>\n?(.*?)</textarea>', form, re.DOTALL
        ):
            fields[name] = unescape(text_inside)
        for name, options in re.findall(r'<select[^>]*name="(\w+)"[^>]*>(.*?)</select>', form, re.DOTALL):
            chosen = re.search(r'value="([^"]*)" selected', options)
            fields[name] = chosen[1] if chosen else ""
        found[fields["event"]] = fields
    return found


def multipart(fields: Mapping[str, str], name: str, content: bytes) -> tuple[bytes, str]:
    """A form with a file as a browser sends it: body and content type."""
    mark = "----koatsu-test"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
    parts += [head.encode(), b"Content-Type: application/octet-stream\r\n\r\n", content, b"\r\n"]
    return b"".join([*parts, f"--{mark}--\r\n".encode()]), f"multipart/form-data; boundary={mark}"


def png(size: int = 4) -> bytes:
    """A small picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", size, size, 8, 0, 0, 0, 0)
    lines = b"".join(b"\0" + bytes(size) for _ in range(size))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(lines))
        + chunk(b"IEND", b"")
    )


def furnished(place: DeskPlace) -> dict[State, Case]:
    """Fill a desk with :data:`CASES`, each with the days that its steps took; the clock stands at NOW again.

    Returns:
        One case of each state.
    """
    found = {}
    place.desk.terms.add(
        SUPERVISOR, date(2024, 4, 1), "利用規約", "第 1 条 …", title_en="Terms of use", text_en="1 …"
    )
    for at, (name, state, ago) in enumerate(CASES, start=1):
        case = _brought(place, POINTS[at], name, state, ago, at)
        found[state] = case
    place.clock.set(NOW)
    return found


def _brought(place: DeskPlace, point: str, name: str, state: State, ago: int, at: int) -> Case:
    clock, cases = place.clock, place.desk.cases
    clock.set(_morning(ago))
    certificate = {} if at % 3 else {"ems_certificate": ""}
    terms = "2024-04-01" if clock.now() < datetime(2026, 4, 1, tzinfo=JST) else TERMS
    received = {"received_on": clock.now().astimezone(JST).date().isoformat()}
    case = drafted(place.desk, point, customer_name=name, terms_version=terms, **received, **certificate)
    for number, (event, actor, given) in enumerate(_way(place, at), start=1):
        if case.state is state and event not in (Event.RECORD_SURVEY, Event.CONFIRM_WARNING):
            break
        if case.state is State.CHECKING and state in (State.RETURNED, State.REFUSED):
            return _aside(place, case, state)
        if case.state is State.IN_SERVICE and state is State.SUSPENDED:
            clock.set(_morning(2))
            why = {
                "suspend_reason": "meter_replacement",
                "resume_planned_on": _day(place, 3),
                "note": "検定満了",
            }
            return cases.act(COUNTER, case.id, Event.SUSPEND, why)
        if event is Event.CONFIRM_WARNING and not certificate:
            continue
        if event is Event.CONFIRM_WARNING and state is State.CHECKING:
            break
        if event in (Event.ASK_END, Event.CABLE_REMOVED):
            clock.set(max(clock.now(), _morning(3 if event is Event.ASK_END else 1)))
        else:
            clock.set(
                min(clock.now() + timedelta(hours=26 if number > 2 else 1), NOW - timedelta(minutes=40))
            )
        days = _days(place) | ({"soon": _after_now(1 + at % 2)} if state is State.WORKS_PLANNED else {})
        filled = {name: value.format(**days) for name, value in given.items()}
        case = cases.act(actor, case.id, event, filled)
    assert case.state is state, (name, case.state)
    return case


def _aside(place: DeskPlace, case: Case, state: State) -> Case:
    if state is State.RETURNED:
        return place.desk.cases.act(COUNTER, case.id, Event.RETURN, {"reason": "印が押されていません。"})
    why = {"rule": "eligible.installable", "reason": "受電盤に端末を置く場所がありません。"}
    return place.desk.cases.act(SUPERVISOR, case.id, Event.REFUSE, why)


def _way(place: DeskPlace, at: int) -> tuple[tuple[Event, Actor, Mapping[str, str]], ...]:
    """The way forward with days that are told when it is gone."""
    me = {"assignee": f"person:{2 if at % 2 else 3}"}
    outage = "yes" if at % 2 else "no"
    agreed = {"outage_agreed_on": "{today}", "outage_window": "14:00–14:30"} if outage == "yes" else {}
    return (
        (Event.SUBMIT, COUNTER, {}),
        (Event.ASSIGN, COUNTER, me),
        (Event.BEGIN_CHECK, COUNTER, {}),
        (Event.CONFIRM_WARNING, COUNTER, {"warning_told": "yes", "note": "電話で説明しました。"}),
        (Event.ACCEPT, COUNTER, {"in_area": "yes", "installable": "unknown"}),
        (Event.PLAN_SURVEY, COUNTER, {"survey_on": "{in_two}", "survey_window": "10:00–11:00"}),
        (
            Event.RECORD_SURVEY,
            WORKS,
            {
                "surveyed_on": "{today}",
                "meter_supported": "yes",
                "outage_needed": outage,
                "installable": "yes",
                "note": "受電盤の右に端末を置けます。",
            },
        ),
        (Event.PLAN_WORKS, WORKS, {"works_on": "{soon}", "works_window": "13:00–15:00", **agreed}),
        (
            Event.RECORD_WORKS,
            WORKS,
            {
                "worked_on": "{today}",
                "terminal_type": TERMINAL,
                "terminal_serial": f"T2{at:04}",
                "meter_type": METER,
                "meter_serial": f"M28{at:04}",
                "outage_done": outage,
            },
        ),
        (Event.BEGIN_CONNECTION, WORKS, {}),
        (
            Event.RECORD_CHECK,
            WORKS,
            {
                "check_terminal": "yes",
                "check_meter": "yes",
                "check_values": "yes",
                "check_way": "hand",
                "evidence": "EMS の画面で積算電力量 8,412,118 を確認。",
            },
        ),
        (Event.START, COUNTER, {}),
        (Event.ASK_END, COUNTER, {"way": "post", "received_on": "{today}", "end_wished_on": "{in_two}"}),
        (Event.CABLE_REMOVED, WORKS, {"cable_removed_on": "{today}"}),
    )


def _days(place: DeskPlace) -> dict[str, str]:
    return {"today": _day(place, 0), "in_two": _day(place, 2), "soon": _day(place, 3)}


def _day(place: DeskPlace, later: int) -> str:
    return (place.clock.now().astimezone(JST).date() + timedelta(days=later)).isoformat()


def _after_now(later: int) -> str:
    return (NOW.astimezone(JST).date() + timedelta(days=later)).isoformat()


def _morning(ago: int) -> datetime:
    return (NOW - timedelta(days=ago)).astimezone(JST).replace(hour=9, minute=20)
