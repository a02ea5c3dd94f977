"""The registers of an open desk: places, offices, retailers, meters, terminals and equipment.

Each method but the taking of a file is one transaction. Rows come in by file or by form; both go through the
same columns and rules, nothing is deleted but an area, and nobody writes over what somebody else has changed
in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from koatsu.clock import JST, Clock
from koatsu.desk import (
    certified,
    eligibility,
    equipment,
    imports,
    offices,
    register_history,
    retailers,
    routing,
    supply_points,
)
from koatsu.desk.certified import CertifiedEquipment, CertifiedPage
from koatsu.desk.eligibility import Asked, Eligibility
from koatsu.desk.equipment import DeviceKind, Meter, SoldEnergy, SupportedType, Terminal
from koatsu.desk.imports import (
    SHEETS,
    Extent,
    Form,
    ImportedFile,
    ImportReport,
    OnRows,
    RecordPage,
    Register,
    Transactions,
)
from koatsu.desk.imports.exporting import texts_of
from koatsu.desk.offices import Area, Office, OfficeKind
from koatsu.desk.register_history import Change, Recorder, RegisterEntry
from koatsu.desk.retailers import Retailer
from koatsu.desk.settings import DeskSettings
from koatsu.desk.supply_points import PointPage, Supply, SupplyPoint, Voltage
from koatsu.desk.vault import Vault
from koatsu.people import Role

__all__ = ["Record", "Registers"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row of a register, with what happened to it by hand, the newest first."""

    register: Register
    reference: str
    row: Mapping[str, Any]
    form: Form
    changed_at: datetime
    changed_by: str
    history: tuple[RegisterEntry, ...]


