"""Whether a PDF is one, and can do nothing but be looked at. ISO 32000-1 (PDF 1.7).

Readers mend broken files each in its own way, so this does not follow the tables of the file: it looks at
every name in its bytes, and at every object wherever one could begin. Two things could hide a name: an object
stream, which is unpacked within narrow limits and refused where it is packed in an unusual way; and
encryption, which is refused. Pure.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

from koatsu.desk.scan_faults import ScanFault, ScanRefusedError

__all__ = ["ACTIVE", "check_pdf"]

ACTIVE: Final = frozenset(
    {
        b"JavaScript",
        b"Launch",  # starts a program
        b"EmbeddedFile",
        b"EmbeddedFiles",
        b"RichMedia",
        b"Rendition",
        b"Movie",
        b"Sound",
        b"SubmitForm",  # sends what was filled in
        b"ImportData",
        b"GoToR",  # opens another file, which may lie on another machine
        b"GoToE",
        b"XFA",  # a form that is a program
    }
)
"""Names of things that act (12.6, 12.7, 7.11.4). Links and filled-in forms are let through."""

MOST_UNPACKED: Final = 8_000_000  #: bytes of all object streams together; a long form has some 100,000
MOST_TOKENS: Final = 1_000_000  #: that are looked at in search of object streams
_LOOKED_AT: Final = (
    4  #: times its own size that may be read in that search; a byte belongs to one object or two
)
_MOST_ESCAPED: Final = 100_000  #: names with escapes; a long form in Japanese has some thousands

_HEAD: Final = re.compile(rb"%PDF-(?:1\.[0-7]|2\.0)[\r\n \t]")
_TAIL: Final = re.compile(rb"startxref\s+(\d{1,10})\s+%%EOF\Z")
_PADDING: Final = b"\0\t\n\f\r "
_XREF: Final = re.compile(rb"[\s\0]*(?:xref\b|\d+\s+\d+\s+obj\b)")

_PLAIN: Final = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"  # a sign of a name or a word
_TOLD: Final = (b"Encrypt", b"First", b"ObjStm", b"Page")
_NAME: Final = re.compile(
    rb"/(?:(?P<plain>%b)(?!%b)|(?P<escaped>%b*#%b*))"
    % (b"|".join(sorted((*ACTIVE, *_TOLD), reverse=True)), _PLAIN, _PLAIN.replace(b"[^", b"[^#"), _PLAIN)
)
"""A name that matters, or one that may be one in disguise: /J#61vaScript is /JavaScript (7.3.5)."""
_ESCAPE: Final = re.compile(rb"#([0-9A-Fa-f]{2})")
_OBJECT: Final = re.compile(rb"(?<!end)obj")
_TOKEN: Final = re.compile(
    rb"(?P<space>[\0\t\n\f\r ]+|%%[^\r\n]*)"
    rb"|(?P<name>/%b*)"
    rb"|(?P<text>\()"
    rb"|(?P<mark><<|>>|[\[\]{}<>)])"
    rb"|(?P<word>%b+)" % (_PLAIN, _PLAIN)
)
_TEXT_SIGN: Final = re.compile(rb"[()]|\\.?", re.DOTALL)
_LINE_END: Final = re.compile(rb"\r?\n?")  # behind the word stream
_ENDS: Final = frozenset({b"stream", b"endobj", b"obj", b"endstream", b"xref", b"trailer"})
_TEXT: Final = b"()"  #: stands for any text
_PORTION: Final = 65_536  #: bytes that are unpacked at a time

_PLAIN_FILTER: Final = re.compile(rb"FlateDecode(?: |\Z)|\[ FlateDecode \]")
_ODD: Final = frozenset({b"DecodeParms", b"DP", b"F", b"FFilter", b"FDecodeParms"})
"""Keys by which a stream is packed in a second way, or lies in another file (7.3.8.2)."""


def check_pdf(content: bytes) -> None:
    """Look into a PDF.

    Raises:
        ScanRefusedError: it is broken, locked, tangled, or holds something that acts.
    """
    _structure(content)
    names = _names(content)
    page = b"Page" in names
    if b"ObjStm" in names or b"First" in names:  # without either no reader finds an object stream
        for packed in _ObjectStreams(content):
            page |= b"Page" in _names(packed)
    if not page:
        raise ScanRefusedError(ScanFault.BROKEN)


def _structure(content: bytes) -> None:
    """Head, tail, and a table of objects where the tail says; nothing but padding behind the tail."""
    kept = content.rstrip(_PADDING)
    tail = _TAIL.search(kept, max(0, len(kept) - 64))
    if _HEAD.match(content) is None or tail is None or _XREF.match(content, int(tail[1])) is None:
        raise ScanRefusedError(ScanFault.BROKEN)


