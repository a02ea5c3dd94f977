"""The documents say what the program does: commands, options, dependencies, links, make targets.

Also the promises about the repository itself: no lock file holds a URL, no file names a package host.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest

from command_help import commands, help_of, whole_help
from koatsu.emulator.faults import FAULTS
from koatsu.emulator.profile import site_kinds
from koatsu.emulator.scenarios import scenario_names
from koatsu.node import load_profile, profile_names

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ROOT / "docs/commands.md"

#: Written in two parts, so that this file keeps its own rule.
PACKAGE_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("deb.debian", "org"),
        ("yarnpkg", "com"),
    )
)

#: Imported, and declared by the dependency whose public face it is.
THROUGH = {
    "anyio": "fastapi",
    "click": "typer",
    "markupsafe": "jinja2",
    "pydantic": "fastapi",
    "starlette": "fastapi",
}

#: Needed at run time and never imported by name.
WITHOUT_IMPORT = frozenset({"python-multipart"})  # FastAPI asks for it where a page takes a form

#: Optional, and never imported by name: SQLAlchemy loads it for an address that begins with its name.
THROUGH_SQLALCHEMY = frozenset({"psycopg"})


@cache
def tracked() -> tuple[Path, ...]:
    """Every file that is in the repository or would be added to it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    paths = (ROOT / name for name in sorted(set(listed.stdout.split("\0"))) if name)
    return tuple(path for path in paths if path.is_file())


@cache
def documents() -> tuple[Path, ...]:
    """The Markdown files."""
    return tuple(path for path in tracked() if path.suffix == ".md")


@cache
def sections() -> dict[str, str]:
    """The text of docs/commands.md by command: its headings are ``## koatsu NAME``."""
    parts = re.split(r"^## koatsu ([a-z-]+)$", COMMANDS.read_text(), flags=re.MULTILINE)
    return {
        command: re.split(r"^## ", text, flags=re.MULTILINE)[0]
        for command, text in zip(parts[1::2], parts[2::2], strict=True)
    }


# --- the program ----------------------------------------------------------------------------------------


