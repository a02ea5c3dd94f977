"""From the text of ``koatsu.toml`` to a ``Config``, or to the list of everything that is wrong with it.

How a file is found, decoded and parsed is the same for ``desk.toml``.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from koatsu.config.lines import Lines
from koatsu.config.model import StoreConfig, WebConfig
from koatsu.config.reader import Reader
from koatsu.config.tables import Problem
from koatsu.config.whole import Config
from koatsu.errors import ConfigError

__all__ = [
    "ConfigFileError",
    "file_text",
    "load_config",
    "parse_config",
    "parsed",
    "placed",
    "placed_page",
]


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
    """Read a configuration file; paths in it are taken from the folder that the file is in.

    Args:
        path: the file.
        profiles: the names of link profiles that exist; ``None`` leaves the question open.

    Raises:
        ConfigFileError: with every problem of the file.
    """
    path = Path(path)
    made_by = ("“koatsu init” writes one.", "「koatsu init」で作れます。")
    config = parse_config(file_text(path, made_by), name=str(path), profiles=profiles)
    store = config.store
    if "://" not in store.path:
        store = StoreConfig(path=placed(path, store.path))
    return replace(config, web=placed_page(config.web, path), store=store)


def parse_config(text: str, *, name: str = "koatsu.toml", profiles: Collection[str] | None = None) -> Config:
    """The configuration in ``text``; ``name`` is what error sentences call the file.

    Raises:
        ConfigFileError: with every problem of the text.
    """
    document = parsed(text, name)
    reader = Reader(Lines(text), profiles)
    config = reader.read(document)
    if config is None or reader.problems:
        raise ConfigFileError(name, reader.problems)
    return config


# --- the same for every file ----------------------------------------------------------------------------


def file_text(path: Path, made_by: tuple[str, str]) -> str:
    """The text of a configuration file.

    Args:
        path: the file.
        made_by: how one comes by such a file, in English and in Japanese.

    Raises:
        ConfigError: there is none, it cannot be read, or it is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError as error:
        raise ConfigError(
            f"There is no configuration file {path}.",
            ja=f"設定ファイル {path} がありません。",
            hint=made_by[0],
            hint_ja=made_by[1],
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


def parsed(text: str, name: str) -> dict[str, Any]:
    """The document in ``text``, numbers with a fraction exact.

    Raises:
        ConfigFileError: it is not TOML.
    """
    try:
        return tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise ConfigFileError(name, [_syntax(error, text)]) from error


def placed(path: Path, written: str) -> str:
    """A path as it is meant in the configuration file ``path``: from the folder that the file is in."""
    return str(path.parent.absolute() / Path(written).expanduser())


def placed_page(web: WebConfig, path: Path) -> WebConfig:
    """``[web]`` with its paths as they are meant in the configuration file ``path``."""
    cert, key = (None if one is None else placed(path, one) for one in (web.tls_cert, web.tls_key))
    return replace(web, tls_cert=cert, tls_key=key)


def _syntax(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    place = re.search(r"\(at line (\d+), column \d+\)", str(error))
    reason = re.sub(r"\s*\(at .*\)$", "", str(error))
    line = int(place[1]) if place else len(text.splitlines()) or 1
    return Problem(
        line=line,
        en=f'this is not TOML: {reason}. Allowed: [table], key = "text", key = 12, # comment.',
        ja=f'TOMLとして読めません({reason})。書けるのは [表]、キー = "文字列"、キー = 12、# コメント です。',
    )
