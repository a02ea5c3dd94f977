"""Scenarios: named, reproducible days of an emulated site, read from ``scenarios/<name>.toml``.

A scenario says what the site is, when it begins, which faults it has from the start and what happens later.
Times of events are hours and minutes after the beginning, so a scenario can be moved to another day.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from koatsu.clock import require_aware
from koatsu.emulator.faults import FaultOrder, parse_fault
from koatsu.emulator.packaged import packaged_names, packaged_text
from koatsu.emulator.plan import MeterPlan, PlannedEvent, SitePlan
from koatsu.emulator.spec import MeterSpec, Role, class_code
from koatsu.errors import ConfigError, KoatsuError, UsageError

__all__ = ["Scenario", "load_scenario", "parse_scenario", "scenario_names"]

_FOLDER = "scenarios"
_TOP = {"title_ja", "title_en", "text_ja", "text_en", "start", "faults", "site", "meters", "events"}
_SITE = {"kind", "seed", "scale", "solar_kw"}
_EVENT = {"after", "fault", "on", "meter", "load_kw"}
_METER = {one.name for one in fields(MeterSpec)} - {"class_code"} | {"class", "terminal", "share"}
_DECIMALS = ("multiplier", "energy_unit", "demand_unit", "reactive_unit", "initial_kwh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A named day; ``faults`` are there from the start."""

    name: str
    title_ja: str
    title_en: str
    text_ja: str
    text_en: str
    start: datetime
    plan: SitePlan
    faults: tuple[FaultOrder, ...] = ()

    def title(self, lang: str = "en") -> str:
        """The title in ``lang`` ("ja" or "en")."""
        return self.title_ja if lang == "ja" else self.title_en

    def text(self, lang: str = "en") -> str:
        """What happens, one sentence in ``lang``."""
        return self.text_ja if lang == "ja" else self.text_en


def scenario_names() -> tuple[str, ...]:
    """The scenarios that come with the program."""
    return packaged_names(_FOLDER)


def load_scenario(name: str) -> Scenario:
    """The scenario called ``name``.

    Raises:
        UsageError: no such scenario.
        ConfigError: its file is wrong.
    """
    return parse_scenario(name, packaged_text(_FOLDER, name, what="scenario", what_ja="シナリオ"))


def parse_scenario(name: str, text: str) -> Scenario:
    """The scenario that ``text`` (TOML) describes.

    Raises:
        ConfigError: it is not valid; the message names the scenario and the key.
    """
    try:
        raw = tomllib.loads(text)
        _known("", raw, _TOP)
        _known("site.", raw["site"], _SITE)
        plan = SitePlan(
            meters=tuple(_meter(number, meter) for number, meter in enumerate(raw["meters"], start=1)),
            events=tuple(
                _event(number, event) for number, event in enumerate(raw.get("events", ()), start=1)
            ),
            **raw["site"],
        )
        return Scenario(
            name=name,
            plan=plan,
            start=require_aware(raw["start"]),
            faults=tuple(parse_fault(fault) for fault in raw.get("faults", ())),
            **{key: raw[key] for key in ("title_ja", "title_en", "text_ja", "text_en")},
        )
    except KeyError as error:
        raise ConfigError(f"Scenario {name}: the key {error} is missing.") from error
    except KoatsuError as error:
        raise ConfigError(f"Scenario {name}: {error.message}", hint=error.hint) from error
    except (TypeError, ValueError, AttributeError, InvalidOperation) as error:
        raise ConfigError(f"Scenario {name}: {error}.") from error


def _known(where: str, table: Mapping[str, Any], allowed: set[str]) -> None:
    for key in table:
        if key not in allowed:
            raise UsageError(f"unknown key {where}{key}.", hint=f"Allowed: {', '.join(sorted(allowed))}.")


def _meter(number: int, raw: dict[str, Any]) -> MeterPlan:
    _known(f"meters[{number}].", raw, _METER)
    values = {key: value for key, value in raw.items() if key not in {"class", "terminal", "share"}}
    for key in _DECIMALS:
        if key in values:
            values[key] = Decimal(str(values[key]))
    if "omit" in values:
        values["omit"] = frozenset(values["omit"])
    spec = MeterSpec(
        class_code=class_code(raw.get("class", "028A")), **{**values, "role": Role(raw.get("role", "buy"))}
    )
    return MeterPlan(spec=spec, terminal=raw.get("terminal", 1), share=float(raw.get("share", 1)))


def _event(number: int, raw: dict[str, Any]) -> PlannedEvent:
    _known(f"events[{number}].", raw, _EVENT)
    hours, minutes = raw["after"].split(":")
    after = timedelta(hours=int(hours), minutes=int(minutes))
    load = raw.get("load_kw")
    if "fault" not in raw and "load_kw" not in raw:
        raise UsageError(f"events[{number}] neither has a fault nor sets the load.")
    return PlannedEvent(
        after=after,
        fault=parse_fault(raw["fault"]) if "fault" in raw else None,
        on=raw.get("on", True),
        meter=raw.get("meter"),
        load_kw=None if load in {None, "profile"} else float(load),
    )
