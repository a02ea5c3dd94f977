"""The help: every question is there, leads on, is found as people type it; and nothing can ask for money."""

from __future__ import annotations

import ast
import re
import tomllib
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import koatsu.desk
from koatsu.desk.costs import PAYER_WORDS, CostItem, Payer, cost_items
from koatsu.desk.eligibility import RULES as ELIGIBILITY
from koatsu.desk.faq import NUMBERED, Action, Question, faq, read_faq
from koatsu.desk.promises import PROMISES
from koatsu.desk.rules import RULES
from koatsu.desk.schema import metadata

DESK = Path(koatsu.desk.__file__).parent
TESTS = Path(__file__).parent.parent


def ids(text: str) -> list[str]:
    return [question.id for question in faq().search(text)]


# --- what there is --------------------------------------------------------------------------------------


def test_every_question_of_the_utility_is_there_once_and_in_its_order() -> None:
    numbers = [question.number for question in faq().questions if question.number is not None]
    assert numbers == list(range(1, NUMBERED + 1))


def test_the_headings_are_those_of_the_utility() -> None:
    counts = {section.id: len(faq().of_section(section.id)) for section in faq().sections}
    assert list(counts) == ["service", "apply", "end", "trouble", "other"]
    assert all(counts.values())


@pytest.mark.parametrize("question", faq().questions, ids=lambda question: question.id)
def test_every_answer_is_whole(question: Question) -> None:
    assert question.question.ja.endswith(("か", "は", "届きません"))
    assert question.question.en.endswith(("?", "No data arrives at my EMS"))
    for said in (question.answer, *([question.online] if question.online else [])):
        assert said.ja.endswith("。")
        assert said.en.endswith(".")
    assert "貴社" not in question.answer.ja
    assert "please" not in question.answer.en.casefold()
    assert "弊社" not in question.answer.ja
    assert question.label.ja
    assert question.label.en


@pytest.mark.parametrize("question", faq().questions, ids=lambda question: question.id)
def test_every_answer_can_end_in_an_enquiry(question: Question) -> None:
    """Rule help.enquiry."""
    assert faq().question(question.topic) is not None


def test_every_rule_that_an_answer_states_is_a_rule() -> None:
    stated = {rule for question in faq().questions for rule in question.rules}
    assert stated <= RULES.keys() | set(ELIGIBILITY) | PROMISES.keys()


def test_every_promise_is_cited_by_a_test() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_desk_*.py"))
    assert [rule for rule in PROMISES if rule not in tests] == []


def test_what_an_action_page_links_back_to() -> None:
    assert [question.id for question in faq().about(Action.TRIAGE)] == ["no_data"]
    assert {question.id for question in faq().about(Action.COSTS)} == {"is_it_free", "works_cost"}


def test_related_questions_are_found() -> None:
    one = faq().question("no_data")
    assert one is not None
    assert [other.id for other in faq().related(one)] == ["meter_replaced", "setting_up", "wired"]
    assert faq().question("nothing") is None


def test_what_is_said_where_applications_are_taken_on_the_page() -> None:
    one = faq().question("how_to_apply")
    other = faq().question("outage")
    assert one is not None
    assert other is not None
    assert one.said(online=False) == one.answer
    assert one.online is not None
    assert one.said(online=True).ja == one.answer.ja + one.online.ja
    assert one.said(online=True).en.endswith(f". {one.online.en}")
    assert other.said(online=True) == other.answer


# --- the rules of the FAQ, as its answers tell them -----------------------------------------------------

#: question -> what its answer must tell, in Japanese and in English
TOLD = {
    "is_it_free": [("無料", "free"), ("EMS", "EMS"), ("お客さまにご負担", "your side")],
    "works_cost": [
        ("当社がおこなう作業は無料", "free"),
        ("イーサネットケーブル", "cable"),
        ("取付け", "putting"),
    ],
    "may_i": [("供給区域", "area"), ("伝送端末", "terminal"), ("EMS を置く", "EMS")],
    "how_to_apply": [
        ("郵送", "post"),
        ("窓口", "counter"),
        ("最寄りの配電事業所", "nearest distribution office"),
        ("ネットワークサービスセンター", "network service centre"),
    ],
    "how_to_end": [
        ("郵送", "post"),
        ("最寄りの配電事業所", "nearest distribution office"),
        ("ネットワークサービスセンター", "network service centre"),
    ],
    "removed_cable": [("当社がうかがって外します", "We come"), ("片づけは、お客さま", "left to you")],
    "contract_ends": [("要りません", "No."), ("ひとりでに", "by itself")],
    "no_data": [("ケーブル", "cable"), ("両端", "both ends"), ("EMS のメーカー", "maker")],
    "meter_replaced": [("お客さまのお手続きはありません", "Nothing."), ("ひとりでにもどります", "by itself")],
    "sold_energy": [("売電用のメーター", "selling meter"), ("EMS メーカー", "maker")],  # sold.meter
    "outage": [("ふつうは電気を止めず", "Usually not"), ("前もってお知らせ", "notice")],
    "meter_change": [("対応して", "supports"), ("無料でお取り替え", "free")],
    "wired": [("有線", "By wire"), ("イーサネットケーブル", "Ethernet cable")],  # works.wired
    "which_ems": [("SMA 認証", "SMA certification"), ("お申込みはできます", "can apply")],
    "change_retailer": [("終わりません", "goes on")],
    "change_name": [("そのまま続きます", "goes on")],  # change.name
    "what_data": [("電力量", "energy"), ("平均電力", "mean power"), ("利用規約", "terms of use")],
}


