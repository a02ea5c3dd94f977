"""The faults that an emulated meter can have, by name: the table, how one is written, and their switches.

A *state* lasts until it is switched off, an *event* happens once. Wire faults touch outgoing datagrams,
meter faults what the object answers, clock faults the meter's clock, terminal faults the box and its cable,
pulse faults the pulse output beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum

from koatsu.errors import UsageError

__all__ = [
    "FAULTS",
    "FaultDef",
    "FaultOrder",
    "Layer",
    "MeterFaults",
    "WireFaults",
    "fault_def",
    "parse_fault",
]


class Layer(StrEnum):
    """What a fault touches."""

    WIRE = "wire"
    METER = "meter"
    CLOCK = "clock"
    TERMINAL = "terminal"
    PULSE = "pulse"


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultDef:
    """One row of the table; ``unit`` is empty when the fault takes no value."""

    name: str
    layer: Layer
    ja: str
    en: str
    lasting: bool = True
    unit: str = ""
    default: float = 0.0
    low: float = 0.0
    high: float = 0.0

    def label(self, lang: str = "en") -> str:
        """The description in ``lang`` ("ja" or "en")."""
        return self.ja if lang == "ja" else self.en


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultOrder:
    """A fault with its value, checked against the table."""

    definition: FaultDef
    value: float

    @property
    def name(self) -> str:
        """The fault's name."""
        return self.definition.name


def _percent(name: str, layer: Layer, ja: str, en: str, default: float) -> FaultDef:
    return FaultDef(name=name, layer=layer, ja=ja, en=en, unit="%", default=default, low=0, high=100)


_WIRE, _METER, _CLOCK, _BOX, _PULSE = tuple(Layer)
_DAY_S = 86_400.0

FAULTS: tuple[FaultDef, ...] = (
    FaultDef(name="silent", layer=_WIRE, ja="応答しない", en="hears everything and sends nothing"),
    FaultDef(
        name="slow", layer=_WIRE, ja="応答が遅い", en="sends late", unit="s", default=5, low=0, high=120
    ),
    _percent("drop", _WIRE, "送信データが失われる", "loses datagrams that it sends", 30),
    _percent("duplicates", _WIRE, "同じデータを2回送る", "sends datagrams twice", 100),
    _percent("wrong-tid", _WIRE, "TIDが違う応答", "answers with another transaction number", 100),
    _percent("truncated", _WIRE, "途中で切れた電文", "sends datagrams cut short", 100),
    _percent("extra-bytes", _WIRE, "余分なバイトが付いた電文", "sends bytes after the end of the frame", 100),
    FaultDef(
        name="refuses", layer=_METER, ja="計量値の要求をすべて断る", en="refuses every metering property"
    ),
    FaultDef(
        name="wrong-history-day",
        layer=_METER,
        ja="指定と違う日の履歴を返す",
        en="answers with the history of another day than the one set",
    ),
    _percent("no-data-holes", _METER, "履歴に欠測がある", "has no data for some history values", 10),
    FaultDef(name="impossible-date", layer=_METER, ja="ありえない日付", en="stamps values with 30 February"),
    FaultDef(name="coefficient-zero", layer=_METER, ja="係数が0", en="shows a coefficient of 0"),
    FaultDef(
        name="counter-wrap",
        layer=_METER,
        ja="計量値を桁あふれ直前にする",
        en="sets its counters just below their overflow",
        lasting=False,
        unit="counts",
        default=50,
        low=1,
        high=99_999_999,
    ),
    FaultDef(
        name="replaced-meter",
        layer=_METER,
        ja="計器取替 (値は新しい係数、0は同じ)",
        en="is replaced by a new meter (value: its coefficient, 0 for the same)",
        lasting=False,
        unit="×",
        default=0,
        low=0,
        high=999_999,
    ),
    FaultDef(
        name="clock-drift",
        layer=_CLOCK,
        ja="計器の時計が進む・遅れる",
        en="its clock gains (or, below 0, loses) time",
        unit="s/day",
        default=60,
        low=-_DAY_S / 2,
        high=_DAY_S,
    ),
    FaultDef(
        name="clock-jump",
        layer=_CLOCK,
        ja="計器の時計がとぶ",
        en="its clock jumps",
        lasting=False,
        unit="s",
        default=600,
        low=-100 * _DAY_S,
        high=100 * _DAY_S,
    ),
    FaultDef(
        name="reboot",
        layer=_BOX,
        ja="伝送端末の再起動",
        en="restarts: silent for a while, then a start-up announcement",
        lasting=False,
        unit="s",
        default=20,
        low=0,
        high=_DAY_S,
    ),
    FaultDef(
        name="cable-out",
        layer=_BOX,
        ja="LANケーブルが抜けている (0は戻すまで)",
        en="has its cable out (0: until it is put back)",
        unit="s",
        default=0,
        low=0,
        high=30 * _DAY_S,
    ),
    _percent("lost-pulse", _PULSE, "パルスの欠け", "loses energy pulses", 1),
    _percent("double-pulse", _PULSE, "パルスの二重検出", "doubles energy pulses", 1),
    _percent("slot-lost", _PULSE, "時限パルスの欠け", "loses time-slot pulses", 100),
)


