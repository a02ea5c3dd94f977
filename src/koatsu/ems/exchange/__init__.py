"""Files in and out: slots for people, exact archives, and the energies that others state.

What comes from outside is never a meter's count: it is kept by file, compared slot by slot, and can be taken
out again. Start at :class:`koatsu.ems.exchange.desk.DataDesk`.
"""

from __future__ import annotations

from koatsu.ems.exchange.archive import ArchiveReport, OnRows, export_parquet, export_zip, import_archive
from koatsu.ems.exchange.comparing import (
    Comparison,
    SlotComparison,
    Verdict,
    compare,
    contradictions,
    summed_up,
)
from koatsu.ems.exchange.desk import ChannelHead, DataDesk, FileChoice, ImportReport, KnownFile
from koatsu.ems.exchange.manifest import Manifest, Scope
from koatsu.ems.exchange.occto_xml import read_occto_xml
from koatsu.ems.exchange.refusals import FileRefusedError, Place
from koatsu.ems.exchange.retailer_csv import read_retailer_csv
from koatsu.ems.exchange.slot_csv import SlotFile, slot_csv_of, view_lines

__all__ = [
    "ArchiveReport",
    "ChannelHead",
    "Comparison",
    "DataDesk",
    "FileChoice",
    "FileRefusedError",
    "ImportReport",
    "KnownFile",
    "Manifest",
    "OnRows",
    "Place",
    "Scope",
    "SlotComparison",
    "SlotFile",
    "Verdict",
    "compare",
    "contradictions",
    "export_parquet",
    "export_zip",
    "import_archive",
    "read_occto_xml",
    "read_retailer_csv",
    "slot_csv_of",
    "summed_up",
    "view_lines",
]
