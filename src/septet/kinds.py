"""The nouns that pass between stages, each a plain folder in a format that the field already uses.

Reading is here because every stage reads; what makes an artifact lives in its stage.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from septet.core import Artifact, StoreError
from septet.files import (
    count_parquet,
    read_json,
    read_lines,
    read_parquet,
    refuse_pickle,
    write_json,
    write_lines,
    write_parquet,
)


class Corpus(Artifact):
    """Documents: Parquet parts, one row a document, each with its source, place, licence and transforms.

    Columns: see `COLUMNS`. `dataset` is the declared source (the name that mixtures and matrices go by), `source` the file,
    address or table in it, `where` the place in that (`page 3`, `line 12`, `bytes 340-512`, `sheet Rates, row 5`). `start` and
    `end` are characters of the text at that place; `edits` lists, as JSON, what was replaced since ([start, end, new length]
    in characters of the row as it was read), so that a span of today's text leads back to the file. `meta` holds, as a JSON
    object, what the source says of the row beside its text (a label, a date, table columns). `parent` is the id of the row
    that a made row was made from; it is empty for what was read. `dropped/` holds each row left out, with `rule`, the
    measured `value` and a `detail` (of which row it is a copy); `rejected.jsonl` names each file, page or row that could
    not be read and why.
    """

    required = ("part-*.parquet",)
    COLUMNS: ClassVar[dict[str, str]] = {
        "id": "string",
        "text": "string",
        "title": "string",
        "dataset": "string",
        "source": "string",
        "source_digest": "string",
        "where": "string",
        "start": "int64",
        "end": "int64",
        "page": "int32",
        "language": "string",
        "licence": "string",
        "origin": "string",
        "obtained": "string",
        "owner": "string",
        "access": "string",
        "retrieved": "string",
        "consent": "string",
        "trust": "double",
        "parent": "string",
        "meta": "string",
        "transforms": "list<string>",
        "edits": "string",
    }
    DROPPED: ClassVar[dict[str, str]] = {**COLUMNS, "rule": "string", "value": "double", "detail": "string"}
    DEFAULTS: ClassVar[dict[str, Any]] = {
        **dict.fromkeys(("title", "dataset", "where", "obtained", "owner", "retrieved", "consent", "parent"), ""),
        **dict.fromkeys(("meta", "edits", "detail"), ""),
        "page": 0,
        "trust": 1.0,
    }
    """What a row may lack, and what stands there then."""

    @property
    def parts(self) -> list[Path]:
        """The Parquet files, in order."""
        return sorted(self.path.glob("part-*.parquet"))

    def rows(self) -> Iterator[dict[str, Any]]:
        """Documents in their order."""
        yield from read_parquet(self.parts)

    def dropped(self) -> Iterator[dict[str, Any]]:
        """Documents that were left out, with the rule and the value that it measured."""
        yield from read_parquet(sorted((self.path / "dropped").glob("part-*.parquet")))

    def rejected(self) -> Iterator[dict[str, Any]]:
        """What could not be read: source, where, reason."""
        yield from read_lines(self.path / "rejected.jsonl")

    def count(self) -> int:
        return count_parquet(self.parts)

    @classmethod
    def write(
        cls,
        path: Path,
        rows: Iterable[Mapping[str, Any]],
        dropped: Iterable[Mapping[str, Any]] = (),
        rejected: Iterable[Mapping[str, Any]] = (),
    ) -> Corpus:
        """Write a corpus from rows in memory. A row may lack the columns of `DEFAULTS`. Large ones: `data.stream`."""
        write_parquet(path, ({**cls.DEFAULTS, **row} for row in rows), cls.COLUMNS)
        dropped = list(dropped)
        if dropped:
            write_parquet(path / "dropped", ({**cls.DEFAULTS, **row} for row in dropped), cls.DROPPED)
        rejected = list(rejected)
        if rejected:
            write_lines(path / "rejected.jsonl", rejected)
        return cls(path)


class Signals(Artifact):
    """What was measured of each document of a corpus, so that a limit may change without measuring again.

    Parquet parts beside those of the corpus, row for row: `id`, `language`, and one double column a signal.
    """

    required = ("part-*.parquet", "signals.json")

    @property
    def parts(self) -> list[Path]:
        return sorted(self.path.glob("part-*.parquet"))


class Sketches(Artifact):
    """The similarity sketch of each document of a corpus: what a later delivery is compared with, without reading the old text.

    Parquet parts beside those of the corpus, row for row.
    """

    required = ("part-*.parquet", "sketches.json")

    @property
    def parts(self) -> list[Path]:
        return sorted(self.path.glob("part-*.parquet"))


class Vectors(Artifact):
    """A vector for each document of a corpus, row for row: float32, memory-mapped.

    `ids.parquet` names the documents in their order. `meta.json` says how the vectors were made (`method`, `encoder`, `width`,
    `documents`), what share of the variance they keep, and by how much they bend distances and cosines on a sample. What a later
    delivery is projected by stands in `projection.safetensors`.
    """

    required = ("vectors.npy", "ids.parquet", "meta.json")

    @property
    def meta(self) -> dict[str, Any]:
        return dict(read_json(self.path / "meta.json"))


class Scorer(Artifact):
    """A small model that gives a text a number: perplexity under an n-gram model, or the score of a class.

    `scorer.json` says which form it has, of what it was trained, and how well it does on held-out text.
    """

    required = ("scorer.json", "weights.safetensors")

    @property
    def about(self) -> dict[str, Any]:
        return dict(read_json(self.path / "scorer.json"))


class Vault(Artifact):
    """Pseudonyms with the values they stand for, encrypted under a key that is kept elsewhere."""

    required = ("vault.bin", "vault.json")


class Conversations(Artifact):
    """Training rows in the OpenAI messages form: id, messages, language, evidence (chunk ids), origin."""

    required = ("rows.jsonl",)

    def rows(self) -> Iterator[dict[str, Any]]:
        yield from read_lines(self.path / "rows.jsonl")

    @classmethod
    def write(cls, path: Path, rows: Iterable[Mapping[str, Any]]) -> Conversations:
        write_lines(path / "rows.jsonl", rows)
        return cls(path)


class Preferences(Artifact):
    """Preferences among answers: id, prompt, chosen, rejected, each a list of messages; an answer is one turn of the assistant.

    A row with `chosen` or `rejected` alone is unpaired: an answer that was liked, or disliked. `reward`, where it stands, is the
    number that the chosen answer got.
    """

    required = ("rows.jsonl",)

    def rows(self) -> Iterator[dict[str, Any]]:
        yield from read_lines(self.path / "rows.jsonl")

    @classmethod
    def write(cls, path: Path, rows: Iterable[Mapping[str, Any]]) -> Preferences:
        write_lines(path / "rows.jsonl", rows)
        return cls(path)


class Recordings(Artifact):
    """Speech with what is said in it: Parquet parts, one row a recording, and its sound in `sounds/`.

    `sound` names the file: WAV, one channel of 16 bits, 16,000 samples a second. `source` and `source_digest` are those of the
    file that was read. `rejected.jsonl` names each file that could not be read, and each transcript without one, and why.
    """

    required = ("part-*.parquet",)
    COLUMNS: ClassVar[dict[str, str]] = {
        "id": "string",
        "text": "string",
        "sound": "string",
        "seconds": "double",
        **{name: Corpus.COLUMNS[name] for name in ("dataset", "source", "source_digest", "language")},
        **{name: Corpus.COLUMNS[name] for name in ("licence", "origin", "access")},
    }

    def rows(self) -> Iterator[dict[str, Any]]:
        """Recordings in their order."""
        yield from read_parquet(sorted(self.path.glob("part-*.parquet")))

    def rejected(self) -> Iterator[dict[str, Any]]:
        yield from read_lines(self.path / "rejected.jsonl")


class Pictures(Artifact):
    """Pictures with captions: Parquet parts, one row a picture, as PNG in `png`.

    `width` and `height` are in pixels; `label` is the class of a picture, where it has one. `rejected.jsonl` names each file that
    could not be read, and each caption without one, and why.
    """

    required = ("part-*.parquet",)
    COLUMNS: ClassVar[dict[str, str]] = {
        "id": "string",
        "caption": "string",
        "label": "string",
        "png": "binary",
        "width": "int32",
        "height": "int32",
        **{name: Corpus.COLUMNS[name] for name in ("dataset", "source", "source_digest", "language")},
        **{name: Corpus.COLUMNS[name] for name in ("licence", "origin", "access")},
    }

    def rows(self) -> Iterator[dict[str, Any]]:
        """Pictures in their order."""
        yield from read_parquet(sorted(self.path.glob("part-*.parquet")))

    def rejected(self) -> Iterator[dict[str, Any]]:
        yield from read_lines(self.path / "rejected.jsonl")


class Tokenizer(Artifact):
    """A Hugging Face tokenizer: tokenizer.json and its config."""

    required = ("tokenizer.json",)


class Tokens(Artifact):
    """Packed token rows in shards to be memory-mapped, with the document that each stretch of a row came from.

    A shard is rows of little-endian unsigned integers without a header; every shard but the last holds as many rows.
    """

    required = ("tokens-*.bin", "meta.json", "documents.parquet")
    ERASED: ClassVar[str] = "erased"
    """What `document` says of a stretch that was erased; its tokens are padding."""

    @property
    def meta(self) -> dict[str, Any]:
        """`sequence` (tokens a row), `rows`, `dtype`, `vocabulary`, `documents`, `padding` (tokens), `pad`, and for each of
        the `shards` its `file`, `rows` and `sha256`."""
        return dict(read_json(self.path / "meta.json"))

    @property
    def shards(self) -> list[Path]:
        """The files of tokens, in order."""
        return sorted(self.path.glob("tokens-*.bin"))

    def check(self) -> None:
        super().check()
        meta = self.meta
        width = meta["sequence"] * (2 if meta["dtype"] == "uint16" else 4)
        held = [path.stat().st_size for path in self.shards]
        if held != [shard["rows"] * width for shard in meta["shards"]]:
            raise StoreError(
                f"the shards of {self.path} are not as long as its meta.json says", "Pack the corpus again"
            )


class Model(Artifact):
    """Weights with all that is needed to use them as they were tested: tokenizer, chat template, stops, golden prompts.

    Two forms: a Hugging Face folder with safetensors, or a GGUF file with the tokenizer files beside it. Never pickle.
    """

    required = ("tokenizer.json", "model_card.json")

    @property
    def form(self) -> str:
        """`gguf` or `safetensors`."""
        return "gguf" if any(self.path.glob("*.gguf")) else "safetensors"

    @property
    def card(self) -> dict[str, Any]:
        """`name`, `licence`, `terms`, `source`, `sha256`..."""
        return dict(read_json(self.path / "model_card.json"))

    def check(self) -> None:
        refuse_pickle(self.path)
        super().check()
        if not any(self.path.glob("*.gguf")) and not any(self.path.glob("*.safetensors")):
            raise StoreError(
                f"{self.path} is not a Model: it holds neither safetensors nor GGUF", "Convert the weights first"
            )


class Adapter(Artifact):
    """A PEFT adapter folder."""

    required = ("adapter_config.json", "adapter_model.safetensors")

    def check(self) -> None:
        refuse_pickle(self.path)
        super().check()


class KnowledgeBase(Artifact):
    """Chunks with source spans, versions, days of validity and access classes, each with its vector.

    An index is made of it where it is searched (`septet.knowledge.table`).
    """

    required = ("chunks.parquet", "meta.json")

    def chunks(self) -> Iterator[dict[str, Any]]:
        """Chunks in their order, without the vectors."""
        import pyarrow.parquet as pq

        file = self.path / "chunks.parquet"
        names = [name for name in pq.read_schema(file).names if name != "vector"]
        yield from read_parquet([file], names)

    @property
    def meta(self) -> dict[str, Any]:
        return dict(read_json(self.path / "meta.json"))


class Suite(Artifact):
    """Evaluation items (questions, choices, attacks, benign twins) with their version, licence and origin."""

    required = ("items.jsonl", "suite.json")

    def items(self) -> Iterator[dict[str, Any]]:
        yield from read_lines(self.path / "items.jsonl")

    @property
    def about(self) -> dict[str, Any]:
        return dict(read_json(self.path / "suite.json"))

    @classmethod
    def write(cls, path: Path, items: Iterable[Mapping[str, Any]], about: Mapping[str, Any]) -> Suite:
        count = write_lines(path / "items.jsonl", items)
        write_json(path / "suite.json", {**about, "items": count})
        return cls(path)


class Measure(msgspec.Struct, frozen=True):
    """One number with its interval (95 % unless the report says otherwise) and the size of its sample."""

    value: float
    low: float
    high: float
    n: int
    unit: str = ""


class Report(Artifact):
    """Numbers with intervals, and the per-item store they can be computed from again."""

    required = ("report.json",)

    @property
    def content(self) -> dict[str, Any]:
        return dict(read_json(self.path / "report.json"))

    @property
    def name(self) -> str:
        return str(self.content["name"])

    def summary(self) -> dict[str, Measure]:
        return msgspec.convert(self.content["summary"], dict[str, Measure])

    def items(self) -> Iterator[dict[str, Any]]:
        yield from read_lines(self.path / "items.jsonl")

    @classmethod
    def write(
        cls,
        path: Path,
        name: str,
        summary: Mapping[str, Measure],
        items: Iterable[Mapping[str, Any]] = (),
        notes: Iterable[str] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> Report:
        """Write a report: `summary` holds the measures, `facts` what else was settled (seeds, settings, verdicts)."""
        write_json(
            path / "report.json",
            {"name": name, "summary": dict(summary), "notes": list(notes), "facts": dict(facts or {})},
        )
        write_lines(path / "items.jsonl", items)
        return cls(path)


class DataCard(Artifact):
    """What a corpus is made of, where it comes from and what was left out: as JSON, and as a page in either language."""

    required = ("card.json", "card.en.html", "card.zh.html")

    @property
    def content(self) -> dict[str, Any]:
        return dict(read_json(self.path / "card.json"))


class Policy(Artifact):
    """The data-safety policy: detectors, actions, thresholds, messages and gates, as one file."""

    required = ("policy.json",)


class Release(Artifact):
    """What is served as one unit: model, knowledge base, policy and reports by hash, and the verdict of each gate."""

    required = ("release.json",)

    @property
    def content(self) -> dict[str, Any]:
        return dict(read_json(self.path / "release.json"))


KINDS: dict[str, type[Artifact]] = {
    kind.kind(): kind
    for kind in (
        Corpus,
        Signals,
        Sketches,
        Vectors,
        Scorer,
        Vault,
        Conversations,
        Preferences,
        Recordings,
        Pictures,
        Tokenizer,
        Tokens,
        Model,
        Adapter,
        KnowledgeBase,
        Suite,
        Report,
        DataCard,
        Policy,
        Release,
    )
}
