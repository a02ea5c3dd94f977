"""What hangs on a record, in words, such as the devices, the retailer and the cases of a supply point.

Cases are those that whoever asks may see.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from koatsu.desk.equipment import SOLD_ENERGY_WORDS, DeviceKind
from koatsu.desk.errors import DeskError
from koatsu.desk.imports import SHEETS, Register
from koatsu.desk.models import Actor
from koatsu.desk.point_numbers import masked
from koatsu.desk.registers import Record
from koatsu.desk.states import UNDER_WAY
from koatsu.desk.supply_points import Supply
from koatsu.web.desk.case_lines import Line, lines_of
from koatsu.web.desk.register_words import cell, title_of
from koatsu.web.notation import grouped
from koatsu.web.texts import Texts

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["Hanging", "hanging_on"]

_MOST: Final = 100  #: records shown in one part
_DEVICES: Final = {DeviceKind.METER.value: Register.METERS, DeviceKind.TERMINAL.value: Register.TERMINALS}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hanging:
    """One part of the page of a record: facts, other records, or cases."""

    id: str
    title: str
    pairs: Sequence[tuple[str, str, str]] = ()  #: name, value, address of what is meant or empty
    heads: Sequence[str] = ()
    rows: Sequence[tuple[str, Sequence[str]]] = ()  #: address, cells
    lines: Sequence[Line] = ()  #: cases
    empty: str = ""  #: said where there is nothing
    note: str = ""
    more: tuple[str, str] = field(default=("", ""))  #: words and address of the whole list


def hanging_on(
    desk: Desk, actor: Actor, record: Record, t: Texts, called: Callable[[str], str]
) -> list[Hanging]:
    """Everything that hangs on a record."""
    words = _Words(desk, actor, record, t, called)
    return _OF[record.register](words)


class _Words:
    """The parts of one record."""

    def __init__(
        self, desk: Desk, actor: Actor, record: Record, t: Texts, called: Callable[[str], str]
    ) -> None:
        self.desk, self.actor, self.record, self.row, self.t = desk, actor, record, record.row, t
        self.called = called

    # --- of each register -------------------------------------------------------------------------------

    def supply_point(self) -> list[Hanging]:
        """Devices, who sells there, which office is near, and the cases."""
        number, t = str(self.row["number"]), self.t
        sold = SOLD_ENERGY_WORDS[self.desk.registers.sold_energy(number)].text(t.lang)
        found = self.desk.lists.search(self.actor, number)
        lines = lines_of(found, t, self.desk.registers.today(), self.called)
        return [
            self._devices(Register.METERS, {"supply_point": number}, note=sold),
            self._devices(Register.TERMINALS, {"supply_point": number}),
            Hanging(
                id="service",
                title=t("desk_record.service"),
                pairs=[self._retailer(), self._office()],
            ),
            Hanging(
                id="cases",
                title=t("desk_record.cases"),
                lines=lines,
                empty=t("desk_record.no_cases"),
                note=t("desk_record.cases_why") if self.actor.office is not None else "",
            ),
        ]

    def office(self) -> list[Hanging]:
        """Its area, and how many cases it has."""
        code, t = str(self.row["code"]), self.t
        areas = self.desk.registers.search(Register.AREAS, of={"office": code}, limit=_MOST)
        counts = self.desk.lists.counts(self.actor, code)
        under_way = sum(counts[state] for state in UNDER_WAY)
        return [
            Hanging(
                id="areas",
                title=SHEETS[Register.AREAS].words.text(t.lang),
                heads=[t("desk_registers.area")],
                rows=[
                    (self._url(Register.AREAS, row), [title_of(Register.AREAS, row, t)]) for row in areas.rows
                ],
                empty=t("desk_record.no_areas"),
                more=self._more(Register.AREAS, areas.total, f"?office={code}"),
            ),
            Hanging(
                id="cases",
                title=t("desk_record.cases"),
                pairs=[(t("desk_record.under_way"), grouped(under_way), f"{t.prefix}/?office={code}")],
            ),
        ]

    def area(self) -> list[Hanging]:
        """Whose it is."""
        pairs = [self._named_office(str(self.row["office"]))]
        return [Hanging(id="office", title=self.t("desk_record.belongs"), pairs=pairs)]

    def retailer(self) -> list[Hanging]:
        """How many supply points buy there."""
        code = str(self.row["code"])
        count = self.desk.registers.search_points(retailer=code, limit=0).total
        address = f"{self.t.prefix}/registers/{Register.SUPPLY_POINTS}?retailer={code}"
        pairs = [(SHEETS[Register.SUPPLY_POINTS].words.text(self.t.lang), grouped(count), address)]
        return [Hanging(id="points", title=self.t("desk_record.named_by"), pairs=pairs)]

    def certificate(self) -> list[Hanging]:
        """Whether it holds today."""
        found = self.desk.registers.certificate(str(self.row["number"]))
        holds = found.valid_on(self.desk.registers.today())
        words = self.t("desk_record.holds") if holds else self.t("desk_record.over")
        pairs = [(self.t("desk_record.today"), words, f"{self.t.prefix}/equipment")]
        return [Hanging(id="validity", title=self.t("desk_record.validity"), pairs=pairs)]

    def supported_type(self) -> list[Hanging]:
        """How many devices of it were put in place."""
        register, key = _DEVICES[self.row["kind"]], str(self.row["type_key"])
        count = self.desk.registers.search(register, of={"type_key": key}, limit=0).total
        address = f"{self.t.prefix}/registers/{register}?type_key={key}"
        pairs = [(SHEETS[register].words.text(self.t.lang), grouped(count), address)]
        return [Hanging(id="devices", title=self.t("desk_record.placed"), pairs=pairs)]

    def device(self) -> list[Hanging]:
        """Where it is, and where it was."""
        number, t = str(self.row["supply_point"]), self.t
        point = self.desk.registers.point(number)
        address = self._address(Register.SUPPLY_POINTS, number=number)
        same = {name: str(self.row[name]) for name in ("type_key", "serial_key")}
        pairs = [
            (t("desk_case.number"), masked(number), address),
            (t("desk_case.place"), point.place, ""),
        ]
        return [
            Hanging(id="point", title=t("desk_case.supply"), pairs=pairs),
            self._devices(self.record.register, same, title=t("desk_record.stays")),
        ]

    # --- parts ------------------------------------------------------------------------------------------

    def _devices(self, register: Register, of: dict[str, str], *, note: str = "", title: str = "") -> Hanging:
        """Devices, those that are there and the newest first."""
        found, sheet, t = self.desk.registers.search(register, of=of, limit=_MOST), SHEETS[register], self.t
        hidden = "supply_point" if "supply_point" in of else ""
        columns = [column for column in sheet.columns if column.name != hidden]
        columns.sort(key=lambda column: column.name != "serial")
        rows = sorted(found.rows, key=lambda row: (row["until"] is None, row["since"]), reverse=True)
        return Hanging(
            id=register.value if not title else "stays",
            title=title or sheet.words.text(t.lang),
            heads=[column.words.text(t.lang) for column in columns],
            rows=[(self._url(register, row), [cell(column, row, t) for column in columns]) for row in rows],
            empty=t("desk_record.no_devices"),
            note=note,
        )

    def _retailer(self) -> tuple[str, str, str]:
        code, label = self.row["retailer"], self.t("desk_record.retailer")
        if not code:
            return label, self.t("desk_record.nobody_said"), ""
        return label, self.desk.registers.retailer(code).name, self._address(Register.RETAILERS, code=code)

    def _office(self) -> tuple[str, str, str]:
        """The office that takes the forms of this place."""
        label = self.t("desk_record.office")
        try:
            found = self.desk.registers.office_for(
                supply=Supply(self.row["supply"]),
                postal_code=str(self.row["postal_code"]),
                municipality=str(self.row["municipality"]),
            )
        except DeskError as error:
            return label, error.text(self.t.lang), ""
        return label, found.name, self._address(Register.OFFICES, code=found.code)

    def _named_office(self, code: str) -> tuple[str, str, str]:
        name = self.desk.registers.office(code).name
        return self.t("desk_record.office"), name, self._address(Register.OFFICES, code=code)

    def _address(self, register: Register, **row: str) -> str:
        return f"{self.t.prefix}/registers/{register}/{self.desk.registers.reference(register, row)}"

    def _url(self, register: Register, row: Any) -> str:
        return f"{self.t.prefix}/registers/{register}/{self.desk.registers.reference(register, row)}"

    def _more(self, register: Register, total: int, query: str) -> tuple[str, str]:
        if total <= _MOST:
            return "", ""
        words = self.t("desk_record.all_of_them", n=grouped(total))
        return words, f"{self.t.prefix}/registers/{register}{query}"


_OF: Final[dict[Register, Callable[[_Words], list[Hanging]]]] = {
    Register.SUPPLY_POINTS: _Words.supply_point,
    Register.OFFICES: _Words.office,
    Register.AREAS: _Words.area,
    Register.RETAILERS: _Words.retailer,
    Register.CERTIFIED: _Words.certificate,
    Register.SUPPORTED_TYPES: _Words.supported_type,
    Register.METERS: _Words.device,
    Register.TERMINALS: _Words.device,
}
