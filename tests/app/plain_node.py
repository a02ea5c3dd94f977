"""A node without any meter: what a home controller or an air conditioner looks like from outside."""

from __future__ import annotations

import asyncio
import sys

from koatsu.echonet import CONTROLLER
from koatsu.node import HostedObject, Node, UdpLink


async def main(address: str) -> None:
    async with Node(await UdpLink.open(address), objects=[HostedObject(CONTROLLER)]):
        sys.stderr.write("ready\n")
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
