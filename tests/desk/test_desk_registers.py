from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from register_site import OTHER_POINT, POINT, WHO, Memory, Site, emptied
from sqlalchemy import select

import databases
from koatsu.desk.certified import UnknownCertificateError
from koatsu.desk.database import DeskDatabase
from koatsu.desk.equipment import DeviceKind, MeterRole, SoldEnergy
from koatsu.desk.errors import ChangedMeanwhileError, InputError, UnknownError
from koatsu.desk.imports import Register
from koatsu.desk.offices import Area, AreaBy, OfficeKind
from koatsu.desk.plain_text import TextRefused, folded, kept_text, read_postal
from koatsu.desk.point_numbers import hide_numbers, masked, read_point_number, spaced
from koatsu.desk.schema_registers import import_log
from koatsu.desk.supply_points import Supply, Voltage, ended_points

WIDE = str.maketrans("0123456789", "\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18\uff19")
VARIANT = "葛\U000e0100城"  # a variation sequence
RARE = (
    "\U00020bb7野家 \ufa19社"  # beyond the basic plane, and a compatibility ideograph that NFC would change
)


@pytest.fixture
def site() -> Site:
    return Site(Memory()).furnished()


@pytest.fixture(scope="module")
def postgresql(server: databases.Server) -> Iterator[DeskDatabase]:
    """Tables on a real server, for one test after the other."""
    database = DeskDatabase(server.new_database(), 5.0)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest) -> Site:
    """The same registers on both databases."""
    if request.param == "sqlite":
        return Site(Memory()).furnished()
    return Site(emptied(request.getfixturevalue("postgresql"))).furnished()


# --- supply point numbers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "typed",
    [
        POINT,
        POINT.translate(WIDE),
        "07-0012-3456-7890-1234-0431",
        " 07 0012 3456 7890 1234 0431 ",
        "07\uff0d0012\u30fc3456\u22127890\u20101234\u3000\uff10431",
    ],
)
def test_a_number_is_understood_as_people_type_it(typed: str) -> None:
    assert read_point_number(typed) == POINT


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "Write the supply point number"),
        ("- -", "Write the supply point number"),
        (POINT[:-1], "this one 21"),
        (POINT + "0", "this one 23"),
        (POINT[:-1] + "A", "something else"),
        (POINT[:-1] + "\u2460", "something else"),  # a circled digit is none
        (POINT[:-1] + "\u0661", "something else"),  # nor an Arabic one
        (POINT[:-1] + "\x00", "something else"),
        (POINT[:-1] + "\ud800", "something else"),
    ],
)
def test_what_is_no_number_is_refused_without_being_repeated(typed: str, says: str) -> None:
    with pytest.raises(TextRefused) as refused:
        read_point_number(typed)
    assert says in refused.value.words.en
    assert not typed.strip(" -") or typed not in refused.value.words.en + refused.value.words.ja


@given(st.text("0123456789", min_size=22, max_size=22))
def test_every_22_digits_are_a_number_for_no_check_digit_is_known(digits: str) -> None:
    assert read_point_number(digits) == digits
    assert read_point_number(spaced(digits)) == digits


def test_lists_show_a_number_masked() -> None:
    assert masked(POINT) == "07-····-····-····-····-0431"
    assert masked("07001234567") == "····4567"
    assert masked("0431") == "····"
    assert masked("") == ""


@given(st.text("0123456789", min_size=22, max_size=22), st.text("abあ。 ", max_size=10))
def test_a_number_is_hidden_wherever_it_stands(digits: str, around: str) -> None:
    for written in (digits, spaced(digits), digits.translate(WIDE)):
        hidden = hide_numbers(f"{around}x{written}x{around}")
        assert digits[2:18] not in hidden
        assert masked(digits) in hidden


# --- text -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [VARIANT, RARE, "髙島屋 ㈱ ①", "㋿ ㌔", "神\ufe00"])
def test_text_is_kept_as_it_is_written(text: str) -> None:
    assert kept_text(f" {text}\u3000") == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("\ud842", "cannot be read as text"),
        ("東\ufffd", "cannot be read as text"),
        ("東\ue000", "private use"),
        ("東\x00", "control"),
        ("東\u202e西", "control"),
        ("東\n西", "control"),
        ("東" * 161, "At most 160 characters"),
    ],
)
def test_text_that_no_machine_shows_alike_is_refused(text: str, says: str) -> None:
    with pytest.raises(TextRefused) as refused:
        kept_text(text)
    assert says in refused.value.words.en


