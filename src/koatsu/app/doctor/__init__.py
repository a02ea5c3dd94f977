"""Why does no data arrive? Looked for as a person would: from the cable to the page, step by step.

Nothing is changed, in the machine or in the store, and the meter is only asked what it may always be asked.
"""

from koatsu.app.doctor.examination import examine
from koatsu.app.doctor.findings import Finding, Step, Verdict, exit_status

__all__ = ["Finding", "Step", "Verdict", "examine", "exit_status"]
