"""Commands that keep running: demo, run, meter.

What they need (web server, database, emulator) is loaded when they run: the other commands start without it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from koatsu.cli.main import app, language, run
from koatsu.cli.output import say

__all__: list[str] = []


@app.command(epilog="Example: koatsu demo --speed 60")
def demo(
    address: Annotated[
        str, typer.Option("--address", help="Our loopback address; the meters take the two after it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port of the page.")] = 8028,
    seed: Annotated[int, typer.Option("--seed", help="Another seed is another site.")] = 28,
    speed: Annotated[
        float, typer.Option("--speed", min=0.1, max=3600, help="Speed of the emulated time.")
    ] = 1.0,
    start: Annotated[str | None, typer.Option("--start", help="Emulated time to start at, ISO 8601.")] = None,
    days: Annotated[
        int, typer.Option("--history-days", min=0, max=99, help="Days of history in the meters.")
    ] = 99,
    control: Annotated[
        str, typer.Option("--control", help="Address of the meters' control page.")
    ] = "127.0.0.1:8038",
    store: Annotated[
        Path | None, typer.Option("--store", help="Keep readings here; thrown away by default.")
    ] = None,
) -> None:
    """An emulated factory, its two meters and the EMS, on http://127.0.0.1:8028."""
    from koatsu.app import demo as demonstrating
    from koatsu.app.instants import start_instant

    run(
        demonstrating.demo(
            address=address, port=port, seed=seed, speed=speed, start=start_instant(start), history_days=days,
            control=control, store=store, say=say, lang=language(),
        )
    )  # fmt: skip


@app.command(name="run", epilog="Example: koatsu run -c koatsu.toml")
def run_ems(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration; see koatsu init.")
    ] = Path("koatsu.toml"),
    clock: Annotated[
        str | None, typer.Option("--clock", help="START@SPEED: our time, for replays and tests.")
    ] = None,
) -> None:
    """The EMS: read the meters, recover their history, serve the page."""
    from koatsu.app import serving
    from koatsu.app.instants import parse_clock

    run(serving.run_config(config, clock=parse_clock(clock), say=say, lang=language()))


@app.command(epilog="Example: koatsu meter --listen 127.0.0.2 --fault drop=10 --control 127.0.0.1:8038")
def meter(
    listen: Annotated[str, typer.Option("--listen", help="Address of the terminal.")] = "127.0.0.2",
    class_code: Annotated[
        str | None, typer.Option("--class", help="028A, 028F, 0288 or 028D; the scenario's, or 028A.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="A named day; see docs/emulator.md.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Another seed is another site.")] = None,
    coefficient: Annotated[
        int | None, typer.Option("--coefficient", min=0, max=999999, help="Coefficient of the meter.")
    ] = None,
    unit_kwh: Annotated[
        str | None, typer.Option("--unit-kwh", help="Energy unit: 1, 0.1, 0.01, 0.001, 0.0001, 10 …")
    ] = None,
    digits: Annotated[
        int | None, typer.Option("--digits", min=1, max=8, help="Effective digits of the counters.")
    ] = None,
    history_days: Annotated[
        int | None, typer.Option("--history-days", min=0, max=99, help="Full days before today; 99.")
    ] = None,
    speed: Annotated[
        float, typer.Option("--speed", min=0.1, max=3600, help="Speed of the emulated time.")
    ] = 1.0,
    start: Annotated[str | None, typer.Option("--start", help="Emulated time to start at, ISO 8601.")] = None,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="NAME or NAME=VALUE; may be repeated.")
    ] = None,
    role: Annotated[
        str | None, typer.Option("--role", help="buy, sell or sub; the scenario's, or buy.")
    ] = None,
    profile: Annotated[
        str, typer.Option("--link-profile", help="Habits of the terminal: name or file.")
    ] = "fast",
    truth: Annotated[Path | None, typer.Option("--truth", help="Write the raw integers here.")] = None,
    control: Annotated[str | None, typer.Option("--control", help="ADDR:PORT of the control page.")] = None,
    pulses: Annotated[
        str | None, typer.Option("--pulses", help="ADDR:PORT or socket path of the pulse service.")
    ] = None,
    list_faults: Annotated[
        bool, typer.Option("--list-faults", help="List faults and scenarios and stop.")
    ] = False,
) -> None:
    """An emulated meter behind its terminal, UDP port 3610."""
    from koatsu.app import emulating
    from koatsu.app.instants import start_instant

    if list_faults:
        for line in emulating.catalogue(language()):
            typer.echo(line)
        return
    run(
        emulating.emulate(
            listen=listen, class_code=class_code, scenario=scenario, seed=seed, coefficient=coefficient,
            unit_kwh=unit_kwh, digits=digits, history_days=history_days, speed=speed,
            start=start_instant(start), faults=fault or [], role=role, profile=profile, truth=truth,
            control=control, pulses=pulses, say=say, lang=language(),
        )
    )  # fmt: skip
