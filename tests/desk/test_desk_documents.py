"""Papers: told by their content, never run, sealed, given out as files to save; hostile ones are refused."""

from __future__ import annotations

import hashlib
import io
import re
import struct
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote

import pytest
from desk_help import RARE, customer_of, erase, put_case
from desk_site import AUDITOR, COUNTER, SETTINGS, STRANGER, SUPERVISOR, WORKS
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from scan_files import (
    CATALOG,
    PAGE,
    PAGES,
    active_pdfs,
    archive,
    chunk,
    encrypted_pdf,
    jpeg,
    pdf,
    pdf_of,
    pdf_with_packed,
    picture_pdf,
    png,
    segment,
    signed_pdf,
)
from sqlalchemy import select, update

from koatsu.clock import ManualClock
from koatsu.desk import Actor, Desk, DeskError, ForbiddenError, InputError, UnknownError
from koatsu.desk.documents import (
    KIND_WORDS,
    WITHDRAWN_WORDS,
    DocumentKind,
    Download,
    Withdrawn,
)
from koatsu.desk.file_names import attachment, safe_file_name
from koatsu.desk.pdf_check import ACTIVE, MOST_TOKENS, MOST_UNPACKED
from koatsu.desk.scan_faults import ScanFault, ScanRefusedError, bytes_words
from koatsu.desk.scans import MOST_PARTS, MOST_PIXELS, ScanKind, inspect
from koatsu.desk.schema_help import document, document_content
from koatsu.people import Role

LARGEST = SETTINGS.document_bytes


def fault(content: bytes) -> ScanFault:
    with pytest.raises(ScanRefusedError) as refused:
        inspect(content, LARGEST)
    return refused.value.fault


