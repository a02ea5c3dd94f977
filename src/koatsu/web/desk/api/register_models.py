"""The shapes of the registers: their columns, their records, and what came of a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field

from koatsu.desk.imports import SHEETS, Column, Extent, ImportReport, RecordPage, Register
from koatsu.desk.imports import Refusal as RefusedCell
from koatsu.desk.offices import AreaBy
from koatsu.desk.point_numbers import masked
from koatsu.desk.registers import Registers
from koatsu.web.answers import Instant, Shape
from koatsu.web.desk.api.shapes import Said

__all__ = ["Imported", "RecordList", "RegisterList", "RegisterShape"]

MOST_REFUSED = 1_000  #: refused cells in one answer


class ColumnShape(Shape):
    """A column of the file of a register."""

    name: str = Field(examples=["municipality"])
    label: Said
    kind: str = Field(examples=["text"])
    required: bool = Field(description="a new row must say it")
    choices: list[str] = Field(description="codes")

    @classmethod
    def of(cls, one: Column) -> Self:
        """The shape of a column."""
        return cls(
            name=one.name,
            label=Said.of(one.words),
            kind=one.kind,
            required=one.required,
            choices=[code for code, _ in one.choices],
        )


class RegisterShape(Shape):
    """A register, or a file that changes another one (``contract_ends``; it holds no records)."""

    register_: Register = Field(alias="register")
    label: Said
    count: int | None
    changed_at: Instant | None
    columns: list[ColumnShape]

    @classmethod
    def of(cls, register: Register, extent: Extent | None) -> Self:
        """The shape of a register."""
        sheet = SHEETS[register]
        said: dict[str, Any] = {
            "register": register,
            "label": Said.of(sheet.words),
            "count": None if extent is None else extent.count,
            "changed_at": None if extent is None else extent.changed_at,
            "columns": [ColumnShape.of(one) for one in sheet.columns],
        }
        return cls.model_validate(said)


class RegisterList(Shape):
    """Every register."""

    registers: list[RegisterShape]


class Record(Shape):
    """A record: its columns as text; days are ISO, choices are codes, flags true or false, null is empty."""

    key: str = Field(description="what it is called in addresses of the pages")
    values: dict[str, str | None]
    changed_by: str


class RecordList(Shape):
    """A part of a register, in the order of its files; supply point numbers are masked."""

    register_: Register = Field(alias="register")
    total: int
    limit: int
    offset: int
    records: list[Record]

    @classmethod
    def of(cls, registers: Registers, register: Register, found: RecordPage, limit: int, offset: int) -> Self:
        """The shape of what a search found."""
        sheet = SHEETS[register]
        records = [
            Record(
                key=registers.reference(register, row),
                values={column.name: _text(column, row) for column in sheet.columns},
                changed_by=row["changed_by"],
            )
            for row in found.rows
        ]
        said: dict[str, Any] = {
            "register": register, "total": found.total, "limit": limit, "offset": offset, "records": records,
        }  # fmt: skip
        return cls.model_validate(said)


class RefusedRow(Shape):
    """Why a row of a file was not taken."""

    row: int = Field(description="in the file, the headings being row 1")
    column: Said | None = Field(description="null where it is about the row as a whole")
    value: str = Field(description="as written, cut; supply point numbers masked")
    why: Said

    @classmethod
    def of(cls, one: RefusedCell) -> Self:
        """The shape of a refusal."""
        return cls(
            row=one.row,
            column=Said.of(one.column) if one.column else None,
            value=one.value,
            why=Said.of(one.words),
        )


class Imported(Shape):
    """What a file brought, or would bring. ``rows`` = new + changed + same + refused."""

    register_: Register = Field(alias="register")
    dry_run: bool
    encoding: str
    rows: int
    new: int
    changed: int
    same: int
    refused: int
    summary: Said
    refusals: list[RefusedRow]
    more: int = Field(description="refusals that were left out here")
    ignored: list[str] = Field(description="headings that the register does not have")
    known_since: Instant | None = Field(description="when the same file was brought in last")

    @classmethod
    def of(cls, report: ImportReport) -> Self:
        """The shape of a report."""
        shown = report.refusals[:MOST_REFUSED]
        said: dict[str, Any] = {
            "register": report.register,
            "dry_run": report.dry_run,
            "encoding": report.encoding,
            "rows": report.rows,
            "new": report.new,
            "changed": report.changed,
            "same": report.same,
            "refused": report.refused,
            "summary": Said.of(report.summary),
            "refusals": [RefusedRow.of(one) for one in shown],
            "more": len(report.refusals) - len(shown),
            "ignored": list(report.ignored),
            "known_since": report.known_since,
        }
        return cls.model_validate(said)


def _text(column: Column, row: Mapping[str, Any]) -> str | None:
    """What a row says in a column."""
    if column.name not in row:  # the two columns of an area
        by = AreaBy.POSTAL if column.kind == "prefix" else AreaBy.MUNICIPALITY
        return column.write(row["value"]) if row["by"] == by.value else None
    value = row[column.name]
    if value is None or value == "":
        return None
    if column.kind == "point":
        return masked(value)
    if column.kind == "flag":
        return "true" if value else "false"
    return str(value) if column.kind == "choice" else column.write(value)
