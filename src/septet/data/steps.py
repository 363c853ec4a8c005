"""The steps of stage 1, data: what each takes, what it makes, and what it can be told. The work is in the files beside."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from septet.core import Config, ConfigError, External, Externals, Run, StepFailed, field, step
from septet.kinds import Conversations, Corpus, KnowledgeBase, Policy, Suite, Tokenizer, Tokens, read_lines, write_lines


class Read(Config):
    """Read files into documents, each with where it is from."""

    paths: Externals = field(doc="Files or folders: Markdown, text, HTML, DOCX, PDF. Other types are rejected by name.")
    licence: str = field(
        doc="The licence of these files, as an SPDX name or in words. A source without one is refused."
    )
    origin: str = field("private", "public, commercial or private.", choices=("public", "commercial", "private"))
    obtained: str = field("given by the owner", "How the files were had.")
    owner: str = field("", "Who answers for the source.")
    access: str = field("internal", "The access class of the source; it follows each row to chunk, cache and answer.")
    retrieved: str = field("", "The day on which the files were had, as 2026-11-24.")


@step("data.read", version=1)
def read(config: Read, run: Run) -> Corpus:
    """Read files into documents, each with its source, span, licence and access class; reject by name what is unreadable."""
    from septet.data import sources
    from septet.detect.language import language

    if not config.licence.strip():
        raise ConfigError(
            "Read.licence is empty", "Say under which licence the files may be used; 'unknown' is an answer"
        )
    rows, rejected = [], []
    for number, (name, mark, parsed, reason) in enumerate(sources.documents(config.paths), 1):
        if parsed is None:
            rejected.append({"source": name, "where": "", "reason": reason})
            continue
        rejected += [{"source": name, "where": where, "reason": why} for where, why in parsed.rejected]
        for piece in parsed.pieces:
            if piece.text.strip():
                rows.append(
                    {
                        "id": sources.row_id(name, piece.start, piece.end, mark),
                        "text": piece.text,
                        "title": parsed.title,
                        "source": name,
                        "source_digest": mark,
                        "start": piece.start,
                        "end": piece.end,
                        "page": piece.page,
                        "language": language(piece.text),
                        "licence": config.licence,
                        "origin": config.origin,
                        "owner": config.owner,
                        "access": config.access,
                        "retrieved": config.retrieved,
                        "transforms": ["data.read"],
                        "edits": "",
                    }
                )
        run.progress(number, 0, "files")
    run.drop("unreadable", len(rejected), "rejected.jsonl")
    if not rows:
        reasons = "; ".join(f"{one['source']}: {one['reason']}" for one in rejected[:3]) or "there are no files"
        raise StepFailed(
            f"no document could be read from {', '.join(config.paths)} ({reasons})",
            "Name a folder of Markdown, text, HTML, DOCX or PDF files",
        )
    return Corpus.write(run.out, rows, rejected=rejected)


class Filter(Config):
    """Leave out documents of too little quality."""

    rules: tuple[str, ...] = field((), "Rules to apply, by name; empty: all that the policy sets a threshold for.")


@step("data.filter", version=1)
def filter_(config: Filter, corpus: Corpus, policy: Policy, run: Run) -> Corpus:
    """Measure every quality signal once, and leave out what the policy's thresholds for its language refuse."""
    from septet.data.filters import apply

    return apply(corpus, policy, config.rules, run)


class Deduplicate(Config):
    """Leave out documents that are there already."""

    similarity: float = field(
        0.8, "Jaccard similarity of 5-token shingles from which two documents count as one.", gt=0, le=1
    )
    keep: str = field("longest", "Which of several like documents stays.", choices=("longest", "first", "newest"))


@step("data.deduplicate", version=1)
def deduplicate(config: Deduplicate, corpus: Corpus, run: Run) -> Corpus:
    """Leave out exact and near duplicates. Each candidate pair is verified before anything is left out."""
    from septet.data.dedup import apply

    return apply(corpus, config.similarity, config.keep, run)