def test_folding_makes_no_difference_where_people_see_none() -> None:
    same = ("キヤノン EMS-100", "ｷﾔﾉﾝ ems\uff0d100", "きゃのんEMS100", "キャノン・ＥＭＳ １００")
    assert {folded(text) for text in same} == {"きやのんems100"}
    assert folded(VARIANT) == folded("葛城")
    assert folded("東京") != folded("東市")


def test_a_postal_code_is_understood_as_people_type_it() -> None:
    assert {
        read_postal(text) for text in ("8120011", "812-0011", "〒812-0011", "812\uff0d0011".translate(WIDE))
    } == {"8120011"}
    for wrong in ("812-001", "81200111", "812-00a1", ""):
        with pytest.raises(TextRefused):
            read_postal(wrong)


# --- supply points --------------------------------------------------------------------------------------


def test_a_point_is_found_with_all_that_it_has(either: Site) -> None:
    either.points({"小売電気事業者コード": "A0001", "契約開始日": "2016/4/1", "計量器の型式": "M-28A"})
    point = either.registers.point(POINT)
    assert point.voltage is Voltage.HIGH
    assert point.supply is Supply.UTILITY
    assert (point.retailer, point.contract_kw, point.meter_type) == ("A0001", 418, "M-28A")
    assert point.place == "北市みどり 2 丁目"
    assert point.postal_code == "8120011"
    assert point.masked.endswith("0431")


def test_an_unknown_point_is_told_masked(site: Site) -> None:
    with pytest.raises(UnknownError) as error:
        site.registers.point(POINT)
    assert "07-····-····-····-····-0431" in error.value.text("ja")
    assert POINT not in error.value.text("ja") + error.value.text("en")


def test_points_are_searched_by_place_and_by_the_end_of_their_number(site: Site) -> None:
    site.points(
        {"町名番地": "みどりヶ丘 2-3"},
        {"供給地点特定番号": OTHER_POINT, "町名番地": "あおば 100%", "電圧": "低圧"},
    )

    def found(text: str, **options: Voltage) -> list[str]:
        page = site.registers.search_points(text, **options)
        assert page.total == len(page.points)
        return [point.number for point in page.points]

    assert found("") == [POINT, OTHER_POINT]
    assert found("0431") == [POINT]
    assert found("0432".translate(WIDE)) == [OTHER_POINT]
    assert found(spaced(OTHER_POINT)) == [OTHER_POINT]
    assert found("北市 ミドリ") == [POINT]
    assert found("%") == [OTHER_POINT]  # a sign of the database's own is an ordinary letter
    assert found("_") == []
    assert found("北市 なし") == []
    assert found("", voltage=Voltage.LOW) == [OTHER_POINT]
    assert found("9999") == []


def test_a_search_gives_its_rows_page_by_page(site: Site) -> None:
    site.points(*({"供給地点特定番号": f"07{at:020}"} for at in range(7)))
    page = site.registers.search_points(limit=3, offset=3)
    assert page.total == 7
    assert [point.number for point in page.points] == [f"07{at:020}" for at in (3, 4, 5)]


def test_a_contract_holds_until_the_day_before_it_ends(site: Site) -> None:
    site.points({"契約開始日": "2026-04-01", "契約終了日": "2026-07-01"})
    point = site.registers.point(POINT)
    assert not point.under_contract(date(2026, 3, 31))
    assert point.under_contract(date(2026, 4, 1))
    assert point.under_contract(date(2026, 6, 30))
    assert not point.under_contract(date(2026, 7, 1))


def test_ended_contracts_are_listed_in_the_order_of_their_days(site: Site) -> None:
    days = ("2026-07-02", "2026-06-30", "2026-07-01")
    site.points(
        *({"供給地点特定番号": f"07{at:020}", "契約終了日": day} for at, day in enumerate(days)),
        {"供給地点特定番号": f"07{9:020}"},
    )
    with site.database.reading() as connection:
        assert [day for _, day in ended_points(connection, date(2026, 7, 1))] == [
            date(2026, 6, 30),
            date(2026, 7, 1),
        ]
        since = ended_points(connection, date(2026, 7, 1), since=date(2026, 7, 1))
    assert since == ((f"07{2:020}", date(2026, 7, 1)),)


# --- offices, retailers, certificates -------------------------------------------------------------------


