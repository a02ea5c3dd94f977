"""What went wrong inside a task group: the one error that a person should be told, out of nested groups."""

from __future__ import annotations

from collections.abc import Iterator

from koatsu.errors import KoatsuError

__all__ = ["cause_of"]


def cause_of(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The error behind a group: a fault of the program before an error with a sentence of its own."""
    leaves = list(_leaves(group))
    return next((leaf for leaf in leaves if not isinstance(leaf, KoatsuError)), leaves[0])


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from _leaves(one)
        else:
            yield one
