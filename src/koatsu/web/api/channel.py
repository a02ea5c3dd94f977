"""Which channel an address names: found among all sites, or refused."""

from __future__ import annotations

from collections.abc import Iterator

from koatsu.ems.channels import Channel
from koatsu.ems.view_models import MeterHead
from koatsu.meter.registers import Register
from koatsu.web.answers import ApiError
from koatsu.web.site import SiteReader

__all__ = ["channel_of", "heads", "meter_of", "site_of"]

_SHOWN = 40  # signs of a name that does not exist, repeated in its refusal


def heads(reader: SiteReader, site_id: str | None = None) -> Iterator[MeterHead]:
    """The channels of a site, or of all, in the order of the pages."""
    for site in reader.sites():
        if site_id is None or site.id == site_id:
            yield from reader.site(site.id).meters


def channel_of(reader: SiteReader, meter_id: str, register: Register | None = None) -> MeterHead:
    """The channel of an id such as ``main`` or ``main.reverse``; ``register`` chooses the direction too.

    Raises:
        ApiError: there is none (404).
    """
    wanted = meter_id
    if register is not None:
        wanted = Channel(Channel.parse(meter_id).meter_id, register).id
    own = Channel.parse(wanted).meter_id
    for site in reader.sites():
        if own in site.meter_ids:
            for head in reader.site(site.id).meters:
                if head.id == wanted:
                    return head
    raise ApiError(404, "no_meter", meter=wanted[:_SHOWN])


def meter_of(reader: SiteReader, meter_id: str) -> str:
    """The id of a meter that is there.

    Raises:
        ApiError: there is none (404).
    """
    if any(meter_id in site.meter_ids for site in reader.sites()):
        return meter_id
    raise ApiError(404, "no_meter", meter=meter_id[:_SHOWN])


def site_of(reader: SiteReader, site_id: str | None) -> str | None:
    """The id of a site that is there; ``None`` stays ``None``.

    Raises:
        ApiError: there is none (404).
    """
    if site_id is None or any(site.id == site_id for site in reader.sites()):
        return site_id
    raise ApiError(404, "no_site", site=site_id[:_SHOWN])
