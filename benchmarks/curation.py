"""Does curation pay? A small decoder trained on a raw mixture and on the same mixture curated, on as many tokens, several seeds.

    python benchmarks/curation.py --minutes 3 --seeds 3 --size 8     or     python benchmarks/run.py curation

The raw mixture is real text in Chinese and English (statutes, manuals, books), real crawled pages and spam, and planted dirt of
which it is known what it is: copies, near copies, banners, broken decodings, noise. Curation is what a recipe would do: clean,
filter by the policy, passages, duplicates. Both sides share tokeniser (of the raw mixture), sizes, seeds, steps and batches; the
loss is that of held-out clean pages of other files, rid of what stands in the training text. Intervals are of paired differences,
bootstrapped over seeds and source files. Real text is found by SEPTET_SHARED or ../shared.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from septet.core import Run
from septet.data.steps import (
    Clean,
    Deduplicate,
    DeduplicatePassages,
    Filter,
    Pack,
    Read,
    TrainTokenizer,
    clean,
    deduplicate,
    deduplicate_passages,
    filter_,
    pack,
    read,
    tokenizer,
)
from septet.detect import policy as policies
from septet.kinds import Corpus, Model, Policy, Tokens
from septet.model.steps import Decoder, decoder
from septet.train.steps import Pretrain, pretrain

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("SEPTET_SHARED", HERE.parent.parent / "shared"))
GOOD = ("zh-laws", "debian-docs-en-zh", "english-public-domain", "eu-gdpr")
DIRTY = "web-dirty"
SEQUENCE, BATCH, VOCABULARY = 256, 8, 4096
SIZES = {"layers": 4, "width": 192, "heads": 4, "context": SEQUENCE}
_DRAWS = 2000

BANNERS = {
    "en": (
        "We use cookies to give you the best experience. Accept all | Settings",
        "Sign in | Register | Home | About us | Contact",
        "Share on social media: Like Tweet Pin",
        "Copyright 2019 All rights reserved. Terms of use. Privacy policy.",
        "Click here to subscribe to our newsletter!",
    ),
    "zh": (
        "首页 | 关于我们 | 联系我们 | 网站地图",
        "登录 注册 忘记密码 收藏本站 设为首页",
        "版权所有 未经许可不得转载",
        "分享到：微博 微信 空间",
        "点击这里订阅我们的电子报，更多精彩请关注公众号",
    ),
}
SPAM = {
    "en": "Win big at our casino tonight, claim your free bonus now, cheap pills no prescription, click here to win. ",
    "zh": "注册即送彩金，真人娱乐在线投注，百家乐时时彩平台开户，点击领取红包。",
}


class Row(dict[str, Any]):
    """A row of a corpus; `origin` of the columns says nothing here, `kind` of `meta` what it is."""


def rows_of(text: str, identity: str, language: str, source: str, kind: str) -> Row:
    return Row(
        id=identity,
        text=text,
        dataset=kind,
        source=source,
        source_digest="",
        start=0,
        end=len(text),
        language=language,
        licence="several",
        origin="public",
        access="public",
        transforms=["data.read"],
    )


def pages(text: str, most: int = 2500, least: int = 250) -> Iterator[str]:
    """A document in pages that end at a line."""
    held: list[str] = []
    size = 0
    for line in text.splitlines():
        held.append(line)
        size += len(line)
        if size >= most:
            yield "\n".join(held)
            held, size = [], 0
    if size >= least:
        yield "\n".join(held)


def gather(folder: Path, megabytes: float) -> tuple[list[Row], list[Row]]:
    """Clean pages to train on and clean pages held out, half of the bytes in either language. Files are held out whole."""
    train: list[Row] = []
    held: list[Row] = []
    size: Counter[str] = Counter()
    found: list[tuple[str, str, str, str]] = []
    for name in GOOD:
        if (SHARED / "corpora" / name).is_dir():
            config = Read(paths=(str(SHARED / "corpora" / name),), licence="several", origin="public", dataset=name)
            made = read(config, run=Run(folder / f"read-{name}"))
            found += [(name, one["source"], one["language"], one["text"]) for one in made.rows()]
    found.sort(key=lambda one: hashlib.sha256(f"{one[0]}/{one[1]}/{one[3][:200]}".encode()).digest())
    limit = megabytes * 500_000
    for name, source, language, text in found:
        if language not in ("en", "zh") or "README" in source:
            continue
        for number, page in enumerate(pages(text)):
            # Of a book there is one file: its own last tenth is held out, a block and not single pages.
            out = (
                number % 10 == 9 if len(text) > 100_000 else int(hashlib.md5(source.encode()).hexdigest(), 16) % 12 == 0
            )
            if not out and size[language] > limit:
                continue
            row = rows_of(page, f"{name}/{source}/{number}", language, f"{name}/{source}", "clean")
            (held if out else train).append(row)
            size[language] += 0 if out else len(page.encode())
    return train, held


def dirt(good: Sequence[Row], folder: Path, share: float, draw: random.Random) -> list[Row]:
    """What a crawl brings beside good text, until it is `share` of all bytes: each sort its part."""
    from corpus import changed

    wanted = sum(len(row["text"].encode()) for row in good) * share / (1 - share)
    config = Read(paths=(str(SHARED / "corpora" / DIRTY),), licence="several", origin="public", dataset=DIRTY)
    web = [
        rows_of(one["text"], f"web/{number}", one["language"], one["source"], "crawled")
        for number, one in enumerate(read(config, run=Run(folder / "read-dirty")).rows())
        if one["text"].strip()
    ]
    draw.shuffle(web)
    # A third at most, so that the sorts of dirt keep their parts whatever the size.
    room = np.cumsum([len(row["text"].encode()) for row in web]) <= wanted / 3
    web = web[: int(room.sum())]

    def copies(number: int) -> list[Row]:
        row = draw.choice(good)
        times = min(40, int(draw.paretovariate(1.0)) + 1)
        return [
            rows_of(row["text"], f"copy/{number}/{n}", row["language"], row["source"], "copy") for n in range(times)
        ]

    def near(number: int) -> list[Row]:
        row = draw.choice(good)
        text = changed(row["text"], draw.choice((0.005, 0.01, 0.02)), draw)
        return [rows_of(text, f"near/{number}", row["language"], row["source"], "near copy")]

    def banners(number: int) -> list[Row]:
        lines = [draw.choice(BANNERS[draw.choice(("en", "zh"))]) for _ in range(draw.randint(6, 40))]
        return [rows_of("\n".join(lines), f"banner/{number}", "en", "banner", "banners")]

    def broken(number: int) -> list[Row]:
        text = draw.choice(good)["text"].encode("utf-8").decode("latin-1")
        return [
            rows_of(
                "".join(c if c.isprintable() or c == "\n" else "�" for c in text),
                f"broken/{number}",
                "en",
                "b",
                "broken",
            )
        ]

    def noise(number: int) -> list[Row]:
        alphabet = draw.choice(
            (
                "0123456789abcdef",
                "#*-=_|<>~",
                "的了在是我有和就不人都一上也很到说要去你会着没看好",
                "qwertyuiopasdfghjkl ",
            )
        )
        text = "\n".join("".join(draw.choices(alphabet, k=draw.randint(20, 120))) for _ in range(draw.randint(5, 30)))
        return [rows_of(text, f"noise/{number}", draw.choice(("en", "zh")), "noise", "noise")]

    def spam(number: int) -> list[Row]:
        language = draw.choice(("en", "zh"))
        return [rows_of(SPAM[language] * draw.randint(3, 20), f"spam/{number}", language, "spam", "spam")]

    made: list[Row] = list(web)
    size = sum(len(row["text"].encode()) for row in web)
    makers = (copies, copies, copies, near, near, banners, broken, noise, spam)
    number = 0
    while size < wanted:
        new = makers[number % len(makers)](number)
        made += new
        size += sum(len(row["text"].encode()) for row in new)
        number += 1
    return made


def curate(raw: Corpus, folder: Path) -> Corpus:
    """What a recipe does, in its order."""
    policy = folder / "policy"
    policy.mkdir()
    (policy / "policy.json").write_bytes(policies.encode(policies.load(HERE.parent / "recipes" / "policy.toml")))
    step = clean(Clean(), raw, run=Run(folder / "clean"))
    step = filter_(Filter(), step, Policy(policy), run=Run(folder / "filter"))
    passages = DeduplicatePassages(unit="line", least_bytes=60, least_count=3)
    step = deduplicate_passages(passages, step, run=Run(folder / "passages"))
    return deduplicate(Deduplicate(), step, run=Run(folder / "unique"))


def losses(model: Model, tokens: Sequence[Sequence[int]], pad: int) -> np.ndarray[Any, Any]:
    """Mean loss a token of each held-out page, in nats."""
    import torch

    from septet.model.torch_folder import read_module

    module = read_module(model.path, "float32", "sdpa").eval()
    found = []
    with torch.no_grad():
        for start in range(0, len(tokens), 16):
            batch = tokens[start : start + 16]
            ids = torch.full((len(batch), max(map(len, batch))), pad)
            for row, one in enumerate(batch):
                ids[row, : len(one)] = torch.tensor(one)
            logits = module(input_ids=ids).logits[:, :-1].transpose(1, 2)
            each = torch.nn.functional.cross_entropy(logits, ids[:, 1:], reduction="none")
            for row, one in enumerate(batch):
                found.append(float(each[row, : len(one) - 1].mean()))
    return np.array(found)


def interval(differences: np.ndarray[Any, Any], clusters: Sequence[str]) -> tuple[float, float, float]:
    """Mean of (seeds, items) differences and its 95 % interval: seeds and clusters are drawn."""
    names, which = np.unique(np.array(clusters), return_inverse=True)
    sums = np.stack([np.bincount(which, one, names.size) for one in differences])
    counts = np.bincount(which, minlength=names.size)
    chance = np.random.default_rng(1)
    means = []
    for _ in range(_DRAWS):
        seeds = chance.integers(0, len(differences), len(differences))
        drawn = chance.integers(0, names.size, names.size)
        means.append(sums[seeds].mean(0)[drawn].sum() / counts[drawn].sum())
    low, high = np.quantile(means, [0.025, 0.975])
    return float(differences.mean()), float(low), float(high)


def tell(text: str) -> None:
    """How far it is, for who waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def kinds(corpus: Corpus) -> Counter[str]:
    return Counter({}) + Counter(row["dataset"] for row in corpus.rows())