# --- what is taken --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "kind", "size"),
    [
        (png(), ScanKind.PNG, (8, 8)),
        (png(more=chunk(b"tEXt", b"Comment\0scan")), ScanKind.PNG, (8, 8)),
        (jpeg(), ScanKind.JPEG, (64, 48)),
        (jpeg(more=b"\xff\xff\xff\xff"), ScanKind.JPEG, (64, 48)),  # fill bytes
        (jpeg(scan=b"\x01" + segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x02"), ScanKind.JPEG, (64, 48)),
        (pdf(), ScanKind.PDF, (0, 0)),
        (picture_pdf(), ScanKind.PDF, (0, 0)),
        (signed_pdf(), ScanKind.PDF, (0, 0)),
        (signed_pdf() + b"\0" * 600, ScanKind.PDF, (0, 0)),  # a scanner that pads
        (signed_pdf(b"<< /Type /Action /S /URI /URI (https://a.example) >>"), ScanKind.PDF, (0, 0)),
        (
            signed_pdf(catalog=CATALOG[:-2] + b"/OpenAction [3 0 R /Fit] /AcroForm << >> >>"),
            ScanKind.PDF,
            (0, 0),
        ),
        (pdf_with_packed(b"<< /Type /Annot >>"), ScanKind.PDF, (0, 0)),
        (
            pdf_of(CATALOG, PAGES, b"null", head=b"%PDF-2.0\n")[:0] + pdf_with_packed(PAGE),
            ScanKind.PDF,
            (0, 0),
        ),
    ],
)
def test_what_is_taken(content: bytes, kind: ScanKind, size: tuple[int, int]) -> None:
    scan = inspect(content, LARGEST)
    assert (scan.kind, scan.content, scan.trimmed) == (kind, content, False)
    assert (scan.width, scan.height) == size


LONG = b"<< /A <%b> >>" % b"".join(hashlib.sha256(b"%d" % at).hexdigest().encode() for at in range(5_000))


@pytest.mark.parametrize(
    "content",
    [
        pdf_with_packed(b"<< /Type /Annot >>", packed=b"10 0 << /Type /Annot >>", keys=b""),  # not packed
        signed_pdf(b"<< /Type /Outlines /First 5 0 R >>", b"<< /Length 3 >>\nstream\nabc\nendstream"),
        pdf_with_packed(LONG),
    ],
    ids=["unpacked", "bookmarks", "long"],
)
def test_a_pdf_that_has_to_be_looked_through_is_taken(content: bytes) -> None:
    assert inspect(content, LARGEST).content == content


def test_a_script_behind_much_else_is_seen() -> None:
    packed = pdf_with_packed(LONG + b"<< /S /JavaScript >>")
    assert len(packed) > 150_000
    assert fault(packed) is ScanFault.ACTIVE


def test_a_page_that_stands_only_in_a_packed_stream_counts() -> None:
    packed = zlib.compress(b"3 0 " + PAGE)
    stream = b"<< /Type /ObjStm /N 1 /First 4 /Filter/FlateDecode /Length %d >>\nstream\n%b\nendstream"
    assert inspect(pdf_of(CATALOG, PAGES, stream % (len(packed), packed)), LARGEST).kind is ScanKind.PDF


def test_what_stands_behind_the_picture_is_not_kept() -> None:
    """Telephones put films and second pictures there; so do people who hide archives."""
    for picture, kind in ((jpeg(), ScanKind.JPEG), (png(), ScanKind.PNG)):
        for behind in (b"ftypmp42" * 10, jpeg(), archive(), b"<script>alert(1)</script>", b"\0"):
            scan = inspect(picture + behind, LARGEST)
            assert (scan.kind, scan.content, scan.trimmed) == (kind, picture, True)


def test_the_content_counts_and_not_the_name(desk: Desk) -> None:
    case = put_case(desk)
    made = desk.documents.add(COUNTER, case.id, png(), "申込書.pdf", DocumentKind.APPLICATION)
    assert (made.scan, made.name) == (ScanKind.PNG, "申込書.png")


# --- what is refused ------------------------------------------------------------------------------------

REFUSED = [
    (b"", ScanFault.EMPTY),
    (b"hello", ScanFault.KIND),
    (b"<html><script>alert(1)</script>", ScanFault.KIND),
    (b"\n" + pdf(), ScanFault.KIND),  # readers take it, browsers may take it for something else
    (b"GIF89a" + pdf(), ScanFault.KIND),
    (archive(), ScanFault.KIND),
    (b"MZ\x90\0" + bytes(100), ScanFault.KIND),
    # PNG
    (png()[:-20], ScanFault.BROKEN),
    (png()[:40], ScanFault.BROKEN),
    (png()[:8], ScanFault.BROKEN),
    (png().replace(b"IDAT", b"IDAX"), ScanFault.BROKEN),
    (png()[:30] + b"\xff" + png()[31:], ScanFault.BROKEN),  # a checksum that does not fit
    (png(0, 8), ScanFault.BROKEN),
    (png(header=struct.pack(">IIBBBBB", 8, 8, 3, 0, 0, 0, 0)), ScanFault.BROKEN),
    (png(header=struct.pack(">IIBBBBB", 8, 8, 16, 3, 0, 0, 0)), ScanFault.BROKEN),
    (png(header=b"1234"), ScanFault.BROKEN),
    (b"\x89PNG\r\n\x1a\n" + chunk(b"IEND", b""), ScanFault.BROKEN),
    (b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 2**31) + b"IHDR", ScanFault.BROKEN),
    (png(60_000, 60_000), ScanFault.PIXELS),  # a bomb for whoever unpacks it
    # JPEG
    (jpeg()[:-2], ScanFault.BROKEN),
    (jpeg()[:60], ScanFault.BROKEN),
    (b"\xff\xd8\xff", ScanFault.BROKEN),
    (b"\xff\xd8\xff\xd9", ScanFault.BROKEN),
    (b"\xff\xd8" + jpeg(), ScanFault.BROKEN),
    (jpeg(0, 48), ScanFault.BROKEN),
    (jpeg(more=b"\xff\xe1\x00\x01"), ScanFault.BROKEN),
    (jpeg(more=b"\xff\xe1\xff\xff"), ScanFault.BROKEN),
    (jpeg(more=b"garbage"), ScanFault.BROKEN),
    (jpeg(65_000, 65_000), ScanFault.PIXELS),
    # two things at once
    (png(more=chunk(b"tEXt", b"a\0<html><script>alert(1)</script>")), ScanFault.DOUBLE),
    (png(more=chunk(b"tEXt", b"a\0" + pdf())), ScanFault.DOUBLE),
    (png(more=chunk(b"prVt", archive())), ScanFault.DOUBLE),
    (jpeg(more=segment(0xFE, b"<!DOCTYPE html>")), ScanFault.DOUBLE),
    (jpeg(more=segment(0xFE, b"<?php system('x'); ?>")), ScanFault.DOUBLE),
    (jpeg(more=segment(0xFE, archive(a=b"b"))), ScanFault.DOUBLE),
    (signed_pdf(b"<< /Length 0 >>\nstream\n" + archive() + b"\nendstream"), ScanFault.DOUBLE),
    (b"%PDF-1.4\n%<html><body onload=alert(1)>\n" + pdf_of(CATALOG, PAGES, PAGE)[9:], ScanFault.BROKEN),
    (pdf_of(CATALOG, PAGES, PAGE, head=b"%PDF-1.4\n%<html >\n"), ScanFault.DOUBLE),
    # PDF
    (pdf()[:-30], ScanFault.BROKEN),
    (pdf()[: len(pdf()) // 2], ScanFault.BROKEN),
    (b"%PDF-1.4", ScanFault.BROKEN),
    (b"%PDF-9.9\n" + pdf()[9:], ScanFault.BROKEN),
    (pdf() + b"<script>alert(1)</script>", ScanFault.BROKEN),
    (pdf() + archive(), ScanFault.BROKEN),
    (re.sub(rb"startxref\n\d+", b"startxref\n7", pdf()), ScanFault.BROKEN),
    (re.sub(rb"startxref\n\d+", b"startxref\n9999999999", pdf()), ScanFault.BROKEN),
    (pdf_of(CATALOG, b"<< /Type /Pages /Count 0 /Kids [] >>"), ScanFault.BROKEN),  # no page
    (encrypted_pdf(), ScanFault.LOCKED),
    (pdf_of(CATALOG, PAGES, PAGE, trailer=b"<< /Encr#79pt 5 0 R /Root 1 0 R >>"), ScanFault.LOCKED),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_refused(content: bytes, expected: ScanFault) -> None:
    assert fault(content) is expected


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"\0\0\0\x18ftypheic", "HEIC"),
        (archive(), "Word / Excel / ZIP"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Word / Excel"),
        (b"II*\0" + bytes(9), "TIFF"),
        (b"GIF89a", "GIF"),
        (b"RIFF\0\0\0\0WEBP", "WebP"),
        (b"\0\0\0\x18ftypmp42", "MP4 / MOV"),
        (b"Rar!\x1a\x07", "RAR / 7z / gzip"),
        (b"#!/bin/sh", "program"),
        (b"  <svg onload=alert(1)>", "HTML / XML"),
    ],
)
def test_what_people_send_by_mistake_is_named(content: bytes, named: str) -> None:
    with pytest.raises(ScanRefusedError) as refused:
        inspect(content, LARGEST)
    assert f"({named})" in refused.value.message
    assert "JPEG" in (refused.value.hint_ja or "")


def test_a_scan_of_50_megabytes_is_one_clear_sentence() -> None:
    with pytest.raises(ScanRefusedError) as refused:
        inspect(b"%PDF-1.4\n" + bytes(50_000_000), LARGEST)
    assert refused.value.text("ja") == (
        "ファイルが大きすぎます(50.1 MB。10.5 MB まで)。"
        "解像度を 200〜300 dpi にして取り込み直すか、分けて送ってください。"
    )
    assert refused.value.message == "The file is too large: 50.1 MB, of 10.5 MB at most."
    assert list(refused.value.by_field) == ["document"]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "0.1 kB"),
        (999, "1 kB"),
        (1_000, "1 kB"),
        (1_001, "1.1 kB"),
        (10_485_760, "10.5 MB"),
        (52_428_800, "52.5 MB"),
    ],
)
def test_a_size_is_never_shown_smaller_than_it_is(number: int, words: str) -> None:
    assert bytes_words(number) == words


