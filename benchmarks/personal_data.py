"""How fast personal data is found and masked, and how much of what was planted is found.

    python benchmarks/personal_data.py FOLDER_OF_TEXTS [FOLDER_OF_TEXTS ...]

Texts (`*.md`, `*.txt`) are cut to documents of about 1.3 kB. Three columns are made of them: three planted values in every
document, in two documents of a hundred, and none. Figures are CPU seconds of this process, the
middle of five runs; kernels are compiled before.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import pyarrow as pa

from septet.detect import checksums, pii

DOCUMENTS = 5000


def resident(draw: random.Random) -> str:
    body = (
        f"110105{draw.randint(1950, 2005)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}{draw.randrange(1000):03d}"
    )
    return body + checksums.resident_digit(body)


def card(draw: random.Random) -> str:
    body = "62" + "".join(draw.choices("0123456789", k=16))
    return body + checksums.luhn_digit(body)


def iban(draw: random.Random) -> str:
    account = "".join(draw.choices("0123456789", k=18))
    return f"DE{checksums.iban_digits('DE', account)}{account}"


MAKERS = {
    "resident_id": resident,
    "bank_card": card,
    "iban": iban,
    "mobile": lambda draw: f"139{draw.randrange(10**8):08d}",
    "email": lambda draw: f"user{draw.randrange(10**6)}@corp{draw.randrange(100)}.cn",
    "ip": lambda draw: f"10.{draw.randrange(255)}.{draw.randrange(255)}.{1 + draw.randrange(250)}",
}


def documents(folders: list[Path]) -> list[str]:
    found = []
    for file in sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in (".md", ".txt")):
        text = file.read_text("utf-8", errors="replace")[:600_000]
        size = 500 if sum("\u4e00" <= c <= "\u9fff" for c in text[:2000]) > 500 else 1300
        found += [text[i : i + size] for i in range(0, len(text) - size, size)]
    random.Random(3).shuffle(found)
    return (found * (DOCUMENTS // max(1, len(found)) + 1))[:DOCUMENTS]


def planted(texts: list[str], share: float, draw: random.Random) -> tuple[list[str], list[list[str]]]:
    """Values stand at blanks and behind Chinese stops, one after the other, so that none cuts another."""
    out, truth = [], []
    for text in texts:
        values = []
        if draw.random() < share:
            values = [draw.choice(list(MAKERS.values()))(draw) for _ in range(3)]
            step = len(text) // 4
            places = [max(text.find(mark, (n + 1) * step) for mark in " ，。") for n in range(3)]
            for value, place in sorted(zip(values, places, strict=True), key=lambda pair: -pair[1]):
                at = place + 1 if place >= 0 else len(text)
                text = f"{text[:at]}号{value}，{text[at:]}"
        out.append(text)
        truth.append(values)
    return out, truth


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    texts = documents(parser.parse_args().folders)
    if not texts:
        parser.error("the folders hold no texts of a kilobyte")
    pii.detect_all(["138 0013 8000", *texts[:50]])
    for name, share in (("three values in every document", 1.0), ("in 2 % of documents", 0.02), ("none planted", 0.0)):
        column, truth = planted(texts, share, random.Random(5))
        array = pa.array(column, pa.large_string())
        size = sum(len(text.encode()) for text in column) / 1e6
        times = []
        for _ in range(5):
            begun = time.process_time()
            found = pii.detect_all(array, threshold=0.7)
            times.append(time.process_time() - begun)
        spent = sorted(times)[2]
        shown: list[list[str]] = [[] for _ in column]
        for row, span in found.spans():
            shown[row].append(span.of(column[row]))
        hits = sum(any(value in text for text in shown[row]) for row, values in enumerate(truth) for value in values)
        total = sum(map(len, truth))
        speed = f"{size / spent:.0f} MB/s, {len(column) / spent:.0f} documents/s"
        print(f"{name}: {speed}, {hits} of {total} values, {len(found)} findings")


if __name__ == "__main__":
    main()