def fault_def(name: str) -> FaultDef:
    """The row of the table called ``name``.

    Raises:
        UsageError: there is none; the message names near ones.
    """
    for row in FAULTS:
        if row.name == name:
            return row
    names = [row.name for row in FAULTS]
    near = ", ".join(get_close_matches(name, names, n=3, cutoff=0.4) or names)
    raise UsageError(
        f"There is no fault {name!r}.",
        ja=f"故障 {name!r} はありません。",
        hint=f"Did you mean: {near}?",
        hint_ja=f"候補: {near}",
    )


def parse_fault(text: str, value: float | None = None) -> FaultOrder:
    """``NAME`` or ``NAME=VALUE`` (a unit after the number is allowed), or a name and its value apart.

    Raises:
        UsageError: unknown name, a value that is no number or out of its range, a value where none is taken.
    """
    name, has_value, written = text.partition("=")
    row = fault_def(name.strip())
    if has_value and value is None:
        number = written.strip().removesuffix(row.unit).removesuffix("s").removesuffix("%").strip()
        try:
            value = float(number)
        except ValueError:
            raise UsageError(
                f"{written!r} is not a value for the fault {row.name}.",
                ja=f"{written!r} は故障 {row.name} の値になりません。",
                hint=f"Write a number of {row.unit}." if row.unit else "It takes no value.",
                hint_ja=f"{row.unit} の数を書いてください。" if row.unit else "値は付けません。",
            ) from None
    if value is None:
        return FaultOrder(definition=row, value=row.default)
    if not row.unit:
        raise UsageError(f"The fault {row.name} takes no value.", ja=f"故障 {row.name} に値は付けません。")
    if not row.low <= value <= row.high:
        raise UsageError(
            f"The value of {row.name} lies between {row.low:g} and {row.high:g} {row.unit}, not {value:g}.",
            ja=f"{row.name} の値は {row.low:g} から {row.high:g} {row.unit} までです。",
        )
    return FaultOrder(definition=row, value=value)


@dataclass(slots=True, kw_only=True)
class WireFaults:
    """Switches that a terminal's link looks at; shares are 0..1."""

    silent: bool = False
    slow_s: float = 0.0
    drop: float = 0.0
    duplicates: float = 0.0
    wrong_tid: float = 0.0
    truncated: float = 0.0
    extra_bytes: float = 0.0
    cable_out: bool = False
    booting: bool = False

    def switch(self, order: FaultOrder, *, on: bool) -> None:
        """Switch one wire fault."""
        match order.name:
            case "silent":
                self.silent = on
            case "slow":
                self.slow_s = order.value if on else 0.0
            case name:
                setattr(self, name.replace("-", "_"), order.value / 100 if on else 0.0)


@dataclass(slots=True, kw_only=True)
class MeterFaults:
    """Switches that a meter object looks at."""

    refuses: bool = False
    wrong_history_day: bool = False
    no_data_holes: float = 0.0
    impossible_date: bool = False
    coefficient_zero: bool = False

    def switch(self, order: FaultOrder, *, on: bool) -> None:
        """Switch one lasting meter fault."""
        if order.name == "no-data-holes":
            self.no_data_holes = order.value / 100 if on else 0.0
        else:
            setattr(self, order.name.replace("-", "_"), on)
