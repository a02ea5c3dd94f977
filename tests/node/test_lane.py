"""The queue in front of an address, and the pace at which a socket is drained."""

from __future__ import annotations

import asyncio
import random

from hypothesis import given
from hypothesis import strategies as st

from koatsu.node.drain import DrainPace
from koatsu.node.lane import Lane


async def crowd(lane: Lane, places: int, seed: int) -> list[int]:
    """Forty come in order, stay a while or are called away; who got a place, in order."""
    stream = random.Random(seed)
    inside = 0
    served: list[int] = []

    async def come(number: int) -> None:
        nonlocal inside
        if lane.free:
            lane.free -= 1
        else:
            await lane.wait()
        inside += 1
        served.append(number)
        assert inside <= places
        try:
            for _ in range(stream.randrange(3)):
                await asyncio.sleep(0)
        finally:
            inside -= 1
            lane.leave()

    tasks = [asyncio.create_task(come(number)) for number in range(40)]
    while not all(task.done() for task in tasks):
        await asyncio.sleep(0)
        stream.choice(tasks).cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return served


@given(places=st.integers(1, 5), seed=st.integers(0, 2**32))
def test_no_place_is_lost_or_given_twice_and_nobody_overtakes(places: int, seed: int) -> None:
    lane = Lane(places)
    served = asyncio.run(crowd(lane, places, seed))
    assert served == sorted(served)
    assert lane.free == places


def test_a_busy_socket_is_drained_in_larger_batches_and_a_quiet_one_one_by_one() -> None:
    pace = DrainPace()
    assert pace.batch == 1
    taken = []
    for _ in range(40):
        taken.append(pace.batch)
        pace.full()
    assert taken == sorted(taken)
    assert taken[1] == 1  # two in a row are no crowd
    assert pace.batch == 64
    pace.empty()
    assert pace.batch == 1
