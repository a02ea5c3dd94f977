"""The refused rows of a file as a file to mend and to send again.

In front of the cells as they were written stand the row and why it was not taken; both columns are passed
over when the file comes back, and what nobody has mended is refused again. Numbers of supply points are
whole, as in the file: it is for whoever has sent that one.
"""

from __future__ import annotations

import csv
import io
import re
from typing import Final

from koatsu.desk.imports.reading import decoded, rows_of
from koatsu.desk.imports.report import ImportReport
from koatsu.desk.words import Words

__all__ = ["MENDING_HEADINGS", "mendable_csv"]

MENDING_HEADINGS: Final = (
    Words("元の行", "Row before"),
    Words("取り込まなかった理由", "Why it was not taken"),
)
"""The columns in front; no register has columns of these names."""

_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def mendable_csv(data: bytes, report: ImportReport, lang: str) -> bytes:
    """The refused rows of ``data``, of which ``report`` tells, with a byte-order mark.

    What could not be read as text holds the replacement character, which no register takes either.
    """
    why: dict[int, list[str]] = {}
    for one in report.refusals:
        where = "" if one.column is None else f"「{one.column.ja}」" if lang == "ja" else f"{one.column.en}: "
        why.setdefault(one.row, []).append(where + one.words.text(lang))
    text, _ = decoded(data, report.name)
    rows = rows_of(text, report.name)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    _, headings = next(rows)
    writer.writerow([*(heading.text(lang) for heading in MENDING_HEADINGS), *headings])
    for number, cells in rows:
        if number in why:
            writer.writerow([str(number), " ".join(why[number]), *cells])
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", out.getvalue()).encode("utf-8-sig")
