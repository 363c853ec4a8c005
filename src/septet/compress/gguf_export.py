"""A Hugging Face folder as one GGUF file, with weights in blocks of 8 bits.

Everything that an engine needs to tokenise and stop as the trained model did is rebuilt from the folder: the pieces, their
scores or merges, the kinds of tokens, the way words are cut, stop ids, the chat template. The file has the same bytes each
time; nothing of the machine or the hour is in it.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from septet.core import ConfigError, MissingExtra, Run
from septet.files import read_json
from septet.kinds import Model
from septet.model import families, sizing
from septet.model.folder import carry, changed, refuse_carried
from septet.model.words import PATTERNS

if TYPE_CHECKING:
    from gguf import GGMLQuantizationType, GGUFWriter

_BLOCK = 32
_GROUP_ROWS = 1 << 10
"""Rows quantised at once: the package works on 16, too few when a row is one token's embedding."""
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_NO_SCORE = -1000.0


def export(model: Model, format: str, run: Run) -> None:
    """Write model.gguf and the files that every form of a model carries.

    Raises ConfigError for an architecture or a tokenizer that GGUF, as it is read here, has no name for.
    """
    try:
        import torch
        from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType
        from safetensors import safe_open
    except ModuleNotFoundError as error:
        raise MissingExtra(error.name or "gguf", "models") from error
    model.check()
    if model.form != "safetensors":
        raise ConfigError("this model is GGUF already", "Quantise the safetensors form")
    refuse_carried(model.path)
    config = read_json(model.path / "config.json")
    family = families.of_config(config)
    kind = {"q8_0": GGMLQuantizationType.Q8_0, "f16": GGMLQuantizationType.F16}[format]
    writer = GGUFWriter(run.out / "model.gguf", family.gguf)
    writer.add_name(model.card["name"])
    writer.add_license(model.card["licence"])
    for key, value in families.gguf_metadata(family, config).items():
        add = writer.add_uint32 if isinstance(value, int) else writer.add_float32
        add(f"{family.gguf}.{key}", value)
    writer.add_file_type(LlamaFileType.MOSTLY_Q8_0 if format == "q8_0" else LlamaFileType.MOSTLY_F16)
    writer.add_quantization_version(2)
    _add_tokenizer(writer, model.path, int(config["vocab_size"]))

    files = sorted(model.path.glob("*.safetensors"))
    where = {}
    for file in files:
        with safe_open(file, "pt") as source:
            where.update(dict.fromkeys(source.keys(), file))
    for done, name in enumerate(sorted(where), 1):
        with safe_open(where[name], "pt") as source:
            array = source.get_tensor(name).to(torch.float32).numpy()
        short = families.gguf_name(family, name)
        data, stored = pack(families.to_gguf(family, short, array, config), kind)
        writer.add_tensor(short, data, raw_dtype=stored)
        run.progress(done, len(where), "tensors")
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    carry(model.path, run.out, changed(model.card, f"converted to GGUF, weights in {format}"))
    before = sum(file.stat().st_size for file in files)
    after = (run.out / "model.gguf").stat().st_size
    run.note(f"{sizing.spoken(before)} -> {sizing.spoken(after)}")


