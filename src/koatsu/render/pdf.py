"""PDF from a typst template and data.

The data goes in as JSON (``sys.inputs.data``) and never into the text of the template, so nothing that a
person types is ever read as a command. Every file is PDF/A-2a: it can be archived, its text can be searched
and read aloud, its fonts are embedded, and the compiler refuses a character that has no glyph, about which it
is silent otherwise. Same template, data and time of making: same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

import typst
from pylopdf_fonts_jp import sans_path

from koatsu.clock import require_aware
from koatsu.render.characters import clusters, unseen, written
from koatsu.render.errors import MissingGlyph, MissingGlyphError, TemplateError
from koatsu.render.template import Template

__all__ = ["SANS", "SERIF", "missing_glyphs", "pdf"]

SANS: Final = "Noto Sans JP"
SERIF: Final = "Noto Serif JP"

# The declared types of typst leave out the mapping of files, which its manual describes.
_compile: Final[Callable[..., Any]] = typst.compile_with_warnings

_STANDARD: Final = "a-2a"
_MAIN: Final = "main.typ"
_AT: Final = re.compile(r"┌─ (?:.*[/\\])?([^/\\:\n]+):(\d+):\d+")
_PROBE: Final = (
    "#set page(width: auto, height: auto)\n"
    f'#set text(font: ("{SANS}", "{SERIF}"), lang: "ja")\n'
    "#sys.inputs.text"
).encode()


def pdf(
    template: str | Path | Template,
    data: Mapping[str, object],
    *,
    made: datetime,
    names: Mapping[str, tuple[str, str]] | None = None,
) -> bytes:
    """The document that ``template`` makes of ``data``.

    Args:
        template: the text itself, the path of a file (with what stands beside it), or a ``Template``. It
            takes its data by ``#let data = json(bytes(sys.inputs.data))``.
        data: what JSON can hold: text, whole numbers, booleans, ``None``, lists and mappings of these. In
            texts a tab becomes a space, and every line end a line feed.
        made: the date of the document, aware.
        names: what people call the fields, Japanese and English, for the sentence about missing characters.

    Raises:
        MissingGlyphError: a character of the data cannot be printed, whether the template prints it or not.
        TemplateError: the template does not work.
        TypeError: the data holds something that JSON does not know.
        ValueError: ``made`` has no time zone.
    """
    at = int(require_aware(made).timestamp())
    clean = _clean(data)
    _refuse_missing(list(_texts(clean)), names)
    used = _template(template)
    inputs = {"data": json.dumps(clean, ensure_ascii=False, allow_nan=False)}
    try:
        content, warnings = _compiled(_with_main(used), inputs, at)
    except typst.TypstError as error:
        raise _template_error(used, error) from error
    for warning in warnings:
        # Another font would be taken in silence, and the page would no longer be what its maker drew.
        if "unknown font family" in warning.message:
            raise _template_error(used, warning)
    return content


def missing_glyphs(text: str) -> tuple[str, ...]:
    """The characters of ``text`` that cannot be printed, each once; empty when all of them can.

    For asking at the moment at which a name is typed, long before it is printed.
    """
    clean = written(text)
    return unseen(clean) or _without(clean)


@cache
def _fonts() -> typst.Fonts:
    """The fonts of the package alone: a machine's own fonts would give each machine its own document."""
    return typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(sans_path().parent)]
    )


def _compiled(
    files: dict[str, bytes], inputs: dict[str, str], at: int
) -> tuple[bytes, Sequence[typst.TypstWarning]]:
    # The root is where files are looked for that ``files`` lacks: by default the working folder of the
    # program, whose settings a template must not read. The folder of the fonts has nothing to hide.
    content, warnings = _compile(
        files,
        root=str(sans_path().parent),
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs=inputs,
        pdf_standards=_STANDARD,
        timestamp=at,
    )
    return bytes(content), warnings


def _template(template: str | Path | Template) -> Template:
    if isinstance(template, Template):
        return template
    return Template.read(template) if isinstance(template, Path) else Template.of_text(template)


def _with_main(template: Template) -> dict[str, bytes]:
    return {**template.files, _MAIN: template.files[template.name]}


def _template_error(template: Template, problem: typst.TypstError | typst.TypstWarning) -> TemplateError:
    place = _AT.search(problem.diagnostic)
    name, line = (place[1], int(place[2])) if place else (_MAIN, None)
    reason = "; ".join([problem.message, *problem.hints])
    return TemplateError(template.name if name == _MAIN else name, reason, line)


# --- the data -------------------------------------------------------------------------------------------


def _clean(value: object) -> object:
    """The data with every text as it is printed."""
    if isinstance(value, str):
        return written(value)
    if isinstance(value, Mapping):
        return {key: _clean(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(inner) for inner in value]
    return value


def _texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of the data with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts(inner, f"{path}[{number}]")


# --- which characters the fonts lack --------------------------------------------------------------------


def _refuse_missing(texts: Sequence[tuple[str, str]], names: Mapping[str, tuple[str, str]] | None) -> None:
    """All texts are looked at, printed by this template or not: another template must not find new faults."""
    if hidden := [MissingGlyph(text=one, field=field) for field, text in texts for one in unseen(text)]:
        raise MissingGlyphError(hidden, names)
    if _shows("\n".join(text for _, text in texts)):
        return
    if missing := [MissingGlyph(text=one, field=field) for field, text in texts for one in _without(text)]:
        raise MissingGlyphError(missing, names)


def _shows(text: str) -> bool:
    """Whether the compiler finds a glyph for everything in ``text``: it shapes, so it is the one to ask."""
    try:
        _compiled({_MAIN: _PROBE}, {"text": text}, 0)
    except typst.TypstError:
        return False
    return True


def _without(text: str) -> tuple[str, ...]:
    """The clusters of ``text`` that have no glyph, each once; all of it where no piece alone fails."""
    if _shows(text):
        return ()
    return tuple(_halved(list(dict.fromkeys(clusters(text))))) or (text,)


def _halved(pieces: list[str]) -> Iterator[str]:
    """Find the bad pieces by halves: a long remark has one of them, and a question costs two milliseconds."""
    if _shows("".join(pieces)):
        return
    if len(pieces) == 1:
        yield pieces[0]
        return
    middle = len(pieces) // 2
    yield from _halved(pieces[:middle])
    yield from _halved(pieces[middle:])
