"""Draws and plays the small material of recipes/picture.toml and recipes/speech.toml: shapes with their names, and chords.

python examples/toys.py [FOLDER]
"""

import csv
import math
import struct
import sys
import wave
from pathlib import Path

from PIL import Image, ImageDraw

SHAPES = {"circle": "圆", "square": "方", "cross": "叉", "bar": "杠"}
CHORDS = {"low": (220, 277), "high": (660, 880), "低": (165, 196), "高": (988, 1175)}


def picture(name: str, number: int) -> Image.Image:
    """16 by 16 pixels; place and size change with the number."""
    made = Image.new("L", (16, 16), 0)
    pen, shift, size = ImageDraw.Draw(made), number % 3, 9 + number % 2
    low, high = 2 + shift, 2 + shift + size
    if name == "circle":
        pen.ellipse((low, low, high, high), fill=255)
    elif name == "square":
        pen.rectangle((low, low, high, high), fill=255)
    elif name == "cross":
        pen.line((low, low, high, high), fill=255, width=2)
        pen.line((low, high, high, low), fill=255, width=2)
    else:
        pen.rectangle((low, 6 + shift, high, 9 + shift), fill=255)
    return made


def sound(path: Path, pitches: tuple[int, int], number: int) -> None:
    """0.4 seconds at 8 kHz, a little louder or softer each time."""
    loud = 6000 + 1000 * (number % 4)
    samples = [
        round(loud * sum(math.sin(2 * math.pi * pitch * at / 8000) for pitch in pitches) / len(pitches))
        for at in range(3200)
    ]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def main(folder: Path) -> None:
    pictures, recordings = folder / "pictures", folder / "recordings"
    pictures.mkdir(parents=True, exist_ok=True)
    recordings.mkdir(parents=True, exist_ok=True)
    with (pictures / "captions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("file", "caption", "label"))
        for number in range(24):
            for name, chinese in SHAPES.items():
                picture(name, number // 2).save(pictures / f"{name}-{number:02d}.png")
                table.writerow((f"{name}-{number:02d}.png", (name, chinese)[number % 2], name))
    with (recordings / "transcripts.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("file", "lang", "text"))
        for number in range(5):
            for place, (word, pitches) in enumerate(CHORDS.items()):
                sound(recordings / f"{place}-{number}.wav", pitches, number)
                table.writerow((f"{place}-{number}.wav", "en" if word.isascii() else "zh", word))
    print(f"{24 * len(SHAPES)} pictures and {5 * len(CHORDS)} recordings in {folder}")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path("toys"))
