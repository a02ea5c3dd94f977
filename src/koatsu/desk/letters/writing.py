"""From a notice and its values to a mail in the customer's language and a letter in Japanese."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Final

from koatsu.clock import JST
from koatsu.desk.errors import InputError
from koatsu.desk.forms import templates_of
from koatsu.desk.letters.addressing import addressee_lines, dear, plain_name
from koatsu.desk.letters.content import LETTER_WORDS, LetterContent, codes_of, day_words, values_of
from koatsu.desk.letters.notices import Notice, NoticeKind, NoticeTable, holds, notice_table
from koatsu.desk.plain_text import shown_postal
from koatsu.desk.words import Words
from koatsu.render import MissingGlyph, MissingGlyphError, pdf

__all__ = ["Letter", "letter"]

_TEMPLATE: Final = "letter.typ"
_RULE: Final = "-" * 40
_ROW: Final = Words("{label}: {value}", "{label}: {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A notice, written: ``subject`` and ``body`` of the mail; the same on paper by ``pdf``."""

    kind: NoticeKind
    language: str
    subject: str  #: one line
    body: str  #: plain text, lines end in a line feed
    _content: LetterContent = field(repr=False)
    _table: NoticeTable = field(repr=False)
    _folder: Path | None = field(repr=False)

    def pdf(self) -> bytes:
        """The letter on paper, in Japanese whatever the language of the mail; always the same bytes.

        Raises:
            MissingGlyphError: a character cannot be printed; the value is named.
            TemplateError: the utility's own ``letter.typ`` does not work.
        """
        template = templates_of(__package__, self._folder, _TEMPLATE)
        data = _paper(self._table.notices[self.kind], self._content, self._table)
        made = datetime.combine(self._content.made_on, time(), tzinfo=JST)
        try:
            return pdf(template, data, made=made)
        except MissingGlyphError as error:
            raise _named(error, self._content, self._table) from None


def letter(kind: NoticeKind | str, content: LetterContent, *, folder: Path | None = None) -> Letter:
    """Write a notice.

    Args:
        kind: which; a name that there is not is an error of the program (``ValueError``).
        content: the values.
        folder: the utility's own ``letters.toml`` and ``letter.typ``, where it has them.

    Raises:
        InputError: a value is missing without which the sentences would have holes; each is named.
        TemplateError: the utility's own table is not right.
    """
    table = notice_table(folder)
    notice = table.notices[NoticeKind(kind)]
    codes = codes_of(content)
    if lacking := [need for need in notice.needs if not holds(need, codes)]:
        raise InputError({_first(need): _lacking(_first(need), table) for need in lacking})
    lang = content.language
    values = values_of(content, table, lang, mask=True)
    return Letter(
        kind=notice.kind,
        language=lang,
        subject=_subject(notice, content, table, values),
        body=_body(notice, content, table, values),
        _content=content,
        _table=table,
        _folder=folder,
    )


def _first(need: str) -> str:
    """The field that is asked for where none of the alternatives is there."""
    return need.split("|")[-1].lstrip("!").partition("=")[0]


def _lacking(name: str, table: NoticeTable) -> Words:
    label = table.label(name)
    return Words(
        f"{label.ja}がないため、お知らせを作れません。", f"The notice cannot be written without: {label.en}."
    )


# --- the parts that mail and paper share ----------------------------------------------------------------


def _filled(text: str, values: Mapping[str, tuple[str, ...]], lang: str) -> str:
    joined = {name: ("、" if lang == "ja" else ", ").join(lines) for name, lines in values.items()}
    return text.format_map(joined)


def _paragraphs(
    notice: Notice, content: LetterContent, values: Mapping[str, tuple[str, ...]], lang: str
) -> list[str]:
    codes = codes_of(content)
    return [_filled(one.words.text(lang), values, lang) for one in notice.text if holds(one.when, codes)]


def _office_lines(content: LetterContent, table: NoticeTable, lang: str) -> list[str]:
    """How to reach the office that answers."""
    office, frame = content.office, table.frame
    address = (
        f"〒{shown_postal(office.postal_code)} {office.address}" if office.postal_code else office.address
    )
    rows = (
        ("phone", office.phone),
        ("hours", office.hours),
        ("email", office.email),
        ("page", content.site_url),
    )
    named = [
        _ROW.text(lang).format(label=frame[name].text(lang), value=value) for name, value in rows if value
    ]
    return [line for line in (address, *named) if line]


