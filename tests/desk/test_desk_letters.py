"""Letters and mails: every notice in both languages, honorifics, no holes, no fee, read back from paper."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from koatsu.desk.errors import InputError
from koatsu.desk.forms import amounts_in
from koatsu.desk.letters import (
    Letter,
    LetterContent,
    NoticeKind,
    addressee_lines,
    dear,
    letter,
    notice_table,
    plain_name,
)
from koatsu.desk.lifecycle import STEPS
from koatsu.desk.offices import Office, OfficeKind
from koatsu.desk.words import Words
from koatsu.render import MissingGlyphError, TemplateError
from paper import fonts_of, pages_of, reader_of, squeezed, text_of

OFFICE = Office(
    code="FUKUOKA_E",
    kind=OfficeKind.DISTRIBUTION,
    name="福岡東配電事業所",
    postal_code="8120011",
    address="福岡県福岡市博多区博多駅前九丁目 9 番 9 号",
    phone="092-000-0000",
    email="higashi@example.jp",
    hours="平日 9 時〜17 時",
    closed_on=None,
)
CONTENT = LetterContent(
    utility=Words("南北電力株式会社", "Nanboku Electric Power"),
    office=OFFICE,
    made_on=date(2026, 4, 1),
    customer_name="株式会社𠮷野電子工業",
    department="設備管理部",
    contact_name="髙﨑 葛\U000e0100子",
    postal_code="8120007",
    address="福岡県福岡市博多区東比恵八丁目 8-8",
    case_number="HB-2026-00431",
    supply_point="0300111122223333444455",
    place="東比恵第一工場",
    site_url="https://desk.example.jp/",
)
DATA = (Words("積算電力量", "Energy register"), Words("30分平均電力", "30-minute mean power"))
DETAILS: dict[NoticeKind, dict[str, Any]] = {
    NoticeKind.RECEIVED: {"received_on": "2026-04-01"},
    NoticeKind.RETURNED: {"missing": ("電話番号", "EMS の型式"), "due_on": "2026-04-20"},
    NoticeKind.REFUSED: {
        "condition": Words("当社の供給区域内であること", "The point lies in our area"),
        "reason": "ご使用場所が供給区域の外にあります。",
    },
    NoticeKind.ACCEPTED: {},
    NoticeKind.SURVEY_PLANNED: {"survey_on": "2026-04-10", "survey_window": "13:00〜15:00"},
    NoticeKind.WORKS_PLANNED: {
        "works_on": "2026-05-15",
        "works_window": "9:00〜12:00",
        "outage_needed": "no",
    },
    NoticeKind.WORKS_DONE: {
        "worked_on": "2026-05-15",
        "terminal_type": "BT-100",
        "terminal_serial": "T000123",
        "meter_serial": "M9876",
    },
    NoticeKind.CONNECTION_CHECK_FAILED: {"failed": (Words("EMS での値の受信", "Values seen on the EMS"),)},
    NoticeKind.STARTED: {"started_on": "2026-05-20", "data": DATA, "data_note": "見本の一覧です。"},
    NoticeKind.SUSPENDED: {"suspend_reason": "meter_replacement", "resume_planned_on": "2027-02-03"},
    NoticeKind.RESUMED: {"resumed_on": "2027-02-03", "meter_serial": "M9999"},
    NoticeKind.CHANGED: {"change": Words("電気の購入先", "Retailer"), "office_changed": "yes"},
    NoticeKind.ENDING_RECEIVED: {"received_on": "2028-03-01", "end_wished_on": "2028-03-31"},
    NoticeKind.ENDED: {"cable_removed_on": "2028-03-30"},
    NoticeKind.ENDED_BY_CONTRACT: {"contract_ended_on": "2028-03-31"},
    NoticeKind.WITHDRAWN: {"reason": "EMS の導入を見合わせるため"},
    NoticeKind.ENQUIRY_ANSWERED: {
        "enquiry_number": "Q-2026-0007",
        "question": "データが届きません。",
        "answer": "端末は動いています。\nEMS メーカーにお問い合わせください。",
    },
    NoticeKind.REMINDER_TO_CUSTOMER: {"task": "お申込み内容のご確認", "due_on": "2026-04-20"},
}
#: What each notice has to say, by language: the rules of the service.
SAYS: dict[NoticeKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    NoticeKind.RECEIVED: (
        ("受け付けました", "HB-2026-00431", "お申込み、ご利用、当社の作業は無料です", "おたずねいただけます"),
        ("received your application", "HB-2026-00431", "free of charge", "You can ask"),
    ),
    NoticeKind.RETURNED: (
        ("電話番号", "EMS の型式", "2026年4月20日(月)まで", "そのままお使い"),
        ("電話番号", "by Monday, 20 April 2026", "stays the same"),
    ),
    NoticeKind.REFUSED: (
        ("当社の供給区域内であること", "供給区域の外", "あらためてお申し込み"),
        ("The point lies in our area", "You can apply again"),
    ),
    NoticeKind.ACCEPTED: (
        ("受理いたしました", "有線(イーサネット)", "無料"),
        ("accepted", "wired", "free of charge"),
    ),
    NoticeKind.SURVEY_PLANNED: (
        ("2026年4月10日(金)", "13:00〜15:00", "調査は無料"),
        ("Friday, 10 April 2026", "13:00〜15:00", "free of charge"),
    ),
    NoticeKind.WORKS_PLANNED: (
        ("2026年5月15日(金)", "9:00〜12:00", "停電はありません", "工事は無料"),
        ("Friday, 15 May 2026", "There is no outage", "free of charge"),
    ),
    NoticeKind.WORKS_DONE: (
        ("BT-100", "T000123", "M9876", "イーサネットケーブルでつなぎ", "EMS メーカー"),
        ("T000123", "Connect terminal and EMS"),
    ),
    NoticeKind.CONNECTION_CHECK_FAILED: (
        ("EMS での値の受信", "接続をお確かめのうえ", "メーカーにお問い合わせ"),
        ("Values seen on the EMS", "then ask the maker"),
    ),
    NoticeKind.STARTED: (
        (
            "2026年5月20日(水)",
            "積算電力量",
            "30分平均電力",
            "見本の一覧です。",
            "まず EMS とイーサネットケーブル",
            "メーカー",
        ),
        ("Wednesday, 20 May 2026", "Energy register", "30-minute mean power", "ask the maker of your EMS"),
    ),
    NoticeKind.SUSPENDED: (
        ("計量器の取替", "2027年2月3日(水)", "お客さまのお手続きはありません", "自動で再開します"),
        ("Meter replacement", "nothing for you to do", "resumes by itself"),
    ),
    NoticeKind.RESUMED: (
        ("再開しました", "2027年2月3日(水)", "M9999", "お手続きはありません"),
        ("has resumed", "There is nothing for you to do"),
    ),
    NoticeKind.CHANGED: (
        ("電気の購入先", "そのまま続きます", "福岡東配電事業所に変わります"),
        ("Retailer", "continues", "From now on the office"),
    ),
    NoticeKind.ENDING_RECEIVED: (
        ("廃止届を受け付けました", "2028年3月31日(金)", "当社がうかがいます", "お客さまにて片づけ", "無料"),
        ("Friday, 31 March 2028", "free of charge", "its disposal is up to you"),
    ),
    NoticeKind.ENDED: (
        ("2028年3月30日(木)に、当社の伝送端末からイーサネットケーブルを外し", "お客さまにて片づけ"),
        ("took the Ethernet cable out of our terminal", "its disposal is up to you"),
    ),
    NoticeKind.ENDED_BY_CONTRACT: (
        ("2028年3月31日(金)に自動で終了", "廃止届をお出しいただく必要はありません"),
        ("by itself", "No form is needed"),
    ),
    NoticeKind.WITHDRAWN: (("取下げを承りました", "EMS の導入を見合わせるため"), ("withdrawn as you asked",)),
    NoticeKind.ENQUIRY_ANSWERED: (
        ("Q-2026-0007", "データが届きません。", "端末は動いています。", "まだ解決しないときは"),
        ("Q-2026-0007", "If this does not settle it"),
    ),
    NoticeKind.REMINDER_TO_CUSTOMER: (
        ("お申込み内容のご確認", "2026年4月20日(月)までに", "ご容赦ください"),
        ("by Monday, 20 April 2026", "excuse this letter"),
    ),
}


def written(kind: NoticeKind, language: str = "ja", folder: Path | None = None, **changed: Any) -> Letter:
    content = replace(CONTENT, language=language, **{"details": DETAILS[kind], **changed})
    return letter(kind, content, folder=folder)


each = pytest.mark.parametrize("kind", list(NoticeKind))


# --- what they say --------------------------------------------------------------------------------------


@each
@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_notice_says_what_it_has_to(kind: NoticeKind, language: str) -> None:
    made = written(kind, language)
    for saying in SAYS[kind][language == "en"]:
        assert saying in made.body, saying
    assert "HB-2026-00431" in made.subject
    assert "{" not in made.subject + made.body
    assert "092-000-0000" in made.body
    assert "https://desk.example.jp/" in made.body
    assert (made.kind, made.language) == (kind, language)


@each
def test_the_letter_on_paper_says_the_same_in_japanese(kind: NoticeKind) -> None:
    paper = written(kind, "en").pdf()
    text = text_of(paper)
    in_japanese = replace(CONTENT, details=DETAILS[kind])
    for saying in SAYS[kind][0]:
        assert squeezed(saying) in text, saying
    assert text_of(letter(kind, in_japanese).pdf()) == text
    assert squeezed("〒812-0007 福岡県福岡市博多区東比恵八丁目 8-8") in text
    assert squeezed("株式会社𠮷野電子工業 設備管理部 髙﨑 葛\U000e0100子 様") in text
    assert text.index("拝啓") < text.index("敬具記") < text.index("以上お問い合わせ先")
    assert text.count("敬具") == text.count("以上") == 1
    assert "南北電力株式会社福岡東配電事業所" in text
    assert "2026年4月1日" in text
    assert pages_of(paper) == 1
    assert all(fonts_of(paper).values())


@each
def test_mail_does_not_carry_the_whole_supply_point_and_paper_does(kind: NoticeKind) -> None:
    facts = {**DETAILS[kind], "supply_point": CONTENT.supply_point}  # as the facts of a case have it
    for language in ("ja", "en"):
        body = written(kind, language, details=facts).body
        assert CONTENT.supply_point not in re.sub(r"\D", "", body)
    if "supply_point" in notice_table().notices[kind].record:
        assert "03-····-····-····-····-4455" in written(kind).body
        assert "03-0011-1122-2233-3344-4455" in text_of(written(kind).pdf())


def test_an_outage_is_announced_with_its_agreed_time() -> None:
    details = DETAILS[NoticeKind.WORKS_PLANNED] | {"outage_needed": "yes", "outage_window": "10:00〜10:40"}
    for language, said, unsaid in (
        ("ja", ("停電が必要です", "停電: あり", "10:00〜10:40"), "停電はありません"),
        ("en", ("makes an outage necessary", "Outage: Yes", "10:00〜10:40"), "no outage"),
    ):
        body = written(NoticeKind.WORKS_PLANNED, language, details=details).body
        assert all(saying in body for saying in said)
        assert unsaid not in body


def test_a_fault_on_our_side_sends_nobody_to_the_maker() -> None:
    kind = NoticeKind.CONNECTION_CHECK_FAILED
    body = written(kind, details={**DETAILS[kind], "utility_side": "yes", "works_on": "2026-06-01"}).body
    assert "お客さまのお手続きはありません" in body
    assert "メーカー" not in body
    assert "2026年6月1日(月)に、当社がもう一度うかがいます。" in body


def test_the_office_may_stay_when_something_changes() -> None:
    body = written(NoticeKind.CHANGED, details={"change": "お名前", "office_changed": "no"}).body
    assert "窓口は、福岡東配電事業所です。" in body


def test_every_notice_of_the_life_cycle_is_there() -> None:
    assert {step.notice for step in STEPS if step.notice} <= set(NoticeKind)
    assert notice_table().notices.keys() == set(NoticeKind) == DETAILS.keys() == SAYS.keys()


# --- what is not there ----------------------------------------------------------------------------------

NEEDS = [(kind, need) for kind, notice in notice_table().notices.items() for need in notice.needs]


@pytest.mark.parametrize(("kind", "need"), NEEDS)
def test_nothing_is_written_with_a_hole(kind: NoticeKind, need: str) -> None:
    names = {part.partition("=")[0] for part in need.split("|")}
    details = {name: value for name, value in DETAILS[kind].items() if name not in names}
    number = "" if "case_number" in names else CONTENT.case_number
    with pytest.raises(InputError) as caught:
        written(kind, details=details, case_number=number)
    assert caught.value.by_field.keys() & names
    assert "お知らせを作れません" in caught.value.text("ja")


def test_an_outage_without_an_agreed_time_is_not_announced() -> None:
    with pytest.raises(InputError) as caught:
        written(NoticeKind.WORKS_PLANNED, details={"works_on": "2026-05-15", "outage_needed": "yes"})
    assert set(caught.value.by_field) == {"outage_window"}


@pytest.mark.parametrize(
    ("details", "name"),
    [({"no_such_thing": "x"}, "no_such_thing"), ({"received_on": "soon"}, "received_on")],
)
def test_a_wrong_detail_is_named(details: dict[str, str], name: str) -> None:
    with pytest.raises(InputError) as caught:
        written(NoticeKind.RECEIVED, details=details)
    assert set(caught.value.by_field) == {name}


def test_a_language_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError):
        replace(CONTENT, language="fr")


def test_an_unknown_notice_is_an_error_of_the_program() -> None:
    with pytest.raises(ValueError, match="invoice"):
        letter("invoice", CONTENT)


def test_empty_values_leave_no_row_and_no_label() -> None:
    bare = LetterContent(
        utility=CONTENT.utility, office=replace(OFFICE, phone="", email="", hours=""), made_on=CONTENT.made_on
    )
    made = letter("ended", replace(bare, details={"cable_removed_on": date(2028, 3, 30), "reason": ""}))
    assert "お客さま\n" in made.body
    for label in ("受付番号", "ご使用場所", "供給地点特定番号", "電話", "お手続きのページ"):
        assert label not in made.body
        assert label not in text_of(made.pdf())


# --- who pays -------------------------------------------------------------------------------------------

FEES = re.compile(
    "料金|手数料|利用料|使用料|代金|請求|有料|課金|\\b(?:fees?|charges?|charged|invoice|price|pay)\\b"
)


@each
@pytest.mark.parametrize("language", ["ja", "en"])
def test_no_notice_speaks_of_money_but_to_say_free(kind: NoticeKind, language: str) -> None:
    made = written(kind, language)
    text = made.subject + made.body.replace("free of charge", "無料")
    assert not amounts_in(text)
    assert not FEES.search(text)


@pytest.mark.parametrize(
    "sentence",
    [
        "手数料は 1,100 円です。",
        "工事の料金をいただきます。",
        "有料です。",
        "作業に¥500かかります。",
        "後日、請求いたします。",
    ],
)
def test_no_own_notice_can_ask_for_money(tmp_path: Path, sentence: str) -> None:
    own_notice(tmp_path, ja=sentence)
    with pytest.raises(TemplateError, match="letters"):
        written(NoticeKind.ENDED, folder=tmp_path)


@pytest.mark.parametrize(
    "sentence", ["A fee of 10 is due.", "You will be charged.", "We send an invoice.", "1,100 yen."]
)
def test_no_own_english_notice_can_ask_for_money(tmp_path: Path, sentence: str) -> None:
    own_notice(tmp_path, en=sentence)
    with pytest.raises(TemplateError, match="letters"):
        written(NoticeKind.ENDED, folder=tmp_path)


# --- whom they address ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "organisation", "department", "person", "lines"),
    [
        ("南北商事株式会社", True, "", "", ("南北商事株式会社 御中",)),
        ("南北商事株式会社", True, "総務部", "", ("南北商事株式会社", "総務部 御中")),
        ("南北商事株式会社", True, "総務部", "鈴木 一郎", ("南北商事株式会社", "総務部", "鈴木 一郎 様")),
        ("南北商事株式会社", True, "", "鈴木 一郎", ("南北商事株式会社", "鈴木 一郎 様")),
        ("鈴木 一郎", False, "", "", ("鈴木 一郎 様",)),
        ("鈴木 一郎", False, "", "鈴木 一郎", ("鈴木 一郎 様",)),
        ("鈴木 一郎", False, "", "鈴木 花子", ("鈴木 一郎 様", "鈴木 花子 様")),
        ("鈴木 一郎 様", False, "", "", ("鈴木 一郎 様",)),
        ("南北商事株式会社 御中", True, "", "鈴木様", ("南北商事株式会社", "鈴木 様")),
        ("鵜殿", False, "", "", ("鵜殿 様",)),
        ("鵜殿 殿", False, "", "", ("鵜殿 様",)),
        ("", True, "", "鈴木 一郎", ("鈴木 一郎 様",)),
        ("", True, "", "", ("お客さま",)),
        ("様", False, "", "", ("様 様",)),
    ],
)
def test_honorifics(
    name: str, organisation: bool, department: str, person: str, lines: tuple[str, ...]
) -> None:
    assert addressee_lines(name, organisation=organisation, department=department, person=person) == lines


NAMES = st.text(st.sampled_from("山田社様御中殿 \u3000"), max_size=6)


@given(NAMES, st.booleans(), NAMES, NAMES)
def test_one_honorific_at_the_end_and_never_both(
    name: str, organisation: bool, department: str, person: str
) -> None:
    lines = addressee_lines(name, organisation=organisation, department=department, person=person)
    names = {plain_name(name), plain_name(department), plain_name(person)}
    if lines == ("お客さま",):
        assert (plain_name(name), plain_name(person)) == ("", "")
        return
    # Taken off at the end of a line, an honorific leaves a name as it was given: there was one and no more.
    assert lines[-1].endswith((" 様", " 御中"))
    assert all(line in names or line.removesuffix(" 様").removesuffix(" 御中") in names for line in lines)
    if organisation and plain_name(person) not in ("", plain_name(name)):
        assert lines[-1] == f"{plain_name(person)} 様"
        assert all(line in names for line in lines[:-1])


def test_the_greeting_goes_with_the_reader() -> None:
    def greeted(**changed: Any) -> str:
        return text_of(written(NoticeKind.ACCEPTED, **changed).pdf())

    assert "ご清祥" in greeted()  # a person in a company
    assert "ご清栄" in greeted(contact_name="")
    assert "ご清祥" in greeted(contact_name="", organisation=False, customer_name="鈴木 一郎")


def test_english_mail_greets_without_guessing_a_title() -> None:
    assert written(NoticeKind.ACCEPTED, "en").body.startswith("Dear 髙﨑 葛\U000e0100子,\n")
    assert dear("鈴木 一郎 様", "", "customer") == "鈴木 一郎"
    assert dear("", "", "customer") == "customer"


def test_japanese_mail_begins_with_the_addressee_and_says_who_writes() -> None:
    assert written(NoticeKind.ACCEPTED).body.startswith(
        "株式会社𠮷野電子工業\n設備管理部\n髙﨑 葛\U000e0100子 様\n\n"
        "いつもお世話になっております。南北電力株式会社 福岡東配電事業所です。\n"
    )


# --- bad input ------------------------------------------------------------------------------------------


def test_a_subject_is_one_line_whatever_it_holds() -> None:
    made = written(NoticeKind.ACCEPTED, case_number="HB-1\r\nBcc: all@example.jp")
    assert made.subject.splitlines() == [made.subject]


def test_braces_in_values_are_text() -> None:
    made = written(
        NoticeKind.CHANGED, details={"change": "{office} {0} {utility.__class__}", "office_changed": "no"}
    )
    assert "{office} {0} {utility.__class__}" in made.body


def test_a_missing_glyph_is_named_as_people_know_it() -> None:
    made = written(NoticeKind.WITHDRAWN, contact_name="山😀田", details={"reason": "ค"})
    assert "山😀田 様" in made.body  # a mail can carry it
    with pytest.raises(MissingGlyphError) as caught:
        made.pdf()
    assert {(one.text, one.field) for one in caught.value.missing} == {
        ("😀", "contact_name"),
        ("ค", "reason"),
    }
    assert "「ご担当者」の 😀 (U+1F600)" in caught.value.text("ja")
    assert "「理由」" in caught.value.text("ja")


@settings(max_examples=20)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_name_is_printed_whole_or_refused_with_its_field(name: str) -> None:
    made = written(NoticeKind.ACCEPTED, contact_name=name)
    try:
        text, missing = text_of(made.pdf()), None
    except MissingGlyphError as error:
        text, missing = "", error.missing
    if missing is None:
        assert squeezed(plain_name(name)) in text
    else:
        assert {one.field for one in missing} == {"contact_name"}


def test_long_values_make_more_pages_and_lose_nothing() -> None:
    lines = [f"その{number}、お答えです。" for number in range(150)]
    kind = NoticeKind.ENQUIRY_ANSWERED
    paper = written(
        kind, details={**DETAILS[kind], "answer": "\n".join(lines)}, address="長い住所" * 40
    ).pdf()
    assert pages_of(paper) > 1
    assert [line for line in lines if line not in text_of(paper)] == []
    assert squeezed("長い住所" * 40) in text_of(paper)


def test_the_same_letter_is_the_same_bytes_with_its_own_date() -> None:
    paper = written(NoticeKind.ACCEPTED).pdf()
    assert written(NoticeKind.ACCEPTED).pdf() == paper
    metadata = reader_of(paper).metadata
    assert metadata is not None
    assert metadata.creation_date is not None
    assert metadata.creation_date.isoformat() == "2026-03-31T15:00:00+00:00"
    assert str(metadata.title) == "高圧Bルートサービス お申込み受理のお知らせ"


def test_a_letter_does_not_show_its_customer_in_a_log() -> None:
    assert "𠮷野" not in repr(replace(written(NoticeKind.ACCEPTED), body=""))


# --- the utility's own texts ----------------------------------------------------------------------------


def own_notice(folder: Path, ja: str = "終わりました。", en: str = "It has ended.", rest: str = "") -> None:
    (folder / "letters.toml").write_text(
        '[notice.ended]\nsubject = {ja = "終了", en = "End"}\nneeds = ["cable_removed_on"]\nrecord = []\n'
        f'[[notice.ended.text]]\nja = "{ja}"\nen = "{en}"\n{rest}'
    )


def test_an_own_notice_takes_the_place_and_the_others_stay(tmp_path: Path) -> None:
    own_notice(tmp_path, ja="{cable_removed_on}に終わりました。")
    made = written(NoticeKind.ENDED, folder=tmp_path)
    assert made.subject == "【高圧Bルートサービス】終了(HB-2026-00431)"
    assert "2028年3月30日(木)に終わりました。" in made.body
    assert "片づけ" not in made.body
    assert written(NoticeKind.ACCEPTED, folder=tmp_path).body == written(NoticeKind.ACCEPTED).body


def test_an_own_frame_and_an_own_paper(tmp_path: Path) -> None:
    (tmp_path / "letters.toml").write_text('[frame]\nservice = {ja = "電力データ便", en = "Data post"}\n')
    (tmp_path / "letter.typ").write_text(
        "#let data = json(bytes(sys.inputs.data))\n"
        '#set document(title: "x")\n#set text(font: "Noto Sans JP")\n'
        "当社の便箋 #data.subject"
    )
    made = written(NoticeKind.ACCEPTED, folder=tmp_path)
    assert made.subject.startswith("【電力データ便】")
    assert text_of(made.pdf()) == squeezed("当社の便箋 電力データ便 お申込み受理のお知らせ")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[notice.ended", "Expected"),
        ("[notes]\nx = 1", "no table"),
        ('[frame]\nsalutation = {ja = "", en = ""}', "no salutation"),
        ('[frame]\nphone = {ja = "電話"}', "frame.phone needs"),
        ('[notice.fired]\nsubject = {ja = "", en = ""}', "no notice fired"),
        ('[notice.ended]\nsubject = {ja = "終", en = "End"}', "has no text"),
        ('[notice.ended]\nsubject = "終"', "subject needs"),
        ('[fields.mood]\nkind = "colour"\nja = "気分"\nen = "Mood"', "fields.mood needs a kind"),
    ],
)
def test_a_broken_own_table_says_where(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "letters.toml").write_text(text)
    with pytest.raises(TemplateError, match=re.escape("letters.toml")) as caught:
        written(NoticeKind.ACCEPTED, folder=tmp_path)
    assert reason in caught.value.reason


@pytest.mark.parametrize(
    ("ja", "rest", "reason"),
    [
        ("{worked_on}に終了", "", "{worked_on} may be empty"),
        ("{office.phone}", "", "{office.phone} may be empty"),
        ("{office!r}", "", "{office} may be empty"),
        ("{", "", "text 1"),
        ("終了", 'when = "no such"', "is no condition"),
        ("終了", 'when = "no_such"', "no field no_such"),
    ],
)
def test_an_own_sentence_with_a_hole_is_refused(tmp_path: Path, ja: str, rest: str, reason: str) -> None:
    own_notice(tmp_path, ja=ja, rest=rest)
    with pytest.raises(TemplateError) as caught:
        written(NoticeKind.ENDED, folder=tmp_path)
    assert reason in caught.value.reason
