"""What ``koatsu desk import`` and ``koatsu desk verify`` do; both may run while the desk does."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from koatsu.app.auditing import noted
from koatsu.app.desk_opening import open_desk
from koatsu.app.desk_people import people_of_desk
from koatsu.app.desk_settings import desk_config
from koatsu.clock import JST, SystemClock
from koatsu.desk import SYSTEM
from koatsu.desk.imports import SHEETS, ImportReport, Register, refused_csv
from koatsu.desk.trail import CASES, REGISTERS
from koatsu.errors import UsageError
from koatsu.people import CONSOLE, AuditFinding

__all__ = ["Chain", "import_file", "register_named", "registers", "report_json", "verify", "write_refused"]

Progress = Callable[[int, int], object]
_NAMES: Final = {CASES: "events", REGISTERS: "registers"}


def registers(lang: str) -> list[str]:
    """Every register, as its name on the command line and as people call it."""
    return [f"{register.value}  {sheet.words.text(lang)}" for register, sheet in SHEETS.items()]


def register_named(text: str) -> Register:
    """The register with that name.

    Raises:
        UsageError: there is none.
    """
    wanted = text.strip().lower().replace("-", "_")
    try:
        return Register(wanted)
    except ValueError:
        names = ", ".join(Register)
        raise UsageError(
            f"There is no register {text}.",
            ja=f"台帳 {text} はありません。",
            hint=f"Registers are: {names}.",
            hint_ja=f"台帳は {names} です。",
        ) from None


def import_file(
    config: Path, register: Register, file: Path, *, dry_run: bool, progress: Progress
) -> ImportReport:
    """Bring a CSV file into a register, or see what would come of it.

    Raises:
        ConfigError: the configuration is wrong or not there.
        UsageError: the file cannot be read.
        ImportRefusedError: it is no such file.
        DeskStoreError, DeskSettingError: the desk cannot be opened.
    """
    settings = desk_config(config)
    try:
        data = file.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"{file} cannot be read: {reason}.", ja=f"{file} を読めません({reason})。"
        ) from error
    with open_desk(settings, SystemClock()) as desk:
        report = desk.registers.import_file(
            register, data, file.name, author=CONSOLE.reference, dry_run=dry_run, on_rows=progress
        )
    if not dry_run:
        counts = {"new": report.new, "changed": report.changed, "refused": report.refused}
        detail = {name: str(number) for name, number in counts.items()}
        noted(settings, "file_imported", f"register:{register.value}", detail)
    return report


def write_refused(report: ImportReport, target: Path, lang: str) -> None:
    """Write the refused rows as CSV.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        target.write_bytes(refused_csv(report, lang))
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"{target} cannot be written: {reason}.", ja=f"{target} に書き込めません({reason})。"
        ) from error


def report_json(report: ImportReport) -> dict[str, Any]:
    """A report for programs; values are cut and supply point numbers masked, as in every report."""
    known = report.known_since
    return {
        "register": report.register.value,
        "file": report.name,
        "encoding": report.encoding,
        "dry_run": report.dry_run,
        "rows": report.rows,
        "new": report.new,
        "changed": report.changed,
        "same": report.same,
        "refused": report.refused,
        "ignored_columns": list(report.ignored),
        "known_since": None if known is None else known.astimezone(JST).isoformat(),
        "refusals": [
            {
                "row": one.row,
                "column": None if one.column is None else one.column.en,
                "column_ja": None if one.column is None else one.column.ja,
                "value": one.value,
                "en": one.words.en,
                "ja": one.words.ja,
            }
            for one in report.refusals
        ],
    }


# --- the chains -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A chain of entries that was gone through."""

    name: str  #: "events", "registers" or "audit"
    entries: int  #: number of the last one
    head: str  #: its hash
    finding: AuditFinding | None  #: what is wrong with it first; None: nothing

    def title(self, lang: str) -> str:
        """What people call it."""
        ja, en = {
            "events": ("案件の経過", "events of cases"),
            "registers": ("台帳の記録", "events of registers"),
            "audit": ("操作記録", "audit log"),
        }[self.name]
        return ja if lang == "ja" else en

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        wrong = self.finding
        return {
            "chain": self.name,
            "entries": self.entries,
            "head": self.head,
            "sound": wrong is None,
            "finding": None if wrong is None else {"kind": wrong.kind.value, "entry": wrong.seq},
        }


def verify(config: Path, expected: str | None = None) -> list[Chain]:
    """Go through the events of all cases and of the registers, and through the audit log of people.

    Args:
        config: the configuration.
        expected: a hash of an event that was noted before; some event must have it.

    Raises:
        ConfigError: the configuration is wrong or not there.
        UsageError: there is no store yet.
        DeskStoreError, PeopleStoreError, DeskSettingError: a store cannot be opened.
    """
    settings = desk_config(config)
    where = settings.store.path
    if "://" not in where and not Path(where).exists():
        raise UsageError(
            f"There is no store {where} yet.",
            ja=f"保存先 {where} がまだありません。",
            hint="koatsu desk makes it.",
            hint_ja="koatsu desk が作ります。",
        )
    with open_desk(settings, SystemClock()) as desk, closing(people_of_desk(settings)) as people:
        last, head = people.audit.head()
        return [
            *(
                Chain(name=_NAMES[one.chain], entries=one.entries, head=one.head, finding=one.finding)
                for one in desk.trail.verify(SYSTEM, expected)
            ),
            Chain(name="audit", entries=last, head=head, finding=people.audit.verify()),
        ]
