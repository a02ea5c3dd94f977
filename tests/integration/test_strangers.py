"""Strangers as judges, each on a host of its own: pychonet and npm echonet-lite against Koatsu, both ways.

Their quirks stand here as they were seen, so that a change of theirs or of ours is noticed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from two_hosts import HERE, Host, two_hosts

pytestmark = [pytest.mark.netns, pytest.mark.peer]


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    with two_hosts() as pair:
        yield pair


def _count(edt: str, at: int) -> int:
    return int(edt[2 * at : 2 * at + 8], 16)


def test_pychonet_reads_our_emulated_meter(hosts: tuple[Host, Host]) -> None:
    controller, meter = hosts
    with meter.meter(meter.ipv4, "--days", "2"):
        seen = controller.script("pychonet_controller.py", controller.ipv4, meter.ipv4)
        ours = controller.script("koatsu_controller.py", controller.ipv4, meter.ipv4, controller.interface)
    assert seen["discovered"]
    assert "028A01" in seen["instances"]
    raw = seen["raw"]
    values = ours["values"]
    assert int(raw["D3"], 16) == values["coefficient."][2] or int(raw["D3"], 16) == int(
        values["coefficient."][0]
    )
    assert raw["D4"] == "00"  # the multiplier 1
    assert int(raw["E5"], 16) == int(values["energy_digits."][0])
    assert len(raw["E2"]) == 2 * 11
    assert 0 <= values["energy_now.normal"][2] - _count(raw["E2"], 7) < 10  # moments apart
    assert _count(raw["E3"], 7) == values["energy_slot.normal"][2]
    assert int(raw["C1"], 16) == values["monthly_max_demand."][2]
    assert seen["was_set"] is True
    assert seen["refused"] is False  # day 100 does not exist
    assert len(seen["history"]) == 2 * 194
    assert seen["history"][:4] == "0001"
    assert [_count(seen["history"], 2 + 4 * i) for i in range(48)] == ours["counts"]
    announced = set(seen["announce_map"])
    assert {0x80, 0x81, 0x88} <= announced
    assert 0xE1 in seen["set_map"]
    assert {0xD3, 0xE2, 0xE7, 0x9F} <= set(seen["get_map"])


def test_npm_echonet_lite_reads_our_emulated_meter(hosts: tuple[Host, Host], npm_peers: Path) -> None:
    controller, meter = hosts
    with meter.meter(meter.ipv4, "--days", "2"):
        seen = _last_json(controller.run("node", str(HERE / "js_controller.js"), meter.ipv4))
        ours = controller.script("koatsu_controller.py", controller.ipv4, meter.ipv4, controller.interface)
    values = ours["values"]
    assert seen["instances"] == "01028a01"
    assert int(seen["many"]["d3"], 16) == int(values["coefficient."][0])
    assert 0 <= values["energy_now.normal"][2] - _count(seen["many"]["e2"], 7) < 10
    # Refused: the meter has no instantaneous power; what could be read is there all the same.
    assert seen["partial"]["esv"] == "52"
    assert seen["partial"]["details"]["d3"] == seen["many"]["d3"]
    assert seen["partial"]["details"]["ea"] == ""
    assert seen["set"] == {"e1": ""}
    assert [_count(seen["history"], 2 + 4 * i) for i in range(48)] == ours["counts"]
    assert seen["refused"] == {"e1": "64"}
    assert seen["inf"] == {"d3": seen["many"]["d3"]}


@pytest.mark.parametrize("version", ["4", "6"])
def test_our_controller_reads_npm_echonet_lite(
    hosts: tuple[Host, Host], npm_peers: Path, version: str
) -> None:
    """Over IPv4, and over IPv6 link-local; found by multicast both times. It answers from another port."""
    controller, meter = hosts
    own, far = controller.ipv4, meter.ipv4
    if version == "6":
        own = f"{controller.link_local}%{controller.interface}"
        far = f"{meter.link_local}%{controller.interface}"
    with meter.serving("node", str(HERE / "js_device.js"), version, ready="ready"):
        seen = controller.script("koatsu_controller.py", own, far, controller.interface)
    values = seen["values"]
    assert seen["found"][far] == ["0x028A01"]
    assert seen["factor"] == "1.200"
    assert values["energy_now.normal"] == ["10095488.400", "kWh", 8412907]
    assert values["energy_now.at"][0] == "2026-07-15T13:00:00+09:00"
    assert values["demand_slot.normal"] == ["39840.0", "kW", 332]
    assert values["monthly_max_demand."] == ["39600.0", "kW", 330]
    assert seen["problem"] == "None"
    assert seen["day"] == "2026-07-14"
    assert seen["counts"] == [None if i == 20 else 8412000 + 10 * i for i in range(48)]


def _last_json(text: str) -> dict[str, object]:
    import json

    found: dict[str, object] = json.loads(text.splitlines()[-1])
    return found
