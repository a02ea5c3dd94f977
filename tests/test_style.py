"""The house rules that a linter does not know: sizes, names, `__all__`, no bare property codes.

CONTRIBUTING.md states the rules; an exception stands here, with its reason, or nowhere.
"""

from __future__ import annotations

import ast
import importlib
import io
import re
import tokenize
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parent.parent / "src/koatsu"
MODULES = sorted(SOURCE.rglob("*.py"))
PACKAGES = sorted(path.parent for path in SOURCE.rglob("__init__.py"))

MODULE_LINES = 400
FUNCTION_LINES = 60

#: Modules that may be longer than MODULE_LINES: path below src/koatsu -> why.
LONG_MODULES: dict[str, str] = {}

#: Functions that may be longer than FUNCTION_LINES: "path:function" -> why.
LONG_FUNCTIONS: dict[str, str] = {}

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}

#: Where property codes have names instead: everything that is neither the standard's tables nor the wire.
NAMES_ONLY = ("meter", "ems", "emulator", "web", "app", "cli")
PROPERTY_CODE = re.compile(r"0[xX][89A-Fa-f][0-9A-Fa-f]")

#: Numbers that look like property codes and are none: (path below src/koatsu, literal) -> what it is.
NOT_A_CODE: dict[tuple[str, str], str] = {
    ("app/exploring.py", "0x80"): "where property codes begin: a code that a person typed is checked",
}


def name(path: Path) -> str:
    """The path below ``src/koatsu``, as the lists above write it."""
    return path.relative_to(SOURCE).as_posix()


def dotted(path: Path) -> str:
    """The import name of a module or package."""
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a module, nested ones too."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 4


def test_modules_are_short() -> None:
    lengths = {name(path): len(path.read_text().splitlines()) for path in MODULES}
    long = {module: lines for module, lines in lengths.items() if lines > MODULE_LINES}
    assert long.keys() == LONG_MODULES.keys(), f"longer than {MODULE_LINES} lines, or not any more: {long}"


def test_functions_are_short() -> None:
    long = {
        f"{name(path)}:{function.name}": lines
        for path in MODULES
        for function in functions(ast.parse(path.read_text()))
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES
    }
    assert long.keys() == LONG_FUNCTIONS.keys(), (
        f"longer than {FUNCTION_LINES} lines, or not any more: {long}"
    )


def test_no_module_has_a_name_that_says_nothing() -> None:
    vague = [name(path) for path in MODULES if VAGUE_NAMES & {path.stem, path.parent.name}]
    assert not vague


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), "a module docstring is missing"


@pytest.mark.parametrize("path", PACKAGES, ids=dotted)
def test_package_names_what_it_offers(path: Path) -> None:
    package = importlib.import_module(dotted(path))
    offered = getattr(package, "__all__", None)
    assert offered is not None, "__all__ is missing"
    assert len(set(offered)) == len(offered)
    for public in offered:
        assert hasattr(package, public), f"{public} is in __all__ and does not exist"


def property_codes() -> set[tuple[str, str]]:
    """Every two-digit hexadecimal literal from 0x80 up, where property codes have names instead.

    The tokens are read, not the syntax tree: the tree keeps the value and forgets how it was written.
    """
    found = set()
    for path in MODULES:
        if name(path).split("/")[0].removesuffix(".py") not in NAMES_ONLY:
            continue
        for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
            if token.type == tokenize.NUMBER and PROPERTY_CODE.fullmatch(token.string):
                found.add((name(path), token.string))
    return found


def test_no_bare_property_code_outside_the_tables() -> None:
    assert property_codes() == set(NOT_A_CODE)