class Mask(Config):
    """Take personal data out of the text."""

    key_file: External = field(
        External(""), "A file with the key for keyed actions (hash, pseudonym); empty: none is used."
    )


@step("data.mask", version=1)
def mask(config: Mask, corpus: Corpus, policy: Policy, run: Run) -> Corpus:
    """Replace personal data as the policy says for each kind. Counts are reported, values never."""
    from septet.data.privacy import apply

    return apply(corpus, policy, Path(config.key_file) if config.key_file else None, run)


class Knowledge(Config):
    """Cut documents into chunks and index them."""

    size: int = field(
        700, "Length of a chunk in units of an English character; a Chinese one counts 7/3.", ge=80, le=8000
    )
    encoder: str = field("universal-sentence-encoder", "Which encoder makes the vectors.")


@step("data.knowledge", version=1)
def knowledge(config: Knowledge, corpus: Corpus, run: Run) -> KnowledgeBase:
    """Build a knowledge base: chunks with spans, full text and vectors."""
    from septet.data.knowledge.build import cut, write
    from septet.inference.embedding import load_encoder

    found = cut(corpus.rows(), config.size)
    if not found:
        raise StepFailed("the corpus holds no text to index", "Look at what was left out: septet show the step before")
    write(run.out, found, load_encoder(config.encoder), lambda done, total: run.progress(done, total, "chunks"))
    return KnowledgeBase(run.out)


class TrainTokenizer(Config):
    """Train a tokeniser."""

    vocabulary: int = field(4096, "Entries of the vocabulary, special tokens included.", ge=300, le=1 << 20)


@step("data.tokenizer", version=1)
def tokenizer(config: TrainTokenizer, corpus: Corpus, run: Run) -> Tokenizer:
    """Train a byte-level BPE tokeniser on a corpus."""
    from septet.data.tokens import train_tokenizer

    figures = train_tokenizer((row["text"] for row in corpus.rows()), config.vocabulary, run.out)
    if figures["vocabulary"] < config.vocabulary:
        run.note(f"the text yields {figures['vocabulary']:.0f} entries, fewer than the {config.vocabulary} asked for")
    return Tokenizer(run.out)


class Pack(Config):
    """Pack documents into rows of tokens."""

    sequence: int = field(256, "Tokens a row.", ge=16, le=1 << 20)


@step("data.pack", version=1)
def pack(config: Pack, corpus: Corpus, tokenizer: Tokenizer, run: Run) -> Tokens:
    """Encode documents and pack them into rows by best fit, without dropping a token."""
    from septet.data import tokens

    texts = ((row["id"], row["text"]) for row in corpus.rows())
    meta = tokens.pack(
        texts,
        tokenizer.path / "tokenizer.json",
        config.sequence,
        run.out,
        lambda done: run.progress(done, 0, "documents"),
    )
    share = meta["padding"] / max(1, meta["rows"] * config.sequence)
    run.note(f"{meta['tokens']:,} tokens in {meta['rows']:,} rows of {config.sequence}, {share:.1%} padding")
    return Tokens(run.out)


class Questions(Config):
    """Gather questions about the documents of a knowledge base."""

    paths: Externals = field(
        (), "Written questions (JSON lines); those that these documents do not bear out are set aside."
    )
    derived: int = field(120, "Derived questions to add.", ge=0)
    least: int = field(360, "Derive more until there are so many in all, as far as the documents yield them.", ge=0)
    choices: int = field(40, "Four-way choice items to add, made of held-out questions.", ge=0)
    test_share: float = field(0.15, "Share of the chunks whose derived questions are held out.", ge=0, le=0.9)
    name: str = field("questions", "The suite's name.")
    licence: str = field("", "The licence of the written questions.")


