"""Do our quality rules give the verdicts of datatrove's filters? Rule by rule, on real documents in Chinese and English.

Opt-in: it needs a Python that has datatrove, spacy and jieba, and a folder of text.
    python benchmarks/agreement_rules.py --peer /path/to/python --texts /path/to/corpora [--documents 500]

Each rule of the peer runs alone, so that every document has a verdict on every rule. It runs twice: with its own word splitter,
and with our words put in its place. A difference that the second run settles comes from the splitter, what is left from the
definition.
"""

from __future__ import annotations

import argparse
import hashlib
import html
import json
import re
import subprocess
import tempfile
from pathlib import Path

from septet.detect import rulesets
from septet.detect.language import language_all
from septet.detect.quality import groups_of, judge_all, measure_all

SIZE = 4000
# Shorter texts break the limits of length, and then every share means little.
SHORTEST = 400
SETS = {"en": ("gopher", "gopher-repetition", "c4", "c4-paragraphs", "fineweb"), "zh": ("fineweb2-zh",)}
WORD = re.compile(
    r"[\u3400-\u4dbf\u4e00-\u9fff\u3041-\u30ff\uac00-\ud7a3]|[^\W_\u3400-\u9fff\u3041-\u30ff\uac00-\ud7a3]+(?:['’-][^\W_]+)*"
)

# Runs in the peer's Python. Names of rules are ours: measure, or measure with the limit where a filter has two.
PEER = r"""
import json, sys
from datatrove.data import Document
from datatrove.pipeline.filters import (
    C4ParagraphFilter, C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter,
)
from datatrove.pipeline.filters import fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter
from datatrove.utils.typeshelper import Languages

rows = [json.loads(line) for line in open(sys.argv[1])]
own_words = sys.argv[2] == "ours"
words = {}
if own_words:
    for module in (fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter):
        module.split_into_words = lambda text, language: words[text]

def quality(**chosen):
    none = dict.fromkeys(("min_doc_words", "max_doc_words", "min_avg_word_length", "max_avg_word_length",
        "max_symbol_word_ratio", "max_bullet_lines_ratio", "max_ellipsis_lines_ratio", "max_non_alpha_words_ratio",
        "min_stop_words"))
    return GopherQualityFilter(**{**none, **chosen})

def repetition(**chosen):
    none = dict(dup_line_frac=None, dup_para_frac=None, dup_line_char_frac=None, dup_para_char_frac=None,
        top_n_grams=(), dup_n_grams=())
    return GopherRepetitionFilter(**{**none, **chosen})

def c4(**chosen):
    none = dict(filter_no_terminal_punct=False, min_num_sentences=-1, min_words_per_line=-1, max_word_length=-1,
        filter_lorem_ipsum=False, filter_javascript=False, filter_curly_bracket=False, filter_policy=False)
    return C4QualityFilter(**{**none, **chosen})

def fineweb(**chosen):
    none = dict(line_punct_thr=-1, short_line_thr=9, char_duplicates_ratio=9, new_line_ratio=1e9)
    return FineWebQualityFilter(**{**none, **chosen})

english = {
    "gopher.words": quality(min_doc_words=50, max_doc_words=100000),
    "gopher.word_length": quality(min_avg_word_length=3, max_avg_word_length=10),
    "gopher.symbols": quality(max_symbol_word_ratio=0.1),
    "gopher.bullet_lines": quality(max_bullet_lines_ratio=0.9),
    "gopher.ellipsis_lines": quality(max_ellipsis_lines_ratio=0.3),
    "gopher.alphabetic_words": quality(max_non_alpha_words_ratio=0.8),
    "gopher.stop_words": quality(min_stop_words=2),
    "gopher.duplicate_paragraphs": repetition(dup_para_frac=0.3),
    "gopher.duplicate_paragraph_characters": repetition(dup_para_char_frac=0.2),
    "gopher.duplicate_lines": repetition(dup_line_frac=0.3),
    "gopher.duplicate_line_characters": repetition(dup_line_char_frac=0.2),
    **{f"gopher.top_{n}gram": repetition(top_n_grams=((n, t),)) for n, t in ((2, 0.2), (3, 0.18), (4, 0.16))},
    **{f"gopher.duplicate_{n}gram": repetition(dup_n_grams=((n, t),))
       for n, t in zip(range(5, 11), (0.15, 0.14, 0.13, 0.12, 0.11, 0.10))},
    "c4.lorem_ipsum": c4(filter_lorem_ipsum=True),
    "c4.curly_brackets": c4(filter_curly_bracket=True),
    "c4.sentences": c4(filter_no_terminal_punct=True, min_num_sentences=5, min_words_per_line=3, max_word_length=1000,
        filter_javascript=True, filter_policy=True),
    "c4.third_longest_line": C4ParagraphFilter(),
    "fineweb.line_punctuation": fineweb(line_punct_thr=0.12),
    "fineweb.short_lines": fineweb(short_line_thr=0.67),
    "fineweb.duplicate_line_characters": fineweb(char_duplicates_ratio=0.01),
    "fineweb.newlines": fineweb(new_line_ratio=0.3),
}
zh = dict(language=Languages.mandarin_chinese)
stops = "的 年 在 月 是 和 日 了 於 · 為 有 被 人 中 为 他 與 後 也 而 由".split()
chinese = {
    "gopher.duplicate_lines": repetition(dup_line_frac=0.287, **zh),
    **{f"segmented.top_{n}gram": repetition(top_n_grams=((n, t),), **zh)
       for n, t in ((2, 0.256), (3, 0.201), (4, 0.171))},
    **{f"segmented.duplicate_{n}gram": repetition(dup_n_grams=((n, t),), **zh)
       for n, t in zip(range(5, 11), (0.198, 0.182, 0.167, 0.154, 0.14, 0.127))},
    "fineweb.line_punctuation": fineweb(line_punct_thr=0.106, **zh),
    "fineweb.duplicate_line_characters": fineweb(char_duplicates_ratio=0.1, **zh),
    "segmented.newlines": fineweb(new_line_ratio=0.178, **zh),
    "segmented.word_length": quality(min_avg_word_length=1, max_avg_word_length=5, **zh),
    "segmented.alphabetic_words": quality(max_non_alpha_words_ratio=0.735, **zh),
    "segmented.stop_words": quality(min_stop_words=2, stop_words=stops, **zh),
}
for row in rows:
    words[row["text"]] = row["words"]
    verdicts = {}
    for name, one in (english if row["language"] == "en" else chinese).items():
        kept = one.filter(Document(text=row["text"], id="x"))
        verdicts[name] = not (kept if isinstance(kept, bool) else kept[0])
    sys.stdout.write(json.dumps(verdicts) + "\n")
"""


