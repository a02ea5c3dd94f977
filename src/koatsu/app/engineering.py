"""Property values in engineering units: rows for a terminal or JSON, scaled exactly as the class table says.

The scale of a value is the product of the properties that its row names. Where one of them is missing or the
coefficient is 0 the count is shown as a count and said to be unscaled, never as a number of kWh.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Context, Decimal

from koatsu.devices import Access, DeviceClass, PropertyDef, Record, Special, Value

__all__ = ["Shown", "factor_of", "shown"]

_EXACT = Context(prec=60)  # 8 digits × 6 digits × factors: far below, so nothing is ever rounded


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One value as a person or a program reads it.

    ``value`` is exact text; ``unit`` is empty for what has none; ``count`` is the raw integer behind it.
    """

    name: str
    part: str  #: which part of a composite value ("normal", "at"), empty for a plain one
    label_ja: str
    label_en: str
    value: str | list[str | None] | None  #: ``None`` when the meter has no data
    unit: str
    count: int | list[int | None] | None = None
    note: str = ""  #: "no_data", "overflow", "underflow", "unset", "unscaled" or empty

    def __str__(self) -> str:
        name = f"{self.name}.{self.part}" if self.part else self.name
        value = self.note if self.value is None else self.value
        return f"{name} = {value} {self.unit}".rstrip()


def factor_of(definition: PropertyDef, device: DeviceClass, statics: Mapping[str, Value]) -> Decimal | None:
    """The product of what the row names as its scale; ``None`` when it is 0 or not to be had.

    An optional property that the meter does not have counts as 1: a low-voltage meter without coefficient.
    """
    product = Decimal(1)
    for name in definition.scale:
        value = statics.get(name)
        if value is None and device.property(name).get is Access.OPTIONAL:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            return None
        product = _EXACT.multiply(product, Decimal(value))
    return product or None


def shown(
    definition: PropertyDef, device: DeviceClass, value: Value, statics: Mapping[str, Value]
) -> list[Shown]:
    """The rows of one property."""
    factor = factor_of(definition, device, statics) if definition.scale else None
    return [_row(definition, part, one, factor) for part, one in _parts(value)]


def _parts(value: Value) -> Iterator[tuple[str, Value]]:
    if isinstance(value, Record):
        yield from value.items()
    else:
        yield "", value


def _row(definition: PropertyDef, part: str, value: Value, factor: Decimal | None) -> Shown:
    counts = definition.scale and part not in ("at", "day", "segments")
    text: str | list[str | None] | None
    count: int | list[int | None] | None = None
    note = ""
    if isinstance(value, Special):
        text, note = None, value.value
    elif counts:
        text, count = _scaled(value, factor)
        note = "" if factor else "unscaled"
    elif isinstance(value, tuple):
        text = [_text(one) for one in value]
    else:
        text = _text(value)
    known = text is not None and (factor is not None if counts else not definition.scale)
    unit = definition.unit if known else ""
    return Shown(
        name=definition.name, part=part, label_ja=definition.ja, label_en=definition.en,
        value=text, unit=unit, count=count, note=note,
    )  # fmt: skip


def _scaled(
    value: Value, factor: Decimal | None
) -> tuple[str | list[str | None] | None, int | list[int | None] | None]:
    if isinstance(value, tuple):
        pairs = [_scaled(one, factor) for one in value]
        return [None if text is None else str(text) for text, _ in pairs], [
            count if isinstance(count, int) else None for _, count in pairs
        ]
    if isinstance(value, Record):  # a row of two directions
        inner = {name: _scaled(one, factor)[0] for name, one in value.items()}
        return " ".join(f"{name}={text}" for name, text in inner.items()), None
    if isinstance(value, int):
        return (plain(_EXACT.multiply(Decimal(value), factor)) if factor else str(value)), value
    return None, None


def plain(number: Decimal) -> str:
    """A decimal number without exponent and with no digit lost."""
    return format(number, "f")


def _text(value: Value) -> str | None:
    if value is None or isinstance(value, Special):
        return None
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, bytes):
        trimmed = value.rstrip(b"\x00 ")
        printable = len(trimmed) > 4 and trimmed.isascii() and trimmed.decode("ascii").isprintable()
        return trimmed.decode("ascii") if printable else value.hex().upper()
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, frozenset):
        return " ".join(f"0x{epc:02X}" for epc in sorted(value))
    if isinstance(value, (tuple, Record)):
        return str(value)
    return str(value)
