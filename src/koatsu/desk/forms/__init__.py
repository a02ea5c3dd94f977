"""The forms of the service on paper: application and end, filled in or blank, from replaceable templates."""

from __future__ import annotations

from koatsu.desk.forms.charges import amounts_in, refuse_amounts
from koatsu.desk.forms.content import CONTENT_WORDS, FormContent, FormKind
from koatsu.desk.forms.folder import templates_of
from koatsu.desk.forms.printing import FORM_WORDS, Forms

__all__ = [
    "CONTENT_WORDS",
    "FORM_WORDS",
    "FormContent",
    "FormKind",
    "Forms",
    "amounts_in",
    "refuse_amounts",
    "templates_of",
]