@pytest.mark.parametrize("value", ScanFault)
def test_every_fault_says_what_to_do(value: ScanFault) -> None:
    error = ScanRefusedError(value, size="1", most="2", what="x")
    assert error.ja is not None
    assert error.hint_ja is not None
    assert error.ja.endswith("。")
    assert error.hint_ja.endswith("。")
    assert error.message.endswith(".")
    assert "{" not in error.text("ja") + error.text("en")


# --- a PDF that acts ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(ACTIVE))
def test_a_pdf_that_acts_is_refused(name: bytes) -> None:
    for written in (name, b"#%02x" % name[0] + name[1:], b"".join(b"#%02X" % sign for sign in name)):
        assert fault(signed_pdf(b"<< /S /%b >>" % written)) is ScanFault.ACTIVE
        assert fault(pdf_with_packed(b"<< /S /%b /X 1 >>" % written)) is ScanFault.ACTIVE


def test_what_a_strangers_program_makes_active_is_refused() -> None:
    for what, content in active_pdfs().items():
        with pytest.raises(ScanRefusedError, match=what):
            inspect(content, LARGEST)


SCRIPT = b"<< /S /JavaScript /JS (app.alert(1)) >>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        # packed twice, or in another way
        (pdf_with_packed(SCRIPT, keys=b"/Filter [/ASCII85Decode /FlateDecode]"), ScanFault.TANGLED),
        (pdf_with_packed(SCRIPT, keys=b"/Filter [/FlateDecode /FlateDecode]"), ScanFault.TANGLED),
        (pdf_with_packed(SCRIPT, keys=b"/Filter /LZWDecode"), ScanFault.TANGLED),
        (pdf_with_packed(SCRIPT, keys=b"/Filter 9 0 R"), ScanFault.TANGLED),
        (pdf_with_packed(SCRIPT, keys=b"/Filter /FlateDecode2"), ScanFault.TANGLED),
        (pdf_with_packed(SCRIPT, keys=b"/Filter/FlateDecode/DP<</Predictor 12>>"), ScanFault.TANGLED),
        (pdf_with_packed(SCRIPT, keys=b"/Filter/FlateDecode /F (\\\\\\\\host\\\\a)"), ScanFault.TANGLED),
        (pdf_with_packed(SCRIPT, keys=b"/Filter/FlateDecode /Filter/LZWDecode"), ScanFault.TANGLED),
        (pdf_with_packed(SCRIPT, keys=b"/F#69lter 9 0 R"), ScanFault.TANGLED),
        # its dictionary disguised
        (pdf_with_packed(SCRIPT, keys=b"/Filter [ /FlateDecode ]"), ScanFault.ACTIVE),
        (pdf_with_packed(SCRIPT, keys=b"/Filter %x\n/Flate#44ecode"), ScanFault.ACTIVE),
        (pdf_with_packed(SCRIPT, kind=b"/Type /Obj#53tm"), ScanFault.ACTIVE),
        (pdf_with_packed(SCRIPT, kind=b"/Type /XObject /Subtype /Image"), ScanFault.ACTIVE),
        (pdf_with_packed(SCRIPT, kind=b"/Type 9 0 R"), ScanFault.ACTIVE),
        (pdf_with_packed(SCRIPT, kind=b"/Type /ObjStm % obj << /N 2 \n"), ScanFault.ACTIVE),
        (pdf_with_packed(SCRIPT, kind=b"/Type /ObjStm /A (endobj stream ) \\( )"), ScanFault.ACTIVE),
        (pdf_with_packed(SCRIPT, kind=b"/Type /ObjStm /A <656e646f626a>"), ScanFault.ACTIVE),
        (pdf_with_packed(SCRIPT, packed=b"10 0 " + SCRIPT, keys=b""), ScanFault.ACTIVE),
        # its content broken or endless
        (pdf_with_packed(SCRIPT, packed=b"no zlib"), ScanFault.BROKEN),
        (pdf_with_packed(b"", packed=zlib.compress(bytes(MOST_UNPACKED + 1))), ScanFault.TANGLED),
        # another object hidden in the bytes of a stream
        (signed_pdf(b"<< /Length 60 >>\nstream\n7 0 obj " + SCRIPT + b"\nendstream"), ScanFault.ACTIVE),
    ],
)  # fmt: skip
def test_a_pdf_that_hides_what_it_does_is_refused(content: bytes, expected: ScanFault) -> None:
    assert fault(content) is expected


