"""What must hold between the cells of a row and the registers, and how columns come about that nobody writes.

For each register ``identify`` makes the columns by which a row is found again, before it is looked up, and
``complete`` looks at the row as it will be. Both change the row that they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from koatsu.desk.certified import certificate_key
from koatsu.desk.imports.known import Known, Stay
from koatsu.desk.imports.sheets import Register
from koatsu.desk.offices import AreaBy, municipality_key
from koatsu.desk.plain_text import folded
from koatsu.desk.point_numbers import in_area, masked
from koatsu.desk.supply_points import Supply
from koatsu.desk.words import Words

__all__ = ["RowRefused", "complete", "identify"]

_Row = dict[str, Any]

_SUPPLY: Final = {
    True: Supply.UTILITY.value,
    False: Supply.OTHER.value,
}  #: by whether the retailer is our own


class RowRefused(ValueError):  # noqa: N818 - caught where the report is made
    """A row that cannot be taken, because of ``column``; ``words`` says why in one sentence."""

    def __init__(self, column: str, words: Words) -> None:
        super().__init__(words.en)
        self.column, self.words = column, words


def identify(register: Register, row: _Row, known: Known) -> None:
    """Give a row as it was written the columns of its key.

    Raises:
        RowRefused: it has none, or it names an office that is not there.
    """
    make = _IDENTIFY.get(register)
    if make is not None:
        make(row, known)


def complete(
    register: Register, row: _Row, before: Mapping[str, Any] | None, said: _Row, known: Known
) -> None:
    """Look at a row as it will be, and give it the columns that follow from others.

    Args:
        register: of which it is.
        row: as it will be; changed.
        before: as it is; ``None`` where it is new.
        said: the columns that were written, a part of ``row``.
        known: what the registers say.

    Raises:
        RowRefused: something does not hold.
    """
    _COMPLETE[register](row, before, said, known)


# --- keys -----------------------------------------------------------------------------------------------


def _unsaid_supply(row: _Row, _known: Known) -> None:
    if row.get("supply") == "":
        del row["supply"]  # an empty cell says nothing: the retailer does


def _area_key(row: _Row, known: Known) -> None:
    office = known.offices.get(row["office"])
    if office is None:
        raise RowRefused(
            "office", Words("その事業所は登録されていません。", "There is no office of this code.")
        )
    postal, municipality = row.pop("postal", None), row.pop("municipality", None)
    if bool(postal) == bool(municipality):
        raise RowRefused(
            "postal",
            Words(
                "郵便番号か市区町村の、どちらか一方を書いてください。",
                "Write either a postal code or a municipality, and only one of them.",
            ),
        )
    row["office_kind"] = office["kind"]
    row["by"] = (AreaBy.POSTAL if postal else AreaBy.MUNICIPALITY).value
    row["value"] = postal or municipality
    row["value_key"] = postal or _letters(municipality_key(municipality), "municipality")


def _certificate_key(row: _Row, _known: Known) -> None:
    row["number_key"] = certificate_key(row["number"])


def _type_key(row: _Row, _known: Known) -> None:
    row["type_key"] = _letters(folded(row["type"]), "type")


def _device_key(row: _Row, known: Known) -> None:
    _type_key(row, known)
    row["serial_key"] = _letters(folded(row["serial"]), "serial")


def _letters(key: str, column: str) -> str:
    if not key:
        raise RowRefused(column, Words("文字か数字がありません。", "It holds neither letters nor digits."))
    return key


_IDENTIFY: Final[dict[Register, Callable[[_Row, Known], None]]] = {
    Register.SUPPLY_POINTS: _unsaid_supply,
    Register.AREAS: _area_key,
    Register.CERTIFIED: _certificate_key,
    Register.SUPPORTED_TYPES: _type_key,
    Register.METERS: _device_key,
    Register.TERMINALS: _device_key,
}


# --- whole rows -----------------------------------------------------------------------------------------


def _supply_point(row: _Row, _before: Mapping[str, Any] | None, said: _Row, known: Known) -> None:
    if known.area_prefixes and not in_area(row["number"], known.area_prefixes):
        begin = " / ".join(known.area_prefixes)
        raise RowRefused(
            "number",
            Words(
                f"当社の供給区域の番号ではありません(区域の番号は {begin} で始まります)。",
                f"This number is outside the supply area (numbers of the area begin with {begin}).",
            ),
        )
    _supply(row, said, known)
    _in_order(row, "contract_from", "contract_ended_on")
    row["place_key"] = folded(row["municipality"] + row["street"])


def _supply(row: _Row, said: _Row, known: Known) -> None:
    """Who supplies follows from the retailer where the file does not say it; else the two must agree."""
    code = row["retailer"]
    seller = known.retailers.get(code) if code else None
    if code and seller is None:
        raise RowRefused(
            "retailer",
            Words("その小売電気事業者は登録されていません。", "There is no retailer of this code."),
        )
    if seller is not None and "supply" not in said and ("retailer" in said or not row["supply"]):
        row["supply"] = _SUPPLY[bool(seller["own"])]
    if not row["supply"]:
        raise RowRefused(
            "supply",
            Words(
                "電気の購入先か小売電気事業者コードを書いてください。",
                "Write who supplies the electricity, or the code of the retailer.",
            ),
        )
    if seller is not None and row["supply"] != _SUPPLY[bool(seller["own"])]:
        raise RowRefused(
            "supply",
            Words(
                "電気の購入先と小売電気事業者が食い違っています。",
                "Who supplies the electricity does not agree with the retailer.",
            ),
        )


def _contract_end(row: _Row, _before: Mapping[str, Any] | None, _said: _Row, _known: Known) -> None:
    _in_order(row, "contract_from", "contract_ended_on")


def _office(row: _Row, before: Mapping[str, Any] | None, _said: _Row, known: Known) -> None:
    if before is not None and before["kind"] != row["kind"] and known.has_areas(row["code"]):
        raise RowRefused(
            "kind",
            Words(
                "担当区域のある事業所の種類は変えられません。先に担当区域を外してください。",
                "The kind of an office with an area cannot change; take its area away first.",
            ),
        )


def _area(_row: _Row, _before: Mapping[str, Any] | None, _said: _Row, _known: Known) -> None:
    """Nothing beyond its key: an area that another office of the kind had goes to this one."""


def _retailer(row: _Row, before: Mapping[str, Any] | None, _said: _Row, known: Known) -> None:
    if before is not None and before["own"] != row["own"] and known.buys_at_some_point(row["code"]):
        raise RowRefused(
            "own",
            Words(
                "供給地点で使われている小売電気事業者の「当社」の区分は変えられません。",
                "Whether a retailer is the utility's own cannot change while supply points name it.",
            ),
        )


def _certified(row: _Row, _before: Mapping[str, Any] | None, _said: _Row, _known: Known) -> None:
    _in_order(row, "certified_on", "valid_until")
    row["search_key"] = "\n".join(folded(row[name]) for name in ("maker", "model", "number", "kind"))


def _supported_type(row: _Row, _before: Mapping[str, Any] | None, _said: _Row, _known: Known) -> None:
    _in_order(row, "since", "until")


def _device(row: _Row, _before: Mapping[str, Any] | None, _said: _Row, known: Known) -> None:
    _in_order(row, "since", "until")
    if not known.has_point(row["supply_point"]):
        raise RowRefused(
            "supply_point",
            Words("この供給地点は登録されていません。", "This supply point is not registered."),
        )
    stay = Stay(row["supply_point"], row["since"], row["until"])
    other = known.clash((row["type_key"], row["serial_key"]), stay)
    if other is not None:
        hidden = masked(other.point)
        raise RowRefused(
            "serial",
            Words(
                f"この機器は {other.since} から供給地点 {hidden} に付いていることになっています。",
                f"This device is at supply point {hidden} since {other.since}, as the register has it.",
            ),
        )


def _in_order(row: _Row, first: str, last: str) -> None:
    if row[first] and row[last] and row[last] < row[first]:
        raise RowRefused(
            last,
            Words(
                f"始まりの日({row[first]})より前の日になっています。",
                f"It lies before the day on which it began ({row[first]}).",
            ),
        )


_COMPLETE: Final[dict[Register, Callable[[_Row, Mapping[str, Any] | None, _Row, Known], None]]] = {
    Register.SUPPLY_POINTS: _supply_point,
    Register.CONTRACT_ENDS: _contract_end,
    Register.OFFICES: _office,
    Register.AREAS: _area,
    Register.RETAILERS: _retailer,
    Register.CERTIFIED: _certified,
    Register.SUPPORTED_TYPES: _supported_type,
    Register.METERS: _device,
    Register.TERMINALS: _device,
}
