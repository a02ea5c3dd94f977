"""One case of the sample as it goes through the service: what happens, when, by whom, in working hours.

Nothing is done here. A life is made whole, its future too; whoever fills a desk takes what has happened by
now. The same seed gives the same life.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from koatsu.clock import JST
from koatsu.desk.business_days import add_business_days
from koatsu.desk.lifecycle import BACK, STAY, Event, step_for
from koatsu.desk.sample.registers import SamplePoint, office_of_point
from koatsu.desk.sample.tables import names, utility
from koatsu.desk.states import State
from koatsu.desk.supply_points import Supply

__all__ = ["STRAIGHT", "Chances", "Life", "Move", "make_life", "state_at"]

_OPENS, _CLOSES = 9 * 60, 16 * 60 + 50  # minutes of the day between which people work
_WINDOWS: Final = ("9:00–10:00", "10:00–11:00", "13:00–14:00", "14:30–15:30")


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """How often something happens that is not the straight way, of one."""

    left_as_draft: float = 0.03
    returned: float = 0.07
    refused: float = 0.03
    withdrawn: float = 0.03
    not_installable: float = 0.02
    moved: float = 0.08
    outage: float = 0.15
    failed_check: float = 0.07
    replaced: float = 0.15
    other_stop: float = 0.05
    retailer: float = 0.06
    renamed: float = 0.04
    ended: float = 0.18
    slow: float = 0.12
    noted: float = 0.25


STRAIGHT: Final = Chances(
    **dict.fromkeys(
        ("left_as_draft", "returned", "refused", "withdrawn", "not_installable", "moved", "outage",
         "failed_check", "replaced", "other_stop", "retailer", "renamed", "ended", "slow", "noted"), 0.0
    )
)  # fmt: skip
"""Only the straight way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Something that happens to a case."""

    at: datetime
    event: Event
    who: str  #: "counter", "works", "supervisor", "customer" or "system"
    office: str  #: code of the office of whoever does it
    given: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A whole case; the first move opens the draft."""

    number: int
    point: SamplePoint
    moves: tuple[Move, ...]

    @property
    def opened(self) -> datetime:
        """When the draft was made."""
        return self.moves[0].at


def make_life(
    number: int,
    seed: int,
    point: SamplePoint,
    start: date,
    application: Mapping[str, str],
    *,
    closed_days: tuple[str, ...],
    chances: Chances = Chances(),
    then: str = "",
    by_customer: bool = False,
    turn: int = 0,
) -> Life:
    """A life that begins on ``start``.

    Args:
        number: of the case, from 0; makes serial numbers unlike.
        seed: of the sample.
        point: where.
        start: the business day on which it is opened.
        application: the values of its form.
        closed_days: days on which nobody works.
        chances: how often something happens that is not the straight way.
        then: what happens on purpose: the name of a chance, or "suspended", "ending", "ended".
        by_customer: applied for on the page.
        turn: another turn is another life of the same case.
    """
    by_chance = Random(f"{seed}:life:{number}:{turn}")
    written = _Writer(number, by_chance, point, start, closed_days, chances, then)
    written.apply(application, by_customer=by_customer)
    return Life(number=number, point=point, moves=tuple(written.moves))


