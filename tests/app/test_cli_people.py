"""``koatsu people`` as docs/people.md describes it: passwords typed or piped, never on the command line."""

from __future__ import annotations

import getpass
import io
import json
import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from program import Done, Here, koatsu

from koatsu.clock import SystemClock
from koatsu.people import People, Role

PASSWORD = "gravel teapot orbit"
OTHER = "window maple thunder"
CONFIG = """
[site]
name = "工場"

[store]
path = "koatsu.db"

[[meter]]
id = "buy"
address = "127.0.0.2"
"""
Run = Callable[..., Done]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a configuration and no people yet."""
    (tmp_path / "koatsu.toml").write_text(CONFIG)
    return tmp_path


@pytest.fixture
def run(here: Here, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Call ``koatsu people``, with a password on standard input if one is given."""
    monkeypatch.chdir(folder)

    def call(*words: str, piped: str | None = None, lang: str = "en") -> Done:
        if piped is None:
            return here("people", *words, lang=lang)
        monkeypatch.setattr(sys, "stdin", io.StringIO(f"{piped}\n"))
        return here("people", *words, "--password-stdin", lang=lang)

    return call


@pytest.fixture
def owned(run: Run) -> Run:
    """The same, with an owner."""
    assert run("add", "田中", "--role", "owner", piped=PASSWORD).status == 0
    return run


def opened(folder: Path) -> People:
    return People.open(folder / "koatsu.db", clock=SystemClock())


def test_the_owner_is_made_and_can_log_in(owned: Run, folder: Path) -> None:
    with opened(folder) as people:
        _, login = people.log_in("田中", PASSWORD, origin="127.0.0.1")
        assert login.role is Role.OWNER
    listed = json.loads(owned("list", "--json").out)
    assert [(one["id"], one["name"], one["role"]) for one in listed] == [(1, "田中", "owner")]
    assert re.search(r"^ *1 +田中 +owner ", owned("list").out, re.MULTILINE)
    assert owned("list", lang="ja").out.startswith("番号")


def test_the_first_person_has_to_be_an_owner(run: Run, folder: Path) -> None:
    assert "make" in run("list").err
    for role in ("viewer", "operator"):
        done = run("add", "田中", "--role", role, piped=PASSWORD)
        assert done.status == 2
        assert "--role owner" in done.err
    assert run("add", "田中", piped=PASSWORD, lang="ja").err.startswith("koatsu: 最初の利用者は管理者")
    with opened(folder) as people:
        assert not people.has_owner()


def test_a_password_is_typed_twice(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    typed = iter([PASSWORD, PASSWORD, OTHER, PASSWORD])
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: next(typed))
    assert run("add", "田中", "--role", "owner").status == 0
    done = run("password", "田中")
    assert done.status == 2
    assert "differ" in done.err
    with opened(folder) as people:
        assert people.log_in("田中", PASSWORD, origin="127.0.0.1")


def test_without_a_terminal_nothing_waits(folder: Path) -> None:
    done = koatsu("people", "add", "田中", "--role", "owner", cwd=folder)
    assert done.status == 2
    assert "--password-stdin" in done.err


@pytest.mark.parametrize("command", ["add", "password"])
def test_a_password_is_no_argument(owned: Run, command: str) -> None:
    assert owned(command, "田中", PASSWORD).status == 2
    assert owned(command, "田中", "--password", PASSWORD).status == 2


@pytest.mark.parametrize(
    ("name", "password", "text"),
    [
        ("鈴木", "short", "at least 12 characters"),
        ("鈴木", "password1234", "too easy to guess"),
        ("suzuki", "suzuki-suzuki-1", "too much like the name"),
        ("田中", OTHER, "called 田中 already"),
        ("  ", OTHER, "A name is needed"),
    ],
)
def test_what_is_refused_is_told(owned: Run, name: str, password: str, text: str) -> None:
    done = owned("add", name, piped=password)
    assert done.status == 2
    assert text in done.err
    assert owned("add", name, piped=password, lang="ja").err.count("。") >= 1
    assert len(json.loads(owned("list", "--json").out)) == 1


