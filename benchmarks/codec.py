"""Frames decoded and encoded: Koatsu against pychonet and against a strict hand-written ``struct`` loop.

    python -m benchmarks.codec [--rounds N] [--seed TEXT] [--json FILE]

Each round times the three codecs one after the other on the same messages (A B C A B C …), so that a slow
moment of the machine hits all of them; a figure is the median over the rounds, a ratio the median of the
ratios within a round. Decode: every property code and its bytes stand in values. Encode: from integers and
bytes to the datagram; pychonet gets the dictionary of integers that its ``buildEchonetMsg`` wants, made
beforehand. Then 10,000 damaged frames are judged by baselines/standard.py, and every codec with it.
Messages and damage come from a seed, by default the id of the commit.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from timeit import Timer

from benchmarks.baselines import standard, struct_codec
from pychonet.lib.functions import DecodeEchonetMsgError, buildEchonetMsg, decodeEchonetMsg

from koatsu.echonet import DecodeError, Frame, decode

METER, CONTROLLER = 0x028A01, 0x05FF01
# Of class 0x028A: E2 is a date and a count, the others counts, a coefficient and codes; 24 bytes of data.
EIGHT = ((0xE2, 11), (0xC1, 4), (0xD3, 4), (0xD4, 1), (0xE5, 1), (0xE6, 1), (0xC4, 1), (0xC5, 1))
HISTORY = ((0xE7, 194),)
POOL = 50  # messages of one kind, all different
CODECS = ("koatsu", "struct", "pychonet")


def commit() -> str:
    """The commit id, which seeds everything."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() if found.returncode == 0 else "no commit yet"


def messages(rng: random.Random) -> dict[str, list[tuple]]:
    """The three kinds of message, as values: ``(tid, seoj, deoj, esv, properties)``."""

    def some(esv: int, rows: tuple[tuple[int, int], ...], *, data: bool) -> list[tuple]:
        # pychonet encodes only what 05FF01 sends, so every message does come from there
        return [
            (
                rng.randrange(1, 0x10000), CONTROLLER, METER, esv,
                tuple((epc, rng.randbytes(size) if data else b"") for epc, size in rows),
            )
            for _ in range(POOL)
        ]  # fmt: skip

    return {
        "Get of 8": some(0x62, EIGHT, data=False),
        "Get_Res of 8": some(0x72, EIGHT, data=True),
        "day history": some(0x72, HISTORY, data=True),
    }


def for_pychonet(tid: int, _seoj: int, deoj: int, esv: int, properties: tuple) -> dict:
    """The same message as the dictionary that pychonet takes."""
    rows = [
        {"EPC": epc, "PDC": len(edt), "EDT": int.from_bytes(edt, "big")} if edt else {"EPC": epc}
        for epc, edt in properties
    ]
    return {
        "TID": tid, "DEOJGC": deoj >> 16, "DEOJCC": deoj >> 8 & 0xFF, "DEOJCI": deoj & 0xFF, "ESV": esv,
        "OPC": rows,
    }  # fmt: skip


def timers(values: list[tuple]) -> dict[str, dict[str, Timer]]:
    """What is timed, a kind of work and a codec each; every result is checked once beforehand."""
    wires = [standard.write(*value) for value in values]
    dicts = [for_pychonet(*value) for value in values]
    for value, wire, message in zip(values, wires, dicts, strict=True):
        assert tuple(decode(wire)) == struct_codec.decode(wire) == standard.read(wire) == (*value, None)
        assert [(row["EPC"], row["EDT"]) for row in decodeEchonetMsg(wire)["OPC"]] == list(value[4])
        assert (
            Frame(*value).encode() == struct_codec.encode(*value) == bytes(buildEchonetMsg(message)) == wire
        )
    pairs, dict_pairs = list(zip(wires, values, strict=True)), list(zip(wires, dicts, strict=True))
    names = globals() | {
        "wires": wires, "values": values, "dicts": dicts, "pairs": pairs, "dict_pairs": dict_pairs,
        "struct_decode": struct_codec.decode, "struct_encode": struct_codec.encode,
    }  # fmt: skip
    work = {
        "decode": {
            "koatsu": "for wire in wires: decode(wire)",
            "struct": "for wire in wires: struct_decode(wire)",
            "pychonet": "for wire in wires: decodeEchonetMsg(wire)",
        },
        "encode": {
            "koatsu": "for a, b, c, d, e in values: Frame(a, b, c, d, e).encode()",
            "struct": "for a, b, c, d, e in values: struct_encode(a, b, c, d, e)",
            "pychonet": "for message in dicts: buildEchonetMsg(message)",
        },
        "both": {
            "koatsu": "for wire, (a, b, c, d, e) in pairs: decode(wire); Frame(a, b, c, d, e).encode()",
            "struct": "for wire, (a, b, c, d, e) in pairs: struct_decode(wire); struct_encode(a, b, c, d, e)",
            "pychonet": "for wire, message in dict_pairs: decodeEchonetMsg(wire); buildEchonetMsg(message)",
        },
    }
    return {
        what: {codec: Timer(text, timer=perf_counter_ns, globals=names) for codec, text in row.items()}
        for what, row in work.items()
    }


def race(values: list[tuple], rounds: int) -> list[dict]:
    """Median nanoseconds a message and the ratios within a round, for decode, encode and both."""
    found = []
    for what, row in timers(values).items():
        for timer in row.values():
            timer.timeit(20)  # warm: the interpreter specialises its bytecode
        times: dict[str, list[float]] = {codec: [] for codec in CODECS}
        for _ in range(rounds):
            for codec in CODECS:
                times[codec].append(row[codec].timeit(4) / 4 / len(values))
        found.append(
            {
                "work": what,
                **{f"{codec}_ns": median(times[codec]) for codec in CODECS},
                "pychonet_over_koatsu": median(
                    p / k for p, k in zip(times["pychonet"], times["koatsu"], strict=True)
                ),
                "koatsu_over_struct": median(
                    k / s for k, s in zip(times["koatsu"], times["struct"], strict=True)
                ),
            }
        )
        gc.collect()
    return found