def test_a_packed_stream_hidden_in_the_bytes_of_another_is_seen() -> None:
    inner = zlib.compress(b"10 0 " + SCRIPT)
    hidden = (
        b"7 0 obj << /Type /ObjStm /N 1 /First 5 /Filter /FlateDecode >> stream\n" + inner + b"\nendstream"
    )
    assert fault(signed_pdf(b"<< /Length 999 >>\nstream\n" + hidden + b"\nendstream")) is ScanFault.ACTIVE


def test_bombs_take_little_time() -> None:
    many = b"".join(zlib.compress(bytes(MOST_UNPACKED // 2)) for _ in range(3))
    assert len(many) < 50_000
    one = zlib.compress(bytes(MOST_UNPACKED // 2))
    stream = b"<< /Type /ObjStm /N 1 /First 5 /Filter /FlateDecode >>\nstream\n" + one + b"\nendstream"
    assert fault(signed_pdf(stream, stream, stream)) is ScanFault.TANGLED  # together they are too much
    assert fault(signed_pdf(b"/ObjStm " + b"obj ((" * 100_000)) is ScanFault.TANGLED


@pytest.mark.parametrize(
    "content",
    [
        signed_pdf(b"/ObjStm obj " + b"a " * 500_000),
        signed_pdf(b"/ObjStm obj " + b"(" * MOST_TOKENS),
        signed_pdf(b"/#4a" * 100_001),
        png(more=chunk(b"tEXt", b"") * MOST_PARTS),
        jpeg(more=segment(0xE1, b"") * MOST_PARTS),
    ],
    ids=["tokens", "text", "escapes", "chunks", "segments"],
)
def test_a_file_that_takes_too_much_to_look_into_is_refused(content: bytes) -> None:
    assert fault(content) is ScanFault.TANGLED


def test_signs_that_stand_there_by_chance_hide_nothing() -> None:
    ends = chunk(b"prVt", b"PK\x05\x06" + bytes(18))
    assert inspect(png(more=ends * 10), LARGEST).kind is ScanKind.PNG
    assert fault(png(more=ends * 20)) is ScanFault.DOUBLE


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"%PDF-1.4\n"]))
def test_any_bytes_are_a_scan_or_refused(content: bytes, head: bytes) -> None:
    try:
        scan = inspect(head + content, 400)
    except ScanRefusedError:
        return
    assert scan.content == (head + content)[: len(scan.content)]


@settings(max_examples=200)
@given(
    st.sampled_from([png(), jpeg(), pdf(), picture_pdf()[:3000], pdf_with_packed(b"<< /Type /Annot >>")]),
    st.data(),
)
def test_a_damaged_file_is_a_scan_or_refused(content: bytes, data: st.DataObject) -> None:
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 5))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    try:
        scan = inspect(bytes(damaged), LARGEST)
    except ScanRefusedError:
        return
    assert scan.width * scan.height <= MOST_PIXELS


