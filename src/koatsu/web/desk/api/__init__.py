"""The desk for programs: versioned JSON under ``/api/v1``, described by its own OpenAPI document."""

from __future__ import annotations

from koatsu.web.desk.api.routes import api_router

__all__ = ["api_router"]
