"""``koatsu desk``: the service desk, its demo, and what is done for it at the terminal.

What it needs (web server, databases, cryptography) is loaded when a command runs: ``--help`` does without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from koatsu.cli.main import app, language, run
from koatsu.cli.output import print_json, print_line, print_table, progress_bar, say, watched
from koatsu.cli.people import FROM_INPUT, Whose, new_password, people_commands
from koatsu.clock import SystemClock
from koatsu.errors import UsageError

if TYPE_CHECKING:
    from koatsu.desk.imports import ImportReport
    from koatsu.people import People

__all__: list[str] = []

_CONFIG: Final = Path("desk.toml")
_LISTED: Final = 20  #: refused rows that the terminal shows
_WRITTEN: Final = "COMMANDLINE"  #: where an option comes from that somebody typed

desk_app = typer.Typer(
    name="desk",
    help="The service desk of a utility: from the application to the end of the service.",
    epilog="Example: koatsu desk --demo",
)
app.add_typer(desk_app)


def _ja() -> bool:
    return language() == "ja"


def _config_option() -> Path:
    found: Path = typer.Option(_CONFIG, "--config", "-c", help="The configuration; see ops/desk.toml.")
    return found


# --- the program ----------------------------------------------------------------------------------------


@desk_app.callback(invoke_without_command=True)
def desk(
    context: typer.Context,
    config: Path = _config_option(),
    demo: bool = typer.Option(False, "--demo", help="A fictitious utility, on this machine only."),
    port: int | None = typer.Option(
        None, "--port", min=1, max=65535, help="Port of the page; the configuration's, or 8029."
    ),
    store: str | None = typer.Option(
        None, "--store", help="Store instead of the configuration's; of the demo: keep it here."
    ),
    cases: int = typer.Option(2000, "--cases", min=20, max=20_000, help="Cases of the demo."),
    seed: int = typer.Option(28, "--seed", help="Another seed is another utility, of the demo."),
) -> None:
    """The service desk, on http://127.0.0.1:8029; --demo needs no configuration."""
    if context.invoked_subcommand is not None:
        _refuse_misplaced(context)
        return
    if demo:
        _demo(context, port=port, store=store, cases=cases, seed=seed)
        return
    from koatsu.app.desk import run_config

    _refuse_without_demo(context)
    run(run_config(config, port=port, store=store, clock=SystemClock(), say=say, lang=language()))