@pytest.mark.parametrize(("name", "told"), TOLD.items())
def test_an_answer_tells_the_rule(name: str, told: list[tuple[str, str]]) -> None:
    """Rules end.cable, end.contract, cost.customer, sold.meter, works.wired and change.name."""
    one = faq().question(name)
    assert one is not None
    for ja, en in told:
        assert ja in one.answer.ja
        assert en in one.answer.en


# --- searching ------------------------------------------------------------------------------------------

#: what people type -> the question that comes first
FIRST = [
    ("届かない", "no_data"),
    ("データが届かない", "no_data"),
    ("でーた 来ない", "no_data"),
    ("EMSが受信しない", "no_data"),
    ("no data", "no_data"),
    ("停電", "outage"),
    ("ていでん", "outage"),
    ("テイデン", "outage"),
    ("ﾃｲﾃﾞﾝ", "outage"),
    ("工事のとき停電しますか", "outage"),
    ("OUTAGE", "outage"),
    ("power cut", "outage"),
    ("売った電気", "sold_energy"),
    ("売電", "sold_energy"),
    ("太陽光", "sold_energy"),
    ("sell", "sold_energy"),
    ("料金", "is_it_free"),
    ("いくら", "is_it_free"),
    ("fee", "is_it_free"),
    ("ｹｰﾌﾞﾙ 費用", "works_cost"),
    ("メータの交換", "meter_change"),
    ("取替工事", "meter_replaced"),
    ("パルス", "pulse"),
    ("pulse", "pulse"),
    ("SMA認証", "which_ems"),
    ("SMA", "which_ems"),
    ("買う", "where_to_buy"),
    ("申込書", "how_to_apply"),
    ("どこに出せばいいですか", "how_to_apply"),
    ("やめたい", "how_to_end"),
    ("解約", "how_to_end"),
    ("how do I stop the service", "how_to_end"),
    ("引っ越し", "contract_ends"),
    ("外したケーブルの処分", "removed_cable"),
    ("新電力", "change_retailer"),
    ("社名変更", "change_name"),
    ("低圧", "other_voltage"),
    ("自家発電", "self_supply"),
    ("規約", "terms"),
    ("条件", "may_i"),
    ("設定", "setting_up"),
    ("B-route", "what_it_is"),
    ("いつから使えますか", "when_it_starts"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "first"), FIRST)
def test_what_people_type_finds_its_answer_first(typed: str, first: str) -> None:
    assert ids(typed)[0] == first


@pytest.mark.parametrize("typed", ["cable", "ケーブル", "けーぶる", "ｹｰﾌﾞﾙ", "ケ-ブル", "Cables"])
def test_a_cable_is_found_wherever_it_matters(typed: str) -> None:
    assert set(ids(typed)[:4]) == {"no_data", "works_cost", "removed_cable", "wired"}


@pytest.mark.parametrize("typed", ["", " ", "\u3000", "coffee", "xyz", "・・・", "ー", "🦈", "\ud800"])
def test_what_is_not_there_finds_nothing(typed: str) -> None:
    assert ids(typed) == []


def test_all_words_must_fit_unless_none_has_them_all() -> None:
    assert ids("停電 費用") != []
    assert "works_cost" in ids("工事 費用")
    assert "outage" not in ids("工事 費用")
    assert "outage" in ids("停電 パルス")  # no question has both: each of the two is found
    assert "pulse" in ids("停電 パルス")


def test_as_many_are_found_as_are_asked_for() -> None:
    assert len(faq().search("EMS", limit=3)) == 3
    assert len(faq().search("EMS", limit=100)) > 8


@pytest.mark.parametrize("question", faq().questions, ids=lambda question: question.id)
def test_every_question_is_found_by_its_own_words(question: Question) -> None:
    for typed in question.question:
        assert question.id in ids(typed)[:3]
    for word in question.words:
        assert question in faq().search(word, limit=100)


@given(st.text(max_size=400))
def test_no_text_upsets_the_search(typed: str) -> None:
    found = faq().search(typed)
    assert len(found) <= 8
    assert len(set(found)) == len(found)


HIRAGANA = {at: at - 0x60 for at in range(ord("ァ"), ord("ヶ") + 1)}


