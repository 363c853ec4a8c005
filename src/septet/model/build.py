"""Filling a model folder: from sizes, from a GGUF file, from a Hugging Face folder."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from septet.core import ConfigError, Run
from septet.files import read_json, write_json
from septet.model import architecture, ctranslate, shapes, sizing
from septet.model import folder as folders
from septet.model import speech as speeches
from septet.model.codec import token_name
from septet.model.sources import Found, copy_terms

if TYPE_CHECKING:
    from septet.model.steps import Decoder, Encoder, EncoderDecoder, Image, Load, Speech

_FOLDER_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "preprocessor_config.json",
)


def decoder(config: Decoder, tokenizer: Path, run: Run) -> None:
    """A decoder with random weights. Raises ConfigError for sizes that do not fit each other."""
    top, named = _take_tokenizer(tokenizer, run)
    if named["eos"] is None:
        raise ConfigError(
            "the tokenizer has no eos_token, so nothing could end an answer", "Name eos_token in tokenizer_config.json"
        )
    _write(config.name, "model.decoder", config.seed, shapes.decoder(config, top, named), run)


def encoder(config: Encoder, tokenizer: Path, run: Run) -> None:
    """An encoder with random weights. Raises ConfigError for sizes that do not fit each other."""
    top, named = _with_mask(*_take_tokenizer(tokenizer, run))
    _write(config.name, "model.encoder", config.seed, shapes.encoder(config, top, named), run)


def encoder_decoder(config: EncoderDecoder, tokenizer: Path, run: Run) -> None:
    """An encoder-decoder with random weights. Raises ConfigError for sizes that do not fit each other."""
    top, named = _take_tokenizer(tokenizer, run)
    for role in ("eos", "pad"):
        if named[role] is None:
            raise ConfigError(
                f"the tokenizer has no {role}_token, which an encoder-decoder needs",
                f"Name {role}_token in tokenizer_config.json",
            )
    if config.kind == "t5":
        top += config.sentinels
    else:
        top, named = _with_mask(top, named)
    _write(config.name, "model.encoder_decoder", config.seed, shapes.encoder_decoder(config, top, named), run)


def speech(config: Speech, tokenizer: Path, run: Run) -> None:
    """A speech model with random weights. Raises ConfigError for sizes that do not fit each other."""
    top, named = _take_tokenizer(tokenizer, run)
    if named["eos"] is None:
        raise ConfigError("the tokenizer has no eos_token, so nothing could end a transcript", "Name eos_token in it")
    starts = speeches.add_starts(run.out, top)
    speeches.write_preprocessor(run.out, config.mels, config.seconds)
    _write(config.name, "model.speech", config.seed, speeches.shape(config, named, starts), run)


def image(config: Image, tokenizer: Path, run: Run) -> None:
    """A model that draws, with random weights. Raises ConfigError for sizes that do not fit each other."""
    from septet.model import painter as painters

    top, _ = _take_tokenizer(tokenizer, run)
    shape = painters.shape(config, top)
    painter = painters.new_painter(shape, config.seed)
    painters.write_painter(painter, shape, run.out)
    _card(config.name, "model.image", painters.num_parameters(painter), config.caption, run)


def _take_tokenizer(tokenizer: Path, run: Run) -> tuple[int, dict[str, int | None]]:
    """Copy its files. Returns the size of its vocabulary, and the ids of its special tokens by role."""
    for name in ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja"):
        if (tokenizer / name).is_file():
            shutil.copyfile(tokenizer / name, run.out / name)
    ids = folders.token_ids(run.out)
    settings = read_json(run.out / "tokenizer_config.json")
    roles = ("bos", "eos", "pad", "mask")
    return max(ids.values()) + 1, {role: ids.get(token_name(settings.get(f"{role}_token"))) for role in roles}


def _with_mask(top: int, named: dict[str, int | None]) -> tuple[int, dict[str, int | None]]:
    """The first id above the vocabulary stands for the mask where the tokenizer has none."""
    return (top + 1, {**named, "mask": top}) if named["mask"] is None else (top, named)


def _write(name: str, source: str, seed: int, shape: dict[str, Any], run: Run) -> None:
    from septet.model.torch_folder import new_module, write_module

    module = new_module(shape, seed)
    write_module(module.state_dict(), shape, run.out, "float32")
    text = architecture.kind(shape) != architecture.SPEECH
    total = sizing.num_parameters(shape) if text else sum(one.numel() for one in module.parameters())
    _card(name, source, total, architecture.context(shape), run)


def _card(name: str, source: str, total: int, context: int | None, run: Run) -> None:
    folders.complete(
        run.out,
        {
            "name": name,
            "licence": "own",
            "terms": [],
            "source": source,
            "parameters": total,
            "context": context,
            "changes": [],
        },
    )
    need = sizing.spoken(sizing.training_bytes(total, total, "float32"))
    run.note(f"{name}: {total / 1e6:.1f} million parameters; training takes about {need} and activations")


def loaded(config: Load, found: Found, run: Run) -> None:
    """Weights that were found, as a complete model folder. Raises ConfigError when they cannot be read."""
    if found.path.suffix == ".gguf":
        facts = _from_gguf(config, found, run)
    elif config.form == "gguf":
        raise ConfigError("this source has no GGUF file", "Load it as safetensors, and use compress.quantise")
    elif (found.path / ctranslate.WEIGHTS).is_file():
        facts = ctranslate.write_folder(found.path, run)
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
    if architecture.kind(config) == architecture.SPEECH and not (run.out / "preprocessor_config.json").is_file():
        raise ConfigError(f"{found.path} holds no preprocessor_config.json", "It says how sound is read: save it too")
    if architecture.kind(config) != architecture.DECODER and "mask_token_id" not in config:
        mask = folders.token_ids(run.out).get(token_name(_settings(run.out).get("mask_token")))
        if mask is not None:
            write_json(run.out / "config.json", {**config, "mask_token_id": mask})
    named = config.get("_name_or_path", "")
    return {"name": named, "parameters": total, "context": architecture.context(config), "changes": []}


def _settings(folder: Path) -> dict[str, Any]:
    return dict(read_json(folder / "tokenizer_config.json"))


def _product(shape: tuple[int, ...] | list[int]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total
