"""Bringing the plain tables of another store (see ``archived``) into this one: what is missing is added.

A value that differs from the one here is listed and left out; nothing here is overwritten. (A count where the
meter had said "no data" is added like any missing one.) Told again, the same rows change nothing, so that a
merge which was interrupted is completed by repeating it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, Table, insert, select, update

from koatsu.ems.store.archived import TABLES, PlainRow
from koatsu.ems.store.matching import NEW, EpochMatch, match_epochs
from koatsu.ems.store.recording import insert_missing
from koatsu.ems.store.schema import (
    conflict,
    correction,
    demand,
    epoch,
    history_read,
    import_energy,
    import_file,
    learnt,
    meter,
    pulse_slot,
    reading,
    scale,
    site,
)
from koatsu.ems.store.touched import touch_meter

__all__ = ["Difference", "Merger", "Tally"]

Values = dict[str, Any]

_MOST_LISTED: Final = 1_000


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that is another one here: the table, its key there, and both values as text."""

    table: str
    key: tuple[str, ...]
    here: str
    there: str


@dataclass(slots=True)
class Tally:
    """What a merge did, or would do: rows added, known already, and left out.

    ``differing`` rows say something else than this store; the first of them are listed. ``left_out`` rows
    belong to a meter epoch that cannot be told to be one of those here.
    """

    new: int = 0
    same: int = 0
    differing: int = 0
    left_out: int = 0
    listed: list[Difference] = field(default_factory=list)

    def differs(self, table: str, key: Sequence[object], here: object, there: object) -> None:
        """Note a difference."""
        self.differing += 1
        if len(self.listed) < _MOST_LISTED:
            self.listed.append(Difference(table, tuple(map(str, key)), str(here), str(there)))