def test_offices_are_listed_by_kind_and_only_while_they_are_open(either: Site) -> None:
    offices = either.registers.offices(kind=OfficeKind.DISTRIBUTION)
    assert [office.code for office in offices] == ["north", "south"]
    assert {office.code for office in either.registers.offices(present=False)} > {"old", "centre", "self"}
    assert either.registers.office("north").address == "北市みどり 1"
    with pytest.raises(UnknownError, match="no office nowhere"):
        either.registers.office("nowhere")


def test_areas_are_listed_and_taken_away(site: Site) -> None:
    assert [area.value for area in site.registers.areas("north")] == ["812", "中郡", "福岡県北市"]
    area = Area(office="north", by=AreaBy.POSTAL, value="812")
    assert site.registers.remove_area(area, author=WHO)
    assert not site.registers.remove_area(area, author=WHO)
    assert [area.value for area in site.registers.areas("north")] == ["中郡", "福岡県北市"]


def test_retailers_are_listed_with_the_utility_first(site: Site) -> None:
    assert [retailer.code for retailer in site.registers.retailers()] == ["A0001", "A0002"]
    assert site.registers.retailer("A0003").ended_on == date(2025, 3, 31)
    with pytest.raises(UnknownError):
        site.registers.retailer("A9999")


def certificates(site: Site) -> None:
    site.take(
        Register.CERTIFIED,
        ("認証番号", "メーカー", "型番", "機器の種類", "認証日", "有効期限"),
        ("SMA-0001", "キヤノン電機", "EMS-100", "コントローラ", "2024-04-01", ""),
        ("SMA-0002", "青空システムズ", "Aozora 2", "コントローラ", "2023/10/1", "2026-06-30"),
        ("SMA-0003", "青空システムズ", "Aozora_3", "ゲートウェイ", "2025/10/1", ""),
    )


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("", ["SMA-0001", "SMA-0002", "SMA-0003"]),
        ("ｷｬﾉﾝ", ["SMA-0001"]),  # half width, small kana
        ("きやのん ems100", ["SMA-0001"]),
        ("ＥＭＳ－１００", ["SMA-0001"]),
        ("aozora", ["SMA-0002", "SMA-0003"]),
        ("青空 げーとうぇい", ["SMA-0003"]),
        ("sma0002", ["SMA-0002"]),
        ("a_3", ["SMA-0003"]),
        ("aozora_2", []),  # an underscore is no wildcard
        ("%", []),
        ("存在しない", []),
    ],
)
def test_equipment_is_searched_as_people_type(site: Site, text: str, numbers: list[str]) -> None:
    certificates(site)
    page = site.registers.search_certified(text)
    assert sorted(one.number for one in page.equipment) == numbers
    assert page.total == len(numbers)


def test_only_valid_certificates_are_shown_if_asked_for(either: Site) -> None:
    certificates(either)
    valid = either.registers.search_certified("青空", present=True)
    assert [one.number for one in valid.equipment] == ["SMA-0003"]


@pytest.mark.parametrize(
    "written", ["SMA-0001", "sma-0001", " ＳＭＡ－０００１ ", "SMA\u20100001", "SMA\u22120001"]
)
def test_a_certificate_is_found_however_its_number_is_written(site: Site, written: str) -> None:
    certificates(site)
    assert site.registers.certificate(written).maker == "キヤノン電機"


@pytest.mark.parametrize("number", ["SMA-9999", "SMA0001", "", "SMA-0001\x00\u202e"])
def test_a_certificate_that_does_not_exist_is_told_in_one_sentence(site: Site, number: str) -> None:
    certificates(site)
    with pytest.raises(UnknownCertificateError) as error:
        site.registers.certificate(number)
    assert error.value.ja is not None
    assert error.value.ja.count("。") == 1
    assert "\u202e" not in error.value.ja


# --- meters and terminals -------------------------------------------------------------------------------

METER = ("供給地点特定番号", "製造番号", "型式", "用途", "取付日", "取外日")


def test_a_point_tells_its_meters_the_newest_first(either: Site) -> None:
    either.points({})
    either.take(
        Register.METERS,
        METER,
        (POINT, "10001", "M-EARLY", "買電用", "2016-04-01", "2026-06-01"),
        (POINT, "10002", "M-28A", "買電用", "2026-06-01", ""),
        (POINT, "20001", "M-28A", "売電用", "2018-04-01", ""),
    )
    assert [one.serial for one in either.registers.meters(POINT)] == ["10002", "20001", "10001"]
    present = either.registers.meters(POINT, present=True)
    assert [(one.serial, one.role) for one in present] == [
        ("10002", MeterRole.BUY),
        ("20001", MeterRole.SELL),
    ]


