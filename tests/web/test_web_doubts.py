"""Values in doubt: both stand there with what they mean; who may decide gives a reason; nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from doubt_site import DOUBTFUL, KEPT, LEAP, OTHER, doubt_app
from fastapi import FastAPI
from people_site import Visitor

from koatsu.ems.correcting import contradictions
from koatsu.ems.store import Store
from koatsu.meter import Register
from koatsu.people import People, Role

Place = tuple[FastAPI, Store, People]
AT = int(DOUBTFUL.start.timestamp())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with doubt_app(tmp_path, *Role) as place:
        yield place


def visiting(place: Place, role: Role) -> Visitor:
    visitor = Visitor(place[0])
    assert visitor.log_in(role).status_code == 303
    return visitor


def words(text: str) -> str:
    text = re.sub(r"<(td|dd|dt|p|h2|span)[^>]*>", " ", text)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text)))


def articles(text: str) -> list[str]:
    return re.findall(r"<article.*?</article>", text, re.S)


def fields(article: str) -> dict[str, str]:
    """What the form of a doubt carries by itself."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', article))


def decide(visitor: Visitor, article: str, **chosen: str) -> int:
    return visitor.send("/doubts", **(fields(article) | chosen)).status_code


def doubtful(visitor: Visitor) -> str:
    """The doubt about 16:00."""
    return next(one for one in articles(visitor.get("/doubts").text) if "16:00</h2>" in one)


def test_each_doubt_shows_both_values_and_what_they_mean(place: Place) -> None:
    page = visiting(place, Role.VIEWER).get("/doubts").text
    told = [words(one) for one in articles(page)]
    assert len(told) == 3
    leap = next(one for one in told if "20:00–20:30" in one)
    assert "この施設では流れ得ない大きさの差です。" in leap
    assert "5,004,000\N{NO-BREAK SPACE}カウント" in leap or "5,004,000 カウント" in leap
    assert "840,120" in leap
    two = next(one for one in told if " 16:00 " in one)
    assert "5,003,200" in two
    assert "5,003,260" in two
    assert "15:30–16:00 は 120" in two
    assert "15:30–16:00 は 192" in two
    assert "16:00–16:30 は 48" in two
    assert "未確認 3 件" in words(page)


def test_who_only_looks_gets_no_form(place: Place) -> None:
    page = visiting(place, Role.VIEWER).get("/doubts").text
    assert 'name="choice"' not in page
    assert "訂正できるのは操作者と管理者です。" in page
    assert 'name="choice"' in visiting(place, Role.OPERATOR).get("/doubts").text


@pytest.mark.parametrize(
    ("what", "count", "stands"),
    [(str(KEPT), "", KEPT), (str(OTHER), "", OTHER), ("enter", "5,003,230", 5_003_230), ("none", "", None)],
)
def test_a_decision_stands_over_what_the_meter_said(
    place: Place, what: str, count: str, stands: int | None
) -> None:
    _, store, people = place
    visitor = visiting(place, Role.OPERATOR)
    before = [replace(one, settled_by=None) for one in contradictions(store, "buy")]
    assert decide(visitor, doubtful(visitor), choice=f"{AT}:{what}", count=count, reason="表示を確認") == 303
    (made,) = store.corrections("buy")
    assert (made.instant, made.register, made.count) == (DOUBTFUL.start, Register.ENERGY, stands)
    assert made.author == f"person:{people.people()[2].id}"
    after = [replace(one, settled_by=None) for one in contradictions(store, "buy")]
    assert after == before, "both values are still there"
    entry = people.audit.entries(1)[0]
    assert (entry.action, entry.subject, entry.author) == ("count_corrected", "meter:buy", made.author)
    page = visitor.get("/doubts").text
    assert "訂正済み" in words(doubtful(visitor))
    assert "未確認 2 件" in words(page)
    assert "表示を確認" in words(page)
    assert "動かす 次郎" in words(page)


def test_a_correction_is_withdrawn_and_stays_on_the_list(place: Place) -> None:
    _, store, people = place
    visitor = visiting(place, Role.OPERATOR)
    decide(visitor, doubtful(visitor), choice=f"{AT}:{OTHER}", reason="一度目")
    number = str(store.corrections("buy")[0].id)
    assert visitor.send("/doubts", do="withdraw", number=number).status_code == 303
    assert people.audit.entries(1)[0].action == "correction_withdrawn"
    page = words(visitor.get("/doubts").text)
    assert "取り消し済み(動かす 次郎)" in page
    assert "未確認 3 件" in page
    again = visitor.send("/doubts", do="withdraw", number=number)
    assert again.status_code == 422
    assert "既に取り消されています" in words(again.text)
    assert visitor.send("/doubts", do="withdraw", number="999").status_code == 422


def test_of_two_corrections_the_newer_stands(place: Place) -> None:
    visitor = visiting(place, Role.OPERATOR)
    for value in (KEPT, OTHER):
        decide(visitor, doubtful(visitor), choice=f"{AT}:{value}", reason=f"{value}")
    page = words(visitor.get("/doubts").text)
    assert page.count("新しい訂正があります") == 1


