"""Does curation pay? A small decoder trained on a raw pool and on the same pool curated, on as many tokens, each seen once.

    SEPTET_BENCH_CORPUS=FOLDER python benchmarks/curation.py --tokens 1000000 --seeds 3        FOLDER: as corpus.py builds it

One language at a time. The clean base is what the corpus holds, kind by kind in equal parts, without its planted copies, and with
the frames that its own makers put around each page taken off. Held out are pages of each kind, and pages of kinds that no pool
holds; whatever is like a held-out page leaves the base before anything is planted. The raw pool is that base in the state in which
a crawl brings it (`dirt.py`) and real crawled pages and mails, in these shares of its bytes:

    45 % good pages, 25 % their copies and near copies, 30 % poor pages; half of the good ones and of the copies in a site's frame.

That is milder than what is published of crawls: of RefinedWeb's pages in the language filters took half, and deduplication half of
the rest (Penedo et al. 2023), which leaves a quarter; CCNet found 70 % of a crawl's paragraphs to be repeated (Wenzek et al. 2020).

Curated is that pool after the steps of `recipes/curate.toml`, with what the recipe says of each. `base` is the good pages alone:
what curation could reach. Every side has one tokeniser, learnt from equal parts of both pools, and the same number of tokens,
drawn from its pool anew for each seed and seen once. A counted model (trigrams) on the same tokens tells what is in the text from
what a small decoder had time to learn. Intervals: bootstrap of paired differences over seeds and held-out pages.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from septet.core import Run
from septet.data import steps
from septet.detect import policy as policies
from septet.kinds import Corpus, Policy, Tokenizer

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("SEPTET_SHARED", HERE.parent.parent / "shared"))
RECIPE = HERE.parent / "recipes" / "curate.toml"
SEQUENCE, BATCH, VOCABULARY = 256, 4, 4096
SHAPE = {"layers": 2, "width": 128, "heads": 4, "context": SEQUENCE}
SHARES = {"good": 0.45, "copy": 0.15, "near copy": 0.10, "poor": 0.30}
CRAWLED = 0.10  # of the raw bytes, at most: there are only so many real pages
FRAMED = 0.5
KINDS = {
    "gcide": "dictionary",
    "foldoc": "dictionary",
    "linux-doc-6.1": "kernel",
    "python3.11": "python",
    "man": "manual pages",
    "help": "office help",
    "brown": "brown",
    "poetry": "poems",
    "laws": "statutes",
}
OTHER = {"en": ("english-public-domain", "eu-gdpr"), "zh": ("cmrc2018-zh",)}
_DRAWS = 2000
_FEW = 100
_NOTICE = 40  # bytes: a shorter line may be a heading that many pages need
_HAN = re.compile(r"[\u3400-\u9fff]")


class Page(NamedTuple):
    """A text, its kind, and the sort of what was done to it."""

    text: str
    kind: str
    sort: str


class Learned(NamedTuple):
    """Loss of each held-out page, nats: of the decoder, of the counted model; and the tokens trained on."""

    decoder: list[float]
    counted: list[float]
    tokens: int


def tell(text: str) -> None:
    """How far it is, for who waits."""
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")
    sys.stderr.flush()


def size(text: str) -> int:
    return len(text.encode())


def written(folder: Path, pages: Sequence[Page], tongue: str) -> Corpus:
    """The pages as a corpus; `dataset` is the sort, `owner` the kind; each from an address of its own."""
    return Corpus.write(
        folder,
        (
            {
                "id": f"{number:07d}",
                "text": page.text,
                "dataset": page.sort,
                "owner": page.kind,
                "source": f"page/{number:07d}.html",
                "source_digest": "",
                "start": 0,
                "end": len(page.text),
                "language": tongue,
                "licence": "several",
                "origin": "public",
                "access": "public",
                "transforms": ["data.read"],
            }
            for number, page in enumerate(pages)
        ),
    )


def pages_of(corpus: Corpus) -> list[Page]:
    return [Page(row["text"], row["owner"] or "", row["dataset"]) for row in corpus.rows()]


# The clean base and what is held out


def base(source: Path, tongue: str, megabytes: float, draw: random.Random) -> dict[str, list[str]]:
    """Good pages by kind, as much of each, without the corpus's planted copies and without the frames of its own makers."""
    found: dict[str, list[str]] = defaultdict(list)
    for row in Corpus(source).rows():
        # linux-doc is the source of linux-doc-6.1: the same text twice. Copies that were planted begin with e and n.
        if row["id"].startswith("b") and row["language"] == tongue and row["dataset"] != "linux-doc":
            found[KINDS.get(row["dataset"], "handbooks")].append(row["text"])
    good = {}
    for kind, texts in sorted(found.items()):
        if len(texts) < _FEW:  # pages of a kind that got the other language's name
            continue
        texts = unframed(texts)
        texts = [one for one in texts if sound(one, tongue)]
        draw.shuffle(texts)
        good[kind] = texts
    each = megabytes * 1e6 / len(good)
    return {kind: until(texts, each, size) for kind, texts in good.items()}


