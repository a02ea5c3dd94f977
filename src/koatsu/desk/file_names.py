"""File names that people send, made fit to be written into a header and saved on any machine. Pure.

Rare kanji and variation sequences stay as they are; paths, signs that cannot be seen, signs that turn the
direction of writing and signs that some system reserves go.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from urllib.parse import quote

__all__ = ["attachment", "safe_file_name"]

_LONGEST: Final = 100  #: characters before the ending
_MOST_BYTES: Final = 200  #: the same in UTF-8: file systems take 255 with what they add
_SEPARATORS: Final = re.compile(r"[/\\\u2044\u2215\u29f5\u29f8\uff0f\uff3c]")
_RESERVED: Final = re.compile(r'[<>:"|?*\u0000]')
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SPACE: Final = re.compile(r"\s+")
_VOICED: Final = re.compile("[\u3041-\u30ff][\u3099\u309a]")
_ENDING: Final = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}")
_OURS: Final = frozenset({".pdf", ".png", ".jpg", ".jpeg"})
_DEVICES: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)", re.IGNORECASE)
_ASCII: Final = re.compile(r"[^A-Za-z0-9._-]+")


def safe_file_name(name: str, suffix: str, fallback: str = "document") -> str:
    """``name`` without path and without anything that hides or harms, ending in ``suffix`` alone.

    Args:
        name: as it was sent; may be anything.
        suffix: what the content is, with its dot.
        fallback: used where nothing of the name remains.
    """
    last = _SPACE.sub(" ", _SEPARATORS.split(name)[-1])
    seen = "".join(sign for sign in last if unicodedata.category(sign) not in _UNSEEN)
    whole = _VOICED.sub(lambda found: unicodedata.normalize("NFC", found[0]), _SPACE.sub(" ", seen))
    stem = _RESERVED.sub("_", whole).rstrip(" .")
    ending = stem.rfind(".")
    if ending >= 0 and _ENDING.fullmatch(stem, ending):
        stem = stem[:ending]
    stem = _shortened(stem.strip(" .")).strip(" .")
    while (ending := stem.rfind(".")) >= 0 and stem[ending:].lower() in _OURS:
        stem = stem[:ending].strip(" .")
    if not stem.strip("_"):
        stem = fallback
    if _DEVICES.match(stem):
        stem = f"_{stem}"
    return stem + suffix


def _shortened(stem: str) -> str:
    """The first characters that fit; marks are not parted from what they stand on."""
    end = min(len(stem), _LONGEST)
    while len(stem[:end].encode()) > _MOST_BYTES:
        end -= 1
    while 0 < end < len(stem) and unicodedata.category(stem[end]).startswith("M"):
        end -= 1
    return stem[:end]


def attachment(name: str) -> str:
    """The header Content-Disposition that makes a browser save a file under ``name`` (RFC 6266)."""
    stem, dot, suffix = name.rpartition(".")
    plain = (_ASCII.sub("_", stem).strip("._") or "document") + dot + _ASCII.sub("", suffix)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
