"""The demo: an emulated factory with a buying and a selling meter, and the EMS that reads them.

They meet over real datagrams on the loopback network: the EMS on 127.0.0.1, the meters on the two addresses
after it. Nothing is handed over behind the wire.
"""

from __future__ import annotations

import ipaddress
import tempfile
from contextlib import AsyncExitStack
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from koatsu.app.logs import start_logs
from koatsu.app.serving import Say, run_ems
from koatsu.clock import JST, ScaledClock
from koatsu.config import (
    Address,
    Config,
    MeterConfig,
    NodeConfig,
    PulseConfig,
    SiteConfig,
    StoreConfig,
    WebConfig,
)
from koatsu.emulator.calendar import DayKind, day_kind
from koatsu.emulator.run import EmulatorOptions, open_emulator
from koatsu.errors import UsageError

__all__ = ["demo", "demo_config", "demo_start"]

SCENARIO: Final = "factory-solar"
_HOUR_FROM, _HOUR_TO = 9, 17  # a factory worth watching
_PULSES_UP_TO: Final = 600.0  # times as fast: beyond, a pulse of the clock comes too late to mean anything


async def demo(
    *,
    address: str,
    port: int,
    seed: int,
    speed: float,
    start: datetime | None,
    history_days: int,
    control: str,
    store: Path | None,
    say: Say,
    lang: str,
) -> None:
    """Run until stopped.

    Args:
        address: of the EMS on the loopback network; the meters take the two after it.
        port: of the page.
        seed: of the site.
        speed: emulated seconds in a real one.
        start: emulated time to begin at; chosen by :func:`demo_start` when not given.
        history_days: full days that the meters hold.
        control: where the meters' control page listens.
        store: where readings are kept; thrown away at the end when not given.
        say: tells a person what is where.
        lang: "ja" or "en".

    Raises:
        UsageError: the address is not of the loopback network.
        UnreachableError: an address or port is taken.
    """
    start_logs(lang=lang)
    own, first, second = _addresses(address)
    clock = ScaledClock(start or demo_start(datetime.now(JST)), speed)
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="koatsu-demo-")))
        pulses = str(folder / "pulses") if speed <= _PULSES_UP_TO else None
        options = EmulatorOptions(
            listen=first,
            scenario=SCENARIO,
            seed=seed,
            speed=speed,
            history_days=history_days,
            control=control,
            pulses=pulses,
        )
        await stack.enter_async_context(open_emulator(options, clock=clock))
        ja = lang == "ja"
        say(f"メータ: {first} と {second} (ECHONET Lite, UDP 3610)" if ja
            else f"Meters: {first} and {second} (ECHONET Lite, UDP port 3610)")  # fmt: skip
        say(f"メータの操作画面: http://{control}/" if ja else f"Control the meters: http://{control}/")
        config = demo_config(store or folder / "koatsu.db", port, own, first, second, pulses)
        await run_ems(config, clock=clock, say=say, lang=lang, demo=True)


def demo_config(
    store: Path, port: int, own: str, first: str, second: str, pulses: str | None = None
) -> Config:
    """The configuration of the demo: what a person would have written for this site.

    ``pulses`` is the socket of the buying meter's pulse service, where it has one.
    """
    return Config(
        sites=(SiteConfig(name="デモ工場", contract_kw=Decimal(360), target_kw=Decimal(340)),),
        store=StoreConfig(path=str(store)),
        web=WebConfig(port=port),
        node=NodeConfig(address=Address(own)),
        meters=(
            MeterConfig(id="buy", label="買電", address=Address(first), role="buy", profile="fast"),
            MeterConfig(id="sell", label="売電", address=Address(second), role="sell", profile="fast"),
        ),
        pulses=(PulseConfig(meter="buy", source=pulses),) if pulses else (),
    )


def demo_start(now: datetime) -> datetime:
    """Now while a factory works; otherwise the afternoon of the last working day: more to see."""
    if _works(now.date()) and _HOUR_FROM <= now.hour < _HOUR_TO:
        return now
    day = now.date() if now.hour >= _HOUR_TO else now.date() - timedelta(days=1)
    while not _works(day):
        day -= timedelta(days=1)
    return datetime(day.year, day.month, day.day, 16, 41, 20, tzinfo=JST)


def _addresses(own: str) -> tuple[str, str, str]:
    """The EMS's address and the two after it.

    Raises:
        UsageError: they are not all on the loopback network.
    """
    three: tuple[ipaddress.IPv4Address, ...]
    try:
        first = ipaddress.IPv4Address(own)
        three = (first, first + 1, first + 2)
    except ValueError:
        three = ()
    if not three or not all(one.is_loopback for one in three):
        raise UsageError(
            f"The demo stays on this machine: {own!r} is not an address of 127.0.0.0/8.",
            ja=f"デモはこの機械の中だけで動きます。{own!r} は 127.0.0.0/8 のアドレスではありません。",
            hint="Write 127.0.0.1 or, where that is taken, 127.0.1.1.",
            hint_ja="127.0.0.1、使用中なら 127.0.1.1 のように書いてください。",
        )
    return str(three[0]), str(three[1]), str(three[2])


def _works(day: date) -> bool:
    return day_kind(day) is DayKind.WORKDAY
