"""Text to token ids at speed: encoders that claim to equal Hugging Face's tokenizers, each held to it before it is used.

The reference is `tokenizers`. gigatoken and fastokens (extra `fast`) are young: on a sample of the corpus and on texts that are
hard to cut, their ids must equal the reference's, or they are not used. So the encoder never changes a result. All encode a
tokenizer without its special tokens: a document that writes `<|end|>` must not end anything.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from septet.core import ConfigError, MissingExtra, Run

REFERENCE = "tokenizers"
FAST = ("gigatoken", "fastokens")
Encode = Callable[[Sequence[str]], tuple[Any, Any]]
"""Texts to their ids end to end (uint32) and where each begins (int64, one more than there are texts)."""
HARD = (
    "",
    " ",
    "\n",
    "\r\n\r\n\t  x",
    "   leading and trailing   ",
    "a" * 4000,
    "哈" * 3000,
    "=" * 2500 + "\n" * 300 + " " * 1200 + "x",
    "I'll can't WE'VE they'RE it'S don\u2019t",
    "混排 mixed 文本text123数字４５６，“引号”—破折……",
    "1234567890 3.14159 ①②③ Ⅳ ½ ٣٤٥ १२३",
    "👩\u200d💻👨\u200d👩\u200d👧\u200d👦 🏳\ufe0f\u200d🌈 🇨🇳 ☺\ufe0f",
    "e\u0301 n\u0303 a\u0308\u0323 \u1100\u1161\u11a8 가각힣",
    "\u200b\u200c\u200d\ufeff\u00ad\u2028\u2029\u0085\u00a0\u3000x",
    "العربية עברית हिन्दी ภาษาไทย ქართული",
    "\U00020000\U0002a6d6 㐀 䶵 \ue000 \U0010ffff \x00\x01\x7f",
    "<|end|><|begin|><|pad|><|endoftext|><|im_start|>user<|im_end|><s></s><unk><0x41>[CLS] <mask>",
    "def f(x):\n\treturn {'k': [x ** 2, -1.5e-10]}  # comment\n\n\n",
    "https://example.org/a_b/c-d?e=f&g=%20#h  C:\\path\\file.txt ~/.x_y",
    "ﬁ ﬂ ǆ ß ẞ İ ı ſ K Å Ω ℵ ＡＢＣ １２３",
)
# Text that the encoders are compared on before the work, and that their rates are taken from (chosen: a second or less).
SAMPLE_BYTES = 2 << 20


def plain(file: Path) -> str:
    """A tokenizer.json without its special tokens, post-processing, truncation and padding: ids of the text alone, all of them.

    Raises ConfigError where the file is missing or no tokenizer.
    """
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {error}", "Tie a tokenizer with a tokenizer.json") from None
    if not isinstance(content, dict) or not isinstance(content.get("model"), dict):
        raise ConfigError(f"{file} is no Hugging Face tokenizer", "Tie a tokenizer with a tokenizer.json")
    content["added_tokens"] = [one for one in content.get("added_tokens") or [] if not one.get("special")]
    content.update(post_processor=None, truncation=None, padding=None)
    return json.dumps(content, ensure_ascii=False)


@cache
def encoder(name: str, content: str, threads: bool = True) -> Encode:
    """An encoder of the text of a tokenizer.json. Raises MissingExtra where its package is not there, ValueError or the
    package's own error where it cannot read this tokenizer."""
    return {"tokenizers": _reference, "gigatoken": _gigatoken, "fastokens": _fastokens}[name](content, threads)


def _reference(content: str, threads: bool) -> Encode:  # noqa: ARG001 - it goes by TOKENIZERS_PARALLELISM
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(content)

    def encode(texts: Sequence[str]) -> tuple[Any, Any]:
        made = [one.ids for one in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]
        return _joined(made)

    return encode


def _gigatoken(content: str, threads: bool) -> Encode:
    try:
        import gigatoken
    except ModuleNotFoundError as error:
        raise MissingExtra("gigatoken", "fast") from error
    tokenizer = gigatoken.Tokenizer.from_json(content)

    def encode(texts: Sequence[str]) -> tuple[Any, Any]:
        made = tokenizer.encode_batch(list(texts), parallel=threads).layout
        offsets = np.asarray(made.offsets.data, np.int64)
        ids = np.asarray(made.content.data, np.uint32)
        return ids[offsets[0] : offsets[-1]], offsets - offsets[0]

    return encode


def _fastokens(content: str, threads: bool) -> Encode:  # noqa: ARG001 - it chooses itself
    try:
        import fastokens
    except ModuleNotFoundError as error:
        raise MissingExtra("fastokens", "fast") from error
    tokenizer = fastokens.Tokenizer.from_json_str(content)

    def encode(texts: Sequence[str]) -> tuple[Any, Any]:
        ids, offsets = tokenizer.encode_batch_flat(list(texts), add_special_tokens=False)
        return np.frombuffer(ids, "<u4"), np.frombuffer(offsets, "<u8").astype(np.int64)

    return encode


def _joined(made: Sequence[Sequence[int]]) -> tuple[Any, Any]:
    offsets = np.zeros(len(made) + 1, np.int64)
    np.cumsum([len(one) for one in made], out=offsets[1:])
    ids = np.empty(int(offsets[-1]), np.uint32)
    for number, one in enumerate(made):
        ids[offsets[number] : offsets[number + 1]] = one
    return ids, offsets


def equal(first: tuple[Any, Any], second: tuple[Any, Any]) -> bool:
    """Whether two encodings of the same texts are the same ids."""
    return bool(np.array_equal(first[1], second[1]) and np.array_equal(first[0], second[0]))


def choose(content: str, sample: Sequence[str], run: Run, candidates: Sequence[str] = FAST) -> str:
    """The name of the fastest encoder whose ids equal the reference's on a sample and on `HARD`; the run observes the rate
    of each in MB/s, and notes those that were refused."""
    wanted, rate = _timed(encoder(REFERENCE, content), sample)
    run.observe(f"{REFERENCE}_mb_per_s", rate)
    best, best_rate = REFERENCE, rate
    for name in candidates:
        try:
            made, rate = _timed(encoder(name, content), sample)
        except MissingExtra:
            continue
        except BaseException as error:
            # These packages raise types of their own, and a fault in their compiled part derives from BaseException.
            if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
                raise
            run.note(f"{name} cannot read this tokenizer ({str(error)[:120]}); {best} encodes")
            continue
        if not all(equal(*pair) for pair in zip(made, wanted, strict=True)):
            run.note(f"{name} does not give the same ids as {REFERENCE}; it is not used")
            continue
        run.observe(f"{name}_mb_per_s", rate)
        if rate > best_rate:
            best, best_rate = name, rate
    run.observe("encoder", best)
    return best


def _timed(encode: Encode, sample: Sequence[str]) -> tuple[list[tuple[Any, Any]], float]:
    """The encodings of `HARD` and of a sample, and MB/s over the sample; what loads at the first call is not counted."""
    hard = encode(HARD)
    started = time.perf_counter()
    made = encode(sample)
    rate = sum(len(text.encode()) for text in sample) / 1e6 / max(1e-9, time.perf_counter() - started)
    return [hard, made], round(rate, 2)
