"""Tokenisers lose nothing, packing drops nothing, and neither workers, memory nor encoder change a byte."""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from token_corpora import TEXTS, corpus_of
from tokenizers import Tokenizer

from septet.core import ConfigError, Run, StepFailed
from septet.core.pool import Serial
from septet.data import encoders, encoding, packing
from septet.data import unigram as unigrams
from septet.data.steps import (
    Pack,
    TrainTokenizer,
    pack,
    tokenizer,
)
from septet.engines.pools import Processes
from septet.files import write_json
from septet.kernels import unigram as lattice
from septet.kernels.packing import best_fit, cut
from septet.kinds import Tokenizer as TokenizerKind
from septet.kinds import Tokens
from septet.train.batches import PackedRows


def digests(path):
    return {
        str(file.relative_to(path)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(path.rglob("*"))
        if file.is_file()
    }


@settings(max_examples=80, deadline=None)
@given(text=st.text(max_size=80))
def test_every_text_comes_back(text):
    reader = Tokenizer.from_file(READER["file"])
    reader.encode_special_tokens = True
    assert reader.decode(reader.encode(text, add_special_tokens=False).ids, skip_special_tokens=False) == text


READER = {}


@pytest.fixture(autouse=True)
def _reader(trained):
    READER["file"] = str(trained.path / "tokenizer.json")


def test_training_again_gives_the_same_bytes(corpus, trained, tmp_path):
    again = tokenizer(TrainTokenizer(vocabulary=600), corpus, run=Run(tmp_path / "again"))
    assert digests(again.path) == digests(trained.path)


def test_digits_stand_alone(reader):
    pieces = [reader.decode([one]) for one in reader.encode("保存1234每个entry", add_special_tokens=False).ids]
    assert [piece for piece in pieces if piece.isdigit()] == ["1", "2", "3", "4"]


@pytest.fixture(scope="module")
def unigram(corpus, tmp_path_factory):
    config = TrainTokenizer(vocabulary=400, model="unigram")
    return tokenizer(config, corpus, run=Run(tmp_path_factory.mktemp("t") / "unigram"))


def test_a_unigram_tokeniser_is_lossless_and_the_same_again_in_another_process(corpus, unigram, tmp_path):
    code = (
        "import sys; from septet.core import Run; from septet.kinds import Corpus; from septet.data.steps import *;"
        "tokenizer(TrainTokenizer(vocabulary=400, model='unigram'), Corpus(sys.argv[1]), run=Run(sys.argv[2]))"
    )
    subprocess.run([sys.executable, "-c", code, corpus.path, tmp_path / "again"], check=True)
    assert digests(tmp_path / "again") == digests(unigram.path)
    reader = Tokenizer.from_file(str(unigram.path / "tokenizer.json"))
    reader.encode_special_tokens = True
    for text in (*TEXTS, *encoders.HARD):
        ids = reader.encode(text, add_special_tokens=False).ids
        assert reader.decode(ids, skip_special_tokens=False) == text
        assert not set(ids) & {0, 1, 2}
    assert len(reader.encode("账本条目").ids) <= 4, "words of the corpus are learned"
    packed = pack(Pack(), corpus, unigram, run=Run(tmp_path / "packed"))
    assert packed.meta["documents"] == corpus.count()


def test_the_lattice_sums_over_every_cut():
    words, parts = [(b"aab", 2), (b"ab", 1)], [b"a", b"b", b"aa", b"ab", b"aab"]
    scores = np.log(np.array([0.3, 0.3, 0.15, 0.15, 0.1]))
    wanted = np.zeros(5)
    for word, count in words:
        ways = [way for way in itertools.product(range(5), repeat=3) if b"".join(parts[one] for one in way) == word]
        ways += [way for way in itertools.product(range(5), repeat=2) if b"".join(parts[one] for one in way) == word]
        ways += [(one,) for one in range(5) if parts[one] == word]
        weights = np.exp([scores[list(way)].sum() for way in ways])
        for way, weight in zip(ways, weights / weights.sum(), strict=True):
            for one in way:
                wanted[one] += weight * count
    table = lattice.trie(*unigrams._laid(parts))
    laid = unigrams._laid([word for word, _ in words])
    found = lattice.expected(*laid, np.array([2.0, 1.0]), *table, scores)
    assert found == pytest.approx(wanted)


def test_special_tokens_are_chosen_and_take_the_first_ids(corpus, tmp_path):
    config = TrainTokenizer(vocabulary=400, pad="<p>", begin="<b>", end="<e>", special=("<user>", "<model>"))
    made = tokenizer(config, corpus, run=Run(tmp_path / "t"))
    reader = Tokenizer.from_file(str(made.path / "tokenizer.json"))
    assert [reader.token_to_id(one) for one in ("<p>", "<b>", "<e>", "<user>", "<model>")] == [0, 1, 2, 3, 4]
    assert json.loads((made.path / "tokenizer_config.json").read_text())["eos_token"] == "<e>"
    with pytest.raises(ConfigError, match="twice"):
        tokenizer(TrainTokenizer(pad="<e>", end="<e>"), corpus, run=Run(tmp_path / "u"))


def test_of_a_large_corpus_a_sample_is_learned_from(corpus):
    from septet.data.tokenizers import texts_of

    every = sum(len(batch) for batch in texts_of(corpus, 1 << 30, 1))
    some = sum(len(batch) for batch in texts_of(corpus, 40_000, 1))
    assert 0 < some < every
    assert list(texts_of(corpus, 40_000, 1)) == list(texts_of(corpus, 40_000, 1))


@pytest.mark.parametrize("sequence", [16, 64])
def test_packing_drops_no_token_and_says_where_each_is_from(corpus, trained, reader, tmp_path, sequence):
    packed = pack(Pack(sequence=sequence), corpus, trained, run=Run(tmp_path / "out"))
    packed.check()
    meta = packed.meta
    block = np.concatenate([np.fromfile(one, meta["dtype"]) for one in packed.shards]).reshape(-1, sequence)
    by_document = {}
    for one in pq.read_table(packed.path / "documents.parquet").to_pylist():
        by_document.setdefault(one["document"], []).append(
            (one["offset"], block[one["row"], one["start"] : one["end"]])
        )
    for row in corpus.rows():
        ids = np.concatenate([ids for _, ids in sorted(by_document[row["id"]], key=lambda pair: pair[0])])
        assert ids[0] == meta["begin"]
        assert ids[-1] == meta["end"]
        assert not set(ids[1:-1].tolist()) & {meta["pad"], meta["begin"], meta["end"]}, "a text forged a special token"
        assert reader.decode(ids[1:-1].tolist()) == row["text"]
    assert (block == meta["pad"]).sum() == meta["padding"]
    assert meta["documents"] == corpus.count()
    assert meta["bytes"] == sum(len(row["text"].encode()) for row in corpus.rows())


def test_workers_memory_and_encoder_change_nothing(corpus, trained, tmp_path, monkeypatch):
    alone = digests(pack(Pack(sequence=32), corpus, trained, run=Run(tmp_path / "a", pool=Serial())).path)
    two = digests(pack(Pack(sequence=32), corpus, trained, run=Run(tmp_path / "b", pool=Processes(2))).path)
    small = digests(pack(Pack(sequence=32), corpus, trained, run=Run(tmp_path / "c", pool=Serial(64))).path)
    monkeypatch.setattr(encoders, "FAST", ())
    slow = digests(pack(Pack(sequence=32), corpus, trained, run=Run(tmp_path / "d")).path)
    assert alone == two == small == slow


def test_rows_read_from_many_shards_are_those_of_one(corpus, trained, tmp_path, monkeypatch):
    one = pack(Pack(sequence=64), corpus, trained, run=Run(tmp_path / "one"))
    monkeypatch.setattr(packing, "_MIB", 2048)
    many = pack(Pack(sequence=64, shard_mb=1), corpus, trained, run=Run(tmp_path / "many"))
    assert len(one.shards) == 1
    assert len(many.shards) > 3
    for shard in many.meta["shards"]:
        assert hashlib.sha256((many.path / shard["file"]).read_bytes()).hexdigest() == shard["sha256"]
    tables = [pq.read_table(each.path / "documents.parquet") for each in (one, many)]
    assert tables[0].equals(tables[1])
    rows = [PackedRows(each, 8, seed=2) for each in (one, many)]
    for step in (0, 1, rows[0].per_epoch):
        assert rows[0].batches(step)[0].ids.equal(rows[1].batches(step)[0].ids)
    many.shards[1].write_bytes(b"short")
    with pytest.raises(Exception, match="not as long"):
        Tokens(many.path).check()


def test_packing_in_groups_still_places_everything(corpus, trained, tmp_path, monkeypatch):
    monkeypatch.setattr(packing, "_GROUP_PIECES", 50)
    packed = pack(Pack(sequence=64), corpus, trained, run=Run(tmp_path / "out"))
    table = pq.read_table(packed.path / "documents.parquet").to_pydict()
    assert sum(end - start for start, end in zip(table["start"], table["end"], strict=True)) == packed.meta["tokens"]
    assert table["row"] == sorted(table["row"])


def test_what_is_encoded_is_not_encoded_again(corpus, trained, tmp_path, monkeypatch):
    def stopped(*_):
        raise StepFailed("the power went out", "Start again")

    monkeypatch.setattr(packing, "_plan", stopped)
    run = Run(tmp_path / "out", tmp_path / "scratch")
    with pytest.raises(StepFailed, match="power"):
        pack(Pack(), corpus, trained, run=run)
    monkeypatch.undo()
    done = {path: path.stat().st_mtime_ns for path in sorted((tmp_path / "scratch").rglob("tokens.bin"))}
    assert len(done) == 4
    resumed = pack(Pack(), corpus, trained, run=Run(tmp_path / "out", tmp_path / "scratch"))
    for path, when in done.items():
        assert path.stat().st_mtime_ns == when
    assert digests(resumed.path) == digests(pack(Pack(), corpus, trained, run=Run(tmp_path / "whole")).path)


def test_padding_that_ends_documents_is_refused(corpus, trained, tmp_path):
    config = json.loads((trained.path / "tokenizer_config.json").read_text())
    reader = Tokenizer.from_file(str(trained.path / "tokenizer.json"))
    reader.save(str(tmp_path / "tokenizer.json"))
    write_json(tmp_path / "tokenizer_config.json", {**config, "pad_token": "<|end|>", "bos_token": None})
    with pytest.raises(ConfigError, match="never learn"):
        pack(Pack(), corpus, TokenizerKind(tmp_path), run=Run(tmp_path / "o"))
    packed = pack(Pack(pad="<|pad|>"), corpus, TokenizerKind(tmp_path), run=Run(tmp_path / "p"))
    assert packed.meta["begin"] is None
    with pytest.raises(ConfigError, match="no end token '<eos>'"):
        pack(Pack(pad="<|pad|>", end="<eos>"), corpus, TokenizerKind(tmp_path), run=Run(tmp_path / "q"))


def test_an_empty_corpus_is_named(trained, tmp_path):
    with pytest.raises(StepFailed, match="no document"):
        pack(Pack(), corpus_of(tmp_path / "in", []), trained, run=Run(tmp_path / "out"))


def test_a_fast_encoder_that_differs_is_not_used(corpus, trained, tmp_path, monkeypatch):
    content = encoders.plain(trained.path / "tokenizer.json")

    def wrong(content, threads):
        encode = encoders._reference(content, threads)
        return lambda texts: encode([text.replace("\u200b", "") for text in texts])

    monkeypatch.setattr(encoders, "_gigatoken", wrong)
    encoders.encoder.cache_clear()
    run = Run(tmp_path / "run")
    assert encoders.choose(content, TEXTS, run, ("gigatoken",)) == encoders.REFERENCE
    assert "same ids" in run.notes[0]
    encoders.encoder.cache_clear()


def test_an_encoder_that_differs_on_a_rare_document_is_found_out_in_the_work(corpus, trained, tmp_path, monkeypatch):
    def rarely_wrong(content, threads):
        encode = encoders._reference(content, threads)
        return lambda texts: encode([text.replace("利率", "rate") for text in texts])

    monkeypatch.setattr(encoders, "_gigatoken", rarely_wrong)
    monkeypatch.setattr(encoders, "choose", lambda *_: "gigatoken")
    monkeypatch.setattr(encoding, "_CHECKED", 4)
    encoders.encoder.cache_clear()
    run = Run(tmp_path / "a")
    found = digests(pack(Pack(), corpus, trained, run=run).path)
    assert any("other ids" in note for note in run.notes)
    encoders.encoder.cache_clear()
    monkeypatch.undo()
    assert found == digests(pack(Pack(), corpus, trained, run=Run(tmp_path / "b")).path)
    encoders.encoder.cache_clear()


class PanicException(BaseException):
    """As what comes out of a fault in compiled code."""


def test_an_encoder_that_breaks_in_the_work_is_replaced(corpus, trained, tmp_path, monkeypatch):
    def breaks(content, threads):
        def encode(texts):
            raise PanicException("index out of bounds")

        return encode

    monkeypatch.setattr(encoders, "_gigatoken", breaks)
    encoders.encoder.cache_clear()
    run = Run(tmp_path / "gate")
    content = encoders.plain(trained.path / "tokenizer.json")
    assert encoders.choose(content, TEXTS, run, ("gigatoken",)) == encoders.REFERENCE
    assert "out of bounds" in run.notes[0]
    monkeypatch.setattr(encoders, "choose", lambda *_: "gigatoken")
    found = digests(pack(Pack(), corpus, trained, run=Run(tmp_path / "a")).path)
    monkeypatch.undo()
    encoders.encoder.cache_clear()
    assert found == digests(pack(Pack(), corpus, trained, run=Run(tmp_path / "b")).path)


@pytest.mark.parametrize("name", encoders.FAST)
@settings(max_examples=60, deadline=None)
@given(text=st.text(max_size=60))
def test_fast_encoders_give_the_ids_of_the_reference(name, text):
    pytest.importorskip(name, reason="the extra septet[fast] is not installed")
    content = CONTENT.setdefault(READER["file"], encoders.plain(Path(READER["file"])))
    texts = [text, *encoders.HARD]
    assert encoders.equal(encoders.encoder(name, content)(texts), encoders.encoder(encoders.REFERENCE, content)(texts))


CONTENT = {}


@given(st.lists(st.integers(1, 50), max_size=60))
@settings(deadline=None)
def test_best_fit_places_each_piece_once_and_never_overfills(lengths):
    sizes = np.array(lengths, np.int64)
    row, start, rows = best_fit(sizes, 50)
    held = [[] for _ in range(rows)]
    for piece in range(len(lengths)):
        held[row[piece]].append((start[piece], lengths[piece]))
    for pieces in held:
        assert pieces[0][0] == 0
        assert all(begin + size == after for (begin, size), (after, _) in itertools.pairwise(pieces))
        assert sum(pieces[-1]) <= 50
    assert held == plainly(lengths, 50)


def plainly(lengths, capacity):
    """The same by trying every row."""
    rows = []
    for index in sorted(range(len(lengths)), key=lambda index: (-lengths[index], index)):
        fits = [one for one in rows if one["room"] >= lengths[index]]
        best = min(fits, key=lambda one: (one["room"], one["since"])) if fits else None
        if best is None:
            best = {"room": capacity, "pieces": []}
            rows.append(best)
        best["pieces"].append(index)
        best["room"] -= lengths[index]
        best["since"] = plainly.clock = plainly.clock + 1
    made = []
    for row in sorted(sorted(one["pieces"]) for one in rows):
        at, pieces = 0, []
        for index in row:
            pieces.append((at, lengths[index]))
            at += lengths[index]
        made.append(pieces)
    return made


plainly.clock = 0


def test_long_documents_are_cut_and_no_token_is_lost():
    document, offset, size = cut(np.array([0, 5, 20, 21], np.int64), 10)
    assert document.tolist() == [1, 2, 2, 3, 3, 3]
    assert offset.tolist() == [0, 0, 10, 0, 10, 20]
    assert size.tolist() == [5, 10, 10, 10, 10, 1]
