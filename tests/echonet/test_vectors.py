"""Frames and property maps that others made, or that were written by hand from the standard.

Each file of tests/vectors/frames names its source; none comes from the encoder under test.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from pychonet.lib.epc_functions import EPC_SUPER_FUNCTIONS
from pychonet.lib.functions import buildEchonetMsg

from koatsu.echonet import DecodeError, Eoj, Esv, Frame, Message, decode, decode_map, encode_map

FOLDER = Path(__file__).parents[1] / "vectors/frames"


def rows(kind: str, source: str = "*") -> list:
    """Every row of one kind, with the name of its source and its own."""
    return [
        pytest.param(row, id=f"{path.parent.name}: {row['name']}")
        for path in sorted(FOLDER.glob(f"{source}/*.json"))
        for row in json.loads(path.read_text(encoding="utf-8")).get(kind, [])
    ]


def listed(pairs: list) -> tuple:
    return tuple((int(epc, 16), bytes.fromhex(edt)) for epc, edt in pairs)


def frame_of(row: dict) -> Frame:
    second = None if row["second"] is None else listed(row["second"])
    return Frame(
        row["tid"],
        Eoj(int(row["seoj"], 16)),
        Eoj(int(row["deoj"], 16)),
        Esv(int(row["esv"], 16)),
        listed(row["properties"]),
        second,
    )


@pytest.mark.parametrize("row", rows("frames"))
def test_frame(row: dict) -> None:
    wire = bytes.fromhex(row["hex"])
    frame = decode(wire)
    assert frame == frame_of(row)
    assert isinstance(frame, Frame)
    assert isinstance(frame.seoj, Eoj)
    assert isinstance(frame.esv, Esv)
    assert frame_of(row).encode() == wire


@pytest.mark.parametrize("row", rows("messages"))
def test_arbitrary_message(row: dict) -> None:
    assert decode(bytes.fromhex(row["hex"])) == Message(row["tid"], bytes.fromhex(row["data"]))


@pytest.mark.parametrize("row", rows("malformed"))
def test_malformed_frame(row: dict) -> None:
    wire = bytes.fromhex(row["hex"])
    with pytest.raises(DecodeError) as caught:
        decode(wire)
    assert (caught.value.offset, caught.value.data) == (row["offset"], wire)


@pytest.mark.parametrize("row", rows("maps"))
def test_property_map(row: dict) -> None:
    edt = bytes.fromhex(row["hex"])
    codes = {int(code, 16) for code in row["codes"]}
    assert decode_map(edt) == codes
    assert sorted(encode_map(codes)) == sorted(edt)  # a list may come in any order,
    if len(codes) > 15:
        assert encode_map(codes) == edt  # a bitmap has only one


@pytest.mark.parametrize("row", rows("malformed_maps"))
def test_malformed_property_map(row: dict) -> None:
    with pytest.raises(DecodeError) as caught:
        decode_map(bytes.fromhex(row["hex"]))
    assert caught.value.offset == row["offset"]


def test_every_service_stands_in_two_sources() -> None:
    by_hand = {frame_of(row.values[0]).esv for row in rows("frames", "specification")}
    by_peers = {
        frame_of(row.values[0]).esv
        for source in ("pychonet", "echonet-lite")
        for row in rows("frames", source)
    }
    assert by_hand == set(Esv)
    two_lists = {Esv.SETGET, Esv.SETGET_RES, Esv.SETGET_SNA}  # no peer at hand writes the second list
    assert by_peers == set(Esv) - two_lists


@pytest.mark.peer
@pytest.mark.parametrize("row", rows("frames", "pychonet"))
def test_pychonet_still_makes_this_frame(row: dict) -> None:
    deoj = int(row["deoj"], 16)
    properties = [
        {"EPC": epc, "PDC": len(edt), "EDT": int.from_bytes(edt, "big")} if edt else {"EPC": epc}
        for epc, edt in listed(row["properties"])
    ]
    made = buildEchonetMsg(
        {
            "TID": row["tid"], "DEOJGC": deoj >> 16, "DEOJCC": deoj >> 8 & 0xFF, "DEOJCI": deoj & 0xFF,
            "ESV": int(row["esv"], 16), "OPC": properties,
        }
    )  # fmt: skip
    assert made.hex().upper() == row["hex"]


@pytest.mark.peer
@pytest.mark.parametrize("row", rows("maps"))
def test_pychonet_reads_the_same_codes(row: dict) -> None:
    assert set(EPC_SUPER_FUNCTIONS[0x9F](bytes.fromhex(row["hex"]))) == {
        int(code, 16) for code in row["codes"]
    }


@pytest.mark.peer
def test_npm_echonet_lite_still_makes_these_frames(npm_peers: Path) -> None:
    done = subprocess.run(
        ["node", FOLDER / "echonet-lite/record.js"],
        env=os.environ | {"NODE_PATH": str(npm_peers)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    rows_made = [*rows("frames", "echonet-lite"), *rows("messages", "echonet-lite")]
    assert json.loads(done.stdout) == {row.values[0]["name"]: row.values[0]["hex"] for row in rows_made}
