"""A class table as rows for people: what ``koatsu spec 028A`` shows. Printing is the caller's job."""

from __future__ import annotations

from dataclasses import dataclass, fields

from koatsu.devices.schema import Access, DeviceClass, PropertyDef

__all__ = ["SPEC_COLUMNS", "SpecRow", "spec_headings", "spec_rows"]

_HEADINGS = {
    "epc": ("EPC", "EPC"),
    "name": ("name", "名前"),
    "title": ("property", "プロパティ"),
    "layout": ("layout", "形式"),
    "size": ("bytes", "バイト数"),
    "values": ("values", "値"),
    "unit": ("unit", "単位"),
    "scale": ("multiplied by", "乗じる値"),
    "get": ("Get", "Get"),
    "set": ("Set", "Set"),
    "inf": ("announce", "状変通知"),
    "selector": ("set first", "先に設定"),
    "since": ("since", "規格リリース"),
    "note": ("note", "備考"),
}
_ACCESS = {
    Access.REQUIRED: ("required", "必須"),
    Access.CONDITIONAL: ("conditional", "条件付き必須"),
    Access.OPTIONAL: ("optional", "任意"),
    Access.NO: ("–", "–"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpecRow:
    """One property in words, every column a text; the columns are those of ``spec_headings``."""

    epc: str
    name: str
    title: str
    layout: str
    size: str
    values: str
    unit: str
    scale: str
    get: str
    set: str
    inf: str
    selector: str
    since: str
    note: str

    def cells(self) -> tuple[str, ...]:
        """The columns in order."""
        return tuple(getattr(self, column.name) for column in fields(self))


SPEC_COLUMNS: tuple[str, ...] = tuple(column.name for column in fields(SpecRow))
"""The names of the columns, in order."""


def spec_headings(lang: str = "en") -> tuple[str, ...]:
    """The headings of the columns, ``lang`` "ja" or "en"."""
    return tuple(_HEADINGS[column.name][lang == "ja"] for column in fields(SpecRow))


def spec_rows(table: DeviceClass, lang: str = "en") -> tuple[SpecRow, ...]:
    """All properties of a class, its own first, ``lang`` "ja" or "en"."""
    return tuple(_row(row, lang) for row in table.properties)


def _row(row: PropertyDef, lang: str) -> SpecRow:
    ja = lang == "ja"
    return SpecRow(
        epc=f"0x{row.epc:02X}",
        name=row.name,
        title=row.label(lang),
        layout=row.layout,
        size=str(row.max_size) if row.min_size == row.max_size else f"{row.min_size}..{row.max_size}",
        values=row.codec.describe(lang),
        unit=row.unit,
        scale=" × ".join(row.scale),
        get=_ACCESS[row.get][ja],
        set=_ACCESS[row.set][ja],
        inf=_ACCESS[row.inf][ja],
        selector=row.selector or "",
        since=row.since + (f"..{row.until}" if row.until else ""),
        note=row.note_ja if ja else row.note,
    )
