"""Near-duplicate removal beside datasketch (MinHash LSH, 128 permutations) on one seeded corpus in Chinese and English.

Planted: copies with 0.5 to 5 % of their tokens changed. Truth is exact Jaccard over all pairs that share a shingle. The peer is
used as its documentation shows; neither side is tuned to the corpus. Runs alternate; medians of three.
"""

from __future__ import annotations

import random
import re
import statistics
import time
from collections import defaultdict

SIMILARITY = 0.8
DOCUMENTS = 1500


def corpus(seed: int = 7) -> list[str]:
    draw = random.Random(seed)
    words = [
        f"{a}{b}"
        for a in ("led", "rec", "pol", "sto", "gat", "ans", "mod", "row")
        for b in ("ger", "ord", "icy", "re", "e", "wer", "el")
    ]
    characters = "账本条目记录模型回答来源策略文本发布门禁摘要制品文件银行客户贷款利率合同期限保险理赔监管数据安全隐私"
    texts: list[str] = []
    while len(texts) < DOCUMENTS:
        chinese = len(texts) % 2 == 0
        alphabet = list(characters) if chinese else words
        tokens = [draw.choice(alphabet) for _ in range(draw.randint(150, 500))]
        join = "" if chinese else " "
        texts.append(join.join(tokens))
        if draw.random() < 0.4:
            share = draw.choice([0.005, 0.01, 0.02, 0.05])
            texts.append(join.join(draw.choice(alphabet) if draw.random() < share else token for token in tokens))
    return texts[:DOCUMENTS]


def shingles(text: str) -> set[tuple[str, ...]]:
    tokens = re.findall(r"[a-z0-9]+|[\u3400-\u9fff]", text.lower())
    return {tuple(tokens[i : i + 5]) for i in range(max(1, len(tokens) - 4))}


def truth(texts: list[str]) -> set[tuple[int, int]]:
    sets = [shingles(text) for text in texts]
    holders = defaultdict(list)
    for index, one in enumerate(sets):
        for shingle in one:
            holders[shingle].append(index)
    pairs = {(a, b) for places in holders.values() for n, a in enumerate(places) for b in places[n + 1 :]}
    return {(a, b) for a, b in pairs if len(sets[a] & sets[b]) / len(sets[a] | sets[b]) >= SIMILARITY}


def ours(texts: list[str]) -> set[int]:
    from septet.data.neardup import near_duplicates

    return {one.copy for one in near_duplicates(texts, SIMILARITY, range(len(texts)))}


def peer(texts: list[str]) -> set[int]:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(threshold=SIMILARITY, num_perm=128)
    removed = set()
    for number, text in enumerate(texts):
        sketch = MinHash(num_perm=128)
        sketch.update_batch([" ".join(one).encode() for one in shingles(text)])
        if index.query(sketch):
            removed.add(number)
        else:
            index.insert(str(number), sketch)
    return removed


def measure() -> list[str]:
    texts = corpus()
    size = sum(len(text.encode()) for text in texts) / 1e6
    pairs = truth(texts)
    wanted = {b for _, b in pairs}
    arms = {"septet": ours}
    lines = [f"{len(texts)} documents, {size:.1f} MB, {len(wanted)} removable by exact Jaccard >= {SIMILARITY}.", ""]
    try:
        import datasketch

        arms[f"datasketch {datasketch.__version__}"] = peer
    except ImportError:
        lines += ["The peer datasketch is not installed (`pip install datasketch`): its row is missing.", ""]
    ours(texts[:50])  # compile before the clock starts; the first run ever costs about 5 CPU seconds more
    spent: dict[str, list[float]] = {name: [] for name in arms}
    removed = {}
    for _ in range(3):
        for name, arm in arms.items():
            began = time.process_time()
            removed[name] = arm(texts)
            spent[name].append(time.process_time() - began)
    lines += ["| | CPU s | MB/s | recall of removable | removed without a like one |", "|---|---|---|---|---|"]
    for name in arms:
        cpu = statistics.median(spent[name])
        recall = len(removed[name] & wanted) / len(wanted)
        false = len(removed[name] - wanted)
        lines.append(f"| {name} | {cpu:.2f} | {size / cpu:.1f} | {recall:.3f} | {false} |")
    if len(arms) == 2:
        first, second = (statistics.median(times) for times in spent.values())
        lines += ["", f"Ratio of CPU time, peer to Septet: {second / first:.1f}."]
    return lines
