"""Fifty members of the staff who work at one desk for a minute, and what became of everything they wrote.

The desk is the program `koatsu desk` in a process of its own. Each of the staff reads a page of the
worklist, opens one of two hundred cases and adds a note to the version that was shown, over and over without
a pause, so that they meet at cases all the time. A note that the desk has taken must be in the history once;
one that it refused, because somebody else had changed the case meanwhile, must not; and the version of a case
must have grown by exactly the entries that were added.
"""

from __future__ import annotations

import asyncio
import random
import re
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median, quantiles
from time import monotonic, perf_counter

import httpx
from benchmarks.desk_stores import CASES, open_desk
from benchmarks.figure import ROOT, Figure
from benchmarks.processes import free_port

from koatsu.clock import SystemClock
from koatsu.desk import Case, Desk, Event
from koatsu.desk.models import SYSTEM
from koatsu.desk.sample import sample_settings
from koatsu.people import CONSOLE, People, Role

__all__ = ["work_for_a_minute"]

STAFF, MEETING, MINUTE_S = 50, 200, 60.0
_PROGRAM = Path(sys.executable).with_name("koatsu")
_PATIENCE_S = 60.0
_SEEN = re.compile(r'name="seen" value="(\d+)"')


class Notes:
    """What the staff did: every note with what the desk said to it."""

    def __init__(self) -> None:
        self.taken: dict[str, str] = {}  #: text -> number of the case
        self.refused: set[str] = set()
        self.errors: Counter[str] = Counter()
        self.times: dict[str, list[float]] = {"list": [], "case": [], "note": []}


def work_for_a_minute(kind: str, store: Path | str, key: Path, seed: str) -> Figure:
    """The figure of a store; it holds some thousand notes more afterwards."""
    with open_desk(store, key) as desk:
        before = {one.number: _standing(desk, one.number) for one in _open_cases(desk, seed)}
    with _running(store, key) as (url, secrets):
        notes = asyncio.run(_everybody(url, secrets, list(before), seed))
    with open_desk(store, key) as desk:
        lost, wrong = _judged(desk, notes, before)
    pages = sum(map(len, notes.times.values()))
    errors = sum(notes.errors.values())
    shown = ", ".join(f"{name} {_middle(times)}" for name, times in notes.times.items())
    told = f" ({', '.join(f'{number} × {what}' for what, number in notes.errors.items())})" if errors else ""
    return Figure(
        what=f"desk, {STAFF} of the staff at once for a minute on {kind}: lost updates and errors",
        ours=f"{lost + wrong} lost or doubled, {errors} errors{told}",
        ratio=float(lost + wrong + errors),
        target=0.0,
        unit="",
        note=f"{CASES:,} cases; {pages / MINUTE_S:.0f} requests/s without a pause, "
        f"{len(notes.taken):,} notes taken, {len(notes.refused):,} refused because somebody else had changed "
        f"one of the {MEETING} cases meanwhile; median/p95: {shown}. Client and desk share two cores.",
    )


# --- the program ------------------------------------------------------------------------------------------