# --- file names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("申込書.pdf", "申込書.pdf"),
        ("申込書", "申込書.pdf"),
        ("申込書.PDF", "申込書.pdf"),
        ("scan.pdf.pdf", "scan.pdf"),
        ("scan.pdf.exe", "scan.pdf"),
        ("scan.exe.pdf", "scan.exe.pdf"),
        ("2026.11.25 図面.jpg", "2026.11.25 図面.pdf"),
        ("2026.11.25", "2026.11.25.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("..\\..\\windows\\win.ini", "win.pdf"),
        ("C:\\scans\\図面.tif", "図面.pdf"),
        ("a/b\uff0fc\u2044d\u2215e.pdf", "e.pdf"),
        ("...", "document.pdf"),
        ("", "document.pdf"),
        ("   ", "document.pdf"),
        (".pdf", "document.pdf"),
        ("????", "document.pdf"),
        ("con", "_con.pdf"),
        ("NUL.txt", "_NUL.pdf"),
        ("com1.x.pdf", "_com1.x.pdf"),
        ("console.pdf", "console.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.pdf"),  # shown as invoiceexe.pdf
        ("a\r\nSet-Cookie: x=1.pdf", "a Set-Cookie_ x=1.pdf"),
        ("a\x00b\x1b[31m.pdf", "ab[31m.pdf"),
        ("a\u200b\ufeffb.pdf", "ab.pdf"),
        ("a\ud800b.pdf", "ab.pdf"),
        ("a\ue000b.pdf", "ab.pdf"),
        ('<a href="x">|*?.pdf', "_a href=_x_____.pdf"),
        (f"{RARE}.pdf", f"{RARE}.pdf"),
        ("か\u3099き\u3099.pdf", "がぎ.pdf"),  # as a Mac writes it
        ("字" * 300 + ".pdf", "字" * 66 + ".pdf"),
        ("x" * 300 + ".pdf", "x" * 100 + ".pdf"),
        ("葛" * 65 + "葛\U000e0100.pdf", "葛" * 65 + ".pdf"),  # a sign is not parted from its variant
    ],
)
def test_a_file_name_is_made_safe(sent: str, kept: str) -> None:
    assert safe_file_name(sent, ".pdf") == kept


