"""Which cases the sample has: some a business day over the past months, and in every state at least one.

A plan made again for a later day has the same cases and some more, so a desk that was filled once can be
brought on to today.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Final

from koatsu.clock import JST
from koatsu.desk.business_days import add_business_days, business_days_between, is_business_day
from koatsu.desk.sample.customers import customer_of, ems_of
from koatsu.desk.sample.life import STRAIGHT, Chances, Life, make_life, state_at
from koatsu.desk.sample.registers import SamplePoint, sample_points
from koatsu.desk.sample.tables import utility
from koatsu.desk.states import State

__all__ = ["OWN_STATES", "Plan"]

_PAST: Final = timedelta(days=425)  #: from the first case to the day on which the sample is made
_POINTS_FOR: Final = 1.3  #: points for each case: the next months need some too
_SOONEST_END: Final = timedelta(days=120)  #: of a contract, after somebody has applied for the service
_TURNS: Final = 200  #: lives that are tried until one is where it should be
_DAYS_BEFORE: Final = 8  #: business days that such a life may have been there
_EVERY: Final = 200  #: cases for one more in each state on purpose

OWN_STATES: Final = (State.IN_SERVICE, State.WORKS_PLANNED, State.RETURNED)
"""Where the cases of the customer are who can log in at the demo."""

_ON_PURPOSE: Final[Mapping[State, str]] = {
    State.DRAFT: "left_as_draft",
    State.RETURNED: "returned",
    State.REFUSED: "refused",
    State.SUSPENDED: "suspended",
    State.ENDING: "ending",
    State.ENDED: "ended",
}
"""What has to happen on the way to a state that is not on the straight way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a sample holds. ``made`` is the instant at which it was made first, ``cases`` its size then."""

    seed: int
    cases: int
    made: datetime
    closed_days: tuple[str, ...]

    @property
    def first(self) -> date:
        """The day of the first case."""
        return (self.made - _PAST).astimezone(JST).date()

    @property
    def points(self) -> list[SamplePoint]:
        """Every supply point."""
        return sample_points(self.seed, self._room, self.first)

    @property
    def _room(self) -> int:
        """Points that cases may have."""
        return int(self.cases * _POINTS_FOR) + 20

    @property
    def _on_purpose(self) -> int:
        """Cases in each state on purpose."""
        return 1 + self.cases // _EVERY

    def lives(self, now: datetime) -> Sequence[tuple[Life, bool]]:
        """Every life that has begun by ``now``, the oldest first, and whether it is the customer's own."""
        points = self.points
        numbers = iter(range(self._room))
        lasting = (number for number in numbers if points[number].contract_ended_on is None)
        own = [(self._there(next(lasting), points, state, own=True), True) for state in OWN_STATES]
        chosen = [
            (self._there(next(lasting), points, state), False)
            for _ in range(self._on_purpose)
            for state in State  # the first of each at the office whose staff can log in
        ]
        left = max(self.cases - len(own) - len(chosen), 0)
        others = [(life, False) for life in self._by_day(numbers, points, left, now)]
        begun = [one for one in (*own, *chosen, *others) if one[0].opened <= now]
        return sorted(begun, key=lambda one: (one[0].opened, one[0].number))

    # --- one day after the other ------------------------------------------------------------------------

    def _by_day(
        self, numbers: Iterator[int], points: Sequence[SamplePoint], count: int, now: datetime
    ) -> Iterator[Life]:
        """As many a business day as make ``count`` until the sample was made, and as many a day since."""
        made = self.made.astimezone(JST).date()
        days = max(business_days_between(self.first, made, self.closed_days), 1)
        begun, day, passed = 0, self.first, 0
        while day <= now.astimezone(JST).date():
            if is_business_day(day, self.closed_days):
                passed += 1
                while begun < count * passed / days:
                    number = next((one for one in numbers if _lasts(points[one], day)), None)
                    if number is None:
                        return  # no point is left
                    yield self._life(number, points, day, Chances())
                    begun += 1
            day += timedelta(days=1)

    def _life(
        self,
        number: int,
        points: Sequence[SamplePoint],
        start: date,
        chances: Chances,
        *,
        then: str = "",
        own: bool = False,
        turn: int = 0,
    ) -> Life:
        point = points[number]
        form = self._application(number, point, start, own=own)
        return make_life(
            number, self.seed, point, start, form, closed_days=self.closed_days, chances=chances, then=then,
            by_customer=own, turn=turn,
        )  # fmt: skip

    def _application(self, number: int, point: SamplePoint, start: date, *, own: bool) -> dict[str, str]:
        by_chance = Random(f"{self.seed}:form:{'own' if own else number}")
        customer = customer_of(by_chance, point, number)
        if own:
            name = next(row["name"] for row in utility()["person"] if row["key"] == "customer")
            customer |= {
                "contact_name": name,
                "customer_name": "株式会社 ひつじ雲食品",
                "organisation": "yes",
            }
            customer |= {"customer_kana": "ヒツジグモショクヒン", "email": "hanako@hitsujigumo.example"}
        version = utility()["terms"][-1]
        since = self.first.replace(year=self.first.year - version["years_before"], month=4, day=1)
        wished = {"wished_on": (start + timedelta(days=by_chance.randint(40, 90))).isoformat()}
        return {
            "supply": point.supply.value,
            **({"retailer": point.retailer} if point.retailer else {}),
            **customer,
            **ems_of(by_chance),
            "sells": by_chance.choice(("no", "no", "no", "unknown", "yes")),
            **(wished if by_chance.random() < 0.4 else {}),
            "terms_version": since.isoformat(),
            "terms_accepted": "yes",
        }

    # --- in a state on purpose --------------------------------------------------------------------------

    def _there(self, number: int, points: Sequence[SamplePoint], state: State, *, own: bool = False) -> Life:
        """A life that is in ``state`` when the sample is made.

        Raises:
            ValueError: none is: a fault of the sample.
        """
        then, noon = _ON_PURPOSE.get(state, ""), datetime.combine(self.first, time(12), JST)
        today = self.made.astimezone(JST).date()
        for turn in range(_TURNS):
            tried = self._life(number, points, noon.date(), STRAIGHT, then=then, own=own, turn=turn)
            reached = [move.at for move in tried.moves if state_at(tried, move.at) is state]
            if not reached:
                continue
            far = business_days_between(noon.date(), reached[0].date(), self.closed_days)
            for before in range(_DAYS_BEFORE):
                start = add_business_days(today, -(far + before), self.closed_days)
                life = self._life(number, points, start, STRAIGHT, then=then, own=own, turn=turn)
                if state_at(life, self.made) is state:
                    return life
        raise ValueError(f"no life of the sample is in {state} at {self.made}")


def _lasts(point: SamplePoint, day: date) -> bool:
    """Whether the contract of a point goes on long enough for a service that is applied for on ``day``."""
    return point.contract_ended_on is None or point.contract_ended_on > day + _SOONEST_END
