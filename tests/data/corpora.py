"""A corpus written from texts, for tests."""

from __future__ import annotations

import json

from septet.kinds import Corpus


def written(path, texts, labels=None, dataset="d", parts=1, language="en", **columns) -> Corpus:
    """A corpus of texts, dealt out to so many parts. A column is one value for all rows, or a list of them."""
    rows = []
    name = dataset if isinstance(dataset, str) else "d"
    for number, text in enumerate(texts):
        given = {"dataset": dataset, "language": language, **columns}
        extra = {key: value[number] if isinstance(value, list) else value for key, value in given.items()}
        rows.append(
            {
                "id": f"{name}{number}",
                "text": text,
                "source": f"{name}-{number}.txt",
                "source_digest": "",
                "start": 0,
                "end": len(text),
                "licence": "x",
                "origin": "public",
                "access": "public",
                "transforms": [],
                "meta": json.dumps({"label": labels[number]}) if labels else "",
                **extra,
            }
        )
    path.mkdir(parents=True, exist_ok=True)
    for part in range(parts):
        Corpus.write(path / f"p{part}", rows[part::parts])
        (path / f"p{part}" / "part-00000.parquet").rename(path / f"part-{part:05d}.parquet")
        (path / f"p{part}").rmdir()
    return Corpus(path)
