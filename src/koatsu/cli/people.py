"""``koatsu people``: who may use the pages, what programs may, and what they did.

A password comes from a prompt or from standard input, never from the command line, which others can see. The
service desk has people of its own and the same commands over them (:mod:`koatsu.cli.desk`).
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from koatsu.cli.main import app, language
from koatsu.cli.output import print_json, print_line, print_table, say
from koatsu.clock import SystemClock
from koatsu.errors import UsageError

if TYPE_CHECKING:
    from koatsu.people import AuditFinding, People, Role

__all__ = ["FROM_INPUT", "Whose", "new_password", "people_commands"]

FROM_INPUT = typer.Option(False, "--password-stdin", help="Read the password from standard input, one line.")
_NAME = typer.Argument(help="Name of the person.")
_AS_JSON = typer.Option(False, "--json", help="For programs.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose people they are: of which program, in which store, with which roles."""

    program: str  #: how the commands are called: "koatsu people"
    config: Path  #: the configuration that is read unless another is named
    roles: tuple[str, ...]  #: the first is what somebody gets without being asked
    opened: Callable[[Path], AbstractContextManager[People]]
    places: Callable[[Path], Mapping[int, str]] | None = None  #: where each belongs, where people do

    @property
    def role_help(self) -> str:
        """The roles in a sentence."""
        return f"{', '.join(self.roles[:-1])} or {self.roles[-1]}."

    def config_option(self) -> Path:
        """The option that names another configuration; the same for every command."""
        found: Path = typer.Option(self.config, "--config", "-c", help="The configuration.")
        return found

    def role(self, text: str) -> Role:
        """The role with that name.

        Raises:
            UsageError: there is none.
        """
        from koatsu.app.people_desk import role_named
        from koatsu.people import Role

        return role_named(text, [Role(name) for name in self.roles])


def people_commands(whose: Whose) -> typer.Typer:
    """The commands over the people of a program; how somebody is added is left to the program."""
    group = typer.Typer(
        name="people",
        no_args_is_help=True,
        help="Who may use the pages, what programs may, and what they did.",
        epilog=f"Example: {whose.program} add 田中 --role owner",
    )
    _looking(group, whose)
    _changing(group, whose)
    group.add_typer(_tokens(whose))
    return group


def new_password(from_input: bool) -> str:
    """A new password: typed twice, or one line of standard input.

    Raises:
        UsageError: nobody is there to type, or what was typed differs.
    """
    if from_input:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError(
            "There is nobody to type a password.",
            ja="パスワードを入力できる端末がありません。",
            hint="Use --password-stdin.",
            hint_ja="--password-stdin を使ってください。",
        )
    typed = getpass.getpass("パスワード: " if _ja() else "Password: ")
    if getpass.getpass("もう一度: " if _ja() else "Once more: ") != typed:
        raise UsageError("The two passwords differ.", ja="2回の入力が一致しません。")
    return typed


def _ja() -> bool:
    return language() == "ja"


# --- looking --------------------------------------------------------------------------------------------


def _looking(group: typer.Typer, whose: Whose) -> None:
    @group.command("list", epilog=f"Example: {whose.program} list")
    def list_people(config: Path = whose.config_option(), as_json: bool = _AS_JSON) -> None:
        """Everybody who may log in."""
        from koatsu.app import people_desk as desk

        with whose.opened(config) as people:
            everybody = people.people()
        where = whose.places(config) if whose.places is not None else None
        if as_json:
            print_json(desk.people_json(everybody, where))
        elif everybody:
            headings = desk.people_headings(language(), placed=where is not None)
            print_table(headings, desk.people_rows(everybody, where), right=(0,))
        else:
            say(
                f"利用者は登録されていません。{whose.program} add NAME --role owner で管理者を登録できます。"
                if _ja()
                else f"Nobody yet. {whose.program} add NAME --role owner makes the owner."
            )

    @group.command(epilog=f"Example: {whose.program} audit --verify")
    def audit(
        verify: bool = typer.Option(
            False, "--verify", help="Check that nothing was changed; status 1 if something was."
        ),
        expect: str | None = typer.Option(
            None, "--expect", help="With --verify: a hash noted earlier, which must be there."
        ),
        limit: int = typer.Option(50, "--limit", min=1, max=100_000, help="So many newest entries."),
        config: Path = whose.config_option(),
        as_json: bool = _AS_JSON,
    ) -> None:
        """What was done, by whom."""
        from koatsu.app import people_desk as desk

        with whose.opened(config) as people:
            if verify or expect:
                _verified(people.audit.verify(expect), people.audit.head())
                return
            entries, everybody = people.audit.entries(limit), people.people()
        if as_json:
            print_json(desk.audit_json(entries))
            return
        headings = ("番号", "日時", "だれが", "操作", "対象", "詳細")
        print_table(
            headings if _ja() else ("number", "time", "who", "what", "to what", "detail"),
            desk.audit_rows(entries, everybody),
            right=(0,),
        )


def _verified(finding: AuditFinding | None, head: tuple[int, str]) -> None:
    if finding is not None:
        say(finding.text(language()))
        raise typer.Exit(1)
    number, newest = head
    print_line(f"{number} {newest}")
    say(
        "操作記録に改ざんはありません。上のハッシュを別の場所に控えておくと、次回 --expect で確かめられます。"
        if _ja()
        else "The audit log is as it was written. Keep the hash elsewhere, and --expect can ask for it later."
    )