@given(st.text(max_size=400))
def test_any_file_name_is_made_safe(sent: str) -> None:
    name = safe_file_name(sent, ".png")
    assert name.endswith(".png")
    assert name.isprintable()
    assert not set(name) & set('/\\<>:"|?*')
    assert not name.startswith((".", " "))
    assert 5 <= len(name.encode()) <= 210
    assert safe_file_name(name, ".png") == name


@given(st.text(max_size=100))
def test_a_name_comes_through_a_header(sent: str) -> None:
    name = safe_file_name(sent, ".jpg")
    header = attachment(name)
    assert header.isascii()
    assert header.isprintable()
    assert header.startswith('attachment; filename="')
    plain, encoded = header.removeprefix('attachment; filename="').split("\"; filename*=UTF-8''")
    assert re.fullmatch(r"[A-Za-z0-9._-]+\.jpg", plain)
    assert unquote(encoded) == name


# --- the papers of a case -------------------------------------------------------------------------------


def test_a_paper_in_and_out(either: Desk) -> None:
    case = put_case(either)
    content = pdf()
    noted: list[str] = []
    made = either.documents.add(
        COUNTER, case.id, content, f"../{RARE} 申込書.PDF", DocumentKind.APPLICATION,
        lambda _connection, one: noted.append(one.reference),
    )  # fmt: skip
    assert noted == [made.reference] == ["document:1"]
    assert (made.name, made.size, made.added_by) == (f"{RARE} 申込書.pdf", len(content), COUNTER.reference)
    given_out = either.documents.download(WORKS, case.id, made.id)
    assert given_out == Download(name=f"{RARE} 申込書.pdf", scan=ScanKind.PDF, content=content)
    assert len(PdfReader(io.BytesIO(given_out.content)).pages) == 1
    assert either.documents.of_case(COUNTER, case.id) == [made]


def test_a_paper_is_given_out_to_be_saved_and_not_to_be_shown() -> None:
    headers = Download(name="図面.png", scan=ScanKind.PNG, content=png()).headers
    assert headers["Content-Disposition"].startswith("attachment;")
    assert headers["Content-Type"] == "image/png"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "no-store" in headers["Cache-Control"]