def test_roles_change_and_people_go(owned: Run, folder: Path) -> None:
    assert owned("add", "鈴木", piped=OTHER).status == 0
    assert owned("role", "鈴木", "operator").status == 0
    for strange in ("king", "counter", "customer"):  # those of the desk are not a site's to give
        refused = owned("role", "鈴木", strange)
        assert refused.status == 2
        assert "viewer, operator, owner" in refused.err
    assert owned("password", "鈴木", piped=PASSWORD).status == 0
    with opened(folder) as people:
        _, login = people.log_in("鈴木", PASSWORD, origin="127.0.0.1")
        assert login.role is Role.OPERATOR
    done = owned("remove", "田中")
    assert done.status == 1
    assert "only owner" in done.err
    assert owned("remove", "鈴木").status == 0
    assert owned("remove", "鈴木").status == 2
    assert "鈴木" not in owned("audit").out


def test_a_token_is_shown_once(owned: Run, folder: Path) -> None:
    done = owned("token", "add", "grafana", "--role", "operator", "--days", "30")
    assert done.status == 0
    secret = done.out.strip()
    assert re.fullmatch(r"koatsu_[\w-]{43}", secret)
    with opened(folder) as people:
        login = people.token(secret)
        assert login is not None
        assert login.role is Role.OPERATOR
    for listed in (
        owned("token", "list"),
        owned("token", "list", "--json"),
        owned("token", "list", lang="ja"),
    ):
        assert "grafana" in listed.out
        assert secret not in listed.out
    assert owned("token", "revoke", "1").status == 0
    assert owned("token", "revoke", "2").status == 2
    assert "revoked" in owned("token", "list").out
    with opened(folder) as people:
        assert people.token(secret) is None
    assert owned("token", "add", "x", "--days", "0").status == 2


def test_the_audit_log_is_shown_and_checked(owned: Run, folder: Path) -> None:
    owned("add", "鈴木", piped=OTHER)
    shown = owned("audit")
    assert re.search(r"^ *1 .*console +owner_made +person:1 \(田中\)", shown.out, re.MULTILINE)
    entries = json.loads(owned("audit", "--json").out)
    assert [entry["action"] for entry in entries] == ["owner_made", "person_added"]
    assert entries[0]["author"] == "console"
    assert [entry["seq"] for entry in json.loads(owned("audit", "--json", "--limit", "1").out)] == [2]
    checked = owned("audit", "--verify")
    assert checked.status == 0
    number, newest = checked.out.split()
    assert (number, newest) == ("2", entries[-1]["hash"])
    owned("role", "鈴木", "operator")
    assert owned("audit", "--verify", "--expect", newest).status == 0
    lost = owned("audit", "--verify", "--expect", "f" * 64)
    assert lost.status == 1
    with closing(sqlite3.connect(folder / "koatsu.people.db")) as connection, connection:
        connection.execute("DROP TRIGGER people_audit_no_update")
        connection.execute("UPDATE people_audit SET subject = 'person:9' WHERE seq = 2")
    for lang, text in (("en", "Entry 2 of the audit log was changed."), ("ja", "2 件目が書き換えられて")):
        done = owned("audit", "--verify", lang=lang)
        assert done.status == 1
        assert text in done.err


def test_it_works_on_another_configuration(here: Here, folder: Path) -> None:
    done = here("people", "list", "-c", str(folder / "koatsu.toml"))
    assert done.status == 0
    assert here("people", "list", "-c", str(folder / "none.toml")).status == 2
    assert (folder / "koatsu.people.db").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("list",), ("add",), ("password",), ("role",), ("remove",), ("audit",),
        ("token", "add"), ("token", "list"), ("token", "revoke"),
    ],
)  # fmt: skip
def test_help_has_an_example(here: Here, command: tuple[str, ...]) -> None:
    done = here("people", *command, "--help")
    assert (done.status, done.err) == (0, "")
    assert f"Example: koatsu people {' '.join(command)}" in done.out
