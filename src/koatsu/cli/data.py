"""``koatsu export`` and ``koatsu import``: data out, and other people's data in beside the meter's."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from koatsu.cli.main import app, language
from koatsu.cli.output import print_json, print_line, print_table, progress_bar, say
from koatsu.clock import SystemClock
from koatsu.errors import UsageError

if TYPE_CHECKING:
    from koatsu.ems.exchange import ArchiveReport, ImportReport

__all__: list[str] = []

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration; see koatsu init.")]
_CONFIG = Path("koatsu.toml")
_LISTED: Final = 20
_KINDS: Final = ("auto", "archive", "retailer-csv", "occto-xml")
_ENCODINGS: Final = ("auto", "utf-8", "cp932")
_TIMES: Final = ("auto", "start", "end")


@app.command(epilog="Example: koatsu export --from 2026-04-01 --to 2026-04-30 --meter main -o april.csv")
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write; a folder for parquet.")],
    config: ConfigFile = _CONFIG,
    first: Annotated[str | None, typer.Option("--from", help="First day, 2026-04-01.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day.")] = None,
    meter: Annotated[str | None, typer.Option("--meter", help="Which meter; main.reverse for sold.")] = None,
    form: Annotated[
        str, typer.Option("--format", help="csv: slots for people; archive, parquet: everything, exactly.")
    ] = "csv",
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file of that name.")] = False,
) -> None:
    """Write slots as CSV, or the whole store as an archive that koatsu import reads back exactly."""
    from koatsu.app import data

    with progress_bar("書き出し中", "Exporting") as progress:
        rows = data.export(
            config, form, output, first=_day("--from", first), last=_day("--to", last), meter_id=meter,
            clock=SystemClock(), replace=replace, progress=progress,
        )  # fmt: skip
    say(
        f"{output} に {rows:,} 行を書き出しました。"
        if language() == "ja"
        else f"Wrote {rows:,} rows to {output}."
    )


@app.command(name="import", epilog="Example: koatsu import 2026-04.csv --meter main")
def import_(
    file: Annotated[
        Path | None, typer.Argument(help="CSV, XML, zip, or a folder of Parquet files.", show_default=False)
    ] = None,
    config: ConfigFile = _CONFIG,
    kind: Annotated[str, typer.Option("--kind", help="auto, archive, retailer-csv or occto-xml.")] = "auto",
    meter: Annotated[
        str | None, typer.Option("--meter", help="Whose energy the file states; main.reverse for sold.")
    ] = None,
    encoding: Annotated[str, typer.Option("--encoding", help="auto, utf-8 or cp932.")] = "auto",
    times: Annotated[
        str,
        typer.Option("--times", help="start or end: what a bare time names, where the file leaves it open."),
    ] = "auto",
    point: Annotated[
        str, typer.Option("--point", help="Last digits of the supply point, where a file holds several.")
    ] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would happen; change nothing.")
    ] = False,
    listing: Annotated[bool, typer.Option("--list", help="List what was imported, and stop.")] = False,
    forget: Annotated[
        int | None, typer.Option("--forget", help="Take the file of this number out again, and stop.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: exact values as strings.")] = False,
) -> None:
    """Bring in an archive, or a retailer's energies beside the meter's; the meter's values stay."""
    from koatsu.app import data
    from koatsu.ems.exchange import FileChoice

    if listing:
        _list(config, as_json=as_json)
        return
    if forget is not None:
        name = data.forget(config, forget, clock=SystemClock())
        say(f"{name} を取り消しました。" if language() == "ja" else f"{name} was taken out.")
        return
    if file is None:
        raise UsageError(
            "Which file?",
            ja="ファイルを指定してください。",
            hint="koatsu import FILE",
            hint_ja="koatsu import ファイル",
        )
    choice = FileChoice(
        kind=_one_of("--kind", kind, _KINDS), meter_id=meter, stamps=_one_of("--times", times, _TIMES),
        encoding=_one_of("--encoding", encoding, _ENCODINGS), point=point,
    )  # fmt: skip
    with progress_bar("取り込み中", "Importing") as progress:
        report = data.bring_in(config, file, choice, clock=SystemClock(), dry_run=dry_run, progress=progress)
    if as_json:
        print_json(data.report_json(report))
    else:
        for line in data.report_words(report, language(), dry_run=dry_run):
            print_line(line)
        _contradictions(report)
    if _wanting(report):
        raise typer.Exit(1)


def _wanting(report: ImportReport | ArchiveReport) -> bool:
    from koatsu.ems.exchange import ArchiveReport

    if isinstance(report, ArchiveReport):
        return bool(report.differing or report.left_out)
    return bool(report.comparison.contradicting)


def _contradictions(report: ImportReport | ArchiveReport) -> None:
    from koatsu.ems.exchange import ArchiveReport
    from koatsu.meter import plain

    ja = language() == "ja"
    if isinstance(report, ArchiveReport):
        total = report.differing
        headings = ("表", "どれ", "保存済み", "アーカイブ") if ja else ("table", "which", "stored", "archive")
        rows: list[tuple[str, ...]] = [
            (one.table, " ".join(one.key), one.here, one.there) for one in report.listed[:_LISTED]
        ]
        right: tuple[int, ...] = ()
    else:
        total = report.comparison.contradicting
        headings = (
            ("時限", "計器 kWh", "ファイル kWh", "差 kWh")
            if ja
            else ("half hour", "meter kWh", "file kWh", "difference kWh")
        )
        rows = [
            (str(one.slot), *("" if value is None else plain(value) for value in (one.meter_kwh, one.file_kwh,
                                                                                 one.difference_kwh)))
            for one in report.comparison.listed[:_LISTED]
        ]  # fmt: skip
        right = (1, 2, 3)
    if rows:
        print_table(headings, rows, right=right)
    if total > len(rows):
        print_line(f"ほか {total - len(rows):,} 件" if ja else f"and {total - len(rows):,} more")


def _list(config: Path, *, as_json: bool) -> None:
    from koatsu.app import data

    known = data.files(config, clock=SystemClock())
    if as_json:
        print_json([
            {"number": one.file.id, "file": one.file.name, "kind": one.file.kind, "channel": one.file.channel,
             "rows": one.file.rows, "first_start": one.first.start_jst.isoformat(),
             "last_end": one.last.end_jst.isoformat(), "at": one.file.at.isoformat()}
            for one in known
        ])  # fmt: skip
        return
    headings = (
        ("番号", "ファイル", "種類", "計器", "コマ", "期間")
        if language() == "ja"
        else ("number", "file", "kind", "meter", "half hours", "span")
    )
    rows = [
        (str(one.file.id), one.file.name, one.file.kind, one.file.channel, f"{one.file.rows:,}",
         f"{one.first.day} – {one.last.day}")
        for one in known
    ]  # fmt: skip
    print_table(headings, rows, right=(0, 4))


def _day(option: str, text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} {text!r} is not a day.",
            ja=f"{option} {text!r} は日付ではありません。",
            hint="Write 2026-04-01.",
            hint_ja="2026-04-01 のように書いてください。",
        ) from None


def _one_of(option: str, text: str, allowed: tuple[str, ...]) -> Any:
    """One of the words of an option; ``Any``, for each caller knows its words as a type."""
    if text in allowed:
        return text
    raise UsageError(
        f"{option} cannot be {text!r}.",
        ja=f"{option} に {text!r} は指定できません。",
        hint=f"Allowed: {', '.join(allowed)}.",
        hint_ja=f"書けるもの: {', '.join(allowed)}",
    )