@step("data.questions", version=1)
def questions(config: Questions, knowledge: KnowledgeBase, run: Run) -> Suite:
    """Check written questions against the documents, and derive extractive ones from definitions, tables, values, headings."""
    from septet.data import questions as q
    from septet.data.derive import derive

    chunks = list(knowledge.chunks())
    items = [item for path in config.paths for item in read_lines(Path(path))]
    kept, lost = q.written(items, chunks)
    wanted = max(config.derived, config.least - len(kept))
    held_out = {chunk for item in kept if item["split"] == "test" for chunk in item["chunks"]}
    # A chunk that a written test question stands on must not be learned from a derived one.
    derived = derive([chunk for chunk in chunks if chunk["id"] not in held_out], wanted, config.test_share)
    found = [*kept, *derived]
    missing = config.choices - sum(1 for item in found if item["kind"] == "choice")
    found += q.choices(found, max(0, missing))
    if lost:
        write_lines(run.out / "set_aside.jsonl", lost)
    run.drop("written for other documents, or not borne out by these", len(lost), "set_aside.jsonl")
    if not any(item["split"] == "train" for item in found):
        raise StepFailed(
            "the documents yield no question", "Add longer texts, or write questions and name the file in 'paths'"
        )
    about = {"name": config.name, "version": "1", "licence": config.licence, "origin": "written and derived"}
    return Suite.write(run.out, found, about)


class Retrieve(Config):
    """Attach to each item what a knowledge base holds for it."""

    split: str = field("test", "Which items to keep; empty: all.")
    kinds: tuple[str, ...] = field(("question",), "Which kinds of items to keep.")
    top: int = field(3, "Chunks an item.", ge=1, le=50)
    mode: Literal["hybrid", "text", "vector"] = field("hybrid", "How to search: hybrid, text or vector.")
    limit: int = field(0, "Keep at most so many items, spread over languages; 0: all.", ge=0)


@step("data.retrieve", version=1)
def retrieve(config: Retrieve, suite: Suite, knowledge: KnowledgeBase, run: Run) -> Suite:
    """Search for each item, attach the chunks found, and say how often the evidence was among them."""
    from septet.data.retrieve import attach

    return attach(suite, knowledge, config.split, config.kinds, config.top, config.mode, config.limit, run)


class Rows(Config):
    """Make training rows of questions."""

    top: int = field(3, "Contexts a row.", ge=1, le=20)
    without_evidence: float = field(
        0.12, "Share of rows repeated without their evidence, answered by abstention.", ge=0, le=1
    )
    max_tokens: int = field(360, "Budget of the contexts of a row, in estimated tokens; what is cut is counted.", ge=32)
    limit: int = field(
        0, "Use at most so many items, spread over languages, answerable or not, and pages; 0: all.", ge=0
    )
    seed: int = field(1, "Seed of places and order.")


@step("data.rows", version=1)
def rows(config: Rows, suite: Suite, knowledge: KnowledgeBase, run: Run) -> Conversations:
    """Make chat rows (question, retrieved context, answer) of the training split, some of them without evidence."""
    from septet.data.knowledge.search import Searcher
    from septet.data.retrieve import spread
    from septet.data.rows import training_rows

    items = [item for item in suite.items() if item["kind"] == "question" and item["split"] == "train"]
    items = spread(items, config.limit) if config.limit else items
    if not items:
        raise StepFailed(
            "the suite holds no question to train on", "See its set_aside.jsonl for those that were set aside"
        )
    searcher = Searcher(knowledge)
    made = list(
        training_rows(
            items,
            searcher,
            config.top,
            config.without_evidence,
            config.max_tokens,
            config.seed,
            lambda done: run.progress(done, len(items), "questions"),
        )
    )
    run.drop("contexts cut to the token budget", sum(row["truncated"] for row in made), "rows.jsonl, truncated")
    run.drop("contexts beyond the token budget", sum(row["left_out"] for row in made), "rows.jsonl, left_out")
    return Conversations.write(run.out, made)
