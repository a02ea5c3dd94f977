"""IPv6 as the meter's terminal may speak it: link-local addresses with a zone, multicast ff02::1."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from two_hosts import Host, two_hosts

KOATSU = str(Path(sys.executable).with_name("koatsu"))
pytestmark = pytest.mark.netns


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    with two_hosts() as pair:
        yield pair


@pytest.mark.parametrize("code", ["028A", "028F", "0288", "028D"])
def test_every_meter_class_is_found_and_read_over_ipv6_link_local(
    hosts: tuple[Host, Host], code: str
) -> None:
    controller, meter = hosts
    far = f"{meter.link_local}%{controller.interface}"
    with meter.meter(f"{meter.link_local}%{meter.interface}", "--class", code, "--days", "1"):
        own = f"{controller.link_local}%{controller.interface}"
        seen = controller.script("koatsu_controller.py", own, far)
    assert seen["found"][far] == [f"0x{code}01"], "multicast to ff02::1 must have found it"
    assert seen["problem"] == "None"
    assert len(seen["counts"]) == 48
    assert None not in seen["counts"]
    assert seen["counts"] == sorted(seen["counts"])


def test_a_pulled_cable_is_said_in_one_sentence_with_status_3(hosts: tuple[Host, Host]) -> None:
    controller, meter = hosts
    with meter.meter(meter.ipv4):
        subprocess.run(["ip", "-n", meter.name, "link", "set", meter.interface, "down"], check=True)
        done = subprocess.run(
            ["ip", "netns", "exec", controller.name, KOATSU, "read", meter.ipv4, "--link-profile", "fast"],
            capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 3
    assert "does not answer" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("version", ["IPv4", "IPv6"])
def test_discovery_looks_out_of_every_interface_by_itself(hosts: tuple[Host, Host], version: str) -> None:
    """No option given: the machine has loopback and a cable, and the meter is at the end of the cable."""
    controller, meter = hosts
    listen = meter.ipv4 if version == "IPv4" else f"{meter.link_local}%{meter.interface}"
    far = meter.ipv4 if version == "IPv4" else f"{meter.link_local}%{controller.interface}"
    assert controller.link_local, "duplicate detection must be over before the search binds the address"
    with meter.meter(listen, "--days", "0"):
        found = json.loads(controller.run(KOATSU, "discover", "--json", "--wait", "1.5"))
    assert [(row["address"], row["eoj"], row["class_code"]) for row in found] == [(far, "0x028A01", "0x028A")]
