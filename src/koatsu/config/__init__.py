"""The files ``koatsu.toml`` and ``desk.toml``: what a person wrote, as frozen values, or what is wrong there.

Every problem of a file is found in one pass and told with file, line, key and what is allowed, in
English and Japanese. Nothing here opens a socket or a database.
"""

from __future__ import annotations

from koatsu.config.desk import DeskConfig, load_desk_config, parse_desk_config
from koatsu.config.desk_model import (
    DESK_PORT,
    DaysConfig,
    DeskStoreConfig,
    DocumentsConfig,
    LinkConfig,
    MailConfig,
    UtilityConfig,
    WebhookConfig,
)
from koatsu.config.load import ConfigFileError, load_config, parse_config
from koatsu.config.model import (
    ONLY_SITE,
    LogConfig,
    MeterConfig,
    NodeConfig,
    PulseConfig,
    SiteConfig,
    StoreConfig,
    WebConfig,
)
from koatsu.config.relations import SITES_MAX
from koatsu.config.rules import METER_CLASSES, ROLES, Address, RuleError
from koatsu.config.tables import Problem
from koatsu.config.whole import Config
from koatsu.config.write import write_config

__all__ = [
    "DESK_PORT",
    "METER_CLASSES",
    "ONLY_SITE",
    "ROLES",
    "SITES_MAX",
    "Address",
    "Config",
    "ConfigFileError",
    "DaysConfig",
    "DeskConfig",
    "DeskStoreConfig",
    "DocumentsConfig",
    "LinkConfig",
    "LogConfig",
    "MailConfig",
    "MeterConfig",
    "NodeConfig",
    "Problem",
    "PulseConfig",
    "RuleError",
    "SiteConfig",
    "StoreConfig",
    "UtilityConfig",
    "WebConfig",
    "WebhookConfig",
    "load_config",
    "load_desk_config",
    "parse_config",
    "parse_desk_config",
    "write_config",
]
