"""The pages of the desk are tested over the small utility that the tests of the desk itself use."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "desk"))