@pytest.mark.parametrize(
    ("meters", "answer"),
    [
        ((), SoldEnergy.UNKNOWN),
        ((("1", "M-28A", "買電用"),), SoldEnergy.NONE),
        ((("1", "M-28A", "買電用"), ("2", "M-28A", "売電用")), SoldEnergy.SELL_METER),
        ((("1", "m28f", "買電用"),), SoldEnergy.TWO_WAY),
        ((("1", "M-28A", "買電用"), ("2", "M-28F", "参考用")), SoldEnergy.NONE),
    ],
)
def test_how_sold_energy_is_measured_follows_from_the_meters(
    site: Site, meters: tuple[tuple[str, str, str], ...], answer: SoldEnergy
) -> None:
    site.points({})
    if meters:
        site.take(Register.METERS, METER, *((POINT, *one, "2026-01-01", "") for one in meters))
    assert site.registers.sold_energy(POINT) is answer


def test_terminals_and_supported_types_are_dated(site: Site) -> None:
    site.points({})
    headings = ("供給地点特定番号", "製造番号", "型式", "取付日", "取外日")
    site.take(Register.TERMINALS, headings, (POINT, "T1", "T-2", "2025-01-01", "2026-07-01"))
    assert len(site.registers.terminals(POINT)) == 1
    assert site.registers.terminals(POINT, present=True) == ()  # taken away today
    present = site.registers.supported_types(DeviceKind.METER)
    assert [one.type for one in present] == ["M-28A", "M-28F"]
    assert len(site.registers.supported_types(DeviceKind.METER, present=False)) == 3


# --- rows by form ---------------------------------------------------------------------------------------

FIELDS = {
    "number": "07-0012-3456-7890-1234-0431",
    "postal_code": "812-0011",
    "municipality": "北市",
    "street": RARE,
    "voltage": "high",
    "supply": "other",
    "retailer": "A0002",
    "contract_kw": "1,200",
}


def test_a_new_row_is_kept_from_a_form_exactly(either: Site) -> None:
    assert either.registers.put(Register.SUPPLY_POINTS, FIELDS, seen=None, author=WHO)
    [row] = either.rows(Register.SUPPLY_POINTS)
    assert row["street"] == RARE
    assert (row["number"], row["contract_kw"], row["meter_type"]) == (POINT, 1200, "")
    assert (row["changed_by"], row["changed_at"]) == (WHO, int(either.clock.now().timestamp()))


def test_a_form_is_shown_and_changed(either: Site) -> None:
    either.registers.put(Register.SUPPLY_POINTS, FIELDS, seen=None, author=WHO)
    form = either.registers.form(Register.SUPPLY_POINTS, {"number": POINT})
    assert form.fields["voltage"] == "高圧"
    assert form.fields["street"] == RARE
    assert not either.registers.put(Register.SUPPLY_POINTS, form.fields, seen=form.seen, author="person:5")
    changed = {"number": POINT, "contract_kw": "418"}
    assert either.registers.put(Register.SUPPLY_POINTS, changed, seen=form.seen, author="person:5")
    point = either.registers.point(POINT)
    assert (point.contract_kw, point.street) == (418, RARE)  # what the form did not hold stayed


def test_nobody_writes_over_what_somebody_else_has_changed(either: Site) -> None:
    either.registers.put(Register.SUPPLY_POINTS, FIELDS, seen=None, author=WHO)
    form = either.registers.form(Register.SUPPLY_POINTS, {"number": POINT})
    first = {"number": POINT, "contract_kw": "300"}
    either.registers.put(Register.SUPPLY_POINTS, first, seen=form.seen, author="person:5")
    second = {"number": POINT, "contract_kw": "500"}
    with pytest.raises(ChangedMeanwhileError) as error:
        either.registers.put(Register.SUPPLY_POINTS, second, seen=form.seen, author="person:6")
    assert error.value.by == "person:5"
    assert either.registers.point(POINT).contract_kw == 300


