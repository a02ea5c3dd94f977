"""From the text of ``koatsu.toml`` to a ``Config``, or to the list of everything that is wrong with it."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from koatsu.config.lines import Lines
from koatsu.config.model import (
    TABLES,
    Config,
    MeterConfig,
    NodeConfig,
    SiteConfig,
    WebConfig,
    duplicates,
)
from koatsu.config.rules import RuleError
from koatsu.errors import ConfigError

__all__ = ["ConfigFileError", "Problem", "load_config", "parse_config"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing wrong in a configuration file; ``line`` counts from 1, ``None`` when no line is to blame."""

    line: int | None
    en: str
    ja: str


class ConfigFileError(ConfigError):
    """Everything that is wrong in one file; ``problems`` holds each with its line."""

    def __init__(self, name: str, problems: Collection[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda p: p.line or 0))
        super().__init__(
            "\n".join(f"{name}:{p.line}: {p.en}" if p.line else f"{name}: {p.en}" for p in self.problems),
            ja="\n".join(
                f"{name} {p.line}行目: {p.ja}" if p.line else f"{name}: {p.ja}" for p in self.problems
            ),
        )


def load_config(path: Path | str, *, profiles: Collection[str] | None = None) -> Config:
    """Read a configuration file; a relative ``store`` is taken from the folder that the file is in.

    Args:
        path: the file.
        profiles: the names of link profiles that exist; ``None`` leaves the question open.

    Raises:
        ConfigFileError: with every problem of the file.
    """
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no configuration file {path}.",
            ja=f"設定ファイル {path} がありません。",
            hint="“koatsu init” writes one.",
            hint_ja="「koatsu init」で作れます。",
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigFileError(
            str(path),
            [Problem(line=None, en="the file is not UTF-8 text.", ja="UTF-8のテキストではありません。")],
        ) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError(
            f"The configuration file {path} cannot be read: {reason}.",
            ja=f"設定ファイル {path} を読めません({reason})。",
        ) from error
    config = parse_config(text, name=str(path), profiles=profiles)
    store = config.site.store
    if "://" not in store:
        located = path.parent.absolute() / Path(store).expanduser()
        config = replace(config, site=replace(config.site, store=str(located)))
    return config


def parse_config(text: str, *, name: str = "koatsu.toml", profiles: Collection[str] | None = None) -> Config:
    """The configuration in ``text``; ``name`` is what error sentences call the file.

    Raises:
        ConfigFileError: with every problem of the text.
    """
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigFileError(name, [_syntax(error, text)]) from error
    reader = _Reader(Lines(text), profiles)
    config = reader.read(document)
    if config is None or reader.problems:
        raise ConfigFileError(name, reader.problems)
    return config


