"""Letters and mails of the desk: one notice for each step, with the right honorifics, in two languages."""

from __future__ import annotations

from koatsu.desk.letters.addressing import addressee_lines, dear, plain_name
from koatsu.desk.letters.content import LetterContent
from koatsu.desk.letters.notices import Notice, NoticeKind, NoticeTable, notice_table
from koatsu.desk.letters.writing import Letter, letter

__all__ = [
    "Letter",
    "LetterContent",
    "Notice",
    "NoticeKind",
    "NoticeTable",
    "addressee_lines",
    "dear",
    "letter",
    "notice_table",
    "plain_name",
]
