"""What is said where a step cannot be taken at all: by whoever asks, or from where the case is."""

from __future__ import annotations

from koatsu.desk.errors import ForbiddenError, NoStepError
from koatsu.desk.lifecycle import Event, steps_from
from koatsu.desk.models import Case
from koatsu.desk.states import STATE_WORDS
from koatsu.desk.words import Words

__all__ = ["forbidden", "no_step"]


def forbidden() -> ForbiddenError:
    """Whoever acts has not the role for it."""
    return ForbiddenError(
        Words("この操作はあなたの役割ではできません。", "Your role may not do this."),
        Words("責任者に依頼してください。", "Ask a supervisor."),
    )


def no_step(found: Case, what: Event) -> NoStepError:
    """There is no such step from where the case is; the hint says which there is."""
    state = STATE_WORDS[found.state]
    steps = [step for step in steps_from(found.state) if step.who and step.main]
    then = steps[0].button if steps else Words("経過", "the history")
    return NoStepError(
        Words(
            f"案件 {found.number} はいま「{state.ja}」なので、この操作({what})はできません。",
            f"Case {found.number} is “{state.en}” now; {what} is no step from there.",
        ),
        Words(f"いまできること:{then.ja}。", f"What can be done: {then.en}."),
    )
