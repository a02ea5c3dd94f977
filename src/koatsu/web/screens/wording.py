"""Tallies, events and the course of a recovery, put into words."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from koatsu.clock import JST
from koatsu.ems.channels import Channel, counts_reverse
from koatsu.ems.view_models import DayView, EventView, NowView, RecoveryView, SiteView, SlotState
from koatsu.meter.slots import Slot
from koatsu.web.notation import age, clock_time, day_label, day_title, grouped, moment
from koatsu.web.texts import Texts

__all__ = ["NOT_CLOSED", "event_words", "recovery_words", "sold_words", "tally", "tally_text"]

_ON_FILE = (SlotState.MEASURED, SlotState.RECOVERED, SlotState.CORRECTED)
NOT_CLOSED = (SlotState.OPEN, SlotState.FUTURE)


def tally(view: DayView) -> dict[str, int]:
    """How many slots of the day have closed, and how many of those are on file."""
    closed = sum(1 for slot in view.slots if slot.state not in NOT_CLOSED)
    have = sum(1 for slot in view.slots if slot.state in _ON_FILE)
    recovered = sum(1 for slot in view.slots if slot.state is SlotState.RECOVERED)
    return {"closed": closed, "have": have, "recovered": recovered}


def tally_text(view: DayView, t: Texts) -> str:
    """How many closed slots there are of each state, such as ``計測 36 · 回収 4``."""
    counted = ((state, sum(1 for slot in view.slots if slot.state is state)) for state in SlotState)
    return " · ".join(
        f"{t(f'state.{state}')} {count}" for state, count in counted if count and state not in NOT_CLOSED
    )


def event_words(event: EventView, site: SiteView, at: datetime, t: Texts) -> dict[str, Any]:
    """An event with its time and sentence; the meter is named where the site has several."""
    values = {key: _value(key, value, t) for key, value in event.params.items()}
    values["why"] = values.get(t.lang, "")  # what an error said, in the reader's language
    sentence = t.for_code("event", event.code, **values)
    label = next((meter.label for meter in site.meters if meter.id == event.meter_id), None)
    if label is not None and len({Channel.parse(meter.id).meter_id for meter in site.meters}) > 1:
        sentence = t("events.of", label=label, sentence=sentence)
    today = at.astimezone(JST).date()
    return {"at": event.at, "when": moment(event.at, today, t), "level": event.level, "sentence": sentence}


def recovery_words(view: RecoveryView, site: SiteView, at: datetime, t: Texts) -> dict[str, Any]:
    """The recovery of one meter with its name and a sentence on where it stands."""
    label = next((meter.label for meter in site.meters if meter.id == view.meter_id), view.meter_id)
    if view.state == "running" and view.current_day is not None:
        sentence = t("recovery.running", day=day_title(view.current_day, t))
        if view.eta_s is not None:
            left = timedelta(seconds=int(view.eta_s))
            sentence += " · " + t("recovery.eta", age=age(left, t), time=clock_time(at + left))
    elif view.state == "done":
        known = view.horizon_days is not None
        sentence = t("recovery.done", horizon=view.horizon_days) if known else t("recovery.done_plain")
    else:
        sentence = t("recovery.paused" if view.state == "paused" else "recovery.idle")
    return {"view": view, "label": label, "sentence": sentence}


def sold_words(now: NowView, site: SiteView, t: Texts) -> str:
    """Why the site cannot show sold energy, said at a buying meter; empty where it can.

    A meter whose class counts both directions is first given the time to answer: until a slot of the day is
    on file nothing is said.
    """
    meter = now.meter
    if meter.role != "buy" or any(other.role == "sell" for other in site.meters):
        return ""
    if not counts_reverse(meter.class_code):
        return t("link.sold_uncounted", code=f"0x{meter.class_code:04X}")
    return t("link.sold_unanswered") if tally(now.today)["have"] else ""


def _value(name: str, value: object, t: Texts) -> str:
    """A parameter of an event as it is written in a sentence; instants are stored as ISO 8601 text."""
    if name == "at" and isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, (int, Decimal)):
        return grouped(value)
    if isinstance(value, Slot):
        return f"{day_label(value.day, t)} {value.label}"
    if isinstance(value, datetime):
        return f"{day_label(value.astimezone(JST).date(), t)} {clock_time(value)}"
    if isinstance(value, date):
        return day_label(value, t)
    return str(value)
