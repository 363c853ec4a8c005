"""Pictures of text by OCR: RapidOCR with the PP-OCR models that come inside its package (Chinese and English), offline.

What was read so says it in its transforms, with the mean confidence in its meta; a page below the bound is rejected with
the value.
"""

from __future__ import annotations

import io
import logging
import math
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from typing import Any

from septet.core import MissingExtra
from septet.data.readers.file import File
from septet.data.readers.row import Item, Reject, Row, Told, Unreadable, as_meta, cleaned, parsing

# A line read with less confidence than this is left out of the text and counted in the meta (RapidOCR's own default).
_LINE_CONFIDENCE = 0.5
# Larger pictures are bombs or need cutting (pixels).
_MAX_PIXELS = 100_000_000


def read_image(file: File) -> Iterator[Item]:
    """One row or reject a picture; a TIFF may hold several."""
    if not file.told.ocr:
        raise Unreadable("is a picture, which needs OCR", "needs OCR")
    try:
        import numpy as np
        from PIL import Image, ImageSequence
    except ImportError:
        raise MissingExtra("rapidocr", "ocr") from None
    with parsing("picture"):
        picture = Image.open(io.BytesIO(file.data()))
        frames = getattr(picture, "n_frames", 1)
    pages = ImageSequence.Iterator(picture)
    for number in range(1, frames + 1):
        where = f"page {number}" if frames > 1 else ""
        try:
            with parsing("picture"):
                frame = next(pages)
                if frame.width * frame.height > _MAX_PIXELS:
                    raise Unreadable(f"has more than {_MAX_PIXELS:,} pixels", "too large")
                # RapidOCR takes arrays as OpenCV has them: blue, green, red.
                pixels = np.asarray(frame.convert("RGB"))[:, :, ::-1]
                yield row(pixels, file.told, file.stem, where, number if frames > 1 else 0)
        except Unreadable as error:
            yield Reject(where, str(error), error.rule)


def row(image: Any, told: Told, title: str, where: str, page: int) -> Item:
    """The text of one picture (height, width, 3 of uint8, blue first) as a row, or why there is none."""
    found = _engine()(image)
    if found.txts is None or not len(found.txts):
        return Reject(where, "holds no text that OCR can find", "empty")
    weights = [len(text) for text in found.txts]
    confidence = sum(s * w for s, w in zip(found.scores, weights, strict=True)) / max(1, sum(weights))
    if confidence < told.ocr_confidence:
        shown = math.floor(confidence * 1000) / 1000  # never rounded up to the bound
        said = f"OCR is not sure enough of it: confidence {shown:.3f} is below {told.ocr_confidence:g}"
        return Reject(where, said, "OCR confidence")
    lines = [
        (box, text)
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        if score >= _LINE_CONFIDENCE
    ]
    left = len(weights) - len(lines)
    meta = as_meta({"ocr_confidence": round(float(confidence), 3), "ocr_lines_left_out": left or None})
    return Row(cleaned(_in_order(lines)) + "\n", title, where, 0, page, meta, f"ocr (rapidocr {version('rapidocr')})")


def _in_order(lines: list[tuple[Any, str]]) -> str:
    """Boxes (4 corners) from top to bottom; those at one height are one line, with a gap where the picture has one."""
    placed = sorted(
        (float(box[:, 1].mean()), float(box[:, 0].min()), float(box[:, 0].max()), _height(box), text)
        for box, text in lines
    )
    rows: list[list[tuple[float, float, float, float, str]]] = []
    for one in placed:
        if rows and abs(one[0] - rows[-1][0][0]) < 0.5 * min(one[3], rows[-1][0][3]):
            rows[-1].append(one)
        else:
            rows.append([one])
    drawn = []
    for line in rows:
        parts = ""
        end = 0.0
        for _, left, right, height, text in sorted(line, key=lambda one: one[1]):
            if parts:
                parts += "  " if left - end > height else " "
            parts += text
            end = right
        drawn.append(parts)
    return "\n".join(drawn)


def _height(box: Any) -> float:
    return float(box[:, 1].max() - box[:, 1].min())


@cache
def _engine() -> Any:
    try:
        from rapidocr import RapidOCR
    except ImportError:
        raise MissingExtra("rapidocr", "ocr") from None
    engine = RapidOCR(params={"Global.text_score": 0.0, "Global.log_level": "error"})
    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    return engine
