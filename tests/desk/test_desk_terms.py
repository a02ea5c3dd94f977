"""Terms of use in dated versions, who accepted which; and the dated list of the data that is sent."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from desk_help import RARE, put_case
from desk_site import AUDITOR, COUNTER, POINTS, START, STRANGER, SUPERVISOR, TERMS, drafted
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, select

from koatsu.clock import ManualClock
from koatsu.desk import Desk, ForbiddenError, InputError, RuleError, State, UnknownError
from koatsu.desk.data_items import LONGEST_NAME, MOST_BYTES, MOST_ITEMS
from koatsu.desk.data_list import (
    NOT_OWN,
    DataItem,
    DataList,
    read_csv_list,
    read_toml_list,
    standard_list,
)
from koatsu.desk.lifecycle import Event
from koatsu.desk.schema import metadata
from koatsu.desk.schema_help import data_item, data_list, terms, terms_acceptance
from koatsu.desk.terms import (
    AcceptedWay,
    TermsAcceptedError,
    accept_terms,
    acceptances_of,
    add_terms,
    terms_in_force,
    versions,
)
from koatsu.desk.words import Words
from koatsu.devices import Access, device_class

TODAY = START.date()
NEXT = TODAY + timedelta(days=10)


def accepted(desk: Desk, version: str = TERMS, case_id: int | None = None, **more: object) -> int:
    """Record an acceptance; the case."""
    number = put_case(desk).id if case_id is None else case_id
    given_ = {"by": "person:2", "way": "paper", "today": TODAY, "now": START, **more}
    with desk.database.writing() as connection:
        accept_terms(connection, version, case_id=number, **given_)  # type: ignore[arg-type] # as each test gives it
    return number


# --- versions -------------------------------------------------------------------------------------------


def test_the_version_in_force_on_a_day(either: Desk) -> None:
    new = either.terms.add(SUPERVISOR, NEXT, "改定 利用規約", "第 1 条 あたらしい", title_en="New terms")
    assert new.id == NEXT.isoformat()
    in_force = either.terms.in_force
    assert in_force(date(2026, 3, 31)) is None
    first = in_force(date(2026, 4, 1))
    assert first is not None
    assert (first.id, first) == (TERMS, in_force())
    assert in_force(NEXT - timedelta(days=1)) == first
    assert in_force(NEXT) == in_force(date(2099, 1, 1)) == new
    assert [one.id for one in either.terms.versions()] == [new.id, TERMS]
    assert either.terms.version(TERMS).valid_from == date(2026, 4, 1)
    with pytest.raises(UnknownError):
        either.terms.version("2020-01-01")


@given(st.lists(st.dates(date(2020, 1, 1), date(2030, 12, 31)), max_size=6, unique=True), st.dates())
def test_the_version_in_force_is_the_last_that_has_begun(days: list[date], day: date) -> None:
    with in_memory() as connection:
        for valid_from in days:
            add_terms(connection, valid_from, "利用規約", str(valid_from), by="system", now=START)
        begun = [valid_from for valid_from in days if valid_from <= day]
        found = terms_in_force(connection, day)
        assert (found.valid_from if found else None) == (max(begun) if begun else None)
        assert [one.valid_from for one in versions(connection)] == sorted(days, reverse=True)


@contextmanager
def in_memory() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        metadata.create_all(connection, tables=[terms, terms_acceptance])
        yield connection
    engine.dispose()


def test_the_text_is_kept_letter_by_letter(desk: Desk) -> None:
    text = f"第 1 条\r\n  {RARE}\r\n\r\n第 2 条\n"
    new = desk.terms.add(SUPERVISOR, NEXT, RARE, text, text_en="Article 1")
    assert (new.title, new.text) == (RARE, f"第 1 条\n  {RARE}\n\n第 2 条")
    assert (new.title_in("en"), new.text_in("en")) == (RARE, "Article 1")
    assert (new.title_in("ja"), new.text_in("ja")) == (RARE, new.text)
    assert (new.changed_by, new.changed_at) == (SUPERVISOR.reference, START)


@pytest.mark.parametrize(
    ("title", "text", "fields"),
    [
        ("", "第 1 条", {"title"}),
        ("利用規約", " \n ", {"text"}),
        ("", "", {"title", "text"}),
        ("利" * 161, "第 1 条", {"title"}),
        ("利用規約", "条" * 200_001, {"text"}),
        ("利用規約", "a\u202eb", {"text"}),
        ("利用\n規約", "第 1 条", {"title"}),
    ],
)
def test_a_text_that_cannot_be_taken(desk: Desk, title: str, text: str, fields: set[str]) -> None:
    with pytest.raises(InputError) as refused:
        desk.terms.add(SUPERVISOR, NEXT, title, text)
    assert set(refused.value.by_field) == fields
    assert [one.id for one in desk.terms.versions()] == [TERMS]


def test_two_versions_do_not_begin_on_one_day(desk: Desk) -> None:
    with pytest.raises(InputError, match="already"):
        desk.terms.add(SUPERVISOR, date.fromisoformat(TERMS), "利用規約", "第 1 条")


def test_no_version_begins_before_what_was_accepted_already(desk: Desk) -> None:
    desk.terms.add(SUPERVISOR, date(2026, 5, 1), "利用規約", "第 1 条")  # nobody has accepted anything yet
    accepted(desk, "2026-05-01")
    for day in (date(2026, 6, 1), TODAY):
        with pytest.raises(InputError, match="was accepted on 2026-07-01"):
            desk.terms.add(SUPERVISOR, day, "利用規約", "第 1 条")
    assert desk.terms.add(SUPERVISOR, TODAY + timedelta(days=1), "利用規約", "第 1 条").id == "2026-07-02"


def test_who_may_write_terms(desk: Desk) -> None:
    for actor in (COUNTER, AUDITOR):
        with pytest.raises(ForbiddenError):
            desk.terms.add(actor, NEXT, "利用規約", "第 1 条")
        with pytest.raises(ForbiddenError):
            desk.terms.change(actor, TERMS, "利用規約", "第 1 条")


# --- accepting ------------------------------------------------------------------------------------------


def test_an_acceptance_is_recorded(either: Desk) -> None:
    number = accepted(either, way="online")
    (one,) = either.terms.acceptances(COUNTER, number)
    assert (one.version, one.case, one.way, one.day) == (TERMS, number, AcceptedWay.ONLINE, TODAY)
    assert (one.recorded_by, one.recorded_at) == ("person:2", START)
    assert one.digest == either.terms.version(TERMS).digest
    with pytest.raises(UnknownError):
        either.terms.acceptances(STRANGER, number)


def test_once_accepted_a_version_is_never_changed(desk: Desk, clock: ManualClock) -> None:
    clock.advance(timedelta(hours=1))
    changed = desk.terms.change(SUPERVISOR, TERMS, "利用規約", "第 1 条 正しくは", text_en="Article 1")
    assert (changed.text, changed.changed_at) == ("第 1 条 正しくは", clock.now())
    accepted(desk)
    with pytest.raises(TermsAcceptedError) as refused:
        desk.terms.change(SUPERVISOR, TERMS, "利用規約", "第 1 条 あとから")
    assert TERMS in (refused.value.ja or "")
    assert desk.terms.version(TERMS) == changed
    with pytest.raises(UnknownError):
        desk.terms.change(SUPERVISOR, "2020-01-01", "利用規約", "第 1 条")


def test_an_acceptance_tells_which_text_it_was(desk: Desk) -> None:
    before = desk.terms.version(TERMS).digest
    desk.terms.change(SUPERVISOR, TERMS, "利用規約", "第 1 条 別の文")
    assert desk.terms.version(TERMS).digest != before


@pytest.mark.parametrize(
    ("version", "more"),
    [
        ("2026-07-11", {}),  # not in force yet
        ("2020-01-01", {}),  # there is none
        ("", {}),
        (TERMS, {"today": NEXT}),  # in force no more
        (TERMS, {"signed_on": date(2026, 3, 31)}),  # not yet on the day of the paper
        (TERMS, {"signed_on": TODAY + timedelta(days=1)}),  # that day has not come
    ],
)
def test_only_the_version_in_force_can_be_accepted(desk: Desk, version: str, more: dict[str, date]) -> None:
    """Rule apply.terms."""
    desk.terms.add(SUPERVISOR, NEXT, "改定 利用規約", "第 1 条")
    number = put_case(desk).id
    with pytest.raises(RuleError) as refused:
        accepted(desk, version, number, **more)
    assert refused.value.rule == "apply.terms"
    assert desk.terms.acceptances(COUNTER, number) == []


def test_a_paper_counts_on_the_day_on_which_it_was_signed(desk: Desk) -> None:
    desk.terms.add(SUPERVISOR, NEXT, "改定 利用規約", "第 1 条")
    number = accepted(desk, today=NEXT, signed_on=NEXT - timedelta(days=1))
    assert desk.terms.acceptances(COUNTER, number)[0].day == NEXT - timedelta(days=1)


def test_accepting_twice_changes_nothing(desk: Desk) -> None:
    number = accepted(desk)
    accepted(desk, case_id=number, by="person:9", now=START + timedelta(hours=1))
    (one,) = desk.terms.acceptances(COUNTER, number)
    assert (one.recorded_by, one.recorded_at) == ("person:2", START)


def test_a_new_version_can_be_accepted_beside_the_old_one(desk: Desk) -> None:
    number = accepted(desk)
    desk.terms.add(SUPERVISOR, NEXT, "改定 利用規約", "第 1 条")
    accepted(desk, NEXT.isoformat(), number, today=NEXT)
    assert [one.version for one in desk.terms.acceptances(COUNTER, number)] == [TERMS, NEXT.isoformat()]


def test_a_way_that_is_none(desk: Desk) -> None:
    with pytest.raises(ValueError, match="fax"):
        accepted(desk, way="fax")


def test_an_application_records_its_acceptance(desk: Desk) -> None:
    """The whole way: a paper that came in while another version was in force, submitted later."""
    case = drafted(desk, POINTS[3])
    desk.cases.act(COUNTER, case.id, Event.SUBMIT)
    with desk.database.reading() as connection:
        (one,) = acceptances_of(connection, case.id)
    assert (one.version, one.way, one.day) == (TERMS, AcceptedWay.PAPER, TODAY)
    assert desk.cases.get(COUNTER, case.id).state is State.SUBMITTED


def test_a_paper_of_the_day_before_a_new_version(desk: Desk, clock: ManualClock) -> None:
    case = drafted(desk, POINTS[4])  # received on 1 July
    desk.terms.add(SUPERVISOR, TODAY + timedelta(days=1), "改定 利用規約", "第 1 条")
    clock.advance(timedelta(days=1))
    desk.cases.act(COUNTER, case.id, Event.SUBMIT)
    assert [one.version for one in desk.terms.acceptances(COUNTER, case.id)] == [TERMS]


# --- the list of data -----------------------------------------------------------------------------------


def test_the_standard_list_is_that_of_the_class_table() -> None:
    """Rule data.list: name, unit and whether every meter has it, of the class of high-voltage meters."""
    table = device_class("028A")
    own = [row for row in table.properties if row.name in names_of_the_class()]
    assert {(item.words.ja, item.unit, item.required) for item in standard_list().items} == {
        (row.ja, row.unit or "", row.get is Access.REQUIRED) for row in own
    }
    assert {item.words.en for item in standard_list().items} == {row.en for row in own}


def names_of_the_class() -> set[str]:
    """The items of the class itself, without those of the super class."""
    text = files("koatsu.devices").joinpath("tables/028a.toml").read_text(encoding="utf-8")
    return {row["name"] for row in tomllib.loads(text)["properties"].values()}


def test_the_standard_list_says_that_it_is_not_the_utilitys_own(desk: Desk, clock: ManualClock) -> None:
    """Rule data.list."""
    lists = desk.data_lists
    assert lists.in_force() is standard_list()
    assert (lists.in_force().own, lists.in_force().valid_from) == (False, None)
    assert lists.in_force().warning is NOT_OWN
    assert "当社の利用規約の一覧ではありません" in NOT_OWN.ja
    assert "not the utility's own" in NOT_OWN.en


def test_no_property_code_stands_in_the_list() -> None:
    text = files("koatsu.desk").joinpath("tables/data_list.toml").read_text(encoding="utf-8")
    assert "0x" not in text


OWN = DataList(
    title=Words("情報発信データ一覧", "List of data"),
    items=(
        DataItem(
            words=Words("積算電力量", "Energy"),
            unit="kWh",
            required=True,
            note=Words("30 分ごと", "half-hourly"),
        ),
        DataItem(words=Words(RARE, RARE), unit="", required=False, note=Words("", "")),
    ),
    own=True,
)  # fmt: skip


def test_the_utilitys_list_takes_its_place_from_its_day_on(either: Desk, clock: ManualClock) -> None:
    lists = either.data_lists
    added = lists.add(SUPERVISOR, OWN, NEXT)
    assert added == replace(OWN, valid_from=NEXT)
    assert added.warning is None
    assert lists.in_force(NEXT - timedelta(days=1)) is standard_list()
    assert lists.in_force(NEXT) == lists.in_force(date(2099, 1, 1)) == added
    later = lists.add(SUPERVISOR, replace(OWN, items=OWN.items[:1]), NEXT + timedelta(days=1))
    assert lists.in_force(NEXT) == added
    assert lists.in_force(NEXT + timedelta(days=1)) == later
    assert lists.versions() == [NEXT + timedelta(days=1), NEXT]
    with pytest.raises(InputError, match="already"):
        lists.add(SUPERVISOR, OWN, NEXT)
    for actor in (COUNTER, AUDITOR):
        with pytest.raises(ForbiddenError):
            lists.add(actor, OWN, NEXT + timedelta(days=5))


CSV = (
    "項目,英語,単位,必須,備考,備考(英語)\r\n"
    "積算電力量,Energy,kWh,必須,30 分ごと,half-hourly\r\n"
    "%s,,,任意,,\r\n"
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_list_from_csv(encoding: str) -> None:
    assert read_csv_list((CSV % RARE).encode(encoding), OWN.title) == OWN


def test_a_list_from_csv_as_spreadsheets_write_it() -> None:
    read = read_csv_list((CSV % "最大需要電力").encode("cp932"), OWN.title)
    assert [item.words.ja for item in read.items] == ["積算電力量", "最大需要電力"]
    assert [item.required for item in read.items] == [True, False]


def test_a_list_from_toml(tmp_path: Path) -> None:
    text = files("koatsu.desk").joinpath("tables/data_list.toml").read_text(encoding="utf-8")
    read = read_toml_list(text.replace("\n", "\r\n").encode("utf-8-sig"))
    assert read == replace(standard_list(), own=True)


def kept(desk: Desk) -> int:
    with desk.database.reading() as connection:
        return len(connection.execute(select(data_list)).all() + connection.execute(select(data_item)).all())


def test_every_wrong_row_of_a_csv_is_named_and_nothing_is_kept(desk: Desk) -> None:
    lines = [
        "項目,単位,必須",
        "積算電力量,kWh,必須",
        ",kWh,必須",
        "需要電力,kW,たぶん",
        "せきさん,キロワットアワーのような長い単位,1",
        "確定日,,1,余り",
        f"{'長' * (LONGEST_NAME + 1)},,1",
        "積算電力量,kWh,1",
        "a\u202eb,,1",
    ]
    with pytest.raises(InputError) as refused:
        read_csv_list("\n".join(lines).encode(), OWN.title)
    assert list(refused.value.by_field) == [
        "line 4",
        "line 6",
        "line 3",
        "line 5",
        "line 7",
        "line 8",
        "line 9",
    ]
    assert refused.value.by_field["line 3"].ja.startswith("3 行目:")
    assert refused.value.by_field["line 8"].en == "Line 8: this item stands twice."
    assert kept(desk) == 0


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "file"),
        (b"unit,required\nkWh,1\n", "file"),  # no name
        (b"ja\n", "file"),  # no item
        (b'ja\n"open\n', "file"),
        ("項目\n計測".encode("utf-16"), "file"),
        (b"ja\n\x81\x20", "file"),
        (b"ja\n" + b"x" * MOST_BYTES, "file"),
        (b"ja\n" + b"\n".join(b"%d" % number for number in range(MOST_ITEMS + 1)), "file"),
    ],
)
def test_a_csv_that_is_no_list(content: bytes, field: str) -> None:
    with pytest.raises(InputError) as refused:
        read_csv_list(content, OWN.title)
    assert field in refused.value.by_field


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "file"),
        (b"title = 3", "file"),
        (b"\xff", "file"),
        (b"[[item]]\nja = 'x'", "file"),
        (b"title = {ja = 'x'}\nitem = []", "file"),
        (b"title = {ja = ''}\n[[item]]\nja = 'x'", "title"),
        (b"title = {ja = 'x'}\n[[item]]\nja = 3", "item 1"),
        (b"title = {ja = 'x'}\nitem = [3]", "item 1"),
        (b"title = {ja = 'x'}\n[[item]]\nja = 'x'\nrequired = 'yes'", "item 1"),
        (b"title = {ja = 'x'}\n[[item]]\nja = 'x'\nnote = 'yes'", "item 1"),
        (b"title = {ja = 'x'}\n[[item]]\nja = 'x'\n[[item]]\nja = 'X'", "item 2"),
        (b"title = {ja = 'x'}\n" + b"# " + b"x" * MOST_BYTES, "file"),
    ],
)
def test_a_toml_that_is_no_list(content: bytes, field: str) -> None:
    with pytest.raises(InputError) as refused:
        read_toml_list(content)
    assert list(refused.value.by_field) == [field]
    assert refused.value.ja


@given(st.binary(max_size=200))
def test_any_bytes_are_a_list_or_refused(content: bytes) -> None:
    for read in (read_toml_list, lambda data: read_csv_list(data, OWN.title)):
        try:
            found = read(content)
        except InputError:
            continue
        assert found.items


names = st.text(st.characters(codec="cp932", categories=["L", "N"]), min_size=1, max_size=20)


@given(
    st.lists(
        st.tuples(names, st.sampled_from(["kWh", "kW", ""]), st.booleans()),
        min_size=1,
        max_size=8,
        unique_by=lambda row: row[0].casefold(),
    )
)
def test_what_a_csv_says_is_what_is_read(rows: list[tuple[str, str, bool]]) -> None:
    from koatsu.desk.plain_text import folded

    if len({folded(name) for name, _, _ in rows}) < len(rows):
        return
    text = "ja,unit,required\n" + "".join(
        f"{name},{unit},{'1' if required else '0'}\n" for name, unit, required in rows
    )
    for encoding in ("utf-8-sig", "cp932"):
        found = read_csv_list(text.encode(encoding), OWN.title)
        assert [(item.words.ja, item.unit, item.required) for item in found.items] == rows


def test_terms_stand_in_the_store_as_they_are(desk: Desk) -> None:
    with desk.database.reading() as connection:
        assert [row.version for row in connection.execute(select(terms))] == [TERMS]
