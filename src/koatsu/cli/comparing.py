"""``koatsu compare pulse``: the pulse service beside the register of the B-route, slot by slot."""

from __future__ import annotations

import sys
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from koatsu.cli.main import app, language
from koatsu.cli.output import print_table, say, waiting

__all__: list[str] = []

compare_app = typer.Typer(
    name="compare",
    no_args_is_help=True,
    help="One source beside another, and why they differ.",
    epilog="Example: koatsu compare pulse --day 2026-07-15",
)
app.add_typer(compare_app)


class Format(StrEnum):
    """How the comparison is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"


@compare_app.callback()
def _group() -> None:
    """One source beside another, and why they differ."""


@compare_app.command(epilog="Example: koatsu compare pulse --meter buy --day 2026-07-15")
def pulse(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration; see koatsu init.")
    ] = Path("koatsu.toml"),
    meter: Annotated[
        str | None, typer.Option("--meter", help="Id of the meter; the first with a detector by default.")
    ] = None,
    day: Annotated[
        datetime | None,
        typer.Option("--day", formats=["%Y-%m-%d"], help="JST day; the newest with pulses by default."),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Pulses with their times, JSON lines, instead of the store.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="table, csv or json.")] = Format.TABLE,
) -> None:
    """Pulse energy of each slot beside the register, and why they differ; status 1: something is wrong."""
    from koatsu.app import comparing, pulse_tables

    lang = language()
    chosen: date | None = None if day is None else day.date()
    with waiting("比べています", "Comparing"):
        found = comparing.compare_pulses(config, meter, chosen, file)
    if form is Format.CSV:
        sys.stdout.write(pulse_tables.csv_text(found))
    elif form is Format.JSON:
        sys.stdout.write(pulse_tables.json_text(found))
    else:
        print_table(pulse_tables.headings(lang), pulse_tables.rows(found, lang), right=(1, 2, 3, 4, 5))
        for sentence in pulse_tables.words(found, lang):
            say(sentence)
    if found.faulty:
        raise typer.Exit(1)
