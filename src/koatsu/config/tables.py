"""One pass over the tables of a parsed configuration file: typed values, and every problem with its line.

What tables a file has, and which keys they hold, is a list of :class:`Key`; ``koatsu.toml`` and ``desk.toml``
are read by the same piece. What is special to a file stands in a reader of its own, made of this one.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from koatsu.config.lines import Lines
from koatsu.config.rules import Rule, RuleError

__all__ = ["Key", "Place", "Problem", "TableReader", "check", "key"]

Place = tuple[str | int, ...]
"""Where something stands in a file: ``("meter", 0, "address")``."""


class Key(NamedTuple):
    """One key of a table: its name in the file, the field it fills, its rule, and what it is for."""

    name: str
    field: str
    rule: Rule
    required: bool
    comment: str
    comment_ja: str


def key(name: str, rule: Rule, comment: str, comment_ja: str, *, field: str = "", need: bool = False) -> Key:
    """A key; ``field`` is the name of its field where that is another one."""
    return Key(name, field or name, rule, need, comment, comment_ja)


def check(keys: Collection[Key], part: object) -> None:
    """Run each rule on the value that stands in ``part``; absent optional values pass.

    Raises:
        RuleError: a rule does not take its value.
    """
    for one in keys:
        value = getattr(part, one.field)
        if value is not None:
            one.rule(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a configuration file; ``line`` counts from 1, ``None`` when no line is to blame."""

    line: int | None
    en: str
    ja: str


class TableReader:
    """One pass over a parsed document that gathers problems as it goes.

    Args:
        tables: every table that the file may have, with its keys.
        lines: where things stand in the text.
    """

    def __init__(self, tables: Mapping[str, tuple[Key, ...]], lines: Lines) -> None:
        self.problems: list[Problem] = []
        self._tables, self._lines = tables, lines

    def known_tables(self, document: Mapping[str, Any]) -> None:
        """Tell of every table that the file may not have."""
        self._unknown(document, self._tables, ())

    def table(self, document: Mapping[str, Any], name: str) -> dict[str, Any] | None:
        """The fields of ``[name]``, which may be left out; ``None`` when it is no table at all."""
        return self.values((name,), f"[{name}]", name, document.get(name, {}))

    def several(self, document: Mapping[str, Any], name: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Place and fields of each sound ``[[name]]``; a single one may be written as ``[name]``."""
        written = document.get(name, [])
        for index, entry in enumerate(written if isinstance(written, list) else [written]):
            before = len(self.problems)
            values = self.values((name, index), f"[[{name}]]", name, entry)
            if values is not None and len(self.problems) == before:
                yield index, values

    def values(self, path: Place, shown: str, table: str, entry: object) -> dict[str, Any] | None:
        """The fields of one table, each through its rule; ``None`` when it is no table at all."""
        if not isinstance(entry, dict):
            self.problem(
                path,
                f"{table} must be a table; allowed: {shown} on a line of its own.",
                f"{table} は表です。単独の行に {shown} と書いてください。",
            )
            return None
        keys = self._tables[table]
        self._unknown(entry, [one.name for one in keys], path, shown)
        values: dict[str, Any] = {}
        for one in keys:
            if one.name not in entry:
                if one.required:
                    self.lacks(path, shown, table, one.name)
                continue
            value = self.value((*path, one.name), f"{shown} {one.name}", one, entry[one.name])
            if value is not None:
                values[one.field] = value
        return values

    def value(self, path: Place, shown: str, one: Key, written: object) -> object:
        """What the rule of a key makes of the value; ``None`` when it is refused."""
        try:
            return one.rule(written)
        except RuleError as refused:
            table, _, name = shown.partition(" ")
            what = "…" if refused.hidden else _shown(written)
            self.problem(
                path,
                f"{shown} = {what} is not accepted; allowed: {refused.allowed}.",
                f"{table} の {name} = {what} は使えません。書けるもの: {refused.allowed_ja}。",
            )
            return None

    def named(self, path: Place, shown: str, value: str, known: Collection[str] | None) -> None:
        """Tell of a name that is not among ``known``; ``None`` leaves the question open."""
        if known is None or value in known:
            return
        allowed = ", ".join(sorted(known))
        table, _, name = shown.partition(" ")
        self.problem(
            path,
            f'{shown} = "{value}" is not known; allowed: {allowed}.',
            f'{table} の {name} = "{value}" はありません。書けるもの: {allowed}。',
        )

    def lacks(self, path: Place, shown: str, table: str, name: str) -> None:
        """Tell that a key is missing that a table needs."""
        one = next(one for one in self._tables[table] if one.name == name)
        self.problem(
            path,
            f"{shown} lacks {name} ({one.comment}).",
            f"{shown} に {name} がありません({one.comment_ja})。",
        )

    def problem(self, path: Place, en: str, ja: str) -> None:
        """Tell of something wrong at that place."""
        self.problems.append(Problem(line=self._lines.of(path), en=en, ja=ja))

    def _unknown(
        self, entry: Mapping[str, Any], known: Collection[str], path: Place, shown: str = ""
    ) -> None:
        for name in entry:
            if name in known:
                continue
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            meant = f"did you mean {near[0]}? " if near else ""
            meant_ja = f"{near[0]} のことですか。" if near else ""
            allowed = ", ".join(known)
            where, where_ja = (shown, f"{shown} に") if shown else ("the file", "このファイルに")
            self.problem(
                (*path, name),
                f'{where} has no key "{name}"; {meant}Allowed: {allowed}.',
                f'{where_ja} "{name}" というキーはありません。{meant_ja}書けるもの: {allowed}。',
            )


def _shown(value: object) -> str:
    """A refused value, as it would stand in the file, cut where it is long."""
    if isinstance(value, str):
        return f'"{value if len(value) <= 60 else value[:57] + "…"}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    return str(value)
