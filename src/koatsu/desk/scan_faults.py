"""Why a scan or a photograph is not taken in: one sentence each, with what to do."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from koatsu.desk.errors import InputError
from koatsu.desk.words import Words

__all__ = ["ScanFault", "ScanRefusedError", "bytes_words", "refuse_large"]


class ScanFault(StrEnum):
    """Why a file is refused."""

    EMPTY = "empty"
    LARGE = "large"
    KIND = "kind"
    BROKEN = "broken"
    PIXELS = "pixels"
    DOUBLE = "double"  #: it can be read as another kind of file too
    ACTIVE = "active"  #: it could do something when it is opened
    LOCKED = "locked"  #: it cannot be looked into
    TANGLED = "tangled"  #: it takes too much to look into


_SENTENCES: Final[dict[ScanFault, tuple[Words, Words]]] = {
    ScanFault.EMPTY: (
        Words("ファイルが空です。", "The file is empty."),
        Words("もう一度保存してから送ってください。", "Save it again, then send it."),
    ),
    ScanFault.LARGE: (
        Words(
            "ファイルが大きすぎます({size}。{most} まで)。",
            "The file is too large: {size}, of {most} at most.",
        ),
        Words(
            "解像度を 200〜300 dpi にして取り込み直すか、分けて送ってください。",
            "Scan it again at 200 to 300 dpi, or send it in parts.",
        ),
    ),
    ScanFault.KIND: (
        Words("受け取れる種類のファイルではありません{what}。", "This kind of file cannot be taken{what}."),
        Words("PDF、PNG、JPEG のいずれかで送ってください。", "Send a PDF, a PNG or a JPEG."),
    ),
    ScanFault.BROKEN: (
        Words("ファイルが壊れているか、途中で切れています。", "The file is damaged or cut off."),
        Words("もう一度取り込むか、保存し直してください。", "Scan or save it again."),
    ),
    ScanFault.PIXELS: (
        Words("画像の画素数が多すぎます({size} 画素)。", "The picture has too many pixels ({size})."),
        Words("解像度を下げて取り込み直してください。", "Scan it again at a lower resolution."),
    ),
    ScanFault.DOUBLE: (
        Words(
            "別の種類のファイルが中に隠れているため、受け取れません。",
            "Another kind of file is hidden inside, so it cannot be taken.",
        ),
        Words("紙に印刷して取り込み直してください。", "Print it on paper and scan that."),
    ),
    ScanFault.ACTIVE: (
        Words(
            "開くと動作するもの(スクリプト、添付ファイルなど)が入っているため、受け取れません({what})。",
            "It holds something that acts when it is opened, such as a script or an attached file ({what}).",
        ),
        Words(
            "「PDF に印刷」で保存し直すか、紙に印刷して取り込み直してください。",
            "Save it again with “Print to PDF”, or print it on paper and scan that.",
        ),
    ),
    ScanFault.LOCKED: (
        Words(
            "パスワードや保護が付いていて中を確かめられないため、受け取れません。",
            "It is protected, so what is inside cannot be checked.",
        ),
        Words("保護を外して保存し直してください。", "Save it again without protection."),
    ),
    ScanFault.TANGLED: (
        Words(
            "つくりが複雑すぎて中を確かめられないため、受け取れません。",
            "It is too tangled to be checked.",
        ),
        Words(
            "「PDF に印刷」で保存し直すか、紙に印刷して取り込み直してください。",
            "Save it again with “Print to PDF”, or print it on paper and scan that.",
        ),
    ),
}  # fmt: skip


class ScanRefusedError(InputError):
    """A file that is not taken in, with what to do; ``fault`` says why. Nothing of it was kept."""

    def __init__(self, fault: ScanFault, **values: object) -> None:
        what, then = _SENTENCES[fault]
        super().__init__({"document": what.filled(**values) if values else what})
        self.hint, self.hint_ja = then.en, then.ja
        self.fault = fault


def bytes_words(number: int) -> str:
    """A size as people write it: 52.4 MB, rounded up so that what is too large never looks as if it fits."""
    unit, name = (1_000_000, "MB") if number >= 1_000_000 else (1_000, "kB")
    tenths = -(-number * 10 // unit)
    return f"{tenths // 10}.{tenths % 10} {name}" if tenths % 10 else f"{tenths // 10} {name}"


def refuse_large(size: int, largest: int) -> None:
    """Say no to a file of ``size`` bytes where ``largest`` are the most.

    Raises:
        ScanRefusedError: it is larger.
    """
    if size > largest:
        raise ScanRefusedError(ScanFault.LARGE, size=bytes_words(size), most=bytes_words(largest))
