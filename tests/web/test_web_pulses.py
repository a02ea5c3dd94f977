"""The page of pulses: every reason in words, the same in its file, one sentence where there is nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from people_site import HandClock, Visitor
from web_site import FixtureSite

from koatsu.clock import JST
from koatsu.ems.pulses import Compared, PulseDay, PulseDesk, PulseSpan, PulseSum, Reason, as_stored
from koatsu.ems.store import Store, StoredMeter
from koatsu.ems.store.pulse_rows import put_pulses
from koatsu.meter import HALF_HOUR, Nameplate, Reading, Register, Scale, Slot, Source
from koatsu.web import create_app
from koatsu.web.charts.pulses import pulse_chart, pulse_state
from koatsu.web.pulse_words import COLUMNS, constant_text, day_words, pulse_csv, reason_words, sum_words
from koatsu.web.texts import LANGUAGES, texts

DAY = date(2026, 7, 14)
SINCE = datetime(2026, 7, 14, tzinfo=JST).astimezone(UTC)
PER_KWH = Fraction(250, 3)


def spans() -> Iterator[PulseSpan]:
    """A day of 100 kWh a slot: slot 5 lost pulses, 9 has too many, 20 and 21 run together, 30 is a part."""
    number = 1
    while number <= 48:
        start = SINCE + (number - 1) * HALF_HOUR
        slots = 2 if number == 20 else 1
        pulses = slots * 100 * PER_KWH
        pulses += {5: -500, 9: 700}.get(number, 0)
        part = number == 30
        yield PulseSpan(
            since=start + timedelta(minutes=7) if part else start,
            until=start + slots * HALF_HOUR,
            pulses=round(pulses),
            slot_pulses=1 if part else 2,
            per_kwh=PER_KWH,
        )
        number += slots


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A meter with a day of 100 kWh a slot, and its pulses."""
    plate = Nameplate(
        class_code=0x028A,
        serial="KH26",
        energy_scale=Scale(100, Decimal(1), Decimal("0.01")),
        energy_digits=8,
    )
    with Store.open(tmp_path / "site.db") as opened:
        for meter_id in ("buy", "sell"):
            opened.put_meter(
                StoredMeter(
                    id=meter_id, label=meter_id, role=meter_id, class_code=0x028A, address="127.0.0.2"
                ),
                at=SINCE,
            )
        opened.open_epoch("buy", plate, SINCE - timedelta(days=1))
        counts = [
            Reading(
                register=Register.ENERGY,
                instant=SINCE + number * HALF_HOUR,
                count=5000 + 100 * number,
                source=Source.FIXED,
                received=SINCE + number * HALF_HOUR + timedelta(seconds=20),
            )
            for number in range(49)
        ]
        opened.record("buy", 1, counts)
        for span in spans():
            put_pulses(opened, as_stored("buy", span))
        yield opened


@pytest.fixture
def visitor(store: Store) -> Visitor:
    site = FixtureSite()
    return Visitor(create_app(site, pulses=PulseDesk(store, HandClock())))


def text_of(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_the_address_leads_to_the_newest_day(visitor: Visitor, prefix: str) -> None:
    for path in ("/pulse", "/pulse/buy"):
        answer = visitor.get(prefix + path)
        assert (answer.status_code, answer.headers["location"]) == (303, f"{prefix}/pulse/buy/2026-07-14")


def test_the_page_names_every_difference(visitor: Visitor) -> None:
    shown = text_of(visitor.get("/en/pulse/buy/2026-07-14").text)
    assert "02:00–02:30 7,833 93.996 100" in shown
    assert re.search(r"02:00–02:30 .*? −6\.004 1\.012 Pulses lost 417–584 pulses", shown)
    assert re.search(r"04:00–04:30 .*? \+8\.396 1\.012 Pulses doubled", shown)
    assert re.search(r"09:30–10:30 16,667 .*? Last count only, slot pulse lost", shown)
    assert "14:30–15:00 8,333 Heard in part, heard 14:37–15:00" in shown
    assert shown.count("Last count only") > 40
    assert "too many, on balance" in shown
    japanese = text_of(visitor.get("/pulse/buy/2026-07-14").text)
    for word in ("パルスの欠け", "パルスの重複", "時限パルスの欠け", "一部だけ受信", "刻みの範囲"):
        assert word in japanese


def test_the_navigation_has_it_where_there_is_something(visitor: Visitor) -> None:
    assert 'href="/pulse"' in visitor.get("/pulse/buy/2026-07-14").text
    assert "/pulse" not in Visitor(create_app(FixtureSite())).get("/").text


def test_the_file_says_the_same(visitor: Visitor) -> None:
    answer = visitor.get("/pulse/buy/2026-07-14.csv")
    assert answer.content.startswith(b"\xef\xbb\xbf")
    assert answer.headers["content-disposition"] == 'attachment; filename="koatsu-pulses-buy-2026-07-14.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert tuple(rows[0]) == COLUMNS
    assert len(rows) == 47
    lost = rows[4]
    assert lost["start"] == "2026-07-14T02:00:00+09:00"
    assert (lost["pulses"], lost["pulse_kwh"], lost["register_kwh"]) == ("7833", "93.996", "100.00")
    assert (lost["difference_kwh"], lost["reasons"]) == ("-6.004", "lost")
    assert rows[19]["end"] == "2026-07-14T10:30:00+09:00"
    assert rows[19]["reasons"] == "resolution slot_lost"


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/en/pulse/nobody", 404, "no meter named “nobody”"),
        ("/en/pulse/sell", 404, "No pulse detector"),
        ("/en/pulse/sell/2026-07-14", 404, "No pulse detector"),
        ("/en/pulse/buy/yesterday", 400, "is not a date"),
        ("/en/pulse/buy/2026-7-14", 400, "is not a date"),
        ("/en/pulse/buy/2099-01-01", 404, "has not come yet"),
        ("/en/pulse/buy/2099-01-01.csv", 404, "has not come yet"),
        ("/en/pulses/stream?screen=cat&meter=buy&day=2026-07-14", 404, "no such page"),
    ],
)
def test_what_cannot_be_shown_is_one_sentence(visitor: Visitor, path: str, status: int, text: str) -> None:
    answer = visitor.get(path)
    assert answer.status_code == status
    assert text in text_of(answer.text)


