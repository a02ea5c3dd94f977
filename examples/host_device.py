"""Host a device: a high-voltage meter with fixed values, on the address given."""

import asyncio
import sys

from koatsu import Eoj, HostedObject, Node, UdpLink


async def main(address: str) -> None:
    meter = HostedObject(
        Eoj(0x028A01),
        {"coefficient": 1200, "energy_digits": 8, "fixed_day": 1, "history_day": 0},
        settable=["history_day"],
    )
    async with Node(await UdpLink.open(address), objects=[meter]):
        print(f"a meter answers on {address}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.2"))