@contextmanager
def _running(store: Path | str, key: Path) -> Iterator[tuple[str, list[str]]]:
    """`koatsu desk` over the store, and a token for each of the staff."""
    with People.open(store, clock=SystemClock()) as people:
        if not people.has_owner():
            people.create_owner("管理者", "bench-only-29-asa", author=CONSOLE.reference)
        secrets = [people.make_token(CONSOLE, f"staff {one}", Role.SUPERVISOR)[0] for one in range(STAFF)]
    settings, port = sample_settings(), free_port()
    config = key.with_name(f"desk-{port}.toml")
    config.write_text(
        f'[utility]\nname = "{settings.utility.ja}"\narea_prefixes = ["{settings.area_prefixes[0]}"]\n'
        f'case_prefix = "{settings.case_prefix}"\nself_supply_office = "{settings.self_supply_office}"\n'
        f'[store]\npath = "{store}"\nkey = "{key}"\n[web]\nport = {port}\n[log]\nlevel = "warning"\n',
        encoding="utf-8",
    )
    command = [str(_PROGRAM), "desk", "--config", str(config)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as program:
        try:
            _await(port, program)
            yield f"http://127.0.0.1:{port}", secrets
        finally:
            program.send_signal(signal.SIGTERM)
    if program.returncode != 0:
        raise SystemExit(f"koatsu desk ended with {program.returncode}")


def _await(port: int, program: subprocess.Popen[bytes]) -> None:
    deadline = monotonic() + _PATIENCE_S
    while program.poll() is None and monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            continue
        return
    raise SystemExit("koatsu desk did not start")


def _open_cases(desk: Desk, seed: str) -> list[Case]:
    found = [line.case for page in range(1, 21) for line in desk.lists.worklist(SYSTEM, page=page).lines]
    return random.Random(seed).sample(found, MEETING)


# --- the staff --------------------------------------------------------------------------------------------


async def _everybody(url: str, secrets: list[str], numbers: list[str], seed: str) -> Notes:
    notes, until = Notes(), monotonic() + MINUTE_S
    limits = httpx.Limits(max_connections=STAFF, max_keepalive_connections=STAFF)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=_PATIENCE_S) as client:
        await asyncio.gather(
            *(
                _one(client, who, secret, numbers, random.Random(f"{seed} {who}"), until, notes)
                for who, secret in enumerate(secrets)
            )
        )
    return notes


async def _one(
    client: httpx.AsyncClient, who: int, secret: str, numbers: list[str], draw: random.Random,
    until: float, notes: Notes,
) -> None:  # fmt: skip
    """One of the staff, until the minute is over."""
    headers = {"Authorization": f"Bearer {secret}"}

    async def ask(kind: str, method: str, path: str, **more: dict[str, str]) -> httpx.Response | None:
        start = perf_counter()
        try:
            answer = await client.request(method, path, headers=headers, **more)
        except httpx.HTTPError as error:
            notes.errors[type(error).__name__] += 1
            return None
        notes.times[kind].append(perf_counter() - start)
        if answer.status_code not in (200, 303, 409):
            notes.errors[f"{kind} {answer.status_code}"] += 1
            return None
        return answer

    count = 0
    while monotonic() < until:
        await ask("list", "GET", f"/?page={draw.randrange(1, 20)}")
        number = draw.choice(numbers)
        page = await ask("case", "GET", f"/case/{number}")
        seen = None if page is None else _SEEN.search(page.text)
        if seen is None:
            notes.errors["no version on the page"] += page is not None
            continue
        words, count = f"{who}-{count}", count + 1
        given = {"event": Event.NOTE.value, "note": words, "seen": seen[1]}
        answer = await ask("note", "POST", f"/case/{number}", data=given)
        if answer is None:
            continue
        if answer.status_code == 303:
            notes.taken[words] = number
        elif answer.status_code == 409:
            notes.refused.add(words)
        else:
            notes.errors["a note neither taken nor refused"] += 1


def _standing(desk: Desk, number: str) -> tuple[int, int]:
    """The version of a case and the number of entries in its history."""
    case = desk.cases.find(SYSTEM, number)
    return case.version, len(desk.cases.history(SYSTEM, case.id))


def _judged(desk: Desk, notes: Notes, before: dict[str, tuple[int, int]]) -> tuple[int, int]:
    """Notes that are not where and how often they should be; cases whose version tells otherwise."""
    found: Counter[tuple[str, str]] = Counter()
    wrong = 0
    for number, (version, entries_then) in before.items():
        case = desk.cases.find(SYSTEM, number)
        new = desk.cases.history(SYSTEM, case.id)[entries_then:]
        texts = [desk.cases.text(SYSTEM, one, "note") or "" for one in new if one.event is Event.NOTE]
        found.update((number, words) for words in texts)
        wrong += case.version - version != len(new)  # the desk's own chores enter reminders meanwhile
    lost = sum(found[number, words] != 1 for words, number in notes.taken.items())
    lost += sum(1 for _, words in found if words in notes.refused)
    lost += sum(1 for _, words in found if words not in notes.taken and words not in notes.refused)
    return lost, wrong


def _middle(times: list[float]) -> str:
    p95 = quantiles(times, n=20, method="inclusive")[-1]
    return f"{1000 * median(times):.0f}/{1000 * p95:.0f} ms"
