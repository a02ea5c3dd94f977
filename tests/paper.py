"""PDF files read back by programs that did not write them: PDFium for text, pypdf for what is inside."""

from __future__ import annotations

import io
from typing import Any

import pypdf
import pypdfium2


def text_of(content: bytes) -> str:
    """The text of all pages as a browser finds it, without spaces and line ends: those are the layout's."""
    with pypdfium2.PdfDocument(content) as document:
        pages = [page.get_textpage().get_text_range() for page in document]
    return squeezed("".join(pages))


def squeezed(text: str) -> str:
    """The text without white space."""
    return "".join(text.split())


def pages_of(content: bytes) -> int:
    """How many pages there are."""
    return len(pypdf.PdfReader(io.BytesIO(content)).pages)


def reader_of(content: bytes) -> pypdf.PdfReader:
    """The file, opened strictly."""
    return pypdf.PdfReader(io.BytesIO(content), strict=True)


def fonts_of(content: bytes) -> dict[str, bool]:
    """The fonts of all pages: name without its subset tag -> whether the font is inside the file."""
    found: dict[str, bool] = {}

    def look(resources: Any) -> None:
        for font in resources.get("/Font", {}).values():
            for inner in font.get_object()["/DescendantFonts"]:
                descriptor = inner.get_object()["/FontDescriptor"]
                inside = {"/FontFile", "/FontFile2", "/FontFile3"} & set(descriptor)
                found[str(descriptor["/FontName"]).partition("+")[2]] = bool(inside)
        for form in resources.get("/XObject", {}).values():
            if "/Resources" in form.get_object():
                look(form.get_object()["/Resources"])

    for page in reader_of(content).pages:
        look(page["/Resources"])
    return found
