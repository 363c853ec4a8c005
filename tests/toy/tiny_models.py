"""Models of a few thousand weights, made in under a second: every family, both kinds of tokenizer."""

from __future__ import annotations

import http.client
import json
import socket
import tempfile
from pathlib import Path

from septet.core import Run
from septet.kinds import Model, Tokenizer
from septet.model import folder as folders
from septet.model.steps import Decoder, decoder
from septet.model.words import PATTERNS

TEXTS = (
    "The plain card costs 12 dollars a year. The first year is free, and the second is not.",
    "普通卡的年费是一百二十元，首年免收；金卡的年费是三百六十元。",
    "Question: what does the card cost? Answer: 12 dollars. 问题：年费是多少？答案：一百二十元。",
)


def byte_tokenizer(folder: Path, size: int = 400, way: str = "qwen2") -> Tokenizer:
    """A byte-level BPE trained on a few sentences."""
    from tokenizers import Regex, decoders, models, pre_tokenizers, trainers
    from tokenizers import Tokenizer as Library

    library = Library(models.BPE())
    split = pre_tokenizers.Split(Regex(PATTERNS[way]), "isolated")
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    library.pre_tokenizer = pre_tokenizers.Sequence([split, level])
    library.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = ["<|pad|>", "<|begin|>", "<|end|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    library.train_from_iterator(TEXTS * 3, trainer)
    return _written(library, folder, special)


def piece_tokenizer(folder: Path, size: int = 700) -> Tokenizer:
    """A BPE over pieces with bytes to fall back on, as SentencePiece makes them."""
    from tokenizers import Tokenizer as Library
    from tokenizers import decoders, models, normalizers, trainers

    library = Library(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    library.normalizer = normalizers.Sequence([normalizers.Replace(" ", "▁")])
    library.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    special = ["<pad>", "<bos>", "<eos>", "<unk>"]
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=[*special, *(f"<0x{byte:02X}>" for byte in range(256))], show_progress=False
    )
    library.train_from_iterator(TEXTS * 3, trainer)
    made = _written(library, folder, special)
    # The trainer knows special tokens only; the bytes are ordinary pieces.
    content = json.loads((folder / "tokenizer.json").read_text("utf-8"))
    content["added_tokens"] = [token for token in content["added_tokens"] if token["content"] in special]
    (folder / "tokenizer.json").write_text(json.dumps(content, ensure_ascii=False), "utf-8")
    return made


def llama(folder: Path, tokenizer: Tokenizer | None = None, **sizes: int) -> Model:
    """A Llama of two layers."""
    tokenizer = tokenizer or byte_tokenizer(folder.with_name(folder.name + "-tokenizer"))
    wanted = {
        "layers": 2,
        "width": 64,
        "heads": 4,
        "kv_heads": 2,
        "feed_forward": 96,
        "context": 256,
        "seed": 3,
    } | sizes
    return decoder(Decoder(**wanted), tokenizer, Run(folder))


def family(folder: Path, model_type: str, tokenizer: Tokenizer) -> Model:
    """A model of another family, with weights that are not symmetric, so that a swapped layout shows."""
    import torch

    from septet.model.torch_folder import new_module, write_module

    folder.mkdir(parents=True)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (folder / name).write_bytes((tokenizer.path / name).read_bytes())
    ids = folders.token_ids(folder)
    shape = {
        "model_type": model_type,
        "vocab_size": max(ids.values()) + 1,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 6,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "max_position_embeddings": 256,
        "rms_norm_eps": 1e-06,
        "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0},
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
    }
    if model_type == "gemma3_text":
        kinds = ["sliding_attention"] * 5 + ["full_attention"]
        rope = {
            kind: {"rope_type": "default", "rope_theta": theta}
            for kind, theta in zip(kinds[4:], (1e4, 1e6), strict=True)
        }
        shape |= {"sliding_window": 32, "query_pre_attn_scalar": 16, "layer_types": kinds, "rope_parameters": rope}
        shape |= {"hidden_activation": "gelu_pytorch_tanh"}
    module = new_module(shape, 5)
    chance = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(torch.randn(weight.shape, generator=chance) * 0.05)
    write_module(module.state_dict(), shape, folder, "float32")
    folders.complete(folder, {"name": model_type, "licence": "own", "context": 256, "changes": []})
    return Model(folder)


def ids_by_llama_cpp(xllamacpp: object, model: Model, texts: list[str]) -> list[list[int]]:
    """The ids that llama.cpp's own tokenizer makes of some texts, asked over its server's socket."""
    settings = xllamacpp.CommonParams()
    settings.model.path = str(model.path / "model.gguf")
    settings.n_ctx, settings.n_parallel, settings.verbosity, settings.warmup = 64, 1, -1, False
    ids = []
    with tempfile.TemporaryDirectory(prefix="s-") as folder:  # a socket's path must be short
        settings.hostnames = [f"{folder}/s.sock"]
        server = xllamacpp.Server(settings)
        server.handle_completions({"prompt": [0], "n_predict": 0})  # its loop has begun, or it would never end
        for text in texts:
            connection = http.client.HTTPConnection("localhost", timeout=10)
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(10)
            connection.sock.connect(f"{folder}/s.sock")
            body = json.dumps({"content": text, "add_special": False, "parse_special": True})
            connection.request("POST", "/tokenize", body, {"Content-Type": "application/json"})
            ids.append(json.loads(connection.getresponse().read())["tokens"])
            connection.close()
        del server
    return ids


def _written(library: object, folder: Path, special: list[str]) -> Tokenizer:
    folder.mkdir(parents=True, exist_ok=True)
    library.save(str(folder / "tokenizer.json"))
    pad, begin, end = special[:3]
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": pad, "bos_token": begin, "eos_token": end}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), "utf-8")
    return Tokenizer(folder)