class Registers:
    """The registers of an open desk. Safe to use from any thread. Days are those of Japan."""

    def __init__(self, database: Transactions, settings: DeskSettings, clock: Clock, vault: Vault) -> None:
        self._database, self._settings, self._clock, self._vault = database, settings, clock, vault

    # --- supply points ----------------------------------------------------------------------------------

    def point(self, number: str) -> SupplyPoint:
        """The supply point of a number (22 digits).

        Raises:
            UnknownError: none is registered.
        """
        return self._read(lambda connection: supply_points.point_of(connection, number))

    def search_points(
        self,
        text: str = "",
        *,
        voltage: Voltage | None = None,
        supply: Supply | None = None,
        retailer: str | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> PointPage:
        """Points by the last digits of their number or by words of their place."""
        with self._database.reading() as connection:
            return supply_points.search_points(
                connection,
                text,
                voltage=voltage,
                supply=supply,
                retailer=retailer,
                limit=limit,
                offset=offset,
            )

    def meters(self, point: str, *, present: bool = False) -> tuple[Meter, ...]:
        """The meters of a supply point, the newest first; ``present``: only those that are there today."""
        day = self.today() if present else None
        return self._read(lambda connection: equipment.meters_of(connection, point, day=day))

    def terminals(self, point: str, *, present: bool = False) -> tuple[Terminal, ...]:
        """The terminals of a supply point, the newest first; ``present``: only those that are there today."""
        day = self.today() if present else None
        return self._read(lambda connection: equipment.terminals_of(connection, point, day=day))

    def sold_energy(self, point: str) -> SoldEnergy:
        """How sold energy is measured at a supply point today."""
        return self._read(lambda connection: equipment.sold_energy_of(connection, point, self.today()))

    # --- offices and retailers --------------------------------------------------------------------------

    def offices(self, *, kind: OfficeKind | None = None, present: bool = True) -> tuple[Office, ...]:
        """The offices by code; ``present``: only those that are open today."""
        day = self.today() if present else None
        return self._read(lambda connection: offices.all_offices(connection, kind=kind, day=day))

    def office(self, code: str) -> Office:
        """The office of that code.

        Raises:
            UnknownError: there is none.
        """
        return self._read(lambda connection: offices.office_of(connection, code))

    def areas(self, code: str) -> tuple[Area, ...]:
        """The areas of an office."""
        return self._read(lambda connection: offices.areas_of(connection, code))

    def remove_area(self, area: Area, *, author: str, role: Role | None = None) -> bool:
        """Take a part out of the area of an office; whether it had it."""
        with self._database.writing() as connection:
            row = offices.area_row(connection, area)
            removed = offices.remove_area(connection, area)
            if row is not None and removed:
                key = imports.reference_of(self._vault.references, SHEETS[Register.AREAS], row)
                recorder = self._recorder(author, role)
                recorder.note(connection, Register.AREAS.value, Change.REMOVED, key, columns="office")
            return removed

    def office_for(self, *, supply: Supply, postal_code: str, municipality: str) -> Office:
        """The office that takes a form about a place today, for applying and for ending alike.

        Raises:
            RoutingError: no office has the place in its area.
            DeskSettingError: self-supply, and the settings name no open office.
        """
        with self._database.reading() as connection:
            return routing.office_for(
                connection,
                self._settings,
                supply=supply,
                postal_code=postal_code,
                municipality=municipality,
                day=self.today(),
            )

    def retailers(self, *, present: bool = True) -> tuple[Retailer, ...]:
        """The retailers by name, the utility's own first; ``present``: only those that sell today."""
        day = self.today() if present else None
        return self._read(lambda connection: retailers.all_retailers(connection, day=day))

    def retailer(self, code: str) -> Retailer:
        """The retailer of that code.

        Raises:
            UnknownError: there is none.
        """
        return self._read(lambda connection: retailers.retailer_of(connection, code))

    # --- equipment --------------------------------------------------------------------------------------

    def supported_types(self, kind: DeviceKind, *, present: bool = True) -> tuple[SupportedType, ...]:
        """The types with which the service works; ``present``: only those with which it works today."""
        day = self.today() if present else None
        return self._read(lambda connection: equipment.supported_types(connection, kind, day=day))

    def certificate(self, number: str) -> CertifiedEquipment:
        """The certificate of a number, in whatever way it is written.

        Raises:
            UnknownCertificateError: the register has none.
        """
        return self._read(lambda connection: certified.certificate_of(connection, number))

    def search_certified(
        self, text: str = "", *, present: bool = False, limit: int = 50, offset: int = 0
    ) -> CertifiedPage:
        """Certified equipment by maker, model, number and kind; ``present``: only what is valid today."""
        day = self.today() if present else None
        with self._database.reading() as connection:
            return certified.search_certified(connection, text, day=day, limit=limit, offset=offset)

    def check(self, asked: Asked) -> Eligibility:
        """What every rule of eligibility says of a place today."""
        with self._database.reading() as connection:
            return eligibility.check(connection, self._settings, asked, self.today())

    # --- records ----------------------------------------------------------------------------------------

    def extents(self) -> list[Extent]:
        """How large each register is, and when it was changed last."""
        return self._read(imports.extents)

    def search(
        self,
        register: Register,
        text: str = "",
        *,
        of: Mapping[str, str] | None = None,
        limit: int = 50,
        offset: int = 0,
    ) -> RecordPage:
        """The records of a register that hold every word; ``of``: what columns must say."""
        with self._database.reading() as connection:
            return imports.search_records(connection, register, text, of=of or {}, limit=limit, offset=offset)

    def reference(self, register: Register, row: Mapping[str, Any]) -> str:
        """What a row is called in addresses."""
        return imports.reference_of(self._vault.references, SHEETS[register], row)

    def reference_to(self, register: Register, **fields: str) -> str:
        """The reference of a row, found by the text of the columns that name it.

        Raises:
            InputError: the text cannot name one.
            UnknownError: there is none.
        """
        references = self._vault.references
        return self._read(lambda connection: imports.reference_to(connection, register, fields, references))

    def record(self, register: Register, reference: str) -> Record:
        """The record of a reference.

        Raises:
            UnknownError: there is none.
        """
        sheet = SHEETS[register]
        with self._database.reading() as connection:
            row = imports.record_of(connection, self._vault.references, register, reference)
            entries = register_history.entries_about(connection, register.value, reference)
        return Record(
            register=register,
            reference=reference,
            row=row,
            form=Form(fields=texts_of(sheet, row), seen=imports.fingerprint(sheet, row)),
            changed_at=datetime.fromtimestamp(row["changed_at"], UTC),
            changed_by=row["changed_by"],
            history=tuple(entries),
        )

    # --- rows by file and by form -----------------------------------------------------------------------

    def import_file(
        self,
        register: Register,
        data: bytes,
        name: str,
        *,
        author: str,
        role: Role | None = None,
        dry_run: bool = False,
        on_rows: OnRows = lambda _done, _all: None,
    ) -> ImportReport:
        """Bring the sound rows of a CSV file into a register, or see what would come of it (``dry_run``).

        It is read before the first row is written. Then some thousand rows at a time are one transaction, so
        that nobody waits for the whole; what is interrupted there is completed by taking the file again.

        Args:
            register: which.
            data: the bytes of the file.
            name: what sentences call it.
            author: reference of who brings it in.
            role: of the author; ``None``: this program, or its command line.
            dry_run: write nothing.
            on_rows: called with the steps done and those there are.

        Raises:
            ImportRefusedError: it is no such file, or its headings are not those of the register.
        """
        file = imports.parse(SHEETS[register], data, name, lambda done, all_: on_rows(done, 3 * all_))
        return imports.take_file(
            self._database,
            file,
            self._recorder(author, role),
            area_prefixes=self._settings.area_prefixes,
            dry_run=dry_run,
            on_rows=lambda done, all_: on_rows(all_ + 2 * done, 3 * all_),
        )

    def imported_files(
        self, register: Register | None = None, *, limit: int = 50
    ) -> tuple[ImportedFile, ...]:
        """The files that were brought in, the last first."""
        return self._read(lambda connection: imports.imported_files(connection, register, limit))

    def export(self, register: Register, lang: str = "ja", *, whole: bool = True) -> Iterator[bytes]:
        """The parts of a CSV file that :meth:`import_file` takes; not ``whole``: with numbers masked."""
        with self._database.reading() as connection:
            yield from imports.register_csv(connection, register, lang, whole=whole)

    def texts(self, register: Register, *, whole: bool = True) -> Iterator[list[dict[str, str]]]:
        """The rows of the same file, some thousand at a time."""
        with self._database.reading() as connection:
            yield from imports.register_texts(connection, register, whole=whole)

    def form(self, register: Register, fields: Mapping[str, str]) -> Form:
        """A row as a form shows it, found by the text of the columns that name it.

        Raises:
            InputError: the text cannot name one.
            UnknownError: there is none.
        """
        return self._read(lambda connection: imports.form_of(connection, register, fields))

    def put(
        self,
        register: Register,
        fields: Mapping[str, str],
        *,
        seen: str | None,
        author: str,
        role: Role | None = None,
    ) -> bool:
        """Keep one row that somebody filled in; whether anything changed.

        ``seen`` is ``None`` for a new row, else what :meth:`form` said. Columns not in ``fields`` stay.

        Raises:
            InputError: a field cannot be taken, or a new row is there already.
            ChangedMeanwhileError: somebody else changed the row after it was shown.
            UnknownError: the row is not there any more.
        """
        with self._database.writing() as connection:
            return imports.put_row(
                connection,
                register,
                fields,
                self._recorder(author, role),
                seen=seen,
                area_prefixes=self._settings.area_prefixes,
            )

    def today(self) -> date:
        """The present day in Japan."""
        return self._clock.now().astimezone(JST).date()

    def _recorder(self, author: str, role: Role | None) -> Recorder:
        return Recorder(vault=self._vault, author=author, role=role, now=self._clock.now())

    def _read(self, look: Callable[[Connection], _T]) -> _T:
        with self._database.reading() as connection:
            return look(connection)
