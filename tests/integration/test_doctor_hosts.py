"""`koatsu doctor` between two hosts with a cable, and on small file systems: what loopback cannot show."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from two_hosts import Host, two_hosts

KOATSU = str(Path(sys.executable).with_name("koatsu"))
pytestmark = pytest.mark.netns


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    with two_hosts() as pair:
        yield pair


def ip(host: Host, *words: str) -> None:
    subprocess.run(["ip", "-n", host.name, *words], check=True, capture_output=True, timeout=30)


def doctor(host: Host, *words: str) -> tuple[int, list[dict[str, Any]]]:
    done = subprocess.run(
        ["ip", "netns", "exec", host.name, KOATSU, "doctor", "--json", "--link-profile", "fast", *words],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def wanting(found: list[dict[str, Any]]) -> list[str]:
    return [one["step"] for one in found if one["verdict"] == "wanting"]


def sentence(found: list[dict[str, Any]], step: str) -> str:
    return next(str(one["en"]) for one in found if one["step"] == step)


@pytest.mark.parametrize("version", ["IPv4", "IPv6"])
def test_all_is_well_over_a_cable(hosts: tuple[Host, Host], version: str) -> None:
    ours, theirs = hosts
    listen = theirs.ipv4 if version == "IPv4" else f"{theirs.link_local}%{theirs.interface}"
    far = theirs.ipv4 if version == "IPv4" else f"{theirs.link_local}%{ours.interface}"
    assert ours.link_local
    with theirs.meter(listen, "--days", "1"):
        status, found = doctor(ours, far)
    assert (status, wanting(found)) == (0, [])
    neighbour = next(one for one in found if one["step"] == "neighbour")
    assert neighbour["facts"]["hardware"].count(":") == 5
    assert ours.interface in sentence(found, "cable")


def test_a_pulled_cable_is_the_first_thing_found(hosts: tuple[Host, Host]) -> None:
    ours, theirs = hosts
    ip(theirs, "link", "set", theirs.interface, "down")
    status, found = doctor(ours, theirs.ipv4)
    assert (status, wanting(found)) == (3, ["cable"])
    assert f"{ours.interface} has no signal on its cable" in sentence(found, "cable")
    assert {one["facts"].get("because") for one in found[1:]} == {"cable"}


def test_an_interface_that_is_switched_off_is_told_apart_from_a_cable(hosts: tuple[Host, Host]) -> None:
    ours, theirs = hosts
    ip(ours, "link", "set", ours.interface, "down")
    status, found = doctor(ours, theirs.ipv4)
    assert (status, wanting(found)) == (3, ["cable"])
    assert f"{ours.interface} is switched off" in sentence(found, "cable")


@pytest.mark.parametrize(
    ("own", "words"),
    [
        ("10.99.1.1/24", "has 10.99.1.1/24, and 10.36.10.2 is on another network"),
        (None, "has no IPv4 address"),
    ],
)
def test_a_wrong_own_address_is_found(hosts: tuple[Host, Host], own: str | None, words: str) -> None:
    ours, theirs = hosts
    ip(ours, "addr", "flush", "dev", ours.interface, "scope", "global")
    if own:
        ip(ours, "addr", "add", own, "dev", ours.interface)
    with theirs.meter(theirs.ipv4, "--days", "1"):
        status, found = doctor(ours, theirs.ipv4)
    assert (status, wanting(found)) == (3, ["address"])
    assert words in sentence(found, "address")


def test_a_terminal_behind_a_gateway_that_answers_is_well(hosts: tuple[Host, Host]) -> None:
    """The far host is its own gateway: another network, and an answer all the same."""
    ours, theirs = hosts
    ip(theirs, "addr", "add", "10.77.0.2/24", "dev", theirs.interface)
    ip(ours, "route", "add", "default", "via", theirs.ipv4)
    with theirs.meter("10.77.0.2", "--days", "1"):
        status, found = doctor(ours, "10.77.0.2")
    assert (status, wanting(found)) == (0, [])
    assert f"through {theirs.ipv4}" in sentence(found, "address")


def test_a_gateway_behind_which_nobody_answers_is_a_wrong_address(hosts: tuple[Host, Host]) -> None:
    ours, theirs = hosts
    ip(ours, "route", "add", "default", "via", theirs.ipv4)
    status, found = doctor(ours, "10.77.0.2")
    assert (status, wanting(found)) == (3, ["address"])
    assert f"packets would go to {theirs.ipv4}" in sentence(found, "address")


def test_an_address_that_nobody_has_is_found_on_the_wire(hosts: tuple[Host, Host]) -> None:
    ours, theirs = hosts
    with theirs.meter(theirs.ipv4, "--days", "1"):
        status, found = doctor(ours, "10.36.10.77")
    assert (status, wanting(found)) == (3, ["neighbour"])
    assert "10.36.10.77" in sentence(found, "neighbour")


def test_a_host_that_is_no_terminal_is_told(hosts: tuple[Host, Host]) -> None:
    ours, theirs = hosts
    status, found = doctor(ours, theirs.ipv4)
    assert (status, wanting(found)) == (3, ["answer"])
    assert "no ECHONET Lite node runs there" in sentence(found, "answer")


def test_answers_that_are_dropped_on_the_way_look_like_a_silent_terminal(hosts: tuple[Host, Host]) -> None:
    """As behind a firewall: the host is on the wire, takes the questions, and nothing comes back."""
    ours, theirs = hosts
    ip(theirs, "route", "add", "blackhole", f"{ours.ipv4}/32")
    with theirs.meter(theirs.ipv4, "--days", "1"):
        status, found = doctor(ours, theirs.ipv4)
    assert (status, wanting(found)) == (3, ["answer"])
    assert "does not answer ECHONET Lite" in sentence(found, "answer")
    assert next(one for one in found if one["step"] == "neighbour")["verdict"] == "ok"
    assert "firewall" in next(str(one["hint"]) for one in found if one["step"] == "answer")


@pytest.fixture
def disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A file system of one megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    options = ["-o", f"size=1m,{request.param}"]
    made = subprocess.run(
        ["mount", "-t", "tmpfs", *options, "tmpfs", str(place)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(
            f"no file system can be mounted here ({made.stderr.strip()}); run as root (sudo make test)"
        )
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("disk", "step", "words"),
    [("rw", "disk", "Only"), ("ro", "store", "may not write")],
    indirect=["disk"],
)
def test_a_full_or_read_only_disk_is_found(
    hosts: tuple[Host, Host], disk: Path, tmp_path: Path, step: str, words: str
) -> None:
    ours, theirs = hosts
    config = tmp_path / "koatsu.toml"
    config.write_text(
        f'[site]\nname = "works"\n[store]\npath = "{disk}/koatsu.db"\n'
        f'[[meter]]\nid = "main"\naddress = "{theirs.ipv4}"\n'
    )
    with theirs.meter(theirs.ipv4, "--days", "1"):
        status, found = doctor(ours, "-c", str(config))
    assert status == 1
    assert step in wanting(found)
    assert words in sentence(found, step)
