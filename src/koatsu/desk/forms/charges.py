"""The rule ``cost.free`` on paper: no form and no letter may state an amount of money.

Application, use and works are free, and there is nothing else that the desk could ask money for. So a text
with an amount is a mistake, or somebody's attempt, and is refused before it is printed, a utility's own too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from koatsu.render import TemplateError

__all__ = ["amounts_in", "refuse_amounts"]

#: A figure, a Japanese numeral or the end of a placeholder before 円; a sign or a name of a currency.
_AMOUNT: Final = re.compile(
    r"[0-9０-９〇一二三四五六七八九十百千万億,.，．}\])\"']\s*(?:円(?![形滑卓陣筒錐周弧盤])|yen\b|JPY\b)"
    r"|(?:JPY|USD|EUR)\s*[0-9#{]|[¥￥€]",
    re.IGNORECASE,
)


def amounts_in(text: str) -> tuple[str, ...]:
    """What in ``text`` looks like an amount of money."""
    return tuple(found[0] for found in _AMOUNT.finditer(text))


def refuse_amounts(files: Mapping[str, bytes]) -> None:
    """Look through the texts of templates (``.typ``, ``.toml``); pictures are not looked at.

    Raises:
        TemplateError: one of them states an amount; file and line are named.
    """
    for name, content in files.items():
        if not name.endswith((".typ", ".toml")):
            continue
        for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), start=1):
            if found := amounts_in(line):
                raise TemplateError(
                    name, f"it states an amount ({found[0]}), but the service is free", number
                )
