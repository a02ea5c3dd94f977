"""The numbers that people know enquiries and records of faults by: EQ-2026-00001, FT-2026-00012."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["typed_number", "written_number"]


def written_number(kind: str, year: int, seq: int) -> str:
    """The running number ``seq`` of a year as it is shown."""
    return f"{kind}-{year}-{seq:05}"


def typed_number(kind: str, text: str) -> tuple[int, int] | None:
    """Year and running number of what was typed, in whatever width and case; ``None``: it is no number."""
    typed = unicodedata.normalize("NFKC", text).strip().upper()
    found = re.fullmatch(rf"(?a){kind}-(\d{{4}})-(\d{{1,9}})", typed)
    return (int(found[1]), int(found[2])) if found else None