def pack(array: np.ndarray, kind: GGMLQuantizationType) -> tuple[np.ndarray, GGMLQuantizationType]:
    """A tensor's bytes as GGUF keeps them. Vectors stay float32; rows that are no multiple of 32 become float16."""
    from gguf import GGMLQuantizationType
    from gguf.quants import quantize

    array = np.ascontiguousarray(array, dtype=np.float32)
    if array.ndim < 2:
        return array, GGMLQuantizationType.F32
    if kind == GGMLQuantizationType.F16 or array.shape[-1] % _BLOCK:
        return array.astype(np.float16), GGMLQuantizationType.F16
    rows, columns = array.shape
    group = _GROUP_ROWS if rows % _GROUP_ROWS == 0 else 1
    packed = quantize(array.reshape(rows // group, group * columns), kind)
    return packed.reshape(rows, -1), kind


def _add_tokenizer(writer: GGUFWriter, folder: Path, size: int) -> None:
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    model = content["model"]
    if model.get("type") != "BPE":
        raise ConfigError(
            f"the tokenizer is of the kind {model.get('type')}", "BPE has a GGUF form here; serve the safetensors form"
        )
    added = {token["id"]: token for token in content["added_tokens"]}
    names = {index: token for token, index in model["vocab"].items()} | {
        i: token["content"] for i, token in added.items()
    }
    if max(names) >= size:
        raise ConfigError(
            f"the tokenizer has ids up to {max(names)}, the model {size} embeddings", "Make them fit each other"
        )
    tokens = [names.get(index, f"[UNUSED{index}]") for index in range(size)]
    merges = [merge if isinstance(merge, list) else merge.split(" ", 1) for merge in model["merges"]]
    if model.get("byte_fallback"):
        _add_sentencepiece(writer, content, tokens, merges, added)
    else:
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre(_way_of_cutting(content))
        writer.add_token_list(tokens)
        writer.add_token_merges([f"{left} {right}" for left, right in merges])
    from gguf import TokenType

    unknown = model.get("unk_token")
    kinds = [TokenType.NORMAL if index in names else TokenType.UNUSED for index in range(size)]
    for index, token in enumerate(tokens):
        if index in added:
            kinds[index] = TokenType.CONTROL if added[index]["special"] else TokenType.USER_DEFINED
        elif model.get("byte_fallback") and _BYTE.fullmatch(token):
            kinds[index] = TokenType.BYTE
        if unknown is not None and token == unknown:
            kinds[index] = TokenType.UNKNOWN
    writer.add_token_types(kinds)
    _add_special_ids(writer, folder, tokens, unknown)
    writer.add_chat_template((folder / "chat_template.jinja").read_text(encoding="utf-8"))


def _add_sentencepiece(
    writer: GGUFWriter, content: dict[str, Any], tokens: list[str], merges: list[list[str]], added: dict[int, Any]
) -> None:
    """A piece's score is the rank of the first merge that makes it, negative: the best score is merged first."""
    steps = [content["normalizer"], *((content["normalizer"] or {}).get("normalizers") or [])]
    kinds = {step["type"] for step in steps if step} - {"Sequence"}
    if not kinds <= {"Prepend", "Replace"}:
        raise ConfigError(
            f"the tokenizer changes text by {', '.join(sorted(kinds))}",
            "Its GGUF form would be wrong; serve the safetensors form",
        )
    ranks: dict[str, int] = {}
    for rank, (left, right) in enumerate(merges):
        ranks.setdefault(left + right, rank)
    last = float(len(merges))
    scores = [-float(ranks.get(token, last)) for token in tokens]
    for index in added:
        scores[index] = _NO_SCORE
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores(scores)
    writer.add_add_space_prefix("Prepend" in kinds)


def _way_of_cutting(content: dict[str, Any]) -> str:
    """llama.cpp's name for how the tokenizer cuts words before it merges."""
    first = content["pre_tokenizer"] or {}
    steps = first.get("pretokenizers") or [first]
    level = next((step for step in steps if step.get("type") == "ByteLevel"), None)
    normal = (content["normalizer"] or {}).get("type")
    if level is None or level.get("add_prefix_space") or normal not in (None, "NFC"):
        raise ConfigError(
            "the tokenizer is not a plain byte-level one", "Its GGUF form would be wrong; serve the safetensors form"
        )
    splits = [step["pattern"].get("Regex") for step in steps if step.get("type") == "Split"]
    wanted = PATTERNS["gpt-2"] if not splits and level.get("use_regex") else splits[0] if len(splits) == 1 else None
    for name, pattern in PATTERNS.items():
        if wanted == pattern:
            return name
    raise ConfigError(
        "the tokenizer cuts words in a way that has no name in GGUF", f"Train it with one of: {', '.join(PATTERNS)}"
    )


def _add_special_ids(writer: GGUFWriter, folder: Path, tokens: list[str], unknown: str | None) -> None:
    defaults = read_json(folder / "generation_config.json")
    stops = defaults["eos_token_id"]
    writer.add_eos_token_id(stops[0])
    if len(stops) > 1:
        writer.add_eot_token_id(stops[1])
    if defaults.get("bos_token_id") is not None:
        writer.add_bos_token_id(defaults["bos_token_id"])
    writer.add_pad_token_id(defaults["pad_token_id"])
    if unknown is not None and unknown in tokens:
        writer.add_unk_token_id(tokens.index(unknown))
    writer.add_add_bos_token(defaults.get("bos_token_id") is not None)
    writer.add_add_eos_token(False)
