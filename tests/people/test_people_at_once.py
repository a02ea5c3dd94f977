"""Two programs and many threads on one people store; a program that is killed in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from household import CHEAP, HERE, OTHER, PASSWORD

from koatsu.clock import ManualClock, SystemClock
from koatsu.people import CONSOLE, Login, NameRefusedError, OwnerExistsError, People, Role

WRITER = """
import sys
from koatsu.clock import SystemClock
from koatsu.people import Hashing, People
cheap = Hashing(passes=1, memory_kib=8, lanes=1)
with People.open(sys.argv[1], clock=SystemClock(), hashing=cheap) as people:
    print("open", flush=True)
    sys.stdin.readline()
    for number in range(int(sys.argv[2])):
        people.audit.append("system", "tested", f"thing:{number}")
        print(people.audit.head()[0], flush=True)
"""


def writer(store: Path, entries: int) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(store), str(entries)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert started.stdout is not None
    assert started.stdout.readline() == "open\n"
    return started


def test_two_programs_write_one_chain(people: People, owner: Login, store: Path) -> None:
    before = people.audit.head()[0]
    with writer(store, 15) as other:
        assert other.stdin is not None
        other.stdin.write("go\n")
        other.stdin.flush()
        for number in range(15):
            people.audit.append("system", "tested", f"own:{number}")
        other.communicate(timeout=60)
        assert other.returncode == 0
    assert people.audit.head()[0] == before + 30
    assert people.audit.verify() is None


def test_what_was_acknowledged_survives_a_kill(people: People, store: Path) -> None:
    with writer(store, 10_000) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdin.write("go\n")
        other.stdin.flush()
        seen = [int(other.stdout.readline()) for _ in range(5)]
        other.send_signal(signal.SIGKILL)
        seen += [int(line) for line in other.stdout.read().splitlines()]
    assert people.audit.head()[0] >= seen[-1]
    assert people.audit.verify() is None
    people.audit.append("system", "started")
    assert people.audit.verify() is None


def test_what_the_console_does_holds_at_once_for_a_running_server(
    people: People, owner: Login, store: Path, clock: ManualClock
) -> None:
    secret, _ = people.log_in("田中", PASSWORD, origin=HERE)
    with People.open(store, clock=clock, hashing=CHEAP) as console:
        second = console.add(CONSOLE, "鈴木", Role.OWNER, OTHER)
        assert people.find("鈴木") == second
        console.set_role(CONSOLE, 1, Role.VIEWER)
        login = people.session(secret)
        assert login is not None
        assert login.role is Role.VIEWER
        console.set_password(CONSOLE, 1, OTHER)
        assert people.session(secret) is None


def test_of_many_first_owners_one_succeeds(store: Path) -> None:
    """Sixteen threads over two openings of one store; one becomes the owner, the others are told."""
    barrier = threading.Barrier(16)

    def become(number: int) -> bool:
        barrier.wait()
        try:
            stores[number % 2].create_owner(f"person {number}", PASSWORD)
        except OwnerExistsError:
            return False
        return True

    stores = [People.open(store, clock=SystemClock(), hashing=CHEAP, busy_s=60) for _ in range(2)]
    with stores[0], stores[1], ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(become, range(16)))
        assert outcomes.count(True) == 1
        assert len(stores[0].people()) == 1


def test_one_name_goes_to_one_of_many(people: People, owner: Login) -> None:
    barrier = threading.Barrier(8)

    def add(_number: int) -> bool:
        barrier.wait()
        try:
            people.add(owner, "鈴木", Role.VIEWER, OTHER)
        except NameRefusedError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(add, range(8))).count(True) == 1
    assert people.audit.verify() is None


def test_sessions_are_read_by_many_threads(people: People, owner: Login) -> None:
    secret, _ = people.log_in("田中", PASSWORD, origin=HERE)
    with ThreadPoolExecutor(8) as pool:
        logins = list(pool.map(lambda _: people.session(secret), range(200)))
    assert all(login is not None and login.name == "田中" for login in logins)