# -- damaged frames --------------------------------------------------------------------------------------


def healthy(rng: random.Random) -> bytes:
    """A well-formed frame of any service, or now and then an arbitrary message."""
    if rng.random() < 0.03:
        return b"\x10\x82" + rng.randbytes(rng.randrange(2, 40))

    def properties() -> list[tuple[int, bytes]]:
        return [
            (rng.randrange(0x80, 0x100), rng.randbytes(rng.choice((0, 0, 1, 1, 2, 4, 4, 11, 17, 194))))
            for _ in range(rng.choice((1, 1, 2, 3, 8)))
        ]

    esv = rng.choice(standard.SERVICES)
    second = properties() if esv in standard.SERVICES_WITH_TWO_LISTS else None
    return standard.write(
        rng.randrange(0x10000), rng.randrange(1 << 24), rng.randrange(1 << 24), esv, properties(), second
    )


def damaged(rng: random.Random, wire: bytes) -> bytes:
    """``wire`` after one to three accidents."""
    data = bytearray(wire)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        accident = rng.choice(
            ("flip", "flip", "byte", "cut", "cut front", "insert", "append", "length", "drop")
        )
        at = rng.randrange(len(data)) if data else 0
        if accident == "insert" or not data:
            data[at:at] = rng.randbytes(rng.randrange(1, 4))
        elif accident == "flip":
            data[at] ^= 1 << rng.randrange(8)
        elif accident == "byte":
            data[at] = rng.randrange(256)
        elif accident == "cut":
            del data[at:]
        elif accident == "cut front":
            del data[: rng.randrange(1, 4)]
        elif accident == "append":
            data += rng.randbytes(rng.randrange(1, 4))
        elif accident == "drop":
            del data[at]
        elif len(data) > 13:  # "length": OPC or the first PDC, a little too large or too small
            at = rng.choice((11, 13))
            data[at] = (data[at] + rng.choice((-2, -1, 1, 2))) % 256
    return bytes(data)


def judge(rng: random.Random, count: int) -> dict[str, dict[str, int]]:
    """Each codec's verdicts on ``count`` damaged frames against the standard's."""
    codecs = {"koatsu": decode, "struct": struct_codec.decode, "pychonet": decodeEchonetMsg}
    planned = {"koatsu": DecodeError, "struct": ValueError, "pychonet": DecodeEchonetMsgError}
    scores: dict[str, Counter[str]] = {codec: Counter() for codec in codecs}
    for _ in range(count):
        wire = damaged(rng, healthy(rng))
        try:
            truth = standard.read(wire)
        except standard.MalformedError:
            truth = None
        for codec, read in codecs.items():
            score = scores[codec]
            score["well-formed"] += truth is not None
            try:
                value = read(wire)
            except Exception as error:  # noqa: BLE001 - what else a stranger raises is the question
                score["well-formed refused"] += truth is not None
                score["of them format 2"] += truth is not None and len(truth) == 2
                score["other exception"] += type(error) is not planned[codec]
            else:
                score["malformed accepted"] += truth is None
                if codec != "pychonet" and truth is not None:
                    score["wrong value"] += tuple(value) != truth
    return {codec: dict(score) for codec, score in scores.items()}


# -- report ----------------------------------------------------------------------------------------------


def report(seed: str, rounds: int, mutants: int) -> dict:
    """All figures, printed as two tables."""
    logging.disable(logging.ERROR)  # pychonet logs every frame that it refuses
    rng = random.Random(seed)
    print(
        f"seed {seed}; Python {sys.version.split()[0]}; {rounds} interleaved rounds; ns a message (median)\n"
    )
    print("| message | bytes | work | koatsu | struct | pychonet | pychonet ÷ koatsu | koatsu ÷ struct |")
    print("| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |")
    speed = {}
    for name, values in messages(rng).items():
        size = len(standard.write(*values[0]))
        speed[name] = race(values, rounds)
        for row in speed[name]:
            print(
                f"| {name} | {size} | {row['work']} | {row['koatsu_ns']:.0f} | {row['struct_ns']:.0f}"
                f" | {row['pychonet_ns']:.0f} | {row['pychonet_over_koatsu']:.2f}"
                f" | {row['koatsu_over_struct']:.2f} |"
            )
    scores = judge(rng, mutants)
    print(f"\n{mutants} damaged frames, {scores['koatsu']['well-formed']} of them still well-formed\n")
    columns = (
        "malformed accepted",
        "well-formed refused",
        "of them format 2",
        "wrong value",
        "other exception",
    )
    print("| codec | " + " | ".join(columns) + " |\n| --- |" + " ---: |" * len(columns))
    for codec, score in scores.items():
        cells = ("–" if (codec, c) == ("pychonet", "wrong value") else str(score.get(c, 0)) for c in columns)
        print(f"| {codec} | " + " | ".join(cells) + " |")
    return {"seed": seed, "rounds": rounds, "speed": speed, "mutants": mutants, "verdicts": scores}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--mutants", type=int, default=10_000)
    parser.add_argument("--seed", default=None, help="any text; by default the commit id")
    parser.add_argument("--json", type=Path, default=None, help="write the figures there, too")
    options = parser.parse_args()
    figures = report(options.seed or commit(), options.rounds, options.mutants)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
