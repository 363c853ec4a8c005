"""Excel workbooks, .xlsx and .xls: one row a row of a sheet that holds anything. Formulas give the value that was cached.

A sheet's first row with two texts names its columns. Macros are never run.
"""

from __future__ import annotations

import datetime
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from septet.core import MissingExtra
from septet.data.readers.file import File
from septet.data.readers.office import checked
from septet.data.readers.records import as_text, maker
from septet.data.readers.row import Item, Reject, Row, Unreadable, as_meta, cleaned, parsing
from septet.data.readers.tables import unique


def read_xlsx(file: File) -> Iterator[Item]:
    """Sheets in their order, row by row, in bounded memory."""
    try:
        import openpyxl
    except ImportError:
        raise MissingExtra("openpyxl", "data") from None
    data, meta = checked(file, "XLSX file")
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of styles and extensions that it leaves out
        with parsing("XLSX file"):
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False)
        try:
            yield from _book(((sheet.title, _values(sheet)) for sheet in book.worksheets), file, meta)
        finally:
            book.close()


def _values(sheet: Any) -> Iterator[Sequence[Any]]:
    # The size that a sheet states may be wrong, and then rows go missing.
    sheet.reset_dimensions()
    yield from sheet.iter_rows(values_only=True)


def read_xls(file: File) -> Iterator[Item]:
    """Workbooks of Excel 97 to 2003 (BIFF)."""
    try:
        import xlrd
    except ImportError:
        raise MissingExtra("xlrd", "data") from None
    said = io.StringIO()
    with parsing("XLS file"):
        try:
            book = xlrd.open_workbook(file_contents=file.data(), logfile=said, on_demand=True)
        except xlrd.XLRDError as error:
            if "encrypted" in str(error).lower():
                raise Unreadable("is protected by a password", "encrypted") from None
            raise

    def value(cell: Any) -> Any:
        if cell.ctype == xlrd.XL_CELL_DATE:
            try:
                return xlrd.xldate_as_datetime(cell.value, book.datemode)
            except (ValueError, OverflowError):
                return cell.value
        if cell.ctype == xlrd.XL_CELL_ERROR:
            return xlrd.error_text_from_code.get(cell.value, "")
        return bool(cell.value) if cell.ctype == xlrd.XL_CELL_BOOLEAN else cell.value

    def sheets() -> Iterator[tuple[str, Iterable[Sequence[Any]]]]:
        for name in book.sheet_names():
            sheet = book.sheet_by_name(name)
            yield name, ([value(cell) for cell in sheet.row(number)] for number in range(sheet.nrows))

    yield from _book(sheets(), file, {})


def _book(sheets: Iterator[tuple[str, Iterable[Sequence[Any]]]], file: File, meta: dict[str, str]) -> Iterator[Item]:
    seen = False
    while True:
        with parsing("workbook"):
            sheet = next(sheets, None)
        if sheet is None:
            break
        try:
            for item in _sheet(sheet[0], iter(sheet[1]), file, meta):
                seen = True
                yield item
        except Unreadable as error:
            seen = True
            yield Reject(f"sheet {sheet[0]}", f"the rest {error}", error.rule)
    if not seen:
        raise Unreadable("holds no text", "empty")


def _sheet(name: str, rows: Iterator[Sequence[Any]], file: File, meta: dict[str, str]) -> Iterator[Item]:
    make = maker(file.told, name)
    names: list[str] = []
    held: list[tuple[int, list[str]]] = []
    number = 0
    while True:
        with parsing("sheet"):
            values = next(rows, None)
        if values is None:
            break
        number += 1
        cells = [cleaned(_shown(value)).strip() for value in values]
        if not any(cells):
            continue
        where = f"sheet {name}, row {number}"
        if not names:
            if _names(values, cells):
                names = unique(cells)
                for at, before in held:
                    yield _free(name, at, before, meta)
                held = []
                continue
            held.append((number, cells))
            if len(held) > 20:  # no row of names at the head: the sheet is a form or a matrix
                names = unique([""] * len(cells))
                for at, before in held:
                    yield _free(name, at, before, meta)
                held = []
            continue
        names += [f"column {place}" for place in range(len(names) + 1, len(cells) + 1)]
        record = {key: cells[place] if place < len(cells) else "" for place, key in enumerate(names)}
        item = make(record, where)
        yield item._replace(meta=as_meta({**record, **meta})) if meta and isinstance(item, Row) else item
    for at, before in held:
        yield _free(name, at, before, meta)


def _names(values: Sequence[Any], cells: list[str]) -> bool:
    filled = [(value, cell) for value, cell in zip(values, cells, strict=True) if cell]
    return len(filled) > 1 and all(
        (isinstance(value, str) and len(cell) <= 100) or re.fullmatch(r"(19|20)\d\d", cell) for value, cell in filled
    )


def _free(name: str, number: int, cells: list[str], meta: dict[str, str]) -> Row:
    """A row before the one that names the columns: a heading or a note."""
    return Row(" | ".join(cell for cell in cells if cell), name, f"sheet {name}, row {number}", meta=as_meta(meta))


def _shown(value: Any) -> str:
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return as_text(value)
