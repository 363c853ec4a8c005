"""From documents to packed tokens."""

from __future__ import annotations

from septet.core import Config, Run, field, step
from septet.kinds import Corpus, Tokenizer, Tokens


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
