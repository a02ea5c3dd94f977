"""The list of contents of an archive: of which store, within which limits, and each table with its checksum.

It names no time of writing, so that equal stores give equal archives.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from koatsu.ems.exchange.plain_text import day_of_text
from koatsu.ems.exchange.refusals import CellError, FileRefusedError, cut
from koatsu.ems.store.archived import TABLES

__all__ = ["MANIFEST", "MAX_MANIFEST", "Entry", "Manifest", "Scope", "not_an_archive"]

MANIFEST: Final = "manifest.json"
MAX_MANIFEST: Final = 1 << 20
_FORMAT: Final = "koatsu-archive"
_VERSION: Final = 1
_ID: Final = re.compile(r"[0-9a-f]{32}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The days (JST, both included) and the meter that are written out; ``None``: all."""

    first: date | None = None
    last: date | None = None
    meter_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of an archive; ``sha256`` is that of its bytes, unpacked."""

    name: str
    rows: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive holds: the id of the store, the scope, and one entry for each table."""

    store: str
    scope: Scope
    entries: tuple[Entry, ...]

    def to_bytes(self) -> bytes:
        """The manifest as a file."""
        scope = self.scope
        said = {
            "format": _FORMAT,
            "version": _VERSION,
            "store": self.store,
            "from": scope.first and scope.first.isoformat(),
            "to": scope.last and scope.last.isoformat(),
            "meter": scope.meter_id,
            "files": [
                {"name": entry.name, "rows": entry.rows, "sha256": entry.sha256} for entry in self.entries
            ],
        }
        return (json.dumps(said, ensure_ascii=False, indent=2) + "\n").encode()

    @classmethod
    def from_bytes(cls, data: bytes, name: str, suffix: str) -> Manifest:
        """The manifest that was written as ``data``; its files end with ``suffix``.

        Raises:
            FileRefusedError: it is none, or one of another version.
        """
        try:
            said = json.loads(data.decode())
            if said["format"] != _FORMAT:
                raise ValueError(said["format"])
            version = said["version"]
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise not_an_archive(name) from error
        if version != _VERSION:
            raise FileRefusedError(
                name,
                CellError(
                    f"this archive has version {cut(str(version))}",
                    f"このアーカイブは版 {cut(str(version))} です",
                    expected=f"version {_VERSION}; a newer Koatsu may read it",
                    expected_ja=f"版 {_VERSION}(新しい版の Koatsu なら読めることがあります)",
                ),
            )
        try:
            return cls._read(said, suffix)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise not_an_archive(name) from error

    @classmethod
    def _read(cls, said: dict[str, Any], suffix: str) -> Manifest:
        def day(text: str | None) -> date | None:
            return None if text is None else day_of_text(text)

        meter_id = said["meter"]
        if not _ID.fullmatch(said["store"]) or not (meter_id is None or isinstance(meter_id, str)):
            raise ValueError("store or meter")
        entries = [
            Entry(name=file["name"], rows=file["rows"], sha256=file["sha256"]) for file in said["files"]
        ]
        for entry, table in zip(entries, TABLES, strict=True):
            if entry.name != table + suffix or not _SHA256.fullmatch(entry.sha256):
                raise ValueError(entry.name)
            if isinstance(entry.rows, bool) or not isinstance(entry.rows, int) or entry.rows < 0:
                raise ValueError(entry.rows)
        scope = Scope(first=day(said["from"]), last=day(said["to"]), meter_id=meter_id)
        return cls(store=said["store"], scope=scope, entries=tuple(entries))


def not_an_archive(name: str) -> FileRefusedError:
    """The sentence for a file or folder without a manifest that can be read."""
    return FileRefusedError(
        name,
        CellError(
            "this is not an archive of Koatsu",
            "Koatsu のアーカイブではありません",
            expected="a zip file, or a folder of Parquet files, that “koatsu export” has written",
            expected_ja="「koatsu export」で作った zip ファイル、または Parquet のフォルダー",
        ),
    )
