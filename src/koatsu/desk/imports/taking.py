"""Files and single rows into the registers, and the list of files that were taken."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from sqlalchemy import Connection, func, insert, select

from koatsu.desk.errors import ChangedMeanwhileError, InputError, UnknownError
from koatsu.desk.imports.exporting import texts_of
from koatsu.desk.imports.known import Known
from koatsu.desk.imports.merging import Keyed, Merger, fingerprint, rows_with_keys, write
from koatsu.desk.imports.reading import OnRows, ParsedFile, Record
from koatsu.desk.imports.records import reference_of
from koatsu.desk.imports.report import ImportReport, Refusals, cut
from koatsu.desk.imports.rules import RowRefused, identify
from koatsu.desk.imports.sheets import SHEETS, Register, Sheet
from koatsu.desk.plain_text import TextRefused
from koatsu.desk.references import References
from koatsu.desk.register_history import Change, Recorder
from koatsu.desk.schema_registers import import_log
from koatsu.desk.words import Words

__all__ = [
    "Form",
    "ImportedFile",
    "Transactions",
    "form_of",
    "imported_files",
    "put_row",
    "reference_to",
    "take_file",
]

_PORTION: Final = 2_000  #: rows of one transaction: others wait for it no longer than for a page


class Transactions(Protocol):
    """What the registers need of a database."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction that sees one state."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction that nobody else writes beside; it happens whole or not at all."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """A row as a form shows it: the text of every column, and what to hand back to change it."""

    fields: Mapping[str, str]
    seen: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedFile:
    """A file that was brought in, with what came of it."""

    register: Register
    name: str
    author: str
    at: datetime
    rows: int
    new: int
    changed: int
    same: int
    refused: int


def take_file(
    database: Transactions,
    file: ParsedFile,
    recorder: Recorder,
    *,
    area_prefixes: Collection[str],
    dry_run: bool = False,
    on_rows: OnRows = lambda _done, _all: None,
) -> ImportReport:
    """Bring the sound rows of a file into its register, or see what would come of it (``dry_run``).

    Some thousand rows at a time are one transaction, so that others can work in between; what is interrupted
    there is completed by taking the file again. With the last of them the file is noted and the history gets
    its entry; a file of several transactions is in the history from the first on.

    Args:
        database: where the register is.
        file: what :func:`koatsu.desk.imports.reading.parse` made of it; taken once.
        recorder: who brings it in, and when.
        area_prefixes: what supply point numbers begin with; empty: anything.
        dry_run: write nothing.
        on_rows: told of the progress.
    """
    merger = Merger(file)
    with database.reading() as connection:
        since = _known_since(connection, file)
        known = Known(connection, area_prefixes)
        portions = _portions(merger.keyed(known))
        if dry_run:
            for done, portion in portions:
                merger.rows(connection, portion, known)
                on_rows(done, portions[-1][0])
    if dry_run:
        return _report(file, merger, since, dry_run=True)
    for done, portion in portions:
        last = done == portions[-1][0]
        with database.writing() as connection:
            if portion is portions[0][1] and not last:
                _begun(connection, file, recorder)
            rows = merger.rows(connection, portion, Known(connection, area_prefixes))
            write(connection, file.sheet, rows, recorder.author, recorder.now)
            if last:
                report = _report(file, merger, since, dry_run=False)
                _log(connection, file, report, recorder)
        on_rows(done, portions[-1][0])
    return report


def _portions(keyed: Sequence[Keyed]) -> list[tuple[int, Sequence[Keyed]]]:
    """The rows of each transaction, with how many are done after it; one of no rows where there are none."""
    starts = range(0, max(len(keyed), 1), _PORTION)
    return [(min(at + _PORTION, len(keyed)), keyed[at : at + _PORTION]) for at in starts]


def _begun(connection: Connection, file: ParsedFile, recorder: Recorder) -> None:
    register = file.sheet.register.value
    recorder.note(connection, register, Change.IMPORT_BEGUN, sha256=file.sha256, rows=file.rows)


def _log(connection: Connection, file: ParsedFile, report: ImportReport, recorder: Recorder) -> None:
    counts: dict[str, Any] = {
        "rows": report.rows, "new": report.new, "changed": report.changed, "same": report.same,
        "refused": report.refused,
    }  # fmt: skip
    register = file.sheet.register.value
    connection.execute(
        insert(import_log).values(
            kind=register, name=report.name, sha256=file.sha256, author=recorder.author,
            at=int(recorder.now.timestamp()), **counts,
        )
    )  # fmt: skip
    recorder.note(connection, register, Change.IMPORTED, sha256=file.sha256, **counts)


def _report(file: ParsedFile, merger: Merger, since: datetime | None, *, dry_run: bool) -> ImportReport:
    return ImportReport(
        register=file.sheet.register,
        what=file.sheet.words,
        name=cut(file.name),
        encoding=file.encoding,
        rows=file.rows,
        new=merger.new,
        changed=merger.changed,
        same=merger.same,
        refused=len(file.refusals.rows),
        refusals=file.refusals.sorted(),
        ignored=file.ignored,
        known_since=since,
        dry_run=dry_run,
    )


def _known_since(connection: Connection, file: ParsedFile) -> datetime | None:
    query = select(func.max(import_log.c.at)).where(
        import_log.c.sha256 == file.sha256, import_log.c.kind == file.sheet.register.value
    )
    at = connection.execute(query).scalar()
    return None if at is None else datetime.fromtimestamp(at, UTC)


def imported_files(
    connection: Connection, register: Register | None = None, limit: int = 50
) -> tuple[ImportedFile, ...]:
    """The files that were brought in, the last first."""
    query = select(import_log).order_by(import_log.c.id.desc()).limit(limit)
    if register is not None:
        query = query.where(import_log.c.kind == register.value)
    return tuple(
        ImportedFile(
            register=Register(row.kind),
            name=row.name,
            author=row.author,
            at=datetime.fromtimestamp(row.at, UTC),
            rows=row.rows,
            new=row.new,
            changed=row.changed,
            same=row.same,
            refused=row.refused,
        )
        for row in connection.execute(query)
    )


def put_row(
    connection: Connection,
    register: Register,
    fields: Mapping[str, str],
    recorder: Recorder,
    *,
    seen: str | None,
    area_prefixes: Collection[str],
) -> bool:
    """Keep one row that somebody filled in on a form; whether anything changed.

    Args:
        connection: in a transaction that nobody else writes beside.
        register: where it belongs.
        fields: text by column; columns that are not there stay as they are.
        recorder: who does it, and when.
        seen: ``None`` for a new row; else what :class:`Form` said when it was shown.
        area_prefixes: what supply point numbers begin with; empty: anything.

    Raises:
        InputError: a field cannot be taken, or a new row is there already.
        ChangedMeanwhileError: somebody else changed the row after it was shown.
        UnknownError: the row that was shown is not there any more.
    """
    sheet = SHEETS[register]
    record = _typed(sheet, fields, new=seen is None)
    known = Known(connection, area_prefixes)
    there = _found(connection, sheet, record, known)
    _as_seen(sheet, there, seen)
    file = ParsedFile(
        sheet=sheet, name="", encoding="", sha256="", rows=1, records=[record],
        places={name: at for at, name in enumerate(record.given)}, refusals=Refusals(sheet), ignored=(),
    )  # fmt: skip
    merger = Merger(file)
    rows = merger.rows(connection, merger.keyed(known), known)
    wrong = {
        next(column.name for column in sheet.columns if column.words == one.column): one.words
        for one in file.refusals.sorted()
        if one.column is not None
    }
    if wrong:
        raise InputError(wrong)
    write(connection, sheet, rows, recorder.author, recorder.now)
    for row in rows:
        _note(connection, sheet, row, there, recorder)
    return bool(rows)


def _note(
    connection: Connection, sheet: Sheet, row: Mapping[str, Any], before: Mapping[str, Any] | None,
    recorder: Recorder,
) -> None:  # fmt: skip
    """Write into the history that a row was filled in: which one, and which of its columns."""
    key = tuple(row[name] for name in sheet.key)
    kept = rows_with_keys(connection, sheet, [key])[key]
    written = [column.name for column in sheet.columns if column.name in row]
    told = [name for name in written if before is None or before[name] != row[name]]
    change = Change.ADDED if before is None else Change.CHANGED
    reference = reference_of(recorder.vault.references, sheet, kept)
    recorder.note(connection, sheet.register.value, change, reference, columns=",".join(told))


def _typed(sheet: Sheet, fields: Mapping[str, str], *, new: bool = False) -> Record:
    wrong: dict[str, Words] = {}
    given: dict[str, Any] = {}
    names = {column.name for column in sheet.columns}
    for name in fields.keys() - names:
        wrong[name] = Words(f"「{cut(name)}」という項目はありません。", f"There is no field “{cut(name)}”.")
    for column in sheet.columns:
        if column.name not in fields and not (column.needed or (new and column.required)):
            continue
        try:
            given[column.name] = column.read(fields.get(column.name, ""))
        except TextRefused as refused:
            wrong[column.name] = refused.words
    if wrong:
        raise InputError(wrong)
    return Record(1, given, [fields.get(name, "") for name in given])


def _found(connection: Connection, sheet: Sheet, record: Record, known: Known) -> dict[str, Any] | None:
    """The row of the register that somebody wrote of; ``None`` where there is none yet."""
    said = dict(record.given)
    try:
        identify(sheet.register, said, known)
    except RowRefused as refused:
        raise InputError({refused.column: refused.words}) from None
    key = tuple(said[name] for name in sheet.key)
    return rows_with_keys(connection, sheet, [key]).get(key)


def _as_seen(sheet: Sheet, there: dict[str, Any] | None, seen: str | None) -> None:
    """Make sure that the row is new, or still what was shown."""
    if seen is None:
        if there is not None:
            words = Words("既に登録されています。", "It is registered already.")
            raise InputError({sheet.columns[0].name: words})
    elif there is None:
        raise UnknownError(Words("もう登録されていません。", "It is not registered any more."))
    elif fingerprint(sheet, there) != seen:
        at = datetime.fromtimestamp(there["changed_at"], UTC)
        raise ChangedMeanwhileError(sheet.words, there["changed_by"], at)


def form_of(connection: Connection, register: Register, fields: Mapping[str, str]) -> Form:
    """A row as a form shows it, found by the text of the columns that name it.

    Raises:
        InputError: the text cannot name one.
        UnknownError: there is none.
    """
    sheet, there = SHEETS[register], _named(connection, register, fields)
    return Form(fields=texts_of(sheet, there), seen=fingerprint(sheet, there))


def reference_to(
    connection: Connection, register: Register, fields: Mapping[str, str], references: References
) -> str:
    """The reference of a row, found by the text of the columns that name it.

    Raises:
        InputError: the text cannot name one.
        UnknownError: there is none.
    """
    return reference_of(references, SHEETS[register], _named(connection, register, fields))


def _named(connection: Connection, register: Register, fields: Mapping[str, str]) -> dict[str, Any]:
    sheet = SHEETS[register]
    there = _found(connection, sheet, _typed(sheet, fields), Known(connection, ()))
    if there is None:
        name = sheet.words
        raise UnknownError(
            Words(f"{name.ja}に登録されていません。", f"It is not registered ({name.en.lower()}).")
        )
    return there
