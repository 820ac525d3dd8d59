"""A spreadsheet as its programs write it (ECMA-376), made by hand: a test says what stands in each cell."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import escape

MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
KIND = "application/vnd.openxmlformats-officedocument.spreadsheetml"
TYPES = f"""<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml" ContentType="{KIND}.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{KIND}.worksheet+xml"/>
<Override PartName="/xl/styles.xml" ContentType="{KIND}.styles+xml"/>
<Override PartName="/xl/sharedStrings.xml" ContentType="{KIND}.sharedStrings+xml"/></Types>"""
DATE = "1"
"""The style of a cell that shows a date and a time."""
STYLES = f"""<styleSheet {MAIN}><numFmts count="2"><numFmt numFmtId="164" formatCode="dd/mm/yyyy hh:mm"/>
<numFmt numFmtId="165" formatCode="&quot;hari&quot; 0"/></numFmts><cellStyleXfs count="1"><xf numFmtId="14"/>
</cellStyleXfs><cellXfs count="3"><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="165"/></cellXfs>
</styleSheet>"""


def number(raw: str, style: str = "0") -> str:
    return f'<c r="@" s="{style}"><v>{raw}</v></c>'


def date(serial: float) -> str:
    """Days since 1899-12-30."""
    return number(repr(serial), DATE)


def inline(text: str) -> str:
    hint = '<rPh sb="0" eb="1"><t>hint</t></rPh>'
    return f'<c r="@" t="inlineStr"><is><r><t>{escape(text)}</t></r>{hint}</is></c>'


def formula(text: str, result: str | None, kind: str = "n") -> str:
    value = "" if result is None else f"<v>{escape(result)}</v>"
    return f'<c r="@" t="{kind}"><f>{escape(text)}</f>{value}</c>'


def error() -> str:
    return '<c r="@" t="e"><v>#REF!</v></c>'


def make_sheet(path: Path, rows: Mapping[int, Sequence[str | None]], *, sheet: str = "Aduan", more: str = "",
               date1904: bool = False, prefix: bytes = b"") -> Path:  # fmt: skip
    """`rows`: number -> cells from column A on; None is left out, plain text becomes a shared string, what
    begins with `<c ` stands as it is."""
    strings: list[str] = []
    body = "".join(f'<row r="{n}">{_cells(n, cells, strings)}</row>' for n, cells in rows.items())
    shared = "".join(f'<si><t xml:space="preserve">{escape(text)}</t></si>' for text in strings)
    parts = {
        "[Content_Types].xml": TYPES,
        "xl/_rels/workbook.xml.rels": f"""<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="rId1" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/>
<Relationship Id="rId2" Type="{OFFICE}/sharedStrings" Target="/xl/sharedStrings.xml"/>
<Relationship Id="rId3" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>""",
        "xl/workbook.xml": f"""<workbook {MAIN} xmlns:r="{OFFICE}"><workbookPr date1904="{int(date1904)}"/>
<sheets><sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>""",
        "xl/sharedStrings.xml": f"<sst {MAIN}>{shared}</sst>",
        "xl/styles.xml": STYLES,
        "xl/worksheets/sheet1.xml": f"<worksheet {MAIN}><sheetData>{body}</sheetData>{more}</worksheet>",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, prefix + text.encode())
    return path


def repack(path: Path, part: str, change: Callable[[bytes], bytes]) -> Path:
    """With one part changed."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, change(data) if name == part else data)
    return path


def _cells(row: int, cells: Sequence[str | None], strings: list[str]) -> str:
    made = []
    for place, cell in enumerate(cells):
        if cell is None:
            continue
        name = f"{chr(65 + place)}{row}"
        if cell.startswith("<c "):
            made.append(cell.replace("@", name, 1))
        else:
            strings.append(cell)
            made.append(f'<c r="{name}" t="s"><v>{len(strings) - 1}</v></c>')
    return "".join(made)
