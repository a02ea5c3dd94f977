"""The whole examination: every step in its order, each only where what it needs is well."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from koatsu.app.doctor.findings import NEEDS, Finding, Step, Verdict
from koatsu.app.doctor.health import Health, ask_health
from koatsu.app.doctor.machine import Machine
from koatsu.app.doctor.questions import Questions
from koatsu.app.doctor.wire import Case, Wire
from koatsu.app.holding import holder_of
from koatsu.clock import Clock, SystemClock
from koatsu.config import Config, load_config
from koatsu.errors import ConfigError
from koatsu.node import Peer, load_profile, profile_names

__all__ = ["examine"]

_Check = Callable[[], Awaitable[Finding]]
_PATIENT: Final = "hv-assumed"  #: the habits of a terminal about which nothing is known


async def examine(
    config_path: Path | None,
    address: str | None = None,
    *,
    profile: str | None = None,
    source: str | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Finding]:
    """Find out why no data arrives, from the cable on; findings come as they are made.

    Args:
        config_path: the configuration to check; ``None`` looks at ``address`` alone.
        address: only the meters at this terminal; all of the configuration's when not given.
        profile: how long to wait for answers, by the name of a link profile; the meter's own by default.
        source: our own address; the configuration or the route decides when not given.
        clock: our time.

    Raises:
        UsageError: ``address`` is no address, or there is no such link profile.
    """
    peer = Peer.parse(address) if address is not None else None
    chosen = load_profile(profile) if profile else None
    clock = clock or SystemClock()
    rounds = _Rounds()
    config: Config | None = None
    if config_path is not None:
        try:
            config = load_config(config_path, profiles=profile_names())
        except ConfigError as error:
            yield rounds.keep(Finding.of_error(Step.CONFIG, error))
        else:
            yield rounds.keep(_read(config_path, config))
    health = await ask_health(config.web) if config else None
    for case in _cases(config, peer):
        if chosen is not None or source is not None:
            case = _with(case, chosen or case.profile, source or case.source)  # noqa: PLW2901 - the same case
        async for finding in _meter(rounds, case, health, clock):
            yield finding
    if config is None:
        if config_path is not None:
            for step in (Step.CABLE, Step.STORE, Step.DISK, Step.PAGE):
                yield rounds.blocked(step)
        return
    machine = Machine(config, health)
    for step, check in (
        (Step.STORE, machine.store),
        (Step.INTEGRITY, machine.integrity),
        (Step.DISK, machine.disk),
    ):
        yield await rounds.check(step, check)
    if rounds.cause(Step.AGE) is not None:
        yield rounds.blocked(Step.AGE)
    else:
        only = frozenset(case.name for case in _cases(config, peer)) if peer else None
        for finding in await machine.ages(clock.now(), only):
            yield finding
    yield await rounds.check(Step.PAGE, machine.page)


async def _meter(rounds: _Rounds, case: Case, health: Health | None, clock: Clock) -> AsyncIterator[Finding]:
    """Everything about one meter, from the cable to yesterday's history."""
    questions = Questions(case, holder_of(case.peer), health, clock)
    wire = Wire(case, questions.answers)
    checks: tuple[tuple[Step, _Check], ...] = (
        (Step.CABLE, wire.cable),
        (Step.ADDRESS, wire.address),
        (Step.ROUTE, wire.route),
        (Step.NEIGHBOUR, wire.neighbour),
        (Step.PORT, questions.port),
        (Step.ANSWER, questions.answer),
        (Step.CLASS, questions.meter_class),
        (Step.NAMEPLATE, questions.nameplate),
        (Step.CLOCK, questions.clock),
        (Step.DATA, questions.data),
    )
    try:
        for step, check in checks:
            yield await rounds.check(step, check, meter=case.name)
    finally:
        await questions.close()


class _Rounds:
    """What has been found so far, and therefore what can still be checked."""

    def __init__(self) -> None:
        self._found: dict[tuple[Step, str | None], Finding] = {}

    def keep(self, finding: Finding, step: Step | None = None, meter: str | None = None) -> Finding:
        self._found[step or finding.step, meter or finding.meter] = finding
        return finding

    def cause(self, step: Step, meter: str | None = None) -> Finding | None:
        """The finding that keeps a step from being checked: the first thing to mend."""
        for need in NEEDS.get(step, ()):
            found = self._found.get((need, meter)) or self._found.get((need, None))
            if found is not None and found.verdict is Verdict.WANTING:
                return found
            deeper = self.cause(need, meter)
            if deeper is not None:
                return deeper
        return None

    def blocked(self, step: Step, meter: str | None = None) -> Finding:
        cause = self.cause(step, meter)
        assert cause is not None
        return self.keep(Finding.because_of(step, cause, meter=meter), step, meter)

    async def check(self, step: Step, check: _Check, *, meter: str | None = None) -> Finding:
        """The finding of a step, checked or not."""
        if self.cause(step, meter) is not None:
            return self.blocked(step, meter)
        return self.keep(await check(), step, meter)


def _cases(config: Config | None, peer: Peer | None) -> list[Case]:
    cases = []
    if config is not None:
        for meter in config.meters:
            there = Peer(*meter.address)
            if peer is None or there == peer:
                cases.append(
                    Case(
                        name=meter.id,
                        peer=there,
                        profile=load_profile(meter.profile),
                        class_code=meter.class_number,
                        instance=meter.instance,
                        source=str(config.node.address) if config.node.address else None,
                        interface=config.node.interface or "",
                    )
                )
    if not cases and peer is not None:
        cases.append(Case(name=peer.address, peer=peer, profile=load_profile(_PATIENT)))
    return cases


def _with(case: Case, profile: object, source: str | None) -> Case:
    from dataclasses import replace

    return replace(case, profile=profile, source=source)  # type: ignore[arg-type] # a LinkProfile


def _read(path: Path, config: Config) -> Finding:
    count = len(config.meters)
    return Finding.ok(
        Step.CONFIG, f"{path} is well formed; meters: {count}.",
        f"{path} は正しく読めます(メーター {count} 台)。", meters=count,
    )  # fmt: skip
