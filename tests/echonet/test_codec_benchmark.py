"""The benchmark of the codec runs, and its judge finds the codec right."""

from __future__ import annotations

import importlib
import random
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    return importlib.import_module("benchmarks.codec")


@pytest.mark.parametrize("seed", range(3))
def test_damaged_frames_are_judged_right(bench: ModuleType, seed: int) -> None:
    scores = bench.judge(random.Random(seed), 1000)
    for codec in ("koatsu", "struct"):
        wrong = {
            what: count
            for what, count in scores[codec].items()
            if count and not what.startswith("well-formed")
        }
        assert wrong == {}
        assert scores[codec]["well-formed refused"] == 0
    assert 50 < scores["koatsu"]["well-formed"] < 500  # both kinds are there
    assert scores["pychonet"]["malformed accepted"] > 50  # and the damage is one that a codec can miss


def test_the_three_codecs_do_the_same_work(bench: ModuleType) -> None:
    for values in bench.messages(random.Random(1)).values():
        rows = bench.race(values[:3], rounds=1)  # checks every result before it measures
        assert [row["work"] for row in rows] == ["decode", "encode", "both"]
        assert all(row["koatsu_ns"] > 0 for row in rows)