@given(
    st.sampled_from(
        [word for question in faq().questions for word in (*question.words, question.question.ja)]
    ),
    st.sampled_from(["upper", "hiragana", "narrow"]),
)
def test_the_way_of_writing_makes_no_difference(word: str, way: str) -> None:
    other = {
        "upper": word.upper(),
        "hiragana": word.translate(HIRAGANA),
        "narrow": unicodedata.normalize("NFKD", word),
    }[way]
    assert ids(other) == ids(word)


# --- a table that contradicts itself --------------------------------------------------------------------

TABLE = (DESK / "tables/faq.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ('id = "outage"', 'id = "pulse"'),
        ("number = 12", "number = 11"),
        ('section = "trouble"', 'section = "troubles"'),
        ('action = "triage"', 'action = "trial"'),
        ('related = ["removed_cable", "contract_ends"]', 'related = ["how_to_end"]'),
        ('related = ["removed_cable", "contract_ends"]', 'related = ["gone"]'),
        ('topic = "may_i"', 'topic = "gone"'),
        ('label = {ja = "順にたしかめる", en = "Find out step by step"}', 'label = {ja = "順にたしかめる"}'),
        ('words = ["規約", "きやく",', 'words = [] # ["規約", "きやく",'),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(right: str, wrong: str) -> None:
    assert TABLE.count(right) == 1
    with pytest.raises(ValueError, match=r"question|stands twice"):
        read_faq(TABLE.replace(right, wrong))


# --- who pays for what ----------------------------------------------------------------------------------


def test_who_bears_what() -> None:
    """Rules cost.free and cost.customer."""
    by_payer = {payer: {item.id for item in cost_items() if item.who is payer} for payer in Payer}
    assert by_payer == {
        Payer.UTILITY: {"application", "use", "survey", "meter", "terminal", "works", "ending_works"},
        Payer.CUSTOMER: {"ems", "ems_installation", "cable", "cable_installation", "cable_disposal"},
    }
    assert all(item.free == (item.who is Payer.UTILITY) for item in cost_items())
    assert set(PAYER_WORDS) == set(Payer)


MONEY = {
    "amount", "amounts", "bill", "billing", "cash", "charge", "charges", "currency", "deposit", "fee", "fees",
    "invoice", "invoices", "jpy", "money", "paid", "payment", "payments", "price", "prices", "refund", "tax",
    "vat", "yen",
}  # fmt: skip
#: Names of money that are no means to ask for it: they look for amounts in texts and refuse them.
REFUSING = {"refuse_amounts", "amounts_in", "_AMOUNT", "_FEES"}
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def money_in(name: str) -> set[str]:
    return {part.lower() for part in PART.findall(name)} & MONEY


def names_of(tree: ast.Module) -> Iterator[str]:
    """Everything that a module names, and every text in it that could name something."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Constant) and re.fullmatch(r"[A-Za-z_]+", str(node.value)):
            yield str(node.value)


def keys_of(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def test_nothing_in_the_desk_can_ask_for_money() -> None:
    """Rule cost.free: no function, field, column or key of the desk is for an amount of money."""
    found = {
        f"{path.name}: {name}"
        for path in DESK.rglob("*.py")
        for name in names_of(ast.parse(path.read_text(encoding="utf-8")))
        if money_in(name) and name not in REFUSING
    }
    found |= {
        f"{path.name}: {key}"
        for path in DESK.rglob("*.toml")
        for key in keys_of(tomllib.loads(path.read_text(encoding="utf-8")))
        if money_in(key)
    }
    assert found == set()


def test_no_column_of_the_desk_is_for_money() -> None:
    """Rule cost.free: neither a name of money nor a type that money is kept in."""
    columns = [column for table in metadata.tables.values() for column in table.columns]
    assert len(columns) > 100
    assert [str(column) for column in columns if money_in(column.name)] == []
    kinds = {type(column.type).__name__ for column in columns}
    assert kinds.isdisjoint({"Numeric", "Float", "DECIMAL", "REAL", "Double"})


def test_the_table_of_costs_has_no_place_for_an_amount() -> None:
    """Rule cost.free: no number stands in it, so none can be shown or charged."""
    assert set(CostItem.__dataclass_fields__) == {"id", "words", "who"}
    table = tomllib.loads((DESK / "tables/costs.toml").read_text(encoding="utf-8"))
    assert set(keys_of(table)) == {"item", "id", "words", "ja", "en", "who"}
    assert not re.search(r"[0-9¥円]", " ".join(text for item in cost_items() for text in item.words))


def test_the_search_for_money_finds_it() -> None:
    tree = ast.parse("def raise_fee(amount): row.unitPrice = dict(tax=1); x = 'charge'")
    assert {name for name in names_of(tree) if money_in(name)} == {
        "raise_fee", "amount", "unitPrice", "tax", "charge",
    }  # fmt: skip
    assert not money_in("coffee")
    assert money_in("feeAmount") == {"fee", "amount"}
