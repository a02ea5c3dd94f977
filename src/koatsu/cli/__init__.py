"""The command line: it parses, calls ``koatsu.app`` and prints. Nothing is decided here.

Exit status: 0 done, 1 found wanting, 2 wrong use, 3 could not reach.
"""

from koatsu.cli.main import app, main

__all__ = ["app", "main"]