class Merger:
    """Takes plain tables in the order of ``TABLES``; without ``write`` it only finds out what would be."""

    def __init__(self, *, write: bool = True) -> None:
        self.tally: Final = Tally()
        self._write: Final = write
        self._epochs: list[PlainRow] = []
        self._keys: dict[tuple[str, int], int | None] = {}  # key of the epoch here, NEW, or None: left out
        self._files: dict[int, int] = {}

    def take(self, connection: Connection, table: str, rows: Sequence[PlainRow]) -> None:
        """Take rows of one table, all those before them having been taken."""
        match table:
            case "sites":
                self._named(connection, table, site, rows, compared=("name",))
            case "meters":
                compared = ("site", "label", "role", "class_code", "address", "ceiling_kw")
                self._named(connection, table, meter, rows, compared=compared)
            case "epochs":
                self._epochs += rows
            case "scales":
                self._take_epochs(connection, rows)
            case "readings":
                self._ledger(connection, table, reading, rows)
            case "demands":
                self._ledger(connection, table, demand, rows)
            case "conflicts":
                self._conflicts(connection, rows)
            case "corrections":
                self._corrections(connection, rows)
            case "history_reads":
                self._notes(connection, history_read, [self._at_epoch(table, row) for row in rows])
            case "learnt":
                self._notes(connection, learnt, [_values(table, row) for row in rows])
            case "pulses":
                self._pulses(connection, rows)
            case "imports":
                self._imports(connection, rows)
            case _:
                self._imported(connection, rows)

    # --- sites, meters, epochs ------------------------------------------------------------------------------

    def _named(
        self,
        connection: Connection,
        name: str,
        table: Table,
        rows: Sequence[PlainRow],
        *,
        compared: Sequence[str],
    ) -> None:
        here = {row["id"]: row for row in connection.execute(select(table)).mappings()}
        for row in rows:
            values = _values(name, row)
            known = here.get(values["id"])
            if known is None:
                self.tally.new += 1
                if self._write:
                    connection.execute(insert(table).values(values))
                continue
            unlike = [one for one in compared if _comparable(one, known) != _comparable(one, values)]
            for one in unlike:
                self.tally.differs(name, (values["id"], one), known[one], values[one])
            self.tally.same += not unlike

    def _take_epochs(self, connection: Connection, scales: Sequence[PlainRow]) -> None:
        for match in match_epochs(connection, self._epochs, scales):
            place = (match.meter_id, match.number)
            self._keys[place] = match.key
            if match.unlike:
                self.tally.differs("epochs", place, *match.unlike)
                continue
            touched = False
            if match.key == NEW:
                self.tally.new += 1
                if self._write:
                    self._keys[place] = self._add_epoch(connection, match)
                    touched = True
            else:
                self.tally.same += 1
            key = self._keys[place]
            if self._write and key is not None:
                lacking = [{"epoch": key, **values} for values in match.scales]
                touched = insert_missing(connection, scale, lacking) > 0 or touched
            if touched:
                touch_meter(connection, match.meter_id)
        self._epochs.clear()

    @staticmethod
    def _add_epoch(connection: Connection, match: EpochMatch) -> int:
        values = {**match.columns, "meter": match.meter_id, "number": match.number_here}
        made: int = connection.execute(insert(epoch).values(values).returning(epoch.c.id)).scalar_one()
        return made

    def _at_epoch(self, table: str, row: PlainRow) -> Values | None:
        """The row as values with the key of its epoch here; ``None`` where the epoch is left out."""
        key = self._keys.get((row[0], row[1]))
        if key is None:
            return None
        values = _values(table, row)
        del values["meter"]
        return values | {"epoch": key}

    # --- counts ---------------------------------------------------------------------------------------------

    def _ledger(self, connection: Connection, name: str, table: Table, rows: Sequence[PlainRow]) -> None:
        """Rows of ``readings`` or ``demands``, in the order of their keys."""
        for group, found in groupby(rows, key=lambda row: row[:3]):
            run = list(found)
            key = self._keys.get((group[0], group[1]))
            if key is None or key == NEW:
                self.tally.left_out += len(run) if key is None else 0
                self.tally.new += len(run) if key == NEW else 0
                continue
            values = [value for row in run if (value := self._at_epoch(name, row))]
            inserted = insert_missing(connection, table, values) if self._write else 0
            changed = inserted
            if inserted < len(values):
                changed += self._compare(connection, name, table, group, values)
            self.tally.new += changed if self._write else 0
            self.tally.same -= inserted if inserted < len(values) else 0  # each met itself in the comparison
            if changed and self._write:
                touch_meter(connection, group[0])

    def _compare(
        self, connection: Connection, name: str, table: Table, group: PlainRow, rows: Sequence[Values]
    ) -> int:
        """Compare rows of one epoch and name with those here; how many took the place of a "no data"."""
        named, at = TABLES[name].fields[2].name, TABLES[name].fields[3].name
        columns, filled = table.c, 0
        mine = (columns["epoch"] == rows[0]["epoch"]) & (columns[named] == group[2])
        span = columns[at].between(rows[0][at], rows[-1][at])
        query = select(columns[at], columns["count"]).where(mine, span)
        here = {row[0]: row[1] for row in connection.execute(query)}
        for row in rows:
            if row[at] not in here:  # only where nothing is written
                self.tally.new += 1
                continue
            known = here[row[at]]
            if row["count"] in (None, known):
                self.tally.same += 1
            elif known is not None:
                self.tally.differs(name, (*group, row[at]), known, row["count"])
            elif self._write:
                filled += 1
                said = {column: row[column] for column in ("count", "source", "received")}
                connection.execute(update(table).where(mine, columns[at] == row[at]).values(said))
            else:
                self.tally.new += 1
        return filled

    def _conflicts(self, connection: Connection, rows: Sequence[PlainRow]) -> None:
        for row in rows:
            values = self._at_epoch("conflicts", row)
            if values is None or values["epoch"] == NEW:
                self.tally.left_out += values is None
                self.tally.new += values is not None
                continue
            table, named, at = (
                (reading, "register", "instant")
                if values["kind"] == "reading"
                else (demand, "direction", "start")
            )
            kept = connection.execute(
                select(table.c["count"]).where(
                    table.c.epoch == values["epoch"],
                    table.c[named] == values["name"],
                    table.c[at] == values["instant"],
                )
            ).scalar_one_or_none()
            key = [conflict.c[name] == values[name] for name in ("epoch", "kind", "name", "instant", "count")]
            known = (
                kept == values["count"]
                or connection.execute(select(conflict).where(*key)).first() is not None
            )
            self.tally.same += known
            self.tally.new += not known
            if self._write and not known:
                connection.execute(insert(conflict).values(values))
                touch_meter(connection, row[0])

    def _corrections(self, connection: Connection, rows: Sequence[PlainRow]) -> None:
        """Corrections of a count are taken whole where there are none here, so that their order is right."""
        columns = correction.c
        for group, found in groupby(rows, key=lambda row: row[:4]):
            run = [self._at_epoch("corrections", row) for row in found]
            values = [value for value in run if value is not None]
            self.tally.left_out += len(run) - len(values)
            if not values:
                continue
            if values[0]["epoch"] == NEW:
                self.tally.new += len(values)
                continue
            one = [columns[name] == values[0][name] for name in ("epoch", "register", "instant")]
            here = [dict(row) for row in connection.execute(
                select(correction).where(*one).order_by(columns.id)).mappings()]  # fmt: skip
            for row in here:
                del row["id"]
            if here == values:
                self.tally.same += len(values)
            elif here:
                self.tally.differs("corrections", group, _told(here[-1]), _told(values[-1]))
            else:
                self.tally.new += len(values)
                if self._write:
                    for value in values:  # one by one: their ids keep their order
                        connection.execute(insert(correction).values(value))
                    touch_meter(connection, group[0])

    # --- notes, pulses, imported energies -------------------------------------------------------------------

    def _notes(self, connection: Connection, table: Table, rows: Iterable[Values | None]) -> None:
        """What collectors note of their work: added where missing, of no weight where it differs."""
        found = [row for row in rows if row is not None]
        kept = [row for row in found if row.get("epoch") != NEW]
        if self._write:
            added = insert_missing(connection, table, kept)
        else:
            added = sum(self._lacks(connection, table, row) for row in kept)
        self.tally.new += added + len(found) - len(kept)
        self.tally.same += len(kept) - added

    @staticmethod
    def _lacks(connection: Connection, table: Table, row: Values) -> bool:
        key = [column == row[column.name] for column in table.primary_key]
        return connection.execute(select(*table.primary_key).where(*key)).first() is None

    def _pulses(self, connection: Connection, rows: Sequence[PlainRow]) -> None:
        for row in rows:
            values = _values("pulses", row)
            one = (pulse_slot.c.meter == values["meter"]) & (pulse_slot.c.start == values["start"])
            here = connection.execute(select(pulse_slot).where(one)).mappings().first()
            if here is None:
                self.tally.new += 1
                if self._write:
                    connection.execute(insert(pulse_slot).values(values))
            elif here["pulses"] == values["pulses"]:
                self.tally.same += 1
            else:
                self.tally.differs("pulses", row[:2], here["pulses"], values["pulses"])

    def _imports(self, connection: Connection, rows: Sequence[PlainRow]) -> None:
        for row in rows:
            values = _values("imports", row)
            number = values.pop("number")
            same = (import_file.c.channel == values["channel"]) & (import_file.c.sha256 == values["sha256"])
            key = connection.execute(select(import_file.c.id).where(same)).scalar_one_or_none()
            self.tally.same += key is not None
            self.tally.new += key is None
            if key is None and self._write:
                key = connection.execute(
                    insert(import_file).values(values).returning(import_file.c.id)
                ).scalar_one()
            self._files[number] = NEW if key is None else key

    def _imported(self, connection: Connection, rows: Sequence[PlainRow]) -> None:
        for number, found in groupby(rows, key=lambda row: row[0]):
            key, run = self._files[number], list(found)
            if key == NEW:
                self.tally.new += len(run)
                continue
            values = [
                {"file": key, "start": start, "energy_kwh": energy, "quality": quality}
                for _, start, energy, quality in run
            ]
            added = insert_missing(connection, import_energy, values) if self._write else 0
            self.tally.new += added
            self.tally.same += len(run) - added


def _values(table: str, row: PlainRow) -> Values:
    return {column.name: value for column, value in zip(TABLES[table].fields, row, strict=True)}


def _comparable(name: str, row: Mapping[Any, Any]) -> object:
    """A value to compare; a number in text by its value, for 0.10 is 0.1."""
    value = row[name]
    return Decimal(value) if name == "ceiling_kw" and value is not None else value


def _told(row: Values) -> str:
    count = row["count"]
    withdrawn = " (withdrawn)" if row["withdrawn_at"] is not None else ""
    return f"{'-' if count is None else count}{withdrawn}: {row['reason'][:60]}"
