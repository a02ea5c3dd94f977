"""Run on one host: pychonet as the controller reads the meter at the address given; prints JSON."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from pychonet import EchonetInstance
from pychonet.echonetapiclient import ECHONETAPIClient
from pychonet.lib.udpserver import UDPServer


async def main(own: str, meter: str) -> dict[str, Any]:
    server = UDPServer(local_ip=own)
    server.run("0.0.0.0", 3610, loop=asyncio.get_running_loop())
    client = ECHONETAPIClient(server)
    client._logger = lambda *_: None
    discovered = await client.discover(meter)
    state = client._state[meter]
    await client.getAllPropertyMaps(meter, 0x02, 0x8A, 0x01)
    instance = EchonetInstance(meter, 0x02, 0x8A, 0x01, client)
    maps = state["instances"][0x02][0x8A][0x01]
    raw: dict[str, str] = {}
    for epc in (0xD3, 0xD4, 0xE5, 0xE6, 0xC5, 0xE0, 0xE2, 0xE3, 0xC1, 0xC3):
        answer = await instance.getMessage(epc)
        raw[f"{epc:02X}"] = answer.hex() if isinstance(answer, bytes) else repr(answer)
    was_set = await instance.setMessage(0xE1, 1)
    history = await instance.getMessage(0xE7)
    refused = await instance.setMessage(0xE1, 100)
    result = {
        "discovered": bool(discovered),
        "instances": sorted(f"{gc:02X}{cc:02X}{ci:02X}" for gc, classes in state["instances"].items()
                            for cc, numbers in classes.items() for ci in numbers),
        "get_map": sorted(maps[0x9F]),
        "set_map": sorted(maps[0x9E]),
        "announce_map": sorted(maps[0x9D]),
        "raw": raw,
        "was_set": was_set,
        "history": history.hex() if isinstance(history, bytes) else repr(history),
        "refused": refused,
    }  # fmt: skip
    server.close()
    return result


print(json.dumps(asyncio.run(main(*sys.argv[1:]))))  # noqa: T201 - the test reads it
