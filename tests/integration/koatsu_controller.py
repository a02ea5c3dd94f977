"""Run on one host: our controller reads the meter at the address given; prints JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from koatsu.app.access import find_meter
from koatsu.app.exploring import values_of
from koatsu.ems.collector.link import MeterLink
from koatsu.meter import Reading
from koatsu.node import Node, Peer, RemoteObject, UdpLink, discover, load_profile


async def main(own: str, meter: str, interface: str = "") -> dict[str, Any]:
    profile = load_profile("fast")
    peer = Peer.parse(meter)
    async with Node(await UdpLink.open(own, interface=interface), profile) as node:
        found = await discover(node, wait_s=1.5)
        link = MeterLink(RemoteObject(node, peer, await find_meter(node, peer)), profile)
        reading = await values_of(link, [])
        plate = await link.open()
        days = [day async for day in link.days([1])]
    return {
        "found": {str(one.peer): [str(item.eoj) for item in one.objects] for one in found},
        "values": {f"{one.name}.{one.part}": [one.value, one.unit, one.count] for one in reading.values},
        "serial": plate.serial,
        "factor": str(plate.energy_scale.factor),
        "day": str(days[0].day),
        "problem": str(days[0].problem),
        "counts": [
            one.count for one in days[0].measured if isinstance(one, Reading) and one.register == "energy"
        ],
    }


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))  # noqa: T201 - the test reads it
