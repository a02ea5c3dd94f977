"""Papers as scanners, telephones and programs make them, and as somebody makes them who means harm."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Final

from pypdf import PdfWriter
from pypdf.generic import (
    DecodedStreamObject,
    DictionaryObject,
    NameObject,
    NumberObject,
    TextStringObject,
)

__all__ = ["archive", "chunk", "jpeg", "pdf", "pdf_of", "pdf_with_packed", "png", "signed_pdf"]

EOI: Final = b"\xff\xd9"


def chunk(name: bytes, data: bytes) -> bytes:
    """One chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int = 8, height: int = 8, *, header: bytes = b"", more: bytes = b"") -> bytes:
    """A grey PNG; ``more`` are chunks before the picture."""
    rows = zlib.compress(b"".join(b"\0" + b"\x80" * width for _ in range(min(height, 64))))
    first = header or struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", first) + more + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def segment(marker: int, data: bytes) -> bytes:
    """One segment of a JPEG."""
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(
    width: int = 64, height: int = 48, *, more: bytes = b"", scan: bytes = b"\x12\xff\x00\x34\xff\xd0\x56"
) -> bytes:
    """A JPEG as a telephone makes it: EXIF, a frame, one scan with stuffed bytes and a restart."""
    return b"".join(
        (
            b"\xff\xd8",
            segment(0xE1, b"Exif\0\0"),
            more,
            segment(0xDB, bytes(65)),
            segment(0xC0, struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"),
            segment(0xC4, bytes(17)),
            segment(0xDA, b"\x01\x01\x00\x00\x3f\x00"),
            scan,
            EOI,
        )
    )


def pdf() -> bytes:
    """A PDF of one empty page, written by a stranger's program."""
    writer = PdfWriter()
    writer.add_blank_page(595, 842)
    return written(writer)


def written(writer: PdfWriter) -> bytes:
    """What a writer has made."""
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def pdf_of(
    *objects: bytes, head: bytes = b"%PDF-1.5\n", trailer: bytes = b"<< /Size 9 /Root 1 0 R >>"
) -> bytes:
    """A PDF of these objects, numbered from 1, with a table of where they are."""
    made = bytearray(head)
    places = []
    for number, content in enumerate(objects, 1):
        places.append(len(made))
        made += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    table = len(made)
    made += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    made += b"".join(b"%010d 00000 n \n" % place for place in places)
    return bytes(made + b"trailer\n%b\nstartxref\n%d\n%%%%EOF\n" % (trailer, table))


CATALOG: Final = b"<< /Type /Catalog /Pages 2 0 R >>"
PAGES: Final = b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
PAGE: Final = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>"


def signed_pdf(*more: bytes, catalog: bytes = CATALOG) -> bytes:
    """One page with further objects."""
    return pdf_of(catalog, PAGES, PAGE, *more)


def pdf_with_packed(
    inside: bytes,
    *,
    keys: bytes = b"/Filter /FlateDecode",
    packed: bytes | None = None,
    kind: bytes = b"/Type /ObjStm",
) -> bytes:
    """A PDF with an object stream that holds ``inside``, packed with zlib unless ``packed`` is given."""
    content = b"10 0 " + inside
    data = zlib.compress(content) if packed is None else packed
    head = b"<< %b /N 1 /First 5 %b /Length %d >>" % (kind, keys, len(data))
    return signed_pdf(head + b"\nstream\r\n" + data + b"\nendstream")


def archive(**names: bytes) -> bytes:
    """A ZIP archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in (names or {"inside": b"x" * 100_000}).items():
            made.writestr(name, content)
    return out.getvalue()


def active_pdfs() -> Mapping[str, bytes]:
    """PDFs that do something when they are opened, made by a stranger's program: what -> file."""
    made: dict[str, bytes] = {}
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    action = {"/S": NameObject("/JavaScript"), "/JS": TextStringObject("app.alert(1)")}
    writer._root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject(key): value for key, value in action.items()}
    )
    made["JavaScript"] = written(writer)
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.add_attachment("evil.exe", b"MZ")
    made["EmbeddedFile"] = written(writer)
    return made


def encrypted_pdf() -> bytes:
    """A PDF with a password."""
    writer = PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    return written(writer)


def picture_pdf() -> bytes:
    """A scanned page: one picture over the whole page, packed as scanners pack it, and a filled-in form."""
    writer = PdfWriter()
    page = writer.add_blank_page(595, 842)
    picture = DecodedStreamObject()
    picture.set_data(b"\xff" * 300_000)
    picture.update(
        {
            NameObject("/Type"): NameObject("/XObject"),
            NameObject("/Subtype"): NameObject("/Image"),
            NameObject("/Width"): NumberObject(1000),
            NameObject("/Height"): NumberObject(300),
            NameObject("/ColorSpace"): NameObject("/DeviceGray"),
            NameObject("/BitsPerComponent"): NumberObject(8),
        }
    )
    writer._add_object(picture.flate_encode())
    page.compress_content_streams()
    return written(writer)
