"""The tokenizer of a GGUF file as `tokenizer.json`, the format of Hugging Face's tokenizers library.

Two kinds are read: "llama", SentencePiece's BPE, whose merges are found again from the scores of the pieces, and "gpt2",
byte-level BPE, whose merges stand in the file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from septet.core import ConfigError
from septet.model.gguf_file import GgufFile
from septet.model.words import PATTERNS

_NORMAL, _UNKNOWN, _CONTROL, _USER_DEFINED, _UNUSED, _BYTE = 1, 2, 3, 4, 5, 6


def write_tokenizer(file: GgufFile, folder: Path) -> None:
    """Write tokenizer.json and tokenizer_config.json. Raises ConfigError for a tokenizer of another kind."""
    kind = file.get("tokenizer.ggml.model")
    tokens, types = file.get("tokenizer.ggml.tokens"), file.get("tokenizer.ggml.token_type")
    if not tokens or not types:
        raise ConfigError(f"{file.path.name} holds no tokenizer", "Use a GGUF file of a whole language model")
    if kind == "llama":
        core = _sentencepiece(file, tokens, types)
    elif kind == "gpt2":
        core = _byte_level(file, tokens)
    else:
        raise ConfigError(
            f"{file.path.name} has a tokenizer of the kind '{kind}'",
            "The kinds 'llama' and 'gpt2' are read; load the Hugging Face folder instead",
        )
    added = [
        _added(i, token, types[i]) for i, token in enumerate(tokens) if types[i] in (_UNKNOWN, _CONTROL, _USER_DEFINED)
    ]
    whole = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        **core,
        "post_processor": None,
    }
    (folder / "tokenizer.json").write_text(
        json.dumps(whole, ensure_ascii=False, separators=(",", ":")), encoding="utf-8"
    )
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": file.get("{arch}.context_length"),
        "clean_up_tokenization_spaces": False,
        # A SentencePiece model begins each text with its token unless the file says otherwise; a byte-level one does not.
        "add_bos_token": bool(file.get("tokenizer.ggml.add_bos_token", kind == "llama")),
    }
    for role, key in (("bos_token", "bos"), ("eos_token", "eos"), ("pad_token", "padding"), ("unk_token", "unknown")):
        index = file.get(f"tokenizer.ggml.{key}_token_id")
        if index is not None and index < len(tokens):
            config[role] = tokens[index]
    (folder / "tokenizer_config.json").write_text(
        json.dumps(config, ensure_ascii=False, indent=2, sort_keys=True) + "\n", encoding="utf-8"
    )


def _sentencepiece(file: GgufFile, tokens: list[str], types: list[int]) -> dict[str, Any]:
    """SentencePiece merges the neighbours whose joint piece scores best; a ranked list of pairs says the same."""
    vocabulary = {token: i for i, token in enumerate(tokens)}
    scores = file.get("tokenizer.ggml.scores")
    if not scores or len(scores) != len(tokens):
        raise ConfigError(
            f"{file.path.name} has no scores for its {len(tokens)} pieces",
            "Fetch the file again, or load the Hugging Face folder",
        )
    pairs = []
    for token, kind, score in zip(tokens, types, scores, strict=True):
        if kind != _NORMAL:
            continue
        for cut in range(1, len(token)):
            left, right = vocabulary.get(token[:cut]), vocabulary.get(token[cut:])
            if left is not None and right is not None:
                pairs.append((-score, left, right))
    pairs.sort()
    prefix = bool(file.get("tokenizer.ggml.add_space_prefix", True))
    steps: list[dict[str, Any]] = [{"type": "Prepend", "prepend": "▁"}] if prefix else []
    steps.append({"type": "Replace", "pattern": {"String": " "}, "content": "▁"})
    decoders: list[dict[str, Any]] = [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
        {"type": "ByteFallback"},
        {"type": "Fuse"},
    ]
    if prefix:
        decoders.append({"type": "Strip", "content": " ", "start": 1, "stop": 0})
    unknown = file.get("tokenizer.ggml.unknown_token_id")
    return {
        "normalizer": {"type": "Sequence", "normalizers": steps},
        "pre_tokenizer": None,
        "decoder": {"type": "Sequence", "decoders": decoders},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": tokens[unknown] if unknown is not None else None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": True,
            "byte_fallback": True,
            "ignore_merges": False,
            "vocab": vocabulary,
            "merges": [[tokens[left], tokens[right]] for _, left, right in pairs],
        },
    }


def _byte_level(file: GgufFile, tokens: list[str]) -> dict[str, Any]:
    cut = file.get("tokenizer.ggml.pre", "gpt-2")
    if cut not in PATTERNS:
        raise ConfigError(
            f"{file.path.name} cuts words in the way '{cut}'",
            f"These ways are read: {', '.join(PATTERNS)}; load the Hugging Face folder instead",
        )
    merges = [merge.split(" ", 1) for merge in file.get("tokenizer.ggml.merges") or []]
    split = {"type": "Split", "pattern": {"Regex": PATTERNS[cut]}, "behavior": "Isolated", "invert": False}
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    return {
        "normalizer": {"type": "NFC"} if cut == "qwen2" else None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [split, level]},
        "decoder": level,
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": cut == "llama-bpe",
            "vocab": {token: i for i, token in enumerate(tokens)},
            "merges": merges,
        },
    }


def _added(index: int, token: str, kind: int) -> dict[str, Any]:
    special = kind in (_UNKNOWN, _CONTROL)
    return {
        "id": index,
        "content": token,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": False,
        "special": special,
    }