def test_a_new_row_that_is_there_already_is_told(site: Site) -> None:
    site.registers.put(Register.SUPPLY_POINTS, FIELDS, seen=None, author=WHO)
    with pytest.raises(InputError) as error:
        site.registers.put(Register.SUPPLY_POINTS, FIELDS, seen=None, author=WHO)
    assert list(error.value.by_field) == ["number"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"number": "07"}, "number"),
        ({"number": "0300123456789012340431"}, "number"),  # outside the area
        ({"street": "\ud842"}, "street"),  # half a character
        ({"street": "x" * 161}, "street"),
        ({"voltage": "中圧"}, "voltage"),
        ({"voltage": ""}, "voltage"),
        ({"retailer": "A9999"}, "retailer"),
        ({"supply": "self"}, "supply"),  # which does not go with a retailer
        ({"contract_kw": "-1"}, "contract_kw"),
        ({"contract_kw": "0"}, "contract_kw"),
        ({"contract_from": "2026-05-01", "contract_ended_on": "2026-04-30"}, "contract_ended_on"),
        ({"nonsense": "1"}, "nonsense"),
    ],
)
def test_a_wrong_field_has_one_sentence_and_nothing_is_kept(
    site: Site, changes: dict[str, str], field: str
) -> None:
    with pytest.raises(InputError) as error:
        site.registers.put(Register.SUPPLY_POINTS, {**FIELDS, **changes}, seen=None, author=WHO)
    assert list(error.value.by_field) == [field]
    words = error.value.by_field[field]
    assert words.ja.endswith("。")
    assert words.en.endswith(".")
    assert site.count(Register.SUPPLY_POINTS) == 0


def test_a_new_row_needs_its_key_and_its_required_columns(site: Site) -> None:
    with pytest.raises(InputError) as error:
        site.registers.put(Register.SUPPLY_POINTS, {"street": "x"}, seen=None, author=WHO)
    assert list(error.value.by_field) == ["number", "postal_code", "municipality", "voltage"]
    with pytest.raises(InputError) as error:
        site.registers.put(Register.SUPPLY_POINTS, {"number": POINT}, seen=None, author=WHO)
    assert list(error.value.by_field) == ["postal_code", "municipality", "voltage"]


def test_a_row_that_is_not_there_cannot_be_shown_or_changed(site: Site) -> None:
    with pytest.raises(UnknownError):
        site.registers.form(Register.SUPPLY_POINTS, {"number": POINT})
    with pytest.raises(UnknownError):
        site.registers.put(Register.SUPPLY_POINTS, FIELDS, seen="0" * 16, author=WHO)
    with pytest.raises(InputError):
        site.registers.form(Register.SUPPLY_POINTS, {"number": "07"})


def test_an_area_is_shown_in_the_column_in_which_it_is_written(site: Site) -> None:
    form = site.registers.form(Register.AREAS, {"office": "north", "municipality": "北市"})
    assert form.fields == {"office": "north", "postal": "", "municipality": "福岡県北市"}
    with pytest.raises(InputError) as error:
        site.registers.put(Register.AREAS, {"office": "nowhere", "postal": "812"}, seen=None, author=WHO)
    assert list(error.value.by_field) == ["office"]


def test_what_other_rows_depend_on_does_not_change(site: Site) -> None:
    form = site.registers.form(Register.OFFICES, {"code": "north"})
    with pytest.raises(InputError) as error:
        site.registers.put(Register.OFFICES, {**form.fields, "kind": "other"}, seen=form.seen, author=WHO)
    assert list(error.value.by_field) == ["kind"]
    site.points({"電気の購入先": "", "小売電気事業者コード": "A0002"})
    form = site.registers.form(Register.RETAILERS, {"code": "A0002"})
    with pytest.raises(InputError) as error:
        site.registers.put(Register.RETAILERS, {**form.fields, "own": "yes"}, seen=form.seen, author=WHO)
    assert list(error.value.by_field) == ["own"]
    form = site.registers.form(Register.RETAILERS, {"code": "A0003"})  # which no point names
    assert site.registers.put(Register.RETAILERS, {**form.fields, "own": "yes"}, seen=form.seen, author=WHO)


def test_forms_leave_no_trace_in_the_list_of_files(site: Site) -> None:
    site.registers.put(Register.SUPPLY_POINTS, FIELDS, seen=None, author=WHO)
    assert site.registers.imported_files(Register.SUPPLY_POINTS) == ()
    with site.database.reading() as connection:
        assert len(connection.execute(select(import_log)).all()) == 4  # those of the furnishing
