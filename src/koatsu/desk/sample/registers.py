"""The registers of the sample utility, brought in as files are: offices, points, types, equipment, terms."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Final

from koatsu.desk.desk import Desk
from koatsu.desk.imports import SHEETS, Register
from koatsu.desk.models import SYSTEM
from koatsu.desk.offices import OfficeKind
from koatsu.desk.sample.tables import utility
from koatsu.desk.supply_points import Supply, Voltage

__all__ = ["TO_TRY", "SamplePoint", "furnish", "office_of_point", "sample_points"]

Progress = Callable[[int, int], object]

_SUPPLIES: Final = (Supply.UTILITY,) * 11 + (Supply.OTHER,) * 8 + (Supply.SELF,)  # of twenty
_OLD_METERS: Final = 0.35  #: share of the points whose meter is of a type without a B-route
_ODD: Final = 10  #: points of each other voltage, for whoever tries whether they are eligible
_CENTRAL: Final = 20  #: the first points belong to the office whose staff can log in at the demo
_CENTRAL_PLACES: Final = 2  #: whose area is made of the first places of the table
TO_TRY: Final = 3  #: points that nobody has applied for, at the end of all
_ENDING: Final = 25  #: one point of so many has a contract with an end


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePoint:
    """A supply point of the sample."""

    number: str
    postal_code: str
    municipality: str
    street: str
    voltage: Voltage
    contract_kw: int
    supply: Supply
    retailer: str
    meter_type: str
    contract_ended_on: date | None


def sample_points(seed: int, count: int, first: date) -> list[SamplePoint]:
    """So many supply points of high voltage, some of others, and some to try an application with at the end.

    Of a seed they are always the same.
    """
    points = [_point(seed, at, first, Voltage.HIGH) for at in range(count)]
    odd = (Voltage.LOW,) * _ODD + (Voltage.EXTRA_HIGH,) * _ODD
    points += [_point(seed, count + at, first, voltage) for at, voltage in enumerate(odd)]
    tried = [_point(seed, len(points) + at, first, Voltage.HIGH) for at in range(TO_TRY)]
    return points + [_straight(point) for point in tried]


def _straight(point: SamplePoint) -> SamplePoint:
    """The same as a place where nothing stands in the way: the utility's own customer, with a new meter."""
    table = utility()
    place, own = table["place"][0], next(row["code"] for row in table["retailer"] if row["own"])
    return replace(
        point,
        postal_code=f"{place['postal']}01",
        municipality=place["municipality"],
        street=f"{place['quarters'][0]} 1-{int(point.number[-2:]) % 30 + 1}",
        supply=Supply.UTILITY,
        retailer=own,
        meter_type=table["meters"]["new"][0],
        contract_ended_on=None,
    )


def _point(seed: int, at: int, first: date, voltage: Voltage) -> SamplePoint:
    by_chance, table = Random(f"{seed}:point:{at}"), utility()
    central = at < _CENTRAL
    place = by_chance.choice(table["place"][: _CENTRAL_PLACES if central else None])
    supply = Supply.UTILITY if central else by_chance.choice(_SUPPLIES)
    others = [row["code"] for row in table["retailer"] if not row["own"]]
    own = next(row["code"] for row in table["retailer"] if row["own"])
    old = by_chance.random() < _OLD_METERS
    ends = by_chance.randrange(_ENDING) == 0 and not central
    return SamplePoint(
        number=f"{table['area_prefixes'][0]}{seed % 10_000:04}{by_chance.randrange(10**9):09}{at:07}",
        postal_code=f"{place['postal']}{by_chance.randrange(1, 99):02}",
        municipality=place["municipality"],
        street=f"{by_chance.choice(place['quarters'])} {by_chance.randint(1, 9)}-{by_chance.randint(1, 30)}",
        voltage=voltage,
        contract_kw=by_chance.choice((80, 120, 150, 200, 260, 320, 418, 480, 720, 1200)),
        supply=supply,
        retailer={Supply.UTILITY: own, Supply.OTHER: by_chance.choice(others), Supply.SELF: ""}[supply],
        meter_type=by_chance.choice(table["meters"]["old" if old else "new"]),
        contract_ended_on=first + timedelta(days=by_chance.randrange(120, 700)) if ends else None,
    )


def office_of_point(point: SamplePoint, supply: Supply | None = None) -> str:
    """The code of the office that takes a form about a point, as the areas of the table say."""
    by, rows = supply or point.supply, utility()["office"]
    if by is Supply.SELF:
        return str(utility()["self_supply_office"])
    kind = OfficeKind.DISTRIBUTION if by is Supply.UTILITY else OfficeKind.NETWORK_SERVICE_CENTRE
    served = [
        (len(prefix), str(row["code"]))
        for row in rows
        if row["kind"] == kind
        for prefix in row["areas"]
        if point.postal_code.startswith(prefix)
    ]
    return max(served)[1]


def furnish(desk: Desk, points: Sequence[SamplePoint], first: date, progress: Progress) -> None:
    """Bring everything into the registers of an empty desk; a second time changes nothing.

    Args:
        desk: the desk.
        points: of :func:`sample_points`.
        first: the first day of the sample; what it needs is older.
        progress: told of the rows of supply points.
    """
    table, since = utility(), (first - timedelta(days=2000)).isoformat()
    _take(desk, Register.OFFICES, [{k: v for k, v in row.items() if k != "areas"} for row in table["office"]])
    areas = [{"office": row["code"], "postal": one} for row in table["office"] for one in row["areas"]]
    _take(desk, Register.AREAS, areas)
    _take(desk, Register.RETAILERS, [row | {"own": "1" if row["own"] else ""} for row in table["retailer"]])
    types = [row | {"two_way": "1" if row["two_way"] else "", "since": since} for row in table["type"]]
    _take(desk, Register.SUPPORTED_TYPES, types)
    _take(desk, Register.CERTIFIED, [row | {"certified_on": since} for row in table["certified"]])
    _take(desk, Register.SUPPLY_POINTS, [_row(point, since) for point in points], progress)
    if not desk.terms.versions():
        for row in table["terms"]:
            day = first.replace(year=first.year - row["years_before"], month=4, day=1)
            title, text = row["title"], row["text"]
            desk.terms.add(
                SYSTEM, day, title["ja"], text["ja"].strip(), title_en=title["en"], text_en=text["en"].strip()
            )


def _row(point: SamplePoint, since: str) -> dict[str, str]:
    ended = point.contract_ended_on
    return {
        "number": point.number,
        "postal_code": point.postal_code,
        "municipality": point.municipality,
        "street": point.street,
        "voltage": point.voltage.value,
        "contract_kw": str(point.contract_kw),
        "supply": point.supply.value,
        "retailer": point.retailer,
        "contract_from": since,
        "contract_ended_on": ended.isoformat() if ended else "",
        "meter_type": point.meter_type,
    }


def _take(
    desk: Desk,
    register: Register,
    rows: Iterable[Mapping[str, object]],
    progress: Progress = lambda _done, _whole: None,
) -> None:
    """Bring rows in as a file.

    Raises:
        ValueError: a row was refused: a fault of the sample.
    """
    columns = [column.name for column in SHEETS[register].columns]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    report = desk.registers.import_file(
        register, out.getvalue().encode(), f"{register.value}.csv", author=SYSTEM.reference, on_rows=progress
    )
    if report.refused:
        raise ValueError(f"{register}: {report.refusals[0].text('en')}")
