"""The matrix of faults in full: every pair, and a hundred days with an outage of 99 days for every fault.

Pairs over a hundred days are a seeded choice of those that reach the meter: all of them would take hours.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from long_bench import DAY
from test_collector_matrix import FORGETFUL, NAMES, PAIRS, SEED, faulty_days
from virtual_time import run_virtually

from koatsu.ems.view_models import SlotState
from koatsu.emulator.faults import FAULTS, Layer

pytestmark = pytest.mark.soak

BESIDE = {row.name for row in FAULTS if row.layer is Layer.PULSE}  # the pulse output; the meter is as it was
REACHING = [pair for pair in PAIRS if not BESIDE & {*pair}]


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_every_pair_of_faults(tmp_path: Path, pair: tuple[str, str]) -> None:
    run_virtually(lambda: faulty_days(tmp_path, pair))


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_over_a_hundred_days(tmp_path: Path, name: str) -> None:
    verdict = run_virtually(lambda: faulty_days(tmp_path, [name], long=99 * DAY))
    if name not in FORGETFUL:
        assert verdict.states[SlotState.RECOVERED] > 98 * 48


@pytest.mark.parametrize("pair", Random(SEED).sample(REACHING, 12), ids="+".join)
def test_a_pair_of_faults_over_a_hundred_days(tmp_path: Path, pair: tuple[str, str]) -> None:
    verdict = run_virtually(lambda: faulty_days(tmp_path, pair, long=99 * DAY))
    if not FORGETFUL & {*pair}:
        assert verdict.states[SlotState.RECOVERED] > 98 * 48
