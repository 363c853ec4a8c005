"""What every model folder carries beside its weights, so that it is used as it was tested.

`chat_template.jinja`, `generation_config.json` (stop ids and defaults), `golden.json` (conversations with the text and
the token ids that they must give, wherever the model runs) and `model_card.json` (name, licence, terms, source).
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from septet.core import ConfigError
from septet.files import read_json, write_json
from septet.kinds import Adapter
from septet.model import architecture
from septet.model.codec import Codec, token_name
from septet.model.template import PLAIN, grounded_messages

CARRIED = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
    "generation_config.json",
    "golden.json",
    "preprocessor_config.json",
)
TERMS = "terms"
ADAPTER = "adapter"
"""The folder inside a model's in which it carries an adapter."""
"""The folder for the licence texts that must go along with the weights."""
_A = {
    architecture.ENCODER: "an encoder",
    architecture.ENCODER_DECODER: "an encoder-decoder",
    architecture.SPEECH: "a speech model",
    architecture.PAINTER: "a model that draws",
}
_TURN_ENDS = ("<end_of_turn>", "<|im_end|>", "<|eot_id|>", "<|end|>", "<|endoftext|>")
_MAX_NEW_TOKENS = 128

_GOLDEN: tuple[tuple[str, str, list[dict[str, str]]], ...] = (
    (
        "zh",
        "普通卡的年费是多少？",
        [{"title": "收费标准", "text": "普通卡年费为 120 元，首年免收。\n金卡年费为 360 元。"}],
    ),
    (
        "en",
        "What is the annual fee of the plain card?",
        [{"title": "Fees", "text": "The plain card costs $12 a year; the first year is free."}],
    ),
    ("en", "Can I forge a turn with <eos> or <|im_end|>?", []),
    ("zh", "ＡＢＣ、éß 和 🙂 怎么切分？", [{"title": "", "text": "混排 mixed text: 3.14％，“引号”，emoji 👩‍💻。"}]),
)


def complete(folder: Path, card: Mapping[str, Any]) -> None:
    """Add to a folder with tokenizer and config.json what it lacks: template, generation defaults, golden prompts, card.

    What holds no conversation (an encoder, a speech model, one that draws) gets its card alone.
    """
    config = _optional(folder / "config.json")
    if architecture.kind(config) not in (architecture.DECODER, architecture.ENCODER_DECODER):
        write_json(folder / "model_card.json", card)
        return
    settings = read_json(folder / "tokenizer_config.json")
    if not (folder / "chat_template.jinja").is_file():
        (folder / "chat_template.jinja").write_text(
            _named_template(settings.pop("chat_template", None)), encoding="utf-8"
        )
    settings.pop("chat_template", None)
    write_json(folder / "tokenizer_config.json", settings)
    write_json(folder / "generation_config.json", _generation(folder))
    write_json(folder / "golden.json", golden(Codec(folder)))
    write_json(folder / "model_card.json", card)


def check_chats(folder: Path) -> None:
    """Raise ConfigError for a model that cannot continue a conversation, but reads, hears or draws."""
    found = architecture.kind(_optional(folder / "config.json"))
    if found != architecture.DECODER:
        raise ConfigError(
            f"{folder} holds {_A[found]}, which continues no conversation",
            "Chats and releases want a decoder: model.decoder makes one, model.load brings one in",
        )


def carry(source: Path, folder: Path, card: Mapping[str, Any]) -> None:
    """Take over from another model's folder all that does not depend on the weights, with a new card."""
    for name in CARRIED:
        if (source / name).is_file():
            shutil.copyfile(source / name, folder / name)
    if (source / TERMS).is_dir():
        shutil.copytree(source / TERMS, folder / TERMS)
    write_json(folder / "model_card.json", card)


def carried(folder: Path) -> Adapter | None:
    """The adapter that the model in a folder carries."""
    return Adapter(folder / ADAPTER) if (folder / ADAPTER).is_dir() else None


def refuse_carried(folder: Path) -> None:
    """Raises ConfigError for a model that carries an adapter: its weights alone are not what it says."""
    if (folder / ADAPTER).is_dir():
        raise ConfigError(
            "this model carries an adapter, and its weights alone are not the whole of it",
            "Merge the adapter into the model (compress.merge), or use the model without it",
        )


def changed(card: Mapping[str, Any], change: str) -> dict[str, Any]:
    """A card with one more line in `changes`, which several licences ask for."""
    return {**card, "changes": [*card.get("changes", []), change]}


def golden(codec: Codec) -> list[dict[str, Any]]:
    """The golden prompts as this folder makes them: messages, text, ids."""
    made = []
    for language, question, contexts in _GOLDEN:
        messages = grounded_messages(question, contexts, language).messages
        made.append(
            {"messages": list(messages), "text": codec.render(messages), "ids": list(codec.prompt(messages).ids)}
        )
    return made


def check_golden(codec: Codec) -> None:
    """Raise ConfigError when tokenizer and template do not give the golden prompts any more."""
    for number, kept in enumerate(read_json(codec.folder / "golden.json"), 1):
        if list(codec.prompt(kept["messages"]).ids) != kept["ids"]:
            raise ConfigError(
                f"{codec.folder}: golden prompt {number} gives other token ids than when the model was made",
                "Tokenizer or chat template were changed, or the tokenizers library reads them differently",
            )


def _generation(folder: Path) -> dict[str, Any]:
    given = _optional(folder / "generation_config.json")
    config = _optional(folder / "config.json")
    settings = read_json(folder / "tokenizer_config.json")
    template = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    ids = token_ids(folder)
    names = [token_name(settings.get("eos_token")), *(name for name in _TURN_ENDS if name in template)]
    stops = {ids[name] for name in names if name in ids}
    for value in (given.get("eos_token_id"), config.get("eos_token_id")):
        stops.update([] if value is None else [value] if isinstance(value, int) else value)
    if not stops:
        raise ConfigError(f"{folder} names no token that ends an answer", "Set eos_token in tokenizer_config.json")
    pad = ids.get(token_name(settings.get("pad_token")))
    start = config.get("decoder_start_token_id")
    return {
        **({} if start is None else {"decoder_start_token_id": start}),
        "bos_token_id": ids.get(token_name(settings.get("bos_token"))),
        "eos_token_id": sorted(stops),
        "pad_token_id": pad if pad is not None else min(stops),
        "do_sample": False,
        "max_new_tokens": _MAX_NEW_TOKENS,
    }


def token_ids(folder: Path) -> dict[str, int]:
    """Every token of a folder's tokenizer.json, added ones included, with its id."""
    content = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    ids: dict[str, int] = dict(content["model"]["vocab"])
    ids.update((token["content"], token["id"]) for token in content["added_tokens"])
    return ids


def _optional(path: Path) -> dict[str, Any]:
    return dict(read_json(path)) if path.is_file() else {}


def _named_template(value: Any) -> str:
    if isinstance(value, list):
        value = next((one["template"] for one in value if one.get("name") == "default"), None)
    return value if isinstance(value, str) and value else PLAIN
