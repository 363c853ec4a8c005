"""From documents to packed tokens: tokenisers trained, extended and compared, and rows packed for pretraining."""

from __future__ import annotations

from pathlib import Path

from septet.core import Config, ConfigError, Run, field, step
from septet.kinds import Corpus, Model, Report, Tokenizer, Tokens


class TrainTokenizer(Config):
    """Train a tokeniser."""

    vocabulary: int = field(4096, "Entries of the vocabulary, special tokens included.", ge=300, le=1 << 20)
    model: str = field(
        "bpe", "How text is cut: by merges (bpe), or by likelihood (unigram, no GGUF form).", choices=("bpe", "unigram")
    )
    pad: str = field("<|pad|>", "The token that fills rows.")
    begin: str = field("<|begin|>", "The token that begins a document.")
    end: str = field("<|end|>", "The token that ends a document.")
    special: tuple[str, ...] = field((), "Further special tokens, such as those of a chat template.")
    sample_mb: int = field(
        1024,
        "Text to learn from at most, in MiB; of more, documents are sampled. Unigram takes about 3 seconds a MiB.",
        ge=1,
    )
    seed: int = field(1, "Seed of the sample.")


@step("data.tokenizer", version=2)
def tokenizer(config: TrainTokenizer, corpus: Corpus, run: Run) -> Tokenizer:
    """Train a byte-level tokeniser on a corpus."""
    from septet.data.tokenizers import Special, texts_of, train

    special = Special(config.pad, config.begin, config.end, config.special)
    size = train(
        lambda: texts_of(corpus, config.sample_mb << 20, config.seed),
        config.model,
        config.vocabulary,
        special,
        run.out,
    )
    if size < config.vocabulary:
        run.note(f"the text yields {size} entries, fewer than the {config.vocabulary} asked for")
    return Tokenizer(run.out)


class ExtendTokenizer(Config):
    """Teach an existing tokeniser the words of a corpus."""

    tokens: int = field(1000, "Tokens to add at most.", ge=0, le=1 << 19)
    special: tuple[str, ...] = field((), "Further special tokens to add.")
    sample_mb: int = field(256, "Text to learn from at most, in MiB; of more, documents are sampled.", ge=1)
    seed: int = field(1, "Seed of the sample.")


@step("data.extend_tokenizer", version=1)
def extend_tokenizer(
    config: ExtendTokenizer,
    corpus: Corpus,
    tokenizer: Tokenizer | None = None,
    model: Model | None = None,
    *,
    run: Run,
) -> Tokenizer:
    """Add tokens learned on a corpus to a BPE tokeniser or a model's; every old id keeps its meaning."""
    from septet.data.extension import extend
    from septet.data.tokenizers import texts_of

    old = tokenizer or model
    if old is None or (tokenizer is not None and model is not None):
        raise ConfigError("data.extend_tokenizer extends one tokeniser", "Tie either `tokenizer` or `model`")
    texts = texts_of(corpus, config.sample_mb << 20, config.seed)
    made = extend(old.path, texts, config.tokens, config.special, run.out)
    run.note(
        f"{made['new']} tokens added to {made['old']}; a model needs {made['old'] + made['new']} rows of embeddings"
    )
    return Tokenizer(run.out)


class Fertility(Config):
    """Compare tokenisers on a corpus."""

    names: tuple[str, ...] = field((), "Names of the tokenisers and then of the models, in order; empty: numbered.")
    documents: int = field(1000, "Documents of each data set and language that are encoded.", ge=1)
    seed: int = field(1, "Seed of the sample.")


@step("data.fertility", version=1)
def fertility(
    config: Fertility,
    corpus: Corpus,
    tokenizers: tuple[Tokenizer, ...] = (),
    models: tuple[Model, ...] = (),
    *,
    run: Run,
) -> Report:
    """Report tokens a word and a character, bytes a token and single bytes by language and data set, with intervals."""
    from septet.data.fertility import report

    folders: list[Path] = [*(one.path for one in tokenizers), *(one.path for one in models)]
    names = config.names or tuple(f"tokenizer-{number}" for number in range(1, len(folders) + 1))
    if len(names) != len(folders) or len(set(names)) != len(names):
        raise ConfigError(f"{len(config.names)} names for {len(folders)} tokenisers", "Give each a name of its own")
    return report(corpus, dict(zip(names, folders, strict=True)), config.documents, config.seed, run)


class Pack(Config):
    """Pack documents into rows of tokens."""

    sequence: int = field(256, "Tokens a row.", ge=16, le=1 << 20)
    shard_mb: int = field(256, "Size of a file of rows, in MiB.", ge=1, le=1 << 16)
    pad: str = field("", "The token that fills rows; empty: the one that the tokeniser's config names.")
    begin: str = field("", "The token that begins a document; empty: the config's, if it names one.")
    end: str = field("", "The token that ends a document; empty: the one that the config names.")


@step("data.pack", version=2)
def pack(config: Pack, corpus: Corpus, tokenizer: Tokenizer, run: Run) -> Tokens:
    """Encode documents and pack them into rows by best fit, without dropping a token."""
    from septet.data import packing
    from septet.data.encoding import marks_of

    marks = marks_of(tokenizer, config.pad, config.begin, config.end)
    packed = packing.pack(corpus, tokenizer, marks, config.sequence, config.shard_mb, run)
    meta = packed.meta
    share = meta["padding"] / max(1, meta["rows"] * config.sequence)
    run.note(f"{meta['tokens']:,} tokens in {meta['rows']:,} rows of {config.sequence}, {share:.1%} padding")
    return packed