# --- mail -----------------------------------------------------------------------------------------------


def _subject(
    notice: Notice, content: LetterContent, table: NoticeTable, values: Mapping[str, tuple[str, ...]]
) -> str:
    """One line, whatever the values hold: a line end in it would begin another header of the mail."""
    lang = content.language
    service, subject = table.frame["service"].text(lang), _filled(notice.subject.text(lang), values, lang)
    number = content.case_number
    if lang == "ja":
        line = f"【{service}】{subject}" + (f"({number})" if number else "")
    else:
        line = f"{service}: {subject}" + (f" ({number})" if number else "")
    return " ".join(line.split())


def _body(
    notice: Notice, content: LetterContent, table: NoticeTable, values: Mapping[str, tuple[str, ...]]
) -> str:
    lang, frame = content.language, table.frame
    blocks = [_opening(content, table, values)]
    blocks += _paragraphs(notice, content, values, lang)
    rows = [_row(table.label(name).text(lang), values[name]) for name in notice.record if name in values]
    if rows:
        blocks.append("\n".join([_RULE, *rows, _RULE]))
    blocks.append(frame["mail_closing"].text(lang))
    sender = f"{values['utility'][0]} {content.office.name}".strip()
    reach = [f"{frame['enquiries'].text(lang)}:", sender, *_office_lines(content, table, lang)]
    if content.case_number:
        reach.append(frame["quote"].text(lang))
    blocks.append("\n".join(reach))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _opening(content: LetterContent, table: NoticeTable, values: Mapping[str, tuple[str, ...]]) -> str:
    lang, frame = content.language, table.frame
    nameless = frame["nameless"].text(lang)
    if lang == "en":
        name = dear(content.customer_name, content.contact_name, nameless)
        return frame["dear"].text(lang).format(name=name)
    sender = _filled(frame["mail_sender"].text(lang), values, lang)
    return "\n".join([*_addressee(content, table), "", frame["mail_greeting"].text(lang) + sender])


def _row(label: str, lines: tuple[str, ...]) -> str:
    if len(lines) == 1:
        return f"{label}: {lines[0]}"
    return "\n".join([f"{label}:", *(f"  {line}" for line in lines)])


def _addressee(content: LetterContent, table: NoticeTable) -> tuple[str, ...]:
    return addressee_lines(
        content.customer_name,
        organisation=content.organisation,
        department=content.department,
        person=content.contact_name,
        nameless=table.frame["nameless"].ja,
    )


# --- paper ----------------------------------------------------------------------------------------------


def _paper(notice: Notice, content: LetterContent, table: NoticeTable) -> dict[str, object]:
    """What ``letter.typ`` gets."""
    values = values_of(content, table, "ja", mask=False)
    # ご清栄 wishes a company well, ご清祥 a person: the one who reads decides.
    to_company = content.organisation and not plain_name(content.contact_name)
    return {
        "addressee": list(_addressee(content, table)),
        "postal_code": content.postal_code,
        "address": content.address,
        "date": day_words(content.made_on).ja.partition("(")[0],
        "number": content.case_number,
        "subject": f"{table.frame['service'].ja} {_filled(notice.subject.ja, values, 'ja')}",
        "opening": "拝啓",
        "greeting": table.frame["greeting_company" if to_company else "greeting_person"].ja,
        "paragraphs": _paragraphs(notice, content, values, "ja"),
        "closing": "敬具",
        "record": [
            {"label": table.label(name).ja, "lines": list(values[name]), "listed": name in table.lists}
            for name in notice.record
            if name in values
        ],
        "utility": content.utility.ja,
        "office": content.office.name,
        "office_lines": _office_lines(content, table, "ja"),
        "enquiries": table.frame["enquiries"].ja,
        "quote": table.frame["quote"].ja if content.case_number else "",
    }


def _named(error: MissingGlyphError, content: LetterContent, table: NoticeTable) -> MissingGlyphError:
    """The same error with the values named as people know them, not by their place on the paper."""
    own = {name: str(getattr(content, name)) for name in LETTER_WORDS}
    values = values_of(content, table, "ja", mask=False)
    texts = {name: "\n".join(lines) for name, lines in values.items()} | own
    names = {name: field.words for name, field in table.fields.items()} | LETTER_WORDS
    found = {
        (one.text, name): MissingGlyph(text=one.text, field=name)
        for one in error.missing
        for name, text in texts.items()
        if one.text in text
    }
    return MissingGlyphError(list(found.values()), names) if found else error