def unframed(texts: Sequence[str]) -> list[str]:
    """The texts without the lines above and below that stand in one page of a hundred, without notices that do so anywhere, and
    without comments of manual pages."""
    texts = [re.sub(r"(?m)^[.']+\\\".*\n?", "", one) for one in texts]
    often = Counter(line for one in texts for line in {part.strip() for part in one.split("\n")})
    most = max(20, len(texts) // 100)
    out = []
    for text in texts:
        lines = [line for line in text.split("\n") if often[line.strip()] < most or size(line.strip()) < _NOTICE]
        while lines and often[lines[0].strip()] >= most:
            lines.pop(0)
        while lines and often[lines[-1].strip()] >= most:
            lines.pop()
        out.append("\n".join(lines).strip())
    return out


def sound(text: str, tongue: str) -> bool:
    """Long enough, in its language, decoded rightly. No measure of a filter: origin makes these texts good."""
    if len(text) < (40 if tongue == "zh" else 200) or re.search("[\x80-\x9f\ufffd]|[ÃÂ][\x80-\xbf]", text):
        return False
    return (len(_HAN.findall(text)) > 0.3 * len("".join(text.split()))) == (tongue == "zh")


def until(items: Iterable[Any], limit: float, weight: Callable[[Any], float]) -> list[Any]:
    """The first items up to a sum of weights."""
    out, total = [], 0.0
    for one in items:
        if total >= limit:
            break
        out.append(one)
        total += weight(one)
    return out


def others(tongue: str, folder: Path, count: int, draw: random.Random) -> list[str]:
    """Pages of kinds that are in no pool."""
    texts: list[str] = []
    for name in OTHER[tongue]:
        where = SHARED / "corpora" / name
        if not where.is_dir():
            continue
        whole = list(prose(where, name, folder))
        cuts = [text[at : at + 1500] for text in whole for at in range(0, len(text), 1500)]
        cuts = [one for one in cuts if sound(one, tongue)]
        texts += draw.sample(cuts, min(len(cuts), count // len(OTHER[tongue])))
    return texts


def prose(where: Path, name: str, folder: Path) -> Iterator[str]:
    """The texts of a data set: of JSON files the long strings, of others what is read of them."""
    found = sorted(where.rglob("*.json"))
    for file in found:
        yield from long_strings(json.loads(file.read_text("utf-8")))
    if not found:
        config = steps.Read(paths=(str(where),), licence="several", origin="public", dataset=name)
        rows = steps.read(config, run=Run(folder / f"read-{name}")).rows()
        yield from (row["text"] for row in rows if "README" not in row["source"])


def long_strings(value: Any) -> Iterator[str]:
    """The strings of 200 characters and more in a value of JSON."""
    if isinstance(value, str):
        if len(value) >= 200:
            yield value
    elif isinstance(value, (dict, list)):
        for one in value.values() if isinstance(value, dict) else value:
            yield from long_strings(one)


def split_off(
    good: Mapping[str, Sequence[str]], tongue: str, folder: Path, count: int, draw: random.Random
) -> tuple[list[Page], list[Page]]:
    """Held-out pages of each kind, and the base: no page of it is like one held out or like another one of it."""
    held = [Page(text, kind, "held out") for kind, texts in good.items() for text in texts[:count]]
    held += [Page(text, "kinds in no pool", "held out") for text in others(tongue, folder, 2 * count, draw)]
    rest = [Page(text, kind, "good") for kind, texts in good.items() for text in texts[count:]]
    config = steps.Deduplicate(similarity=0.5)
    known = steps.deduplicate(
        config, written(folder / "held-all", held, tongue), run=Run(folder / "held-unique")
    )  # two pages alike would count twice
    left = steps.deduplicate(
        config, written(folder / "rest", rest, tongue), None, (known,), run=Run(folder / "base-unique")
    )
    return pages_of(known), pages_of(left)


# The raw pool


def raw_pool(good: Sequence[Page], tongue: str, folder: Path, draw: random.Random) -> list[Page]:
    """The base as a crawl would bring it, in the shares of SHARES."""
    import dirt

    texts = [page.text for page in good]
    sites = [dirt.Site(texts, tongue, draw) for _ in range(max(20, len(texts) // 20))]

    def shown(text: str) -> str:
        return dirt.frame(text, draw.choice(sites), texts, draw) if draw.random() < FRAMED else text

    pool = [Page(shown(page.text), page.kind, "good") for page in good]
    total = sum(size(page.text) for page in pool) / SHARES["good"]

    def fill(limit: float, make: Callable[[], list[Page]]) -> None:
        done = 0
        while done < limit:
            new = make()
            pool.extend(new)
            done += sum(size(page.text) for page in new)

    def copies() -> list[Page]:
        page = draw.choice(good)
        times = min(100, int(draw.paretovariate(1.0)))
        return [Page(shown(page.text), page.kind, "copy") for _ in range(times)]

    def near() -> list[Page]:
        from corpus import changed

        page = draw.choice(good)
        return [Page(shown(changed(page.text, draw.choice((0.005, 0.01, 0.02)), draw)), page.kind, "near copy")]

    fill(total * SHARES["copy"], copies)
    fill(total * SHARES["near copy"], near)
    crawled = until(real(tongue, folder, draw), total * CRAWLED, lambda page: size(page.text))
    pool += crawled
    left = total * SHARES["poor"] - sum(size(page.text) for page in crawled)
    for sort, make in dirt.MAKERS.items():
        fill(
            left / len(dirt.MAKERS),
            lambda sort=sort, make=make: [Page(make(texts, tongue, draw), "", sort)],  # type: ignore[misc]
        )
    draw.shuffle(pool)
    return pool


def real(tongue: str, folder: Path, draw: random.Random) -> list[Page]:
    """Crawled pages and mails of the language, as they came."""
    where = SHARED / "corpora" / "web-dirty"
    if not where.is_dir():
        return []
    config = steps.Read(paths=(str(where),), licence="several", origin="public", dataset="web-dirty")
    rows = [row for row in steps.read(config, run=Run(folder / "read-dirty")).rows() if row["language"] == tongue]
    found = [Page(row["text"], "", "crawled") for row in rows if row["text"].strip() and "README" not in row["source"]]
    draw.shuffle(found)
    return found


# Curation


def curated(raw: Corpus, folder: Path) -> dict[str, Corpus]:
    """The pool after each step of the recipe, with what the recipe says of the step."""
    told = tomllib.loads(RECIPE.read_text("utf-8"))

    def config(table: str, made: type[Any]) -> Any:
        return made(**{name: value for name, value in told[table].items() if name in made.__struct_fields__})

    def run(table: str) -> Run:
        return Run(folder / table)

    place = folder / "policy"
    place.mkdir()
    rules = RECIPE.parent / told["policy"]["path"]
    (place / "policy.json").write_bytes(policies.encode(policies.load(rules)))
    policy = Policy(place)
    out = {"cleaned": steps.clean(config("cleaned", steps.Clean), raw, run=run("cleaned"))}
    signals = steps.measure(config("signals", steps.Measure), out["cleaned"], run=run("signals"))
    out["good"] = steps.filter_(config("good", steps.Filter), out["cleaned"], policy, signals, run=run("good"))
    out["current"] = steps.freshness(config("current", steps.Freshness), out["good"], run=run("current"))
    out["passages"] = steps.deduplicate_passages(
        config("passages", steps.DeduplicatePassages), out["current"], run=run("passages")
    )
    out["unique"] = steps.deduplicate(config("unique", steps.Deduplicate), out["passages"], run=run("unique"))
    out["decent"] = steps.detoxify(config("decent", steps.Detoxify), out["unique"], policy, run=run("decent"))
    out["private"] = steps.mask(config("private", steps.Mask), out["decent"], policy, run=run("private"))
    return out


# Learning


class Job(NamedTuple):
    """What one side and seed is trained with; folders as paths. Without `decoder` only the counted model learns."""

    folder: Path
    pool: Path
    words: Path
    items: Path
    tongue: str
    tokens: int
    seed: int
    decoder: bool


def learn(job: Job) -> Learned:
    """Train on so many tokens of a pool, each seen once."""
    from tokenizers import Tokenizer as Fast

    place, words = job.folder, Tokenizer(job.words)
    fast = Fast.from_file(str(job.words / "tokenizer.json"))
    texts = pages_of(Corpus(job.pool))
    random.Random(job.seed).shuffle(texts)
    drawn: list[Page] = []
    stream: list[list[int]] = []
    left = job.tokens
    for page in texts:
        if left < 2:
            break
        made = fast.encode(page.text, add_special_tokens=False)
        ids = made.ids[: left - 1]
        if not ids:
            continue
        # The last page is cut: one long page more or less would be tokens more or less.
        drawn.append(page._replace(text=page.text[: made.offsets[len(ids) - 1][1]]))
        stream.append(ids)
        left -= len(ids) + 1
    if left > 1:
        raise SystemExit(f"{job.pool.name} holds fewer than {job.tokens:,} tokens: raise --size, or lower --tokens")
    held = [[int(one) for one in line.split()] for line in job.items.read_text("utf-8").splitlines()]
    counted = trigrams(stream, held)
    if not job.decoder:
        return Learned([], counted, job.tokens - left)
    corpus = written(place / "drawn", drawn, job.tongue)
    decoder, tokens = trained(corpus, words, held, place, job.seed)
    return Learned(decoder, counted, tokens)


def trained(
    corpus: Corpus, words: Tokenizer, held: Sequence[Sequence[int]], place: Path, seed: int
) -> tuple[list[float], int]:
    """Losses of a decoder that saw the corpus once, and the tokens of that."""
    from septet.model.steps import Decoder, decoder
    from septet.train.steps import Pretrain, pretrain

    rows = steps.pack(steps.Pack(sequence=SEQUENCE), corpus, words, run=Run(place / "tokens"))
    fresh = decoder(Decoder(**SHAPE, seed=seed), words, run=Run(place / "fresh"))
    config = Pretrain(steps=rows.meta["rows"] // BATCH, batch=BATCH, seed=seed, held_out=0.0, spike=0.0)
    model = pretrain(config, fresh, rows, run=Run(place / "model"))
    return losses(model.path, held, int(rows.meta["pad"])), int(rows.meta["tokens"])


def losses(model: Path, held: Sequence[Sequence[int]], pad: int) -> list[float]:
    """Nats of each held-out page after its first token."""
    import torch

    from septet.model.torch_folder import read_module

    module = read_module(model, "float32", "sdpa").eval()
    found: list[float] = []
    with torch.no_grad():
        for start in range(0, len(held), 16):
            batch = held[start : start + 16]
            ids = torch.full((len(batch), max(map(len, batch))), pad)
            for row, one in enumerate(batch):
                ids[row, : len(one)] = torch.tensor(one)
            logits = module(input_ids=ids).logits[:, :-1].transpose(1, 2)
            each = torch.nn.functional.cross_entropy(logits, ids[:, 1:], reduction="none")
            found += [float(each[row, : len(one) - 1].sum()) for row, one in enumerate(batch)]
    return found


def trigrams(stream: Sequence[Sequence[int]], held: Sequence[Sequence[int]], discount: float = 0.75) -> list[float]:
    """Nats of each held-out page under counted trigrams, absolute discounting down to a uniform guess."""
    counts: list[Counter[tuple[int, ...]]] = [Counter(), Counter(), Counter()]
    for ids in stream:
        for order in range(3):
            counts[order].update(zip(*(ids[n:] for n in range(order + 1)), strict=False))
    seen: list[Counter[tuple[int, ...]]] = [Counter(), Counter(), Counter()]
    kinds: list[Counter[tuple[int, ...]]] = [Counter(), Counter(), Counter()]
    for order in range(3):
        for gram, count in counts[order].items():
            seen[order][gram[:-1]] += count
            kinds[order][gram[:-1]] += 1

    def chance(gram: tuple[int, ...]) -> float:
        value = 1 / VOCABULARY
        for order in range(len(gram)):
            part = gram[len(gram) - 1 - order :]
            before = part[:-1]
            if seen[order][before]:
                free = discount * kinds[order][before]
                value = (max(0.0, counts[order][part] - discount) + free * value) / seen[order][before]
        return value

    return [
        -sum(float(np.log(chance(tuple(one[max(0, at - 2) : at + 1])))) for at in range(1, len(one))) for one in held
    ]


# The table


def interval(
    some: np.ndarray[Any, Any], other: np.ndarray[Any, Any], per: np.ndarray[Any, Any]
) -> tuple[float, float, float]:
    """(other - some) / per over all pages, (seeds, pages) nats each, and its 95 % interval: seeds and pages are drawn."""
    chance = np.random.default_rng(1)
    found = []
    for _ in range(_DRAWS):
        seeds = chance.integers(0, len(some), len(some))
        pages = chance.integers(0, per.size, per.size)
        found.append((other[seeds][:, pages] - some[seeds][:, pages]).mean(0).sum() / per[pages].sum())
    low, high = np.quantile(found, [0.025, 0.975])
    return float((other - some).mean(0).sum() / per.sum()), float(low), float(high)


def kept(before: Sequence[Page], after: Sequence[Page], stages: Mapping[str, Corpus]) -> list[str]:
    """Bytes by sort before and after, the good pages by kind, and what is left after each step."""
    lines = ["| pages | raw, MB | of raw | kept, bytes | of curated |", "|---|---|---|---|---|"]

    def table(rows: Iterable[tuple[str, Callable[[Page], bool]]]) -> None:
        whole, left = (sum(size(page.text) for page in some) for some in (before, after))
        for called, mine in rows:
            one, other = (sum(size(page.text) for page in some if mine(page)) for some in (before, after))
            lines.append(
                f"| {called} | {one / 1e6:.2f} | {one / whole:.1%} | {other / max(1, one):.1%} | {other / left:.1%} |"
            )

    sorts = Counter(page.sort for page in before)
    table((sort, lambda page, sort=sort: page.sort == sort) for sort, _ in sorts.most_common())  # type: ignore[misc]
    kinds = sorted({page.kind for page in before if page.sort == "good"})
    table(
        (f"good: {kind}", lambda page, kind=kind: page.sort == "good" and page.kind == kind)  # type: ignore[misc]
        for kind in kinds
    )
    left = ", ".join(
        f"{name} {sum(size(page.text) for page in pages_of(one)) / 1e6:.2f}" for name, one in stages.items()
    )
    return [*lines, "", f"MB after each step: {left}."]


def compared(
    tongue: str,
    found: Mapping[str, Sequence[Learned]],
    held: Sequence[Page],
    per: np.ndarray[Any, Any],
    octets: np.ndarray[Any, Any],
) -> list[str]:
    """Raw against curated: a row for all held-out pages, and one for each kind."""
    lines = [
        "| held out | pages | raw, nats a token | curated | difference [95 %] | bits a byte, difference [95 %] | by seed | "
        "counted trigrams, difference [95 %] |",
        "|---|---|---|---|---|---|---|---|",
    ]
    kinds = np.array([page.kind for page in held])
    sides = ("raw", "curated")
    decoder = [np.array([one.decoder for one in found[side]]) for side in sides]
    counted = [np.array([one.counted for one in found[side]]) for side in sides]
    for kind in (None, *sorted(set(kinds))):
        mine = np.ones(len(kinds), bool) if kind is None else kinds == kind
        one, two = (losses[:, mine] for losses in decoder)
        tokens = per[mine]
        bits = [value / float(np.log(2)) for value in interval(one, two, octets[mine])]
        grams = interval(*(losses[:, mine] for losses in counted), tokens)
        seeds = ", ".join(f"{value:+.3f}" for value in (two - one).sum(1) / tokens.sum())
        lines.append(
            f"| {tongue}, {kind or 'all'} | {mine.sum()} | {one.mean(0).sum() / tokens.sum():.3f} | "
            f"{two.mean(0).sum() / tokens.sum():.3f} | {ends(interval(one, two, tokens))} | {ends(bits)} | {seeds} | "
            f"{ends(grams)} |"
        )
    return lines


def by_step(found: Mapping[str, Sequence[Learned]], per: np.ndarray[Any, Any]) -> list[str]:
    """Each pool against the raw one: what each step of the recipe brings, and what the good pages alone would."""
    lines = ["| after | counted trigrams, less raw [95 %] | decoder, less raw [95 %] |", "|---|---|---|"]
    raw = {name: np.array([getattr(one, name) for one in found["raw"]]) for name in ("counted", "decoder")}
    for side, runs in found.items():
        cells = [
            ends(interval(raw[name], np.array([getattr(one, name) for one in runs]), per))
            if getattr(runs[0], name)
            else "-"
            for name in raw
        ]
        if side != "raw":
            lines.append(f"| {side} | {' | '.join(cells)} |")
    return lines


def ends(three: Sequence[float]) -> str:
    return f"{three[0]:+.3f} [{three[1]:+.3f}, {three[2]:+.3f}]"


def one_language(
    tongue: str, source: Path, folder: Path, tokens: int, seeds: int, megabytes: float, every: bool
) -> list[str]:
    from tokenizers import Tokenizer as Fast

    folder.mkdir()
    draw = random.Random(20261124)
    held, good = split_off(base(source, tongue, megabytes, draw), tongue, folder, 40, draw)
    raw = written(folder / "raw", raw_pool(good, tongue, folder, draw), tongue)
    stages = curated(raw, folder)
    pools = {"raw": raw, "curated": stages["private"], "base": written(folder / "base", good, tongue)}
    pools |= {name: stages[name] for name in ("cleaned", "good", "passages", "unique")}
    decoders = tuple(pools) if every else ("raw", "curated")
    tell(
        f"{tongue}: {len(good)} good pages, {raw.count()} raw, {pools['curated'].count()} curated, {len(held)} held out"
    )

    # Neither side's advantage: as many bytes of either.
    even = min(sum(size(page.text) for page in pages_of(pools[side])) for side in ("raw", "curated"))
    mixed = [page for side in ("raw", "curated") for page in until(pages_of(pools[side]), even, lambda p: size(p.text))]
    words = steps.tokenizer(
        steps.TrainTokenizer(vocabulary=VOCABULARY), written(folder / "mixed", mixed, tongue), run=Run(folder / "words")
    )
    fast = Fast.from_file(str(words.path / "tokenizer.json"))
    items = []
    for page in held:
        made = fast.encode(page.text, add_special_tokens=False)
        ids = made.ids[:SEQUENCE]
        first, last = made.offsets[0][1], made.offsets[len(ids) - 1][1]
        items.append((ids, size(page.text[first:last])))
    (folder / "items").write_text("\n".join(" ".join(map(str, ids)) for ids, _ in items), "utf-8")
    lines = kept(pages_of(raw), pages_of(pools["curated"]), stages)

    # Two at a time on one thread each, the sides of a seed beside each other: load of others hits both alike.
    os.environ["OMP_NUM_THREADS"] = "1"
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as workers:
        jobs = {
            (side, seed): workers.submit(
                learn,
                Job(
                    folder / f"{side}-{seed}",
                    one.path,
                    words.path,
                    folder / "items",
                    tongue,
                    tokens,
                    seed,
                    side in decoders,
                ),
            )
            for seed in range(1, seeds + 1)
            for side, one in pools.items()
        }
        found = {side: [jobs[side, seed].result() for seed in range(1, seeds + 1)] for side in pools}
    per = np.array([len(ids) - 1 for ids, _ in items])
    octets = np.array([count for _, count in items])
    return [
        *lines,
        "",
        "Tokens trained on, each once: "
        + "; ".join(f"{side} {', '.join(f'{one.tokens:,}' for one in found[side])}" for side in decoders)
        + ".",
        "",
        *compared(tongue, found, held, per, octets),
        "",
        *by_step(found, per),
        "",
    ]


def measure(
    tokens: int = 1_000_000,
    seeds: int = 3,
    megabytes: float = 6.0,
    tongues: Sequence[str] = ("en", "zh"),
    every: bool = False,
) -> list[str]:
    where = os.environ.get("SEPTET_BENCH_CORPUS")
    if not where:
        return [
            "Not measured: SEPTET_BENCH_CORPUS names no corpus; build one with `python benchmarks/corpus.py FOLDER`."
        ]
    if str(HERE) not in sys.path:
        sys.path.insert(0, str(HERE))
    sizes = ", ".join(f"{name} {value}" for name, value in SHAPE.items())
    lines = [
        f"{sizes}, vocabulary {VOCABULARY}; {tokens:,} tokens a side in steps of {BATCH} rows of {SEQUENCE}, {seeds} "
        f"seeds; base of {megabytes:g} MB a language; recipe {hashlib.sha256(RECIPE.read_bytes()).hexdigest()[:8]}.",
        "",
    ]
    with tempfile.TemporaryDirectory(prefix="septet-curation-") as scratch:
        for tongue in tongues:
            lines += one_language(
                tongue, Path(where) / "corpus", Path(scratch) / tongue, tokens, seeds, megabytes, every
            )
    return lines


if __name__ == "__main__":
    given = argparse.ArgumentParser(description="Does curation pay?")
    given.add_argument("--tokens", type=int, default=1_000_000, help="that each side is trained on")
    given.add_argument("--seeds", type=int, default=3)
    given.add_argument("--size", type=float, default=6.0, help="MB of good text in the base")
    given.add_argument("--languages", nargs="+", default=["en", "zh"], choices=("en", "zh"))
    given.add_argument(
        "--every-step", action="store_true", help="a decoder for the base and for the pool after each step too"
    )
    asked = given.parse_args()
    sys.stdout.write(
        "\n".join(measure(asked.tokens, asked.seeds, asked.size, asked.languages, asked.every_step)) + "\n"
    )
