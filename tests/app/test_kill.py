"""`kill -9` at any instant: what an outside process has seen as measured or recovered is never lost.

A real `koatsu run` collects from a real `koatsu meter` whose day runs fast, and is killed at seeded random
instants: while it starts, recovers, polls. An observer beside it notes every slot that the program shows as
measured or recovered. After each kill the store is opened and must hold all of them, as they were shown; at
the end the program runs once more and must complete everything by itself, equal to the meter's truth file.
"""

from __future__ import annotations

import random
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from witness import HISTORY_DAYS, Works, eventually, works

#: A day takes two answers: a recovery must still be going on when somebody has looked at it.
UNHURRIED = ("--fault", "slow=0.02")


def live(one: Works, chance: random.Random, enough: int | None) -> bool:
    """Start the program and kill it: while it starts, or after it has recovered ``enough`` more days.

    Whether a recovery was going on that was not at its end.
    """
    program = one.start()
    try:
        if enough is None:
            program.ended(chance.uniform(0.02, 0.4))
            return False
        going_on = watch(one, one.url(program), enough, chance)
        program.ended(chance.uniform(0, 0.1))  # in the middle of what comes next
        return going_on
    finally:
        assert not program.ended(0), f"it ended by itself: {program.text}"
        program.end(signal.SIGKILL)


def watch(one: Works, url: str, enough: int, chance: random.Random) -> bool:
    """Note what is shown, the day that was kept a moment ago above all, until ``enough`` days have come.

    Whether it still went on then.
    """
    days = one.days()
    first: int | None = None
    patience = time.monotonic() + 20.0
    while time.monotonic() < patience:
        found = one.observer.recovery(url)
        for day in (found.day or chance.choice(days), days[-1]):
            one.observer.note(url, day)
        if found.state == "running" and first is None:
            first = found.days_done
        if found.state == "done":
            return False
        if first is not None and found.days_done >= first + enough:
            return True
    return False


def killed(folder: Path, seed: int, kills: int) -> int:
    """Kill it so often, check each time, let it complete; how many slots had been acknowledged."""
    chance = random.Random(seed)
    starting = chance.sample(range(kills), kills // 5)
    plan = [None if n in starting else chance.randint(0, HISTORY_DAYS // kills) for n in range(kills)]
    hit = 0
    with works(folder, seed, *UNHURRIED) as one:
        for number, enough in enumerate(plan):
            hit += live(one, random.Random(f"{seed} {number}"), enough)
            one.check()
        assert 2 * hit >= kills, f"only {hit} of {kills} kills hit a recovery that was going on"
        assert one.history() > 5 * 48, "none of them got on"
        acknowledged = len(one.observer.seen)
        one.complete()
        a_lost_demand_is_found_out(one, chance)
    return acknowledged


def a_lost_demand_is_found_out(one: Works, chance: random.Random) -> None:
    """These tests can fail: without the meter's own demand, twice the energy is shown in its place."""
    slot = chance.choice([slot for slot, seen in one.observer.seen.items() if seen.demand_from == "meter"])
    with closing(sqlite3.connect(one.store)) as raw, raw:
        assert raw.execute("delete from demand where start = ?", [slot.start.timestamp()]).rowcount == 1
    with pytest.raises(AssertionError, match=f"{slot} was"):
        one.check()


@pytest.mark.parametrize("seed", [11, 12])
def test_ten_kills_lose_nothing(seed: int, tmp_path: Path) -> None:
    assert killed(tmp_path, seed, 10) > 5 * 48


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(100, 120))
def test_two_hundred_kills_lose_nothing(seed: int, tmp_path: Path) -> None:
    assert killed(tmp_path, seed, 10) > 5 * 48


def test_a_store_that_commits_late_is_found_out(tmp_path: Path) -> None:
    """These tests can fail: a program that shows what it has not written yet loses it."""
    chance = random.Random(1)
    with works(tmp_path, 13) as one:
        program = one.start(unsafe=True)
        try:
            url = one.url(program)
            days = one.days()

            def seen() -> bool:
                for day in days[-4:]:
                    one.observer.note(url, day)
                return len(one.observer.seen) > chance.randrange(20, 60)

            eventually(seen)
        finally:
            program.end(signal.SIGKILL)
        with pytest.raises(AssertionError, match="is lost"):
            one.check()