@pytest.mark.parametrize(
    "content", [b"", b"x", bytes(LARGEST + 1), signed_pdf(SCRIPT)], ids=["empty", "odd", "large", "script"]
)
def test_nothing_of_a_refused_paper_is_kept(desk: Desk, content: bytes) -> None:
    case = put_case(desk)
    with pytest.raises(ScanRefusedError):
        desk.documents.add(COUNTER, case.id, content, "a.pdf", DocumentKind.OTHER)
    with desk.database.reading() as connection:
        assert connection.execute(select(document)).first() is None


def test_a_history_that_cannot_be_written_keeps_no_paper(desk: Desk) -> None:
    case = put_case(desk)

    def fail(*_: object) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        desk.documents.add(COUNTER, case.id, png(), "a.png", DocumentKind.OTHER, fail)
    assert desk.documents.of_case(COUNTER, case.id) == []


def test_a_large_file_is_refused_before_it_is_read(desk: Desk) -> None:
    desk.documents.refuse_large(LARGEST)
    with pytest.raises(ScanRefusedError, match="too large"):
        desk.documents.refuse_large(LARGEST + 1)


def test_the_same_paper_twice(desk: Desk) -> None:
    case, other = put_case(desk), put_case(desk)
    first = desk.documents.add(COUNTER, case.id, png(), "a.png", DocumentKind.DRAWING)
    with pytest.raises(InputError, match="here already"):
        desk.documents.add(WORKS, case.id, png(), "b.png", DocumentKind.DRAWING)
    again = desk.documents.add(COUNTER, other.id, png(), "a.png", DocumentKind.DRAWING)
    assert again.digest != first.digest  # nobody sees by the digests that two customers sent the same
    desk.documents.withdraw(COUNTER, case.id, first.id, Withdrawn.UNREADABLE)
    desk.documents.add(COUNTER, case.id, png(), "a.png", DocumentKind.DRAWING)


def test_nothing_of_it_can_be_read_in_the_store(desk: Desk, tmp_path: Path) -> None:
    case = put_case(desk)
    desk.documents.add(
        COUNTER, case.id, png(more=chunk(b"tEXt", b"Comment\0SECRET")), "青葉食品.png", DocumentKind.OTHER
    )
    desk.database.forget_erased()
    stored = b"".join(path.read_bytes() for path in tmp_path.glob("desk.db*"))
    assert b"SECRET" not in stored
    assert "青葉食品".encode() not in stored


def test_a_paper_that_was_changed_behind_our_back(desk: Desk) -> None:
    case = put_case(desk)
    one = desk.documents.add(COUNTER, case.id, png(), "a.png", DocumentKind.OTHER)
    two = desk.documents.add(COUNTER, case.id, jpeg(), "b.jpg", DocumentKind.OTHER)
    with desk.database.writing() as connection:  # two contents change places: both open under the same key
        contents = dict(
            connection.execute(select(document_content.c.document, document_content.c.content)).all()
        )
        for number, content in ((one.id, contents[two.id]), (two.id, contents[one.id])):
            connection.execute(
                update(document_content).where(document_content.c.document == number).values(content=content)
            )
    with pytest.raises(DeskError, match="is not what came in"):
        desk.documents.download(COUNTER, case.id, one.id)
    with desk.database.writing() as connection:
        connection.execute(update(document_content).values(content=bytes(100)))
    with pytest.raises(DeskError, match="cannot be decrypted"):
        desk.documents.download(COUNTER, case.id, two.id)


