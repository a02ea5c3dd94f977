"""What the one figure claims: never more than the meter said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from web_site import BUY, NOW, SELL, now_view, scenario

from koatsu.ems.live import LinkState
from koatsu.ems.view_models import NowView
from koatsu.web import Limits
from koatsu.web.hero import Hero, hero, kw_text
from koatsu.web.outlook import outlook
from koatsu.web.texts import texts

NB = "\N{NO-BREAK SPACE}"


def said(view: NowView, limits: Limits | None = None) -> Hero:
    return hero(view, texts("ja"), at=NOW, limits=limits or Limits())


def limit(target: int | None, contract: int | None) -> Limits:
    return Limits(
        target_kw=None if target is None else Decimal(target),
        contract_kw=None if contract is None else Decimal(contract),
    )


@pytest.mark.parametrize(
    ("target", "contract", "tone", "sentence"),
    [
        (None, None, "plain", f"今月の最大 398.4{NB}kW より 15.3{NB}kW 低い勢いです"),
        (365, 418, "caution", f"目標 365{NB}kW を 18.1{NB}kW 上回る勢いです"),
        (390, 418, "ok", f"目標 390{NB}kW まで 6.9{NB}kW の余裕があります"),
        (None, 400, "plain", f"契約電力 400{NB}kW まで 16.9{NB}kW の余裕があります"),
        (330, 345, "alarm", f"契約電力 345{NB}kW を 38.1{NB}kW 上回る勢いです"),
    ],
)
def test_the_sentence_answers(target: int | None, contract: int | None, tone: str, sentence: str) -> None:
    word = said(now_view(BUY), limit(target, contract))
    assert (word.figure, word.unit) == ("383", "kW")
    assert (word.tone, word.sentence) == (tone, sentence)
    assert word.fine == f"1 カウント 1.2{NB}kWh の刻みで ±4.1{NB}kW。予測ではありません。"


def test_a_new_maximum_is_said_in_words_and_is_no_alarm() -> None:
    word = said(replace(now_view(BUY), month_max_kw=Decimal(300)))
    assert word.tone == "info"
    assert word.badge == "今月の最大を更新する勢い"


def test_red_needs_a_contract() -> None:
    for view in (now_view(BUY), now_view(SELL), scenario("silent")[0].views["buy"]):
        assert said(view, limit(1, None)).tone != "alarm"


def test_sold_energy_is_not_judged() -> None:
    assert said(now_view(SELL), limit(1, 1)).tone == "plain"


@pytest.mark.parametrize("state", [LinkState.STALE, LinkState.SILENT])
def test_a_silent_meter_has_no_outlook(state: LinkState) -> None:
    view = replace(now_view(replace(BUY, link=state)), last_received=NOW - timedelta(minutes=15, seconds=30))
    word = said(view, limit(1, 2))
    assert word.stale
    assert word.tone == "caution"
    assert word.figure == kw_text(view.demand_kw or Decimal(0))
    assert outlook(view) is None


def test_before_the_first_value_there_is_no_figure() -> None:
    never = replace(now_view(replace(BUY, link=LinkState.WAITING)), last_received=None)
    assert said(never).figure == ""
    unheard = replace(now_view(replace(BUY, link=LinkState.SILENT)), last_received=None)
    assert (said(unheard).figure, said(unheard).tone) == ("", "caution")
    gate = replace(now_view(BUY), demand_kw=None, energy_kwh=None, growth=(), straight_line_kw=None)
    assert said(gate).figure == ""


def test_unscaled_counts_have_their_unit() -> None:
    word = said(scenario("unscaled")[0].views["buy"])
    assert word.unit == "カウント"
    assert "kW" not in word.figure


@pytest.mark.parametrize(("minute", "second", "shown"), [(1, 50, False), (2, 30, True), (17, 40, True)])
def test_the_first_moments_promise_nothing(minute: int, second: int, shown: bool) -> None:
    view = now_view(BUY, NOW.replace(minute=minute, second=second))
    assert (outlook(view) is not None) == shown
    assert said(view).figure


def test_a_coarse_counter_waits_longer() -> None:
    coarse = replace(now_view(BUY, NOW.replace(minute=4)), resolution_kwh=Decimal(12))
    assert outlook(coarse) is None
    settled = replace(now_view(BUY, NOW.replace(minute=11)), resolution_kwh=Decimal(12))
    found = outlook(settled)
    assert found is not None
    assert found.error_kw == Decimal(12) * 2 * 1800 / 700


@pytest.mark.parametrize(
    ("value", "text"), [("398.4", "398"), ("99.96", "100.0"), ("0", "0.0"), ("-4.25", "−4.3")]
)
def test_large_figures_are_short(value: str, text: str) -> None:
    assert kw_text(Decimal(value)) == text


def test_limits_are_above_zero() -> None:
    with pytest.raises(ValueError, match="target_kw"):
        Limits(target_kw=Decimal(0))