def test_the_program_prints_the_help_that_is_read_here() -> None:
    plain = os.environ | {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200", "LANG": "C.UTF-8"}
    program = Path(sys.executable).with_name("koatsu")
    for command in ((), ("desk", "people", "token")):
        printed = subprocess.run(
            [program, *command, "--help"], env=plain, capture_output=True, text=True, timeout=60, check=True
        )
        rows = set(re.findall(r"^  +(\S+)", printed.stdout, re.MULTILINE))
        assert rows == set(re.findall(r"^  +(\S+)", help_of(*command), re.MULTILINE)), "each begins a line"


def test_every_command_has_its_section_and_no_other() -> None:
    assert commands() == set(sections())


@pytest.mark.parametrize("command", sorted(sections()))
def test_documented_options_exist(command: str) -> None:
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", sections()[command]))
    existing = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", whole_help(command)))
    assert documented <= existing


@pytest.mark.parametrize("command", sorted(sections()))
def test_existing_options_are_documented(command: str) -> None:
    existing = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", whole_help(command))) - {"--help"}
    missing = {option for option in existing if option not in sections()[command]}
    assert not missing


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_readme_names_only_commands_that_exist(readme: str) -> None:
    named = set(re.findall(r"\bkoatsu ([a-z]+)\b", "\n".join(code_of(ROOT / readme))))
    assert named
    assert named <= commands()


def first_column(document: str, heading: str) -> set[str]:
    """The code spans in the first column of the table below a heading."""
    _, _, rest = (ROOT / document).read_text().partition(f"\n## {heading}\n")
    rows = re.findall(r"^\| (`[^|]+`) \|", rest.partition("\n## ")[0], re.MULTILINE)
    return set(chain(*(re.findall(r"`([^`]+)`", row) for row in rows)))


def test_every_site_scenario_and_fault_is_described() -> None:
    assert first_column("docs/emulator.md", "Sites") == set(site_kinds())
    assert first_column("docs/emulator.md", "Scenarios") == set(scenario_names())
    assert first_column("docs/emulator.md", "Faults") == {fault.name for fault in FAULTS}


def test_every_link_profile_and_field_is_described() -> None:
    assert first_column("docs/link-profiles.md", "Profiles") == set(profile_names())
    assert first_column("docs/link-profiles.md", "Fields") == set(load_profile("hv-assumed").origins)


def test_examples_in_documents_are_the_files() -> None:
    """A Python block that begins with ``# examples/NAME.py`` is a part of that file, word for word."""
    shown = 0
    for document in documents():
        for block in re.findall(r"^```python\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL):
            first, _, code = block.partition("\n")
            if first.startswith("# examples/"):
                assert code.strip() in (ROOT / first.removeprefix("# ")).read_text(), (document.name, first)
                shown += 1
    assert shown


# --- the repository -------------------------------------------------------------------------------------


def code_of(document: Path) -> list[str]:
    """The code of a Markdown file: fenced blocks and inline spans."""
    text = document.read_text()
    fenced = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return fenced + re.findall(
        r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    )


def test_make_targets_named_in_documents_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    [phony] = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert targets == set(phony.split())
    for document in documents():
        named = set(re.findall(r"\bmake ([a-z]+)\b", "\n".join(code_of(document))))
        assert named <= targets, document.name


def test_the_figures_in_the_document_are_those_that_are_measured() -> None:
    """A benchmark that was added or given up shows here until docs/benchmarks.md was written anew."""
    tree = ast.parse((ROOT / "benchmarks/__main__.py").read_text(encoding="utf-8"))
    table = next(
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "FIGURES"
    )
    assert isinstance(table, ast.Dict)
    measured = [ast.literal_eval(key) for key in table.keys if key is not None]
    document = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \[(\d+)\] \|.*\| `(\w+)` \|$", document, re.MULTILINE)
    assert list(dict.fromkeys(name for _, _, name in rows)) == measured
    notes = re.findall(r"^(\d+)\. \S", document, re.MULTILINE)
    assert [number for _, number, _ in rows] == notes, "every figure says how it was measured"


def test_every_dependency_has_its_line() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"].values()
    groups = project["dependency-groups"].values()
    required = [*project["project"]["dependencies"], *chain(*extras), *chain(*groups)]
    wanted = {re.split(r"[\[<>=!~; ]", line)[0] for line in required}
    described = set(
        re.findall(r"^\| `([^`]+)` \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE)
    )
    peers = {"echonet-lite", "date-utils"}  # npm's, from tests/peers/package.json
    assert described == wanted | peers


class Imports(NamedTuple):
    """Top-level names that ``src`` imports: by statement (always there), and by a call while it runs."""

    stated: frozenset[str]
    called: frozenset[str]


@cache
def imports() -> Imports:
    """Every import of ``src``, except the standard library's and our own."""
    stated, called = set(), set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                stated |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                stated.add(node.module)
            elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
                called.add(ast.literal_eval(node.args[0]))  # a name that is computed could not be checked
    ours = set(sys.stdlib_module_names) | {"koatsu", "__future__"}
    return Imports(*(frozenset(name.split(".")[0] for name in names) - ours for names in (stated, called)))


def distributions_of(names: frozenset[str]) -> set[str]:
    """The declared packages behind the imported names."""
    distributions = packages_distributions()
    found = {distributions[name][0].lower().replace("_", "-") for name in names}
    return {THROUGH.get(name, name) for name in found}


def declared(lines: Iterable[str]) -> set[str]:
    """The package names of requirement lines."""
    return {re.split(r"[\[<>=!~; ]", line)[0] for line in lines}


def test_what_is_imported_is_what_is_declared() -> None:
    """No dependency that only happens to be there, and none that nothing uses."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert distributions_of(imports().stated) == declared(project["dependencies"]) - WITHOUT_IMPORT


def test_what_is_optional_is_imported_by_a_call_that_may_fail() -> None:
    """An import statement of an optional package would make it a dependency without saying so."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    optional = declared(chain(*(lines for name, lines in extras.items() if name != "dev")))
    assert distributions_of(imports().called) == optional - THROUGH_SQLALCHEMY


def anchors(document: Path) -> set[str]:
    """The names by which a heading can be linked to: lower case, no punctuation, hyphens for spaces."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    text = re.sub(r"^```.*?^```", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_no_lock_holds_a_place() -> None:
    locks = [path for path in tracked() if path.suffix == ".lock" or path.name == "package-lock.json"]
    assert len(locks) == 5
    for lock in locks:
        assert "://" not in lock.read_text(), lock.name


def test_no_file_names_a_package_host() -> None:
    for path in tracked():
        content = path.read_bytes()
        for host in PACKAGE_HOSTS:
            assert host.encode() not in content, f"{path.relative_to(ROOT)} names {host}"
