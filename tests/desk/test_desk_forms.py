"""The forms on paper, read back: every value found, one page, blank ones, the utility's own templates."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koatsu.desk.errors import InputError
from koatsu.desk.fields import FIELDS
from koatsu.desk.forms import CONTENT_WORDS, FORM_WORDS, FormContent, FormKind, Forms, amounts_in
from koatsu.render import MissingGlyphError, TemplateError
from paper import fonts_of, pages_of, reader_of, squeezed, text_of

MADE = datetime(2026, 4, 1, tzinfo=UTC)
SOURCE = Path(__file__).resolve().parents[2] / "src/koatsu/desk/forms"

VALUES: dict[str, Any] = {
    "utility": "南北電力株式会社",
    "office": "福岡東配電事業所",
    "office_postal_code": "8120011",
    "office_address": "福岡県福岡市博多区博多駅前九丁目 9 番 9 号",
    "office_phone": "092-000-0000",
    "case_number": "HB-2026-00431",
    "made_on": date(2026, 4, 1),
    "supply_point": "0300111122223333444455",
    "place": "東比恵第一工場",
    "customer_name": "株式会社𠮷野電子工業",
    "customer_kana": "カブシキガイシャ ヨシノデンシコウギョウ",
    "contact_name": "髙﨑 葛\U000e0100子",
    "department": "設備管理部 動力課",
    "phone": "092-111-2222",
    "email": "setsubi@example.jp",
    "postal_code": "8120007",
    "address": "福岡県福岡市博多区東比恵八丁目 8-8",
    "supply": "other",
    "retailer": "ひかりエナジー株式会社",
    "contract_kw": "480",
    "ems_maker": "サンプル電機",
    "ems_model": "BX-2000",
    "ems_certificate": "SMA-000123",
    "sells": "no",
    "wished_on": date(2026, 5, 15),
    "terms_version": "2026年4月1日版",
    "terms_accepted": "yes",
    "remarks": "受電室の入室には前日までの連絡が要ります。",
}
ON_THE_APPLICATION_ONLY = {
    "contract_kw", "ems_maker", "ems_model", "ems_certificate", "sells", "terms_version", "terms_accepted"
}  # fmt: skip


def content(kind: FormKind, **changed: Any) -> FormContent:
    values = {
        name: value
        for name, value in VALUES.items()
        if kind is FormKind.APPLICATION or name not in ON_THE_APPLICATION_ONLY
    }
    return FormContent(kind=kind, **values | changed)


def shown(name: str, value: Any) -> str:
    """How a value stands on the form."""
    if isinstance(value, date):
        return f"{value.year}年{value.month}月{value.day}日"
    if name.endswith("postal_code"):
        return f"〒{value[:3]}-{value[3:]}"
    return squeezed(value)


both = pytest.mark.parametrize("kind", list(FormKind))


@both
def test_every_value_is_found_on_one_page(kind: FormKind) -> None:
    filled = content(kind)
    paper = Forms().pdf(filled, made=MADE)
    text = text_of(paper)
    for name in VALUES.keys() - {"supply", "sells", "terms_accepted"}:
        value = getattr(filled, name)
        assert shown(name, value) in text if value else True, name
    assert squeezed(FORM_WORDS[kind].ja) in text
    assert "南北電力株式会社福岡東配電事業所御中" in text
    assert pages_of(paper) == 1
    assert fonts_of(paper) == {"NotoSansJP-Regular": True, "NotoSerifJP-Regular": True}


@both
def test_the_form_is_a4_has_a_title_and_is_always_the_same(kind: FormKind) -> None:
    paper = Forms().pdf(content(kind), made=MADE)
    assert Forms().pdf(content(kind), made=MADE) == paper
    reader = reader_of(paper)
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [595, 842]
    assert reader.metadata is not None
    assert str(reader.metadata.title) == f"{FORM_WORDS[kind].ja} HB-2026-00431"
    assert reader.metadata.creation_date == MADE


@pytest.mark.parametrize(
    ("changed", "ticked"),
    [
        ({"supply": "utility"}, "✓当社当社以外の"),
        ({"supply": "other"}, "当社✓当社以外の小売電気事業者自己等"),
        ({"supply": "self"}, "小売電気事業者✓自己等"),
        ({"sells": "yes"}, "✓ありなしわからない"),
        ({"sells": "no"}, "あり✓なしわからない"),
        ({"sells": "unknown"}, "ありなし✓わからない"),
        ({"ems_certified": "no", "ems_certificate": ""}, "✓認証なし・わからない"),
        ({"terms_accepted": "yes"}, "✓高圧Bルートサービス利用規約(2026年4月1日版)に同意します。"),
    ],
)
def test_choices_are_ticked_and_the_others_are_not(changed: dict[str, str], ticked: str) -> None:
    blank = {"supply": "", "sells": "", "terms_accepted": ""}
    text = text_of(Forms().pdf(content(FormKind.APPLICATION, **blank | changed), made=MADE))
    assert ticked in text
    assert text.count("✓") == 1


@both
def test_a_blank_form_has_its_labels_and_nothing_else(kind: FormKind) -> None:
    paper = Forms().blank(kind, made=MADE)
    text = text_of(paper)
    assert pages_of(paper) == 1
    assert "✓" not in text
    for label in (
        "フリガナ",
        "お名前",
        "ご住所〒",
        "供給地点特定番号",
        "年月日",
        "御中",
        "備考",
        "受付印",
        "郵送または窓口で",
    ):
        assert label in text, label
    assert "南北電力株式会社御中" in text_of(Forms().blank(kind, made=MADE, utility="南北電力株式会社"))


def test_how_the_office_takes_paper() -> None:
    def told(*ways: str) -> str:
        return text_of(Forms().pdf(content(FormKind.ENDING, hand_in=ways), made=MADE))

    assert "窓口でお出しください。" in told("counter")
    assert "郵送" not in told("counter")
    assert "窓口で" not in told("post")
    assert "郵送または窓口でお出しください。" in told("post", "counter")
    assert "お出しください" not in told()


@both
def test_who_pays_is_said_and_no_amount(kind: FormKind) -> None:
    text = text_of(Forms().pdf(content(kind), made=MADE))
    assert "無料です" in text
    assert not amounts_in(text)
    if kind is FormKind.APPLICATION:
        assert "お申込み、ご利用、当社の作業" in text
        assert "EMSと、当社の伝送端末からEMSまでのイーサネットケーブルは" in text
    else:
        assert "お客さまにて片づけてください" in text
        assert "電気の契約を終えるとき。サービスも自動で終わります。" in text


# --- long values ----------------------------------------------------------------------------------------

LONGEST = {
    name: FIELDS[name].longest
    for name in sorted(VALUES.keys() & FIELDS.keys())
    if FIELDS[name].kind not in ("choice", "date")
} | {
    "utility": 60,
    "office": 60,
    "office_address": 160,
    "office_phone": 20,
    "case_number": 40,
    "place": 200,
    "contract_kw": 12,
}


@both
@pytest.mark.parametrize("sign", ["𠮷", "W", "あ い", "ー"])
def test_the_longest_values_stay_on_the_page_and_whole(kind: FormKind, sign: str) -> None:
    names = LONGEST.keys() - {"supply_point", "postal_code", "remarks"}
    long = {name: (sign * LONGEST[name])[: LONGEST[name]] for name in names}
    paper = Forms().pdf(content(kind, **long), made=MADE)
    text = text_of(paper)
    assert pages_of(paper) == 1
    for name in names - (ON_THE_APPLICATION_ONLY if kind is FormKind.ENDING else set()):
        assert squeezed(long[name]) in text, name


@both
def test_long_remarks_stand_on_a_second_page(kind: FormKind) -> None:
    remarks = "".join(f"{number} 行目の備考です。\n" for number in range(120))
    paper = Forms().pdf(content(kind, remarks=remarks), made=MADE)
    assert pages_of(paper) > 1
    assert "別紙(2枚目)のとおり" in text_of(paper)
    assert squeezed(remarks) in text_of(paper)
    assert pages_of(Forms().pdf(content(kind, remarks="あ" * 200), made=MADE)) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, "あ" * (longest + 1)) for name, longest in LONGEST.items()]
    + [
        ("supply_point", "03"),
        ("supply_point", "０" * 22),
        ("postal_code", "812-0007"),
        ("office_postal_code", "8"),
        ("supply", "gas"),
        ("sells", "perhaps"),
        ("ems_certified", "unknown"),
        ("terms_accepted", "true"),
        ("hand_in", ("post", "fax")),
    ],
)
def test_what_does_not_fit_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(InputError) as caught:
        content(FormKind.APPLICATION, **{name: value})
    assert set(caught.value.by_field) == {name}
    assert caught.value.by_field[name].ja.endswith("。")


def test_every_wrong_field_is_named_at_once() -> None:
    with pytest.raises(InputError) as caught:
        FormContent(kind=FormKind.ENDING, supply="x", postal_code="x", phone="0" * 21)
    assert set(caught.value.by_field) == {"supply", "postal_code", "phone"}


def test_every_field_has_a_name_for_people() -> None:
    assert {one.name for one in fields(FormContent)} - {"kind", "hand_in", "made_on"} <= CONTENT_WORDS.keys()


# --- any name -------------------------------------------------------------------------------------------

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.text(
    st.characters(categories=["L", "M", "N"], min_codepoint=0x3040, max_codepoint=0xFAFF), max_size=20
)


@settings(max_examples=25)
@given(name=NAMES)
def test_any_name_is_printed_whole_or_refused_with_its_field(name: str) -> None:
    filled = FormContent(kind=FormKind.APPLICATION, customer_name=name)
    try:
        paper, missing = Forms().pdf(filled, made=MADE), None
    except MissingGlyphError as error:
        paper, missing = b"", error
    if missing is None:
        assert squeezed(name) in text_of(paper)
        assert pages_of(paper) == 1
    else:
        assert {one.field for one in missing.missing} == {"customer_name"}
        assert "「お客さまの名称」" in missing.text("ja")
        assert missing.hint_ja


# --- the utility's own templates ------------------------------------------------------------------------


def test_a_file_of_the_same_name_takes_the_place(tmp_path: Path) -> None:
    (tmp_path / "ending.typ").write_text(
        '#import "form.typ": data, sans\n#set document(title: "届")\n#set text(font: sans, lang: "ja")\n'
        "当社の様式 #data.customer_name #data.wished_on"
    )
    forms = Forms(tmp_path)
    assert (
        text_of(forms.pdf(content(FormKind.ENDING), made=MADE)) == "当社の様式株式会社𠮷野電子工業2026-05-15"
    )
    built_in = Forms().pdf(content(FormKind.APPLICATION), made=MADE)
    assert forms.pdf(content(FormKind.APPLICATION), made=MADE) == built_in


def test_the_shared_parts_can_be_replaced_too(tmp_path: Path) -> None:
    parts = (SOURCE / "form.typ").read_text()
    assert "[様式 #number]" in parts
    (tmp_path / "form.typ").write_text(parts.replace("[様式 #number]", "[南北-B-#number]"))
    assert "南北-B-1" in text_of(Forms(tmp_path).pdf(content(FormKind.APPLICATION), made=MADE))
    (tmp_path / "form.typ").unlink()
    assert "様式1" in text_of(Forms(tmp_path).pdf(content(FormKind.APPLICATION), made=MADE))


def test_a_broken_own_template_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "application.typ").write_text('#import "form.typ": *\n\n#page-of("x", {')
    with pytest.raises(TemplateError) as caught:
        Forms(tmp_path).pdf(content(FormKind.APPLICATION), made=MADE)
    assert (caught.value.name, caught.value.line) == ("application.typ", 3)
    assert "標準のテンプレート" in caught.value.text("ja")
    assert pages_of(Forms(tmp_path).pdf(content(FormKind.ENDING), made=MADE)) == 1


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="nowhere"):
        Forms(tmp_path / "nowhere").pdf(content(FormKind.ENDING), made=MADE)


@pytest.mark.parametrize(
    "line",
    ["手数料は 1,100 円です", "#data.fee 円", "¥500", "五百円", "５００円", "500 yen", "JPY 500", "#(fee)円"],
)
def test_no_own_template_can_state_an_amount(tmp_path: Path, line: str) -> None:
    (tmp_path / "ending.typ").write_text(f"題\n{line}")
    with pytest.raises(TemplateError) as caught:
        Forms(tmp_path).pdf(content(FormKind.ENDING), made=MADE)
    assert (caught.value.name, caught.value.line) == ("ending.typ", 2)


def test_what_is_no_amount_is_let_through() -> None:
    assert amounts_in("円滑に 楕円 無料 千円札入れ".replace("千円札入れ", "")) == ()
    assert amounts_in("工事は 2 日、円形の受付印") == ()


def test_the_built_in_templates_state_no_amount_and_no_fee() -> None:
    for path in sorted(SOURCE.glob("*.typ")):
        text = path.read_text()
        assert not amounts_in(text), path.name
        for word in ("料金", "手数料", "利用料", "請求", "有料", "代金"):
            assert word not in text, (path.name, word)


def test_a_form_is_a_value() -> None:
    one = content(FormKind.ENDING)
    assert one == content(FormKind.ENDING)
    assert replace(one, remarks="") != one
