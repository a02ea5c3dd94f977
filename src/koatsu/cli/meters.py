"""Commands that look at meters: discover, read, history, spec, init."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from koatsu.app import exploring, setting_up
from koatsu.cli.main import app, language, run
from koatsu.cli.output import notes, print_json, print_line, print_table, say, waiting, watched
from koatsu.devices import SPEC_COLUMNS, device_class, spec_headings, spec_rows
from koatsu.errors import KoatsuError, UsageError

__all__: list[str] = []

_WIDE = frozenset({"layout", "values", "selector", "note"})  # left out unless asked for

Address = Annotated[
    str, typer.Argument(help="Address of the terminal, for example 192.0.2.10 or fe80::1%eth0.")
]
From = Annotated[str | None, typer.Option("--from", help="Our own address; the route decides by default.")]
ClassOption = Annotated[
    str | None, typer.Option("--class", help="028A, 028F, 0288 or 028D; found out by default.")
]
Instance = Annotated[int, typer.Option("--instance", min=1, max=127, help="Which of several meters.")]
Profile = Annotated[str, typer.Option("--link-profile", help="Timers and limits: name or file.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs: exact values as strings, with unit.")]


def _unheard(error: KoatsuError) -> None:
    """An own address that cannot be searched from, while others can."""
    say(error.text(language()))


def _class_code(text: str | None) -> int | None:
    return None if text is None else device_class(text).code


@app.command(epilog="Example: koatsu discover --also 192.0.2.10")
def discover(
    interface: Annotated[
        str, typer.Option("--interface", "-i", help="Network interface, for example eth0.")
    ] = "",
    also: Annotated[
        list[str] | None, typer.Option("--also", help="Address to ask directly; may be repeated.")
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0.1, help="Collect answers for so many seconds.")
    ] = 3.0,
    source: From = None,
    as_json: AsJson = False,
) -> None:
    """Show who is on the wire: address, class, maker, serial number."""
    with waiting("応答を待っています", "Waiting for answers"):
        rows = run(
            exploring.discover_rows(
                interface=interface, also=also or [], wait_s=wait, source=source, unheard=_unheard
            )
        )
    if as_json:
        print_json([row.as_json() for row in rows])
    elif rows:
        ja = language() == "ja"
        headings = (
            ("アドレス", "クラス", "名称", "メーカ", "製造番号")
            if ja
            else ("address", "object", "class", "maker", "serial")
        )
        print_table(headings, [row.as_row("ja" if ja else "en") for row in rows])
    if not rows:
        say(
            "応答がありません。ケーブルを確かめるか、--also でアドレスを指定してください。"
            if language() == "ja"
            else "Nobody answered. Check cable and interface, or name an address with --also."
        )
        raise typer.Exit(3)


@app.command(epilog="Example: koatsu read 127.0.0.2 energy_now demand_slot")
def read(
    address: Address,
    names: Annotated[
        list[str] | None, typer.Argument(help="Property names or codes (E2); all by default.")
    ] = None,
    class_code: ClassOption = None,
    instance: Instance = 1,
    profile: Profile = "hv-assumed",
    source: From = None,
    as_json: AsJson = False,
) -> None:
    """Read one meter in engineering units."""
    with waiting("計器に問い合わせています", "Asking the meter"):
        reading = run(
            exploring.read_meter(
                address,
                names or [],
                class_code=_class_code(class_code),
                instance=instance,
                profile=profile,
                source=source,
            )
        )
    if as_json:
        print_json(reading.as_json())
    else:
        lang = language()
        print_line(reading.heading(lang))
        print_table(reading.headings(lang), reading.rows(lang), right=(2,))
    if reading.refused:
        names_refused = ", ".join(reading.refused)
        say(f"拒否: {names_refused}" if language() == "ja" else f"Refused by the meter: {names_refused}")
        raise typer.Exit(1)


@app.command(epilog="Example: koatsu history 127.0.0.2 --days 1..7 --format csv -o week.csv")
def history(
    address: Address,
    days: Annotated[
        str, typer.Option("--days", help="Days back, A..B or one; 0 is the meter's today.")
    ] = "1..1",
    form: Annotated[str, typer.Option("--format", help="csv, json or parquet.")] = "csv",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File; standard output by default.")
    ] = None,
    class_code: ClassOption = None,
    instance: Instance = 1,
    profile: Profile = "hv-assumed",
    source: From = None,
) -> None:
    """Read day histories out of one meter, slot by slot."""
    first, last = _days(days)
    if form not in exploring.FORMATS:
        allowed = ", ".join(exploring.FORMATS)
        raise UsageError(
            f"There is no format {form!r}.", ja=f"形式 {form!r} はありません。",
            hint=f"Allowed: {allowed}.", hint_ja=f"書けるもの: {allowed}",
        )  # fmt: skip
    if form == "parquet" and output is None:
        raise UsageError(
            "A parquet file needs a place.", ja="parquet には出力先のファイルが要ります。",
            hint="Add: --output history.parquet", hint_ja="--output history.parquet を付けてください。",
        )  # fmt: skip
    with Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
        console=notes, disable=not watched(), transient=True,
    ) as progress:  # fmt: skip
        task = progress.add_task("日" if language() == "ja" else "days", total=last - first + 1)
        report = run(
            exploring.read_history(
                address, first, last, class_code=_class_code(class_code), instance=instance, profile=profile,
                source=source, on_day=lambda: progress.advance(task),
            )
        )  # fmt: skip
    exploring.write_history(report, form, output)
    for problem in report.problems:
        say(problem.text(language()))
    if report.problems:
        raise typer.Exit(1)


def _days(text: str) -> tuple[int, int]:
    first, dots, last = text.partition("..")
    try:
        a, b = int(first), int(last if dots else first)
    except ValueError:
        a, b = -1, -1
    low, high = min(a, b), max(a, b)
    if not 0 <= low <= high <= 99:
        raise UsageError(
            f"--days {text!r} is not a range of days.",
            ja=f"--days {text!r} は日の範囲ではありません。",
            hint="Write 0..7: days back, 0 (today) to 99.",
            hint_ja="0..7 のように、0(当日)から 99 までで書いてください。",
        )
    return low, high


@app.command(epilog="Example: koatsu spec 028A")
def spec(
    class_code: Annotated[str, typer.Argument(help="028A, 028F, 0288, 028D, 05FF or 0EF0.")],
    lang: Annotated[str | None, typer.Option("--lang", help="ja or en.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Also layout, ranges, what to set first, notes: a wide table.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show a class table as this program knows it."""
    chosen = lang or language()
    if chosen not in ("ja", "en"):
        raise UsageError(
            f"There is no language {chosen!r}.", ja=f"言語 {chosen!r} はありません。",
            hint="Allowed: ja, en.", hint_ja="書けるもの: ja, en",
        )  # fmt: skip
    device = device_class(class_code)
    rows = spec_rows(device, chosen)
    if as_json:
        print_json([asdict(row) for row in rows])
        return
    print_line(f"0x{device.code:04X} {device.label(chosen)} ({device.since}–)")
    columns = [at for at, name in enumerate(SPEC_COLUMNS) if everything or name not in _WIDE]
    headings = spec_headings(chosen)
    print_table([headings[at] for at in columns], [[row.cells()[at] for at in columns] for row in rows])