# --- changing -------------------------------------------------------------------------------------------


def _changing(group: typer.Typer, whose: Whose) -> None:
    @group.command(epilog=f"Example: {whose.program} password 田中")
    def password(
        name: str = _NAME, config: Path = whose.config_option(), password_stdin: bool = FROM_INPUT
    ) -> None:
        """Set a new password: the person is logged out everywhere, and a lock-out ends."""
        from koatsu.people import CONSOLE

        with whose.opened(config) as people:
            one = people.find(name)
            people.set_password(CONSOLE, one.id, new_password(password_stdin))
        say(f"{one.name} のパスワードを変更しました。" if _ja() else f"{one.name} has a new password.")

    @group.command(epilog=f"Example: {whose.program} role 鈴木 {whose.roles[1]}")
    def role(
        name: str = _NAME,
        role: str = typer.Argument(help=whose.role_help),
        config: Path = whose.config_option(),
    ) -> None:
        """Give a person another role; it holds at once."""
        from koatsu.people import CONSOLE

        wanted = whose.role(role)
        with whose.opened(config) as people:
            after = people.set_role(CONSOLE, people.find(name).id, wanted)
        say(
            f"{after.name} の権限を {after.role} にしました。"
            if _ja()
            else f"{after.name} is {after.role} now."
        )

    @group.command(epilog=f"Example: {whose.program} remove 鈴木")
    def remove(name: str = _NAME, config: Path = whose.config_option()) -> None:
        """Erase a person: name and password are gone; the audit log keeps the number."""
        from koatsu.people import CONSOLE

        with whose.opened(config) as people:
            one = people.find(name)
            people.remove(CONSOLE, one.id)
        say(
            f"{one.name} を削除しました。記録には {one.reference} とだけ残ります。"
            if _ja()
            else f"{one.name} is erased; logs know only {one.reference}."
        )


# --- tokens ---------------------------------------------------------------------------------------------


def _tokens(whose: Whose) -> typer.Typer:
    group = typer.Typer(
        name="token",
        no_args_is_help=True,
        help="API tokens: what programs show instead of a password.",
        epilog=f"Example: {whose.program} token add grafana",
    )

    @group.command(
        "add", epilog=f"Example: {whose.program} token add grafana --role {whose.roles[0]} --days 365"
    )
    def add_token(
        label: str = typer.Argument(help="What it is for."),
        role: str = typer.Option(whose.roles[0], "--role", help=whose.role_help),
        days: int = typer.Option(365, "--days", help="How long it is valid, 1 to 730 days."),
        config: Path = whose.config_option(),
    ) -> None:
        """Make a token and print it, once."""
        from koatsu.people import CONSOLE

        wanted = whose.role(role)
        with whose.opened(config) as people:
            secret, made = people.make_token(CONSOLE, label, wanted, days)
        print_line(secret)
        say(
            f"トークン {made.id} を作りました。もう一度表示することはできません。"
            if _ja()
            else f"This is token {made.id}. It cannot be shown again."
        )

    @group.command("list", epilog=f"Example: {whose.program} token list")
    def list_tokens(config: Path = whose.config_option(), as_json: bool = _AS_JSON) -> None:
        """All tokens, ended ones too."""
        from koatsu.app import people_desk as desk

        now = SystemClock().now()
        with whose.opened(config) as people:
            tokens = people.tokens()
        if as_json:
            print_json(desk.token_json(tokens, now))
            return
        headings = ("番号", "用途", "権限", "作成者", "期限", "最終使用", "状態")
        print_table(
            headings if _ja() else ("number", "label", "role", "made by", "until", "last used", "state"),
            desk.token_rows(tokens, now, language()),
            right=(0,),
        )

    _ending(group, whose)
    return group


def _ending(group: typer.Typer, whose: Whose) -> None:
    @group.command("revoke", epilog=f"Example: {whose.program} token revoke 3")
    def revoke_token(
        token_id: int = typer.Argument(help="Number of the token.", min=1),
        config: Path = whose.config_option(),
    ) -> None:
        """End a token now."""
        from koatsu.people import CONSOLE

        with whose.opened(config) as people:
            people.revoke(CONSOLE, token_id)
        say(f"トークン {token_id} を無効にしました。" if _ja() else f"Token {token_id} is revoked.")


# --- of a site ------------------------------------------------------------------------------------------


def _opened(config: Path) -> AbstractContextManager[People]:
    from koatsu.app import people_desk as desk

    return desk.open_people(config)


_SITE = Whose(
    program="koatsu people",
    config=Path("koatsu.toml"),
    roles=("viewer", "operator", "owner"),
    opened=_opened,
)
people_app = people_commands(_SITE)
app.add_typer(people_app)


@people_app.command(epilog="Example: koatsu people add 田中 --role owner")
def add(
    name: str = _NAME,
    role: str = typer.Option(_SITE.roles[0], "--role", help=_SITE.role_help),
    config: Path = _SITE.config_option(),
    password_stdin: bool = FROM_INPUT,
) -> None:
    """Add a person; the first has to be an owner."""
    from koatsu.app import people_desk as desk

    wanted = _SITE.role(role)
    with _SITE.opened(config) as people:
        made = desk.add(people, name, wanted, new_password(password_stdin))
    say(
        f"{made.name} を登録しました({made.role})。"
        if _ja()
        else f"{made.name} may log in now, as {made.role}."
    )
