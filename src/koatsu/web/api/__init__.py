"""The API: versioned JSON under ``/api/v1``, described by its own OpenAPI document, tested against it."""

from koatsu.web.answers import API
from koatsu.web.api.routes import api_router

__all__ = ["API", "api_router"]
