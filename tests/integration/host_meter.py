"""Run on one host: an emulated high-voltage meter that answers on the address given."""

from __future__ import annotations

import argparse
import asyncio

from koatsu.clock import SystemClock
from koatsu.emulator.plan import MeterPlan, SitePlan
from koatsu.emulator.site import EmulatedSite
from koatsu.emulator.spec import MeterSpec, class_code
from koatsu.node import UdpLink, load_profile


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--interface", default="")
    parser.add_argument("--class", dest="code", default="028A")
    parser.add_argument("--days", type=int, default=3)
    options = parser.parse_args()
    link = await UdpLink.open(options.address, interface=options.interface)
    spec = MeterSpec(class_code=class_code(options.code), history_days=options.days)
    plan = SitePlan(meters=(MeterPlan(spec=spec),))
    site = EmulatedSite(plan, SystemClock(), [link], profile=load_profile("fast"))
    await site.start()
    print("ready", flush=True)  # noqa: T201 - the test waits for this line
    await site.run()


asyncio.run(main())
