"""Tokeniser and packing lose nothing, and every token leads back to its document."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from septet.data.tokens import SPECIAL, _best_fit, pack, train_tokenizer

TEXTS = [
    "The ledger holds each entry. 账本保存每个条目。",
    "def f(x):\n    return x + 1234567890\n",
    "混合 mixed 文本 text 🙂 é",
] * 20


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tokenizer")
    train_tokenizer(iter(TEXTS), 600, folder)
    return folder


@settings(max_examples=80, deadline=None, suppress_health_check=[])
@given(text=st.text(max_size=80))
def test_every_text_comes_back(text):
    tokenizer = Tokenizer.from_file(str(FOLDER["at"] / "tokenizer.json"))
    ids = tokenizer.encode(text, add_special_tokens=False).ids
    assert tokenizer.decode(ids, skip_special_tokens=False) == text or any(special in text for special in SPECIAL)


FOLDER = {}


@pytest.fixture(autouse=True)
def _folder(trained):
    FOLDER["at"] = trained


def test_training_again_gives_the_same_bytes(trained, tmp_path):
    train_tokenizer(iter(TEXTS), 600, tmp_path)
    assert (tmp_path / "tokenizer.json").read_bytes() == (trained / "tokenizer.json").read_bytes()


def test_digits_stand_alone(trained):
    tokenizer = Tokenizer.from_file(str(trained / "tokenizer.json"))
    pieces = [tokenizer.decode([one]) for one in tokenizer.encode("保存1234每个entry", add_special_tokens=False).ids]
    assert [piece for piece in pieces if piece.isdigit()] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("sequence", [16, 64])
def test_packing_drops_no_token_and_says_where_each_is_from(trained, tmp_path, sequence):
    documents = [(f"d{number}", text) for number, text in enumerate(TEXTS)]
    meta = pack(iter(documents), trained / "tokenizer.json", sequence, tmp_path, lambda _: None)
    block = np.fromfile(tmp_path / "tokens.bin", meta["dtype"]).reshape(meta["rows"], sequence)
    placed = pq.read_table(tmp_path / "documents.parquet").to_pylist()
    tokenizer = Tokenizer.from_file(str(trained / "tokenizer.json"))
    by_document = {}
    for one in placed:
        by_document.setdefault(one["document"], []).append(
            (one["offset"], block[one["row"], one["start"] : one["end"]])
        )
    for identity, text in documents:
        ids = np.concatenate([ids for _, ids in sorted(by_document[identity], key=lambda pair: pair[0])])
        assert ids[0] == meta["begin"]
        assert ids[-1] == meta["end"]
        assert tokenizer.decode([int(one) for one in ids[1:-1]]) == text
    assert (block == meta["pad"]).sum() == meta["padding"]


@given(st.lists(st.integers(1, 50), max_size=60))
def test_best_fit_places_each_piece_once_and_never_overfills(lengths):
    rows = _best_fit(lengths, 50)
    assert sorted(index for row in rows for index in row) == list(range(len(lengths)))
    assert all(sum(lengths[index] for index in row) <= 50 for row in rows)
