"""Names of people: how they are written, and how they are compared.

Comparison is by NFKC and case folding, so that full-width letters, half-width kana and capitals make no
second person.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from koatsu.people.errors import NameRefusedError

__all__ = ["LONGEST_NAME", "name_key", "written_name"]

LONGEST_NAME: Final = 64  #: characters


def written_name(name: str) -> str:
    """The name as it is kept: NFKC, single spaces inside, none around.

    Raises:
        NameRefusedError: it is empty, longer than ``LONGEST_NAME`` or holds a character that cannot be seen.
    """
    kept = " ".join(unicodedata.normalize("NFKC", name).split())
    if not kept:
        raise NameRefusedError("A name is needed.", ja="名前を入力してください。")
    if len(kept) > LONGEST_NAME:
        raise NameRefusedError(
            f"A name has at most {LONGEST_NAME} characters.", ja=f"名前は{LONGEST_NAME}文字までです。"
        )
    if any(unicodedata.category(one)[0] in "CZ" and one != " " for one in kept):
        raise NameRefusedError(
            "A name consists of characters that can be seen.", ja="名前に使えない文字が含まれています。"
        )
    return kept


def name_key(name: str) -> str | None:
    """The name as it is compared; ``None`` where nobody can have that name."""
    try:
        return unicodedata.normalize("NFKC", written_name(name).casefold())
    except NameRefusedError:
        return None
