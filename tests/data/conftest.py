"""What the tests of tokenisers and of packing share: a corpus, a tokeniser trained on it, and its reader."""

from __future__ import annotations

import random

import pytest
from token_corpora import TEXTS, corpus_of
from tokenizers import Tokenizer

from septet.core import Run
from septet.data.steps import TrainTokenizer, tokenizer


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    draw = random.Random(3)
    words = "ledger entry holds interest account rate 账本 条目 利率 每日 结算 余额 客户".split()
    texts = [
        " ".join(draw.choice(words) for _ in range(draw.choice([1, 4, 9, 60, 300]))) + draw.choice([".", "。"])
        for _ in range(200)
    ]
    return corpus_of(tmp_path_factory.mktemp("corpus") / "in", TEXTS * 4 + texts, 4)


@pytest.fixture(scope="module")
def trained(corpus, tmp_path_factory):
    return tokenizer(TrainTokenizer(vocabulary=600), corpus, run=Run(tmp_path_factory.mktemp("t") / "bpe"))


@pytest.fixture(scope="module")
def reader(trained):
    return Tokenizer.from_file(str(trained.path / "tokenizer.json"))
