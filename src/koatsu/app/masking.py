"""What must not stand in a log: found in any text and in any field, and replaced before a line is written.

Supply-point numbers are numbers of persons and places, so no run of 22 digits leaves, whatever is written
between them. Passwords, tokens, cookies and session secrets are found by the name before them, by their place
in an address, or by their shape. What has no name and no shape can be made known with :meth:`Mask.know`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

__all__ = ["HIDDEN", "Mask"]

HIDDEN: Final = "***"  #: stands where something was

_LEAST_KNOWN: Final = 4  # a shorter secret would hide half of every line, and is none

_BETWEEN: Final = r"[\s\u00ad\u200b\u2010-\u2015\u2212\u30fc\uff0d_./-]{0,3}"
_SUPPLY_POINT: Final = re.compile(rf"\d(?:{_BETWEEN}\d){{21,}}")
"""22 digits (供給地点特定番号), full-width ones too. A longer run hides one, so it goes as a whole."""

_NAMED: Final = (
    r"pass(?:word|wd|phrase)|pwd|secret|token|api[_-]?key|private[_-]?key|authorization|cookie|session|csrf"
    r"|credential|暗証|パスワード|合言葉"
)
_SECRET_NAME: Final = re.compile(_NAMED, re.IGNORECASE)
_SUPPLY_POINT_NAME: Final = re.compile(r"supply[_ -]?point|地点特定番号", re.IGNORECASE)

_TEXTS: Final = (
    # Authorization: Bearer …, Cookie: a=b; c=d: everything up to the end of the line
    (
        re.compile(r"(?i)((?:proxy-)?authorization|(?:set-)?cookie)(['\"]?\s*[:=]\s*)[^\r\n]+"),
        rf"\1\2{HIDDEN}",
    ),
    # scheme://user:password@host; a password may itself hold signs that an address should not
    (re.compile(r"(://[^\s:/@]*:)\S+(?=@)"), rf"\1{HIDDEN}"),
    # password=…, "token": "…", db_password: …
    (
        re.compile(
            rf"(?i)((?:{_NAMED})[\w-]*[\"']?\s*[:=]\s*)"
            r"(?:\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&\"'][^\s,;&]*)"
        ),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[^\s,;\"']+"), rf"\1 {HIDDEN}"),
    # 30 random bytes or more in base64: both cases beside each other, which no word or digest has
    (
        re.compile(r"(?<![\w-])(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[A-Za-z0-9_-]{40,}(?![\w-])"),
        HIDDEN,
    ),
)


class Mask:
    """Hides what must not be written.

    Args:
        known: secrets that have neither name nor shape, such as the password inside a setting.
    """

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._known: tuple[str, ...] = ()
        for secret in known:
            self.know(secret)

    def know(self, secret: str) -> None:
        """Hide this text too, wherever it stands; one shorter than four signs is not taken."""
        if len(secret) >= _LEAST_KNOWN:
            self._known = tuple(sorted({*self._known, secret}, key=len, reverse=True))

    def text(self, text: str) -> str:
        """``text`` without what must not be written."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        for pattern, shown in _TEXTS:
            text = pattern.sub(shown, text)
        return _SUPPLY_POINT.sub(HIDDEN, text)

    def value(self, value: object) -> Any:
        """A field's value as JSON can hold it, nothing to be hidden left in it, however deep."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int):
            shown = self.text(str(value))
            return value if shown == str(value) else shown
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, Mapping):
            return self.fields({str(key): one for key, one in value.items()})
        if isinstance(value, list | tuple | set | frozenset):
            return [self.value(one) for one in value]
        if isinstance(value, bytes):
            return self.text(value.decode("utf-8", "backslashreplace"))
        return self.text(str(value))

    def fields(self, fields: Mapping[str, object]) -> dict[str, Any]:
        """The fields of a line; one whose name says that it is a secret is hidden whatever it holds."""
        return {
            self.text(name): HIDDEN if _is_secret(name) and value is not None else self.value(value)
            for name, value in fields.items()
        }


def _is_secret(name: str) -> bool:
    return bool(_SECRET_NAME.search(name) or _SUPPLY_POINT_NAME.search(name))
