"""Teaching an existing BPE tokeniser the words of a corpus, with every old id as it was.

Continued BPE training (Purason et al., "Teaching old tokenizers new words", 2025): the corpus is encoded with the old merges, and
merging goes on from there. New merges rank behind all old ones and new tokens get new ids, so a text is first cut as before, and
only then are old tokens joined; a token that could never be reached is never added. The old tokens stand for single characters
to the trainer of the tokenizers library, so merging them is as fast as merging letters.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from septet.core import ConfigError
from septet.files import write_json

CARRIED = ("tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "generation_config.json")
# Old tokens are written as the characters from here on; a blank cuts.
_FIRST = 0x10000
_BLANK = 0x20
_LONGEST = 64
"""Tokens of a stretch that is learned from at once: tokenisers that do not cut before merging give whole documents."""
_BYTE = re.compile(r"<0x[0-9A-Fa-f]{2}>")


def extend(
    folder: Path, texts: Iterator[Sequence[str]], count: int, special: Sequence[str], out: Path
) -> dict[str, int]:
    """Write the tokeniser of a folder with up to `count` more tokens, learned on batches of texts, and further special tokens.

    Returns `old` and `new`, the numbers of entries. Raises ConfigError for a tokeniser that is no BPE.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    content = _read(folder / "tokenizer.json")
    vocab: dict[str, int] = content["model"]["vocab"]
    added: list[dict[str, Any]] = content["added_tokens"]
    spelled = {one["content"] for one in added}
    for one in added:
        # In the vocabulary itself, or the library would number it anew behind the new tokens.
        vocab.setdefault(one["content"], one["id"])
    size = max(vocab.values()) + 1
    if size > 0x10FFFF - _FIRST:
        raise ConfigError(f"the tokeniser has {size} entries already", "It cannot be extended further")
    names = {identity: token for token, identity in vocab.items()}
    before = _Before(folder / "tokenizer.json", content, names)
    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    trainer = trainers.BpeTrainer(
        vocab_size=size + count,
        initial_alphabet=[chr(_FIRST + identity) for identity in range(size)],
        limit_alphabet=size,
        show_progress=False,
    )
    learner.train_from_iterator((before.stretches(batch) for batch in texts), trainer)
    next_id = size
    for first, second in _merges(json.loads(learner.to_str())["model"]["merges"]):
        left, right = ("".join(names[ord(one) - _FIRST] for one in side) for side in (first, second))
        joined = left + right
        if joined in spelled:
            continue
        content["model"]["merges"].append([left, right])
        if joined not in vocab:
            vocab[joined] = next_id
            next_id += 1
    known = set(vocab)
    for token in dict.fromkeys(special):
        if token in known or not token:
            raise ConfigError(f"the tokeniser already has a token '{token}'", "Give special tokens that are new")
        vocab[token] = next_id
        flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        added.append({"id": next_id, "content": token, **flags})
        next_id += 1
    out.mkdir(parents=True, exist_ok=True)
    (out / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False, indent=2), "utf-8")
    _carry(folder, out, special)
    return {"old": size, "new": next_id - size}


class _Before:
    """A corpus as the old tokeniser cuts it, in stretches that merging may go on in."""

    def __init__(self, file: Path, content: dict[str, Any], names: dict[int, str]) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(file))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._tokenizer.encode_special_tokens = True
        size = max(names) + 1
        self._alone = np.zeros(size, np.bool_)
        self._opens = np.zeros(size, np.bool_)
        alone = {one["content"] for one in content["added_tokens"]} | {content["model"].get("unk_token") or ""}
        for identity, token in names.items():
            # Bytes that stand for themselves are read back one by one, so they cannot be joined.
            self._alone[identity] = token in alone or _BYTE.fullmatch(token) is not None
            self._opens[identity] = token.startswith("\u2581")

    def stretches(self, texts: Sequence[str]) -> list[str]:
        made = []
        for one in self._tokenizer.encode_batch(list(texts), add_special_tokens=False):
            ids = np.asarray(one.ids, np.uint32)
            if not ids.size:
                continue
            words = np.asarray([-1 if word is None else word for word in one.word_ids], np.int64)
            cut = np.ones(ids.size, np.bool_)
            cut[1:] = (words[1:] != words[:-1]) | self._alone[ids[1:]] | self._alone[ids[:-1]] | self._opens[ids[1:]]
            starts = np.flatnonzero(cut)
            run = np.arange(ids.size) - np.repeat(starts, np.diff([*starts, ids.size]))
            cut |= run % _LONGEST == 0
            places = np.flatnonzero(cut)
            keep = ids + _FIRST
            keep[self._alone[ids]] = _BLANK
            made.append(np.insert(keep, places, _BLANK).astype("<u4").tobytes().decode("utf-32-le"))
        return made


def _read(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read: {error}", "Tie a tokenizer or a model") from None
    model = content.get("model", {})
    if model.get("type", "BPE") != "BPE" or "merges" not in model:
        raise ConfigError(f"{file} holds a {model.get('type')} tokeniser", "Only BPE tokenisers can be extended")
    if model.get("continuing_subword_prefix") or model.get("end_of_word_suffix"):
        raise ConfigError(f"{file} marks the parts of words", "Only BPE tokenisers without such marks can be extended")
    model["merges"] = [list(pair) for pair in _merges(model["merges"])]
    content["added_tokens"] = content.get("added_tokens") or []
    return dict(content)


def _merges(merges: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Pairs, in both forms that files have: `["a", "b"]` and `"a b"`."""
    for one in merges:
        first, second = one.split(" ") if isinstance(one, str) else one
        yield first, second


def _carry(folder: Path, out: Path, special: Sequence[str]) -> None:
    for name in CARRIED:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, out / name)
    config = out / "tokenizer_config.json"
    if special and config.is_file():
        settings = json.loads(config.read_bytes())
        further = [*(settings.get("additional_special_tokens") or []), *special]
        write_json(config, {**settings, "additional_special_tokens": further})
