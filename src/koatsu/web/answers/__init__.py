"""What the JSON interfaces of both programs are made of: shapes, refusals, the OpenAPI document."""

from __future__ import annotations

from koatsu.web.answers.description import described
from koatsu.web.answers.errors import API, ApiError, ApiRoute, refusal
from koatsu.web.answers.shapes import Error, ErrorBody, Instant, Shape

__all__ = ["API", "ApiError", "ApiRoute", "Error", "ErrorBody", "Instant", "Shape", "described", "refusal"]
