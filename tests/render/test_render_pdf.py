"""PDF from templates: text found back, missing glyphs refused, no text is a command, no file is read."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from koatsu.render import MissingGlyphError, Template, TemplateError, missing_glyphs, pdf
from koatsu.render.characters import clusters, code_points, unseen
from paper import fonts_of, pages_of, reader_of, squeezed, text_of

MADE = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)
TEMPLATE = """#set document(title: "試し")
#set text(font: ("Noto Sans JP", "Noto Serif JP"), lang: "ja")
#let data = json(bytes(sys.inputs.data))
#data.name
"""


def printed(name: str) -> bytes:
    return pdf(TEMPLATE, {"name": name}, made=MADE)


# --- what comes out -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "山田太郎",
        "\N{CJK UNIFIED IDEOGRAPH-20BB7}野家",  # the 吉 that lies beyond the basic plane
        "髙﨑 ㈱ ①",
        "葛\U000e0100城",  # a variation sequence that the font has
        "神\U000e01ef田",  # one that it has not: the base glyph
        "神\ufe00",
        "神",  # a compatibility ideograph, which must not become 神
        "か\u3099き\u3099",
        "ĆĖĠ",  # drawn in two pieces each
        "ﾊﾝｶｸ",
        "#panic() $x$ *b* _i_ `c` @ref <l> \\ // /* 「」",
    ],
)
def test_text_is_found_back(name: str) -> None:
    assert text_of(printed(name)) == squeezed(name)


def test_the_file_is_archival_and_holds_its_fonts() -> None:
    content = printed("山田")
    assert fonts_of(content) == {"NotoSansJP-Regular": True}
    assert pages_of(content) == 1
    xmp = reader_of(content).xmp_metadata
    assert xmp is not None
    assert (xmp.pdfaid_part, xmp.pdfaid_conformance) == ("2", "A")


def test_date_and_bytes_depend_on_arguments_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    first = printed("山田")
    monkeypatch.setenv("TZ", "America/New_York")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    assert printed("山田") == first
    metadata = reader_of(first).metadata
    assert metadata is not None
    assert metadata.creation_date == MADE
    assert pdf(TEMPLATE, {"name": "山田"}, made=MADE.replace(year=2027)) != first


def test_a_date_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without zone"):
        pdf(TEMPLATE, {"name": ""}, made=datetime(2026, 4, 1))  # noqa: DTZ001 - the mistake that is refused


def test_line_ends_and_tabs_are_made_alike() -> None:
    template = TEMPLATE + '#data.name.clusters().map(str.to-unicode).map(str).join("/")'
    assert text_of(pdf(template, {"name": "a\tb\r\nc\rd"}, made=MADE)).endswith("97/32/98/10/99/10/100")


def test_data_of_every_kind_arrives() -> None:
    template = (
        TEMPLATE + '#data.n #data.yes #data.none #data.rows.map(r => r.label).join("+") #data.twice.at(1)'
    )
    data = {
        "name": "x",
        "n": 7,
        "yes": True,
        "none": None,
        "rows": [{"label": "一"}, {"label": "二"}],
        "twice": (1, 2),
    }
    assert text_of(pdf(template, data, made=MADE)) == "x7true一+二2"


def test_what_json_does_not_know_is_an_error_of_the_program() -> None:
    with pytest.raises(TypeError):
        pdf(TEMPLATE, {"name": MADE}, made=MADE)


# --- characters that cannot be printed ------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        "😀",
        "\u0378",  # not assigned
        "\ue000",  # private use: a gaiji of somebody's own
        "\ud842",  # half of a surrogate pair
        "\x00",
        "\x1b",
        "\u200b",  # zero width
        "\u202e",  # turns the line round
        "\u3164",  # a letter that is blank
        "\u2028",
        "ค",
        "\U0002ebf0",  # kanji newer than the font
    ],
)
def test_missing_glyph_is_named_with_its_place(bad: str) -> None:
    with pytest.raises(MissingGlyphError) as caught:
        pdf(TEMPLATE, {"name": "山田", "rows": [{"note": ""}, {"note": f"前{bad}後"}]}, made=MADE)
    [missing] = caught.value.missing
    assert (missing.text, missing.field, missing.code) == (bad, "rows[1].note", f"U+{ord(bad):04X}")
    for lang in ("ja", "en"):
        assert missing.code in caught.value.text(lang)
        assert "rows[1].note" in caught.value.text(lang)
        caught.value.text(
            lang
        ).encode()  # half a character in the sentence would break the page that shows it


def test_a_selector_with_nothing_to_select_is_refused() -> None:
    assert missing_glyphs("\U000e0100葛") == ("\U000e0100",)
    assert missing_glyphs("葛 \U000e0100") == ("\U000e0100",)
    assert missing_glyphs("葛\U000e0100") == ()


def test_fields_get_the_names_that_people_use_and_long_lists_end() -> None:
    many = "😀😁😂😃😄😅😆"
    with pytest.raises(MissingGlyphError) as caught:
        pdf(TEMPLATE, {"name": many}, made=MADE, names={"name": ("お客さま名", "customer name")})
    assert len(caught.value.missing) == len(many)
    assert "「お客さま名」の 😀 (U+1F600)" in caught.value.text("ja")
    assert "ほか2字" in caught.value.text("ja")
    assert "😀 (U+1F600) in customer name" in caught.value.text("en")
    assert "and 2 more" in caught.value.text("en")


def test_a_character_is_named_once_a_field() -> None:
    with pytest.raises(MissingGlyphError) as caught:
        pdf(TEMPLATE, {"name": "😀山😀田😀", "other": "😀"}, made=MADE)
    assert [(one.text, one.field) for one in caught.value.missing] == [("😀", "name"), ("😀", "other")]


def test_asking_before_printing() -> None:
    assert missing_glyphs("山田 葛\U000e0100\r\n\t𠮷") == ()
    assert missing_glyphs("山😀田\u202e") == ("\u202e",)  # what nobody sees comes first
    assert missing_glyphs("山😀田ค😀") == ("😀", "ค")


def test_clusters_hold_marks_and_selectors() -> None:
    assert clusters("葛\U000e0100か\u3099a") == ["葛\U000e0100", "か\u3099", "a"]
    assert code_points("葛\U000e0100") == "U+845B U+E0100"
    assert unseen("山\n田") == ()


ANY = st.text(st.characters(), max_size=24)
LIKELY = st.text(st.characters(max_codepoint=0x9FFF, categories=["L", "M", "N", "P", "S", "Zs"]), max_size=24)


@settings(max_examples=60)
@given(name=ANY | LIKELY)
@example(name="\U000e0100")
@example(name="か\u3099\u3099")
@example(name=" \u0301")
def test_any_text_is_found_back_or_refused_by_name(name: str) -> None:
    try:
        content, missing = printed(name), None
    except MissingGlyphError as error:
        content, missing = b"", error.missing
    if missing is None:
        assert text_of(content) == squeezed(name)
        assert not any(unicodedata.category(one) in ("Cf", "Cs", "Co", "Cn") for one in name)
    else:
        assert missing
        assert all(one.text and one.text in name for one in missing)


# --- templates ------------------------------------------------------------------------------------------


def test_a_template_file_may_import_what_stands_beside_it(tmp_path: Path) -> None:
    (tmp_path / "letter.typ").write_text(
        TEMPLATE + '#import "parts.typ": greeting\n#greeting #image("mark.svg", alt: "印")'
    )
    (tmp_path / "parts.typ").write_text("#let greeting = [敬具]")
    (tmp_path / "mark.svg").write_text(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>'
    )
    (tmp_path / "notes.txt").write_text("not read")
    template = Template.read(tmp_path / "letter.typ")
    assert set(template.files) == {"letter.typ", "parts.typ", "mark.svg"}
    assert text_of(pdf(template, {"name": "山田"}, made=MADE)) == "山田敬具"
    assert pdf(tmp_path / "letter.typ", {"name": "山田"}, made=MADE) == pdf(
        template, {"name": "山田"}, made=MADE
    )


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("ok\n#let x = (\n", 2, "unclosed delimiter"),
        (TEMPLATE + "#data.no_such", 5, "no_such"),
        ('#image("logo.png")', 1, "file not found"),
        ('一\n#import "@preview/cetz:0.3.0"', 2, "internet"),
        ("#while true {}", 1, "always true"),
        ('#set text(font: "Comic Sans")\nあ', 1, "unknown font family"),
        ('#set text(font: "Noto Sans JP")\n😀', 2, "could not be displayed"),
    ],
)
def test_a_broken_template_says_where(tmp_path: Path, text: str, line: int | None, reason: str) -> None:
    (tmp_path / "own.typ").write_text(text)
    with pytest.raises(TemplateError) as caught:
        pdf(tmp_path / "own.typ", {"name": "山田"}, made=MADE)
    error = caught.value
    assert (error.name, error.line) == ("own.typ", line)
    assert reason in error.reason
    assert "own.typ" in error.text("ja")
    assert "own.typ" in error.text("en")


def test_an_error_in_an_imported_file_names_that_file(tmp_path: Path) -> None:
    (tmp_path / "own.typ").write_text('#import "parts.typ": twice\n#twice("x")')
    (tmp_path / "parts.typ").write_text("\n#let twice(x) = x.no-such")
    with pytest.raises(TemplateError) as caught:
        pdf(tmp_path / "own.typ", {}, made=MADE)
    assert (caught.value.name, caught.value.line) == ("parts.typ", 2)


def test_a_template_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="no such file"):
        pdf(tmp_path / "none.typ", {}, made=MADE)
    with pytest.raises(TemplateError):
        pdf(tmp_path / "no folder" / "none.typ", {}, made=MADE)
    (tmp_path / "old.typ").write_bytes("申込書".encode("cp932"))
    with pytest.raises(TemplateError, match="not UTF-8"):
        pdf(tmp_path / "old.typ", {}, made=MADE)


@pytest.mark.parametrize("path", ["desk.toml", "/desk.toml", "../desk.toml", "/etc/hostname"])
def test_a_template_reads_no_file_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (tmp_path / "desk.toml").write_text("secret")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "work/desk.toml").write_text("secret")
    with pytest.raises(TemplateError):
        pdf(f'#read("{path}")', {}, made=MADE)


def test_data_is_never_a_command() -> None:
    attack = '"); #panic("x") #read("/etc/passwd") ${{}} \\u{41} </script>'
    assert text_of(printed(attack)) == squeezed(attack)
