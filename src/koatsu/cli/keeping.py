"""``koatsu backup``, ``koatsu restore``, ``koatsu verify``: keeping what was read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from koatsu.cli.main import app, language
from koatsu.cli.output import print_line, print_table, progress_bar, say
from koatsu.clock import JST, SystemClock

if TYPE_CHECKING:
    from koatsu.ems.store import Finding, Manifest, Restored

__all__: list[str] = []

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The configuration; see koatsu init.")]
_CONFIG = Path("koatsu.toml")
_LISTED = 20


@app.command(epilog="Example: koatsu backup koatsu-2026-07-22.backup")
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    config: ConfigFile = _CONFIG,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file of that name.")] = False,
) -> None:
    """Write everything that is stored into one file, while koatsu run goes on."""
    from koatsu.app.keeping import back_up

    with progress_bar("バックアップ中", "Backing up") as progress:
        made = back_up(config, file, clock=SystemClock(), replace=replace, progress=progress)
    size = file.stat().st_size / 1e6
    if language() == "ja":
        print_line(f"{file} ({size:.1f} MB)に {made.readings:,} 件の指示値を書き出しました。")
    else:
        print_line(f"Written: {file} ({size:.1f} MB), counts: {made.readings:,}.")


@app.command(epilog="Example: koatsu restore koatsu-2026-07-22.backup")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that koatsu backup has written.")],
    config: ConfigFile = _CONFIG,
    replace: Annotated[
        bool, typer.Option("--replace", help="The backup takes the place of the store, which is put aside.")
    ] = False,
    site: Annotated[
        str | None, typer.Option("--site", help="Name of the other site whose backup it is.")
    ] = None,
) -> None:
    """Add what a backup has and the store lacks; contradictions are listed, nothing is overwritten."""
    from koatsu.app import keeping

    with progress_bar("復元中", "Restoring") as progress:
        done = keeping.restore(
            config, file, clock=SystemClock(), replace=replace, site=site, progress=progress
        )
    for line in keeping.restored_words(done, language()):
        print_line(line)
    _list_clashes(done)
    if done.contradictions:
        raise typer.Exit(1)


@app.command(epilog="Example: koatsu verify")
def verify(
    file: Annotated[Path | None, typer.Argument(help="A backup; the store when left out.")] = None,
    config: ConfigFile = _CONFIG,
) -> None:
    """Look at every page and row of the store, or of a backup; mend what is safe, say what to do else."""
    from koatsu.app import keeping

    found: tuple[Finding, ...]
    with progress_bar("確認中", "Checking") as progress:
        if file is None:
            found = keeping.verify(config)
        else:
            manifest, found = keeping.verify_backup(file, progress=progress)
            _describe(manifest)
    for one in found:
        print_line(one.text(language()))
    if not found:
        print_line("異常はありません。" if language() == "ja" else "All is sound.")
    if any(not one.mended for one in found):
        raise typer.Exit(1)


def _describe(manifest: Manifest) -> None:
    names = ", ".join(manifest.sites.values()) or manifest.store
    if language() == "ja":
        print_line(f"{names}、{manifest.made_at}、指示値 {manifest.readings:,} 件、版 {manifest.version}")
    else:
        print_line(f"{names}, {manifest.made_at}, counts: {manifest.readings:,}, version {manifest.version}")


def _list_clashes(done: Restored) -> None:
    if not done.clashes:
        return
    ja = language() == "ja"
    headings = (
        ("計器", "種類", "時刻", "保存済み", "バックアップ")
        if ja
        else ("meter", "value", "time", "stored", "backup")
    )
    rows = [
        (meter, clash.name, clash.instant.astimezone(JST).isoformat(), str(clash.kept), str(clash.other))
        for meter, clash in done.clashes[:_LISTED]
    ]
    print_table(headings, rows, right=(3, 4))
    left = len(done.clashes) - _LISTED
    if left > 0:
        say(f"ほか {left:,} 件" if ja else f"and {left:,} more")
