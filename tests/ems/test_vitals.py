"""How the program says it is: by real time where our clock is stepped, by the disk that the store lies on."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from store_site import Site, jst

from koatsu.app.reader import StoredSites
from koatsu.clock import ManualClock
from koatsu.ems.live import LiveHub, LiveState
from koatsu.ems.store import Store
from koatsu.ems.vitals import vitals

NOW = jst(20, 12)
POLL = timedelta(seconds=60)


class Bench:
    """One meter, our clock, and a clock that nobody sets."""

    def __init__(self, store: Store) -> None:
        self.seconds = 1_000.0
        self.live, self.clock = LiveState(lambda: self.seconds), ManualClock(NOW)
        Site(store)
        self.sites = StoredSites(["site"], store, self.live, LiveHub(), self.clock)
        self.live.started("main", NOW, poll=POLL)

    def passes(self, span: timedelta) -> None:
        """Time passes, on either clock."""
        self.seconds += span.total_seconds()
        self.clock.advance(span)

    def ended(self) -> bool:
        """Whether a collector is said to have ended, to supervisors and to monitoring alike."""
        told = {reason.code for reason in self.sites.health().reasons}
        assert told == {reason.code for reason in self.sites.vitals().health.reasons}
        assert self.sites.health().working is ("collector_ended" not in told)
        return "collector_ended" in told


@pytest.fixture
def bench(store: Store) -> Bench:
    return Bench(store)


@pytest.mark.parametrize("step", [timedelta(hours=1), timedelta(days=400), timedelta(days=-90)], ids=str)
def test_a_step_of_our_clock_ends_no_collector(bench: Bench, step: timedelta) -> None:
    """A supervisor would start the program again for nothing."""
    bench.live.answered("main", NOW)
    bench.clock.advance(step)
    assert not bench.ended()
    bench.passes(timedelta(seconds=50))
    assert not bench.ended()


@pytest.mark.parametrize("step", [timedelta(0), timedelta(days=-90)], ids=str)
def test_a_collector_that_has_ended_is_found_out_whatever_our_clock_says(
    bench: Bench, step: timedelta
) -> None:
    bench.passes(timedelta(minutes=20))
    bench.live.answered("main", bench.clock.now())
    bench.clock.advance(step)
    bench.passes(timedelta(minutes=24))
    assert not bench.ended()
    bench.live.failed("main", bench.clock.now())
    bench.passes(timedelta(minutes=24))
    assert not bench.ended()
    bench.passes(timedelta(minutes=2))
    assert bench.ended()


def test_a_meter_that_nobody_began_to_ask_has_no_collector_that_ended(store: Store) -> None:
    Site(store)
    sites = StoredSites(["site"], store, LiveState(lambda: 9e9), LiveHub(), ManualClock(NOW))
    assert sites.health().working


def test_a_store_behind_a_link_is_as_large_as_it_is(tmp_path: Path) -> None:
    """With its log, which lies beside the file and not beside the link; the disk is that of the file, too."""
    real, link = tmp_path / "real.db", tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(real)
    with Store.open(real) as store, Store.open(link) as linked:
        Site(store)
        size = vitals(linked, LiveState(), NOW).store.size
        assert size == vitals(store, LiveState(), NOW).store.size
        assert size is not None
        assert size > real.stat().st_size
