"""Files into the registers, and registers out: CSV with Japanese or English headings, every refusal told."""

from __future__ import annotations

from koatsu.desk.imports.exporting import register_csv, register_texts
from koatsu.desk.imports.mending import MENDING_HEADINGS, mendable_csv
from koatsu.desk.imports.merging import fingerprint
from koatsu.desk.imports.reading import MAX_BYTES, MAX_ROWS, OnRows, ParsedFile, parse
from koatsu.desk.imports.records import (
    Extent,
    RecordPage,
    extents,
    record_of,
    reference_of,
    search_records,
)
from koatsu.desk.imports.report import ImportRefusedError, ImportReport, Refusal, refused_csv
from koatsu.desk.imports.sheets import SHEETS, Column, Register, Sheet
from koatsu.desk.imports.taking import (
    Form,
    ImportedFile,
    Transactions,
    form_of,
    imported_files,
    put_row,
    reference_to,
    take_file,
)

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "MENDING_HEADINGS",
    "SHEETS",
    "Column",
    "Extent",
    "Form",
    "ImportRefusedError",
    "ImportReport",
    "ImportedFile",
    "OnRows",
    "ParsedFile",
    "RecordPage",
    "Refusal",
    "Register",
    "Sheet",
    "Transactions",
    "extents",
    "fingerprint",
    "form_of",
    "imported_files",
    "mendable_csv",
    "parse",
    "put_row",
    "record_of",
    "reference_of",
    "reference_to",
    "refused_csv",
    "register_csv",
    "register_texts",
    "search_records",
    "take_file",
]
