"""Forms made of the table of the life cycle: a field for everything that a step asks, of the table of fields.

Nothing of a form is written by hand: whoever adds a step or a field to the tables has it on the page. What
people type comes back into the field where it is wrong, with its sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Final

from starlette.datastructures import FormData

from koatsu.desk.cases import Cases
from koatsu.desk.eligibility import RULES
from koatsu.desk.equipment import DeviceKind
from koatsu.desk.errors import DeskError, InputError, RuleError
from koatsu.desk.fields import FIELDS, Field, Kind
from koatsu.desk.lifecycle import Event, Step
from koatsu.desk.models import Actor, Case
from koatsu.people import People, Right
from koatsu.web.desk.colleagues import colleagues
from koatsu.web.forms import sentence_of
from koatsu.web.texts import Texts

if TYPE_CHECKING:
    from koatsu.desk import Desk

__all__ = ["Attempt", "FieldView", "FormView", "StepForms", "typed_in"]

_RADIOS: Final = 3  #: so many choices stand side by side; more of them are a list to open
_DAYS_BEFORE: Final = {
    "surveyed_on": "survey_on",
    "worked_on": "works_on",
    "cable_removed_on": "end_wished_on",
}
"""What was done is proposed for the day for which it was planned."""

_AGAIN: Final = frozenset(
    {Event.PLAN_SURVEY, Event.RECORD_SURVEY, Event.PLAN_WORKS, Event.CHANGE_RETAILER, Event.FILL}
)
"""Steps that may be taken several times, with what they were given before in their fields."""

_BY_RULE: Final[Mapping[Event, frozenset[str]]] = {Event.RECORD_CHECK: frozenset({"evidence"})}
"""What a rule asks of every step of its kind, although the table leaves it open."""

_KINDS: Final[Mapping[Kind, str]] = {
    Kind.TEXT: "text",
    Kind.LONG: "long",
    Kind.DATE: "date",
    Kind.POINT: "digits",
    Kind.POSTAL: "digits",
    Kind.PHONE: "tel",
    Kind.EMAIL: "email",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldView:
    """One field of a form."""

    name: str
    id: str
    kind: str  #: text, long, date, digits, tel, email, radio, select or hidden
    label: str
    value: str
    hint: str = ""
    required: bool = False
    choices: Sequence[tuple[str, str]] = ()
    suggested: Sequence[str] = ()
    wrong: str = ""
    longest: int = 80
    first: str = ""  #: the first and the last day that can be, where there are such
    last: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormView:
    """One step with its form."""

    event: Event
    title: str
    fields: Sequence[FieldView] = ()
    blocked: str = ""  #: why it cannot be taken yet
    wrong: str = ""  #: why it was not taken
    letter: str = ""  #: what the customer is told by it
    told: bool = False  #: the reason stands in that letter
    sure: str = ""  #: what has to be confirmed
    opened: bool = False  #: it was just tried

    @property
    def marks(self) -> bool:
        """Whether any of its fields has to be filled in."""
        return any(one.required for one in self.fields)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A step that was tried and refused: what was typed, and what is wrong with it."""

    event: Event
    typed: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""
    by_field: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def refused(cls, event: Event, typed: Mapping[str, str], error: DeskError, lang: str) -> Attempt:
        """The attempt that ended in ``error``."""
        if isinstance(error, InputError):
            told = {name: _at_field(name, words.text(lang), lang) for name, words in error.by_field.items()}
            stray = [words for name, words in told.items() if name not in FIELDS]
            return cls(event=event, typed=typed, wrong=" ".join(stray), by_field=told)
        fields = error.fields if isinstance(error, RuleError) else ()
        sentence = error.text(lang)
        return cls(event=event, typed=typed, wrong=sentence, by_field=dict.fromkeys(fields, ""))


def _at_field(name: str, sentence: str, lang: str) -> str:
    """A sentence as it stands at its field, without the name of the field in front."""
    return sentence.removeprefix(f"{FIELDS[name].words.text(lang)}:").strip() if name in FIELDS else sentence


def typed_in(form: FormData, names: Collection[str]) -> dict[str, str]:
    """What was typed into these fields, as it was typed; fields that the form has not are left out."""
    given = ((name, form.get(name)) for name in names)
    return {name: value for name, value in given if isinstance(value, str)}


