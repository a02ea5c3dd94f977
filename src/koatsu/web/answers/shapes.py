"""What every shape of an API has: it is frozen, knows its fields, and writes times with +09:00."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from koatsu.clock import JST

__all__ = ["Error", "ErrorBody", "Instant", "Shape"]

Instant = Annotated[
    datetime,
    PlainSerializer(lambda at: at.astimezone(JST).isoformat(), return_type=str),
    Field(description="ISO 8601 with +09:00"),
]


class Shape(BaseModel):
    """A part of an answer or of what is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ErrorBody(Shape):
    """What went wrong: a code for programs, a sentence in each language for people."""

    code: str = Field(examples=["invalid"])
    ja: str
    en: str


class Error(Shape):
    """Every answer that is not a success."""

    error: ErrorBody
