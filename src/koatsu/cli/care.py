"""Commands that look after a site: doctor, and the look of a supervisor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from koatsu.cli.main import app, language, run
from koatsu.cli.output import notes, print_json, print_line, watched

if TYPE_CHECKING:
    from koatsu.app.doctor import Finding

__all__: list[str] = []

_CONFIG = Path("koatsu.toml")
_MARKS = {"ok": "✓", "wanting": "✗", "unknown": "–"}


@app.command(epilog="Example: koatsu doctor -c koatsu.toml")
def doctor(
    address: Annotated[
        str | None, typer.Argument(help="Look at this terminal alone, without a configuration.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="The configuration; koatsu.toml by default.")
    ] = None,
    profile: Annotated[
        str | None, typer.Option("--link-profile", help="How long to wait for answers: name or file.")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", help="Our own address; the route decides by default.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="For programs: every step as it was found.")
    ] = False,
) -> None:
    """Why does no data arrive? Step by step, from the cable to the page."""
    from koatsu.app.doctor import exit_status

    path = config or (None if address is not None else _CONFIG)
    found = run(_examined(path, address, profile, source, aloud=not as_json))
    if as_json:
        print_json([one.as_json() for one in found])
    status = exit_status(found)
    if status:
        raise typer.Exit(status)


@app.command(epilog="Example: koatsu healthcheck -c /etc/koatsu/koatsu.toml")
def healthcheck(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration; see koatsu init.")
    ] = _CONFIG,
) -> None:
    """Ask the running program whether it can do its work; for supervisors and containers."""
    from koatsu.app.health_check import health_of, health_words

    found = health_of(config)
    print_line(health_words(found))
    if not found.working:
        raise typer.Exit(1)


async def _examined(
    path: Path | None, address: str | None, profile: str | None, source: str | None, *, aloud: bool
) -> list[Finding]:
    """Every finding; told one by one while the next is looked for."""
    from koatsu.app.doctor import examine

    lang, found, shown = language(), [], ""
    looking = notes.status("調べています" if lang == "ja" else "Looking") if aloud and watched() else None
    if looking is not None:
        looking.start()
    try:
        async for finding in examine(path, address, profile=profile, source=source):
            found.append(finding)
            if aloud:
                shown = _tell(finding, shown, lang)
    finally:
        if looking is not None:
            looking.stop()
    return found


def _tell(finding: Finding, heading: str, lang: str) -> str:
    """Print a finding, below the name of its meter where that is a new one; the heading that stands now."""
    wanted = finding.meter or ""
    if wanted and wanted != heading:
        print_line(f"[{wanted}]")
    title = finding.title(lang)
    print_line(f"{_MARKS[str(finding.verdict)]} {title}: {finding.sentence(lang)}")
    if finding.advice(lang):
        print_line(f"    → {finding.advice(lang)}")
    return wanted or heading
