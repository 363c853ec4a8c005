import json
import shutil
from collections import Counter

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import tiny_models
import torch

from septet.core import ConfigError, Run
from septet.data.steps.tokens import Pack, pack
from septet.kinds import Corpus, Tokenizer, Tokens
from septet.model.codec import Codec
from septet.train.batches import IGNORED, AnswerRow, AnswerRows, PackedRows, answer_rows

ROW = {
    "source": "here",
    "source_digest": "",
    "start": 0,
    "end": 1,
    "language": "en",
    "licence": "own",
    "origin": "own",
    "access": "public",
    "transforms": [],
}


def test_each_row_comes_once_an_epoch_and_the_order_is_a_function_of_the_step():
    rows = [AnswerRow(str(n), tuple(range(3, 5 + n % 7)), (False, *[True] * (1 + n % 7))) for n in range(37)]
    data = AnswerRows(rows, 4, seed=1)
    again = AnswerRows(rows, 4, seed=1)
    for epoch in (0, 1):
        steps = range(epoch * data.per_epoch, (epoch + 1) * data.per_epoch)
        assert Counter(name for step in steps for name in data.batches(step)[0].rows) == Counter(
            str(n) for n in range(37)
        )
    assert torch.equal(data.batches(13)[0].ids, again.batches(13)[0].ids)
    first, second = ([data.batches(step + at)[0].rows for step in range(data.per_epoch)] for at in (0, data.per_epoch))
    assert first != second
    (batch,) = data.batches(0)
    assert batch.num_tokens == sum(len(rows[int(name)].ids) for name in batch.rows)


def test_only_what_was_written_is_learnt_and_never_across_texts():
    rows = [AnswerRow("a", (5, 6, 7, 8), (False, False, True, True)), AnswerRow("b", (9, 10, 11), (True, True, True))]
    batch = AnswerRows(rows, 2, seed=0).of([0, 1])
    assert batch.ids.tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert batch.labels.tolist() == [IGNORED, 7, 8, IGNORED, 10, 11, IGNORED]
    assert batch.positions.tolist() == [0, 1, 2, 3, 0, 1, 2]
    assert batch.weight == 4


def test_a_step_split_into_parts_has_the_same_rows(tokens):
    whole, split = (PackedRows(tokens, 4, seed=0, accumulate=parts) for parts in (1, 2))
    assert len(split.batches(3)) == 2
    assert torch.cat([part.ids for part in split.batches(3)]).tolist() == whole.batches(3)[0].ids.tolist()
    with pytest.raises(ConfigError, match="does not split into 3"):
        PackedRows(tokens, 4, seed=0, accumulate=3)


def test_rows_that_cannot_be_used_are_counted_and_kept(tiny, tmp_path):
    rows = [
        {"id": "good", "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"id": "silent", "messages": [{"role": "user", "content": "a"}]},
        {"id": "long", "messages": [{"role": "user", "content": "a" * 400}, {"role": "assistant", "content": "b"}]},
    ]
    run = Run(tmp_path)
    kept = answer_rows(rows, Codec(tiny.path), 64, run)
    assert [row.name for row in kept] == ["good"]
    assert {(drop["rule"], drop["count"]) for drop in run.drops} == {("no answer", 1), ("too long", 1)}
    dropped = [json.loads(line) for line in (tmp_path / "dropped.jsonl").read_text().splitlines()]
    assert [row["id"] for row in dropped] == ["silent", "long"]
    with pytest.raises(ConfigError, match="none of 1 rows"):
        answer_rows(rows[1:2], Codec(tiny.path), 64, Run(tmp_path / "none"))


def test_packed_rows_hold_some_out_and_do_not_train_on_padding(tokens):
    data = PackedRows(tokens, 4, seed=0, held_out=3)
    total = tokens.meta["rows"]
    assert list(data.held_out_rows) == [total - 3, total - 2, total - 1]
    seen = {name for step in range(data.per_epoch) for name in data.batches(step)[0].rows}
    assert not seen & {f"row {row}" for row in data.held_out_rows}
    last = data.of([total - 1])
    assert bool((last.ids != 0).all())
    assert last.num_tokens < tokens.meta["sequence"]


def test_too_few_rows_are_refused(tokens):
    with pytest.raises(ConfigError, match="too few"):
        PackedRows(tokens, 1000, seed=0)


def test_erased_documents_are_not_trained_on(tokens, tmp_path):
    folder = tmp_path / "tokens"
    shutil.copytree(tokens.path, folder)
    table = pq.read_table(folder / "documents.parquet")
    gone = pc.or_(pc.equal(table["row"], 1), pc.equal(pc.bit_wise_and(table["row"], 3), 2))
    names = pc.if_else(gone, "erased", table["document"])
    pq.write_table(table.set_column(0, "document", names), folder / "documents.parquet")
    rows = PackedRows(Tokens(folder), 1, seed=0)
    left = {row for row in table["row"].to_pylist() if row != 1 and row % 4 != 2}
    seen = {name for step in range(rows.per_epoch) for name in rows.batches(step)[0].rows}
    assert seen == {f"row {row}" for row in left}


def test_what_the_packing_step_writes_is_read(tiny, tmp_path):
    """The rows of a real corpus, packed by the step, come back document by document."""
    texts = [f"{number}. {text}" for number, text in enumerate(tiny_models.TEXTS * 5)]
    rows = [{**Corpus.DEFAULTS, **ROW, "id": str(number), "text": text} for number, text in enumerate(texts)]
    corpus = Corpus.write(tmp_path / "corpus", rows)
    tokenizer = Tokenizer(tiny.path)
    packed = PackedRows(pack(Pack(sequence=64), corpus, tokenizer, Run(tmp_path / "tokens")), 1, seed=0)
    codec = Codec(tiny.path)
    found = []
    for step in range(packed.per_epoch):
        (batch,) = packed.batches(step)
        found += [codec.decode(batch.ids[start:end].tolist()) for start, end in batch.spans]
    whole = sorted(text for text in found if text in texts)
    assert len(whole) > len(texts) * 0.6
    assert sum(map(len, found)) == pytest.approx(sum(map(len, texts)), abs=2 * len(found))