class _Writer:
    """Writes one life, a chapter a method; each returns whether there is a next one."""

    def __init__(
        self,
        number: int,
        by_chance: Random,
        point: SamplePoint,
        start: date,
        closed_days: tuple[str, ...],
        chances: Chances,
        then: str,
    ) -> None:
        self.moves: list[Move] = []
        self._number, self._point, self._closed, self._then = number, point, closed_days, then
        self._chance, self._chances = by_chance, chances
        self._texts = names()["texts"]
        self._office = office_of_point(point)
        self._now = self._somewhen(start)
        self._slow = 4 if self._happens("slow") else 1
        self._new_meter = ""

    # --- time and chance --------------------------------------------------------------------------------

    def _happens(self, name: str) -> bool:
        chance: float = getattr(self._chances, name)
        return self._chance.random() < chance or self._then == name

    def _somewhen(self, day: date) -> datetime:
        minute = self._chance.randint(_OPENS, _CLOSES)
        return datetime.combine(day, time(minute // 60, minute % 60, self._chance.randrange(60)), JST)

    def _wait(self, least: int, most: int) -> None:
        """Let business days pass; none: some minutes."""
        days = self._chance.randint(least, most) * self._slow
        if days == 0:
            self._now += timedelta(minutes=self._chance.randint(4, 40))
        else:
            self._now = self._somewhen(add_business_days(self._now.date(), days, self._closed))

    def _until(self, day: date) -> None:
        self._now = max(self._somewhen(day), self._now + timedelta(minutes=5))

    def _ahead(self, least: int, most: int) -> date:
        return add_business_days(self._now.date(), self._chance.randint(least, most), self._closed)

    def _one_of(self, name: str) -> str:
        found: str = self._chance.choice(self._texts[name])
        return found

    def _do(self, event: Event, who: str = "counter", **given: str) -> None:
        self.moves.append(Move(at=self._now, event=event, who=who, office=self._office, given=given))

    @property
    def _today(self) -> str:
        return self._now.date().isoformat()

    # --- chapters ---------------------------------------------------------------------------------------

    def apply(self, application: Mapping[str, str], *, by_customer: bool) -> None:
        """From the form on the counter, or on the page, as far as the life goes."""
        who = "customer" if by_customer else "counter"
        way = "online" if by_customer else self._chance.choice(("post", "counter"))
        received = self._now.date() - timedelta(
            days=self._chance.choice((0, 0, 1, 2)) if way == "post" else 0
        )
        form = {**application, "way": way, "received_on": received.isoformat()}
        self._do(Event.DRAFT, who, supply_point=self._point.number, **form)
        if self._happens("left_as_draft"):
            self._wait(20, 30)
            self._do(Event.WITHDRAW, "counter", reason=self._one_of("withdrawals"))
            return
        self._wait(0, 0)
        self._do(Event.SUBMIT, who)
        if self._check(certified=bool(application.get("ems_certificate"))) and self._survey():
            self._works()
            self._service()

    def _check(self, *, certified: bool) -> bool:
        self._wait(0, 2)
        self._do(Event.BEGIN_CHECK)
        self._do(Event.ASSIGN, assignee=f"@counter-{self._office}")
        if self._happens("noted"):
            self._do(Event.NOTE, note=self._one_of("notes"))
        self._wait(0, 2)
        if self._happens("returned"):
            self._do(Event.RETURN, reason=self._one_of("returns"))
            self._wait(4, 12)
            if self._happens("withdrawn"):
                self._do(Event.WITHDRAW, reason=self._one_of("withdrawals"))
                return False
            self._do(Event.FILL, remarks=self._one_of("remarks"))
            self._wait(0, 0)
            self._do(Event.SUBMIT)
            self._wait(0, 2)
            self._do(Event.BEGIN_CHECK)
        if not certified:
            self._do(Event.CONFIRM_WARNING, warning_told="yes")
        if self._happens("refused"):
            self._do(Event.REFUSE, "supervisor", rule="eligible.installable", reason=self._one_of("refusals"))
            return False
        self._wait(0, 2)
        self._do(Event.ACCEPT, in_area="yes", installable=self._chance.choice(("yes", "unknown")))
        return True

    def _survey(self) -> bool:
        self._wait(0, 2)
        day = self._ahead(3, 9)
        self._do(Event.PLAN_SURVEY, survey_on=day.isoformat(), survey_window=self._chance.choice(_WINDOWS))
        if self._happens("withdrawn"):
            self._wait(1, 2)
            self._do(Event.WITHDRAW, reason=self._one_of("withdrawals"))
            return False
        self._until(day)
        if self._happens("not_installable"):
            self._do(Event.NOT_INSTALLABLE, "works", reason=self._one_of("refusals"))
            self._wait(1, 3)
            self._do(Event.REFUSE, "supervisor", rule="eligible.installable", reason=self._one_of("refusals"))
            return False
        supported = self._point.meter_type not in utility()["meters"]["old"]
        self._new_meter = "" if supported else self._chance.choice(utility()["meters"]["new"])
        self._outage = self._happens("outage")
        self._do(
            Event.RECORD_SURVEY, "works", surveyed_on=self._today, installable="yes",
            meter_supported="yes" if supported else "no", outage_needed="yes" if self._outage else "no",
            meter_type=self._point.meter_type, note=self._one_of("surveys"),
        )  # fmt: skip
        return True

    def _works(self) -> None:
        self._wait(1, 3)
        day = self._plan_works(5, 15)
        if self._happens("moved"):
            self._wait(1, 2)
            self._do(Event.NOTE, note=self._one_of("extensions"))
            day = self._plan_works(8, 20)
        self._until(day)
        self._install()
        self._wait(0, 1)
        self._do(Event.BEGIN_CONNECTION, "works")
        self._wait(0, 2)
        if self._happens("failed_check"):
            self._checked(terminal=False)
            again = self._ahead(2, 5)
            self._do(Event.BACK_TO_WORKS, works_on=again.isoformat(), reason=self._one_of("back_to_works"))
            self._until(again)
            self._install(again=True)
            self._wait(0, 1)
            self._do(Event.BEGIN_CONNECTION, "works")
            self._wait(0, 1)
        self._checked()
        self._wait(0, 1)
        self._do(Event.START)

    def _plan_works(self, least: int, most: int) -> date:
        day = self._ahead(least, most)
        outage = (
            {"outage_agreed_on": self._today, "outage_window": self._chance.choice(_WINDOWS)}
            if self._outage
            else {}
        )
        window = self._chance.choice(_WINDOWS)
        self._do(Event.PLAN_WORKS, "works", works_on=day.isoformat(), works_window=window, **outage)
        return day

    def _install(self, *, again: bool = False) -> None:
        meter = {}
        if self._new_meter:
            meter = {"meter_type": self._new_meter, "meter_serial": f"M{self._number:06}"}
        self._do(
            Event.RECORD_WORKS, "works", worked_on=self._today,
            terminal_type=self._chance.choice(("BT-1", "BT-2")),
            terminal_serial=f"T{'B' if again else 'A'}{self._number:06}",
            outage_done="yes" if self._outage else "no", note=self._one_of("works"), **meter,
        )  # fmt: skip

    def _checked(self, *, terminal: bool = True) -> None:
        evidence = self._one_of("evidence" if terminal else "no_values")
        seen = "yes" if terminal else "no"
        self._do(
            Event.RECORD_CHECK, "works", check_terminal=seen, check_meter=seen, check_values=seen,
            check_way="hand", evidence=evidence,
        )  # fmt: skip

    def _service(self) -> None:
        """What happens while it is used, in this order, and how it ends."""
        self._slow = 1
        if self._then not in ("suspended", "ending", "ended"):
            self._wait(10, 80)
        else:
            self._wait(3, 5)
        if self._happens("replaced") or self._then == "suspended":
            self._replace_meter()
        if self._happens("retailer"):
            self._wait(5, 40)
            self._do(Event.CHANGE_RETAILER, supply=Supply.SELF.value)
            self._office = office_of_point(self._point, Supply.SELF)
        if self._happens("renamed"):
            self._wait(5, 40)
            self._do(Event.CHANGE_NAME, "supervisor", **self._renamed())
        if self._happens("other_stop"):
            self._wait(5, 60)
            again = self._ahead(1, 4)
            self._do(
                Event.SUSPEND, suspend_reason="fault", resume_planned_on=again.isoformat(),
                note=self._one_of("notes"),
            )  # fmt: skip
            self._until(again)
            self._do(Event.RESUME, "works")
        ends = self._point.contract_ended_on
        if ends is not None and ends > self._now.date():
            self._now = datetime.combine(ends, time(0, 6), JST)
            self._do(Event.CONTRACT_ENDED, "system", contract_ended_on=ends.isoformat())
        elif self._happens("ended") or self._then in ("ending", "ended"):
            self._end()

    def _replace_meter(self) -> None:
        again = self._ahead(2, 5)
        self._do(
            Event.SUSPEND, "works", suspend_reason="meter_replacement", resume_planned_on=again.isoformat(),
            works_window=self._chance.choice(_WINDOWS),
        )  # fmt: skip
        self._until(again)
        kind = self._chance.choice(utility()["meters"]["new"])
        serial = f"R{self._number:06}"
        self._do(Event.METER_REPLACED, "works", worked_on=self._today, meter_serial=serial, meter_type=kind)

    def _renamed(self) -> dict[str, str]:
        table = names()
        head, trade = self._chance.choice(table["head"]), self._chance.choice(table["trade"])
        return {
            "customer_name": f"株式会社 {head['ja']}{trade['ja']}ホールディングス",
            "customer_kana": f"{head['kana']}{trade['kana']}ホールディングス",
            "organisation": "yes",
        }

    def _end(self) -> None:
        if self._then not in ("ending", "ended"):
            self._wait(10, 120)
        self._do(
            Event.ASK_END, way="post", received_on=self._today,
            end_wished_on=self._ahead(5, 15).isoformat(),
        )  # fmt: skip
        self._wait(4, 9)
        self._do(Event.CABLE_REMOVED, "works", cable_removed_on=self._today)


def state_at(life: Life, now: datetime) -> State | None:
    """Where a life has come to by ``now``; ``None``: nowhere yet."""
    found: State | None = None
    back = State.CHECKING
    for move in life.moves:
        if move.at > now:
            break
        if found is None:
            found = State.DRAFT
            continue
        step = step_for(move.event, found)
        assert step is not None, f"{move.event} is no step from {found}"
        if step.after == BACK:
            found = back
        elif step.after != STAY:
            back, found = found, State(step.after)
    return found
