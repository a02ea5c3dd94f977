"""Documents of what one is given: PDF from templates, Excel and CSV from typed rows.

The package knows nothing of meters or of the desk. What it makes is the same on every machine: fonts come
from a package, the date of making is an argument, and a character that the fonts lack is an error, not a
blank box.
"""

from __future__ import annotations

from koatsu.render.characters import clusters, code_points
from koatsu.render.columns import Cell, Column, ColumnKind
from koatsu.render.csv_file import csv_text, unguarded
from koatsu.render.errors import CellError, MissingGlyph, MissingGlyphError, RenderError, TemplateError
from koatsu.render.pdf import SANS, SERIF, missing_glyphs, pdf
from koatsu.render.sheet import sheet
from koatsu.render.template import Template, folder_files

__all__ = [
    "SANS",
    "SERIF",
    "Cell",
    "CellError",
    "Column",
    "ColumnKind",
    "MissingGlyph",
    "MissingGlyphError",
    "RenderError",
    "Template",
    "TemplateError",
    "clusters",
    "code_points",
    "csv_text",
    "folder_files",
    "missing_glyphs",
    "pdf",
    "sheet",
    "unguarded",
]
