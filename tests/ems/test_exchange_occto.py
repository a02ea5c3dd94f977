"""The half-hour XML: running and settled messages give back their energies, everything else is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from exchange_files import running_xml, settled_xml
from hypothesis import given
from hypothesis import strategies as st

from koatsu.ems.exchange import FileRefusedError, read_occto_xml
from koatsu.errors import KoatsuError
from koatsu.meter.slots import Slot

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ONE = {Slot(date(2026, 4, 1), 1): Decimal("1.5")}
SLOTS = st.builds(Slot, st.dates(date(2016, 4, 1), date(2029, 12, 30)), st.integers(1, 48))
ENERGIES = st.dictionaries(
    SLOTS, st.integers(0, 10**7).map(lambda n: Decimal(n) / 100), min_size=1, max_size=20
)
POINTS = ("0712345678901234560001", "0712345678901234560002")


def read(text: str | bytes, **more: str) -> dict[Slot, Decimal]:
    data = text.encode() if isinstance(text, str) else text
    return {
        value.slot: value.energy_kwh for value in read_occto_xml(data, "file.xml", now=NOW, **more).values
    }


@given(ENERGIES, st.booleans())
def test_a_running_message_is_read_exactly(energies: dict[Slot, Decimal], rows: bool) -> None:
    assert read(running_xml(energies, rows=rows)) == energies


@given(ENERGIES)
def test_a_settled_month_is_read_exactly(energies: dict[Slot, Decimal]) -> None:
    assert read(settled_xml(energies)) == energies
    assert read(settled_xml(energies, points=POINTS), point="0002") == energies


def test_names_in_shift_jis_are_read() -> None:
    text = '<?xml version="1.0" encoding="Shift_JIS"?>' + settled_xml(ONE)
    assert read(text.encode("cp932")) == ONE


def test_a_namespace_does_not_hide_the_codes() -> None:
    assert read(settled_xml(ONE).replace("<SBD-MSG>", '<SBD-MSG xmlns="urn:x">')) == ONE


def test_what_the_sender_calls_missing_is_no_value() -> None:
    two = ONE | {Slot(date(2026, 4, 1), 2): Decimal(2)}
    text = running_xml(two).replace("<JP06122>0</JP06122>", "<JP06122>1</JP06122>", 1)
    found = read_occto_xml(text.encode(), "file.xml", now=NOW)
    assert [value.slot.number for value in found.values] == [2]
    assert found.empty == 1
    assert read(running_xml(ONE).replace("<JP06123>1.5</JP06123>", "<JP06123/><JP06125>2</JP06125>")) == {
        Slot(date(2026, 4, 1), 1): Decimal(2)
    }


BOMB = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]>' + running_xml(ONE).partition("?>")[2]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (BOMB, "declares a type or an entity"),
        ('<!DOCTYPE a SYSTEM "http://192.0.2.1/x.dtd"><SBD-MSG/>', "declares a type"),
        ("<SBD-MSG><JPMGRP></SBD-MSG>", "not well-formed"),
        (running_xml(ONE)[:-20], "not well-formed"),
        ("<html/>", "outermost element is “html”"),
        ("<SBD-MSG/>", "no value"),
        ("", "not well-formed"),
        ("<SBD-MSG>" * 60, "deeper or longer"),
        (running_xml(ONE).replace("<JP06123>1.5", "<JP06123>1,5"), "“1,5” is not a number"),
        (running_xml(ONE).replace("<JP06219>01", "<JP06219>49"), "“49” is not the number"),
        (running_xml(ONE).replace("20260401", "20260431"), "“20260431” is not a date"),
        (running_xml(ONE).replace("20260401", "20620401"), "has not ended"),
        (running_xml(ONE).replace("<JP06116>20260401</JP06116>", ""), "without a day"),
        (running_xml(ONE).replace("</JPTRM>", "<JP06219>2</JP06219></JPTRM>"), "stands twice"),
        (settled_xml(ONE, points=POINTS), "2 supply points (…0001, …0002)"),
        (running_xml(ONE).replace("'UTF-8'", "'EUC-JP'"), "encoding"),
    ],
)
def test_a_message_that_cannot_be_is_refused(text: str, found: str) -> None:
    with pytest.raises(FileRefusedError) as refused:
        read(text)
    error = refused.value
    assert found in error.text("en")
    assert "何も取り込んでいません。" in error.text("ja")
    assert POINTS[0] not in error.text("en")


def test_the_place_is_a_line_and_an_element() -> None:
    text = settled_xml(ONE).replace("<JPM00014>", "\n<JPM00014>").replace("1.5", "x")
    with pytest.raises(FileRefusedError, match="row 2, “JP06424”"):
        read(text)


def test_the_same_slot_twice_is_refused() -> None:
    text = running_xml(ONE).replace(
        "</JPMGRP>", running_xml(ONE).partition("<JPMGRP>")[2].partition("</SBD")[0]
    )
    with pytest.raises(FileRefusedError, match="again"):
        read(text)


PIECES = st.sampled_from(
    (
        *("<SBD-MSG>", "</SBD-MSG>", "<JPTRM>", "</JPTRM>", "<JP06116>20260401</JP06116>", "<a", "&lt;"),
        *("<JP06219>1</JP06219>", "<JP06123>1</JP06123>", "<JPM00010>", "</JPM00010>", "]]>", "\x00"),
    )
)


@given(st.binary(max_size=300) | st.lists(PIECES, max_size=30).map(lambda parts: "".join(parts).encode()))
def test_any_bytes_end_in_values_or_in_one_sentence(data: bytes) -> None:
    try:
        found = read(data)
    except KoatsuError as error:
        found = {}
        told = error.text("ja")
    else:
        told = "-"
    assert told
    assert all(slot.end <= NOW + timedelta(0) for slot in found)
