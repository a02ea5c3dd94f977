"""The configuration file ``koatsu.toml``: what a person wrote, as frozen values, or what is wrong with it.

Every problem of a file is found in one pass and told with file, line, key and what is allowed, in
English and Japanese. Nothing here opens a socket or a database.
"""

from __future__ import annotations

from koatsu.config.load import ConfigFileError, Problem, load_config, parse_config
from koatsu.config.model import Config, MeterConfig, NodeConfig, SiteConfig, WebConfig
from koatsu.config.rules import METER_CLASSES, ROLES, Address, RuleError
from koatsu.config.write import write_config

__all__ = [
    "METER_CLASSES",
    "ROLES",
    "Address",
    "Config",
    "ConfigFileError",
    "MeterConfig",
    "NodeConfig",
    "Problem",
    "RuleError",
    "SiteConfig",
    "WebConfig",
    "load_config",
    "parse_config",
    "write_config",
]