class Trainer:
    """One side's tokens and the shared tokeniser; trains a decoder of a seed and gives its losses on the held-out pages."""

    def __init__(self, tokens: dict[str, Tokens], tokenizer_folder: Any, items: Any, pad: int, folder: Path) -> None:
        self.tokens, self.tokenizer, self.items, self.pad, self.folder = tokens, tokenizer_folder, items, pad, folder

    def run(self, side: str, seed: int, steps: int) -> np.ndarray[Any, Any]:
        """Losses on the held-out pages after so many steps."""
        return losses(self.train(side, seed, steps)[0], self.items, self.pad)

    def train(self, side: str, seed: int, steps: int) -> tuple[Model, float]:
        """The trained model, and the seconds that training took."""
        place = self.folder / f"{side}-{seed}-{steps}"
        fresh = decoder(Decoder(**SIZES, seed=seed), self.tokenizer, run=Run(place / "fresh"))
        config = Pretrain(steps=steps, batch=BATCH, seed=seed, held_out=0.0, spike=0.0)
        began = time.perf_counter()
        model = pretrain(config, fresh, self.tokens[side], run=Run(place / "model"))
        spent = time.perf_counter() - began
        tell(f"{side}, seed {seed}: {steps} steps in {spent:.0f} s")
        return model, spent


