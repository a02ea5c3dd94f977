"""The demo of the desk: a utility that does not exist, people whose password is known, two meters to ask.

The page is on this machine alone. The meters are emulated ones behind terminals on the loopback network, so
the connection check asks over real datagrams.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from secrets import token_urlsafe
from typing import Final

from koatsu.app.desk import Say, run_desk
from koatsu.app.desk_place import Place
from koatsu.app.logs import start_logs
from koatsu.clock import Clock, SystemClock
from koatsu.config import (
    DESK_PORT,
    Address,
    DeskConfig,
    DeskStoreConfig,
    LinkConfig,
    UtilityConfig,
    WebConfig,
)
from koatsu.desk.sample import sample_people, sample_settings
from koatsu.emulator.run import EmulatorOptions, open_emulator
from koatsu.node import LinkError
from koatsu.people import CONSOLE, Hashing, People, Role
from koatsu.web.program import DemoLogin

__all__ = ["PASSWORD", "demo_config", "logins", "put_people", "run_demo"]

PASSWORD: Final = "hibari-no-asa-29"  # noqa: S105 - of people who do not exist, on this machine alone
_QUICK: Final = Hashing(passes=1, memory_kib=1024, lanes=1)  # a known password needs no protection
_ADDRESSES: Final = range(40, 120)  #: last numbers of 127.0.0.x that are tried for a terminal
_HISTORY_DAYS: Final = 2


async def run_demo(
    place: Place, *, port: int | None, say: Say, lang: str, clock: Clock | None = None
) -> None:
    """Run the demo until SIGINT or SIGTERM.

    Args:
        place: its filled store.
        port: of the page; 8029 when not given.
        say: tells a person what is where, and the password.
        lang: "ja" or "en".
        clock: our time.

    Raises:
        UnreachableError: the port cannot be had.
        UsageError: another program serves this store.
    """
    clock = clock or SystemClock()
    put_people(str(place.store), clock)
    start_logs(lang=lang)
    async with AsyncExitStack() as stack:
        links: list[LinkConfig] = []
        for point in (place.checked, *place.free[:1]):
            address = await _terminal(stack, len(links)) if point else None
            if address is not None:
                links.append(LinkConfig(supply_point=point, address=Address(address), profile="fast"))
        config = demo_config(place, port or DESK_PORT, tuple(links))
        for sentence in _sentences(place, config, lang):
            say(sentence)
        await run_desk(config, clock=clock, say=say, lang=lang, demo=logins())


def demo_config(place: Place, port: int, links: tuple[LinkConfig, ...]) -> DeskConfig:
    """What a person at that utility would have written."""
    settings = sample_settings()
    return DeskConfig(
        utility=UtilityConfig(
            name=settings.utility.ja,
            name_en=settings.utility.en,
            area_prefixes=settings.area_prefixes,
            case_prefix=settings.case_prefix,
            online=settings.online,
            self_supply_office=settings.self_supply_office,
            site_url=f"http://127.0.0.1:{port}",
        ),
        store=DeskStoreConfig(path=str(place.store), key=str(place.key)),
        web=WebConfig(port=port),
        links=links,
    )


def logins() -> list[DemoLogin]:
    """Who can log in: one person for each role."""
    return [
        DemoLogin(role=one.role, name=one.name, password=PASSWORD) for one in sample_people() if one.shown
    ]


def put_people(store: str, clock: Clock) -> None:
    """The people of the sample, with the numbers by which its events know them; there already: left alone.

    Those who are shown on the login page have the known password, the others one that nobody knows.
    """
    with People.open(store, clock=clock, hashing=_QUICK) as people:
        if people.has_owner():
            return
        for one in sample_people():
            password = PASSWORD if one.shown else token_urlsafe(24)
            if one.role is Role.OWNER:
                people.create_owner(one.name, password, author=CONSOLE.reference)
            else:
                people.add(CONSOLE, one.name, one.role, password)


async def _terminal(stack: AsyncExitStack, number: int) -> str | None:
    """The address of an emulated meter behind its terminal; ``None``: no address is free."""
    for last in _ADDRESSES:
        address = f"127.0.0.{last}"
        options = EmulatorOptions(listen=address, seed=28 + number, history_days=_HISTORY_DAYS)
        try:
            await stack.enter_async_context(open_emulator(options))
        except LinkError:
            continue  # another demo has it
        return address
    return None


def _sentences(place: Place, config: DeskConfig, lang: str) -> list[str]:
    """What a person needs to know before the page is open."""
    ja = lang == "ja"
    said = [
        f"架空の事業者の見本です。案件 {place.cases:,} 件。" if ja
        else f"A utility that does not exist, with {place.cases:,} cases.",
        f"パスワードは全員 {PASSWORD} です。ログイン画面から役割を選べます。" if ja
        else f"Everybody's password is {PASSWORD}; the login page offers one person for each role.",
    ]  # fmt: skip
    if place.free:
        said.append(
            f"申込を試すときの供給地点特定番号: {place.free[0]}" if ja
            else f"A supply point number to apply with: {place.free[0]}"
        )  # fmt: skip
    if config.links:
        where = ", ".join(str(link.address) for link in config.links)
        said.append(
            f"接続確認で問い合わせできる計器: {where}" if ja
            else f"Meters that the connection check can ask: {where}"
        )  # fmt: skip
    return said
