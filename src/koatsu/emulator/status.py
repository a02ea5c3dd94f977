"""What an emulated site looks like right now, as plain JSON values for the control page and for programs.

Exact values are strings with a unit beside them; they are computed here from the model's counts and the
spec's scale, not by ``koatsu.meter``.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from koatsu.clock import JST
from koatsu.emulator.faults import FAULTS, FaultDef
from koatsu.emulator.meter_object import MeterObject
from koatsu.emulator.model import Counter
from koatsu.emulator.site import EmulatedSite

__all__ = ["fault_table", "site_status"]

_MILLI = 1_000_000


def site_status(site: EmulatedSite, lang: str = "ja") -> dict[str, Any]:
    """The site as JSON values; names of things in ``lang``."""
    now = site.now()
    for model in site.models:
        model.advance_to(now)
    profile = site.profile
    return {
        "now": now.astimezone(JST).isoformat(timespec="seconds"),
        "site": {
            "kind": site.plan.kind,
            "name": profile.name_ja if lang == "ja" else profile.name_en,
            "contract_kw": profile.contract_kw * site.plan.scale,
            "solar_kw": site.plan.solar_kw,
        },
        "load_kw": site.load.override_kw,
        "terminals": [
            {
                "address": str(terminal.address),
                "cable_out": terminal.wire.cable_out,
                "booting": terminal.wire.booting,
            }
            for terminal in site.terminals
        ],
        "meters": [_meter(number, one) for number, one in enumerate(site.objects, start=1)],
        "faults": {
            name: {"value": value, "meter": meter} for name, (value, meter) in site.switches.on.items()
        },
    }


def fault_table(lang: str = "ja") -> list[dict[str, Any]]:
    """The faults that can be ordered, with their text in ``lang``."""
    return [_fault(row, lang) for row in FAULTS]


def _fault(row: FaultDef, lang: str) -> dict[str, Any]:
    return {
        "name": row.name,
        "layer": row.layer.value,
        "text": row.label(lang),
        "lasting": row.lasting,
        "unit": row.unit,
        "default": row.default,
        "low": row.low,
        "high": row.high,
    }


def _meter(number: int, one: MeterObject) -> dict[str, Any]:
    model, spec = one.model, one.model.spec
    count = model.count(Counter.ENERGY, model.totals()[Counter.ENERGY])
    last = model.last_half_hour()
    active_mw, _ = model.power_mw()
    if not spec.bidirectional:
        active_mw = max(0, active_mw)  # what flows the other way is not this meter's to count
    return {
        "number": number,
        "serial": spec.serial,
        "eoj": str(one.eoj),
        "role": spec.role.value,
        "epoch": model.epoch,
        "coefficient": spec.coefficient,
        "clock": model.shown_now.isoformat(timespec="seconds"),
        "clock_ahead_s": round((model.shown_now - model.true_now).total_seconds(), 1),
        "count": count,
        "energy": {"value": _exact(count * spec.energy_scale / _MILLI), "unit": "kWh"},
        "power": {"value": f"{active_mw / _MILLI:.1f}", "unit": "kW"},
        "slot_end": None if last is None else last.at.isoformat(timespec="seconds"),
        "demand": {"value": _demand(one, last.demand if last else None), "unit": "kW"},
        "month_max": {"value": _exact(model.month_max_count() * spec.demand_scale / _MILLI), "unit": "kW"},
        "history_day": one.meter.history_day,
        "today": {"value": [_slot(one, slot) for slot in _today(one)], "unit": "kW"},
    }


def _today(one: MeterObject) -> list[int | None]:
    """Demand counts of slots 1 to 48 of the meter's today, whatever its history's alignment is."""
    counts = one.model.day_demands(0)
    if one.model.spec.demand_history_stamp == "end":
        return [*counts[1:], None]
    return counts


def _slot(one: MeterObject, count: int | None) -> str | None:
    return None if count is None else _exact(count * one.model.spec.demand_scale / _MILLI)


def _demand(one: MeterObject, demand: tuple[int, int] | None) -> str | None:
    return None if demand is None else _slot(one, one.model.demand_count(demand[0]))


def _exact(value: Fraction) -> str:
    """A fraction whose denominator is a power of ten (all scales are), as a decimal text."""
    return f"{Decimal(value.numerator) / Decimal(value.denominator):f}"
