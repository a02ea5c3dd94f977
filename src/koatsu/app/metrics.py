"""What ``/metrics`` says of the process itself, beside the site's own: memory, processor time, open files."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, ProcessCollector

from koatsu.web.metrics import VitalsReader, metrics_router, site_registry

__all__ = ["operation_router"]


def operation_router(reader: VitalsReader) -> APIRouter:
    """The route ``/metrics`` of a running program."""
    return metrics_router(site_registry(reader, _process))


def _process(registry: CollectorRegistry) -> None:
    ProcessCollector(registry=registry)