def _syntax(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    place = re.search(r"\(at line (\d+), column \d+\)", str(error))
    reason = re.sub(r"\s*\(at .*\)$", "", str(error))
    line = int(place[1]) if place else len(text.splitlines()) or 1
    return Problem(
        line=line,
        en=f'this is not TOML: {reason}. Allowed: [table], key = "text", key = 12, # comment.',
        ja=f'TOMLとして読めません({reason})。書けるのは [表]、キー = "文字列"、キー = 12、# コメント です。',
    )


class _Reader:
    """One pass over a parsed document that gathers problems as it goes."""

    def __init__(self, lines: Lines, profiles: Collection[str] | None) -> None:
        self.problems: list[Problem] = []
        self._lines = lines
        self._profiles = profiles

    def read(self, document: Mapping[str, Any]) -> Config | None:
        self._unknown(document, TABLES, ())
        site = self._table(document, "site")
        web = self._table(document, "web")
        node = self._table(document, "node")
        meters = self._meters(document, None if node is None else node.get("interface"))
        if site is None or web is None or node is None or self.problems:
            return None
        for earlier, at in duplicates(meters):
            first, second = meters[earlier], meters[at]
            self._problem(
                ("meter", at),
                f'[[meter]] "{second.id}" repeats "{first.id}"; allowed: each id once, and each '
                "address, class and instance once.",
                f'[[meter]] "{second.id}" は "{first.id}" と重複しています。'
                "id、およびアドレス・クラス・インスタンスの組は一度だけ書けます。",
            )
        if self.problems:
            return None
        return Config(
            site=SiteConfig(**site), web=WebConfig(**web), node=NodeConfig(**node), meters=tuple(meters)
        )

    def _meters(self, document: Mapping[str, Any], interface: Any) -> list[MeterConfig]:
        written = document.get("meter")
        if not isinstance(written, list) or not written:
            self._problem(
                ("meter",),
                "there is no meter; write at least one [[meter]] with id and address.",
                "メーターがありません。[[meter]] を1つ以上書き、id と address を入れてください。",
            )
            return []
        meters = []
        for index, entry in enumerate(written):
            before = len(self.problems)
            values = self._values(("meter", index), "[[meter]]", "meter", entry)
            if values is None or len(self.problems) > before:
                continue
            address = values["address"]
            if address.host.startswith("fe80:") and not address.zone:
                if interface is None:
                    self._problem(
                        ("meter", index, "address"),
                        f'[[meter]] address "{address}" is link-local and needs its interface; '
                        f'allowed: "{address.host}%eth0", or interface in [node].',
                        f'[[meter]] の address "{address}" はリンクローカルなのでインターフェイスが要ります。'
                        f'"{address.host}%eth0" のように書くか、[node] に interface を書いてください。',
                    )
                    continue
                values["address"] = address._replace(zone=interface)
            meters.append(MeterConfig(**values))
        return meters

    def _table(self, document: Mapping[str, Any], table: str) -> dict[str, Any] | None:
        return self._values((table,), f"[{table}]", table, document.get(table, {}))

    def _values(
        self, path: tuple[str | int, ...], shown: str, table: str, entry: object
    ) -> dict[str, Any] | None:
        """The fields of one table, each through its rule; ``None`` when it is no table at all."""
        if not isinstance(entry, dict):
            self._problem(
                path,
                f"{table} must be a table; allowed: {shown} on a line of its own.",
                f"{table} は表です。単独の行に {shown} と書いてください。",
            )
            return None
        keys = TABLES[table]
        self._unknown(entry, [key.name for key in keys], path, shown)
        values: dict[str, Any] = {}
        for key in keys:
            if key.name not in entry:
                if key.required:
                    self._problem(
                        path,
                        f"{shown} lacks {key.name} ({key.comment}).",
                        f"{shown} に {key.name} がありません({key.comment_ja})。",
                    )
                continue
            try:
                values[key.field] = key.rule(entry[key.name])
            except RuleError as refused:
                self._problem(
                    (*path, key.name),
                    f"{shown} {key.name} = {_shown(entry[key.name])} is not accepted; "
                    f"allowed: {refused.allowed}.",
                    f"{shown} の {key.name} = {_shown(entry[key.name])} は使えません。"
                    f"書けるもの: {refused.allowed_ja}。",
                )
        self._profile(path, shown, values.get("profile"))
        return values

    def _profile(self, path: tuple[str | int, ...], shown: str, profile: str | None) -> None:
        if profile is None or self._profiles is None or profile in self._profiles:
            return
        allowed = ", ".join(sorted(self._profiles))
        self._problem(
            (*path, "profile"),
            f'{shown} profile = "{profile}" is not known; allowed: {allowed}.',
            f'{shown} の profile = "{profile}" はありません。書けるもの: {allowed}。',
        )

    def _unknown(
        self, entry: Mapping[str, Any], known: Collection[str], path: tuple[str | int, ...], shown: str = ""
    ) -> None:
        for name in entry:
            if name in known:
                continue
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            meant = f"did you mean {near[0]}? " if near else ""
            meant_ja = f"{near[0]} のことですか。" if near else ""
            allowed = ", ".join(known)
            where, where_ja = (shown, f"{shown} に") if shown else ("the file", "このファイルに")
            self._problem(
                (*path, name),
                f'{where} has no key "{name}"; {meant}Allowed: {allowed}.',
                f'{where_ja} "{name}" というキーはありません。{meant_ja}書けるもの: {allowed}。',
            )

    def _problem(self, path: tuple[str | int, ...], en: str, ja: str) -> None:
        self.problems.append(Problem(line=self._lines.of(path), en=en, ja=ja))


def _shown(value: object) -> str:
    """A refused value, as it would stand in the file, cut where it is long."""
    if isinstance(value, str):
        return f'"{value if len(value) <= 60 else value[:57] + "…"}"'
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "{…}" if isinstance(value, dict) else "[…]"
    return str(value)