def test_a_leap_is_settled_at_one_border(place: Place) -> None:
    visitor = visiting(place, Role.OPERATOR)
    at = int(LEAP.end.timestamp())
    article = next(one for one in articles(visitor.get("/doubts").text) if "20:00–20:30" in one)
    assert f'value="{at}:none"' in article
    assert decide(visitor, article, choice=f"{at}:enter", count="5004100", reason="写真") == 303
    assert len(articles(visitor.get("/doubts").text)) == 1, "only the instant with two values is left"
    day = words(visitor.get(f"/day/buy/{LEAP.day}").text)
    assert "食い違い" in day


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"reason": "x"}, "どれが正しいかを選んでください。"),
        ({"choice": f"{AT}:{OTHER}", "reason": " "}, "訂正には理由が必要です。"),
        ({"choice": f"{AT}:enter", "count": "12.5", "reason": "x"}, "整数で入力してください。"),
        ({"choice": f"{AT}:enter", "count": "", "reason": "x"}, "整数で入力してください。"),
        ({"choice": f"{AT}:enter", "count": "999999999999", "reason": "x"}, "桁"),
        ({"choice": "x:none", "reason": "x"}, "読み取れませんでした。"),
        ({"choice": f"{AT + 60}:none", "reason": "x"}, ""),
        ({"choice": f"{AT}:none", "reason": "x", "meter": "nobody"}, "まだ計量値がありません。"),
        ({"choice": f"{AT}:none", "reason": "x", "register": "nothing"}, "選んでください。"),
        ({"choice": f"{AT}:none", "reason": "x", "epoch": "77"}, "まだ計量値がありません。"),
    ],
)
def test_what_cannot_be_is_said_at_its_form(place: Place, chosen: dict[str, str], sentence: str) -> None:
    visitor = visiting(place, Role.OPERATOR)
    article = doubtful(visitor)
    answer = visitor.send("/doubts", **(fields(article) | chosen))
    assert answer.status_code == 422
    assert sentence in words(answer.text)
    wrong = next(one for one in articles(answer.text) if "16:00</h2>" in one)
    assert "<details open>" in wrong
    assert f'id="{fields(article)["row"]}-wrong"' in wrong
    assert place[1].corrections("buy") == ()


def test_a_slot_links_to_its_doubts(place: Place) -> None:
    page = visiting(place, Role.OPERATOR).get(f"/day/buy/{DOUBTFUL.day}").text
    panel = re.findall(rf'<section id="slot-{DOUBTFUL.number}".*?</section>', page, re.S)[0]
    assert f'href="/doubts?meter=buy&amp;day={DOUBTFUL.day}"' in panel
    assert f"slot={DOUBTFUL.number}" in panel
    quiet = re.findall(r'<section id="slot-3".*?</section>', page, re.S)[0]
    assert f'href="/doubts?meter=buy&amp;day={DOUBTFUL.day}"' not in quiet
    looked = visiting(place, Role.VIEWER).get(f"/day/buy/{DOUBTFUL.day}").text
    assert "slot=3" not in looked


def test_any_count_can_be_corrected_from_its_slot(place: Place) -> None:
    visitor = visiting(place, Role.OPERATOR)
    address = f"/doubts?meter=buy&day={DOUBTFUL.day}&slot=3"
    page = visitor.get(address).text
    form = page.partition('aria-labelledby="by-hand-title"')[2].partition("</section>")[0]
    assert "01:00–01:30" in words(form)
    at = re.findall(r'value="(\d+):enter"', form)[1]
    sent = fields(form) | {"choice": f"{at}:enter", "count": "5000310", "reason": "読み直し"}
    answer = visitor.send(address, **sent)
    assert answer.headers["location"] == f"/doubts?meter=buy&day={DOUBTFUL.day}&slot=3&done=corrected"
    assert "訂正を残しました。" in visitor.get(answer.headers["location"]).text
    assert place[1].corrections("buy")[0].count == 5_000_310


def test_both_languages_say_it(place: Place) -> None:
    visitor = visiting(place, Role.OPERATOR)
    page = words(visitor.get("/en/doubts").text)
    assert "Two counts arrived for one instant. Both are kept." in page
    assert "3 undecided" in page
    answer = visitor.send("/en/doubts", **(fields(articles(visitor.get("/en/doubts").text)[0])))
    assert "Choose what is right." in words(answer.text)


@pytest.mark.parametrize(
    "query", ["day=x", "until=2026-13-01", "slot=99&day=2026-07-13", "meter=nobody", "site=no"]
)
def test_odd_addresses_are_no_fault_of_the_program(place: Place, query: str) -> None:
    assert visiting(place, Role.VIEWER).get(f"/doubts?{query}").status_code in (200, 404)


def test_nothing_in_doubt_is_said(place: Place) -> None:
    page = visiting(place, Role.VIEWER).get("/doubts?until=2026-07-01").text
    assert "この期間に、合わない値はありません。" in page
    assert "未確認はありません" in page
