"""From the text of a profile file to values with their origins, or to the list of all that is wrong with it.

A file holds ``title_en``, ``title_ja``, ``extends`` and the table ``[fields]``. Each field is a table of its
own with the value and its origin: ``{ value = 20, source = "LV AIF 1.01, 2.4.2" }``, or ``assumed = true``
and a ``note``. A file of the site may leave the origin out; it then is the file itself.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from koatsu.config.lines import Lines
from koatsu.config.load import ConfigFileError
from koatsu.config.reader import Problem
from koatsu.errors import UsageError
from koatsu.node.profile_rules import RULES, nearest

__all__ = ["Origin", "ProfileText", "read_profile"]

_TOP = ("title_en", "title_ja", "extends", "fields")
_BESIDE = ("value", "source", "assumed", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where the value of one field comes from.

    Attributes:
        file: the profile or file that states it.
        source: the specification and its section; None where there is none.
        assumed: nothing public says it.
        note: why it is so, in one line, or empty.
    """

    file: str
    source: str | None = None
    assumed: bool = False
    note: str = ""


@dataclass(slots=True, kw_only=True)
class ProfileText:
    """What one file says, together with what it extends."""

    title_en: str = ""
    title_ja: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, Origin] = field(default_factory=dict)


def read_profile(text: str, *, file: str, parent: Callable[[str], ProfileText]) -> ProfileText:
    """Read one profile file.

    Args:
        text: its content.
        file: what messages and origins call it.
        parent: gives what ``extends`` names; its UsageError becomes a problem of that line.

    Raises:
        ConfigFileError: with every problem of the file, or of the one that it extends.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigFileError(file, [_syntax(error, text)]) from error
    reader = _Reader(Lines(text), file)
    profile = reader.read(document, parent)
    if reader.problems:
        raise ConfigFileError(file, reader.problems)
    return profile


class _Reader:
    """One pass over a parsed document that gathers problems as it goes."""

    def __init__(self, lines: Lines, file: str) -> None:
        self.problems: list[Problem] = []
        self._lines = lines
        self._file = file

    def read(self, document: dict[str, Any], parent: Callable[[str], ProfileText]) -> ProfileText:
        self._unknown(document, _TOP, ())
        profile = self._extended(document, parent)
        for title in ("title_en", "title_ja"):
            if title in document:
                setattr(profile, title, self._text(document, title, (title,)))
        table = document.get("fields", {})
        if not isinstance(table, dict):
            self._problem(
                ("fields",),
                "fields must be a table; write [fields] on a line of its own.",
                "fields は表です。単独の行に [fields] と書いてください。",
            )
            return profile
        self._unknown(table, tuple(RULES), ("fields",))
        for key in RULES:
            if key in table:
                self._field(profile, key, table[key])
        missing = [key for key in RULES if key not in profile.values and key not in table]
        if missing and "extends" not in document:
            self._problem(
                None,
                f'fields are missing: {", ".join(missing)}; set them, or write extends = "hv-assumed".',
                f'足りない項目: {"、".join(missing)}。書き足すか、extends = "hv-assumed" と書いてください。',
            )
        self._timers(profile, table)
        return profile

    def _extended(self, document: dict[str, Any], parent: Callable[[str], ProfileText]) -> ProfileText:
        """What the file starts from: a copy of what it extends, but for the titles, or nothing."""
        if "extends" not in document:
            return ProfileText()
        name = self._text(document, "extends", ("extends",))
        if not name:
            return ProfileText()
        try:
            base = parent(name)
        except ConfigFileError:
            raise
        except UsageError as error:
            self._problem(("extends",), error.text("en"), error.text("ja"))
            return ProfileText()
        return ProfileText(values=dict(base.values), origins=dict(base.origins))

    def _field(self, profile: ProfileText, key: str, entry: object) -> None:
        """One field: its value, and beside it where that comes from."""
        path = ("fields", key)
        rule = RULES[key]
        if not isinstance(entry, dict) or "value" not in entry:
            self._problem(
                path,
                f"{key} needs a value; write {key} = {{ value = ... }}, {rule.allowed_en}.",
                f"{key} に value がありません。{key} = {{ value = ... }} の形で、{rule.allowed_ja} です。",
            )
            return
        self._unknown(entry, _BESIDE, path)
        value = entry["value"]
        if not rule.accepts(value):
            self._problem(
                (*path, "value"),
                f"{key} must be {rule.allowed_en}, not {_shown(value)}.",
                f"{key} は {rule.allowed_ja} です({_shown(value)} ではありません)。",
            )
            return
        assumed = entry.get("assumed", False)
        if not isinstance(assumed, bool) or (assumed and "source" in entry):
            self._problem(
                (*path, "assumed"),
                f"{key}: assumed must be true or false, and true only where there is no source.",
                f"{key}: assumed は true か false です。true にできるのは source がないときだけです。",
            )
            return
        profile.values[key] = value
        profile.origins[key] = Origin(
            file=self._file,
            source=self._text(entry, "source", (*path, "source")) if "source" in entry else None,
            assumed=assumed,
            note=self._text(entry, "note", (*path, "note")) if "note" in entry else "",
        )

    def _timers(self, profile: ProfileText, table: dict[str, Any]) -> None:
        one, many = profile.values.get("timer_one_s"), profile.values.get("timer_many_s")
        if one is not None and many is not None and many < one:
            to_blame = "timer_many_s" if "timer_many_s" in table else "timer_one_s"
            self._problem(
                ("fields", to_blame),
                f"timer_many_s ({many}) must not be below timer_one_s ({one}).",
                f"timer_many_s ({many}) は timer_one_s ({one}) 以上です。",
            )

    def _text(self, table: dict[str, Any], key: str, path: tuple[str, ...]) -> str:
        value = table[key]
        if isinstance(value, str) and value.strip() and value.isprintable():
            return value
        self._problem(
            path,
            f"{key} must be one line of text in quotation marks, not {_shown(value)}.",
            f"{key} は引用符で囲んだ 1 行の文字列です({_shown(value)} ではありません)。",
        )
        return ""

    def _unknown(self, table: Iterable[str], known: tuple[str, ...], path: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                near = nearest(key, known)
                self._problem(
                    (*path, key),
                    f"{'.'.join((*path, key))} is not known; near it: {', '.join(near)}.",
                    f"{'.'.join((*path, key))} という項目はありません。近いもの: {'、'.join(near)}",
                )

    def _problem(self, path: tuple[str, ...] | None, en: str, ja: str) -> None:
        line = self._lines.of(path) if path is not None else None
        self.problems.append(Problem(line=line, en=en, ja=ja))


def _shown(value: object) -> str:
    """A value as a TOML file would show it, short."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value[:40]}"'
    return str(value)[:40]


def _syntax(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    place = re.search(r"\(at line (\d+), column \d+\)", str(error))
    reason = re.sub(r"\s*\(at .*\)$", "", str(error))
    return Problem(
        line=int(place[1]) if place else len(text.splitlines()) or 1,
        en=f"this is not TOML: {reason}.",
        ja=f"TOML として読めません({reason})。",
    )