def texts_of(folder: Path, wanted: int) -> dict[str, list[str]]:
    """So many texts of each language, cut to 4,000 characters, drawn by their hash from whatever files of text there are."""
    pieces: list[str] = []
    for file in sorted(folder.rglob("*")):
        if file.suffix in (".md", ".txt", ".html", ".htm") or (file.is_file() and file.parent.parent.name == "mail"):
            text = file.read_text("utf-8", "replace")
            if file.suffix in (".html", ".htm"):
                text = html.unescape(re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", "", text))
            parts = [text]
        elif file.suffix == ".jsonl":
            rows = [json.loads(line) for line in file.read_text("utf-8").splitlines() if line.strip()]
            parts = [str(row.get("text") or row.get("raw_content") or "") for row in rows if isinstance(row, dict)]
        elif file.name.endswith(".wet.gz") or file.name.endswith(".wet"):
            parts = wet(file)
        else:
            continue
        pieces += [part[i : i + SIZE] for part in parts for i in range(0, min(len(part), 20 * SIZE), SIZE)]
    pieces = sorted(
        {one for one in pieces if len(one.strip()) >= SHORTEST}, key=lambda one: hashlib.sha256(one.encode()).digest()
    )
    found: dict[str, list[str]] = {"en": [], "zh": []}
    for text, tongue in zip(pieces, language_all(pieces), strict=True):
        if tongue in found and len(found[tongue]) < wanted:
            found[tongue].append(text)
    return found


def wet(file: Path) -> list[str]:
    from fastwarc.warc import ArchiveIterator

    with file.open("rb") as stream:
        return [record.reader.read().decode("utf-8", "replace") for record in ArchiveIterator(stream)]


def ours(texts: list[str], tongue: str) -> dict[str, list[bool]]:
    """Our verdict by rule: whether each text is dropped by it alone."""
    rules = rulesets.rules_of({}, SETS[tongue])(tongue)
    values = measure_all(texts, [tongue] * len(texts), groups_of([rule.measure for rule in rules]))
    found = {}
    for rule in rules:
        names, _, _ = judge_all(values, [tongue] * len(texts), lambda _, only=rule: [only])
        found[rule.measure] = (names != "").tolist()
    return found


def words_of(text: str, tongue: str) -> list[str]:
    if tongue == "en":
        return WORD.findall(text)
    import rjieba

    return [word for word in rjieba.cut(text) if not word.isspace()]


def theirs(peer: str, texts: list[str], tongue: str, words: str) -> dict[str, list[bool]]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "texts.jsonl"
        with file.open("w", encoding="utf-8") as out:
            for text in texts:
                out.write(json.dumps({"text": text, "language": tongue, "words": words_of(text, tongue)}) + "\n")
        done = subprocess.run([peer, "-c", PEER, str(file), words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-2000:])
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {name: [row[name] for row in rows] for name in rows[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--peer", required=True, help="a Python that has datatrove, spacy and jieba")
    parser.add_argument("--texts", required=True, type=Path, help="a folder of text")
    parser.add_argument("--documents", type=int, default=500, help="documents of each language")
    options = parser.parse_args()
    for tongue, texts in texts_of(options.texts, options.documents).items():
        mine = ours(texts, tongue)
        own, shared = (theirs(options.peer, texts, tongue, words) for words in ("theirs", "ours"))
        print(f"\n{tongue}: {len(texts)} documents\n")
        print(
            "| rule | we drop | datatrove drops | same verdict | same with our words | differences: splitter, definition |"
        )
        print("|---|---|---|---|---|---|")
        for name, verdicts in mine.items():
            same = sum(a == b for a, b in zip(verdicts, own[name], strict=True))
            with_words = sum(a == b for a, b in zip(verdicts, shared[name], strict=True))
            splitter = sum(a != b and a == c for a, b, c in zip(verdicts, own[name], shared[name], strict=True))
            size = len(texts)
            print(
                f"| {name} | {sum(verdicts)} | {sum(own[name])} | {same / size:.3f} | {with_words / size:.3f} "
                f"| {splitter}, {size - same - splitter} |"
            )


if __name__ == "__main__":
    main()
