"""An extended tokeniser keeps every old id; fertility says what a tokeniser costs."""

from __future__ import annotations

import json

import numpy as np
import pytest
from token_corpora import corpus_of
from tokenizers import AddedToken, Tokenizer, decoders, models, normalizers, trainers

from septet.core import ConfigError, Run
from septet.data.steps import (
    ExtendTokenizer,
    Fertility,
    Pack,
    TrainTokenizer,
    extend_tokenizer,
    fertility,
    pack,
    tokenizer,
)
from septet.files import write_json
from septet.kinds import Tokenizer as TokenizerKind


def test_an_extended_tokeniser_keeps_every_old_id(corpus, trained, reader, tmp_path):
    new = corpus_of(tmp_path / "new", ["跨境支付清算系统的参与机构 counterparty exposure netting"] * 30, 2)
    made = extend_tokenizer(ExtendTokenizer(tokens=40, special=("<|tool|>",)), new, trained, run=Run(tmp_path / "out"))
    longer = Tokenizer.from_file(str(made.path / "tokenizer.json"))
    before, after = reader.get_vocab(), longer.get_vocab()
    assert all(after[token] == identity for token, identity in before.items())
    assert len(after) > len(before) + 20
    assert longer.token_to_id("<|tool|>") == len(after) - 1
    assert longer.encode("a<|tool|>").ids[-1] == len(after) - 1
    for row in [*corpus.rows(), *new.rows()]:
        old, now = reader.encode(row["text"]).ids, longer.encode(row["text"]).ids
        assert longer.decode(now, skip_special_tokens=False) == reader.decode(old, skip_special_tokens=False)
        assert len(now) <= len(old)
    text = next(new.rows())["text"]
    assert len(longer.encode(text).ids) < len(reader.encode(text).ids) / 2
    packed = pack(Pack(), new, made, run=Run(tmp_path / "packed"))
    assert packed.meta["vocabulary"] == len(after)


def test_extending_keeps_tokens_that_stand_behind_the_vocabulary(corpus, trained, reader, tmp_path):
    """Many models number their special tokens behind the vocabulary; the library would move them."""
    changed = Tokenizer.from_file(str(trained.path / "tokenizer.json"))
    changed.add_special_tokens([AddedToken("<|late|>", special=True)])
    changed.add_tokens([AddedToken("网上银行", special=False)])
    changed.save(str(tmp_path / "tokenizer.json"))
    made = extend_tokenizer(ExtendTokenizer(tokens=30), corpus, TokenizerKind(tmp_path), run=Run(tmp_path / "out"))
    longer = Tokenizer.from_file(str(made.path / "tokenizer.json"))
    for token, identity in changed.get_vocab().items():
        assert longer.token_to_id(token) == identity
    assert longer.encode("x<|late|>网上银行").ids[-2:] == changed.encode("x<|late|>网上银行").ids[-2:]
    with pytest.raises(ConfigError, match="already has"):
        extend_tokenizer(ExtendTokenizer(special=("<|late|>",)), corpus, made, run=Run(tmp_path / "again"))


@pytest.fixture(scope="module")
def without_cut(corpus, tmp_path_factory):
    """A tokeniser as SentencePiece makes them: blanks are letters, nothing is cut before merging, rare characters are bytes."""
    reader = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    reader.normalizer = normalizers.Replace(" ", "\u2581")
    reader.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()],
    )
    special = ["<pad>", "<eos>", "<bos>", "<unk>"]
    single = [f"<0x{byte:02X}>" for byte in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=420, special_tokens=special + single, show_progress=False)
    reader.train_from_iterator((line for row in corpus.rows() for line in row["text"].split("\n")), trainer)
    content = json.loads(reader.to_str())
    content["added_tokens"] = content["added_tokens"][: len(special)]
    folder = tmp_path_factory.mktemp("without-cut")
    write_json(folder / "tokenizer.json", content)
    write_json(folder / "tokenizer_config.json", {"pad_token": "<pad>", "eos_token": "<eos>", "bos_token": "<bos>"})
    return TokenizerKind(folder)