class StepForms:
    """Makes the forms of one page.

    Args:
        desk: the open desk.
        t: the language.
        people: who can be assigned.
        today: the day in Japan.
    """

    def __init__(self, desk: Desk, t: Texts, people: People, today: date) -> None:
        self._desk, self._t, self._people, self._today = desk, t, people, today

    def of(self, actor: Actor, found: Case, step: Step, attempt: Attempt | None) -> FormView:
        """The form of a step of a case, with what was typed where it was tried."""
        tried = attempt if attempt is not None and attempt.event is step.event else None
        cases: Cases = self._desk.cases
        blocked = None if step.asks else cases.blocked(actor, found, step)
        names = self.names(found, step)
        values = self.proposed(found, step) if tried is None else tried.typed
        return FormView(
            event=step.event,
            title=step.button.text(self._t.lang),
            fields=self.fields(
                names,
                values,
                required=step.required | _BY_RULE.get(step.event, frozenset()),
                wrong=tried.by_field if tried else {},
                prefix=step.event.value,
                office=found.office,
                bounded=step.event is not Event.CORRECT,
            ),
            blocked=sentence_of(blocked, self._t.lang) if blocked else "",
            wrong=tried.wrong if tried else "",
            letter=step.notice,
            sure=self._t("desk_case.erase_sure") if step.event is Event.ERASE else "",
            opened=tried is not None,
        )

    def names(self, found: Case, step: Step) -> tuple[str, ...]:
        """The fields of a step; a correction offers what is recorded, and what is kept of the customer."""
        if step.event is not Event.CORRECT:
            return step.names
        recorded = (name for name in FIELDS if found.fact(name) and name not in _NEVER_CORRECTED)
        person = (name for name, one in FIELDS.items() if one.personal and one.kind is not Kind.LONG)
        return (*step.names, *recorded, *person)

    def proposed(self, found: Case, step: Step) -> dict[str, str]:
        """What stands in the fields before anybody has typed: nothing that nobody has said."""
        if step.event is Event.CORRECT:
            return {name: found.fact(name) for name in self.names(found, step)}
        values: dict[str, str] = {}
        for name in step.names:
            one = FIELDS[name]
            if step.event in _AGAIN and not one.personal:
                values[name] = found.fact(name)
            if (
                not values.get(name)
                and one.kind is Kind.DATE
                and one.days == "past"
                and name in step.required
            ):
                planned = found.fact(_DAYS_BEFORE.get(name, ""))
                values[name] = min(planned or self._today.isoformat(), self._today.isoformat())
        return values

    def given(self, found: Case, step: Step, form: FormData) -> dict[str, str]:
        """What a sent form says: what it changes, and what it empties that was there before."""
        typed = typed_in(form, self.names(found, step))
        before = self.proposed(found, step)
        if step.event is Event.CORRECT:
            same = {name for name, value in typed.items() if value.strip() == before.get(name, "")}
            return {name: value for name, value in typed.items() if name == "reason" or name not in same}
        if step.event is Event.FILL:
            return typed
        return {name: value for name, value in typed.items() if value.strip() or before.get(name)}

    def fields(
        self,
        names: Sequence[str],
        values: Mapping[str, str],
        *,
        required: Collection[str] = (),
        wrong: Mapping[str, str] | None = None,
        prefix: str = "",
        office: str = "",
        bounded: bool = True,
    ) -> list[FieldView]:
        """Fields as a template draws them.

        Args:
            names: which, in their order.
            values: what stands in them.
            required: those that have to hold something.
            wrong: sentences by field; an empty one points at the sentence above the form.
            prefix: what their ids begin with, where several forms stand on one page.
            office: whose people can be assigned.
            bounded: days are limited to those that can be; a record of long ago is not.
        """
        found = []
        for name in names:
            one = self._field(FIELDS[name], values.get(name, ""), wrong or {}, office, bounded=bounded)
            if name == "check_way":  # a probe's answer comes from a probe; nobody chooses it
                one = replace(one, kind="hidden", value="probe" if one.value == "probe" else "hand")
            found.append(replace(one, id=f"{prefix}-{name}" if prefix else name, required=name in required))
        return found

    def _field(
        self, one: Field, value: str, wrong: Mapping[str, str], office: str, *, bounded: bool
    ) -> FieldView:
        lang = self._t.lang
        choices = self._choices(one, office)
        kind = _KINDS.get(one.kind, "text")
        if choices:
            kind = "radio" if one.choices and len(choices) <= _RADIOS else "select"
        elif one.kind is Kind.CHOICE or one.name in ("assignee", "office"):
            kind = "select"
        sentence = wrong.get(one.name)
        today = self._today.isoformat()
        return FieldView(
            name=one.name,
            id=one.name,
            kind=kind,
            label=one.words.text(lang),
            value=value,
            hint=one.hint.text(lang) if one.hint else "",
            choices=choices,
            suggested=self._suggested(one.name),
            wrong=(sentence or self._t("desk_form.look_here")) if sentence is not None else "",
            longest=one.longest,
            first=today if bounded and one.days == "future" else "",
            last=today if bounded and one.days == "past" else "",
        )

    def _choices(self, one: Field, office: str) -> list[tuple[str, str]]:
        lang = self._t.lang
        if one.name == "assignee":
            return colleagues(self._desk, self._people, office, Right.DESK_HANDLE, Right.DESK_WORK)
        if one.name == "office":
            return [(found.code, found.name) for found in self._desk.registers.offices()]
        if one.name == "rule":
            return [(name, rule.statement.text(lang)) for name, rule in RULES.items() if rule.needed]
        if one.name == "terms_version":
            return [(version.id, f"{version.id} {version.title}") for version in self._desk.terms.versions()]
        return [(code, words.text(lang)) for code, words in one.choices]

    def _suggested(self, name: str) -> list[str]:
        registers = self._desk.registers
        if name == "retailer":
            return [one.name for one in registers.retailers() if not one.own]
        if name in ("terminal_type", "meter_type"):
            kind = DeviceKind.TERMINAL if name == "terminal_type" else DeviceKind.METER
            return [one.type for one in registers.supported_types(kind)]
        return []


_NEVER_CORRECTED: Final = frozenset({"note", "evidence", "reason", "office", "assignee", "due_on", "rule"})
"""What a correction does not take: entries of their own, and what has a step of its own."""
