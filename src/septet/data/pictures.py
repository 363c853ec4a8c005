"""Pictures from a folder with a table of captions, or from arrays, as PNG. What cannot be read is named with its reason."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError, MissingExtra, Run, StepFailed
from septet.data.recordings import table
from septet.files import write_lines, write_parquet
from septet.kinds import Pictures

if TYPE_CHECKING:
    from PIL.Image import Image

    from septet.data.steps.media import Pictures as Config

_SUFFIXES = (".png", ".jpg", ".jpeg")


def read(config: Config, run: Run) -> Pictures:
    """Raises ConfigError for a source of another form, StepFailed when no picture is left."""
    source = Path(config.source)
    rejected: list[dict[str, str]] = []
    found = _arrays(config, source) if source.suffix == ".npz" else _files(config, source, rejected)
    rows: list[dict[str, Any]] = []
    for picture, told in found:
        if config.limit and len(rows) == config.limit:
            run.note(f"no more than the first {config.limit} pictures were read")
            break
        rows.append({**_drawn(picture, config.size), **told})
    if not rows:
        raise StepFailed(f"no picture in {source} could be read", "See rejected.jsonl, and correct the source")
    common = {name: getattr(config, name) for name in ("language", "licence", "origin", "access")}
    dataset = config.dataset or source.stem
    for row in rows:
        key = f"{row['source']}\n{row['source_digest']}"
        row["id"] = hashlib.sha256(key.encode()).hexdigest()[:16]
    whole = [{**common, "dataset": dataset, **row} for row in rows]
    write_parquet(run.out, whole, Pictures.COLUMNS)
    write_lines(run.out / "rejected.jsonl", rejected)
    run.drop("picture files and captions that could not be used", len(rejected), "rejected.jsonl")
    run.note(f"{len(rows)} pictures")
    return Pictures(run.out)


def _drawn(picture: Image, size: int) -> dict[str, Any]:
    """A picture as PNG without its metadata, grey or in colours."""
    from PIL import Image, ImageOps

    plain = picture.convert("L" if picture.mode in ("1", "L", "I;16") else "RGB")
    if size:
        plain = ImageOps.fit(plain, (size, size), Image.Resampling.BOX)
    plain.info = {}
    file = BytesIO()
    plain.save(file, "PNG")
    return {"png": file.getvalue(), "width": plain.width, "height": plain.height}


def _files(config: Config, folder: Path, rejected: list[dict[str, str]]) -> Iterator[tuple[Image, dict[str, str]]]:
    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise MissingExtra("pillow", "image") from error
    captions = table(folder / config.captions, ("caption",))
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.suffix.lower() in _SUFFIXES)
    for name in (one for one in captions if one not in files):
        rejected.append({"source": name, "reason": "the table names it, the folder does not hold it"})
    for name in files:
        told = captions.get(name)
        if told is None:
            rejected.append({"source": name, "reason": "the table has no caption of it"})
            continue
        data = (folder / name).read_bytes()
        try:
            picture = Image.open(BytesIO(data))
            picture.load()
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            rejected.append({"source": name, "reason": str(error)})
            continue
        row = {"caption": told["caption"] or "", "label": told.get("label") or "", "source": name}
        terms = {key: told[key] for key in ("licence", "language") if told.get(key)}
        yield picture, {**row, **terms, "source_digest": f"sha256:{hashlib.sha256(data).hexdigest()}"}


def _arrays(config: Config, file: Path) -> Iterator[tuple[Image, dict[str, str]]]:
    import numpy as np

    try:
        from PIL import Image
    except ModuleNotFoundError as error:
        raise MissingExtra("pillow", "image") from error
    try:
        with np.load(file, allow_pickle=False) as held:
            images, labels = held["images"], held["labels"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ConfigError(
            f"{file} cannot be read: {error}", "It needs the arrays images and labels, without objects"
        ) from error
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or len(images) != len(labels):
        raise ConfigError(
            f"the images of {file} are {images.dtype} {images.shape}", "Give uint8 (N, H, W) or (N, H, W, 3)"
        )
    digest = f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}"
    for number, (image, label) in enumerate(zip(images, labels.tolist(), strict=True)):
        row = {"caption": config.template.replace("{label}", str(label)), "label": str(label)}
        yield Image.fromarray(image), {**row, "source": f"{file.name}#{number}", "source_digest": digest}
