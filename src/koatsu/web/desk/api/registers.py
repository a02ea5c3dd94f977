"""The registers over the API: how large each is, its records, and files that bring records in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from fastapi import APIRouter, Body, Path, Query, Request

from koatsu.desk.imports import Register
from koatsu.people import Right
from koatsu.web.answers import ApiError
from koatsu.web.desk.actors import actor_of
from koatsu.web.desk.api.groups import Group
from koatsu.web.desk.api.register_models import Imported, RecordList, RegisterList, RegisterShape
from koatsu.web.desk.kept_imports import IMPORT_WAIT_S, IMPORTING
from koatsu.web.desk.register_words import KEPT

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["RegistersGroup"]

_FURTHEST: Final = 100_000_000
_Register = Annotated[Register, Path(description="which")]


class RegistersGroup(Group):
    """``/registers``."""

    tag = "registers"

    def __init__(self, desk: Desk, router: APIRouter) -> None:
        super().__init__(desk, router)
        read = Right.DESK_READ
        self.route("GET", "/registers", self.list_registers, read, RegisterList)
        self.route("GET", "/registers/{register}", self.search_register, read, RecordList)
        self.route("POST", "/registers/{register}/import", self.import_register, Right.DESK_HANDLE, Imported)

    def list_registers(self) -> RegisterList:
        """Every register with its columns; the name of a column is a heading of its files."""
        extents = {one.register: one for one in self.desk.registers.extents()}
        return RegisterList(registers=[RegisterShape.of(one, extents.get(one)) for one in Register])

    def search_register(
        self,
        register: _Register,
        q: Annotated[
            str,
            Query(
                description="words, all of them; of points and devices the last digits of the number too",
                max_length=100,
            ),
        ] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
        offset: Annotated[int, Query(ge=0, le=_FURTHEST)] = 0,
    ) -> RecordList:
        """Records of a register, supply point numbers masked. Registers are the utility's: staff see all."""
        if register not in KEPT:
            raise ApiError(404, "no_records", register=register.value)
        found = self.desk.registers.search(register, q, limit=limit, offset=offset)
        return RecordList.of(self.desk.registers, register, found, limit, offset)

    def import_register(
        self,
        request: Request,
        register: _Register,
        content: Annotated[
            bytes,
            Body(media_type="text/csv", description="CSV with headings, UTF-8 or CP932; 32 MiB at most"),
        ],
        dry_run: Annotated[bool, Query(description="only say what would come of it")] = False,
        name: Annotated[str, Query(description="what sentences call the file", max_length=80)] = "import.csv",
    ) -> Imported:
        """Bring the sound rows of a CSV file into a register; each refused one is told.

        The same file twice changes nothing. 422 ``refused``: it is no such file, nothing was taken. One file
        at a time is taken in; 503 ``busy`` where the one before takes long.
        """
        actor = actor_of(request)
        if not IMPORTING.acquire(timeout=IMPORT_WAIT_S):
            raise ApiError(503, "import_busy")
        try:
            report = self.desk.registers.import_file(
                register, content, name, author=actor.reference, role=actor.role, dry_run=dry_run
            )
        finally:
            IMPORTING.release()
        return Imported.of(report)
