"""What a desk does by itself, once a day or so: reminders before deadlines, services whose contract ended.

Each chore can be run at any time and as often as one likes: what was done is not done again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from koatsu.clock import JST, Clock
from koatsu.desk.business_days import add_business_days
from koatsu.desk.cases import Cases
from koatsu.desk.database import DeskDatabase
from koatsu.desk.letters import NoticeKind
from koatsu.desk.lifecycle import Event, step_for
from koatsu.desk.models import SYSTEM, Case
from koatsu.desk.settings import DeskSettings
from koatsu.desk.states import State
from koatsu.desk.supply_points import ended_points
from koatsu.desk.worklists import Worklists

__all__ = ["Chores"]

_AT_ONCE = 500  #: supply points asked for in one question


class Chores:
    """The chores of an open desk."""

    def __init__(
        self, database: DeskDatabase, cases: Cases, lists: Worklists, settings: DeskSettings, clock: Clock
    ) -> None:
        self._database, self._cases, self._lists = database, cases, lists
        self._settings, self._clock = settings, clock

    def remind(self) -> list[Case]:
        """Note a reminder on each case that is due soon, once for each deadline; the cases reminded of.

        Where it is the customer's turn, a letter asks for what is still to be done.
        """
        until = add_business_days(
            self._today(), self._settings.remind_before_days, self._settings.closed_days
        )
        reminded = []
        for found in self._lists.due_soon(until):
            due = found.due_on.isoformat() if found.due_on else ""
            if not self._reminded(found, due):
                reminded.append(self._remind(found, due))
        return reminded

    def _remind(self, found: Case, due: str) -> Case:
        of = {"reminded_of": due}
        with self._database.writing() as connection:
            noted = self._cases.act_within(connection, SYSTEM, found.id, Event.REMIND, of)
            if found.state is not State.RETURNED:
                return noted
            of["notice"] = NoticeKind.REMINDER_TO_CUSTOMER.value
            return self._cases.act_within(connection, SYSTEM, found.id, Event.NOTIFY, of)

    def end_with_contracts(self) -> list[Case]:
        """End the service of each supply point whose contract has ended: by itself, without a form."""
        today = self._today()
        with self._database.reading() as connection:
            ended = dict(ended_points(connection, today))
        closed = []
        points = sorted(ended)
        for first in range(0, len(points), _AT_ONCE):
            closed += self._end(points[first : first + _AT_ONCE], ended)
        return closed

    def _end(self, points: Sequence[str], ended: dict[str, date]) -> list[Case]:
        closed = []
        for found in self._lists.live_at_points(points):
            if step_for(Event.CONTRACT_ENDED, found.state) is not None:
                day = {"contract_ended_on": ended[found.supply_point].isoformat()}
                closed.append(self._cases.act(SYSTEM, found.id, Event.CONTRACT_ENDED, day))
        return closed

    def _reminded(self, found: Case, due: str) -> bool:
        reminders = (one for one in self._cases.history(SYSTEM, found.id) if one.event is Event.REMIND)
        return any(one.detail.get("reminded_of") == due for one in reminders)

    def _today(self) -> date:
        return self._clock.now().astimezone(JST).date()
