"""How a site stands among many: what is said of it in a list, and how soon somebody should look.

First comes what will cost money in this half hour, then what is not known at all; sites that are well follow
by how near they are to their limit. The order moves by steps of a tenth, so that a list does not dance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Final

from koatsu.ems.live import LinkState
from koatsu.ems.site_models import MeterBrief, SiteBrief
from koatsu.web.hero import Tone, kw_text
from koatsu.web.limits import NO_LIMITS, Limits
from koatsu.web.notation import clock_time, grouped, slot_end
from koatsu.web.outlook import Outlook, straight
from koatsu.web.texts import Texts

__all__ = ["Gauge", "Standing", "standing"]

_OVER_CONTRACT, _SILENT, _OVER_TARGET, _STALE, _WAITING, _WELL = range(6)
_ROOM: Final = Decimal("1.15")  # of the gauge, above the greatest thing it shows
_BY_LINK: Final = {LinkState.SILENT: _SILENT, LinkState.STALE: _STALE, LinkState.WAITING: _WAITING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauge:
    """Demand against the limits, as per cent of the width; ``None`` where there is nothing to draw."""

    so_far: float
    ahead: float | None = None
    target: float | None = None
    contract: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A site in a list: its figure with what it means, its badge, and its place (the least comes first)."""

    brief: SiteBrief
    lead: MeterBrief
    limits: Limits
    figure: str = ""
    caption: str = ""
    sentence: str = ""
    badge: str
    tone: Tone
    gauge: Gauge | None
    place: tuple[int, int]


def standing(brief: SiteBrief, limits: Mapping[str, Limits], t: Texts) -> Standing:
    """How ``brief`` stands; ``limits`` are those of the meters, by id."""
    shown = [(_near(meter, limits.get(meter.id, NO_LIMITS)), meter) for meter in brief.meters]
    bought = [pair for pair in shown if pair[1].role == "buy"] or shown
    near, lead = max(bought, key=lambda pair: -1 if pair[0] is None else pair[0])
    bounds = limits.get(lead.id, NO_LIMITS)
    ahead = _ahead(lead)
    rank, badge, tone = _judged(brief.link, ahead, bounds, t)
    caption, figure, sentence = _figure(lead, ahead, bounds, t)
    return Standing(
        brief=brief,
        lead=lead,
        limits=bounds,
        figure=figure,
        caption=caption,
        sentence=sentence,
        badge=badge,
        tone=tone,
        gauge=_gauge(lead, ahead, bounds),
        place=(rank, -int(near * 10) if near is not None else 1),
    )


def _ahead(meter: MeterBrief) -> Outlook | None:
    gone = meter.until - meter.slot.start if meter.until else timedelta(0)
    return straight(meter.straight_line_kw, gone, meter.resolution_kwh, meter.link)


def _near(meter: MeterBrief, limits: Limits) -> Decimal | None:
    """How much of its limit a meter is on course to take; ``None`` where either is not known."""
    limit, ahead = limits.target_kw or limits.contract_kw, _ahead(meter)
    kw = ahead.kw if ahead else meter.demand_kw
    return None if limit is None or kw is None else kw / limit


def _judged(link: LinkState, ahead: Outlook | None, limits: Limits, t: Texts) -> tuple[int, str, Tone]:
    line = ahead.kw if ahead else None
    if line is not None and limits.contract_kw is not None and line > limits.contract_kw:
        return _OVER_CONTRACT, t("badge.above_contract"), "alarm"
    over = line is not None and limits.target_kw is not None and line > limits.target_kw
    if link is LinkState.SILENT or not over:
        tone: Tone = "ok" if link is LinkState.LIVE else "plain" if link is LinkState.WAITING else "caution"
        return _BY_LINK.get(link, _WELL), t(f"link.{link}"), tone
    return _OVER_TARGET, t("badge.above_target"), "caution"


def _figure(meter: MeterBrief, ahead: Outlook | None, limits: Limits, t: Texts) -> tuple[str, str, str]:
    """Caption, figure and sentence of the open slot."""
    if ahead is not None:
        caption = t("hero.at_end_short", end=slot_end(meter.slot))
        return caption, kw_text(ahead.kw), _against(ahead.kw, limits, t)
    if meter.link in (LinkState.STALE, LinkState.SILENT):
        heard = meter.last_received
        return "", "", t("sites.last_heard", time=clock_time(heard)) if heard else t("hero.unheard")
    if meter.demand_kw is not None:
        return t("hero.so_far"), kw_text(meter.demand_kw), ""
    return "", "", t("hero.empty" if meter.last_received is None else "hero.gate")


def _against(line: Decimal, limits: Limits, t: Texts) -> str:
    contract, target = limits.contract_kw, limits.target_kw
    if contract is not None and line > contract:
        return t("hero.above_contract", limit=grouped(contract), by=kw_text(line - contract))
    limit, name = (target, "target") if target is not None else (contract, "contract")
    if limit is None:
        return t("sites.no_limits")
    above = "above" if line > limit else "below"
    return t(f"hero.{above}_{name}", limit=grouped(limit), by=kw_text(abs(line - limit)))


def _gauge(meter: MeterBrief, ahead: Outlook | None, limits: Limits) -> Gauge | None:
    if meter.demand_kw is None or not limits.values() or meter.link in (LinkState.STALE, LinkState.SILENT):
        return None
    marks = (meter.demand_kw, ahead.kw if ahead else None, limits.target_kw, limits.contract_kw)
    top = max(mark for mark in marks if mark is not None) * _ROOM
    if top <= 0:
        return None
    so_far, line, target, contract = (
        None if mark is None else round(float(100 * mark / top), 1) for mark in marks
    )
    return Gauge(so_far=so_far or 0.0, ahead=line, target=target, contract=contract)