def measure(minutes: float | None = None, seeds: int = 3, size: float | None = None, share: float = 0.5) -> list[str]:
    minutes = float(os.environ.get("SEPTET_BENCH_MINUTES", "3")) if minutes is None else minutes
    size = float(os.environ.get("SEPTET_BENCH_MB", "8")) if size is None else size
    if not (SHARED / "corpora").is_dir():
        return ["Not measured: SEPTET_SHARED names no folder that holds corpora/."]
    sys.path.insert(0, str(HERE))
    with tempfile.TemporaryDirectory(prefix="septet-curation-") as scratch:
        return _measured(Path(scratch), minutes, seeds, size, share)


def _measured(folder: Path, minutes: float, seeds: int, size: float, share: float) -> list[str]:
    from tokenizers import Tokenizer as Fast

    draw = random.Random(20261124)
    good, held_rows = gather(folder, size)
    for name, some in (("clean", good), ("held out", held_rows)):
        tell(f"pages {name}: {dict(Counter(row['language'] for row in some))}")
    dirty = dirt(good, folder, share, draw)
    everything = [*good, *dirty]
    draw.shuffle(everything)
    raw = Corpus.write(folder / "raw", everything)
    tell(f"{len(everything)} raw pages")
    curated = curate(raw, folder)
    tell("curated")
    # What stands in the text trained on tells nothing of a model: near copies of training pages are no held-out pages.
    held = deduplicate(
        Deduplicate(),
        Corpus.write(folder / "held", held_rows),
        None,
        (Corpus.write(folder / "good", good),),
        run=Run(folder / "held-out"),
    )
    words = tokenizer(TrainTokenizer(vocabulary=VOCABULARY), raw, run=Run(folder / "tokenizer"))
    tokens = {
        name: pack(Pack(sequence=SEQUENCE), corpus, words, run=Run(folder / f"tokens-{name}"))
        for name, corpus in (("raw", raw), ("curated", curated))
    }
    fast = Fast.from_file(str(words.path / "tokenizer.json"))
    pages_out = sorted(held.rows(), key=lambda row: hashlib.md5(row["id"].encode()).digest())
    pages_out = [row for tongue in ("en", "zh") for row in [r for r in pages_out if r["language"] == tongue][:200]]
    begin, pad = int(tokens["raw"].meta["begin"]), int(tokens["raw"].meta["pad"])
    items = [[begin, *fast.encode(row["text"], add_special_tokens=False).ids][:SEQUENCE] for row in pages_out]
    tell(f"packed; {len(items)} held-out pages")
    trainer = Trainer(tokens, words, items, pad, folder)
    _, spent = trainer.train("raw", 0, 5)
    _, more = trainer.train("raw", 0, 15)
    steps = max(20, round(minutes * 60 / max(1e-3, (more - spent) / 10)))
    found = {side: np.stack([trainer.run(side, seed, steps) for seed in range(1, seeds + 1)]) for side in tokens}

    before, after = kinds(raw), kinds(curated)
    rows_a_pass = {side: one.meta["rows"] for side, one in tokens.items()}
    lines = [
        f"{SIZES['layers']} layers of {SIZES['width']}, vocabulary {VOCABULARY}; {steps} steps of {BATCH} rows of {SEQUENCE} "
        f"tokens on either side ({steps * BATCH * SEQUENCE:,}), {seeds} seeds. "
        + "; ".join(f"{side}: {rows:,} rows, {steps * BATCH / rows:.2f} passes" for side, rows in rows_a_pass.items())
        + f". Dirt is {share:.0%} of the raw bytes, by design: what curation is worth depends on it.",
        "",
        "| pages | raw | curated | kept |",
        "|---|---|---|---|",
        *(
            f"| {kind} | {count:,} | {after[kind]:,} | {after[kind] / count:.1%} |"
            for kind, count in before.most_common()
        ),
        "",
        "| held-out pages | files | pages | raw, nats a token | curated | difference [95 %] | by seed | perplexity |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for tongue in ("en", "zh"):
        mine = np.array([row["language"] == tongue for row in pages_out])
        clusters = [row["source"] for row in pages_out if row["language"] == tongue]
        if not mine.any():
            continue
        one, other = found["raw"][:, mine], found["curated"][:, mine]
        middle, low, high = interval(other - one, clusters)
        by_seed = ", ".join(f"{value:+.3f}" for value in (other - one).mean(1))
        lines.append(
            f"| {tongue} | {len(set(clusters))} | {mine.sum()} | {one.mean():.3f} | {other.mean():.3f} | {middle:+.3f} "
            f"[{low:+.3f}, {high:+.3f}] | {by_seed} | {np.exp(one.mean()):.1f} → {np.exp(other.mean()):.1f} |"
        )
    return [*lines, ""]


if __name__ == "__main__":
    given = argparse.ArgumentParser(description="Does curation pay?")
    given.add_argument("--minutes", type=float, default=3.0, help="of each training")
    given.add_argument("--seeds", type=int, default=3)
    given.add_argument("--size", type=float, default=8.0, help="MB of clean text to train on")
    given.add_argument("--dirt", type=float, default=0.5, help="share of the raw bytes")
    told = given.parse_args()
    sys.stdout.write("\n".join(measure(told.minutes, told.seeds, told.size, told.dirt)) + "\n")
