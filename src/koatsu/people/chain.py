"""The chain of the audit log, checked entry by entry: pure, and it names the first entry that does not fit.

An entry's hash is a keyed digest over its content and the hash before it. Content that does not give its
hash was changed or slipped in; a good entry after the wrong neighbour was moved, or its neighbour is gone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["AuditFinding", "FindingKind", "Link", "examine"]

_HASH_DIGITS: Final = 64


class FindingKind(StrEnum):
    """What is wrong with the audit log."""

    CHANGED = "changed"  #: an entry does not say any more what it said
    MISSING = "missing"  #: entries were taken out
    INSERTED = "inserted"  #: an entry that this program did not write
    MOVED = "moved"  #: an entry stands in another's place
    TORN = "torn"  #: the last entry is incomplete, as a crash of the machine leaves it
    NOT_EXPECTED = "not_expected"  #: the noted hash is not in the log: all of it may be another


_SENTENCES: Final[dict[FindingKind, tuple[str, str]]] = {
    FindingKind.CHANGED: (
        "Entry {seq} of the audit log was changed.",
        "操作記録の {seq} 件目が書き換えられています。",
    ),
    FindingKind.MISSING: (
        "Entries are missing from the audit log, from number {seq} on.",
        "操作記録の {seq} 件目から先に、削除された記録があります。",
    ),
    FindingKind.INSERTED: (
        "Entry {seq} of the audit log was not written by Koatsu.",
        "操作記録の {seq} 件目は、あとから差し込まれたものです。",
    ),
    FindingKind.MOVED: (
        "Entry {seq} of the audit log is not in its place.",
        "操作記録の {seq} 件目は、順序が入れ替えられています。",
    ),
    FindingKind.TORN: (
        "The last entry of the audit log, number {seq}, is incomplete, as after a crash; the others fit.",
        "操作記録の最後の {seq} 件目が途中で切れています(異常終了など)。それより前は正常です。",
    ),
    FindingKind.NOT_EXPECTED: (
        "No entry of the audit log has the hash that was noted.",
        "控えたハッシュの記録が、操作記録にありません。",
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """The first fault of the log: what it is, and at which entry (0: the log as a whole)."""

    kind: FindingKind
    seq: int

    def text(self, lang: str = "en") -> str:
        """The finding as a sentence in ``lang`` ("ja" or "en")."""
        return _SENTENCES[self.kind][lang == "ja"].format(seq=self.seq)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An entry as it stands in the table."""

    seq: int
    at: int
    author: str
    action: str
    subject: str
    detail: str
    previous: str
    hash: str

    @property
    def text(self) -> str:
        """What the hash is made of: everything but the number, which the neighbours give."""
        parts = [self.at, self.author, self.action, self.subject, self.detail, self.previous]
        return json.dumps(parts, ensure_ascii=True, separators=(",", ":"))


def examine(
    links: Callable[[], Iterator[Link]],
    *,
    start: str,
    head: tuple[int, str] | None,
    made: Callable[[str], str],
    expected: str | None = None,
) -> AuditFinding | None:
    """The first fault of a chain, or ``None``.

    Args:
        links: gives the entries in the order of their numbers; may be called twice.
        start: what stands before the first.
        head: number and hash of the last entry as noted beside the chain; ``None``: nothing was written yet.
        made: the keyed digest.
        expected: a hash that some entry must have.
    """
    number, previous, seen = 0, start, expected in (None, start)
    entries = links()
    link = next(entries, None)
    while link is not None:
        following = next(entries, None)
        fault = _fault(link, following, number, previous, head, made)
        if fault is FindingKind.MOVED and not any(one.hash == link.previous for one in links()):
            fault = FindingKind.MISSING  # what it followed is nowhere any more
        if fault is not None:
            return AuditFinding(kind=fault, seq=number + 1 if fault is FindingKind.MISSING else link.seq)
        seen = seen or link.hash == expected
        number, previous, link = link.seq, link.hash, following
    if head is None and number:
        return AuditFinding(kind=FindingKind.INSERTED, seq=1)
    if head is not None and head != (number, previous):
        return AuditFinding(kind=FindingKind.MISSING, seq=number + 1)
    return None if seen else AuditFinding(kind=FindingKind.NOT_EXPECTED, seq=0)


def _fault(
    link: Link,
    following: Link | None,
    number: int,
    previous: str,
    head: tuple[int, str] | None,
    made: Callable[[str], str],
) -> FindingKind | None:
    """What is wrong with ``link``, which comes after entry ``number`` with the hash ``previous``."""
    if made(link.text) == link.hash:
        if link.previous != previous:
            return FindingKind.MOVED
        if link.seq != number + 1:
            return FindingKind.MOVED if link.seq <= number else FindingKind.MISSING
        if following is None and head is not None and link.seq == head[0] + 1:
            return FindingKind.INSERTED  # somebody with the key: the end noted beside the chain is before it
        return None
    if following is None and _torn(link):
        return FindingKind.TORN
    if following is None:
        return FindingKind.INSERTED if head is None or link.seq > head[0] else FindingKind.CHANGED
    if following.previous == previous and following.previous != link.hash:
        return FindingKind.INSERTED
    if link.seq > number + 1:
        return FindingKind.MISSING
    return FindingKind.CHANGED


def _torn(link: Link) -> bool:
    if len(link.hash) != _HASH_DIGITS or len(link.previous) != _HASH_DIGITS:
        return True
    try:
        return not isinstance(json.loads(link.detail), dict)
    except ValueError:
        return True
