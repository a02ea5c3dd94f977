"""What ``koatsu export`` and ``koatsu import`` do; both may run while ``koatsu run`` does.

A file appears under its name when it is whole: it is written beside it first.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal

from koatsu.app.auditing import noted
from koatsu.clock import Clock
from koatsu.config import Config, load_config
from koatsu.ems.channels import Channel
from koatsu.ems.exchange import (
    ArchiveReport,
    DataDesk,
    FileChoice,
    ImportReport,
    KnownFile,
    Scope,
    SlotComparison,
    Verdict,
    export_parquet,
    export_zip,
)
from koatsu.ems.store import Store, StoreError, StoreErrorKind
from koatsu.errors import UsageError
from koatsu.meter import plain
from koatsu.people import CONSOLE

__all__ = [
    "FORMATS",
    "Format",
    "Progress",
    "bring_in",
    "export",
    "files",
    "forget",
    "report_json",
    "report_words",
]

Format = Literal["csv", "archive", "parquet"]
Progress = Callable[[int, int], object]

FORMATS: Final = ("csv", "archive", "parquet")


def export(
    config: Path,
    form: str,
    target: Path,
    *,
    first: date | None,
    last: date | None,
    meter_id: str | None,
    clock: Clock,
    replace: bool,
    progress: Progress,
) -> int:
    """Write the store that the configuration names, or a part of it, to a file or a folder.

    Args:
        config: the configuration.
        form: one of :data:`FORMATS`.
        target: the file ("csv", "archive") or the folder ("parquet").
        first: the first JST day; ``None``: from the beginning.
        last: the last one; ``None``: to the end.
        meter_id: one channel ("csv") or one meter; ``None``: the only one, or all.
        clock: our time.
        replace: a file of that name may be replaced.
        progress: called with what is done and what there is.

    Returns:
        How many rows were written, headings not counted.

    Raises:
        UsageError: there is nothing to write, the target is there already or cannot be written.
        StoreError: the store cannot be read.
    """
    if form not in FORMATS:
        raise UsageError(
            f"There is no format {form!r}.",
            ja=f"形式 {form!r} はありません。",
            hint=f"Allowed: {', '.join(FORMATS)}.",
            hint_ja=f"書けるもの: {', '.join(FORMATS)}",
        )
    if first is not None and last is not None and first > last:
        raise UsageError(f"{first} lies after {last}.", ja=f"{first} が {last} より後です。")
    with _opened(config, clock) as desk, _beside(target, folder=form == "parquet", replace=replace) as part:
        if form == "csv":
            return _slots(desk, part, meter_id, first, last, progress)
        meter = None if meter_id is None else desk.channel(meter_id).meter_id
        scope = Scope(first=first, last=last, meter_id=meter)
        if form == "parquet":
            manifest = export_parquet(desk.store, part, scope, on_rows=progress)
        else:
            with part.open("wb") as out:
                manifest = export_zip(desk.store, out, scope, on_rows=progress)
        return sum(entry.rows for entry in manifest.entries)


def _slots(
    desk: DataDesk,
    part: Path,
    meter_id: str | None,
    first: date | None,
    last: date | None,
    progress: Progress,
) -> int:
    channel = desk.channel(meter_id)
    file = desk.slot_csv(channel, first, last)
    lines = 0
    with part.open("wb") as out:
        for done, piece in enumerate(file.pieces):
            out.write(piece)
            lines += piece.count(b"\n")
            progress(done, file.following)
    return lines - 1


def bring_in(
    config: Path, file: Path, choice: FileChoice, *, clock: Clock, dry_run: bool, progress: Progress
) -> ImportReport | ArchiveReport:
    """Bring a file, or an archive of Parquet files in a folder, into the store of the configuration.

    Raises:
        FileRefusedError: something is wrong with the file; nothing was imported.
        UsageError: the file cannot be read, or the channel cannot be chosen.
        StoreError: the store cannot be used.
    """
    with _opened(config, clock, new=True) as desk, _read_from(file) as source:
        report = desk.take_in(
            source, file.name, choice, author=CONSOLE.reference, dry_run=dry_run, on_rows=progress
        )
    if not dry_run:
        _note(load_config(config), report)
    return report


@contextmanager
def _read_from(file: Path) -> Iterator[Path | BinaryIO]:
    """The open file; a folder as it is."""
    if file.is_dir():
        yield file
        return
    try:
        source = file.open("rb")
    except OSError as error:
        raise UsageError(
            f"{file} cannot be read: {error.strerror}.", ja=f"{file} を読めません({error.strerror})。"
        ) from error
    with source:
        yield source


def _note(settings: Config, report: ImportReport | ArchiveReport) -> None:
    """Enter an import into the audit log, in the words of the page; what changed nothing is none."""
    if isinstance(report, ArchiveReport):
        noted(settings, "archive_imported", detail={"rows": str(report.new)})
    elif not report.known:
        detail = {"number": str(report.file.id), "rows": str(report.file.rows)}
        noted(settings, "file_imported", _meter(report.file.channel), detail)


def _meter(channel: str) -> str:
    """How the audit log calls the meter of a channel."""
    return f"meter:{Channel.parse(channel).meter_id}"


def files(config: Path, *, clock: Clock) -> tuple[KnownFile, ...]:
    """The files that were brought in, the newest first."""
    with _opened(config, clock) as desk:
        return desk.files()


def forget(config: Path, file_id: int, *, clock: Clock) -> str:
    """Take a file out again; its name comes back.

    Raises:
        UsageError: there is none of that id.
    """
    with _opened(config, clock) as desk:
        gone = desk.forget(file_id, author=CONSOLE.reference)
    noted(load_config(config), "import_forgotten", _meter(gone.channel), {"number": str(file_id)})
    return gone.name


@contextmanager
def _opened(config: Path, clock: Clock, *, new: bool = False) -> Iterator[DataDesk]:
    where = load_config(config).store.path
    if not new and "://" not in where and not Path(where).exists():
        raise StoreError(StoreErrorKind.CANNOT_OPEN, where, os.strerror(2))
    with Store.open(where) as store:
        yield DataDesk(store, clock)


@contextmanager
def _beside(target: Path, *, folder: bool, replace: bool) -> Iterator[Path]:
    """A file or folder beside ``target`` that takes its name when the block ends well."""
    if target.exists() and not replace:
        raise UsageError(
            f"{target} is there already.",
            ja=f"{target} は既にあります。",
            hint="Name another file, or say --replace.",
            hint_ja="別の名前にするか、--replace を付けてください。",
        )
    part = target.with_name(f".{target.name}.part")
    try:
        _remove(part)
        if folder:
            part.mkdir()
        yield part
        _remove(target)
        part.replace(target)
    except OSError as error:
        raise UsageError(
            f"{target} cannot be written: {error.strerror or error}.",
            ja=f"{target} に書き込めません({error.strerror or error})。",
        ) from error
    finally:
        _remove(part)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


# --- what it did, in words and for programs -----------------------------------------------------------------


def report_words(report: ImportReport | ArchiveReport, lang: str, *, dry_run: bool = False) -> list[str]:
    """What an import did, or would do, line by line."""
    ja = lang == "ja"
    lines = _archive_words(report, ja) if isinstance(report, ArchiveReport) else _file_words(report, ja)
    if dry_run:
        lines.append(
            "試しに読んだだけで、何も変えていません。" if ja else "This was a trial: nothing was changed."
        )
    return lines


def _archive_words(report: ArchiveReport, ja: bool) -> list[str]:
    lines = [
        f"追加 {report.new:,} 行、既にあったもの {report.same:,} 行。"
        if ja
        else f"Added {report.new:,} rows; {report.same:,} were there already."
    ]
    if report.differing:
        lines.append(
            f"保存済みの値と違うものが {report.differing:,} 件あります。保存済みの値はそのままです。"
            if ja
            else f"{report.differing:,} values contradict what is stored; nothing was overwritten."
        )
    if report.left_out:
        lines.append(
            f"どの計器のものか決められない {report.left_out:,} 行は取り込んでいません。"
            if ja
            else f"{report.left_out:,} rows were left out: they may be of another meter."
        )
    return lines


def _file_words(report: ImportReport, ja: bool) -> list[str]:
    file, seen = report.file, report.comparison
    if report.known:
        lines = [
            f"{file.name} は取り込み済みです(番号 {file.id})。何も変えていません。"
            if ja
            else f"{file.name} was imported before (number {file.id}); nothing was changed."
        ]
    else:
        number = f"(番号 {file.id})" if file.id and ja else f" (number {file.id})" if file.id else ""
        lines = [
            f"{file.name}{number}: {report.first} から {report.last} まで {file.rows:,} コマ、"
            f"{plain(report.energy_kwh)} kWh、値のないコマ {report.empty:,}。"
            if ja
            else f"{file.name}{number}: {file.rows:,} half hours from {report.first} to {report.last},"
            f" {plain(report.energy_kwh)} kWh, {report.empty:,} without a value."
        ]
    if report.revised:
        lines.append(
            f"以前のファイルと違うコマが {report.revised:,} あります。どちらも残します。"
            if ja
            else f"{report.revised:,} half hours differ from an earlier file; both files are kept."
        )
    tally = seen.tally
    lines.append(
        f"計器と比べて: 一致 {tally[Verdict.EQUAL]:,}、1 カウント未満の差 {seen.within_count:,}、"
        f"食い違い {seen.contradicting:,}、ファイルだけ {tally[Verdict.ONLY_FILE]:,}、"
        f"計器だけ {tally[Verdict.ONLY_METER]:,} コマ。計器の値は変わりません。"
        if ja
        else f"Beside the meter: {tally[Verdict.EQUAL]:,} equal, {seen.within_count:,} within one count,"
        f" {seen.contradicting:,} contradict it, {tally[Verdict.ONLY_FILE]:,} in the file alone,"
        f" {tally[Verdict.ONLY_METER]:,} in the meter alone. The meter's values are untouched."
    )
    return lines


def report_json(report: ImportReport | ArchiveReport) -> dict[str, Any]:
    """The same for programs: exact values as strings, with their unit in the name."""
    if isinstance(report, ArchiveReport):
        return {
            "kind": "archive",
            "store": report.manifest.store,
            "new": report.new,
            "same": report.same,
            "differing": report.differing,
            "left_out": report.left_out,
            "differences": [
                {"table": one.table, "key": list(one.key), "stored": one.here, "archive": one.there}
                for one in report.listed
            ],
        }
    seen = report.comparison
    return {
        "kind": report.file.kind,
        "file": report.file.name,
        "number": report.file.id or None,
        "known": report.known,
        "channel": report.file.channel,
        "first_start": report.first.start_jst.isoformat(),
        "last_end": report.last.end_jst.isoformat(),
        "rows": report.file.rows,
        "empty": report.empty,
        "energy_kwh": plain(report.energy_kwh),
        "new": report.new,
        "same": report.same,
        "revised": report.revised,
        "comparison": {
            **{verdict.value: seen.tally[verdict] for verdict in Verdict},
            "within_count": seen.within_count,
            "contradicting": seen.contradicting,
            "both_meter_kwh": plain(seen.meter_kwh),
            "both_file_kwh": plain(seen.file_kwh),
            "contradictions": [_slot_json(one) for one in seen.listed],
        },
    }


def _slot_json(one: SlotComparison) -> dict[str, str | None]:
    return {
        "slot_start": one.slot.start_jst.isoformat(),
        "meter_kwh": None if one.meter_kwh is None else plain(one.meter_kwh),
        "file_kwh": None if one.file_kwh is None else plain(one.file_kwh),
        "difference_kwh": None if one.difference_kwh is None else plain(one.difference_kwh),
        "quality": one.state.value,
    }