def _names(content: bytes) -> frozenset[bytes]:
    """Go through every name; those of ``_TOLD`` that are there.

    Raises:
        ScanRefusedError: a name stands for something that acts, or says that the file is encrypted.
    """
    seen: set[bytes] = set()
    escaped = 0
    for found in _NAME.finditer(content):
        if found.lastgroup == "escaped":
            escaped += 1
            if escaped > _MOST_ESCAPED:
                raise ScanRefusedError(ScanFault.TANGLED)
        seen.add(_plain(found[0][1:]))
    for name in seen & ACTIVE:
        raise ScanRefusedError(ScanFault.ACTIVE, what=name.decode())
    if b"Encrypt" in seen:
        raise ScanRefusedError(ScanFault.LOCKED)
    return frozenset(seen.intersection(_TOLD))


def _plain(name: bytes) -> bytes:
    """A name without escapes."""
    return _ESCAPE.sub(lambda found: bytes([int(found[1], 16)]), name) if b"#" in name else name


class _ObjectStreams:
    """What the object streams hold, unpacked (7.5.7), within limits on all of them together."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._bytes, self._tokens = _LOOKED_AT * len(content), MOST_TOKENS
        self._unpacked = MOST_UNPACKED

    def __iter__(self) -> Iterator[bytes]:
        """Each object stream, wherever an object could begin.

        Raises:
            ScanRefusedError: one cannot be looked through, or all of it takes too much.
        """
        for found in _OBJECT.finditer(self._content):
            tokens: list[bytes] = []
            at = found.end()
            while not tokens or tokens[-1] not in _ENDS:
                token, after = self._token(at)
                self._spend(after - at, 1)
                if after == at:
                    break
                at = after
                if token:
                    tokens.append(token)
            if tokens and tokens[-1] == b"stream" and _is_packed_objects(tokens):
                line_end = _LINE_END.match(self._content, at)
                yield self._inflated(line_end.end() if line_end else at)

    def _spend(self, size: int, tokens: int) -> None:
        self._bytes -= size
        self._tokens -= tokens
        if self._bytes < 0 or self._tokens < 0:
            raise ScanRefusedError(ScanFault.TANGLED)

    def _token(self, at: int) -> tuple[bytes, int]:
        """The token at ``at`` and where it ends; spaces and comments are an empty one, as is the end."""
        found = _TOKEN.match(self._content, at)
        if found is None:
            return b"", at
        if found.lastgroup == "text":
            return _TEXT, self._end_of_text(found.end())
        return (b"" if found.lastgroup == "space" else found[0]), found.end()

    def _end_of_text(self, at: int) -> int:
        """Where a text that began before ``at`` ends: parentheses nest, a backslash takes the next sign."""
        depth = 1
        for found in _TEXT_SIGN.finditer(self._content, at):
            self._spend(0, 1)
            depth += {b"(": 1, b")": -1}.get(found[0], 0)
            if not depth:
                return found.end()
        return len(self._content)

    def _inflated(self, start: int) -> bytes:
        unpacking = zlib.decompressobj()
        parts: list[bytes] = []
        try:
            for at in range(start, len(self._content), _PORTION):
                parts.append(unpacking.decompress(self._content[at : at + _PORTION], self._unpacked + 1))
                self._unpacked -= len(parts[-1])
                if self._unpacked < 0:
                    raise ScanRefusedError(ScanFault.TANGLED)
                if unpacking.eof:
                    break
        except zlib.error as error:
            raise ScanRefusedError(ScanFault.BROKEN) from error
        return b"".join(parts)


def _is_packed_objects(tokens: list[bytes]) -> bool:
    """Whether the stream with this dictionary is a packed object stream; an unpacked one hides nothing.

    Raises:
        ScanRefusedError: it is one, packed in a way that is not looked through.
    """
    plain = [_plain(token[1:]) if token.startswith(b"/") else token for token in tokens]
    names = {name for name, token in zip(plain, tokens, strict=True) if token.startswith(b"/")}
    if b"ObjStm" not in names and not {b"N", b"First"} <= names:
        return False
    if names & _ODD or plain.count(b"Filter") > 1:
        raise ScanRefusedError(ScanFault.TANGLED)
    if b"Filter" not in names:
        return False
    at = plain.index(b"Filter") + 1
    if _PLAIN_FILTER.match(b" ".join(plain[at : at + 3])) is None:
        raise ScanRefusedError(ScanFault.TANGLED)
    return True
