"""From values to paper: the built-in templates, or the utility's own."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Final

from koatsu.desk.forms.content import CONTENT_WORDS, FormContent, FormKind
from koatsu.desk.forms.folder import templates_of
from koatsu.desk.words import Words
from koatsu.render import pdf

__all__ = ["FORM_WORDS", "Forms"]

FORM_WORDS: Final[dict[FormKind, Words]] = {
    FormKind.APPLICATION: Words(
        "高圧Bルートサービス 利用申込書", "Application for the high-voltage B-route service"
    ),
    FormKind.ENDING: Words("高圧Bルートサービス 廃止届", "Notice to end the high-voltage B-route service"),
}
"""What the forms are called."""


class Forms:
    """The forms of one utility.

    Args:
        folder: files there take the place of the built-in ones by name: ``application.typ``, ``ending.typ``,
            and ``form.typ``, which both import. ``None``: the built-in ones.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder

    def pdf(self, content: FormContent, *, made: datetime) -> bytes:
        """The form as PDF, one page of A4; remarks that are too long for their cell stand on a second one.

        Args:
            content: empty fields are lines to write on.
            made: the date of the file, aware; the date on the form is ``content.made_on``.

        Raises:
            MissingGlyphError: a character cannot be printed; the field is named.
            TemplateError: the utility's own template does not work, or states an amount of money.
        """
        template = templates_of(__package__, self._folder, f"{content.kind.value}.typ")
        return pdf(template, content.data(), made=made, names=CONTENT_WORDS)

    def blank(self, kind: FormKind, *, made: datetime, utility: str = "") -> bytes:
        """The empty form, for printing and writing by hand."""
        return self.pdf(FormContent(kind=kind, utility=utility), made=made)
