"""`septet model table` and `septet model size CONFIG`: which family for what, and what a size costs before it is made."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from septet.cli.common import size, table, terminal_language
from septet.core import ConfigError


def arguments(parser: argparse.ArgumentParser) -> None:
    whats = parser.add_subparsers(dest="what", metavar="WHAT", required=True)
    listed = whats.add_parser("table", help="the families of models, and what each is for")
    sized = whats.add_parser("size", help="parameters, operations, memory and token budgets of a model")
    sized.add_argument("config", type=Path, metavar="CONFIG", help="a config.json, or the folder of a model")
    sized.add_argument("--batch", type=int, default=8, help="texts of a step on each shard (default: 8)")
    sized.add_argument("--sequence", type=int, default=512, help="tokens of a text (default: 512)")
    sized.add_argument("--precision", default="bfloat16", choices=("bfloat16", "float32"), help="default: bfloat16")
    sized.add_argument(
        "--checkpointing", action="store_true", help="compute each layer once more instead of keeping it"
    )
    sized.add_argument("--trained", default="all", metavar="all|lora:RANK", help="what is trained (default: all)")
    sized.add_argument("--shards", type=int, default=1, metavar="N", help="processes that share the model (default: 1)")
    sized.add_argument(
        "--zero", type=int, default=0, choices=range(4), help="what they divide: ZeRO's stage (default: 0)"
    )
    sized.add_argument(
        "--context", type=int, help="tokens of the cache of keys and values (default: the model's context)"
    )
    sized.add_argument("--cache-batch", type=int, default=1, metavar="N", help="texts of that cache (default: 1)")
    sized.add_argument(
        "--inference-tokens",
        type=float,
        default=0.0,
        metavar="N",
        help="tokens to be read and written in use (default: 0)",
    )
    for one in (listed, sized):
        one.add_argument("--language", choices=("zh", "en"), help="default: that of the terminal")
        one.add_argument("--json", action="store_true", help="print all as JSON")


def run(given: argparse.Namespace) -> int:
    language = given.language or terminal_language()
    if given.what == "table":
        from septet.model import table as families

        rows = families.rows(language)
        if given.json:
            print(json.dumps(rows, ensure_ascii=False, indent=1))
        else:
            print(table([list(row.values()) for row in rows], families.HEADS[language]))
        return 0
    from septet.model import architecture, memory
    from septet.model.report import config_at, report

    config = config_at(given.config)
    layout = memory.Layout(
        batch=given.batch,
        sequence=given.sequence,
        precision=given.precision,
        checkpointing=given.checkpointing,
        rank=_rank(given.trained),
        shards=given.shards,
        zero=given.zero,
    )
    context = given.context or architecture.context(config) or given.sequence
    found = report(config, layout, context, given.cache_batch, given.inference_tokens)
    print(json.dumps(found, ensure_ascii=False, indent=1) if given.json else _spoken(found, language))
    return 0


def _rank(trained: str) -> int:
    kind, _, rank = trained.partition(":")
    if trained == "all":
        return 0
    if kind == "lora" and rank.isdigit() and int(rank):
        return int(rank)
    raise ConfigError(f"'{trained}' is no way to train", "Give all, or lora:RANK, such as lora:8")


_WORDS: dict[str, dict[str, Any]] = {
    "en": {
        "parameters": "parameters",
        "active": "passed by a token",
        "trained": "trained",
        "by_torch": "counted on torch's meta device and by formula",
        "by_formula": "by formula",
        "apart": "torch counts these; the formula says {}",
        "forward": "operations a token, forwards",
        "training": "operations a token, training",
        "without": "{} without attention, texts of {} tokens",
        "weights": "weights",
        "gradients": "gradients",
        "optimiser": "optimiser",
        "activations": "activations",
        "activations_note": "{} x {} tokens, {}",
        "loss": "logits of the loss",
        "peak": "peak of training",
        "peak_note": "of tensors; gradients come as activations go",
        "resident": "process on a CPU",
        "resident_note": "with what the heap keeps",
        "sharded": "on each of {} shards, ZeRO {}",
        "cache": "keys and values",
        "cache_note": "{} x {} tokens",
        "budgets": "Token budgets: a loss of the published formula, FLOPs of training and of {} tokens in use",
        "heads": ("budget", "parameters", "tokens", "loss", "training", "in all", "source"),
        "chinchilla": "20 tokens a parameter",
        "formula": "Hoffmann, approach 3",
        "inference": "same loss as the first, cheapest with use",
        "fits": "The formulas were fitted to English web text at 70 million to 16 billion parameters.",
        "estimate": "This family is not known to the formulas: operations and memory take it for Llama's type.",
    },
    "zh": {
        "parameters": "参数量",
        "active": "每个词元经过的参数",
        "trained": "被训练的参数",
        "by_torch": "由 torch 的 meta 设备和公式分别计数",
        "by_formula": "由公式计算",
        "apart": "由 torch 计数；公式得 {}",
        "forward": "每词元运算量，前向",
        "training": "每词元运算量，训练",
        "without": "不含注意力为 {}，文本长 {} 个词元",
        "weights": "权重",
        "gradients": "梯度",
        "optimiser": "优化器",
        "activations": "激活值",
        "activations_note": "{} × {} 个词元，{}",
        "loss": "损失的 logits",
        "peak": "训练峰值",
        "peak_note": "张量合计；激活值释放时梯度才产生",
        "resident": "CPU 上的进程",
        "resident_note": "含堆中保留的内存",
        "sharded": "{} 个分片各自所占，ZeRO {}",
        "cache": "键值缓存",
        "cache_note": "{} × {} 个词元",
        "budgets": "词元预算：损失按已发表的公式，FLOPs 含训练和使用时的 {} 个词元",
        "heads": ("预算", "参数量", "词元数", "损失", "训练", "合计", "出处"),
        "chinchilla": "每参数 20 个词元",
        "formula": "Hoffmann 方法三",
        "inference": "与第一行损失相同，连同使用最省",
        "fits": "公式由 7000 万至 160 亿参数的模型在英文网页文本上拟合。",
        "estimate": "公式不认识这一族：运算量和内存按 Llama 类型估算。",
    },
}


def _spoken(found: dict[str, Any], language: str) -> str:
    words, held, layout, cache = _WORDS[language], found["memory"], found["layout"], found["cache"]
    note = words["by_torch" if found["counted_by_torch"] else "by_formula"]
    if found["parameters"] != found["parameters_by_formula"]:
        note = words["apart"].format(f"{found['parameters_by_formula']:,}")
    rows = [(words["parameters"], f"{found['parameters']:,}", note)]
    for key in ("active", "trained"):
        if found[key] != found["parameters"]:
            rows.append((words[key], f"{found[key]:,}", ""))
    for key in ("forward", "training"):
        whole, scores = found["flops"][key], found["flops"][f"{key}_attention"]
        rows.append((words[key], _short(whole), words["without"].format(_short(whole - scores), layout["sequence"])))
    sharded = words["sharded"].format(layout["shards"], layout["zero"]) if layout["shards"] > 1 else ""
    notes = {
        "weights": sharded,
        "activations": words["activations_note"].format(layout["batch"], layout["sequence"], layout["precision"]),
        "peak": words["peak_note"],
        "resident": words["resident_note"],
    }
    rows += [(words[key], size(held[key]), notes.get(key, "")) for key in held]
    rows.append((words["cache"], size(cache["bytes"]), words["cache_note"].format(cache["batch"], cache["context"])))
    lines = [table(rows, (found["model_type"], "", "")), ""]
    if not found["exact"]:
        lines += [words["estimate"], ""]
    lines += [words["budgets"].format(_short(found["asked"])), ""]
    plans = []
    for key, plan in found["budgets"].items():
        source = found["sources"]["inference" if key == "inference" else "chinchilla"]
        numbers = [_short(plan["parameters"]), _short(plan["tokens"]), f"{plan['loss']:.3f}"]
        plans.append((words[key], *numbers, _short(plan["training_flops"]), _short(plan["flops"]), source))
    heads = words["heads"]
    return "\n".join([*lines, table(plans, heads), "", f"{words['fits']} {found['sources']['refit']}"])


def _short(count: float) -> str:
    """`1.2G`."""
    for unit in ("", "k", "M", "G", "T", "P", "E"):
        if count < 1000:
            return f"{count:.3g}{unit}"
        count /= 1000
    return f"{count:.3g}Z"