def _given(context: typer.Context) -> list[str]:
    """The options that were written on the command line."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    return [f"--{name}" for name, source in sources.items() if source is not None and source.name == _WRITTEN]


def _refuse_misplaced(context: typer.Context) -> None:
    """Options of ``koatsu desk`` mean nothing to the commands below it: better said than passed over."""
    if given := _given(context):
        raise UsageError(
            f"{given[0]} stands before the command {context.invoked_subcommand}, where it means nothing.",
            ja=f"{given[0]} はコマンド {context.invoked_subcommand} の前では意味がありません。",
            hint=f"Write it after: koatsu desk {context.invoked_subcommand} … {given[0]} …",
            hint_ja=f"後ろに書いてください: koatsu desk {context.invoked_subcommand} … {given[0]} …",
        )


def _refuse_without_demo(context: typer.Context) -> None:
    for option in ("--cases", "--seed"):
        if option in _given(context):
            raise UsageError(
                f"{option} is for the demo.",
                ja=f"{option} はデモ用です。",
                hint="Add --demo.",
                hint_ja="--demo を付けてください。",
            )


def _demo(context: typer.Context, *, port: int | None, store: str | None, cases: int, seed: int) -> None:
    from koatsu.app.desk_demo import run_demo
    from koatsu.app.desk_place import cache_folder, demo_place

    if "--config" in _given(context):
        raise UsageError(
            "The demo has a configuration of its own.",
            ja="デモは設定ファイルを使いません。",
            hint="Leave --config out, or --demo.",
            hint_ja="--config か --demo のどちらかを外してください。",
        )
    with ExitStack() as stack:
        with progress_bar("見本を作成中(初回のみ)", "Making the sample, the first time") as progress:
            place = stack.enter_context(
                demo_place(
                    None if store is None else Path(store), cases=cases, seed=seed,
                    now=SystemClock().now(), progress=_said_once(progress), cached=cache_folder(),
                )
            )  # fmt: skip
        run(run_demo(place, port=port, say=say, lang=language()))


def _said_once(progress: Callable[[int, int], object]) -> Callable[[int, int], object]:
    """The bar for who watches; for a log one sentence, as the making begins."""
    told = watched()

    def show(done: int, whole: int) -> None:
        nonlocal told
        if not told:
            say("見本を作成しています(初回のみ)。" if _ja() else "Making the sample, the first time.")
            told = True
        progress(done, whole)

    return show


# --- registers ------------------------------------------------------------------------------------------


@desk_app.command("import", epilog="Example: koatsu desk import supply_points points.csv --dry-run")
def import_file(
    register: str = typer.Argument(help="Which register: supply_points, offices, areas, retailers, …"),
    file: Path = typer.Argument(help="A CSV file with headings, UTF-8 or CP932."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would come of it; change nothing."),
    refused: Path | None = typer.Option(None, "--refused", help="Write the refused rows here, as CSV."),
    config: Path = _config_option(),
    as_json: bool = typer.Option(False, "--json", help="For programs."),
) -> None:
    """Bring a CSV file into a register; status 1 when rows were refused, each of them told."""
    from koatsu.app import desk_care as care

    wanted = care.register_named(register)
    with progress_bar("取り込み中", "Importing") as progress:
        report = care.import_file(config, wanted, file, dry_run=dry_run, progress=progress)
    if refused is not None:
        care.write_refused(report, refused, language())
    if as_json:
        print_json(care.report_json(report))
    else:
        _show(report, refused)
    if report.refused:
        raise typer.Exit(1)


def _show(report: ImportReport, refused: Path | None) -> None:
    print_line(report.summary.text(language()))
    if report.ignored:
        columns = ", ".join(report.ignored)
        say(
            f"台帳にない列は読みませんでした: {columns}"
            if _ja()
            else f"Columns that the register does not have: {columns}"
        )
    for one in report.refusals[:_LISTED]:
        print_line(one.text(language()))
    left = len(report.refusals) - _LISTED
    if left > 0:
        where = f" ({refused})" if refused is not None else ""
        say(
            f"ほか {left:,} 件{where}。--refused FILE で全部を書き出せます。"
            if _ja()
            else f"and {left:,} more{where}; --refused FILE writes all of them."
        )


# --- looking --------------------------------------------------------------------------------------------


@desk_app.command(epilog="Example: koatsu desk verify")
def verify(
    expect: str | None = typer.Option(
        None, "--expect", help="A hash of an event that was noted earlier, which must be there."
    ),
    config: Path = _config_option(),
    as_json: bool = typer.Option(False, "--json", help="For programs."),
) -> None:
    """Check that no event of a case or register, no entry of the audit log was changed; status 1 if any."""
    from koatsu.app import desk_care as care
    from koatsu.cli.output import waiting

    with waiting("確認中", "Checking"):
        chains = care.verify(config, expect)
    if as_json:
        print_json([one.as_json() for one in chains])
    else:
        headings = (
            ("記録", "件数", "最後のハッシュ", "結果")
            if _ja()
            else ("chain", "entries", "newest hash", "result")
        )
        sound = "異常なし" if _ja() else "sound"
        print_table(
            headings,
            [
                (
                    one.title(language()),
                    f"{one.entries:,}",
                    one.head,
                    sound if one.finding is None else one.finding.text(language()),
                )
                for one in chains
            ],
            right=(1,),
        )
    if any(one.finding is not None for one in chains):
        raise typer.Exit(1)
    if not as_json:
        say(
            "ハッシュを別の場所に控えておくと、次回 --expect で確かめられます。"
            if _ja()
            else "Keep the hash of the events elsewhere, and --expect can ask for it later."
        )


@desk_app.command(epilog="Example: koatsu desk backup /backup/desk-2026-07-22")
def backup(
    folder: Path = typer.Argument(help="The folder to write into."),
    replace: bool = typer.Option(False, "--replace", help="Replace what an earlier backup wrote there."),
    config: Path = _config_option(),
) -> None:
    """Copy the stores of the desk and of its people, while it goes on; the key is left out on purpose."""
    from koatsu.app.desk_backup import back_up

    with progress_bar("バックアップ中", "Backing up") as progress:
        written = back_up(config, folder, replace=replace, progress=progress)
    for file in written:
        print_line(f"{file} ({file.stat().st_size / 1e6:.1f} MB)")
    say(
        "鍵のファイルは含まれていません。一度だけ、別の場所に控えておいてください。鍵がないと個人の情報は読めません。"
        if _ja()
        else "The key is not among them. Keep a copy of it elsewhere: without it the personal data is lost."
    )


@desk_app.command(epilog="Example: koatsu desk diagram > life-cycle.mmd")
def diagram(
    lang: str | None = typer.Option(None, "--lang", help="ja or en; that of the terminal by default."),
) -> None:
    """The life cycle of a case as a Mermaid state diagram, made from the table that the desk works by."""
    from koatsu.app.desk_diagram import life_cycle

    wanted = lang or language()
    if wanted not in ("ja", "en"):
        raise UsageError(
            f"There is no language {wanted}.",
            ja=f"言語 {wanted} はありません。",
            hint="Write ja or en.",
            hint_ja="ja か en を書いてください。",
        )
    print_line(life_cycle(wanted).rstrip("\n"))


# --- people ---------------------------------------------------------------------------------------------


def _opened(config: Path) -> AbstractContextManager[People]:
    from koatsu.app import desk_people

    return desk_people.open_desk_people(config)


def _places(config: Path) -> Mapping[int, str]:
    from koatsu.app import desk_people

    return desk_people.places(config)


_DESK = Whose(
    program="koatsu desk people",
    config=_CONFIG,
    roles=("counter", "works", "supervisor", "auditor", "customer", "owner"),
    opened=_opened,
    places=_places,
)
_OFFICE = typer.Option(None, "--office", help="Code of the office of staff, or all.")
_CASE = typer.Option(None, "--case", help="Number of a case of a customer.")
desk_people_app = people_commands(_DESK)
desk_app.add_typer(desk_people_app)


@desk_people_app.command(epilog="Example: koatsu desk people add 森 --role counter --office chuo")
def add(
    name: str = typer.Argument(help="Name of the person."),
    role: str = typer.Option(_DESK.roles[0], "--role", help=_DESK.role_help),
    office: str | None = _OFFICE,
    case: str | None = _CASE,
    config: Path = _DESK.config_option(),
    password_stdin: bool = FROM_INPUT,
) -> None:
    """Add a person, and say where they belong; the first has to be an owner."""
    from koatsu.app import desk_people
    from koatsu.app.people_desk import add as add_person

    wanted = _DESK.role(role)
    desk_people.check_place(wanted.value, office, case)
    with _DESK.opened(config) as people:
        made = add_person(people, name, wanted, new_password(password_stdin))
        if office is not None or case is not None:
            desk_people.place(config, people, made, office=office, case=case)
    say(
        f"{made.name} を登録しました({made.role})。"
        if _ja()
        else f"{made.name} may log in now, as {made.role}."
    )


@desk_people_app.command(epilog="Example: koatsu desk people place 森 --office chuo")
def place(
    name: str = typer.Argument(help="Name of the person."),
    office: str | None = _OFFICE,
    case: str | None = _CASE,
    config: Path = _DESK.config_option(),
) -> None:
    """Say where a person belongs: staff to an office, a customer to the cases of one customer."""
    from koatsu.app import desk_people

    if office is None and case is None:
        raise UsageError(
            "Say where the person belongs.",
            ja="所属を指定してください。",
            hint="Use --office CODE for staff, --case NUMBER for a customer.",
            hint_ja="職員は --office コード、お客さまは --case 受付番号 です。",
        )
    with _DESK.opened(config) as people:
        whose = people.find(name)
        desk_people.place(config, people, whose, office=office, case=case)
    say(f"{whose.name} の所属を変更しました。" if _ja() else f"{whose.name} belongs there now.")
