"""Files of each format, written by the tests themselves."""

from __future__ import annotations

import io
import tarfile
import zipfile
from functools import cache

EPUB = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/b.opf"/></rootfiles></container>',
    "OEBPS/b.opf": '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
    "<dc:title>账目之书</dc:title><dc:creator>李四</dc:creator></metadata><manifest>"
    '<item id="c1" href="one.xhtml"/><item id="c2" href="two%20b.xhtml"/><item id="c3" href="gone.xhtml"/></manifest>'
    '<spine><itemref idref="c1"/><itemref idref="c2"/><itemref idref="c3"/></spine></package>',
    "OEBPS/one.xhtml": "<html><head><title>第一章</title></head><body><h1>第一章</h1><p>开户须知。</p></body></html>",
    "OEBPS/two b.xhtml": "<html><body><p>Closing an account.</p></body></html>",
}


def docx_bytes() -> bytes:
    import docx

    document = docx.Document()
    document.add_heading("Rules", 1)
    document.add_paragraph("Accounts are closed on request.")
    for one in ("one", "two"):
        document.add_paragraph(one, style="List Bullet")
    table = document.add_table(2, 2)
    for cell, text in zip((c for row in table.rows for c in row.cells), ("kind", "fee", "card", "3"), strict=True):
        cell.text = text
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def pptx_bytes() -> bytes:
    import pptx
    from pptx.util import Inches

    presentation = pptx.Presentation()
    first = presentation.slides.add_slide(presentation.slide_layouts[1])
    first.shapes.title.text = "费用"
    first.placeholders[1].text = "Card fees\nTransfer fees"
    first.notes_slide.notes_text_frame.text = "Say it slowly."
    second = presentation.slides.add_slide(presentation.slide_layouts[6])
    table = second.shapes.add_table(2, 2, Inches(1), Inches(1), Inches(4), Inches(1)).table
    for place, text in enumerate(("kind", "fee", "card", "3")):
        table.cell(place // 2, place % 2).text = text
    presentation.slides.add_slide(presentation.slide_layouts[6])
    out = io.BytesIO()
    presentation.save(out)
    return out.getvalue()


def xlsx_bytes() -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Rates"
    for row in (["Rates of 2026", None], [None, None], ["name", "rate"], ["一年期", 1.5], ["two years", 2], [None, 3]):
        sheet.append(row)
    sheet["C4"] = "=B4*2"
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def zip_bytes(members: dict[str, str | bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return out.getvalue()


def tar_bytes(members: dict[str, str], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        for name, content in members.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content.encode())
            archive.addfile(entry, io.BytesIO(content.encode()))
    return out.getvalue()


MAIL = (
    "From: =?gb2312?B?yP3KwA==?= <a@example.com>\nTo: b@example.com\nDate: Mon, 5 Jan 2026 09:00:00 +0800\n"
    "Subject: =?utf-8?B?5a+56LSm5Y2V?=\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b1\n\n--b1\n"
    "Content-Type: multipart/alternative; boundary=b2\n\n--b2\nContent-Type: text/html; charset=utf-8\n\n<p>Rich words.</p>\n"
    "--b2\nContent-Type: text/plain; charset=utf-8\n\nPlain words.\n--b2--\n--b1\nContent-Type: text/csv\n"
    'Content-Disposition: attachment; filename="a.csv"\n\ntext,n\nattached words,1\n\n--b1\n'
    'Content-Type: application/x-thing\nContent-Disposition: attachment; filename="b.thing"\n\nnothing\n--b1--\n'
)


def warc_record(text: str) -> bytes:
    page = f"<html><body><p>{text}</p></body></html>".encode()
    http = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n" + page
    head = (
        "WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: http://example.com/a\r\nWARC-Date: 2026-01-05T09:00:00Z\r\n"
        f"WARC-Record-ID: <urn:uuid:00000000-0000-0000-0000-000000000000>\r\nContent-Type: application/http\r\n"
        f"Content-Length: {len(http)}\r\n\r\n"
    )
    return head.encode() + http + b"\r\n\r\n"


def pdf(pages: list[str]) -> bytes:
    """The least PDF file whose pages hold a line of ASCII text each; an empty one has no text layer."""
    objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    kids = []
    for text in pages:
        stream = f"BT /F1 12 Tf 50 700 Td ({text}) Tj ET" if text else ""
        objects.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
        objects.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> "
            f"/Contents {len(objects)} 0 R >>"
        )
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Kids [{' '.join(kids)}] /Count {len(kids)} >>"
    body = "%PDF-1.4\n"
    offsets = []
    for number, one in enumerate(objects, 1):
        offsets.append(len(body))
        body += f"{number} 0 obj\n{one}\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    return (
        f"{body}xref\n0 {len(objects) + 1}\n0000000000 65535 f \n{table}"
        f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{len(body)}\n%%EOF\n"
    ).encode()


@cache
def written() -> dict[str, bytes]:
    """A small good file of each format."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = io.BytesIO()
    pq.write_table(pa.table({"text": ["one", "two"]}), table)
    return {
        "docx": docx_bytes(),
        "pptx": pptx_bytes(),
        "xlsx": xlsx_bytes(),
        "epub": zip_bytes(EPUB),
        "pdf": pdf(["Fees are due.", "Accounts close."]),
        "zip": zip_bytes({"a.txt": "a member", "b/c.jsonl": '{"text": "in a line"}'}),
        "tar": tar_bytes({"a.txt": "a member", "b/c.jsonl": '{"text": "in a line"}'}),
        "parquet": table.getvalue(),
        "warc": warc_record("a page") * 2,
        "eml": MAIL.encode(),
        "msg": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
    }
