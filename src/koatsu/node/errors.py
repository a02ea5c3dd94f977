"""What can go wrong between two nodes, mapped from the operating system's errors at the edge."""

from __future__ import annotations

from typing import Self

from koatsu.errors import UnreachableError

__all__ = ["LinkError", "NoAnswerError", "RefusedError"]


class LinkError(UnreachableError):
    """The socket cannot be opened: port taken, address not ours, no permission, no such interface."""


class NoAnswerError(UnreachableError, TimeoutError):
    """No answer came in time, all tries included."""

    @classmethod
    def of(cls, address: object, service: object, waited_s: float) -> Self:
        """The error of one exchange: who was asked for which service, and how long we waited, seconds."""
        return cls(
            f"{address} does not answer: waited {waited_s:.1f} s for {service}.",
            ja=f"{address} が応答しません({waited_s:.1f} 秒待ちました)。",
            hint="Check cable, address and power; then: koatsu discover",
            hint_ja="ケーブル、アドレス、電源を確かめてから koatsu discover を実行してください。",
        )


class RefusedError(UnreachableError):
    """The other node answered, and refused what was asked."""
