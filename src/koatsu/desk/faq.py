"""The living help: the questions of the utility's FAQ and their answers, searched as people type.

The table ``tables/faq.toml`` is all there is: sections, questions, answers, the words that find them, the
page that each answer leads to and the named rules that it states. Pure: it is read once and never changes.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Any, Final

from koatsu.desk.plain_text import folded, folded_words
from koatsu.desk.words import Words

__all__ = ["NUMBERED", "Action", "Faq", "Question", "Section", "faq", "read_faq"]

NUMBERED: Final = 21  #: questions that the utility's FAQ has
LONGEST_SEARCH: Final = 200  #: characters of a search that are looked at


class Action(StrEnum):
    """The page that an answer leads to."""

    CHECK = "check"  #: may I have it? found out in a minute
    APPLY = "apply"
    FORMS = "forms"
    MY_CASE = "my_case"
    EQUIPMENT = "equipment"  #: the register of certified EMS
    CONNECT = "connect"  #: how to connect, for the makers of EMS
    COSTS = "costs"
    METERS = "meters"
    TRIAGE = "triage"  #: no data arrives
    END = "end"
    DATA_LIST = "data_list"
    TERMS = "terms"
    SAMPLE_PAGE = "sample_page"
    ENQUIRY = "enquiry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading of the help."""

    id: str
    title: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question with its answer. Every answer leads on, and ends in an enquiry about ``topic``."""

    id: str
    section: str
    number: int | None  #: its place in the utility's FAQ; None: one of our own, from the rules of the desk
    question: Words
    answer: Words
    online: Words | None  #: said in addition where applications are taken on the page
    words: tuple[str, ...]
    action: Action
    label: Words  #: of the button that leads to ``action``
    topic: str  #: the id of the question that an enquiry from here is about
    related: tuple[str, ...]
    rules: tuple[str, ...]

    def said(self, *, online: bool) -> Words:
        """The answer where applications are taken on the page (``online``), or on paper only."""
        if not online or self.online is None:
            return self.answer
        return Words(self.answer.ja + self.online.ja, f"{self.answer.en} {self.online.en}")


@dataclass(frozen=True, slots=True)
class _Index:
    """A question as it is searched: folded, in both languages."""

    question: Question
    words: tuple[str, ...]
    asked: str  #: folded words of the question, a space between them
    answered: str
    pairs: frozenset[str]  #: two characters in a row of everything but the answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Faq:
    """The whole help: sections and questions in their order on the page."""

    sections: tuple[Section, ...]
    questions: tuple[Question, ...]
    stop: frozenset[str]  #: words that say nothing
    _index: tuple[_Index, ...]

    def question(self, name: str) -> Question | None:
        """The question with that id."""
        return next((one for one in self.questions if one.id == name), None)

    def of_section(self, section: str) -> tuple[Question, ...]:
        """The questions under a heading."""
        return tuple(one for one in self.questions if one.section == section)

    def related(self, question: Question) -> tuple[Question, ...]:
        """The questions that ``question`` points to, in its order."""
        return tuple(one for name in question.related if (one := self.question(name)) is not None)

    def about(self, action: Action) -> tuple[Question, ...]:
        """The questions whose answers lead to ``action``: what that page links back to."""
        return tuple(one for one in self.questions if one.action is action)

    def search(self, text: str, limit: int = 8) -> tuple[Question, ...]:
        """The questions that fit what somebody typed, the best first; empty where nothing does.

        Width, capitals, hiragana and katakana make no difference. Of several words all should fit; only
        where no question has them all, one that has some of them is found.
        """
        typed = folded_words(text[:LONGEST_SEARCH])
        terms = [term for term in typed if term not in self.stop] or list(typed)
        scored = [(one.question, [_score(term, one) for term in terms]) for one in self._index]
        whole = [(sum(scores), question) for question, scores in scored if scores and all(scores)]
        found = whole or [(sum(scores), question) for question, scores in scored if any(scores)]
        found.sort(key=lambda pair: -pair[0])  # stable: in the order of the page where they are equal
        return tuple(question for _, question in found[:limit])


_EXACT: Final = 40
_IN_WORD: Final = 20  #: the term is part of a word
_HAS_WORDS: Final = 12  #: words are part of the term, which may be a whole sentence
_IN_QUESTION: Final = 16
_IN_ANSWER: Final = 6
_ALIKE: Final = 1  #: half of its pairs of characters or more are there
_LONG_WORD: Final = 3  #: characters from which a word is looked for anywhere in a term
_SHORT_TERM: Final = 3  #: below so many characters, pairs of them say nothing


def _score(term: str, one: _Index) -> int:
    """How well a folded term fits a question; 0: not at all."""
    if term in one.words:
        return _EXACT + len(term)
    best = max(
        _IN_WORD * any(_within(term, word) for word in one.words),
        _IN_QUESTION * _within(term, one.asked),
        _IN_ANSWER * _within(term, one.answered),
    )
    if covered := _covered(term, one.words):
        best = max(best, _HAS_WORDS + 2 * covered)
    if best or len(term) < _SHORT_TERM or term.isascii():
        return best
    pairs = _pairs(term)
    shared = len(pairs & one.pairs)
    return shared * _ALIKE if 2 * shared >= len(pairs) else 0


def _within(term: str, text: str) -> bool:
    """Whether the text has the term: a Latin one at the beginning of a word, so that fee is not in coffee."""
    if term.isascii():
        return re.search(rf"(?<![a-z0-9]){re.escape(term)}", text) is not None
    return term in text


def _covered(term: str, words: Iterable[str]) -> int:
    """How many characters of the term belong to words that are part of it.

    A short word counts where the term begins with it: in kana anything two characters long is everywhere.
    """
    covered: set[int] = set()
    for word in words:
        at = 0 if len(word) < _LONG_WORD and not _weighty(word) else term.find(word)
        if at >= 0 and term.startswith(word, at) and (at == 0 or not word.isascii()):
            covered.update(range(at, at + len(word)))
    return len(covered)


def _weighty(word: str) -> bool:
    """Whether even two characters mean something: they are kanji."""
    return len(word) > 1 and all("\u4e00" <= sign <= "\u9fff" for sign in word)


def _pairs(text: str) -> frozenset[str]:
    return frozenset(first + second for first, second in pairwise(text) if " " not in (first, second))


def _index_of(question: Question) -> _Index:
    words = tuple(sorted({folded(word) for word in question.words}))
    asked = " ".join(folded_words(" ".join(question.question)))
    answered = " ".join(folded_words(" ".join((*question.answer, *(question.online or ())))))
    return _Index(
        question=question,
        words=words,
        asked=asked,
        answered=answered,
        pairs=_pairs(" ".join((asked, *words))),
    )


# --- reading the table ----------------------------------------------------------------------------------


@cache
def faq() -> Faq:
    """The help, read from its table on first use."""
    return read_faq(files("koatsu.desk").joinpath("tables/faq.toml").read_text(encoding="utf-8"))


def read_faq(text: str) -> Faq:
    """The help that a table (TOML) holds.

    Raises:
        ValueError: the table contradicts itself; the question is named.
    """
    data = tomllib.loads(text)
    sections = tuple(Section(id=row["id"], title=_words(row["title"])) for row in data["section"])
    questions = tuple(_question(row) for row in data["question"])
    _check(sections, questions)
    return Faq(
        sections=sections,
        questions=questions,
        stop=frozenset(map(folded, data["stop"])),
        _index=tuple(map(_index_of, questions)),
    )


def _words(row: Any) -> Words:
    if not isinstance(row, dict) or set(row) != {"ja", "en"} or not all(row.values()):
        raise ValueError(f"words are ja and en, both, not {row!r}")
    return Words(**row)


def _question(row: dict[str, Any]) -> Question:
    try:
        return Question(
            id=row["id"],
            section=row["section"],
            number=row.get("number"),
            question=_words(row["question"]),
            answer=_words(row["answer"]),
            online=_words(row["online"]) if "online" in row else None,
            words=tuple(row["words"]),
            action=Action(row["action"]),
            label=_words(row["label"]),
            topic=row.get("topic", row["id"]),
            related=tuple(row["related"]),
            rules=tuple(row["rules"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"question {row.get('id')!r}: {error}") from error


def _check(sections: tuple[Section, ...], questions: tuple[Question, ...]) -> None:
    names = [one.id for one in questions]
    numbers = [one.number for one in questions if one.number is not None]
    if len(set(names)) != len(names) or len(set(numbers)) != len(numbers):
        raise ValueError("an id or a number stands twice")
    known = {section.id for section in sections}
    for one in questions:
        unknown = {one.topic, *one.related} - set(names)
        if one.section not in known or unknown or one.id in one.related or not one.words:
            raise ValueError(f"question {one.id!r}: wrong section or reference, or no words to find it by")
