"""Read a meter: the address of its terminal is the one argument."""

import asyncio
import sys

import koatsu


async def main(address: str) -> None:
    async with koatsu.open_meter(address) as meter:
        for value in await meter.read("energy_now", "energy_slot", "demand_slot"):
            print(value)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "127.0.0.2"))