def test_who_sees_which_papers(desk: Desk) -> None:
    case, other = put_case(desk), put_case(desk)
    owner, stranger = customer_of(case), customer_of(other, 21)
    form = desk.documents.add(owner, case.id, pdf(), "申込書.pdf", DocumentKind.APPLICATION)
    photo = desk.documents.add(WORKS, case.id, jpeg(), "工事.jpg", DocumentKind.WORKS_PHOTO)
    own_photo = desk.documents.add(owner, case.id, png(), "盤.png", DocumentKind.WORKS_PHOTO)
    for actor in (COUNTER, WORKS, SUPERVISOR, AUDITOR):
        assert desk.documents.of_case(actor, case.id) == [form, photo, own_photo]
    assert desk.documents.of_case(owner, case.id) == [form, own_photo]
    with pytest.raises(UnknownError):
        desk.documents.download(owner, case.id, photo.id)
    for actor in (stranger, STRANGER, Actor(reference="person:31", role=Role.VIEWER)):
        with pytest.raises(UnknownError):
            desk.documents.download(actor, case.id, form.id)
    with pytest.raises(UnknownError):  # a number of another case
        desk.documents.download(stranger, other.id, form.id)
    for number in (0, -1, 99, 2**40):
        with pytest.raises(UnknownError):
            desk.documents.download(COUNTER, case.id, number)


def test_who_may_bring_and_withdraw(desk: Desk) -> None:
    case = put_case(desk)
    with pytest.raises(ForbiddenError):
        desk.documents.add(AUDITOR, case.id, png(), "a.png", DocumentKind.OTHER)
    with pytest.raises(UnknownError):
        desk.documents.add(STRANGER, case.id, png(), "a.png", DocumentKind.OTHER)
    one = desk.documents.add(customer_of(case), case.id, png(), "a.png", DocumentKind.OTHER)
    for actor in (AUDITOR, customer_of(case)):
        with pytest.raises(ForbiddenError):
            desk.documents.withdraw(actor, case.id, one.id, Withdrawn.WRONG_CASE)


def test_a_withdrawn_paper_stays_in_the_list_and_is_not_given_out(desk: Desk, clock: ManualClock) -> None:
    case = put_case(desk)
    one = desk.documents.add(COUNTER, case.id, png(), "a.png", DocumentKind.OTHER)
    clock.advance(timedelta(minutes=1))
    gone = desk.documents.withdraw(WORKS, case.id, one.id, Withdrawn.WRONG_CASE)
    assert (gone.withdrawn, gone.withdrawn_by, gone.withdrawn_at) == (
        Withdrawn.WRONG_CASE, WORKS.reference, clock.now(),
    )  # fmt: skip
    again = desk.documents.withdraw(COUNTER, case.id, one.id, Withdrawn.UNREADABLE)
    assert again == gone
    assert desk.documents.of_case(COUNTER, case.id) == [gone]
    assert desk.documents.of_case(customer_of(case), case.id) == []
    with pytest.raises(UnknownError, match="withdrawn"):
        desk.documents.download(SUPERVISOR, case.id, one.id)


def test_erasing_a_customer_makes_its_papers_noise(either: Desk) -> None:
    case = put_case(either)
    one = either.documents.add(COUNTER, case.id, png(), "青葉食品.png", DocumentKind.APPLICATION)
    erase(either, case)
    listed = either.documents.of_case(COUNTER, case.id)
    assert [(found.id, found.name, found.size) for found in listed] == [(one.id, None, one.size)]
    with pytest.raises(UnknownError, match="erased"):
        either.documents.download(COUNTER, case.id, one.id)
    with pytest.raises(UnknownError, match="erased"):
        either.documents.add(COUNTER, case.id, jpeg(), "b.jpg", DocumentKind.OTHER)
    with either.database.reading() as connection:
        assert connection.execute(select(document_content)).first() is not None


def test_every_kind_has_a_name() -> None:
    assert set(KIND_WORDS) == set(DocumentKind)
    assert set(WITHDRAWN_WORDS) == set(Withdrawn)


def kinds() -> Iterator[ScanKind]:
    yield from ScanKind


def test_a_kind_is_told_by_its_media_type() -> None:
    assert len({kind.media_type for kind in kinds()}) == len(ScanKind)
    assert [kind.suffix for kind in kinds()] == [".pdf", ".png", ".jpg"]
