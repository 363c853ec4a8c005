"""How much of which data set a model is shown, in which order: by tokens, with temperature, weights and a cap on repetition.

Without weights a data set's share goes with its size to the power of 1 / temperature (Conneau et al., ACL 2020): 1 takes each as
often as it is long, higher ones lift the small. What a capped data set cannot give the others give, by their shares. Documents
are laid out so that every stretch of the result holds the same mixture. Repeating the same tokens up to four times is nearly as
good as new ones, far more is not (Muennighoff et al., NeurIPS 2023), hence the cap.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from septet.core import ConfigError, Run, StepFailed, nearest
from septet.data import stream
from septet.data.spill import database
from septet.files import write_json
from septet.kernels.arrow import texts_of
from septet.kernels.words import U
from septet.kinds import Corpus, Measure, Report, Tokenizer

COMPUTE_OPTIMAL = 20
"""Tokens a parameter at which a fixed budget of training compute buys the lowest loss (Hoffmann et al., NeurIPS 2022)."""
REPEATS_WELL = 4
_SAMPLE = 200


class Share(NamedTuple):
    """What is planned for one data set: documents and tokens there are, tokens to take, and how many epochs that is."""

    dataset: str
    documents: int
    tokens: int
    taken: int
    share: float
    epochs: float
    capped: bool


class Counted(NamedTuple):
    """Documents of several corpora, end to end: `dataset` (index into `names`), `tokens`, and a hash of the id."""

    names: list[str]
    dataset: Any
    tokens: Any
    key: Any
    exact: bool


def count(corpora: Sequence[Corpus], tokenizer: Tokenizer | None, run: Run) -> Counted:
    """The tokens of each document: bytes, times the tokens a byte of its data set and language in a sample.

    Without a tokeniser, a token is taken to be four bytes of Latin script, or 4.5 (one and a half characters) of Chinese.
    """
    parts = [str(part) for corpus in corpora for part in corpus.parts]
    datasets: list[Any] = []
    sizes: list[Any] = []
    keys: list[Any] = []
    groups: list[Any] = []
    for number, part in enumerate(parts, 1):
        for batch in pq.ParquetFile(part).iter_batches(8192, columns=["id", "dataset", "language", "text"]):
            texts = texts_of(batch["text"])
            sizes.append(np.diff(texts.offsets))
            datasets.append(batch["dataset"].to_numpy(zero_copy_only=False).astype(str))
            groups.append(batch["language"].to_numpy(zero_copy_only=False).astype(str))
            keys.append(_hashes(batch["id"]))
        run.progress(number, len(parts), "parts counted")
    if not sizes:
        raise StepFailed("there is no document to mix", "Look at what the steps before left out: septet show")
    names, dataset = np.unique(np.concatenate(datasets), return_inverse=True)
    language = np.concatenate(groups)
    size = np.concatenate(sizes)
    per_byte = np.where(np.isin(language, ("zh", "mixed", "ja")), 1 / 4.5, 1 / 4.0)
    if tokenizer is not None:
        per_byte = _measured(parts, tokenizer, dataset, language, per_byte)
    tokens = np.maximum(1, np.round(size * per_byte)).astype(np.int64)
    return Counted([str(name) for name in names], dataset, tokens, np.concatenate(keys), tokenizer is not None)


def _hashes(ids: Any) -> Any:
    """A number for each id, the same on every machine."""
    return np.array(
        [int.from_bytes(hashlib.blake2b(one.encode(), digest_size=8).digest(), "little") for one in ids.to_pylist()],
        np.uint64,
    )


def _measured(parts: Sequence[str], tokenizer: Tokenizer, dataset: Any, language: Any, per_byte: Any) -> Any:
    from tokenizers import Tokenizer as Fast

    encoder = Fast.from_file(str(tokenizer.path / "tokenizer.json"))
    groups: dict[tuple[int, str], list[int]] = {}
    for index, group in enumerate(zip(dataset.tolist(), language.tolist(), strict=True)):
        held = groups.setdefault(group, [])
        if len(held) < _SAMPLE:
            held.append(index)
    wanted = {index: group for group, held in groups.items() for index in held}
    totals = {group: [0, 0] for group in groups}
    at = 0
    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches(8192, columns=["text"]):
            here = [index for index in wanted if at <= index < at + batch.num_rows]
            texts = [batch["text"][index - at].as_py() or "" for index in here]
            for index, text, encoded in zip(
                here, texts, encoder.encode_batch_fast(texts, add_special_tokens=False), strict=True
            ):
                totals[wanted[index]][0] += len(encoded.ids)
                totals[wanted[index]][1] += len(text.encode())
            at += batch.num_rows
    out = per_byte.copy()
    for (which, code), (tokens, size) in totals.items():
        if size:
            out[(dataset == which) & (language == code)] = tokens / size
    return out


def plan(
    counted: Counted,
    weights: Mapping[str, float],
    temperature: float,
    budget: int,
    epochs: float,
    caps: Mapping[str, float],
) -> list[Share]:
    """What is taken of each data set. Raises ConfigError for a weight or cap of a data set that is not there."""
    available = np.bincount(counted.dataset, weights=counted.tokens, minlength=len(counted.names))
    for told in (*weights, *caps):
        if told not in counted.names:
            raise ConfigError(f"there is no data set '{told}' to mix", nearest(told, counted.names))
    told_weights = np.array([float(weights.get(name, 0.0)) for name in counted.names])
    wish = told_weights if weights else available ** (1.0 / temperature)
    if wish.min() < 0 or not wish.sum():
        raise ConfigError("the weights of the mixture are not positive", "Give at least one data set a weight above 0")
    limit = available * np.array([float(caps.get(name, epochs)) for name in counted.names])
    limit[wish == 0] = 0
    taken = _filled(wish, limit, float(budget or available[wish > 0].sum()))
    documents = np.bincount(counted.dataset, minlength=len(counted.names))
    return [
        Share(
            name,
            int(documents[k]),
            int(available[k]),
            int(taken[k]),
            float(taken[k] / max(1.0, taken.sum())),
            float(taken[k] / max(1.0, available[k])),
            bool(taken[k] >= limit[k] > 0),
        )
        for k, name in enumerate(counted.names)
    ]


def _filled(wish: Any, limit: Any, budget: float) -> Any:
    """The budget shared out by the wishes, none above its limit; what is over goes to the others."""
    taken = np.zeros_like(wish, float)
    open_ = wish > 0
    while open_.any():
        left = budget - taken.sum()
        add = np.where(open_, wish, 0) / wish[open_].sum() * left
        full = open_ & (taken + add >= limit)
        if not full.any():
            return taken + add
        taken[full] = limit[full]
        open_ &= ~full
        if budget - taken.sum() <= 0:
            break
    return taken


def order(counted: Counted, shares: Sequence[Share], seed: int) -> tuple[Any, Any]:
    """Which documents in which order: their places, and the epoch of each (0 is the first)."""
    places, epochs, positions = [], [], []
    for number, share in enumerate(shares):
        mine = np.flatnonzero(counted.dataset == number)
        if not share.taken or not mine.size:
            continue
        chosen, which = [], []
        left = share.taken
        epoch = 0
        while left > 0:
            salted = _mixed(counted.key[mine] ^ U((seed * 1_000_003 + epoch * 7919 + number) & 0xFFFFFFFFFFFFFFFF))
            shuffled = mine[np.argsort(salted, kind="stable")]
            ends = np.cumsum(counted.tokens[shuffled])
            # A last document is taken when more than half of it is wanted still.
            take = int(np.searchsorted(ends - counted.tokens[shuffled] / 2, left))
            chosen.append(shuffled[:take])
            which.append(np.full(take, epoch))
            if take < mine.size:
                break
            left -= int(ends[-1])
            epoch += 1
        documents = np.concatenate(chosen)
        ends = np.cumsum(counted.tokens[documents])
        places.append(documents)
        epochs.append(np.concatenate(which))
        positions.append((ends - counted.tokens[documents] / 2) / max(1, ends[-1] if ends.size else 1))
    if not places:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    place, epoch_of, position = np.concatenate(places), np.concatenate(epochs), np.concatenate(positions)
    sequence = np.lexsort((place, position))
    return place[sequence], epoch_of[sequence]


def _mixed(x: Any) -> Any:
    """`kernels.words.mix` of an array."""
    x = x ^ (x >> U(32))
    x = x * U(0xD6E8FEB86659FD93)
    x = x ^ (x >> U(32))
    x = x * U(0xD6E8FEB86659FD93)
    return x ^ (x >> U(32))


def advice(tokens: int, distinct: int, parameters: int) -> list[str]:
    """What the numbers say about a model of so many parameters."""
    if not parameters:
        return []
    ratio = tokens / parameters
    said = [
        f"{tokens:,} tokens for {parameters:,} parameters: {ratio:.1f} tokens a parameter; "
        f"compute-optimal is about {COMPUTE_OPTIMAL} ({COMPUTE_OPTIMAL * parameters:,} tokens, or "
        f"{tokens // COMPUTE_OPTIMAL:,} parameters for these tokens)"
    ]
    if ratio < COMPUTE_OPTIMAL:
        said.append("the model is large for the data: a smaller one trained on all of it reaches the same loss cheaper")
    else:
        said.append("the model is small for the data: worth it where it is asked often, since each answer is cheaper")
    if tokens > REPEATS_WELL * distinct:
        said.append(
            f"each token is seen {tokens / max(1, distinct):.1f} times; past {REPEATS_WELL} repetition adds little"
        )
    return said


def report(counted: Counted, shares: Sequence[Share], parameters: int, run: Run) -> Report:
    """The plan as a report, before anything is written."""
    summary = {}
    for share in shares:
        summary[f"{share.dataset} share"] = Measure(share.share, share.share, share.share, share.documents, "share")
        summary[f"{share.dataset} epochs"] = Measure(
            share.epochs, share.epochs, share.epochs, share.documents, "epochs"
        )
    tokens = sum(share.taken for share in shares)
    distinct = sum(min(share.taken, share.tokens) for share in shares)
    notes = [*advice(tokens, distinct, parameters), *_lines(shares)]
    for note in notes:
        run.note(note)
    facts = {"tokens": tokens, "tokens_estimated": not counted.exact}
    return Report.write(run.out, "mixture", summary, [share._asdict() for share in shares], notes, facts)


def _lines(shares: Sequence[Share]) -> list[str]:
    return [
        f"{share.dataset}: {share.taken:,} of {share.tokens:,} tokens, {share.share:.1%} of the mixture, "
        f"{share.epochs:.2f} epochs{', capped' if share.capped else ''}"
        for share in shares
    ]


def write(corpora: Sequence[Corpus], counted: Counted, shares: Sequence[Share], seed: int, run: Run) -> Corpus:
    """Write the documents in their order; one that comes again has the epoch in its `meta` and itself as `parent`."""
    place, epoch = order(counted, shares, seed)
    if not place.size:
        raise StepFailed("the mixture is empty", "Raise `budget`: it is smaller than the smallest document")
    parts = [part for corpus in corpora for part in corpus.parts]
    starts = np.cumsum([0, *(pq.ParquetFile(part).metadata.num_rows for part in parts)])
    which = np.searchsorted(starts, place, side="right") - 1
    wanted = pa.table(
        {
            "filename": pa.array([str(parts[one]) for one in which]),
            "file_row_number": place - starts[which],
            "epoch_of": epoch,
            "position": np.arange(place.size),
        }
    )
    listed = run.scratch / "order.parquet"
    pq.write_table(wanted, listed)
    with database(run) as connection:
        found = connection.sql(
            "select c.* exclude (filename, file_row_number), w.epoch_of from read_parquet(?, filename=true, "
            "file_row_number=true) c join read_parquet(?) w using (filename, file_row_number) order by w.position",
            params=[[str(part) for part in parts], str(listed)],
        )
        _written(found.to_arrow_reader(2048), place.size, run)
    # A document that is not shown is left out by the plan, not lost: it is counted, and it stands in the input.
    seen = np.bincount(counted.dataset[np.unique(place)], minlength=len(shares))
    for share, count_ in zip(shares, seen, strict=True):
        run.drop(f"{share.dataset}: not in the mixture", share.documents - int(count_), "the input corpus")
    write_json(run.out / "mixture.json", {"seed": seed, "plan": [share._asdict() for share in shares]})
    for line in _lines(shares):
        run.note(line)
    return Corpus(run.out)


def _written(batches: Any, total: int, run: Run) -> None:
    done = part = 0
    writer: stream.Writer | None = None
    for batch in batches:
        if writer is None:
            writer = stream.Writer(run.out / f"part-{part:05d}.parquet", stream.SCHEMA)
        table = pa.Table.from_batches([batch])
        again = table["epoch_of"].to_numpy() > 0
        if again.any():
            ids, epochs = table["id"].to_pylist(), table["epoch_of"].to_pylist()
            named = [f"{one}#{epoch}" if epoch else one for one, epoch in zip(ids, epochs, strict=True)]
            parents = [
                one if epoch else parent
                for one, epoch, parent in zip(ids, epochs, table["parent"].to_pylist(), strict=True)
            ]
            for name, values in (("id", named), ("parent", parents)):
                table = table.set_column(table.schema.get_field_index(name), name, pa.array(values, pa.string()))
        writer.add(stream.with_transform(table, "data.mixture"))
        done += table.num_rows
        run.progress(done, total, "documents")
        if writer.rows >= stream.PART_ROWS:
            writer.__exit__(None, None, None)
            writer, part = None, part + 1
    if writer is not None:
        writer.__exit__(None, None, None)