def test_a_day_without_pulses_says_so(visitor: Visitor) -> None:
    answer = visitor.get("/en/pulse/buy/2026-07-10")
    assert answer.status_code == 200
    assert "No pulses are on file for this day" in answer.text


def test_without_a_detector_the_page_says_how(tmp_path: Path) -> None:
    with Store.open(tmp_path / "empty.db") as empty:
        answer = Visitor(create_app(FixtureSite(), pulses=PulseDesk(empty, HandClock()))).get("/en/pulse")
    assert answer.status_code == 404
    assert "[[pulse]]" in answer.text


# --- words ----------------------------------------------------------------------------------------------

ROW = Compared(
    first=Slot(DAY, 3),
    last=Slot(DAY, 3),
    reasons=(Reason.EXACT,),
    pulses=833,
    pulse_kwh=Fraction(10),
    register_kwh=Decimal(10),
    resolution_kwh=Fraction(1),
    heard_from=SINCE,
    heard_until=SINCE + HALF_HOUR,
)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_reason_has_words_and_a_state(lang: str) -> None:
    told = {reason: reason_words(replace(ROW, reasons=(reason,)), texts(lang)) for reason in Reason}
    assert len(set(told.values())) == len(Reason)
    states = {pulse_state(replace(ROW, reasons=(reason,))) for reason in Reason}
    assert states == {"measured", "conflict", "missing", "unavailable"}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("reason", ["exact", "resolution", "lost", "doubled", "constant", "clock"])
def test_every_verdict_has_a_sentence(lang: str, reason: str) -> None:
    total = PulseSum(
        slots=1,
        pulses=1,
        pulse_kwh=Fraction(1),
        register_kwh=Decimal(1),
        resolution_kwh=Fraction(1),
        reasons=(Reason(reason),),
        amiss=(3, 5),
    )
    assert sum_words(total, texts(lang)).endswith("。" if lang == "ja" else ".")
    day = PulseDay(meter_id="buy", day=DAY, rows=(), total=total, per_kwh=None, late_s=-120)
    (_, faulty), (late, late_faulty) = day_words(day, texts(lang))
    assert faulty == total.faulty
    assert "120" in late
    assert late_faulty


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(250, 3), "250/3"),
        (Fraction(50000), "50,000"),
        (Fraction(167, 2), "83.5"),
        (Fraction(1, 7), "1/7"),
    ],
)
def test_constants_are_exact(value: Fraction, text: str) -> None:
    assert constant_text(value) == text


def test_a_run_over_midnight_is_drawn_in_both_days() -> None:
    run = replace(
        ROW, first=Slot(DAY, 48), last=Slot(DAY + timedelta(days=1), 1), reasons=(Reason.SLOT_LOST,)
    )
    assert run.label == "23:30–00:30"
    for day, place in ((DAY, "97.92%"), (DAY + timedelta(days=1), "0%")):
        view = PulseDay(meter_id="buy", day=day, rows=(run,), total=None, per_kwh=None, late_s=None)
        assert f'x="{place}"' in str(pulse_chart(view, "buy", texts("en")))
        assert (
            pulse_csv(view).splitlines()[1].startswith("2026-07-14T23:30:00+09:00,2026-07-15T00:30:00+09:00")
        )
