"""The one figure of the page and the sentence under it: will this half hour stay low enough?

Where a value would claim more than the meter said, the figure steps down: no straight line in the first
moments, the last value in grey when nothing arrives, counts where the meter gives no scale, and nothing
before the first reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from koatsu.ems.live import LinkState
from koatsu.ems.view_models import NowView, SlotState
from koatsu.web.limits import NO_LIMITS, Limits
from koatsu.web.notation import age, clock_time, grouped, rounded, slot_end
from koatsu.web.outlook import Outlook, outlook
from koatsu.web.texts import Texts

__all__ = ["Hero", "Tone", "hero", "kw_text"]

Tone = Literal["plain", "ok", "info", "caution", "alarm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hero:
    """The figure with its unit, the caption above it, the sentence and the small print below it."""

    caption: str = ""
    figure: str = ""  #: empty where there is nothing to show
    unit: str = "kW"
    sentence: str
    fine: str = ""
    badge: str = ""
    tone: Tone = "plain"
    stale: bool = False  #: the figure is the last one received, not a present one


def hero(view: NowView, t: Texts, *, at: datetime, limits: Limits = NO_LIMITS) -> Hero:
    """What to say about the open half hour of ``view`` at the instant ``at``."""
    if view.last_received is None:
        if view.link is LinkState.SILENT:
            badge = t("link.silent")
            return Hero(sentence=t("hero.unheard"), fine=t("hero.unheard_why"), badge=badge, tone="caution")
        return Hero(sentence=t("hero.empty"), fine=t("hero.empty_why"))
    if view.link in (LinkState.STALE, LinkState.SILENT):
        return _stale(view, view.last_received, t, at)
    if view.unscaled:
        return _unscaled(view, t)
    if view.demand_kw is None:
        return Hero(sentence=t("hero.gate"), fine=t("hero.gate_why"))
    ahead = outlook(view)
    if ahead is None:
        caption = t("hero.so_far_sold" if _sold(view) else "hero.so_far")
        early = t("hero.too_early", end=slot_end(view.slot))
        return Hero(caption=caption, figure=kw_text(view.demand_kw), sentence=early)
    return _straight(view, ahead, t, limits)


def kw_text(value: Decimal) -> str:
    """A demand as a large figure: whole kW from 100, one decimal below; more would not be knowledge."""
    return grouped(value, 0 if abs(value) >= 100 else 1)


def _sold(view: NowView) -> bool:
    return view.meter.role == "sell"


def _stale(view: NowView, last: datetime, t: Texts, at: datetime) -> Hero:
    value = "" if view.demand_kw is None else kw_text(view.demand_kw)
    return Hero(
        caption=t("hero.last_value") if value else "",
        figure=value,
        sentence=t("hero.stopped", time=clock_time(last, seconds=True), age=age(at - last, t)),
        fine=t("hero.stopped_why"),
        badge=t(f"link.{view.link}"),
        tone="caution",
        stale=True,
    )


def _unscaled(view: NowView, t: Texts) -> Hero:
    # The newest slot with counts: the open one where it has some, otherwise the last that closed.
    newest = next((slot for slot in reversed(view.today.slots) if slot.counts is not None), None)
    caption = ""
    if newest is not None:
        begun = newest.state is SlotState.OPEN
        caption = t("hero.counts_so_far") if begun else t("hero.counts_of", slot=newest.slot.label)
    return Hero(
        caption=caption,
        figure="" if newest is None or newest.counts is None else grouped(newest.counts),
        unit=t("unit.counts"),
        sentence=t("hero.unscaled"),
        fine=t("hero.unscaled_why"),
        badge=t("badge.unscaled"),
        tone="caution",
    )


def _straight(view: NowView, ahead: Outlook, t: Texts, limits: Limits) -> Hero:
    sentence, badge, tone = _judgement(view, ahead.kw, t, limits)
    error = ahead.error_kw
    fine = t("hero.no_forecast")
    if error is not None and view.resolution_kwh is not None:
        fine = t("hero.grain", step=grouped(view.resolution_kwh), error=grouped(_grain(error)))
    return Hero(
        caption=t("hero.at_end", end=slot_end(view.slot)),
        figure=kw_text(ahead.kw),
        sentence=sentence,
        fine=fine,
        badge=badge,
        tone=tone,
    )


def _grain(error: Decimal) -> Decimal:
    """An error is written with one digit that counts below 10 kW, and whole above."""
    return rounded(error, 0 if error >= 10 else 1)


def _judgement(view: NowView, line: Decimal, t: Texts, limits: Limits) -> tuple[str, str, Tone]:
    """The sentence, badge and tone: against contract power, the target, or the month's maximum."""
    if _sold(view):
        return t("hero.going_on", end=slot_end(view.slot)), "", "plain"

    def say(key: str, limit: Decimal) -> str:
        return t(f"hero.{key}", limit=grouped(limit), by=kw_text(abs(line - limit)))

    contract, target = limits.contract_kw, limits.target_kw
    if contract is not None and line > contract:
        return say("above_contract", contract), t("badge.above_contract"), "alarm"
    if target is not None and line > target:
        return say("above_target", target), t("badge.above_target"), "caution"
    if target is not None:
        return say("below_target", target), t("badge.within"), "ok"
    if contract is not None:
        return say("below_contract", contract), "", "plain"
    if view.month_max_kw is not None and line > view.month_max_kw:
        return say("above_month", view.month_max_kw), t("badge.month"), "info"
    if view.month_max_kw is not None:
        return say("below_month", view.month_max_kw), "", "plain"
    return t("hero.going_on", end=slot_end(view.slot)), "", "plain"
