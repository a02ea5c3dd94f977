"""Two hosts on one machine: network namespaces joined by a cable (a veth pair).

Strangers bind every address of their host, so each of them gets a host of its own. Both have an IPv4 address
and an IPv6 link-local one, and can be unplugged.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
_numbers = itertools.count(1)


def _ip(*words: str) -> str:
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True, timeout=30).stdout


@dataclass(frozen=True)
class Host:
    """One namespace."""

    name: str
    interface: str
    ipv4: str

    @property
    def link_local(self) -> str:
        """The address that the kernel made; waits until it is there."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            found = json.loads(_ip("-n", self.name, "-j", "-6", "addr", "show", "dev", self.interface))
            for address in found[0]["addr_info"] if found else []:
                if address.get("scope") == "link" and not address.get("tentative"):
                    return str(address["local"])
            time.sleep(0.05)  # the kernel has no event for the end of duplicate detection that `ip` waits for
        raise AssertionError(f"{self.name} got no link-local address")

    def run(self, *command: str, timeout: float = 60) -> str:
        """Run to the end on this host; its standard output."""
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *command], capture_output=True, text=True, timeout=timeout
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def script(self, name: str, *words: str, timeout: float = 60) -> Any:
        """Run one of our scripts; the JSON that it prints last."""
        return json.loads(
            self.run(sys.executable, str(HERE / name), *words, timeout=timeout).splitlines()[-1]
        )

    @contextmanager
    def serving(self, *command: str, ready: str) -> Iterator[subprocess.Popen[str]]:
        """Run in the background; begins when it has printed ``ready``, ends by terminating it."""
        process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdout is not None
        heard = []
        try:
            for line in process.stdout:
                heard.append(line)
                if ready in line:
                    break
            else:
                raise AssertionError(f"{command} ended before it was ready:\n{''.join(heard)}")
            yield process
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()

    def meter(self, *words: str) -> Any:
        """An emulated meter on this host."""
        script = str(HERE / "host_meter.py")
        return self.serving(sys.executable, script, *words, ready="ready")


@contextmanager
def two_hosts() -> Iterator[tuple[Host, Host]]:
    """A controller's host and a meter's host."""
    mark = f"{os.getpid() % 100000}{next(_numbers) % 100:02d}"
    one = Host(f"koatsu-c{mark}", f"kc{mark}", "10.36.10.1")
    other = Host(f"koatsu-m{mark}", f"km{mark}", "10.36.10.2")
    try:
        for host in (one, other):
            _ip("netns", "add", host.name)
        _ip("link", "add", one.interface, "netns", one.name, "type", "veth",
            "peer", "name", other.interface, "netns", other.name)  # fmt: skip
        for host in (one, other):
            _ip("-n", host.name, "link", "set", "lo", "up")
            _ip("-n", host.name, "link", "set", host.interface, "up")
            _ip("-n", host.name, "addr", "add", f"{host.ipv4}/24", "dev", host.interface)
            _ip("-n", host.name, "route", "add", "224.0.0.0/4", "dev", host.interface)
        yield one, other
    finally:
        for host in (one, other):
            subprocess.run(["ip", "netns", "delete", host.name], capture_output=True, timeout=30, check=False)
