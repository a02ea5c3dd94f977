"""An object of another node, by the names of its class table.

It splits reads by what the link profile allows in one request, remembers which properties the other side
offers (its Get map), and turns bytes into typed values. Scales are not applied here: see ``koatsu.meter``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from koatsu.devices import DeviceClass, Value, device_class
from koatsu.echonet import DecodeError, Eoj
from koatsu.node.answers import Answer
from koatsu.node.errors import RefusedError
from koatsu.node.link import Peer
from koatsu.node.node import Node

__all__ = ["RemoteObject"]


class RemoteObject:
    """One object of another node.

    Args:
        node: our node.
        peer: where it is.
        eoj: which object.
    """

    def __init__(self, node: Node, peer: Peer, eoj: Eoj, *, device: DeviceClass | None = None) -> None:
        self.node = node
        self.peer = peer
        self.eoj = eoj
        self.device = device or device_class(eoj.class_code)
        self.selecting = (
            asyncio.Lock()
        )  #: held from a selector's Set to the end of the Get that depends on it
        self.last_answer: Answer | None = None
        self._offered: frozenset[int] | None = None

    async def offered(self) -> frozenset[int]:
        """The property codes that can be read, from the object's own Get map; asked for once.

        Raises:
            NoAnswerError: no answer.
            RefusedError: the map is refused or is no map.
        """
        if self._offered is None:
            value = (await self.read("get_map")).get("get_map")
            if not isinstance(value, frozenset):
                raise RefusedError(
                    f"{self.peer} does not say which properties {self.eoj} has.",
                    ja=f"{self.peer} の {self.eoj} がプロパティの一覧を返しません。",
                    hint="Check that the object exists: koatsu discover",
                    hint_ja="koatsu discover で対象があるか確かめてください。",
                )
            self._offered = value
        return self._offered

    async def offers(self, name: str) -> bool:
        """Whether property ``name`` is in the Get map."""
        return self.device.property(name).epc in await self.offered()

    def forget(self) -> None:
        """Ask for the Get map again next time: the meter behind the terminal may have been replaced."""
        self._offered = None

    async def read(self, *names: str) -> dict[str, Value]:
        """Typed values of the properties that were answered; a refused one is simply absent.

        Raises:
            NoAnswerError: no answer to one of the requests.
            DecodeError: a value is not what the class table says.
        """
        values: dict[str, Value] = {}
        for answer in await self.read_raw(*names):
            for epc, edt in answer.values.items():
                definition = self.device.property(epc)
                try:
                    values[definition.name] = definition.decode(edt)
                except DecodeError as error:
                    error.add_note(f"{self.peer} {self.eoj} {definition.name}")
                    raise
        return values

    async def read_raw(self, *names: str) -> list[Answer]:
        """The answers as bytes, in as few requests as the link profile allows."""
        epcs = list(dict.fromkeys(self.device.property(name).epc for name in names))
        size = self.node.profile_of(self.peer).max_properties
        large = {p.epc for p in self.device.properties if (p.max_size or 0) > 100}
        return [await self.once(part) for part in _batches(epcs, size, large)]

    async def once(self, epcs: Sequence[int]) -> Answer:
        """The answer to one request for these property codes, however long it may get.

        Raises:
            NoAnswerError: no answer.
        """
        self.last_answer = await self.node.get(self.peer, self.eoj, epcs)
        return self.last_answer

    async def write(self, **values: Value) -> None:
        """Set properties by name and wait for the receipt.

        Raises:
            NoAnswerError: no receipt.
            RefusedError: the other side refused one of them.
            ValueError: a value does not fit its property.
        """
        properties = [
            (definition.epc, definition.encode(value))
            for definition, value in ((self.device.property(name), value) for name, value in values.items())
        ]
        self.last_answer = await self.node.set(self.peer, self.eoj, properties)
        if self.last_answer.refused:
            names = ", ".join(self.device.property(epc).name for epc in self.last_answer.refused)
            raise RefusedError(
                f"{self.peer} {self.eoj} refuses to set {names}.",
                ja=f"{self.peer} の {self.eoj} は {names} の設定を拒否しました。",
            )


def _batches(epcs: list[int], size: int, large: Iterable[int]) -> list[list[int]]:
    """Cut ``epcs`` into requests of at most ``size``; a day history travels alone, as answers stay small."""
    alone = set(large)
    small = [epc for epc in epcs if epc not in alone]
    parts = [small[at : at + size] for at in range(0, len(small), size)]
    return parts + [[epc] for epc in epcs if epc in alone]
