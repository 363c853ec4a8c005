"""Training a tokeniser on a corpus: byte-level BPE (Radford et al., 2019) or byte-level Unigram (Kudo, 2018).

Every text is encoded, none as unknown. The cut keeps words with their blank and takes digits singly. Texts stream from the parts;
what is held is the distinct words, so the text to learn from is bounded. The same corpus gives the same files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq

from septet.core import ConfigError, StepFailed
from septet.files import write_json
from septet.kinds import Corpus
from septet.model.words import PATTERNS

CUT = "qwen2"
"""How text is cut before merging: by a pattern that GGUF can name, or a decoder with this tokeniser could not be exported."""

_STRETCH = 1 << 16
"""Characters that are looked at together: an encoding takes some 200 bytes of memory a token."""
_NEVER = -1000.0
"""Log probability of a special token in running text: it is only ever placed, never read."""


class Special(NamedTuple):
    """The special tokens, which take the first ids: padding, the begin and the end of a document, and further ones."""

    pad: str = "<|pad|>"
    begin: str = "<|begin|>"
    end: str = "<|end|>"
    further: tuple[str, ...] = ()

    @property
    def all(self) -> list[str]:
        return [self.pad, self.begin, self.end, *self.further]


def train(
    texts: Callable[[], Iterator[Sequence[str]]], model: str, vocabulary: int, special: Special, path: Path
) -> int:
    """Train a tokeniser (`model`: bpe or unigram) on batches of texts, which may be asked for twice; write it, and return the
    size of its vocabulary.

    Raises ConfigError for special tokens that are empty or stand twice.
    """
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    if len(set(special.all)) != len(special.all) or not all(special.all):
        raise ConfigError("a special token is empty or stands twice", "Give each a text of its own")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERNS[CUT]), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    if model == "unigram":
        from septet.data.unigram import pieces

        found = pieces(tokenizer, texts, vocabulary - len(special.all))
        tokenizer.model = models.Unigram([(token, _NEVER) for token in special.all] + found, None, False)
        tokenizer.add_special_tokens(special.all)
    else:
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=special.all,
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts(), trainer)
    path.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(path / "tokenizer.json"))
    settings: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": special.pad,
        "bos_token": special.begin,
        "eos_token": special.end,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 1 << 20,
    }
    if special.further:
        settings["additional_special_tokens"] = list(special.further)
    write_json(path / "tokenizer_config.json", settings)
    return int(tokenizer.get_vocab_size())


def texts_of(corpus: Corpus, max_bytes: int, seed: int) -> Iterator[list[str]]:
    """Batches of a corpus's texts, about `max_bytes` in all: of a larger corpus a document is taken by the hash of its id.

    Raises StepFailed where the corpus holds no text.
    """
    share = min(1.0, max_bytes / max(1, size_of(corpus)))
    bound = int(share * (1 << 48))
    some = False
    for part in corpus.parts:
        for batch in pq.ParquetFile(part).iter_batches(1024, columns=["id", "text"]):
            columns = batch.to_pydict()
            texts = [
                text
                for name, text in zip(columns["id"], columns["text"], strict=True)
                if text and (share == 1.0 or _draw(name, seed) < bound)
            ]
            for some_texts in _portions(texts):
                some = True
                yield some_texts
    if not some:
        raise StepFailed("the corpus holds no text to learn from", "Look at what was left out in the steps before")


def _portions(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts, long ones in stretches, in batches that are small enough to be encoded at once."""
    pending: list[str] = []
    held = 0
    for text in texts:
        for start in range(0, len(text), _STRETCH):
            pending.append(text[start : start + _STRETCH])
            held += len(pending[-1])
            if held >= 8 * _STRETCH:
                yield pending
                pending, held = [], 0
    if pending:
        yield pending


def size_of(corpus: Corpus) -> int:
    """Bytes of the text column, as the Parquet files state them."""
    size = 0
    for part in corpus.parts:
        metadata = pq.ParquetFile(part).metadata
        for group in range(metadata.num_row_groups):
            row_group = metadata.row_group(group)
            for place in range(row_group.num_columns):
                column = row_group.column(place)
                if column.path_in_schema == "text":
                    size += int(column.total_uncompressed_size)
    return size


def _draw(identity: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}\n{identity}".encode()).digest()[:6], "big")