@app.command(epilog="Example: koatsu init --also 192.0.2.10")
def init(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path("koatsu.toml"),
    interface: Annotated[
        str, typer.Option("--interface", "-i", help="Network interface, for example eth0.")
    ] = "",
    also: Annotated[
        list[str] | None, typer.Option("--also", help="Address to ask directly; may be repeated.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Take every suggestion without asking.")] = False,
    source: From = None,
) -> None:
    """Write koatsu.toml by asking, from what discovery found."""
    lang = language()
    if output.exists():
        raise UsageError(
            f"{output} exists already.", ja=f"{output} はすでにあります。",
            hint="Name another file with --output, or remove it.",
            hint_ja="--output で別のファイル名を指定するか、削除してください。",
        )  # fmt: skip
    with waiting("メータを探しています", "Looking for meters"):
        rows = run(
            exploring.discover_rows(
                interface=interface, also=also or [], wait_s=3.0, source=source, unheard=_unheard
            )
        )
    draft = setting_up.draft(rows, lang=lang)
    if not yes:
        draft = setting_up.ask(
            draft, lang=lang, prompt=lambda text, default: str(typer.prompt(text, default=default))
        )
    setting_up.write(output, draft)
    say(
        f"{output} を書きました。つぎは: koatsu run -c {output}" if lang == "ja"
        else f"Wrote {output}. Next: koatsu run -c {output}"
    )  # fmt: skip
