"""The knowledge base, and the questions and rows that are made with it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from septet.core import Config, ConfigError, External, Externals, Run, StepFailed, field, step
from septet.files import read_lines, write_lines
from septet.kinds import Conversations, Corpus, KnowledgeBase, Model, Suite


class Knowledge(Config):
    """Cut documents into chunks with vectors, and say how they are searched: what was tested is what is served."""

    size: int = field(
        700, "Length of a chunk in units of an English character; a Chinese one counts 7/3.", ge=80, le=8000
    )
    encoder: str = field("universal-sentence-encoder", "Which encoder makes the vectors.")
    encoder_folder: External = field(
        "", "A sentence encoder exported to ONNX, as a folder; it takes the place of `encoder`."
    )
    dictionary: bool = field(
        False,
        "Also search for a question's words in the other language, Chinese or English, by CC-CEDICT (extra bilingual).",
    )
    reranker: str = field(
        "", "What looks again at the first chunks found: ms-marco-minilm (extra rerank), or one that a package brings."
    )


@step("data.knowledge", version=3)
def knowledge(config: Knowledge, corpus: Corpus, model: Model | None = None, *, run: Run) -> KnowledgeBase:
    """Build a knowledge base: chunks with spans, versions and days of validity, and their vectors.

    A model that is tied looks again at the first chunks found, by how likely it finds the question after each: one that learned
    from rows of data.ask, in safetensors form. The base carries it.
    """
    from septet.inference.embedding import load_encoder
    from septet.inference.rerank import load_reranker
    from septet.knowledge import bilingual, build, validity

    for name in (config.encoder, config.reranker):
        if "/" in name or ":" in name:
            raise ConfigError(
                f"'{name}' is a path, whose content nobody would notice to change",
                "Name an encoder's folder in 'encoder_folder'; tie a reranker of your own as 'model'",
            )
    if model is not None and config.reranker:
        raise ConfigError("there are two rerankers, a name and a model", "Leave out 'reranker', or tie no 'model'")
    encoder = load_encoder(config.encoder_folder or config.encoder)
    # What a search needs is asked for now, and not by the first question.
    if config.dictionary:
        bilingual.dictionary()
    if config.reranker or model is not None:
        load_reranker(config.reranker or f"likelihood:{model.path}")  # type: ignore[union-attr]
    documents = build.survey(corpus.rows())
    ended = validity.settle(list(documents.values()))
    found = build.cut(corpus.rows(), config.size, documents, ended)
    ways = build.Ways(dictionary=config.dictionary, reranker=config.reranker)
    made = build.write(run.out, found, encoder, ways, lambda done: run.progress(done, done, "chunks"))
    if not made.meta["chunks"]:
        raise StepFailed("the corpus holds no text to index", "Look at what was left out: septet show the step before")
    if model is not None:
        build.carry(model, made.path)
    if ended:
        run.note(f"{len(ended)} documents are superseded by a later version and hold up to its first day")
    return made


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
    items = [
        q.completed(item, f"{path}, line {number}", config.test_share)
        for path in config.paths
        for number, item in enumerate(read_lines(Path(path)), 1)
    ]
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
    as_of: str = field("", "Search what held on a day, as 2024-11-24; empty: the last version of each document.")


@step("data.retrieve", version=3)
def retrieve(config: Retrieve, suite: Suite, knowledge: KnowledgeBase, run: Run) -> Suite:
    """Search for each item, attach the chunks found, and say how often the evidence was among them."""
    from septet.data.retrieve import attach

    return attach(suite, knowledge, config, run)


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
    access: tuple[str, ...] = field((), "Access classes whose passages may be learned from; empty: all.")
    as_of: str = field("", "Learn from what held on a day, as 2024-11-24; empty: the last version of each document.")


@step("data.rows", version=3)
def rows(config: Rows, suite: Suite, knowledge: KnowledgeBase, run: Run) -> Conversations:
    """Make chat rows (question, retrieved context, answer) of the training split, some of them without evidence."""
    from septet.data.retrieve import spread
    from septet.data.rows import training_rows
    from septet.knowledge.search import Searcher
    from septet.knowledge.validity import NEWEST

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
            config.access or None,
            config.as_of or NEWEST,
            lambda done: run.progress(done, len(items), "questions"),
        )
    )
    searcher.close()
    if not made:
        raise StepFailed(
            f"no question stands on a passage of the classes {', '.join(config.access)}",
            "Name more classes in 'access'",
        )
    run.drop("questions on passages of other access classes", len(items) - len({row["item"] for row in made}))
    run.drop("contexts cut to the token budget", sum(row["truncated"] for row in made), "rows.jsonl, truncated")
    run.drop("contexts beyond the token budget", sum(row["left_out"] for row in made), "rows.jsonl, left_out")
    return Conversations.write(run.out, made)


class Ask(Config):
    """Make rows that teach a model to ask: a passage, and a question that it answers."""

    limit: int = field(0, "Use at most so many questions, spread over languages and pages; 0: all.", ge=0)
    access: tuple[str, ...] = field((), "Access classes whose passages may be learned from; empty: all.")


@step("data.ask", version=1)
def ask(config: Ask, suite: Suite, knowledge: KnowledgeBase, run: Run) -> Conversations:
    """Make rows of the training split's questions for a model that judges what was found: tie it to data.knowledge as 'model'."""
    from septet.data.retrieve import spread
    from septet.data.rows import asking_rows

    items = [item for item in suite.items() if item["kind"] == "question" and item["split"] == "train"]
    backed = [item for item in items if item.get("chunks")]
    run.drop("questions without evidence", len(items) - len(backed))
    chosen = spread(backed, config.limit) if config.limit else backed
    made = asking_rows(chosen, knowledge.chunks(), config.access or None)
    if not made:
        raise StepFailed(
            "no question to train on stands on a passage that may be learned from",
            "Tie the knowledge base that the suite was made for; look at 'access' and at the suite's split 'train'",
        )
    run.drop("questions on passages of other access classes, or of another base", len(chosen) - len(made))
    return Conversations.write(run.out, made)
