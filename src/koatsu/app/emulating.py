"""What ``koatsu meter`` does: options into an emulated meter that answers until it is stopped."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, Iterator, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from koatsu.app.instants import clock_speed
from koatsu.app.logs import start_logs
from koatsu.clock import JST
from koatsu.emulator.faults import FAULTS, FaultDef
from koatsu.emulator.run import EmulatorOptions, run_emulator
from koatsu.emulator.scenarios import load_scenario, scenario_names
from koatsu.emulator.site import EmulatedSite
from koatsu.errors import UsageError
from koatsu.node import Peer

__all__ = ["catalogue", "emulate"]


def exact(text: str | None) -> Decimal | None:
    """A decimal number from the command line.

    Raises:
        UsageError: it is none.
    """
    if text is None:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal("NaN")
    if not number.is_finite():
        raise UsageError(f"{text!r} is not a number.", ja=f"{text!r} は数ではありません。")
    return number


def catalogue(lang: str) -> Iterator[str]:
    """Lines that name every fault and every scenario."""
    yield "故障 (--fault):" if lang == "ja" else "Faults (--fault):"
    for fault in FAULTS:
        yield f"  {_usage(fault):<24} {fault.label(lang)}"
    yield "シナリオ (--scenario):" if lang == "ja" else "Scenarios (--scenario):"
    for name in scenario_names():
        scenario = load_scenario(name)
        yield f"  {name:<24} {scenario.title(lang)}"


def _usage(fault: FaultDef) -> str:
    return f"{fault.name}[={fault.default:g} {fault.unit}]" if fault.unit else fault.name


async def emulate(
    *,
    listen: str,
    class_code: str | None,
    scenario: str | None,
    seed: int | None,
    coefficient: int | None,
    unit_kwh: str | None,
    digits: int | None,
    history_days: int | None,
    speed: float,
    start: datetime | None,
    faults: Sequence[str],
    role: str | None,
    profile: str | None,
    truth: Path | None,
    control: str | None,
    pulses: str | None,
    say: Callable[[str], object],
    lang: str,
) -> None:
    """Emulate until stopped by SIGINT or SIGTERM, files and sockets closed in order.

    Raises:
        UsageError: an option has no such value.
        UnreachableError: an address or port cannot be had.
    """
    start_logs(lang=lang)
    options = EmulatorOptions(
        listen=Peer.parse(listen).address,
        scenario=scenario,
        meter_class=class_code,
        role=role,
        seed=seed,
        coefficient=coefficient,
        unit_kwh=exact(unit_kwh),
        digits=digits,
        history_days=history_days,
        speed=clock_speed(speed),
        start=start,
        faults=faults,
        link_profile=profile,
        truth=truth,
        control=control,
        pulses=pulses,
    )

    def ready(site: EmulatedSite) -> None:
        ja = lang == "ja"
        when = f"{site.now().astimezone(JST):%Y-%m-%d %H:%M}"
        say(
            f"{listen} の UDP 3610 番で応答しています(計器時刻 {when})。"
            if ja
            else f"Answering on {listen}, UDP port 3610 (meter time {when})."
        )
        if control:
            say(f"{'操作画面' if ja else 'Control page'}: http://{control}/")
        say("止めるには Ctrl-C" if ja else "Stop with Ctrl-C.")

    await _until_stopped(run_emulator(options, ready=ready))


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` until it ends or a signal ends it, which is no error."""
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    running = asyncio.ensure_future(work)
    waiting = asyncio.ensure_future(stopped.wait())
    try:
        await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            running.result()
    finally:
        running.cancel()
        waiting.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
