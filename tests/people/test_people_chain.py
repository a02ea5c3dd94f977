"""The chain by itself: whatever is done to a list of entries, the first that does not fit is named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from koatsu.people.chain import AuditFinding, FindingKind, Link, examine
from koatsu.people.keys import Digests

START = "0" * 64
made = Digests("7" * 64).chain
texts = st.text(max_size=70)


def chain(length: int) -> list[Link]:
    """A sound chain."""
    links: list[Link] = []
    previous = START
    for seq in range(1, length + 1):
        link = Link(
            seq=seq, at=seq * 60, author="person:1", action="tested", subject="-",
            detail=f'{{"n":"{seq}"}}', previous=previous, hash="",
        )  # fmt: skip
        link = replace(link, hash=made(link.text))
        links.append(link)
        previous = link.hash
    return links


def fault(links: Sequence[Link], of: Sequence[Link]) -> AuditFinding | None:
    """What is found in ``links`` when the end of ``of`` was noted."""
    head = (of[-1].seq, of[-1].hash) if of else None
    return examine(lambda: iter(links), start=START, head=head, made=made)


@given(st.integers(0, 12))
def test_a_sound_chain_passes(length: int) -> None:
    assert fault(chain(length), chain(length)) is None


@given(
    length=st.integers(1, 12),
    at=st.integers(0, 11),
    column=st.sampled_from(["author", "action", "subject", "detail", "previous", "hash"]),
    text=texts,
)
def test_no_change_goes_unseen(length: int, at: int, column: str, text: str) -> None:
    whole = chain(length)
    at %= length
    changed = [*whole]
    changed[at] = replace(changed[at], **{column: text})  # type: ignore[arg-type]
    finding = fault(changed, whole)
    if changed == whole:
        assert finding is None
        return
    assert finding is not None
    assert finding.seq == at + 1


@given(length=st.integers(1, 12), first=st.integers(0, 11), count=st.integers(1, 12), closed_up=st.booleans())
def test_no_deletion_goes_unseen(length: int, first: int, count: int, closed_up: bool) -> None:
    whole = chain(length)
    first %= length
    left = [*whole[:first], *whole[first + count :]]
    if closed_up:
        left = [replace(link, seq=seq) for seq, link in enumerate(left, 1)]
    assert fault(left, whole) == AuditFinding(kind=FindingKind.MISSING, seq=first + 1)


@given(length=st.integers(2, 12), one=st.integers(0, 11), other=st.integers(0, 11))
def test_no_exchange_goes_unseen(length: int, one: int, other: int) -> None:
    whole = chain(length)
    one, other = sorted((one % length, other % length))
    swapped = [*whole]
    swapped[one], swapped[other] = replace(whole[other], seq=one + 1), replace(whole[one], seq=other + 1)
    expected = None if one == other else AuditFinding(kind=FindingKind.MOVED, seq=one + 1)
    assert fault(swapped, whole) == expected


@given(length=st.integers(0, 12), at=st.integers(0, 12), text=texts, fits=st.booleans())
def test_no_insertion_goes_unseen(length: int, at: int, text: str, fits: bool) -> None:
    whole = chain(length)
    at %= length + 1
    before = whole[at - 1].hash if at else START
    forged = Link(
        seq=at + 1, at=0, author="person:9", action=text, subject="-", detail="{}",
        previous=before if fits else text, hash="f" * 64,
    )  # fmt: skip
    grown = [*whole[:at], forged, *(replace(link, seq=link.seq + 1) for link in whole[at:])]
    finding = fault(grown, whole)
    assert finding is not None
    assert finding.seq == at + 1


@given(length=st.integers(1, 12), at=st.integers(0, 11))
def test_a_copied_entry_is_told(length: int, at: int) -> None:
    whole = chain(length)
    at %= length
    grown = [*whole[: at + 1], *(replace(link, seq=link.seq + 1) for link in whole[at:])]
    finding = fault(grown, whole)
    assert finding is not None
    assert finding.seq == at + 2


def test_whoever_has_the_key_still_has_to_change_the_noted_end() -> None:
    whole = chain(3)
    assert fault(chain(4), whole) == AuditFinding(kind=FindingKind.INSERTED, seq=4)
    assert fault(chain(2), whole) == AuditFinding(kind=FindingKind.MISSING, seq=3)
    assert fault(chain(2), []) == AuditFinding(kind=FindingKind.INSERTED, seq=1)
