"""Filling a model folder: from sizes, from a GGUF file, from a Hugging Face folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError, Run
from septet.kinds import read_json
from septet.model import folder as folders
from septet.model import sizing
from septet.model.codec import token_name
from septet.model.sources import Found, copy_terms

if TYPE_CHECKING:
    from septet.model.steps import Decoder, Load

_FOLDER_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
)


def decoder(config: Decoder, tokenizer: Path, run: Run) -> None:
    """A Llama-type model with random weights. Raises ConfigError for sizes that do not fit each other."""
    from septet.model.torch_folder import new_module, write_module

    kv_heads = config.kv_heads or config.heads
    if config.width % config.heads or (config.width // config.heads) % 2:
        raise ConfigError(
            f"a width of {config.width} does not split into {config.heads} heads of even width", "Change width or heads"
        )
    if config.heads % kv_heads:
        raise ConfigError(
            f"{config.heads} heads cannot share {kv_heads} key and value heads", "Let kv_heads divide heads"
        )
    if config.width % 32 or config.feed_forward % 32:
        raise ConfigError("width and feed_forward must be multiples of 32", "Quantised weights come in blocks of 32")
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"):
        if (tokenizer / name).is_file():
            shutil.copyfile(tokenizer / name, run.out / name)
    ids = folders.token_ids(run.out)
    settings = read_json(run.out / "tokenizer_config.json")
    named = {role: ids.get(token_name(settings.get(f"{role}_token"))) for role in ("bos", "eos", "pad")}
    if named["eos"] is None:
        raise ConfigError(
            "the tokenizer has no eos_token, so nothing could end an answer", "Name eos_token in tokenizer_config.json"
        )
    shape: dict[str, Any] = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": max(ids.values()) + 1,
        "hidden_size": config.width,
        "intermediate_size": config.feed_forward or -(-config.width * 8 // 3 // 32) * 32,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.heads,
        "num_key_value_heads": kv_heads,
        "head_dim": config.width // config.heads,
        "hidden_act": "silu",
        "max_position_embeddings": config.context,
        "rms_norm_eps": 1e-05,
        "rope_parameters": {"rope_type": "default", "rope_theta": config.rope_theta},
        "tie_word_embeddings": True,
        "bos_token_id": named["bos"],
        "eos_token_id": named["eos"],
        "pad_token_id": named["pad"],
    }
    module = new_module(shape, config.seed)
    write_module(module.state_dict(), shape, run.out, "float32")
    total = sizing.num_parameters(shape)
    folders.complete(
        run.out,
        {
            "name": config.name,
            "licence": "own",
            "terms": [],
            "source": "model.decoder",
            "parameters": total,
            "context": config.context,
            "changes": [],
        },
    )
    need = sizing.spoken(sizing.training_bytes(total, total, "float32"))
    run.note(f"{config.name}: {total / 1e6:.1f} million parameters; training takes about {need} and activations")


def loaded(config: Load, found: Found, run: Run) -> None:
    """Weights that were found, as a complete model folder. Raises ConfigError when they cannot be read."""
    if found.path.suffix == ".gguf":
        facts = _from_gguf(config, found, run)
    elif config.form == "gguf":
        raise ConfigError("this source has no GGUF file", "Load it as safetensors, and use compress.quantise")
    else:
        facts = _from_folder(found, run)
    known = found.known
    licence = config.licence or (known.licence if known else "") or facts.get("licence", "")
    terms = copy_terms(found, run.out / folders.TERMS)
    card = {
        "name": config.name or (known.name if known else "") or facts.get("name") or "unnamed",
        "licence": licence or "not stated",
        "terms": terms,
        "terms_address": known.terms if known else "",
        "source": found.source,
        "sha256": found.sha256,
        "revision": found.revision,
        "parameters": facts["parameters"],
        "context": facts["context"],
        "changes": facts["changes"],
    }
    folders.complete(run.out, card)
    where = f"; terms: {card['terms_address'] or ', '.join(terms)}" if terms or card["terms_address"] else ""
    run.note(f"{card['name']}: {facts['parameters'] / 1e6:.0f} million parameters, licence: {card['licence']}{where}")
    if not licence:
        run.note("nothing in the source says under which licence the weights may be used: set licence once you know")


def _from_gguf(config: Load, found: Found, run: Run) -> dict[str, Any]:
    from septet.model.gguf_file import GgufFile
    from septet.model.gguf_import import write_folder
    from septet.model.gguf_tokenizer import write_tokenizer

    file = GgufFile(found.path)
    template = file.get("tokenizer.chat_template")
    if template:
        (run.out / "chat_template.jinja").write_text(template, encoding="utf-8")
    if config.form == "gguf":
        write_tokenizer(file, run.out)
        shutil.copyfile(found.path, run.out / "model.gguf")
        total = sum(_product(info.shape) for info in file.tensors)
        changes = []
    else:
        total = write_folder(file, run.out, run)
        changes = ["converted from GGUF to safetensors in bfloat16"]
    return {
        "name": file.get("general.name"),
        "licence": file.get("general.license", ""),
        "parameters": total,
        "context": file.get("{arch}.context_length"),
        "changes": changes,
    }


def _from_folder(found: Found, run: Run) -> dict[str, Any]:
    from safetensors import SafetensorError, safe_open

    for name in _FOLDER_FILES:
        if (found.path / name).is_file():
            shutil.copyfile(found.path / name, run.out / name)
    config = read_json(run.out / "config.json")
    if "auto_map" in config:
        raise ConfigError(
            f"the model in {found.path} wants to run code of its own (auto_map in config.json)",
            "Use a model of a standard architecture",
        )
    if not (run.out / "tokenizer.json").is_file():
        raise ConfigError(
            f"{found.path} holds no tokenizer.json", "Save its tokenizer with the tokenizers library first"
        )
    total = 0
    for file in [*sorted(found.path.glob("*.safetensors")), *found.path.glob("*.safetensors.index.json")]:
        shutil.copyfile(file, run.out / file.name)
        if file.suffix == ".safetensors":
            try:
                with safe_open(file, "numpy") as weights:
                    total += sum(_product(weights.get_slice(name).get_shape()) for name in weights.keys())  # noqa: SIM118
            except SafetensorError as error:
                raise ConfigError(f"{file.name} is broken: {error}", "Fetch it again") from error
    context = config.get("max_position_embeddings")
    return {"name": config.get("_name_or_path", ""), "parameters": total, "context": context, "changes": []}


def _product(shape: tuple[int, ...] | list[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