def test_a_tokeniser_without_a_cut_is_extended_and_its_bytes_stay_bytes(without_cut, tmp_path):
    texts = ["The counterparty settles 🙂🙂🙂 each netting cycle, 跨境清算系统参与者🙂🙂🙂。"] * 20
    new = corpus_of(tmp_path / "new", texts)
    made = extend_tokenizer(ExtendTokenizer(tokens=60), new, without_cut, run=Run(tmp_path / "out"))
    old = Tokenizer.from_file(str(without_cut.path / "tokenizer.json"))
    longer = Tokenizer.from_file(str(made.path / "tokenizer.json"))
    assert all(longer.token_to_id(token) == identity for token, identity in old.get_vocab().items())
    assert not [token for token in longer.get_vocab() if "<0x" in token and len(token) != 6]
    assert len(longer.encode(texts[0]).ids) < len(old.encode(texts[0]).ids)
    assert longer.decode(longer.encode(texts[0]).ids) == texts[0]
    packed = pack(Pack(sequence=64), new, made, run=Run(tmp_path / "packed"))
    block = np.fromfile(packed.shards[0], packed.meta["dtype"])
    assert longer.decode([one for one in block.tolist() if one != packed.meta["pad"]]).startswith(texts[0])


def test_tokenisers_that_take_whole_words_first_are_extended_too(corpus, trained, tmp_path):
    content = json.loads((trained.path / "tokenizer.json").read_text())
    content["model"]["ignore_merges"] = True
    content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    write_json(tmp_path / "tokenizer.json", content)
    new = corpus_of(tmp_path / "new", ["overcollateralisation 超额抵押品"] * 9)
    made = extend_tokenizer(ExtendTokenizer(tokens=50), new, TokenizerKind(tmp_path), run=Run(tmp_path / "out"))
    longer = Tokenizer.from_file(str(made.path / "tokenizer.json"))
    for row in [*new.rows(), *corpus.rows()]:
        longer.encode_special_tokens = True
        assert longer.decode(longer.encode(row["text"]).ids, skip_special_tokens=False) == row["text"]
    assert len(longer.encode("overcollateralisation").ids) == 1


def test_a_tokeniser_of_another_kind_is_not_extended(corpus, tmp_path):
    write_json(tmp_path / "tokenizer.json", {"model": {"type": "WordPiece", "vocab": {}}})
    with pytest.raises(ConfigError, match="Only BPE"):
        extend_tokenizer(ExtendTokenizer(), corpus, TokenizerKind(tmp_path), run=Run(tmp_path / "out"))


def test_fertility_by_language_with_intervals(trained, reader, tmp_path):
    texts = ["The ledger holds each entry.", "账本保存每个条目，利率每日结算。"] * 12
    corpus = corpus_of(tmp_path / "in", texts, 2, ("en", "zh"))
    english = corpus_of(tmp_path / "english", texts[::2])
    small = tokenizer(TrainTokenizer(vocabulary=300), english, run=Run(tmp_path / "small"))
    config = Fertility(names=("large", "small"))
    found = fertility(config, corpus, (trained, small), run=Run(tmp_path / "out"))
    summary = found.summary()
    tokens = sum(len(reader.encode(text).ids) for text in texts[::2])
    assert summary["large.tokens_per_word.en"].value == pytest.approx(tokens / (5 * 12))
    chinese = summary["small.tokens_per_character.zh"]
    assert chinese.low <= chinese.value <= chinese.high
    assert summary["small.single_bytes.zh"].value > 0.8 > summary["large.single_bytes.zh"].value
    assert summary["small.tokens_against_large.all"].value > 1
    assert {"large.bytes_per_token.rules (en)", "large.bytes_per_token.notes (zh)"} <= summary.keys()
    assert "text" not in next(found.items())
    few = fertility(
        config, corpus_of(tmp_path / "few", texts[:5], 1, ("en", "zh")), (trained, small), run=Run(tmp_path / "f")
    )
    assert few.content["facts"]["too_few_documents"]["en"] == 3
    assert "large.bytes_per_token.en" not in few.summary()
    with pytest.raises(ConfigError, match="name of its own"):
        fertility(Fertility(names=("one",)), corpus, (trained, small), run=Run(tmp_path / "x"))
